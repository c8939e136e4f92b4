//! Leaders are elected, one an epoch, and write to resources that do not obey an old one.
//!
//! ```text
//!   Client ──ask──► Voter ──── vote? ────► Voters (epoch and vote on disk)
//!                  (leader of epoch 4) ◄── votes of a majority ──┘
//!                     └──write, epoch 4──► Resource: refuses epoch 3 from now on
//! ```
//!
//! A majority and votes that are never forgotten give each epoch at most one leader. That does not stop an old leader that
//! has not heard of the new one: only the resources can.
//!
//! Source: D. Ongaro and J. Ousterhout, "In search of an understandable consensus algorithm", USENIX ATC 2014, section 5.2;
//! its terms are our epochs. A leader that hears no majority steps down, as in section 6.2 of D. Ongaro's dissertation,
//! Stanford 2014.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::coordination::fenced::{Accessed, Care, FencedReply, FencedWrite, KeepsWrites, Resource};
use crate::durable::Formatted;

#[cfg(test)]
mod tests;
mod voter;

pub use voter::Voter;

crate::decisions! {
    /// Every decision of the voters and the resources.
    pub struct Rules {
        /// The resource refuses an epoch older than the newest it has seen.
        fencing = "old-epoch-obeyed",
        /// The resource counts a write, and its epoch, only once both are durable.
        fence_durable,
        /// A vote is on disk before it is given; otherwise a crash forgets it, and the epoch with it.
        vote_logged = "vote-in-memory",
        /// A leader has the votes of a majority of all; otherwise of as many as were one when there were three.
        majority_quorum = "outgrown-quorum",
        /// A leader that hears no quorum steps down.
        steps_down,
    }
}

/// What a client asks of the leader: to write to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// To which, from 0.
    pub resource: u32,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is written.
    Written {
        /// In this epoch.
        epoch: u64,
    },
    /// There is no such resource: nothing was done.
    NoSuchResource,
    /// Nothing was done: ask another node.
    NotLeader,
}

impl Question for Write {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, answer: &Answer) -> bool {
        *answer != Answer::NotLeader
    }
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks.
    Ask(Ask<Write>),
    /// It is answered.
    Answer(Reply<Answer>),
    /// A candidate wants a vote.
    Stand { epoch: u64 },
    /// It has it.
    Vote { epoch: u64 },
    /// The leader is there.
    Lead { epoch: u64 },
    /// Its follower is, too; or it knows a newer epoch.
    Follow { epoch: u64 },
    /// The leader writes.
    Write(FencedWrite),
    /// The resource answers.
    Wrote(FencedReply),
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Stand { .. } => "stand",
            Self::Vote { .. } => "vote",
            Self::Lead { .. } => "lead",
            Self::Follow { .. } => "follow",
            Self::Write(_) => "write",
            Self::Wrote(_) => "wrote",
        }
    }
}

impl From<FencedReply> for Message {
    fn from(reply: FencedReply) -> Self {
        Self::Wrote(reply)
    }
}

impl From<Ask<Write>> for Message {
    fn from(ask: Ask<Write>) -> Self {
        Self::Ask(ask)
    }
}

/// What nodes write to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of a voter: the newest epoch it knows, and whom it voted for in it.
    Vote {
        /// The epoch.
        epoch: u64,
        /// The candidate, if it voted.
        candidate: Option<NodeId>,
    },
    /// Of a resource: a write of a leader.
    Written(FencedWrite),
    /// Of any: what stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Vote { .. } | Self::Written(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

impl From<FencedWrite> for Record {
    fn from(write: FencedWrite) -> Self {
        Self::Written(write)
    }
}

impl KeepsWrites for Record {
    fn written(&self) -> Option<FencedWrite> {
        match self {
            Self::Written(write) => Some(*write),
            Self::Vote { .. } | Self::Format(_) => None,
        }
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
pub enum Observation {
    /// A client begins or ends an operation.
    Operation(Operation<Write>),
    /// A voter takes itself for the leader.
    Elected {
        /// Of this epoch.
        epoch: u64,
    },
    /// A resource has decided about a write.
    Accessed(Accessed),
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Write>> for Observation {
    fn from(operation: Operation<Write>) -> Self {
        Self::Operation(operation)
    }
}

impl From<Accessed> for Observation {
    fn from(accessed: Accessed) -> Self {
        Self::Accessed(accessed)
    }
}

/// One node of the world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Elects, and is elected.
    Voter(Voter),
    /// Is written to.
    Resource(Resource<Record>),
    /// Asks.
    Client(Client<Write>),
}

/// The effects of a member.
pub type Fx = Effects<Member>;

impl Node for Member {
    type Message = Message;
    type Request = Write;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Voter(voter) => match input {
                Input::Start { disk } => voter.start(&disk, context, fx),
                Input::Message { from, message } => voter.message(from, message, context, fx),
                Input::Timer(key) => voter.timer(key, context, fx),
                Input::Synced(token) => voter.synced(token, context, fx),
                Input::SyncFailed(token) => voter.sync_failed(token, fx),
                Input::Request(_) | Input::Stop => {}
            },
            Self::Resource(resource) => match input {
                Input::Start { disk } => resource.start(&disk, context, fx),
                Input::Message { from, message: Message::Write(write) } => resource.write(from, write, fx),
                Input::Synced(token) => resource.synced(token, fx),
                Input::SyncFailed(token) => resource.sync_failed(token, fx),
                Input::Timer(_) => resource.timer(fx),
                Input::Message { .. } | Input::Request(_) | Input::Stop => {}
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
    /// Voters.
    pub voter_count: u32,
    /// Resources.
    pub resource_count: u32,
    /// Clients.
    pub client_count: u32,
    /// A follower that hears no leader for this long, and up to twice as long, stands itself.
    pub election_timeout: Span,
    /// How patient clients are.
    pub patience: Patience,
}

/// Builds a world of `shape`: voters, then resources, then clients.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let Shape { voter_count, resource_count, client_count, .. } = *shape;
    let voters: Arc<[NodeId]> = (0..voter_count).map(NodeId).collect();
    let resources: Arc<[NodeId]> = (voter_count..voter_count + resource_count).map(NodeId).collect();
    let care = Care { fencing: rules.fencing, durable_first: rules.fence_durable };
    let mut members: Vec<Member> = Vec::new();
    members.extend(voters.iter().map(|me| {
        let others = voters.iter().filter(|voter| *voter != me).copied().collect();
        Member::Voter(Voter::new(rules, others, Arc::clone(&resources), shape.election_timeout))
    }));
    members.extend(resources.iter().map(|_| Member::Resource(Resource::new(care))));
    members.extend(
        (0..client_count as usize)
            .map(|index| Member::Client(Client::new(Arc::clone(&voters), index, shape.patience))),
    );
    members
}
