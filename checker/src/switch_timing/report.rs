//! The figures of a switch: when each node switched, how long old and new ran side by side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::{Case, signed};
use super::{SwitchHistory, Use};

/// What can be counted about a switch, whatever the verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchReport {
    /// The first adoption of each version by each node, by version, then node.
    pub switches: Vec<NodeSwitch>,
    /// One for each version, in order.
    pub windows: Vec<MixedWindow>,
    /// Tasks that ran.
    pub tasks_count: usize,
    /// Tasks that ran under a version that was wrong at their instant, beyond the tolerance.
    pub wrong_count: usize,
    /// Tasks that nodes refused.
    pub refused_count: usize,
    /// Tasks at which a clock was off by more than the promise assumes: assumption broken.
    pub excursions_count: usize,
    /// The largest clock error at any task, in ns.
    pub clock_error_ns_max: u64,
}

/// When a node began to work under a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSwitch {
    /// Which version.
    pub version: u64,
    /// Which node.
    pub node: u32,
    /// True time, in ns.
    pub at_ns: u64,
    /// What its wall clock showed, in ns.
    pub local_ns: i64,
    /// True time minus the start of the version, in ns: negative is early.
    pub after_start_ns: i64,
}

/// How long tasks on older versions ran after the first task on a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixedWindow {
    /// Which version.
    pub version: u64,
    /// When it should start, in true ns.
    pub start_ns: i64,
    /// True time of the first task on it or on a newer one, in ns.
    pub first_new_ns: Option<u64>,
    /// True time of the last task on an older one, in ns.
    pub last_old_ns: Option<u64>,
    /// From the first on the new to the last on the old, in ns; 0 if they do not overlap.
    pub mixed_ns: u64,
    /// Between the first and the last node to adopt it, in ns.
    pub skew_ns: u64,
}

/// The figures of a history.
pub(super) fn report(case: &Case<'_>) -> SwitchReport {
    let history = case.history();
    let switches = switches(history);
    SwitchReport {
        windows: windows(history, &switches, case),
        switches,
        tasks_count: case.work().count(),
        wrong_count: case.wrong_count(),
        refused_count: history.tasks.iter().filter(|task| task.used == Use::Refused).count(),
        excursions_count: history.tasks.iter().filter(|task| !case.is_clock_trusted(task)).count(),
        clock_error_ns_max: history.tasks.iter().map(|task| task.clock_error_ns()).max().unwrap_or(0),
    }
}

fn switches(history: &SwitchHistory) -> Vec<NodeSwitch> {
    let starts: BTreeMap<u64, i64> =
        history.publications.iter().map(|publication| (publication.version, publication.start_ns)).collect();
    let mut first: BTreeMap<(u64, u32), NodeSwitch> = BTreeMap::new();
    for adoption in &history.adoptions {
        let start_ns = starts.get(&adoption.version).copied().unwrap_or(signed(adoption.at_ns));
        let switch = NodeSwitch {
            version: adoption.version,
            node: adoption.node,
            at_ns: adoption.at_ns,
            local_ns: adoption.local_ns,
            after_start_ns: signed(adoption.at_ns).saturating_sub(start_ns),
        };
        let earliest = first.entry((adoption.version, adoption.node)).or_insert(switch);
        if switch.at_ns < earliest.at_ns {
            *earliest = switch;
        }
    }
    first.into_values().collect()
}

/// The windows, by version; a task on two versions at once counts for neither side.
fn windows(history: &SwitchHistory, switches: &[NodeSwitch], case: &Case<'_>) -> Vec<MixedWindow> {
    let mut windows: Vec<MixedWindow> = history
        .publications
        .iter()
        .map(|publication| MixedWindow {
            version: publication.version,
            start_ns: publication.start_ns,
            first_new_ns: None,
            last_old_ns: None,
            mixed_ns: 0,
            skew_ns: skew(switches, publication.version),
        })
        .collect();
    windows.sort_unstable_by_key(|window| window.version);
    let mut first_on: BTreeMap<u64, u64> = BTreeMap::new();
    let mut last_on: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, task, oldest, newest) in case.work() {
        first_on.entry(oldest).and_modify(|at| *at = task.at_ns.min(*at)).or_insert(task.at_ns);
        last_on.entry(newest).and_modify(|at| *at = task.at_ns.max(*at)).or_insert(task.at_ns);
    }
    for window in &mut windows {
        window.first_new_ns = first_on.range(window.version..).map(|(_, at)| *at).min();
        window.last_old_ns = last_on.range(..window.version).map(|(_, at)| *at).max();
        if let (Some(first), Some(last)) = (window.first_new_ns, window.last_old_ns) {
            window.mixed_ns = last.saturating_sub(first);
        }
    }
    windows
}

/// Between the first and the last node to adopt a version.
fn skew(switches: &[NodeSwitch], version: u64) -> u64 {
    let instants = || switches.iter().filter(|switch| switch.version == version).map(|switch| switch.at_ns);
    match (instants().min(), instants().max()) {
        (Some(first), Some(last)) => last - first,
        (None, _) | (_, None) => 0,
    }
}
