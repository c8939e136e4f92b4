//! How long sequential consistency takes where linearizability fails, and on small histories beside the peer.

use std::cell::LazyCell;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use counterclock_checker::budget::Budget;
use counterclock_checker::history::History;
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::linearizable::linearizable_by_key_unexplained;
use counterclock_checker::sequential::sequential;
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::register::Register;
use counterclock_checker::verdict::Judgement;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod histories;
#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod peers;

use histories::Load;
use histories::recorder::{keyed, single};
use histories::{lagging, tickets};
use peers::Stateright;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

const REGISTER: Register = Register { initial: None };
const INCREMENTS: Counter = Counter { kind: CounterKind::Increment };
const ADDITIONS: Counter = Counter { kind: CounterKind::AddAndRead };

/// A bound for the rows that are not decided yet.
fn budget(load: &Load) -> Budget {
    Budget { steps_max: 1_000_000.max(4 * load.operations as u64) }
}

/// The question as `check --level sequential` asks it: first whether each object is linearizable.
fn judged<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    let per_key = linearizable_by_key_unexplained(spec, history, budget);
    sequential(spec, history, &per_key, budget)
}

fn row<S: Spec>(
    group: &mut Group<'_>,
    (name, load): (&str, Load),
    spec: &S,
    generate: impl FnOnce(&Load, &mut KeyedBuilder<S>),
) {
    let history = LazyCell::new(|| {
        let history = keyed(|builder| generate(&load, builder));
        let Judgement { verdict, algorithm, steps } = judged(spec, &history, budget(&load));
        let word = verdict.word();
        assert!(
            word == load.truth.word() || word == "undecided",
            "{name}: {word}, though it is {:?}",
            load.truth
        );
        // A line that cannot be written is no reason to stop measuring.
        let _ = writeln!(std::io::stderr(), "{name}: {word} by {algorithm}, {steps} steps");
        history
    });
    group.bench_function(name, |bencher| {
        let history = &*history;
        bencher.iter(|| black_box(judged(spec, history, budget(&load))));
    });
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    group
}

fn registers(criterion: &mut Criterion) {
    let mut group = group(criterion, "sequential register");
    for row_of in [
        ("10 k, 16 clients", Load::of(10_000, 16)),
        ("10 k, 16 clients, illegal", Load::of(10_000, 16).illegal()),
    ] {
        row(&mut group, row_of, &REGISTER, lagging::unique_register);
    }
}

fn counters(criterion: &mut Criterion) {
    let mut group = group(criterion, "sequential counters");
    let million = Load::of(1_000_000, 16);
    row(&mut group, ("increment, 1 M, 16 clients", million), &INCREMENTS, |load, builder| {
        tickets::increments(load, 1, builder);
    });
    row(&mut group, ("8 of increment, 1 M, 16 clients", million), &INCREMENTS, |load, builder| {
        tickets::increments(load, 8, builder);
    });
    let illegal = ("8 of increment, 1 M, 16 clients, illegal", million.illegal());
    row(&mut group, illegal, &INCREMENTS, |load, builder| tickets::increments(load, 8, builder));
    row(&mut group, ("add and read, 1 M, 16 clients", million), &ADDITIONS, lagging::additions);
    let illegal = ("add and read, 1 M, 16 clients, illegal", million.illegal());
    row(&mut group, illegal, &ADDITIONS, lagging::additions);
}

/// Steps of the peer: it makes some ten thousand a second.
const STATERIGHT_STEPS_MAX: u64 = 5_000;

/// The largest of these sizes that the peer finishes within its steps, ours beside it.
fn peers(criterion: &mut Criterion) {
    let mut group = group(criterion, "sequential peers");
    for clients in [4, 8, 16] {
        let load = |operations: &usize| Load::of(*operations, clients);
        let alone = |size: &usize| -> History<Register> {
            single(|builder| lagging::unique_register(&load(size), builder))
        };
        let says = |size: &usize| Stateright::sequential_consistency(&alone(size)).says(STATERIGHT_STEPS_MAX);
        let Some(size) = [10, 15, 20, 30, 40, 60, 80, 100]
            .into_iter()
            .take_while(|size| says(size).inspect(|said| assert!(*said, "the history is legal")).is_some())
            .last()
        else {
            continue;
        };
        let name = format!("unique register, {clients} clients, {size} operations");
        let history = keyed(|builder| lagging::unique_register(&load(&size), builder));
        group.bench_function(format!("{name}, ours"), |bencher| {
            bencher.iter(|| black_box(judged(&REGISTER, &history, Budget { steps_max: 1_000_000 })));
        });
        let fed = Stateright::sequential_consistency(&alone(&size));
        group.bench_function(format!("{name}, stateright"), |bencher| {
            bencher.iter(|| black_box(fed.says(STATERIGHT_STEPS_MAX)));
        });
    }
}

criterion_group!(benches, registers, counters, peers);
criterion_main!(benches);
