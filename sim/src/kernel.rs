//! A world of nodes in one thread: the event loop.
//!
//! ```text
//!   pop ──► process ──► arrive (service.rs) ──► Node::handle ──► apply (apply.rs) ──► push
//!              └──────► begin, end (injection.rs)
//! ```
//!
//! At one instant, nodes start first, in node order; then faults begin, in the order of the plan, and end; then
//! requests are due; then everything else, in the order it was scheduled. A world is a value: a clone goes on as the
//! original does.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::chance::Seed;
use crate::checkpoints::Checkpoints;
use crate::digest::DigestValue;
use crate::discipline::Poll;
use crate::event::Event;
use crate::fault::FaultPlan;
use crate::host::Host;
use crate::ledger::Ledger;
use crate::limits::{CLOCK_SAMPLES_MAX, FAULTS_MAX, NODES_MAX, REQUESTS_MAX, RUN_NS_MAX};
use crate::network::{LossCause, Network};
use crate::node::{Effects, Input, Node, NodeId};
use crate::outward::{Outward, lives_here};
use crate::queue::{Due, EventQueue, Sequence};
use crate::setup::{RunOptions, SetupError, WorldSetup};
use crate::time::{LocalTime, Span, TrueTime};
use crate::timers::Expiry;
use crate::trace::{EventKind, Line, Trace, TraceEvent};
use crate::windows::FaultIndex;

const FIRST_START: u64 = 0;
const FIRST_FAULT: u64 = FIRST_START + NODES_MAX as u64;
const FIRST_FAULT_END: u64 = FIRST_FAULT + FAULTS_MAX as u64;
const FIRST_REQUEST: u64 = FIRST_FAULT_END + FAULTS_MAX as u64;
const FIRST_OTHER: u64 = FIRST_REQUEST + REQUESTS_MAX as u64;

/// What a node told the recorder, in the order in which it left the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed<O> {
    /// The true time of the input that caused it.
    pub at: TrueTime,
    /// When it left the node: later than `at` if the node took time, or was paused midway.
    pub released_at: TrueTime,
    /// Whose it is.
    pub node: NodeId,
    /// What the node's wall clock showed at `at`.
    pub local: LocalTime,
    /// What it is.
    pub observation: O,
}

/// One clock at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSample {
    /// When.
    #[serde(rename = "at_ns")]
    pub at: TrueTime,
    /// Whose.
    pub node: NodeId,
    /// How far the wall clock is ahead of true time.
    pub error_ns: i64,
    /// The error bound that the clock claims.
    #[serde(rename = "bound_ns")]
    pub bound: Span,
}

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts {
    /// Sent, doubles not included.
    pub sent: u64,
    /// Doubled by the network.
    pub doubled: u64,
    /// Taken by a node.
    pub delivered: u64,
    /// Lost by the network's own chance, by noise or in a burst.
    pub lost: u64,
    /// Damaged on the way, found by framing and dropped.
    #[serde(default)]
    pub corrupted: u64,
    /// Dropped since the queue before their link was full.
    #[serde(default)]
    pub congested: u64,
    /// Stopped by a cut or a reset, on sending or in flight.
    pub cut: u64,
    /// Arrived at a node that was down, or went down before it took them.
    pub unheard: u64,
    /// Dropped since too many inputs waited.
    pub overflowed: u64,
}

impl MessageCounts {
    /// The count of those that are lost that way.
    pub(crate) const fn lost_by(&mut self, cause: LossCause) -> &mut u64 {
        match cause {
            LossCause::Chance | LossCause::Noise => &mut self.lost,
            LossCause::Corruption => &mut self.corrupted,
            LossCause::Congestion => &mut self.congested,
            LossCause::Cut => &mut self.cut,
            LossCause::Down => &mut self.unheard,
            LossCause::Inbox => &mut self.overflowed,
        }
    }
}

/// One processed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: TrueTime,
    /// Whose event it was, if that of one node.
    pub node: Option<NodeId>,
    /// What it was.
    pub kind: EventKind,
}

