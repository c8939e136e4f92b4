//! What a system sees of the world, and all it can do to it.
//!
//! ```text
//!   Input ──► Node::handle(input, &mut Context, &mut Effects) ──► Effects
//!             (its own clocks, its own chance)                    (send, timers, disk, observe)
//! ```
//!
//! A node is sans-IO: it never blocks, never sees true time, never draws chance except from its own stream.
//! `docs/your-own-system.md` goes through one: what its inputs mean, what survives, what it must not do.

use core::fmt::Debug;

use crate::chance::Stream;
use crate::clock::NodeClock;
use crate::digest::Canonical;
use crate::discipline::ClockStatus;
use crate::time::{LocalTime, MonotonicTime, Span, TrueTime};

/// A node's number in its world, from 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl core::fmt::Display for NodeId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// Which of its timers a node means. Small numbers: at most [`crate::limits::TIMER_KEYS_MAX`] a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey(pub u32);

/// Which of its syncs a node means; handed back when the sync is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncToken(pub u64);

/// What travels between nodes. The name stands in traces and in the digest.
pub trait Message: Clone + Debug + Send {
    /// A short constant name of this kind of message, such as `append`.
    fn name(&self) -> &'static str;

    /// How much of a link's bandwidth it takes. The kernel never encodes a message: its author says how long it would be.
    fn wire_bytes(&self) -> u32 {
        WIRE_BYTES
    }
}

/// Bytes of a message that does not say how long it is: a short one with its headers.
pub const WIRE_BYTES: u32 = 128;

/// A deterministic state machine.
pub trait Node: Clone + Send {
    /// What nodes send one another: one enum per system.
    type Message: Message;
    /// What the workload asks of a node.
    type Request: Clone + Debug + Send;
    /// What a node writes to its disk, record by record.
    type Record: Clone + Debug + Send;
    /// What a node tells the recorder. It is part of the digest.
    type Observation: Canonical + Clone + Debug + Send;

    /// Reacts to one input. Never blocks; everything it does, it puts into `effects`.
    fn handle(
        &mut self,
        input: Input<Self::Message, Self::Request, Self::Record>,
        context: &mut Context<'_>,
        effects: &mut Effects<Self>,
    ) where
        Self: Sized;

    /// Learns that its connection to a peer was reset: what the peer had sent may be lost. The peer learns nothing.
    ///
    /// By default it does nothing about it: a node that asks again after a while needs no connections.
    fn connection_reset(&mut self, peer: NodeId, context: &mut Context<'_>, effects: &mut Effects<Self>)
    where
        Self: Sized,
    {
        let _ = (peer, context, effects);
    }
}

/// The four types of a node's input, output and disk, by the node.
pub type InputOf<N> = Input<<N as Node>::Message, <N as Node>::Request, <N as Node>::Record>;

/// What can happen to a node.
#[derive(Clone, Debug)]
pub enum Input<M, Q, R> {
    /// The node begins, or begins again after a crash or stop. Memory is gone: the kernel hands over a node as it
    /// was first made, and the records that survived, in the order they were written.
    Start {
        /// The surviving records that can be read; empty at the first start. [`Context::damaged`] says which others there
        /// were.
        disk: Vec<R>,
    },
    /// A message arrived.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What was sent.
        message: M,
    },
    /// A timer ran out, on the node's own monotonic clock.
    Timer(TimerKey),
    /// Everything written before that sync now survives a power loss.
    Synced(SyncToken),
    /// The disk refused the sync; what was written since the last sync may or may not survive.
    SyncFailed(SyncToken),
    /// The workload asks.
    Request(Q),
    /// The node is asked to stop in order; it gets no further input until it starts again.
    Stop,
}

/// What a node was started from, besides its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boot {
    /// Which version of the program runs.
    pub version: u32,
    /// Places of the records that could not be read, among all that were there, in order.
    pub damaged: Vec<usize>,
}

static FIRST_BOOT: Boot = Boot { version: 0, damaged: Vec::new() };

/// A node's own clocks and chance, at the instant of one input.
pub struct Context<'a> {
    id: NodeId,
    now: TrueTime,
    clock: &'a NodeClock,
    chance: &'a mut Stream,
    boot: &'a Boot,
}

impl<'a> Context<'a> {
    /// The view of node `id` at `now`. For substrates; a node never makes one.
    pub fn new(id: NodeId, now: TrueTime, clock: &'a NodeClock, chance: &'a mut Stream) -> Self {
        Self { id, now, clock, chance, boot: &FIRST_BOOT }
    }

    /// The same view of a node that was started from `boot`.
    #[must_use]
    pub const fn started_from(self, boot: &'a Boot) -> Self {
        Self { boot, ..self }
    }

    /// This node's number.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// What the node's wall clock shows.
    #[must_use]
    pub fn wall(&self) -> LocalTime {
        self.clock.wall(self.now)
    }

