//! The capacity service: all parts at once, and the worlds made of some of them.

pub mod rules;

use std::sync::Arc;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::Span;

use self::rules::Rules;
use crate::cache::Cache;
use crate::chooser::{Chooser, ChooserSetup};
use crate::client::{Client, Patience};
use crate::config::distribution::{Distribution, Sources};
use crate::config::first_version;
use crate::config::message::{Message as ConfigMessage, Payload, Reading};
use crate::counter::decider::Deciding;
use crate::counter::kinds::Kinds;
use crate::ids::Version;
use crate::message::{Call, Message, Observation, Record, Request};
use crate::publisher::Publisher;
use crate::replication::consensus::pace::Pace;
use crate::replication::consensus::replica::{Replica as LogReplica, ReplicaSetup as LogSetup};
use crate::replication::decided_log::DecidedLog;
use crate::replication::log::Log;
use crate::replication::log_nodes::LogNodes;
use crate::service::{Service, ServiceSetup};
use crate::store::Store;

/// A node of a log on several nodes makes a snapshot of the log after so many commands.
const SNAPSHOT_EVERY: usize = 1_000;

/// The effects of a member.
pub type Fx = Effects<Member>;

/// One node of a world, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// The configuration's store.
    Store(Store<Record>),
    /// The journal, on one node.
    Log(Log),
    /// One of several nodes of the journal.
    LogReplica(Box<LogReplica<DecidedLog>>),
    /// A service node.
    Service(Service),
    /// A client.
    Client(Client<Call>),
    /// The publisher of versions.
    Publisher(Publisher),
    /// A cache of the configuration, or its replica.
    Cache(Cache<Reading>),
    /// The slot chooser.
    Chooser(Box<Chooser>),
}

impl Member {
    /// Its role, in a word.
    #[must_use]
    pub const fn role(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Log(_) | Self::LogReplica(_) => "log",
            Self::Service(_) => "service",
            Self::Client(_) => "client",
            Self::Publisher(_) => "publisher",
            Self::Cache(_) => "cache",
            Self::Chooser(_) => "chooser",
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
            Self::Store(store) => handle_store(store, input, context, fx),
            Self::Log(log) => handle_log(log, input, context, fx),
            Self::LogReplica(log) => {
                if matches!(input, Input::Start { .. }) {
                    fx.observe(Observation::Started);
                }
                log.handle(input, context, fx);
            }
            Self::Service(service) => handle_service(service, input, context, fx),
            Self::Client(client) => {
                let answered = |message| match message {
                    Message::Answer(reply) => Some(reply),
                    _ => None,
                };
                client.handle(input, answered, context, fx);
            }
            Self::Publisher(publisher) => handle_publisher(publisher, input, context, fx),
            Self::Cache(cache) => {
                let cached = |message| match message {
                    Message::Config(ConfigMessage::Cache(message)) => Some(message),
                    _ => None,
                };
                cache.handle(input, cached, context, fx);
            }
            Self::Chooser(chooser) => handle_chooser(chooser, input, context, fx),
        }
    }
}

fn handle_store(store: &mut Store<Record>, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => store.start(&disk, context, fx),
        Input::Message { from, message: Message::Config(message) } => {
            store.message(from, &message, context, fx);
        }
        Input::Timer(key) => store.timer(key, context, fx),
        Input::Synced(token) => store.synced(token, context, fx),
        Input::SyncFailed(token) => store.sync_failed(token, fx),
        Input::Message { .. } | Input::Request(_) | Input::Stop => {}
    }
}

