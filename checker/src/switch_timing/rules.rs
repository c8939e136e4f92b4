//! The six rules of a switch, each over all tasks.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use super::{Promise, PromiseKind, SwitchHistory, Task, Use};
use crate::history::OperationIndex;
use crate::verdict::Verdict;

/// What the rules ask of a history.
pub(super) struct Case<'a> {
    history: &'a SwitchHistory,
    promise: &'a Promise,
    /// (start, version), increasing in both: nothing newer may be used before.
    started: Vec<(i64, u64)>,
    /// (in force from, version), increasing in both: nothing older may be used from then on. A
    /// version committed after its start is in force from its commit, for nobody knew it before.
    in_force: Vec<(i64, u64)>,
    /// For each task, whether the versions used were wrong at every instant within the tolerance.
    is_off: Vec<bool>,
}

/// A task that ran: its index, itself and the versions that it used.
type Work<'a> = (usize, &'a Task, u64, u64);

impl<'a> Case<'a> {
    pub(super) fn new(history: &'a SwitchHistory, promise: &'a Promise) -> Self {
        let all = || history.publications.iter();
        let started = all().map(|publication| (publication.start_ns, publication.version));
        let in_force = all().map(|publication| {
            (publication.start_ns.max(signed(publication.committed_ns)), publication.version)
        });
        let (started, in_force) = (increasing(started.collect()), increasing(in_force.collect()));
        let mut case = Self { history, promise, started, in_force, is_off: Vec::new() };
        case.is_off = history.tasks.iter().map(|task| case.is_off(task)).collect();
        case
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
        if !work.is_sorted_by_key(|(_, task, _, _)| task.at_ns) {
            work.sort_by_key(|(_, task, _, _)| task.at_ns);
        }
        let mut newest_by_node: HashMap<u32, (u64, usize), FxBuildHasher> = HashMap::default();
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

    /// (c) The store answered a read of the task's node less than the lead time before. A task whose
    /// clock is not as assumed is excused: leases are reckoned on clocks.
    pub(super) fn each_version_was_verified(&self) -> Verdict {
        let reads = self.reads_by_node();
        for (index, task, _, newest) in self.work().filter(|work| self.is_clock_trusted(work.1)) {
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

    /// (d) The versions used were committed, and the first start has passed, whatever the clock said.
    pub(super) fn nothing_ran_unconfigured(&self) -> Verdict {
        let committed: HashMap<u64, u64, FxBuildHasher> = self
            .history
            .publications
            .iter()
            .map(|publication| (publication.version, publication.committed_ns))
            .collect();
        let first_start = self.history.publications.iter().map(|publication| publication.start_ns).min();
        for (index, task, oldest, newest) in self.work() {
            let unknown = [oldest, newest]
                .into_iter()
                .find(|version| committed.get(version).is_none_or(|committed_ns| *committed_ns > task.at_ns));
            let tolerance = signed(self.promise.kind.tolerance_ns());
            let is_early =
                first_start.is_none_or(|start| start.saturating_sub(tolerance) > signed(task.at_ns));
            let why = match unknown {
                Some(version) => format!("version {version}, which was not committed by then"),
                None if is_early => {
                    format!("version {newest}, though no version had started by then")
                }
                None => continue,
            };
            let explanation = format!("node {} ran task {index} at {} ns under {why}", task.node, task.at_ns);
            return Verdict::violated(vec![number(index)], explanation);
        }
        Verdict::Holds
    }

    /// (e) Once healed for long enough, no task is under a version older than the newest of then, and
    /// every node that ever had a task works, unless nothing is configured or nobody has tasks any more.
    pub(super) fn every_node_converged(&self) -> Verdict {
        let Some(healed_ns) = self.history.healed_ns else { return Verdict::Holds };
        let deadline_ns = healed_ns.saturating_add(self.promise.converge_within_ns);
        let is_after = |task: &Task| task.at_ns > deadline_ns;
        let tolerance_ns = signed(self.promise.kind.tolerance_ns());
        let Some(wanted) = newest(&self.in_force, signed(deadline_ns).saturating_sub(tolerance_ns)) else {
            return Verdict::Holds;
        };
        let is_stale = |&(_, task, _, newest): &Work<'_>| {
            is_after(task) && newest < wanted && self.is_clock_trusted(task)
        };
        let stale = self.first(self.work().filter(is_stale));
        let has_tasks = self.history.ended_ns > deadline_ns && self.history.tasks.iter().any(is_after);
        if !stale.holds() || !has_tasks {
            return stale;
        }
        let worked: HashSet<u32, FxBuildHasher> =
            self.work().filter(|work| is_after(work.1)).map(|(_, task, _, _)| task.node).collect();
        match self.history.tasks.iter().rposition(|task| !worked.contains(&task.node)) {
            None => Verdict::Holds,
            Some(last) => {
                let node = self.history.tasks[last].node;
                let explanation = format!(
                    "node {node} ran no task after {deadline_ns} ns, {} ns after the faults ended, though version {wanted} was in force, since {} ns; its last task, {last}, was at {} ns",
                    self.promise.converge_within_ns,
                    since(&self.in_force, wanted),
                    self.history.tasks[last].at_ns
                );
                Verdict::violated(vec![number(last)], explanation)
            }
        }
    }

    /// (f) Rule (a) for the later entries of batches that began before a start that lies behind them.
    pub(super) fn each_entry_was_judged_by_itself(&self) -> Verdict {
        let mut starts: Vec<i64> = self.history.publications.iter().map(|one| one.start_ns).collect();
        starts.sort_unstable();
        let started = |at_ns: u64| starts.partition_point(|start| *start <= signed(at_ns));
        let crosses = |task: &Task| {
            task.batch.is_some_and(|batch| batch.entry > 0 && started(batch.began_ns) < started(task.at_ns))
        };
        self.first(self.work().filter(|work| self.is_wrong(work) && crosses(work.1)))
    }

    /// What is judged.
    pub(super) fn history(&self) -> &'a SwitchHistory {
        self.history
    }

    /// How many tasks used a wrong version, whatever their clocks.
    pub(super) fn wrong_count(&self) -> usize {
        self.is_off.iter().filter(|is_off| **is_off).count()
    }

    /// Whether a task's clock is as good as assumed: its interval holds true time, or its reading is
    /// within epsilon. If not, rules (a), (c), (e) and (f) promise nothing about the task.
    pub(super) fn is_clock_trusted(&self, task: &Task) -> bool {
        match self.promise.kind {
            PromiseKind::Strict => {
                let at_ns = signed(task.at_ns);
                task.earliest_ns <= at_ns && at_ns <= task.latest_ns
            }
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

    fn is_wrong(&self, (index, task, _, _): &Work<'_>) -> bool {
        self.is_off[*index] && self.is_clock_trusted(task)
    }

    fn is_off(&self, task: &Task) -> bool {
        match task.used {
            Use::Version { oldest, newest } => self.is_early(task, oldest) || self.is_late(task, newest),
            Use::Refused => false,
        }
    }

    fn is_early(&self, task: &Task, oldest: u64) -> bool {
        let tolerance_ns = signed(self.promise.kind.tolerance_ns());
        newest(&self.started, signed(task.at_ns).saturating_add(tolerance_ns)) < Some(oldest)
    }

    fn is_late(&self, task: &Task, used: u64) -> bool {
        let tolerance_ns = signed(self.promise.kind.tolerance_ns());
        newest(&self.in_force, signed(task.at_ns).saturating_sub(tolerance_ns)) > Some(used)
    }

    /// When the store answered each node, in order.
    fn reads_by_node(&self) -> HashMap<u32, Vec<u64>, FxBuildHasher> {
        let mut reads: HashMap<u32, Vec<u64>, FxBuildHasher> = HashMap::default();
        for read in &self.history.store_reads {
            reads.entry(read.node).or_default().push(read.at_ns);
        }
        reads.values_mut().for_each(|reads| reads.sort_unstable());
        reads
    }

    /// The first of these tasks as a violation, with how many there are.
    fn first(&self, mut wrong: impl Iterator<Item = Work<'a>>) -> Verdict {
        let Some((index, task, oldest, latest)) = wrong.next() else { return Verdict::Holds };
        let others = wrong.count();
        let used = if oldest == latest {
            format!("version {latest}")
        } else {
            format!("versions {oldest} to {latest}")
        };
        let right = match newest(&self.in_force, signed(task.at_ns)) {
            Some(version) => {
                format!("version {version} was in force, since {} ns", since(&self.in_force, version))
            }
            None => "no version was in force".to_owned(),
        };
        let early = if self.is_early(task, oldest) { self.start_in_words(oldest) } else { String::new() };
        let more = if others == 0 { String::new() } else { format!(" ({others} more tasks like it)") };
        let explanation = format!(
            "node {} ran task {index} under {used} at {} ns (its clock showed {} ns) when {right}{early}{more}",
            task.node, task.at_ns, task.local_ns
        );
        Verdict::violated(vec![number(index)], explanation)
    }

    fn start_in_words(&self, version: u64) -> String {
        let mut published = self.history.publications.iter().filter(|one| one.version == version);
        match published.next() {
            Some(publication) => format!("; version {version} starts at {} ns", publication.start_ns),
            None => format!("; version {version} was never published"),
        }
    }
}

/// (instant, version) by instant, without the versions that come after a newer one.
fn increasing(mut steps: Vec<(i64, u64)>) -> Vec<(i64, u64)> {
    steps.sort_unstable();
    let mut newest = None;
    steps.retain(|&(_, version)| {
        let is_newer = newest < Some(version);
        newest = newest.max(Some(version));
        is_newer
    });
    steps
}

/// The version of the last step at a true instant or before.
fn newest(steps: &[(i64, u64)], at_ns: i64) -> Option<u64> {
    let passed = steps.partition_point(|(from, _)| *from <= at_ns);
    steps[..passed].last().map(|(_, version)| *version)
}

/// The instant of the step to a version.
fn since(steps: &[(i64, u64)], version: u64) -> i64 {
    steps.iter().find(|(_, other)| *other == version).map_or(0, |(from, _)| *from)
}

/// An instant of a run as a signed number; a run of 292 years does not happen.
pub(super) fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// The number of a task; a list of 2^32 tasks does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}
