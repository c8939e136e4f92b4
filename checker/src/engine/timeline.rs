//! The events of a history in order, each with the slot of its operation.
//!
//! Slots are given out once, so that a search may go forward and back.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::engine::open::{Certainty, Entry, OpenTable, Slot, SlotSet};

/// An operation as a search sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<T> {
    /// What it does; none if it cannot matter.
    pub(crate) step: Option<T>,
    /// Position of its invocation.
    pub(crate) invoked: u64,
    /// Position of its answer; none if unknown.
    pub(crate) returned: Option<u64>,
    /// Without an answer: the position after which it takes effect no more, if there is one.
    pub(crate) expires: Option<u64>,
}

impl<T> Task<T> {
    /// The position after which it takes effect no more, if there is one.
    pub(crate) fn over(&self) -> Option<u64> {
        self.returned.or(self.expires)
    }
}

/// What happens to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// What happens.
    pub(crate) kind: EventKind,
    /// The slot of the operation.
    pub(crate) slot: Slot,
    /// Its place among the tasks.
    pub(crate) place: u32,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// An operation that will be answered is invoked.
    Invoked,
    /// An operation of unknown outcome is invoked.
    Pending,
    /// An operation of unknown outcome takes effect no more.
    Expired,
    /// An operation is answered.
    Returned,
}

/// All events, up to the first that finds no free slot.
pub(crate) struct Timeline<'a, T> {
    pub(crate) tasks: &'a [Task<T>],
    pub(crate) events: Vec<Event>,
    /// Whether there are more events, which found no slot.
    pub(crate) is_cut: bool,
}

impl<'a, T: Clone + Eq + std::hash::Hash> Timeline<'a, T> {
    /// The events of `tasks`, which are given by invocation.
    pub(crate) fn of(tasks: &'a [Task<T>]) -> Self {
        let mut slots = Slots { occupied: SlotSet::EMPTY, unknown: HashMap::default(), of_place: Vec::new() };
        slots.of_place.resize(tasks.len(), Slot(0));
        let mut timeline = Self { tasks, events: Vec::with_capacity(2 * tasks.len()), is_cut: false };
        for (kind, place) in ordered(tasks) {
            let Some(slot) = slots.slot(kind, place, &tasks[place as usize]) else {
                timeline.is_cut = true;
                break;
            };
            timeline.events.push(Event { kind, slot, place });
        }
        timeline
    }

    /// The table after `event`, which comes next.
    pub(crate) fn forward(&self, event: Event, table: &mut OpenTable<T>) {
        match event.kind {
            EventKind::Pending if table.occupied.contains(event.slot) => table.add_copy(event.slot),
            EventKind::Pending | EventKind::Invoked => table.insert_at(event.slot, self.entry(event)),
            EventKind::Expired | EventKind::Returned => table.remove(event.slot),
        }
    }

    /// The table before `event`, which came last.
    pub(crate) fn back(&self, event: Event, table: &mut OpenTable<T>) {
        match event.kind {
            EventKind::Pending => table.remove_copy(event.slot),
            EventKind::Invoked => table.remove(event.slot),
            EventKind::Expired | EventKind::Returned => table.insert_at(event.slot, self.entry(event)),
        }
    }

    /// The places of the operations that are open before the event with this index.
    pub(crate) fn open_before(&self, index: usize) -> Vec<usize> {
        let mut open = Vec::new();
        for event in &self.events[..index] {
            match event.kind {
                EventKind::Invoked | EventKind::Pending => open.push(event.place),
                EventKind::Expired | EventKind::Returned => {}
            }
        }
        let is_over = |event: &&Event| matches!(event.kind, EventKind::Expired | EventKind::Returned);
        let mut over: Vec<u32> =
            self.events[..index].iter().filter(is_over).map(|event| event.place).collect();
        over.sort_unstable();
        open.retain(|place| over.binary_search(place).is_err());
        open.into_iter().map(|place| place as usize).collect()
    }

    fn entry(&self, event: Event) -> Entry<T> {
        let task = &self.tasks[event.place as usize];
        let step = task.step.clone().expect("only tasks with a step have events");
        let deadline = task.over().unwrap_or(u64::MAX);
        let certainty = if task.returned.is_some() { Certainty::Answered } else { Certainty::Unknown };
        Entry { step, deadline, certainty, copies: 1 }
    }
}

