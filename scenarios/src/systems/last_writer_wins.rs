//! Last writer wins as scenarios know it: clients read and write registers of their replica, and replace records.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `registers` | what clients read and wrote, by clocks | causal, convergence |
//! | `cart-N` | what was added to a register, and what each replica holds in the end, by vectors | no loss, exactly once, convergence |
//! | `records` | what clients found in records and put in its place | linearizable |

use std::collections::{BTreeMap, BTreeSet};

use checker::history::ClientId;
use checker::judge::{Family, FamilyKind};
use checker::keyed::{KeyedBuilder, KeyedHistory};
use checker::replication::{Append, Delivery, LogHistory, Reader};
use checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use model::client::Operation;
use model::coordination::registers::{self, Answer, Call, Observation, Order};
use serde::{Deserialize, Serialize};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::{Progress, client};
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Registers that every replica writes.
#[derive(Debug)]
pub struct LastWriterWins;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// By what writes are put in order: `hybrid-clock` or `version-vector`.
    pub order: Order,
    /// Who keeps registers.
    pub replicas: Bounded<1, 50>,
    /// Who asks; they are shared out among the replicas.
    pub clients: Bounded<1, 500>,
    /// Registers.
    pub registers: Bounded<1, 1_000>,
    /// Records; each replica owns its share.
    pub records: Bounded<0, 1_000>,
    /// How often a replica passes on what it has.
    pub gossip_every_ms: Bounded<1, 600_000>,
    /// How far ahead of its own clock a stamp may be that a replica takes.
    pub ahead_max_ms: Bounded<0, 3_600_000>,
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
    /// Requests of all clients together, each second, until four seconds before the end. After two seconds of silence each
    /// client reads every register once more.
    pub requests_per_s: Bounded<0, 100_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Read a register.
    pub read: Bounded<0, 1_000>,
    /// Write to a register.
    pub write: Bounded<0, 1_000>,
    /// Look into a record.
    pub look: Bounded<0, 1_000>,
    /// Replace what was found there.
    pub replace: Bounded<0, 1_000>,
}

impl Mix {
    const fn total(&self) -> u64 {
        self.read.get() + self.write.get() + self.look.get() + self.replace.get()
    }

    const fn of_records(&self) -> u64 {
        self.look.get() + self.replace.get()
    }
}

/// How long before the end of the workload each register is written for the last time, and the last reads begin.
const LAST_DRAWN: Span = Span::from_seconds(4);
const LAST_READS: Span = Span::from_seconds(2);

