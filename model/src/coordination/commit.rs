//! Two-phase commit: several nodes do a transaction all together or not at all, and wait where they cannot know.
//!
//! ```text
//!   Client ──ask──► Coordinator: begun on disk ──prepare──► Participants: lock, yes on disk
//!                   │ all yes: commit on disk  ◄────yes─────────┘ in doubt from here ...
//!                   └ else: abort on disk ───────decided────► apply or drop, on disk, unlock ... to here
//! ```
//!
//! Who voted yes has given away its right to abort: while the coordinator is gone it is blocked, and so are its keys. That is
//! shown, not hidden. Naive participants forget their vote in a crash, or free themselves after a while.
//!
//! Source: J. Gray, "Notes on data base operating systems", in Operating Systems: An Advanced Course, LNCS 60, 1978;
//! P. A. Bernstein, V. Hadzilacos and N. Goodman, "Concurrency Control and Recovery in Database Systems",
//! Addison-Wesley 1987, section 7.4.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::durable::Formatted;
use crate::ids::RequestKey;

mod coordinator;
mod participant;
#[cfg(test)]
mod tests;

pub use coordinator::Coordinator;
pub use participant::Participant;

crate::decisions! {
    /// Every decision of coordinators and participants.
    pub struct Rules {
        /// A yes is on disk before it is given; otherwise a crash forgets it.
        vote_logged = "vote-not-logged",
        /// Who has voted yes waits for the decision, however long; otherwise it aborts after a while.
        waits_in_doubt = "aborts-alone",
        /// The coordinator's decision is on disk before it is told; otherwise a crash forgets it.
        decision_logged = "decision-not-logged",
        /// Only if all vote yes it is a commit; otherwise silence counts as consent.
        unanimous = "silence-is-consent",
    }
}

/// What a client asks: to lock and mark one key at each of these participants, all or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The key at every participant, from 0.
    pub key: u32,
    /// The participants, by number from 0; each once.
    pub participants: Vec<u32>,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// All of it happened.
    Commit,
    /// Nothing of it happened.
    Abort,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// This came of it.
    Ended(Fate),
    /// There is no such key or participant, or none or one twice: nothing was done.
    Invalid,
    /// The coordinator remembers too many transactions: nothing was done.
    Full,
}

impl Question for Transaction {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, _answer: &Answer) -> bool {
        true
    }
}

/// What nodes send. A transaction is named by the client's question.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks.
    Ask(Ask<Transaction>),
    /// It is answered.
    Answer(Reply<Answer>),
    /// Can this be committed?
    Prepare { transaction: RequestKey, key: u32 },
    /// It can; from now on the participant is in doubt.
    Yes { transaction: RequestKey },
    /// It cannot.
    No { transaction: RequestKey },
    /// The decision.
    Decided { transaction: RequestKey, fate: Fate },
    /// The participant has it on disk.
    Heard { transaction: RequestKey },
    /// A participant in doubt asks.
    Inquire { transaction: RequestKey },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Prepare { .. } => "prepare",
            Self::Yes { .. } => "yes",
            Self::No { .. } => "no",
            Self::Decided { .. } => "decided",
            Self::Heard { .. } => "heard",
            Self::Inquire { .. } => "inquire",
        }
    }
}

impl From<Ask<Transaction>> for Message {
    fn from(ask: Ask<Transaction>) -> Self {
        Self::Ask(ask)
    }
}

/// What nodes write to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of a coordinator: it has taken a transaction on.
    Begun {
        /// Which.
        transaction: RequestKey,
        /// Who has to agree.
        participants: Arc<[NodeId]>,
    },
    /// Of a participant: it has voted yes.
    Prepared {
        /// On which.
        transaction: RequestKey,
        /// What it has locked.
        key: u32,
        /// Who decides.
        coordinator: NodeId,
    },
    /// Of either: the decision.
    Decided {
        /// About which.
        transaction: RequestKey,
        /// What.
        fate: Fate,
    },
    /// Of a coordinator: everybody has heard of the decision.
    Finished {
        /// About which.
        transaction: RequestKey,
    },
    /// Of any: what stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Begun { .. } | Self::Prepared { .. } | Self::Decided { .. } | Self::Finished { .. } => None,
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
    Operation(Operation<Transaction>),
    /// A coordinator takes a transaction on.
    Begun { transaction: RequestKey, participants: Arc<[NodeId]> },
    /// A participant gives its vote: yes, or no.
    Voted { transaction: RequestKey, vote: Fate },
    /// A coordinator has decided.
    Decided { transaction: RequestKey, fate: Fate },
    /// A participant acts on a decision.
    Acted { transaction: RequestKey, fate: Fate },
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Transaction>> for Observation {
    fn from(operation: Operation<Transaction>) -> Self {
        Self::Operation(operation)
    }
}

/// One node of the world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Decides.
    Coordinator(Coordinator),
    /// Votes, and does as was decided.
    Participant(Participant),
    /// Asks.
    Client(Client<Transaction>),
}

/// The effects of a member.
pub type Fx = Effects<Member>;

impl Node for Member {
    type Message = Message;
    type Request = Transaction;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Coordinator(coordinator) => match input {
                Input::Start { disk } => coordinator.start(&disk, context, fx),
                Input::Message { from, message } => coordinator.message(from, message, context, fx),
                Input::Timer(key) => coordinator.timer(key, context, fx),
                Input::Synced(token) => coordinator.synced(token, fx),
                Input::SyncFailed(token) => coordinator.sync_failed(token, fx),
                Input::Request(_) | Input::Stop => {}
            },
            Self::Participant(participant) => match input {
                Input::Start { disk } => participant.start(&disk, context, fx),
                Input::Message { from, message } => participant.message(from, &message, context, fx),
                Input::Timer(key) => participant.timer(key, context, fx),
                Input::Synced(token) => participant.synced(token, fx),
                Input::SyncFailed(token) => participant.sync_failed(token, fx),
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
    /// Coordinators, among which the clients are shared out.
    pub coordinator_count: u32,
    /// Participants.
    pub participant_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Keys at each participant.
    pub key_count: u32,
    /// How long a coordinator waits for votes, and how often it and those in doubt ask again.
    pub timeout: Span,
    /// How patient clients are.
    pub patience: Patience,
}

/// Builds a world of `shape`: coordinators, then participants, then clients. Each client knows one coordinator only: a
/// second one would not know what the first has begun.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let Shape { coordinator_count, participant_count, client_count, key_count, timeout, .. } = *shape;
    let participants: Arc<[NodeId]> =
        (coordinator_count..coordinator_count + participant_count).map(NodeId).collect();
    let mut members: Vec<Member> = Vec::new();
    members.extend((0..coordinator_count).map(|_| {
        Member::Coordinator(Coordinator::new(rules, Arc::clone(&participants), key_count, timeout))
    }));
    members.extend(participants.iter().map(|_| Member::Participant(Participant::new(rules, timeout))));
    members.extend((0..client_count).map(|index| {
        let coordinator = Arc::new([NodeId(index % coordinator_count)]);
        Member::Client(Client::new(coordinator, 0, shape.patience))
    }));
    members
}
