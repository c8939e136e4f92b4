//! How long linearizability takes on histories of full size, and on small ones beside the peers.

use std::cell::LazyCell;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use counterclock_checker::budget::Budget;
use counterclock_checker::history::{Builder, History};
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::linearizable::{linearizable, linearizable_by_key};
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::Capacity;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::log::Log;
use counterclock_checker::spec::register::Register;
use counterclock_checker::spec::text::Text;
use counterclock_checker::verdict::Judgement;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};

#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod histories;
#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod peers;

use histories::Load;
use histories::recorder::{keyed, single};
use histories::{counters, registers, reservations, sequences};
use peers::{Stateright, Todc};

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

const REGISTER: Register = Register { initial: None };
const INCREMENTS: Counter = Counter { kind: CounterKind::Increment };
const ADDITIONS: Counter = Counter { kind: CounterKind::AddAndRead };
const CAPACITY: Capacity = Capacity { capacity: Some(reservations::CAPACITY) };

const MILLION: Load = Load::of(1_000_000, 16);

/// A bound for the rows that are not decided yet: some seconds.
fn budget(load: &Load) -> Budget {
    Budget { steps_max: 1_000_000.max(4 * load.operations as u64) }
}

/// A wrong verdict stops the bench; one that was not reached is told, for its figure means another thing.
fn expect_verdict(name: &str, load: &Load, judged: &Judgement) {
    let word = judged.verdict.word();
    assert!(
        word == load.truth.word() || word == "undecided",
        "{name}: {word}, though it is {:?}",
        load.truth
    );
    // A line that cannot be written is no reason to stop measuring.
    let _ = writeln!(std::io::stderr(), "{name}: {word} by {}, {} steps", judged.algorithm, judged.steps);
}

/// A row of one object.
fn one<S: Spec>(
    group: &mut Group<'_>,
    (name, load): (&str, Load),
    spec: &S,
    generate: impl FnOnce(&Load, &mut Builder<S>),
) {
    let history = LazyCell::new(|| {
        let history: History<S> = single(|builder| generate(&load, builder));
        expect_verdict(name, &load, &linearizable(spec, &history, budget(&load)));
        history
    });
    group.bench_function(name, |bencher| {
        let history = &*history;
        bencher.iter(|| black_box(linearizable(spec, history, budget(&load))));
    });
}

/// A row of several.
fn several<S: Spec>(
    group: &mut Group<'_>,
    (name, load): (&str, Load),
    spec: &S,
    generate: impl FnOnce(&Load, &mut KeyedBuilder<S>),
) {
    let history = LazyCell::new(|| {
        let history: KeyedHistory<S> = keyed(|builder| generate(&load, builder));
        expect_verdict(name, &load, &linearizable_by_key(spec, &history, budget(&load)));
        history
    });
    group.bench_function(name, |bencher| {
        let history = &*history;
        bencher.iter(|| black_box(linearizable_by_key(spec, history, budget(&load))));
    });
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    group
}

fn unique_values(criterion: &mut Criterion) {
    let mut group = group(criterion, "unique values");
    let rows = [
        ("register, 10 k, 16 clients", Load::of(10_000, 16)),
        ("register, 1 M, 16 clients", MILLION),
        ("register, 1 M, 16 clients, 1 % unknown", MILLION.with_unknown()),
        ("register, 1 M, 16 clients, illegal", MILLION.illegal()),
    ];
    for row in rows {
        one(&mut group, row, &REGISTER, registers::unique_register);
    }
    several(&mut group, ("kv of 100 keys, 1 M, 16 clients", MILLION), &REGISTER, registers::unique_keys);
}

fn counters(criterion: &mut Criterion) {
    let mut group = group(criterion, "counters");
    let legal = ("increment, 1 M, 16 clients, 1 % unknown", MILLION.with_unknown());
    one(&mut group, legal, &INCREMENTS, counters::increments);
    let illegal = ("increment, 1 M, 16 clients, illegal", MILLION.illegal());
    one(&mut group, illegal, &INCREMENTS, counters::increments);
    let legal = ("add and read, 1 M, 16 clients, 1 % unknown", MILLION.with_unknown());
    one(&mut group, legal, &ADDITIONS, counters::additions);
    let illegal = ("add and read, 1 M, 16 clients, illegal", MILLION.illegal());
    one(&mut group, illegal, &ADDITIONS, counters::additions);
}

