//! Sequential specifications: what an object answers when asked one thing at a time.

pub mod capacity;
pub mod counter;
pub mod kinds;
pub mod log;
pub mod multi_register;
pub mod mutex;
pub mod orders;
pub mod register;
pub mod revisions;
pub mod table;
pub mod text;

use std::fmt::Debug;
use std::hash::Hash;

use crate::budget::Budget;
use crate::engine::open::{Open, Slot, SlotSet};
use crate::engine::programs::{Programs, Ruling};
use crate::engine::shortcut::{Conflict, Decision, Seen, View};

/// What a step that only reads or only overwrites the whole state does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access<V> {
    /// Finds this.
    Read(V),
    /// Replaces whatever there is by this.
    Write(V),
}

/// What an object answers when asked one thing at a time.
///
/// An operation is first reduced to a [`Step`](Self::Step): what it does, its answer included. Two
/// operations with equal steps are interchangeable, but for their times. The provided methods let a
/// search skip orders that cannot matter; each override says why it may.
pub trait Spec: Clone + Send + Sync {
    /// What the object remembers.
    type State: Clone + Eq + Hash + Debug + Send;
    /// What may be asked.
    type Call: Clone + Eq + Debug;
    /// What may be answered.
    type Answer: Clone + Eq + Debug;
    /// What an operation does. Cloned often: anything large in it is shared.
    type Step: Clone + Eq + Hash + Debug + Send + Sync;

    /// The state before the first operation.
    fn initial(&self) -> Self::State;

    /// Whether `answer` is of the kind that `call` asks for.
    fn fits(call: &Self::Call, answer: &Self::Answer) -> bool;

    /// Whether the answer is a definite no: what was asked was not done, and that is an observation.
    fn is_refusal(answer: &Self::Answer) -> bool;

    /// Whether the answer tells something of the state: whether it is illegal at some state.
    fn observes(&self, _call: &Self::Call, _answer: &Self::Answer) -> bool {
        true
    }

    /// What the operation does if it takes effect. None if it has no answer and, without one, no effect.
    fn step(&self, call: &Self::Call, answer: Option<&Self::Answer>) -> Option<Self::Step>;

    /// The state after `step`, or none if it is illegal here.
    fn apply(&self, state: &Self::State, step: &Self::Step) -> Option<Self::State>;

    /// Whether `step` is legal at `state`.
    fn is_legal(&self, state: &Self::State, step: &Self::Step) -> bool {
        self.apply(state, step).is_some()
    }

    /// Whether `step` is legal at `state`, which it then changes; if not, `state` is of no further use.
    fn advance(&self, state: &mut Self::State, step: &Self::Step) -> bool {
        let next = self.apply(state, step);
        let is_legal = next.is_some();
        if let Some(next) = next {
            *state = next;
        }
        is_legal
    }

    /// Whether `step`, if legal at `state`, changes nothing here nor wherever it is legal later.
    fn only_observes(&self, state: &Self::State, step: &Self::Step) -> bool;

    /// In words: what was asked and answered.
    fn describe(call: &Self::Call, answer: Option<&Self::Answer>) -> String;

    /// Linearizability of this very history by an algorithm that is nearly linear, if one applies.
    fn shortcut(&self, _operations: &impl View<Self::Step>) -> Option<Decision> {
        None
    }

    /// Answered operations that no order explains, whichever others took effect, if one pass finds some.
    /// Asked before any search.
    fn first_sight(&self, _operations: &impl View<Self::Step>) -> Option<Conflict> {
        None
    }

    /// The states in which the object can be at a position before which all of `begun` were invoked,
    /// whichever of them took effect by then; what is still open may take effect again. Of states that no
    /// step of `later` tells apart, one is enough. None if they are too many. Of each of `begun`, `returned`
    /// is when it takes effect no more, if it was not before.
    fn states_at(
        &self,
        _position: u64,
        _begun: &[Seen<&Self::Step>],
        _later: &[Option<Self::Step>],
    ) -> Option<Vec<Self::State>> {
        None
    }

