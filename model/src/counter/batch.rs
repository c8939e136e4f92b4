//! Questions about one slot, decided in order: what is answered, and what must be in the journal first.

use std::collections::VecDeque;
use std::sync::Arc;

use sim::node::{Context, NodeId};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::client::Reply;
use crate::counter::kinds::{Kinds, Units};
use crate::counter::slot::Slot;
use crate::ids::{AppendNumber, Epoch, RequestKey, Sequence, SlotId, Version};
use crate::message::{Answer, Call, Event, Ground, Message};

/// A question and who asked it.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The client.
    pub client: NodeId,
    /// Its operation.
    pub request: RequestKey,
    /// What it asks.
    pub call: Call,
}

impl Question {
    /// Whether it comes from a zone that its slot does not serve: then nobody has to decide anything.
    #[must_use]
    pub fn is_unserved(&self, kinds: &Kinds) -> bool {
        let asked = self.call.slot().zip(self.call.demand());
        asked.is_some_and(|(slot, demand)| !kinds.serves(slot, demand.zone))
    }

    /// Sends its answer to the client.
    pub fn answer(&self, answer: Answer, fx: &mut Fx) {
        fx.send(self.client, Message::Answer(Reply { request: self.request, answer }));
    }
}

/// Whether the limit can be told now; it is asked for once per decision.
pub trait Limits {
    /// Under which limit a reservation of a slot that has seen `version` is decided now.
    fn ground(&mut self, version: Version, context: &Context<'_>, fx: &mut Fx) -> Limit;
}

/// What [`Limits`] say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// This one is in force.
    InForce(Ground),
    /// In a moment; the question waits.
    Soon,
    /// None can be told: the question is sent back.
    None,
}

/// An append that the journal has taken.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    /// Of which slot.
    pub slot: SlotId,
    /// In which epoch.
    pub epoch: Epoch,
    /// Which append of that epoch.
    pub number: AppendNumber,
    /// Where it began.
    pub expected: Sequence,
}

/// What was decided together, and is journalled as one append.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Who is told what.
    pub answers: Vec<(Question, Answer)>,
    /// Which append it is, to whoever appends.
    pub number: AppendNumber,
    /// Behind how many events of the slot it belongs.
    pub expected: Sequence,
    /// What must be in the journal before anybody is told.
    pub events: Arc<[Event]>,
}

impl Batch {
    /// Takes from the front of `queue` and decides, up to the first question that must wait; `slot` is then as it will be
    /// with the events. Questions for which no limit can be told are sent back.
    pub fn decide(
        slot: &mut Slot,
        queue: &mut VecDeque<Question>,
        mut ground: impl FnMut(Version, &mut Fx) -> Limit,
        rules: &Rules,
        fx: &mut Fx,
    ) -> Self {
        let expected = slot.sequence();
        let mut answers = Vec::with_capacity(queue.len());
        let mut events = Vec::new();
        while let Some(question) = queue.front().copied() {
            let (request, call) = (question.request, question.call);
            if let Some(answer) = slot.recall(request, call, rules) {
                answers.push((question, answer));
            } else {
                match decide_new(slot, call, |version| ground(version, fx)) {
                    Outcome::Wait => break,
                    Outcome::Refuse => question.answer(Answer::Unavailable, fx),
                    Outcome::Journal(answer) => {
                        let event = Event { request, call, answer };
                        slot.apply(&event);
                        events.push(event);
                        answers.push((question, answer));
                    }
                }
            }
            queue.pop_front();
        }
        Self { answers, number: AppendNumber(0), expected, events: events.into() }
    }

    /// Everybody is told.
    pub fn answer(&self, fx: &mut Fx) {
        for (question, answer) in &self.answers {
            question.answer(*answer, fx);
        }
    }

    /// Whether it is this batch that the journal has taken.
    ///
    /// Its number tells it from earlier ones. The expected sequence would not: a confirmation without events leaves the
    /// sequence as it was, and its late double would acknowledge the events of the next append.
    #[must_use]
    pub fn is_acknowledged_by(&self, done: Appended, rules: &Rules) -> bool {
        if rules.numbered_appends.is_taken() {
            self.number == done.number
        } else {
            self.expected == done.expected
        }
    }

    /// Asks the journal to take it.
    pub fn send(&self, log: NodeId, slot: SlotId, epoch: Epoch, fx: &mut Fx) {
        let Self { number, expected, .. } = *self;
        fx.send(log, Message::Append { slot, epoch, number, expected, events: Arc::clone(&self.events) });
    }
}

/// What a question that needs a decision comes to.
enum Outcome {
    /// In a moment.
    Wait,
    /// No limit can be told: the client asks again.
    Refuse,
    /// An event, to be journalled before the answer is given.
    Journal(Answer),
}

fn decide_new(slot: &Slot, call: Call, ground: impl FnOnce(Version) -> Limit) -> Outcome {
    let reserve = |units| match ground(slot.version()) {
        Limit::Soon => Outcome::Wait,
        Limit::None => Outcome::Refuse,
        Limit::InForce(ground) => Outcome::Journal(slot.decide_reserve(units, ground)),
    };
    match call {
        Call::Reserve { units, .. } => reserve(Units::first(units)),
        Call::ReserveKinds { units, .. } => reserve(units),
        Call::Release { order, .. } => Outcome::Journal(slot.decide_release(order)),
        Call::Use { .. } | Call::Overview | Call::Choose { .. } => Outcome::Refuse,
    }
}
