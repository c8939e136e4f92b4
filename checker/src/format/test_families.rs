//! Random families of operations of every model, for the tests of what is written and read again.

use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::admission::LimitSchedule;
use crate::history::{ClientId, OperationIndex};
use crate::judge::FamilyKind;
use crate::keyed::{KeyedBuilder, KeyedHistory};
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall, CounterKind};
use crate::spec::kinds::{Kinds, KindsAnswer, KindsCall, Units, Zone};
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use crate::spec::text::{Text, TextAnswer, TextCall};

/// Families of every model that has operations.
pub(crate) fn operations_of_any_model() -> impl Strategy<Value = FamilyKind> {
    prop_oneof![registers(), texts(), counters(), logs(), mutexes(), transactions(), capacity()]
}

/// How an operation ends, if it does.
#[derive(Clone, Copy, Debug)]
enum End {
    Answer,
    DidNotHappen,
    GaveUp,
}

/// Clients take turns: who has nothing open asks, who has ends it.
fn operations<S: Spec + 'static>(
    questions: impl Strategy<Value = (S::Call, S::Answer)> + 'static,
) -> impl Strategy<Value = KeyedHistory<S>> {
    let ends = prop_oneof![Just(End::Answer), Just(End::Answer), Just(End::DidNotHappen), Just(End::GaveUp)];
    let keys = prop_oneof![Just("slot \"7\""), Just(""), Just("ü")];
    let turns = vec((0..4_u64, keys, questions, ends, any::<u64>()), 0..24);
    turns.prop_map(|turns| {
        let mut builder = KeyedBuilder::<S>::default();
        let mut open = std::collections::BTreeMap::new();
        for (client, key, (call, answer), end, at_ns) in turns {
            let id = ClientId(client);
            match (open.remove(&client), end) {
                (None, _) => {
                    if builder.invoke(id, key, call, at_ns).is_ok() {
                        open.insert(client, answer);
                    }
                }
                (Some(answer), End::Answer) => builder.answer(id, answer, at_ns).unwrap(),
                (Some(_), End::DidNotHappen) => builder.did_not_happen(id, at_ns).unwrap(),
                (Some(_), End::GaveUp) => builder.unknown(id).unwrap(),
            }
        }
        builder.finish()
    })
}

fn register_questions() -> impl Strategy<Value = (RegisterCall, RegisterAnswer)> {
    let value = || option::of(any::<i64>());
    prop_oneof![
        value().prop_map(|value| (RegisterCall::Read, RegisterAnswer::Value(value))),
        value().prop_map(|value| (RegisterCall::Write(value), RegisterAnswer::Done)),
        (value(), value(), any::<bool>()).prop_map(|(expected, new, is_refused)| {
            let answer = if is_refused { RegisterAnswer::Mismatch } else { RegisterAnswer::Done };
            (RegisterCall::CompareAndSet { expected, new }, answer)
        }),
    ]
}

fn capacity_questions() -> impl Strategy<Value = (CapacityCall, CapacityAnswer)> {
    let order = || option::of(any::<u64>());
    let terms = (order(), order()).prop_map(|(limit, version)| Terms { limit, version });
    prop_oneof![
        (order(), any::<u64>(), terms, any::<bool>()).prop_map(|(order, units, terms, is_accepted)| {
            let answer =
                if is_accepted { CapacityAnswer::Accepted(terms) } else { CapacityAnswer::Rejected(terms) };
            (CapacityCall::Reserve { order, units }, answer)
        }),
        (order(), any::<u64>(), any::<bool>()).prop_map(|(order, units, is_held)| {
            let answer = if is_held { CapacityAnswer::Released } else { CapacityAnswer::NotHeld };
            (CapacityCall::Release { order, units }, answer)
        }),
        any::<u64>().prop_map(|used| (CapacityCall::Read, CapacityAnswer::Use(used))),
    ]
}

fn capacity() -> impl Strategy<Value = FamilyKind> {
    let witness = btree_map("[a-c]", vec((0..2_000_u32).prop_map(OperationIndex), 0..2_500), 0..3);
    let schedule =
        option::of(vec((any::<u64>(), any::<u64>()), 0..4).prop_map(|steps| LimitSchedule { steps }));
    let history = operations::<Capacity>(capacity_questions());
    (option::of(any::<u64>()), history, witness, schedule, any::<u64>()).prop_map(
        |(capacity, history, witness, schedule, uncertainty_ns)| FamilyKind::Capacity {
            spec: Capacity { capacity },
            history,
            witness,
            schedule,
            uncertainty_ns,
        },
    )
}

