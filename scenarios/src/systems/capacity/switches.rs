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

use super::workload::task_delay;
use super::{CapacityService, Shape, Workload};
use crate::system::{Parameters, Seen, System};

/// The family, and what the slots' checks need of it.
pub(in crate::systems) struct Config {
    pub(in crate::systems) family: Family,
    pub(super) schedule: LimitSchedule,
    /// The largest distance of true time from the far end of a clock interval that a task was decided with.
    pub(super) uncertainty_ns: u64,
}

/// The switches of a run. Until `owed_until` every node has tasks by itself.
pub(in crate::systems) fn record<S>(
    parameters: &Parameters<S>,
    owed_until: Span,
    seen: &[Seen<CapacityService>],
) -> Config
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let mut history = SwitchHistory {
        healed_ns: Some(parameters.timing.chaos().as_ns()),
        ended_ns: owed_until.as_ns(),
        ..SwitchHistory::default()
    };
    let mut versions = Versions::default();
    if let Some(payload) = initial_payload(parameters) {
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
    let kind = FamilyKind::Switch { history, promise: promise(parameters) };
    let family = Family { name: "config".to_owned(), kind };
    Config { family, schedule: versions.schedule(), uncertainty_ns }
}

/// What the version says that is there from the beginning.
pub(super) fn initial_payload<S>(parameters: &Parameters<S>) -> Option<Payload>
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let limit = parameters.shape.initial_limit.get_u32();
    (limit > 0).then(|| Payload { limit, delay: task_delay(&parameters.workload, 0) })
}

fn promise<S>(parameters: &Parameters<S>) -> Promise
where
    S: System<Shape = Shape, Workload = Workload>,
{
    Promise {
        kind: PromiseKind::Strict,
        lead_ns: Span::from_ms(parameters.shape.lead_ms.get()).as_ns(),
        converge_within_ns: Span::from_seconds(parameters.timing.recover_s.get()).as_ns(),
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
