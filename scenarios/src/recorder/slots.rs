//! What clients asked of slots.

use std::collections::{BTreeMap, BTreeSet};

use checker::history::{ClientId, OperationIndex};
use checker::judge::{Family, FamilyKind};
use checker::keyed::KeyedBuilder;
use checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use model::ids::SlotId;
use model::message::{Answer, Call, Ground, Observation};
use sim::node::NodeId;

use super::switches::Config;
use super::{Seen, Setting};

/// Family, and the slots' journal as a witness.
pub(super) fn record(setting: Setting<'_>, seen: &[Seen], config: &Config) -> Family {
    let mut builder = KeyedBuilder::<Capacity>::default();
    let mut numbers = BTreeMap::new();
    let mut order = Order::default();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Invoked { process, request, call } => {
                let Some((slot, asked)) = question(*call) else { continue };
                let client = client(setting, one.node, *process);
                let number = builder
                    .invoke(client, &key(slot), asked, at_ns)
                    .expect("a session asks one question at a time, and never after an unknown outcome");
                numbers.insert(*request, (slot, number));
            }
            Observation::Returned { process, request, answer } => {
                let Some((slot, number)) = numbers.get(request) else { continue };
                let client = client(setting, one.node, *process);
                end(&mut builder, client, answer.map(outcome), at_ns);
                order.answered.extend(answer.map(|_| *number));
                if let Some(Answer::InUse { sequence, .. }) = answer {
                    order.read(*slot, u64::from(sequence.0), *number);
                }
            }
            Observation::Journalled { entries, .. } => {
                for entry in entries.iter() {
                    if let Some((slot, number)) = numbers.get(&entry.event.request) {
                        let is_refusal = !has_effect(entry.event.answer);
                        order.write(
                            *slot,
                            u64::from(entry.sequence.0),
                            Placed { number: *number, is_refusal },
                        );
                    }
                }
            }
            _ => {}
        }
    }
    let kind = FamilyKind::Capacity {
        spec: Capacity { capacity: None },
        history: builder.finish(),
        witness: order.finish(),
        schedule: Some(config.schedule.clone()),
        uncertainty_ns: config.uncertainty_ns,
    };
    Family { name: "slots".to_owned(), kind }
}

/// The name of a slot in histories.
fn key(slot: SlotId) -> String {
    format!("slot-{:04}", slot.0)
}

/// The process of a client as one number: equal modulo the number of clients for all processes of a client.
pub(super) fn client(setting: Setting<'_>, node: NodeId, process: u32) -> ClientId {
    let clients = &setting.topology.clients;
    let index = clients.iter().position(|client| *client == node).expect("only clients ask");
    ClientId(u64::from(process) * clients.len() as u64 + index as u64)
}

fn question(call: Call) -> Option<(SlotId, CapacityCall)> {
    match call {
        Call::Reserve { slot, order, units } => {
            Some((slot, CapacityCall::Reserve { order: Some(order.0), units: u64::from(units) }))
        }
        Call::Release { slot, order } => {
            Some((slot, CapacityCall::Release { order: Some(order.0), units: 0 }))
        }
        Call::Use { slot } => Some((slot, CapacityCall::Read)),
        Call::Overview => None,
    }
}

/// Whether the event changed its slot.
const fn has_effect(answer: Answer) -> bool {
    matches!(answer, Answer::Accepted(_) | Answer::Released)
}

/// What an answer says about the slot; nothing where nothing happened.
fn outcome(answer: Answer) -> Option<CapacityAnswer> {
    match answer {
        Answer::Accepted(ground) => Some(CapacityAnswer::Accepted(terms(ground))),
        Answer::Rejected(ground) => Some(CapacityAnswer::Rejected(terms(ground))),
        Answer::Released => Some(CapacityAnswer::Released),
        Answer::NotHeld => Some(CapacityAnswer::NotHeld),
        Answer::InUse { units, .. } => Some(CapacityAnswer::Use(units)),
        Answer::Changed | Answer::UnknownSlot | Answer::Overview { .. } | Answer::Unavailable => None,
    }
}

fn terms(ground: Ground) -> Terms {
    Terms { limit: Some(u64::from(ground.limit)), version: Some(u64::from(ground.version.0)) }
}

fn end(
    builder: &mut KeyedBuilder<Capacity>,
    client: ClientId,
    outcome: Option<Option<CapacityAnswer>>,
    at_ns: u64,
) {
    let ended = match outcome {
        Some(Some(answer)) => builder.answer(client, answer, at_ns),
        Some(None) => builder.did_not_happen(client, at_ns),
        None => builder.unknown(client),
    };
    ended.expect("an answer follows its question");
}

/// The order of the operations of each slot, as the journal has it; reads come right after what they saw.
#[derive(Default)]
struct Order {
    places: BTreeMap<(SlotId, u64, u32), Placed>,
    answered: BTreeSet<OperationIndex>,
}

/// An operation in its place.
#[derive(Clone, Copy)]
struct Placed {
    number: OperationIndex,
    is_refusal: bool,
}

impl Order {
    fn write(&mut self, slot: SlotId, sequence: u64, placed: Placed) {
        self.places.insert((slot, 2 * sequence + 1, 0), placed);
    }

    fn read(&mut self, slot: SlotId, event_count: u64, number: OperationIndex) {
        self.places.insert((slot, 2 * event_count, number.0), Placed { number, is_refusal: false });
    }

    /// A refusal that nobody learned of has no place: to the checker it is as if nothing had been asked.
    fn finish(self) -> BTreeMap<String, Vec<OperationIndex>> {
        let mut orders: BTreeMap<String, Vec<OperationIndex>> = BTreeMap::new();
        for ((slot, ..), placed) in self.places {
            if !placed.is_refusal || self.answered.contains(&placed.number) {
                orders.entry(key(slot)).or_default().push(placed.number);
            }
        }
        orders
    }
}