impl System for LastWriterWins {
    const NAME: &'static str = "last-writer-wins";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("bare-timestamps", "lww-hybrid-clock", "causal"),
        Mutant::new("sibling-dropped", "lww-version-vector", "no-loss"),
        Mutant::new("written-before-sync", "lww-version-vector", "no-loss"),
        Mutant::new("compare-then-apply", "lww-records", "linearizable"),
    ];
    type Rules = registers::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = registers::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        if timing.heal_s.get() < 6 {
            return Err("`timing.heal-s`: expected at least 6, for the last reads".to_owned());
        }
        if workload.mix.total() == 0 {
            return Err("`workload.mix`: all shares are 0; expected one above".to_owned());
        }
        if workload.mix.of_records() > 0 && shape.records.get() < shape.replicas.get() {
            return Err("`shape.records`: expected as many as `replicas`, so that each owns one".to_owned());
        }
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = registers::Shape {
            order: shape.order,
            replica_count: shape.replicas.get_u32(),
            client_count: shape.clients.get_u32(),
            register_count: shape.registers.get_u32(),
            record_count: shape.records.get_u32(),
            gossip_every: Span::from_ms(shape.gossip_every_ms.get()),
            ahead_max: Span::from_ms(shape.ahead_max_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = registers::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    registers::Member::Replica(_) => (Role::Service, "replica"),
                    registers::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = nodes(shape.replicas.get_u32(), shape.clients.get_u32());
        let end = timing.workload();
        let until = TrueTime::ZERO + end.saturating_sub(LAST_DRAWN);
        let open_loop = OpenLoop { nodes: &clients, requests_per_s: workload.requests_per_s.get(), until };
        let mut requests = open_loop.requests(seed, |chance, index| Some(draw(parameters, index, chance)));
        let registers = shape.registers.get_u32();
        let apart = Span::from_ns(LAST_READS.as_ns() / (u64::from(registers) + 1));
        let mut at = TrueTime::ZERO + end.saturating_sub(LAST_READS);
        for (register, writer) in (0..registers).zip(clients.iter().cycle()) {
            // Whoever read before the last write need not agree with those who read in the end.
            requests.push((until, *writer, Call::Write { register }));
            requests.extend(clients.iter().map(|client| (at, *client, Call::Read { register })));
            at += apart;
        }
        requests
    }

    fn accept(parameters: &Parameters<Self>, label: &str, call: &Call) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "an operation")?;
        let shape = &parameters.shape;
        let (what, number, count) = match call {
            Call::Read { register } | Call::Write { register } => {
                ("register", *register, shape.registers.get())
            }
            Call::Look { record } | Call::Replace { record } => ("record", *record, shape.records.get()),
        };
        if u64::from(number) >= count {
            return Err(ForeignRequest::Unknown { what, name: number.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let shape = &setting.parameters.shape;
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        let mut families = match shape.order {
            Order::HybridClock => {
                vec![family("registers", history(Part::Registers, setting.clients, seen))]
            }
            Order::VersionVector => {
                (0..shape.registers.get_u32()).map(|register| cart(shape, register, seen)).collect()
            }
        };
        families.push(family("records", history(Part::Records, setting.clients, seen)));
        Recorded { families, progress }
    }
}

fn draw(parameters: &Parameters<LastWriterWins>, client: usize, chance: &mut Stream) -> Call {
    let Shape { replicas, registers, records, .. } = &parameters.shape;
    let Mix { read, write, look, .. } = parameters.workload.mix;
    let small = |number: u64| u32::try_from(number).expect("registers and records fit 32 bits");
    let drawn = chance.below(parameters.workload.mix.total());
    if drawn < read.get() + write.get() {
        let register = small(chance.below(registers.get()));
        return if drawn < read.get() { Call::Read { register } } else { Call::Write { register } };
    }
    // One that the client's replica owns.
    let owner = client as u64 % replicas.get();
    let record = small(owner + replicas.get() * chance.below(records.get() / replicas.get()));
    let is_look = drawn < read.get() + write.get() + look.get();
    if is_look { Call::Look { record } } else { Call::Replace { record } }
}

const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Dropped { .. } | Observation::Holds { .. } => None,
    }
}

fn family(name: &str, history: KeyedHistory<Register>) -> Family {
    let kind = FamilyKind::Register { spec: Register { initial: None }, history };
    Family { name: name.to_owned(), kind }
}

fn value(number: u64) -> Value {
    Some(i64::try_from(number).expect("requests are numbered below 2^63"))
}

/// What a client asks of a register or a record, as a model does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Registers that hold one value or none.
    Registers,
    /// Records, and what each session found in them last: that is what it expects.
    Records,
}

impl Part {
    fn question(
        self,
        call: Call,
        new: Value,
        found: &BTreeMap<u32, Value>,
    ) -> Option<(String, RegisterCall)> {
        match (self, call) {
            (Self::Registers, Call::Read { register }) => {
                Some((key("register", register), RegisterCall::Read))
            }
            (Self::Registers, Call::Write { register }) => {
                Some((key("register", register), RegisterCall::Write(new)))
            }
            (Self::Records, Call::Look { record }) => Some((key("record", record), RegisterCall::Read)),
            (Self::Records, Call::Replace { record }) => {
                let expected = found.get(&record).copied().flatten();
                Some((key("record", record), RegisterCall::CompareAndSet { expected, new }))
            }
            (Self::Registers, Call::Look { .. } | Call::Replace { .. })
            | (Self::Records, Call::Read { .. } | Call::Write { .. }) => None,
        }
    }
}