fn handle_log(log: &mut Log, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => log.start(&disk, context, fx),
        Input::Message { from, message } => log.message(from, &message, fx),
        Input::Timer(key) => log.timer(key, fx),
        Input::Synced(token) => log.synced(token, fx),
        Input::SyncFailed(token) => log.sync_failed(token, fx),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_service(service: &mut Service, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { disk } => service.start(&disk, context, fx),
        Input::Message { from, message } => service.message(from, message, context, fx),
        Input::Timer(_) => service.timer(context, fx),
        Input::Synced(token) => service.synced(token, context, fx),
        Input::SyncFailed(token) => service.sync_failed(token),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_publisher(publisher: &mut Publisher, input: InputOf<Member>, context: &Context<'_>, fx: &mut Fx) {
    match input {
        Input::Request(Request::Publish { payload, slack }) => publisher.request(payload, slack, context, fx),
        Input::Message { message: Message::Config(message), .. } => publisher.message(&message, context, fx),
        Input::Timer(_) => publisher.timer(context, fx),
        Input::Request(Request::Operation(_))
        | Input::Message { .. }
        | Input::Start { .. }
        | Input::Synced(_)
        | Input::SyncFailed(_)
        | Input::Stop => {}
    }
}

fn handle_chooser(chooser: &mut Chooser, input: InputOf<Member>, context: &mut Context<'_>, fx: &mut Fx) {
    match input {
        Input::Start { .. } => chooser.start(context, fx),
        Input::Message { from, message } => chooser.message(from, &message, context, fx),
        Input::Timer(_) => chooser.timer(context, fx),
        Input::Synced(_) | Input::SyncFailed(_) | Input::Request(_) | Input::Stop => {}
    }
}

/// How large a world is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Service nodes.
    pub service_count: u32,
    /// Clients of the service nodes.
    pub client_count: u32,
    /// Slots of the service.
    pub slot_count: u32,
    /// What each of them has, and whom it serves.
    pub kinds: Kinds,
    /// What the version that is there from the beginning says, if there is one.
    pub initial: Option<Payload>,
    /// How versions come to the service nodes.
    pub distribution: Distribution,
    /// Who decides about slots.
    pub deciding: Deciding,
    /// An owner tells the journal what a slot holds after so many durable events; 0 is never.
    pub snapshot_every: u32,
    /// Nodes of the journal: one that is durable, or several that decide by majority.
    pub log_count: u32,
    /// How long those wait for one another.
    pub log_pace: Pace,
    /// There is a slot chooser, which begins that long after the start.
    pub chooser_after: Option<Span>,
    /// How patient clients are.
    pub patience: Patience,
}

/// Who is who, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The nodes.
    pub members: Vec<Member>,
    /// The service nodes' numbers.
    pub services: Arc<[NodeId]>,
    /// The clients' numbers.
    pub clients: Vec<NodeId>,
    /// The store's number.
    pub store: NodeId,
    /// The numbers of the log's nodes.
    pub logs: Arc<[NodeId]>,
    /// The publisher's number.
    pub publisher: NodeId,
}

/// Builds a world of `shape`: store, log, publisher, then service nodes and clients, and at last the caches of the
/// configuration, the other nodes of the log and the slot chooser, so that a choice of parts gives nobody else another
/// number.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> Topology {
    let (store, publisher) = (NodeId(0), NodeId(2));
    let services: Arc<[NodeId]> = (3..3 + shape.service_count).map(NodeId).collect();
    let first_client = 3 + shape.service_count;
    let first_cache = NodeId(first_client + shape.client_count);
    let clients: Vec<_> = (first_client..first_cache.0).map(NodeId).collect();

    let distribution = &shape.distribution;
    let sources = Sources { store, first_cache };
    let caches = distribution.caches(sources);
    let logs = logs(shape.log_count, NodeId(first_cache.0 + caches.len() as u32));
    let chooser = shape.chooser_after.map(|_| NodeId(first_cache.0 + (caches.len() + logs.len() - 1) as u32));
    let initial: Vec<_> = shape.initial.map(first_version).into_iter().collect();
    let last = Version(u32::from(!initial.is_empty()));

    let mut members = vec![
        Member::Store(Store::new(rules.config(), distribution.store(&services, initial, None))),
        log(&logs, 0, shape.log_pace, rules),
        Member::Publisher(Publisher::new(store, distribution.lead, last)),
    ];
    members.extend(services.iter().map(|me| {
        let services = Arc::clone(&services);
        let Shape { slot_count, kinds, deciding, snapshot_every, .. } = *shape;
        let logs = Arc::clone(&logs);
        let setup =
            ServiceSetup { me: *me, services, logs, slot_count, kinds, deciding, snapshot_every, chooser };
        Member::Service(Service::new(rules, &setup, distribution.delivery(sources, rules.config())))
    }));
    members.extend(
        (0..clients.len())
            .map(|index| Member::Client(Client::new(Arc::clone(&services), index, shape.patience))),
    );
    members.extend(caches.into_iter().map(Member::Cache));
    members.extend((1..logs.len()).map(|index| log(&logs, index, shape.log_pace, rules)));
    members.extend(chooser.zip(shape.chooser_after).map(|(me, after)| {
        let setup = ChooserSetup { after, slot_count: shape.slot_count, kinds: shape.kinds };
        Member::Chooser(Box::new(Chooser::new(rules, LogNodes::new(Arc::clone(&logs), me), setup)))
    }));
    Topology { members, services, clients, store, logs, publisher }
}

/// The numbers of so many nodes of the log: the first has its place, the others those from `others_from` on.
fn logs(count: u32, others_from: NodeId) -> Arc<[NodeId]> {
    let others = (0..count.saturating_sub(1)).map(|index| NodeId(others_from.0 + index));
    core::iter::once(NodeId(1)).chain(others).collect()
}

/// One node of the log.
fn log(nodes: &Arc<[NodeId]>, index: usize, pace: Pace, rules: Rules) -> Member {
    let me = nodes[index];
    if nodes.len() == 1 {
        return Member::Log(Log::new(rules));
    }
    let setup = LogSetup {
        me,
        nodes: Arc::clone(nodes),
        snapshot_every: SNAPSHOT_EVERY,
        pace,
        durable_before_send: rules.sync_before_answer,
    };
    Member::LogReplica(Box::new(LogReplica::new(DecidedLog::new(rules, me), setup)))
}
