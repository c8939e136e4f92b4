//! What the nodes of the event chain say to one another, keep, are asked, and show to the recorder.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};

use super::block::{Block, Entry, Event, Hash, Secret, Subject};
use super::projection::Snapshot;
use crate::client::{Ask, Operation, Question, Reply};
use crate::durable::Formatted;

/// What a client asks of a replica: that this event is on the chain for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Submit(pub Event);

/// What that came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It stands in this block, which is final.
    Final {
        /// The number of the block.
        index: u64,
    },
    /// The chain has as many blocks as it may: nothing was done.
    Full,
}

impl Question for Submit {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, _answer: &Answer) -> bool {
        true
    }
}

/// A run of blocks.
pub type Blocks = Arc<[Arc<Block>]>;

/// An erasure that the notary has on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Erasure {
    /// Which one.
    pub id: u64,
    /// The first block that was mined anew, as were all after it.
    pub first: u64,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks a replica.
    Ask(Ask<Submit>),
    /// The answer.
    Answer(Reply<Answer>),
    /// An event for every miner, with its secret if only a commitment is to stand on the chain.
    Spread { entry: Entry, secret: Option<Secret> },
    /// How far a replica's chain goes, and which subjects are forgotten.
    Tip { index: u64, hash: Hash, forgotten: Arc<BTreeSet<Subject>> },
    /// A replica wants the blocks from that number on.
    Want { from: u64 },
    /// Some blocks in a row.
    Blocks(Blocks),
    /// These blocks lie deep enough: the notary may make them final.
    Propose(Blocks),
    /// These blocks are to take the place of the final ones from `erasure.first` on, up to the one of that hash.
    ProposeErasure { erasure: Erasure, based_on: Hash, blocks: Blocks },
    /// A replica wants the final blocks from that number on; it knows of so many erasures.
    AskFinal { from: u64, erasures: u64 },
    /// Final blocks, and all erasures so far.
    Final { blocks: Blocks, erasures: Arc<[Erasure]> },
    /// A replica shows a witness its last final block.
    Show { index: u64, hash: Hash },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Spread { .. } => "spread",
            Self::Tip { .. } => "tip",
            Self::Want { .. } => "want",
            Self::Blocks(_) => "blocks",
            Self::Propose(_) => "propose",
            Self::ProposeErasure { .. } => "propose-erasure",
            Self::AskFinal { .. } => "ask-final",
            Self::Final { .. } => "final",
            Self::Show { .. } => "show",
        }
    }
}

impl From<Ask<Submit>> for Message {
    fn from(ask: Ask<Submit>) -> Self {
        Self::Ask(ask)
    }
}

/// What an administrator does to a replica's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tampering {
    /// A block more, between two others.
    Insert,
    /// A block less.
    Remove,
    /// Other contents under the same hash.
    Change,
    /// Two blocks in each other's place.
    Reorder,
    /// The end is cut off.
    CutTail,
    /// Other contents, and all blocks after them mined anew: every hash is right.
    Remine,
    /// A snapshot of something else, with its right hash.
    Snapshot,
}

impl Tampering {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Insert,
        Self::Remove,
        Self::Change,
        Self::Reorder,
        Self::CutTail,
        Self::Remine,
        Self::Snapshot,
    ];
}

/// What the workload asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Of a client: one operation.
    Operation(Submit),
    /// Of a replica: somebody who may do everything tampers with its blocks.
    Tamper {
        /// How.
        how: Tampering,
        /// Where: that many thousandths of the way from the first block to the last.
        place: u16,
    },
    /// Of a replica: everything about a subject is to be erased.
    Erase {
        /// Which erasure this is.
        id: u64,
        /// About whom.
        subject: Subject,
    },
    /// Of a replica: show everything that is kept.
    Audit,
}

/// The operation, if a client is asked for one.
impl From<Request> for Option<Submit> {
    fn from(request: Request) -> Self {
        if let Request::Operation(operation) = request { Some(operation) } else { None }
    }
}

/// What the notary keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// The next final block.
    Block(Arc<Block>),
    /// An erasure, with the blocks that stand from its first one on.
    Erased(Erasure, Blocks),
    /// What stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Block(_) | Self::Erased(..) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// By what a replica found that somebody tampered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum FoundBy {
    /// Blocks do not follow one another.
    Links,
    /// They are not those that the notary holds.
    Heads,
    /// A snapshot is not that of its block.
    Snapshots,
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Submit>),
    /// Somebody tampered with a replica's blocks, from this place on.
    Tampered { how: Tampering, place: u64 },
    /// The replica found that, and where.
    Found { by: FoundBy, place: u64 },
    /// A replica shows its last final block to every witness, with so many blocks upon it.
    Shown { index: u64, hash: Hash, depth: u64 },
    /// A witness has seen that.
    Witnessed { replica: sim::node::NodeId, index: u64, hash: Hash },
    /// An erasure cost so many blocks, and so many hashes.
    Remined { erasure: u64, blocks: u64, tries: u64 },
    /// A replica carried out an erasure.
    Erased { erasure: Erasure, witness: Option<sim::node::NodeId> },
    /// A replica deleted the secrets of a subject; the chain stays as it is.
    Forgot { subject: Subject, secrets: u64 },
    /// All that a replica keeps.
    Kept { blocks: Blocks, snapshots: Arc<[Snapshot]>, secrets: Arc<[Secret]> },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Submit>> for Observation {
    fn from(operation: Operation<Submit>) -> Self {
        Self::Operation(operation)
    }
}
