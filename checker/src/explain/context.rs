//! What stands around a failing part: where the operations are recorded, and where their values come from.
//!
//! A part of two operations, a write and a later read of an older value, is understood only beside the
//! write that was read. It is no member of the part, for the part fails without it.

use super::mentions::Mentions;
use super::words::{in_words, short};
use crate::history::{History, Operation, OperationIndex, OperationOf};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::{ContextOperation, NamedOperation, Verdict, Violation};

/// Operations whose context is shown.
const CORE_COUNT_MAX: usize = 12;
/// Sources shown for each of them.
const SOURCES_COUNT_MAX: usize = 2;
/// Operations of the context.
const CONTEXT_COUNT_MAX: usize = 8;

/// Adds to a violation the places of its operations and their context.
pub(crate) fn complete<S: Spec>(spec: &S, history: &KeyedHistory<S>, verdict: &mut Verdict) {
    let Verdict::Violated(violation) = verdict else { return };
    let around = Around { spec, history, is_keyed: history.parts().len() > 1 };
    violation.context = around.context(&violation.operations);
    violation.named = around.named(violation);
    let mentions = Mentions { history };
    if let Some(reason) = &mut violation.reason {
        let placed = mentions.placed(reason);
        violation.explanation = violation.explanation.replacen(reason.as_str(), &placed, 1);
        *reason = placed;
    } else {
        violation.explanation = mentions.placed(&violation.explanation);
    }
}

struct Around<'a, S: Spec> {
    spec: &'a S,
    history: &'a KeyedHistory<S>,
    is_keyed: bool,
}

/// An operation and where it belongs.
struct Member<'a, S: Spec> {
    key: Option<&'a str>,
    part: &'a History<S>,
    operation: &'a OperationOf<S>,
}

impl<'a, S: Spec> Around<'a, S> {
    fn member(&self, number: OperationIndex) -> Option<Member<'a, S>> {
        self.history.parts().iter().find_map(|(key, part)| {
            let operation = &part.operations()[part.find(number)?];
            Some(Member { key: self.is_keyed.then_some(key), part, operation })
        })
    }

    /// The core, its context, and where it got stuck: each once.
    fn named(&self, violation: &Violation) -> Vec<NamedOperation> {
        let core = violation.operations.iter().take(CORE_COUNT_MAX).copied();
        let others = violation.context.iter().map(|one| one.operation).chain(violation.stuck);
        let mut numbers: Vec<OperationIndex> = Vec::new();
        for number in core.chain(others) {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers.into_iter().filter_map(|number| self.name(number)).collect()
    }

    fn name(&self, number: OperationIndex) -> Option<NamedOperation> {
        let Some(Member { key, part, operation }) = self.member(number) else {
            return self.name_dropped(number);
        };
        let words = in_words::<S>(part, operation, key);
        Some(NamedOperation::new(number, words, part.place_of(number)))
    }

    fn name_dropped(&self, number: OperationIndex) -> Option<NamedOperation> {
        self.history.parts().iter().find_map(|(key, part)| {
            let dropped = part.dropped().iter().find(|dropped| dropped.number == number)?;
            let operation = not_done::<S>(dropped);
            let words = in_words::<S>(part, &operation, self.is_keyed.then_some(key));
            let words = words.replacen("outcome unknown", "recorded as not done", 1);
            Some(NamedOperation::new(number, words, part.place_of(number)))
        })
    }

    /// Where what the core found can come from, if not from the core.
    fn context(&self, core: &[OperationIndex]) -> Vec<ContextOperation> {
        let mut context: Vec<ContextOperation> = Vec::new();
        for number in core.iter().take(CORE_COUNT_MAX) {
            let Some(member) = self.member(*number) else { continue };
            for source in self.sources(&member, core) {
                let is_new = context.iter().all(|one| one.operation != source.operation);
                if is_new && context.len() < CONTEXT_COUNT_MAX {
                    context.push(source);
                }
            }
        }
        context
    }

    fn sources(&self, found: &Member<'a, S>, core: &[OperationIndex]) -> Vec<ContextOperation> {
        let Member { part, operation, .. } = *found;
        let Some(step) = self.spec.step(&operation.call, operation.answer()) else { return Vec::new() };
        let end = operation.returned.unwrap_or(u64::MAX);
        let why = |one: &OperationOf<S>| {
            let from = self.spec.step(&one.call, one.answer())?;
            self.spec.is_source(&from, &step).filter(|_| one.number != operation.number)
        };
        let all = part.operations().iter().filter_map(|one| Some((one, why(one)?)));
        let (before, after): (Vec<_>, Vec<_>) = all.partition(|(one, _)| one.invoked < end);
        if before.iter().any(|(one, _)| core.contains(&one.number)) {
            return Vec::new();
        }
        if let [.., _] = before.as_slice() {
            let latest = before.iter().rev().take(SOURCES_COUNT_MAX);
            return latest.map(|(one, why)| self.source(found, one, why, "")).collect();
        }
        let failed = part.dropped().iter().find_map(|dropped| {
            let one = not_done::<S>(dropped);
            why(&one).map(|why| self.source(found, &one, why, ", but is recorded as not done"))
        });
        let late = || {
            let (one, why) = after.first()?;
            Some(self.source(found, one, why, ", but was invoked only after that had returned"))
        };
        failed.or_else(late).into_iter().collect()
    }

    fn source(&self, found: &Member<'a, S>, one: &OperationOf<S>, why: &str, but: &str) -> ContextOperation {
        let Member { key, part, operation } = *found;
        let unknown = if one.returned.is_none() && but.is_empty() { ", if it took effect" } else { "" };
        let reader = short::<S>(part, operation, key);
        ContextOperation { operation: one.number, why: format!("{why} {reader}{but}{unknown}") }
    }
}

/// An operation that did not happen, as if its outcome were unknown.
fn not_done<S: Spec>(dropped: &crate::history::Dropped<S::Call>) -> OperationOf<S> {
    Operation {
        number: dropped.number,
        client: dropped.client,
        call: dropped.call.clone(),
        outcome: crate::history::Outcome::Unknown,
        invoked: dropped.positions.0,
        returned: None,
        invoked_at: dropped.instants.0,
        returned_at: None,
    }
}
