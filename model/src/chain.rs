//! A chain of events in blocks, on several replicas that mine, with a notary that makes blocks final.
//!
//! ```text
//!   client ─event─► replica ─► mined, spread, forked, joined ─► so many blocks upon it ─► notary: final
//!                                                                          witnesses ◄── shown
//! ```
//!
//! Promise: what is final stays, in its place, at every replica, but for erasures that the notary has on record. Of a
//! replica whose blocks somebody tampered with, it is found by what its hashes and the notary's blocks say; it throws
//! away what is at fault and gets it again. Hashes and proof of work alone would not tell a chain that was mined anew.
//! Source: the witnessed chain of S. Haber, W. S. Stornetta, "How to time-stamp a digital document", 1991.

pub mod audit;
pub mod block;
pub mod erasure;
pub mod ledger;
pub mod message;
pub mod notary;
pub mod projection;
pub mod replica;
pub mod rules;
pub mod setup;
pub mod tampering;

use std::sync::Arc;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};

use self::message::{Message, Observation, Record, Request, Submit};
use self::notary::Notary;
use self::replica::Replica;
use self::rules::Rules;
use self::setup::{Privacy, ReplicaSetup};
use crate::client::{Client, Patience};

/// The effects of a member.
pub type Fx = Effects<Member>;

/// One node of a world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Makes blocks final.
    Notary(Notary),
    /// Remembers what it was shown: it is asked nothing.
    Witness,
    /// Keeps and mines the chain.
    Replica(Box<Replica>),
    /// Has events to submit.
    Client(Client<Submit>),
}

impl Node for Member {
    type Message = Message;
    type Request = Request;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Notary(notary) => handle_notary(notary, input, context, fx),
            Self::Witness => {
                if let Input::Message { from: replica, message: Message::Show { index, hash } } = input {
                    fx.observe(Observation::Witnessed { replica, index, hash });
                }
            }
            Self::Replica(replica) => handle_replica(replica, input, context, fx),
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

fn handle_notary(notary: &mut Notary, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => notary.start(&disk, context, fx),
        Input::Message { from, message } => notary.message(from, message, fx),
        Input::Timer(_) => notary.timer(fx),
        Input::Synced(token) => notary.synced(token, fx),
        Input::SyncFailed(token) => notary.sync_failed(token, fx),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_replica(replica: &mut Replica, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { .. } => replica.start(fx),
        Input::Message { from, message } => replica.message(from, message, context, fx),
        Input::Timer(_) => replica.timer(context, fx),
        Input::Request(request) => replica.request(request, fx),
        Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {}
    }
}

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Replicas.
    pub replica_count: u32,
    /// Witnesses.
    pub witness_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Zero bits that every hash but the first begins with.
    pub difficulty_bits: u32,
    /// Blocks upon a final one.
    pub depth: u64,
    /// Nonces that a miner tries each tick of 20 ms.
    pub tries: u32,
    /// Blocks of a chain, at most.
    pub blocks_max: usize,
    /// A snapshot is made after so many blocks, at least one.
    pub snapshot_every: u64,
    /// How something is erased.
    pub privacy: Privacy,
    /// How patient clients are.
    pub patience: Patience,
}

impl Shape {
    /// The notary's number.
    pub const NOTARY: NodeId = NodeId(0);

    /// The witnesses' numbers.
    pub fn witnesses(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..1 + self.witness_count).map(NodeId)
    }

    /// The replicas' numbers.
    pub fn replicas(&self) -> impl Iterator<Item = NodeId> + use<> {
        let first = 1 + self.witness_count;
        (first..first + self.replica_count).map(NodeId)
    }

    /// The clients' numbers.
    pub fn clients(&self) -> impl Iterator<Item = NodeId> + use<> {
        let first = 1 + self.witness_count + self.replica_count;
        (first..first + self.client_count).map(NodeId)
    }
}

/// Builds a world of `shape`: the notary, the witnesses, the replicas, the clients.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let (replicas, witnesses): (Arc<[NodeId]>, Arc<[NodeId]>) =
        (shape.replicas().collect(), shape.witnesses().collect());
    let notary = Notary::new(shape.difficulty_bits, rules.event_once, Arc::clone(&replicas));
    let replica = |me: &NodeId| {
        let setup = ReplicaSetup {
            me: *me,
            replicas: Arc::clone(&replicas),
            notary: Shape::NOTARY,
            witnesses: Arc::clone(&witnesses),
            difficulty_bits: shape.difficulty_bits,
            depth: shape.depth,
            tries: shape.tries,
            blocks_max: shape.blocks_max,
            snapshot_every: shape.snapshot_every,
            privacy: shape.privacy,
        };
        Member::Replica(Box::new(Replica::new(rules, setup)))
    };
    let client = |index| Member::Client(Client::new(Arc::clone(&replicas), index as usize, shape.patience));
    let witness = |_| Member::Witness;
    let first = [Member::Notary(notary)].into_iter().chain(shape.witnesses().map(witness));
    first.chain(replicas.iter().map(replica)).chain((0..shape.client_count).map(client)).collect()
}
