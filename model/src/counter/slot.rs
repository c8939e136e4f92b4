//! One slot's state: what follows from its events, and what the next event would be.

use std::collections::BTreeMap;

use crate::capacity::rules::Rules;
use crate::ids::{OrderId, RequestKey, Sequence, Version};
use crate::message::{Answer, Call, Event, Ground};

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    units: u32,
    first_answer: Answer,
    is_held: bool,
}

/// A slot as of its `sequence`-th event.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// Units in use: the sum over held orders.
    used: u64,
    /// How many events there have been.
    sequence: Sequence,
    /// The newest version that an event was decided under.
    version: Version,
    orders: BTreeMap<OrderId, Order>,
    /// The first answer to each request, which every retry gets.
    answers: BTreeMap<RequestKey, Answer>,
}

impl Slot {
    /// The state after `events`, in order.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let mut slot = Self::default();
        for event in events {
            slot.apply(event);
        }
        slot
    }

    /// Units in use.
    #[must_use]
    pub const fn used(&self) -> u64 {
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
        if let Call::Use { .. } | Call::Overview = call {
            let units = if rules.reads_are_true.is_taken() { self.used } else { self.used + 1 };
            return Some(Answer::InUse { units, sequence: self.sequence });
        }
        if !rules.request_key.is_taken() {
            return None;
        }
        let first_answer = self.answers.get(&request).copied();
        first_answer.or_else(|| match call {
            Call::Reserve { order, units, .. } => {
                let known = self.orders.get(&order)?;
                Some(if known.units == units { known.first_answer } else { Answer::Changed })
            }
            Call::Release { .. } | Call::Use { .. } | Call::Overview => None,
        })
    }

    /// Whether there is room for `units` under the limit of `ground`.
    #[must_use]
    pub fn decide_reserve(&self, units: u32, ground: Ground) -> Answer {
        let has_room = self.used + u64::from(units) <= u64::from(ground.limit);
        if has_room { Answer::Accepted(ground) } else { Answer::Rejected(ground) }
    }

    /// Whether `order` has anything to give back.
    #[must_use]
    pub fn decide_release(&self, order: OrderId) -> Answer {
        let is_held = self.orders.get(&order).is_some_and(|order| order.is_held);
        if is_held { Answer::Released } else { Answer::NotHeld }
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: &Event) {
        match (event.call, event.answer) {
            (
                Call::Reserve { order, units, .. },
                answer @ (Answer::Accepted(ground) | Answer::Rejected(ground)),
            ) => {
                let is_held = matches!(answer, Answer::Accepted(_));
                self.used += if is_held { u64::from(units) } else { 0 };
                self.version = self.version.max(ground.version);
                self.orders.insert(order, Order { units, first_answer: answer, is_held });
            }
            (Call::Release { order, .. }, Answer::Released) => {
                if let Some(order) = self.orders.get_mut(&order)
                    && order.is_held
                {
                    order.is_held = false;
                    self.used -= u64::from(order.units);
                }
            }
            _ => {}
        }
        self.answers.entry(event.request).or_insert(event.answer);
        self.sequence = self.sequence.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SlotId;
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
            Call::Reserve { units, .. } => slot.decide_reserve(units, GROUND),
            Call::Release { order, .. } => slot.decide_release(order),
            Call::Use { .. } | Call::Overview => unreachable!("reads are always known"),
        };
        slot.apply(&Event { request, call, answer });
        Is::New(answer)
    }

    /// Asks one question after the other under a limit of 10, journalling what is new.
    #[track_caller]
    fn check(questions: &[(u64, Call, Is)]) {
        let mut slot = Slot::default();
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

    #[test]
    fn without_request_keys_a_retry_counts_twice() {
        let mut rules = Rules::hardened();
        rules.request_key = crate::rules::Precaution::Skipped;
        let mut slot = Slot::default();
        for _ in 0..2 {
            assert_eq!(ask(&mut slot, 1, reserve(1, 4), &rules), Is::New(Answer::Accepted(GROUND)));
        }
        assert_eq!(slot.used(), 8);
    }
}
