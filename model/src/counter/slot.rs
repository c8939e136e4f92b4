//! One slot's state: what follows from its events, and what the next event would be.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::image::Image;
use crate::capacity::rules::Rules;
use crate::counter::form;
use crate::counter::kinds::{Demand, KINDS_MAX, Kinds, Units};
use crate::ids::{OrderId, RequestKey, Sequence, Version};
use crate::message::{Answer, Call, Event, Ground};

pub mod image;

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    demand: Demand,
    first_answer: Answer,
    is_held: bool,
}

/// What decides about a slot, and in which words it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// What every slot has.
    pub kinds: Kinds,
    /// The version of the program.
    pub version: u32,
}

/// A slot as of its `sequence`-th event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    program: Program,
    /// Units of each kind in use: the sum over held orders.
    used: [u64; KINDS_MAX],
    /// How many events there have been.
    sequence: Sequence,
    /// The newest version that an event was decided under.
    version: Version,
    orders: BTreeMap<OrderId, Order>,
    /// The first answer to each request, which every retry gets.
    answers: BTreeMap<RequestKey, Answer>,
}

impl Slot {
    /// The state before the first event.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self { program, ..Self::default() }
    }

    /// The state after `events`, in order; none if this program cannot read one of them.
    #[must_use]
    pub fn of(events: &[Event], program: Program, rules: &Rules) -> Option<Self> {
        Self::behind(None, events, program, rules)
    }

    /// The state of `image`, or at the beginning, after the `events` behind it; none if this program cannot read it or one of
    /// them.
    #[must_use]
    pub fn behind(image: Option<&Image>, events: &[Event], program: Program, rules: &Rules) -> Option<Self> {
        let mut slot = match image {
            Some(image) => image.read(program)?,
            None => Self::new(program),
        };
        for event in events {
            slot.apply(&form::event(event, program.version, rules)?);
        }
        Some(slot)
    }

    /// Units of each kind in use.
    #[must_use]
    pub const fn used(&self) -> [u64; KINDS_MAX] {
        self.used
    }

    /// How many events there have been.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The newest version that an event was decided under.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The answer that needs no decision: it was given before, or nothing is to be done.
    #[must_use]
    pub fn recall(&self, request: RequestKey, call: Call, rules: &Rules) -> Option<Answer> {
        if let Call::Use { .. } | Call::Overview | Call::Choose { .. } = call {
            return Some(self.in_use(rules));
        }
        if !rules.request_key.is_taken() {
            return None;
        }
        let first_answer = self.answers.get(&request).copied();
        first_answer.or_else(|| {
            let demand = call.demand()?;
            let known = self.orders.get(&demand.order)?;
            Some(if known.demand == demand { known.first_answer } else { Answer::Changed })
        })
    }

    /// What is in use, in the words of the program's version.
    fn in_use(&self, rules: &Rules) -> Answer {
        let mut used = self.used;
        used[0] += u64::from(!rules.reads_are_true.is_taken());
        let sequence = self.sequence;
        if self.program.kinds.is_single() || self.program.version == 0 {
            return Answer::InUse { units: used[0], sequence };
        }
        // Only a broken journal holds more than one limit after another, and then its exact sum no longer matters.
        let units = used.map(|units| u32::try_from(units).unwrap_or(u32::MAX));
        Answer::InUseKinds { units: Units(units), sequence }
    }

    /// Whether every kind has room for `units` under its share of the limit of `ground`.
    #[must_use]
    pub fn decide_reserve(&self, units: Units, ground: Ground) -> Answer {
        let has_room = self.program.kinds.has_room(&self.used, units, ground.limit);
        if has_room { Answer::Accepted(ground) } else { Answer::Rejected(ground) }
    }

    /// Whether `order` has anything to give back.
    #[must_use]
    pub fn decide_release(&self, order: OrderId) -> Answer {
        let is_held = self.orders.get(&order).is_some_and(|order| order.is_held);
        if is_held { Answer::Released } else { Answer::NotHeld }
    }

    /// What a call that needs a decision comes to under `ground`; none if it needs none.
    #[must_use]
    pub fn decide(&self, call: Call, ground: Ground) -> Option<Answer> {
        match call {
            Call::Reserve { .. } | Call::ReserveKinds { .. } => {
                call.demand().map(|demand| self.decide_reserve(demand.units, ground))
            }
            Call::Release { order, .. } => Some(self.decide_release(order)),
            Call::Use { .. } | Call::Overview | Call::Choose { .. } => None,
        }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        match (event.call, event.answer) {
            (
                call @ (Call::Reserve { .. } | Call::ReserveKinds { .. }),
                answer @ (Answer::Accepted(ground) | Answer::Rejected(ground)),
            ) => {
                self.version = self.version.max(ground.version);
                if let Some(demand) = call.demand() {
                    self.decided(demand, answer);
                }
            }
            (Call::Release { order, .. }, Answer::Released) => self.free(order),
            _ => {}
        }
        self.answers.entry(event.request).or_insert(event.answer);
        self.sequence = self.sequence.next();
    }

    fn decided(&mut self, demand: Demand, first_answer: Answer) {
        let is_held = matches!(first_answer, Answer::Accepted(_));
        if is_held {
            self.used.iter_mut().zip(demand.units.0).for_each(|(used, units)| *used += u64::from(units));
        }
        self.orders.insert(demand.order, Order { demand, first_answer, is_held });
    }

    fn free(&mut self, order: OrderId) {
        if let Some(order) = self.orders.get_mut(&order)
            && order.is_held
        {
            order.is_held = false;
            let units = order.demand.units.0;
            self.used.iter_mut().zip(units).for_each(|(used, units)| *used -= u64::from(units));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{SlotId, ZoneId};
    use crate::rules::Decisions as _;

    const SLOT: SlotId = SlotId(0);

    fn reserve(order: u64, units: u32) -> Call {
        Call::Reserve { slot: SLOT, order: OrderId(order), units }
    }

    const GROUND: Ground = Ground { limit: 10, version: Version(1) };

    /// Whether an answer is a new decision or needs none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Is {
        New(Answer),
        Known(Answer),
    }

    fn ask(slot: &mut Slot, request: u64, call: Call, rules: &Rules) -> Is {
        let request = RequestKey(request);
        if let Some(answer) = slot.recall(request, call, rules) {
            return Is::Known(answer);
        }
        let answer = match call {
            Call::Reserve { units, .. } => slot.decide_reserve(Units::first(units), GROUND),
            Call::ReserveKinds { units, .. } => slot.decide_reserve(units, GROUND),
            Call::Release { order, .. } => slot.decide_release(order),
            Call::Use { .. } | Call::Overview | Call::Choose { .. } => {
                unreachable!("reads are always known")
            }
        };
        slot.apply(&Event { request, call, answer });
        Is::New(answer)
    }

    /// Asks one question after the other under a limit of 10, journalling what is new.
    #[track_caller]
    fn check(questions: &[(u64, Call, Is)]) {
        check_kinds(Kinds::default(), questions);
    }

    #[track_caller]
    fn check_kinds(kinds: Kinds, questions: &[(u64, Call, Is)]) {
        let mut slot = Slot { program: Program { kinds, version: 1 }, ..Slot::default() };
        for (request, call, want) in questions {
            let got = ask(&mut slot, *request, *call, &Rules::hardened());
            assert_eq!(got, *want, "{call:?} as request {request}");
        }
    }

    #[test]
    fn a_reservation_is_accepted_as_a_whole_or_rejected_as_a_whole() {
        check(&[
            (1, reserve(1, 7), Is::New(Answer::Accepted(GROUND))),
            (2, reserve(2, 4), Is::New(Answer::Rejected(GROUND))),
            (3, reserve(3, 3), Is::New(Answer::Accepted(GROUND))),
            (4, Call::Use { slot: SLOT }, Is::Known(Answer::InUse { units: 10, sequence: Sequence(3) })),
        ]);
    }

    #[test]
    fn a_repeat_gets_its_first_answer_and_a_changed_order_is_refused() {
        check(&[
            (1, reserve(1, 7), Is::New(Answer::Accepted(GROUND))),
            (1, reserve(1, 7), Is::Known(Answer::Accepted(GROUND))),
            (2, reserve(1, 7), Is::Known(Answer::Accepted(GROUND))),
            (3, reserve(1, 8), Is::Known(Answer::Changed)),
        ]);
    }

    #[test]
    fn a_release_frees_once_and_only_what_is_held() {
        let release = |order| Call::Release { slot: SLOT, order: OrderId(order) };
        check(&[
            (1, reserve(1, 7), Is::New(Answer::Accepted(GROUND))),
            (2, release(2), Is::New(Answer::NotHeld)),
            (3, release(1), Is::New(Answer::Released)),
            (4, release(1), Is::New(Answer::NotHeld)),
            (3, release(1), Is::Known(Answer::Released)),
            (5, Call::Use { slot: SLOT }, Is::Known(Answer::InUse { units: 0, sequence: Sequence(4) })),
        ]);
    }

    fn reserve_kinds(order: u64, units: [u32; KINDS_MAX]) -> Call {
        Call::ReserveKinds { slot: SLOT, order: OrderId(order), units: Units(units), zone: ZoneId(0) }
    }

    #[test]
    fn of_several_kinds_all_are_taken_or_none() {
        check_kinds(
            Kinds::new(&[100, 50], 0),
            &[
                (1, reserve_kinds(1, [4, 4, 0]), Is::New(Answer::Accepted(GROUND))),
                (2, reserve_kinds(2, [1, 2, 0]), Is::New(Answer::Rejected(GROUND))),
                (3, reserve_kinds(3, [6, 1, 0]), Is::New(Answer::Accepted(GROUND))),
                (
                    4,
                    Call::Use { slot: SLOT },
                    Is::Known(Answer::InUseKinds { units: Units([10, 5, 0]), sequence: Sequence(3) }),
                ),
                (5, Call::Release { slot: SLOT, order: OrderId(1) }, Is::New(Answer::Released)),
                (
                    6,
                    Call::Use { slot: SLOT },
                    Is::Known(Answer::InUseKinds { units: Units([6, 1, 0]), sequence: Sequence(4) }),
                ),
            ],
        );
    }

    #[test]
    fn an_order_with_other_units_in_one_kind_is_a_changed_one() {
        check_kinds(
            Kinds::new(&[100, 50], 0),
            &[
                (1, reserve_kinds(1, [4, 4, 0]), Is::New(Answer::Accepted(GROUND))),
                (2, reserve_kinds(1, [4, 4, 0]), Is::Known(Answer::Accepted(GROUND))),
                (3, reserve_kinds(1, [4, 3, 0]), Is::Known(Answer::Changed)),
                (4, reserve(1, 4), Is::Known(Answer::Changed)),
            ],
        );
    }

    #[test]
    fn an_older_program_decides_about_no_slot_that_has_a_newer_event() {
        let event = |call| Event { request: RequestKey(1), call, answer: Answer::Accepted(GROUND) };
        let (old, new) = (event(reserve(1, 4)), event(reserve_kinds(2, [1, 2, 0])));
        let used = |events: &[Event], version, rules| {
            let program = Program { kinds: Kinds::new(&[100, 50], 0), version };
            Slot::of(events, program, &rules).map(|slot| slot.used())
        };
        assert_eq!(used(&[old], 0, Rules::hardened()), Some([4, 0, 0]));
        assert_eq!(used(&[old, new], 1, Rules::hardened()), Some([5, 2, 0]));
        assert_eq!(used(&[old, new], 0, Rules::hardened()), None);
        assert_eq!(used(&[old, new], 0, Rules::mutant("newer-form-misread")), Some([5, 0, 0]));
    }

    #[test]
    fn without_request_keys_a_retry_counts_twice() {
        let mut rules = Rules::hardened();
        rules.request_key = crate::rules::Precaution::Skipped;
        let mut slot = Slot::default();
        for _ in 0..2 {
            assert_eq!(ask(&mut slot, 1, reserve(1, 4), &rules), Is::New(Answer::Accepted(GROUND)));
        }
        assert_eq!(slot.used(), [8, 0, 0]);
    }
}
