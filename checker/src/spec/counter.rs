//! A counter without bound: models `counter-inc` and `counter-rw`.

use crate::budget::Budget;
use crate::engine::first_sight::{Change, conflict_of_sum};
use crate::engine::increments;
use crate::engine::open::{Open, Slot, SlotSet};
use crate::engine::program_slots::{self, Move, Moves, Words};
use crate::engine::programs::{Programs, Ruling};
use crate::engine::shortcut::{Conflict, Decision, Seen, View};
use crate::spec::Spec;

/// A counter that starts at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Which questions it takes.
    pub kind: CounterKind,
}

/// Which questions a counter takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CounterKind {
    /// Increments that return the new value: `counter-inc`.
    #[default]
    Increment,
    /// Additions that return nothing, and reads: `counter-rw`.
    AddAndRead,
}

/// What may be asked of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterCall {
    /// To be one more, and to say how much that is.
    Increment,
    /// To be so much more.
    Add(i64),
    /// How much it is.
    Read,
}

/// What a counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterAnswer {
    /// It is this: after the increment, or when it was read.
    Value(i64),
    /// It was added.
    Done,
}

/// What an operation does to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterStep {
    /// Adds one and finds this.
    IncrementTo(i64),
    /// Adds this.
    Add(i64),
    /// Finds this.
    Read(i64),
}

impl Spec for Counter {
    type State = i64;
    type Call = CounterCall;
    type Answer = CounterAnswer;
    type Step = CounterStep;

    fn initial(&self) -> i64 {
        0
    }

    fn fits(call: &CounterCall, answer: &CounterAnswer) -> bool {
        match call {
            CounterCall::Increment | CounterCall::Read => matches!(answer, CounterAnswer::Value(_)),
            CounterCall::Add(_) => matches!(answer, CounterAnswer::Done),
        }
    }

    fn is_refusal(_answer: &CounterAnswer) -> bool {
        false
    }

    fn observes(&self, call: &CounterCall, _answer: &CounterAnswer) -> bool {
        !matches!(call, CounterCall::Add(_))
    }

    fn step(&self, call: &CounterCall, answer: Option<&CounterAnswer>) -> Option<CounterStep> {
        match (*call, answer) {
            (CounterCall::Increment, Some(CounterAnswer::Value(value))) => {
                Some(CounterStep::IncrementTo(*value))
            }
            (CounterCall::Increment, _) => Some(CounterStep::Add(1)),
            (CounterCall::Add(delta), _) => Some(CounterStep::Add(delta)),
            (CounterCall::Read, Some(CounterAnswer::Value(value))) => Some(CounterStep::Read(*value)),
            (CounterCall::Read, _) => None,
        }
    }

    fn apply(&self, state: &i64, step: &CounterStep) -> Option<i64> {
        match *step {
            CounterStep::IncrementTo(value) => (state.checked_add(1) == Some(value)).then_some(value),
            CounterStep::Add(delta) => state.checked_add(delta),
            CounterStep::Read(value) => (value == *state).then_some(value),
        }
    }

    fn finds(&self, step: &CounterStep) -> Option<i64> {
        match *step {
            CounterStep::IncrementTo(value) => value.checked_sub(1),
            CounterStep::Read(value) => Some(value),
            CounterStep::Add(_) => None,
        }
    }

    fn may_leave(&self, step: &CounterStep, state: &i64) -> bool {
        if let CounterStep::IncrementTo(value) = step { value == state } else { true }
    }

    fn only_observes(&self, _state: &i64, step: &CounterStep) -> bool {
        matches!(step, CounterStep::Read(_))
    }

    fn shortcut(&self, operations: &impl View<CounterStep>) -> Option<Decision> {
        increments::decide(operations)
    }

    fn shortcut_order(&self, operations: &impl View<CounterStep>) -> Option<Vec<usize>> {
        increments::order(operations)
    }

    fn first_sight(&self, operations: &impl View<CounterStep>) -> Option<Conflict> {
        conflict_of_sum(operations.count(), |place| {
            let Seen { step, invoked, returned } = operations.at(place);
            let (added, after) = match step? {
                CounterStep::Add(added) => (added, None),
                CounterStep::IncrementTo(value) => (1, Some(value)),
                CounterStep::Read(value) => (0, Some(value)),
            };
            let after = after.filter(|_| returned < u64::MAX);
            Some(Change { added, after, invoked, returned })
        })
    }

