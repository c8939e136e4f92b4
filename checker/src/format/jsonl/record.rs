//! The lines after the header, one type each.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::scalar;
use crate::session::Access;
use crate::spec::register::symbol;
use crate::spec::revisions::{StoreAnswer, StoreCall};

/// What every line begins with.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow)]
    pub(super) family: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
}

/// The type of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Invoke,
    Ok,
    Refused,
    Fail,
    Info,
    Order,
    Publication,
    Task,
    Adoption,
    StoreRead,
    Append,
    Reader,
    Delivery,
    Read,
    Section,
    Grant,
    Access,
    Begun,
    Vote,
    Decision,
    Told,
    Opened,
    Workflow,
    Effect,
    Status,
    Balances,
    Block,
    Head,
    Erasure,
    Snapshot,
}

/// An event of an operation.
#[derive(Serialize, Deserialize)]
pub(super) struct Event<'a> {
    pub(super) at: u64,
    pub(super) process: u64,
    /// What is asked; an end need not repeat it.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) f: Cow<'a, str>,
    /// Of which object; an end need not repeat it.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) key: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Value::is_absent")]
    pub(super) value: Value,
}

/// What is asked or answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a value is null, a number, a string, an object of numbers or a list of those")]
pub(super) enum Value {
    #[serde(skip)]
    #[default]
    Absent,
    Nil,
    Signed(i64),
    Unsigned(u64),
    Text(String),
    Pair(#[serde(with = "scalar")] Option<i64>, #[serde(with = "scalar")] Option<i64>),
    Numbers(Vec<i64>),
    Found(Vec<Found>),
    Parts(Vec<Part>),
    Fields(Fields),
    Kinds(KindFields),
    Store(Box<Store>),
}

/// A request to a store with revisions, or its response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Store {
    Asked(StoreCall),
    Told(StoreAnswer),
}

/// What a read of a transaction found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Found {
    Value(#[serde(with = "scalar")] Option<i64>),
    /// `"?"`: it is not told.
    Unknown(Unknown),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unknown {
    #[serde(rename = "?")]
    Unknown,
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Part {
    Write(Write, String, #[serde(with = "scalar")] Option<i64>),
    Read(Read, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Write {
    #[serde(rename = "w")]
    Write,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Read {
    #[serde(rename = "r")]
    Read,
}

/// A value with names in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) units: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
}

/// The same with units of several kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order: Option<u64>,
    /// The units of each kind; those of the last ones may be left out where they are 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) units: Vec<u64>,
    /// Whether the zone is served; left out where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) served: Option<bool>,
}

/// A claimed order of operations on one object, by number; several lines follow one another.
#[derive(Serialize, Deserialize)]
pub(super) struct Order<'a> {
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub(super) key: Cow<'a, str>,
    pub(super) value: Cow<'a, [u32]>,
}

/// A reader of a log, before its deliveries.
#[derive(Serialize, Deserialize)]
pub(super) struct ReaderLine<'a> {
    /// Its index among the readers.
    pub(super) reader: usize,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
    pub(super) node: u32,
    pub(super) is_complete: bool,
}

/// Entries delivered together, at `offset` and the offsets after it.
#[derive(Serialize, Deserialize)]
pub(super) struct DeliveryLine {
    pub(super) reader: usize,
    pub(super) offset: u64,
    pub(super) at: u64,
    pub(super) entries: Vec<u64>,
}

/// A read of something that only advances, or a write to it.
#[derive(Serialize, Deserialize)]
pub(super) struct ReadLine {
    pub(super) client: u64,
    pub(super) server: u32,
    pub(super) at: u64,
    pub(super) position: u64,
    #[serde(default, skip_serializing_if = "Access::is_read")]
    pub(super) access: Access,
}

impl Value {
    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// As the value of a register.
    pub(super) fn register(self) -> Option<Option<i64>> {
        match self {
            Self::Nil => Some(None),
            Self::Signed(value) => Some(Some(value)),
            Self::Text(written) => scalar::of_text(&written).map(Some),
            _ => None,
        }
    }

    /// As a number.
    pub(super) fn number(self) -> Option<i64> {
        if let Self::Signed(value) = self { Some(value) } else { None }
    }

    /// As a count.
    pub(super) fn count(self) -> Option<u64> {
        match self {
            Self::Signed(value) => u64::try_from(value).ok(),
            Self::Unsigned(value) => Some(value),
            _ => None,
        }
    }

    /// As an object; absent is an empty one.
    pub(super) fn fields(self) -> Option<Fields> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Absent => Some(Fields::default()),
            _ => None,
        }
    }

    /// As a string.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As numbers.
    pub(super) fn numbers(self) -> Option<Vec<i64>> {
        match self {
            Self::Numbers(numbers) => Some(numbers),
            Self::Pair(first, second) => Some(vec![first?, second?]),
            _ => None,
        }
    }

    /// As what the reads of a transaction found.
    pub(super) fn found(self) -> Option<Vec<Option<Option<i64>>>> {
        match self {
            Self::Numbers(numbers) => Some(numbers.into_iter().map(|number| Some(Some(number))).collect()),
            Self::Pair(first, second) => Some(vec![Some(first), Some(second)]),
            Self::Found(found) => Some(found.into_iter().map(Found::told).collect()),
            _ => None,
        }
    }

    /// As the parts of a transaction.
    pub(super) fn parts(self) -> Option<Vec<Part>> {
        match self {
            Self::Parts(parts) => Some(parts),
            Self::Numbers(numbers) if numbers.is_empty() => Some(Vec::new()),
            _ => None,
        }
    }
}

impl Found {
    fn told(self) -> Option<Option<i64>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Unknown(Unknown::Unknown) => None,
        }
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        match value {
            Some(value) => symbol::text(value)
                .map_or(Self::Signed(value), |written| Self::Text(written.as_ref().to_owned())),
            None => Self::Nil,
        }
    }
}
