//! A register with read, write and compare-and-set: model `register-cas`.

mod needless;
mod reachable;
pub mod symbol;

use std::fmt;

use crate::budget::Budget;
use crate::engine::first_sight::{Glance, conflict_of_holder};
use crate::engine::open::{Open, Slot, SlotSet};
use crate::engine::programs::{Programs, Ruling};
use crate::engine::saturation::{self, Touch, Touching};
use crate::engine::shortcut::{Conflict, Decision, Seen, View};
use crate::engine::zones::values;
use crate::spec::Access;
use crate::spec::Spec;

/// What a register holds; `None` is nil. What is no number has one all the same: see [`symbol`].
pub type Value = Option<i64>;

/// A register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// What it holds at first.
    pub initial: Value,
}

/// What may be asked of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterCall {
    /// What it holds.
    Read,
    /// To hold this.
    Write(Value),
    /// To hold `new` if it holds `expected`.
    CompareAndSet {
        /// What it must hold.
        expected: Value,
        /// What it shall hold.
        new: Value,
    },
}

/// What a register answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterAnswer {
    /// A read found this.
    Value(Value),
    /// A write or a compare-and-set took effect.
    Done,
    /// A compare-and-set found another value than it expected.
    Mismatch,
}

/// What an operation does to a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterStep {
    /// Finds this value.
    Read(Value),
    /// Writes this value.
    Write(Value),
    /// Finds the first value and writes the second.
    Swap(Value, Value),
    /// Finds any value but this.
    Mismatch(Value),
}

impl Spec for Register {
    type State = Value;
    type Call = RegisterCall;
    type Answer = RegisterAnswer;
    type Step = RegisterStep;

    fn initial(&self) -> Value {
        self.initial
    }

    fn fits(call: &RegisterCall, answer: &RegisterAnswer) -> bool {
        match call {
            RegisterCall::Read => matches!(answer, RegisterAnswer::Value(_)),
            RegisterCall::Write(_) => matches!(answer, RegisterAnswer::Done),
            RegisterCall::CompareAndSet { .. } => {
                matches!(answer, RegisterAnswer::Done | RegisterAnswer::Mismatch)
            }
        }
    }

    fn is_refusal(answer: &RegisterAnswer) -> bool {
        matches!(answer, RegisterAnswer::Mismatch)
    }

    fn observes(&self, call: &RegisterCall, _answer: &RegisterAnswer) -> bool {
        !matches!(call, RegisterCall::Write(_))
    }

    fn step(&self, call: &RegisterCall, answer: Option<&RegisterAnswer>) -> Option<RegisterStep> {
        match (*call, answer) {
            (RegisterCall::Read, Some(RegisterAnswer::Value(value))) => Some(RegisterStep::Read(*value)),
            (RegisterCall::Read, _) => None,
            (RegisterCall::Write(value), _) => Some(RegisterStep::Write(value)),
            (RegisterCall::CompareAndSet { expected, .. }, Some(RegisterAnswer::Mismatch)) => {
                Some(RegisterStep::Mismatch(expected))
            }
            (RegisterCall::CompareAndSet { expected, new }, _) => Some(RegisterStep::Swap(expected, new)),
        }
    }

    fn apply(&self, state: &Value, step: &RegisterStep) -> Option<Value> {
        match *step {
            RegisterStep::Read(value) => (value == *state).then_some(*state),
            RegisterStep::Write(value) => Some(value),
            RegisterStep::Swap(expected, new) => (expected == *state).then_some(new),
            RegisterStep::Mismatch(expected) => (expected != *state).then_some(*state),
        }
    }

    fn access(&self, step: &RegisterStep) -> Option<Access<Value>> {
        match *step {
            RegisterStep::Read(value) => Some(Access::Read(value)),
            RegisterStep::Write(value) => Some(Access::Write(value)),
            RegisterStep::Swap(..) | RegisterStep::Mismatch(_) => None,
        }
    }

    fn finds(&self, step: &RegisterStep) -> Option<Value> {
        match *step {
            RegisterStep::Read(value) | RegisterStep::Swap(value, _) => Some(value),
            RegisterStep::Write(_) | RegisterStep::Mismatch(_) => None,
        }
    }

    fn may_leave(&self, step: &RegisterStep, state: &Value) -> bool {
        match *step {
            RegisterStep::Write(value) | RegisterStep::Swap(_, value) => value == *state,
            RegisterStep::Read(_) | RegisterStep::Mismatch(_) => true,
        }
    }

