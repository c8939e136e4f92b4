//! Which version every task ran under, and which versions there were: in true time.

use std::collections::BTreeMap;

use checker::admission::LimitSchedule;
use checker::judge::{Family, FamilyKind};
use checker::switch_timing::{
    Adoption, BatchEntry, Promise, PromiseKind, Publication, StoreRead, SwitchHistory, Task, Use,
};
use model::capacity::first_version;
use model::message::{ConfigVersion, Observation, Payload, Used};
use sim::clock::scheduled_true_time;
use sim::node::ClockInterval;
use sim::time::{LocalTime, Span, TrueTime};

use super::{Seen, Setting};
use crate::scenario::{Scenario, System};
use crate::workload::task_delay;

/// The family, and what the slots' checks need of it.
pub(super) struct Config {
    pub(super) family: Family,
    pub(super) schedule: LimitSchedule,
    /// The largest distance of true time from the far end of a clock interval that a task was decided with.
    pub(super) uncertainty_ns: u64,
}

pub(super) fn record(setting: Setting<'_>, seen: &[Seen]) -> Config {
    let mut history = SwitchHistory {
        healed_ns: Some(setting.scenario.timing.chaos().as_ns()),
        ended_ns: owed_until(setting.scenario).as_ns(),
        ..SwitchHistory::default()
    };
    let mut versions = Versions::default();
    if let Some(payload) = initial_payload(setting.scenario) {
        versions.commit(first_version(payload), 0);
    }
    let mut batches = BTreeMap::new();
    let mut uncertainty_ns = 0;
    for one in seen {
        let at_ns = one.at.as_ns();
        match &one.observation {
            Observation::Committed { version } => versions.commit(*version, one.released_at.as_ns()),
            Observation::Served { to } => history.store_reads.push(StoreRead { node: to.0, at_ns }),
            Observation::Adopted { version, local } => history.adoptions.push(Adoption {
                node: one.node.0,
                version: u64::from(version.0),
                at_ns,
                local_ns: local.as_ns(),
            }),
            Observation::Task { used, local, interval, batch } => {
                uncertainty_ns = uncertainty_ns.max(uncertainty_of(one.at, *interval));
                let batch = batch.map(|entry| {
                    let id = u64::from(one.node.0) << 32 | u64::from(entry.batch);
                    let began_ns = *batches.entry(id).or_insert(at_ns);
                    BatchEntry { batch: id, entry: entry.entry, began_ns }
                });
                history.tasks.push(Task {
                    node: one.node.0,
                    at_ns,
                    local_ns: local.as_ns(),
                    earliest_ns: interval.earliest.as_ns(),
                    latest_ns: interval.latest.as_ns(),
                    used: used_of(*used),
                    batch,
                });
            }
            _ => {}
        }
    }
    history.tasks.sort_by_key(|task| task.at_ns);
    history.publications = versions.publications();
    let kind = FamilyKind::Switch { history, promise: promise(setting) };
    let family = Family { name: "config".to_owned(), kind };
    Config { family, schedule: versions.schedule(), uncertainty_ns }
}

/// What the version says that is there from the beginning.
pub(crate) fn initial_payload(scenario: &Scenario) -> Option<Payload> {
    let limit = scenario.shape.initial_limit.get_u32();
    (limit > 0).then(|| Payload { limit, delay: task_delay(scenario, 0) })
}

fn promise(setting: Setting<'_>) -> Promise {
    Promise {
        kind: PromiseKind::Strict,
        lead_ns: Span::from_ms(setting.scenario.shape.lead_ms.get()).as_ns(),
        converge_within_ns: Span::from_seconds(setting.scenario.timing.recover_s.get()).as_ns(),
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

/// Until when every node has tasks by itself. Where clients choose whom they ask, a node may be asked for nothing for as
/// long as they like; whether what they ask is answered is for `progress` to say.
fn owed_until(scenario: &Scenario) -> Span {
    match scenario.system {
        System::Capacity => scenario.timing.chaos(),
        System::ConfigPull => scenario.timing.whole(),
    }
}
