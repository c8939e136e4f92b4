//! Registers under load: values that are written once, and compare-and-set over a few values.

use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};

use super::Load;
use super::chance::Chance;
use super::clients::{Asked, Fate, Workload, record};
use super::recorder::Recorder;

/// Reads and writes of one register; no value is written twice.
pub(crate) fn unique_register(load: &Load, recorder: &mut impl Recorder<Register>) {
    record(load, 1, Unique::new(load, 1), recorder);
}

/// The same over 100 keys.
pub(crate) fn unique_keys(load: &Load, recorder: &mut impl Recorder<Register>) {
    record(load, 2, Unique::new(load, 100), recorder);
}

/// Reads, writes and compare-and-set of one register that holds five values.
pub(crate) fn five_values(load: &Load, recorder: &mut impl Recorder<Register>) {
    record(load, 3, FiveValues::default(), recorder);
}

/// What is wrong about a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Nobody wrote what it found.
    Unwritten,
    /// It found what was written before, but is not there any more.
    Replaced,
}

/// Reads, writes and compare-and-set of one register that holds so many values.
pub(crate) fn some_values(
    load: &Load,
    value_count: usize,
    wrong: Wrong,
    recorder: &mut impl Recorder<Register>,
) {
    let values = FiveValues { open: vec![0; value_count], wrong, ..FiveValues::default() };
    record(load, 21, values, recorder);
}

struct Unique {
    values: Vec<Value>,
    written_count: i64,
    /// By key, the value of a write that was answered.
    finished: Vec<Value>,
    /// By client, what had been finished of the key when it asked for its write.
    finished_before: Vec<Value>,
    /// A key, and a value of it that was replaced: both writes were answered, one after the other.
    replaced: Option<(usize, Value)>,
}

impl Unique {
    fn new(load: &Load, key_count: usize) -> Self {
        Self {
            values: vec![None; key_count],
            written_count: 0,
            finished: vec![None; key_count],
            finished_before: vec![None; load.clients],
            replaced: None,
        }
    }
}

impl Workload for Unique {
    type Model = Register;

    fn ask(&mut self, client: usize, chance: &mut Chance) -> Asked<Register> {
        let key = chance.below(self.values.len());
        if chance.one_in(2) {
            return Asked { key, call: RegisterCall::Read };
        }
        self.written_count += 1;
        self.finished_before[client] = self.finished[key];
        Asked { key, call: RegisterCall::Write(Some(self.written_count)) }
    }

    fn take_effect(&mut self, asked: &Asked<Register>) -> RegisterAnswer {
        decide(&mut self.values[asked.key], &asked.call)
    }

    fn answered(&mut self, client: usize, asked: &Asked<Register>, _answer: &RegisterAnswer) {
        if let RegisterCall::Write(value) = asked.call {
            self.finished[asked.key] = value;
            if self.finished_before[client].is_some() {
                self.replaced = Some((asked.key, self.finished_before[client]));
            }
        }
    }

    fn given_up(&mut self, _asked: &Asked<Register>, _fate: Fate) {}

    /// A read of a replaced value.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Register>, RegisterAnswer)> {
        let read = |(key, value)| (Asked { key, call: RegisterCall::Read }, RegisterAnswer::Value(value));
        self.replaced.into_iter().map(read).collect()
    }
}

const VALUE_COUNT: usize = 5;

struct FiveValues {
    value: Value,
    /// By value, how many operations may still write it.
    open: Vec<usize>,
    given_up_count: usize,
    is_written: bool,
    wrong: Wrong,
}

impl Default for FiveValues {
    fn default() -> Self {
        let open = vec![0; VALUE_COUNT];
        Self { value: None, open, given_up_count: 0, is_written: false, wrong: Wrong::Replaced }
    }
}

impl FiveValues {
    /// What the operation may write.
    fn target(call: &RegisterCall) -> Option<usize> {
        let value = match call {
            RegisterCall::Read => None,
            RegisterCall::Write(value) | RegisterCall::CompareAndSet { new: value, .. } => *value,
        };
        value.map(|value| usize::try_from(value).expect("the values count from 0"))
    }
}

fn some(value: usize) -> Value {
    Some(i64::try_from(value).expect("there are few values"))
}

impl Workload for FiveValues {
    type Model = Register;

    fn ask(&mut self, _client: usize, chance: &mut Chance) -> Asked<Register> {
        let mut any = || some(chance.below(self.open.len()));
        let (expected, new) = (any(), any());
        let call = match chance.below(3) {
            0 => RegisterCall::Read,
            1 => RegisterCall::Write(new),
            _ => RegisterCall::CompareAndSet { expected, new },
        };
        if let Some(target) = Self::target(&call) {
            self.open[target] += 1;
        }
        Asked { key: 0, call }
    }

    fn take_effect(&mut self, asked: &Asked<Register>) -> RegisterAnswer {
        decide(&mut self.value, &asked.call)
    }

    fn answered(&mut self, _client: usize, asked: &Asked<Register>, _answer: &RegisterAnswer) {
        self.is_written |= matches!(asked.call, RegisterCall::Write(_));
        if let Some(target) = Self::target(&asked.call) {
            self.open[target] -= 1;
        }
    }

    fn given_up(&mut self, _asked: &Asked<Register>, _fate: Fate) {
        self.given_up_count += 1;
    }

    /// A write, then a read of another value that no open operation writes. Once so many outcomes are
    /// unknown that there is no such value: a read of nil, which nobody writes.
    fn violation(&mut self, chance: &mut Chance) -> Vec<(Asked<Register>, RegisterAnswer)> {
        let read = |value| (Asked { key: 0, call: RegisterCall::Read }, RegisterAnswer::Value(value));
        if self.wrong == Wrong::Unwritten {
            return vec![read(some(self.open.len()))];
        }
        let unwritten: Vec<usize> = (0..self.open.len()).filter(|value| self.open[*value] == 0).collect();
        if unwritten.is_empty() {
            let is_hopeless = self.given_up_count > 0 && self.is_written;
            return is_hopeless.then(|| read(None)).into_iter().collect();
        }
        let wrong = unwritten[chance.below(unwritten.len())];
        let count = self.open.len();
        let right = (wrong + 1 + chance.below(count - 1)) % count;
        self.value = some(right);
        let write = Asked { key: 0, call: RegisterCall::Write(some(right)) };
        vec![(write, RegisterAnswer::Done), read(some(wrong))]
    }
}

fn decide(value: &mut Value, call: &RegisterCall) -> RegisterAnswer {
    match *call {
        RegisterCall::Read => RegisterAnswer::Value(*value),
        RegisterCall::Write(new) => {
            *value = new;
            RegisterAnswer::Done
        }
        RegisterCall::CompareAndSet { expected, new } if expected == *value => {
            *value = new;
            RegisterAnswer::Done
        }
        RegisterCall::CompareAndSet { .. } => RegisterAnswer::Mismatch,
    }
}
