//! The lines after the header, one type each.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a value is null, a number, a pair of those or an object of numbers")]
pub(super) enum Value {
    #[serde(skip)]
    #[default]
    Absent,
    Nil,
    Signed(i64),
    Unsigned(u64),
    Pair(Option<i64>, Option<i64>),
    Fields(Fields),
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

/// A read of something that only advances.
#[derive(Serialize, Deserialize)]
pub(super) struct ReadLine {
    pub(super) client: u64,
    pub(super) server: u32,
    pub(super) at: u64,
    pub(super) position: u64,
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
            Self::Absent | Self::Unsigned(_) | Self::Pair(..) | Self::Fields(_) => None,
        }
    }

    /// As a count.
    pub(super) fn count(self) -> Option<u64> {
        match self {
            Self::Signed(value) => u64::try_from(value).ok(),
            Self::Unsigned(value) => Some(value),
            Self::Absent | Self::Nil | Self::Pair(..) | Self::Fields(_) => None,
        }
    }

    /// As an object; absent is an empty one.
    pub(super) fn fields(self) -> Option<Fields> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Absent => Some(Fields::default()),
            Self::Nil | Self::Signed(_) | Self::Unsigned(_) | Self::Pair(..) => None,
        }
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Nil, Self::Signed)
    }
}
