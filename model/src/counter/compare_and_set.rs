//! Compare and set: a slot has no owner; whoever is asked reads its events, decides, and appends if nothing came between.
//!
//! ```text
//!   questions ──► Reading ──events──► decided ──nothing new──► answers
//!                    ▲                   └──events──► Appending ──appended──► answers
//!                    └─────────────── refused ──────────┘
//! ```
//!
//! The append is conditional on the sequence that was read, so that of two nodes that decide at once one is refused; it
//! reads and decides again. Nothing is kept between two decisions, and no node need know another. What was asked while a
//! read was on its way waits for the next one: the events may have been looked up before the question was asked.
//!
//! Source: the baseline of optimistic concurrency control, H. T. Kung and J. T. Robinson, TODS 6 (1981): read, validate,
//! write. Under contention work is done in vain, which an owner never does.

use std::collections::{BTreeMap, VecDeque};

use sim::node::Context;
use sim::time::MonotonicTime;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::{Appended, Batch, Limits, Question};
use crate::counter::kinds::Kinds;
use crate::counter::owner::{QUEUE_MAX, RESEND_EVERY, TRIES_MAX};
use crate::counter::slot::{Program, Slot};
use crate::ids::{AppendNumber, Epoch, SlotId};
use crate::message::{Answer, Event, Message};
use crate::replication::log_nodes::LogNodes;

/// Nobody opens a slot, so that its epoch stays what it is from the beginning.
const EPOCH: Epoch = Epoch(0);

#[derive(Clone, Debug)]
enum Phase {
    Idle,
    Reading { nonce: u64 },
    Read(Slot),
    Appending(Batch),
}

/// What this node has to do for one slot.
#[derive(Clone, Debug)]
struct Attempt {
    phase: Phase,
    /// Asked before the read under way was sent.
    taken: VecDeque<Question>,
    /// Asked since.
    queue: VecDeque<Question>,
    sent_at: MonotonicTime,
    /// Reads and appends that were in vain, one after the other.
    tries: u32,
}

/// What the journal says to a read.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Of which slot.
    pub slot: SlotId,
    /// The question that it answers.
    pub nonce: u64,
    /// All events of the slot.
    pub events: &'a [Event],
}

/// The part of a service node that decides without owning anything.
#[derive(Clone, Debug)]
pub struct CompareAndSet {
    rules: Rules,
    logs: LogNodes,
    kinds: Kinds,
    attempts: BTreeMap<SlotId, Attempt>,
    /// Numbers reads and appends. It begins where chance says: what a former start asked is no answer to this one.
    asked: u32,
}

impl CompareAndSet {
    /// A node that was asked nothing yet.
    #[must_use]
    pub const fn new(rules: Rules, logs: LogNodes, kinds: Kinds) -> Self {
        Self { rules, logs, kinds, attempts: BTreeMap::new(), asked: 0 }
    }

    /// Begins.
    pub fn start(&mut self, context: &mut Context<'_>) {
        let half = u64::from(u32::MAX / 2);
        self.asked = u32::try_from(context.chance().below(half)).expect("half of 32 bits fits them");
    }

    /// Takes a question.
    pub fn ask(&mut self, slot: SlotId, question: Question, context: &Context<'_>, fx: &mut Fx) {
        if question.is_unserved(&self.kinds) {
            return question.answer(Answer::NotServed, fx);
        }
        let attempt = self.attempts.entry(slot).or_insert_with(|| Attempt {
            phase: Phase::Idle,
            taken: VecDeque::new(),
            queue: VecDeque::new(),
            sent_at: context.monotonic(),
            tries: 0,
        });
        if attempt.taken.len() + attempt.queue.len() >= QUEUE_MAX {
            question.answer(Answer::Unavailable, fx);
        } else {
            attempt.queue.push_back(question);
        }
    }

    /// The journal has answered a read. Where this program cannot read an event, it decides nothing.
    pub fn events(&mut self, found: &Found<'_>, context: &Context<'_>, fx: &mut Fx) {
        let Found { slot, nonce, events } = *found;
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        if !matches!(attempt.phase, Phase::Reading { nonce: asked } if asked == nonce) {
            return;
        }
        let program = Program { kinds: self.kinds, version: context.version() };
        if let Some(read) = Slot::of(events, program, &self.rules) {
            attempt.phase = Phase::Read(read);
        } else {
            attempt.taken.drain(..).for_each(|question| question.answer(Answer::Unavailable, fx));
            attempt.phase = Phase::Idle;
        }
    }

