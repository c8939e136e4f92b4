//! Is there one legal order of everything, in which each client's operations keep their order?
//!
//! Sequential consistency is asked of all objects together: it does not compose. Source: L. Lamport,
//! "How to make a multiprocessor computer that correctly executes multiprocess programs", IEEE
//! Trans. Computers C-28(9) (1979).
//!
//! ```text
//!   every object linearizable? ─yes─► holds (locality: one order of real time for all)
//!     └no► an algorithm of its own applies? ─yes─► what it says, its order checked
//!            └no► forced orders in a cycle? ─yes─► violated
//!                   └no► an object with no order of its own? ─yes─► violated
//!                          └no► search over all programs
//! ```

mod ruled;
mod smallest;
mod whole;

use crate::budget::{Budget, Exhausted, Spending};
use crate::engine::first_sight::{AtOnce, FIRST_SIGHT};
use crate::engine::program_order::{Found, Item, legal_order, search};
use crate::engine::programs;
use crate::engine::race as linearization;
use crate::engine::view::Answered;
use crate::history::OperationIndex;
use crate::keyed::KeyedHistory;
use crate::linearizable::{search_within, tasks};
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict, Violation};
use whole::Whole;

/// Every object is linearizable, hence the whole is, hence it is sequentially consistent.
pub const LINEARIZABLE_PER_KEY: &str = "linearizable-per-key";
/// Orders forced by the specification and by the clients form a cycle.
pub const FORCED_ORDER: &str = "forced-order";
/// The search over the programs of all clients.
pub const PROGRAM_ORDER: &str = "program-order";

/// What is claimed of operations without an order.
const UNORDERABLE: &str = "no order of {} is legal and keeps the order of each client, \
     whichever of the other operations are added";

/// Steps to learn whether one object is linearizable.
const SUSPECT_STEPS_MAX: u64 = 20_000;
/// How many times as many the search of each may take in each round after the first.
const SLICE_GROWTH: u64 = 4;

/// Whether the history over all objects is sequentially consistent.
///
/// `per_key`: what [`linearizable_by_key`](crate::linearizable::linearizable_by_key) says of the same
/// history. If it holds, nothing is left to do.
pub fn sequential<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    per_key: &Judgement,
    budget: Budget,
) -> Judgement {
    if per_key.verdict.holds() {
        return Judgement { verdict: Verdict::Holds, algorithm: LINEARIZABLE_PER_KEY, steps: 0 };
    }
    let whole = Whole::of(spec, history);
    if let Some(judgement) = by_shortcut(spec, &whole, budget) {
        return judgement;
    }
    if let Some(violation) = at_first_sight(spec, history, &whole) {
        let verdict = Verdict::Violated(violation);
        return Judgement { verdict, algorithm: FIRST_SIGHT, steps: history.len() as u64 };
    }
    if let Some(violation) = whole.forced_cycle(spec) {
        let verdict = Verdict::Violated(violation);
        return Judgement { verdict, algorithm: FORCED_ORDER, steps: 0 };
    }
    let mut spending = Spending::new(budget);
    let suspects = suspects(spec, history, &mut spending);
    let verdict = searched(spec, &whole, &suspects, &mut spending);
    Judgement { verdict, algorithm: PROGRAM_ORDER, steps: spending.spent() }
}

/// An order that proves the history sequentially consistent. None if there is none, or none is found
/// within the budget.
pub fn sequential_order<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    budget: Budget,
) -> Option<Vec<OperationIndex>> {
    let whole = Whole::of(spec, history);
    let programs = whole.programs();
    match spec.sequential_shortcut(&programs, budget).map(|ruling| ruling.found) {
        Some(programs::Found::Order(order)) => Some(ruled::proven(spec, &programs, &order)),
        Some(programs::Found::Contradiction(_) | programs::Found::Exhausted(_)) => None,
        None => {
            let order = legal_order(spec, &whole.items(None), whole.keys.len(), budget)?;
            Some(order.into_iter().map(|index| whole.operations[index].number).collect())
        }
    }
}

