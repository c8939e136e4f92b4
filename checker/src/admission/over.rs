//! Accepted though the limit had been reached: whatever the instants of the decisions were.

use std::collections::BTreeMap;

use super::schedule::Limits;
use super::slot::{Reservation, Slot};
use crate::verdict::Violation;

/// Reservations named in an explanation.
const NAMED_COUNT_MAX: usize = 12;

/// A reservation accepted on top of others that were in use during all of its interval.
///
/// In use for certain: accepted before it began, and not released before it ended.
pub(super) fn above_what_stayed(slot: &Slot, limits: &Limits) -> Option<Violation> {
    let mut by_return: Vec<&Reservation> = slot.accepted.iter().collect();
    by_return.sort_unstable_by_key(|reservation| reservation.returned_at);
    let mut by_invocation: Vec<&Reservation> = slot.accepted.iter().collect();
    by_invocation.sort_unstable_by_key(|reservation| reservation.invoked_at);
    let mut stayed = Stayed::new(slot);
    let mut next = by_return.into_iter().peekable();
    for reservation in by_invocation {
        while let Some(earlier) = next.next_if(|earlier| earlier.returned_at < reservation.invoked_at) {
            stayed.add(earlier);
        }
        let used = stayed.units_until(reservation.returned_at);
        let limit = largest_limit(limits, reservation);
        if used + u128::from(reservation.units) > u128::from(limit) {
            return Some(too_many(slot, reservation, limit));
        }
    }
    None
}

/// Units by the instant from which they may have been released: a Fenwick tree over those instants.
struct Stayed {
    instants: Vec<u64>,
    tree: Vec<u128>,
    total: u128,
    /// (invoked at, units of all nameless releases invoked by then), in order.
    nameless: Vec<(u64, u128)>,
}

impl Stayed {
    fn new(slot: &Slot) -> Self {
        let mut instants: Vec<u64> = slot.accepted.iter().map(|accepted| accepted.release_invoked_at).collect();
        instants.sort_unstable();
        instants.dedup();
        let tree = vec![0; instants.len() + 1];
        let mut nameless: Vec<(u64, u128)> = slot
            .releases
            .iter()
            .filter(|release| release.is_nameless)
            .map(|release| (release.invoked_at, u128::from(release.units)))
            .collect();
        nameless.sort_unstable();
        let mut sum = 0;
        for (_, units) in &mut nameless {
            sum += *units;
            *units = sum;
        }
        Self { instants, tree, total: 0, nameless }
    }

    fn add(&mut self, reservation: &Reservation) {
        self.total += u128::from(reservation.units);
        let mut node = self.instants.partition_point(|at| *at < reservation.release_invoked_at) + 1;
        while node < self.tree.len() {
            self.tree[node] += u128::from(reservation.units);
            node += node & node.wrapping_neg();
        }
    }

    /// Units for which no release had been asked for by `until`, that instant included.
    fn units_until(&self, until: u64) -> u128 {
        // `u64::MAX` stands for never.
        let mut node = self.instants.partition_point(|at| *at <= until && *at != u64::MAX);
        let mut released = 0;
        while node > 0 {
            released += self.tree[node];
            node &= node - 1;
        }
        let asked = self.nameless.partition_point(|(at, _)| *at <= until);
        let nameless = self.nameless[..asked].last().map_or(0, |(_, units)| *units);
        (self.total - released).saturating_sub(nameless)
    }
}

/// More in use at one instant than the limit that the last of them can have seen.
///
/// All that is in use for certain was seen by the one decided last, whichever that was: one of those
/// that had not returned before the last invocation.
pub(super) fn above_at_an_instant(slot: &Slot, limits: &Limits) -> Option<Violation> {
    if slot.releases.iter().any(|release| release.is_nameless) {
        return None;
    }
    let mut changes: Vec<(u64, Change, usize)> = Vec::with_capacity(2 * slot.accepted.len());
    for (index, reservation) in slot.accepted.iter().enumerate() {
        if reservation.returned_at < reservation.release_invoked_at {
            changes.push((reservation.release_invoked_at, Change::Leaves, index));
            changes.push((reservation.returned_at, Change::Enters, index));
        }
    }
    changes.sort_unstable();
    let mut in_use = InUse::default();
    for (_, change, index) in changes {
        let reservation = &slot.accepted[index];
        match change {
            Change::Leaves => in_use.remove(index, reservation),
            Change::Enters => {
                in_use.insert(index, reservation);
                let limit = in_use.largest_limit(slot, limits);
                if in_use.units > u128::from(limit) {
                    return Some(too_many_together(slot, &in_use, limits));
                }
            }
        }
    }
    None
}

