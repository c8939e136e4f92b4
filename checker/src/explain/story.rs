//! How far the history could be explained: a legal order of what had returned, and what then does not fit.

use super::words::{in_words, short};
use crate::budget::Budget;
use crate::engine::race;
use crate::engine::shortcut::{Decision, Finding, View};
use crate::engine::timeline::Task;
use crate::engine::view::Prefix;
use crate::history::{History, OperationIndex, OperationOf};
use crate::spec::Spec;

/// Operations of the order that are told, the last ones.
const TOLD_COUNT_MAX: usize = 8;
/// Operations of a history that is ordered by a near-linear algorithm.
const ORDERED_COUNT_MAX: usize = 200_000;
/// The same, where a search has to do it.
const SEARCHED_COUNT_MAX: usize = 20_000;
/// Steps of that search.
const SEARCH_STEPS_MAX: u64 = 100_000;

/// A longest legal prefix, and where it stops.
#[derive(Default)]
pub(super) struct Story {
    /// A sentence for each step, the last on what does not fit.
    pub(super) steps: Vec<String>,
    /// The last operations of the order.
    pub(super) order: Vec<OperationIndex>,
    /// How many stand before those.
    pub(super) omitted_count: usize,
    /// What the object would have to do there, such as `hold 2`.
    pub(super) would_have_to: Option<String>,
    /// What it does instead, such as `it holds 3`.
    pub(super) instead: Option<String>,
}

/// The story of an operation that could not be explained. Empty if no order is found within its bounds.
///
/// It begins where the history does: no state in it is invented.
pub(super) fn told<S: Spec>(spec: &S, history: &History<S>, stuck: usize) -> Story {
    let last = &history.operations()[stuck];
    let would_have_to = needed(spec, last);
    let without_order = || Story { would_have_to: needed(spec, last), ..Story::default() };
    let Some(end) = last.returned else { return without_order() };
    let Some(order) = order_before(spec, history, end) else { return without_order() };
    let mut state = spec.initial();
    let omitted_count = order.len().saturating_sub(TOLD_COUNT_MAX);
    let mut steps = Vec::new();
    if omitted_count == 0 {
        steps.push(format!("at first, {}", spec.state_in_words(&state)));
    }
    for (at, place) in order.iter().enumerate() {
        let operation = &history.operations()[*place];
        let Some(next) = after(spec, &state, operation) else { return without_order() };
        state = next;
        if at + 1 == omitted_count {
            let count = crate::judge::grouped(omitted_count as u64);
            steps.push(format!("after {count} operations in a legal order, {}", spec.state_in_words(&state)));
        } else if at >= omitted_count {
            let said = short::<S>(history, operation, None);
            steps.push(format!("{said}: {}", spec.state_in_words(&state)));
        }
    }
    let instead = spec.state_in_words(&state);
    let why = would_have_to.as_ref().map_or_else(String::new, |would_have_to| {
        format!(": for that it would have to {would_have_to}, and here {instead}")
    });
    let stops = in_words::<S>(history, last, None);
    steps.push(format!("{stops} must take effect before it returned, and cannot{why}"));
    let number = |place: &usize| history.operations()[*place].number;
    let order = order[omitted_count..].iter().map(number).collect();
    Story { steps, order, omitted_count, would_have_to, instead: Some(instead) }
}

/// What the object must do for the operation to be legal.
fn needed<S: Spec>(spec: &S, operation: &OperationOf<S>) -> Option<String> {
    spec.needed_in_words(&spec.step(&operation.call, operation.answer())?)
}

/// The state after an operation; one that had not returned may have had another answer by then.
fn after<S: Spec>(spec: &S, state: &S::State, operation: &OperationOf<S>) -> Option<S::State> {
    let answered = spec.step(&operation.call, operation.answer());
    let next = answered.and_then(|step| spec.apply(state, &step));
    next.or_else(|| spec.apply(state, &spec.step(&operation.call, None)?))
}

/// A legal order of all that had returned before the position `end`, and of whatever else it needs.
fn order_before<S: Spec>(spec: &S, history: &History<S>, end: u64) -> Option<Vec<usize>> {
    let view = Prefix::new(spec, history, end.saturating_sub(1));
    if view.count() > ORDERED_COUNT_MAX {
        return None;
    }
    match spec.shortcut(&view) {
        Some(Decision { finding: Finding::Illegal(_), .. }) => None,
        Some(Decision { finding: Finding::Legal, .. }) => spec.shortcut_order(&view),
        None if view.count() > SEARCHED_COUNT_MAX => None,
        None => {
            let tasks = tasks_before(spec, history, end);
            race::legal_order(spec, &tasks, Budget { steps_max: SEARCH_STEPS_MAX })
        }
    }
}

/// What a search is given: what returned at `end` or later may be left out.
fn tasks_before<S: Spec>(spec: &S, history: &History<S>, end: u64) -> Vec<Task<S::Step>> {
    let begun: Vec<&OperationOf<S>> =
        history.operations().iter().take_while(|operation| operation.invoked < end).collect();
    let is_known = |place: usize| begun[place].returned.is_some_and(|returned| returned < end);
    let step = |operation: &&OperationOf<S>| spec.step(&operation.call, operation.answer());
    let mut steps: Vec<Option<S::Step>> = begun.iter().map(step).collect();
    spec.simplify(&mut steps, &|place| !is_known(place));
    let task = |(place, step): (usize, Option<S::Step>)| {
        let OperationOf::<S> { invoked, returned, .. } = *begun[place];
        let (returned, expires) = if is_known(place) { (returned, None) } else { (None, returned) };
        Task { step, invoked, returned, expires }
    };
    steps.into_iter().enumerate().map(task).collect()
}
