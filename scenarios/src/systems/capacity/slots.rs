//! What clients asked of slots.

use std::collections::{BTreeMap, BTreeSet};

use checker::history::OperationIndex;
use checker::judge::{Family, FamilyKind};
use checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use model::client::Operation;
use model::ids::{RequestKey, SlotId};
use model::message::{Answer, Call, Entry, Ground, Observation};
use sim::node::NodeId;

use super::kinds::KindSlots;
use super::parts::CounterPart;
use super::repeats::repeated;
use super::{CapacityService, Shape, operation};
use crate::recorder::{self, Known, Operations, Reading};
use crate::system::Seen;
use crate::systems::switches::Config;

/// Family, and the slots' journal as a witness.
pub(in crate::systems) fn record(
    shape: &Shape,
    clients: &[NodeId],
    seen: &[Seen<CapacityService>],
    config: &Config,
) -> Family {
    let schedule = Some(config.schedule.clone());
    let uncertainty_ns = config.uncertainty_ns;
    let repeated = repeated(seen, shape.counter);
    let own = |observation| operation(observation).filter(|one| !repeated.contains(&one.request()));
    let kind = if shape.has_kinds() {
        let reading = KindSlots { zones: shape.zones.get_u32() };
        let Operations { history, places } = recorder::operations(clients, seen, own, &reading);
        let witness = witness(&places, seen, shape.counter);
        FamilyKind::Kinds { spec: shape.spec(), history, witness, schedule, uncertainty_ns }
    } else {
        let Operations { history, places } = recorder::operations(clients, seen, own, &Slots);
        let witness = witness(&places, seen, shape.counter);
        FamilyKind::Capacity { spec: Capacity { capacity: None }, history, witness, schedule, uncertainty_ns }
    };
    Family { name: "slots".to_owned(), kind }
}

/// The order of the operations of each slot: the journal's.
fn witness(
    places: &BTreeMap<RequestKey, (String, OperationIndex)>,
    seen: &[Seen<CapacityService>],
    counter: CounterPart,
) -> BTreeMap<String, Vec<OperationIndex>> {
    let mut order = Order::default();
    for one in seen {
        match &one.observation {
            Observation::Operation(Operation::Returned { request, answer: Some((_, answer)), .. }) => {
                let Some((key, number)) = places.get(request) else { continue };
                order.answered.insert(*number);
                if let Answer::InUse { sequence, .. } | Answer::InUseKinds { sequence, .. } = answer {
                    order.read(key, u64::from(sequence.0), *number);
                }
            }
            shown => {
                for entry in decisions(shown, counter) {
                    if let Some((key, number)) = places.get(&entry.event.request) {
                        let is_refusal = !has_effect(entry.event.answer);
                        order.write(key, u64::from(entry.sequence.0), Placed { number: *number, is_refusal });
                    }
                }
            }
        }
    }
    order.finish()
}

/// The decisions that are shown in the journal's order: by the journal, or, where that is a stream of commands, by each replica
/// that has decided them.
pub(super) fn decisions(observation: &Observation, counter: CounterPart) -> &[Entry] {
    match observation {
        Observation::Applied { entries, .. } if counter == CounterPart::Stream => entries,
        Observation::Journalled { entries, .. } if counter != CounterPart::Stream => entries,
        _ => &[],
    }
}

/// Questions about single slots as those of bounded counters.
struct Slots;

impl Reading<Call, Capacity> for Slots {
    fn question(&self, call: &Call) -> Option<(String, CapacityCall)> {
        let (slot, asked) = question(*call)?;
        Some((key(slot), asked))
    }

    fn answer(&self, _: &Call, answer: &Answer) -> Known<CapacityAnswer> {
        outcome(*answer).map_or(Known::NotDone, Known::Told)
    }
}

/// The name of a slot in histories.
pub(super) fn key(slot: SlotId) -> String {
    format!("slot-{:04}", slot.0)
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
        // Such questions are asked only where there are kinds or zones.
        Call::ReserveKinds { .. } | Call::Overview | Call::Choose { .. } => None,
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
        Answer::Changed
        | Answer::UnknownSlot
        | Answer::Overview { .. }
        | Answer::Chosen { .. }
        | Answer::Unavailable
        | Answer::NotServed
        | Answer::InUseKinds { .. }
        | Answer::Queued(_) => None,
    }
}

pub(super) fn terms(ground: Ground) -> Terms {
    Terms { limit: Some(u64::from(ground.limit)), version: Some(u64::from(ground.version.0)) }
}

/// The order of the operations of each slot, as the journal has it; reads come right after what they saw.
#[derive(Default)]
struct Order<'a> {
    places: BTreeMap<(&'a str, u64, u32), Placed>,
    answered: BTreeSet<OperationIndex>,
}

/// An operation in its place.
#[derive(Clone, Copy)]
struct Placed {
    number: OperationIndex,
    is_refusal: bool,
}

impl<'a> Order<'a> {
    fn write(&mut self, slot: &'a str, sequence: u64, placed: Placed) {
        self.places.insert((slot, 2 * sequence + 1, 0), placed);
    }

    fn read(&mut self, slot: &'a str, event_count: u64, number: OperationIndex) {
        self.places.insert((slot, 2 * event_count, number.0), Placed { number, is_refusal: false });
    }

    /// A refusal that nobody learned of has no place: to the checker it is as if nothing had been asked.
    fn finish(self) -> BTreeMap<String, Vec<OperationIndex>> {
        let mut orders: BTreeMap<String, Vec<OperationIndex>> = BTreeMap::new();
        for ((slot, ..), placed) in self.places {
            if !placed.is_refusal || self.answered.contains(&placed.number) {
                orders.entry(slot.to_owned()).or_default().push(placed.number);
            }
        }
        orders
    }
}
