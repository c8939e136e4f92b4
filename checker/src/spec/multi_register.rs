//! Registers that are read and written together, in atomic transactions: model `multi-register`.

mod glances;

use std::sync::Arc;

use crate::budget::Budget;
use crate::engine::programs::{Programs, Ruling};
use crate::engine::saturation::{self, Touch, Touching};
use crate::engine::shortcut::{Conflict, View};
use crate::spec::Spec;
use crate::spec::register::{Value, written};

/// Named registers, all of which hold the same at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiRegister {
    /// What each holds at first.
    pub initial: Value,
}

/// A part of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// What the register holds.
    Read {
        /// Its name.
        name: Arc<str>,
    },
    /// To hold this.
    Write {
        /// Its name.
        name: Arc<str>,
        /// What it shall hold.
        value: Value,
    },
}

/// A transaction: all its parts at one instant, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction(pub Arc<[Part]>);

/// What the reads of a transaction found, in their order; none where the answer does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads(pub Arc<[Option<Value>]>);

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TransactionStep {
    parts: Arc<[Part]>,
    /// What its reads find; if unknown, anything.
    found: Option<Arc<[Option<Value>]>>,
}

/// The registers that hold something else than at first, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Registers(Vec<(Arc<str>, Value)>);

impl Default for MultiRegister {
    fn default() -> Self {
        Self { initial: Some(0) }
    }
}

impl Spec for MultiRegister {
    type State = Registers;
    type Call = Transaction;
    type Answer = Reads;
    type Step = TransactionStep;

    fn initial(&self) -> Registers {
        Registers::default()
    }

    fn fits(call: &Transaction, answer: &Reads) -> bool {
        read_count(&call.0) == answer.0.len()
    }

    fn is_refusal(_answer: &Reads) -> bool {
        false
    }

    fn observes(&self, _call: &Transaction, answer: &Reads) -> bool {
        answer.0.iter().any(Option::is_some)
    }

    fn step(&self, call: &Transaction, answer: Option<&Reads>) -> Option<TransactionStep> {
        let writes = read_count(&call.0) < call.0.len();
        (answer.is_some() || writes)
            .then(|| TransactionStep { parts: call.0.clone(), found: answer.map(|reads| reads.0.clone()) })
    }

    fn apply(&self, state: &Registers, step: &TransactionStep) -> Option<Registers> {
        let mut next = state.clone();
        self.advance(&mut next, step).then_some(next)
    }

    fn advance(&self, state: &mut Registers, step: &TransactionStep) -> bool {
        let mut found = step.found.iter().flat_map(|found| found.iter());
        step.parts.iter().all(|part| match part {
            Part::Read { name } => {
                found.next().copied().flatten().is_none_or(|value| value == state.get(name, self))
            }
            Part::Write { name, value } => {
                state.set(name, *value, self);
                true
            }
        })
    }

    fn only_observes(&self, _state: &Registers, step: &TransactionStep) -> bool {
        read_count(&step.parts) == step.parts.len()
    }

    fn describe(call: &Transaction, answer: Option<&Reads>) -> String {
        let mut found = answer.iter().flat_map(|reads| reads.0.iter());
        let parts: Vec<String> = call
            .0
            .iter()
            .map(|part| match part {
                Part::Read { name } => match found.next().copied().flatten() {
                    Some(value) => format!("read {name} -> {}", written(value)),
                    None => format!("read {name}"),
                },
                Part::Write { name, value } => format!("write {name} {}", written(*value)),
            })
            .collect();
        let unknown = if answer.is_none() { " (outcome unknown)" } else { "" };
        format!("transaction {}{unknown}", parts.join(", "))
    }

    fn state_in_words(&self, state: &Registers) -> String {
        let named = state.0.iter().map(|(name, value)| format!("{name} holds {}", written(*value)));
        let named: Vec<String> = named.collect();
        if named.is_empty() { format!("all hold {}", written(self.initial)) } else { named.join(", ") }
    }

    fn first_sight(&self, operations: &impl View<TransactionStep>) -> Option<Conflict> {
        glances::conflict(self.initial, operations)
    }

    fn needed_in_words(&self, step: &TransactionStep) -> Option<String> {
        let found = reads(step).filter_map(|(name, value)| value.map(|value| (name, value)));
        let needed: Vec<String> =
            found.map(|(name, value)| format!("hold {} in {name}", written(value))).collect();
        (!needed.is_empty()).then(|| needed.join(" and "))
    }

    fn is_source(&self, source: &TransactionStep, found: &TransactionStep) -> Option<&'static str> {
        let is_written = |name: &Arc<str>, wanted: Value| {
            source.parts.iter().any(|part| match part {
                Part::Write { name: other, value } => other == name && *value == wanted,
                Part::Read { .. } => false,
            })
        };
        let mut found = reads(found).filter_map(|(name, value)| value.map(|value| (name, value)));
        found.any(|(name, value)| is_written(name, value)).then_some("wrote a value of")
    }

    fn state_bytes(&self, state: &Registers) -> usize {
        size_of_val(state.0.as_slice())
    }

    fn sequential_shortcut(&self, programs: &Programs<TransactionStep>, budget: Budget) -> Option<Ruling> {
        saturation::decide(programs, self, budget)
    }
}

/// What each register that a transaction reads held, as far as that is known.
fn reads(step: &TransactionStep) -> impl Iterator<Item = (&Arc<str>, Option<Value>)> {
    let names = step.parts.iter().filter_map(|part| match part {
        Part::Read { name } => Some(name),
        Part::Write { .. } => None,
    });
    let found = step.found.iter().flat_map(|found| found.iter().copied());
    names.zip(found)
}

impl Touching<TransactionStep> for MultiRegister {
    type Register = Arc<str>;
    type Value = Value;

    fn initial(&self) -> Value {
        self.initial
    }

    /// A transaction that contradicts itself is none of reading and writing.
    fn touches(
        &self,
        _place: usize,
        step: &TransactionStep,
        into: &mut Vec<Touch<Arc<str>, Value>>,
    ) -> Option<()> {
        let mut found = step.found.iter().flat_map(|found| found.iter());
        for part in step.parts.iter() {
            let (Part::Read { name } | Part::Write { name, .. }) = part;
            let at = into.iter().position(|touch| touch.register == *name).unwrap_or_else(|| {
                into.push(Touch { register: name.clone(), found: None, written: None });
                into.len() - 1
            });
            let touch = &mut into[at];
            match part {
                Part::Write { value, .. } => touch.written = Some(*value),
                Part::Read { .. } => {
                    let Some(value) = found.next().copied().flatten() else { continue };
                    let known = touch.written.or(touch.found);
                    if known.is_some_and(|known| known != value) {
                        return None;
                    }
                    if touch.written.is_none() {
                        touch.found = Some(value);
                    }
                }
            }
        }
        Some(())
    }
}

impl TransactionStep {
    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl Registers {
    fn get(&self, name: &str, spec: &MultiRegister) -> Value {
        match self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name)) {
            Ok(place) => self.0[place].1,
            Err(_) => spec.initial,
        }
    }

    fn set(&mut self, name: &Arc<str>, value: Value, spec: &MultiRegister) {
        match self.0.binary_search_by(|(other, _)| other.cmp(name)) {
            Ok(place) if value == spec.initial => drop(self.0.remove(place)),
            Ok(place) => self.0[place].1 = value,
            Err(_) if value == spec.initial => {}
            Err(place) => self.0.insert(place, (name.clone(), value)),
        }
    }
}

fn read_count(parts: &[Part]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Read { .. })).count()
}
