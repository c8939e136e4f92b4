//! A sum that starts at 0: values below or above all that additions can make.
//!
//! ```text
//!   least = what was certainly added before, and every subtraction that may have happened
//!   most  = what was certainly added before, and every addition that may have happened
//! ```
//!
//! O(n log n) for the sort of the returns.

use std::cmp::Reverse;

use crate::engine::shortcut::Conflict;

/// What an operation does to a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// How much it adds.
    pub(crate) added: i64,
    /// What the sum is after it, if the answer says.
    pub(crate) after: Option<i64>,
    /// Position of the invocation.
    pub(crate) invoked: u64,
    /// Position of the answer; `u64::MAX` if its outcome is unknown.
    pub(crate) returned: u64,
}

/// Additions that returned, by return; those of one sign.
#[derive(Default)]
struct Certain {
    /// When each returned, its place, and the sum up to it.
    added: Vec<(u64, usize, i128)>,
}

impl Certain {
    fn push(&mut self, returned: u64, place: usize, added: i64) {
        let sum = self.added.last().map_or(0, |(.., sum)| *sum);
        self.added.push((returned, place, sum + i128::from(added)));
    }

    /// How many returned before a position.
    fn count_before(&self, position: u64) -> usize {
        self.added.partition_point(|(returned, ..)| *returned < position)
    }

    fn sum_of(&self, count: usize) -> i128 {
        count.checked_sub(1).map_or(0, |last| self.added[last].2)
    }
}

/// The first operation to return with a sum out of reach, and the additions that put it there; none if
/// there is none.
pub(crate) fn conflict_of_sum(count: usize, change: impl Fn(usize) -> Option<Change>) -> Option<Conflict> {
    let changes: Vec<(usize, Change)> =
        (0..count).filter_map(|place| Some((place, change(place)?))).collect();
    let mut returns: Vec<(u64, usize)> =
        changes.iter().enumerate().map(|(index, (_, change))| (change.returned, index)).collect();
    returns.retain(|(returned, _)| *returned < u64::MAX);
    returns.sort_unstable();
    // What all that has begun adds, and what it takes away.
    let (mut raised, mut lowered) = (0_i128, 0_i128);
    let (mut raises, mut lowers) = (Certain::default(), Certain::default());
    let mut next = 0;
    for (returned, index) in returns {
        while let Some((_, begun)) = changes.get(next).filter(|(_, change)| change.invoked < returned) {
            *(if begun.added > 0 { &mut raised } else { &mut lowered }) += i128::from(begun.added);
            next += 1;
        }
        let (place, change) = changes[index];
        if let Some(after) = change.after.map(i128::from) {
            let sure = (raises.count_before(change.invoked), lowers.count_before(change.invoked));
            let own = i128::from(change.added);
            // Its own addition is among those that have begun.
            let least = raises.sum_of(sure.0) + lowered + own.max(0);
            let most = lowers.sum_of(sure.1) + raised + own.min(0);
            if after < least {
                let places = places(place, &raises.added[..sure.0], after - (lowered + own.max(0)));
                let reason = format!("{after} is found, less than {least}: the least that it can be then");
                return Some(Conflict { places, reason });
            }
            if after > most {
                let places = places(place, &lowers.added[..sure.1], (raised + own.min(0)) - after);
                let reason = format!("{after} is found, more than {most}: the most that it can be then");
                return Some(Conflict { places, reason });
            }
        }
        if change.added > 0 {
            raises.push(returned, place, change.added);
        } else if change.added < 0 {
            lowers.push(returned, place, change.added);
        }
    }
    None
}

/// The operation with the few certain changes of one sign, largest first, that exceed what is `missing`.
fn places(place: usize, certain: &[(u64, usize, i128)], missing: i128) -> Vec<usize> {
    let mut before = 0;
    let mut sizes = Vec::with_capacity(certain.len());
    for &(_, place, sum) in certain {
        sizes.push((Reverse((sum - before).abs()), place));
        before = sum;
    }
    sizes.sort_unstable();
    let mut places = vec![place];
    let mut sum = 0;
    for (Reverse(size), place) in sizes {
        if sum > missing {
            break;
        }
        sum += size;
        places.push(place);
    }
    places.sort_unstable();
    places
}
