//! One map of a history: who, what, how it ended.

use super::Edn;
use super::fields::{Field, Given, PROCESS};
use crate::format::{FormatError, Found, NemesisEvent, Place};
use crate::history::ClientId;

/// An element of a history.
#[derive(Debug)]
pub(in crate::format) enum Item {
    Event(Box<Event>),
    /// Its position is not known yet.
    Nemesis(NemesisEvent),
}

/// What a map says, and where.
#[derive(Debug)]
pub(in crate::format) struct Event {
    /// Where the map begins.
    pub(in crate::format) place: Place,
    /// None if the map has none.
    pub(in crate::format) process: Option<u64>,
    /// Where the process stands.
    pub(in crate::format) process_place: Place,
    pub(in crate::format) kind: Kind,
    /// What `:f` says.
    pub(in crate::format) word: Word,
    pub(super) word_value: Edn,
    /// Where that stands.
    pub(in crate::format) word_place: Place,
    /// The name of the object, if there is one.
    pub(in crate::format) key: Option<String>,
    pub(in crate::format) value: Edn,
    /// Where the value stands; if there is none, where the map does.
    pub(in crate::format) value_place: Place,
    /// In ns.
    pub(in crate::format) time: Option<u64>,
    pub(in crate::format) index: Option<u64>,
    /// Whether it says why it ended so.
    pub(in crate::format) has_error: bool,
    pub(super) extras: Vec<(Extra, Edn)>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::format) enum Word {
    Read,
    Get,
    Write,
    Put,
    Cas,
    Append,
    ReadAt,
    Increment,
    Decrement,
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

impl Event {
    /// Moves the values that are kept as they are.
    pub(super) fn with(mut self, fields: Vec<Given>) -> Self {
        for Given { field, value, .. } in fields {
            match field {
                Field::Value => self.value = value,
                Field::Word => self.word_value = value,
                Field::Extra(extra) => self.extras.push((extra, value)),
                Field::Process | Field::Kind | Field::Key | Field::Time | Field::Index | Field::Error => {}
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

    /// The process, which an operation must have.
    pub(in crate::format) fn client(&self) -> Result<ClientId, FormatError> {
        self.process.map(ClientId).ok_or_else(|| FormatError::Unexpected {
            place: self.place,
            found: Found::text("a map without :process"),
            expected: PROCESS,
        })
    }

    /// What `:f` says, as a name.
    pub(in crate::format) fn word_name(&self) -> Option<&str> {
        self.word_value.word()
    }

    /// The error that the value is not what it should be.
    pub(in crate::format) fn unexpected_value(&self, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.value_place, found: self.value.found(), expected }
    }

    /// What `:f` says, as it is written.
    pub(in crate::format) fn word_text(&self) -> &str {
        self.word_value.word().unwrap_or_default()
    }

    /// The error that `:f` is not what it should be.
    pub(in crate::format) fn unexpected_word(&self, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.word_place, found: self.word_value.found(), expected }
    }
}

impl Kind {
    pub(super) fn of(value: &Edn) -> Option<Self> {
        value.word().and_then(Self::named)
    }

    /// The kind of this name, without its colon.
    pub(in crate::format) fn named(name: &str) -> Option<Self> {
        match name {
            "invoke" => Some(Self::Invoke),
            "ok" => Some(Self::Ok),
            "fail" => Some(Self::Fail),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

impl Word {
    pub(super) fn of(value: &Edn) -> Self {
        match value.word().unwrap_or_default() {
            "read" | "r" => Self::Read,
            "get" => Self::Get,
            "write" | "w" => Self::Write,
            "put" => Self::Put,
            "cas" | "compare-and-set" => Self::Cas,
            "append" => Self::Append,
            "read-at" => Self::ReadAt,
            "inc" | "increment" => Self::Increment,
            "dec" | "decrement" => Self::Decrement,
            "add" => Self::Add,
            "reserve" => Self::Reserve,
            "release" | "unlock" => Self::Release,
            "acquire" | "lock" => Self::Acquire,
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
