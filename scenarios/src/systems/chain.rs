//! The event chain as scenarios know it: clients submit, an administrator tampers and erases, everything is shown at the end.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `events` | what was submitted, and what each replica's chain has at the audit | no loss, exactly once, convergence |
//! | `chain` | blocks and snapshots as kept, heads as shown, erasures as carried out | chain, split view |

use model::chain::message::{Observation, Request, Submit};
use model::chain::rules::Rules;
use model::chain::setup::Privacy;
use model::chain::{self, build};
use model::client::Operation;
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::{Span, TrueTime};

use super::common::{Clients, Load, accept_label, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};

mod records;
mod workload;

/// A chain of events.
#[derive(Debug)]
pub struct EventChain;

/// How large the world is, what makes a block final, and the patience of its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Replicas.
    pub services: Bounded<1, 50>,
    /// Witnesses.
    pub witnesses: Bounded<1, 20>,
    /// Clients.
    pub clients: Bounded<1, 500>,
    /// Zero bits that the hash of a block begins with.
    pub difficulty_bits: Bounded<0, 20>,
    /// Blocks upon a final one.
    pub depth: Bounded<1, 100>,
    /// Nonces that a miner tries every 20 ms.
    pub tries: Bounded<1, 10_000>,
    /// Blocks of a chain, at most.
    pub blocks_max: Bounded<10, 100_000>,
    /// A snapshot is made after so many blocks.
    pub snapshot_every: Bounded<1, 10_000>,
    /// How something is erased.
    pub privacy: PrivacyBy,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// How something is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivacyBy {
    /// By mining all later blocks anew.
    Remining,
    /// By deleting the salt of its commitment.
    Commitments,
}

/// What is asked, how often, and how long before the end it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Events of all clients together, each second.
    pub requests_per_s: Bounded<1, 10_000>,
    /// Whom events are about.
    pub subjects: Bounded<1, 10_000>,
    /// How often somebody tampers with each replica; 0 is never.
    pub tamper_every_ms: Bounded<0, 3_600_000>,
    /// How often a subject is to be erased; 0 is never.
    pub erase_every_ms: Bounded<0, 3_600_000>,
    /// Events end so long before the audit, which is the last thing that is asked.
    pub settle_ms: Bounded<1, 600_000>,
}

impl System for EventChain {
    const NAME: &'static str = "chain";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("final-by-depth", "chain", "split-view"),
        Mutant::new("links-unchecked", "chain", "chain"),
        Mutant::new("heads-unchecked", "chain", "chain"),
        Mutant::new("snapshots-unchecked", "chain", "chain"),
        Mutant::new("erasure-unwitnessed", "chain", "chain"),
        Mutant::new("event-mined-twice", "chain", "exactly-once"),
    ];
    type Rules = Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = chain::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { workload, timing, shape, .. } = parameters;
        let heal_ms = timing.heal_s.get() * 1_000;
        if workload.settle_ms.get() >= heal_ms {
            return Err("`workload.settle-ms`: expected less than `timing.heal-s`".to_owned());
        }
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        let load = Load { requests_max: 100_000, ..Load::of(workload.requests_per_s.get()) };
        load.check_clients(clients, timing)?;
        if shape.timeout_ms.get() > shape.deadline_ms.get() {
            return Err("`shape.timeout-ms`: expected at most `deadline-ms`".to_owned());
        }
        Ok(())
    }

    fn members(parameters: &Parameters<Self>, rules: Rules) -> Vec<Member<Self::Node>> {
        let service = Span::from_us(parameters.shape.service_us.get());
        let member = |node: chain::Member| {
            let (role, label) = role(&node);
            Member { role, label, node, service }
        };
        build(&world(parameters), rules).into_iter().map(member).collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        workload::requests(parameters, seed)
    }

    fn accept(parameters: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        let (name, asked) = match request {
            Request::Operation(_) => ("an operation", "client"),
            Request::Tamper { .. } => ("a tampering", "service"),
            Request::Erase { .. } => ("an erasure", "service"),
            Request::Audit => ("an audit", "service"),
        };
        accept_label(label, asked, name)?;
        let subject = match request {
            Request::Operation(Submit(event)) => event.subject,
            Request::Erase { subject, .. } => *subject,
            Request::Tamper { .. } | Request::Audit => return Ok(()),
        };
        if u64::from(subject.0) >= parameters.workload.subjects.get() {
            return Err(ForeignRequest::Unknown { what: "subject", name: subject.0.to_string() });
        }
        Ok(())
    }

    /// The audit is the last thing in a run.
    fn asked_until(parameters: &Parameters<Self>, request: &Request) -> TrueTime {
        match request {
            Request::Audit => TrueTime::ZERO + parameters.timing.whole(),
            Request::Operation(_) | Request::Tamper { .. } | Request::Erase { .. } => {
                parameters.workload_end()
            }
        }
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let families = vec![records::events(seen), records::chain(setting.parameters, seen)];
        // Events end before the workload does, so what is asked after the recovery is asked before that.
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        Recorded { families, progress }
    }
}

/// The world of these parameters.
fn world(parameters: &Parameters<EventChain>) -> chain::Shape {
    let shape = &parameters.shape;
    chain::Shape {
        replica_count: shape.services.get_u32(),
        witness_count: shape.witnesses.get_u32(),
        client_count: shape.clients.get_u32(),
        difficulty_bits: shape.difficulty_bits.get_u32(),
        depth: shape.depth.get(),
        tries: shape.tries.get_u32(),
        blocks_max: shape.blocks_max.get_u32() as usize,
        snapshot_every: shape.snapshot_every.get(),
        privacy: match shape.privacy {
            PrivacyBy::Remining => Privacy::Remined,
            PrivacyBy::Commitments => Privacy::Committed,
        },
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
    }
}

const fn role(member: &chain::Member) -> (Role, &'static str) {
    match member {
        chain::Member::Notary(_) => (Role::Log, "notary"),
        chain::Member::Witness => (Role::Resource, "witness"),
        chain::Member::Replica(_) => (Role::Service, "service"),
        chain::Member::Client(_) => (Role::Client, "client"),
    }
}

/// The operation that an observation is about.
const fn operation(observation: &Observation) -> Option<&Operation<Submit>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        _ => None,
    }
}
