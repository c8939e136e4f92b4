//! Accepted though the limit had been reached: whatever the instants of the decisions were.

use crate::instants::seconds;
use std::collections::BTreeMap;

use super::slot::{NamelessRelease, Reservation, Slot};
use crate::verdict::Violation;

/// Reservations named in an explanation.
const NAMED_COUNT_MAX: usize = 12;

/// Reservations among which a smaller part is looked for: each attempt judges all the others.
const REDUCED_COUNT_MAX: usize = 256;

/// More units certainly in use than any limit that can have applied.
pub(super) fn above_the_limit(slot: &Slot) -> Option<Violation> {
    let mut finding = find(&slot.accepted, &slot.nameless)?;
    while finding.needed.len() <= REDUCED_COUNT_MAX
        && let Some(smaller) = without_one(&finding, &slot.nameless)
    {
        finding = smaller;
    }
    Some(violation(&finding))
}

/// Reservations that cannot all have been right.
struct Finding {
    needed: Vec<Reservation>,
    sentence: String,
}

fn find(accepted: &[Reservation], nameless: &[NamelessRelease]) -> Option<Finding> {
    above_what_stayed(accepted, nameless).or_else(|| above_at_an_instant(accepted, nameless))
}

/// What is still wrong without one of the reservations, the smallest if possible.
fn without_one(finding: &Finding, nameless: &[NamelessRelease]) -> Option<Finding> {
    let mut places: Vec<usize> = (0..finding.needed.len()).collect();
    places.sort_by_key(|place| finding.needed[*place].units);
    places.into_iter().find_map(|place| {
        let mut rest = finding.needed.clone();
        rest.remove(place);
        find(&rest, nameless)
    })
}