/// What happens to the set of reservations in use. At one instant, what may leave leaves first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Leaves,
    Enters,
}

/// The reservations certainly in use, by their ends and by their beginnings.
#[derive(Default)]
struct InUse {
    by_return: BTreeMap<(u64, usize), ()>,
    by_invocation: BTreeMap<(u64, usize), ()>,
    units: u128,
}

impl InUse {
    fn insert(&mut self, index: usize, reservation: &Reservation) {
        self.by_return.insert((reservation.returned_at, index), ());
        self.by_invocation.insert((reservation.invoked_at, index), ());
        self.units += u128::from(reservation.units);
    }

    fn remove(&mut self, index: usize, reservation: &Reservation) {
        self.by_return.remove(&(reservation.returned_at, index));
        self.by_invocation.remove(&(reservation.invoked_at, index));
        self.units -= u128::from(reservation.units);
    }

    fn largest_limit(&self, slot: &Slot, limits: &Limits) -> u64 {
        let last_invoked_at = self.by_invocation.last_key_value().map_or(0, |((at, _), ())| *at);
        self.by_return
            .range((last_invoked_at, 0)..)
            .map(|((_, index), ())| largest_limit(limits, &slot.accepted[*index]))
            .max()
            .unwrap_or(0)
    }
}

/// The largest limit that can have been in force when the reservation was decided.
fn largest_limit(limits: &Limits, reservation: &Reservation) -> u64 {
    limits.max_between(reservation.invoked_at, reservation.returned_at)
}

fn too_many(slot: &Slot, last: &Reservation, limit: u64) -> Violation {
    let mut before: Vec<&Reservation> = slot
        .accepted
        .iter()
        .filter(|other| other.returned_at < last.invoked_at && other.release_invoked_at > last.returned_at)
        .collect();
    before.sort_by_key(|reservation| std::cmp::Reverse(reservation.units));
    let mut units = u128::from(last.units);
    let mut needed = vec![last];
    let has_nameless = slot.releases.iter().any(|release| release.is_nameless);
    for reservation in before {
        if units > u128::from(limit) && !has_nameless {
            break;
        }
        units += u128::from(reservation.units);
        needed.push(reservation);
    }
    let explanation = format!(
        "{} was accepted, though the limit in its interval never was above {limit} and {} units were in use with it",
        last.in_words(),
        units
    );
    violation(needed, explanation)
}

fn too_many_together(slot: &Slot, in_use: &InUse, limits: &Limits) -> Violation {
    let mut all: Vec<usize> = in_use.by_return.keys().map(|(_, index)| *index).collect();
    all.sort_by_key(|index| std::cmp::Reverse(slot.accepted[*index].units));
    let mut part = InUse::default();
    for index in all {
        part.insert(index, &slot.accepted[index]);
        if part.units > u128::from(part.largest_limit(slot, limits)) {
            break;
        }
    }
    let limit = part.largest_limit(slot, limits);
    let needed: Vec<&Reservation> = part.by_return.keys().map(|(_, index)| &slot.accepted[*index]).collect();
    let explanation = format!(
        "{} units were in use at once, though whichever of these was decided last saw a limit of at most {limit}",
        part.units
    );
    violation(needed, explanation)
}

fn violation(mut needed: Vec<&Reservation>, explanation: String) -> Violation {
    needed.sort_by_key(|reservation| reservation.number);
    let mut words: Vec<String> =
        needed.iter().take(NAMED_COUNT_MAX).map(|reservation| reservation.in_words()).collect();
    if needed.len() > NAMED_COUNT_MAX {
        words.push(format!("and {} more", needed.len() - NAMED_COUNT_MAX));
    }
    Violation {
        operations: needed.iter().map(|reservation| reservation.number).collect(),
        explanation: format!("{explanation}: {}", words.join("; ")),
        ..Violation::default()
    }
}
