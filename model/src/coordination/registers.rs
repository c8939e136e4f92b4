//! Registers that every replica writes at once and passes on later: the last writer wins, or nobody loses.
//!
//! ```text
//!   Client ──write x──► Replica a ──────all it has, now and then──────► Replica b ◄──read x── Client
//!                             by clock: one version a register, the later one
//!                             by vector: all versions that no later write has seen
//!   Client ──replace r──► the record's one owner: compare and apply in one step
//! ```
//!
//! Naive replicas stamp with bare wall clocks, so that a write can lose to one that its writer had read. A hybrid logical
//! clock prevents that; of two concurrent writes it still drops one, the same everywhere, and counts it. Version vectors keep
//! both. Neither makes read-modify-write safe: that needs one owner. A client has one replica for good: elsewhere it would not
//! find what it has seen.
//!
//! Source: W. Vogels, "Eventually consistent", Commun. ACM 52(1), 2009; G. DeCandia et al., "Dynamo", SOSP 2007, for
//! siblings and the cart that they are joined in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::coordination::clock_order::{Dot, Stamp, VersionVector};
use crate::durable::Formatted;
use crate::ids::RequestKey;

mod records;
mod replica;
#[cfg(test)]
mod tests;
mod versions;

pub use replica::Replica;

crate::decisions! {
    /// Every decision of the replicas.
    pub struct Rules {
        /// Stamps come after all stamps that were seen, or versions are told apart by what they had seen; otherwise the wall
        /// clock decides.
        causal_order = "bare-timestamps",
        /// Of two versions that had not seen one another both stay, where vectors tell them apart.
        siblings_kept = "sibling-dropped",
        /// Answers wait for the disk.
        durable_first = "written-before-sync",
        /// Compare and apply are one step; otherwise the value is compared, and set once it is on disk.
        one_step = "compare-then-apply",
        /// Stamps too far ahead are refused.
        far_ahead_refused,
    }
}

/// How replicas put writes in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// By hybrid logical clocks: the later of two versions stays.
    HybridClock,
    /// By version vectors: a version stays until a write has seen it.
    VersionVector,
}

/// What a client asks of its replica. What it writes is the number of its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// What does the register hold?
    Read {
        /// Which.
        register: u32,
    },
    /// Write to it. By version vectors, what is written is added to what the session has seen there.
    Write {
        /// Which.
        register: u32,
    },
    /// What does the record hold?
    Look {
        /// Which.
        record: u32,
    },
    /// Write to the record if it still holds what the session found there last, or nothing if it never looked.
    Replace {
        /// Which.
        record: u32,
    },
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The register holds this: by clocks one value or none, by vectors all that were written.
    Values {
        /// The values, smallest first.
        values: Arc<[u64]>,
        /// What the session has seen with it.
        seen: VersionVector,
    },
    /// It is written.
    Written {
        /// What the session has seen with it.
        seen: VersionVector,
    },
    /// The record holds this, or nothing.
    Found {
        /// Which record.
        record: u32,
        /// What.
        value: Option<u64>,
    },
    /// The record held what was expected, and holds this now.
    Replaced {
        /// Which record.
        record: u32,
        /// What.
        value: u64,
    },
    /// It held something else: nothing was done.
    Mismatch,
    /// There is no such register, or no such record here: nothing was done.
    NotFound,
    /// Too much was written: nothing was done.
    Full,
}

/// What a session carries from answer to question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which writes to registers it has seen.
    pub seen: VersionVector,
    /// What it found in records last.
    pub found: BTreeMap<u32, u64>,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = Mark;

    fn is_settled_by(&self, _answer: &Answer) -> bool {
        true
    }

    fn remember(&self, answer: &Answer, mark: &mut Mark) {
        match answer {
            Answer::Values { seen, .. } | Answer::Written { seen } => mark.seen.join(seen),
            Answer::Found { record, value: Some(value) } | Answer::Replaced { record, value } => {
                mark.found.insert(*record, *value);
            }
            Answer::Found { record, value: None } => {
                mark.found.remove(record);
            }
            Answer::Mismatch | Answer::NotFound | Answer::Full => {}
        }
    }
}

/// What a register held since a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Which write.
    pub dot: Dot,
    /// Which question.
    pub request: RequestKey,
    /// When.
    pub stamp: Stamp,
    /// What its session had seen.
    pub context: VersionVector,
    /// What it wrote, smallest first.
    pub values: Arc<[u64]>,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks.
    Ask(Ask<Call>),
    /// It is answered.
    Answer(Reply<Answer>),
    /// All that a replica has: versions by register, and what it has seen, dropped versions included.
    Gossip { versions: Arc<[(u32, Version)]>, seen: VersionVector },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Gossip { .. } => "gossip",
        }
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

/// What nodes write to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A version was written here, or came from elsewhere.
    Put {
        /// To which register.
        register: u32,
        /// The version.
        version: Version,
    },
    /// So much has been seen, dropped versions included.
    Seen(VersionVector),
    /// A record was set by this question.
    Set {
        /// Which record.
        record: u32,
        /// By which question: what it holds since.
        request: RequestKey,
    },
    /// What stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Put { .. } | Self::Seen(_) | Self::Set { .. } => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Call>),
    /// A replica has dropped a version that the one in its place had not seen.
    Dropped {
        /// What it had written.
        values: Arc<[u64]>,
    },
    /// A replica's register holds these values since.
    Holds {
        /// Which register.
        register: u32,
        /// The values, smallest first.
        values: Arc<[u64]>,
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

/// One node of the world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Keeps registers and records.
    Replica(Box<Replica>),
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
            Self::Replica(replica) => match input {
                Input::Start { disk } => replica.start(&disk, context, fx),
                Input::Message { from, message } => replica.message(from, message, context, fx),
                Input::Timer(key) => replica.timer(key, fx),
                Input::Synced(token) => replica.synced(token, fx),
                Input::SyncFailed(token) => replica.sync_failed(token, fx),
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
    /// How writes are put in order.
    pub order: Order,
    /// Replicas.
    pub replica_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Registers: written anywhere.
    pub register_count: u32,
    /// Records: each written at its owner.
    pub record_count: u32,
    /// How often a replica passes on what it has.
    pub gossip_every: Span,
    /// How far ahead of the own clock a stamp may be.
    pub ahead_max: Span,
    /// How patient clients are.
    pub patience: Patience,
}

/// Builds a world of `shape`: replicas, then clients.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let replicas: Arc<[NodeId]> = (0..shape.replica_count).map(NodeId).collect();
    let mut members: Vec<Member> = Vec::new();
    members.extend(
        replicas
            .iter()
            .map(|me| Member::Replica(Box::new(Replica::new(rules, *me, Arc::clone(&replicas), *shape)))),
    );
    members.extend((0..shape.client_count).map(|index| {
        let replica = Arc::new([NodeId(index % shape.replica_count)]);
        Member::Client(Client::new(replica, 0, shape.patience))
    }));
    members
}
