//! Is there one legal order of everything, in which each client's operations keep their order?
//!
//! Sequential consistency is asked of all objects together: it does not compose. Source: L. Lamport,
//! "How to make a multiprocessor computer that correctly executes multiprocess programs", IEEE
//! Trans. Computers C-28(9) (1979).
//!
//! ```text
//!   every object linearizable? ─yes─► holds (locality: one order of real time for all)
//!     └no► forced orders in a cycle? ─yes─► violated
//!            └no► an object with no order of its own? ─yes─► violated
//!                   └no► search over all programs
//! ```

use std::collections::BTreeMap;

use crate::budget::{Budget, Exhausted, Spending};
use crate::engine::forced_order;
use crate::engine::program_order::{Found, Item, search};
use crate::engine::race as linearization;
use crate::explain;
use crate::history::{ClientId, OperationIndex, OperationOf};
use crate::keyed::KeyedHistory;
use crate::linearizable::{search_within, tasks};
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict, Violation};

/// Every object is linearizable, hence the whole is, hence it is sequentially consistent.
pub const LINEARIZABLE_PER_KEY: &str = "linearizable-per-key";
/// Orders forced by the specification and by the clients form a cycle.
pub const FORCED_ORDER: &str = "forced-order";
/// The search over the programs of all clients.
pub const PROGRAM_ORDER: &str = "program-order";

/// Steps to learn whether one object is linearizable.
const SUSPECT_STEPS_MAX: u64 = 20_000;
/// Steps of one re-check while a counter-example is made smaller.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 500_000;

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
    if let Some(violation) = whole.forced_cycle(spec) {
        let verdict = Verdict::Violated(violation);
        return Judgement { verdict, algorithm: FORCED_ORDER, steps: 0 };
    }
    let mut spending = Spending::new(budget);
    let suspects = suspects(spec, history, &mut spending);
    let verdict = whole.searched(spec, &suspects, &mut spending);
    Judgement { verdict, algorithm: PROGRAM_ORDER, steps: spending.spent() }
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

/// All operations of all objects: which client, which object, what they do.
struct Whole<'a, S: Spec> {
    operations: Vec<&'a OperationOf<S>>,
    keys: Vec<&'a str>,
    objects: Vec<usize>,
    /// What each operation does; none if it cannot matter.
    steps: Vec<Option<S::Step>>,
    /// Per client, its operations in order.
    programs: BTreeMap<ClientId, Vec<usize>>,
}

impl<'a, S: Spec> Whole<'a, S> {
    fn of(spec: &S, history: &'a KeyedHistory<S>) -> Self {
        let mut whole = Self {
            operations: Vec::new(),
            keys: history.parts().keys().map(String::as_str).collect(),
            objects: Vec::new(),
            steps: Vec::new(),
            programs: BTreeMap::new(),
        };
        for (object, part) in history.parts().values().enumerate() {
            for (operation, task) in part.operations().iter().zip(tasks(spec, part)) {
                whole.programs.entry(operation.client).or_default().push(whole.operations.len());
                whole.operations.push(operation);
                whole.objects.push(object);
                whole.steps.push(task.step);
            }
        }
        for program in whole.programs.values_mut() {
            program.sort_unstable_by_key(|index| whole.operations[*index].invoked);
        }
        whole
    }

    /// The programs of all clients, on all objects or on one.
    fn items(&self, only: Option<usize>) -> Vec<Vec<Item<S::Step>>> {
        let item = |&tag: &usize| {
            let object = self.objects[tag];
            let is_wanted = only.is_none_or(|only| only == object);
            let step = self.steps[tag].clone().filter(|_| is_wanted)?;
            let operation = self.operations[tag];
            let is_optional = operation.returned.is_none();
            Some(Item { step, object, is_optional, invoked: operation.invoked, tag })
        };
        self.programs.values().map(|program| program.iter().filter_map(item).collect()).collect()
    }

    /// A cycle of orders of which each is forced, among operations that certainly took effect.
    fn forced_cycle(&self, spec: &S) -> Option<Violation> {
        let forced = self.forced(spec);
        let is_certain = self.certain(&forced);
        let mut edges = forced;
        for program in self.programs.values() {
            edges.extend(program.windows(2).map(|pair| (pair[0], pair[1])));
        }
        edges.retain(|&(before, after)| is_certain[before] && is_certain[after]);
        let cycle = forced_order::cycle(self.operations.len(), &edges)?;
        let words: Vec<String> = cycle.iter().map(|index| self.in_words(*index)).collect();
        let explanation =
            format!("each must come before the next and the last before the first: {}", words.join("; "));
        Some(self.violation(&cycle, explanation))
    }

