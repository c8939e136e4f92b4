//! Scheduled configuration: who holds which version, and when it may be used; and the worlds of processes that work under one.
//!
//! ```text
//!   Publisher ─publish─► Store ──────────replicate──────────► Standby
//!                         │  ▲ │                                       pull        worker reads the store
//!                         │  │ └─versions, heartbeats─► Worker         cached      through a cache
//!                         │  └─read, agree───────────── Worker         push        the store tells its watchers
//!                         └─versions─► Worker ◄──► Cache ──► replica   two-phase   all agree before a version counts
//! ```

pub mod delivery;
pub mod distribution;
pub mod message;
pub mod participant;
pub mod pull;
pub mod rounds;
pub mod rules;
pub mod standby;
pub mod switch;
pub mod watch;
pub mod watchers;
pub mod worker;

use sim::node::{Context, Effects, Input, InputOf, Node, NodeId};
use sim::time::LocalTime;

use self::distribution::{Distribution, Sources};
use self::message::{ConfigVersion, Message, Observation, Payload, Reading, Record, Request};
use self::rules::Rules;
use self::standby::Standby;
use self::worker::Worker;
use crate::cache::Cache;
use crate::ids::Version;
use crate::publisher::Publisher;
use crate::store::Store;

/// One node of a world of processes, in its role.
#[derive(Clone, Debug)]
pub enum Member {
    /// The configuration's store.
    Store(Store<Record>),
    /// Its standby.
    Standby(Standby),
    /// The publisher of versions.
    Publisher(Publisher),
    /// A cache, or its replica.
    Cache(Cache<Reading>),
    /// A process that runs tasks.
    Worker(Worker),
}

impl Node for Member {
    type Message = Message;
    type Request = Request;
    type Record = Record;
    type Observation = Observation;

    fn handle(&mut self, input: InputOf<Self>, context: &mut Context<'_>, fx: &mut Effects<Self>) {
        match self {
            Self::Store(store) => handle_store(store, input, context, fx),
            Self::Standby(standby) => {
                if let Input::Message { from, message } = input {
                    standby.message(from, &message, fx);
                }
            }
            Self::Publisher(publisher) => handle_publisher(publisher, input, context, fx),
            Self::Cache(cache) => {
                let cached = |message| match message {
                    Message::Cache(message) => Some(message),
                    _ => None,
                };
                cache.handle(input, cached, context, fx);
            }
            Self::Worker(worker) => handle_worker(worker, input, context, fx),
        }
    }
}

fn handle_store(
    store: &mut Store<Record>,
    input: InputOf<Member>,
    context: &mut Context<'_>,
    fx: &mut Effects<Member>,
) {
    match input {
        Input::Start { disk } => store.start(&disk, context, fx),
        Input::Message { from, message } => store.message(from, &message, context, fx),
        Input::Timer(key) => store.timer(key, context, fx),
        Input::Synced(token) => store.synced(token, context, fx),
        Input::SyncFailed(token) => store.sync_failed(token, fx),
        Input::Request(_) | Input::Stop => {}
    }
}

fn handle_publisher(
    publisher: &mut Publisher,
    input: InputOf<Member>,
    context: &Context<'_>,
    fx: &mut Effects<Member>,
) {
    match input {
        Input::Request(Request::Publish { payload, slack }) => publisher.request(payload, slack, context, fx),
        Input::Message { message, .. } => publisher.message(&message, context, fx),
        Input::Timer(_) => publisher.timer(context, fx),
        Input::Request(Request::Batch { .. })
        | Input::Start { .. }
        | Input::Synced(_)
        | Input::SyncFailed(_)
        | Input::Stop => {}
    }
}

fn handle_worker(
    worker: &mut Worker,
    input: InputOf<Member>,
    context: &mut Context<'_>,
    fx: &mut Effects<Member>,
) {
    match input {
        Input::Start { disk } => worker.start(&disk, context, fx),
        Input::Request(Request::Batch { tasks }) => worker.request(tasks, context, fx),
        Input::Message { message, .. } => worker.message(&message, context, fx),
        Input::Timer(key) => worker.timer(key, context, fx),
        Input::Synced(token) => worker.synced(token),
        Input::SyncFailed(token) => worker.sync_failed(token),
        Input::Request(Request::Publish { .. }) | Input::Stop => {}
    }
}

/// How large a world of processes is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How versions come to processes.
    pub distribution: Distribution,
    /// Processes that run tasks.
    pub worker_count: u32,
    /// What the version that is there from the beginning says, if there is one.
    pub initial: Option<Payload>,
}

/// Who is who, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct World {
    /// The nodes: store, publisher, standby, then the cache and its replica where there are any, then the workers.
    pub members: Vec<Member>,
    /// The publisher's number.
    pub publisher: NodeId,
    /// The workers' numbers.
    pub workers: Vec<NodeId>,
}

const STORE: NodeId = NodeId(0);
const PUBLISHER: NodeId = NodeId(1);
const STANDBY: NodeId = NodeId(2);
const CACHE: NodeId = NodeId(3);

/// Builds a world of `shape`.
///
/// # Panics
/// Never: who comes before the workers is counted before they are numbered.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> World {
    let Shape { distribution, .. } = shape;
    let sources = Sources { store: STORE, first_cache: CACHE };
    let caches = distribution.caches(sources);
    let first = CACHE.0 + u32::try_from(caches.len()).expect("there are two caches at most");
    let workers: Vec<_> = (first..first + shape.worker_count).map(NodeId).collect();
    let initial: Vec<_> = shape.initial.map(first_version).into_iter().collect();
    let last = Version(u32::from(!initial.is_empty()));
    let store = distribution.store(&workers, initial.clone(), Some(STANDBY));
    let mut members = vec![
        Member::Store(Store::new(rules, store)),
        Member::Publisher(Publisher::new(STORE, distribution.lead, last)),
        Member::Standby(Standby::new(&initial)),
    ];
    members.extend(caches.into_iter().map(Member::Cache));
    assert_eq!(members.len(), first as usize, "workers come last");
    let worker = |_: &NodeId| Member::Worker(Worker::new(rules, distribution.delivery(sources, rules)));
    members.extend(workers.iter().map(worker));
    World { members, publisher: PUBLISHER, workers }
}

/// The version that a world begins with.
#[must_use]
pub const fn first_version(payload: Payload) -> ConfigVersion {
    ConfigVersion { version: Version(1), start_at: LocalTime::ZERO, payload }
}
