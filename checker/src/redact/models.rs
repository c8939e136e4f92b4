//! What is replaced in the questions and answers of each model.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};
use crate::spec::kinds::{Kinds, KindsAnswer, KindsCall};
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use crate::spec::revisions::{
    ActionResult, Condition, FoundEntry, FoundRange, KeyRange, Revisions, StoreAction, StoreAnswer,
    StoreCall, StoreTxn, StoreValue,
};
use crate::spec::text::{Text, TextAnswer, TextCall};

/// Replaces what a model does not look at but for equality.
pub(super) trait Redacted<S: Spec> {
    fn call(&mut self, call: &S::Call) -> S::Call;

    fn answer(&mut self, answer: &S::Answer) -> S::Answer;
}

/// Where there is nothing to replace.
pub(super) struct Nothing;

impl Redacted<Counter> for Nothing {
    fn call(&mut self, call: &CounterCall) -> CounterCall {
        *call
    }

    fn answer(&mut self, answer: &CounterAnswer) -> CounterAnswer {
        *answer
    }
}

impl Redacted<Mutex> for Nothing {
    fn call(&mut self, call: &MutexCall) -> MutexCall {
        *call
    }

    fn answer(&mut self, answer: &MutexAnswer) -> MutexAnswer {
        *answer
    }
}

/// Numbers by their first appearance, and names of registers.
#[derive(Default)]
pub(super) struct Numbers {
    known: BTreeMap<i64, i64>,
    kept: Option<i64>,
    names: BTreeMap<Arc<str>, Arc<str>>,
}

impl Numbers {
    /// Those of registers, where the initial value stays.
    pub(super) fn of_registers(initial: Value) -> Self {
        Self { kept: initial, ..Self::default() }
    }

    fn number(&mut self, number: i64) -> i64 {
        if self.kept == Some(number) {
            return number;
        }
        // The initial value is passed over.
        let mut next = self.known.len() as i64 + 1;
        if self.kept.is_some_and(|kept| 1 <= kept && kept <= next) {
            next += 1;
        }
        *self.known.entry(number).or_insert(next)
    }

    fn value(&mut self, value: Value) -> Value {
        value.map(|number| self.number(number))
    }

    fn name(&mut self, name: &Arc<str>) -> Arc<str> {
        let next = self.names.len() + 1;
        self.names.entry(name.clone()).or_insert_with(|| format!("register-{next:05}").into()).clone()
    }
}

impl Redacted<Register> for Numbers {
    fn call(&mut self, call: &RegisterCall) -> RegisterCall {
        match *call {
            RegisterCall::Read => RegisterCall::Read,
            RegisterCall::Write(value) => RegisterCall::Write(self.value(value)),
            RegisterCall::CompareAndSet { expected, new } => {
                RegisterCall::CompareAndSet { expected: self.value(expected), new: self.value(new) }
            }
        }
    }

    fn answer(&mut self, answer: &RegisterAnswer) -> RegisterAnswer {
        match *answer {
            RegisterAnswer::Value(value) => RegisterAnswer::Value(self.value(value)),
            RegisterAnswer::Done => RegisterAnswer::Done,
            RegisterAnswer::Mismatch => RegisterAnswer::Mismatch,
        }
    }
}

impl Redacted<Log> for Numbers {
    fn call(&mut self, call: &LogCall) -> LogCall {
        match *call {
            LogCall::Append(entry) => LogCall::Append(self.number(entry)),
            LogCall::ReadFrom(offset) => LogCall::ReadFrom(offset),
            LogCall::ReadAt(offset) => LogCall::ReadAt(offset),
        }
    }

    fn answer(&mut self, answer: &LogAnswer) -> LogAnswer {
        match answer {
            LogAnswer::Appended => LogAnswer::Appended,
            LogAnswer::AppendedAt(offset) => LogAnswer::AppendedAt(*offset),
            LogAnswer::Entries(entries) => {
                LogAnswer::Entries(entries.iter().map(|entry| self.number(*entry)).collect())
            }
            LogAnswer::Entry(entry) => LogAnswer::Entry(self.value(*entry)),
        }
    }
}

impl Redacted<MultiRegister> for Numbers {
    fn call(&mut self, call: &Transaction) -> Transaction {
        let part = |part: &Part| match part {
            Part::Read { name } => Part::Read { name: self.name(name) },
            Part::Write { name, value } => Part::Write { name: self.name(name), value: self.value(*value) },
        };
        Transaction(call.0.iter().map(part).collect())
    }

