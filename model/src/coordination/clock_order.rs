//! In which order writes happened, as far as clocks can tell: hybrid logical clocks and version vectors.
//!
//! ```text
//!   write at a, clock 12:03   ─► seen by b, clock 12:01 ─► write at b
//!     bare clocks: 12:01 loses to the 12:03 that it had seen
//!     hybrid:      (12:03, 1) after (12:03, 0)
//!     vectors:     {a: 1, b: 1} after {a: 1}; neither is after a concurrent {c: 1}
//! ```
//!
//! Source: S. Kulkarni, M. Demirbas, D. Madappa, B. Avva and M. Leone, "Logical physical clocks", OPODIS 2014; D. Parker et
//! al., "Detection of mutual inconsistency in distributed systems", IEEE Trans. Softw. Eng. 9(3), 1983; dots as in N. Preguiça
//! et al., "Dotted version vectors", arXiv 1011.5808, 2010.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sim::node::NodeId;
use sim::time::{LocalTime, Span};

/// When a write happened, by the clock of its replica: ordered by clock, then count, then replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// What the clock showed, or the largest that was seen.
    pub wall: LocalTime,
    /// The how-many-th with that reading.
    pub count: u32,
    /// Which replica.
    pub replica: NodeId,
}

/// A hybrid logical clock: never behind what it has seen, and as near to the wall clock as that allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HybridClock {
    last: Stamp,
}

impl HybridClock {
    /// The stamp of an event now, at the replica.
    pub fn tick(&mut self, wall: LocalTime, replica: NodeId) -> Stamp {
        self.last = if wall > self.last.wall {
            Stamp { wall, count: 0, replica }
        } else {
            Stamp { wall: self.last.wall, count: self.last.count + 1, replica }
        };
        self.last
    }

    /// Takes note of a stamp: what is stamped from now on comes after it.
    pub fn see(&mut self, stamp: Stamp) {
        self.last = self.last.max(stamp);
    }

    /// Whether a stamp lies so far ahead of the wall clock that its clock must be wrong.
    #[must_use]
    pub fn is_too_far_ahead(stamp: Stamp, wall: LocalTime, ahead_max: Span) -> bool {
        stamp.wall.minus(wall) > ahead_max.as_signed_ns()
    }
}

/// One write: the how-many-th of its replica, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dot {
    /// Which replica took it.
    pub replica: NodeId,
    /// The count.
    pub count: u64,
}

/// Which writes have been seen: of each replica all up to a count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionVector(BTreeMap<NodeId, u64>);

impl VersionVector {
    /// Whether that write has been seen.
    #[must_use]
    pub fn covers(&self, dot: Dot) -> bool {
        self.count_of(dot.replica) >= dot.count
    }

    /// Whether all that `other` has seen has been seen.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|(replica, count)| self.count_of(*replica) >= *count)
    }

    /// How many writes of that replica have been seen.
    #[must_use]
    pub fn count_of(&self, replica: NodeId) -> u64 {
        self.0.get(&replica).copied().unwrap_or(0)
    }

    /// Takes note of a write, and of all that its replica took before.
    pub fn see(&mut self, dot: Dot) {
        let count = self.0.entry(dot.replica).or_default();
        *count = dot.count.max(*count);
    }

    /// Takes note of all that `other` has seen.
    pub fn join(&mut self, other: &Self) {
        for (replica, count) in &other.0 {
            self.see(Dot { replica: *replica, count: *count });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    #[test]
    fn a_stamp_comes_after_every_stamp_that_was_seen_however_the_clocks_stand() {
        for (wall_a, wall_b) in [(5, 9), (9, 5), (7, 7)] {
            let (mut a, mut b) = (HybridClock::default(), HybridClock::default());
            let first = a.tick(LocalTime::from_ns(wall_a), A);
            b.see(first);
            let second = b.tick(LocalTime::from_ns(wall_b), B);
            let third = b.tick(LocalTime::from_ns(wall_b - 4), B);
            assert!(first < second && second < third, "{first:?} {second:?} {third:?}");
        }
    }

    #[test]
    fn a_stamp_stays_with_the_wall_clock_where_nothing_later_was_seen() {
        let mut clock = HybridClock::default();
        let stamp = clock.tick(LocalTime::from_ns(5), A);
        assert_eq!(stamp, Stamp { wall: LocalTime::from_ns(5), count: 0, replica: A });
        assert_eq!(clock.tick(LocalTime::from_ns(8), A).count, 0);
    }

    #[test]
    fn a_stamp_is_too_far_ahead_beyond_the_bound_and_not_at_it() {
        let is_ahead = |wall_ns| {
            let stamp = Stamp { wall: LocalTime::from_ns(wall_ns), ..Stamp::default() };
            HybridClock::is_too_far_ahead(stamp, LocalTime::from_ns(100), Span::from_ns(50))
        };
        assert_eq!((is_ahead(150), is_ahead(151), is_ahead(-10)), (false, true, false));
    }

    #[test]
    fn vectors_tell_what_was_seen_from_what_is_concurrent() {
        let seen = |dots: &[(NodeId, u64)]| {
            let mut vector = VersionVector::default();
            dots.iter().for_each(|(replica, count)| vector.see(Dot { replica: *replica, count: *count }));
            vector
        };
        let (one, other) = (seen(&[(A, 2)]), seen(&[(A, 1), (B, 1)]));
        assert!(!one.includes(&other) && !other.includes(&one));
        let mut both = one.clone();
        both.join(&other);
        assert!(both.includes(&one) && both.includes(&other));
        assert_eq!(both, seen(&[(B, 1), (A, 2)]));
        assert!(both.covers(Dot { replica: A, count: 1 }) && !both.covers(Dot { replica: B, count: 2 }));
    }
}
