//! Records that one replica owns: compare-and-set under the record's lock, once for each question.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::RequestKey;

/// What a compare-and-set came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// The record was set by this question before.
    Before,
    /// It holds what was expected.
    Match,
    /// It holds something else.
    Mismatch,
    /// Too many questions are remembered.
    Full,
}

/// All records of an owner.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    held: BTreeMap<u32, u64>,
    /// Questions that have set a record: asked again, they are told so.
    set: BTreeSet<RequestKey>,
}

/// Questions that are remembered.
const SETS_MAX: usize = 100_000;

impl Records {
    pub(super) fn found(&self, record: u32) -> Option<u64> {
        self.held.get(&record).copied()
    }

    pub(super) fn compare(&self, record: u32, expected: Option<u64>, request: RequestKey) -> Compared {
        if self.set.contains(&request) {
            Compared::Before
        } else if self.set.len() >= SETS_MAX {
            Compared::Full
        } else if self.found(record) == expected {
            Compared::Match
        } else {
            Compared::Mismatch
        }
    }

    /// Sets the record: it holds the number of the question.
    pub(super) fn set(&mut self, record: u32, request: RequestKey) {
        self.held.insert(record, request.0);
        self.set.insert(request);
    }
}
