//! In steady state the kernel allocates nothing: counted, in a process whose allocator counts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::fault::{Fault, FaultPlan, PlannedFault};
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, TimerKey};
use counterclock_sim::setup::{NodeSetup, RunOptions, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};

/// Which way a message goes, and what it carries.
#[derive(Clone, Debug)]
enum Call {
    Ask([u64; 3]),
    Answer([u64; 3]),
}

impl Message for Call {
    fn name(&self) -> &'static str {
        "call"
    }
}

#[derive(Clone, Debug)]
struct Nothing;

impl Canonical for Nothing {
    fn feed(&self, _: &mut Digest) {}
}

/// A server, or a client that asks it for ever, and again after 20 ms.
#[derive(Clone)]
struct Echo {
    server: Option<NodeId>,
    /// Whether each answer is kept, so that memory grows: the mutant that the count must find.
    hoard: Option<Vec<String>>,
}

impl Node for Echo {
    type Message = Call;
    type Request = ();
    type Record = ();
    type Observation = Nothing;

    fn handle(&mut self, input: InputOf<Self>, _: &mut Context<'_>, effects: &mut Effects<Self>) {
        let payload = match input {
            Input::Message { from, message: Call::Ask(payload) } => {
                return effects.send(from, Call::Answer(payload));
            }
            Input::Message { message: Call::Answer(payload), .. } => payload,
            Input::Start { .. } | Input::Timer(_) => [0; 3],
            Input::Synced(_) | Input::SyncFailed(_) | Input::Request(()) | Input::Stop => return,
        };
        if let Some(hoard) = &mut self.hoard {
            hoard.push(format!("{payload:?}"));
        }
        if let Some(server) = self.server {
            effects.send(server, Call::Ask(payload.map(|part| part + 1)));
            effects.set_timer(TimerKey(0), Span::from_ms(20));
        }
    }
}

/// How many allocations the events between two instants of a run of 10 nodes make, and how many events those are.
fn check(plan: FaultPlan, hoard: Option<Vec<String>>) -> (u64, u64) {
    let node = |index: u32| Echo { server: index.checked_sub(5).map(NodeId), hoard: hoard.clone() };
    let setup = WorldSetup {
        seed: Seed(3),
        nodes: (0..10).map(|index| NodeSetup::perfect(node(index))).collect(),
        network: NetworkProfile::lan(),
        plan,
        requests: Vec::new(),
        options: RunOptions::default(),
    };
    let mut world = World::new(setup).unwrap();
    world.run_until(at(8));
    let before = world.events();
    let allocations = allocation_counter::measure(|| world.run_until(at(10)));
    (allocations.count_total, world.events() - before)
}

fn at(seconds: u64) -> TrueTime {
    TrueTime::ZERO + Span::from_seconds(seconds)
}

#[test]
fn messages_and_timers_allocate_nothing_once_everything_has_its_room() {
    let (allocations, events) = check(FaultPlan::default(), None);
    assert!(events > 10_000, "{events}");
    assert_eq!(allocations, 0, "in {events} events");
}

#[test]
fn messages_through_faults_of_links_allocate_nothing_either() {
    let (length, links) = (Span::from_seconds(60), Vec::new());
    let few = Ratio::new(1, 1_000);
    let faults = [
        Fault::Noise {
            links: links.clone(),
            loss: few,
            duplication: few,
            delay_max: Span::from_ms(1),
            length,
        },
        Fault::Corruption { links: links.clone(), chance: few, length },
        Fault::Throttle { links, bytes_per_s: 1_000_000, queue_bytes: 10_000, length },
    ];
    let planned = faults.map(|fault| PlannedFault { at: at(1), fault });
    let (allocations, events) = check(FaultPlan::of(planned.to_vec()), None);
    assert!(events > 10_000, "{events}");
    assert_eq!(allocations, 0, "in {events} events");
}

#[test]
fn a_node_that_allocates_is_seen() {
    let (allocations, events) = check(FaultPlan::default(), Some(Vec::new()));
    assert!(allocations > events / 4, "{allocations} in {events} events");
}
