//! JSON objects as they come: one after another, or the elements of one array.
//!
//! An object may span lines. All that is held of a file is one object, which has at most
//! [`LINE_BYTES_MAX`] bytes with the blanks before it.

use serde::Deserialize;

use super::source::Source;
use super::text::characters;
use super::{FormatError, Found, LINE_BYTES_MAX, Place};

/// How many bytes of what stands in a wrong place are looked at.
const SHOWN_BYTES: usize = 256;

/// The objects of a file, one after another.
pub(super) struct Objects<'s, 'a> {
    source: &'s mut Source<'a>,
    /// Where what is not used yet begins.
    place: Place,
    within: Within,
}

/// What stands around the next object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Nothing has come yet.
    Start,
    /// Objects to the end of the file.
    File,
    /// An array, before its first element.
    Array,
    /// An array, after an element.
    AfterElement,
    /// Nothing: the array was closed.
    End,
}

/// An object, and where it begins.
pub(super) struct Object {
    pub(super) place: Place,
    pub(super) text: String,
}

/// What was found at the head of what is held.
enum Step {
    /// So many bytes that are no object.
    Moved(usize, Within),
    /// An object in these bytes.
    Object(usize, usize),
    End,
    /// Something else than what is expected begins here.
    Wrong(usize, &'static str),
    /// More must be read.
    Incomplete,
}

impl<'s, 'a> Objects<'s, 'a> {
    pub(super) fn new(source: &'s mut Source<'a>) -> Self {
        Self { source, place: Place::START, within: Within::Start }
    }

    /// The next object, if there is one.
    ///
    /// # Errors
    /// If something else stands there, if it is cut off, too long or not UTF-8, or if the input fails.
    pub(super) fn next(&mut self) -> Result<Option<Object>, FormatError> {
        loop {
            let held = self.source.held();
            match step(held, self.within, self.source.is_ended()) {
                Step::Moved(used, within) => {
                    self.within = within;
                    let place = after(self.place, &held[..used])?;
                    self.use_up(used, place);
                }
                Step::Object(start, end) => {
                    let place = after(self.place, &held[..start])?;
                    let after_it = after(place, &held[start..end])?;
                    let text = String::from_utf8_lossy(&held[start..end]).into_owned();
                    let is_element = matches!(self.within, Within::Array | Within::AfterElement);
                    self.within = if is_element { Within::AfterElement } else { Within::File };
                    self.use_up(end, after_it);
                    return Ok(Some(Object { place, text }));
                }
                Step::End => return Ok(None),
                Step::Wrong(at, expected) => {
                    // What is shown must not hang on how much happened to be read.
                    let is_enough = held.len() >= at + SHOWN_BYTES || held[at..].contains(&b'\n');
                    if !is_enough && !self.source.is_ended() {
                        self.source.hold(at + SHOWN_BYTES)?;
                        continue;
                    }
                    return Err(wrong(held, at, self.place, expected));
                }
                Step::Incomplete => self.more()?,
            }
        }
    }

    fn use_up(&mut self, used: usize, place: Place) {
        self.place = place;
        self.source.advance(used, place);
    }

    /// Reads at least as much again as is held: what is looked at again grows no faster than the file.
    fn more(&mut self) -> Result<(), FormatError> {
        let count = self.source.held().len();
        if count >= LINE_BYTES_MAX {
            return Err(FormatError::LongElement { place: self.place });
        }
        self.source.hold((2 * count).clamp(1, LINE_BYTES_MAX))
    }
}

impl Object {
    /// The object as this type.
    ///
    /// # Errors
    /// If it is another one.
    pub(super) fn read<'o, T: Deserialize<'o>>(&'o self) -> Result<T, FormatError> {
        serde_json::from_str(&self.text).map_err(|error| {
            let lines_before: usize =
                self.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let bytes = (lines_before + error.column().saturating_sub(1)).min(self.text.len());
            let place = after(self.place, &self.text.as_bytes()[..bytes]).unwrap_or(self.place);
            let found = error.to_string();
            let found = found.rsplit_once(" at line ").map_or(found.as_str(), |(found, _)| found).to_owned();
            FormatError::Json { place, found }
        })
    }

