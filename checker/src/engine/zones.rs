//! States that are entered once: the operations of each lie together, as a zone, and zones may not cut.
//!
//! ```text
//!   forward:   [w1 ]f ─────────── s[r1 ]     from the first return to the last invocation:
//!                                            all that time the object is in this state
//!   backward:    s[w2    ──── ]f             all its operations are open from s to f:
//!                                            somewhere there the state comes and goes
//! ```
//!
//! A legal order exists if and only if no two forward zones overlap and no backward zone lies inside a
//! forward one: then the zones can be taken one after the other. Source: P. B. Gibbons and E. Korach,
//! "Testing shared memories", SIAM J. Comput. 26(4) (1997).

pub(crate) mod chains;
pub(crate) mod conflict;
pub(crate) mod values;

/// Positions count from 1 here, so that 0 is before every event.
pub(crate) fn shifted(position: u64) -> u64 {
    position.saturating_add(1)
}

/// When the operations of one state return and are invoked, in shifted positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The first return of any; `u64::MAX` if none returns.
    pub(crate) first_returned: u64,
    /// The last invocation of any; 0 if none is invoked.
    pub(crate) last_invoked: u64,
}

impl Zone {
    /// The zone of no operation.
    pub(crate) const EMPTY: Self = Self { first_returned: u64::MAX, last_invoked: 0 };

    /// The zone of an operation that was over before the first event.
    pub(crate) const BEGINNING: Self = Self { first_returned: 0, last_invoked: 0 };

    /// Takes in an operation. Positions are unshifted.
    pub(crate) fn add(&mut self, invoked: u64, returned: u64) {
        self.first_returned = self.first_returned.min(shifted(returned));
        self.last_invoked = self.last_invoked.max(shifted(invoked));
    }

    /// Takes in all operations of another zone.
    pub(crate) fn join(&mut self, other: Self) {
        self.first_returned = self.first_returned.min(other.first_returned);
        self.last_invoked = self.last_invoked.max(other.last_invoked);
    }

    fn is_forward(self) -> bool {
        self.first_returned < self.last_invoked
    }
}

/// Two zones that cut one another, the forward one first; none if a legal order exists.
pub(crate) fn cut(zones: impl Iterator<Item = (u32, Zone)> + Clone) -> Option<(u32, u32)> {
    let forward = forward(zones.clone());
    for pair in forward.windows(2) {
        if pair[1].1.first_returned < pair[0].1.last_invoked {
            return Some((pair[0].0, pair[1].0));
        }
    }
    let mut cursor = 0;
    for (number, zone) in zones.filter(|(_, zone)| !zone.is_forward()) {
        if let Some((around, outer)) = last_begun(&forward, zone.last_invoked, &mut cursor)
            && zone.first_returned < outer.last_invoked
        {
            return Some((around, number));
        }
    }
    None
}

/// The numbers of zones that do not cut one another, in a legal order.
///
/// A forward zone counts where it ends, a backward one where it begins; one that begins within a
/// forward zone reaches beyond it and follows it.
pub(crate) fn in_order(zones: impl Iterator<Item = (u32, Zone)> + Clone) -> Vec<u32> {
    let forward = forward(zones.clone());
    let mut cursor = 0;
    let mut keyed: Vec<(u64, bool, u32)> = zones
        .map(|(number, zone)| {
            if zone.is_forward() {
                return (zone.last_invoked, false, number);
            }
            let around = last_begun(&forward, zone.last_invoked, &mut cursor);
            let end = around.map_or(0, |(_, outer)| outer.last_invoked);
            (end.max(zone.last_invoked), true, number)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, _, number)| number).collect()
}

/// The forward zones by their beginnings.
fn forward(zones: impl Iterator<Item = (u32, Zone)>) -> Vec<(u32, Zone)> {
    let mut forward: Vec<(u32, Zone)> = zones.filter(|(_, zone)| zone.is_forward()).collect();
    forward.sort_unstable_by_key(|(_, zone)| zone.first_returned);
    forward
}

/// The last of the forward zones that begins before `position`.
///
/// Looks near the cursor first: states are mostly met in the order in which they come.
fn last_begun(forward: &[(u32, Zone)], position: u64, cursor: &mut usize) -> Option<(u32, Zone)> {
    let begins_before =
        |index: usize| forward.get(index).is_some_and(|zone| zone.1.first_returned < position);
    let mut near = *cursor;
    for _ in 0..NEAR_COUNT {
        if begins_before(near) {
            near += 1;
        } else if near > 0 && !begins_before(near - 1) {
            near -= 1;
        }
    }
    let is_found = !begins_before(near) && (near == 0 || begins_before(near - 1));
    *cursor =
        if is_found { near } else { forward.partition_point(|(_, zone)| zone.first_returned < position) };
    cursor.checked_sub(1).map(|index| forward[index])
}

/// How far from the last answer the next one is looked for before all are searched.
const NEAR_COUNT: usize = 8;

#[cfg(test)]
mod tests;
