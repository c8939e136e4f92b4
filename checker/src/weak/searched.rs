//! The weaker levels of any model: what a search is given, and how its answer is explained.

use std::collections::BTreeMap;

use super::{Explanation, Guarantee, WeakLevel};
use crate::budget::{Budget, Exhausted, Spending};
use crate::engine::first_sight::AtOnce;
use crate::engine::view::{Answered, Prefix, Weakened};
use crate::engine::visibility::problem::{Duty, InSession, Observation, Problem, Update};
use crate::engine::visibility::reach::{Impossible, impossible};
use crate::engine::visibility::{self, Found, search};
use crate::explain::{self, Located};
use crate::history::{ClientId, OperationIndex, OperationOf};
use crate::keyed::KeyedHistory;
use crate::linearizable::by_key;
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict, Violation};

/// Steps to learn of one object whether an answer is impossible: in a re-check, and for each update.
const RECHECK_REACH_STEPS_MAX: u64 = 100;
const REACH_STEPS_AN_UPDATE: u64 = 20;
/// Steps of one re-check while a counter-example is made smaller.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 200_000;

/// Judges a level by search.
pub(super) fn judged<S: Spec>(
    level: WeakLevel,
    spec: &S,
    history: &KeyedHistory<S>,
    budget: Budget,
    algorithm: &'static str,
) -> Judgement {
    if let Some(violation) = at_first_sight(spec, history) {
        let verdict = Verdict::Violated(violation);
        return Judgement { verdict, algorithm, steps: history.len() as u64 };
    }
    let duty = Duty::Guarantees(level.guarantees());
    let whole = |operations: Vec<(&str, &OperationOf<S>)>, budget: Budget| {
        let is_observed = operations.iter().map(|(_, operation)| operation.returned.is_some()).collect();
        Asked::of(spec, history, duty, operations, is_observed).judged(budget, algorithm, level.name())
    };
    match level {
        // These two say nothing of how objects are related: each has a visibility of its own.
        WeakLevel::Only(Guarantee::ReadYourWrites | Guarantee::MonotonicReads) => {
            let parts = by_key(history, budget, |key, part, slice| {
                whole(part.operations().iter().map(|operation| (key, operation)).collect(), slice)
            });
            Judgement { algorithm, ..parts }
        }
        WeakLevel::Causal
        | WeakLevel::Pram
        | WeakLevel::Only(Guarantee::MonotonicWrites | Guarantee::WritesFollowReads) => {
            whole(history.by_invocation(), budget)
        }
    }
}

/// An explanation found by search.
pub(super) fn explanation<S: Spec>(
    level: WeakLevel,
    spec: &S,
    history: &KeyedHistory<S>,
    budget: Budget,
) -> Option<Explanation> {
    let duty = Duty::Guarantees(level.guarantees());
    let whole = |operations: Vec<(&str, &OperationOf<S>)>| {
        let is_observed = operations.iter().map(|(_, operation)| operation.returned.is_some()).collect();
        Asked::of(spec, history, duty, operations, is_observed).explanation(budget)
    };
    match level {
        WeakLevel::Only(Guarantee::ReadYourWrites | Guarantee::MonotonicReads) => {
            let mut all = Explanation::default();
            for (key, part) in history.parts() {
                let of_key =
                    whole(part.operations().iter().map(|operation| (key.as_str(), operation)).collect())?;
                all.arbitration.extend(of_key.arbitration);
                all.sees.extend(of_key.sees);
            }
            Some(over_all_objects(level, history, all))
        }
        WeakLevel::Causal
        | WeakLevel::Pram
        | WeakLevel::Only(Guarantee::MonotonicWrites | Guarantee::WritesFollowReads) => {
            whole(history.by_invocation())
        }
    }
}

/// What was found object by object, with what the level makes visible of other objects.
fn over_all_objects<S: Spec>(
    level: WeakLevel,
    history: &KeyedHistory<S>,
    mut all: Explanation,
) -> Explanation {
    let clients: BTreeMap<OperationIndex, ClientId> = history
        .by_invocation()
        .into_iter()
        .map(|(_, operation)| (operation.number, operation.client))
        .collect();
    all.sees.sort_unstable_by_key(|(one, _)| *one);
    let mut last: BTreeMap<ClientId, usize> = BTreeMap::new();
    for at in 0..all.sees.len() {
        let one = all.sees[at].0;
        let client = clients[&one];
        let earlier = last.insert(client, at);
        let more: Vec<OperationIndex> = match level {
            WeakLevel::Only(Guarantee::MonotonicReads) => {
                earlier.map(|earlier| all.sees[earlier].1.clone()).unwrap_or_default()
            }
            _ => all
                .arbitration
                .iter()
                .copied()
                .filter(|other| *other < one && clients[other] == client)
                .collect(),
        };
        let seen = &mut all.sees[at].1;
        seen.extend(more);
        seen.sort_unstable();
        seen.dedup();
    }
    all
}

