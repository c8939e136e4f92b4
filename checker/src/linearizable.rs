//! Is there a legal order in which every operation takes effect between its call and its answer?
//!
//! Source: M. P. Herlihy and J. M. Wing, "Linearizability: a correctness condition for concurrent
//! objects", ACM TOPLAS 12(3) (1990); also for locality: a history over several objects is
//! linearizable if and only if the part of each object is.

use crate::budget::{Budget, Spending};
use crate::engine::first_sight::FIRST_SIGHT;
use crate::engine::race::{self, Found, Outcome as Raced, Winner, breadth_first, race};
use crate::engine::shortcut::{Conflict, Decision, Finding};
use crate::engine::timeline::Task;
use crate::engine::view::Answered;
use crate::engine::witness;
use crate::explain;
use crate::history::{History, OperationIndex, OperationOf};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict, Violation};

/// The search over sets of configurations, breadth first.
pub const CONFIGURATIONS: &str = "configurations";
/// The search that follows one configuration at a time.
pub const DEPTH_FIRST: &str = "depth-first";
/// The proof by an order that came with the history.
pub const WITNESS: &str = "witness";

/// Steps that each object may take in the first round of searches.
const FIRST_SLICE_STEPS: u64 = 4_096;
/// How many times as many it may take in each round after that.
const SLICE_GROWTH: u64 = 4;

/// Whether the history of one object is linearizable; if not, with its smallest failing part.
///
/// By a near-linear algorithm where the history allows one, else by search.
pub fn linearizable<S: Spec>(spec: &S, history: &History<S>, budget: Budget) -> Judgement {
    let view = Answered { spec, history };
    if let Some(decision) = spec.shortcut(&view) {
        return by_shortcut(decision, history, |conflict| explain::by_shortcut(spec, history, conflict));
    }
    if let Some(conflict) = spec.first_sight(&view) {
        return at_first_sight(history, explain::at_first_sight(spec, history, conflict));
    }
    by_search(spec, history, budget, |tasks, stuck| explain::linearizability(spec, history, tasks, stuck))
}

/// The same, several times as fast if not: a violation only says where it was found.
pub fn linearizable_unexplained<S: Spec>(spec: &S, history: &History<S>, budget: Budget) -> Judgement {
    let view = Answered { spec, history };
    if let Some(decision) = spec.shortcut(&view) {
        return by_shortcut(decision, history, |conflict| explain::conflict(history, conflict));
    }
    if let Some(conflict) = spec.first_sight(&view) {
        return at_first_sight(history, explain::conflict(history, &conflict));
    }
    by_search(spec, history, budget, |_, stuck| explain::where_stuck(history, stuck))
}

/// The judgement where one pass shows that there is no order.
fn at_first_sight<S: Spec>(history: &History<S>, violation: Violation) -> Judgement {
    let verdict = Verdict::Violated(violation);
    Judgement { verdict, algorithm: FIRST_SIGHT, steps: history.len() as u64 }
}

fn by_shortcut<S: Spec>(
    decision: Decision,
    history: &History<S>,
    violation: impl FnOnce(&Conflict) -> Violation,
) -> Judgement {
    let verdict = match &decision.finding {
        Finding::Legal => Verdict::Holds,
        Finding::Illegal(conflict) => Verdict::Violated(violation(conflict)),
    };
    Judgement { verdict, algorithm: decision.algorithm, steps: history.len() as u64 }
}

fn by_search<S: Spec>(
    spec: &S,
    history: &History<S>,
    budget: Budget,
    violation: impl FnOnce(&[Task<S::Step>], explain::Stuck) -> Violation,
) -> Judgement {
    if budget.steps_max == 0 {
        let verdict = Verdict::Undecided(Undecided::default());
        return Judgement { verdict, algorithm: CONFIGURATIONS, steps: 0 };
    }
    let tasks = tasks(spec, history);
    let Raced { found, winner, steps } = race(spec, &tasks, budget);
    let verdict = match found {
        Found::Legal => Verdict::Holds,
        Found::Stuck { place, returned_count } => {
            Verdict::Violated(violation(&tasks, explain::Stuck { place, returned_count, steps }))
        }
        Found::Exhausted { open } => {
            let open = open.into_iter().map(|place| history.operations()[place].number).collect();
            Verdict::Undecided(Undecided { open, steps })
        }
    };
    let algorithm = match winner {
        Winner::BreadthFirst => CONFIGURATIONS,
        Winner::DepthFirst => DEPTH_FIRST,
    };
    Judgement { verdict, algorithm, steps }
}

/// The same, with an order that is claimed to be legal: by commit index, for example.
///
/// A good order is a proof in O(n). It may leave out unknown operations and answered observations
/// (reads, refusals): these are placed. An order that is no proof means nothing; then the search decides.
pub fn linearizable_by_witness<S: Spec>(
    spec: &S,
    history: &History<S>,
    witness: &[OperationIndex],
    budget: Budget,
) -> Judgement {
    proven(spec, history, witness).unwrap_or_else(|| linearizable(spec, history, budget))
}

/// That it holds, if this order proves it.
pub(crate) fn proven<S: Spec>(
    spec: &S,
    history: &History<S>,
    witness: &[OperationIndex],
) -> Option<Judgement> {
    let steps = history.len() as u64;
    is_proof(spec, history, witness).then_some(Judgement {
        verdict: Verdict::Holds,
        algorithm: WITNESS,
        steps,
    })
}

