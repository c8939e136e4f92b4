//! What all pictures over true time share: their width, their time axis, the end of chaos, and the lanes' names.

use crate::scale::Scale;
use crate::svg::{Area, Caption, Path, Point, Px, Svg};

/// The width of every picture over true time, so that they line up. Its names stand beside it.
pub(crate) const PLOT_WIDTH: Px = Px::whole(1080);
/// The width of the names beside a picture.
const NAMES_WIDTH: Px = Px::whole(132);
/// The room of a time axis.
pub(crate) const AXIS_HEIGHT: Px = Px::whole(22);
/// How many instants an axis names.
const TICKS_MAX: u32 = 13;

/// The time that a page's pictures cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// True time to places.
    pub(crate) scale: Scale,
    /// Where chaos ends and healing begins, if it does within the picture.
    pub(crate) heal_x: Option<Px>,
}

impl Frame {
    /// A frame from 0 to `ends_ns`, with faults until `chaos_ends_ns`.
    pub(crate) fn new(chaos_ends_ns: u64, ends_ns: u64) -> Self {
        let scale = Scale::new((0, crate::scale::signed(ends_ns)), PLOT_WIDTH);
        let heal_x = (chaos_ends_ns < ends_ns).then(|| scale.x_at(chaos_ends_ns));
        Self { scale, heal_x }
    }

    /// A frame without faults over the instants given, from the first to the last.
    pub(crate) fn over(instants_ns: impl Iterator<Item = u64> + Clone) -> Self {
        let from_ns = instants_ns.clone().min().unwrap_or(0);
        let to_ns = instants_ns.max().unwrap_or(1);
        let range_ns = (crate::scale::signed(from_ns), crate::scale::signed(to_ns));
        Self { scale: Scale::new(range_ns, PLOT_WIDTH), heal_x: None }
    }

    /// Draws what lies behind the lanes: time ticks over `height`, and the healing phase.
    pub(crate) fn draw_ground(&self, svg: &mut Svg, height: Px) {
        if let Some(x) = self.heal_x {
            let area = Area { x, y: Px::ZERO, width: PLOT_WIDTH - x, height };
            svg.area(area, "healing");
        }
        let mut grid = Path::default();
        for tick in self.scale.ticks(TICKS_MAX) {
            grid.line([Point { x: tick.x, y: Px::ZERO }, Point { x: tick.x, y: height }]);
        }
        svg.path(&grid, "grid");
    }

    /// Draws the end of chaos over the lanes.
    pub(crate) fn draw_heal_line(&self, svg: &mut Svg, height: Px) {
        if let Some(x) = self.heal_x {
            svg.line(Point { x, y: Px::ZERO }, Point { x, y: height }, "heal");
        }
    }

    /// A picture of the time axis alone.
    pub(crate) fn axis(&self) -> String {
        let mut svg = Svg::silent(PLOT_WIDTH, AXIS_HEIGHT);
        let y = AXIS_HEIGHT - Px::whole(7);
        let ticks = self.scale.ticks(TICKS_MAX);
        let last = ticks.len().saturating_sub(1);
        for (index, tick) in ticks.iter().enumerate() {
            let is_last_at_edge = index == last && tick.x + Px::of_text(&tick.label) > PLOT_WIDTH;
            let class = match (tick.x == Px::ZERO, is_last_at_edge) {
                (true, _) => "axis",
                (false, true) => "axis end",
                (false, false) => "axis middle",
            };
            svg.text(Point { x: tick.x, y }, class, &tick.label);
        }
        svg.finish()
    }

    /// A picture that names the phases above the lanes; nothing if the run has only one.
    pub(crate) fn phases(&self) -> String {
        let Some(x) = self.heal_x else { return String::new() };
        let mut svg = Svg::silent(PLOT_WIDTH, AXIS_HEIGHT);
        let y = AXIS_HEIGHT - Px::whole(7);
        if x > Px::of_text("chaos: faults are injected") {
            svg.text(Point { x: Px::ZERO, y }, "axis", "chaos: faults are injected");
        }
        let label = "healing: no faults";
        let room = PLOT_WIDTH - x > Px::of_text(label);
        let (x, class) = if room { (x + Px::whole(4), "axis") } else { (PLOT_WIDTH, "axis end") };
        svg.text(Point { x, y }, class, label);
        svg.finish()
    }
}

/// The name of a lane, and a word beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaneName {
    /// The name.
    pub(crate) name: String,
    /// What stands on the right, such as a count or a range.
    pub(crate) note: String,
    /// The middle of its lane.
    pub(crate) y: Px,
}

/// A picture and the names beside it, which stay in sight when the picture is scrolled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Picture {
    /// The names.
    pub(crate) names: String,
    /// The picture.
    pub(crate) plot: String,
}

/// The longest name that fits; longer ones are cut.
const NAME_GLYPHS_MAX: usize = 13;

/// Draws the names of lanes beside a picture of this height.
pub(crate) fn draw_names(lanes: &[LaneName], height: Px) -> String {
    let mut svg = Svg::new(
        NAMES_WIDTH,
        height,
        Caption {
            title: "Names of the lanes",
            description: "One name beside each lane, from top to bottom.",
        },
    );
    for lane in lanes {
        let y = lane.y + Px::whole(4);
        let glyphs = if lane.note.is_empty() { NAME_GLYPHS_MAX + 5 } else { NAME_GLYPHS_MAX };
        svg.text(Point { x: Px::ZERO, y }, "name", &shortened(&lane.name, glyphs));
        if !lane.note.is_empty() {
            svg.text(Point { x: NAMES_WIDTH - Px::whole(8), y }, "note end", &lane.note);
        }
    }
    svg.finish()
}

/// `text`, or its beginning with an ellipsis if it has more than `glyphs_max` characters.
pub(crate) fn shortened(text: &str, glyphs_max: usize) -> String {
    if text.chars().count() <= glyphs_max {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(glyphs_max.saturating_sub(1)).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healing_begins_where_chaos_ends_and_only_within_the_run() {
        let x = |chaos_ends_ns| Frame::new(chaos_ends_ns, 100).heal_x;
        assert_eq!([x(50), x(100), x(200)], [Some(Px::whole(540)), None, None]);
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        assert_eq!(shortened("äöüäöü", 4), "äöü…");
        assert_eq!(shortened("abcd", 4), "abcd");
    }

    #[test]
    fn frame_over_no_instants_is_not_empty() {
        let frame = Frame::over(std::iter::empty());
        assert!(frame.scale.x(1) > frame.scale.x(0));
    }
}
