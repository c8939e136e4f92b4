//! Follows the journal: asks one of its nodes for what it has, now and as it comes, and takes every entry once, in order.
//!
//! Who starts again has nothing, and begins at the first entry. It has caught up once it has reached the tail that the log
//! named in answer to its own first question; the nonce tells that answer from a late one to its predecessor. Of a log on
//! several nodes it asks one, and the next when that one stays silent; what it has applied never falls, whichever is behind.

use std::sync::Arc;

use sim::node::{Context, NodeId};
use sim::time::{MonotonicTime, Span};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::ids::Offset;
use crate::message::{Entry, Message};
use crate::replication::follower::{Follower, Taken};
use crate::replication::log_nodes::LogNodes;

/// How often it asks again even if nothing seems to be missing.
pub(super) const RESYNC_EVERY: Span = Span::from_ms(500);
/// A gap is asked about at most this often.
pub(super) const GAP_ASK_EVERY: Span = Span::from_ms(20);

/// Where whoever starts begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At the first entry.
    AtFirst,
    /// Behind the last one: what came before is missing for ever.
    AtTail,
}

/// What the log sends.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Who sends it.
    pub log: NodeId,
    /// Offset of the first entry.
    pub from: Offset,
    /// The entries.
    pub entries: &'a Arc<[Entry]>,
    /// How many entries the log has in all.
    pub tail: Offset,
    /// Of the question it answers; 0 if it answers none.
    pub nonce: u64,
}

/// A reader of the journal.
#[derive(Clone, Debug)]
pub struct Following {
    rules: Rules,
    logs: LogNodes,
    begin: Begin,
    follower: Follower,
    /// Since when the journal's node owes an answer.
    unanswered_since: Option<MonotonicTime>,
    nonce: u64,
    /// It has caught up when this much is applied; unknown until the log has answered.
    serves_from: Option<Offset>,
}

impl Following {
    /// A reader of what those nodes have, that has nothing yet.
    #[must_use]
    pub fn new(rules: Rules, logs: LogNodes, begin: Begin) -> Self {
        Self {
            rules,
            logs,
            begin,
            follower: Follower::default(),
            unanswered_since: None,
            nonce: 0,
            serves_from: None,
        }
    }

    /// How many entries have been applied.
    #[must_use]
    pub const fn applied(&self) -> Offset {
        self.follower.applied()
    }

    /// By which it knows the answer to its own first question.
    #[cfg(test)]
    pub(crate) const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Whether what has been applied may be shown: never before it has caught up, so that nobody sees it go back.
    #[must_use]
    pub fn may_serve(&self) -> bool {
        let has_caught_up = self.serves_from.is_some_and(|floor| self.applied() >= floor);
        has_caught_up || !self.rules.catch_up_first.is_taken()
    }

    /// Begins: asks for everything.
    pub fn start(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.nonce = context.chance().next_u64().max(1);
        self.ask(context.monotonic(), fx);
    }

    /// Asks again from time to time: until the first answer in any case, then only if it resyncs.
    pub fn tick(&mut self, now: MonotonicTime, fx: &mut Fx) {
        let is_due = self.follower.is_due(RESYNC_EVERY, now);
        if is_due && (self.rules.resync.is_taken() || self.serves_from.is_none()) {
            self.ask(now, fx);
        }
    }

    /// Entries from the log. Those of them that are new count as applied, and are to be taken in now, with the offset of the
    /// first; then it is to [ask](Self::ask_if_behind) for what lies behind them.
    pub fn take(
        &mut self,
        batch: &Batch<'_>,
        now: MonotonicTime,
        fx: &mut Fx,
    ) -> Option<(Offset, Arc<[Entry]>)> {
        self.hear(batch);
        let gap_detection = self.rules.gap_detection;
        match self.follower.take(batch.from, batch.entries.len(), gap_detection) {
            Taken::Gap => {
                self.ask_for_gap(now, fx);
                None
            }
            Taken::Nothing => {
                self.ask_if_behind(batch.tail, now, fx);
                None
            }
            Taken::News { from, known: 0 } => Some((from, Arc::clone(batch.entries))),
            Taken::News { from, known } => Some((from, batch.entries[known..].into())),
        }
    }

    /// What a batch says besides its entries: how far there is to go, and that the node is alive.
    fn hear(&mut self, batch: &Batch<'_>) {
        if batch.nonce == self.nonce && self.serves_from.is_none() {
            self.serves_from = Some(batch.tail);
            if self.begin == Begin::AtTail {
                self.follower.pass_over(batch.tail);
            }
        }
        if batch.log == self.logs.current() && self.serves_from.is_some() {
            self.unanswered_since = None;
        }
    }

    /// Asks, if the log has more than was applied.
    pub fn ask_if_behind(&mut self, tail: Offset, now: MonotonicTime, fx: &mut Fx) {
        if tail > self.applied() && self.rules.gap_detection.is_taken() {
            self.ask_for_gap(now, fx);
        }
    }

    fn ask_for_gap(&mut self, now: MonotonicTime, fx: &mut Fx) {
        if self.follower.is_due(GAP_ASK_EVERY, now) {
            self.ask(now, fx);
        }
    }

    fn ask(&mut self, now: MonotonicTime, fx: &mut Fx) {
        let since = *self.unanswered_since.get_or_insert(now);
        if now.since(since) >= RESYNC_EVERY {
            self.logs.give_up(since, now);
            self.unanswered_since = Some(now);
        }
        self.follower.asks(now);
        let nonce = if self.serves_from.is_none() { self.nonce } else { 0 };
        fx.send(self.logs.current(), Message::Follow { from: self.applied(), nonce });
    }
}
