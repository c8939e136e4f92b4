//! EDN as it comes: the elements of one vector or list, or one after another, each a map.
//!
//! ```text
//!   Source ──► Elements ──► Event (one map)
//!                 │  ├ Scanner: brackets, atoms, strings; Edn: a value, of bounded depth
//!                 │  └ or the same in JSON
//!                 └ a map that is not all there yet is read again when there is more of it
//! ```
//!
//! Read are `;` comments, `#_` discards, tags (passed over, `#knossos.op.Op{…}` too), commas as blanks,
//! sets, characters numbers of all kinds, metadata, regular expressions,
//! vars and objects that Clojure itself cannot read again; what no operation can hold is passed over where it
//! does not matter. A map and all that stands before it has at most
//! [`LINE_BYTES_MAX`](super::LINE_BYTES_MAX) bytes; line ends mean nothing.
//!
//! Source: R. Hickey et al., "edn: extensible data notation", the format's specification.

mod event;
mod fields;
mod number;
mod scanner;
mod string;
mod value;

pub(super) use event::{Event, Extra, Item, Kind, Word};
pub(super) use fields::{Field, Fields, Given};
pub(super) use scanner::{Problem, Scanner, Stop};
pub(super) use string::quoted;
pub(super) use value::{Edn, shortened};

use super::source::Source;
use super::text::characters;
use super::{FormatError, Found, LINE_BYTES_MAX, Place, json};
use scanner::{Bracket, Token};

/// How deep values may be nested.
pub(super) const DEPTH_MAX: usize = 64;

/// The events of a file, one after another.
pub(super) struct Elements<'s, 'a> {
    source: &'s mut Source<'a>,
    dialect: Dialect,
    within: Within,
    /// Where the part begins that is not used yet.
    place: Place,
    header: Header,
}

/// How maps are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Edn,
    Json,
}

/// What the element that comes next stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// Nothing has come yet.
    Start,
    /// No bracket: elements to the end of the file.
    File,
    /// This bracket, which must be closed.
    Bracket(Bracket),
    /// An array of JSON, after its bracket.
    ArrayStart,
    /// An array of JSON, after an element.
    ArrayRest,
    /// An array of JSON, after a comma.
    ArrayComma,
    /// Nothing: the bracket was closed.
    End,
}

/// The words of the comments before the first element: fields that our own files have.
pub(super) type Header = Vec<String>;

/// What was found at the head of what is held.
pub(super) enum Step {
    /// A bracket, the end of one, a comma, or something discarded.
    Moved,
    Map(Fields),
    End,
}

impl<'s, 'a> Elements<'s, 'a> {
    pub(super) fn new(source: &'s mut Source<'a>, dialect: Dialect) -> Self {
        Self { source, dialect, within: Within::Start, place: Place::START, header: Header::new() }
    }

    /// What the comments before the first element say, once an event was read.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next element, if there is one.
    ///
    /// # Errors
    /// If it is no map, not closed, too long or too deep; if something stands behind the last one.
    pub(super) fn item(&mut self) -> Result<Option<Item>, FormatError> {
        loop {
            match self.step()? {
                Step::Moved => {}
                Step::Map(fields) => return fields.item().map(Some),
                Step::End => return Ok(None),
            }
        }
    }

    /// Reads one step, of as much of the file as it takes.
    fn step(&mut self) -> Result<Step, FormatError> {
        loop {
            let held = self.source.held();
            let (is_ended, within, place) = (self.source.is_ended(), self.within, self.place);
            let (found, used) = match self.dialect {
                Dialect::Edn => {
                    let mut scanner = Scanner::new(held, is_ended);
                    (step(&mut scanner, within, place), scanner.at())
                }
                Dialect::Json => json::step(held, is_ended, within, place),
            };
            match found {
                Ok((step, next)) => {
                    check_utf8(&held[..used], place)?;
                    if within == Within::Start && self.dialect == Dialect::Edn {
                        self.header.extend(comments(&held[..used]));
                    }
                    self.within = next;
                    self.place = after(place, &held[..used]);
                    self.source.advance(used, self.place);
                    return Ok(step);
                }
                Err(Stop::Problem(problem)) => return Err(error(&problem, held, place)),
                Err(Stop::Incomplete) => self.more()?,
            }
        }
    }

