//! A key-value store whose every change raises one revision, as in etcd: model `kv-revisions`.
//!
//! | request | effect | revision |
//! |---|---|---|
//! | range | none | that of the store |
//! | transaction | all conditions hold? the operations on success, else those on failure | raised by 1 if any of them put or deleted something |
//! | grant, revoke a lease | its keys are deleted when it is revoked | raised by 1 if a key was |
//! | compact, defragment | older revisions are forgotten | unchanged, and the response does not count |
//!
//! A fresh store is at revision 1. An absent key has revision and version 0. A put adds 1 to the version of
//! its key, a delete ends it. A range of an older revision is checked for the present revision in its
//! response, not for its entries: the past is not part of the state.
//!
//! Source: etcd, `tests/robustness/model` (`deterministic.go`, `types.go`), the model that etcd's own
//! robustness tests are judged by.

mod order;
mod state;
mod words;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::open::{Open, Slot, SlotSet};
use crate::engine::shortcut::{Decision, View};
use crate::spec::Spec;
pub use state::{Entry, StoreState};

/// A store, empty and at revision 1 at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revisions;

/// What may be asked of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreCall {
    /// The entries of a range.
    Range(KeyRange),
    /// The entries of a range as they were at a revision.
    RangeAt {
        /// The range.
        range: KeyRange,
        /// The revision.
        revision: i64,
    },
    /// A transaction; a put and a delete are transactions of one operation.
    Txn(Arc<StoreTxn>),
    /// To grant this lease; 0 is no lease.
    GrantLease(i64),
    /// To revoke this lease.
    RevokeLease(i64),
    /// To forget the revisions before this one.
    Compact(i64),
    /// To defragment the file of a member.
    Defragment,
}

/// Keys from a first one on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KeyRange {
    /// The first key.
    pub start: Arc<str>,
    /// The key after the last one; empty: only the first key, `"\0"`: all after it.
    pub end: Arc<str>,
    /// How many entries are shown at most; 0: all.
    pub limit: u64,
}

/// Conditions, and what is done if all of them hold, or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StoreTxn {
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What is done if they do.
    pub on_success: Vec<StoreAction>,
    /// What is done if one does not.
    pub on_failure: Vec<StoreAction>,
}

/// What a key must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Condition {
    /// The key.
    pub key: Arc<str>,
    /// What it must have.
    pub expected: Expected,
}

/// What a key must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// This as the revision of its last put.
    Revision(i64),
    /// This version.
    Version(i64),
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAction {
    /// Reads a range.
    Range(KeyRange),
    /// Puts a value, under a lease unless that is 0. Without such a lease it does nothing.
    Put {
        /// The key.
        key: Arc<str>,
        /// The value.
        value: StoreValue,
        /// The lease.
        lease: i64,
    },
    /// Deletes a key.
    Delete {
        /// The key.
        key: Arc<str>,
    },
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreValue {
    /// This text.
    Text(Arc<str>),
    /// A long text with this FNV-1a hash of 32 bits: the reports keep no more of it.
    Hash(u32),
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreAnswer {
    /// A range was read.
    Range {
        /// What was found.
        found: FoundRange,
        /// The revision of the store.
        revision: Option<i64>,
    },
    /// A transaction took place.
    Txn {
        /// Whether a condition did not hold.
        is_failed: bool,
        /// One result per operation.
        results: Arc<[ActionResult]>,
        /// The revision of the store.
        revision: Option<i64>,
    },
    /// It took place; no more is known but perhaps the revision.
    Persisted {
        /// The revision of the store.
        revision: Option<i64>,
    },
    /// Refused: the revision was compacted.
    Compacted,
    /// Refused: the revision is yet to come.
    FutureRevision,
}

/// What a range holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FoundRange {
    /// The entries shown, by key.
    pub entries: Arc<[FoundEntry]>,
    /// How many there are, shown or not.
    pub count: u64,
}

/// An entry of a range.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FoundEntry {
    /// The key.
    pub key: Arc<str>,
    /// Its value.
    pub value: StoreValue,
    /// The revision of its last put; none if that is not told.
    pub modified: Option<i64>,
    /// Its version; none if that is not told.
    pub version: Option<i64>,
}

