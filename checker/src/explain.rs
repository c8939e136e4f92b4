//! Why no legal order exists: the smallest failing part, a sentence, and how far an order gets.
//!
//! A part fails if it has no legal order *whichever* other operations of the history are added to it;
//! it is smallest if each of its own can be spared: without it, some others can be added so that all
//! is legal. (That the part fails on its own would not do: a read without the write that it read
//! fails for a reason the run never had.)

mod part;
mod smallest;
mod story;
mod words;

pub(crate) use smallest::smallest;
pub(crate) use words::{in_words, listed, short};

use crate::engine::shortcut::{Conflict, Decision, Finding, View};
use crate::engine::timeline::Task;
use crate::engine::view::{Prefix, Weakened};
use crate::history::History;
use crate::spec::Spec;
use crate::verdict::Violation;
use part::Part;

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
    let mut part = Part::until(spec, tasks, stuck.place);
    let core = part.smallest();
    let operations = history.operations();
    let explanation = format!(
        "no order of {} is legal and respects real time: {}, the last of them to return, fits nowhere",
        listed(core.iter().map(|place| in_words::<S>(&operations[*place])), core.len()),
        short::<S>(&operations[stuck.place]),
    );
    let steps = story::told(spec, history, &part, stuck.place);
    let core = core.iter().map(|place| operations[*place].number).collect();
    Violation { operations: core, explanation, steps, ..where_stuck(history, stuck) }
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
    let operations = history.operations();
    let mut ends: Vec<u64> = operations.iter().filter_map(|operation| operation.returned).collect();
    ends.sort_unstable();
    let (legal_count, found) = shortest_refused(spec, history, &ends, whole);
    let end = ends.get(legal_count).copied().unwrap_or(u64::MAX);
    let prefix = Prefix::new(spec, history, end);
    let smallest = smallest_conflict(spec, &prefix, found);
    let Some(stuck) = operations.iter().position(|operation| operation.returned == Some(end)) else {
        return conflict(history, &smallest);
    };
    let mut part = Part::of(spec, history, &smallest.places, stuck);
    let places = part.smallest_of_known();
    let smallest = Conflict { places, ..smallest };
    let violation = Violation { legal_prefix_count: Some(legal_count), ..conflict(history, &smallest) };
    let steps = story::told(spec, history, &part, stuck);
    Violation { stuck: Some(operations[stuck].number), steps, ..violation }
}

/// How many of the returns, given in order, make the longest prefix that is not refused, and the
/// conflict with one more.
///
/// A conflict shows a prefix that is refused: until the last of its operations returned. So the search
/// goes from conflict to conflict, then in ever larger steps back, then halves what is left.
fn shortest_refused<S: Spec>(
    spec: &S,
    history: &History<S>,
    ends: &[u64],
    whole: &Conflict,
) -> (usize, Conflict) {
    let last_return = |conflict: &Conflict| {
        let returns = conflict.places.iter().filter_map(|place| history.operations()[*place].returned);
        returns.max().map_or(ends.len(), |last| ends.partition_point(|end| *end < last))
    };
    // Of the counts, `legal` is not refused, `refused` is, for that conflict.
    let (mut legal, mut refused, mut conflict) = (0, ends.len(), whole.clone());
    let mut stride = 1;
    while legal < refused {
        let shown = last_return(&conflict);
        let count = if (legal..refused).contains(&shown) {
            shown
        } else {
            let half = legal + (refused - legal) / 2;
            let back = half.max(refused.saturating_sub(stride));
            stride *= 2;
            back
        };
        match conflict_in(spec, &Prefix::new(spec, history, ends[count])) {
            Some(found) => (refused, conflict) = (count, found),
            None => legal = count + 1,
        }
    }
    (legal, conflict)
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