    fn only_observes(&self, _state: &Value, step: &RegisterStep) -> bool {
        match step {
            RegisterStep::Read(_) | RegisterStep::Mismatch(_) => true,
            RegisterStep::Write(_) | RegisterStep::Swap(_, _) => false,
        }
    }

    fn describe(call: &RegisterCall, answer: Option<&RegisterAnswer>) -> String {
        let asked = match call {
            RegisterCall::Read => "read".to_owned(),
            RegisterCall::Write(value) => format!("write {}", Shown(*value)),
            RegisterCall::CompareAndSet { expected, new } => {
                format!("compare-and-set {} to {}", Shown(*expected), Shown(*new))
            }
        };
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(RegisterAnswer::Value(value)) => format!("{asked} -> {}", Shown(*value)),
            Some(RegisterAnswer::Done) => asked,
            Some(RegisterAnswer::Mismatch) => format!("{asked} (refused)"),
        }
    }

    fn state_in_words(&self, state: &Value) -> String {
        format!("it holds {}", Shown(*state))
    }

    fn needed_in_words(&self, step: &RegisterStep) -> Option<String> {
        match *step {
            RegisterStep::Read(value) | RegisterStep::Swap(value, _) => {
                Some(format!("hold {}", Shown(value)))
            }
            RegisterStep::Mismatch(value) => Some(format!("hold anything but {}", Shown(value))),
            RegisterStep::Write(_) => None,
        }
    }

    fn is_source(&self, source: &RegisterStep, found: &RegisterStep) -> Option<&'static str> {
        let (RegisterStep::Read(wanted) | RegisterStep::Swap(wanted, _)) = *found else { return None };
        match *source {
            RegisterStep::Write(value) | RegisterStep::Swap(_, value) if value == wanted => {
                Some("wrote the value of")
            }
            _ => None,
        }
    }

    fn shortcut(&self, operations: &impl View<RegisterStep>) -> Option<Decision> {
        values::decide(self.initial, operations)
    }

    fn shortcut_order(&self, operations: &impl View<RegisterStep>) -> Option<Vec<usize>> {
        values::order(self.initial, operations)
    }

    fn first_sight(&self, operations: &impl View<RegisterStep>) -> Option<Conflict> {
        conflict_of_holder(&self.initial, operations.count(), |place| glance(operations.at(place)))
    }

    fn states_at(
        &self,
        position: u64,
        begun: &[Seen<&RegisterStep>],
        later: &[Option<RegisterStep>],
    ) -> Option<Vec<Value>> {
        Some(reachable::values(self.initial, position, begun, later))
    }

    fn is_idle(&self, state: &Value, step: &RegisterStep) -> bool {
        matches!(step, RegisterStep::Write(value) if value == state)
    }

    fn overwrites(&self, later: &RegisterStep, earlier: &RegisterStep) -> bool {
        matches!((later, earlier), (RegisterStep::Write(_), RegisterStep::Write(_)))
    }

    /// A write is worth branching on only if some open operation needs its value, or if it makes
    /// other open writes absorbable: else it can wait until the write after it, which absorbs it.
    /// An unknown compare-and-set likewise only if its new value is needed. An answered one is
    /// always tried while it is legal, for the write after it would not absorb it.
    fn relevant(&self, state: &Value, open: &Open<'_, RegisterStep>, goal: Slot) -> SlotSet {
        let needs = Needs::of(open, goal);
        let answered = open.untaken_answered();
        let mut relevant = SlotSet::only(goal);
        for slot in open.untaken() {
            let is_answered = answered.contains(slot);
            let is_relevant = match *open.step(slot) {
                RegisterStep::Read(_) | RegisterStep::Mismatch(_) => false,
                RegisterStep::Write(value) if value == *state => {
                    let others = answered.minus(open.absorbable()).without(slot);
                    others.into_iter().any(|other| is_write(open.step(other))) && needs.value(value)
                }
                RegisterStep::Write(value) => needs.another || needs.value(value),
                RegisterStep::Swap(expected, new) => {
                    expected == *state && (is_answered || needs.another || needs.value(new))
                }
            };
            if is_relevant {
                relevant = relevant.with(slot);
            }
        }
        relevant
    }

    fn simplify(&self, steps: &mut [Option<RegisterStep>], is_unknown: &dyn Fn(usize) -> bool) {
        needless::drop_unknown(steps, is_unknown);
    }

    fn forced(&self, steps: &[Option<RegisterStep>]) -> Vec<(usize, usize)> {
        forced_reads(self.initial, steps)
    }

    fn sequential_shortcut(&self, programs: &Programs<RegisterStep>, budget: Budget) -> Option<Ruling> {
        saturation::decide(programs, self, budget)
    }
}

