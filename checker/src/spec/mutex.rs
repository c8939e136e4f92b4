//! A lock that is free or held: model `mutex`.

use crate::engine::shortcut::{Decision, View};
use crate::engine::turns;
use crate::spec::Spec;

/// A lock that is free at first. Who holds it is not asked: releasing it is legal whenever it is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutex;

/// What may be asked of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutexCall {
    /// To be held.
    Acquire,
    /// To be free.
    Release,
}

/// What a lock answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MutexAnswer {
    /// It is now held, or free.
    Done,
}

/// Whether the lock is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MutexState {
    /// Nobody holds it.
    #[default]
    Free,
    /// Somebody does.
    Held,
}

/// What an operation does to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexStep {
    /// Finds it free and holds it.
    Acquire,
    /// Finds it held and frees it.
    Release,
}

impl Spec for Mutex {
    type State = MutexState;
    type Call = MutexCall;
    type Answer = MutexAnswer;
    type Step = MutexStep;

    fn initial(&self) -> MutexState {
        MutexState::Free
    }

    fn fits(_call: &MutexCall, answer: &MutexAnswer) -> bool {
        match answer {
            MutexAnswer::Done => true,
        }
    }

    fn is_refusal(answer: &MutexAnswer) -> bool {
        match answer {
            MutexAnswer::Done => false,
        }
    }

    fn step(&self, call: &MutexCall, _answer: Option<&MutexAnswer>) -> Option<MutexStep> {
        Some(match call {
            MutexCall::Acquire => MutexStep::Acquire,
            MutexCall::Release => MutexStep::Release,
        })
    }

    fn apply(&self, state: &MutexState, step: &MutexStep) -> Option<MutexState> {
        match (state, step) {
            (MutexState::Free, MutexStep::Acquire) => Some(MutexState::Held),
            (MutexState::Held, MutexStep::Release) => Some(MutexState::Free),
            (MutexState::Free, MutexStep::Release) | (MutexState::Held, MutexStep::Acquire) => None,
        }
    }

    fn only_observes(&self, _state: &MutexState, _step: &MutexStep) -> bool {
        false
    }

    fn state_in_words(&self, state: &MutexState) -> String {
        match state {
            MutexState::Free => "it is free".to_owned(),
            MutexState::Held => "it is held".to_owned(),
        }
    }

    fn needed_in_words(&self, step: &MutexStep) -> Option<String> {
        Some(match step {
            MutexStep::Acquire => "be free".to_owned(),
            MutexStep::Release => "be held".to_owned(),
        })
    }

    fn is_source(&self, source: &MutexStep, found: &MutexStep) -> Option<&'static str> {
        match (source, found) {
            (MutexStep::Release, MutexStep::Acquire) => Some("could free the lock for"),
            (MutexStep::Acquire, MutexStep::Release) => Some("could take the lock before"),
            (MutexStep::Acquire, MutexStep::Acquire) | (MutexStep::Release, MutexStep::Release) => None,
        }
    }

    fn shortcut(&self, operations: &impl View<MutexStep>) -> Option<Decision> {
        Some(turns::decide(operations))
    }

    fn shortcut_order(&self, operations: &impl View<MutexStep>) -> Option<Vec<usize>> {
        turns::order(operations)
    }

    fn describe(call: &MutexCall, answer: Option<&MutexAnswer>) -> String {
        let asked = match call {
            MutexCall::Acquire => "acquire",
            MutexCall::Release => "release",
        };
        let unknown = if answer.is_none() { " (outcome unknown)" } else { "" };
        format!("{asked}{unknown}")
    }
}
