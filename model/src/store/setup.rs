//! What a store begins with: its lead time, whom it serves, and the versions on its disk.

use sim::node::{ClockInterval, NodeId};
use sim::time::Span;

use crate::config::message::{ConfigVersion, Kept, Record, Refusal};
use crate::config::rounds::RoundsSetup;
use crate::config::watchers::WatchersSetup;

/// How long before its start a version is committed, and what that time is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadTime {
    /// At least so long.
    pub lead: Span,
    /// For how long caches and processes together keep what the store said.
    pub ttl_sum: Span,
    /// How long an answer takes from the store to a process.
    pub delivery: Span,
    /// By how much each of the two clocks may be off.
    pub clock_bound: Span,
}

impl LeadTime {
    /// Whether every process can learn of a version before it starts: `lead >= ttl_sum + delivery + 2 clock_bound`.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.lead >= self.ttl_sum + self.delivery + self.clock_bound.times(2)
    }

    /// Why `version` must not be committed while true time is in `now`, if it must not.
    pub(super) fn refusal(&self, version: &ConfigVersion, now: ClockInterval) -> Option<Refusal> {
        if !self.is_enough() {
            return Some(Refusal::LeadTooShort);
        }
        (version.start_at < now.latest + self.lead).then_some(Refusal::TooSoon)
    }
}

/// How a store is set up.
#[derive(Clone, Debug)]
pub struct StoreSetup {
    /// The lead time.
    pub lead: LeadTime,
    /// What is committed from the beginning.
    pub initial: Vec<ConfigVersion>,
    /// What watchers get, if it can be watched.
    pub watchers: Option<WatchersSetup>,
    /// Who has to agree, if anybody has.
    pub rounds: Option<RoundsSetup>,
    /// Where everything is replicated to, if it is.
    pub standby: Option<NodeId>,
}

/// The versions among `records`, without those that were withdrawn.
pub(super) fn found<R: Kept>(records: &[R]) -> Vec<ConfigVersion> {
    let mut versions: Vec<ConfigVersion> = Vec::new();
    for record in records.iter().filter_map(Kept::config) {
        match record {
            Record::Version(version) => versions.push(version),
            Record::Withdrawn(number) => {
                versions.pop_if(|version| version.version == number);
            }
            Record::Mark(_) | Record::Format(_) => {}
        }
    }
    versions
}
