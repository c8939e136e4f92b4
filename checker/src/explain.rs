//! Why no legal order exists: the smallest failing part, and a sentence.
//!
//! A part is made by *weakening*: the answer of an operation is taken to be unknown, so that it may
//! have taken effect at any later time, once, or never. Weakening only allows more orders. Plain
//! removal would not do: a read without the write that it read fails for a reason the run never had.

use crate::budget::{Budget, Spending};
use crate::engine::race::Found;
use crate::engine::shortcut::{Conflict, Decision, Finding, View};
use crate::engine::timeline::Task;
use crate::engine::view::{Prefix, Weakened};
use crate::history::{History, OperationOf, Outcome};
use crate::linearizable::search_within;
use crate::spec::Spec;
use crate::verdict::Violation;

/// Steps of one re-check: an operation whose re-check needs more is kept.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 20_000;
/// Operations named in an explanation; of a larger part only the count is given.
const NAMED_COUNT_MAX: usize = 12;

/// Where a search came to its end.
#[derive(Clone, Copy)]
pub(crate) struct Stuck {
    /// The place of the operation that could not be explained.
    pub(crate) place: usize,
    /// How many had returned before it.
    pub(crate) returned_count: usize,
}

/// The violation found when the search got stuck.
pub(crate) fn linearizability<S: Spec>(
    spec: &S,
    history: &History<S>,
    tasks: &[Task<S::Step>],
    stuck: Stuck,
) -> Violation {
    let core = smallest_part(spec, history, tasks, stuck.place);
    let operations = history.operations();
    let explanation = format!(
        "no order of {} is legal and respects real time: {}, the last of them to return, fits nowhere",
        listed(core.iter().map(|place| in_words::<S>(&operations[*place])), core.len()),
        short::<S>(&operations[stuck.place]),
    );
    let core = core.iter().map(|place| operations[*place].number).collect();
    Violation { operations: core, explanation, ..where_stuck(history, stuck) }
}

/// The violation without its smallest part: where the search got stuck.
pub(crate) fn where_stuck<S: Spec>(history: &History<S>, stuck: Stuck) -> Violation {
    let last = &history.operations()[stuck.place];
    let explanation = format!("{} fits nowhere, whatever is taken before it", in_words::<S>(last));
    Violation {
        operations: vec![last.number],
        legal_prefix_count: Some(stuck.returned_count),
        stuck: Some(last.number),
        explanation,
        ..Violation::default()
    }
}

/// The violation that a near-linear algorithm found: in the shortest prefix that it refuses.
pub(crate) fn by_shortcut<S: Spec>(spec: &S, history: &History<S>, whole: &Conflict) -> Violation {
    let mut ends: Vec<u64> = history.operations().iter().filter_map(|operation| operation.returned).collect();
    ends.sort_unstable();
    let is_legal = |end: &u64| conflict_in(spec, &Prefix::new(spec, history, *end)).is_none();
    let legal_count = ends.partition_point(is_legal);
    let end = ends.get(legal_count).copied().unwrap_or(u64::MAX);
    let prefix = Prefix::new(spec, history, end);
    let found = conflict_in(spec, &prefix).unwrap_or_else(|| whole.clone());
    let smallest = smallest_conflict(spec, &prefix, found);
    let stuck = history.operations().iter().find(|operation| operation.returned == Some(end));
    Violation {
        legal_prefix_count: Some(legal_count),
        stuck: stuck.map(|operation| operation.number),
        ..conflict(history, &smallest)
    }
}

/// The violation as it was found.
pub(crate) fn conflict<S: Spec>(history: &History<S>, conflict: &Conflict) -> Violation {
    let operations = || conflict.places.iter().map(|place| &history.operations()[*place]);
    let named = listed(operations().map(in_words::<S>), conflict.places.len());
    let explanation = format!("no order of {named} is legal and respects real time: {}", conflict.reason);
    let operations = operations().map(|operation| operation.number).collect();
    Violation { operations, explanation, ..Violation::default() }
}

fn conflict_in<S: Spec>(spec: &S, view: &impl View<S::Step>) -> Option<Conflict> {
    match spec.shortcut(view) {
        Some(Decision { finding: Finding::Illegal(conflict), .. }) => Some(conflict),
        Some(Decision { finding: Finding::Legal, .. }) | None => None,
    }
}

/// Leaves out, one by one, the answers that the conflict does not need.
fn smallest_conflict<S: Spec>(spec: &S, prefix: &Prefix<'_, S>, mut conflict: Conflict) -> Conflict {
    conflict.places.sort_unstable();
    let mut index = conflict.places.len();
    while index > 0 {
        index -= 1;
        let mut known = conflict.places.clone();
        known.remove(index);
        if let Some(mut smaller) = conflict_in(spec, &Weakened { prefix, known: &known }) {
            smaller.places.sort_unstable();
            // Only what was known may be named.
            smaller.places.retain(|place| known.binary_search(place).is_ok());
            conflict = smaller;
            index = index.min(conflict.places.len());
        }
    }
    conflict
}

/// Places of a part that still fails when everything else is weakened.
///
/// Weakens in halves, then quarters, ... then one by one, and keeps what cannot be spared (A. Zeller
/// and R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2) (2002),
/// without its restarts).
fn smallest_part<S: Spec>(
    spec: &S,
    history: &History<S>,
    tasks: &[Task<S::Step>],
    stuck: usize,
) -> Vec<usize> {
    let end = tasks[stuck].returned.unwrap_or(u64::MAX);
    let weakened: Vec<Option<S::Step>> =
        history.operations().iter().map(|operation| spec.step(&operation.call, None)).collect();
    let mut part: Vec<Task<S::Step>> = tasks.iter().take_while(|task| task.invoked < end).cloned().collect();
    for task in &mut part {
        task.returned = task.returned.filter(|returned| *returned <= end);
    }
    for (place, task) in part.iter_mut().enumerate() {
        if task.returned.is_none() {
            task.step = weakened[place].clone();
        }
    }
    let mut shrink = Shrink {
        spec,
        weakened: &weakened,
        spending: Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX }),
    };
    let mut chunk = part.len().next_power_of_two();
    while chunk > 0 {
        shrink.pass(&mut part, chunk, stuck);
        chunk /= 2;
    }
    (0..part.len()).filter(|place| part[*place].returned.is_some()).collect()
}

struct Shrink<'a, S: Spec> {
    spec: &'a S,
    weakened: &'a [Option<S::Step>],
    spending: Spending,
}

impl<S: Spec> Shrink<'_, S> {
    /// Weakens each run of `chunk` operations, latest first, unless the rest then passes.
    fn pass(&mut self, part: &mut Vec<Task<S::Step>>, chunk: usize, stuck: usize) {
        let mut end = part.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let mut smaller = part.clone();
            let mut is_smaller = false;
            for (place, task) in smaller.iter_mut().enumerate().take(end).skip(start) {
                if place != stuck && task.returned.take().is_some() {
                    task.step = self.weakened[place].clone();
                    is_smaller = true;
                }
            }
            if is_smaller {
                match search_within(self.spec, &smaller, RECHECK_STEPS_MAX, &mut self.spending) {
                    Some(Found::Stuck { .. }) => *part = smaller,
                    Some(Found::Legal | Found::Exhausted { .. }) => {}
                    None => return,
                }
            }
            end = start;
        }
    }
}

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
    let answer = match &operation.outcome {
        Outcome::Answered(answer) => Some(answer),
        Outcome::Unknown => None,
    };
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
