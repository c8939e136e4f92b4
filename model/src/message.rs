//! What the nodes of these systems say to one another, write to disk, are asked, and show to the recorder.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::NodeId;
use sim::time::Span;

use crate::cache::{CacheMessage, CacheSeen};
use crate::client::{Ask, Operation, Question, Reply};
use crate::config::message::{self as config, Kept, Payload};
use crate::counter::kinds::Units;
use crate::counter::slot::image::Image;
use crate::durable::Formatted;
use crate::ids::{AppendNumber, Epoch, Offset, OrderId, RequestKey, Sequence, SlotId, Version, ZoneId};
use crate::replication::consensus::link::Letter;
use crate::replication::consensus::record as consensus;
use crate::replication::decided_log::command::Command;

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
    /// Take units of several kinds for an order, all or none: a newer form of [`Self::Reserve`].
    ReserveKinds {
        /// Of which slot.
        slot: SlotId,
        /// For which order.
        order: OrderId,
        /// How many of each kind.
        units: Units,
        /// Where it comes from.
        zone: ZoneId,
    },
    /// Which slot has the most room for that many units of a kind, as the chooser knows it.
    Choose {
        /// Of which kind; the first is 0.
        kind: u8,
        /// For how many.
        units: u32,
    },
}

impl Call {
    /// The slot it is about; none if it is about all of them.
    #[must_use]
    pub const fn slot(self) -> Option<SlotId> {
        match self {
            Self::Reserve { slot, .. }
            | Self::ReserveKinds { slot, .. }
            | Self::Release { slot, .. }
            | Self::Use { slot } => Some(slot),
            Self::Overview | Self::Choose { .. } => None,
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
        /// Units in use over all slots, of all kinds together.
        units: u64,
    },
    /// Not now: nothing was decided. Ask again.
    Unavailable,
    /// The slot does not serve that zone: nothing was done.
    NotServed,
    /// That many units of each kind are in use.
    InUseKinds {
        /// The units.
        units: Units,
        /// How many events the slot had then.
        sequence: Sequence,
    },
    /// Nothing was decided yet: the call has its place in a stream, and is decided there under that. No client is told so.
    Queued(Ground),
    /// What the chooser chooses.
    Chosen {
        /// The slot with the most room; none if that is not enough.
        choice: Option<Choice>,
        /// How many entries of the journal the chooser has applied.
        position: Offset,
    },
}

/// A slot that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Which slot.
    pub slot: SlotId,
    /// How many units of the kind it has room for.
    pub room: u32,
}

/// Under what a reservation was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The limit that was applied.
    pub limit: u32,
    /// The version it stems from; while the clock cannot tell two versions apart, the older.
    pub version: Version,
}

/// One decision about a slot, for ever; or, where a stream decides, a command that has its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose question.
    pub request: RequestKey,
    /// The question.
    pub call: Call,
    /// The decision.
    pub answer: Answer,
}

/// Journals are copied event by event, whatever the calls in them can ask.
const _: () = assert!(size_of::<Call>() <= 32 && size_of::<Event>() <= 64);

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
    /// An owner takes a slot over; the nonce tells its question from older ones. It reads images of up to that form.
    Open { slot: SlotId, nonce: u64, form: u32 },
    /// The slot is its now; these are the events behind the image, or all if there is none.
    Opened { slot: SlotId, nonce: u64, epoch: Epoch, image: Option<Arc<Image>>, events: Arc<[Event]> },
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
    /// About the configuration of limits.
    Config(config::Message),
    /// A node that owns nothing wants all events of a slot; the nonce tells its question from others.
    Read { slot: SlotId, nonce: u64 },
    /// These are they.
    Events { slot: SlotId, nonce: u64, events: Arc<[Event]> },
    /// A node of the journal tells another one, where they decide by majority.
    Peer(Box<Letter<Command>>),
    /// The owner tells what the slot holds, so that the next one need not read all events. Nobody answers.
    Snapshot { slot: SlotId, epoch: Epoch, image: Arc<Image> },
    /// A node puts commands into the slot's stream, behind whatever is there.
    Queue { slot: SlotId, number: AppendNumber, commands: Arc<[Event]> },
    /// They are in the log.
    Queued { slot: SlotId, number: AppendNumber },
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
            Self::Config(message) => message.name(),
            Self::Read { .. } => "read",
            Self::Events { .. } => "events",
            Self::Peer(letter) => letter.name(),
            Self::Snapshot { .. } => "snapshot",
            Self::Queue { .. } => "queue",
            Self::Queued { .. } => "queued",
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
}

