//! Operations in words.

use crate::history::OperationOf;
use crate::spec::Spec;

/// Operations named in an explanation; of a larger part only the count is given.
const NAMED_COUNT_MAX: usize = 12;

/// A list of `count` operations in words; of many, only the first are named.
pub(crate) fn listed(words: impl Iterator<Item = String>, count: usize) -> String {
    let mut words: Vec<String> = words.take(NAMED_COUNT_MAX).collect();
    if count > NAMED_COUNT_MAX {
        words.push(format!("and {} more", count - NAMED_COUNT_MAX));
    }
    format!("{{{}}}", words.join("; "))
}

/// An operation with its client, values and times.
pub(crate) fn in_words<S: Spec>(operation: &OperationOf<S>) -> String {
    let answer = operation.answer();
    format!("{} {}", short::<S>(operation), S::describe(&operation.call, answer)) + &interval::<S>(operation)
}

/// An operation by number and client only.
pub(crate) fn short<S: Spec>(operation: &OperationOf<S>) -> String {
    format!("operation {} of client {}", operation.number, operation.client)
}

/// True times, or positions where the source has no times.
fn interval<S: Spec>(operation: &OperationOf<S>) -> String {
    match (operation.invoked_at, operation.returned_at, operation.returned) {
        (0, Some(0) | None, Some(returned)) => format!(" [events {} to {returned}]", operation.invoked),
        (0, Some(0) | None, None) => format!(" [from event {}]", operation.invoked),
        (from, Some(to), _) => format!(" [{from} to {to} ns]"),
        (from, None, _) => format!(" [from {from} ns]"),
    }
}
