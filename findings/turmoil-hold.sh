#!/bin/sh
# turmoil 0.7.2: `hold` also holds what is in flight, and `release` and `repair` do not undo it.
#
# `hold` stops both ways of a link, with everything in flight on it. `release` hands all of that over in the next tick,
# whatever is left of its latency, and heals a partition besides. `repair` lets new messages pass but leaves the held ones
# held: they come when somebody calls `release`. So a hold of one tick makes messages arrive early, and no sequence of these
# calls cuts one way of a link for a while and leaves the other way as it was.
#
# Latency is 50 ms throughout; a sends one datagram to b, at 40 ms unless said otherwise.
set -eu

expected='untouched: b hears at 90 ms
hold at 45 ms, release at 46 ms: b hears at 46 ms
hold at 45 ms, repair at 46 ms: b never hears
hold at 45 ms, repair at 46 ms, a second one at 60 ms: b hears the second alone, at 110 ms
hold at 45 ms, repair at 46 ms, release at 300 ms: b hears at 300 ms
partition at 10 ms, release at 20 ms: b hears at 90 ms'

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
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use turmoil::net::UdpSocket;
use turmoil::{Builder, Sim};

/// When b hears what a sends at those instants, and what happens to the link at others. Unit: ms.
fn heard(sends: &'static [u64], events: &[(u64, fn(&Sim))]) -> Vec<(u8, u64)> {
    let mut sim = Builder::new()
        .epoch(UNIX_EPOCH)
        .rng_seed(1)
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::MAX)
        .min_message_latency(Duration::from_millis(50))
        .max_message_latency(Duration::from_millis(50))
        .build();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let hearing = Rc::clone(&heard);
    sim.host("b", move || {
        let heard = Rc::clone(&hearing);
        async move {
            let socket = UdpSocket::bind(("0.0.0.0", 9)).await?;
            let mut number = [0];
            loop {
                socket.recv_from(&mut number).await?;
                heard.borrow_mut().push((number[0], turmoil::sim_elapsed().unwrap().as_millis() as u64));
            }
        }
    });
    sim.host("a", move || async move {
        let socket = UdpSocket::bind(("0.0.0.0", 9)).await?;
        for (number, at) in (1..).zip(sends) {
            tokio::time::sleep(Duration::from_millis(*at) - turmoil::sim_elapsed().unwrap()).await;
            socket.send_to(&[number], ("b", 9)).await?;
        }
        Ok(())
    });
    for now in 0..1_000 {
        events.iter().filter(|(at, _)| *at == now).for_each(|(_, event)| event(&sim));
        sim.step().unwrap();
    }
    heard.take()
}

fn show(what: &str, heard: &[(u8, u64)]) {
    match heard {
        [] => println!("{what}: b never hears"),
        [(1, at)] => println!("{what}: b hears at {at} ms"),
        [(2, at)] => println!("{what}: b hears the second alone, at {at} ms"),
        _ => println!("{what}: b hears {heard:?}"),
    }
}

fn main() {
    let hold: (u64, fn(&Sim)) = (45, |sim| sim.hold("a", "b"));
    let repair: (u64, fn(&Sim)) = (46, |sim| sim.repair("a", "b"));
    show("untouched", &heard(&[40], &[]));
    show("hold at 45 ms, release at 46 ms", &heard(&[40], &[hold, (46, |sim| sim.release("a", "b"))]));
    show("hold at 45 ms, repair at 46 ms", &heard(&[40], &[hold, repair]));
    let two = heard(&[40, 60], &[hold, repair]);
    show("hold at 45 ms, repair at 46 ms, a second one at 60 ms", &two);
    let late = heard(&[40], &[hold, repair, (300, |sim| sim.release("a", "b"))]);
    show("hold at 45 ms, repair at 46 ms, release at 300 ms", &late);
    let cut: (u64, fn(&Sim)) = (10, |sim| sim.partition("a", "b"));
    show("partition at 10 ms, release at 20 ms", &heard(&[40], &[cut, (20, |sim| sim.release("a", "b"))]));
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
