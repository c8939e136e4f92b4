//! What the nodes of these systems say to one another, write to disk, are asked, and show to the recorder.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{ClockInterval, NodeId};
use sim::time::{LocalTime, Span};

use crate::client::{Ask, Operation, Question, Reply};
use crate::durable::Formatted;
use crate::ids::{AppendNumber, Epoch, Offset, OrderId, RequestKey, Sequence, SlotId, Version};

/// What a client asks of the capacity service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Take units of a slot for an order, all or none.
    Reserve {
        /// Of which slot.
        slot: SlotId,
        /// For which order.
        order: OrderId,
        /// How many.
        units: u32,
    },
    /// Give back what an order took.
    Release {
        /// Of which slot.
        slot: SlotId,
        /// Of which order.
        order: OrderId,
    },
    /// How many units of a slot are in use.
    Use {
        /// Which slot.
        slot: SlotId,
    },
    /// The use of all slots together, as the asked node's replica knows it.
    Overview,
}

impl Call {
    /// The slot it is about; none for the overview.
    #[must_use]
    pub const fn slot(self) -> Option<SlotId> {
        match self {
            Self::Reserve { slot, .. } | Self::Release { slot, .. } | Self::Use { slot } => Some(slot),
            Self::Overview => None,
        }
    }
}

impl Question for Call {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, answer: &Answer) -> bool {
        *answer != Answer::Unavailable
    }
}

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The order has its units.
    Accepted(Ground),
    /// There was no room.
    Rejected(Ground),
    /// The order's units are free again.
    Released,
    /// The order holds nothing: nothing was released.
    NotHeld,
    /// The order was asked for before with other units: nothing was done.
    Changed,
    /// There is no such slot.
    UnknownSlot,
    /// That many units are in use.
    InUse {
        /// The units.
        units: u64,
        /// How many events the slot had then.
        sequence: Sequence,
    },
    /// What the replica knows.
    Overview {
        /// How many entries it has applied.
        position: Offset,
        /// Units in use over all slots.
        units: u64,
    },
    /// Not now: nothing was decided. Ask again.
    Unavailable,
}

/// Under what a reservation was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The limit that was applied.
    pub limit: u32,
    /// The version it stems from; while the clock cannot tell two versions apart, the older.
    pub version: Version,
}

/// One decision of a slot's owner, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose question.
    pub request: RequestKey,
    /// The question.
    pub call: Call,
    /// The decision.
    pub answer: Answer,
}

/// An event in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of which slot.
    pub slot: SlotId,
    /// The how-many-th event of that slot.
    pub sequence: Sequence,
    /// The event.
    pub event: Event,
}

/// A version of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigVersion {
    /// Its number; numbers increase.
    pub version: Version,
    /// When everybody switches to it; instants increase.
    pub start_at: LocalTime,
    /// What it says.
    pub payload: Payload,
}

/// What a configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Capacity of every slot.
    pub limit: u32,
    /// How long a worker's task takes.
    pub delay: Span,
}