/// Counters of several kinds: only JSON lines have words for them.
pub(super) fn kinds() -> impl Strategy<Value = FamilyKind> {
    let terms = (option::of(any::<u64>()), option::of(any::<u64>()));
    let terms = terms.prop_map(|(limit, version)| Terms { limit, version });
    let zone = prop_oneof![Just(Zone::Served), Just(Zone::Unserved)];
    let answer = prop_oneof![
        terms.clone().prop_map(KindsAnswer::Accepted),
        terms.prop_map(KindsAnswer::Rejected),
        Just(KindsAnswer::NotServed),
    ];
    let questions = prop_oneof![
        (any::<u64>(), any::<Units>(), zone, answer)
            .prop_map(|(order, units, zone, answer)| (KindsCall::Reserve { order, units, zone }, answer)),
        any::<u64>().prop_map(|order| (KindsCall::Release { order }, KindsAnswer::Released)),
        any::<u64>().prop_map(|order| (KindsCall::Release { order }, KindsAnswer::NotHeld)),
        (any::<u64>(), 0..3_usize).prop_map(|(units, kind)| {
            let mut used = Units::default();
            used[kind] = units;
            (KindsCall::Read, KindsAnswer::Use(used))
        }),
    ];
    let witness = btree_map("[a-c]", vec((0..2_000_u32).prop_map(OperationIndex), 0..3), 0..3);
    let schedule =
        option::of(vec((any::<u64>(), any::<u64>()), 0..4).prop_map(|steps| LimitSchedule { steps }));
    let shares = prop_oneof![Just([100, 0, 0]), Just([70, 100, 0]), Just([100, 1, 50])];
    let history = operations::<Kinds>(questions);
    (shares, option::of(any::<u64>()), history, witness, (schedule, any::<u64>())).prop_map(
        |(shares, capacity, history, witness, (schedule, uncertainty_ns))| FamilyKind::Kinds {
            spec: Kinds { shares, capacity },
            history,
            witness,
            schedule,
            uncertainty_ns,
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    option::of(any::<i64>())
}

fn registers() -> impl Strategy<Value = FamilyKind> {
    let history = operations::<Register>(register_questions());
    (value(), history, any::<bool>()).prop_map(|(initial, history, is_keyed)| {
        let spec = Register { initial };
        if is_keyed { FamilyKind::KeyValue { spec, history } } else { FamilyKind::Register { spec, history } }
    })
}

fn string() -> impl Strategy<Value = Arc<str>> {
    prop_oneof![".{0,5}", "[\\\\\"; a\n\t\r\u{1}]{0,5}"].prop_map(Arc::from)
}

fn texts() -> impl Strategy<Value = FamilyKind> {
    let questions = prop_oneof![
        string().prop_map(|text| (TextCall::Get, TextAnswer::Found(text))),
        string().prop_map(|text| (TextCall::Put(text), TextAnswer::Done)),
        string().prop_map(|text| (TextCall::Append(text), TextAnswer::Done)),
    ];
    (string(), operations::<Text>(questions))
        .prop_map(|(initial, history)| FamilyKind::Text { spec: Text { initial }, history })
}

fn counters() -> impl Strategy<Value = FamilyKind> {
    let increment = any::<i64>().prop_map(|value| (CounterCall::Increment, CounterAnswer::Value(value)));
    let added = prop_oneof![
        any::<i64>().prop_map(|delta| (CounterCall::Add(delta), CounterAnswer::Done)),
        any::<i64>().prop_map(|value| (CounterCall::Read, CounterAnswer::Value(value))),
    ];
    let of = |kind| move |history| FamilyKind::Counter { spec: Counter { kind }, history };
    let tallied = operations::<Counter>(added.clone());
    prop_oneof![
        (tallied, any::<u64>()).prop_map(|(history, settled_ns)| FamilyKind::Tally { history, settled_ns }),
        operations::<Counter>(increment).prop_map(of(CounterKind::Increment)),
        operations::<Counter>(added).prop_map(of(CounterKind::AddAndRead)),
    ]
}

fn logs() -> impl Strategy<Value = FamilyKind> {
    let questions = prop_oneof![
        any::<i64>().prop_map(|entry| (LogCall::Append(entry), LogAnswer::Appended)),
        any::<(i64, u64)>()
            .prop_map(|(entry, offset)| (LogCall::Append(entry), LogAnswer::AppendedAt(offset))),
        (prop_oneof![Just(0), any::<u64>()], vec(any::<i64>(), 0..4))
            .prop_map(|(from, entries)| (LogCall::ReadFrom(from), LogAnswer::Entries(entries.into()))),
        (any::<u64>(), value())
            .prop_map(|(offset, entry)| (LogCall::ReadAt(offset), LogAnswer::Entry(entry))),
    ];
    operations::<Log>(questions).prop_map(|history| FamilyKind::AppendLog { spec: Log, history })
}

fn mutexes() -> impl Strategy<Value = FamilyKind> {
    let questions = prop_oneof![
        Just((MutexCall::Acquire, MutexAnswer::Done)),
        Just((MutexCall::Release, MutexAnswer::Done))
    ];
    operations::<Mutex>(questions).prop_map(|history| FamilyKind::Mutex { spec: Mutex, history })
}

fn transactions() -> impl Strategy<Value = FamilyKind> {
    let part = (string(), value(), option::of(value()), any::<bool>());
    let questions =
        vec(part, 0..4).prop_map(|parts| {
            let reads =
                parts.iter().filter(|(.., is_read)| *is_read).map(|(_, _, found, _)| *found).collect();
            let parts = parts.into_iter().map(|(name, value, _, is_read)| {
                if is_read { Part::Read { name } } else { Part::Write { name, value } }
            });
            (Transaction(parts.collect()), Reads(reads))
        });
    (value(), operations::<MultiRegister>(questions))
        .prop_map(|(initial, history)| FamilyKind::MultiRegister { spec: MultiRegister { initial }, history })
}
