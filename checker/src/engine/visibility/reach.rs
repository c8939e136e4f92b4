//! What no search needs to try: answers that are right in no state that the updates could lead to.
//!
//! Each update may be applied as often as one likes, in any order. If even so there are few states, and
//! an answer is right in none of them, or in none after an update that must be seen, it is impossible.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::choices::applied;
use super::problem::{Duty, Observation, Problem};
use crate::budget::{Budget, Spending};
use crate::spec::Spec;
use crate::weak::Guarantee;

/// States of one object.
const STATES_MAX: usize = 4_096;
/// States times updates times updates of one object.
const WORK_MAX: usize = 50_000_000;

/// An observation that cannot be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Impossible {
    /// Its index.
    pub(crate) observation: usize,
    /// The update that it must see, if that is why.
    pub(crate) update: Option<usize>,
}

/// An observation that no visibility and no arbitration explain, if one is found in so many steps an
/// object.
pub(crate) fn impossible<S: Spec>(
    spec: &S,
    problem: &Problem<S::Step>,
    steps_max: u64,
    spending: &mut Spending,
) -> Option<Impossible> {
    (0..problem.object_count()).find_map(|object| {
        let steps_max = steps_max.min(spending.rest().steps_max);
        let mut share = Spending::new(Budget { steps_max });
        let reach = Reach::of(spec, problem, object, &mut share);
        spending.spend(share.spent().min(steps_max)).expect("it is a share of what is left");
        reach?.impossible()
    })
}

/// The states of one object and how they follow one another.
struct Reach<'a, S: Spec> {
    spec: &'a S,
    problem: &'a Problem<S::Step>,
    object: usize,
    states: Vec<S::State>,
    /// Different updates have different kinds.
    kinds: Vec<&'a [Option<S::Step>; 2]>,
    /// The kind of each update of the object.
    kind_of: HashMap<usize, usize, FxBuildHasher>,
    /// Shape: states x kinds; the state that follows.
    next: Vec<usize>,
}

impl<'a, S: Spec> Reach<'a, S> {
    fn of(
        spec: &'a S,
        problem: &'a Problem<S::Step>,
        object: usize,
        spending: &mut Spending,
    ) -> Option<Self> {
        let (mut kinds, mut kind_of) = (Vec::new(), HashMap::default());
        let mut numbers: HashMap<&[Option<S::Step>; 2], usize, FxBuildHasher> = HashMap::default();
        for (update, one) in problem.updates.iter().enumerate().filter(|(_, one)| one.object == object) {
            let kind = *numbers.entry(&one.effects).or_insert_with(|| {
                kinds.push(&one.effects);
                kinds.len() - 1
            });
            kind_of.insert(update, kind);
        }
        let mut reach =
            Self { spec, problem, object, states: vec![spec.initial()], kinds, kind_of, next: Vec::new() };
        reach.explore(spending)?;
        Some(reach)
    }

    /// Finds all states; none if there are too many.
    fn explore(&mut self, spending: &mut Spending) -> Option<()> {
        let mut numbers: HashMap<S::State, usize, FxBuildHasher> = HashMap::default();
        numbers.insert(self.states[0].clone(), 0);
        let mut done = 0;
        while let Some(state) = self.states.get(done).cloned() {
            done += 1;
            spending.spend(1 + (self.kinds.len() + self.spec.state_bytes(&state)) as u64 / 64).ok()?;
            for kind in &self.kinds {
                let next = applied(self.spec, &state, kind);
                let number = *numbers.entry(next).or_insert_with_key(|next| {
                    self.states.push(next.clone());
                    self.states.len() - 1
                });
                self.next.push(number);
            }
            if self.states.len() > STATES_MAX {
                return None;
            }
        }
        Some(())
    }

    fn impossible(&self) -> Option<Impossible> {
        let of_object = |(_, one): &(usize, &Observation<S::Step>)| one.object == self.object;
        let mut observed = self.problem.observations.iter().enumerate().filter(of_object);
        let mut after: Vec<Option<Vec<bool>>> = vec![None; self.kinds.len()];
        let is_small = self.states.len().saturating_mul(self.kinds.len().saturating_pow(2)) <= WORK_MAX;
        observed.find_map(|(observation, one)| {
            let is_right: Vec<bool> =
                self.states.iter().map(|state| self.spec.is_legal(state, &one.step)).collect();
            if !is_right.contains(&true) {
                return Some(Impossible { observation, update: None });
            }
            let update = self.required(one).into_iter().filter(|_| is_small).find(|update| {
                let kind = self.kind_of[update];
                let after = after[kind].get_or_insert_with(|| self.after(kind));
                !after.iter().zip(&is_right).any(|(is_after, is_right)| *is_after && *is_right)
            })?;
            Some(Impossible { observation, update: Some(update) })
        })
    }

    /// Updates that the observation must see, one of a kind.
    fn required(&self, one: &Observation<S::Step>) -> Vec<usize> {
        let is_required = |update: &usize| {
            let other = &self.problem.updates[*update];
            let is_earlier = Problem::<S::Step>::is_before(other.place, one.place);
            let must_be_seen = match self.problem.duty {
                Duty::All => true,
                duty @ Duty::Guarantees(_) => duty.has(Guarantee::ReadYourWrites) && is_earlier,
            };
            other.object == self.object && other.is_answered && must_be_seen
        };
        let mut is_known = vec![false; self.kinds.len()];
        let candidates: Vec<usize> = match self.problem.duty {
            Duty::All => (0..self.problem.updates.len()).collect(),
            Duty::Guarantees(_) => self.problem.of_client[one.place.session].clone(),
        };
        let required = candidates.into_iter().filter(is_required);
        required.filter(|update| !std::mem::replace(&mut is_known[self.kind_of[update]], true)).collect()
    }

    /// The states after an update of this kind and any others.
    fn after(&self, kind: usize) -> Vec<bool> {
        let mut is_after = vec![false; self.states.len()];
        let next = |state: usize, kind: usize| self.next[state * self.kinds.len() + kind];
        let mut open: Vec<usize> = (0..self.states.len()).map(|state| next(state, kind)).collect();
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut is_after[state], true) {
                open.extend((0..self.kinds.len()).map(|kind| next(state, kind)));
            }
        }
        is_after
    }
}
