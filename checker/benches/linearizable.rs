//! How long linearizability takes: the etcd logs of the corpus, and counters under load.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use counterclock_checker::budget::Budget;
use counterclock_checker::format::{Format, Options, parse};
use counterclock_checker::history::{Builder, ClientId, History};
use counterclock_checker::judge::{Family, FamilyKind};
use counterclock_checker::linearizable::{linearizable, linearizable_unexplained};
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, CapacityState, Terms};
use counterclock_checker::spec::register::Register;
use criterion::{Criterion, criterion_group, criterion_main};

const BUDGET: Budget = Budget { steps_max: 10_000_000 };
const LIMIT: u64 = 40;

#[expect(clippy::disallowed_methods, reason = "where the corpus lies is a setting of the host")]
fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    std::env::var_os("COUNTERCLOCK_HISTORIES").map_or(beside, PathBuf::from).join("etcd-register-cas")
}

/// The logs in order of their names; none if there is no corpus.
fn logs() -> Vec<History<Register>> {
    let Ok(folder) = std::fs::read_dir(folder()) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().filter_map(|path| history_of(&std::fs::read(path).ok()?)).collect()
}

fn history_of(bytes: &[u8]) -> Option<History<Register>> {
    let families = parse(bytes, &Options { format: Some(Format::JepsenLog), ..Options::default() }).ok()?;
    match families.into_iter().next()? {
        Family { kind: FamilyKind::Register { history, .. }, .. } => history.parts().values().next().cloned(),
        _ => None,
    }
}

fn etcd(criterion: &mut Criterion) {
    let logs = logs();
    if logs.is_empty() {
        return;
    }
    let spec = Register::default();
    criterion.bench_function("etcd, all logs", |bencher| {
        bencher.iter(|| {
            for log in &logs {
                black_box(linearizable_unexplained(&spec, log, BUDGET));
            }
        });
    });
    criterion.bench_function("etcd, all logs, explained", |bencher| {
        bencher.iter(|| {
            for log in &logs {
                black_box(linearizable(&spec, log, BUDGET));
            }
        });
    });
    let slowest = logs.iter().max_by_key(|log| linearizable_unexplained(&spec, log, BUDGET).steps);
    if let Some(log) = slowest {
        criterion.bench_function("etcd, the log of most steps", |bencher| {
            bencher.iter(|| black_box(linearizable(&spec, log, BUDGET)));
        });
    }
}

/// A generator small enough to be read here (G. Marsaglia, "Xorshift RNGs", J. Stat. Softw. 8(14) (2003)).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A legal history of a counter under load: each operation is decided at a random instant.
fn counter(seed: u64, client_count: u64, operation_count: usize) -> History<Capacity> {
    let mut load = Load {
        chance: Chance(seed),
        builder: Builder::default(),
        state: CapacityState::default(),
        spec: Capacity { capacity: Some(LIMIT) },
        open: (0..client_count).map(|client| (ClientId(client), Phase::Idle)).collect(),
        orders: 0,
    };
    while load.orders < operation_count as u64 {
        load.tick();
    }
    load.builder.finish()
}

#[derive(Clone, Copy)]
enum Phase {
    Idle,
    Asked(CapacityCall),
    Decided(CapacityAnswer),
}

struct Load {
    chance: Chance,
    builder: Builder<Capacity>,
    state: CapacityState,
    spec: Capacity,
    open: Vec<(ClientId, Phase)>,
    orders: u64,
}

impl Load {
    /// One client goes on: asks, is decided, or is answered. Of 50 decisions one stays unknown.
    fn tick(&mut self) {
        let index = self.chance.below(self.open.len() as u64) as usize;
        let (client, phase) = self.open[index];
        self.open[index].1 = match phase {
            Phase::Idle => {
                let call = self.call();
                self.builder.invoke(client, call, 0).expect("the client was idle");
                Phase::Asked(call)
            }
            Phase::Asked(call) => {
                let answer = self.decide(&call);
                if self.chance.below(50) == 0 {
                    self.builder.unknown(client).expect("the client had asked");
                    self.open[index].0 = ClientId(client.0 + self.open.len() as u64);
                    Phase::Idle
                } else {
                    Phase::Decided(answer)
                }
            }
            Phase::Decided(answer) => {
                self.builder.answer(client, answer, 0).expect("the client had asked");
                Phase::Idle
            }
        };
    }

    fn call(&mut self) -> CapacityCall {
        self.orders += 1;
        match self.chance.below(3) {
            0 => CapacityCall::Release { order: Some(self.chance.below(self.orders)), units: 0 },
            _ => CapacityCall::Reserve { order: Some(self.orders), units: 1 + self.chance.below(6) },
        }
    }

    fn decide(&mut self, call: &CapacityCall) -> CapacityAnswer {
        let answers = match call {
            CapacityCall::Reserve { .. } => {
                [CapacityAnswer::Accepted(Terms::default()), CapacityAnswer::Rejected(Terms::default())]
            }
            CapacityCall::Release { .. } | CapacityCall::Read => {
                [CapacityAnswer::Released, CapacityAnswer::NotHeld]
            }
        };
        for answer in answers {
            let step = self.spec.step(call, Some(&answer)).expect("it has an answer");
            if let Some(next) = self.spec.apply(&self.state, &step) {
                self.state = next;
                return answer;
            }
        }
        unreachable!("one of the two answers is legal")
    }
}

fn counters(criterion: &mut Criterion) {
    let spec = Capacity { capacity: Some(LIMIT) };
    for (client_count, operation_count) in [(10, 20), (10, 100), (20, 100), (20, 1_000)] {
        let history = counter(1, client_count, operation_count);
        let name = format!("counter, {operation_count} operations of {client_count} clients");
        let judged = linearizable(&spec, &history, BUDGET);
        assert!(judged.verdict.holds(), "{name}: {}", judged.verdict);
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| black_box(linearizable(&spec, &history, BUDGET)));
        });
    }
}

criterion_group!(benches, etcd, counters);
criterion_main!(benches);
