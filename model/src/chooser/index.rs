//! Which slot has the most room: what every slot has in use, kind by kind, least first.
//!
//! ```text
//!   entry: slot 7 accepts 2 ──► kind 0:  (0, 3) (1, 7) (4, 1)  ──►  (0, 3) (3, 7) (4, 1)     slot 3 has the most room
//! ```
//!
//! The limit is that of the journal's last decision about a reservation: all slots share it, so that the order of their use
//! is the order of their room. Each entry moves one slot; nothing is ever computed anew.

use std::collections::{BTreeMap, BTreeSet};

use crate::counter::kinds::{KINDS_MAX, Kinds};
use crate::ids::{OrderId, SlotId};
use crate::message::{Answer, Call, Choice, Event};
use crate::rules::Precaution;

/// The room that slots have, as of some entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    kinds: Kinds,
    /// Under which the last reservation was decided; 0 before the first.
    limit: u32,
    used: BTreeMap<SlotId, [u64; KINDS_MAX]>,
    held: BTreeMap<(SlotId, OrderId), [u64; KINDS_MAX]>,
    /// Of each kind that there is: every slot behind those that have less in use; of equal ones the first slot first.
    by_use: Vec<BTreeSet<(u64, SlotId)>>,
}

impl Index {
    /// As of no entry: that many slots, of which nothing is in use.
    #[must_use]
    pub fn new(slot_count: u32, kinds: Kinds) -> Self {
        let unused: BTreeSet<_> = (0..slot_count).map(|slot| (0, SlotId(slot))).collect();
        let by_use = vec![unused; kinds.count()];
        Self { kinds, limit: 0, used: BTreeMap::new(), held: BTreeMap::new(), by_use }
    }

    /// Takes in the next event of a slot. Without the precaution, what is given back stays in use.
    pub fn take(&mut self, slot: SlotId, event: &Event, releases_count: Precaution) {
        match (event.call, event.answer) {
            (call, Answer::Accepted(ground)) => {
                self.limit = ground.limit;
                if let Some(demand) = call.demand() {
                    let units = demand.units.0.map(u64::from);
                    let held = self.held.entry((slot, demand.order)).or_default();
                    held.iter_mut().zip(units).for_each(|(held, units)| *held += units);
                    self.change(slot, |used, kind| used + units[kind]);
                }
            }
            (_, Answer::Rejected(ground)) => self.limit = ground.limit,
            (Call::Release { order, .. }, Answer::Released) if releases_count.is_taken() => {
                let units = self.held.remove(&(slot, order)).unwrap_or_default();
                self.change(slot, |used, kind| used - units[kind]);
            }
            _ => {}
        }
    }

    /// The slot that has the most room of that kind, the first of several; none if that is less than `units`, or if there is
    /// no such kind.
    #[must_use]
    pub fn choose(&self, kind: usize, units: u32) -> Option<Choice> {
        let (used, slot) = *self.by_use.get(kind)?.first()?;
        let room = self.kinds.limit(kind, self.limit).checked_sub(used)?;
        let room = u32::try_from(room).expect("a share of a limit of 32 bits fits them");
        (room >= units).then_some(Choice { slot, room })
    }

