//! The nodes of the counters' worlds: one database, service nodes of one kind, clients.

use std::sync::Arc;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId, TimerKey};
use sim::time::Span;

use super::{Asked, Call, Ledger, Message, Observation, RateLimit, Record, Request, dist, rollup, sync};
use crate::client::{Client, Patience};
use crate::database::{Commit, Recovery, Replication, Server, Standby};

/// The effects of a member.
pub type Fx = Effects<Member>;

/// One node, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// The database.
    Database(Server<Ledger, Record>),
    /// A service node of `sync`.
    Sync(sync::Service),
    /// A service node of `dist`.
    Dist(dist::Service),
    /// A service node of `rollup`.
    Rollup(rollup::Service),
    /// A client.
    Client(Client<Call>),
    /// The database's standby.
    Standby(Standby<Ledger>),
}

impl Member {
    /// Its role, in a word.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        match self {
            Self::Database(_) => "store",
            Self::Sync(_) | Self::Dist(_) | Self::Rollup(_) => "service",
            Self::Client(_) => "client",
            Self::Standby(_) => "standby",
        }
    }
}

impl Node for Member {
    type Message = Message;
    type Request = Request;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Database(server) => handle_database(server, input, context, fx),
            Self::Sync(service) => handle_sync(service, input, context, fx),
            Self::Dist(service) => handle_dist(service, input, context, fx),
            Self::Rollup(service) => handle_rollup(service, input, context, fx),
            Self::Client(client) => {
                let answered = |message| match message {
                    Message::Answer(reply) => Some(reply),
                    _ => None,
                };
                client.handle(input, answered, context, fx);
            }
            Self::Standby(standby) => {
                if let Input::Message { from, message: Message::Database(packet) } = input {
                    standby.packet(from, packet, fx);
                }
            }
        }
    }

    fn connection_reset(&mut self, peer: NodeId, _context: &mut Context<'_>, _fx: &mut Fx) {
        if peer != DATABASE {
            return;
        }
        match self {
            Self::Sync(service) => service.reset(),
            Self::Dist(service) => service.reset(),
            Self::Rollup(service) => service.reset(),
            Self::Database(_) | Self::Client(_) | Self::Standby(_) => {}
        }
    }
}

fn handle_database(
    server: &mut Server<Ledger, Record>,
    input: InputOf<Member>,
    context: &Context<'_>,
    fx: &mut Fx,
) {
    match input {
        Input::Start { disk } => server.start(&disk, context, fx),
        Input::Message { from, message: Message::Database(packet) } => {
            server.packet(from, packet, context, fx);
        }
        Input::Timer(key) => server.timer(key, fx),
        Input::Synced(token) => server.synced(token, context, fx),
        Input::SyncFailed(token) => server.sync_failed(token, fx),
        Input::Message { .. } | Input::Request(_) | Input::Stop => {}
    }
}

fn handle_sync(service: &mut sync::Service, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { .. } => service.start(fx),
        Input::Message { from, message } => match message {
            Message::Ask(ask) => {
                service.ask(Asked { client: from, request: ask.request, call: ask.call }, context, fx);
            }
            Message::Database(packet) => service.packet(packet, context, fx),
            Message::Answer(_) | Message::Forward { .. } | Message::Beat => {}
        },
        Input::Timer(_) => service.timer(context, fx),
        Input::Synced(_) | Input::SyncFailed(_) | Input::Request(_) | Input::Stop => {}
    }
}

fn handle_rollup(
    service: &mut rollup::Service,
    input: InputOf<Member>,
    context: &mut Context<'_>,
    fx: &mut Fx,
) {
    match input {
        Input::Start { .. } => service.start(context, fx),
        Input::Message { from, message } => match message {
            Message::Ask(ask) => {
                service.ask(Asked { client: from, request: ask.request, call: ask.call }, context, fx);
            }
            Message::Database(packet) => service.packet(packet, context, fx),
            Message::Answer(_) | Message::Forward { .. } | Message::Beat => {}
        },
        Input::Timer(key) => service.timer(key, context, fx),
        Input::Synced(_) | Input::SyncFailed(_) | Input::Request(_) | Input::Stop => {}
    }
}