/// A world of nodes.
#[derive(Clone)]
pub struct World<N: Node> {
    /// Never after the earliest event of the queue.
    pub(crate) now: TrueTime,
    pub(crate) queue: EventQueue<Event<N::Message>>,
    pub(crate) hosts: Vec<Host<N>>,
    pub(crate) network: Network,
    pub(crate) trace: Trace,
    pub(crate) ledger: Ledger,
    pub(crate) plan: Arc<FaultPlan>,
    /// The faults with an end that have not ended.
    pub(crate) running: Vec<FaultIndex>,
    /// Whether all faults were ended: the rest of the plan does not happen.
    pub(crate) is_healed: bool,
    pub(crate) counts: MessageCounts,
    pub(crate) observations: Vec<Observed<N::Observation>>,
    /// Room for the effects of one input; empty between events.
    pub(crate) effects: Effects<N>,
    /// Set if only one node lives here: what it sends to others leaves by this way.
    pub(crate) outward: Option<Outward<N::Message>>,
    requests: std::vec::IntoIter<(TrueTime, NodeId, N::Request)>,
    request_count: u64,
    samples: Vec<ClockSample>,
    options: RunOptions,
    pub(crate) events: u64,
}

impl<N: Node> World<N> {
    /// A world before its first event.
    ///
    /// # Errors
    /// If the setup does not make sense; see [`SetupError`].
    pub fn new(setup: WorldSetup<N>) -> Result<Self, SetupError> {
        Self::with_outward(setup, None)
    }

    /// A world before its first event, in which perhaps only one node lives.
    pub(crate) fn with_outward(
        setup: WorldSetup<N>,
        outward: Option<Outward<N::Message>>,
    ) -> Result<Self, SetupError> {
        setup.validate()?;
        let seed = setup.seed;
        let network = Network::new(seed, setup.nodes.len(), &setup.network);
        let ids = (0..).map(NodeId);
        let hosts = setup.nodes.into_iter().zip(ids).map(|(node, id)| Host::new(seed, id, node));
        let mut world = Self {
            now: TrueTime::ZERO,
            queue: EventQueue::new(Sequence(FIRST_OTHER)),
            hosts: hosts.collect(),
            network,
            trace: Trace::new(setup.options.keep_trace),
            ledger: Ledger::new(setup.plan.faults.iter().map(|planned| planned.fault.family())),
            plan: Arc::new(setup.plan),
            running: Vec::new(),
            is_healed: false,
            counts: MessageCounts::default(),
            observations: Vec::new(),
            effects: Effects::default(),
            outward,
            requests: setup.requests.into_iter(),
            request_count: 0,
            samples: Vec::new(),
            options: setup.options,
            events: 0,
        };
        world.schedule_first();
        Ok(world)
    }

    /// The present. Between events, it is the instant of the last one, or what [`World::run_until`] ran to.
    #[must_use]
    pub const fn now(&self) -> TrueTime {
        self.now
    }

    /// How many events were processed.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// What became of messages so far.
    #[must_use]
    pub const fn messages(&self) -> MessageCounts {
        self.counts
    }

    /// The digest of everything that happened so far.
    #[must_use]
    pub fn digest(&self) -> DigestValue {
        self.trace.digest()
    }

    /// The digests kept on the way.
    #[must_use]
    pub const fn checkpoints(&self) -> &Checkpoints {
        self.trace.checkpoints()
    }

    /// The kept trace; empty if none was asked for.
    #[must_use]
    pub fn trace(&self) -> &[TraceEvent] {
        self.trace.kept()
    }

    /// What the nodes told the recorder and nobody has taken yet, in the order in which it left them.
    #[must_use]
    pub fn observations(&self) -> &[Observed<N::Observation>] {
        &self.observations
    }

    /// Takes the observations out.
    pub fn take_observations(&mut self) -> Vec<Observed<N::Observation>> {
        core::mem::take(&mut self.observations)
    }

    /// The clocks, every `clock_sample_every` and after each step fault; none if that is not set.
    #[must_use]
    pub fn clock_samples(&self) -> &[ClockSample] {
        &self.samples
    }

