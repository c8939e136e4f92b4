//! The journal on one of several nodes: every question takes its place among the commands that a majority decides.
//!
//! ```text
//!   open, append, queue, read, snapshot ──► proposed ──► decided ──► every node's journal
//!                                                           └──► answered by the node that was asked
//! ```
//!
//! A question that is asked twice, or whose proposal is decided late, finds what has come about since: an append that is
//! there already is a repeat, one of an owner that is no longer the newest is refused, and so is one at a sequence that is
//! no longer the end. What a node shows its followers is its own copy, which may be behind those of others; only the first
//! answer to a replica is decided, since it must not name less than any replica has shown.

pub mod command;

use sim::node::NodeId;

use self::command::{Command, Image, Question, Via};
use crate::capacity::rules::Rules;
use crate::capacity::{Fx, Member};
use crate::ids::Offset;
use crate::message::{Message, Observation};
use crate::replication::consensus::application::{Application, Meaning};
use crate::replication::followers::Followers;
use crate::replication::journal::{Condition, Journal, Outcome, Place};

/// Followers are told the tail every so many ticks, so that a lost last update heals.
const TELL_TICKS: u32 = 25;

/// The journal on one node.
#[derive(Clone, Debug)]
pub struct DecidedLog {
    rules: Rules,
    via: Via,
    journal: Journal,
    /// How many entries were shown.
    shown: usize,
    followers: Followers,
    /// Ticks since followers were last told.
    ticks: u32,
}

impl DecidedLog {
    /// An empty journal on that node.
    #[must_use]
    pub const fn new(rules: Rules, me: NodeId) -> Self {
        let via = Via { node: me, life: 0 };
        Self { rules, via, journal: Journal::new(), shown: 0, followers: Followers::new(), ticks: 0 }
    }

    fn ask(&self, asker: NodeId, question: Question, fx: &mut Fx) -> Meaning<Command> {
        if let Some(answer) = question.acknowledgement()
            && !self.rules.log_decided_first.is_taken()
        {
            fx.send(asker, answer);
        }
        Meaning::Propose(Command { via: self.via, asker, question })
    }

    /// Answers what was decided, or what need not be: it changes nothing.
    fn answer(&mut self, asker: NodeId, question: &Question, outcome: Outcome, fx: &mut Fx) {
        let answer = match *question {
            Question::Open { slot, nonce, form } => self.journal.opened(slot, nonce, form),
            Question::Snapshot { .. } => return,
            Question::Read { slot, nonce } => self.journal.read(slot, nonce),
            Question::Append { place, .. } if outcome == Outcome::Refused => place.refused(),
            Question::Append { place, .. } => place.appended(),
            Question::Queue { slot, number, .. } => Message::Queued { slot, number },
            Question::Follow { from, nonce } => {
                self.followers.add(asker);
                self.journal.chunk(from, self.journal.entries().len(), nonce)
            }
        };
        fx.send(asker, answer);
    }
}

impl Application for DecidedLog {
    type Node = Member;
    type Command = Command;

    fn begin(&mut self, life: u64) {
        self.via.life = life;
    }

    fn hear(&mut self, from: NodeId, message: Message, fx: &mut Fx) -> Meaning<Command> {
        let question = match message {
            Message::Peer(letter) => return Meaning::Letter(letter),
            Message::Open { slot, nonce, form } => Question::Open { slot, nonce, form },
            Message::Snapshot { slot, epoch, image } => Question::Snapshot { slot, epoch, image },
            Message::Append { slot, epoch, number, expected, events } => {
                let is_conditional = self.rules.conditional_append.is_taken();
                let condition = if is_conditional { Condition::NewestOwner } else { Condition::None };
                Question::Append { place: Place { slot, epoch, number, expected }, events, condition }
            }
            Message::Queue { slot, number, commands } => Question::Queue { slot, number, commands },
            Message::Read { slot, nonce } => Question::Read { slot, nonce },
            Message::Follow { from, nonce } => Question::Follow { from, nonce },
            _ => return Meaning::Nothing,
        };
        if question.needs_decision(&self.rules) {
            return self.ask(from, question, fx);
        }
        self.answer(from, &question, Outcome::Taken, fx);
        Meaning::Nothing
    }

    fn apply(&mut self, command: Command, fx: &mut Fx) {
        let outcome = command.question.apply(&mut self.journal);
        if command.via == self.via {
            self.answer(command.asker, &command.question, outcome, fx);
        }
    }

    /// What was asked of this node and came with the snapshot stays unanswered, and is asked again.
    fn restore(&mut self, snapshot: Image, _fx: &mut Fx) {
        self.journal = snapshot.into_journal();
    }

    fn show(&mut self, fx: &mut Fx) {
        let (entries, before) = (self.journal.entries(), self.shown);
        if let Some(news) = entries.get(before..).filter(|news| !news.is_empty()) {
            let from = Offset(before as u64);
            fx.observe(Observation::Journalled { from, entries: news.into() });
            self.followers.push(entries, before, entries.len(), fx);
        }
        // Where disks forget, a snapshot may be shorter than what was shown.
        self.shown = entries.len();
    }

    fn tick(&mut self, fx: &mut Fx) {
        self.ticks += 1;
        if self.ticks >= TELL_TICKS {
            self.ticks = 0;
            if self.rules.resync.is_taken() {
                self.followers.tell(Offset(self.shown as u64), fx);
            }
        }
    }
}

#[cfg(test)]
mod tests;
