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
use sim::time::{LocalTime, Span};

use self::delivery::Delivery;
use self::message::{ConfigVersion, Message, Observation, Payload, Reading, Record, Request};
use self::participant::{Participant, ParticipantSetup};
use self::pull::{CacheSetup, PullSetup, Puller};
use self::rounds::RoundsSetup;
use self::rules::Rules;
use self::standby::Standby;
use self::watch::{BEATS_MISSED_MAX, WatchSetup, Watcher};
use self::watchers::WatchersSetup;
use self::worker::Worker;
use crate::cache::{Cache, Copying};
use crate::ids::Version;
use crate::publisher::Publisher;
use crate::store::{LeadTime, Store, StoreSetup};

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
            Self::Cache(cache) => handle_cache(cache, input, context, fx),
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

fn handle_cache(
    cache: &mut Cache<Reading>,
    input: InputOf<Member>,
    context: &mut Context<'_>,
    fx: &mut Effects<Member>,
) {
    match input {
        Input::Start { .. } => cache.start(context, fx),
        Input::Message { from, message: Message::Cache(message) } => {
            cache.message(from, message, context, fx);
        }
        Input::Timer(_) => cache.timer(fx),
        Input::Message { .. } | Input::Request(_) | Input::Synced(_) | Input::SyncFailed(_) | Input::Stop => {
        }
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

/// How versions come to processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each reads the store.
    Pull,
    /// Each reads a cache.
    Cached {
        /// How long the cache keeps an answer.
        ttl: Span,
        /// How far a replica of the cache lags, if it is the replica that is read.
        replica_lag: Option<Span>,
    },
    /// The store tells those that watch.
    Push {
        /// How many versions a watch can go back.
        kept_count: usize,
    },
    /// Everybody agrees before a version counts.
    TwoPhase {
        /// How long agreeing may take.
        prepare_within: Span,
    },
}

/// How large a world of processes is, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How versions come to processes.
    pub mode: Mode,
    /// Processes that run tasks.
    pub worker_count: u32,
    /// What the version that is there from the beginning says, if there is one.
    pub initial: Option<Payload>,
    /// Every version is published at least that long before its start.
    pub lead: Span,
    /// How long a process keeps what it read, or how often it hears that nothing has changed.
    pub poll_every: Span,
    /// How long an answer of the store takes to a process.
    pub delivery: Span,
    /// By how much a clock may be off.
    pub clock_bound: Span,
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

/// A naive process reads this seldom, whatever the lead time.
const NAIVE_POLL_EVERY: Span = Span::from_seconds(15);
/// A naive cache keeps its answers for so long, whatever the lead time.
const NAIVE_CACHE_TTL: Span = Span::from_seconds(30);

const STORE: NodeId = NodeId(0);
const PUBLISHER: NodeId = NodeId(1);
const STANDBY: NodeId = NodeId(2);
const CACHE: NodeId = NodeId(3);
const REPLICA: NodeId = NodeId(4);

impl Shape {
    /// For how long what the store said is kept on its way, by cache, replica and process together.
    #[must_use]
    pub fn ttl_sum(&self) -> Span {
        match self.mode {
            Mode::Pull => self.poll_every,
            Mode::Cached { ttl, replica_lag } => self.poll_every + ttl + replica_lag.unwrap_or(Span::ZERO),
            // A process that has missed a version hears so with the next heartbeat, or hears nothing for that long.
            Mode::Push { .. } => self.poll_every.times(BEATS_MISSED_MAX),
            // Nobody keeps anything: a participant is asked.
            Mode::TwoPhase { .. } => Span::ZERO,
        }
    }

    /// The first worker's number.
    fn first_worker(&self) -> u32 {
        match self.mode {
            Mode::Cached { replica_lag: Some(_), .. } => 5,
            Mode::Cached { replica_lag: None, .. } => 4,
            Mode::Pull | Mode::Push { .. } | Mode::TwoPhase { .. } => 3,
        }
    }

    fn delivery(&self, rules: Rules) -> Delivery {
        let poll_every = if rules.poll_within_lead.is_taken() { self.poll_every } else { NAIVE_POLL_EVERY };
        let pull = |cache| PullSetup { store: STORE, cache, lead: self.lead, poll_every };
        match self.mode {
            Mode::Pull => Delivery::Pull(Puller::new(rules, pull(None))),
            Mode::Cached { ttl, replica_lag } => {
                let ttl = if rules.cache_within_lead.is_taken() { ttl } else { NAIVE_CACHE_TTL };
                let reads = if replica_lag.is_some() { REPLICA } else { CACHE };
                Delivery::Pull(Puller::new(rules, pull(Some(CacheSetup { primary: CACHE, reads, ttl }))))
            }
            Mode::Push { .. } => {
                let setup = WatchSetup { store: STORE, lead: self.lead, beat_every: self.poll_every };
                Delivery::Push(Watcher::new(rules, setup))
            }
            Mode::TwoPhase { .. } => {
                let setup = ParticipantSetup { store: STORE, ask_every: self.poll_every };
                Delivery::TwoPhase(Participant::new(rules, setup))
            }
        }
    }

    fn store(&self, workers: &[NodeId], initial: Vec<ConfigVersion>) -> StoreSetup {
        let (mut watchers, mut rounds) = (None, None);
        match self.mode {
            Mode::Pull | Mode::Cached { .. } => {}
            Mode::Push { kept_count } => {
                watchers = Some(WatchersSetup { beat_every: self.poll_every, kept_count });
            }
            Mode::TwoPhase { prepare_within } => {
                rounds = Some(RoundsSetup { participants: workers.into(), prepare_within });
            }
        }
        let Self { lead, delivery, clock_bound, .. } = *self;
        let lead = LeadTime { lead, ttl_sum: self.ttl_sum(), delivery, clock_bound };
        StoreSetup { lead, initial, watchers, rounds, standby: Some(STANDBY) }
    }

    fn caches(&self) -> Vec<Member> {
        let Mode::Cached { replica_lag, .. } = self.mode else { return Vec::new() };
        let copying = replica_lag.map(|every| Copying { primary: CACHE, every });
        let replica = copying.map(|copying| Member::Cache(Cache::new(Some(copying))));
        [Member::Cache(Cache::new(None))].into_iter().chain(replica).collect()
    }
}

/// Builds a world of `shape`.
#[must_use]
pub fn build(shape: &Shape, rules: Rules) -> World {
    let first = shape.first_worker();
    let workers: Vec<_> = (first..first + shape.worker_count).map(NodeId).collect();
    let initial: Vec<_> = shape.initial.map(first_version).into_iter().collect();
    let last = Version(u32::from(!initial.is_empty()));
    let mut members = vec![
        Member::Store(Store::new(rules, shape.store(&workers, initial.clone()))),
        Member::Publisher(Publisher::new(STORE, shape.lead, last)),
        Member::Standby(Standby::new(&initial)),
    ];
    members.extend(shape.caches());
    assert_eq!(members.len(), first as usize, "workers come last");
    members.extend(workers.iter().map(|_| Member::Worker(Worker::new(rules, shape.delivery(rules)))));
    World { members, publisher: PUBLISHER, workers }
}

/// The version that a world begins with.
#[must_use]
pub const fn first_version(payload: Payload) -> ConfigVersion {
    ConfigVersion { version: Version(1), start_at: LocalTime::ZERO, payload }
}