    /// What became of the planned faults so far.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        let mut ledger = self.ledger.clone();
        for host in &self.hosts {
            for watch in &host.watches {
                ledger.affect(watch.fault, host.seen(watch));
            }
        }
        ledger
    }

    /// How many nodes there are.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.hosts.len()
    }

    /// A node's state; that before it died, if it is down.
    ///
    /// # Panics
    /// If there is no such node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &N {
        &self.hosts[id.index()].node
    }

    /// Whether a node is up.
    ///
    /// # Panics
    /// If there is no such node.
    #[must_use]
    pub fn is_up(&self, id: NodeId) -> bool {
        self.hosts[id.index()].is_up
    }

    /// A node's clocks, for a look that does not count as the node's own: use its `peek_` methods.
    ///
    /// # Panics
    /// If there is no such node.
    #[must_use]
    pub fn clock(&self, id: NodeId) -> &crate::clock::NodeClock {
        &self.hosts[id.index()].clock
    }

    /// What is on a node's disk, synced or not.
    ///
    /// # Panics
    /// If there is no such node.
    #[must_use]
    pub fn records(&self, id: NodeId) -> &[N::Record] {
        self.hosts[id.index()].drive.disk.records()
    }

    /// Lets the world go on under the chance of another seed: its nodes, disks, clocks and links draw from the
    /// beginning of that seed's streams from now on. For branching off a clone where something rare was just reached.
    pub fn reseed(&mut self, seed: Seed) {
        self.network.reseed(seed);
        for host in &mut self.hosts {
            host.reseed(seed);
        }
    }

    /// Processes the next event; none if nothing is left to happen.
    pub fn step(&mut self) -> Option<Step> {
        self.step_until(TrueTime::from_ns(RUN_NS_MAX))
    }

    /// Processes every event up to `end`, which is the present from then on.
    ///
    /// # Panics
    /// If `end` lies in the past, or after the longest run.
    pub fn run_until(&mut self, end: TrueTime) {
        assert!(end >= self.now, "a world does not run backwards");
        assert!(end.as_ns() <= RUN_NS_MAX, "a run is not longer than {RUN_NS_MAX} ns");
        while self.step_until(end).is_some() {}
        self.now = end;
    }

    #[inline]
    fn step_until(&mut self, end: TrueTime) -> Option<Step> {
        while self.queue.next_at().is_some_and(|at| at <= end) {
            let (due, event) = self.queue.pop().expect("it was seen just now");
            assert!(due.at >= self.now, "an event was left in the past");
            self.now = due.at;
            if let Some((node, kind)) = self.process(due, event) {
                self.events += 1;
                return Some(Step { at: due.at, node, kind });
            }
        }
        None
    }

    /// Does what an event says; none if it means nothing any more.
    #[inline]
    fn process(&mut self, due: Due, event: Event<N::Message>) -> Option<(Option<NodeId>, EventKind)> {
        let (node, kind) = match event {
            Event::Message { to, from, link, sent, message } => match self.network.cut_since(link, sent) {
                None => (to, self.arrive(to, Input::Message { from, message })),
                Some(fault) => (to, self.cut_off(fault, to, from, &message)),
            },
            Event::Timer { node, key } => (node, self.timer(node, key, due)?),
            Event::MessageToSelf { node, incarnation, message } => {
                if incarnation != self.hosts[node.index()].incarnation {
                    return None;
                }
                (node, self.arrive(node, Input::Message { from: node, message }))
            }
            Event::SyncEnd { node, sync } => (node, self.sync_end(node, sync)?),
            Event::Request => self.request(),
            Event::Start(node) => (node, self.arrive(node, Input::Start { disk: Vec::new() })),
            Event::ServiceEnd { node, incarnation } => (node, self.service_end(node, incarnation)?),
            Event::FaultBegin(fault) => return self.begin_planned(fault),
            Event::FaultEnd(fault) => return self.end_planned(fault),
            Event::Wander(node) => (node, self.wander(node)),
            Event::Sample => return self.sample(),
        };
        Some((Some(node), kind))
    }

    fn timer(&mut self, node: NodeId, key: crate::node::TimerKey, due: Due) -> Option<EventKind> {
        match self.hosts[node.index()].timers.expire(key, due) {
            Expiry::Stale => None,
            Expiry::Later(due) => {
                self.queue.push_due(due, Event::Timer { node, key });
                None
            }
            Expiry::Fires => Some(self.timer_runs_out(node, key, due.sequence)),
        }
    }

    fn request(&mut self) -> (NodeId, EventKind) {
        let (_, node, request) = self.requests.next().expect("a request is due only if there is one");
        self.request_count += 1;
        self.schedule_request();
        (node, self.arrive(node, Input::Request(request)))
    }

    fn wander(&mut self, node: NodeId) -> EventKind {
        let host = &mut self.hosts[node.index()];
        let before_ppb = host.clock.drift_ppb();
        if host.clock.wander(&mut host.clock_chance, self.now) == Poll::Missed {
            host.watch_missed_poll();
        }
        let drift_ppb = host.clock.drift_ppb();
        if let Some(every) = host.clock.profile().changes_every() {
            self.queue.push(self.now + every, Event::Wander(node));
        }
        if drift_ppb != before_ppb {
            self.aim_timers(node);
        }
        self.trace.event(self.now, &Line::plain(EventKind::Wander, node, drift_ppb.cast_unsigned()));
        EventKind::Wander
    }

    /// Aims a node's timers anew after its clock's rate changed; how many run.
    pub(crate) fn aim_timers(&mut self, node: NodeId) -> u64 {
        let host = &mut self.hosts[node.index()];
        let queue = &mut self.queue;
        host.timers.aim(&host.clock, self.now, |key, due| queue.push_due(due, Event::Timer { node, key }))
    }

    /// Samples are not events of the run: nothing may depend on whether they are taken.
    fn sample(&mut self) -> Option<(Option<NodeId>, EventKind)> {
        self.sample_clocks();
        if let Some(every) = self.options.clock_sample_every
            && self.samples.len() < CLOCK_SAMPLES_MAX
        {
            self.queue.push(self.now + every, Event::Sample);
        }
        None
    }

    /// Samples all clocks.
    pub(crate) fn sample_clocks(&mut self) {
        if self.options.clock_sample_every.is_none() {
            return;
        }
        let room = CLOCK_SAMPLES_MAX - self.samples.len();
        let at = self.now;
        let outward = self.outward.as_ref();
        let hosts = self.hosts.iter().filter(|host| lives_here(outward, host.id));
        self.samples.extend(hosts.take(room).map(|host| ClockSample {
            at,
            node: host.id,
            error_ns: host.clock.error_ns(at),
            bound: host.clock.bound(at),
        }));
    }

    fn schedule_first(&mut self) {
        for index in 0..self.hosts.len() {
            let node = self.hosts[index].id;
            if !lives_here(self.outward.as_ref(), node) {
                continue;
            }
            let sequence = Sequence(FIRST_START + index as u64);
            self.queue.push_due(Due { at: TrueTime::ZERO, sequence }, Event::Start(node));
            let host = &mut self.hosts[index];
            if let Some(at) = host.clock.first_change(&mut host.clock_chance) {
                self.queue.push(at, Event::Wander(node));
            }
        }
        if self.options.clock_sample_every.is_some() {
            self.queue.push(TrueTime::ZERO, Event::Sample);
        }
        self.schedule_fault(FaultIndex(0));
        self.schedule_request();
    }

    /// Only the next request stands in the queue, so that a long workload does not make it slow.
    fn schedule_request(&mut self) {
        if let Some(&(at, ..)) = self.requests.as_slice().first() {
            let sequence = Sequence(FIRST_REQUEST + self.request_count);
            self.queue.push_due(Due { at, sequence }, Event::Request);
        }
    }

    /// Puts that fault of the plan into the queue, if there is one; the next follows when it begins.
    pub(crate) fn schedule_fault(&mut self, fault: FaultIndex) {
        if let Some(planned) = self.plan.faults.get(fault.0 as usize) {
            let sequence = Sequence(FIRST_FAULT + u64::from(fault.0));
            self.queue.push_due(Due { at: planned.at, sequence }, Event::FaultBegin(fault));
        }
    }

    /// Puts the end of a fault into the queue.
    pub(crate) fn schedule_fault_end(&mut self, fault: FaultIndex, length: Span) {
        let due = Due { at: self.now + length, sequence: Sequence(FIRST_FAULT_END + u64::from(fault.0)) };
        self.queue.push_due(due, Event::FaultEnd(fault));
    }
}

impl<N: Node> fmt::Debug for World<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("events", &self.events)
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}