/// What came of a part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ActionResult {
    /// What a range found; nothing for others.
    pub found: FoundRange,
    /// How many keys a delete deleted.
    pub deleted: u64,
}

/// What an operation does to a store: what was asked, and what was answered if that is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreStep {
    pub(super) call: StoreCall,
    pub(super) answer: Option<StoreAnswer>,
}

impl Spec for Revisions {
    type State = StoreState;
    type Call = StoreCall;
    type Answer = StoreAnswer;
    type Step = StoreStep;

    fn initial(&self) -> StoreState {
        StoreState::default()
    }

    fn fits(call: &StoreCall, answer: &StoreAnswer) -> bool {
        match answer {
            StoreAnswer::Range { .. } => matches!(call, StoreCall::Range(_) | StoreCall::RangeAt { .. }),
            StoreAnswer::Txn { results, is_failed, .. } => match call {
                StoreCall::Txn(txn) => txn.actions(*is_failed).len() == results.len(),
                _ => false,
            },
            StoreAnswer::Persisted { .. } => true,
            StoreAnswer::Compacted | StoreAnswer::FutureRevision => {
                matches!(call, StoreCall::RangeAt { .. } | StoreCall::Compact(_))
            }
        }
    }

    /// A transaction that failed may still have done something: what it has for that case.
    fn is_refusal(answer: &StoreAnswer) -> bool {
        match answer {
            StoreAnswer::Txn { is_failed, results, .. } => *is_failed && results.is_empty(),
            StoreAnswer::Compacted | StoreAnswer::FutureRevision => true,
            StoreAnswer::Range { .. } | StoreAnswer::Persisted { .. } => false,
        }
    }

    fn observes(&self, call: &StoreCall, answer: &StoreAnswer) -> bool {
        *call != StoreCall::Defragment && !matches!(answer, StoreAnswer::Persisted { revision: None })
    }

    fn step(&self, call: &StoreCall, answer: Option<&StoreAnswer>) -> Option<StoreStep> {
        let is_needless = answer.is_none() && call.only_reads();
        (!is_needless).then(|| StoreStep { call: call.clone(), answer: answer.cloned() })
    }

    fn apply(&self, state: &StoreState, step: &StoreStep) -> Option<StoreState> {
        state.after(step)
    }

    fn only_observes(&self, _state: &StoreState, step: &StoreStep) -> bool {
        step.only_observes()
    }

    fn is_idle(&self, state: &StoreState, step: &StoreStep) -> bool {
        state.after(step).is_some_and(|next| next == *state)
    }

    fn describe(call: &StoreCall, answer: Option<&StoreAnswer>) -> String {
        words::described(call, answer)
    }

    fn state_in_words(&self, state: &StoreState) -> String {
        words::state(state)
    }

    fn state_bytes(&self, state: &StoreState) -> usize {
        state.bytes()
    }

    fn shortcut(&self, operations: &impl View<StoreStep>) -> Option<Decision> {
        order::decide(operations)
    }

    fn shortcut_order(&self, operations: &impl View<StoreStep>) -> Option<Vec<usize>> {
        order::legal_order(operations)
    }

    fn simplify(&self, steps: &mut [Option<StoreStep>], is_unknown: &dyn Fn(usize) -> bool) {
        order::narrow_unknown(steps, is_unknown);
    }

    /// If an answered operation raised the revision to the next one, no other may do so before it: then
    /// what is of unknown outcome and raises the revision can wait.
    fn relevant(&self, state: &StoreState, open: &Open<'_, StoreStep>, goal: Slot) -> SlotSet {
        let next = state.revision() + 1;
        let answered = open.untaken_answered();
        let is_next = |slot: Slot| open.step(slot).raises_to() == Some(next);
        let has_next = answered.into_iter().any(is_next);
        let mut relevant = SlotSet::only(goal);
        for slot in open.untaken() {
            let step = open.step(slot);
            let is_relevant = match step.raises_to() {
                Some(revision) => revision == next,
                None if step.only_observes() => false,
                None => answered.contains(slot) || !has_next || !step.may_raise(),
            };
            if is_relevant {
                relevant = relevant.with(slot);
            }
        }
        relevant
    }

    fn forced(&self, steps: &[Option<StoreStep>]) -> Vec<(usize, usize)> {
        order::forced(steps)
    }
}

