//! How many remote calls a second each simulator makes on the same workload: our kernel, turmoil and madsim used
//! directly, and our nodes on those two.
//!
//! Half of the hosts are servers, each other one is a client of one of them in a closed loop; latency 1-10 ms, 32 bytes
//! each way, TCP on the peers, turmoil in ticks of 1 ms. `kernel` passes values, `kernel_encoded` what postcard makes of
//! them, encoded by the sender and decoded by the receiver. One call is two events of the kernel.
//!
//! `cargo bench -p counterclock-sim --features substrates --bench peers`

mod direct;
mod echo;

use std::hint::black_box;

use counterclock_sim::substrate::Substrate;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use crate::echo::{Call, Encoded};

/// Runs so many hosts for so many simulated seconds; how many calls they made.
type Run = fn(host_count: u32, seconds: u64) -> u64;

/// Each simulator, and how many seconds it simulates so that a sample takes long enough to be measured.
const RUNS: [(&str, Run, u64); 6] = [
    ("kernel", echo::on_kernel::<Call>, 100),
    ("kernel_encoded", echo::on_kernel::<Encoded>, 100),
    ("madsim", direct::on_madsim, 20),
    ("nodes_on_madsim", |hosts, seconds| echo::on(Substrate::Madsim, hosts, seconds), 20),
    ("turmoil", direct::on_turmoil, 2),
    ("nodes_on_turmoil", |hosts, seconds| echo::on(Substrate::Turmoil, hosts, seconds), 2),
];

fn peers(criterion: &mut Criterion) {
    for host_count in [10, 50] {
        let mut group = criterion.benchmark_group("echo");
        group.sample_size(10);
        for (name, run, seconds) in RUNS {
            group.throughput(Throughput::Elements(run(host_count, seconds)));
            group.bench_function(BenchmarkId::new(name, host_count), |bencher| {
                bencher.iter(|| black_box(run(black_box(host_count), seconds)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, peers);
criterion_main!(benches);
