//! What a file holds: its families, what was left out while reading it, and what the nemesis did.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Format;
use crate::judge::Family;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// How it is written.
    pub format: Format,
    /// The operations and records.
    pub families: Vec<Family>,
    /// What is in the file and in no family.
    pub left_out: LeftOut,
    /// What the nemesis did, in the order of the file.
    pub nemesis: Vec<NemesisEvent>,
}

/// What a format reader found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) families: Vec<Family>,
    pub(super) left_out: LeftOut,
    pub(super) nemesis: Vec<NemesisEvent>,
}

/// Why something in a file is in no family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A read that found nil, where nil is taken to tell nothing.
    NilRead,
    /// An answered read that gives no value.
    UntoldRead,
    /// An operation that did not happen.
    DidNotHappen,
    /// The value of an operation whose model has no values.
    IgnoredValue,
    /// An event of the nemesis.
    Nemesis,
    /// A line of another kind, as in a log.
    OtherLine,
}

/// How many things were left out for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    counts: BTreeMap<Reason, u64>,
}

/// A fault, or the end of one, as the history of a Jepsen run has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NemesisEvent {
    /// Time in ns; none where the file has none.
    pub at_ns: Option<u64>,
    /// How many events of clients come before it: comparable with `Operation::invoked`.
    pub position: u64,
    /// The line, from 1.
    pub line: usize,
    /// The word of `:f`: `start`, `stop`, `kill`.
    pub word: String,
    /// Its `:value` as it is written, shortened.
    pub value: String,
}

impl From<Vec<Family>> for Parsed {
    fn from(families: Vec<Family>) -> Self {
        Self { families, ..Self::default() }
    }
}

impl Reason {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NilRead => "nil-reads",
            Self::UntoldRead => "untold-reads",
            Self::DidNotHappen => "did-not-happen",
            Self::IgnoredValue => "ignored-values",
            Self::Nemesis => "nemesis",
            Self::OtherLine => "other-lines",
        }
    }

    /// What it is called, and what to do about it.
    fn in_words(self) -> &'static str {
        match self {
            Self::NilRead => "reads of nil, taken as wildcards (`--nil observed` takes them as answers)",
            Self::UntoldRead => "reads whose answer gives no value",
            Self::DidNotHappen => "operations that did not happen (:fail)",
            Self::IgnoredValue => {
                "values of lock operations (a plain mutex has none: tokens, permits and owners are not checked)"
            }
            Self::Nemesis => "events of the nemesis",
            Self::OtherLine => "lines that are no operation",
        }
    }
}

impl LeftOut {
    /// Counts one more.
    pub(super) fn add(&mut self, reason: Reason) {
        *self.counts.entry(reason).or_default() += 1;
    }

    /// Counts so many more.
    pub(super) fn add_many(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            *self.counts.entry(reason).or_default() += count;
        }
    }

    /// How many were left out for this reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts.get(&reason).copied().unwrap_or(0)
    }

    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// One phrase per reason: `events of the nemesis: 3`.
    pub fn phrases(&self) -> impl Iterator<Item = String> {
        self.counts.iter().map(|(reason, count)| format!("{}: {count}", reason.in_words()))
    }
}

impl Serialize for LeftOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.counts.iter().map(|(reason, count)| (reason.name(), count)))
    }
}