/// The events in order, without those of tasks that cannot matter.
fn ordered<T>(tasks: &[Task<T>]) -> impl Iterator<Item = (EventKind, u32)> {
    let mut events = Vec::with_capacity(2 * tasks.len());
    for (place, task) in (0..).zip(tasks) {
        if task.step.is_some() {
            match task.returned {
                Some(returned) => {
                    events.push((task.invoked, EventKind::Invoked, place));
                    events.push((returned, EventKind::Returned, place));
                }
                None => {
                    events.push((task.invoked, EventKind::Pending, place));
                    events.extend(task.expires.map(|expires| (expires, EventKind::Expired, place)));
                }
            }
        }
    }
    events.sort_unstable_by_key(|(position, ..)| *position);
    events.into_iter().map(|(_, kind, place)| (kind, place))
}

/// Which slots are occupied, and by what.
struct Slots<'a, T> {
    occupied: SlotSet,
    unknown: HashMap<&'a T, Slot, FxBuildHasher>,
    of_place: Vec<Slot>,
}

impl<'a, T: Eq + std::hash::Hash> Slots<'a, T> {
    /// The slot of the operation at `place`. None if all are occupied.
    fn slot(&mut self, kind: EventKind, place: u32, task: &'a Task<T>) -> Option<Slot> {
        match kind {
            EventKind::Expired | EventKind::Returned => {
                let slot = self.of_place[place as usize];
                self.occupied = self.occupied.without(slot);
                return Some(slot);
            }
            // What expires is no copy of what does not, nor of what expires at another time.
            EventKind::Pending if task.expires.is_some() => {}
            EventKind::Pending => {
                let known = task.step.as_ref().and_then(|step| self.unknown.get(step));
                if let Some(slot) = known {
                    return Some(*slot);
                }
            }
            EventKind::Invoked => {}
        }
        let slot = self.occupied.first_free()?;
        self.occupied = self.occupied.with(slot);
        self.of_place[place as usize] = slot;
        if kind == EventKind::Pending
            && task.expires.is_none()
            && let Some(step) = &task.step
        {
            self.unknown.insert(step, slot);
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tasks as (step, invoked, returned).
    fn tasks(tasks: &[(u8, u64, Option<u64>)]) -> Vec<Task<u8>> {
        tasks
            .iter()
            .map(|&(step, invoked, returned)| Task { step: Some(step), invoked, returned, expires: None })
            .collect()
    }

    #[test]
    fn unknown_operations_that_do_the_same_share_a_slot() {
        let tasks = tasks(&[(1, 0, None), (2, 1, Some(4)), (1, 2, None), (3, 3, None)]);
        let timeline = Timeline::of(&tasks);
        let slots: Vec<u8> = timeline.events.iter().map(|event| event.slot.0).collect();
        assert_eq!(slots, [0, 1, 0, 2, 1]);
        let mut table = OpenTable::new();
        timeline.events.iter().for_each(|event| timeline.forward(*event, &mut table));
        assert_eq!((table.copies(Slot(0)), table.copies(Slot(2))), (2, 1));
    }

    #[test]
    fn going_back_undoes_going_forward() {
        let tasks = tasks(&[(1, 0, None), (2, 1, Some(4)), (1, 2, None), (3, 3, Some(7)), (4, 5, Some(6))]);
        let timeline = Timeline::of(&tasks);
        let mut table = OpenTable::new();
        let mut seen = vec![];
        for event in &timeline.events {
            seen.push(format!("{:?} {:?}", table.occupied, table.unknown));
            timeline.forward(*event, &mut table);
        }
        for (event, seen) in timeline.events.iter().zip(seen).rev() {
            timeline.back(*event, &mut table);
            assert_eq!(format!("{:?} {:?}", table.occupied, table.unknown), seen);
        }
    }

    #[test]
    fn what_finds_no_slot_ends_the_timeline() {
        let tasks: Vec<Task<u64>> = (0..130)
            .map(|place| Task { step: Some(place), invoked: place, returned: None, expires: None })
            .collect();
        let timeline = Timeline::of(&tasks);
        assert!(timeline.is_cut);
        assert_eq!(timeline.open_before(timeline.events.len()).len(), 128);
    }
}
