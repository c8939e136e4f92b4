//! A log on several nodes as scenarios know it: clients append and read at any node.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `log` | what clients asked and were told | linearizable |
//! | `entries` | what was appended, and what each node was given since each of its starts | no loss, exactly once, convergence |

use model::client::Operation;
use model::replication::consensus::message::{Call, Observation, Request};
use model::replication::consensus::pace::Pace;
use model::replication::consensus::rules::Rules;
use model::replication::consensus::{self, build};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

use super::common::{Clients, Load, accept_label, nodes, patience};

mod history;

/// A log on several nodes.
#[derive(Debug)]
pub struct Consensus;

/// How large the world is, and the patience of its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Nodes of the log.
    pub services: Bounded<2, 15>,
    /// Clients.
    pub clients: Bounded<1, 500>,
    /// Entries from which on the log takes no more.
    pub entries_max: Bounded<1, 1_000_000>,
    /// A node makes a snapshot after so many commands.
    pub snapshot_every: Bounded<1, 1_000_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked, of whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<1, 100_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Put an entry into the log.
    pub append: Bounded<0, 1_000>,
    /// Ask where the log ends.
    pub read: Bounded<0, 1_000>,
}

impl System for Consensus {
    const NAME: &'static str = "consensus";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("sent-before-durable", "consensus-disks", "no-loss"),
        Mutant::new("answered-before-decision", "consensus", "no-loss"),
        Mutant::new("follower-read", "consensus", "linearizable"),
        Mutant::new("retry-appended-twice", "consensus", "exactly-once"),
    ];
    type Rules = Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = consensus::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { workload, timing, shape, .. } = parameters;
        if workload.mix.append.get() + workload.mix.read.get() == 0 {
            return Err("`workload.mix`: all shares are 0; expected one above".to_owned());
        }
        if shape.timeout_ms.get() > shape.deadline_ms.get() {
            return Err("`shape.timeout-ms`: expected at most `deadline-ms`".to_owned());
        }
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Rules) -> Vec<Member<Self::Node>> {
        let service = Span::from_us(parameters.shape.service_us.get());
        let member = |node: consensus::Member| {
            let (role, label) = role(&node);
            Member { role, label, node, service }
        };
        build(&world(parameters), rules).into_iter().map(member).collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let clients = nodes(shape.services.get_u32(), shape.clients.get_u32());
        let requests_per_s = workload.requests_per_s.get();
        let open_loop = OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() };
        let (append, all) = (workload.mix.append.get(), workload.mix.append.get() + workload.mix.read.get());
        open_loop.requests(seed, |chance, _| {
            let call = if chance.below(all) < append { Call::Append } else { Call::Read };
            Some(Request::Operation(call))
        })
    }

    fn accept(_: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        let Request::Operation(_) = request;
        accept_label(label, "client", "an operation")
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let families =
            vec![history::operations(setting.clients, seen), history::entries(setting.parameters, seen)];
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        Recorded { families, progress }
    }
}

/// The world of these parameters.
fn world(parameters: &Parameters<Consensus>) -> consensus::Shape {
    let shape = &parameters.shape;
    consensus::Shape {
        replica_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        entries_max: shape.entries_max.get_u32() as usize,
        snapshot_every: shape.snapshot_every.get_u32() as usize,
        pace: Pace::of(&parameters.network),
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
    }
}

const fn role(member: &consensus::Member) -> (Role, &'static str) {
    match member {
        consensus::Member::Replica(_) => (Role::Service, "service"),
        consensus::Member::Client(_) => (Role::Client, "client"),
    }
}

/// The operation that an observation is about.
const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Started | Observation::Applied { .. } => None,
    }
}
