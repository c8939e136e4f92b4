//! How versions come from the store to processes: the ways there are, and what each asks of store, caches and processes.
//!
//! ```text
//!   Distribution ──store────► who is told, who must agree, which lead time is enough
//!                ──caches───► those between, if there are any
//!                ──delivery─► the part at each process
//! ```

use sim::node::NodeId;
use sim::time::Span;

use crate::cache::{Cache, Copying};
use crate::config::delivery::Delivery;
use crate::config::message::{ConfigVersion, Reading};
use crate::config::participant::{Participant, ParticipantSetup};
use crate::config::pull::{CacheSetup, PullSetup, Puller};
use crate::config::rounds::RoundsSetup;
use crate::config::rules::Rules;
use crate::config::watch::{BEATS_MISSED_MAX, WatchSetup, Watcher};
use crate::config::watchers::WatchersSetup;
use crate::store::{LeadTime, StoreSetup};

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

/// A way of delivering versions, and its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// The way.
    pub mode: Mode,
    /// Every version is published at least that long before its start.
    pub lead: Span,
    /// How long a process keeps what it read, or how often it hears that nothing has changed.
    pub poll_every: Span,
    /// How long an answer of the store takes to a process.
    pub delivery: Span,
    /// By how much a clock may be off.
    pub clock_bound: Span,
}

/// Where processes find the versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The store.
    pub store: NodeId,
    /// The first of the caches; the others follow it.
    pub first_cache: NodeId,
}

/// A naive process reads this seldom, whatever the lead time.
const NAIVE_POLL_EVERY: Span = Span::from_seconds(15);
/// A naive cache keeps its answers for so long, whatever the lead time.
const NAIVE_CACHE_TTL: Span = Span::from_seconds(30);

impl Distribution {
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

    /// The part at a process.
    #[must_use]
    pub fn delivery(&self, sources: Sources, rules: Rules) -> Delivery {
        let Sources { store, first_cache: primary } = sources;
        let poll_every = if rules.poll_within_lead.is_taken() { self.poll_every } else { NAIVE_POLL_EVERY };
        let pull = |cache| PullSetup { store, cache, lead: self.lead, poll_every };
        match self.mode {
            Mode::Pull => Delivery::Pull(Puller::new(rules, pull(None))),
            Mode::Cached { ttl, replica_lag } => {
                let ttl = if rules.cache_within_lead.is_taken() { ttl } else { NAIVE_CACHE_TTL };
                let reads = if replica_lag.is_some() { NodeId(primary.0 + 1) } else { primary };
                Delivery::Pull(Puller::new(rules, pull(Some(CacheSetup { primary, reads, ttl }))))
            }
            Mode::Push { .. } => {
                let setup = WatchSetup { store, lead: self.lead, beat_every: self.poll_every };
                Delivery::Push(Watcher::new(rules, setup))
            }
            Mode::TwoPhase { .. } => {
                let setup = ParticipantSetup { store, ask_every: self.poll_every };
                Delivery::TwoPhase(Participant::new(rules, setup))
            }
        }
    }

    /// What the store begins with, if it serves `processes`.
    #[must_use]
    pub fn store(
        &self,
        processes: &[NodeId],
        initial: Vec<ConfigVersion>,
        standby: Option<NodeId>,
    ) -> StoreSetup {
        let (mut watchers, mut rounds) = (None, None);
        match self.mode {
            Mode::Pull | Mode::Cached { .. } => {}
            Mode::Push { kept_count } => {
                watchers = Some(WatchersSetup { beat_every: self.poll_every, kept_count });
            }
            Mode::TwoPhase { prepare_within } => {
                rounds = Some(RoundsSetup { participants: processes.into(), prepare_within });
            }
        }
        let Self { lead, delivery, clock_bound, .. } = *self;
        let lead = LeadTime { lead, ttl_sum: self.ttl_sum(), delivery, clock_bound };
        StoreSetup { lead, initial, watchers, rounds, standby }
    }

    /// The cache and its replica, as far as there are any.
    #[must_use]
    pub fn caches(&self, sources: Sources) -> Vec<Cache<Reading>> {
        let Mode::Cached { replica_lag, .. } = self.mode else { return Vec::new() };
        let copying = replica_lag.map(|every| Copying { primary: sources.first_cache, every });
        let replica = copying.map(|copying| Cache::new(Some(copying)));
        [Cache::new(None)].into_iter().chain(replica).collect()
    }
}