    /// What the node's monotonic clock shows.
    #[must_use]
    pub fn monotonic(&self) -> MonotonicTime {
        self.clock.monotonic(self.now)
    }

    /// The interval in which, by the node's clock daemon, true time lies.
    #[must_use]
    pub fn interval(&self) -> ClockInterval {
        self.clock.interval(self.now)
    }

    /// What the node's clock daemon says about the clock, as ClockBound does.
    #[must_use]
    pub const fn clock_status(&self) -> ClockStatus {
        self.clock.status()
    }

    /// Whether the clock's error bound has come so near to its profile's limit that the node should end itself; never,
    /// if the profile has none.
    #[must_use]
    pub fn is_clock_beyond_limit(&self) -> bool {
        self.clock.is_beyond_limit(self.now)
    }

    /// Which version of the node's program runs, by the number of its setup or of its last restart: what it finds on disk
    /// may be an older version's, or a newer one's.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.boot.version
    }

    /// Places of the records that the last start could not read, as their checksums were wrong: among all records that
    /// were there, in order. The readable ones before the first of them have no gap; a log ends there.
    #[must_use]
    pub fn damaged(&self) -> &[usize] {
        &self.boot.damaged
    }

    /// The node's own stream of chance.
    pub fn chance(&mut self) -> &mut Stream {
        self.chance
    }
}

/// A clock reading with its error bound, in the manner of ClockBound: true time lies in `earliest..=latest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ClockInterval {
    /// True time is not before this.
    pub earliest: LocalTime,
    /// True time is not after this.
    pub latest: LocalTime,
}

/// One thing a node does.
#[derive(Clone, Debug)]
pub enum Effect<M, R, O> {
    /// Send a message; it may be lost, late, doubled or overtaken.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: M,
    },
    /// Start the timer `key`, or start it again; it runs out `after` on the node's monotonic clock.
    SetTimer {
        /// Which timer.
        key: TimerKey,
        /// How long it runs.
        after: Span,
    },
    /// Stop the timer `key`, if it runs.
    CancelTimer(TimerKey),
    /// Append a record to the disk. It survives a crash of the process, but a power loss only once synced.
    Write(R),
    /// Replace everything on the disk by these records, in one atomic step that becomes durable with the next sync.
    Rewrite(Vec<R>),
    /// Make everything written so far durable, then say so with [`Input::Synced`].
    Sync(SyncToken),
    /// Tell the recorder. The kernel stamps it with the true time of the input, and the node.
    Observe(O),
    /// Stop the own process, as a crash would; it stays down until a fault plan restarts it.
    Halt,
}

/// The effects of one input, in order.
#[derive(Debug)]
pub struct Effects<N: Node> {
    list: Vec<Effect<N::Message, N::Record, N::Observation>>,
}

impl<N: Node> Default for Effects<N> {
    fn default() -> Self {
        Self { list: Vec::new() }
    }
}

impl<N: Node> Clone for Effects<N> {
    fn clone(&self) -> Self {
        Self { list: self.list.clone() }
    }
}

impl<N: Node> Effects<N> {
    /// Sends `message` to `to`.
    pub fn send(&mut self, to: NodeId, message: impl Into<N::Message>) {
        self.list.push(Effect::Send { to, message: message.into() });
    }

    /// Starts timer `key`, or starts it again.
    pub fn set_timer(&mut self, key: TimerKey, after: Span) {
        self.list.push(Effect::SetTimer { key, after });
    }

    /// Stops timer `key`, if it runs.
    pub fn cancel_timer(&mut self, key: TimerKey) {
        self.list.push(Effect::CancelTimer(key));
    }

    /// Appends a record to the disk.
    pub fn write(&mut self, record: impl Into<N::Record>) {
        self.list.push(Effect::Write(record.into()));
    }

    /// Replaces the disk's records.
    pub fn rewrite(&mut self, records: Vec<N::Record>) {
        self.list.push(Effect::Rewrite(records));
    }

    /// Makes what was written durable.
    pub fn sync(&mut self, token: SyncToken) {
        self.list.push(Effect::Sync(token));
    }

    /// Tells the recorder.
    pub fn observe(&mut self, observation: impl Into<N::Observation>) {
        self.list.push(Effect::Observe(observation.into()));
    }

    /// Ends the own process.
    pub fn halt(&mut self) {
        self.list.push(Effect::Halt);
    }

    /// Does something that another node of the same world asked for in other words.
    #[cfg(feature = "substrates")]
    pub(crate) fn push(&mut self, effect: Effect<N::Message, N::Record, N::Observation>) {
        self.list.push(effect);
    }

    /// Takes the effects out, in order, keeping the room they took.
    pub fn drain(&mut self) -> impl Iterator<Item = Effect<N::Message, N::Record, N::Observation>> + '_ {
        self.list.drain(..)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
