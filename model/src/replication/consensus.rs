//! A log on several nodes that decide by majority, through the library `omnipaxos`.
//!
//! ```text
//!   client ─append─► any node ──► leader ──► followers ──► durable on a majority: decided, everywhere in one order
//! ```
//!
//! Promise: append and read are linearizable, and the log goes on while a majority of its nodes is up and connected. An
//! entry is there once, however often its client asked. Membership is fixed; disks keep what they have synced. A read
//! takes its place in the log: a follower's own copy may be behind, and so may that of a leader which was replaced
//! without knowing.

pub mod application;
pub mod library;
pub mod link;
pub mod message;
pub mod pace;
pub mod plain;
pub mod record;
pub mod replica;
pub mod rules;
pub mod shelf;

use std::sync::Arc;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};

use self::message::{Call, Command, Message, Observation, Request};
use self::pace::Pace;
use self::plain::PlainLog;
use self::record::Record;
use self::replica::{Replica, ReplicaSetup};
use self::rules::Rules;
use crate::client::{Client, Patience};

/// The effects of a member.
pub type Fx = Effects<Member>;

/// One node of a world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// A node of the log.
    Replica(Box<Replica<PlainLog>>),
    /// A client.
    Client(Client<Call>),
}

impl Node for Member {
    type Message = Message;
    type Request = Request;
    type Record = Record<Command>;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Replica(replica) => {
                if matches!(input, Input::Start { .. }) {
                    fx.observe(Observation::Started);
                }
                replica.handle(input, context, fx);
            }
            Self::Client(client) => {
                let answered = |message| match message {
                    Message::Answer(reply) => Some(reply),
                    Message::Ask(_) | Message::Peer(_) => None,
                };
                client.handle(input, answered, context, fx);
            }
        }
    }
}

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Nodes of the log, at least two.
    pub replica_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Entries from which on the log takes no more.
    pub entries_max: usize,
    /// A node makes a snapshot after so many commands, at least one.
    pub snapshot_every: usize,
    /// How long the nodes wait for one another.
    pub pace: Pace,
    /// How patient clients are.
    pub patience: Patience,
}

/// Builds a world of `shape`: the nodes of the log, then the clients.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let nodes: Arc<[NodeId]> = (0..shape.replica_count).map(NodeId).collect();
    let replica = |me: &NodeId| {
        let &Shape { entries_max, snapshot_every, pace, .. } = shape;
        let durable_before_send = rules.durable_before_send;
        let nodes = Arc::clone(&nodes);
        let setup = ReplicaSetup { me: *me, nodes, snapshot_every, pace, durable_before_send };
        Member::Replica(Box::new(Replica::new(PlainLog::new(rules, entries_max), setup)))
    };
    let client = |index| Member::Client(Client::new(Arc::clone(&nodes), index as usize, shape.patience));
    nodes.iter().map(replica).chain((0..shape.client_count).map(client)).collect()
}
