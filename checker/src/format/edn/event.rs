//! One map of a history: who, what, how it ended.

use std::borrow::Cow;

use super::scanner::{Scanner, Stop, Token};
use super::value::shortened;
use super::{Edn, Item, after};
use crate::format::{FormatError, NemesisEvent, Place};

/// What a map says, and where.
#[derive(Debug)]
pub(in crate::format) struct Event {
    /// Where the map begins.
    pub(in crate::format) place: Place,
    pub(in crate::format) process: u64,
    /// Where the process stands.
    pub(in crate::format) process_place: Place,
    pub(in crate::format) kind: Kind,
    /// What `:f` says.
    pub(in crate::format) word: Word,
    word_value: Edn,
    /// Where that stands.
    pub(in crate::format) word_place: Place,
    /// The name of the object, if there is one.
    pub(in crate::format) key: Option<String>,
    pub(in crate::format) value: Edn,
    /// Where the value stands; if there is none, where the map does.
    pub(in crate::format) value_place: Place,
    /// In ns; 0 where there is none.
    pub(in crate::format) time: u64,
    /// What `:index` says.
    pub(in crate::format) index: Option<u64>,
    extras: Vec<(Extra, Edn)>,
}

/// The `:type` of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

/// The `:f` of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Word {
    Read,
    Get,
    Write,
    Put,
    Cas,
    Append,
    ReadAt,
    Increment,
    Add,
    Reserve,
    Release,
    Acquire,
    Txn,
    Unknown,
}

/// A key that only our own files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Extra {
    Offset,
    Order,
    Limit,
    Version,
    Refused,
    Absent,
}

/// The keys that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Process,
    Kind,
    Word,
    Key,
    Value,
    Time,
    Index,
    Extra(Extra),
}

/// A value and where it stands.
struct At {
    field: Field,
    value: Edn,
    from: usize,
    to: usize,
}

impl Event {
    /// Reads the map whose bracket stands at `from`; the bytes begin at `start`.
    pub(super) fn read(scanner: &mut Scanner<'_>, from: usize, start: Place) -> Result<Item, Stop> {
        let fields = fields(scanner)?;
        let find = |wanted: Field| fields.iter().find(|at| at.field == wanted);
        let wrong = |at: Option<&At>, expected| match at {
            Some(at) => at.problem(expected),
            None => scanner.problem(from, expected),
        };
        let process = find(Field::Process);
        if process.is_some_and(|at| at.value == Edn::Keyword(Cow::Borrowed("nemesis"))) {
            let place = after(start, scanner.between(0, from));
            let written = |field| find(field).map_or("", |at| scanner.text_between(at.from, at.to));
            return Ok(Item::Nemesis(NemesisEvent {
                at_ns: find(Field::Time).and_then(|at| at.value.count()),
                position: 0,
                line: place.line,
                word: written(Field::Word).trim_start_matches(':').to_owned(),
                value: shortened(written(Field::Value)),
            }));
        }
        let number = process.and_then(|at| at.value.count());
        let number = number.ok_or_else(|| wrong(process, ":process with a number or :nemesis"))?;
        let kind = find(Field::Kind);
        let parsed = kind.and_then(|at| Kind::of(&at.value));
        let parsed = parsed.ok_or_else(|| wrong(kind, ":type with :invoke, :ok, :fail or :info"))?;
        let word = find(Field::Word).ok_or_else(|| wrong(None, "an operation, which has :f"))?;
        let key = find(Field::Key);
        let name = key.map(|at| at.value.name().ok_or_else(|| at.problem("a string, keyword or number")));
        let place = after(start, scanner.between(0, from));
        let place_of = |at: Option<&At>| at.map_or(place, |at| after(place, scanner.between(from, at.from)));
        let value_place = place_of(find(Field::Value));
        Ok(Item::Event(Box::new(
            Self {
                place,
                process: number,
                process_place: place_of(process),
                kind: parsed,
                word: Word::of(&word.value),
                word_value: Edn::Nil,
                word_place: place_of(Some(word)),
                key: name.transpose()?,
                time: find(Field::Time).and_then(|at| at.value.count()).unwrap_or(0),
                index: find(Field::Index).and_then(|at| at.value.count()),
                value_place,
                value: Edn::Nil,
                extras: Vec::new(),
            }
            .with(fields),
        )))
    }

    /// Moves the values that are kept as they are.
    fn with(mut self, fields: Vec<At>) -> Self {
        for At { field, value, .. } in fields {
            match field {
                Field::Value => self.value = value,
                Field::Word => self.word_value = value,
                Field::Extra(extra) => self.extras.push((extra, value)),
                Field::Process | Field::Kind | Field::Key | Field::Time | Field::Index => {}
            }
        }
        self
    }