    fn answer(&mut self, answer: &Reads) -> Reads {
        Reads(answer.0.iter().map(|found| found.map(|value| self.value(value))).collect())
    }
}

/// Characters by their first appearance: what is put together of others stays so.
#[derive(Default)]
pub(super) struct Strings {
    known: BTreeMap<char, char>,
}

impl Strings {
    /// The first characters that are given.
    const FIRST: u32 = 'a' as u32;

    pub(super) fn replace(&mut self, text: &str) -> Arc<str> {
        let mark = |mark: char| {
            let next = (Self::FIRST..).filter_map(char::from_u32).nth(self.known.len());
            *self.known.entry(mark).or_insert(next.unwrap_or(mark))
        };
        text.chars().map(mark).collect::<String>().into()
    }
}

impl Redacted<Text> for Strings {
    fn call(&mut self, call: &TextCall) -> TextCall {
        match call {
            TextCall::Get => TextCall::Get,
            TextCall::Put(text) => TextCall::Put(self.replace(text)),
            TextCall::Append(text) => TextCall::Append(self.replace(text)),
        }
    }

    fn answer(&mut self, answer: &TextAnswer) -> TextAnswer {
        match answer {
            TextAnswer::Found(text) => TextAnswer::Found(self.replace(text)),
            TextAnswer::Done => TextAnswer::Done,
        }
    }
}

/// Orders by their first appearance.
#[derive(Default)]
pub(super) struct Orders {
    known: BTreeMap<u64, u64>,
}

impl Orders {
    fn order(&mut self, order: u64) -> u64 {
        let next = self.known.len() as u64 + 1;
        *self.known.entry(order).or_insert(next)
    }
}

impl Redacted<Capacity> for Orders {
    fn call(&mut self, call: &CapacityCall) -> CapacityCall {
        match *call {
            CapacityCall::Reserve { order, units } => {
                CapacityCall::Reserve { order: order.map(|order| self.order(order)), units }
            }
            CapacityCall::Release { order, units } => {
                CapacityCall::Release { order: order.map(|order| self.order(order)), units }
            }
            CapacityCall::Read => CapacityCall::Read,
        }
    }

    fn answer(&mut self, answer: &CapacityAnswer) -> CapacityAnswer {
        *answer
    }
}

impl Redacted<Kinds> for Orders {
    fn call(&mut self, call: &KindsCall) -> KindsCall {
        match *call {
            KindsCall::Reserve { order, units, zone } => {
                KindsCall::Reserve { order: self.order(order), units, zone }
            }
            KindsCall::Release { order } => KindsCall::Release { order: self.order(order) },
            KindsCall::Read => KindsCall::Read,
        }
    }

    fn answer(&mut self, answer: &KindsAnswer) -> KindsAnswer {
        *answer
    }
}

/// Keys in their order, for ranges; values and leases by their first appearance.
pub(super) struct Store {
    keys: BTreeMap<Arc<str>, Arc<str>>,
    values: Vec<StoreValue>,
    leases: BTreeMap<i64, i64>,
}

/// Ends of ranges that are no keys.
const ENDS: [&str; 2] = ["", "\0"];

impl Store {
    pub(super) fn of(history: &KeyedHistory<Revisions>) -> Self {
        let mut named = BTreeSet::new();
        for part in history.parts().values() {
            for operation in part.operations() {
                call_keys(&operation.call, &mut named);
                if let Some(answer) = operation.answer() {
                    answer_keys(answer, &mut named);
                }
            }
            part.dropped().iter().for_each(|dropped| call_keys(&dropped.call, &mut named));
        }
        let keys = named.into_iter().filter(|key| !ENDS.contains(&&**key));
        let keys = (1..).zip(keys).map(|(number, key): (u32, _)| (key, format!("key-{number:08}").into()));
        Self { keys: keys.collect(), values: Vec::new(), leases: BTreeMap::new() }
    }

    fn key(&self, key: &Arc<str>) -> Arc<str> {
        self.keys.get(key).unwrap_or(key).clone()
    }

    fn value(&mut self, value: &StoreValue) -> StoreValue {
        let place = self.values.iter().position(|other| other == value).unwrap_or_else(|| {
            self.values.push(value.clone());
            self.values.len() - 1
        });
        StoreValue::Text(format!("value-{}", place + 1).into())
    }

