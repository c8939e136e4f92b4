//! The history of one slot as intervals of true time: who took and who freed how much.

use std::collections::BTreeMap;

use crate::history::{ClientId, History, OperationIndex, OperationOf, Outcome};
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};

/// A reservation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reservation {
    pub(super) number: OperationIndex,
    pub(super) client: ClientId,
    pub(super) order: Option<u64>,
    pub(super) units: u64,
    pub(super) invoked_at: u64,
    /// `u64::MAX` if the outcome is unknown.
    pub(super) returned_at: u64,
    /// Earliest invocation of a release that may have freed it; `u64::MAX` if there is none.
    pub(super) release_invoked_at: u64,
}

/// A release that may have happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    pub(super) units: u64,
    pub(super) invoked_at: u64,
    /// `u64::MAX` if the outcome is unknown.
    pub(super) returned_at: u64,
    pub(super) is_nameless: bool,
}

/// All of one slot.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) accepted: Vec<Reservation>,
    pub(super) rejected: Vec<Reservation>,
    pub(super) unknown: Vec<Reservation>,
    pub(super) releases: Vec<Release>,
}

impl Slot {
    pub(super) fn of(history: &History<Capacity>) -> Self {
        let mut slot = Self::default();
        for operation in history.operations() {
            if let CapacityCall::Reserve { order, units } = operation.call {
                let reservation = reservation(operation, order, units);
                match operation.outcome {
                    Outcome::Answered(CapacityAnswer::Rejected(_)) => slot.rejected.push(reservation),
                    Outcome::Answered(_) => slot.accepted.push(reservation),
                    Outcome::Unknown => slot.unknown.push(reservation),
                }
            }
        }
        let units_of: BTreeMap<u64, u64> = slot
            .accepted
            .iter()
            .chain(&slot.unknown)
            .filter_map(|reservation| Some((reservation.order?, reservation.units)))
            .collect();
        let mut freed_from: BTreeMap<u64, u64> = BTreeMap::new();
        for operation in history.operations() {
            if let Some((order, release)) = release(operation, &units_of) {
                slot.releases.push(release);
                if let Some(order) = order {
                    let earliest = freed_from.entry(order).or_insert(u64::MAX);
                    *earliest = release.invoked_at.min(*earliest);
                }
            }
        }
        for reservation in &mut slot.accepted {
            let freed = reservation.order.and_then(|order| freed_from.get(&order));
            reservation.release_invoked_at = freed.copied().unwrap_or(u64::MAX);
        }
        slot
    }
}

impl Reservation {
    /// In words, with client and times.
    pub(super) fn in_words(&self) -> String {
        let named = self.order.map(|order| format!(" for order {order}")).unwrap_or_default();
        format!(
            "operation {} of client {} reserve {}{named} [{} to {} ns]",
            self.number, self.client, self.units, self.invoked_at, self.returned_at
        )
    }
}

fn reservation(operation: &OperationOf<Capacity>, order: Option<u64>, units: u64) -> Reservation {
    Reservation {
        number: operation.number,
        client: operation.client,
        order,
        units,
        invoked_at: operation.invoked_at,
        returned_at: operation.returned_at.unwrap_or(u64::MAX),
        release_invoked_at: u64::MAX,
    }
}

/// What an operation may have freed, and of which order; none if it certainly freed nothing.
fn release(
    operation: &OperationOf<Capacity>,
    units_of: &BTreeMap<u64, u64>,
) -> Option<(Option<u64>, Release)> {
    let CapacityCall::Release { order, units } = operation.call else { return None };
    if operation.outcome == Outcome::Answered(CapacityAnswer::NotHeld) {
        return None;
    }
    let units = match order {
        Some(order) => *units_of.get(&order)?,
        None => units,
    };
    let returned_at = operation.returned_at.unwrap_or(u64::MAX);
    let release =
        Release { units, invoked_at: operation.invoked_at, returned_at, is_nameless: order.is_none() };
    Some((order, release))
}
