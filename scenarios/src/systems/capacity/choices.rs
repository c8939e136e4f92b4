//! What the slot chooser answered, against what the journal says up to the offset that each answer names.
//!
//! The journal is folded here anew, from its entries as its nodes showed them first, and all slots are looked at. Each
//! question as of each offset is a register: the journal writes what is right when it gets that far, which takes no time, and
//! whoever was answered has read it. So a choice that is not what the journal says is a read of what nobody wrote; one that
//! is late is none.

use std::collections::{BTreeMap, BTreeSet};

use checker::history::ClientId;
use checker::judge::{Family, FamilyKind};
use checker::keyed::KeyedBuilder;
use checker::spec::register::{Register, RegisterAnswer, RegisterCall};
use model::client::Operation;
use model::ids::{OrderId, RequestKey, SlotId};
use model::message::{Answer, Call, Choice, Entry, Observation};
use sim::node::NodeId;

use super::{CapacityService, Shape, operation};
use crate::recorder::client;
use crate::system::Seen;

const SOUND: &str = "a session asks one question at a time, and what the journal writes takes no time";

/// Family; none where there is no chooser.
pub(in crate::systems) fn record(
    shape: &Shape,
    clients: &[NodeId],
    seen: &[Seen<CapacityService>],
) -> Option<Family> {
    shape.chooser_after()?;
    let answered = answered(seen);
    let mut builder = KeyedBuilder::<Register>::default();
    let mut journal = Journal::new(shape, answered.values().map(|one| one.about).collect());
    journal.write(&mut builder, 0);
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { process, request, .. }) => {
                let Some(Answered { about, .. }) = answered.get(request) else { continue };
                let client = client(clients, one.node, *process);
                builder.invoke(client, &about.key(), RegisterCall::Read, at_ns).expect(SOUND);
            }
            Observation::Operation(Operation::Returned { process, request, .. }) => {
                let Some(Answered { choice, .. }) = answered.get(request) else { continue };
                let client = client(clients, one.node, *process);
                let found = RegisterAnswer::Value(Some(value(*choice)));
                builder.answer(client, found, at_ns).expect(SOUND);
            }
            Observation::Journalled { from, entries } => {
                for (offset, entry) in (from.0..).zip(entries.iter()) {
                    journal.get(offset, entry, &mut builder, at_ns);
                }
            }
            _ => {}
        }
    }
    let kind = FamilyKind::Register { spec: Register::default(), history: builder.finish() };
    Some(Family { name: "choices".to_owned(), kind })
}

/// What a choice is about: so many entries of the journal, and for how many units of which kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct About {
    position: u64,
    kind: u8,
    units: u32,
}

impl About {
    fn key(self) -> String {
        format!("{} of kind {} as of {:06}", self.units, self.kind, self.position)
    }
}

/// A question that was answered.
struct Answered {
    about: About,
    choice: Option<Choice>,
}

fn answered(seen: &[Seen<CapacityService>]) -> BTreeMap<RequestKey, Answered> {
    let mut asked = BTreeMap::new();
    let mut answered = BTreeMap::new();
    for one in seen {
        match operation(&one.observation) {
            Some(Operation::Invoked { request, call: Call::Choose { kind, units }, .. }) => {
                asked.insert(*request, (*kind, *units));
            }
            Some(Operation::Returned {
                request,
                answer: Some((_, Answer::Chosen { choice, position })),
                ..
            }) => {
                let Some((kind, units)) = asked.remove(request) else { continue };
                let about = About { position: position.0, kind, units };
                answered.insert(*request, Answered { about, choice: *choice });
            }
            Some(Operation::Invoked { .. } | Operation::Returned { .. }) | None => {}
        }
    }
    answered
}

/// A slot's number stands before so many digits of its room; no limit is larger.
const ROOM_MAX: i64 = 10_000_000;

/// A choice as what a register holds: 30000007 is slot 3 with room for 7, -1 is none. Nil is what no journal has come to.
fn value(choice: Option<Choice>) -> i64 {
    choice.map_or(-1, |choice| i64::from(choice.slot.0) * ROOM_MAX + i64::from(choice.room))
}

