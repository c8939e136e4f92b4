//! One node's machine: the node, its clocks, timers and disk, and what keeps it from taking inputs.

use std::collections::VecDeque;

use crate::chance::{Seed, Stream};
use crate::clock::{NodeClock, Readings};
use crate::disk::Disk;
use crate::disk_profile::DiskProfile;
use crate::event::{Incarnation, PendingSync};
use crate::node::{Boot, Effects, Input, InputOf, Node, NodeId, SyncToken, TimerKey};
use crate::queue::Sequence;
use crate::setup::NodeSetup;
use crate::time::{LocalTime, Span, TrueTime};
use crate::timers::Timers;
use crate::windows::{FaultIndex, Windows};

/// An input that its node cannot take yet.
#[derive(Clone)]
pub(crate) enum Waiting<N: Node> {
    /// Any but a timer.
    Input(InputOf<N>),
    /// A timer that ran out; the node may still change its mind.
    Timer(TimerKey, Sequence),
    /// Its connection to that peer was reset.
    Reset(NodeId),
}

impl<N: Node> Waiting<N> {
    /// What to call it in a trace.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Input(Input::Start { .. }) => "its start",
            Self::Input(Input::Message { message, .. }) => message_name::<N>(message),
            Self::Input(Input::Timer(_)) | Self::Timer(..) => "a timer",
            Self::Input(Input::Synced(_) | Input::SyncFailed(_)) => "a sync",
            Self::Input(Input::Request(_)) => "a request",
            Self::Input(Input::Stop) => "a stop",
            Self::Reset(_) => "a reset",
        }
    }

    /// Whether it is dropped when too many wait: what comes from outside is.
    pub(crate) const fn is_from_outside(&self) -> bool {
        matches!(self, Self::Input(Input::Message { .. } | Input::Request(_)))
    }
}

/// The name of a message.
#[inline]
pub(crate) fn message_name<N: Node>(message: &N::Message) -> &'static str {
    crate::node::Message::name(message)
}

/// An input whose effects have not left yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// When the node took it.
    pub(crate) at: TrueTime,
    /// What its wall clock showed then.
    pub(crate) local: LocalTime,
    /// Whether the node goes down once the effects have left.
    pub(crate) is_stop: bool,
    /// Whether its service time still runs.
    pub(crate) is_served: bool,
}

/// Readings that a fault of the clock may answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchKind {
    /// Of the wall clock: a step, a freeze, a strobe, a poll that was missed.
    Wall,
    /// Of the interval: a lie.
    Interval,
    /// All: a drift.
    All,
}

impl WatchKind {
    const fn of(self, readings: Readings) -> u64 {
        match self {
            Self::Wall => readings.wall,
            Self::Interval => readings.interval,
            Self::All => readings.wall + readings.monotonic,
        }
    }
}

/// A fault of the clock, and the readings before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    pub(crate) fault: FaultIndex,
    kind: WatchKind,
    before: u64,
}

/// The disk, its latency, and the syncs that a stall holds back.
#[derive(Clone)]
pub(crate) struct Drive<R> {
    pub(crate) disk: Disk<R>,
    pub(crate) profile: DiskProfile,
    pub(crate) chance: Stream,
    /// Chance of its own for power losses, so that they move no latency.
    pub(crate) power_chance: Stream,
    pub(crate) stalls: Windows<()>,
    pub(crate) refusals: Windows<()>,
    pub(crate) lies: Windows<()>,
    /// How much longer each sync takes.
    pub(crate) slows: Windows<Span>,
    /// How many records fit.
    pub(crate) limits: Windows<usize>,
    pub(crate) stalled: Vec<PendingSync>,
    /// Chance of its own for torn writes and bit rot.
    pub(crate) damage_chance: Stream,
    /// Records written since the last sync began.
    written: u64,
    /// Whether a write since then found the disk full.
    is_incomplete: bool,
}

