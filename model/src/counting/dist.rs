//! Counters in the nodes' logs: acknowledged once in a log, added to the store every few seconds.
//!
//! ```text
//!   increment ─► owner of the key ─► log, synced ─► answer
//!                                     └ every few seconds ─► [ is the log applied up to a? now it is up to b │
//!                                        for each entry a..b: note its request key, else skip │ add ] ─► store
//! ```
//!
//! Promise: exact in the end. Once every node has flushed, a counter is all that was acknowledged, and each increment of
//! unknown outcome once or not at all. Reads are of the store's row: late, never too high.
//!
//! A flush without an answer is simply made again: the store knows how far the log was applied, and under which request keys.
//! Ownership only saves memory: a node that is wrong about it, since nodes come and go, does no harm. A node handles one
//! input at a time, so its workers are one here; what they spread is spread over nodes.

pub mod journal;
pub mod ring;

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use self::journal::{Entry, Journal, Medium, Repeats, Taken, Until};
use self::ring::Ring;
use super::rows::{Otherwise, Outcome, Statement, add, note};
use super::sync::value_of;
use super::{
    Answer, Asked, Call, CounterKey, Fx, Increment, Key, Ledger, Message, Observation, RateLimit, Record, Row,
};
use crate::database::{Connection, Packet};

crate::decisions! {
    /// Every decision of the counters in logs, by name.
    pub struct Rules {
        /// Increments are durable in the log before they are acknowledged; otherwise they are in memory.
        durable_log = "dist-log-in-memory",
        /// A flush carries request keys, and the store adds only unseen ones.
        request_keys = "dist-flush-without-keys",
        /// A flush says which numbers of the log it carries; otherwise only sums.
        numbered_ranges,
        /// The store adds a range and notes that it is applied in one transaction; otherwise it notes it first.
        range_with_sums = "dist-range-apart",
        /// Only what is durable in the log is flushed; otherwise a number may come to mean another entry.
        durable_flushed = "dist-flush-before-sync",
        /// A failed flush is made again; otherwise what it carried is dropped.
        failed_flush_kept = "dist-failed-flush-dropped",
        /// A key has one owner; otherwise every node may hold every key.
        owned_keys,
    }
}

const DISK_RETRY: TimerKey = TimerKey(0);
const TICK: TimerKey = TimerKey(1);
const FLUSH: TimerKey = TimerKey(2);
const TICK_EVERY: Span = Span::from_ms(100);
const BEAT_EVERY: Span = Span::from_ms(500);
/// Who was not heard for so long is taken for gone.
const GONE_AFTER: Span = Span::from_ms(1_600);
/// Entries of one flush.
const FLUSH_MAX: usize = 500;

/// What waits for the database.
#[derive(Clone, Debug)]
enum Doing {
    Read(Asked),
    Flush(Flush),
}

/// A flush on its way.
#[derive(Clone, Debug)]
struct Flush {
    /// The number behind its last entry.
    until: i64,
    /// What is to be added when the range is noted, if not with it.
    left: Vec<Statement>,
}

/// How a node of this kind is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// This node.
    pub me: NodeId,
    /// All nodes of its kind.
    pub services: Arc<[NodeId]>,
    /// The database.
    pub database: NodeId,
    /// How long it waits for an answer of the database.
    pub patience: Span,
    /// How often it flushes.
    pub flush_every: Span,
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Service {
    rules: Rules,
    setup: Setup,
    limit: RateLimit,
    ring: Ring,
    /// When each of the others was last heard.
    heard: BTreeMap<NodeId, MonotonicTime>,
    beaten_at: Option<MonotonicTime>,
    journal: Journal,
    /// What the store says about how far the log is applied.
    applied_row: Option<Row>,
    connection: Connection<Doing>,
    is_flushing: bool,
}

impl Service {
    /// A node with that limit.
    #[must_use]
    pub fn new(rules: Rules, limit: RateLimit, setup: Setup) -> Self {
        let medium = if rules.durable_log.is_taken() { Medium::Disk } else { Medium::Memory };
        Self {
            rules,
            limit,
            ring: Ring::of(&setup.services),
            heard: BTreeMap::new(),
            beaten_at: None,
            journal: Journal::new(medium, DISK_RETRY),
            applied_row: None,
            connection: Connection::new(setup.database, setup.patience),
            is_flushing: false,
            setup,
        }
    }

