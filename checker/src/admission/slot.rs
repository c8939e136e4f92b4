//! The history of one slot as intervals of true time: who took and who freed how much.

use crate::instants::{interval, seconds};
use std::collections::BTreeMap;

use crate::history::{ClientId, History, OperationIndex, OperationOf, Outcome};
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};

use super::schedule::Limits;

/// A reservation. All that asked for one order are one reservation, decided once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reservation {
    pub(super) number: OperationIndex,
    pub(super) client: ClientId,
    pub(super) order: Option<u64>,
    pub(super) units: u64,
    pub(super) invoked_at: u64,
    /// `u64::MAX` if the outcome is unknown.
    pub(super) returned_at: u64,
    /// Earliest invocation of a release of its order; `u64::MAX` if there is none.
    pub(super) release_invoked_at: u64,
    /// The largest limit in force at any instant of its interval.
    pub(super) limit: u64,
}

/// A release of units without a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamelessRelease {
    pub(super) units: u64,
    pub(super) invoked_at: u64,
}

/// All of one slot.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) accepted: Vec<Reservation>,
    pub(super) rejected: Vec<Reservation>,
    /// From when on units may be taken: (instant, units).
    pub(super) taken: Vec<(u64, u64)>,
    /// From when on units are certainly free again: (instant, units).
    pub(super) freed: Vec<(u64, u64)>,
    pub(super) nameless: Vec<NamelessRelease>,
}

impl Slot {
    pub(super) fn of(history: &History<Capacity>, limits: &Limits) -> Self {
        let mut slot = Self::default();
        let mut orders: BTreeMap<Name, Order> = BTreeMap::new();
        for operation in history.operations() {
            let CapacityCall::Reserve { order, units } = operation.call else { continue };
            let reservation = Reservation::of(operation, order, units);
            match operation.outcome {
                Outcome::Answered(CapacityAnswer::Rejected(_)) => slot.rejected.push(reservation),
                Outcome::Answered(_) | Outcome::Unknown => {
                    orders.entry(name(operation, order)).or_default().ask(reservation);
                }
            }
        }
        slot.widen_rejected(history);
        for operation in history.operations() {
            let CapacityCall::Release { order, units } = operation.call else { continue };
            if order.is_none() {
                slot.release_nameless(operation, units);
            } else if let Some(order) = orders.get_mut(&name(operation, order)) {
                order.release(operation);
            }
        }
        for order in orders.values() {
            slot.add(order, limits);
        }
        slot
    }

    /// An order rejected when it was asked for again may only have got its first answer once more, so it
    /// was decided at any time since the first question.
    fn widen_rejected(&mut self, history: &History<Capacity>) {
        let mut first_asked_at: BTreeMap<u64, u64> = BTreeMap::new();
        for operation in history.operations() {
            if let CapacityCall::Reserve { order: Some(order), .. } = operation.call {
                let first = first_asked_at.entry(order).or_insert(operation.invoked_at);
                *first = operation.invoked_at.min(*first);
            }
        }
        for rejected in &mut self.rejected {
            let first = rejected.order.and_then(|order| first_asked_at.get(&order));
            rejected.invoked_at = first.copied().unwrap_or(rejected.invoked_at);
        }
    }

    fn release_nameless(&mut self, operation: &OperationOf<Capacity>, units: u64) {
        self.nameless.push(NamelessRelease { units, invoked_at: operation.invoked_at });
        if let Some(returned_at) = released_at(operation) {
            self.freed.push((returned_at, units));
        }
    }

    fn add(&mut self, order: &Order, limits: &Limits) {
        let Some(widest) = order.asked.iter().map(|asked| asked.units).max() else { return };
        self.taken.push((order.invoked_at(), widest));
        if let Some(freed_at) = order.freed_at() {
            self.freed.push((freed_at, widest));
        }
        self.accepted.extend(order.accepted(limits));
    }
}

impl Reservation {
    fn of(operation: &OperationOf<Capacity>, order: Option<u64>, units: u64) -> Self {
        Self {
            number: operation.number,
            client: operation.client,
            order,
            units,
            invoked_at: operation.invoked_at,
            returned_at: operation.returned_at.unwrap_or(u64::MAX),
            release_invoked_at: u64::MAX,
            limit: 0,
        }
    }

    /// From when to when it was open.
    fn when(&self) -> String {
        if self.returned_at == u64::MAX {
            return format!("from {}", seconds(self.invoked_at));
        }
        interval(self.invoked_at, self.returned_at)
    }

    /// In words, with client and times.
    pub(super) fn in_words(&self) -> String {
        let named = self.order.map(|order| format!(" for order {order}")).unwrap_or_default();
        format!(
            "client {}'s reserve {}{named} (operation {}; {})",
            self.client,
            self.units,
            self.number,
            self.when()
        )
    }
}

/// The order, or the operation itself where it names none.
type Name = (Option<u64>, u32);

fn name(operation: &OperationOf<Capacity>, order: Option<u64>) -> Name {
    (order, if order.is_some() { 0 } else { operation.number.0 })
}

/// What was asked about one order.
#[derive(Default)]
struct Order {
    /// Reservations accepted or of unknown outcome. More than one only if a client asked again.
    asked: Vec<Reservation>,
    /// When its releases were invoked, whatever the answer: one refused as not held may be the
    /// second attempt of one that took effect.
    release_invoked_at: Option<u64>,
    /// (invoked, returned) of the releases answered so.
    released: Vec<(u64, u64)>,
}

impl Order {
    fn ask(&mut self, reservation: Reservation) {
        self.asked.push(reservation);
    }

    fn release(&mut self, operation: &OperationOf<Capacity>) {
        let earliest = self.release_invoked_at.get_or_insert(operation.invoked_at);
        *earliest = operation.invoked_at.min(*earliest);
        if let Some(returned_at) = released_at(operation) {
            self.released.push((operation.invoked_at, returned_at));
        }
    }

    fn invoked_at(&self) -> u64 {
        self.asked.iter().map(|asked| asked.invoked_at).min().unwrap_or(u64::MAX)
    }

    /// The reservation that is certain, decided at the first attempt or any later one.
    fn accepted(&self, limits: &Limits) -> Option<Reservation> {
        let mut accepted = *self.asked.iter().min_by_key(|asked| asked.returned_at)?;
        if accepted.returned_at == u64::MAX {
            return None;
        }
        accepted.invoked_at = self.invoked_at();
        accepted.units = self.asked.iter().map(|asked| asked.units).min()?;
        accepted.release_invoked_at = self.release_invoked_at.unwrap_or(u64::MAX);
        accepted.limit = limits.max_between(accepted.invoked_at, accepted.returned_at);
        Some(accepted)
    }

    /// When a release had certainly freed the order for good: with several reservations, only one
    /// that was invoked after all of them.
    fn freed_at(&self) -> Option<u64> {
        let settled_at = match self.asked.as_slice() {
            [_] => 0,
            asked => asked.iter().map(|asked| asked.returned_at).max()?,
        };
        let released = self.released.iter().filter(|(invoked_at, _)| *invoked_at >= settled_at);
        released.map(|(_, returned_at)| *returned_at).filter(|at| *at >= self.invoked_at()).min()
    }
}

/// When a release was answered with success.
fn released_at(operation: &OperationOf<Capacity>) -> Option<u64> {
    operation.returned_at.filter(|_| operation.outcome == Outcome::Answered(CapacityAnswer::Released))
}