impl<R> Drive<R> {
    fn new(profile: DiskProfile, stream: impl Fn(&str) -> Stream) -> Self {
        Self {
            disk: Disk::default(),
            profile,
            chance: stream("disk"),
            power_chance: stream("power-loss"),
            stalls: Windows::default(),
            refusals: Windows::default(),
            lies: Windows::default(),
            slows: Windows::default(),
            limits: Windows::default(),
            stalled: Vec::new(),
            damage_chance: stream("disk-damage"),
            written: 0,
            is_incomplete: false,
        }
    }

    /// Appends a record; the fault that leaves no room for it, if one does.
    #[inline]
    pub(crate) fn write(&mut self, record: R) -> Option<FaultIndex> {
        self.written += 1;
        if let Some((fault, records_max)) = self.limits.last()
            && self.disk.records().len() >= records_max
        {
            self.is_incomplete = true;
            return Some(fault);
        }
        self.disk.write(record);
        None
    }

    /// Replaces all records; the fault that leaves no room for them, if one does.
    pub(crate) fn rewrite(&mut self, records: Vec<R>) -> Option<FaultIndex> {
        self.written += records.len() as u64;
        if let Some((fault, records_max)) = self.limits.last()
            && records.len() > records_max
        {
            self.is_incomplete = true;
            return Some(fault);
        }
        self.disk.rewrite(records);
        None
    }

    /// A sync that begins now, and how long it takes unless a fault makes it longer. One draw.
    pub(crate) fn begin_sync(&mut self, token: SyncToken, incarnation: Incarnation) -> (PendingSync, Span) {
        let latency = self.chance.span_between(self.profile.sync_min, self.profile.sync_max);
        let written = self.profile.write.times(core::mem::take(&mut self.written));
        let is_incomplete = core::mem::take(&mut self.is_incomplete);
        (PendingSync { token, mark: self.disk.mark(), incarnation, is_incomplete }, latency + written)
    }

    /// The process that used it is gone.
    fn forget_process(&mut self) {
        self.stalled.clear();
        self.written = 0;
        self.is_incomplete = false;
    }
}

/// One node and its machine.
#[derive(Clone)]
pub(crate) struct Host<N: Node> {
    pub(crate) id: NodeId,
    /// Whether an input can be taken and its effects leave at once: up, and nothing below holds it up.
    is_open: bool,
    pub(crate) is_up: bool,
    pub(crate) incarnation: Incarnation,
    pub(crate) service: Span,
    pub(crate) node: N,
    pub(crate) clock: NodeClock,
    pub(crate) timers: Timers,
    pub(crate) inbox: VecDeque<Waiting<N>>,
    pub(crate) held: Option<Held>,
    /// The effects of the held input; empty if there is none.
    pub(crate) outbox: Effects<N>,
    pub(crate) pauses: Windows<()>,
    /// A pause that begins with the next input.
    pub(crate) midway: Option<(FaultIndex, Span)>,
    pub(crate) slows: Windows<Span>,
    pub(crate) lies: Windows<Span>,
    pub(crate) sync_losses: Windows<()>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) chance: Stream,
    pub(crate) clock_chance: Stream,
    pub(crate) drive: Drive<N::Record>,
    pub(crate) pristine: N,
    pub(crate) boot: Boot,
}

impl<N: Node> Host<N> {
    /// The machine at the beginning of a run.
    pub(crate) fn new(seed: Seed, id: NodeId, setup: NodeSetup<N>) -> Self {
        let stream = |label: &str| seed.stream(label, u64::from(id.0));
        let mut clock_chance = stream("clock");
        let mut host = Self {
            id,
            is_open: false,
            is_up: true,
            incarnation: Incarnation::default(),
            service: setup.service,
            pristine: setup.node.clone(),
            node: setup.node,
            clock: NodeClock::new(setup.clock, &mut clock_chance),
            timers: Timers::default(),
            inbox: VecDeque::new(),
            held: None,
            outbox: Effects::default(),
            pauses: Windows::default(),
            midway: None,
            slows: Windows::default(),
            lies: Windows::default(),
            sync_losses: Windows::default(),
            watches: Vec::new(),
            chance: stream("node"),
            clock_chance,
            drive: Drive::new(setup.disk, stream),
            boot: Boot { version: setup.version, damaged: Vec::new() },
        };
        host.refresh();
        host
    }

