//! Orders of operations: complete, legal, and in real time or in the order of each client.

use std::collections::BTreeMap;

use super::{Refusal, Whole};
use crate::history::OperationIndex;
use crate::spec::Spec;

/// Whether each object has an order that proves it linearizable. O(n).
pub(super) fn in_real_time<S: Spec>(
    whole: &Whole<'_, S>,
    orders: &BTreeMap<String, Vec<OperationIndex>>,
) -> Result<(), Refusal> {
    let mut all = Vec::with_capacity(whole.acts.len());
    for (key, order) in orders {
        let object = whole.keys.iter().position(|other| other == key);
        // No operation comes after one that was invoked only when it had returned.
        let mut invoked = 0;
        for place in whole.find_all(order)? {
            let act = &whole.acts[place];
            if Some(act.object) != object {
                return Err(Refusal::Misplaced(act.number(), "is of another object"));
            }
            invoked = invoked.max(act.operation.invoked);
            if act.operation.returned.is_some_and(|returned| returned < invoked) {
                return Err(Refusal::Misplaced(act.number(), "had returned before one that it comes after"));
            }
            all.push(place);
        }
    }
    is_legal(whole, &all)
}

/// Whether one order of all operations keeps the order of each client. O(n).
pub(super) fn in_program_order<S: Spec>(
    whole: &Whole<'_, S>,
    order: &[OperationIndex],
) -> Result<(), Refusal> {
    let all = whole.find_all(order)?;
    let mut last = vec![None; whole.client_count];
    for &place in &all {
        let act = &whole.acts[place];
        if last[act.client].replace(place) > Some(place) {
            return Err(Refusal::Misplaced(act.number(), "comes after a later one of its client"));
        }
    }
    is_legal(whole, &all)
}

/// Whether every step is legal and no answered operation is missing.
fn is_legal<S: Spec>(whole: &Whole<'_, S>, order: &[usize]) -> Result<(), Refusal> {
    let mut states: Vec<S::State> = whole.keys.iter().map(|_| whole.spec.initial()).collect();
    let mut is_placed = vec![false; whole.acts.len()];
    for &place in order {
        let act = &whole.acts[place];
        if std::mem::replace(&mut is_placed[place], true) {
            return Err(Refusal::Misplaced(act.number(), "comes twice"));
        }
        if !whole.spec.advance(&mut states[act.object], act.step()) {
            return Err(Refusal::Misplaced(act.number(), "is not legal where it stands"));
        }
    }
    let is_missing = |place: &usize| {
        let act = &whole.acts[*place];
        !is_placed[*place] && act.is_answered() && act.step.is_some()
    };
    match (0..whole.acts.len()).find(is_missing) {
        Some(place) => Err(Refusal::Missing(whole.acts[place].number())),
        None => Ok(()),
    }
}
