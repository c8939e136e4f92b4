//! EDN as it comes: the elements of one vector or list, or one after another, each a map.
//!
//! ```text
//!   Source ──► Elements ──► Event (one map)
//!                 │  └ Scanner: brackets, atoms, strings; Edn: a value, of bounded depth
//!                 └ a map that is not all there yet is read again when there is more of it
//! ```
//!
//! Read are `;` comments, `#_` discards, tags (passed over, `#knossos.op.Op{…}` too), commas as blanks,
//! sets, characters and numbers of all kinds; what no operation can hold is passed over where it
//! does not matter. A map and all that stands before it has at most
//! [`LINE_BYTES_MAX`](super::LINE_BYTES_MAX) bytes; line ends mean nothing.
//!
//! Source: R. Hickey et al., "edn: extensible data notation", the format's specification.

mod event;
mod scanner;
mod value;

pub(super) use event::{Event, Extra, Kind, Word};
pub(super) use value::Edn;

use super::source::Source;
use super::text::characters;
use super::{FormatError, Found, LINE_BYTES_MAX, NemesisEvent, Place};
use scanner::{Bracket, Problem, Scanner, Stop, Token};

/// How deep values may be nested.
pub(super) const DEPTH_MAX: usize = 64;

/// The events of a file, one after another.
pub(super) struct Elements<'s, 'a> {
    source: &'s mut Source<'a>,
    within: Within,
    /// Where the part begins that is not used yet.
    place: Place,
    header: Header,
}

/// What the element that comes next stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Nothing has come yet.
    Start,
    /// No bracket: elements to the end of the file.
    File,
    /// This bracket, which must be closed.
    Bracket(Bracket),
    /// Nothing: the bracket was closed.
    End,
}

/// The words of the comments before the first element: fields that our own files have.
pub(super) type Header = Vec<String>;

/// An element of a history.
#[derive(Debug)]
pub(super) enum Item {
    Event(Box<Event>),
    /// Its position is not known yet.
    Nemesis(NemesisEvent),
}

/// What was found at the head of what is held.
enum Step {
    /// A bracket or the end of one.
    Moved(Within),
    Item(Item),
    /// Something discarded.
    Nothing,
    End,
}

impl<'s, 'a> Elements<'s, 'a> {
    pub(super) fn new(source: &'s mut Source<'a>) -> Self {
        Self { source, within: Within::Start, place: Place::START, header: Header::new() }
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
                Step::Moved(within) => self.within = within,
                Step::Item(item) => return Ok(Some(item)),
                Step::Nothing => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// Reads one step, of as much of the file as it takes.
    fn step(&mut self) -> Result<Step, FormatError> {
        loop {
            let held = self.source.held();
            let mut scanner = Scanner::new(held, self.source.is_ended());
            let found = step(&mut scanner, self.within, self.place);
            let used = scanner.at();
            match found {
                Ok(step) => {
                    check_utf8(&held[..used], self.place)?;
                    if self.within == Within::Start {
                        self.header.extend(comments(&held[..used]));
                    }
                    self.place = after(self.place, &held[..used]);
                    self.source.advance(used, self.place);
                    return Ok(step);
                }
                Err(Stop::Problem(problem)) => return Err(error(&problem, held, self.place)),
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

fn step(scanner: &mut Scanner<'_>, within: Within, start: Place) -> Result<Step, Stop> {
    let (token, at) = scanner.token()?;
    match (token, within) {
        (Token::End, Within::File | Within::End | Within::Start) => Ok(Step::End),
        (Token::End, Within::Bracket(bracket)) => Err(scanner.problem(at, bracket.missing())),
        (_, Within::End) => Err(scanner.problem(at, "the end of the file, for the history has ended")),
        (Token::Tag, _) => Ok(Step::Nothing),
        (Token::Discard, _) => Edn::read(scanner).map(|_| Step::Nothing),
        (Token::Open(bracket @ (Bracket::Vector | Bracket::List)), Within::Start) => {
            Ok(Step::Moved(Within::Bracket(bracket)))
        }
        (Token::Open(Bracket::Map), Within::Start) => {
            scanner.back_to(at);
            Ok(Step::Moved(Within::File))
        }
        (Token::Open(Bracket::Map), _) => Event::read(scanner, at, start).map(Step::Item),
        (Token::Close(mark), Within::Bracket(open)) if mark == open.end() => Ok(Step::Moved(Within::End)),
        (Token::Close(_), Within::Bracket(open)) => Err(scanner.problem(at, open.missing())),
        (Token::Open(_) | Token::Close(_) | Token::Text | Token::Atom, _) => {
            Err(scanner.problem(at, "a map, or a vector or list of maps"))
        }
    }
}

/// Where the bytes end that begin at `place`.
fn after(mut place: Place, bytes: &[u8]) -> Place {
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
