//! Which version every task ran under, and which versions there were: in true time, whatever delivered them.

use std::collections::BTreeMap;

use checker::admission::LimitSchedule;
use checker::judge::{Family, FamilyKind};
use checker::switch_timing::{
    Adoption, BatchEntry, Load, Promise, Publication, StoreRead, SwitchHistory, Task, Use,
};
use model::cache::CacheSeen;
use model::config::first_version;
use model::config::message::{ConfigVersion, Observation, Payload, Question, Used};
use model::ids::Version;
use sim::clock::scheduled_true_time;
use sim::kernel::Observed;
use sim::node::{ClockInterval, NodeId};
use sim::time::{LocalTime, Span, TrueTime};

use crate::recorder::Progress;

/// What the recorder is told.
pub(super) struct Promised {
    /// What is promised.
    pub(super) promise: Promise,
    /// What the version says that is there from the beginning.
    pub(super) initial: Option<Payload>,
    /// When the faults ended.
    pub(super) healed: Span,
    /// Until when every node has tasks by itself.
    pub(super) owed_until: Span,
}

/// The family, and what the slots' checks need of it.
pub(super) struct Config {
    pub(super) family: Family,
    pub(super) schedule: LimitSchedule,
    /// The largest distance of true time from the far end of a clock interval that a task was decided with.
    pub(super) uncertainty_ns: u64,
}

/// The switches of a run: `of` picks what is about the configuration.
pub(super) fn record<O>(
    promised: &Promised,
    seen: &[Observed<O>],
    of: impl Fn(&O) -> Option<&Observation>,
) -> Config {
    let mut recorder = Recorder::default();
    if let Some(payload) = promised.initial {
        recorder.versions.commit(first_version(payload), 0);
    }
    for one in seen {
        if let Some(observation) = of(&one.observation) {
            recorder.add(Seen { node: one.node, at: one.at, released_at: one.released_at }, observation);
        }
    }
    let mut history = recorder.history;
    history.load = Some(recorder.load);
    history.healed_ns = Some(promised.healed.as_ns());
    history.ended_ns = promised.owed_until.as_ns();
    history.tasks.sort_by_key(|task| task.at_ns);
    history.publications = recorder.versions.publications();
    let kind = FamilyKind::Switch { history, promise: promised.promise };
    let family = Family { name: "config".to_owned(), kind };
    Config { family, schedule: recorder.versions.schedule(), uncertainty_ns: recorder.uncertainty_ns }
}

/// What came of the tasks: those that were refused were answered, too, but did not help anybody.
pub(super) fn progress(seen: &[Observed<Observation>], late_from: TrueTime) -> Progress {
    let mut progress = Progress::default();
    for one in seen {
        if let Observation::Task { used, batch: Some(_), .. } = &one.observation {
            progress.operations += 1;
            progress.late_asked += u64::from(one.at >= late_from);
            progress.late_count += u64::from(one.at >= late_from && *used != Used::None);
        }
    }
    progress
}

/// Who saw something, and when.
struct Seen {
    node: NodeId,
    at: TrueTime,
    released_at: TrueTime,
}

#[derive(Default)]
struct Recorder {
    history: SwitchHistory,
    versions: Versions,
    /// When each batch began.
    batches: BTreeMap<u64, u64>,
    /// When the store looked, to answer that question of that node: of two answers to one question the first.
    looks: BTreeMap<(NodeId, Question), u64>,
    /// When the cache sent that copy to that replica, and since when the replica has had it.
    copies: BTreeMap<u64, u64>,
    copied_ns: Option<u64>,
    load: Load,
    uncertainty_ns: u64,
}

impl Recorder {
    fn add(&mut self, seen: Seen, observation: &Observation) {
        let (node, at_ns) = (seen.node.0, seen.at.as_ns());
        match observation {
            Observation::Committed { version } => self.versions.commit(*version, seen.released_at.as_ns()),
            Observation::Refused { .. } => {}
            Observation::Served { to, question } => {
                self.load.store_reads_count += 1;
                self.looks.entry((*to, *question)).or_insert(at_ns);
            }
            Observation::Learned { of, question } => {
                if let Some(&at_ns) = self.looks.get(&(*of, *question)) {
                    self.history.store_reads.push(StoreRead { node, at_ns });
                }
            }
            Observation::Adopted { version: Version(version), local } => {
                let (version, local_ns) = (u64::from(*version), local.as_ns());
                self.history.adoptions.push(Adoption { node, version, at_ns, local_ns });
            }
            Observation::Task { used, local, interval, batch } => {
                self.uncertainty_ns = self.uncertainty_ns.max(uncertainty_of(seen.at, *interval));
                let batch = batch.map(|entry| {
                    let id = u64::from(node) << 32 | u64::from(entry.batch);
                    let began_ns = *self.batches.entry(id).or_insert(at_ns);
                    BatchEntry { batch: id, entry: entry.entry, began_ns }
                });
                self.history.tasks.push(Task {
                    node,
                    at_ns,
                    local_ns: local.as_ns(),
                    earliest_ns: interval.earliest.as_ns(),
                    latest_ns: interval.latest.as_ns(),
                    used: used_of(*used),
                    batch,
                });
            }
            Observation::Cache(seen) => self.cache(*seen, at_ns),
        }
    }

    fn cache(&mut self, seen: CacheSeen, at_ns: u64) {
        match seen {
            CacheSeen::Hit => self.load.cache_hits_count += 1,
            CacheSeen::Miss => self.load.cache_misses_count += 1,
            CacheSeen::CopySent { copy } => {
                self.copies.insert(copy, at_ns);
            }
            // Until now the replica had what the last copy said.
            CacheSeen::CopyTaken { copy } => {
                let lag_ns = self.copied_ns.map_or(0, |copied_ns| at_ns.saturating_sub(copied_ns));
                self.load.replica_lag_ns_max = self.load.replica_lag_ns_max.max(lag_ns);
                self.copied_ns = self.copies.get(&copy).copied().or(self.copied_ns);
            }
        }
    }
}

/// How far from true time the interval reaches: about twice the bound, for a clock that is off by all of it.
fn uncertainty_of(at: TrueTime, interval: ClockInterval) -> u64 {
    let reach = |edge: LocalTime| scheduled_true_time(edge).as_ns().abs_diff(at.as_ns());
    reach(interval.earliest).max(reach(interval.latest))
}

fn used_of(used: Used) -> Use {
    match used {
        Used::One(version) => Use::Version { oldest: u64::from(version.0), newest: u64::from(version.0) },
        Used::Stricter { older, newer } => {
            Use::Version { oldest: u64::from(older.0), newest: u64::from(newer.0) }
        }
        Used::None => Use::Refused,
    }
}

/// Committed versions, each as it was first committed.
#[derive(Default)]
struct Versions {
    committed: BTreeMap<u32, (ConfigVersion, u64)>,
}

impl Versions {
    fn commit(&mut self, version: ConfigVersion, at_ns: u64) {
        self.committed.entry(version.version.0).or_insert((version, at_ns));
    }

    fn publications(&self) -> Vec<Publication> {
        let all = self.committed.values();
        all.map(|(version, committed_ns)| Publication {
            version: u64::from(version.version.0),
            start_ns: version.start_at.as_ns(),
            committed_ns: *committed_ns,
        })
        .collect()
    }

    fn schedule(&self) -> LimitSchedule {
        let all = self.committed.values();
        let steps = all.map(|(version, _)| {
            (scheduled_true_time(version.start_at).as_ns(), u64::from(version.payload.limit))
        });
        LimitSchedule { steps: steps.collect() }
    }
}
