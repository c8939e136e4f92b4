//! Replicated channels: one log, a broker that passes on, service nodes with copies, and users who stick to one of them.
//!
//! ```text
//!   hardened   user ─post─► node ──► log ─sync─► broker ──► nodes      place, then acknowledgement, then the copies
//!   naive      user ─post─► node ──► broker ──► nodes and log alike    acknowledged as soon as it is on its way
//! ```
//!
//! Promise: every acknowledged message is read by every node that is subscribed and comes back, eventually, exactly once
//! in each subscription, in one order for each channel. A session reads no less than it has read or written before, since
//! it carries its offset from node to node (Terry et al., "Session Guarantees for Weakly Consistent Replicated Data",
//! PDIS 1994). A new user may read an old state. The log is one node: while it is away, nothing is posted.

pub mod keeper;
pub mod message;
pub mod reader;
pub mod rules;

use std::sync::Arc;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};

use self::keeper::{Keeper, KeeperSetup};
use self::message::{Call, Message, Observation, Record, Request};
use self::reader::{Reader, ReaderSetup};
use self::rules::Rules;
use crate::broker::Broker;
use crate::client::{Client, Patience};
use crate::ids::ChannelId;

/// The effects of a member.
pub type Fx = Effects<Member>;

/// One node of a world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// Passes on what is published.
    Broker(Broker<ChannelId>),
    /// The log of all channels.
    Log(Keeper),
    /// A service node.
    Service(Reader),
    /// A user.
    Client(Client<Call>),
}

impl Node for Member {
    type Message = Message;
    type Request = Request;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Broker(broker) => {
                if let Input::Message { from, message: Message::Broker(told) } = input {
                    broker.message(from, told, fx);
                }
            }
            Self::Log(log) => handle_log(log, input, context, fx),
            Self::Service(reader) => handle_service(reader, input, context, fx),
            Self::Client(client) => {
                let answered = |message| match message {
                    Message::Answer(reply) => Some(reply),
                    _ => None,
                };
                client.handle(input, answered, context, fx);
            }
        }
    }

    fn connection_reset(&mut self, peer: NodeId, _context: &mut Context<'_>, _fx: &mut Fx) {
        if let Self::Broker(broker) = self {
            broker.reset(peer);
        }
    }
}

fn handle_log(log: &mut Keeper, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => log.start(&disk, context, fx),
        Input::Message { from, message } => log.message(from, message, fx),
        Input::Timer(key) => log.timer(key, fx),
        Input::Synced(token) => log.synced(token, fx),
        Input::SyncFailed(token) => log.sync_failed(token, fx),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_service(reader: &mut Reader, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { .. } => reader.start(fx),
        Input::Message { from, message } => reader.message(from, message, context, fx),
        Input::Timer(_) => reader.timer(context, fx),
        Input::Request(request) => reader.request(request, fx),
        Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {}
    }
}

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Service nodes.
    pub service_count: u32,
    /// Users.
    pub client_count: u32,
    /// Channels.
    pub channel_count: u32,
    /// Messages of one channel, at most.
    pub messages_max: usize,
    /// How patient users are.
    pub patience: Patience,
}

impl Shape {
    /// The broker's number.
    pub const BROKER: NodeId = NodeId(0);
    /// The log's number.
    pub const LOG: NodeId = NodeId(1);

    /// The service nodes' numbers.
    pub fn services(&self) -> impl Iterator<Item = NodeId> + use<> {
        (2..2 + self.service_count).map(NodeId)
    }

    /// The users' numbers.
    pub fn clients(&self) -> impl Iterator<Item = NodeId> + use<> {
        let first = 2 + self.service_count;
        (first..first + self.client_count).map(NodeId)
    }
}

/// Builds a world of `shape`: broker, log, service nodes, users.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Vec<Member> {
    let &Shape { channel_count, messages_max, patience, .. } = shape;
    let (broker, log) = (Shape::BROKER, Shape::LOG);
    let services: Arc<[NodeId]> = shape.services().collect();
    let keeper = Keeper::new(rules, KeeperSetup { broker, channel_count, messages_max });
    let mut members = vec![Member::Broker(Broker::new()), Member::Log(keeper)];
    members.extend(
        services.iter().map(|me| {
            Member::Service(Reader::new(rules, ReaderSetup { me: *me, log, broker, channel_count }))
        }),
    );
    let client = |index| Member::Client(Client::new(Arc::clone(&services), index, patience));
    members.extend((0..shape.client_count as usize).map(client));
    members
}