    /// Draws from the streams of another seed from now on.
    pub(crate) fn reseed(&mut self, seed: Seed) {
        let stream = |label| seed.stream(label, u64::from(self.id.0));
        self.chance = stream("node");
        self.clock_chance = stream("clock");
        self.drive.chance = stream("disk");
        self.drive.power_chance = stream("power-loss");
        self.drive.damage_chance = stream("disk-damage");
    }

    /// Whether an input can be taken and its effects leave at once.
    #[inline]
    pub(crate) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether an input can be taken now.
    pub(crate) fn can_take(&self) -> bool {
        self.is_up && self.pauses.is_empty() && self.held.is_none() && self.inbox.is_empty()
    }

    /// Whether it was asked to stop and has not done so yet.
    pub(crate) fn is_stopping(&self) -> bool {
        let is_stop = |waiting: &Waiting<N>| matches!(waiting, Waiting::Input(Input::Stop));
        self.held.is_some_and(|held| held.is_stop) || self.inbox.iter().any(is_stop)
    }

    /// Finds out anew whether the host is open. To be called after any change that may open or close it.
    pub(crate) fn refresh(&mut self) {
        let is_quick = self.service == Span::ZERO && self.slows.is_empty() && self.midway.is_none();
        self.is_open = is_quick && self.can_take();
    }

    /// The process is gone, and its memory with it. How many messages waited for it.
    pub(crate) fn go_down(&mut self) -> u64 {
        let is_message = |waiting: &&Waiting<N>| matches!(waiting, Waiting::Input(Input::Message { .. }));
        let message_count = self.inbox.iter().filter(is_message).count() as u64;
        self.is_up = false;
        self.incarnation.0 += 1;
        self.timers.clear();
        self.inbox.clear();
        self.held = None;
        self.outbox = Effects::default();
        self.pauses.clear();
        self.midway = None;
        self.drive.forget_process();
        self.refresh();
        message_count
    }

    /// The process begins again, with nothing but its disk. The input that tells it so.
    pub(crate) fn come_up(&mut self, now: TrueTime) -> InputOf<N> {
        assert!(!self.is_up, "{} is up already", self.id);
        self.node = self.pristine.clone();
        self.is_up = true;
        self.clock.restart(now);
        self.refresh();
        self.boot.damaged = self.drive.disk.damaged_places().collect();
        Input::Start { disk: self.drive.disk.readable() }
    }

    /// From now on, readings of that kind are that fault's.
    pub(crate) fn watch(&mut self, fault: FaultIndex, kind: WatchKind) {
        let before = kind.of(self.clock.readings());
        self.watches.push(Watch { fault, kind, before });
    }

    /// The daemon missed a poll: from now on, readings of the wall clock are the fault's that keeps it from its source.
    pub(crate) fn watch_missed_poll(&mut self) {
        if let Some((fault, ())) = self.sync_losses.last()
            && self.watches.iter().all(|watch| watch.fault != fault)
        {
            self.watch(fault, WatchKind::Wall);
        }
    }

    /// How many readings a watch has seen.
    pub(crate) fn seen(&self, watch: &Watch) -> u64 {
        watch.kind.of(self.clock.readings()) - watch.before
    }

    /// Ends a watch, if there is one; how many readings it has seen.
    pub(crate) fn unwatch(&mut self, fault: FaultIndex) -> u64 {
        let Some(place) = self.watches.iter().position(|watch| watch.fault == fault) else { return 0 };
        let watch = self.watches.remove(place);
        self.seen(&watch)
    }

    /// The fault that makes the oscillator drift, if any: it is the one watched in all readings.
    pub(crate) fn drift_fault(&self) -> Option<FaultIndex> {
        self.watches.iter().find(|watch| watch.kind == WatchKind::All).map(|watch| watch.fault)
    }
}