fn compare_and_set(criterion: &mut Criterion) {
    let mut group = group(criterion, "cas over 5 values");
    let rows = [
        ("10 k, 16 clients", Load::of(10_000, 16)),
        ("100 k, 16 clients", Load::of(100_000, 16)),
        ("1 k, 16 clients, illegal", Load::of(1_000, 16).illegal()),
        ("1 k, 64 clients", Load::of(1_000, 64)),
        ("10 k, 16 clients, 1 % unknown", Load::of(10_000, 16).with_unknown()),
    ];
    for row in rows {
        one(&mut group, row, &REGISTER, registers::five_values);
    }
}

fn bounded(criterion: &mut Criterion) {
    let mut group = group(criterion, "bounded counter");
    let rows = [
        ("100 k, 16 clients", Load::of(100_000, 16)),
        ("1 k, 16 clients, 1 % unknown", Load::of(1_000, 16).with_unknown()),
        ("1 k, 16 clients, illegal", Load::of(1_000, 16).illegal()),
    ];
    for row in rows {
        one(&mut group, row, &CAPACITY, reservations::reservations);
    }
}

fn sequences(criterion: &mut Criterion) {
    let mut group = group(criterion, "sequences");
    let told = ("log with offsets, 100 k, 16 clients", Load::of(100_000, 16));
    one(&mut group, told, &Log, sequences::log_with_offsets);
    let untold = ("log without offsets, 1 k, 4 clients", Load::of(1_000, 4));
    one(&mut group, untold, &Log, sequences::log_without_offsets);
    let strings = ("strings appended to, 100 k, 16 clients", Load::of(100_000, 16));
    several(&mut group, strings, &Text::default(), sequences::texts);
}

/// Steps of a peer: `stateright` makes some ten thousand a second, `todc-utils` some hundred thousand.
const STATERIGHT_STEPS_MAX: u64 = 5_000;
const TODC_STEPS_MAX: u64 = 200_000;

/// Makes one of the histories that peers are asked about, legal ones, from clients and operations.
type Generate = fn(&Load, &mut Builder<Register>);

/// The largest size that each peer finishes within its steps, ours beside it.
fn peers(criterion: &mut Criterion) {
    let mut group = group(criterion, "peers");
    let kinds: [(&str, Generate); 2] =
        [("unique register", registers::unique_register), ("cas over 5 values", registers::five_values)];
    for (kind, generate) in kinds {
        for clients in [4, 16] {
            let of = |size| single(|builder| generate(&Load::of(size, clients), builder));
            let name = format!("{kind}, {clients} clients");
            beside_todc(&mut group, &name, of);
            beside_stateright(&mut group, &name, of);
        }
    }
}

fn beside_todc(group: &mut Group<'_>, name: &str, history: impl Fn(usize) -> History<Register>) {
    let says = |fed: Todc| fed.says(TODC_STEPS_MAX);
    let Some(size) = largest(|size| says(Todc::new(&history(size)))) else { return };
    let name = format!("{name}, {size} operations, todc-utils");
    let (ours, fed) = (history(size), Todc::new(&history(size)));
    group.bench_function(&name, |bencher| {
        bencher.iter_batched(|| fed.clone(), |fed| black_box(says(fed)), BatchSize::PerIteration);
    });
    beside(group, &name, &ours);
}

fn beside_stateright(group: &mut Group<'_>, name: &str, history: impl Fn(usize) -> History<Register>) {
    let fed = |size| Stateright::linearizability(&history(size));
    let Some(size) = largest(|size| fed(size).says(STATERIGHT_STEPS_MAX)) else { return };
    let name = format!("{name}, {size} operations, stateright");
    let (ours, fed) = (history(size), fed(size));
    group.bench_function(&name, |bencher| {
        bencher.iter(|| black_box(fed.says(STATERIGHT_STEPS_MAX)));
    });
    beside(group, &name, &ours);
}

const SIZES: [usize; 8] = [10, 20, 40, 60, 80, 100, 200, 500];

/// The last size before the first that is not finished.
fn largest(says: impl Fn(usize) -> Option<bool>) -> Option<usize> {
    let finished =
        |size: &usize| says(*size).inspect(|said| assert!(*said, "the history is legal")).is_some();
    SIZES.into_iter().take_while(finished).last()
}

fn beside(group: &mut Group<'_>, name: &str, history: &History<Register>) {
    let budget = Budget { steps_max: 1_000_000 };
    group.bench_function(format!("ours beside it: {name}"), |bencher| {
        bencher.iter(|| black_box(linearizable(&REGISTER, history, budget)));
    });
}

criterion_group!(benches, unique_values, counters, compare_and_set, bounded, sequences, peers);
criterion_main!(benches);
