//! The generators of the benches: the same seed gives the same bytes, and the checker sees what was planned.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../benches/histories/mod.rs"]
#[expect(dead_code, reason = "shared with benches that use more of it")]
mod histories;

#[path = "generators/causality.rs"]
mod causality;

use std::fmt::Debug;

use counterclock_checker::budget::Budget;
use counterclock_checker::format::{Options, parse};
use counterclock_checker::judge::judge;
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::linearizable::linearizable_by_key;
use counterclock_checker::sequential::sequential;
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::Capacity;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::log::Log;
use counterclock_checker::spec::register::Register;
use counterclock_checker::spec::text::Text;
use counterclock_checker::weak::{WeakLevel, weak};
use histories::recorder::keyed;
use histories::written::{Keys, Written};
use histories::{Load, Truth};
use histories::{causal, counters, lagging, registers, reservations, sequences, tickets};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };
const REGISTER: Register = Register { initial: None };
const INCREMENTS: Counter = Counter { kind: CounterKind::Increment };
const ADDITIONS: Counter = Counter { kind: CounterKind::AddAndRead };
const CAPACITY: Capacity = Capacity { capacity: Some(reservations::CAPACITY) };

/// Small histories from many seeds, legal ones and others, all outcomes known and not.
fn loads(operations: usize, clients: usize) -> impl Iterator<Item = Load> {
    (0..30_u64).flat_map(move |seed| {
        let load = Load { seed, ..Load::of(operations, clients) };
        let often_unknown = histories::chance::Ratio { hits: 1, of: 20 };
        let unknown = Load { unknown: often_unknown, ..load };
        [load, load.illegal(), unknown, unknown.illegal()]
    })
}

#[track_caller]
fn check_linearizable<S: Spec>(spec: &S, generate: impl Fn(&Load, &mut KeyedBuilder<S>)) {
    check_linearizable_of(60, spec, generate);
}

#[track_caller]
fn check_linearizable_of<S: Spec>(
    operations: usize,
    spec: &S,
    generate: impl Fn(&Load, &mut KeyedBuilder<S>),
) {
    for load in loads(operations, 4) {
        let history = keyed(|builder| generate(&load, builder));
        check_counts(&load, &history);
        let verdict = linearizable_by_key(spec, &history, BUDGET).verdict;
        assert_eq!(verdict.word(), load.truth.word(), "{load:?}: {verdict} {history:?}");
    }
}

/// What was asked for, and that the same load gives the same history.
#[track_caller]
fn check_counts<S: Spec>(load: &Load, history: &KeyedHistory<S>) {
    assert!((load.operations..=load.operations + 2).contains(&history.len()), "{load:?}: {}", history.len());
    let unknown_count: usize = history.parts().values().map(|part| part.unknown_count()).sum();
    assert!(load.unknown.hits > 0 || unknown_count == 0, "{load:?}: {unknown_count} unknown");
    let clients = history.by_invocation().iter().map(|(_, operation)| operation.client.0).max().unwrap();
    assert!(clients < (load.clients + unknown_count) as u64, "{load:?}: client {clients}");
}

#[track_caller]
fn check_sequential<S: Spec>(spec: &S, generate: impl Fn(&Load, &mut KeyedBuilder<S>)) {
    let mut linearizable_count = 0;
    for load in loads(80, 4).filter(|load| load.unknown.hits == 0 && load.seed < 4) {
        let history = keyed(|builder| generate(&load, builder));
        let per_key = linearizable_by_key(spec, &history, BUDGET);
        linearizable_count += usize::from(per_key.verdict.holds());
        let verdict = sequential(spec, &history, &per_key, BUDGET).verdict;
        assert_eq!(verdict.word(), load.truth.word(), "{load:?}: {verdict} {history:?}");
    }
    assert!(linearizable_count < 4, "{linearizable_count} of 8 need no order but that of real time");
}

/// The same load gives the same bytes, another seed others.
#[track_caller]
fn check_bytes(generate: impl Fn(&Load, &mut Written<Vec<u8>>)) {
    let text = |load: &Load| {
        let mut written = Written::new(Vec::new(), "# model=any", Keys::Unnamed);
        generate(load, &mut written);
        String::from_utf8(written.finish().unwrap()).unwrap()
    };
    let load = Load::of(500, 16);
    let first = text(&load);
    assert_eq!(first, text(&load));
    assert_ne!(first, text(&Load { seed: load.seed + 1, ..load }));
    assert_eq!(first.lines().count(), 1 + 2 * 500, "a header, questions and answers");
}

/// What is written is judged by its reader as it was planned.
#[track_caller]
fn check_text(header: &str, operations: usize, generate: impl Fn(&Load, &mut Written<Vec<u8>>)) {
    for load in loads(operations, 4).filter(|load| load.seed < 5) {
        let mut written = Written::new(Vec::new(), header, Keys::Unnamed);
        generate(&load, &mut written);
        let families = parse(&written.finish().unwrap(), &Options::default()).unwrap();
        let checks = judge(&families, &["linearizable"], BUDGET);
        assert_eq!(checks[0].verdict.word(), load.truth.word(), "{load:?}: {}", checks[0].detail);
    }
}