impl KeyRange {
    /// Only this key.
    pub fn key(key: Arc<str>) -> Self {
        Self { start: key, end: Arc::default(), limit: 0 }
    }

    fn contains(&self, key: &str) -> bool {
        match &*self.end {
            "" => key == &*self.start,
            "\0" => key >= &*self.start,
            end => key >= &*self.start && key < end,
        }
    }
}

impl StoreTxn {
    /// A transaction of one operation without conditions.
    pub fn only(action: StoreAction) -> Self {
        Self { on_success: vec![action], ..Self::default() }
    }

    /// What is done.
    pub fn actions(&self, is_failed: bool) -> &[StoreAction] {
        if is_failed { &self.on_failure } else { &self.on_success }
    }
}

impl StoreAction {
    fn only_reads(&self) -> bool {
        matches!(self, Self::Range(_))
    }
}

impl StoreCall {
    /// Whether it changes nothing, whatever is answered.
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Range(_) | Self::RangeAt { .. } | Self::Defragment => true,
            Self::Txn(txn) => {
                let mut actions = txn.on_success.iter().chain(&txn.on_failure);
                actions.all(StoreAction::only_reads)
            }
            Self::GrantLease(_) | Self::RevokeLease(_) | Self::Compact(_) => false,
        }
    }

    /// Whether it can put or delete something, whatever is answered.
    fn may_raise(&self) -> bool {
        match self {
            Self::Txn(_) => !self.only_reads(),
            Self::RevokeLease(_) => true,
            Self::Range(_)
            | Self::RangeAt { .. }
            | Self::GrantLease(_)
            | Self::Compact(_)
            | Self::Defragment => false,
        }
    }
}

impl StoreAnswer {
    /// The revision of the store, as far as it is told.
    pub fn revision(&self) -> Option<i64> {
        match self {
            Self::Range { revision, .. } | Self::Txn { revision, .. } | Self::Persisted { revision } => {
                *revision
            }
            Self::Compacted | Self::FutureRevision => None,
        }
    }
}

impl StoreStep {
    /// Whether it changes nothing at any state where it is legal.
    fn only_observes(&self) -> bool {
        match (&self.call, &self.answer) {
            (_, Some(StoreAnswer::Compacted | StoreAnswer::FutureRevision)) => true,
            (StoreCall::Txn(_), Some(_)) => self.raises() == Some(false),
            (call, _) => call.only_reads(),
        }
    }

    /// Whether it can put or delete something.
    fn may_raise(&self) -> bool {
        self.call.may_raise() && !self.only_observes()
    }

    /// Whether it put or deleted something, if its answer tells.
    fn raises(&self) -> Option<bool> {
        let StoreCall::Txn(txn) = &self.call else { return (!self.call.may_raise()).then_some(false) };
        match self.answer.as_ref()? {
            StoreAnswer::Txn { is_failed, results, .. } => {
                let actions = txn.actions(*is_failed);
                let is_deletion = results.iter().any(|result| result.deleted > 0);
                // Under a lease that is not there a put does nothing.
                let lease = |action: &StoreAction| match action {
                    StoreAction::Put { lease, .. } => Some(*lease),
                    StoreAction::Range(_) | StoreAction::Delete { .. } => None,
                };
                let is_put = actions.iter().filter_map(lease).any(|lease| lease == 0);
                let is_unsure = actions.iter().filter_map(lease).any(|lease| lease != 0);
                if is_put || is_deletion {
                    Some(true)
                } else if is_unsure {
                    None
                } else {
                    Some(false)
                }
            }
            StoreAnswer::Persisted { .. } if txn.conditions.is_empty() => {
                let puts = |action: &StoreAction| matches!(action, StoreAction::Put { lease: 0, .. });
                txn.on_success.iter().any(puts).then_some(true)
            }
            StoreAnswer::Persisted { .. } => None,
            StoreAnswer::Range { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision => Some(false),
        }
    }

    /// The revision that it certainly raised the store to.
    fn raises_to(&self) -> Option<i64> {
        let revision = self.answer.as_ref()?.revision()?;
        (self.raises() == Some(true)).then_some(revision)
    }
}

#[cfg(test)]
mod tests;
