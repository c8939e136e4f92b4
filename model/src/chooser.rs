//! The slot chooser: a second projection of the journal, built late from its first entry, that knows where there is room.
//!
//! ```text
//!   journal ──0 1 2 …──► following ──entry by entry──► index ──► "slot 3, as of entry 2"
//!                                                        ▲              │
//!   Client ──choose──► Service ──────passes it on────────┘              └──► Client
//! ```
//!
//! It begins when its wall clock shows that long after the run's start, however much there is in the journal by then. It
//! keeps nothing on disk: who starts again is built anew. What it answers may be late, but it is what the journal says up to
//! the offset that it names; nothing is held by a choice, a slot's room is its owner's to give. An entry in a form that its
//! program cannot read leaves it without an answer, as it does a replica.

mod index;
#[cfg(test)]
mod tests;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::{LocalTime, Span};

pub use self::index::Index;
use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::Question;
use crate::counter::form;
use crate::counter::kinds::Kinds;
use crate::message::{Answer, Call, Message, Observation};
use crate::replication::following::{Batch, Begin, Following};
use crate::replication::log_nodes::LogNodes;

const TICK: TimerKey = TimerKey(0);
const TICK_EVERY: Span = Span::from_ms(50);

/// What there is to choose from, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChooserSetup {
    /// It begins that long after the start of the run.
    pub after: Span,
    /// How many slots there are.
    pub slot_count: u32,
    /// What each of them has.
    pub kinds: Kinds,
}

/// The chooser.
#[derive(Clone, Debug)]
pub struct Chooser {
    rules: Rules,
    setup: ChooserSetup,
    following: Following,
    /// None until it begins.
    index: Option<Index>,
    /// The version of the program, and whether an entry was in a form that it cannot read: then it knows no room.
    version: u32,
    is_lost: bool,
}

impl Chooser {
    /// A chooser that has not begun, of what those nodes have.
    #[must_use]
    pub fn new(rules: Rules, logs: LogNodes, setup: ChooserSetup) -> Self {
        let begin = if rules.chooser_from_start.is_taken() { Begin::AtFirst } else { Begin::AtTail };
        let following = Following::new(rules, logs, begin);
        Self { rules, setup, following, index: None, version: 0, is_lost: false }
    }

    /// Begins, if it is time to.
    pub fn start(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        self.version = context.version();
        self.timer(context, fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, sender: NodeId, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        match message {
            Message::Entries { from, entries, tail, nonce } => {
                let batch = Batch { log: sender, from: *from, entries, tail: *tail, nonce: *nonce };
                self.entries(&batch, context, fx);
            }
            Message::Forward { client, request, call: call @ Call::Choose { kind, units } } => {
                let question = Question { client: *client, request: *request, call: *call };
                question.answer(self.choose(*kind, *units), fx);
            }
            _ => {}
        }
    }

    /// The one timer ran out: everything that is due.
    pub fn timer(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        if self.index.is_some() {
            self.following.tick(context.monotonic(), fx);
        } else if context.wall() >= LocalTime::ZERO + self.setup.after {
            self.index = Some(Index::new(self.setup.slot_count, self.setup.kinds));
            self.following.start(context, fx);
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    fn entries(&mut self, batch: &Batch<'_>, context: &Context<'_>, fx: &mut Fx) {
        // What comes before it begins is for its predecessor, which was there before a crash.
        let Some(index) = &mut self.index else { return };
        let now = context.monotonic();
        let Some((from, entries)) = self.following.take(batch, now, fx) else { return };
        for entry in entries.iter() {
            match form::event(&entry.event, self.version, &self.rules) {
                Some(event) => index.take(entry.slot, &event, self.rules.chooser_counts_releases),
                None => self.is_lost = true,
            }
        }
        fx.observe(Observation::Applied { from, entries });
        self.following.ask_if_behind(batch.tail, now, fx);
    }

    fn choose(&self, kind: u8, units: u32) -> Answer {
        match &self.index {
            Some(index) if !self.is_lost && self.following.may_serve() => {
                let choice = index.choose(usize::from(kind), units);
                Answer::Chosen { choice, position: self.following.applied() }
            }
            Some(_) | None => Answer::Unavailable,
        }
    }
}
