//! The stream: a question takes its place in the journal first, and every node decides it there, in the same order.
//!
//! ```text
//!   question ──ground──► command ──queue──► journal ──entries──► every node: fold ──► decisions
//!                           ▲                  │                                └──► answer, by who was asked
//!                           └──── silence ─────┘
//! ```
//!
//! A slot has no owner, and a command no condition: whatever comes between, it is decided in its place. So nobody is ever
//! refused because another was faster, nothing is locked, and a node that has read the stream knows all that any node knows.
//! What it costs: every node decides every question, reads wait for their place as well, and who starts reads from the
//! beginning.
//!
//! A command may stand in the stream twice: sent again after a lost acknowledgement, or through another node by a client
//! that lost patience. The first one counts, and each of these nodes answers by whichever comes first in its own reading.
//!
//! Source: state machine replication, F. B. Schneider, "Implementing fault-tolerant services using the state machine
//! approach", ACM Computing Surveys 22 (1990), with the log as the order.

use std::collections::{BTreeMap, VecDeque};

use sim::node::Context;
use sim::time::MonotonicTime;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::{Limit, Limits, Question};
use crate::counter::fold::{Decided, Fold};
use crate::counter::kinds::Kinds;
use crate::counter::owner::{QUEUE_MAX, RESEND_EVERY, TRIES_MAX};
use crate::ids::{AppendNumber, RequestKey, SlotId};
use crate::message::{Answer, Entry, Event, Ground, Message, Observation};
use crate::replication::log_nodes::LogNodes;
use crate::replication::replica::Decisions;

/// A question that has a command.
#[derive(Clone, Copy, Debug)]
struct Sent {
    question: Question,
    ground: Ground,
    number: AppendNumber,
    sent_at: MonotonicTime,
    /// How often nothing had come of it.
    tries: u32,
    /// The journal has it: all that is missing is to read it.
    is_queued: bool,
}

/// The questions about one slot, at most [`QUEUE_MAX`] of them.
#[derive(Clone, Debug, Default)]
struct Line {
    /// The limit can be told in a moment.
    asked: VecDeque<Question>,
    /// In the stream, or on their way there.
    sent: BTreeMap<RequestKey, Sent>,
}

impl Line {
    fn length(&self) -> usize {
        self.asked.len() + self.sent.len()
    }
}

/// The part of a service node that decides what it reads, and nothing else.
#[derive(Clone, Debug)]
pub struct Stream {
    rules: Rules,
    logs: LogNodes,
    kinds: Kinds,
    fold: Fold,
    lines: BTreeMap<SlotId, Line>,
    /// Numbers commands. It begins where chance says: what a former start sent is acknowledged to that one.
    count: u32,
}

impl Stream {
    /// A node that has read nothing and was asked nothing yet.
    #[must_use]
    pub fn new(rules: Rules, logs: LogNodes, kinds: Kinds) -> Self {
        Self { rules, logs, kinds, fold: Fold::new(rules, kinds), lines: BTreeMap::new(), count: 0 }
    }

    /// Begins.
    pub fn start(&mut self, context: &mut Context<'_>) {
        self.fold.start(context.version());
        let half = u64::from(u32::MAX / 2);
        self.count = u32::try_from(context.chance().below(half)).expect("half of 32 bits fits them");
    }

    /// Takes a question; one that is under way already stays so.
    pub fn ask(&mut self, slot: SlotId, question: Question, fx: &mut Fx) {
        if question.is_unserved(&self.kinds) {
            return question.answer(Answer::NotServed, fx);
        }
        let line = self.lines.entry(slot).or_default();
        if line.sent.contains_key(&question.request) {
            return;
        }
        if self.fold.is_lost() || line.length() >= QUEUE_MAX {
            question.answer(Answer::Unavailable, fx);
        } else {
            line.asked.push_back(question);
        }
    }

    /// The journal has that command.
    pub fn queued(&mut self, slot: SlotId, number: AppendNumber) {
        let Some(line) = self.lines.get_mut(&slot) else { return };
        if let Some(sent) = line.sent.values_mut().find(|sent| sent.number == number) {
            sent.is_queued = true;
        }
    }

