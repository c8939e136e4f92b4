//! The six rules of a switch, each over all tasks.

use std::collections::{BTreeMap, BTreeSet};

use super::{Promise, PromiseKind, SwitchHistory, Task, Use};
use crate::history::OperationIndex;
use crate::verdict::{Undecided, Verdict};

/// What the rules ask of a history.
pub(super) struct Case<'a> {
    history: &'a SwitchHistory,
    promise: &'a Promise,
    /// (in force from, version), increasing in both: a version committed late is in force from then.
    in_force: Vec<(i64, u64)>,
}

/// A task that ran: its index, itself and the versions that it used.
type Work<'a> = (usize, &'a Task, u64, u64);

impl<'a> Case<'a> {
    pub(super) fn new(history: &'a SwitchHistory, promise: &'a Promise) -> Self {
        let mut in_force: Vec<(i64, u64)> = history
            .publications
            .iter()
            .map(|publication| (publication.start_ns.max(signed(publication.committed_ns)), publication.version))
            .collect();
        in_force.sort_unstable();
        let mut newest = 0;
        in_force.retain(|&(_, version)| {
            let is_newer = version > newest || newest == 0;
            newest = newest.max(version);
            is_newer
        });
        Self { history, promise, in_force }
    }

    /// (a) The version that is right at the task's instant is among those it used. With a tolerance
    /// of epsilon: at some instant no further away, for a task whose clock is within epsilon. Then
    /// no mixed window is longer than twice that.
    pub(super) fn each_task_used_the_version_of_its_instant(&self) -> Verdict {
        self.first(self.work().filter(|work| self.is_wrong(work)))
    }

    /// (b) After a task that used only newer versions, no task of that node uses only older ones.
    pub(super) fn no_node_went_back(&self) -> Verdict {
        let mut work: Vec<Work<'_>> = self.work().collect();
        work.sort_by_key(|(_, task, _, _)| task.at_ns);
        let mut newest_by_node: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
        for (index, task, oldest, newest) in work {
            let highest = newest_by_node.entry(task.node).or_insert((oldest, index));
            if newest < highest.0 {
                let before = &self.history.tasks[highest.1];
                let explanation = format!(
                    "node {} used version {} at {} ns, and version {newest} later, at {} ns",
                    task.node, highest.0, before.at_ns, task.at_ns
                );
                return Verdict::violated(vec![number(highest.1), number(index)], explanation);
            }
            if oldest > highest.0 {
                *highest = (oldest, index);
            }
        }
        Verdict::Holds
    }

    /// (c) The store answered a read of the task's node less than the lead time before.
    pub(super) fn each_version_was_verified(&self) -> Verdict {
        let mut reads: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for read in &self.history.store_reads {
            reads.entry(read.node).or_default().push(read.at_ns);
        }
        for reads in reads.values_mut() {
            reads.sort_unstable();
        }
        for (index, task, _, newest) in self.work() {
            let reads = reads.get(&task.node).map(Vec::as_slice).unwrap_or_default();
            let last = reads[..reads.partition_point(|at_ns| *at_ns <= task.at_ns)].last();
            if last.is_none_or(|last| task.at_ns - last >= self.promise.lead_ns) {
                let when = match last {
                    Some(last) => format!("its last read of the store was served at {last} ns"),
                    None => "the store had never answered it".to_owned(),
                };
                let explanation = format!(
                    "node {} ran task {index} under version {newest} at {} ns, but {when}, which verifies nothing for longer than the lead of {} ns",
                    task.node, task.at_ns, self.promise.lead_ns
                );
                return Verdict::violated(vec![number(index)], explanation);
            }
        }
        Verdict::Holds
    }

    /// (d) The versions used were committed, and the first start has passed.
    pub(super) fn nothing_ran_unconfigured(&self) -> Verdict {
        let committed: BTreeMap<u64, u64> =
            self.history.publications.iter().map(|publication| (publication.version, publication.committed_ns)).collect();
        let first_start = self.history.publications.iter().map(|publication| publication.start_ns).min();
        for (index, task, oldest, newest) in self.work() {
            let unknown = [oldest, newest]
                .into_iter()
                .find(|version| committed.get(version).is_none_or(|committed_ns| *committed_ns > task.at_ns));
            let tolerance = signed(self.promise.kind.tolerance_ns());
            let is_early = first_start.is_none_or(|start| start.saturating_sub(tolerance) > signed(task.at_ns));
            let why = match unknown {
                Some(version) => format!("version {version}, which was not committed by then"),
                None if is_early && self.is_clock_trusted(task) => {
                    format!("version {newest}, though no version had started by then")
                }
                None => continue,
            };
            let explanation = format!("node {} ran task {index} at {} ns under {why}", task.node, task.at_ns);
            return Verdict::violated(vec![number(index)], explanation);
        }
        Verdict::Holds
    }

