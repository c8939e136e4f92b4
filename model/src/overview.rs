//! The overview: what every node knows of all slots, fed by the nodes that own them.
//!
//! ```text
//!   Client ──change──► owner ──durable──► update 7 of its stream ──► every node's view ◄──read── Client
//!                        └──────────────── whole, up to 7 ◄── "I have only 5" ──┘
//!   by gossip: every node sends all it knows to all others, entry by entry, again and again
//! ```
//!
//! An update carries the owner's life and its number in the owner's stream, the slot's version and the absolute value. A
//! view takes a slot only forwards; a gap in a stream is asked about, and so is a stream that a heartbeat shows to be
//! further. So every view gets there in the end, sees each owner's changes in order, and never goes back on one node.
//!
//! Gossip needs no streams, but costs nodes times slots: its messages share the inbox with the heartbeats, and beyond a
//! point the nodes take one another for dead.
//!
//! Source: state-based replication with version numbers as in A. Demers et al., "Epidemic algorithms for replicated
//! database maintenance", PODC 1987: the stream is its direct mail, the resync its anti-entropy.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::durable::Formatted;
use crate::ids::{RequestKey, SlotId};

mod node;
#[cfg(test)]
mod tests;
mod view;

pub use node::Viewer;
pub use view::View;

crate::decisions! {
    /// Every decision of owners and views.
    pub struct Rules {
        /// A change is acknowledged and told only once it is durable.
        durable_first = "told-before-sync",
        /// A view takes an entry only if it is newer than what it has of that slot.
        newer_only = "older-taken",
        /// An update behind a gap waits for a resync.
        gap_asked = "gap-ignored",
        /// A stream that a heartbeat shows to be further is asked about; otherwise a lost last update never heals.
        stream_compared = "last-update-lost",
        /// A node that begins serves an owner's slots only once it has all of them from that owner.
        whole_first = "view-served-early",
    }
}

/// What clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Set a slot's value, at its owner.
    Change {
        /// Which slot.
        slot: SlotId,
        /// To what.
        value: u64,
    },
    /// What the asked node knows of a slot.
    Read {
        /// Which slot.
        slot: SlotId,
    },
}

impl Call {
    /// The slot it is about.
    #[must_use]
    pub const fn slot(self) -> SlotId {
        match self {
            Self::Change { slot, .. } | Self::Read { slot } => slot,
        }
    }
}

/// What they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is set.
    Changed,
    /// This much is known.
    Known(Entry),
    /// There is no such slot.
    UnknownSlot,
    /// Not now: nothing was done. Ask again.
    Unavailable,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, answer: &Answer) -> bool {
        *answer != Answer::Unavailable
    }
}

/// A slot's value, and how often it was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// Changes so far; 0 is never.
    pub version: u64,
    /// The value.
    pub value: u64,
}

/// How far an owner's stream has got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The owner's life, from 1: a restart begins a new stream.
    pub life: u64,
    /// Updates of that life so far.
    pub number: u64,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks its node.
    Ask(Ask<Call>),
    /// A node passes a change on to the slot's owner.
    Forward { client: NodeId, ask: Ask<Call> },
    /// The answer, straight to the client.
    Answer(Reply<Answer>),
    /// An owner is alive, and its stream has got that far.
    Heartbeat { place: Place },
    /// An owner tells of a change: the one of that place in its stream.
    Update { place: Place, slot: SlotId, entry: Entry },
    /// A view misses something of an owner's stream.
    Resync,
    /// All slots of an owner, as of that place.
    Whole { place: Place, entries: Arc<[(SlotId, Entry)]> },
    /// By gossip: one entry of what a node knows.
    Gossip { slot: SlotId, entry: Entry },
    /// By gossip: that was all, in this life of mine.
    Round { life: u64 },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Forward { .. } => "forward",
            Self::Answer(_) => "answer",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Update { .. } => "update",
            Self::Resync => "resync",
            Self::Whole { .. } => "whole",
            Self::Gossip { .. } => "gossip",
            Self::Round { .. } => "round",
        }
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

/// What owners write to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// A life begins.
    Life(u64),
    /// A slot has a new value, which this operation asked for.
    Set(SlotId, Entry, RequestKey),
    /// What stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Life(_) | Self::Set(..) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// An owner has changed a slot; perhaps it has said so before its last crash.
    Set { slot: SlotId, entry: Entry },
    /// A node's view has taken an entry.
    Taken { slot: SlotId, entry: Entry },
    /// All that a node's view has, from time to time.
    Shows { entries: Arc<[(SlotId, Entry)]> },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Call>> for Observation {
    fn from(operation: Operation<Call>) -> Self {
        Self::Operation(operation)
    }
}

/// How views are fed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feed {
    /// An owner tells everybody of each change, once.
    #[default]
    Broadcast,
    /// Everybody sends all it knows to everybody, again and again.
    Gossip,
}

/// One node of the world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Owns slots, and has a view of all.
    Viewer(Box<Viewer>),
    /// Asks.
    Client(Client<Call>),
}

/// The effects of a member.
pub type Fx = Effects<Member>;

impl Node for Member {
    type Message = Message;
    type Request = Call;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Viewer(viewer) => match input {
                Input::Start { disk } => viewer.start(&disk, context, fx),
                Input::Message { from, message } => viewer.message(from, message, context, fx),
                Input::Timer(key) => viewer.timer(key, context, fx),
                Input::Synced(token) => viewer.synced(token, fx),
                Input::SyncFailed(token) => viewer.sync_failed(token, fx),
                Input::Request(_) | Input::Stop => {}
            },
            Self::Client(client) => {
                let answered = |message| match message {
                    Message::Answer(reply) => Some(reply),
                    _ => None,
                };
                client.handle(input, answered, context, fx);
            }
        }
    }
}

/// How large a world is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Nodes that own slots.
    pub node_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Slots, shared out evenly among the nodes.
    pub slot_count: u32,
    /// How views are fed.
    pub feed: Feed,
    /// By gossip: how often a node sends all it knows.
    pub gossip_every: Span,
    /// How patient clients are.
    pub patience: Patience,
}

impl Shape {
    /// Who owns a slot.
    #[must_use]
    pub const fn owner(&self, slot: SlotId) -> NodeId {
        NodeId(slot.0 % self.node_count)
    }
}

/// Builds a world of `shape`: the nodes, then the clients.
#[must_use]
pub fn build(shape: Shape, rules: Rules) -> Vec<Member> {
    let nodes: Arc<[NodeId]> = (0..shape.node_count).map(NodeId).collect();
    let viewers = nodes.iter().map(|me| Member::Viewer(Box::new(Viewer::new(rules, *me, shape))));
    let clients = (0..shape.client_count as usize)
        .map(|index| Member::Client(Client::new(Arc::clone(&nodes), index, shape.patience)));
    viewers.chain(clients).collect()
}