/// Answers of one object that no order explains, whatever the clients did before.
fn at_first_sight<S: Spec>(spec: &S, history: &KeyedHistory<S>, whole: &Whole<'_, S>) -> Option<Violation> {
    let mut first = 0;
    for (key, part) in history.parts() {
        if let Some(conflict) = spec.first_sight(&AtOnce(&Answered { spec, history: part })) {
            // Operations are listed object by object.
            let places: Vec<usize> = conflict.places.iter().map(|place| first + place).collect();
            let words = places.iter().map(|index| whole.in_words(*index));
            let violation = whole.violation(&places, words, UNORDERABLE, Some(conflict.reason));
            let key = (whole.keys.len() > 1).then(|| key.clone());
            return Some(Violation { key, ..violation });
        }
        first += part.len();
    }
    None
}

/// What an algorithm of the specification's own says, if one applies.
fn by_shortcut<S: Spec>(spec: &S, whole: &Whole<'_, S>, budget: Budget) -> Option<Judgement> {
    let programs = whole.programs();
    let ruling = spec.sequential_shortcut(&programs, budget)?;
    let verdict = match &ruling.found {
        programs::Found::Order(order) => {
            ruled::proven(spec, &programs, order);
            Verdict::Holds
        }
        programs::Found::Contradiction(contradiction) => {
            Verdict::Violated(ruled::violation(spec, whole, &programs, contradiction))
        }
        programs::Found::Exhausted(open) => {
            let open = open.iter().map(|place| programs.at(*place).number).collect();
            Verdict::Undecided(Undecided { open, steps: ruling.steps })
        }
    };
    Some(Judgement { verdict, algorithm: ruling.algorithm, steps: ruling.steps })
}

/// The objects that are not known to be linearizable, by index in key order.
fn suspects<S: Spec>(spec: &S, history: &KeyedHistory<S>, spending: &mut Spending) -> Vec<usize> {
    let mut suspects = Vec::new();
    for (object, part) in history.parts().values().enumerate() {
        let found = search_within(spec, &tasks(spec, part), SUSPECT_STEPS_MAX, spending);
        if found != Some(linearization::Found::Legal) {
            suspects.push(object);
        }
    }
    suspects
}

/// Each suspect alone, for a part of a legal order is a legal order of the part; then all together.
fn searched<S: Spec>(spec: &S, whole: &Whole<'_, S>, suspects: &[usize], spending: &mut Spending) -> Verdict {
    let is_alone = whole.keys.len() == 1;
    let mut open: Vec<usize> = suspects.iter().copied().filter(|_| !is_alone).collect();
    let mut slice = SUSPECT_STEPS_MAX;
    while !open.is_empty() {
        let share = spending.rest().steps_max / 2;
        let mut left = Vec::new();
        for object in open {
            let items = whole.items(Some(object));
            let budget = Budget { steps_max: slice.min(spending.rest().steps_max / 2) };
            let (found, steps) = search(spec, &items, whole.keys.len(), budget);
            if spending.spend(steps).is_err() {
                return undecided(whole, &[], spending);
            }
            match found {
                Found::Illegal(_) => {
                    let mut violation = unorderable(spec, whole, &items);
                    violation.key = Some(whole.keys[object].to_owned());
                    return Verdict::Violated(violation);
                }
                Found::Exhausted(_) => left.push(object),
                Found::Legal => {}
            }
        }
        if slice >= share {
            break;
        }
        slice = slice.saturating_mul(SLICE_GROWTH);
        open = left;
    }
    let items = whole.items(None);
    let (found, steps) = search(spec, &items, whole.keys.len(), spending.rest());
    let spent = spending.spend(steps);
    match (found, spent) {
        (Found::Legal, _) => Verdict::Holds,
        (Found::Illegal(_), _) => Verdict::Violated(unorderable(spec, whole, &items)),
        (Found::Exhausted(open), Ok(()) | Err(Exhausted)) => undecided(whole, &open, spending),
    }
}

fn unorderable<S: Spec>(spec: &S, whole: &Whole<'_, S>, items: &[Vec<Item<S::Step>>]) -> Violation {
    let core = smallest::smallest_part(spec, items, whole.keys.len());
    let words = core.iter().map(|index| whole.in_words(*index));
    whole.violation(&core, words, UNORDERABLE, None)
}

fn undecided<S: Spec>(whole: &Whole<'_, S>, open: &[usize], spending: &Spending) -> Verdict {
    let open: Vec<OperationIndex> = open.iter().map(|index| whole.operations[*index].number).collect();
    Verdict::Undecided(Undecided { open, steps: spending.spent() })
}

#[cfg(test)]
mod tests;