    fn lease(&mut self, lease: i64) -> i64 {
        if lease == 0 {
            return 0;
        }
        let next = self.leases.len() as i64 + 1;
        *self.leases.entry(lease).or_insert(next)
    }

    fn range(&self, range: &KeyRange) -> KeyRange {
        KeyRange { start: self.key(&range.start), end: self.key(&range.end), limit: range.limit }
    }

    fn actions(&mut self, actions: &[StoreAction]) -> Vec<StoreAction> {
        let action = |action: &StoreAction| match action {
            StoreAction::Range(range) => StoreAction::Range(self.range(range)),
            StoreAction::Put { key, value, lease } => {
                StoreAction::Put { key: self.key(key), value: self.value(value), lease: self.lease(*lease) }
            }
            StoreAction::Delete { key } => StoreAction::Delete { key: self.key(key) },
        };
        actions.iter().map(action).collect()
    }

    fn found(&mut self, found: &FoundRange) -> FoundRange {
        let entry = |entry: &FoundEntry| FoundEntry {
            key: self.key(&entry.key),
            value: self.value(&entry.value),
            modified: entry.modified,
            version: entry.version,
        };
        FoundRange { entries: found.entries.iter().map(entry).collect(), count: found.count }
    }
}

impl Redacted<Revisions> for Store {
    fn call(&mut self, call: &StoreCall) -> StoreCall {
        match call {
            StoreCall::Range(range) => StoreCall::Range(self.range(range)),
            StoreCall::RangeAt { range, revision } => {
                StoreCall::RangeAt { range: self.range(range), revision: *revision }
            }
            StoreCall::Txn(txn) => {
                let condition = |condition: &Condition| Condition {
                    key: self.key(&condition.key),
                    expected: condition.expected,
                };
                let conditions = txn.conditions.iter().map(condition).collect();
                StoreCall::Txn(Arc::new(StoreTxn {
                    conditions,
                    on_success: self.actions(&txn.on_success),
                    on_failure: self.actions(&txn.on_failure),
                }))
            }
            StoreCall::GrantLease(lease) => StoreCall::GrantLease(self.lease(*lease)),
            StoreCall::RevokeLease(lease) => StoreCall::RevokeLease(self.lease(*lease)),
            StoreCall::Compact(_) | StoreCall::Defragment => call.clone(),
        }
    }

    fn answer(&mut self, answer: &StoreAnswer) -> StoreAnswer {
        match answer {
            StoreAnswer::Range { found, revision } => {
                StoreAnswer::Range { found: self.found(found), revision: *revision }
            }
            StoreAnswer::Txn { is_failed, results, revision } => {
                let result = |result: &ActionResult| ActionResult {
                    found: self.found(&result.found),
                    deleted: result.deleted,
                };
                let results = results.iter().map(result).collect();
                StoreAnswer::Txn { is_failed: *is_failed, results, revision: *revision }
            }
            StoreAnswer::Persisted { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision => {
                answer.clone()
            }
        }
    }
}

fn call_keys(call: &StoreCall, into: &mut BTreeSet<Arc<str>>) {
    match call {
        StoreCall::Range(range) | StoreCall::RangeAt { range, .. } => range_keys(range, into),
        StoreCall::Txn(txn) => {
            into.extend(txn.conditions.iter().map(|condition| condition.key.clone()));
            for action in txn.on_success.iter().chain(&txn.on_failure) {
                match action {
                    StoreAction::Range(range) => range_keys(range, into),
                    StoreAction::Put { key, .. } | StoreAction::Delete { key } => {
                        into.insert(key.clone());
                    }
                }
            }
        }
        StoreCall::GrantLease(_)
        | StoreCall::RevokeLease(_)
        | StoreCall::Compact(_)
        | StoreCall::Defragment => {}
    }
}

fn range_keys(range: &KeyRange, into: &mut BTreeSet<Arc<str>>) {
    into.extend([range.start.clone(), range.end.clone()]);
}

fn answer_keys(answer: &StoreAnswer, into: &mut BTreeSet<Arc<str>>) {
    match answer {
        StoreAnswer::Range { found, .. } => into.extend(found.entries.iter().map(|entry| entry.key.clone())),
        StoreAnswer::Txn { results, .. } => {
            let found = results.iter().flat_map(|result| result.found.entries.iter());
            into.extend(found.map(|entry| entry.key.clone()));
        }
        StoreAnswer::Persisted { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision => {}
    }
}