/// An answer that no updates explain, in whatever order, whichever of them are seen.
fn at_first_sight<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> Option<Violation> {
    history.parts().iter().find_map(|(key, part)| {
        let conflict = spec.first_sight(&AtOnce(&Answered { spec, history: part }))?;
        // Of several operations each may see other updates.
        let &[place] = conflict.places.as_slice() else { return None };
        // The claim is about this answer alone, whatever the others were told.
        let whole = Prefix::new(spec, part, u64::MAX);
        let conflict = spec.first_sight(&AtOnce(&Weakened { prefix: &whole, known: &[place] }))?;
        if conflict.places != [place] {
            return None;
        }
        let operation = &part.operations()[place];
        let named = (history.parts().len() > 1).then_some(key.as_str());
        let words = std::iter::once(explain::in_words::<S>(part, operation, named));
        let numbers = vec![operation.number];
        let claim = "no updates, in whatever order, explain {}";
        let violation = Violation::claimed(numbers, words, claim, Some(conflict.reason));
        Some(Violation { key: Some(key.clone()), ..violation })
    })
}

/// Whether the operation may have changed something.
pub(crate) fn is_update<S: Spec>(spec: &S, operation: &OperationOf<S>) -> bool {
    updates_if(spec, &operation.call, operation.answer())
}

/// Whether an operation changes something if it is answered this, or nothing is known of its answer.
fn updates_if<S: Spec>(spec: &S, call: &S::Call, answer: Option<&S::Answer>) -> bool {
    let is_refused = answer.is_some_and(S::is_refusal);
    let step = spec.step(call, answer);
    !is_refused && step.is_some_and(|step| !spec.only_observes(&spec.initial(), &step))
}

/// Operations of which a visibility and an arbitration are asked, by invocation.
pub(crate) struct Asked<'a, S: Spec> {
    spec: &'a S,
    located: &'a dyn Located,
    duty: Duty,
    operations: Vec<(&'a str, &'a OperationOf<S>)>,
    /// Which of them count as observations.
    is_observed: Vec<bool>,
    objects: Vec<usize>,
    places: Vec<InSession>,
}

impl<'a, S: Spec> Asked<'a, S> {
    pub(crate) fn of(
        spec: &'a S,
        located: &'a dyn Located,
        duty: Duty,
        operations: Vec<(&'a str, &'a OperationOf<S>)>,
        is_observed: Vec<bool>,
    ) -> Self {
        let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sessions: BTreeMap<ClientId, (usize, usize)> = BTreeMap::new();
        let (mut objects, mut places) = (Vec::new(), Vec::new());
        for (key, operation) in &operations {
            let next = keys.len();
            objects.push(*keys.entry(key).or_insert(next));
            let next = sessions.len();
            let (session, count) = sessions.entry(operation.client).or_insert((next, 0));
            places.push(InSession { session: *session, at: *count });
            *count += 1;
        }
        Self { spec, located, duty, operations, is_observed, objects, places }
    }

    /// The verdict of the search; `level` is its name in an explanation.
    pub(crate) fn judged(&self, budget: Budget, algorithm: &'static str, level: &str) -> Judgement {
        let mut spending = Spending::new(budget);
        let problem = self.problem(&vec![false; self.operations.len()]);
        // Some models have infinitely many states: to explore them must not cost more than to search.
        let reach_steps_max = RECHECK_REACH_STEPS_MAX + REACH_STEPS_AN_UPDATE * problem.updates.len() as u64;
        if let Some(found) = impossible(self.spec, &problem, reach_steps_max, &mut spending) {
            let verdict = Verdict::Violated(self.impossible(&problem, found, level));
            return Judgement { verdict, algorithm, steps: spending.spent() };
        }
        let (found, steps) = search(self.spec, &problem, spending.rest());
        let steps = spending.spent().saturating_add(steps);
        let verdict = match found {
            Found::Explained => Verdict::Holds,
            Found::Unexplained => Verdict::Violated(self.unexplained(&self.smallest(), level)),
            Found::Exhausted(open) => {
                let open = open.into_iter().map(|tag| self.operations[tag].1.number).collect();
                Verdict::Undecided(Undecided { open, steps })
            }
        };
        Judgement { verdict, algorithm, steps }
    }