impl Touching<RegisterStep> for Register {
    type Register = ();
    type Value = Value;

    fn initial(&self) -> Value {
        self.initial
    }

    /// A refused compare-and-set found one of many values: which is not known.
    fn touches(&self, _place: usize, step: &RegisterStep, into: &mut Vec<Touch<(), Value>>) -> Option<()> {
        let (found, written) = match *step {
            RegisterStep::Read(value) => (Some(value), None),
            RegisterStep::Write(value) => (None, Some(value)),
            RegisterStep::Swap(expected, new) => (Some(expected), Some(new)),
            RegisterStep::Mismatch(_) => return None,
        };
        into.push(Touch { register: (), found, written });
        Some(())
    }
}

/// What an operation shows of the value; of an unknown one, only what it may make.
fn glance(seen: Seen<RegisterStep>) -> Option<Glance<Value>> {
    let Seen { step, invoked, returned } = seen;
    let is_answered = returned < u64::MAX;
    let known = |value: Value| is_answered.then_some(value);
    let (made, found, missed) = match step? {
        RegisterStep::Read(value) => (None, known(value), None),
        RegisterStep::Write(value) => (Some(value), None, None),
        RegisterStep::Swap(expected, new) => (Some(new), known(expected), None),
        RegisterStep::Mismatch(value) => (None, None, known(value)),
    };
    Some(Glance { made, found, missed, invoked, returned })
}

fn is_write(step: &RegisterStep) -> bool {
    matches!(step, RegisterStep::Write(_))
}

/// The values that open operations wait for.
struct Needs<'a> {
    open: &'a Open<'a, RegisterStep>,
    /// Those that wait for one value and will be answered, or are the goal.
    waiting: SlotSet,
    /// Expected by unknown ones that write what is needed.
    indirect: Vec<Value>,
    /// Whether one waits for any other value than the present one.
    another: bool,
}

impl<'a> Needs<'a> {
    fn of(open: &'a Open<'a, RegisterStep>, goal: Slot) -> Self {
        let mut needs = Self { open, waiting: SlotSet::EMPTY, indirect: Vec::new(), another: false };
        for slot in open.untaken_answered().with(goal) {
            match open.step(slot) {
                RegisterStep::Read(_) | RegisterStep::Swap(..) => needs.waiting = needs.waiting.with(slot),
                RegisterStep::Mismatch(_) => needs.another = true,
                RegisterStep::Write(_) => {}
            }
        }
        let unknown = open.untaken_unknown();
        if !unknown.is_empty() {
            needs.add_through_unknown_swaps(unknown);
        }
        needs
    }

    /// What an unknown compare-and-set expects is needed once what it writes is.
    fn add_through_unknown_swaps(&mut self, unknown: SlotSet) {
        loop {
            let count = self.indirect.len();
            for slot in unknown {
                if let RegisterStep::Swap(expected, new) = *self.open.step(slot)
                    && !self.value(expected)
                    && (self.another || self.value(new))
                {
                    self.indirect.push(expected);
                }
            }
            if self.indirect.len() == count {
                return;
            }
        }
    }

    fn value(&self, value: Value) -> bool {
        let needs = |slot: Slot| match *self.open.step(slot) {
            RegisterStep::Read(needed) | RegisterStep::Swap(needed, _) => needed == value,
            RegisterStep::Mismatch(_) | RegisterStep::Write(_) => false,
        };
        self.waiting.into_iter().any(needs) || self.indirect.contains(&value)
    }
}

/// A value that one operation only can write is read after that operation.
fn forced_reads(initial: Value, steps: &[Option<RegisterStep>]) -> Vec<(usize, usize)> {
    let mut writes: Vec<(Value, usize)> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if let Some(RegisterStep::Write(value) | RegisterStep::Swap(_, value)) = step {
            writes.push((*value, place));
        }
    }
    writes.sort_unstable();
    let mut forced = Vec::new();
    for (reader, step) in steps.iter().enumerate() {
        let Some(RegisterStep::Read(value) | RegisterStep::Swap(value, _)) = step else { continue };
        let first = writes.partition_point(|(written, _)| written < value);
        let writers = writes[first..].iter().take_while(|(written, _)| written == value).count();
        if writers == 1 && *value != initial && writes[first].1 != reader {
            forced.push((writes[first].1, reader));
        }
    }
    forced
}

/// A value in words.
struct Shown(Value);

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&written(self.0))
    }
}

/// A value as a file has it.
pub fn written(value: Value) -> String {
    match value {
        Some(value) => symbol::text(value).map_or_else(|| value.to_string(), |text| text.as_ref().to_owned()),
        None => "nil".to_owned(),
    }
}