    fn is_idle(&self, _state: &i64, step: &CounterStep) -> bool {
        matches!(step, CounterStep::Add(0))
    }

    fn describe(call: &CounterCall, answer: Option<&CounterAnswer>) -> String {
        match (call, answer) {
            (CounterCall::Increment, Some(CounterAnswer::Value(value))) => format!("increment -> {value}"),
            (CounterCall::Increment, _) => "increment (outcome unknown)".to_owned(),
            (CounterCall::Add(delta), Some(_)) => format!("add {delta}"),
            (CounterCall::Add(delta), None) => format!("add {delta} (outcome unknown)"),
            (CounterCall::Read, Some(CounterAnswer::Value(value))) => format!("read -> {value}"),
            (CounterCall::Read, _) => "read (outcome unknown)".to_owned(),
        }
    }

    fn state_in_words(&self, state: &i64) -> String {
        format!("it is {state}")
    }

    fn needed_in_words(&self, step: &CounterStep) -> Option<String> {
        match step {
            CounterStep::IncrementTo(value) => Some(format!("be {}", value.checked_sub(1)?)),
            CounterStep::Read(value) => Some(format!("be {value}")),
            CounterStep::Add(_) => None,
        }
    }

    fn is_source(&self, source: &CounterStep, found: &CounterStep) -> Option<&'static str> {
        let CounterStep::IncrementTo(reached) = source else { return None };
        match found {
            CounterStep::IncrementTo(value) if value.checked_sub(1) == Some(*reached) => {
                Some("reached the value just before")
            }
            CounterStep::Read(value) if value == reached => Some("reached the value of"),
            _ => None,
        }
    }

    /// Every addition changes what all observations see, so any may have to come next; observations
    /// are taken as soon as they are legal.
    fn relevant(&self, _state: &i64, open: &Open<'_, CounterStep>, goal: Slot) -> SlotSet {
        let is_read = |slot: &Slot| matches!(open.step(*slot), CounterStep::Read(_));
        open.untaken().into_iter().filter(|slot| !is_read(slot)).fold(SlotSet::only(goal), SlotSet::with)
    }

    fn sequential_shortcut(&self, programs: &Programs<CounterStep>, budget: Budget) -> Option<Ruling> {
        let steps = || programs.operations().iter().map(|operation| operation.step);
        let unit = unit(steps())?;
        let moves: Vec<Move> = steps().map(|step| as_move(step, unit)).collect();
        let words = Words { state: "value", by: "by value", moves: "additions" };
        program_slots::decide(programs, Moves { moves: &moves, told_by: &|_| None, words }, budget)
    }
}

/// What every addition adds. None if that differs, or so much that the counter might overflow.
fn unit(steps: impl Iterator<Item = CounterStep>) -> Option<i64> {
    let mut unit = None;
    let mut count = 0_i64;
    for step in steps {
        let delta = match step {
            CounterStep::IncrementTo(_) => 1,
            CounterStep::Add(delta) if delta != 0 => delta,
            CounterStep::Add(_) | CounterStep::Read(_) => continue,
        };
        count += 1;
        if unit.replace(delta).is_some_and(|other| other != delta) {
            return None;
        }
    }
    let unit = unit.unwrap_or(1);
    unit.checked_mul(count).map(|_| unit)
}

/// What a step is to a counter that counts in units.
fn as_move(step: CounterStep, unit: i64) -> Move {
    let state = |value: i64| {
        let whole = value.checked_rem(unit) == Some(0);
        value.checked_div(unit).filter(|_| whole).and_then(|state| u64::try_from(state).ok())
    };
    match step {
        CounterStep::IncrementTo(value) => {
            state(value).filter(|state| *state > 0).map_or(Move::Never, Move::To)
        }
        CounterStep::Add(0) => Move::Find { first: 0, last: u64::MAX },
        CounterStep::Add(_) => Move::Next,
        CounterStep::Read(value) => {
            state(value).map_or(Move::Never, |state| Move::Find { first: state, last: state })
        }
    }
}