/// The journal's entries, as whoever came first showed them, and what follows from them.
struct Journal<'a> {
    shape: &'a Shape,
    /// What somebody was told about, and was not written yet.
    wanted: BTreeSet<About>,
    /// How many entries are taken in, and those behind that came before one that they follow.
    position: u64,
    ahead: BTreeMap<u64, Entry>,
    /// Under which the last reservation was decided.
    limit: u64,
    /// Of each kind, by slot.
    used: Vec<Vec<u64>>,
    held: BTreeMap<(SlotId, OrderId), Vec<u64>>,
}

impl<'a> Journal<'a> {
    fn new(shape: &'a Shape, wanted: BTreeSet<About>) -> Self {
        let slots = usize::try_from(shape.slots.get()).expect("the range of slots fits memory");
        let used = vec![vec![0; slots]; shape.kinds.count()];
        Self { shape, wanted, position: 0, ahead: BTreeMap::new(), limit: 0, used, held: BTreeMap::new() }
    }

    fn get(&mut self, offset: u64, entry: &Entry, builder: &mut KeyedBuilder<Register>, at_ns: u64) {
        if offset >= self.position {
            self.ahead.entry(offset).or_insert(*entry);
        }
        while let Some(entry) = self.ahead.remove(&self.position) {
            self.take(&entry);
            self.position += 1;
            self.write(builder, at_ns);
        }
    }

    fn take(&mut self, entry: &Entry) {
        let slot = entry.slot;
        match (entry.event.call, entry.event.answer) {
            (Call::Reserve { order, units, .. }, Answer::Accepted(ground)) => {
                self.limit = u64::from(ground.limit);
                self.hold(slot, order, &[units]);
            }
            (Call::ReserveKinds { order, units, .. }, Answer::Accepted(ground)) => {
                self.limit = u64::from(ground.limit);
                self.hold(slot, order, &units.0);
            }
            (_, Answer::Rejected(ground)) => self.limit = u64::from(ground.limit),
            (Call::Release { order, .. }, Answer::Released) => {
                let held = self.held.remove(&(slot, order)).unwrap_or_default();
                for (used, held) in self.used.iter_mut().zip(held) {
                    used[slot.0 as usize] -= held;
                }
            }
            _ => {}
        }
    }

    fn hold(&mut self, slot: SlotId, order: OrderId, units: &[u32]) {
        let held = self.held.entry((slot, order)).or_insert_with(|| vec![0; self.used.len()]);
        for ((used, held), units) in self.used.iter_mut().zip(held).zip(units) {
            *held += u64::from(*units);
            used[slot.0 as usize] += u64::from(*units);
        }
    }

    /// Writes what is right as of this many entries, if somebody was told about that.
    fn write(&mut self, builder: &mut KeyedBuilder<Register>, at_ns: u64) {
        while let Some(about) = self.wanted.first().copied().filter(|about| about.position == self.position) {
            self.wanted.remove(&about);
            let right = RegisterCall::Write(Some(value(self.choice(about))));
            builder.invoke(ClientId::RECORDER, &about.key(), right, at_ns).expect(SOUND);
            builder.answer(ClientId::RECORDER, RegisterAnswer::Done, at_ns).expect(SOUND);
        }
    }

