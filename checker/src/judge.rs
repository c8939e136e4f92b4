//! Asks of every family of a history whatever can be asked of it.

mod family;
mod records;
mod words;

use std::collections::BTreeMap;

use crate::admission::{admission, admission_of_kinds};
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::explain::complete;
use crate::history::OperationIndex;
use crate::keyed::KeyedHistory;
use crate::lattice::{Level, Strongest, judge_level, strongest};
use crate::linearizable::{WITNESS, by_key, linearizable, linearizable_unexplained, proven};
use crate::replication::{convergence, exactly_once, no_loss};
use crate::sequential::sequential;
use crate::session::{Access, monotonic_reads, monotonic_writes, read_your_writes, writes_follow_reads};
use crate::spec::Spec;
use crate::spec::counter::Counter;
use crate::switch_timing::{Promise, SwitchHistory, figures, switch_timing};
use crate::tally::{TallyCount, TallyRule, tally, tally_count};
use crate::verdict::{Judgement, Verdict};

use self::words::{count_of, count_of_log, detail};

pub use family::{Family, FamilyKind, OperationsVisitor};
pub use records::Records;
pub(crate) use words::grouped;

/// The name of every check, as the command and its files use them.
pub const CHECK_NAMES: [&str; 24] = [
    "linearizable",
    "sequential",
    "causal",
    "pram",
    "read-your-writes",
    "monotonic-reads",
    "monotonic-writes",
    "writes-follow-reads",
    "convergence",
    "admission",
    "no-loss",
    "exactly-once",
    "switch-a",
    "switch-b",
    "switch-c",
    "switch-d",
    "switch-e",
    "switch-f",
    "mutual-exclusion",
    "atomic-commit",
    "conservation",
    "chain",
    "split-view",
    "progress",
];

/// One pass over the records, in order: how the domain promises are judged.
pub const SWEEP: &str = "sweep";

/// What one check found in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which check: one of [`CHECK_NAMES`].
    pub name: &'static str,
    /// The name of the family.
    pub family: String,
    /// What was found.
    pub verdict: Verdict,
    /// The algorithm that found it.
    pub algorithm: &'static str,
    /// One line for a table: what was judged, or how the promise was broken.
    pub detail: String,
}

/// Judges `families` by the checks named in `wanted`, or by all that fit if it is empty.
///
/// Checks come family by family. A wanted check that fits no family is left out. The budget is that
/// of each check on each object.
pub fn judge(families: &[Family], wanted: &[&str], budget: Budget) -> Vec<Check> {
    let mut checks = Vec::new();
    for family in families {
        Judge { family: &family.name, wanted, budget, weaker: None, checks: &mut checks }
            .family(&family.kind);
    }
    checks
}

/// Judges `families` by one level: operations of whatever model, and records that have a check of its name.
pub fn judge_by(families: &[Family], level: Level, budget: Budget) -> Vec<Check> {
    let wanted = &[level.name()];
    let mut checks = Vec::new();
    for family in families {
        let weaker = Some(level);
        Judge { family: &family.name, wanted, budget, weaker, checks: &mut checks }.family(&family.kind);
    }
    checks
}

/// The strongest levels that the operations of a family have; none if its records are no operations.
pub fn strongest_of(family: &FamilyKind, budget: Budget) -> Option<Strongest> {
    family.visit(AskStrongest { budget })
}

struct AskStrongest {
    budget: Budget,
}

impl OperationsVisitor for AskStrongest {
    type Output = Strongest;

    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) -> Strongest {
        let mut found = strongest(spec, history, self.budget);
        for (_, judgement) in &mut found.next {
            complete(spec, history, &mut judgement.verdict);
        }
        found
    }
}

/// One family under judgement.
struct Judge<'a> {
    family: &'a str,
    wanted: &'a [&'a str],
    budget: Budget,
    /// A level that operations are asked for, though it is no check of a scenario.
    weaker: Option<Level>,
    checks: &'a mut Vec<Check>,
}

impl OperationsVisitor for &mut Judge<'_> {
    type Output = ();

    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) {
        // As a scenario names what it promises.
        let (weaker, wanted) = (self.weaker, self.wanted);
        self.weaker_levels(spec, history, |level| weaker.is_none() && wanted.contains(&level.name()));
        self.operations(spec, history, &BTreeMap::new());
    }
}