/// Who owns which slot: the members, from which each slot's owner follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Newer ones replace older ones.
    pub term: u64,
    /// The service nodes that own slots, in order.
    pub members: Arc<[NodeId]>,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks its node.
    Ask(Ask<Call>),
    /// A node asks the slot's owner on behalf of a client.
    Forward { client: NodeId, request: RequestKey, call: Call },
    /// The answer, straight to the client.
    Answer(Reply<Answer>),
    /// A service node is alive, and knows this placement.
    Heartbeat { placement: Placement },
    /// An owner takes a slot over; the nonce tells its question from older ones.
    Open { slot: SlotId, nonce: u64 },
    /// The slot is its now; these are all its events.
    Opened { slot: SlotId, nonce: u64, epoch: Epoch, events: Arc<[Event]> },
    /// The owner appends events, or none to confirm that it still owns the slot and has seen all.
    Append { slot: SlotId, epoch: Epoch, number: AppendNumber, expected: Sequence, events: Arc<[Event]> },
    /// The events are in the log.
    Appended { slot: SlotId, epoch: Epoch, number: AppendNumber, expected: Sequence },
    /// They are not: somebody else owns the slot, or the sequence is another.
    Refused { slot: SlotId, epoch: Epoch },
    /// A replica wants the entries from this offset on, now and as they come.
    Follow { from: Offset, nonce: u64 },
    /// Entries for a replica; the nonce is its question's, or 0 if it did not ask.
    Entries { from: Offset, entries: Arc<[Entry]>, tail: Offset, nonce: u64 },
    /// A process asks for the configuration; the stamp is the earliest it can be at the sending.
    ReadVersions { stamp: LocalTime },
    /// All versions, with the stamp of the question.
    Versions { stamp: LocalTime, versions: Arc<[ConfigVersion]> },
    /// A new version for the store.
    Publish { version: ConfigVersion },
    /// It is committed.
    Published { version: Version },
    /// It starts too soon, or its number is not the next.
    PublishRefused { version: Version, last: Version },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Forward { .. } => "forward",
            Self::Answer(_) => "answer",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Open { .. } => "open",
            Self::Opened { .. } => "opened",
            Self::Append { .. } => "append",
            Self::Appended { .. } => "appended",
            Self::Refused { .. } => "refused",
            Self::Follow { .. } => "follow",
            Self::Entries { .. } => "entries",
            Self::ReadVersions { .. } => "read-versions",
            Self::Versions { .. } => "versions",
            Self::Publish { .. } => "publish",
            Self::Published { .. } => "published",
            Self::PublishRefused { .. } => "publish-refused",
        }
    }
}

/// What the workload asks of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Of a client: one operation.
    Operation(Call),
    /// Of the publisher: a new version, to start the lead time and this much later.
    Publish {
        /// What it says.
        payload: Payload,
        /// Added to the lead time.
        slack: Span,
    },
    /// Of a worker: that many tasks in a row.
    Batch {
        /// How many.
        tasks: u32,
    },
}

/// What nodes write to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of the log: an entry.
    Entry(Entry),
    /// Of the log: a slot was opened.
    Opened {
        /// Which slot.
        slot: SlotId,
        /// Its epoch since.
        epoch: Epoch,
    },
    /// Of the store: a version.
    Version(ConfigVersion),
    /// Of a process: it has switched to this version.
    Mark(Version),
    /// Of any: what stands behind it, up to the next of these, is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Entry(_) | Self::Opened { .. } | Self::Version(_) | Self::Mark(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// Which version a task ran under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Used {
    /// This one.
    One(Version),
    /// The stricter of two neighbours, which the clock could not tell apart.
    Stricter {
        /// The older.
        older: Version,
        /// The newer.
        newer: Version,
    },
    /// The task was refused.
    None,
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// A service node begins, with nothing in memory.
    Started,
    /// The log has made these entries durable (naive: has taken them).
    Journalled { from: Offset, entries: Arc<[Entry]> },
    /// A replica has applied these entries, the first at this offset.
    Applied { from: Offset, entries: Arc<[Entry]> },
    /// The store has committed a version.
    Committed { version: ConfigVersion },
    /// The store has answered a read of this node.
    Served { to: NodeId },
    /// A process begins to use a version.
    Adopted { version: Version, local: LocalTime },
    /// A task ran, or was refused.
    Task { used: Used, local: LocalTime, interval: ClockInterval, batch: Option<BatchEntry> },
}

/// Which entry of which batch a task was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct BatchEntry {
    /// The batch, by number, from 0 for each node.
    pub batch: u32,
    /// The entry, from 0.
    pub entry: u32,
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

impl From<Operation<Call>> for Observation {
    fn from(operation: Operation<Call>) -> Self {
        Self::Operation(operation)
    }
}
