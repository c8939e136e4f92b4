//! Why no legal order exists: the smallest failing part, a sentence, and how far an order gets.
//!
//! A part fails if it has no legal order *whichever* other operations of the history are added to it;
//! it is smallest if each of its own can be spared: without it, some others can be added so that all
//! is legal. (That the part fails on its own would not do: a read without the write that it read
//! fails for a reason the run never had.)

mod context;
mod mentions;
mod part;
mod smallest;
mod story;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use context::complete;
pub(crate) use smallest::smallest;
pub(crate) use words::{Located, in_words, listed, short};

use crate::budget::Budget;
use crate::engine::race::{self, Found};
use crate::engine::shortcut::{Conflict, Decision, Finding, View};
use crate::engine::timeline::Task;
use crate::engine::view::{Prefix, Weakened};
use crate::history::{History, OperationOf, Outcome};
use crate::spec::Spec;
use crate::verdict::Violation;
use part::Part;
use story::Story;

/// Where a search came to its end.
#[derive(Clone, Copy)]
pub(crate) struct Stuck {
    /// The place of the operation that could not be explained.
    pub(crate) place: usize,
    /// How many had returned before it.
    pub(crate) returned_count: usize,
    /// Steps that the search had taken: an explanation may take as many.
    pub(crate) steps: u64,
}

/// Operations up to which it is searched whether all was well until the last of a conflict returned.
const PREFIX_COUNT_MAX: usize = 5_000;
/// Steps of that search.
const PREFIX_STEPS_MAX: u64 = 20_000;

/// The violation found when the search got stuck.
pub(crate) fn linearizability<S: Spec>(
    spec: &S,
    history: &History<S>,
    tasks: &[Task<S::Step>],
    stuck: Stuck,
) -> Violation {
    let mut part = Part::until(spec, tasks, stuck.place, stuck.steps);
    let core = part.smallest();
    let not_smallest = !part.is_smallest();
    let operations = history.operations();
    let last = short::<S>(history, &operations[stuck.place], None);
    let doubt = if not_smallest { NOT_SMALLEST } else { "" };
    let reason = (core.len() > 1).then(|| format!("{last}, the last of them to return, fits nowhere{doubt}"));
    let words = core.iter().map(|place| in_words::<S>(history, &operations[*place], None));
    let numbers = core.iter().map(|place| operations[*place].number).collect();
    let violation = Violation::claimed(numbers, words, claim(core.len()), reason);
    let Violation { legal_prefix_count, stuck: number, .. } = where_stuck(history, stuck);
    let violation = Violation { legal_prefix_count, stuck: number, not_smallest, ..violation };
    with_story(violation, spec, history, stuck.place)
}

/// What is claimed of that many operations.
fn claim(count: usize) -> &'static str {
    match count {
        1 => ALONE,
        _ => TOGETHER,
    }
}

/// The claim about several operations.
const TOGETHER: &str =
    "no order of {} is legal and respects real time, whichever of the other operations are added";
/// The claim about one.
const ALONE: &str = "{} has no legal place, whichever of the other operations are added";
/// What is said of a part that may be smaller.
pub(crate) const NOT_SMALLEST: &str =
    " (perhaps not all of them are needed: the steps for the explanation were used up)";

/// The violation that was found before any search.
pub(crate) fn at_first_sight<S: Spec>(spec: &S, history: &History<S>, found: Conflict) -> Violation {
    let Some((found, stuck)) = without_needless_ends(spec, history, found.clone()) else {
        return conflict(history, &found);
    };
    let legal_prefix_count = legal_prefix_count(spec, history, stuck);
    let number = Some(history.operations()[stuck].number);
    let (found, not_smallest) = if found.places.len() == 1 {
        (found, false)
    } else {
        let mut part = Part::of(spec, history, &found.places, stuck);
        let smallest = Conflict { places: part.smallest_of_known(), ..found };
        (smallest, !part.is_smallest())
    };
    let violation =
        Violation { legal_prefix_count, stuck: number, not_smallest, ..conflict(history, &found) };
    with_story(violation, spec, history, stuck)
}

/// The conflict without its last operations to return, as long as the others fail too, and the place of the
/// last that is left. None if none of them returned.
fn without_needless_ends<S: Spec>(
    spec: &S,
    history: &History<S>,
    mut found: Conflict,
) -> Option<(Conflict, usize)> {
    let returned = |place: &usize| history.operations()[*place].returned;
    found.places.retain(|place| returned(place).is_some());
    found.places.sort_by_key(returned);
    let mut stuck = *found.places.last()?;
    while let [rest @ .., _] = found.places.as_slice()
        && let Some(last) = rest.last().copied()
        && Part::of(spec, history, rest, last).is_failing()
    {
        found.places.pop();
        stuck = last;
        "whatever else took effect, no order makes this legal".clone_into(&mut found.reason);
    }
    Some((found, stuck))
}

/// How many operations had returned when the one at `stuck` did, if all of them had a legal order and that
/// is quickly found.
fn legal_prefix_count<S: Spec>(spec: &S, history: &History<S>, stuck: usize) -> Option<usize> {
    let end = history.operations()[stuck].returned?;
    let begun = history.operations().partition_point(|operation| operation.invoked < end);
    if begun > PREFIX_COUNT_MAX {
        return None;
    }
    let mut prefix = History::<S>::of(history.operations()[..begun].to_vec(), Vec::new());
    for operation in prefix.operations.iter_mut().filter(|one| one.returned.is_none_or(|at| at > end)) {
        (operation.outcome, operation.returned) = (Outcome::Unknown, None);
    }
    let tasks = crate::linearizable::tasks(spec, &prefix);
    match race::race(spec, &tasks, Budget { steps_max: PREFIX_STEPS_MAX }).found {
        Found::Stuck { place, returned_count } if place == stuck => Some(returned_count),
        Found::Stuck { .. } | Found::Legal | Found::Exhausted { .. } => None,
    }
}