/// The same, for what has no text.
#[track_caller]
fn check_same<T: Debug + PartialEq>(generate: impl Fn(&Load) -> T) {
    let load = Load::of(500, 16);
    assert_eq!(generate(&load), generate(&load));
    assert_ne!(generate(&load), generate(&Load { seed: load.seed + 1, ..load }));
}

#[test]
fn registers_with_unique_values_are_linearizable_unless_spoilt() {
    check_linearizable(&REGISTER, registers::unique_register);
    check_bytes(registers::unique_register);
}

#[test]
fn a_hundred_keys_are_linearizable_unless_spoilt() {
    for load in loads(1_500, 8) {
        let history = keyed(|builder| registers::unique_keys(&load, builder));
        check_counts(&load, &history);
        let verdict = linearizable_by_key(&REGISTER, &history, BUDGET).verdict;
        assert_eq!(verdict.word(), load.truth.word(), "{load:?}: {verdict}");
    }
    check_same(|load| keyed(|builder| registers::unique_keys(load, builder)));
}

#[test]
fn compare_and_set_over_five_values_is_linearizable_unless_spoilt() {
    check_linearizable(&REGISTER, registers::five_values);
    check_bytes(registers::five_values);
}

#[test]
fn increments_are_linearizable_unless_spoilt() {
    check_linearizable(&INCREMENTS, counters::increments);
    check_bytes(counters::increments);
}

#[test]
fn additions_are_linearizable_unless_spoilt() {
    check_linearizable(&ADDITIONS, counters::additions);
    check_bytes(counters::additions);
}

#[test]
fn reservations_are_linearizable_unless_spoilt() {
    check_linearizable(&CAPACITY, reservations::reservations);
    check_bytes(reservations::reservations);
}

#[test]
fn logs_are_linearizable_unless_spoilt() {
    check_linearizable(&Log, sequences::log_with_offsets);
    check_linearizable_of(30, &Log, sequences::log_without_offsets);
    check_bytes(sequences::log_with_offsets);
    check_bytes(sequences::log_without_offsets);
}

#[test]
fn strings_are_linearizable_unless_spoilt() {
    check_linearizable(&Text::default(), sequences::texts);
    check_bytes(sequences::texts);
}

#[test]
fn lagging_registers_are_sequential_unless_spoilt() {
    check_sequential(&REGISTER, lagging::unique_register);
    check_bytes(lagging::unique_register);
}

#[test]
fn lagging_counters_are_sequential_unless_spoilt() {
    check_sequential(&ADDITIONS, lagging::additions);
    check_bytes(lagging::additions);
}

#[test]
fn tickets_are_sequential_unless_spoilt() {
    check_sequential(&INCREMENTS, |load, builder| tickets::increments(load, 1, builder));
    check_sequential(&INCREMENTS, |load, builder| tickets::increments(load, 2, builder));
    check_bytes(|load, text| tickets::increments(load, 1, text));
}

#[test]
fn replicas_are_causal_but_not_sequential_unless_spoilt() {
    for load in loads(400, 6).filter(|load| load.unknown.hits == 0) {
        let history = keyed(|builder| causal::unique_keys(&load, builder));
        check_counts(&load, &history);
        assert_eq!(causality::is_causal(&history), load.truth == Truth::Legal, "{load:?}");
        let verdict = weak(WeakLevel::Causal, &REGISTER, &history, BUDGET).verdict;
        assert_eq!(verdict.word(), load.truth.word(), "{load:?}: {verdict}");
    }
    check_same(|load| keyed(|builder| causal::unique_keys(load, builder)));
}

#[test]
fn what_is_written_is_read_and_judged_as_it_was_planned() {
    check_text("# model=register-cas init=nil", 60, registers::unique_register);
    check_text("# model=register-cas init=nil", 60, registers::five_values);
    check_text("# model=counter-inc", 60, counters::increments);
    check_text("# model=counter-rw", 60, counters::additions);
    check_text("# model=bcounter cap=40", 60, reservations::reservations);
    check_text("# model=log", 60, sequences::log_with_offsets);
    check_text("# model=log", 30, sequences::log_without_offsets);
    check_text("", 60, sequences::texts);
}

#[test]
fn one_operation_in_a_hundred_is_of_unknown_outcome() {
    let load = Load::of(20_000, 16).with_unknown();
    let history = keyed(|builder| registers::unique_register(&load, builder));
    let unknown_count: usize = history.parts().values().map(|part| part.unknown_count()).sum();
    assert!((150..250).contains(&unknown_count), "{unknown_count} of 20,000 are unknown");
}