    /// (e) Once healed for long enough, no task is under an older version, and every node works.
    pub(super) fn every_node_converged(&self) -> Verdict {
        let Some(healed_ns) = self.history.healed_ns else { return Verdict::Holds };
        let deadline_ns = healed_ns.saturating_add(self.promise.converge_within_ns);
        if self.history.ended_ns < deadline_ns {
            return Verdict::Undecided(Undecided::default());
        }
        let is_stale = |&(_, task, _, newest): &Work<'_>| {
            task.at_ns >= deadline_ns && self.is_clock_trusted(task) && Some(newest) < self.right_before(task)
        };
        let stale = self.first(self.work().filter(is_stale));
        if !stale.holds() {
            return stale;
        }
        let Some(wanted) = self.right(signed(deadline_ns)) else { return Verdict::Holds };
        let worked: BTreeSet<u32> = self
            .work()
            .filter(|(_, task, _, newest)| task.at_ns >= healed_ns && *newest >= wanted)
            .map(|(_, task, _, _)| task.node)
            .collect();
        match self.nodes().difference(&worked).next() {
            None => Verdict::Holds,
            Some(node) => {
                let explanation = format!(
                    "node {node} ran no task under version {wanted} or a newer one after the faults ended at {healed_ns} ns"
                );
                Verdict::violated(Vec::new(), explanation)
            }
        }
    }

    /// (f) Rule (a) for the later entries of batches that began under another version.
    pub(super) fn each_entry_was_judged_by_itself(&self) -> Verdict {
        let crosses = |task: &Task| {
            task.batch.is_some_and(|batch| {
                batch.entry > 0 && self.right(signed(batch.began_ns)) != self.right(signed(task.at_ns))
            })
        };
        self.first(self.work().filter(|work| crosses(work.1) && self.is_wrong(work)))
    }

    /// What is judged.
    pub(super) fn history(&self) -> &'a SwitchHistory {
        self.history
    }

    /// How many tasks used a wrong version.
    pub(super) fn wrong_count(&self) -> usize {
        self.work().filter(|work| self.is_wrong(work)).count()
    }

    /// Whether the promise says anything about a task: its clock is as good as assumed.
    pub(super) fn is_clock_trusted(&self, task: &Task) -> bool {
        match self.promise.kind {
            PromiseKind::Strict => true,
            PromiseKind::Epsilon { epsilon_ns } => task.clock_error_ns() <= epsilon_ns,
        }
    }

    /// The tasks that ran.
    pub(super) fn work(&self) -> impl Iterator<Item = Work<'a>> {
        self.history.tasks.iter().enumerate().filter_map(|(index, task)| match task.used {
            Use::Version { oldest, newest } => Some((index, task, oldest, newest)),
            Use::Refused => None,
        })
    }

    fn is_wrong(&self, &(_, task, oldest, newest): &Work<'_>) -> bool {
        let is_early = self.right_after(task) < Some(oldest);
        let is_late = self.right_before(task) > Some(newest);
        (is_early || is_late) && self.is_clock_trusted(task)
    }

    /// The version in force at a true instant.
    fn right(&self, at_ns: i64) -> Option<u64> {
        let started = self.in_force.partition_point(|(from, _)| *from <= at_ns);
        self.in_force[..started].last().map(|(_, version)| *version)
    }

    /// The version in force at the earliest instant that the tolerance allows.
    fn right_before(&self, task: &Task) -> Option<u64> {
        self.right(signed(task.at_ns).saturating_sub(signed(self.promise.kind.tolerance_ns())))
    }

    /// The version in force at the latest instant that the tolerance allows.
    fn right_after(&self, task: &Task) -> Option<u64> {
        self.right(signed(task.at_ns).saturating_add(signed(self.promise.kind.tolerance_ns())))
    }

    fn nodes(&self) -> BTreeSet<u32> {
        let history = self.history;
        let of_tasks = history.tasks.iter().map(|task| task.node);
        let of_adoptions = history.adoptions.iter().map(|adoption| adoption.node);
        let of_reads = history.store_reads.iter().map(|read| read.node);
        of_tasks.chain(of_adoptions).chain(of_reads).collect()
    }

    /// The first of these tasks as a violation, with how many there are.
    fn first(&self, mut wrong: impl Iterator<Item = Work<'a>>) -> Verdict {
        let Some((index, task, oldest, newest)) = wrong.next() else { return Verdict::Holds };
        let others = wrong.count();
        let used = if oldest == newest { format!("version {newest}") } else { format!("versions {oldest} to {newest}") };
        let right = match self.right(signed(task.at_ns)) {
            Some(version) => format!("version {version} was in force, since {} ns", self.since(version)),
            None => "no version was in force".to_owned(),
        };
        let more = if others == 0 { String::new() } else { format!(" ({others} more tasks like it)") };
        let explanation = format!(
            "node {} ran task {index} under {used} at {} ns (its clock showed {} ns) when {right}{more}",
            task.node, task.at_ns, task.local_ns
        );
        Verdict::violated(vec![number(index)], explanation)
    }

    fn since(&self, version: u64) -> i64 {
        self.in_force.iter().find(|(_, other)| *other == version).map_or(0, |(from, _)| *from)
    }
}

/// An instant of a run as a signed number; a run of 292 years does not happen.
pub(super) fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// The number of a task; a list of 2^32 tasks does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}
