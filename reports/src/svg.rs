//! A small SVG writer: whole tenths of a pixel, classes for colour, every text escaped.

use core::fmt::{self, Write};
use core::ops::{Add, Sub};

/// A length or coordinate. Unit: tenths of a CSS pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Px(i64);

impl Px {
    /// The left or upper edge.
    pub(crate) const ZERO: Self = Self(0);

    /// That many pixels.
    pub(crate) const fn whole(pixels: i64) -> Self {
        Self(pixels * 10)
    }

    /// That many tenths of a pixel.
    pub(crate) const fn tenths(tenths: i64) -> Self {
        Self(tenths)
    }

    /// The length in tenths of a pixel.
    pub(crate) const fn as_tenths(self) -> i64 {
        self.0
    }

    /// The room a text takes, by an average glyph: wide enough for most, exact for none.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(i64::try_from(text.chars().count()).unwrap_or(i64::MAX / 64) * GLYPH.0)
    }
}

/// The average advance of a glyph at the size of the charts' labels.
const GLYPH: Px = Px(62);

impl Add for Px {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Px {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, tenths) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        if tenths.is_multiple_of(10) {
            write!(f, "{sign}{}", tenths / 10)
        } else {
            write!(f, "{sign}{}.{}", tenths / 10, tenths % 10)
        }
    }
}

/// Where something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    /// From the left edge.
    pub(crate) x: Px,
    /// From the upper edge.
    pub(crate) y: Px,
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Area {
    /// Its left edge.
    pub(crate) x: Px,
    /// Its upper edge.
    pub(crate) y: Px,
    /// Its width.
    pub(crate) width: Px,
    /// Its height.
    pub(crate) height: Px,
}

/// What a reader who cannot see the picture is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caption<'a> {
    /// What it is.
    pub(crate) title: &'a str,
    /// What it shows.
    pub(crate) description: &'a str,
}

/// A picture that grows element by element.
pub(crate) struct Svg {
    body: String,
}

impl Svg {
    /// A picture for people who see and people who do not.
    pub(crate) fn new(width: Px, height: Px, caption: Caption<'_>) -> Self {
        let body = format!(
            r#"<svg role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}"><title>{}</title><desc>{}</desc>"#,
            escape(caption.title),
            escape(caption.description)
        );
        Self { body }
    }

    /// A picture that repeats what stands beside it; screen readers pass over it.
    pub(crate) fn silent(width: Px, height: Px) -> Self {
        let body = format!(
            r#"<svg aria-hidden="true" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
        );
        Self { body }
    }

    /// A rectangle.
    pub(crate) fn area(&mut self, area: Area, class: &str) {
        let Area { x, y, width, height } = area;
        self.put(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"/>"#
        ));
    }

    /// A rectangle that says more when pointed at.
    pub(crate) fn titled_area(&mut self, area: Area, class: &str, title: &str) {
        let Area { x, y, width, height } = area;
        let title = escape(title);
        self.put(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{width}" height="{height}"><title>{title}</title></rect>"#
        ));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, from: Point, to: Point, class: &str) {
        let (Point { x: x1, y: y1 }, Point { x: x2, y: y2 }) = (from, to);
        self.put(format_args!(r#"<path class="{class}" d="M{x1} {y1}L{x2} {y2}"/>"#));
    }

    /// A path; nothing if it is empty.
    pub(crate) fn path(&mut self, path: &Path, class: &str) {
        if !path.commands.is_empty() {
            let commands = &path.commands;
            self.put(format_args!(r#"<path class="{class}" d="{commands}"/>"#));
        }
    }

    /// A text whose baseline begins at `at`, unless its class says otherwise.
    pub(crate) fn text(&mut self, at: Point, class: &str, text: &str) {
        let (Point { x, y }, text) = (at, escape(text));
        self.put(format_args!(r#"<text class="{class}" x="{x}" y="{y}">{text}</text>"#));
    }

    /// The whole picture.
    pub(crate) fn finish(mut self) -> String {
        self.body.push_str("</svg>");
        self.body
    }

    fn put(&mut self, arguments: fmt::Arguments<'_>) {
        self.body.write_fmt(arguments).expect("memory takes every character");
    }
}

/// The outline of several shapes in one element, which keeps a dense picture small.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    commands: String,
}

impl Path {
    /// No shape yet.
    pub(crate) const fn new() -> Self {
        Self { commands: String::new() }
    }

    /// Adds a rectangle.
    pub(crate) fn area(&mut self, area: Area) {
        let Area { x, y, width, height } = area;
        self.put(format_args!("M{x} {y}h{width}v{height}h-{width}z"));
    }

    /// Adds a line through `points`.
    pub(crate) fn line(&mut self, points: impl IntoIterator<Item = Point>) {
        for (index, Point { x, y }) in points.into_iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            self.put(format_args!("{command}{x} {y}"));
        }
    }

    /// Joins the last line's end to its beginning.
    pub(crate) fn close(&mut self) {
        self.commands.push('Z');
    }

    /// Adds a slanted cross around `at`.
    pub(crate) fn cross(&mut self, at: Point, radius: Px) {
        let ((left, right), (top, bottom)) = sides(at, radius);
        self.line([Point { x: left, y: top }, Point { x: right, y: bottom }]);
        self.line([Point { x: left, y: bottom }, Point { x: right, y: top }]);
    }

    /// Adds a square that stands on its corner around `at`.
    pub(crate) fn diamond(&mut self, at: Point, radius: Px) {
        let ((left, right), (top, bottom)) = sides(at, radius);
        let corners = [(left, at.y), (at.x, top), (right, at.y), (at.x, bottom)];
        self.line(corners.map(|(x, y)| Point { x, y }));
        self.close();
    }

    /// Adds a disc around `at`.
    pub(crate) fn dot(&mut self, at: Point, radius: Px) {
        let (Point { x, y }, across) = (Point { x: at.x - radius, y: at.y }, radius + radius);
        self.put(format_args!(
            "M{x} {y}a{radius} {radius} 0 1 1 {across} 0a{radius} {radius} 0 1 1-{across} 0z"
        ));
    }

    fn put(&mut self, arguments: fmt::Arguments<'_>) {
        self.commands.write_fmt(arguments).expect("memory takes every character");
    }
}

fn sides(at: Point, radius: Px) -> ((Px, Px), (Px, Px)) {
    ((at.x - radius, at.x + radius), (at.y - radius, at.y + radius))
}

/// `text` with everything that means something in HTML made harmless. Control characters become a replacement
/// character: they may not stand in a document at all.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() && control != '\n' && control != '\t' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_print_with_a_decimal_only_where_needed() {
        let lengths = [Px::whole(3), Px::tenths(35), Px::tenths(-5), Px::ZERO];
        assert_eq!(lengths.map(|length| length.to_string()), ["3", "3.5", "-0.5", "0"]);
    }

    #[test]
    fn hostile_text_is_only_text() {
        assert_eq!(escape("<b a='\"'>&\u{0}"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}");
    }

    #[test]
    fn picture_names_itself_and_needs_nothing_from_elsewhere() {
        let caption = Caption { title: "a <title>", description: "d" };
        let mut svg = Svg::new(Px::whole(10), Px::whole(20), caption);
        svg.text(Point { x: Px::ZERO, y: Px::ZERO }, "name", "</svg>");
        let text = svg.finish();
        assert!(text.contains("<title>a &lt;title&gt;</title><desc>d</desc>"), "{text}");
        assert!(!text.contains("xmlns") && text.matches("</svg>").count() == 1, "{text}");
    }
}
