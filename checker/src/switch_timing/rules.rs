//! The six rules of a switch, each over all tasks.

use crate::instants::{seconds, span};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{Moment, Promise, PromiseKind, SwitchHistory, Task, Use};
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
    /// The tasks that ran, in the order of the history.
    work: Vec<Work<'a>>,
    /// All tasks, of any node, counted.
    tally: Tally,
    /// For each node with a task, its number among them.
    nodes: HashMap<u32, u32, FxBuildHasher>,
}

/// A task that ran.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) task: &'a Task,
    pub(super) at_ns: u64,
    pub(super) oldest: u64,
    pub(super) newest: u64,
    /// Its index among all tasks; a list of 2^32 tasks does not fit memory.
    index: u32,
    /// Its node's number among the nodes with tasks.
    pub(super) node: u32,
    /// Whether the versions used were wrong at every instant within the tolerance.
    is_off: bool,
    is_trusted: bool,
}

/// What can be counted about tasks, whether or not they ran.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) wrong_count: usize,
    pub(super) refused_count: usize,
    pub(super) excursions_count: usize,
    pub(super) clock_error_ns_max: u64,
}

impl<'a> Case<'a> {
    pub(super) fn new(history: &'a SwitchHistory, promise: &'a Promise) -> Self {
        let all = || history.publications.iter();
        let started = all().map(|publication| (publication.start_ns, publication.version));
        let in_force = all().map(|publication| {
            (publication.start_ns.max(signed(publication.committed_ns)), publication.version)
        });
        let mut case = Self {
            history,
            promise,
            started: increasing(started.collect()),
            in_force: increasing(in_force.collect()),
            work: Vec::with_capacity(history.tasks.len()),
            tally: Tally::default(),
            nodes: HashMap::default(),
        };
        (0..).zip(&history.tasks).for_each(|(index, task)| case.add(index, task));
        case
    }

    fn add(&mut self, index: u32, task: &'a Task) {
        let nodes_count =
            u32::try_from(self.nodes.len()).expect("there are no more nodes than their numbers");
        let node = *self.nodes.entry(task.node).or_insert(nodes_count);
        let is_trusted = self.is_clock_trusted(task);
        self.tally.excursions_count += usize::from(!is_trusted);
        self.tally.clock_error_ns_max = self.tally.clock_error_ns_max.max(task.clock_error_ns());
        match task.used {
            Use::Refused => self.tally.refused_count += 1,
            Use::Version { oldest, newest } => {
                let is_off = self.is_early(task, oldest) || self.is_late(task, newest);
                self.tally.wrong_count += usize::from(is_off);
                let at_ns = task.at_ns;
                self.work.push(Work { task, at_ns, oldest, newest, index, node, is_off, is_trusted });
            }
        }
    }

    /// (a) The version that is right at the task's instant is among those it used. With a tolerance
    /// of epsilon: at some instant no further away, for a task whose clock is within epsilon. Then
    /// no mixed window is longer than twice that.
    pub(super) fn each_task_used_the_version_of_its_instant(&self) -> Verdict {
        self.first(self.work.iter().filter(|work| work.is_wrong()))
    }

    /// (b) After a task that used only newer versions, no task of that node uses only older ones.
    pub(super) fn no_node_went_back(&self) -> Verdict {
        let mut by_time: Vec<Work<'_>> = Vec::new();
        let mut work = self.work.as_slice();
        if !work.is_sorted_by_key(|work| work.at_ns) {
            by_time.extend(work);
            by_time.sort_by_key(|work| work.at_ns);
            work = &by_time;
        }
        let mut newest_by_node: Vec<Option<&Work<'_>>> = vec![None; self.nodes.len()];
        for work in work {
            let highest = newest_by_node[work.node as usize].get_or_insert(work);
            if work.newest < highest.oldest {
                let explanation = format!(
                    "node {} used version {} at {}, and version {} at {}, {} later",
                    work.task.node,
                    highest.oldest,
                    seconds(highest.at_ns),
                    work.newest,
                    seconds(work.at_ns),
                    span(work.at_ns.saturating_sub(highest.at_ns))
                );
                return Verdict::violated(vec![highest.number(), work.number()], explanation);
            }
            if work.oldest > highest.oldest {
                *highest = work;
            }
        }
        Verdict::Holds
    }

