//! A stream and what is made of it: consumers count entries into a state of their own, and remember how far they are.
//!
//! ```text
//!   Client ──produce, key──► Source: partitions on disk ◄──fetch from offset 5── Consumer
//!                                          └──── entries 5, 6, 7 ───► state + offset 8, in one record
//! ```
//!
//! A consumer that keeps state and offset apart can crash between the two. If the state comes first, entries are counted
//! twice; if the offset does, some are not counted at all. Exactly once is one atomic write of both.
//!
//! Source: J. Kreps, N. Narkhede and J. Rao, "Kafka: a distributed messaging system for log processing", NetDB 2011; state
//! and offset in one transaction as in P. Carbone et al., "State management in Apache Flink", PVLDB 10(12), 2017.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::durable::Formatted;
use crate::ids::{Offset, RequestKey};

mod consumer;
mod source;
#[cfg(test)]
mod tests;

pub use consumer::Consumer;
pub use source::Source;

crate::decisions! {
    /// Every decision of source and consumers.
    pub struct Rules {
        /// The source knows a repeated question by its key, and appends its entry once.
        producer_keys = "produced-twice",
        /// The source acknowledges and shows only what is durable.
        durable_first = "counted-before-sync",
        /// State and offset are one record; otherwise the offset follows from time to time.
        one_transaction = "offset-after-state",
        /// The offset does not run ahead of the state; otherwise it is written when entries arrive.
        offset_with_state = "offset-before-state",
    }
}

/// What a client asks: to append an entry to a partition, named by this question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Produce {
    /// Which partition, from 0.
    pub partition: u32,
    /// What is to be counted.
    pub amount: u32,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is in the partition.
    Produced {
        /// At this place.
        offset: Offset,
    },
    /// There is no such partition: nothing was done.
    NoSuchPartition,
    /// The partition is full: nothing was done.
    Full,
}

impl Question for Produce {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, _answer: &Answer) -> bool {
        true
    }
}

/// An entry of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The question that it came with.
    pub request: RequestKey,
    /// What is to be counted.
    pub amount: u32,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks.
    Ask(Ask<Produce>),
    /// It is answered.
    Answer(Reply<Answer>),
    /// A consumer wants the entries of a partition from there on.
    Fetch { partition: u32, from: Offset },
    /// Some of them; none if there are none yet.
    Batch { from: Offset, entries: Arc<[Entry]> },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Fetch { .. } => "fetch",
            Self::Batch { .. } => "batch",
        }
    }
}

impl From<Ask<Produce>> for Message {
    fn from(ask: Ask<Produce>) -> Self {
        Self::Ask(ask)
    }
}

/// What nodes write to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of the source: an entry.
    Entry {
        /// Of which partition.
        partition: u32,
        /// The entry.
        entry: Entry,
    },
    /// Of a consumer: these entries are in its state.
    Counted {
        /// The place of the first.
        from: Offset,
        /// All of them.
        entries: Arc<[Entry]>,
        /// How far it is, if that is one with it.
        next: Option<Offset>,
    },
    /// Of a consumer: how far it is.
    Next(Offset),
    /// Of any: what stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Entry { .. } | Self::Counted { .. } | Self::Next(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// An entry that a state has counted, with its place in the partition.
pub type Counted = (Offset, RequestKey);

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Produce>),
    /// A consumer begins with this state.
    Began(Arc<[Counted]>),
    /// A consumer has counted these, durably.
    Counted(Arc<[Counted]>),
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Produce>> for Observation {
    fn from(operation: Operation<Produce>) -> Self {
        Self::Operation(operation)
    }
}

/// One node of the world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Keeps the partitions.
    Source(Source),
    /// Counts one of them.
    Consumer(Consumer),
    /// Produces.
    Client(Client<Produce>),
}

/// The effects of a member.
pub type Fx = Effects<Member>;

impl Node for Member {
    type Message = Message;
    type Request = Produce;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Source(source) => match input {
                Input::Start { disk } => source.start(&disk, context, fx),
                Input::Message { from, message } => source.message(from, &message, fx),
                Input::Timer(_) => source.timer(fx),
                Input::Synced(token) => source.synced(token, fx),
                Input::SyncFailed(token) => source.sync_failed(token, fx),
                Input::Request(_) | Input::Stop => {}
            },
            Self::Consumer(consumer) => match input {
                Input::Start { disk } => consumer.start(&disk, context, fx),
                Input::Message { message, .. } => consumer.message(message, fx),
                Input::Timer(key) => consumer.timer(key, fx),
                Input::Synced(token) => consumer.synced(token, fx),
                Input::SyncFailed(token) => consumer.sync_failed(token, fx),
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
    /// Consumers, each of a partition of its own.
    pub consumer_count: u32,
    /// Clients.
    pub client_count: u32,
    /// How long a consumer waits for entries before it asks again.
    pub poll_every: Span,
    /// How long it works on what it got.
    pub work: Span,
    /// How often a consumer that keeps its offset apart writes it down.
    pub commit_every: Span,
    /// How patient clients are.
    pub patience: Patience,
}

/// The source's number in every world.
const SOURCE: NodeId = NodeId(0);

/// Builds a world of `shape`: the source, then consumers, then clients.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let mut members = vec![Member::Source(Source::new(rules, shape.consumer_count))];
    members.extend(
        (0..shape.consumer_count).map(|partition| Member::Consumer(Consumer::new(rules, partition, *shape))),
    );
    members.extend(
        (0..shape.client_count).map(|_| Member::Client(Client::new(Arc::new([SOURCE]), 0, shape.patience))),
    );
    members
}