/// The operation, if a client is asked for one.
impl From<Request> for Option<Call> {
    fn from(request: Request) -> Self {
        if let Request::Operation(operation) = request { Some(operation) } else { None }
    }
}

/// What nodes write to disk.
#[derive(Clone, Debug, PartialEq)]
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
    /// Of the log: the record behind this one is an image, which it can do without.
    Announced,
    /// Of the log: what a slot held as of one of its events.
    Snapshot {
        /// Which slot.
        slot: SlotId,
        /// What it held.
        image: Arc<Image>,
    },
    /// Of a node of the journal, where several decide by majority.
    Decided(Box<consensus::Record<Command>>),
    /// Of the store and of whoever works under a version.
    Config(config::Record),
    /// Of any: what stands behind it, up to the next of these, is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Config(record) => record.format(),
            Self::Entry(_)
            | Self::Opened { .. }
            | Self::Announced
            | Self::Snapshot { .. }
            | Self::Decided(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }

    fn spares_next(&self) -> bool {
        matches!(self, Self::Announced)
    }
}

impl From<config::Record> for Record {
    fn from(record: config::Record) -> Self {
        match record {
            config::Record::Format(format) => Self::Format(format),
            config::Record::Version(_) | config::Record::Withdrawn(_) | config::Record::Mark(_) => {
                Self::Config(record)
            }
        }
    }
}

impl Kept for Record {
    fn config(&self) -> Option<config::Record> {
        match self {
            Self::Config(record) => Some(*record),
            Self::Entry(_)
            | Self::Opened { .. }
            | Self::Announced
            | Self::Snapshot { .. }
            | Self::Decided(_)
            | Self::Format(_) => None,
        }
    }
}

impl From<consensus::Record<Command>> for Record {
    fn from(record: consensus::Record<Command>) -> Self {
        Self::Decided(Box::new(record))
    }
}

impl consensus::Keeping<Command> for Record {
    fn kept(&self) -> Option<&consensus::Record<Command>> {
        match self {
            Self::Decided(record) => Some(record),
            Self::Entry(_)
            | Self::Opened { .. }
            | Self::Announced
            | Self::Snapshot { .. }
            | Self::Config(_)
            | Self::Format(_) => None,
        }
    }
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
    /// A replica has applied these entries, the first at this offset; of a stream, what it has decided, counted alone.
    Applied { from: Offset, entries: Arc<[Entry]> },
    /// About the configuration of limits.
    Config(config::Observation),
    /// A service node was given what only a program of this version or above can read.
    NewerForm { form: u32 },
    /// An owner has the slot, as of an image and so many events behind it. Shown where there are images.
    Opened { slot: SlotId, imaged: Sequence, replayed: u32 },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Box<Letter<Command>>> for Message {
    fn from(letter: Box<Letter<Command>>) -> Self {
        Self::Peer(letter)
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

impl From<config::Message> for Message {
    fn from(message: config::Message) -> Self {
        Self::Config(message)
    }
}

impl From<CacheMessage<config::Reading>> for Message {
    fn from(message: CacheMessage<config::Reading>) -> Self {
        Self::Config(message.into())
    }
}

impl From<config::Observation> for Observation {
    fn from(observation: config::Observation) -> Self {
        Self::Config(observation)
    }
}

impl From<CacheSeen> for Observation {
    fn from(seen: CacheSeen) -> Self {
        Self::Config(seen.into())
    }
}