    /// Begins with the log that survived.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        self.journal.start(disk, context, fx);
        let base = self.journal.base();
        self.applied_row = (base > 0).then_some(Row::Number(base));
        fx.set_timer(TICK, TICK_EVERY);
        let first = Span::from_ns(context.chance().below(self.setup.flush_every.as_ns().max(1)));
        fx.set_timer(FLUSH, first);
    }

    /// A message came.
    pub fn message(&mut self, from: NodeId, message: Message, context: &mut Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => {
                let asked = Asked { client: from, request: ask.request, call: ask.call };
                self.ask(asked, context, fx);
            }
            Message::Forward { client, request, increment } => {
                let asked = Asked { client, request, call: Call::Increment(increment.clone()) };
                self.take(asked, &increment, fx);
            }
            Message::Beat => {
                self.heard.insert(from, context.monotonic());
            }
            Message::Database(packet) => self.packet(packet, context, fx),
            Message::Answer(_) => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &mut Context<'_>, fx: &mut Fx) {
        match key {
            DISK_RETRY => self.journal.timer(fx),
            FLUSH => {
                fx.set_timer(FLUSH, self.setup.flush_every);
                let key_count = u32::try_from(self.journal.key_count()).unwrap_or(u32::MAX);
                fx.observe(Observation::Held { key_count });
                self.flush(context, fx);
            }
            _ => {
                fx.set_timer(TICK, TICK_EVERY);
                let given_up = self.connection.given_up(context);
                self.give_up(&given_up);
                self.beat(context.monotonic(), fx);
            }
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for asked in self.journal.synced(token, fx) {
            asked.answer(Answer::Incremented, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.journal.sync_failed(token, fx);
    }

    /// Asked to stop in order: flushes once more, and never learns what came of it.
    pub fn stop(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.flush(context, fx);
    }

    /// The connection to the database was reset.
    pub fn reset(&mut self) {
        let given_up = self.connection.reset();
        self.give_up(&given_up);
    }

    fn ask(&mut self, asked: Asked, context: &mut Context<'_>, fx: &mut Fx) {
        if let Some(refusal) = self.limit.refusal(&asked, context.monotonic()) {
            asked.answer(refusal, fx);
            return;
        }
        match asked.call.clone() {
            Call::Increment(increment) => match self.owner(&increment.key, context.monotonic()) {
                owner if owner == self.setup.me => self.take(asked, &increment, fx),
                owner => {
                    let Asked { client, request, .. } = asked;
                    fx.send(owner, Message::Forward { client, request, increment });
                }
            },
            Call::Read(key) | Call::ReadRow(key) => {
                let statements = vec![Statement::Get(Key::Counter(key))];
                let refused = self.connection.query(statements, Doing::Read(asked), context, fx);
                if let Some(Doing::Read(asked)) = refused {
                    asked.answer(Answer::Unavailable, fx);
                }
            }
        }
    }

    /// Whose log an increment of that key goes to, as far as this node knows who is there.
    fn owner(&self, key: &CounterKey, now: MonotonicTime) -> NodeId {
        let is_heard = |node| self.heard.get(&node).is_some_and(|at| now.since(*at) < GONE_AFTER);
        let me = self.setup.me;
        if !self.rules.owned_keys.is_taken() {
            return me;
        }
        self.ring.owner(key, |node| node == me || is_heard(node)).unwrap_or(me)
    }

    fn take(&mut self, asked: Asked, increment: &Increment, fx: &mut Fx) {
        let repeats = if self.rules.request_keys.is_taken() { Repeats::Recognised } else { Repeats::Counted };
        match self.journal.take(asked, increment, repeats, fx) {
            Taken::Waits => {}
            Taken::Now(asked) => asked.answer(Answer::Incremented, fx),
            Taken::KeyReused(asked) => asked.answer(Answer::KeyReused, fx),
            Taken::Full(asked) => asked.answer(Answer::Unavailable, fx),
        }
    }

    fn beat(&mut self, now: MonotonicTime, fx: &mut Fx) {
        if self.beaten_at.is_some_and(|at| now.since(at) < BEAT_EVERY) {
            return;
        }
        self.beaten_at = Some(now);
        for peer in self.setup.services.iter().filter(|peer| **peer != self.setup.me) {
            fx.send(*peer, Message::Beat);
        }
    }

    /// Sends the beginning of the log to the store, unless a flush is on its way already.
    fn flush(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        let until = if self.rules.durable_flushed.is_taken() { Until::Durable } else { Until::End };
        let entries: Vec<_> = self.journal.range(until, FLUSH_MAX).cloned().collect();
        if self.is_flushing || entries.is_empty() {
            return;
        }
        let count = i64::try_from(entries.len()).expect("a flush is short");
        let until = self.journal.base() + count;
        let (mut statements, mut left) = (self.claim(until), self.sums(&entries));
        if self.rules.range_with_sums.is_taken() || statements.is_empty() {
            statements.append(&mut left);
        }
        let flush = Flush { until, left };
        self.is_flushing = self.connection.query(statements, Doing::Flush(flush), context, fx).is_none();
    }

    /// The statements that note the range: nothing happens unless the log was applied up to its beginning.
    fn claim(&self, until: i64) -> Vec<Statement> {
        if !self.rules.numbered_ranges.is_taken() {
            return Vec::new();
        }
        let key = Key::Applied { node: self.setup.me, log: self.journal.log() };
        let row = self.applied_row.clone();
        vec![
            Statement::Expect { key: key.clone(), row, otherwise: Otherwise::Abort },
            Statement::Put(key, Row::Number(until)),
        ]
    }

    /// The statements that add the entries: one by one under their request keys, or their sums.
    fn sums(&self, entries: &[Entry]) -> Vec<Statement> {
        if self.rules.request_keys.is_taken() {
            let once = |Entry { request, increment }: &Entry| {
                [note(*request, increment, Otherwise::Skip(1)), add(increment)]
            };
            return entries.iter().flat_map(once).collect();
        }
        let mut sums: BTreeMap<&CounterKey, i64> = BTreeMap::new();
        for Entry { increment, .. } in entries {
            let sum = sums.entry(&increment.key).or_default();
            *sum = sum.saturating_add(increment.delta);
        }
        sums.into_iter().map(|(key, sum)| Statement::Add(Key::Counter(key.clone()), sum)).collect()
    }

    fn packet(&mut self, packet: Packet<Ledger>, context: &mut Context<'_>, fx: &mut Fx) {
        match self.connection.reply(packet) {
            Some((Doing::Read(asked), Outcome::Committed(found))) => {
                asked.answer(value_of(found.first()), fx);
            }
            Some((Doing::Read(asked), Outcome::Aborted { .. } | Outcome::Unavailable)) => {
                asked.answer(Answer::Unavailable, fx);
            }
            Some((Doing::Flush(flush), outcome)) => {
                self.is_flushing = false;
                self.flushed(flush, outcome, context, fx);
            }
            None => {}
        }
    }

    fn flushed(&mut self, flush: Flush, outcome: Outcome, context: &mut Context<'_>, fx: &mut Fx) {
        match outcome {
            Outcome::Committed(_) => {
                self.applied_row = Some(Row::Number(flush.until));
                self.journal.applied(flush.until, fx);
                if flush.left.is_empty() {
                    self.flush(context, fx);
                } else {
                    let left = Flush { until: flush.until, left: Vec::new() };
                    let refused = self.connection.query(flush.left, Doing::Flush(left), context, fx);
                    self.is_flushing = refused.is_none();
                }
            }
            // An earlier flush, whose answer was lost, had been applied: the store knows up to where.
            Outcome::Aborted { row, .. } if self.rules.numbered_ranges.is_taken() => {
                let until = row.as_ref().and_then(Row::number).unwrap_or(0);
                self.applied_row = row;
                self.journal.applied(until, fx);
                self.flush(context, fx);
            }
            Outcome::Aborted { .. } | Outcome::Unavailable => {
                if !self.rules.failed_flush_kept.is_taken() {
                    self.journal.applied(flush.until, fx);
                }
            }
        }
    }

    /// Nobody knows what came of these: a flush is made again.
    fn give_up(&mut self, doings: &[Doing]) {
        if doings.iter().any(|doing| matches!(doing, Doing::Flush(_))) {
            self.is_flushing = false;
        }
    }
}