    /// Reads at least as much again as is held: what is read again grows no faster than the file.
    fn more(&mut self) -> Result<(), FormatError> {
        let held_count = self.source.held().len();
        if held_count >= LINE_BYTES_MAX {
            return Err(FormatError::LongElement { place: self.place });
        }
        self.source.hold((2 * held_count).clamp(1, LINE_BYTES_MAX))
    }
}

/// What comes next, and what the element after it stands in.
fn step(scanner: &mut Scanner<'_>, within: Within, start: Place) -> Result<(Step, Within), Stop> {
    let (token, at) = scanner.token()?;
    match (token, within) {
        (Token::End, Within::Bracket(bracket)) => Err(scanner.problem(at, bracket.missing())),
        (Token::End, _) => Ok((Step::End, within)),
        (_, Within::End) => Err(scanner.problem(at, "the end of the file, for the history has ended")),
        (Token::Tag, _) => Ok((Step::Moved, within)),
        (Token::Discard, _) => Edn::read(scanner).map(|_| (Step::Moved, within)),
        (Token::Open(bracket @ (Bracket::Vector | Bracket::List)), Within::Start) => {
            Ok((Step::Moved, Within::Bracket(bracket)))
        }
        (Token::Open(Bracket::Map), within) => {
            let next = if within == Within::Start { Within::File } else { within };
            Ok((Step::Map(fields::read(scanner, at, start)?), next))
        }
        (Token::Close(mark), Within::Bracket(open)) if mark == open.end() => Ok((Step::Moved, Within::End)),
        (Token::Close(_), Within::Bracket(open)) => Err(scanner.problem(at, open.missing())),
        (Token::Open(_) | Token::Close(_) | Token::Text | Token::Atom | Token::Opaque, _) => {
            Err(scanner.problem(at, "a map, or a vector or list of maps"))
        }
    }
}

/// Where the bytes end that begin at `place`.
pub(super) fn after(mut place: Place, bytes: &[u8]) -> Place {
    let mut last_line = bytes;
    while let Some(end) = last_line.iter().position(|byte| *byte == b'\n') {
        place = Place { line: place.line + 1, column: 1 };
        last_line = &last_line[end + 1..];
    }
    Place { line: place.line, column: place.column + characters(last_line) }
}

fn error(problem: &Problem, held: &[u8], place: Place) -> FormatError {
    let (from, to) = (problem.from, problem.to);
    if let Err(not_text) = check_utf8(&held[..to], place) {
        return not_text;
    }
    let place = after(place, &held[..from]);
    match problem.expected {
        None => FormatError::Deep { place, depth_max: DEPTH_MAX },
        Some(expected) => {
            let shown = String::from_utf8_lossy(&held[from..to]);
            let found = if from == to { Found::EndOfFile } else { Found::text(&shown) };
            FormatError::Unexpected { place, found, expected }
        }
    }
}

/// Whether the bytes are text.
fn check_utf8(bytes: &[u8], place: Place) -> Result<(), FormatError> {
    std::str::from_utf8(bytes).map(|_| ()).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let byte = bad.first().copied().unwrap_or_default();
        FormatError::NotUtf8 { place: after(place, good), byte }
    })
}

/// The words of the comments in `bytes`, which hold nothing else but at most a bracket.
fn comments(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let comments = text.lines().filter_map(|line| line.trim_start().strip_prefix(';'));
    comments.flat_map(|comment| comment.split_ascii_whitespace().map(str::to_owned)).collect()
}