    /// The slot with the least in use of that kind, if it has room for so many; of several the first.
    fn choice(&self, About { kind, units, .. }: About) -> Option<Choice> {
        let kind = usize::from(kind);
        let share = self.limit * u64::from(self.shape.spec().shares[kind]) / 100;
        let used = (0..).zip(&self.used[kind]);
        let (slot, used) = used.min_by_key(|(slot, used)| (**used, *slot))?;
        let room = share.checked_sub(*used).filter(|room| *room >= u64::from(units))?;
        Some(Choice { slot: SlotId(slot), room: u32::try_from(room).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use checker::budget::Budget;
    use checker::judge::judge;
    use model::counter::kinds::Units;
    use model::ids::{Sequence, Version, ZoneId};
    use model::message::{Event, Ground};

    use super::*;
    use crate::system::Parameters;

    /// Two slots of two kinds, of which the second has half of the limit.
    fn shape() -> Shape {
        let settings = ["shape.slots=2", "shape.kinds=[100, 50]"].map(str::to_owned);
        let scenario = crate::scenario::load("capacity-chooser", &settings).unwrap();
        let system: &dyn core::any::Any = &*scenario.system;
        let parameters: &Parameters<CapacityService> = system.downcast_ref().unwrap();
        parameters.shape.clone()
    }

    /// Slot 0 takes [3, 1], slot 1 takes [2, 2], a rejection lowers the limit to 8, slot 0 gives back.
    fn entries() -> Vec<Entry> {
        let reserve = |slot, units, limit| {
            let call = Call::ReserveKinds { slot: SlotId(slot), order: OrderId(7), units, zone: ZoneId(0) };
            (slot, call, Answer::Accepted(Ground { limit, version: Version(1) }))
        };
        let rejected = Answer::Rejected(Ground { limit: 8, version: Version(2) });
        let release = Call::Release { slot: SlotId(0), order: OrderId(7) };
        let decided = [
            reserve(0, Units([3, 1, 0]), 10),
            reserve(1, Units([2, 2, 0]), 10),
            (1, Call::Reserve { slot: SlotId(1), order: OrderId(8), units: 9 }, rejected),
            (0, release, Answer::Released),
        ];
        let entry = |(slot, call, answer)| Entry {
            slot: SlotId(slot),
            sequence: Sequence(0),
            event: Event { request: RequestKey(0), call, answer },
        };
        decided.map(entry).to_vec()
    }

    /// Whether an answer is found to be right, if the journal gets its entries in the order of these offsets.
    fn is_right(about: About, choice: Option<Choice>, offsets: &[u64]) -> bool {
        let (shape, entries) = (shape(), entries());
        let mut builder = KeyedBuilder::<Register>::default();
        let mut journal = Journal::new(&shape, BTreeSet::from([about]));
        journal.write(&mut builder, 0);
        for offset in offsets {
            journal.get(*offset, &entries[*offset as usize], &mut builder, 10);
        }
        builder.invoke(ClientId(0), &about.key(), RegisterCall::Read, 5).unwrap();
        builder.answer(ClientId(0), RegisterAnswer::Value(Some(value(choice))), 20).unwrap();
        let kind = FamilyKind::Register { spec: Register::default(), history: builder.finish() };
        let family = Family { name: "choices".to_owned(), kind };
        let checks = judge(&[family], &["linearizable"], Budget { steps_max: 1_000 });
        checks.iter().all(|check| check.verdict.holds())
    }

    #[track_caller]
    fn check(position: u64, kind: u8, units: u32, want: Option<(u32, u32)>) {
        let about = About { position, kind, units };
        let choice = |(slot, room)| Choice { slot: SlotId(slot), room };
        assert!(is_right(about, want.map(choice), &[0, 1, 2, 3]), "{want:?} as of {position}");
        for other in [None, Some((0, 3)), Some((1, 3)), Some((0, 8)), Some((1, 7))] {
            if other != want {
                assert!(!is_right(about, other.map(choice), &[0, 1, 2, 3]), "{other:?} as of {position}");
            }
        }
    }

    #[test]
    fn an_answer_is_right_if_it_is_what_the_journal_says_up_to_its_offset() {
        check(0, 0, 1, None);
        check(1, 0, 1, Some((1, 10)));
        check(2, 0, 1, Some((1, 8)));
        check(2, 1, 1, Some((0, 4)));
        check(2, 1, 5, None);
        check(3, 1, 3, Some((0, 3)));
        check(4, 0, 1, Some((0, 8)));
    }

    #[test]
    fn what_comes_twice_or_too_early_changes_nothing_and_what_never_comes_is_not_answered() {
        let about = About { position: 4, kind: 0, units: 1 };
        let choice = Some(Choice { slot: SlotId(0), room: 8 });
        assert!(is_right(about, choice, &[1, 0, 0, 2, 1, 3, 3]));
        assert!(!is_right(about, choice, &[0, 1, 3]));
    }
}
