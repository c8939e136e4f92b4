//! Does everybody agree in the end? Eventual consistency, judged on a finite history.
//!
//! Once all answered updates of an object have returned, the last observation that each client then
//! began is right after all of these updates, and any of those of unknown outcome, in one order
//! common to all clients. So a replica that lags for good, or two that disagree for good, are found.
//! Objects are judged one by one; an object that nobody observes then has nothing to say.
//!
//! An update of unknown outcome may be visible to one client and not, or not yet, to another. With
//! that, a linearizable history converges: its own order is the common one.
//!
//! Source: the term is that of W. Vogels, "Eventually consistent", Commun. ACM 52(1) (2009); visibility
//! and arbitration are those of S. Burckhardt, "Principles of eventual consistency", Found. Trends
//! Program. Lang. 1(1-2) (2014). Asking it of the last observations of a finite history is ours.

mod last_write;

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::engine::visibility::problem::Duty;
use crate::history::{ClientId, History};
use crate::keyed::KeyedHistory;
use crate::linearizable::by_key;
use crate::spec::Spec;
use crate::verdict::{Judgement, Verdict};
use crate::weak::Explanation;
use crate::weak::searched::{Asked, is_update};

/// Nobody observed anything at the end: there is nothing to be judged.
pub const VACUOUS: &str = "vacuous";
/// Objects that are only read and written: all final reads find the same last write.
pub const LAST_WRITE: &str = "last-write";
/// The search for an order of all updates.
pub const FINAL_ORDER: &str = "final-order";

/// Whether all clients agree in the end. [Vacuous](VACUOUS) if no client observes anything then.
pub fn convergence<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    let mut algorithm = VACUOUS;
    let judgement = by_key(history, budget, |key, part, slice| {
        let judgement = of_object(spec, key, part, slice);
        // What was needed for some object is what was needed for all.
        if algorithm == VACUOUS || judgement.algorithm == FINAL_ORDER {
            algorithm = judgement.algorithm;
        }
        judgement
    });
    Judgement { algorithm, ..judgement }
}

/// An order of all updates, and what each last observation sees of those of unknown outcome. None if they
/// do not agree, or no order is found within the budget.
pub fn explanation<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Option<Explanation> {
    let mut all = Explanation::default();
    for (key, part) in history.parts() {
        let last = last_observations(spec, part);
        let number = |place: usize| part.operations()[place].number;
        if let Some((order, sees)) = last_write::explanation(spec, part, &last) {
            all.arbitration.extend(order.into_iter().map(number));
            all.sees.extend(sees.into_iter().map(|(reader, write)| (number(reader), vec![number(write)])));
        } else {
            let is_observed = (0..part.len()).map(|place| last.binary_search(&place).is_ok()).collect();
            let operations = part.operations().iter().map(|operation| (key.as_str(), operation)).collect();
            let found = Asked::of(spec, part, Duty::All, operations, is_observed).explanation(budget)?;
            all.arbitration.extend(found.arbitration);
            all.sees.extend(found.sees);
        }
    }
    Some(all)
}

/// How many observations convergence is judged by: those that clients made last, and of an object whose
/// answered updates had all returned.
pub fn final_observation_count<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> usize {
    history.parts().values().map(|part| last_observations(spec, part).len()).sum()
}

fn of_object<S: Spec>(spec: &S, key: &str, part: &History<S>, budget: Budget) -> Judgement {
    let last = last_observations(spec, part);
    if last.is_empty() {
        return Judgement { verdict: Verdict::Holds, algorithm: VACUOUS, steps: 0 };
    }
    if let Some(verdict) = last_write::verdict(spec, part, &last) {
        return Judgement { verdict, algorithm: LAST_WRITE, steps: part.len() as u64 };
    }
    let is_observed = (0..part.len()).map(|place| last.binary_search(&place).is_ok()).collect();
    let operations = part.operations().iter().map(|operation| (key, operation)).collect();
    Asked::of(spec, part, Duty::All, operations, is_observed).judged(budget, FINAL_ORDER, "convergence")
}

/// The places of the last observation that each client began after all answered updates had returned.
fn last_observations<S: Spec>(spec: &S, part: &History<S>) -> Vec<usize> {
    let operations = part.operations();
    let updates = operations.iter().filter(|operation| is_update(spec, operation));
    let end = updates.filter_map(|operation| operation.returned).max();
    let mut last: BTreeMap<ClientId, usize> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        let is_late = end.is_none_or(|end| operation.invoked > end);
        if operation.returned.is_some() && is_late {
            last.insert(operation.client, place);
        }
    }
    let mut last: Vec<usize> = last.into_values().collect();
    last.sort_unstable();
    last
}

#[cfg(test)]
mod tests;
