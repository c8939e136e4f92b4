//! The naive answer to both questions, for small histories: try every order.
//!
//! It shares nothing with the searches but the specification: no pruning, no memory, no masks.

mod visibility;

pub(crate) use visibility::{is_convergent, is_explained};

use crate::history::{OperationOf, Outcome};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;

/// Whether one operation has to come before another.
type Before<S> = fn(&OperationOf<S>, &OperationOf<S>) -> bool;

/// Whether some order of the operations is legal and respects real time.
pub(crate) fn is_linearizable<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> bool {
    has_order(spec, history, |first, second| first.returned.is_some_and(|returned| returned < second.invoked))
}

/// Whether some order of the operations is legal and keeps the order of each client.
pub(crate) fn is_sequential<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> bool {
    has_order(spec, history, |first, second| first.client == second.client && first.invoked < second.invoked)
}

fn has_order<S: Spec>(spec: &S, history: &KeyedHistory<S>, before: Before<S>) -> bool {
    let keys: Vec<&String> = history.parts().keys().collect();
    let operations: Vec<(usize, &OperationOf<S>)> = history
        .by_invocation()
        .into_iter()
        .map(|(key, operation)| (keys.iter().position(|other| *other == key).unwrap(), operation))
        .collect();
    let states = vec![spec.initial(); keys.len()];
    Orders { spec, operations, before }.any(&mut Vec::new(), &states)
}

struct Orders<'a, S: Spec> {
    spec: &'a S,
    operations: Vec<(usize, &'a OperationOf<S>)>,
    before: Before<S>,
}

impl<S: Spec> Orders<'_, S> {
    /// Whether an order that begins with `taken` and has reached `states` can be completed.
    fn any(&self, taken: &mut Vec<usize>, states: &[S::State]) -> bool {
        let is_left = |index: &usize| !taken.contains(index);
        let left: Vec<usize> = (0..self.operations.len()).filter(is_left).collect();
        if left.iter().all(|index| self.operations[*index].1.outcome == Outcome::Unknown) {
            return true;
        }
        left.iter().any(|&index| self.may_be_next(index, &left) && self.take(index, taken, states))
    }

    /// Operations of unknown outcome never have to come before anything: they may be left out.
    fn may_be_next(&self, index: usize, left: &[usize]) -> bool {
        let (_, operation) = self.operations[index];
        left.iter().all(|other| {
            let (_, other) = self.operations[*other];
            other.outcome == Outcome::Unknown || !(self.before)(other, operation)
        })
    }

    fn take(&self, index: usize, taken: &mut Vec<usize>, states: &[S::State]) -> bool {
        let (object, operation) = self.operations[index];
        let answer = operation.answer();
        let Some(step) = self.spec.step(&operation.call, answer) else { return false };
        let Some(state) = self.spec.apply(&states[object], &step) else { return false };
        let mut states = states.to_vec();
        states[object] = state;
        taken.push(index);
        let is_found = self.any(taken, &states);
        taken.pop();
        is_found
    }
}
