//! Elections as scenarios know them: clients ask the leader to write; what the resources obeyed is judged.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `epochs` | who was elected when, what the resources made of the writes | mutual exclusion, by epochs |

use checker::judge::{Family, FamilyKind, Records};
use checker::mutual_exclusion::{Access, Exclusion, Grant, LockRecord};
use model::client::Operation;
use model::coordination::election::{self, Observation, Write};
use model::coordination::fenced::Fate;
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Leaders, one an epoch, and what they write to.
#[derive(Debug)]
pub struct Election;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Who elects and is elected.
    pub voters: Bounded<1, 99>,
    /// What the leader writes to.
    pub resources: Bounded<1, 100>,
    /// Who asks it to.
    pub clients: Bounded<1, 500>,
    /// A follower that hears no leader for that long, and up to twice as long, stands itself.
    pub election_timeout_ms: Bounded<3, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long it tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Writes that all clients together ask for, each second.
    pub requests_per_s: Bounded<0, 1_000_000>,
}

impl System for Election {
    const NAME: &'static str = "election";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("old-epoch-obeyed", "election", "mutual-exclusion"),
        Mutant::new("vote-in-memory", "election", "mutual-exclusion"),
        Mutant::new("outgrown-quorum", "election", "mutual-exclusion"),
    ];
    type Rules = election::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = election::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = election::Shape {
            voter_count: shape.voters.get_u32(),
            resource_count: shape.resources.get_u32(),
            client_count: shape.clients.get_u32(),
            election_timeout: Span::from_ms(shape.election_timeout_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = election::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    election::Member::Voter(_) => (Role::Service, "voter"),
                    election::Member::Resource(_) => (Role::Resource, "resource"),
                    election::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let first = shape.voters.get_u32() + shape.resources.get_u32();
        let clients = nodes(first, shape.clients.get_u32());
        let requests_per_s = workload.requests_per_s.get();
        OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() }.requests(
            seed,
            |chance, _| {
                let resource = chance.below(shape.resources.get());
                Some(Write { resource: u32::try_from(resource).expect("resources fit 32 bits") })
            },
        )
    }

    fn accept(parameters: &Parameters<Self>, label: &str, write: &Write) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "a write")?;
        if u64::from(write.resource) >= parameters.shape.resources.get() {
            return Err(ForeignRequest::Unknown { what: "resource", name: write.resource.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        let records = seen.iter().filter_map(record).collect();
        let kind = FamilyKind::Records(Records::Locks { records, promise: Exclusion::Epochs });
        Recorded { families: vec![Family { name: "epochs".to_owned(), kind }], progress }
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Write>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Elected { .. } | Observation::Accessed(_) => None,
    }
}

fn record(one: &Seen<Election>) -> Option<LockRecord> {
    let at_ns = one.released_at.as_ns();
    match one.observation {
        Observation::Elected { epoch } => {
            let holder = one.node.0.into();
            Some(LockRecord::Grant(Grant { lock: 0, token: epoch, holder, at_ns }))
        }
        Observation::Accessed(accessed) => Some(LockRecord::Access(Access {
            lock: 0,
            resource: one.node.0,
            token: accessed.write.token,
            holder: accessed.holder.0.into(),
            at_ns,
            is_accepted: accessed.fate == Fate::Written,
        })),
        Observation::Operation(_) => None,
    }
}
