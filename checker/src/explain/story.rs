//! How far an order of the smallest part gets: a sentence for each step.

use super::part::Part;
use super::words::{in_words, short};
use crate::history::History;
use crate::spec::Spec;

/// Steps told; of a longer order, the last ones.
const TOLD_COUNT_MAX: usize = 24;

/// A longest legal order of the part, step by step, and what then does not fit.
pub(super) fn told<S: Spec>(spec: &S, history: &History<S>, part: &Part<'_, S>, stuck: usize) -> Vec<String> {
    let Some(order) = part.order_without_stuck() else { return Vec::new() };
    let mut state = spec.initial();
    let mut steps = vec![format!("at first, {}", spec.state_in_words(&state))];
    for place in order {
        let operation = &history.operations()[place];
        let answer = operation.answer();
        let Some(next) = spec.step(&operation.call, answer).and_then(|step| spec.apply(&state, &step)) else {
            return Vec::new();
        };
        let said = S::describe(&operation.call, answer);
        steps.push(format!("{} {said}: {}", short::<S>(operation), spec.state_in_words(&next)));
        state = next;
    }
    let told_from = steps.len().saturating_sub(TOLD_COUNT_MAX);
    steps.drain(..told_from);
    let last = &history.operations()[stuck];
    steps.push(format!("{} must take effect before it returned, and cannot", in_words::<S>(last)));
    steps
}
