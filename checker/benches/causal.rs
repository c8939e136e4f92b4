//! How long causal consistency and the levels below it take.

use std::cell::LazyCell;
use std::hint::black_box;
use std::time::Duration;

use counterclock_checker::budget::Budget;
use counterclock_checker::keyed::KeyedHistory;
use counterclock_checker::spec::register::Register;
use counterclock_checker::weak::{Guarantee, WeakLevel, weak};
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};

#[expect(dead_code, reason = "shared with other benches, which use more of it")]
mod histories;

use histories::Load;
use histories::causal::unique_keys;
use histories::recorder::keyed;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

const REGISTER: Register = Register { initial: None };
const BUDGET: Budget = Budget { steps_max: 100_000_000 };
const LOAD: Load = Load::of(100_000, 64);

fn history(load: &Load) -> KeyedHistory<Register> {
    keyed(|builder| unique_keys(load, builder))
}

fn row(group: &mut Group<'_>, name: &str, level: WeakLevel, load: Load) {
    let history = LazyCell::new(|| {
        let history = history(&load);
        let judged = weak(level, &REGISTER, &history, BUDGET);
        assert_eq!(judged.verdict.word(), load.truth.word(), "{name}");
        history
    });
    group.bench_function(name, |bencher| {
        let history = &*history;
        bencher.iter(|| black_box(weak(level, &REGISTER, history, BUDGET)));
    });
}

fn causal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("64 keys, 100 k, 64 sessions");
    group.sample_size(10).warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_secs(1));
    row(&mut group, "causal", WeakLevel::Causal, LOAD);
    row(&mut group, "causal, illegal", WeakLevel::Causal, LOAD.illegal());
    row(&mut group, "pram", WeakLevel::Pram, LOAD);
    row(&mut group, "monotonic reads", WeakLevel::Only(Guarantee::MonotonicReads), LOAD);
    row(&mut group, "writes follow reads", WeakLevel::Only(Guarantee::WritesFollowReads), LOAD);
}

criterion_group!(benches, causal);
criterion_main!(benches);
