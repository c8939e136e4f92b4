//! Did every process switch to each configuration version at its instant, and only then?
//!
//! ```text
//!   true time ────┬──────────── start 1 ─────────────── start 2 ──────────►
//!   tasks         │ none may run │ only version 1        │ only version 2
//!                 └ publication 1 committed        └ publication 2 committed
//! ```
//!
//! Judged from the publications and from true time, never from what a node claims about itself.
//!
//! Assumes:
//! - Instants named `at_ns`, `start_ns` and `committed_ns` are true time. From the very instant of a start
//!   on, the new version is the right one; a version committed after its start counts from its commit.
//! - Publications are all that the store committed. A version that comes after a newer one never applies.
//! - The tasks of a node stand in the order in which it ran them where their instants are equal; tasks
//!   that were refused are on record too.
//! - Clocks are uncertain. Where the promise is [strict](PromiseKind::Strict), a task is judged only if its
//!   clock interval held true time; where it is [within epsilon](PromiseKind::Epsilon), only if its clock
//!   was off by no more than that, and then either version is right within epsilon of a start. Every
//!   other task is an excursion, *assumption broken*: counted in the report, excused from the rules on
//!   timing, but not from going back (b) or running under what nobody has committed (d).
//! - Store reads are on record as of the instant at which the store looked.
//! - After `healed_ns` there were no more faults; without it, convergence (e) is not asked for.

mod report;
mod rules;
mod words;

use serde::{Deserialize, Serialize};

pub(crate) use words::figures;

pub use report::{MixedWindow, Moment, NodeSwitch, SwitchReport};

use crate::verdict::Verdict;

/// What was published and what every task used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchHistory {
    /// Committed versions; versions and starts increase.
    pub publications: Vec<Publication>,
    /// Every task that was started or refused.
    pub tasks: Vec<Task>,
    /// When each node first worked under a version.
    pub adoptions: Vec<Adoption>,
    /// When the store answered a read of each node.
    pub store_reads: Vec<StoreRead>,
    /// What was asked of the store and of a cache before it, if that is known.
    pub load: Option<Load>,
    /// True time in ns from which there were no more faults.
    pub healed_ns: Option<u64>,
    /// True time in ns at which the run ended.
    pub ended_ns: u64,
}

/// One configuration version, as the store committed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its number.
    pub version: u64,
    /// From when it applies, in true ns; may lie before the run.
    pub start_ns: i64,
    /// True time of the commit, in ns.
    pub committed_ns: u64,
}

/// One task, or one entry of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Which node ran it.
    pub node: u32,
    /// True time of its start, in ns.
    pub at_ns: u64,
    /// What the node's wall clock showed.
    pub local_ns: i64,
    /// The earliest that true time could be, by the node's clock.
    pub earliest_ns: i64,
    /// The latest that true time could be, by the node's clock.
    pub latest_ns: i64,
    /// Which version it used.
    pub used: Use,
    /// The batch it belongs to, if any.
    pub batch: Option<BatchEntry>,
}

/// What a task worked under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Use {
    /// One version, or the stricter of two while the node's clock interval held a start.
    Version {
        /// The older one.
        oldest: u64,
        /// The newer one; mostly the same.
        newest: u64,
    },
    /// Nothing: the node refused.
    Refused,
}

/// The place of an entry in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEntry {
    /// Which batch.
    pub batch: u64,
    /// Which entry, from 0.
    pub entry: u32,
    /// True time at which the batch began, in ns.
    pub began_ns: u64,
}

/// A node began to work under a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// Which node.
    pub node: u32,
    /// Which version.
    pub version: u64,
    /// True time, in ns.
    pub at_ns: u64,
    /// What its wall clock showed.
    pub local_ns: i64,
}

/// The store answered a read of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreRead {
    /// Which node.
    pub node: u32,
    /// True time at which the store looked, in ns.
    pub at_ns: u64,
}

/// How often store and cache were asked, and how far a replica of the cache lagged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// Reads of the store, heartbeats to its watchers included.
    pub store_reads_count: u64,
    /// Reads of the cache that found an answer.
    pub cache_hits_count: u64,
    /// Reads of the cache that found none.
    pub cache_misses_count: u64,
    /// The age of the oldest copy that the replica served from, in ns; 0 if there is none.
    pub replica_lag_ns_max: u64,
}

/// What a delivery of configurations promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// How exact the switch is.
    pub kind: PromiseKind,
    /// By how much a version is committed before it starts, at least.
    pub lead_ns: u64,
    /// How long after healing every node works under the newest version, at most.
    pub converge_within_ns: u64,
}

/// How exact the switch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromiseKind {
    /// In true time.
    Strict,
    /// To within the clock error, as long as every clock is within it.
    Epsilon {
        /// The clock error allowed for.
        epsilon_ns: u64,
    },
}

impl PromiseKind {
    /// How far from the true start a switch may lie.
    pub fn tolerance_ns(&self) -> u64 {
        match self {
            Self::Strict => 0,
            Self::Epsilon { epsilon_ns } => *epsilon_ns,
        }
    }
}

impl Task {
    /// By how much the node's clock is off, in ns.
    pub fn clock_error_ns(&self) -> u64 {
        (i128::from(self.local_ns) - i128::from(self.at_ns)).unsigned_abs().try_into().unwrap_or(u64::MAX)
    }
}

/// What was found about a switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SwitchJudgement {
    /// The six rules, by the names of their checks.
    pub rules: [(&'static str, Verdict); 6],
    /// What can be counted.
    pub report: SwitchReport,
}

/// Judges the six rules of a switch, and counts.
pub fn switch_timing(history: &SwitchHistory, promise: &Promise) -> SwitchJudgement {
    let case = rules::Case::new(history, promise);
    SwitchJudgement {
        rules: [
            ("switch-a", case.each_task_used_the_version_of_its_instant()),
            ("switch-b", case.no_node_went_back()),
            ("switch-c", case.each_version_was_verified()),
            ("switch-d", case.nothing_ran_unconfigured()),
            ("switch-e", case.every_node_converged()),
            ("switch-f", case.each_entry_was_judged_by_itself()),
        ],
        report: report::report(&case),
    }
}

#[cfg(test)]
mod tests;
