//! Pending events, earliest first; ties in the order of their sequence numbers.
//!
//! A heap with four children a node (D. B. Johnson, "Priority queues with update", 1975) over keys of 16 bytes, so that
//! one comparison decides and the four children of a node share a cache line; the events themselves lie still.

use crate::limits::{EVENTS_PENDING_MAX, SEQUENCES_MAX};
use crate::time::TrueTime;

/// A place among things scheduled for the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence(pub u64);

/// When an event is due. Two events that are due never compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// The instant.
    pub at: TrueTime,
    /// The place among events of that instant.
    pub sequence: Sequence,
}

const CHILDREN: usize = 4;
const SLOT_BITS: u32 = 24;
const TIME_SHIFT: u32 = 64;

const _: () =
    assert!(SEQUENCES_MAX <= 1 << (TIME_SHIFT - SLOT_BITS), "a sequence fits between time and slot");

/// Instant, sequence and slot in one number, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

impl Key {
    fn new(due: Due, slot: u32) -> Self {
        let low = (due.sequence.0 << SLOT_BITS) | u64::from(slot);
        Self((u128::from(due.at.as_ns()) << TIME_SHIFT) | u128::from(low))
    }

    const fn at(self) -> TrueTime {
        TrueTime::from_ns((self.0 >> TIME_SHIFT) as u64)
    }

    const fn due(self) -> Due {
        Due { at: self.at(), sequence: Sequence((self.0 as u64) >> SLOT_BITS) }
    }

    const fn slot(self) -> usize {
        (self.0 as usize) & ((1 << SLOT_BITS) - 1)
    }
}

/// Events that wait for their instant.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    /// No key is greater than its children, which are at `4 * index + 1 ..= 4 * index + 4`.
    heap: Vec<Key>,
    /// The events, by slot; empty where the slot is free.
    slots: Vec<Option<E>>,
    free: Vec<u32>,
    next: u64,
}

