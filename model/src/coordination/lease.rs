//! A lock that is leased: who holds it, who only believes to, and what the resource behind it makes of both.
//!
//! ```text
//!   Holder ──acquire──► Server (leases on disk)
//!     │  ◄──granted, token 4──┘
//!     └──write, token 4──► Resource (newest token on disk)
//! ```
//!
//! Whoever checks its lease and then acts may be paused in between, and its clock may be slow. So the hardened system
//! lets holders be wrong: every grant has a larger token, and the resource refuses a smaller one than it has seen.
//!
//! Source: C. Gray and D. Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache
//! consistency", SOSP 1989; the tokens are the sequencers of M. Burrows, "The Chubby lock service", OSDI 2006.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::digest::{Canonical, Digest};
use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use crate::client::{Operation, Patience, Question};
use crate::coordination::fenced::{Accessed, Care, FencedReply, FencedWrite, KeepsWrites, Resource};
use crate::durable::Formatted;
use crate::ids::RequestKey;

mod holder;
mod server;
#[cfg(test)]
mod tests;

pub use holder::Holder;
pub use server::Server;

crate::decisions! {
    /// Every decision of the lock, its holders and the resources.
    pub struct Rules {
        /// The resource refuses a token smaller than the largest it has seen.
        fencing = "no-fencing",
        /// The resource counts a write, and its token, only once both are durable.
        fence_durable,
        /// The server answers only once the grant is durable.
        grant_durable = "grant-before-sync",
        /// Each grant has a new token; otherwise a lock that was released is granted with the one it had.
        new_token = "token-reused",
        /// The holder counts its lease from when it asked; otherwise from when it heard of it.
        lease_from_asking,
        /// The holder counts its lease by a clock that is never set; otherwise by the wall clock.
        monotonic_lease,
    }
}

/// What a holder is to do: take the lock, write so often under it, let it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which lock.
    pub lock: u32,
    /// How many writes.
    pub writes: u32,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// All of it was written.
    Done,
    /// The lock was lost on the way.
    Lost {
        /// So many writes were done.
        writes: u32,
    },
    /// There is no such lock: nothing was done.
    NoSuchLock,
    /// The holder has too many tasks: nothing was done.
    Busy,
}

impl Question for Task {
    type Answer = Ending;
    type Mark = ();

    fn is_settled_by(&self, _answer: &Ending) -> bool {
        true
    }
}

/// What nodes send.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are sent")]
pub enum Message {
    /// A holder wants a lock, for this task.
    Acquire { request: RequestKey, lock: u32 },
    /// It has it, under this token.
    Granted { request: RequestKey, token: u64 },
    /// Somebody else has it.
    Held { request: RequestKey },
    /// There is no such lock.
    NoSuchLock { request: RequestKey },
    /// The holder needs it no more.
    Release { lock: u32, token: u64 },
    /// A holder writes under its lock.
    Write(FencedWrite),
    /// The resource answers.
    Wrote(FencedReply),
}

impl sim::node::Message for Message {
    fn name(&self) -> &'static str {
        match self {
            Self::Acquire { .. } => "acquire",
            Self::Granted { .. } => "granted",
            Self::Held { .. } => "held",
            Self::NoSuchLock { .. } => "no-such-lock",
            Self::Release { .. } => "release",
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

/// A lock was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Which lock.
    pub lock: u32,
    /// With which token.
    pub token: u64,
    /// To whom.
    pub holder: NodeId,
    /// For which task.
    pub request: RequestKey,
}

/// What nodes write to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of the server: a lock was granted.
    Granted(Grant),
    /// Of the server: it was given back.
    Released(Grant),
    /// Of a resource: a write under a lock.
    Written(FencedWrite),
    /// Of any: what stands behind it is in this format.
    Format(u32),
}

impl Formatted for Record {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Granted(_) | Self::Released(_) | Self::Written(_) => None,
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
            Self::Granted(_) | Self::Released(_) | Self::Format(_) => None,
        }
    }
}

/// What nodes show to the recorder. A node learns nothing from it.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "fields are named for what they hold; the variants say when they are shown")]
pub enum Observation {
    /// A holder begins or ends a task.
    Task(Operation<Task>),
    /// The server has granted a lock.
    Granted(Grant),
    /// A holder believes to hold the lock.
    Entered { lock: u32, token: u64 },
    /// It does no more.
    Left { lock: u32, token: u64 },
    /// A resource has decided about a write.
    Accessed(Accessed),
}

impl Canonical for Observation {
    fn feed(&self, digest: &mut Digest) {
        digest.plain(self);
    }
}

impl From<Operation<Task>> for Observation {
    fn from(operation: Operation<Task>) -> Self {
        Self::Task(operation)
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
    /// Grants the locks.
    Server(Server),
    /// Is written to under them.
    Resource(Resource<Record>),
    /// Works under them.
    Holder(Holder),
}

/// The effects of a member.
pub type Fx = Effects<Member>;

impl Node for Member {
    type Message = Message;
    type Request = Task;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Server(server) => handle_server(server, input, context, fx),
            Self::Resource(resource) => handle_resource(resource, input, context, fx),
            Self::Holder(holder) => match input {
                Input::Request(task) => holder.request(task, context, fx),
                Input::Message { message, .. } => holder.message(&message, context, fx),
                Input::Timer(_) => holder.timer(context, fx),
                Input::Start { .. } | Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {}
            },
        }
    }
}

fn handle_server(server: &mut Server, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => server.start(&disk, context, fx),
        Input::Message { from, message } => server.message(from, &message, context, fx),
        Input::Synced(token) => server.synced(token, fx),
        Input::SyncFailed(token) => server.sync_failed(token, fx),
        Input::Timer(_) => server.timer(fx),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_resource(
    resource: &mut Resource<Record>,
    input: InputOf<Member>,
    context: &Context<'_>,
    fx: &mut Fx,
) {
    match input {
        Input::Start { disk } => resource.start(&disk, context, fx),
        Input::Message { from, message: Message::Write(write) } => resource.write(from, write, fx),
        Input::Synced(token) => resource.synced(token, fx),
        Input::SyncFailed(token) => resource.sync_failed(token, fx),
        Input::Timer(_) => resource.timer(fx),
        Input::Message { .. } | Input::Request(_) | Input::Stop => {}
    }
}

/// How large a world is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Holders.
    pub holder_count: u32,
    /// Resources, among which the locks are shared out.
    pub resource_count: u32,
    /// Locks.
    pub lock_count: u32,
    /// How long a lease is.
    pub lease: Span,
    /// Between two writes of a task.
    pub write_every: Span,
    /// How patient holders are.
    pub patience: Patience,
}

/// Builds a world of `shape`: the server, then resources, then holders.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let care = Care { fencing: rules.fencing, durable_first: rules.fence_durable };
    let resources: Arc<[NodeId]> = (1..=shape.resource_count).map(NodeId).collect();
    let mut members = vec![Member::Server(Server::new(rules, shape.lock_count, shape.lease))];
    members.extend(resources.iter().map(|_| Member::Resource(Resource::new(care))));
    members.extend(
        (0..shape.holder_count)
            .map(|_| Member::Holder(Holder::new(rules, NodeId(0), Arc::clone(&resources), *shape))),
    );
    members
}
