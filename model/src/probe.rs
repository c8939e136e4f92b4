//! One part of a node on the bench: its clock is set by hand, its effects are looked at.

use sim::chance::{Seed, Stream};
use sim::clock::NodeClock;
use sim::clock_profile::ClockProfile;
use sim::node::{Boot, Context, Effect, Effects, Node, NodeId, SyncToken};
use sim::time::{Span, TrueTime};

/// The bench: one node, one instant at a time.
pub(crate) struct Probe<N: Node> {
    clock: NodeClock,
    chance: Stream,
    now: TrueTime,
    boot: Boot,
    fx: Effects<N>,
}

/// What a node did, by kind.
#[derive(Debug)]
pub(crate) struct Done<N: Node> {
    pub(crate) sent: Vec<(NodeId, N::Message)>,
    pub(crate) written: Vec<N::Record>,
    /// What replaced everything on disk, if something did; the last counts.
    pub(crate) rewritten: Option<Vec<N::Record>>,
    pub(crate) has_halted: bool,
    pub(crate) synced: Vec<SyncToken>,
    pub(crate) observed: Vec<N::Observation>,
}

impl<N: Node> Probe<N> {
    /// A node with a perfect clock, except that it claims `bound` as its error.
    pub(crate) fn new(bound: Span) -> Self {
        let mut chance = Seed(1).stream("probe", 0);
        let profile = ClockProfile { bound_floor_ns: bound.as_ns(), ..ClockProfile::perfect() };
        let clock = NodeClock::new(profile, &mut chance);
        Self { clock, chance, now: TrueTime::ZERO, boot: Boot::default(), fx: Effects::default() }
    }

    /// The same bench for a node that was started as that version, with these places of its disk damaged.
    pub(crate) fn booted(mut self, version: u32, damaged: Vec<usize>) -> Self {
        self.boot = Boot { version, damaged };
        self
    }

    /// Lets `span` pass.
    pub(crate) fn wait(&mut self, span: Span) -> &mut Self {
        self.now += span;
        self
    }

    /// The wall clock jumps, and the bound with it.
    pub(crate) fn step(&mut self, by_ns: i64) -> &mut Self {
        self.clock.step(by_ns, self.now);
        self
    }

    /// Does something to the part, and returns its result.
    pub(crate) fn ask<T>(&mut self, action: impl FnOnce(&mut Context<'_>, &mut Effects<N>) -> T) -> T {
        let context = Context::new(NodeId(9), self.now, &self.clock, &mut self.chance);
        let mut context = context.started_from(&self.boot);
        action(&mut context, &mut self.fx)
    }

    /// What was done since this was last asked.
    pub(crate) fn done(&mut self) -> Done<N> {
        let mut done = Done {
            sent: Vec::new(),
            written: Vec::new(),
            rewritten: None,
            has_halted: false,
            synced: Vec::new(),
            observed: Vec::new(),
        };
        for effect in self.fx.drain() {
            match effect {
                Effect::Send { to, message } => done.sent.push((to, message)),
                Effect::Write(record) => done.written.push(record),
                Effect::Sync(token) => done.synced.push(token),
                Effect::Observe(observation) => done.observed.push(observation),
                Effect::Rewrite(records) => done.rewritten = Some(records),
                Effect::Halt => done.has_halted = true,
                Effect::SetTimer { .. } | Effect::CancelTimer(_) => {}
            }
        }
        done
    }
}

impl<N: Node> Done<N> {
    /// The names of the messages sent, in order.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.sent.iter().map(|(_, message)| sim::node::Message::name(message)).collect()
    }
}
