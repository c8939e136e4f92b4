//! What one observation may see: every set of visible updates that makes its answer right.
//!
//! Seeing less asks less of everybody, so if the least that it must see makes the answer right, that is
//! the only choice. Otherwise the updates of its object are gone through in arbitration, each seen or
//! not; first those that had been invoked by the time of the answer.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::problem::{Observation, Problem};
use super::set::Set;
use crate::budget::{Exhausted, Spending};
use crate::spec::Spec;

/// What is known when an observation is decided.
pub(super) struct View<'a, T> {
    pub(super) problem: &'a Problem<T>,
    pub(super) observation: &'a Observation<T>,
    /// The updates of its object, in arbitration.
    pub(super) order: Vec<usize>,
    /// All updates of its object.
    pub(super) of_object: &'a Set,
    /// Per update: whoever sees it sees these.
    pub(super) needs: &'a [Set],
    /// Whether no update needs another one.
    pub(super) is_needed_by_none: bool,
    /// What it must see.
    pub(super) least: Set,
    /// Whether it matters to others what it sees.
    pub(super) influence: Influence,
}

/// Whether what an observation sees limits what others may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Influence {
    /// It may.
    Some,
    /// It does not, and it may see any updates it likes: equal states are equally good.
    None,
}

/// How far one choice has got.
struct Node<S: Spec> {
    /// How many updates have been decided.
    decided: usize,
    state: S::State,
    sees: Set,
}

/// The choices not tried yet.
pub(super) struct Choices<S: Spec> {
    stack: Vec<Node<S>>,
    sole: Option<Set>,
    seen: HashSet<(usize, S::State), FxBuildHasher>,
}

impl<S: Spec> Choices<S> {
    pub(super) fn new(
        spec: &S,
        view: &View<'_, S::Step>,
        spending: &mut Spending,
    ) -> Result<Self, Exhausted> {
        spending.spend(1 + (view.order.len() / 16) as u64)?;
        let mut state = spec.initial();
        for &update in view.order.iter().filter(|update| view.least.contains(**update)) {
            state = applied(spec, &state, &view.problem.updates[update].effects);
        }
        let mut choices = Self { stack: Vec::new(), sole: None, seen: HashSet::default() };
        if spec.is_legal(&state, &view.observation.step) {
            choices.sole = Some(view.least.clone());
        } else {
            choices.stack.push(Node { decided: 0, state: spec.initial(), sees: view.least.clone() });
        }
        Ok(choices)
    }

    /// The next set of updates that makes the answer right.
    pub(super) fn next(
        &mut self,
        spec: &S,
        view: &View<'_, S::Step>,
        spending: &mut Spending,
    ) -> Result<Option<Set>, Exhausted> {
        if let Some(sole) = self.sole.take() {
            return Ok(Some(sole));
        }
        while let Some(node) = self.stack.pop() {
            if view.influence == Influence::None && !self.seen.insert((node.decided, node.state.clone())) {
                continue;
            }
            spending.spend(1 + node.sees.steps() + (spec.state_bytes(&node.state) / 64) as u64)?;
            match view.order.get(node.decided) {
                Some(&update) => self.branch(spec, view, node, update),
                None if spec.is_legal(&node.state, &view.observation.step) => return Ok(Some(node.sees)),
                None => {}
            }
        }
        Ok(None)
    }

    /// Goes on with and without the update; what is tried first is put on the stack last.
    fn branch(&mut self, spec: &S, view: &View<'_, S::Step>, node: Node<S>, update: usize) {
        let Node { decided, state, sees } = node;
        let decided = decided + 1;
        let next = applied(spec, &state, &view.problem.updates[update].effects);
        if sees.contains(update) {
            self.stack.push(Node { decided, state: next, sees });
        } else if !view.may_see(update, &sees) || next == state && view.is_needed_by_none {
            // To see what changes nothing here would only ask more of everybody.
            self.stack.push(Node { decided, state, sees });
        } else {
            let mut more = sees.clone();
            more.insert(update);
            more.extend(&view.needs[update]);
            let with = Node { decided, state: next, sees: more };
            let without = Node { decided, state, sees };
            let is_likely = view.problem.updates[update].invoked < view.observation.returned;
            let (last, first) = if is_likely { (without, with) } else { (with, without) };
            self.stack.extend([last, first]);
        }
    }
}

impl<T> View<'_, T> {
    /// Whether the update may be seen by whoever sees just these of the updates before it.
    fn may_see(&self, update: usize, sees: &Set) -> bool {
        let own = self.observation.place;
        let place = self.problem.updates[update].place;
        // What it needs comes before it in arbitration: it has been decided whether that is seen.
        (place.session != own.session || place.at < own.at)
            && self.needs[update].is_within(self.of_object, sees)
    }
}

/// The state after an update: if it is impossible here, it does nothing.
pub(super) fn applied<S: Spec>(spec: &S, state: &S::State, effects: &[Option<S::Step>; 2]) -> S::State {
    let next = effects.iter().flatten().find_map(|effect| spec.apply(state, effect));
    next.unwrap_or_else(|| state.clone())
}
