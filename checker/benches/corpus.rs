//! How long histories of real systems take, ours beside the peers: the corpus, where it is.

use std::cell::LazyCell;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use counterclock_checker::budget::Budget;
use counterclock_checker::format::{Format, Initial, Model, Options, parse};
use counterclock_checker::history::History;
use counterclock_checker::judge::{Family, FamilyKind, judge};
use counterclock_checker::linearizable::{linearizable, linearizable_unexplained};
use counterclock_checker::spec::register::Register;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};

#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod peers;

use peers::{Stateright, Todc};

const BUDGET: Budget = Budget { steps_max: 10_000_000 };
/// Steps of `stateright` on one log: about half a second.
const STATERIGHT_STEPS_MAX: u64 = 5_000;
/// Steps of `todc-utils` on one log: more than it needs on any.
const TODC_STEPS_MAX: u64 = 50_000_000;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

#[expect(clippy::disallowed_methods, reason = "where the corpus lies is a setting of the host")]
fn corpus() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    std::env::var_os("COUNTERCLOCK_HISTORIES").map_or_else(beside, PathBuf::from)
}

/// A file of the corpus: what is in it, and what its verdict is.
struct File {
    name: String,
    families: Vec<Family>,
    expected: String,
}

/// The files of the corpus whose names begin so; none if there is no corpus.
fn files(start: &str) -> Vec<File> {
    let manifest = std::fs::read_to_string(corpus().join("manifest.tsv")).unwrap_or_default();
    let rows = manifest.lines().skip(1).map(|row| row.split('\t').collect::<Vec<&str>>());
    rows.filter(|row| row[0].starts_with(start)).map(|row| file(&row)).collect()
}

fn file(row: &[&str]) -> File {
    let [name, format, model, initial, expected, ..] = row else { panic!("the manifest has a row {row:?}") };
    let bytes = std::fs::read(corpus().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let initial = Some(Initial(initial.replace('"', "")));
    let options =
        Options { format: Format::named(format), model: Model::named(model), initial, ..Options::default() };
    let families = parse(&bytes, &options).unwrap_or_else(|error| panic!("{name}:{error}"));
    File { name: (*name).to_owned(), families, expected: (*expected).to_owned() }
}

fn histories(files: &[File]) -> Vec<History<Register>> {
    let of = |file: &File| match file.families.first().map(|family| &family.kind) {
        Some(FamilyKind::Register { history, .. }) => history.parts().values().next().cloned(),
        _ => None,
    };
    files.iter().filter_map(of).filter(|history| !history.is_empty()).collect()
}

fn judged(files: &[File]) {
    for file in files {
        for check in judge(&file.families, &["linearizable"], BUDGET) {
            assert_eq!(check.verdict.word(), file.expected, "{}: {}", file.name, check.detail);
        }
    }
}

/// Whole families, as the command judges them: verdict and explanation.
fn whole_files(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("corpus");
    for (name, start) in [
        ("etcd logs, all", "etcd-register-cas/"),
        ("kv c10-ok", "kv/c10-ok"),
        ("kv c01-bad", "kv/c01-bad"),
        ("knossos files, all", "knossos-cas-register/"),
    ] {
        let files = files(start);
        if !files.is_empty() {
            group.bench_function(name, |bencher| bencher.iter(|| judged(&files)));
        }
    }
}

/// The etcd logs one by one, verdicts alone and with explanations, and what the peers do with them.
fn etcd(criterion: &mut Criterion) {
    let logs = histories(&files("etcd-register-cas/"));
    if logs.is_empty() {
        return;
    }
    let mut group = criterion.benchmark_group("etcd");
    let spec = Register::default();
    group.bench_function("all logs, verdicts only", |bencher| {
        bencher.iter(|| verdicts(&logs));
    });
    let slowest = slowest(&logs);
    group.bench_function("the slowest log", |bencher| {
        bencher.iter(|| black_box(linearizable(&spec, slowest, BUDGET)));
    });
    group.sample_size(10).warm_up_time(Duration::from_millis(100));
    todc(&mut group, &logs);
    stateright(&mut group, &logs);
}

fn verdicts(logs: &[History<Register>]) {
    for log in logs {
        black_box(linearizable_unexplained(&Register::default(), log, BUDGET));
    }
}

/// The log that takes longest, with its explanation, by the best of five times.
#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "this measures the host")]
fn slowest(logs: &[History<Register>]) -> &History<Register> {
    let best_of_five = |log: &&History<Register>| {
        let once = |_| {
            let started = std::time::Instant::now();
            black_box(linearizable(&Register::default(), log, BUDGET));
            started.elapsed()
        };
        (0..5).map(once).min()
    };
    logs.iter().max_by_key(best_of_five).expect("there is a log")
}

fn is_linearizable(log: &History<Register>) -> bool {
    linearizable_unexplained(&Register::default(), log, BUDGET).verdict.holds()
}

fn todc(group: &mut Group<'_>, logs: &[History<Register>]) {
    let fed = LazyCell::new(|| {
        let fed: Vec<Todc> = logs.iter().map(Todc::new).collect();
        for (log, fed) in logs.iter().zip(&fed) {
            assert_eq!(fed.clone().says(TODC_STEPS_MAX), Some(is_linearizable(log)));
        }
        fed
    });
    group.bench_function("all logs, todc-utils", |bencher| {
        let fed = &*fed;
        let run = |fed: Vec<Todc>| fed.into_iter().filter_map(|log| log.says(TODC_STEPS_MAX)).count();
        bencher.iter_batched(|| fed.clone(), |fed| black_box(run(fed)), BatchSize::PerIteration);
    });
}

/// Only the logs that the peer finishes, for all three.
fn stateright(group: &mut Group<'_>, logs: &[History<Register>]) {
    let mut finished = Vec::new();
    for log in logs {
        let said = Stateright::linearizability(log).says(STATERIGHT_STEPS_MAX);
        if let Some(said) = said {
            assert_eq!(said, is_linearizable(log), "the peer and we disagree");
            finished.push(log.clone());
        }
    }
    let count = finished.len();
    group.bench_function(format!("the {count} logs that stateright finishes"), |bencher| {
        bencher.iter(|| verdicts(&finished));
    });
    let fed: Vec<Todc> = finished.iter().map(Todc::new).collect();
    group.bench_function(format!("the {count} logs that stateright finishes, todc-utils"), |bencher| {
        let run = |fed: Vec<Todc>| fed.into_iter().filter_map(|log| log.says(TODC_STEPS_MAX)).count();
        bencher.iter_batched(|| fed.clone(), |fed| black_box(run(fed)), BatchSize::PerIteration);
    });
    let fed: Vec<_> = finished.iter().map(Stateright::linearizability).collect();
    group.bench_function(format!("the {count} logs that stateright finishes, stateright"), |bencher| {
        bencher.iter(|| fed.iter().filter_map(|log| black_box(log.says(STATERIGHT_STEPS_MAX))).count());
    });
}

fn configured() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = configured(); targets = whole_files, etcd);
criterion_main!(benches);
