//! The figures of a switch: when each node switched, how long old and new ran side by side.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::rules::{Case, Work, signed};
use super::{Publication, SwitchHistory};

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
    let tally = case.tally();
    let worked = worked(case);
    let switches = switches(case.history(), &worked);
    SwitchReport {
        windows: windows(case, &switches, &worked),
        switches,
        tasks_count: case.work().len(),
        wrong_count: tally.wrong_count,
        refused_count: tally.refused_count,
        excursions_count: tally.excursions_count,
        clock_error_ns_max: tally.clock_error_ns_max,
    }
}

/// When each node first ran a task under each version and nothing older.
fn worked(case: &Case<'_>) -> Moments {
    // For each node the version of its last task and when that first came: nodes seldom change over.
    let mut recent: Vec<Option<((u64, u32), Moment)>> = vec![None; case.nodes_count()];
    let mut worked = Moments::default();
    for work in case.work() {
        let (key, moment) = ((work.oldest, work.task.node), work.moment());
        match &mut recent[work.node as usize] {
            Some((last, first)) if *last == key => *first = moment.min(*first),
            other => {
                let before = other.replace((key, moment));
                before.into_iter().for_each(|(key, first)| earliest(&mut worked, key, first));
            }
        }
    }
    recent.into_iter().flatten().for_each(|(key, first)| earliest(&mut worked, key, first));
    worked
}

fn switches(history: &SwitchHistory, worked: &Moments) -> Vec<NodeSwitch> {
    let mut adopted = Moments::default();
    for one in &history.adoptions {
        earliest(&mut adopted, (one.version, one.node), Moment { at_ns: one.at_ns, local_ns: one.local_ns });
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
fn windows(case: &Case<'_>, switches: &[NodeSwitch], worked: &Moments) -> Vec<MixedWindow> {
    let adopted = adopted(switches);
    let (first_on, last_on) = (first_from(worked), last_until(case));
    let window = |publication: &Publication| {
        let version = publication.version;
        let first_new_ns = first_on.get(first_on.partition_point(|(other, _)| *other < version));
        let last_old_ns = last_on[..last_on.partition_point(|(other, _)| *other < version)].last();
        let (first_new_ns, last_old_ns) = (first_new_ns.map(|new| new.1), last_old_ns.map(|old| old.1));
        let both = first_new_ns.zip(last_old_ns);
        let adopted = adopted.get(&version);
        MixedWindow {
            version,
            start_ns: publication.start_ns,
            first_new_ns,
            last_old_ns,
            mixed_ns: both.map_or(0, |(first, last)| last.saturating_sub(first)),
            skew_ns: adopted.map_or(0, |(first, last)| last - first),
            propagation_ns: adopted.map(|(_, last)| last.saturating_sub(publication.committed_ns)),
        }
    };
    let mut windows: Vec<MixedWindow> = case.history().publications.iter().map(window).collect();
    windows.sort_by_key(|window| window.version);
    windows
}

/// By version: when the first task ran under it or a newer one, and nothing older.
fn first_from(worked: &Moments) -> Vec<(u64, u64)> {
    let mut firsts: Vec<(u64, u64)> =
        worked.iter().map(|((version, _), first)| (*version, first.at_ns)).collect();
    firsts.sort_unstable();
    let mut earliest = u64::MAX;
    for (_, at_ns) in firsts.iter_mut().rev() {
        earliest = earliest.min(*at_ns);
        *at_ns = earliest;
    }
    firsts
}

/// By version: when the last task ran under it or an older one, and nothing newer.
fn last_until(case: &Case<'_>) -> Vec<(u64, u64)> {
    let runs = case.work().chunk_by(|one, other| one.newest == other.newest);
    let last = |run: &[Work<'_>]| Some((run.first()?.newest, run.iter().map(|work| work.at_ns).max()?));
    let mut lasts: Vec<(u64, u64)> = runs.filter_map(last).collect();
    lasts.sort_unstable();
    let mut latest = 0;
    for (_, at_ns) in &mut lasts {
        latest = latest.max(*at_ns);
        *at_ns = latest;
    }
    lasts
}

/// By version: when the first and when the last node adopted it.
fn adopted(switches: &[NodeSwitch]) -> BTreeMap<u64, (u64, u64)> {
    let mut adopted: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for (version, moment) in switches.iter().filter_map(|switch| Some((switch.version, switch.adopted?))) {
        let (first, last) = adopted.entry(version).or_insert((moment.at_ns, moment.at_ns));
        (*first, *last) = (moment.at_ns.min(*first), moment.at_ns.max(*last));
    }
    adopted
}
