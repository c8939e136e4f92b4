//! A node that does what it is asked and tells all it sees, and worlds of three of them.

use counterclock_sim::chance::Seed;
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::digest::{Canonical, Digest};
use counterclock_sim::disk_profile::DiskProfile;
use counterclock_sim::fault::{Fault, FaultPlan, PlannedFault};
use counterclock_sim::kernel::{Observed, World};
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::{Context, Effects, Input, InputOf, Message, Node, NodeId, SyncToken, TimerKey};
use counterclock_sim::setup::{NodeSetup, RunOptions, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};

pub(crate) const A: NodeId = NodeId(0);
pub(crate) const B: NodeId = NodeId(1);
pub(crate) const C: NodeId = NodeId(2);

/// What a node can be asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(NodeId, u64),
    Arm(u32, u64),
    Cancel(u32),
    Write(u64),
    Rewrite(Vec<u64>),
    Sync(u64),
    /// Tell what the wall clock shows, in ns.
    ReadWall,
    /// Tell how wide the interval is, in ns.
    ReadInterval,
    /// Tell what the monotonic clock shows, in ns.
    ReadMonotonic,
    /// Tell what the clock's daemon says, and whether to go on.
    ReadHealth,
    /// Tell which version runs, and which records the last start could not read.
    ReadBoot,
    Halt,
    /// From now on, answer every message with random acts.
    Chatter,
}

/// A number on its way.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Number(pub(crate) u64);

impl Message for Number {
    fn name(&self) -> &'static str {
        "number"
    }
}

/// What a node saw, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen(pub(crate) String);

impl Canonical for Seen {
    fn feed(&self, digest: &mut Digest) {
        digest.str(&self.0);
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    is_chatty: bool,
    /// How many inputs it has had since it started: memory, to be lost.
    pub(crate) inputs: u64,
}

impl Probe {
    fn act(&mut self, act: Act, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        match act {
            Act::Send(to, number) => effects.send(to, Number(number)),
            Act::Arm(key, after_ms) => effects.set_timer(TimerKey(key), Span::from_ms(after_ms)),
            Act::Cancel(key) => effects.cancel_timer(TimerKey(key)),
            Act::Write(record) => effects.write(record),
            Act::Rewrite(records) => effects.rewrite(records),
            Act::Sync(token) => effects.sync(SyncToken(token)),
            Act::ReadWall => effects.observe(Seen(format!("wall {}", context.wall().as_ns()))),
            Act::ReadInterval => {
                let interval = context.interval();
                let width_ns = interval.latest.minus(interval.earliest);
                effects.observe(Seen(format!("width {width_ns}")));
            }
            Act::ReadMonotonic => {
                effects.observe(Seen(format!("monotonic {}", context.monotonic().as_ns())));
            }
            Act::ReadHealth => {
                let word = if context.is_clock_beyond_limit() { "stop" } else { "go on" };
                effects.observe(Seen(format!("{:?}, {word}", context.clock_status())));
            }
            Act::ReadBoot => {
                let (version, damaged) = (context.version(), context.damaged());
                effects.observe(Seen(format!("version {version}, damaged {damaged:?}")));
            }
            Act::Halt => effects.halt(),
            Act::Chatter => self.is_chatty = true,
        }
    }

    fn chatter(&mut self, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        for _ in 0..context.chance().between(1, 2) {
            let key = context.chance().below(3);
            let acts = [
                Act::Send(NodeId(u32::try_from(key).unwrap()), key),
                Act::Send(NodeId((context.id().0 + 1) % 3), key),
                Act::Arm(u32::try_from(key).unwrap(), key * 7),
                Act::Cancel(1),
                Act::Write(key),
                Act::Sync(key),
                Act::ReadWall,
                Act::ReadInterval,
            ];
            let act = context.chance().pick(&acts).clone();
            self.act(act, context, effects);
        }
    }
}

impl Node for Probe {
    type Message = Number;
    type Request = Vec<Act>;
    type Record = u64;
    type Observation = Seen;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, effects: &mut Effects<Self>) {
        self.inputs += 1;
        let seen = match input {
            Input::Start { disk } => format!("starts {disk:?}"),
            Input::Message { from, message } => format!("gets {} from {from}", message.0),
            Input::Timer(key) => format!("timer {}", key.0),
            Input::Synced(token) => format!("synced {}", token.0),
            Input::SyncFailed(token) => format!("refused {}", token.0),
            Input::Stop => "stops".to_owned(),
            Input::Request(acts) => {
                for act in acts {
                    self.act(act, context, effects);
                }
                return;
            }
        };
        effects.observe(Seen(seen));
        if self.is_chatty {
            self.chatter(context, effects);
        }
    }

