//! What the nodes of the counters say to one another, write to disk, are asked, and show to the recorder.

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::NodeId;

use super::dist::journal::Entry;
use super::{Answer, Call, Increment, Ledger};
use crate::client::{Ask, Operation, Reply};
use crate::database::{Event, Packet, Redo, Stored};
use crate::durable::Formatted;
use crate::ids::RequestKey;

/// What nodes say to one another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// A client asks a node.
    Ask(Ask<Call>),
    /// A node answers a client.
    Answer(Reply<Answer>),
    /// Of `dist`: a node hands an increment on to the owner of its key.
    Forward {
        /// Who waits for the answer.
        client: NodeId,
        /// Which operation.
        request: RequestKey,
        /// What is to be added.
        increment: Increment,
    },
    /// Of `dist`: a node is there.
    Beat,
    /// Between a node and the database.
    Database(Packet<Ledger>),
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Forward { .. } => "forward",
            Self::Beat => "beat",
            Self::Database(packet) => packet.name(),
        }
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

impl From<Packet<Ledger>> for Message {
    fn from(packet: Packet<Ledger>) -> Self {
        Self::Database(packet)
    }
}

/// What the workload asks of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request(pub Call);

impl From<Request> for Option<Call> {
    fn from(Request(call): Request) -> Self {
        Some(call)
    }
}

/// What nodes write to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of the database: what a transaction changed.
    Redo(Redo<Ledger>),
    /// Of a node of `dist`: a log begins, with the entry of that number.
    Began {
        /// Which log.
        log: u64,
        /// The number of the entry that follows.
        from: i64,
    },
    /// Of a node of `dist`: the next entry.
    Entry(Entry),
    /// Of any: what stands behind it, up to the next of these, is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Redo(_) | Self::Began { .. } | Self::Entry(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

impl From<Redo<Ledger>> for Record {
    fn from(redo: Redo<Ledger>) -> Self {
        Self::Redo(redo)
    }
}

impl Stored<Ledger> for Record {
    fn redo(&self) -> Option<&Redo<Ledger>> {
        match self {
            Self::Redo(redo) => Some(redo),
            Self::Began { .. } | Self::Entry(_) | Self::Format(_) => None,
        }
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// The database shows how long a transaction waited for a row.
    Database(Event<Ledger>),
    /// A node of `dist` is about to flush, and has increments of so many counters.
    Held {
        /// How many counters.
        key_count: u32,
    },
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

impl From<Event<Ledger>> for Observation {
    fn from(event: Event<Ledger>) -> Self {
        Self::Database(event)
    }
}
