//! When each node is taken by a fault beside which no other of its kind may happen to it.

use sim::node::NodeId;
use sim::time::{Span, TrueTime};

/// Between two times down, a node is up at least that long.
pub(super) const UP_MIN: Span = Span::from_ms(500);

/// From one instant to another.
type Interval = (TrueTime, TrueTime);

/// What takes a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Busy {
    /// It is down.
    Down,
    /// Its process stands still.
    Paused,
    /// Its wall clock stands still.
    Frozen,
    /// Its wall clock is strobed.
    Strobed,
}

/// The time of every node of a run.
pub(super) struct Calendar {
    /// Shape: node by kind of [`Busy`], each with the intervals taken so far.
    taken: Vec<[Vec<Interval>; 4]>,
}

impl Calendar {
    /// Everybody is free.
    pub(super) fn new(node_count: usize) -> Self {
        Self { taken: vec![<[Vec<Interval>; 4]>::default(); node_count] }
    }

    /// Takes the node from `at` until `until`, unless it is taken for a part of that time; whether it did.
    ///
    /// Two intervals of one kind do not even touch: what ends at an instant still stands when another begins at it.
    pub(super) fn take(&mut self, node: NodeId, busy: Busy, (at, until): Interval) -> bool {
        let gap = if busy == Busy::Down { UP_MIN } else { Span::ZERO };
        let taken = &mut self.taken[node.index()][busy as usize];
        let is_free = taken.iter().all(|&(from, to)| until + gap < from || to + gap < at);
        if is_free {
            taken.push((at, until));
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a node that is taken from 10 to 20 s can be taken once more.
    #[track_caller]
    fn check(busy: Busy, (at_ms, until_ms): (u64, u64), want: bool) {
        let instant = |ms| TrueTime::ZERO + Span::from_ms(ms);
        let mut calendar = Calendar::new(2);
        assert!(calendar.take(NodeId(1), busy, (instant(10_000), instant(20_000))));
        let interval = (instant(at_ms), instant(until_ms));
        assert!(calendar.take(NodeId(0), busy, interval), "another node is free");
        assert_eq!(calendar.take(NodeId(1), busy, interval), want, "{busy:?} {at_ms} to {until_ms}");
    }

    #[test]
    fn two_of_a_kind_do_not_even_touch() {
        for busy in [Busy::Paused, Busy::Frozen, Busy::Strobed] {
            check(busy, (20_000, 21_000), false);
            check(busy, (9_000, 10_000), false);
            check(busy, (12_000, 13_000), false);
            check(busy, (1_000, 30_000), false);
            check(busy, (20_001, 21_000), true);
        }
    }

    #[test]
    fn a_node_is_up_for_a_while_before_it_goes_down_again() {
        check(Busy::Down, (20_500, 21_000), false);
        check(Busy::Down, (20_501, 21_000), true);
        check(Busy::Down, (9_000, 9_500), false);
    }
}
