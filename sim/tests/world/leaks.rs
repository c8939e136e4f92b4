//! Planted leaks of the host into a run: each is caught by running twice, and the first event that differs is named.

use counterclock_sim::chance::Seed;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::FaultPlan;
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, TimerKey};
use counterclock_sim::setup::{NodeSetup, RunOptions, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};
use counterclock_sim::trace::{Difference, TraceEvent, first_difference};

/// What lets the host into the node.
#[derive(Clone, Copy, Debug)]
enum Leak {
    /// Nothing.
    None,
    /// The order of a hash map.
    HashOrder,
    /// The host's clock.
    HostClock,
    /// An address in memory.
    Address,
}

#[derive(Clone, Debug)]
struct Hello;

impl Message for Hello {
    fn name(&self) -> &'static str {
        "hello"
    }
}

/// A number that a node told the recorder.
#[derive(Clone, Debug)]
struct Number(u64);

impl Canonical for Number {
    fn feed(&self, digest: &mut Digest) {
        digest.u64(self.0);
    }
}

/// Waits ten times for 10 ms, then does what its leak says.
#[derive(Clone, Debug)]
struct Leaky {
    leak: Leak,
    waits: u32,
}

impl Leaky {
    fn leak(&self, effects: &mut Effects<Self>) {
        match self.leak {
            Leak::None => effects.send(NodeId(1), Hello),
            Leak::HashOrder => hash_order().into_iter().for_each(|node| effects.send(node, Hello)),
            Leak::HostClock => effects.set_timer(TimerKey(1), host_clock()),
            Leak::Address => effects.observe(Number(address())),
        }
    }
}

#[expect(clippy::disallowed_types, clippy::iter_over_hash_type, reason = "the leak that is to be found")]
fn hash_order() -> Vec<NodeId> {
    let peers: std::collections::HashSet<u32> = (1..20).collect();
    let mut order = Vec::new();
    for peer in peers {
        order.push(NodeId(peer));
    }
    order
}

#[expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "the leak that is to be found")]
fn host_clock() -> Span {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Span::from_ns(u64::from(since.unwrap().subsec_nanos()))
}

/// Where something on the heap lies; what it lay beside stays, so that the next one lies elsewhere.
fn address() -> u64 {
    let kept: &'static mut u64 = Box::leak(Box::new(0));
    core::ptr::from_ref(kept).addr() as u64
}

impl Node for Leaky {
    type Message = Hello;
    type Request = ();
    type Record = ();
    type Observation = Number;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        let is_first = context.id() == NodeId(0);
        if is_first && matches!(input, Input::Start { .. } | Input::Timer(TimerKey(0))) {
            self.waits += 1;
            if self.waits > 10 {
                self.leak(effects);
            } else {
                effects.set_timer(TimerKey(0), Span::from_ms(10));
            }
        }
    }
}

fn trace(leak: Leak) -> Vec<TraceEvent> {
    let setup = WorldSetup {
        seed: Seed(1),
        nodes: (0..20).map(|_| NodeSetup::perfect(Leaky { leak, waits: 0 })).collect(),
        network: NetworkProfile::perfect(Span::from_ms(1)),
        plan: FaultPlan::default(),
        requests: Vec::new(),
        options: RunOptions { keep_trace: true, ..RunOptions::default() },
    };
    let mut world = World::new(setup).unwrap();
    world.run_until(TrueTime::ZERO + Span::from_seconds(2));
    world.trace().to_vec()
}

/// Where two runs in one process differ. Up to the leak there are 20 starts and 10 timers.
fn check(leak: Leak) -> Option<Difference> {
    first_difference(&trace(leak), &trace(leak))
}

/// The events that differ, which must be the first that the leak touched.
#[track_caller]
fn caught(leak: Leak) -> (TraceEvent, TraceEvent) {
    let difference = check(leak).expect("a leak is caught");
    let (left, right) = (difference.left.unwrap(), difference.right.unwrap());
    assert!(difference.index >= 30, "{leak:?}: event {}", difference.index);
    assert!(left.at_ns >= 100_000_000, "{leak:?}: {left}");
    (left, right)
}

#[test]
fn without_a_leak_two_runs_are_the_same() {
    assert_eq!(check(Leak::None), None);
}

#[test]
fn a_hash_order_is_caught_at_the_first_message_that_another_node_gets() {
    let (left, right) = caught(Leak::HashOrder);
    assert_ne!(left.node, right.node);
    assert!(left.what.contains("hello") && right.what.contains("hello"), "{left} | {right}");
}

#[test]
fn the_hosts_clock_is_caught_at_the_first_timer_that_runs_out_elsewhen() {
    let (left, right) = caught(Leak::HostClock);
    assert_ne!(left.at_ns, right.at_ns);
    assert!(left.what.contains("timer 1") && right.what.contains("timer 1"), "{left} | {right}");
}

#[test]
fn an_address_is_caught_where_it_is_observed() {
    let (left, right) = caught(Leak::Address);
    assert!(left.what.contains("observes") && left.what != right.what, "{left} | {right}");
}