    /// What a key of our own says.
    pub(in crate::format) fn extra(&self, wanted: Extra) -> Option<&Edn> {
        self.extras.iter().find(|(extra, _)| *extra == wanted).map(|(_, value)| value)
    }

    /// A key of our own that holds a count.
    pub(in crate::format) fn count(&self, wanted: Extra) -> Option<u64> {
        self.extra(wanted).and_then(Edn::count)
    }

    /// The error that the value is not what it should be.
    pub(in crate::format) fn unexpected_value(&self, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.value_place, found: self.value.found(), expected }
    }

    /// The error that `:f` is not what it should be.
    pub(in crate::format) fn unexpected_word(&self, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.word_place, found: self.word_value.found(), expected }
    }
}

/// The fields of a map, up to its end. Of keys that mean nothing here only the values are passed over.
fn fields(scanner: &mut Scanner<'_>) -> Result<Vec<At>, Stop> {
    let mut fields: Vec<At> = Vec::with_capacity(6);
    loop {
        let (token, key) = scanner.token()?;
        let field = match token {
            Token::Close(b'}') => return Ok(fields),
            Token::Close(_) | Token::End => return Err(scanner.problem(key, "}")),
            Token::Discard => {
                Edn::read(scanner)?;
                continue;
            }
            Token::Tag => continue,
            Token::Atom => Field::of(scanner.since(key)),
            Token::Open(_) | Token::Text => {
                scanner.back_to(key);
                Edn::read(scanner)?;
                None
            }
        };
        if let Some(field) = field
            && fields.iter().any(|at| at.field == field)
        {
            return Err(scanner.problem(key, "each key once"));
        }
        let (value, from, to) = value(scanner)?;
        fields.extend(field.map(|field| At { field, value, from, to }));
    }
}

/// The value of a key, with where it begins and ends.
fn value(scanner: &mut Scanner<'_>) -> Result<(Edn, usize, usize), Stop> {
    let (token, from) = scanner.token()?;
    if let Token::Close(_) | Token::End = token {
        return Err(scanner.problem(from, "a value for the key before it"));
    }
    scanner.back_to(from);
    let value = Edn::read(scanner)?;
    Ok((value, from, scanner.at()))
}

impl At {
    fn problem(&self, expected: &'static str) -> Stop {
        let (from, to) = (self.from, self.to);
        Stop::Problem(super::Problem { from, to, expected: Some(expected) })
    }
}

impl Field {
    fn of(key: &[u8]) -> Option<Self> {
        Some(match key {
            b":process" => Self::Process,
            b":type" => Self::Kind,
            b":f" => Self::Word,
            b":key" => Self::Key,
            b":value" => Self::Value,
            b":time" => Self::Time,
            b":index" => Self::Index,
            b":offset" => Self::Extra(Extra::Offset),
            b":order" => Self::Extra(Extra::Order),
            b":limit" => Self::Extra(Extra::Limit),
            b":version" => Self::Extra(Extra::Version),
            b":refused" => Self::Extra(Extra::Refused),
            b":absent" => Self::Extra(Extra::Absent),
            _ => return None,
        })
    }
}

impl Kind {
    fn of(value: &Edn) -> Option<Self> {
        let Edn::Keyword(name) = value else { return None };
        match name.as_ref() {
            "invoke" => Some(Self::Invoke),
            "ok" => Some(Self::Ok),
            "fail" => Some(Self::Fail),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

impl Word {
    fn of(value: &Edn) -> Self {
        let name = match value {
            Edn::Keyword(name) => name.as_ref(),
            Edn::Text(name) => name,
            Edn::Nil | Edn::Truth(_) | Edn::Integer(_) | Edn::List(_) | Edn::Other(_) => {
                return Self::Unknown;
            }
        };
        match name {
            "read" => Self::Read,
            "get" => Self::Get,
            "write" => Self::Write,
            "put" => Self::Put,
            "cas" => Self::Cas,
            "append" => Self::Append,
            "read-at" => Self::ReadAt,
            "inc" | "increment" => Self::Increment,
            "add" => Self::Add,
            "reserve" => Self::Reserve,
            "release" => Self::Release,
            "acquire" => Self::Acquire,
            "txn" => Self::Txn,
            _ => Self::Unknown,
        }
    }

    /// The same for words that mean the same.
    pub(in crate::format) fn plain(self) -> Self {
        match self {
            Self::Get => Self::Read,
            Self::Put => Self::Write,
            other => other,
        }
    }
}