impl<E> EventQueue<E> {
    /// An empty queue that hands out sequence numbers from `first` on; lower ones are the caller's.
    #[must_use]
    pub const fn new(first: Sequence) -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: Vec::new(), next: first.0 }
    }

    /// The next sequence number.
    ///
    /// # Panics
    /// If a run schedules [`SEQUENCES_MAX`] things.
    #[inline]
    pub fn next_sequence(&mut self) -> Sequence {
        let sequence = self.next;
        assert!(sequence < SEQUENCES_MAX, "a run schedules at most {SEQUENCES_MAX} things");
        self.next += 1;
        Sequence(sequence)
    }

    /// Schedules `event` after everything that is scheduled for `at`.
    #[inline]
    pub fn push(&mut self, at: TrueTime, event: E) {
        let sequence = self.next_sequence();
        self.push_due(Due { at, sequence }, event);
    }

    /// Schedules `event` at a place of its own.
    ///
    /// # Panics
    /// If [`EVENTS_PENDING_MAX`] events wait already.
    #[inline]
    pub fn push_due(&mut self, due: Due, event: E) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => self.grow(event),
        };
        self.heap.push(Key::new(due, slot));
        self.sift_up();
    }

    /// When the earliest event is due.
    #[must_use]
    #[inline]
    pub fn next_at(&self) -> Option<TrueTime> {
        self.heap.first().map(|key| key.at())
    }

    /// Takes the earliest event out.
    #[inline]
    pub fn pop(&mut self) -> Option<(Due, E)> {
        let last = self.heap.pop()?;
        let key = match self.heap.first() {
            None => last,
            Some(&first) => {
                self.sift_down(last);
                first
            }
        };
        let event = self.slots[key.slot()].take().expect("a key in the heap has its event");
        self.free.push(key.slot() as u32);
        Some((key.due(), event))
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    #[cold]
    fn grow(&mut self, event: E) -> u32 {
        assert!(self.slots.len() < EVENTS_PENDING_MAX, "at most {EVENTS_PENDING_MAX} events wait");
        self.slots.push(Some(event));
        self.slots.len() as u32 - 1
    }

    /// Moves the last key up to its place.
    #[inline]
    fn sift_up(&mut self) {
        let mut index = self.heap.len() - 1;
        let key = self.heap[index];
        while index > 0 {
            let parent = (index - 1) / CHILDREN;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[index] = self.heap[parent];
            index = parent;
        }
        self.heap[index] = key;
    }

    /// Puts `key` where the first was, and moves it down to its place.
    #[inline]
    fn sift_down(&mut self, key: Key) {
        let heap = self.heap.as_mut_slice();
        let mut index = 0;
        loop {
            let first = index * CHILDREN + 1;
            if first >= heap.len() {
                break;
            }
            let children = &heap[first..(first + CHILDREN).min(heap.len())];
            let mut least = 0;
            for child in 1..children.len() {
                if children[child] < children[least] {
                    least = child;
                }
            }
            if key <= children[least] {
                break;
            }
            heap[index] = children[least];
            index = first + least;
        }
        heap[index] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    /// Schedules these instants in order; what comes out, as (instant, place in `instants`).
    fn check(instants: &[u64]) -> Vec<(u64, usize)> {
        let mut queue = EventQueue::new(Sequence(0));
        for (place, &at) in instants.iter().enumerate() {
            queue.push(TrueTime::from_ns(at), place);
        }
        assert_eq!(queue.len(), instants.len());
        let popped = core::iter::from_fn(|| queue.pop().map(|(due, place)| (due.at.as_ns(), place)));
        popped.collect()
    }

    #[test]
    fn every_small_schedule_pops_in_order_and_ties_as_they_were_scheduled() {
        for length in 0..=5_u32 {
            for number in 0..4_u64.pow(length) {
                let instants: Vec<u64> = (0..length).map(|place| number >> (2 * place) & 3).collect();
                let mut want: Vec<(u64, usize)> = instants.iter().copied().zip(0..).collect();
                want.sort_unstable();
                assert_eq!(check(&instants), want);
            }
        }
    }

    #[test]
    fn any_schedule_pops_sorted() {
        for seed in Seed::range(0..200) {
            let mut chance = seed.stream("queue", 0);
            let instants: Vec<u64> = (0..chance.between(1, 300)).map(|_| chance.below(100)).collect();
            let popped = check(&instants);
            assert!(popped.is_sorted(), "seed {seed}: {popped:?}");
            assert_eq!(popped.len(), instants.len(), "seed {seed}");
        }
    }

    #[test]
    fn a_queue_in_use_never_pops_an_earlier_event_after_a_later_one() {
        for seed in Seed::range(0..50) {
            let mut chance = seed.stream("queue", 1);
            let mut queue = EventQueue::new(Sequence(0));
            let mut now = TrueTime::ZERO;
            queue.push(now, ());
            for _ in 0..1_000 {
                let (due, ()) = queue.pop().expect("one more is pushed than popped");
                assert!(due.at >= now, "seed {seed}");
                now = due.at;
                for _ in 0..chance.between(1, 2) {
                    queue.push(TrueTime::from_ns(now.as_ns() + chance.below(50)), ());
                }
            }
        }
    }

    #[test]
    fn a_reserved_place_comes_before_those_handed_out() {
        let mut queue = EventQueue::new(Sequence(10));
        let at = TrueTime::from_ns(u64::MAX);
        queue.push(at, "handed out");
        queue.push_due(Due { at, sequence: Sequence(9) }, "reserved");
        assert_eq!(queue.next_at(), Some(at));
        assert_eq!(queue.pop().map(|(due, event)| (due.sequence, event)), Some((Sequence(9), "reserved")));
        assert_eq!(queue.pop().map(|(due, event)| (due.sequence, event)), Some((Sequence(10), "handed out")));
        assert!(queue.is_empty());
    }
}
