//! Observations to histories: one per object family, so that the checker needs nothing else.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `slots` | what clients asked of slots, and the journal's order as a witness | linearizable, sequential, admission |
//! | `entries` | what the journal acknowledged and each replica applied | no loss, exactly once, convergence |
//! | `overview` | what clients read from replicas | monotonic reads |
//! | `config` | versions, tasks, store reads | switch timing |
//!
//! A family that a world does not have (no clients, no tasks) is left out.

use model::capacity::Topology;
use model::message::Observation;
use sim::kernel::Observed;
use sim::time::Span;

use crate::scenario::{Scenario, System};

mod entries;
mod overview;
mod slots;
mod switches;

use checker::judge::Family;

pub(crate) use switches::initial_payload;

/// What a recorder needs to know besides the observations.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Who is who.
    pub topology: &'a Topology,
}

/// An observation in its place in the run.
pub type Seen = Observed<Observation>;

/// The histories of a run.
#[must_use]
pub fn record(setting: Setting<'_>, seen: &[Seen]) -> Vec<Family> {
    let config = switches::record(setting, seen);
    match setting.scenario.system {
        System::ConfigPull => vec![config.family],
        System::Capacity => vec![
            slots::record(setting, seen, &config),
            entries::record(setting, seen),
            overview::record(setting, seen),
            config.family,
        ],
    }
}

/// How many operations, tasks included, the run had, and how many after `from` were never answered.
#[must_use]
pub fn progress(seen: &[Seen], from: Span) -> Progress {
    let mut progress = Progress::default();
    let mut unanswered = std::collections::BTreeSet::new();
    for one in seen {
        match &one.observation {
            Observation::Invoked { request, .. } => {
                progress.operations += 1;
                if one.at.as_ns() >= from.as_ns() {
                    progress.late_count += 1;
                    unanswered.insert(*request);
                }
            }
            Observation::Returned { request, answer: Some(_), .. } => {
                unanswered.remove(request);
            }
            Observation::Task { used, batch: Some(_), .. } => {
                progress.operations += 1;
                let is_late = one.at.as_ns() >= from.as_ns();
                progress.late_count += u64::from(is_late && *used != model::message::Used::None);
            }
            _ => {}
        }
    }
    progress.unanswered_count = unanswered.len() as u64;
    progress
}

/// What [`progress`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Operations of the run.
    pub operations: u64,
    /// Those asked for late.
    pub late_count: u64,
    /// Those of them without an answer.
    pub unanswered_count: u64,
}