    /// The error that the object is not what it should be.
    pub(super) fn unexpected(&self, found: &str, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.place, found: Found::text(found), expected }
    }
}

fn step(held: &[u8], within: Within, is_ended: bool) -> Step {
    let blanks = held.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(held.len());
    let Some(first) = held.get(blanks) else {
        return match (is_ended, within) {
            (true, Within::Array | Within::AfterElement) => Step::Wrong(blanks, "an object, or ] at the end"),
            (true, _) => Step::End,
            (false, _) => Step::Incomplete,
        };
    };
    match (first, within) {
        (b'[', Within::Start) => Step::Moved(blanks + 1, Within::Array),
        (b']', Within::Array | Within::AfterElement) => Step::Moved(blanks + 1, Within::End),
        (b',', Within::AfterElement) => comma(held, blanks, is_ended),
        (b'{', Within::Start | Within::File | Within::Array) => object(held, blanks, is_ended),
        (_, Within::End) => Step::Wrong(blanks, "the end of the file, for the array has ended"),
        (_, Within::AfterElement) => Step::Wrong(blanks, "a comma, or ] at the end"),
        (_, Within::Array) => Step::Wrong(blanks, "an object, or ] at the end"),
        (_, Within::Start | Within::File) => Step::Wrong(blanks, "an object, or an array of objects"),
    }
}

/// A comma and the object that must follow it.
fn comma(held: &[u8], at: usize, is_ended: bool) -> Step {
    let rest = at + 1;
    let blanks = held[rest..].iter().position(|byte| !byte.is_ascii_whitespace());
    match blanks.map(|blanks| (rest + blanks, held[rest + blanks])) {
        Some((start, b'{')) => object(held, start, is_ended),
        Some((start, _)) => Step::Wrong(start, "an object after the comma"),
        None if is_ended => Step::Wrong(held.len(), "an object after the comma"),
        None => Step::Incomplete,
    }
}

/// The object that begins here, if its end is held.
fn object(held: &[u8], start: usize, is_ended: bool) -> Step {
    let (mut depth, mut is_text, mut is_escaped) = (0_u32, false, false);
    for (at, byte) in held.iter().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Step::Object(start, at + 1);
                }
            }
            _ => {}
        }
    }
    if is_ended { Step::Wrong(held.len(), "the rest of the object") } else { Step::Incomplete }
}

/// Where the bytes end that begin at `place`.
fn after(mut place: Place, bytes: &[u8]) -> Result<Place, FormatError> {
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        check_utf8(&rest[..end], place)?;
        place = Place { line: place.line + 1, column: 1 };
        rest = &rest[end + 1..];
    }
    check_utf8(rest, place)?;
    Ok(Place { line: place.line, column: place.column + characters(rest) })
}

fn check_utf8(bytes: &[u8], place: Place) -> Result<(), FormatError> {
    std::str::from_utf8(bytes).map(|_| ()).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let place = Place { line: place.line, column: place.column + characters(good) };
        FormatError::NotUtf8 { place, byte: bad.first().copied().unwrap_or_default() }
    })
}

fn wrong(held: &[u8], at: usize, place: Place, expected: &'static str) -> FormatError {
    match after(place, &held[..at]) {
        Err(error) => error,
        Ok(place) if at == held.len() => FormatError::Unexpected { place, found: Found::EndOfFile, expected },
        Ok(place) => {
            let line = held[at..].split(|byte| *byte == b'\n').next().unwrap_or_default();
            let found = Found::text(&String::from_utf8_lossy(&line[..line.len().min(SHOWN_BYTES)]));
            FormatError::Unexpected { place, found, expected }
        }
    }
}
