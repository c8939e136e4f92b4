//! How fast the kernel is, in events a second.
//!
//! `echo`: 5 servers and 5 clients in a closed loop, latency 1-10 ms, messages of 32 bytes; one call is two events.
//! `echo_with_timer`: the same, each call with a timer that is armed and cancelled. `all_to_all`: 150 nodes, each
//! gossiping. `idle`: 24 hours of 10 nodes with one timer a second each.

use std::hint::black_box;

use counterclock_sim::chance::Seed;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::FaultPlan;
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::{LatencyProfile, NetworkProfile};
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, TimerKey};
use counterclock_sim::setup::{NodeSetup, RunOptions, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const TIMEOUT: TimerKey = TimerKey(0);

#[derive(Clone, Debug)]
enum Call {
    Ask([u64; 3]),
    Answer([u64; 3]),
}

impl Message for Call {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
        }
    }
}

#[derive(Clone, Debug)]
struct Nothing;

impl Canonical for Nothing {
    fn feed(&self, _: &mut Digest) {}
}

/// What a node does.
#[derive(Clone)]
enum Part {
    /// Answers.
    Server,
    /// Asks one server, for ever.
    Client { server: NodeId, has_timer: bool },
    /// Asks anyone, for ever, and answers.
    Gossip { node_count: u64 },
    /// Waits for its timer, for ever.
    Idle,
}

impl Part {
    fn ask(&self, payload: [u64; 3], context: &mut Context<'_>, effects: &mut Effects<Self>) {
        match self {
            Self::Client { server, has_timer } => {
                effects.send(*server, Call::Ask(payload));
                if *has_timer {
                    effects.set_timer(TIMEOUT, Span::from_ms(100));
                }
            }
            Self::Gossip { node_count } => {
                let other = u32::try_from(context.chance().below(*node_count)).unwrap_or(0);
                let to = if NodeId(other) == context.id() { NodeId((other + 1) % 2) } else { NodeId(other) };
                effects.send(to, Call::Ask(payload));
            }
            Self::Idle => effects.set_timer(TIMEOUT, Span::from_seconds(1)),
            Self::Server => {}
        }
    }
}

impl Node for Part {
    type Message = Call;
    type Request = ();
    type Record = ();
    type Observation = Nothing;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        match input {
            Input::Message { from, message: Call::Ask(payload) } => effects.send(from, Call::Answer(payload)),
            Input::Message { message: Call::Answer([count, a, b]), .. } => {
                if matches!(self, Self::Client { has_timer: true, .. }) {
                    effects.cancel_timer(TIMEOUT);
                }
                self.ask([count + 1, a, b], context, effects);
            }
            Input::Start { .. } | Input::Timer(_) => self.ask([0, 1, 2], context, effects),
            Input::Synced(_) | Input::SyncFailed(_) | Input::Request(()) | Input::Stop => {}
        }
    }
}

fn world(parts: Vec<Part>) -> World<Part> {
    let latency = LatencyProfile {
        min: Span::from_ms(1),
        typical: Span::from_ms(4),
        tail: Span::from_ms(10),
        ..LatencyProfile::constant(Span::ZERO)
    };
    let setup = WorldSetup {
        seed: Seed(1),
        nodes: parts.into_iter().map(NodeSetup::perfect).collect(),
        network: NetworkProfile { latency, ..NetworkProfile::perfect(Span::ZERO) },
        plan: FaultPlan::default(),
        requests: Vec::new(),
        options: RunOptions::default(),
    };
    World::new(setup).expect("the setup is sound")
}

fn echo(has_timer: bool) -> Vec<Part> {
    let clients = (0..5).map(|server| Part::Client { server: NodeId(server), has_timer });
    core::iter::repeat_n(Part::Server, 5).chain(clients).collect()
}

/// Runs that world for that span, again and again, and counts its events.
fn bench(criterion: &mut Criterion, name: &str, parts: &[Part], span: Span) {
    let end = TrueTime::ZERO + span;
    let fresh = world(parts.to_vec());
    let mut once = fresh.clone();
    once.run_until(end);
    let mut group = criterion.benchmark_group("kernel");
    group.throughput(Throughput::Elements(once.events()));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || fresh.clone(),
            |mut world| {
                world.run_until(end);
                black_box(world.digest())
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn kernel(criterion: &mut Criterion) {
    bench(criterion, "echo", &echo(false), Span::from_seconds(100));
    bench(criterion, "echo_with_timer", &echo(true), Span::from_seconds(100));
    let gossip = vec![Part::Gossip { node_count: 150 }; 150];
    bench(criterion, "all_to_all_150", &gossip, Span::from_seconds(5));
    bench(criterion, "idle_24_hours", &vec![Part::Idle; 10], Span::from_seconds(86_400));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = kernel
}
criterion_main!(benches);