fn answer(answer: &Answer) -> Option<RegisterAnswer> {
    match answer {
        Answer::Values { values, .. } => {
            Some(RegisterAnswer::Value(values.first().and_then(|number| value(*number))))
        }
        Answer::Found { value: found, .. } => Some(RegisterAnswer::Value(found.and_then(value))),
        Answer::Written { .. } | Answer::Replaced { .. } => Some(RegisterAnswer::Done),
        Answer::Mismatch => Some(RegisterAnswer::Mismatch),
        Answer::NotFound | Answer::Full => None,
    }
}

fn history(part: Part, clients: &[NodeId], seen: &[Seen<LastWriterWins>]) -> KeyedHistory<Register> {
    const SOUND: &str = "a session asks one question at a time, and is answered what it asked";
    let mut builder = KeyedBuilder::<Register>::default();
    let mut found: BTreeMap<ClientId, BTreeMap<u32, Value>> = BTreeMap::new();
    let mut open = BTreeSet::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match operation(&one.observation) {
            Some(Operation::Invoked { process, request, call }) => {
                let client = client(clients, one.node, *process);
                let found = found.entry(client).or_default();
                let Some((key, asked)) = part.question(*call, value(request.0), found) else { continue };
                builder.invoke(client, &key, asked, at_ns).expect(SOUND);
                open.insert(*request);
            }
            Some(Operation::Returned { process, request, answer: told }) if open.remove(request) => {
                let client = client(clients, one.node, *process);
                match told {
                    Some((_, Answer::Found { record, value: held })) => {
                        found.entry(client).or_default().insert(*record, held.and_then(value));
                    }
                    Some((_, Answer::Replaced { record, value: held })) => {
                        found.entry(client).or_default().insert(*record, value(*held));
                    }
                    Some(_) | None => {}
                }
                match told.as_ref().map(|(_, told)| answer(told)) {
                    Some(Some(told)) => builder.answer(client, told, at_ns).expect(SOUND),
                    Some(None) => builder.did_not_happen(client, at_ns).expect(SOUND),
                    None => builder.unknown(client).expect(SOUND),
                }
            }
            Some(Operation::Returned { .. }) | None => {}
        }
    }
    builder.finish()
}

/// What was added to a register, and what each replica holds there in the end: in the order of the numbers, as if it were a
/// log, so that two that hold the same are the same.
fn cart(shape: &Shape, register: u32, seen: &[Seen<LastWriterWins>]) -> Family {
    let mut appends = BTreeMap::new();
    let mut holds = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call, .. }) => {
                if *call == (Call::Write { register }) {
                    let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
                    appends.insert(*request, append);
                }
            }
            Observation::Operation(Operation::Returned { request, answer, .. }) => {
                if let (Some(append), Some((_, Answer::Written { .. }))) = (appends.get_mut(request), answer)
                {
                    append.acknowledged_ns = Some(at_ns);
                }
            }
            Observation::Holds { register: held, values } if *held == register => {
                holds.insert(one.node, (at_ns, values));
            }
            Observation::Holds { .. } | Observation::Dropped { .. } => {}
        }
    }
    let reader = |node: NodeId| {
        let delivery = |at_ns| move |(offset, entry): (u64, &u64)| Delivery { offset, entry: *entry, at_ns };
        let held = holds.get(&node).into_iter();
        let deliveries = held.flat_map(|(at_ns, values)| (0..).zip(values.iter()).map(delivery(*at_ns)));
        let (name, deliveries) = (format!("replica {node}"), deliveries.collect());
        Reader { name, node: node.0, deliveries, is_complete: true }
    };
    let readers = nodes(0, shape.replicas.get_u32()).into_iter().map(reader).collect();
    let history = LogHistory { appends: appends.into_values().collect(), readers };
    Family { name: key("cart", register), kind: FamilyKind::Log(history) }
}

fn key(what: &str, number: u32) -> String {
    format!("{what}-{number:03}")
}
