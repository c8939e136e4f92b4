//! The leased lock as scenarios know it: holders get tasks; what they did under their locks is judged.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `locks` | grants, what the resources made of the writes, when holders believed to hold | mutual exclusion: by fencing, or without it by sections |

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind, Records};
use checker::mutual_exclusion::{Access, Exclusion, Grant, LockRecord, Section};
use model::client::Operation;
use model::coordination::fenced::Fate;
use model::coordination::lease::{self, Observation, Task};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use super::common::{Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// A lock with leases on a single server.
#[derive(Debug)]
pub struct LeaseLock;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Who works under locks.
    pub holders: Bounded<1, 500>,
    /// What is written to, each resource under its share of the locks.
    pub resources: Bounded<1, 100>,
    /// Locks.
    pub locks: Bounded<1, 100_000>,
    /// How long a lease is.
    pub lease_ms: Bounded<1, 600_000>,
    /// Between two writes of a task.
    pub write_every_ms: Bounded<1, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a holder waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long it tries to get a lock.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Tasks of all holders together, each second.
    pub tasks_per_s: Bounded<0, 1_000_000>,
    /// A task has from 1 to that many writes.
    pub writes_max: Bounded<1, 1_000>,
}

impl System for LeaseLock {
    const NAME: &'static str = "lease-lock";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("no-fencing", "lease-lock", "mutual-exclusion"),
        Mutant::new("grant-before-sync", "lease-lock", "mutual-exclusion"),
        Mutant::new("token-reused", "lease-lock", "mutual-exclusion"),
    ];
    type Rules = lease::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = lease::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let load = Load::of(parameters.workload.tasks_per_s.get());
        Load { key: "tasks-per-s", ..load }.check(&parameters.timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = lease::Shape {
            holder_count: shape.holders.get_u32(),
            resource_count: shape.resources.get_u32(),
            lock_count: shape.locks.get_u32(),
            lease: Span::from_ms(shape.lease_ms.get()),
            write_every: Span::from_ms(shape.write_every_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = lease::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    lease::Member::Server(_) => (Role::Store, "server"),
                    lease::Member::Resource(_) => (Role::Resource, "resource"),
                    lease::Member::Holder(_) => (Role::Worker, "holder"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let holders = nodes(1 + shape.resources.get_u32(), shape.holders.get_u32());
        let requests_per_s = workload.tasks_per_s.get();
        OpenLoop { nodes: &holders, requests_per_s, until: parameters.workload_end() }.requests(
            seed,
            |chance, _| {
                let lock = u32::try_from(chance.below(shape.locks.get())).expect("locks fit 32 bits");
                let writes = 1 + chance.below(workload.writes_max.get());
                Some(Task { lock, writes: u32::try_from(writes).expect("writes fit 32 bits") })
            },
        )
    }

    fn accept(parameters: &Parameters<Self>, label: &str, task: &Task) -> Result<(), ForeignRequest> {
        accept_label(label, "holder", "a task")?;
        if u64::from(task.lock) >= parameters.shape.locks.get() {
            return Err(ForeignRequest::Unknown { what: "lock", name: task.lock.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        // A lock whose tokens nobody checks promises more: that no two holders are inside at once.
        let promise = if setting.rules.fencing.is_taken() { Exclusion::Fencing } else { Exclusion::Sections };
        let kind = FamilyKind::Records(Records::Locks { records: records(seen), promise });
        Recorded { families: vec![Family { name: "locks".to_owned(), kind }], progress }
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Task>> {
    match observation {
        Observation::Task(operation) => Some(operation),
        Observation::Granted(_)
        | Observation::Entered { .. }
        | Observation::Left { .. }
        | Observation::Accessed(_) => None,
    }
}

/// What happened under locks. A holder that went down or was cut off by the end of the run has a section of unknown end.
fn records(seen: &[Seen<LeaseLock>]) -> Vec<LockRecord> {
    let mut records = Vec::new();
    let mut sections = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match one.observation {
            Observation::Granted(lease::Grant { lock, token, holder, .. }) => {
                let (lock, holder) = (lock.into(), holder.0.into());
                records.push(LockRecord::Grant(Grant { lock, token, holder, at_ns }));
            }
            Observation::Accessed(accessed) => {
                let write = accessed.write;
                records.push(LockRecord::Access(Access {
                    lock: write.lock.into(),
                    resource: one.node.0,
                    token: write.token,
                    holder: accessed.holder.0.into(),
                    at_ns,
                    is_accepted: accessed.fate == Fate::Written,
                }));
            }
            Observation::Entered { lock, token } => {
                sections.insert((one.node, lock, token), records.len());
                let (lock, holder) = (lock.into(), one.node.0.into());
                records.push(LockRecord::Section(Section { lock, holder, from_ns: at_ns, until_ns: None }));
            }
            Observation::Left { lock, token } => {
                let place = sections.remove(&(one.node, lock, token));
                if let Some(LockRecord::Section(section)) = place.map(|place| &mut records[place]) {
                    section.until_ns = Some(at_ns);
                }
            }
            Observation::Task(_) => {}
        }
    }
    records
}