    /// Moves the slot to where it belongs once its use of each kind is `after` what it was.
    fn change(&mut self, slot: SlotId, after: impl Fn(u64, usize) -> u64) {
        let used = self.used.entry(slot).or_default();
        for (kind, (used, by_use)) in used.iter_mut().zip(&mut self.by_use).enumerate() {
            let before = core::mem::replace(used, after(*used, kind));
            if before != *used {
                by_use.remove(&(before, slot));
                by_use.insert((*used, slot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::kinds::Units;
    use crate::ids::{RequestKey, Version, ZoneId};
    use crate::message::Ground;
    use crate::rules::Precaution::{Skipped, Taken};
    use sim::chance::{Seed, Stream};

    const SLOTS: u32 = 4;

    fn ground(limit: u32) -> Ground {
        Ground { limit, version: Version(1) }
    }

    fn event(call: Call, answer: Answer) -> Event {
        Event { request: RequestKey(0), call, answer }
    }

    fn reserve(slot: u32, order: u64, units: u32, answer: Answer) -> (SlotId, Event) {
        let call = Call::Reserve { slot: SlotId(slot), order: OrderId(order), units };
        (SlotId(slot), event(call, answer))
    }

    fn release(slot: u32, order: u64, answer: Answer) -> (SlotId, Event) {
        let call = Call::Release { slot: SlotId(slot), order: OrderId(order) };
        (SlotId(slot), event(call, answer))
    }

    fn index(events: &[(SlotId, Event)], releases_count: Precaution) -> Index {
        let mut index = Index::new(SLOTS, Kinds::default());
        events.iter().for_each(|(slot, event)| index.take(*slot, event, releases_count));
        index
    }

    /// Which slot is chosen for that many units under a limit of 10, and its room.
    #[track_caller]
    fn check(events: &[(SlotId, Event)], units: u32, want: Option<(u32, u32)>) {
        let want = want.map(|(slot, room)| Choice { slot: SlotId(slot), room });
        assert_eq!(index(events, Taken).choose(0, units), want, "{events:?}");
    }

    #[test]
    fn the_least_used_slot_is_chosen_if_it_has_room_for_that_many() {
        let accepted = Answer::Accepted(ground(10));
        let three = [0, 2, 3].map(|slot| reserve(slot, u64::from(slot), 4, accepted));
        check(&three, 1, Some((1, 10)));
        let four = [&three[..], &[reserve(1, 9, 6, accepted)]].concat();
        check(&four, 1, Some((0, 6)));
        check(&four, 6, Some((0, 6)));
        check(&four, 7, None);
        check(&[&four[..], &[release(1, 9, Answer::Released)]].concat(), 7, Some((1, 10)));
    }

    #[test]
    fn what_changes_nothing_in_the_slot_moves_nothing() {
        let accepted = Answer::Accepted(ground(10));
        let held = [0, 1, 2, 3].map(|slot| reserve(slot, u64::from(slot), 4 + slot, accepted));
        let idle = [reserve(3, 8, 9, Answer::Rejected(ground(10))), release(0, 8, Answer::NotHeld)];
        check(&[&held[..], &idle].concat(), 1, Some((0, 6)));
    }

    #[test]
    fn the_limit_is_that_of_the_last_decision() {
        check(&[], 1, None);
        check(&[reserve(0, 1, 20, Answer::Rejected(ground(7)))], 7, Some((0, 7)));
        let lowered = [10, 5].map(|limit| reserve(0, u64::from(limit), 1, Answer::Accepted(ground(limit))));
        check(&lowered, 1, Some((1, 5)));
    }

    #[test]
    fn the_mutant_takes_what_was_given_back_for_used() {
        let events = [reserve(0, 1, 4, Answer::Accepted(ground(10))), release(0, 1, Answer::Released)];
        let slot = |releases_count| index(&events, releases_count).choose(0, 1).map(|choice| choice.slot);
        assert_eq!((slot(Taken), slot(Skipped)), (Some(SlotId(0)), Some(SlotId(1))));
    }

    /// An event of some slot: orders are few, so that they are released, and taken again, too.
    fn drawn(chance: &mut Stream) -> (SlotId, Event) {
        let mut below = |count: u64| u32::try_from(chance.below(count)).unwrap();
        let (slot, order) = (SlotId(below(u64::from(SLOTS))), OrderId(u64::from(below(6))));
        let limit = ground(8 + below(8));
        let units = Units([1 + below(3), below(3), 0]);
        let reserve = Call::ReserveKinds { slot, order, units, zone: ZoneId(0) };
        let event = match below(5) {
            0 => event(reserve, Answer::Rejected(limit)),
            1 | 2 => event(Call::Release { slot, order }, Answer::Released),
            _ => event(reserve, Answer::Accepted(limit)),
        };
        (slot, event)
    }

    /// The slot with the most room by looking at all of them, from what every order holds.
    fn looked_for(events: &[(SlotId, Event)], kinds: &Kinds, kind: usize, units: u32) -> Option<Choice> {
        let mut held: BTreeMap<(SlotId, OrderId), u64> = BTreeMap::new();
        let mut limit = 0;
        for (slot, event) in events {
            match (event.call, event.answer) {
                (Call::ReserveKinds { order, units, .. }, Answer::Accepted(ground)) => {
                    limit = ground.limit;
                    *held.entry((*slot, order)).or_default() += u64::from(units.0[kind]);
                }
                (_, Answer::Rejected(ground)) => limit = ground.limit,
                (Call::Release { order, .. }, _) => {
                    held.remove(&(*slot, order));
                }
                _ => {}
            }
        }
        let used = |slot| held.iter().filter(|((of, _), _)| *of == slot).map(|(_, units)| units).sum();
        let room = |slot| kinds.limit(kind, limit).checked_sub(used(slot));
        let rooms = (0..SLOTS).map(SlotId).filter_map(|slot| Some((room(slot)?, slot)));
        let (room, slot) = rooms.min_by_key(|(room, slot)| (core::cmp::Reverse(*room), *slot))?;
        let room = u32::try_from(room).unwrap();
        (room >= units).then_some(Choice { slot, room })
    }

    #[test]
    fn after_any_events_it_chooses_what_a_look_at_all_slots_chooses() {
        let kinds = Kinds::new(&[100, 60], 0);
        for seed in Seed::range(0..50) {
            let mut chance = seed.stream("index", 0);
            let mut index = Index::new(SLOTS, kinds);
            let mut events = Vec::new();
            for _ in 0..60 {
                events.push(drawn(&mut chance));
                let (slot, event) = &events[events.len() - 1];
                index.take(*slot, event, Taken);
                for kind in 0..2 {
                    let want = looked_for(&events, &kinds, kind, 3);
                    assert_eq!(index.choose(kind, 3), want, "{seed}, kind {kind}, {} events", events.len());
                }
            }
            assert_eq!(index.choose(2, 1), None, "there is no third kind");
        }
    }
}