    /// The journal has taken an append: its answers may be given.
    pub fn appended(&mut self, done: Appended, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&done.slot) else { return };
        let Phase::Appending(batch) = &attempt.phase else { return };
        if !batch.is_acknowledged_by(done, &self.rules) {
            return;
        }
        if self.rules.journal_before_answer.is_taken() {
            batch.answer(fx);
        }
        (attempt.phase, attempt.tries) = (Phase::Idle, 0);
    }

    /// The journal has refused an append: somebody else was faster, and everything is decided anew.
    ///
    /// A late refusal may meet an append that is still under way. Whatever becomes of it, its events name their requests,
    /// and those get their first answer.
    pub fn refused(&mut self, slot: SlotId, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        match core::mem::replace(&mut attempt.phase, Phase::Idle) {
            Phase::Appending(batch) => {
                for (question, _) in batch.answers.into_iter().rev() {
                    attempt.taken.push_front(question);
                }
                self.tried_in_vain(slot, fx);
            }
            other @ (Phase::Idle | Phase::Reading { .. } | Phase::Read(_)) => attempt.phase = other,
        }
    }

    /// Does whatever can be done now.
    pub fn pump(&mut self, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let slots: Vec<_> = self.attempts.keys().copied().collect();
        for slot in slots {
            self.pump_slot(slot, limits, context, fx);
        }
    }

    /// Does whatever can be done for one slot now.
    pub fn pump_slot(&mut self, slot: SlotId, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        if let Phase::Read(state) = &mut attempt.phase {
            let ground = |version, fx: &mut Fx| limits.ground(version, context, fx);
            let batch = Batch::decide(state, &mut attempt.taken, ground, &self.rules, fx);
            attempt.phase = Phase::Idle;
            if batch.events.is_empty() {
                batch.answer(fx);
                attempt.tries = 0;
            } else {
                self.append(slot, batch, context, fx);
                return;
            }
            if !attempt.taken.is_empty() {
                // A limit that is there in a moment: the next pump reads again.
                return;
            }
        }
        if matches!(attempt.phase, Phase::Idle) {
            self.read(slot, context, fx);
        }
    }

    /// Asks the journal again where it has been silent for long.
    pub fn tick(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let slots: Vec<_> = self.attempts.keys().copied().collect();
        for slot in slots {
            let Some(attempt) = self.attempts.get_mut(&slot) else { continue };
            let is_silent = context.monotonic().since(attempt.sent_at) >= RESEND_EVERY;
            let is_waiting = matches!(attempt.phase, Phase::Reading { .. } | Phase::Appending(_));
            if !is_waiting || !is_silent {
                continue;
            }
            self.logs.give_up(attempt.sent_at, context.monotonic());
            if self.tried_in_vain(slot, fx) {
                self.send(slot, context, fx);
            }
        }
    }

    fn read(&mut self, slot: SlotId, context: &Context<'_>, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        attempt.taken.append(&mut attempt.queue);
        if attempt.taken.is_empty() {
            self.attempts.remove(&slot);
            return;
        }
        self.asked += 1;
        attempt.phase = Phase::Reading { nonce: u64::from(self.asked) };
        self.send(slot, context, fx);
    }

    fn append(&mut self, slot: SlotId, batch: Batch, context: &Context<'_>, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        if !self.rules.journal_before_answer.is_taken() {
            batch.answer(fx);
        }
        self.asked += 1;
        attempt.phase = Phase::Appending(Batch { number: AppendNumber(self.asked), ..batch });
        self.send(slot, context, fx);
    }

    fn send(&mut self, slot: SlotId, context: &Context<'_>, fx: &mut Fx) {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return };
        attempt.sent_at = context.monotonic();
        let log = self.logs.current();
        match &attempt.phase {
            Phase::Reading { nonce } => fx.send(log, Message::Read { slot, nonce: *nonce }),
            Phase::Appending(batch) => batch.send(log, slot, EPOCH, fx),
            Phase::Idle | Phase::Read(_) => {}
        }
    }

    /// Counts a try; whether there is another one. After too many, what was not decided is sent back; what was stays
    /// unanswered, because nobody here knows whether the journal has it.
    fn tried_in_vain(&mut self, slot: SlotId, fx: &mut Fx) -> bool {
        let Some(attempt) = self.attempts.get_mut(&slot) else { return false };
        attempt.tries += 1;
        if attempt.tries <= TRIES_MAX {
            return true;
        }
        for question in attempt.taken.iter().chain(&attempt.queue) {
            question.answer(Answer::Unavailable, fx);
        }
        self.attempts.remove(&slot);
        false
    }
}

#[cfg(test)]
mod tests;