    fn connection_reset(&mut self, peer: NodeId, _: &mut Context<'_>, effects: &mut Effects<Self>) {
        effects.observe(Seen(format!("is reset by {peer}")));
    }
}

/// What happens to three probes, in ms.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) faults: Vec<(u64, Fault)>,
    pub(crate) requests: Vec<(u64, NodeId, Vec<Act>)>,
}

/// Three probes on perfect machines, 10 ms from one another.
pub(crate) fn setup(script: &Script) -> WorldSetup<Probe> {
    let at = |ms| TrueTime::ZERO + Span::from_ms(ms);
    let planned = |(ms, fault): &(u64, Fault)| PlannedFault { at: at(*ms), fault: fault.clone() };
    let requests = script.requests.iter().map(|(ms, node, acts)| (at(*ms), *node, acts.clone()));
    WorldSetup {
        seed: Seed(1),
        nodes: vec![NodeSetup::perfect(Probe::default()); 3],
        network: NetworkProfile::perfect(Span::from_ms(10)),
        plan: FaultPlan { faults: script.faults.iter().map(planned).collect() },
        requests: requests.collect(),
        options: RunOptions::default(),
    }
}

/// Three probes that chatter over bad machines.
pub(crate) fn chatter(seed: Seed) -> WorldSetup<Probe> {
    let mut requests: Vec<(u64, NodeId, Vec<Act>)> = vec![];
    for node in [A, B, C] {
        requests.push((1, node, vec![Act::Chatter]));
    }
    for round in 0..100 {
        requests.push((2 + round, NodeId(u32::try_from(round % 3).unwrap()), vec![Act::Send(A, 1)]));
    }
    let length = Span::from_ms(20);
    let faults = vec![
        (5, Fault::Pause { node: B, length }),
        (10, Fault::Crash { node: A }),
        (20, Fault::Cut { links: vec![(B, C)], length }),
        (30, Fault::Restart { node: A }),
        (40, Fault::Slow { node: C, extra: Span::from_us(300), length }),
        (50, Fault::ClockDrift { node: B, drift_ppb: 900_000 }),
        (55, Fault::ClockStep { node: A, by_ns: -5_000_000 }),
        (60, Fault::PowerLoss { node: C }),
        (70, Fault::Restart { node: C }),
    ];
    let mut setup = setup(&Script { faults, requests });
    setup.seed = seed;
    setup.network = NetworkProfile::cross_az();
    for node in &mut setup.nodes {
        node.clock = ClockProfile { wander_every: Span::from_ms(7), ..ClockProfile::ptp() };
        node.disk = DiskProfile::nvme();
    }
    setup
}

/// Runs a script on perfect machines to the given ms.
#[track_caller]
pub(crate) fn run(script: &Script, end_ms: u64) -> World<Probe> {
    run_setup(setup(script), end_ms)
}

/// Runs a world to the given ms.
#[track_caller]
pub(crate) fn run_setup(setup: WorldSetup<Probe>, end_ms: u64) -> World<Probe> {
    let mut world = World::new(setup).unwrap();
    world.run_until(TrueTime::ZERO + Span::from_ms(end_ms));
    world
}

/// What the probes saw, without their first start, as `15 ms n1 gets 7 from n0`.
pub(crate) fn seen(world: &World<Probe>) -> Vec<String> {
    let line = |observed: &Observed<Seen>| {
        let at = Span::from_ns(observed.at.as_ns());
        format!("{at} {} {}", observed.node, observed.observation.0)
    };
    world.observations().iter().skip(3).map(line).collect()
}

/// What the probes see in a script on perfect machines, all of it.
#[track_caller]
pub(crate) fn check(faults: &[(u64, Fault)], requests: &[(u64, NodeId, Vec<Act>)], want: &[&str]) {
    let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
    assert_eq!(seen(&run(&script, 1_000)), want);
}
