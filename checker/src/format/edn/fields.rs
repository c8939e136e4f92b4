//! The keys of a map that mean something, with their values and places; an event is made of them.

use super::event::{Event, Extra, Item, Kind, Word};
use super::scanner::{Scanner, Stop, Token};
use super::{Edn, after, shortened};
use crate::format::micro::is_micro_operations;
use crate::format::{FormatError, Found, NemesisEvent, Place};

pub(super) const PROCESS: &str = ":process with a number or :nemesis";

/// What a map says.
#[derive(Debug)]
pub(in crate::format) struct Fields {
    /// Where the map begins.
    pub(in crate::format) place: Place,
    pub(in crate::format) given: Vec<Given>,
}

/// A value and where it stands.
#[derive(Debug)]
pub(in crate::format) struct Given {
    pub(in crate::format) field: Field,
    pub(in crate::format) value: Edn,
    pub(in crate::format) place: Place,
}

/// The keys that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Field {
    Process,
    Kind,
    Word,
    Key,
    Value,
    Time,
    Index,
    Error,
    Extra(Extra),
}

/// Reads the map of EDN whose bracket stands at `from`; the bytes begin at `start`. Of keys that mean nothing
/// here only the values are passed over.
pub(super) fn read(scanner: &mut Scanner<'_>, from: usize, start: Place) -> Result<Fields, Stop> {
    let place = after(start, scanner.between(0, from));
    let mut fields = Fields { place, given: Vec::with_capacity(6) };
    let mut last = (from, place);
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
            Token::Atom => scanner.since(key).strip_prefix(b":").and_then(Field::named),
            Token::Open(_) | Token::Text | Token::Opaque => {
                scanner.back_to(key);
                Edn::read(scanner)?;
                None
            }
        };
        if let Some(field) = field
            && fields.find(field).is_some()
        {
            return Err(scanner.problem(key, "each key once"));
        }
        let (value, from) = value(scanner)?;
        if let Some(field) = field {
            last = (from, after(last.1, scanner.between(last.0, from)));
            fields.given.push(Given { field, value, place: last.1 });
        }
    }
}

/// The value of a key, with where it begins.
fn value(scanner: &mut Scanner<'_>) -> Result<(Edn, usize), Stop> {
    let (token, from) = scanner.token()?;
    if let Token::Close(_) | Token::End = token {
        return Err(scanner.problem(from, "a value for the key before it"));
    }
    scanner.back_to(from);
    Ok((Edn::read(scanner)?, from))
}

impl Field {
    /// The field of a key, without its colon.
    pub(in crate::format) fn named(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"process" => Self::Process,
            b"type" => Self::Kind,
            b"f" => Self::Word,
            b"key" => Self::Key,
            b"value" => Self::Value,
            b"time" => Self::Time,
            b"index" => Self::Index,
            b"error" => Self::Error,
            b"offset" => Self::Extra(Extra::Offset),
            b"order" => Self::Extra(Extra::Order),
            b"limit" => Self::Extra(Extra::Limit),
            b"version" => Self::Extra(Extra::Version),
            b"refused" => Self::Extra(Extra::Refused),
            b"absent" => Self::Extra(Extra::Absent),
            _ => return None,
        })
    }
}

impl Fields {
    /// What a field says.
    pub(in crate::format) fn find(&self, wanted: Field) -> Option<&Given> {
        self.given.iter().find(|given| given.field == wanted)
    }

    /// The error that a field is missing or says something else.
    fn wrong(&self, given: Option<&Given>, missing: &str, expected: &'static str) -> FormatError {
        match given {
            Some(given) => {
                FormatError::Unexpected { place: given.place, found: given.value.found(), expected }
            }
            None => FormatError::Unexpected { place: self.place, found: Found::text(missing), expected },
        }
    }

    /// The event that the map is.
    ///
    /// # Errors
    /// If it says too little, or what no event can be.
    pub(in crate::format) fn item(self) -> Result<Item, FormatError> {
        let process = self.find(Field::Process);
        if process.is_some_and(|given| given.value.word() == Some("nemesis")) {
            return Ok(Item::Nemesis(self.nemesis()));
        }
        let number =
            process.map(|given| given.value.process().ok_or_else(|| self.wrong(process, "", PROCESS)));
        let kind = self.find(Field::Kind);
        let parsed = kind.and_then(|given| Kind::of(&given.value));
        let parsed = parsed.ok_or_else(|| {
            self.wrong(kind, "a map without :type", ":type with :invoke, :ok, :fail or :info")
        })?;
        let value = self.find(Field::Value);
        let is_micro = value.is_some_and(|given| is_micro_operations(&given.value));
        let word = self.find(Field::Word);
        let told = match word {
            _ if is_micro => Word::Txn,
            Some(given) => Word::of(&given.value),
            None => return Err(self.wrong(None, "a map without :f", "an operation, which has :f")),
        };
        let key = self.find(Field::Key);
        let name = key.map(|given| {
            given.value.name().ok_or_else(|| self.wrong(key, "", "a string, keyword or number"))
        });
        let place_of = |given: Option<&Given>| given.map_or(self.place, |given| given.place);
        let event = Event {
            place: self.place,
            process: number.transpose()?,
            process_place: place_of(process),
            kind: parsed,
            word: told,
            word_value: Edn::Nil,
            word_place: place_of(word),
            key: name.transpose()?,
            value: Edn::Nil,
            value_place: place_of(value),
            time: self.find(Field::Time).and_then(|given| given.value.count()),
            index: self.find(Field::Index).and_then(|given| given.value.count()),
            has_error: self.find(Field::Error).is_some_and(|given| given.value != Edn::Nil),
            extras: Vec::new(),
        };
        Ok(Item::Event(Box::new(event.with(self.given))))
    }

    fn nemesis(&self) -> NemesisEvent {
        let value = self.find(Field::Value).map_or_else(String::new, |given| given.value.in_full());
        NemesisEvent {
            at_ns: self.find(Field::Time).and_then(|given| given.value.count()),
            position: 0,
            line: self.place.line,
            word: self.find(Field::Word).and_then(|given| given.value.word()).unwrap_or_default().to_owned(),
            value: shortened(&value),
        }
    }
}
