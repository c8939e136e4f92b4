//! How fast whole runs are: simulated seconds per second of the host, checks included, and soaks by jobs.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scenarios::plan::{Build, Origin};
use scenarios::soak::Soak;
use scenarios::{catalog, runner, scenario};

/// Every scenario of the catalog, one element a simulated second, so that the rate is the ratio we promise.
fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    group.sample_size(20);
    for name in catalog::names() {
        let scenario = Arc::new(scenario::load(name, &[]).expect("the catalog is sound"));
        group.throughput(Throughput::Elements(scenario.timing.whole().as_ns() / 1_000_000_000));
        let mut seed = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                seed += 1;
                let run = runner::run(runner::plan_for(&scenario, seed, Build::default()), false);
                black_box(run.map(|run| run.verdict))
            });
        });
    }
    group.finish();
}

/// The same seeds with one job and with two, one element a seed.
fn jobs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("soak capacity");
    group.sample_size(10);
    for jobs in [1, 2] {
        let scenario = Arc::new(scenario::load("capacity", &[]).expect("the catalog is sound"));
        let soak = Soak {
            scenarios: vec![(scenario, Origin::default())],
            seeds: 0..20,
            build: Build::default(),
            plan: runner::plan_for,
            jobs,
            stop_after: None,
            time_limit_ns: None,
            known: Vec::new(),
        };
        group.throughput(Throughput::Elements(20));
        group.bench_function(format!("{jobs} jobs"), |bencher| {
            bencher.iter(|| soak.run(|_| ()).map(|soaked| soaked.verdicts));
        });
    }
    group.finish();
}

criterion_group!(benches, runs, jobs);
criterion_main!(benches);
