//! How fast the kernel is, in events a second.
//!
//! `echo`: 5 servers and 5 clients in a closed loop, latency 1-10 ms, messages of 32 bytes; one call is two events.
//! `echo_with_timer`: the same, each call with a timer that is armed and cancelled. `all_to_all`: 150 nodes, each
//! gossiping. `idle`: 24 hours of 10 nodes with one timer a second each. `calls`: the echo workload with timers that
//! ask again, and a record synced by each server every tenth call; without faults, and with every family of faults on,
//! each again and again for a tenth of the time on a node or a few links.

use std::hint::black_box;

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::{Fault, FaultPlan, PlannedFault};
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::{LatencyProfile, NetworkProfile};
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, SyncToken, TimerKey};
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
    /// Asks one server, for ever, again after a while.
    Caller { server: NodeId, call: u64 },
    /// Answers, and syncs a record now and then.
    Writer { count: u64 },
    /// Asks anyone, for ever, and answers.
    Gossip { node_count: u64 },
    /// Waits for its timer, for ever.
    Idle,
}

impl Part {
    /// Every tenth call is written down, with the time.
    fn write(&mut self, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        if let Self::Writer { count } = self {
            *count += 1;
            if count.is_multiple_of(10) {
                black_box((context.wall(), context.interval()));
                effects.write(());
                effects.sync(SyncToken(*count));
            }
        }
    }

    /// Whether it is the answer that a caller waits for; it waits for the next one then.
    fn takes(&mut self, answered: u64) -> bool {
        match self {
            Self::Caller { call, .. } if *call != answered => false,
            Self::Caller { call, .. } => {
                *call += 1;
                true
            }
            Self::Server | Self::Client { .. } | Self::Writer { .. } | Self::Gossip { .. } | Self::Idle => {
                true
            }
        }
    }

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
            Self::Caller { server, call } => {
                effects.send(*server, Call::Ask([*call, 1, 2]));
                effects.set_timer(TIMEOUT, Span::from_ms(100));
            }
            Self::Idle => effects.set_timer(TIMEOUT, Span::from_seconds(1)),
            Self::Server | Self::Writer { .. } => {}
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
            Input::Message { from, message: Call::Ask(payload) } => {
                effects.send(from, Call::Answer(payload));
                self.write(context, effects);
            }
            Input::Message { message: Call::Answer([count, a, b]), .. } => {
                if matches!(self, Self::Client { has_timer: true, .. }) {
                    effects.cancel_timer(TIMEOUT);
                }
                if self.takes(count) {
                    self.ask([count + 1, a, b], context, effects);
                }
            }
            Input::Start { .. } | Input::Timer(_) => self.ask([0, 1, 2], context, effects),
            Input::Synced(_) | Input::SyncFailed(_) | Input::Request(()) | Input::Stop => {}
        }
    }
}

fn world(parts: Vec<Part>, plan: FaultPlan) -> World<Part> {
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
        plan,
        requests: Vec::new(),
        options: RunOptions::default(),
    };
    World::new(setup).expect("the setup is sound")
}

fn echo(has_timer: bool) -> Vec<Part> {
    let clients = (0..5).map(|server| Part::Client { server: NodeId(server), has_timer });
    core::iter::repeat_n(Part::Server, 5).chain(clients).collect()
}

fn calls() -> Vec<Part> {
    let callers = (0..5).map(|server| Part::Caller { server: NodeId(server), call: 0 });
    core::iter::repeat_n(Part::Writer { count: 0 }, 5).chain(callers).collect()
}

/// Every family that lasts, once, on that node or on its links.
fn lasting(node: NodeId, length: Span) -> Vec<Fault> {
    let few = Ratio::new(1, 50);
    let links = || vec![(node, NodeId(node.0 + 5)), (NodeId(node.0 + 5), node)];
    let (loss, duplication, extra, delay_max) = (few, few, Span::from_us(100), Span::from_ms(5));
    vec![
        Fault::Slow { node, extra, length },
        Fault::Noise { links: links(), loss, duplication, delay_max, length },
        Fault::Burst { links: links(), enter: few, leave: Ratio::new(1, 5), loss: Ratio::new(1, 2), length },
        Fault::Corruption { links: links(), chance: few, length },
        Fault::Reordering { links: links(), chance: few, delay_max, length },
        Fault::SlowLink { links: links(), extra, length },
        Fault::Throttle { links: links(), bytes_per_s: 1_000_000, queue_bytes: 10_000, length },
        Fault::Reset { node, peer: NodeId(node.0 + 5) },
        Fault::ClockStep { node, by_ns: 1_000 },
        Fault::ClockDrift { node, drift_ppb: 50_000 },
        Fault::ClockLie { node, bound: extra, length },
        Fault::Pause { node, length: Span::from_ms(20) },
        Fault::PauseMidway { node, length: Span::from_ms(20) },
        Fault::DiskLie { node, length },
        Fault::DiskSlow { node, extra, length },
        Fault::DiskError { node, length },
        Fault::DiskFull { node, room: 0, length },
        Fault::DiskStall { node, length },
        Fault::BitRot { node, count: 1 },
        Fault::Cut { links: links(), length: Span::from_ms(200) },
    ]
}

/// Every family, again and again: each second one node after the other meets all of those that last, a tenth of a
/// second apart and each for a second, and goes down and up in one of five ways.
fn all_families(span: Span) -> FaultPlan {
    let mut faults = Vec::new();
    let seconds = span.as_ns() / 1_000_000_000;
    for second in 0..seconds - 1 {
        let node = NodeId((second % 5) as u32);
        let at = |ms| TrueTime::ZERO + Span::from_seconds(second) + Span::from_ms(ms);
        let (down, up) = match second % 4 {
            0 => (Fault::Crash { node }, Fault::Restart { node }),
            1 => (Fault::PowerLoss { node }, Fault::Restart { node }),
            2 => (Fault::Stop { node }, Fault::Restart { node }),
            _ => (Fault::TornWrite { node }, Fault::RestartAs { node, version: 1 }),
        };
        faults.push(PlannedFault { at: at(0), fault: down });
        faults.push(PlannedFault { at: at(20), fault: up });
        let lasting = lasting(node, Span::from_seconds(1));
        faults.extend(
            lasting.into_iter().zip(1..).map(|(fault, place)| PlannedFault { at: at(place * 45), fault }),
        );
    }
    FaultPlan::of(faults)
}

/// Runs that world for that span, again and again, and counts its events.
fn bench(criterion: &mut Criterion, name: &str, parts: &[Part], span: Span) {
    bench_under(criterion, name, parts, span, FaultPlan::default());
}

/// The same, under faults.
fn bench_under(criterion: &mut Criterion, name: &str, parts: &[Part], span: Span, plan: FaultPlan) {
    let end = TrueTime::ZERO + span;
    let fresh = world(parts.to_vec(), plan);
    let mut once = fresh.clone();
    once.run_until(end);
    let unused: Vec<_> = once.ledger().lines().into_iter().filter(|line| line.affected == 0).collect();
    assert!(unused.is_empty(), "every family has something to do: {unused:?}");
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
    let hundred = Span::from_seconds(100);
    bench(criterion, "calls", &calls(), hundred);
    bench_under(criterion, "calls_all_faults", &calls(), hundred, all_families(hundred));
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
