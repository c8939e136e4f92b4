//! Rejected though there was room: at every instant, whatever the unknown operations did.

use super::schedule::Limits;
use super::slot::{Reservation, Slot};
use crate::verdict::Violation;

/// A rejected reservation that would have fitted at every instant of its interval.
pub(super) fn rejected_with_room(slot: &Slot, limits: &Limits, uncertainty_ns: u64) -> Option<Violation> {
    if slot.rejected.is_empty() {
        return None;
    }
    let room = Room::of(slot, limits, uncertainty_ns);
    slot.rejected.iter().find_map(|rejected| room.rejected_with_room(rejected))
}

/// What room a slot certainly had.
///
/// The largest possible use: all reservations accepted or unknown and invoked by then, less what was
/// certainly released. The limit: the smallest in force within `uncertainty_ns` of the interval; if
/// there was none in a part of that, nothing is promised.
pub(super) struct Room<'a> {
    use_over_time: LargestUse,
    limits: &'a Limits,
    uncertainty_ns: u64,
}

impl<'a> Room<'a> {
    pub(super) fn of(slot: &Slot, limits: &'a Limits, uncertainty_ns: u64) -> Self {
        Self { use_over_time: LargestUse::of(slot), limits, uncertainty_ns }
    }

    /// Whether this one would have fitted at every instant of its interval.
    pub(super) fn rejected_with_room(&self, rejected: &Reservation) -> Option<Violation> {
        let from = rejected.invoked_at.saturating_sub(self.uncertainty_ns);
        let to = rejected.returned_at.saturating_add(self.uncertainty_ns);
        let limit = self.limits.min_between(from, to)?;
        let used = self.use_over_time.between(rejected.invoked_at, rejected.returned_at).max(0);
        let has_room = used + i128::from(rejected.units) <= i128::from(limit);
        has_room.then(|| had_room(rejected, used, limit))
    }
}

/// The largest possible use: a step function of time.
struct LargestUse {
    /// (instant, what happens, change), in order; with the use after it.
    steps: Vec<(u64, Change, i128)>,
}

/// At one instant what may take room comes first: a release frees only after it returned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Taken,
    Freed,
}

impl LargestUse {
    fn of(slot: &Slot) -> Self {
        let taken = slot.taken.iter().map(|&(at, units)| (at, Change::Taken, i128::from(units)));
        let freed = slot.freed.iter().map(|&(at, units)| (at, Change::Freed, -i128::from(units)));
        let mut steps: Vec<(u64, Change, i128)> = taken.chain(freed).collect();
        steps.sort_unstable();
        let mut used = 0;
        for (_, _, change) in &mut steps {
            used += *change;
            *change = used;
        }
        Self { steps }
    }

    /// The largest in an interval, ends included.
    fn between(&self, from: u64, to: u64) -> i128 {
        let first = self.steps.partition_point(|(at, change, _)| (*at, *change) < (from, Change::Freed));
        let end = self.steps.partition_point(|(at, change, _)| (*at, *change) < (to, Change::Freed));
        let at_start = self.steps[..first].last().map_or(0, |(_, _, used)| *used);
        self.steps[first..end].iter().map(|(_, _, used)| *used).fold(at_start, i128::max)
    }
}

fn had_room(rejected: &Reservation, used: i128, limit: u64) -> Violation {
    let explanation = format!(
        "{} was rejected, though at most {used} units can have been in use and the limit never was below {limit}",
        rejected.in_words()
    );
    Violation { operations: vec![rejected.number], explanation, ..Violation::default() }
}