    /// What the object remembers, in words.
    fn state_in_words(&self, state: &Self::State) -> String {
        format!("it holds {state:?}")
    }

    /// What the object would have to do for `step` to be legal, such as `hold 2`.
    fn needed_in_words(&self, _step: &Self::Step) -> Option<String> {
        None
    }

    /// What `source` has to do with `found` if it may have made what that found, such as `wrote the value of`.
    fn is_source(&self, _source: &Self::Step, _found: &Self::Step) -> Option<&'static str> {
        None
    }

    /// Sequential consistency of what all clients did by an algorithm of its own, if one applies.
    fn sequential_shortcut(&self, _programs: &Programs<Self::Step>, _budget: Budget) -> Option<Ruling> {
        None
    }

    /// What a step that only reads or only overwrites the whole state reads or writes.
    fn access(&self, _step: &Self::Step) -> Option<Access<Self::State>> {
        None
    }

    /// The only state at which `step` is legal, if there is just one.
    fn finds(&self, _step: &Self::Step) -> Option<Self::State> {
        None
    }

    /// Whether the object may hold `state` right after `step`, which is not a mere observation.
    fn may_leave(&self, _step: &Self::Step, _state: &Self::State) -> bool {
        true
    }

    /// The only state right before `step`, if `after` is the state right after it and there is just one.
    fn finds_before(&self, step: &Self::Step, _after: &Self::State) -> Option<Self::State> {
        self.finds(step)
    }

    /// A legal order of all answered and some unknown operations, as places, where
    /// [`shortcut`](Self::shortcut) says that there is one. Takes a few times as long.
    fn shortcut_order(&self, _operations: &impl View<Self::Step>) -> Option<Vec<usize>> {
        None
    }

    /// How much memory a state takes beside itself, in bytes.
    fn state_bytes(&self, _state: &Self::State) -> usize {
        0
    }

    /// Equal steps for operations that no other operation of the history can tell apart.
    ///
    /// May also drop operations of unknown outcome that no answer can need.
    fn simplify(&self, _steps: &mut [Option<Self::Step>], _is_unknown: &dyn Fn(usize) -> bool) {}

    /// Whether `step` changes nothing at `state`, though elsewhere it might.
    fn is_idle(&self, _state: &Self::State, _step: &Self::Step) -> bool {
        false
    }

    /// Whether, at every state, `earlier` then `later` is legal and ends where `later` alone does.
    fn overwrites(&self, _later: &Self::Step, _earlier: &Self::Step) -> bool {
        false
    }

    /// Which of the open operations may have to be taken next, so that `goal` is taken in the end.
    /// The goal is answered, or it is of unknown outcome and takes effect now or never.
    ///
    /// Of every legal continuation that takes `goal`, some reordering of which the rest of the
    /// history notices nothing begins with one of these. May contain illegal ones.
    fn relevant(&self, _state: &Self::State, open: &Open<'_, Self::Step>, _goal: Slot) -> SlotSet {
        open.untaken()
    }

    /// Whether `step`, legal at `state`, brings an illegal `goal` nearer: what to try first.
    fn leads_towards(&self, state: &Self::State, step: &Self::Step, goal: &Self::Step) -> bool {
        self.apply(state, step).is_some_and(|next| self.is_legal(&next, goal))
    }

    /// As [`relevant`](Self::relevant), where nothing is absorbable and every operation of the object
    /// that is left counts as open. None if that would be all of them.
    fn entangled(&self, _state: &Self::State, _open: &Open<'_, Self::Step>, _goal: Slot) -> Option<SlotSet> {
        None
    }

    /// Pairs of places in `steps`: no legal order takes the second without the first before it.
    fn forced(&self, _steps: &[Option<Self::Step>]) -> Vec<(usize, usize)> {
        Vec::new()
    }
}
