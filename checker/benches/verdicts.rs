//! How long a verdict takes where something is wrong, alone and with its explanation.

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use counterclock_checker::budget::Budget;
use counterclock_checker::history::{Builder, History};
use counterclock_checker::linearizable::{linearizable, linearizable_unexplained};
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::Capacity;
use counterclock_checker::spec::counter::{Counter, CounterKind};
use counterclock_checker::spec::log::Log;
use counterclock_checker::spec::register::Register;
use counterclock_checker::spec::text::Text;
use counterclock_checker::verdict::Verdict;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod histories;

use histories::Load;
use histories::recorder::single;
use histories::registers::Wrong;
use histories::sequences::Tokens;
use histories::{counters, registers, reservations, sequences};

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

const REGISTER: Register = Register { initial: None };
const CAPACITY: Capacity = Capacity { capacity: Some(reservations::CAPACITY) };
const BUDGET: Budget = Budget { steps_max: 10_000_000 };
/// Histories of each model of which the slowest ones are sought.
const CLIFF_COUNT: u64 = 1_000;

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    group
}

/// A line for the reader of the figures; one that cannot be written is no reason to stop measuring.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A history judged without and with its explanation; a wrong verdict stops the bench.
fn row<S: Spec>(group: &mut Group<'_>, name: &str, spec: &S, load: Load, history: &History<S>) {
    let judged = linearizable(spec, history, BUDGET);
    assert_eq!(judged.verdict.word(), load.truth.word(), "{name}: {}", judged.verdict);
    let core = match &judged.verdict {
        Verdict::Violated(violation) => format!(", a core of {}", violation.operations.len()),
        Verdict::Holds | Verdict::Undecided(_) => String::new(),
    };
    tell(&format!("{name}: {} by {}{core}", judged.verdict.word(), judged.algorithm));
    group.bench_function(format!("{name}, verdict"), |bencher| {
        bencher.iter(|| black_box(linearizable_unexplained(spec, history, BUDGET)));
    });
    group.bench_function(format!("{name}, explained"), |bencher| {
        bencher.iter(|| black_box(linearizable(spec, history, BUDGET)));
    });
}

fn strings(criterion: &mut Criterion) {
    let mut group = group(criterion, "strings");
    for (name, tokens) in
        [("kv, 2 k, 50 clients", Tokens::Ended), ("the same, nested tokens", Tokens::Nested)]
    {
        for load in [Load::of(2_000, 50), Load::of(2_000, 50).illegal()] {
            let history = single(|builder| sequences::put_append_get(&load, tokens, builder));
            row(&mut group, &format!("{name}, {:?}", load.truth), &Text::default(), load, &history);
        }
    }
}

fn wrong_reads(criterion: &mut Criterion) {
    let mut group = group(criterion, "wrong reads");
    let rows = [
        ("5 values, 5 k, unwritten", 5, 5_000, Wrong::Unwritten),
        ("5 values, 50 k, unwritten", 5, 50_000, Wrong::Unwritten),
        ("1,000 values, 1 M, unwritten", 1_000, 1_000_000, Wrong::Unwritten),
        ("5 values, 50 k, replaced", 5, 50_000, Wrong::Replaced),
        ("1,000 values, 50 k, replaced", 1_000, 50_000, Wrong::Replaced),
    ];
    for (name, values, operations, wrong) in rows {
        let load = Load::of(operations, 8).illegal();
        let history = single(|builder| registers::some_values(&load, values, wrong, builder));
        row(&mut group, name, &REGISTER, load, &history);
    }
}

/// A thousand violated histories of one model: the median, the 99th percentile and the slowest verdict,
/// and how many are undecided. The slowest one is then measured.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "this measures the host")]
fn cliff<S: Spec>(group: &mut Group<'_>, name: &str, spec: &S, generate: impl Fn(&Load, &mut Builder<S>)) {
    let history = |seed: u64| {
        let load = Load { seed, ..Load::of(10_000, 16).with_unknown().illegal() };
        single(|builder| generate(&load, builder))
    };
    let mut times: Vec<(Duration, u64)> = Vec::new();
    let mut undecided_count = 0;
    for seed in 0..CLIFF_COUNT {
        let history = history(seed);
        let started = std::time::Instant::now();
        let judged = linearizable_unexplained(spec, &history, BUDGET);
        times.push((started.elapsed(), seed));
        assert!(!judged.verdict.holds(), "{name}, seed {seed}: a violated history holds");
        undecided_count += usize::from(!judged.verdict.is_violated());
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let (median, late, last) = (at(50).0, at(99).0, at(100));
    tell(&format!(
        "{name}: median {} us, p99 {} us, slowest {} us, {undecided_count} undecided",
        median.as_micros(),
        late.as_micros(),
        last.0.as_micros()
    ));
    let slowest = history(last.1);
    group.bench_function(format!("{name}, the slowest of {CLIFF_COUNT}"), |bencher| {
        bencher.iter(|| black_box(linearizable_unexplained(spec, &slowest, BUDGET)));
    });
}

fn cliffs(criterion: &mut Criterion) {
    let mut group = group(criterion, "cliffs");
    let (increments, additions) =
        (Counter { kind: CounterKind::Increment }, Counter { kind: CounterKind::AddAndRead });
    cliff(&mut group, "unique register", &REGISTER, registers::unique_register);
    cliff(&mut group, "cas over 5 values", &REGISTER, registers::five_values);
    cliff(&mut group, "increments", &increments, counters::increments);
    cliff(&mut group, "additions and reads", &additions, counters::additions);
    cliff(&mut group, "bounded counter", &CAPACITY, reservations::reservations);
    cliff(&mut group, "log with offsets", &Log, sequences::log_with_offsets);
    cliff(&mut group, "strings", &Text::default(), |load, builder| {
        sequences::put_append_get(load, Tokens::Ended, builder);
    });
}

criterion_group!(benches, strings, wrong_reads, cliffs);
criterion_main!(benches);