/// A reservation accepted on top of others that were in use during all of its interval.
///
/// In use for certain: accepted before it began, and not released before it ended.
fn above_what_stayed(accepted: &[Reservation], nameless: &[NamelessRelease]) -> Option<Finding> {
    let mut by_return: Vec<&Reservation> = accepted.iter().collect();
    by_return.sort_by_key(|reservation| reservation.returned_at);
    let mut by_invocation: Vec<&Reservation> = accepted.iter().collect();
    by_invocation.sort_by_key(|reservation| reservation.invoked_at);
    let mut stayed = Stayed::new(accepted, nameless);
    let mut next = by_return.into_iter().peekable();
    for reservation in by_invocation {
        while let Some(earlier) = next.next_if(|earlier| earlier.returned_at < reservation.invoked_at) {
            stayed.add(earlier);
        }
        let used = stayed.units_until(reservation.returned_at);
        if used + u128::from(reservation.units) > u128::from(reservation.limit) {
            return Some(too_many(accepted, reservation, stayed.nameless_until(reservation.returned_at)));
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
    fn new(accepted: &[Reservation], nameless: &[NamelessRelease]) -> Self {
        let mut instants: Vec<u64> = accepted.iter().map(|accepted| accepted.release_invoked_at).collect();
        instants.sort_unstable();
        instants.dedup();
        let tree = vec![0; instants.len() + 1];
        let mut nameless: Vec<(u64, u128)> =
            nameless.iter().map(|release| (release.invoked_at, u128::from(release.units))).collect();
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
        (self.total - released).saturating_sub(self.nameless_until(until))
    }

    /// Units that nameless releases asked to free by `until`, that instant included.
    fn nameless_until(&self, until: u64) -> u128 {
        let asked = self.nameless.partition_point(|(at, _)| *at <= until);
        self.nameless[..asked].last().map_or(0, |(_, units)| *units)
    }
}

/// The largest of those that stayed, as many as it takes.
fn too_many(accepted: &[Reservation], last: &Reservation, nameless: u128) -> Finding {
    let stayed = |other: &&Reservation| {
        other.returned_at < last.invoked_at && other.release_invoked_at > last.returned_at
    };
    let mut before: Vec<&Reservation> = accepted.iter().filter(stayed).collect();
    before.sort_by_key(|reservation| std::cmp::Reverse(reservation.units));
    let mut stayed: u128 = 0;
    let mut needed = vec![*last];
    for reservation in before {
        let used = u128::from(last.units) + stayed.saturating_sub(nameless);
        if used > u128::from(last.limit) {
            break;
        }
        stayed += u128::from(reservation.units);
        needed.push(*reservation);
    }
    let sentence = format!(
        "{} was accepted, though the limit in its interval never was above {} and {} units were in use with it",
        last.in_words(),
        last.limit,
        u128::from(last.units) + stayed.saturating_sub(nameless)
    );
    Finding { needed, sentence }
}

/// More in use at one instant than the limit that the last of them can have seen.
///
/// All that is in use for certain was seen by the one decided last, whichever that was: one of those
/// that had not returned before the last invocation. Judged also when one leaves, for the limit that
/// the others saw may be lower than its own.
fn above_at_an_instant(accepted: &[Reservation], nameless: &[NamelessRelease]) -> Option<Finding> {
    if !nameless.is_empty() {
        return None;
    }
    let changes = changes(accepted);
    let mut in_use = InUse::default();
    for (place, (at, change, index)) in changes.iter().enumerate() {
        match change {
            Change::Leaves => in_use.remove(*index, &accepted[*index]),
            Change::Enters => in_use.insert(*index, &accepted[*index]),
        }
        let is_last_then = changes.get(place + 1).is_none_or(|(next_at, _, _)| next_at != at);
        if is_last_then && !in_use.fits(accepted) {
            return Some(too_many_together(accepted, &in_use, *at));
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

fn changes(accepted: &[Reservation]) -> Vec<(u64, Change, usize)> {
    let mut changes = Vec::with_capacity(2 * accepted.len());
    for (index, reservation) in accepted.iter().enumerate() {
        if reservation.returned_at < reservation.release_invoked_at {
            changes.push((reservation.returned_at, Change::Enters, index));
            if reservation.release_invoked_at != u64::MAX {
                changes.push((reservation.release_invoked_at, Change::Leaves, index));
            }
        }
    }
    changes.sort_unstable();
    changes
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

    /// Whether one that may have been decided last can have seen a limit high enough for all.
    fn fits(&self, accepted: &[Reservation]) -> bool {
        self.by_return.is_empty() || self.limits(accepted).any(|limit| self.units <= u128::from(limit))
    }

    fn largest_limit(&self, accepted: &[Reservation]) -> u64 {
        self.limits(accepted).max().unwrap_or(0)
    }

    /// What each that may have been decided last can have seen.
    fn limits(&self, accepted: &[Reservation]) -> impl Iterator<Item = u64> {
        let last_invoked_at = self.by_invocation.last_key_value().map_or(0, |((at, _), ())| *at);
        self.by_return.range((last_invoked_at, 0)..).rev().map(|((_, index), ())| accepted[*index].limit)
    }
}

/// The largest of those in use, as many as it takes.
fn too_many_together(accepted: &[Reservation], in_use: &InUse, at: u64) -> Finding {
    let mut all: Vec<usize> = in_use.by_return.keys().map(|(_, index)| *index).collect();
    all.sort_by_key(|index| std::cmp::Reverse(accepted[*index].units));
    let mut part = InUse::default();
    for index in all {
        part.insert(index, &accepted[index]);
        if !part.fits(accepted) {
            break;
        }
    }
    let sentence = format!(
        "{} units were in use at {}, though whichever of these was decided last saw a limit of at most {}",
        part.units,
        seconds(at),
        part.largest_limit(accepted)
    );
    Finding { needed: part.by_return.keys().map(|(_, index)| accepted[*index]).collect(), sentence }
}

fn violation(finding: &Finding) -> Violation {
    let mut needed = finding.needed.clone();
    needed.sort_by_key(|reservation| reservation.number);
    let mut words: Vec<String> = needed.iter().take(NAMED_COUNT_MAX).map(Reservation::in_words).collect();
    if needed.len() > NAMED_COUNT_MAX {
        words.push(format!("and {} more", needed.len() - NAMED_COUNT_MAX));
    }
    Violation {
        operations: needed.iter().map(|reservation| reservation.number).collect(),
        explanation: format!("{}: {}", finding.sentence, words.join("; ")),
        ..Violation::default()
    }
}