    /// Decides the next entries of the stream, and answers whoever waits here for one of them.
    pub fn read(
        &mut self,
        entries: &[Entry],
        limits: &mut impl Limits,
        context: &Context<'_>,
        fx: &mut Fx,
    ) -> Decisions {
        let from = self.fold.count();
        let mut news = Vec::with_capacity(entries.len());
        for entry in entries {
            if self.fold.is_lost() {
                break;
            }
            let Some(decided) = self.decide(entry, limits, context, fx) else { continue };
            self.answer(entry.slot, entry.event.request, decided.answer, fx);
            news.extend(decided.entry);
        }
        Decisions { from, entries: news.into(), is_lost: self.fold.is_lost() }
    }

    /// Sends whatever can be sent now.
    pub fn pump(&mut self, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let slots: Vec<_> = self.lines.keys().copied().collect();
        for slot in slots {
            self.pump_slot(slot, limits, context, fx);
        }
    }

    /// Sends whatever can be sent about one slot now.
    pub fn pump_slot(&mut self, slot: SlotId, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        let Some(mut line) = self.lines.remove(&slot) else { return };
        let seen = self.fold.version(slot);
        while let Some(question) = line.asked.front().copied() {
            match limits.ground(seen, context, fx) {
                Limit::Soon => break,
                Limit::None => question.answer(Answer::Unavailable, fx),
                Limit::InForce(ground) => {
                    let (number, sent_at) = (self.next_number(), context.monotonic());
                    let sent = Sent { question, ground, number, sent_at, tries: 0, is_queued: false };
                    self.queue(slot, &mut line, sent, fx);
                }
            }
            line.asked.pop_front();
        }
        if line.length() > 0 {
            self.lines.insert(slot, line);
        }
    }

    /// Sends again what the journal has not acknowledged for long. After too many tries a question stays unanswered, because
    /// nobody here knows whether it is in the stream.
    pub fn tick(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let now = context.monotonic();
        for (slot, line) in &mut self.lines {
            for sent in line.sent.values_mut().filter(|sent| now.since(sent.sent_at) >= RESEND_EVERY) {
                let sent_at = core::mem::replace(&mut sent.sent_at, now);
                sent.tries += 1;
                if !sent.is_queued && sent.tries <= TRIES_MAX {
                    self.logs.give_up(sent_at, now);
                    send(&self.logs, *slot, sent, fx);
                }
            }
            line.sent.retain(|_, sent| sent.tries <= TRIES_MAX);
        }
        self.lines.retain(|_, line| line.length() > 0);
    }

    /// What the next command comes to, under what it says itself; without the precaution, under what this node would work.
    fn decide(
        &mut self,
        entry: &Entry,
        limits: &mut impl Limits,
        context: &Context<'_>,
        fx: &mut Fx,
    ) -> Option<Decided> {
        let mut own = None;
        if !self.rules.ground_in_command.is_taken()
            && let Limit::InForce(ground) = limits.ground(self.fold.version(entry.slot), context, fx)
        {
            own = Some(ground);
        }
        let decided = self.fold.decide(entry, own);
        if self.fold.is_lost() {
            fx.observe(Observation::NewerForm { form: entry.event.call.form() });
        }
        decided
    }

    /// A question becomes a command. Without the precaution it is answered by what this node has read so far, and the command
    /// is left to its fate.
    fn queue(&self, slot: SlotId, line: &mut Line, sent: Sent, fx: &mut Fx) {
        let Sent { question, ground, .. } = sent;
        send(&self.logs, slot, &sent, fx);
        if self.rules.journal_before_answer.is_taken() {
            line.sent.insert(question.request, sent);
        } else if let Some(answer) = self.fold.foretell(slot, question.request, question.call, ground) {
            question.answer(answer, fx);
        }
    }

    const fn next_number(&mut self) -> AppendNumber {
        self.count += 1;
        AppendNumber(self.count)
    }

    fn answer(&mut self, slot: SlotId, request: RequestKey, answer: Answer, fx: &mut Fx) {
        let Some(line) = self.lines.get_mut(&slot) else { return };
        if let Some(sent) = line.sent.remove(&request) {
            sent.question.answer(answer, fx);
        }
        if line.length() == 0 {
            self.lines.remove(&slot);
        }
    }
}

fn send(logs: &LogNodes, slot: SlotId, sent: &Sent, fx: &mut Fx) {
    let Sent { question: Question { request, call, .. }, ground, number, .. } = *sent;
    let command = Event { request, call, answer: Answer::Queued(ground) };
    fx.send(logs.current(), Message::Queue { slot, number, commands: [command].into() });
}

#[cfg(test)]
mod tests;