    /// (c) The store answered a read of the task's node less than the lead time before. A task whose
    /// clock is not as assumed is excused: leases are reckoned on clocks.
    pub(super) fn each_version_was_verified(&self) -> Verdict {
        let mut reads = self.reads_by_node();
        for work in self.work.iter().filter(|work| work.is_trusted) {
            let last = reads[work.node as usize].last_until(work.at_ns);
            if last.is_none_or(|last| work.at_ns - last >= self.promise.lead_ns) {
                let when = match last {
                    Some(last) => {
                        let before = span(work.at_ns.saturating_sub(last));
                        format!("its last read of the store was served at {}, {before} before", seconds(last))
                    }
                    None => "the store had never answered it".to_owned(),
                };
                let explanation = format!(
                    "node {} ran task {} under version {} at {}, but {when}; a read verifies nothing for longer than the lead of {}",
                    work.task.node,
                    work.index,
                    work.newest,
                    seconds(work.at_ns),
                    span(self.promise.lead_ns)
                );
                return Verdict::violated(vec![work.number()], explanation);
            }
        }
        Verdict::Holds
    }

    /// (d) The versions used were committed, whatever the clock said, and the first start has passed, unless the clock was
    /// beyond what is assumed of it.
    pub(super) fn nothing_ran_unconfigured(&self) -> Verdict {
        let committed: HashMap<u64, u64, FxBuildHasher> = self
            .history
            .publications
            .iter()
            .map(|publication| (publication.version, publication.committed_ns))
            .collect();
        let first_start = self.history.publications.iter().map(|publication| publication.start_ns).min();
        let tolerance_ns = signed(self.promise.kind.tolerance_ns());
        let first_start = first_start.map(|start| start.saturating_sub(tolerance_ns));
        // Mostly the version of the task before.
        let mut known: Option<(u64, u64)> = None;
        let mut is_committed = |version: u64, at_ns: u64| {
            if known.is_none_or(|(other, _)| other != version) {
                known = committed.get(&version).map(|committed_ns| (version, *committed_ns));
            }
            known.is_some_and(|(_, committed_ns)| committed_ns <= at_ns)
        };
        for work in &self.work {
            let versions = [work.oldest, work.newest];
            let unknown = versions.into_iter().find(|version| !is_committed(*version, work.at_ns));
            let is_early = work.is_trusted && first_start.is_none_or(|start| start > signed(work.at_ns));
            let why = match unknown {
                Some(version) => format!("version {version}, which was not committed by then"),
                None if is_early => {
                    format!("version {}, though no version had started by then", work.newest)
                }
                None => continue,
            };
            let at = seconds(work.at_ns);
            let explanation = format!("node {} ran task {} at {at} under {why}", work.task.node, work.index);
            return Verdict::violated(vec![work.number()], explanation);
        }
        Verdict::Holds
    }

