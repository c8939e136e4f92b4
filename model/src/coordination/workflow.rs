//! A durable workflow: money moves from account to account in steps, once, or is put back.
//!
//! ```text
//!   Client ──transfer──► Orchestrator: its own log of events ──apply step, key──► Accounts (keys on disk)
//!     status ◄── in progress ... completed        ◄──done, or refused──────────┘
//!                              or compensated: what was done is taken back
//! ```
//!
//! After a crash the orchestrator replays its log and goes on with the step it does not know the end of. It may be asked for
//! twice; the key of the step makes it happen once.
//!
//! Source: H. Garcia-Molina and K. Salem, "Sagas", SIGMOD 1987; the keys are those of P. Helland, "Life beyond distributed
//! transactions: an apostate's opinion", CIDR 2007.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Ask, Client, Operation, Patience, Question, Reply};
use crate::durable::Formatted;
use crate::ids::RequestKey;

mod accounts;
mod orchestrator;
#[cfg(test)]
mod tests;

pub use accounts::Accounts;
pub use orchestrator::Orchestrator;

crate::decisions! {
    /// Every decision of orchestrators and accounts.
    pub struct Rules {
        /// Accounts know a step by its key, and do it once.
        step_keys = "no-step-keys",
        /// Accounts remember what they refused; otherwise a late question is answered anew.
        refusal_remembered = "refusal-forgotten",
        /// The orchestrator's events are on its disk; otherwise in memory.
        progress_logged = "progress-in-memory",
        /// A step counts when its account has said so; otherwise after a while.
        waits_for_steps = "completes-on-timeout",
    }
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Begin a workflow, named by this question: take the amount from one account, put it on the other.
    Transfer(Transfer),
    /// How far is it?
    Status {
        /// The workflow.
        workflow: RequestKey,
    },
}

/// A transfer: its first step is the debit, its second the credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The account that pays, from 0.
    pub from: u32,
    /// The account that is paid.
    pub to: u32,
    /// How much.
    pub amount: u32,
}

/// How many steps a transfer has.
pub const STEPS: u32 = 2;

impl Transfer {
    /// What a step does: to which account, and how the balance changes.
    #[must_use]
    pub const fn step(self, step: u32) -> (u32, i64) {
        if step == 0 { (self.from, -(self.amount as i64)) } else { (self.to, self.amount as i64) }
    }
}

/// How far a workflow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is promised yet.
    InProgress,
    /// All of it is done, for good.
    Completed,
    /// Nothing of it is done, for good.
    Compensated,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// So far it is.
    Known(State),
    /// There is no such workflow.
    NotFound,
    /// There is no such account, or both are one, or the amount is 0: nothing was begun.
    Invalid,
    /// The orchestrator remembers too many workflows: nothing was begun.
    Full,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, _answer: &Answer) -> bool {
        true
    }
}

/// Whether a step is done or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Done.
    Forward,
    /// Taken back.
    Back,
}

/// What makes a step happen once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepKey {
    /// Of which workflow.
    pub workflow: RequestKey,
    /// Which step, from 0.
    pub step: u32,
    /// Which way.
    pub direction: Direction,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The balance is changed.
    Done,
    /// It is not: there is too little on the account, or too much. Taking back is never refused.
    Refused,
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A client asks.
    Ask(Ask<Call>),
    /// It is answered.
    Answer(Reply<Answer>),
    /// The orchestrator wants a step done.
    Apply { key: StepKey, account: u32, amount: i64 },
    /// This came of it.
    Applied { key: StepKey, outcome: Outcome },
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Answer(_) => "answer",
            Self::Apply { .. } => "apply",
            Self::Applied { .. } => "applied",
        }
    }
}

impl From<Ask<Call>> for Message {
    fn from(ask: Ask<Call>) -> Self {
        Self::Ask(ask)
    }
}

/// A step that was done or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The how-many-th of its node: no two have the same.
    pub serial: u64,
    /// Which step.
    pub key: StepKey,
    /// Of which account.
    pub account: u32,
    /// By how much its balance was to be changed.
    pub amount: i64,
    /// Whether it was.
    pub outcome: Outcome,
}

/// What nodes write to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of an orchestrator: a workflow was begun.
    Begun {
        /// Which.
        workflow: RequestKey,
        /// Its plan.
        transfer: Transfer,
    },
    /// Of an orchestrator: this came of one of its steps.
    Stepped {
        /// Which step.
        key: StepKey,
        /// What.
        outcome: Outcome,
    },
    /// Of an account node: a step.
    Applied(Applied),
    /// Of any: what stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Begun { .. } | Self::Stepped { .. } | Self::Applied(_) => None,
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
    /// A step is on the disk of its account. It is shown again after a restart, under the same serial number.
    Applied(Applied),
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
    /// Drives workflows.
    Orchestrator(Orchestrator),
    /// Keeps accounts.
    Accounts(Accounts),
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
            Self::Orchestrator(orchestrator) => match input {
                Input::Start { disk } => orchestrator.start(&disk, context, fx),
                Input::Message { from, message } => orchestrator.message(from, &message, fx),
                Input::Timer(key) => orchestrator.timer(key, fx),
                Input::Synced(token) => orchestrator.synced(token, fx),
                Input::SyncFailed(token) => orchestrator.sync_failed(token, fx),
                Input::Request(_) | Input::Stop => {}
            },
            Self::Accounts(accounts) => match input {
                Input::Start { disk } => accounts.start(&disk, context, fx),
                Input::Message { from, message } => accounts.message(from, &message, fx),
                Input::Timer(_) => accounts.timer(fx),
                Input::Synced(token) => accounts.synced(token, fx),
                Input::SyncFailed(token) => accounts.sync_failed(token, fx),
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
    /// Orchestrators, among which the clients are shared out.
    pub orchestrator_count: u32,
    /// Nodes that keep accounts, among which these are shared out.
    pub keeper_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Accounts.
    pub account_count: u32,
    /// What is on each account in the beginning; twice as much is the most that it takes.
    pub opening: u32,
    /// How often a step is asked for.
    pub retry_every: Span,
    /// How patient clients are.
    pub patience: Patience,
}

/// Builds a world of `shape`: orchestrators, then account nodes, then clients. Each client knows one orchestrator only: a
/// second one would not know what the first has begun.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let Shape { orchestrator_count, keeper_count, client_count, account_count, .. } = *shape;
    let keepers: Arc<[NodeId]> =
        (orchestrator_count..orchestrator_count + keeper_count).map(NodeId).collect();
    let mut members: Vec<Member> = Vec::new();
    members.extend((0..orchestrator_count).map(|_| {
        let keepers = Arc::clone(&keepers);
        Member::Orchestrator(Orchestrator::new(rules, keepers, account_count, shape.retry_every))
    }));
    members.extend(keepers.iter().map(|_| Member::Accounts(Accounts::new(rules, shape.opening))));
    members.extend((0..client_count).map(|index| {
        let orchestrator = Arc::new([NodeId(index % orchestrator_count)]);
        Member::Client(Client::new(orchestrator, 0, shape.patience))
    }));
    members
}
