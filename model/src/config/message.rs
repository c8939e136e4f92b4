//! What the parts of a scheduled configuration say to one another, write to disk, are asked, and show to the recorder.

use core::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{ClockInterval, Node, NodeId};
use sim::time::{LocalTime, Span};

use crate::cache::{CacheMessage, CacheSeen};
use crate::durable::Formatted;
use crate::ids::Version;

/// A node with a part of the configuration's machinery in it: its own enums have room for this module's.
pub trait Host:
    Node<Message: From<Message>, Record: Kept, Observation: From<Observation> + From<CacheSeen>>
{
}

impl<N> Host for N where
    N: Node<Message: From<Message>, Record: Kept, Observation: From<Observation> + From<CacheSeen>>
{
}

/// What a host keeps on its disk: some of it may be a configuration's.
pub trait Kept: Formatted + From<Record> + Clone + Debug {
    /// The record of a configuration, if it is one.
    fn config(&self) -> Option<Record>;
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
    /// Whether a worker's answers mention its mood.
    pub include_mood: bool,
}

/// A question to the store, told from all others of the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Question {
    /// The earliest that its sending can have been: what the answer does not show was committed later.
    pub stamp: LocalTime,
    /// Tells it from others with that stamp.
    pub nonce: u64,
}

/// What the store answered, as a cache keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Who had asked the store.
    pub reader: NodeId,
    /// What it had asked: a cached answer keeps the time of its store read.
    pub question: Question,
    /// The answer.
    pub versions: Arc<[ConfigVersion]>,
}

/// A version on which all participants are to agree, in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which attempt; two are never the same.
    pub round: u64,
    /// The version.
    pub version: ConfigVersion,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everybody switches.
    Committed,
    /// Nobody does.
    Aborted,
}

/// Why a publication was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refusal {
    /// Its number is not the next, or it starts no later than the one before.
    NotNext,
    /// It starts sooner than the lead time allows.
    TooSoon,
    /// No lead time would do: what processes and caches may keep is as old as that.
    LeadTooShort,
    /// Another version is being committed.
    Busy,
    /// A participant did not answer in time.
    Absent,
    /// The store holds as many versions as it can.
    Full,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A process asks for the configuration.
    ReadVersions { question: Question },
    /// All committed versions, and the one that is being agreed on.
    Versions { question: Question, versions: Arc<[ConfigVersion]>, proposed: Option<Proposal> },
    /// A new version for the store.
    Publish { version: ConfigVersion },
    /// It is committed.
    Published { version: Version },
    /// It is not; `last` is the newest that is.
    PublishRefused { version: Version, last: Version, why: Refusal },
    /// To and from a cache.
    Cache(CacheMessage<Reading>),
    /// A process wants every version after `from` as it is committed; none: every one from now on.
    Watch { watch: u64, from: Option<Version> },
    /// Versions for a watcher, right behind `after`.
    Changed { watch: u64, after: Version, versions: Arc<[ConfigVersion]> },
    /// What the watcher asked for is not kept any more; what follows `after` is.
    Compacted { watch: u64, after: Version },
    /// The newest version was `revision` at `beat.stamp`, or later.
    Alive { watch: u64, revision: Version, beat: Question },
    /// A participant is asked to agree.
    Prepare { proposal: Proposal },
    /// It does: from the start on it does nothing until it knows the outcome.
    Prepared { round: u64 },
    /// A participant has missed the outcome.
    AskDecision { proposal: Proposal },
    /// The outcome.
    Decided { proposal: Proposal, outcome: Outcome },
    /// All committed versions, for the standby.
    Replicate { versions: Arc<[ConfigVersion]> },
    /// The store goes on with what the standby has.
    TakeOver,
    /// That is this.
    TakenOver { versions: Arc<[ConfigVersion]> },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::ReadVersions { .. } => "read-versions",
            Self::Versions { .. } => "versions",
            Self::Publish { .. } => "publish",
            Self::Published { .. } => "published",
            Self::PublishRefused { .. } => "publish-refused",
            Self::Cache(message) => message.name(),
            Self::Watch { .. } => "watch",
            Self::Changed { .. } => "changed",
            Self::Compacted { .. } => "compacted",
            Self::Alive { .. } => "alive",
            Self::Prepare { .. } => "prepare",
            Self::Prepared { .. } => "prepared",
            Self::AskDecision { .. } => "ask-decision",
            Self::Decided { .. } => "decided",
            Self::Replicate { .. } => "replicate",
            Self::TakeOver => "take-over",
            Self::TakenOver { .. } => "taken-over",
        }
    }
}

impl From<CacheMessage<Reading>> for Message {
    fn from(message: CacheMessage<Reading>) -> Self {
        Self::Cache(message)
    }
}

/// What the workload asks of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
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
    /// Of the store: a version.
    Version(ConfigVersion),
    /// Of the store: the version of that number just before was durable too late, and never shown.
    Withdrawn(Version),
    /// Of a process: it has switched to this version.
    Mark(Version),
    /// Of any: what stands behind it, up to the next of these, is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Version(_) | Self::Withdrawn(_) | Self::Mark(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

impl Kept for Record {
    fn config(&self) -> Option<Record> {
        Some(*self)
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
    /// The store has committed a version.
    Committed { version: ConfigVersion },
    /// The store has refused a publication, with a definite answer.
    Refused { version: Version, why: Refusal },
    /// The store has looked for this node, to answer that question.
    Served { to: NodeId, question: Question },
    /// A process knows what the store answered to that question of that node.
    Learned { of: NodeId, question: Question },
    /// A process begins to use a version.
    Adopted { version: Version, local: LocalTime },
    /// A task ran, or was refused.
    Task { used: Used, local: LocalTime, interval: ClockInterval, batch: Option<BatchEntry> },
    /// A cache was asked, or copied.
    Cache(CacheSeen),
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

impl From<CacheSeen> for Observation {
    fn from(seen: CacheSeen) -> Self {
        Self::Cache(seen)
    }
}