    /// (e) Once healed for long enough, no task is under a version older than the newest of then, and
    /// every node that ever had a task works, unless nothing is configured or nobody has tasks any more.
    pub(super) fn every_node_converged(&self) -> Verdict {
        let Some(healed_ns) = self.history.healed_ns else { return Verdict::Holds };
        let deadline_ns = healed_ns.saturating_add(self.promise.converge_within_ns);
        let tolerance_ns = signed(self.promise.kind.tolerance_ns());
        let Some(wanted) = newest(&self.in_force, signed(deadline_ns).saturating_sub(tolerance_ns)) else {
            return Verdict::Holds;
        };
        let late = || self.work.iter().filter(|work| work.at_ns > deadline_ns);
        let stale = self.first(late().filter(|work| work.newest < wanted && work.is_trusted));
        let has_tasks = self.history.ended_ns > deadline_ns
            && self.history.tasks.iter().any(|task| task.at_ns > deadline_ns);
        if !stale.holds() || !has_tasks {
            return stale;
        }
        let mut has_worked = vec![false; self.nodes.len()];
        late().for_each(|work| has_worked[work.node as usize] = true);
        let is_idle = |task: &Task| !has_worked[self.nodes[&task.node] as usize];
        match self.history.tasks.iter().rposition(is_idle) {
            None => Verdict::Holds,
            Some(last) => {
                let node = self.history.tasks[last].node;
                let explanation = format!(
                    "node {node} ran no task after {}, {} after the faults ended, though version {wanted} was in force, {}; its last task, {last}, was at {}",
                    seconds(deadline_ns),
                    span(self.promise.converge_within_ns),
                    since(&self.in_force, wanted),
                    seconds(self.history.tasks[last].at_ns)
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
        self.first(self.work.iter().filter(|work| work.is_wrong() && crosses(work.task)))
    }

    /// What is judged.
    pub(super) fn history(&self) -> &'a SwitchHistory {
        self.history
    }

    /// All tasks, counted.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// How many nodes have tasks.
    pub(super) fn nodes_count(&self) -> usize {
        self.nodes.len()
    }

    /// The tasks that ran.
    pub(super) fn work(&self) -> &[Work<'a>] {
        &self.work
    }

    /// Whether a task's clock is as good as assumed: its interval holds true time, or its reading is
    /// within epsilon. If not, rules (a), (c), (e) and (f) promise nothing about the task.
    fn is_clock_trusted(&self, task: &Task) -> bool {
        match self.promise.kind {
            PromiseKind::Strict => {
                let at_ns = signed(task.at_ns);
                task.earliest_ns <= at_ns && at_ns <= task.latest_ns
            }
            PromiseKind::Epsilon { epsilon_ns } => task.clock_error_ns() <= epsilon_ns,
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

    /// When the store answered each node with tasks.
    fn reads_by_node(&self) -> Vec<Reads> {
        let mut reads = vec![Reads::default(); self.nodes.len()];
        for read in &self.history.store_reads {
            if let Some(node) = self.nodes.get(&read.node) {
                reads[*node as usize].instants.push(read.at_ns);
            }
        }
        reads.iter_mut().for_each(|reads| reads.instants.sort_unstable());
        reads
    }

    /// The first of these tasks as a violation, with how many there are.
    fn first<'w>(&self, mut wrong: impl Iterator<Item = &'w Work<'a>>) -> Verdict
    where
        'a: 'w,
    {
        let Some(work) = wrong.next() else { return Verdict::Holds };
        let Work { task, oldest, newest: latest, index, .. } = *work;
        let others = wrong.count();
        let used = if oldest == latest {
            format!("version {latest}")
        } else {
            format!("versions {oldest} to {latest}")
        };
        let right = match newest(&self.in_force, signed(task.at_ns)) {
            Some(version) => {
                format!("version {version} was in force, {}", since(&self.in_force, version))
            }
            None => "no version was in force".to_owned(),
        };
        let early = if self.is_early(task, oldest) { self.start_in_words(oldest) } else { String::new() };
        let more = if others == 0 { String::new() } else { format!(" ({others} more tasks like it)") };
        let explanation = format!(
            "node {} ran task {index} under {used} at {} ({}) when {right}{early}{more}",
            task.node,
            seconds(task.at_ns),
            clock_in_words(task)
        );
        Verdict::violated(vec![work.number()], explanation)
    }

    fn start_in_words(&self, version: u64) -> String {
        let mut published = self.history.publications.iter().filter(|one| one.version == version);
        match published.next() {
            Some(publication) => {
                format!("; version {version} starts at {}", signed_seconds(publication.start_ns))
            }
            None => format!("; version {version} was never published"),
        }
    }
}

impl Work<'_> {
    /// Whether it breaks rule (a).
    fn is_wrong(&self) -> bool {
        self.is_off && self.is_trusted
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { at_ns: self.at_ns, local_ns: self.task.local_ns }
    }

    fn number(&self) -> OperationIndex {
        OperationIndex(self.index)
    }
}

/// When the store answered one node, in order.
#[derive(Clone, Default)]
struct Reads {
    instants: Vec<u64>,
    /// How many of them had passed when it was last asked: time mostly goes on from there.
    passed: usize,
}

impl Reads {
    /// The last one at an instant or before.
    fn last_until(&mut self, at_ns: u64) -> Option<u64> {
        let has_passed = |instant: &u64| *instant <= at_ns;
        let from = match self.passed.checked_sub(1) {
            Some(last) if !has_passed(&self.instants[last]) => 0,
            Some(_) | None => self.passed,
        };
        let rest = &self.instants[from..];
        // The next few first, for it seldom is further.
        let near = rest.iter().take(4).take_while(|instant| has_passed(instant)).count();
        let count = if near < 4 { near } else { rest.partition_point(has_passed) };
        self.passed = from + count;
        self.passed.checked_sub(1).map(|last| self.instants[last])
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
fn since(steps: &[(i64, u64)], version: u64) -> String {
    let from = steps.iter().find(|(_, other)| *other == version).map_or(0, |(from, _)| *from);
    if from <= 0 { "from the beginning".to_owned() } else { format!("since {}", signed_seconds(from)) }
}

/// What a node's clock showed, beside true time.
fn clock_in_words(task: &Task) -> String {
    let error_ns = i128::from(task.local_ns) - i128::from(task.at_ns);
    let off = span(u64::try_from(error_ns.unsigned_abs()).unwrap_or(u64::MAX));
    match error_ns.signum() {
        0 => "its clock was right".to_owned(),
        1 => format!("its clock was {off} ahead"),
        _ => format!("its clock was {off} behind"),
    }
}

fn signed_seconds(at_ns: i64) -> String {
    let sign = if at_ns < 0 { "-" } else { "" };
    format!("{sign}{}", seconds(at_ns.unsigned_abs()))
}

/// An instant of a run as a signed number; a run of 292 years does not happen.
pub(super) fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// The number of a task; a list of 2^32 tasks does not fit memory.
fn number(index: usize) -> OperationIndex {
    OperationIndex(u32::try_from(index).unwrap_or(u32::MAX))
}
