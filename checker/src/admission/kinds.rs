//! The same for counters of several kinds: each kind is a counter of its own, but a rejection is of all of them.
//!
//! A kind's limit is its share of the schedule. A reservation takes part in the kinds that it asks for. One rejected is
//! wrong only if every kind that it asks for certainly had room; one accepted is wrong if any certainly had none, or if
//! it came from a zone that is not served.

use super::over;
use super::schedule::{LimitSchedule, Limits};
use super::slot::Slot;
use super::under::Room;
use crate::history::{History, OperationOf, Outcome};
use crate::keyed::KeyedHistory;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};
use crate::spec::kinds::{KINDS_MAX, Kinds, KindsAnswer, KindsCall, Zone};
use crate::verdict::{Verdict, Violation};

/// Whether no reservation was accepted above the limit of a kind in force, nor rejected far below all of them, and
/// each was refused as not served if it had to be, and only then.
///
/// `uncertainty_ns` as for [`admission`](super::admission).
pub fn admission_of_kinds(
    spec: &Kinds,
    history: &KeyedHistory<Kinds>,
    schedule: &LimitSchedule,
    uncertainty_ns: u64,
) -> Verdict {
    let limits: Vec<Limits> = (0..KINDS_MAX).map(|kind| Limits::of(&share(spec, kind, schedule))).collect();
    for (key, part) in history.parts() {
        let violation = by_the_rule(part).or_else(|| by_units(part, &limits, uncertainty_ns));
        if let Some(violation) = violation {
            let explanation = format!("{key}: {}", violation.explanation);
            return Verdict::Violated(Violation { key: Some(key.clone()), explanation, ..violation });
        }
    }
    Verdict::Holds
}

/// One kind's share of the schedule.
fn share(spec: &Kinds, kind: usize, schedule: &LimitSchedule) -> LimitSchedule {
    let steps = schedule.steps.iter().map(|(start_ns, limit)| (*start_ns, spec.limit(kind, *limit)));
    LimitSchedule { steps: steps.collect() }
}

/// Decided though it is not served, or refused as not served though it is.
fn by_the_rule(history: &History<Kinds>) -> Option<Violation> {
    history.operations().iter().find_map(|operation| {
        let KindsCall::Reserve { zone, .. } = operation.call else { return None };
        let answer = operation.answer()?;
        let found = match (zone, answer) {
            (Zone::Unserved, KindsAnswer::NotServed) => return None,
            (Zone::Unserved, _) => "was decided, though its zone is not served",
            (Zone::Served, KindsAnswer::NotServed) => "was refused as not served, though its zone is served",
            (Zone::Served, _) => return None,
        };
        let asked = <Kinds as crate::spec::Spec>::describe(&operation.call, Some(answer));
        let explanation =
            format!("client {}'s {asked} (operation {}) {found}", operation.client, operation.number);
        Some(Violation { operations: vec![operation.number], explanation, ..Violation::default() })
    })
}

fn by_units(history: &History<Kinds>, limits: &[Limits], uncertainty_ns: u64) -> Option<Violation> {
    let slots: Vec<Slot> =
        limits.iter().enumerate().map(|(kind, limits)| Slot::of(&of_kind(history, kind), limits)).collect();
    let over = slots.iter().enumerate().find_map(|(kind, slot)| {
        let violation = over::above_the_limit(slot)?;
        let explanation = format!("kind {}: {}", kind + 1, violation.explanation);
        Some(Violation { explanation, ..violation })
    });
    over.or_else(|| rejected_with_room(&slots, limits, uncertainty_ns))
}

/// Rejected though every kind that it asked for had room at every instant.
fn rejected_with_room(slots: &[Slot], limits: &[Limits], uncertainty_ns: u64) -> Option<Violation> {
    let rooms: Vec<Room<'_>> =
        slots.iter().zip(limits).map(|(slot, limits)| Room::of(slot, limits, uncertainty_ns)).collect();
    let mut rejected: Vec<_> = slots.iter().flat_map(|slot| &slot.rejected).map(|one| one.number).collect();
    rejected.sort_unstable();
    rejected.dedup();
    rejected.into_iter().find_map(|number| {
        let in_kinds = slots.iter().zip(&rooms).enumerate();
        let mut found: Option<Violation> = None;
        for (kind, (slot, room)) in in_kinds {
            let Ok(place) = slot.rejected.binary_search_by_key(&number, |one| one.number) else { continue };
            let violation = room.rejected_with_room(&slot.rejected[place])?;
            let more = format!("kind {}: {}", kind + 1, violation.explanation);
            let explanation =
                found.map_or_else(|| more.clone(), |found| format!("{}; {more}", found.explanation));
            found = Some(Violation { explanation, ..violation });
        }
        found
    })
}

/// What was asked of one kind: reservations that ask for none of it take no part.
fn of_kind(history: &History<Kinds>, kind: usize) -> History<Capacity> {
    let operations = history.operations().iter().filter_map(|operation| operation_of_kind(operation, kind));
    History::of(operations.collect(), Vec::new())
}

fn operation_of_kind(operation: &OperationOf<Kinds>, kind: usize) -> Option<OperationOf<Capacity>> {
    let call = match operation.call {
        KindsCall::Reserve { order, units, zone: Zone::Served } if units[kind] > 0 => {
            CapacityCall::Reserve { order: Some(order), units: units[kind] }
        }
        KindsCall::Release { order } => CapacityCall::Release { order: Some(order), units: 0 },
        KindsCall::Reserve { .. } | KindsCall::Read => return None,
    };
    let outcome = match operation.outcome {
        Outcome::Unknown => Outcome::Unknown,
        Outcome::Answered(answer) => Outcome::Answered(match answer {
            KindsAnswer::Accepted(terms) => CapacityAnswer::Accepted(terms),
            KindsAnswer::Rejected(terms) => CapacityAnswer::Rejected(terms),
            KindsAnswer::Released => CapacityAnswer::Released,
            KindsAnswer::NotHeld => CapacityAnswer::NotHeld,
            KindsAnswer::NotServed | KindsAnswer::Use(_) => return None,
        }),
    };
    let OperationOf::<Kinds> { number, client, invoked, returned, invoked_at, returned_at, .. } = *operation;
    Some(OperationOf::<Capacity> {
        number,
        client,
        call,
        outcome,
        invoked,
        returned,
        invoked_at,
        returned_at,
    })
}