fn handle_dist(service: &mut dist::Service, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => service.start(&disk, context, fx),
        Input::Message { from, message } => service.message(from, message, context, fx),
        Input::Timer(key) => service.timer(key, context, fx),
        Input::Synced(token) => service.synced(token, fx),
        Input::SyncFailed(token) => service.sync_failed(token, fx),
        Input::Stop => service.stop(context, fx),
        Input::Request(_) => {}
    }
}

/// The database's number.
const DATABASE: NodeId = NodeId(0);
const DATABASE_RETRY: TimerKey = TimerKey(0);
const DATABASE_STANDBY: TimerKey = TimerKey(1);

/// How large a world is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Service nodes.
    pub service_count: u32,
    /// Clients.
    pub client_count: u32,
    /// Requests that a node takes in any five seconds.
    pub requests_max: usize,
    /// How often a node of `dist` flushes, and one of `rollup` sums up.
    pub flush_every: Span,
    /// How long a service node waits for the database.
    pub query_timeout: Span,
    /// How patient clients are.
    pub patience: Patience,
    /// Whether the database has a standby: it is the last node.
    pub standby: Spare,
}

/// Whether there is a spare node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spare {
    /// There is none.
    None,
    /// There is one.
    One,
}

/// Who is who, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The nodes.
    pub members: Vec<Member>,
    /// The clients' numbers.
    pub clients: Vec<NodeId>,
}

/// Which kind of service nodes.
#[derive(Clone, Copy, Debug)]
pub enum Build {
    /// Those of `sync`.
    Sync(sync::Rules),
    /// Those of `dist`.
    Dist(dist::Rules),
    /// Those of `rollup`.
    Rollup(rollup::Rules),
}

/// Builds a world of `shape`: the database, then service nodes and clients.
#[must_use]
pub fn build(shape: &Shape, build: Build) -> Topology {
    let services: Arc<[NodeId]> = (1..=shape.service_count).map(NodeId).collect();
    let first_client = 1 + shape.service_count;
    let clients: Vec<_> = (first_client..first_client + shape.client_count).map(NodeId).collect();
    let mut members = vec![Member::Database(database(shape, build, first_client + shape.client_count))];
    members.extend(services.iter().map(|me| service(shape, build, *me, &services)));
    members.extend(
        (0..clients.len())
            .map(|index| Member::Client(Client::new(Arc::clone(&services), index, shape.patience))),
    );
    if shape.standby == Spare::One {
        members.push(Member::Standby(Standby::new()));
    }
    Topology { members, clients }
}

/// The database, whose standby would have that number.
fn database(shape: &Shape, build: Build, standby: u32) -> Server<Ledger, Record> {
    let (mut commit, mut recovery) = (Commit::Synchronous, Recovery::OwnDisk);
    if let Build::Sync(rules) = build {
        if !rules.synced_commit.is_taken() {
            commit = Commit::Asynchronous;
        }
        if !rules.own_disk_first.is_taken() {
            recovery = Recovery::TakeOver;
        }
    }
    let replication = Replication { standby: NodeId(standby), timer: DATABASE_STANDBY, recovery };
    Server::new(commit, DATABASE_RETRY).replicated(Some(replication).filter(|_| shape.standby == Spare::One))
}

fn service(shape: &Shape, build: Build, me: NodeId, services: &Arc<[NodeId]>) -> Member {
    let (limit, patience) = (RateLimit::new(shape.requests_max), shape.query_timeout);
    match build {
        Build::Sync(rules) => Member::Sync(sync::Service::new(rules, limit, DATABASE, patience)),
        Build::Rollup(rules) => {
            Member::Rollup(rollup::Service::new(rules, limit, shape.flush_every, DATABASE, patience))
        }
        Build::Dist(rules) => {
            let services = Arc::clone(services);
            let flush_every = shape.flush_every;
            let setup = dist::Setup { me, services, database: DATABASE, patience, flush_every };
            Member::Dist(dist::Service::new(rules, limit, setup))
        }
    }
}
