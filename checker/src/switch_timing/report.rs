//! The figures of a switch: when each node switched, how long old and new ran side by side.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::rules::{Case, signed};
use super::{Publication, SwitchHistory, Use};

/// What can be counted about a switch, whatever the verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchReport {
    /// Each version at each node that came to it, by version, then node.
    pub switches: Vec<NodeSwitch>,
    /// One for each version, in order.
    pub windows: Vec<MixedWindow>,
    /// Tasks that ran.
    pub tasks_count: usize,
    /// Tasks that ran under a version that was wrong at their instant, beyond the tolerance, whether
    /// or not their clock was as assumed.
    pub wrong_count: usize,
    /// Tasks that nodes refused.
    pub refused_count: usize,
    /// Tasks, refused ones included, at which the clock was not as the promise assumes, outside its
    /// own interval or off by more than epsilon: assumption broken.
    pub excursions_count: usize,
    /// The largest clock error at any task, in ns.
    pub clock_error_ns_max: u64,
}

/// When a node went over to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeSwitch {
    /// Which version.
    pub version: u64,
    /// Which node.
    pub node: u32,
    /// When it first said that it works under it.
    pub adopted: Option<Moment>,
    /// When it first ran a task under it and nothing older.
    pub first_task: Option<Moment>,
    /// True time of the earlier of the two, minus the start of the version, in ns: negative is early.
    pub after_start_ns: i64,
}

/// One instant, as it was and as a node saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// True time, in ns.
    pub at_ns: u64,
    /// What the node's wall clock showed, in ns.
    pub local_ns: i64,
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
    /// From its commit to the last node's first adoption, in ns; none if no node adopted it.
    pub propagation_ns: Option<u64>,
}

/// The figures of a history.
pub(super) fn report(case: &Case<'_>) -> SwitchReport {
    let history = case.history();
    let switches = switches(case);
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

fn switches(case: &Case<'_>) -> Vec<NodeSwitch> {
    let history = case.history();
    let mut adopted = Moments::default();
    for one in &history.adoptions {
        earliest(&mut adopted, (one.version, one.node), Moment { at_ns: one.at_ns, local_ns: one.local_ns });
    }
    let mut worked = Moments::default();
    for (_, task, oldest, _) in case.work() {
        earliest(&mut worked, (oldest, task.node), Moment { at_ns: task.at_ns, local_ns: task.local_ns });
    }
    let starts: BTreeMap<u64, i64> =
        history.publications.iter().map(|publication| (publication.version, publication.start_ns)).collect();
    let both: BTreeSet<(u64, u32)> = adopted.keys().chain(worked.keys()).copied().collect();
    both.into_iter()
        .map(|(version, node)| {
            let adopted = adopted.get(&(version, node)).copied();
            let first_task = worked.get(&(version, node)).copied();
            let first_ns =
                signed(adopted.into_iter().chain(first_task).map(|one| one.at_ns).min().unwrap_or(0));
            let start_ns = starts.get(&version).copied().unwrap_or(first_ns);
            let after_start_ns = first_ns.saturating_sub(start_ns);
            NodeSwitch { version, node, adopted, first_task, after_start_ns }
        })
        .collect()
}

/// The first moment of each version at each node.
type Moments = HashMap<(u64, u32), Moment, FxBuildHasher>;

fn earliest(moments: &mut Moments, key: (u64, u32), moment: Moment) {
    let first = moments.entry(key).or_insert(moment);
    *first = moment.min(*first);
}

/// The windows, by version; a task on two versions at once counts for neither side.
fn windows(history: &SwitchHistory, switches: &[NodeSwitch], case: &Case<'_>) -> Vec<MixedWindow> {
    let mut windows: Vec<MixedWindow> = history
        .publications
        .iter()
        .map(|publication| {
            let (skew_ns, propagation_ns) = spread(switches, publication);
            MixedWindow {
                version: publication.version,
                start_ns: publication.start_ns,
                first_new_ns: None,
                last_old_ns: None,
                mixed_ns: 0,
                skew_ns,
                propagation_ns,
            }
        })
        .collect();
    windows.sort_unstable_by_key(|window| window.version);
    let mut first_on: HashMap<u64, u64, FxBuildHasher> = HashMap::default();
    let mut last_on: HashMap<u64, u64, FxBuildHasher> = HashMap::default();
    for (_, task, oldest, newest) in case.work() {
        first_on.entry(oldest).and_modify(|at| *at = task.at_ns.min(*at)).or_insert(task.at_ns);
        last_on.entry(newest).and_modify(|at| *at = task.at_ns.max(*at)).or_insert(task.at_ns);
    }
    let (first_on, last_on) = (by_version(first_on), by_version(last_on));
    for window in &mut windows {
        window.first_new_ns = first_on.range(window.version..).map(|(_, at)| *at).min();
        window.last_old_ns = last_on.range(..window.version).map(|(_, at)| *at).max();
        if let (Some(first), Some(last)) = (window.first_new_ns, window.last_old_ns) {
            window.mixed_ns = last.saturating_sub(first);
        }
    }
    windows
}

fn by_version(instants: HashMap<u64, u64, FxBuildHasher>) -> BTreeMap<u64, u64> {
    instants.into_iter().collect()
}

/// Between the first and the last node to adopt a version, and from its commit to the last.
fn spread(switches: &[NodeSwitch], publication: &Publication) -> (u64, Option<u64>) {
    let first = switches.partition_point(|switch| switch.version < publication.version);
    let of_version = switches[first..].iter().take_while(|switch| switch.version == publication.version);
    let instants = of_version.filter_map(|switch| switch.adopted).map(|adopted| adopted.at_ns);
    let bounds = instants.fold(None, |bounds: Option<(u64, u64)>, at_ns| {
        let (first, last) = bounds.unwrap_or((at_ns, at_ns));
        Some((first.min(at_ns), last.max(at_ns)))
    });
    match bounds {
        Some((first, last)) => (last - first, Some(last.saturating_sub(publication.committed_ns))),
        None => (0, None),
    }
}
