#!/bin/sh
# turmoil 0.7.2: `fail_rate` is no rate of loss.
#
# It is the chance that a message takes the whole link down. That loses everything in flight on the link, both ways, and
# the message itself. The next message on the link brings it up again. So the share of lost messages depends on how many
# are in flight, a rate of 1.0 still delivers every second message, and a one-way partition is gone after the first
# failure. The documentation calls the figure the failure rate of a link.
#
# Latency is 50 ms throughout; a sends 1,000 datagrams to b.
set -eu

expected='rate 0.00, one each 1 ms: b hears all
rate 0.05, one each 1 ms: b hears fewer than 100
rate 0.05, one each 60 ms: b hears more than 850
rate 1.00, one each 60 ms: b hears 500
rate 1.00, one each 1 ms: b hears the last one alone
rate 0.00 when a sends: a hears 1 of the 1 that is in flight from b
rate 1.00 when a sends: a hears 0 of the 1 that is in flight from b
one-way partition, rate 0.00: b hears none
one-way partition, rate 0.05: b hears some'

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo new --quiet --vcs none finding
cd finding
cat >> Cargo.toml <<'TOML'
turmoil = "=0.7.2"
tokio = { version = "=1.54.1", features = ["time"] }
TOML
cat > src/main.rs <<'RUST'
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use turmoil::net::UdpSocket;
use turmoil::{Builder, Sim};

fn simulation<'a>(rate: f64) -> Sim<'a> {
    Builder::new()
        .epoch(UNIX_EPOCH)
        .rng_seed(1)
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::MAX)
        .udp_capacity(10_000)
        .min_message_latency(Duration::from_millis(50))
        .max_message_latency(Duration::from_millis(50))
        .fail_rate(rate)
        .build()
}

/// Counts the datagrams that reach `name`, and sends `count` of them to `to`.
fn host(sim: &mut Sim, name: &str, to: &'static str, (count, every_ms): (u32, u64)) -> Rc<Cell<u32>> {
    let heard = Rc::new(Cell::new(0));
    let counter = Rc::clone(&heard);
    sim.host(name, move || {
        let heard = Rc::clone(&counter);
        async move {
            let socket = Rc::new(UdpSocket::bind(("0.0.0.0", 9)).await?);
            let sending = Rc::clone(&socket);
            tokio::task::spawn_local(async move {
                for _ in 0..count {
                    sending.send_to(&[0], (to, 9)).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(every_ms)).await;
                }
            });
            loop {
                socket.recv_from(&mut [0]).await?;
                heard.set(heard.get() + 1);
            }
        }
    });
    heard
}

fn run(sim: &mut Sim) {
    while sim.elapsed() < Duration::from_secs(62) {
        sim.step().unwrap();
    }
}

fn words(heard: u32) -> String {
    match heard {
        1 => "the last one alone".into(),
        1_000 => "all".into(),
        500 => "500".into(),
        2..100 => "fewer than 100".into(),
        851.. => "more than 850".into(),
        _ => format!("{heard}"),
    }
}

fn main() {
    for (rate, every_ms) in [(0.0, 1), (0.05, 1), (0.05, 60), (1.0, 60), (1.0, 1)] {
        let mut sim = simulation(rate);
        host(&mut sim, "a", "b", (1_000, every_ms));
        let b = host(&mut sim, "b", "a", (0, 1));
        run(&mut sim);
        println!("rate {rate:.2}, one each {every_ms} ms: b hears {}", words(b.get()));
    }

    // b sends at 0 ms; a sends at 0 and at 20 ms, when its message takes the link down.
    for rate in [0.0, 1.0] {
        let mut sim = simulation(0.0);
        let a = host(&mut sim, "a", "b", (2, 20));
        host(&mut sim, "b", "a", (1, 1));
        for _ in 0..10 {
            sim.step().unwrap();
        }
        sim.set_link_fail_rate("a", "b", rate);
        run(&mut sim);
        println!("rate {rate:.2} when a sends: a hears {} of the 1 that is in flight from b", a.get());
    }

    for rate in [0.0, 0.05] {
        let mut sim = simulation(rate);
        host(&mut sim, "a", "b", (1_000, 60));
        let b = host(&mut sim, "b", "a", (0, 1));
        sim.partition_oneway("a", "b");
        run(&mut sim);
        let words = if b.get() == 0 { "none" } else { "some" };
        println!("one-way partition, rate {rate:.2}: b hears {words}");
    }
}
RUST
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS || true
cargo build --quiet
found=$(timeout 300 "${CARGO_TARGET_DIR:-target}/debug/finding")
echo "$found"
if [ "$found" != "$expected" ]; then
    echo "changed; it was:" >&2
    echo "$expected" >&2
    exit 1
fi
