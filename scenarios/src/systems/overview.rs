//! The overview as scenarios know it: owners change slots, views on every node follow.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `views` | what owners set and what each view took, a process a node | PRAM, convergence |
//! | `reads` | what clients read, slot by slot | monotonic reads on each node |

use std::collections::{BTreeMap, BTreeSet};

use checker::history::ClientId;
use checker::judge::{Family, FamilyKind};
use checker::keyed::KeyedBuilder;
use checker::session::{Access, Read};
use checker::spec::register::{Register, RegisterAnswer, RegisterCall};
use model::client::Operation;
use model::ids::SlotId;
use model::overview::{self, Answer, Call, Entry, Feed, Observation};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::{Progress, client};
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Owners of slots, and views of all slots on every node.
#[derive(Debug)]
pub struct Overview;

/// How large the world is, and the system's own timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Nodes that own slots.
    pub services: Bounded<3, 50>,
    /// Clients.
    pub clients: Bounded<1, 500>,
    /// Slots.
    pub slots: Bounded<1, 100_000>,
    /// How views are fed.
    pub feed: Feed,
    /// By gossip: how often a node sends all it knows.
    pub gossip_ms: Bounded<10, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked, how often. Slots are changed until the faults end, and read until the workload does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<1, 100_000>,
    /// Of a hundred requests, so many are changes.
    pub changes_percent: Bounded<0, 100>,
}

impl System for Overview {
    const NAME: &'static str = "overview";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("told-before-sync", "overview", "convergence"),
        Mutant::new("older-taken", "overview", "pram"),
        Mutant::new("gap-ignored", "overview", "convergence"),
        Mutant::new("last-update-lost", "overview", "convergence"),
        Mutant::new("view-served-early", "overview", "monotonic-reads"),
    ];
    type Rules = overview::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = overview::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let service = Span::from_us(parameters.shape.service_us.get());
        let members = overview::build(shape(&parameters.shape), rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match node {
                    overview::Member::Viewer(_) => (Role::Service, "node"),
                    overview::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = nodes(shape.services.get_u32(), shape.clients.get_u32());
        let until = parameters.workload_end();
        let asked = OpenLoop { nodes: &clients, requests_per_s: workload.requests_per_s.get(), until };
        let mut count = 0;
        let mut requests = asked.requests(seed, |chance, _| {
            count += 1;
            let slot = SlotId(u32::try_from(chance.below(shape.slots.get())).expect("slots fit 32 bits"));
            let is_change = chance.below(100) < workload.changes_percent.get();
            Some(if is_change { Call::Change { slot, value: count } } else { Call::Read { slot } })
        });
        let changes_end = TrueTime::ZERO + timing.chaos();
        for (at, _, call) in &mut requests {
            if *at >= changes_end {
                *call = Call::Read { slot: call.slot() };
            }
        }
        requests
    }

    fn accept(parameters: &Parameters<Self>, label: &str, call: &Call) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "an operation")?;
        let slot = call.slot().0;
        if u64::from(slot) >= parameters.shape.slots.get() {
            return Err(ForeignRequest::Unknown { what: "slot", name: slot.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        Recorded { families: vec![views(seen), reads(setting, seen)], progress }
    }
}

fn shape(shape: &Shape) -> overview::Shape {
    overview::Shape {
        node_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        slot_count: shape.slots.get_u32(),
        feed: shape.feed,
        gossip_every: Span::from_ms(shape.gossip_ms.get()),
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Set { .. } | Observation::Taken { .. } | Observation::Shows { .. } => None,
    }
}

/// What owners set and views took, as writes and reads of registers that take no time. Of what a node shows from time to
/// time only the last counts: all before it was taken down when it was taken.
fn views(seen: &[Seen<Overview>]) -> Family {
    const SOUND: &str = "what takes no time overlaps with nothing of the same node";
    let mut builder = KeyedBuilder::<Register>::default();
    let mut add = |one: &Seen<Overview>, slot: SlotId, call: RegisterCall, answer: RegisterAnswer| {
        let (node, at_ns) = (ClientId(u64::from(one.node.0)), one.released_at.as_ns());
        builder.invoke(node, &format!("slot-{:04}", slot.0), call, at_ns).expect(SOUND);
        builder.answer(node, answer, at_ns).expect(SOUND);
    };
    let value = |entry: Entry| i64::try_from(entry.value).expect("values count requests");
    let mut last: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (index, one) in seen.iter().enumerate() {
        if let Observation::Shows { .. } = one.observation {
            last.insert(one.node, index);
        }
    }
    let mut set = BTreeSet::new();
    for (index, one) in seen.iter().enumerate() {
        match &one.observation {
            Observation::Set { slot, entry } if set.insert((*slot, *entry)) => {
                add(one, *slot, RegisterCall::Write(Some(value(*entry))), RegisterAnswer::Done);
            }
            Observation::Taken { slot, entry } => {
                add(one, *slot, RegisterCall::Read, RegisterAnswer::Value(Some(value(*entry))));
            }
            Observation::Shows { entries } if last.get(&one.node) == Some(&index) => {
                for (slot, entry) in entries.iter() {
                    add(one, *slot, RegisterCall::Read, RegisterAnswer::Value(Some(value(*entry))));
                }
            }
            Observation::Set { .. } | Observation::Shows { .. } | Observation::Operation(_) => {}
        }
    }
    let kind = FamilyKind::KeyValue { spec: Register::default(), history: builder.finish() };
    Family { name: "views".to_owned(), kind }
}

/// What clients read, each slot as if it were a client's own.
fn reads(setting: Setting<'_, Overview>, seen: &[Seen<Overview>]) -> Family {
    let slots = setting.parameters.shape.slots.get();
    let mut asked = BTreeMap::new();
    let mut reads = Vec::new();
    for one in seen {
        match operation(&one.observation) {
            Some(Operation::Invoked { request, call: Call::Read { slot }, .. }) => {
                asked.insert(*request, *slot);
            }
            Some(Operation::Returned { process, request, answer: Some((server, Answer::Known(entry))) }) => {
                let Some(slot) = asked.get(request) else { continue };
                let client = client(setting.clients, one.node, *process).0 * slots + u64::from(slot.0);
                let at_ns = one.released_at.as_ns();
                let position = entry.version;
                reads.push(Read { client, server: server.0, at_ns, position, access: Access::Read });
            }
            Some(Operation::Invoked { .. } | Operation::Returned { .. }) | None => {}
        }
    }
    Family { name: "reads".to_owned(), kind: FamilyKind::Reads(reads) }
}
