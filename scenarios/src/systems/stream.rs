//! Streams as scenarios know them: clients produce; what consumers have in their states is judged.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `partition-N` | what was produced there, and what its consumer has counted | no loss, exactly once, convergence |

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::replication::{Append, Delivery, LogHistory, Reader};
use model::client::Operation;
use model::coordination::stream::{self, Answer, Counted, Observation, Produce};
use model::ids::RequestKey;
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Partitions, and what their consumers make of them.
#[derive(Debug)]
pub struct Stream;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Who consumes, each a partition of its own.
    pub consumers: Bounded<1, 100>,
    /// Who produces.
    pub clients: Bounded<1, 500>,
    /// How long a consumer waits for entries before it asks again.
    pub poll_ms: Bounded<1, 600_000>,
    /// How long it works on what it got.
    pub work_ms: Bounded<1, 600_000>,
    /// How often a consumer that keeps its offset apart writes it down.
    pub commit_every_ms: Bounded<1, 600_000>,
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
    /// Entries that all clients together produce, each second.
    pub requests_per_s: Bounded<0, 100_000>,
    /// What an entry counts: from 1 to that many.
    pub amount_max: Bounded<1, 1_000_000>,
}

impl System for Stream {
    const NAME: &'static str = "stream";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("produced-twice", "stream", "exactly-once"),
        Mutant::new("counted-before-sync", "stream", "no-loss"),
        Mutant::new("offset-after-state", "stream", "exactly-once"),
        Mutant::new("offset-before-state", "stream", "no-loss"),
    ];
    type Rules = stream::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = stream::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = stream::Shape {
            consumer_count: shape.consumers.get_u32(),
            client_count: shape.clients.get_u32(),
            poll_every: Span::from_ms(shape.poll_ms.get()),
            work: Span::from_ms(shape.work_ms.get()),
            commit_every: Span::from_ms(shape.commit_every_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = stream::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    stream::Member::Source(_) => (Role::Log, "source"),
                    stream::Member::Consumer(_) => (Role::Service, "consumer"),
                    stream::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let clients = nodes(1 + shape.consumers.get_u32(), shape.clients.get_u32());
        let requests_per_s = workload.requests_per_s.get();
        OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() }.requests(
            seed,
            |chance, _| {
                let small = |number: u64| u32::try_from(number).expect("partitions and amounts fit 32 bits");
                let partition = small(chance.below(shape.consumers.get()));
                let amount = small(1 + chance.below(workload.amount_max.get()));
                Some(Produce { partition, amount })
            },
        )
    }

    fn accept(parameters: &Parameters<Self>, label: &str, produce: &Produce) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "an entry")?;
        if u64::from(produce.partition) >= parameters.shape.consumers.get() {
            return Err(ForeignRequest::Unknown { what: "partition", name: produce.partition.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        let mut partitions = BTreeMap::new();
        for partition in 0..setting.parameters.shape.consumers.get_u32() {
            partitions.insert(partition, BTreeMap::new());
        }
        let mut places = BTreeMap::new();
        for one in seen {
            if let Some(operation) = operation(&one.observation) {
                produced(&mut partitions, &mut places, operation, one.released_at.as_ns());
            }
        }
        let family = |(partition, appends): (u32, BTreeMap<RequestKey, Append>)| {
            let readers = vec![reader(partition, seen)];
            let history = LogHistory { appends: appends.into_values().collect(), readers };
            Family { name: format!("partition-{partition}"), kind: FamilyKind::Log(history) }
        };
        Recorded { families: partitions.into_iter().map(family).collect(), progress }
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Produce>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Began(_) | Observation::Counted(_) => None,
    }
}

/// What was offered to each partition, and acknowledged.
fn produced(
    partitions: &mut BTreeMap<u32, BTreeMap<RequestKey, Append>>,
    places: &mut BTreeMap<RequestKey, u32>,
    operation: &Operation<Produce>,
    at_ns: u64,
) {
    match operation {
        Operation::Invoked { request, call, .. } => {
            places.insert(*request, call.partition);
            let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
            partitions.entry(call.partition).or_default().insert(*request, append);
        }
        Operation::Returned { request, answer: Some((_, Answer::Produced { .. })), .. } => {
            let appends = places.get(request).and_then(|partition| partitions.get_mut(partition));
            if let Some(append) = appends.and_then(|appends| appends.get_mut(request)) {
                append.acknowledged_ns = Some(at_ns);
            }
        }
        Operation::Returned { .. } => {}
    }
}

/// What is in the state of the partition's consumer in the end. A restart begins with the state on its disk, which may have
/// more than was shown before.
fn reader(partition: u32, seen: &[Seen<Stream>]) -> Reader {
    let node = 1 + partition;
    let mut deliveries: Vec<Delivery> = Vec::new();
    for one in seen.iter().filter(|one| one.node.0 == node) {
        let at_ns = one.released_at.as_ns();
        let counted = match &one.observation {
            Observation::Began(state) => {
                deliveries.clear();
                state
            }
            Observation::Counted(counted) => counted,
            Observation::Operation(_) => continue,
        };
        let delivery = |(offset, request): &Counted| Delivery { offset: offset.0, entry: request.0, at_ns };
        deliveries.extend(counted.iter().map(delivery));
    }
    Reader { name: format!("state of consumer {partition}"), node, deliveries, is_complete: true }
}