/// Adds how far the history could be explained.
fn with_story<S: Spec>(violation: Violation, spec: &S, history: &History<S>, stuck: usize) -> Violation {
    let Story { steps, order, omitted_count, would_have_to, instead } = story::told(spec, history, stuck);
    Violation {
        steps,
        legal_prefix: order,
        legal_prefix_omitted: omitted_count,
        would_have_to,
        instead,
        ..violation
    }
}

/// The violation without its smallest part: where the search got stuck.
pub(crate) fn where_stuck<S: Spec>(history: &History<S>, stuck: Stuck) -> Violation {
    let last = &history.operations()[stuck.place];
    let explanation =
        format!("{} fits nowhere, whatever is taken before it", in_words::<S>(history, last, None));
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
    let (end, found) = shortest_refused(spec, history, whole);
    let is_before = |operation: &&OperationOf<S>| operation.returned.is_some_and(|returned| returned < end);
    let legal_prefix_count = Some(history.operations().iter().filter(is_before).count());
    let whole = history;
    let (history, found) = relevant(spec, whole, end, found);
    let prefix = Prefix::new(spec, &history, end);
    let smallest = smallest_conflict(spec, &prefix, found);
    let Some(stuck) = history.operations().iter().position(|operation| operation.returned == Some(end))
    else {
        return conflict(&history, &smallest);
    };
    let mut part = Part::of(spec, &history, &smallest.places, stuck);
    let places = part.smallest_of_known();
    let smallest = Conflict { places, ..smallest };
    let not_smallest = !part.is_smallest();
    let number = history.operations()[stuck].number;
    let stuck = whole.find(number).expect("what is relevant is a part of the whole");
    let violation =
        Violation { legal_prefix_count, stuck: Some(number), not_smallest, ..conflict(&history, &smallest) };
    with_story(violation, spec, whole, stuck)
}

/// The first return at which what is known is refused, and the conflict there.
///
/// A conflict shows a prefix that is refused: until the last of its operations returned. So the search
/// goes from conflict to conflict, then in ever larger steps back, then halves what is left.
fn shortest_refused<S: Spec>(spec: &S, history: &History<S>, whole: &Conflict) -> (u64, Conflict) {
    let operations = history.operations();
    let last_return = |conflict: &Conflict| {
        let last = conflict.places.iter().filter_map(|place| operations[*place].returned).max()?;
        // One that is invoked later may show something else.
        conflict.places.iter().all(|place| operations[*place].invoked < last).then_some(last)
    };
    let last = operations.iter().filter_map(|operation| operation.returned).max().unwrap_or(0);
    // Before the position `legal` all is well; what is known at `refused` is refused for that conflict.
    let (mut legal, mut refused, mut conflict) = (0, last.saturating_add(1), whole.clone());
    let mut stride = 1;
    while legal < refused {
        if let Some(shown) = last_return(&conflict).filter(|shown| (legal..refused).contains(shown)) {
            refused = shown;
        }
        if legal == refused {
            break;
        }
        let position = legal.midpoint(refused).max(refused.saturating_sub(stride));
        stride *= 2;
        match conflict_in(spec, &Prefix::new(spec, history, position)) {
            Some(found) => (refused, conflict) = (position, found),
            None => legal = position + 1,
        }
    }
    (refused, conflict)
}

/// What had been invoked before the end, without what no conflict among these can need: a history with
/// the same conflict.
fn relevant<S: Spec>(spec: &S, history: &History<S>, end: u64, conflict: Conflict) -> (History<S>, Conflict) {
    let mut known = conflict.places.clone();
    known.sort_unstable();
    let is_unknown = |place: usize| known.binary_search(&place).is_err();
    let begun = || history.operations().iter().take_while(|operation| operation.invoked < end);
    let step = |(place, operation): (usize, &OperationOf<S>)| {
        spec.step(&operation.call, operation.answer().filter(|_| !is_unknown(place)))
    };
    let mut steps: Vec<Option<S::Step>> = begun().enumerate().map(step).collect();
    spec.simplify(&mut steps, &is_unknown);
    let is_kept = |(place, operation): &(usize, &OperationOf<S>)| {
        steps[*place].is_some() || !is_unknown(*place) || operation.returned == Some(end)
    };
    let (places, operations): (Vec<usize>, Vec<OperationOf<S>>) =
        begun().enumerate().filter(is_kept).map(|(place, operation)| (place, operation.clone())).unzip();
    let now_at = |place: &usize| places.binary_search(place).ok();
    let places = conflict.places.iter().filter_map(now_at).collect();
    (history.with(operations), Conflict { places, ..conflict })
}

/// The violation as it was found.
pub(crate) fn conflict<S: Spec>(history: &History<S>, conflict: &Conflict) -> Violation {
    let operations = || conflict.places.iter().map(|place| &history.operations()[*place]);
    let words = operations().map(|operation| in_words::<S>(history, operation, None));
    let numbers = operations().map(|operation| operation.number).collect();
    Violation::claimed(numbers, words, claim(conflict.places.len()), Some(conflict.reason.clone()))
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