    /// What the search finds, if it finds something.
    pub(crate) fn explanation(&self, budget: Budget) -> Option<Explanation> {
        let problem = self.problem(&vec![false; self.operations.len()]);
        let found = visibility::explanation(self.spec, &problem, budget)?;
        let update = |update: &usize| self.operations[problem.updates[*update].tag].1.number;
        let observation = |one: usize| self.operations[problem.observations[one].tag].1.number;
        Some(Explanation {
            arbitration: found.order.iter().map(update).collect(),
            sees: found
                .sees
                .iter()
                .enumerate()
                .map(|(one, seen)| (observation(one), seen.iter().map(update).collect()))
                .collect(),
        })
    }

    /// The violation that such an observation is part of.
    fn impossible(&self, problem: &Problem<S::Step>, found: Impossible, level: &str) -> Violation {
        let tag = problem.observations[found.observation].tag;
        let seen = found.update.map(|update| problem.updates[update].tag);
        let core = self.smallest();
        let explanation = format!("no updates, in whatever order, explain {}", self.words(tag));
        match seen {
            None if core == [tag] => self.violation(&core, explanation),
            Some(seen) if core.iter().all(|one| *one == tag || *one == seen) => {
                self.violation(&core, format!("{explanation}, which must see {}", self.words(seen)))
            }
            Some(_) | None => self.unexplained(&core, level),
        }
    }

    fn unexplained(&self, core: &[usize], level: &str) -> Violation {
        let listed = explain::listed(core.iter().map(|tag| self.words(*tag)), core.len());
        let claim = "whatever each operation sees, in whatever order of updates,";
        let these = counted(core.len());
        let explanation = format!("{claim} {level} does not explain {listed}");
        let claim = Some(format!("{claim} {level} does not explain {these}"));
        Violation { claim, ..self.violation(core, explanation) }
    }

    /// What to search, with the answers of some operations taken to be unknown.
    fn problem(&self, is_weakened: &[bool]) -> Problem<S::Step> {
        let (mut updates, mut observations) = (Vec::new(), Vec::new());
        for (tag, (_, operation)) in self.operations.iter().enumerate() {
            let (place, object) = (self.places[tag], self.objects[tag]);
            let asked = self.spec.step(&operation.call, None);
            let answer = operation.answer().filter(|_| !is_weakened[tag]);
            let step = answer.and_then(|answer| self.spec.step(&operation.call, Some(answer)));
            if updates_if(self.spec, &operation.call, answer) {
                let (effects, is_answered) = ([step.clone(), asked], step.is_some());
                let invoked = operation.invoked;
                updates.push(Update { place, object, effects, is_answered, invoked, tag });
            }
            if let (Some(step), true) = (step, self.is_observed[tag]) {
                let returned = operation.returned.unwrap_or(u64::MAX);
                observations.push(Observation { place, object, step, returned, tag });
            }
        }
        Problem::new(self.duty, updates, observations)
    }

    /// The answered operations that still fail when the answers to all others are unknown.
    fn smallest(&self) -> Vec<usize> {
        let is_answered = |tag: &usize| self.operations[*tag].1.returned.is_some();
        let tags: Vec<usize> = (0..self.operations.len()).filter(is_answered).collect();
        let mut spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
        explain::smallest(tags, |fewer| self.fails(fewer, &mut spending))
    }

    /// Whether these answers, sorted, are certain to have no explanation.
    fn fails(&self, known: &[usize], spending: &mut Spending) -> Result<bool, Exhausted> {
        let is_weakened: Vec<bool> =
            (0..self.operations.len()).map(|tag| known.binary_search(&tag).is_err()).collect();
        let problem = self.problem(&is_weakened);
        if impossible(self.spec, &problem, RECHECK_REACH_STEPS_MAX, spending).is_some() {
            return Ok(true);
        }
        let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(spending.rest().steps_max) };
        let (found, steps) = search(self.spec, &problem, budget);
        spending.spend(steps)?;
        Ok(found == Found::Unexplained)
    }

    fn violation(&self, tags: &[usize], explanation: String) -> Violation {
        let mut operations: Vec<OperationIndex> =
            tags.iter().map(|tag| self.operations[*tag].1.number).collect();
        operations.sort_unstable();
        let key = tags.first().map(|tag| self.operations[*tag].0);
        let key = key.filter(|key| tags.iter().all(|tag| self.operations[*tag].0 == *key));
        Violation { key: key.map(str::to_owned), operations, explanation, ..Violation::default() }
    }

    fn words(&self, tag: usize) -> String {
        let (key, operation) = self.operations[tag];
        let is_keyed = self.objects.iter().any(|object| *object > 0);
        explain::in_words::<S>(self.located, operation, is_keyed.then_some(key))
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "this operation".to_owned() } else { format!("these {count} operations") }
}