/// An order that proves the history of one object linearizable: a witness.
///
/// Holds every answered operation that can matter, and the unknown ones that must have taken effect.
/// None if the history is not linearizable, or no order is found within the budget.
pub fn legal_order<S: Spec>(spec: &S, history: &History<S>, budget: Budget) -> Option<Vec<OperationIndex>> {
    let view = Answered { spec, history };
    let places = match spec.shortcut(&view) {
        Some(Decision { finding: Finding::Illegal(_), .. }) => return None,
        Some(Decision { finding: Finding::Legal, .. }) => spec.shortcut_order(&view)?,
        None if spec.first_sight(&view).is_some() => return None,
        None => race::legal_order(spec, &tasks(spec, history), budget)?,
    };
    Some(places.into_iter().map(|place| history.operations()[place].number).collect())
}

/// Whether an order proves the history of one object linearizable. See [`linearizable_by_witness`].
pub fn is_proof<S: Spec>(spec: &S, history: &History<S>, witness: &[OperationIndex]) -> bool {
    let places: Option<Vec<usize>> = witness.iter().map(|number| history.find(*number)).collect();
    places.is_some_and(|places| witness::proves(spec, &tasks(spec, history), &places))
}

/// A recorded order with all observations in their places, if it proves the history linearizable.
pub(crate) fn completed_witness<S: Spec>(
    spec: &S,
    history: &History<S>,
    witness: &[OperationIndex],
) -> Option<Vec<OperationIndex>> {
    let places: Option<Vec<usize>> = witness.iter().map(|number| history.find(*number)).collect();
    let order = witness::completed(spec, &tasks(spec, history), &places?)?;
    Some(order.into_iter().map(|place| history.operations()[place].number).collect())
}

/// Whether every object's part is linearizable; each may spend the whole budget.
///
/// The searches go round all objects in growing slices, and end with the first object that is found
/// violated; else the first undecided one in key order is reported.
pub fn linearizable_by_key<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    by_key(history, budget, |_, part, slice| linearizable(spec, part, slice))
}

/// The same, several times as fast if not: a violation only says where it was found.
pub fn linearizable_by_key_unexplained<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    budget: Budget,
) -> Judgement {
    by_key(history, budget, |_, part, slice| linearizable_unexplained(spec, part, slice))
}

/// Judges part by part, in rounds: first what needs no search, then each part that is left with a slice
/// of the budget, then with larger ones, up to the whole budget. The first part that is found violated ends
/// it; else the first undecided one in key order counts.
pub(crate) fn by_key<S: Spec>(
    history: &KeyedHistory<S>,
    budget: Budget,
    mut judge: impl FnMut(&str, &History<S>, Budget) -> Judgement,
) -> Judgement {
    let mut total = Judgement { verdict: Verdict::Holds, algorithm: WITNESS, steps: 0 };
    if history.is_empty() {
        total.algorithm = CONFIGURATIONS;
    }
    let parts: Vec<(&String, &History<S>)> = history.parts().iter().collect();
    let mut undecided: Vec<(usize, Judgement)> = Vec::new();
    let mut open: Vec<usize> = (0..parts.len()).collect();
    for slice in slices(parts.len(), budget) {
        undecided.clear();
        for index in std::mem::take(&mut open) {
            let (key, part) = parts[index];
            let mut judged = judge(key, part, slice);
            total.steps = total.steps.saturating_add(judged.steps);
            match &mut judged.verdict {
                Verdict::Violated(violation) => {
                    violation.key = Some(key.clone());
                    if parts.len() > 1 {
                        violation.explanation = format!("{key}: {}", violation.explanation);
                    }
                    return Judgement { steps: total.steps, ..judged };
                }
                Verdict::Undecided(_) => {
                    open.push(index);
                    undecided.push((index, judged));
                }
                Verdict::Holds if judged.algorithm != WITNESS => total.algorithm = judged.algorithm,
                Verdict::Holds => {}
            }
        }
        if open.is_empty() {
            break;
        }
    }
    match undecided.into_iter().next() {
        Some((_, first)) => Judgement { steps: total.steps, ..first },
        None => total,
    }
}

/// What a part may spend in each round.
fn slices(part_count: usize, budget: Budget) -> impl Iterator<Item = Budget> {
    let whole = budget.steps_max;
    let first = if part_count > 1 { 0 } else { whole };
    let next = move |steps: &u64| {
        let grown = FIRST_SLICE_STEPS.max(steps.saturating_mul(SLICE_GROWTH));
        (*steps < whole).then(|| grown.min(whole))
    };
    std::iter::successors(Some(first), next).map(|steps_max| Budget { steps_max })
}

/// What each operation does; none if it cannot matter.
pub(crate) fn steps<S: Spec>(spec: &S, history: &History<S>) -> Vec<Option<S::Step>> {
    let step = |operation: &OperationOf<S>| spec.step(&operation.call, operation.answer());
    let mut steps: Vec<Option<S::Step>> = history.operations().iter().map(step).collect();
    let is_unknown = |place: usize| history.operations()[place].returned.is_none();
    spec.simplify(&mut steps, &is_unknown);
    steps
}

/// The operations as a search sees them.
pub(crate) fn tasks<S: Spec>(spec: &S, history: &History<S>) -> Vec<Task<S::Step>> {
    let operations = history.operations().iter();
    operations
        .zip(steps(spec, history))
        .map(|(operation, step)| Task {
            step,
            invoked: operation.invoked,
            returned: operation.returned,
            expires: None,
        })
        .collect()
}

/// A small search inside a larger question; its steps count there.
pub(crate) fn search_within<S: Spec>(
    spec: &S,
    tasks: &[Task<S::Step>],
    steps_max: u64,
    spending: &mut Spending,
) -> Option<Found> {
    let steps_max = steps_max.min(spending.rest().steps_max);
    let (found, steps) = breadth_first(spec, tasks, Budget { steps_max });
    spending.spend(steps).ok().map(|()| found)
}

#[cfg(test)]
mod tests;