impl Judge<'_> {
    fn family(&mut self, kind: &FamilyKind) {
        match kind {
            FamilyKind::Register { .. }
            | FamilyKind::KeyValue { .. }
            | FamilyKind::Text { .. }
            | FamilyKind::Counter { .. }
            | FamilyKind::AppendLog { .. }
            | FamilyKind::Mutex { .. }
            | FamilyKind::MultiRegister { .. }
            | FamilyKind::Table { .. }
            | FamilyKind::Revisions { .. } => {
                kind.visit(&mut *self);
            }
            FamilyKind::Capacity { spec, history, witness, schedule, uncertainty_ns } => {
                self.operations(spec, history, witness);
                if let Some(schedule) = schedule {
                    let judged = count_of(history);
                    self.records("admission", &judged, || admission(history, schedule, *uncertainty_ns));
                }
            }
            FamilyKind::Kinds { spec, history, witness, schedule, uncertainty_ns } => {
                self.operations(spec, history, witness);
                if let Some(schedule) = schedule {
                    let judged = || admission_of_kinds(spec, history, schedule, *uncertainty_ns);
                    self.records("admission", &count_of(history), judged);
                }
            }
            // They promise no level; whoever asks for one all the same gets an answer.
            FamilyKind::Tally { .. } if self.weaker.is_some_and(|level| level != Level::Convergence) => {
                kind.visit(&mut *self);
            }
            FamilyKind::Tally { history, settled_ns } => self.tallies(history, *settled_ns),
            FamilyKind::Switch { history, promise } => self.switches(history, promise),
            FamilyKind::Log(history) => {
                let judged = count_of_log(history);
                self.records("no-loss", &judged, || no_loss(history));
                self.records("exactly-once", &judged, || exactly_once(history));
                self.records("convergence", &judged, || convergence(history));
            }
            FamilyKind::Reads(reads) => {
                let writes = reads.iter().filter(|read| read.access == Access::Write).count();
                let judged = format!("{} reads", grouped((reads.len() - writes) as u64));
                self.records("monotonic-reads", &judged, || monotonic_reads(reads));
                if writes > 0 {
                    let judged = format!("{judged}, {} writes", grouped(writes as u64));
                    self.records("read-your-writes", &judged, || read_your_writes(reads));
                    self.records("monotonic-writes", &judged, || monotonic_writes(reads));
                    self.records("writes-follow-reads", &judged, || writes_follow_reads(reads));
                }
            }
            FamilyKind::Records(records) => {
                for name in records.checks() {
                    self.records(name, &records.in_words(), || records.judged(name));
                }
            }
        }
    }

    /// The questions about operations. The second one uses the answer to the first.
    fn operations<S: Spec>(
        &mut self,
        spec: &S,
        history: &KeyedHistory<S>,
        witness: &BTreeMap<String, Vec<OperationIndex>>,
    ) {
        let weaker = self.weaker;
        self.weaker_levels(spec, history, |level| weaker == Some(level));
        if !self.wants("linearizable") && !self.wants("sequential") {
            return;
        }
        let budget = self.budget;
        let is_explained = self.wants("linearizable");
        let searched = if is_explained { linearizable } else { linearizable_unexplained };
        let per_key = by_key(history, budget, |key, part, slice| {
            let by_witness = witness.get(key).and_then(|order| proven(spec, part, order));
            by_witness.unwrap_or_else(|| searched(spec, part, slice))
        });
        let judged = count_of(history);
        let sequentially = self.wants("sequential").then(|| sequential(spec, history, &per_key, budget));
        if self.wants("linearizable") {
            self.judgement("linearizable", Self::in_context(spec, history, per_key), &judged);
        }
        if let Some(judgement) = sequentially {
            self.judgement("sequential", Self::in_context(spec, history, judgement), &judged);
        }
    }

    /// The levels below those two, which are judged only if they are asked for.
    fn weaker_levels<S: Spec>(
        &mut self,
        spec: &S,
        history: &KeyedHistory<S>,
        is_asked: impl Fn(Level) -> bool,
    ) {
        for level in Level::ALL {
            if !matches!(level, Level::Linearizable | Level::Sequential) && is_asked(level) {
                let judgement = judge_level(level, spec, history, self.budget);
                let judgement = Self::in_context(spec, history, judgement);
                self.judgement(level.name(), judgement, &count_of(history));
            }
        }
    }

    /// A violation with the places of its operations, and with what stands around them.
    fn in_context<S: Spec>(spec: &S, history: &KeyedHistory<S>, mut judgement: Judgement) -> Judgement {
        complete(spec, history, &mut judgement.verdict);
        judgement
    }

    fn tallies(&mut self, history: &KeyedHistory<Counter>, settled_ns: u64) {
        let TallyCount { increments, reads, settled_reads, lag_ns_max } = tally_count(history, settled_ns);
        let [increments, reads, settled_reads] =
            [increments, reads, settled_reads].map(|count| grouped(count as u64));
        let lag_ms = grouped(lag_ns_max / 1_000_000);
        let judged = format!(
            "{increments} increments, {reads} reads, {settled_reads} of them at the end; late by up to {lag_ms} ms"
        );
        let rules = [
            ("no-loss", TallyRule::NoLoss),
            ("exactly-once", TallyRule::ExactlyOnce),
            ("convergence", TallyRule::Convergence),
        ];
        for (name, rule) in rules {
            self.records(name, &judged, || tally(history, settled_ns, rule));
        }
    }

    fn switches(&mut self, history: &SwitchHistory, promise: &Promise) {
        if !CHECK_NAMES.iter().any(|name| name.starts_with("switch-") && self.wants(name)) {
            return;
        }
        let judged = format!(
            "{} tasks under {} versions",
            grouped(history.tasks.len() as u64),
            grouped(history.publications.len() as u64)
        );
        let judgement = switch_timing(history, promise);
        for (name, verdict) in judgement.rules {
            let figures = figures(name, history, promise, &judgement.report);
            let separator = if figures.is_empty() { "" } else { "; " };
            self.records(name, &format!("{judged}{separator}{figures}"), || verdict);
        }
    }

    fn judgement(&mut self, name: &'static str, judgement: Judgement, judged: &str) {
        if self.wants(name) {
            let Judgement { verdict, algorithm, .. } = judgement;
            let how = if algorithm == WITNESS { ", by the order recorded with them" } else { "" };
            let detail = detail(&verdict, &format!("{judged}{how}"));
            self.checks.push(Check { name, family: self.family.to_owned(), verdict, algorithm, detail });
        }
    }

    /// A promise about records, judged only if it is wanted.
    fn records(&mut self, name: &'static str, judged: &str, verdict: impl FnOnce() -> Verdict) {
        if self.wants(name) {
            let verdict = verdict();
            let detail = detail(&verdict, judged);
            self.checks.push(Check {
                name,
                family: self.family.to_owned(),
                verdict,
                algorithm: SWEEP,
                detail,
            });
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.contains(&name)
    }
}