    /// What the specification of each object forces.
    fn forced(&self, spec: &S) -> Vec<(usize, usize)> {
        let mut edges = Vec::new();
        for object in 0..self.keys.len() {
            // Operations were listed object by object, so each has one range of indexes.
            let first = self.objects.partition_point(|other| *other < object);
            let end = self.objects.partition_point(|other| *other <= object);
            let forced = spec.forced(&self.steps[first..end]);
            edges.extend(forced.into_iter().map(|(before, after)| (first + before, first + after)));
        }
        edges
    }

    /// What was answered took effect, and what must come before something that did.
    fn certain(&self, forced: &[(usize, usize)]) -> Vec<bool> {
        let is_answered = |operation: &&OperationOf<S>| operation.returned.is_some();
        let mut is_certain: Vec<bool> = self.operations.iter().map(is_answered).collect();
        loop {
            let new = forced.iter().find(|(before, after)| is_certain[*after] && !is_certain[*before]);
            let Some(&(before, _)) = new else { return is_certain };
            is_certain[before] = true;
        }
    }

    /// Each suspect alone, for a part of a legal order is a legal order of the part; then all together.
    fn searched(&self, spec: &S, suspects: &[usize], spending: &mut Spending) -> Verdict {
        let is_alone = self.keys.len() == 1;
        for &object in suspects.iter().filter(|_| !is_alone) {
            let share = Budget { steps_max: spending.rest().steps_max / 2 };
            let items = self.items(Some(object));
            let (found, steps) = search(spec, &items, self.keys.len(), share);
            if spending.spend(steps).is_err() {
                return self.undecided(&[], spending);
            }
            if let Found::Illegal(_) = found {
                let mut violation = self.unorderable(spec, items);
                violation.key = Some(self.keys[object].to_owned());
                return Verdict::Violated(violation);
            }
        }
        let items = self.items(None);
        let (found, steps) = search(spec, &items, self.keys.len(), spending.rest());
        let spent = spending.spend(steps);
        match (found, spent) {
            (Found::Legal, _) => Verdict::Holds,
            (Found::Illegal(_), _) => Verdict::Violated(self.unorderable(spec, items)),
            (Found::Exhausted(open), Ok(()) | Err(Exhausted)) => self.undecided(&open, spending),
        }
    }

    fn unorderable(&self, spec: &S, items: Vec<Vec<Item<S::Step>>>) -> Violation {
        let core =
            smallest_part(spec, items, self.keys.len(), |tag| spec.step(&self.operations[tag].call, None));
        let explanation = format!(
            "no order of {} is legal and keeps the order of each client",
            explain::listed(core.iter().map(|index| self.in_words(*index)), core.len())
        );
        self.violation(&core, explanation)
    }

    fn violation(&self, indexes: &[usize], explanation: String) -> Violation {
        let mut operations: Vec<OperationIndex> =
            indexes.iter().map(|index| self.operations[*index].number).collect();
        operations.sort_unstable();
        Violation { operations, explanation, ..Violation::default() }
    }

    fn undecided(&self, open: &[usize], spending: &Spending) -> Verdict {
        let open = open.iter().map(|index| self.operations[*index].number).collect();
        Verdict::Undecided(Undecided { open, steps: spending.spent() })
    }

    fn in_words(&self, index: usize) -> String {
        let words = explain::in_words::<S>(self.operations[index]);
        if self.keys.len() == 1 { words } else { format!("{words} on {}", self.keys[self.objects[index]]) }
    }
}

/// Tags of a part that still has no order when every other operation may be left out.
///
/// Where a re-check needs too many steps, the operation is kept.
fn smallest_part<S: Spec>(
    spec: &S,
    mut items: Vec<Vec<Item<S::Step>>>,
    object_count: usize,
    weakened: impl Fn(usize) -> Option<S::Step>,
) -> Vec<usize> {
    let mut tags: Vec<usize> =
        items.iter().flatten().filter(|item| !item.is_optional).map(|item| item.tag).collect();
    tags.sort_unstable();
    let mut spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
    let mut chunk = tags.len().next_power_of_two();
    while chunk > 0 {
        let mut end = tags.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let smaller = without(&items, &tags[start..end], &weakened);
            let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(spending.rest().steps_max) };
            let (found, steps) = search(spec, &smaller, object_count, budget);
            if spending.spend(steps).is_err() {
                return tags;
            }
            if let Found::Illegal(_) = found {
                items = smaller;
                tags.drain(start..end);
            }
            end = start;
        }
        chunk /= 2;
    }
    tags
}

/// The programs in which the operations with these tags, sorted, have unknown outcomes.
fn without<T: Clone>(
    items: &[Vec<Item<T>>],
    tags: &[usize],
    weakened: impl Fn(usize) -> Option<T>,
) -> Vec<Vec<Item<T>>> {
    let weaken = |item: &Item<T>| {
        if tags.binary_search(&item.tag).is_err() {
            return Some(item.clone());
        }
        weakened(item.tag).map(|step| Item { step, is_optional: true, ..item.clone() })
    };
    items.iter().map(|program| program.iter().filter_map(weaken).collect()).collect()
}

#[cfg(test)]
mod tests;
