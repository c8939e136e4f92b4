//! Counters in the store: every increment is one transaction, every read asks the store.
//!
//! ```text
//!   increment(key, delta) ─► [ note request key ─ else its first answer │ add delta to the row ] ─► synced ─► answer
//! ```
//!
//! Promise: linearizable. The request key is noted in the transaction that adds, so an increment counts once however often
//! it is asked for, and whoever asks again is told what came of it. A hot key is a hot row: the wait is measured.

use std::collections::BTreeMap;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::rows::{Found, Otherwise, Outcome, Statement, add, note};
use super::{Answer, Asked, Call, CounterKey, Fx, Increment, Key, Ledger, RateLimit, Row};
use crate::database::{Connection, Packet};

crate::decisions! {
    /// Every decision of the counters in the store, by name.
    pub struct Rules {
        /// A repeated request gets its first answer; otherwise it counts again.
        request_key = "sync-retry-counts",
        /// The request key is noted in the transaction that adds; otherwise in one before it.
        key_with_sum = "sync-key-apart",
        /// Reads go to the store; otherwise the node answers for a while what it knows.
        read_from_store = "sync-cached-read",
        /// Commits are synced before they are answered.
        synced_commit = "sync-early-answer",
        /// Where there is a standby, a restart goes on from the database's own disk; otherwise from what the standby has.
        own_disk_first = "sync-failover-forgets",
    }
}

/// How often a node looks for queries without an answer.
const TICK: TimerKey = TimerKey(0);
const TICK_EVERY: Span = Span::from_ms(100);
/// How long the naive node answers from memory, and for how many counters.
const CACHED_FOR: Span = Span::from_seconds(1);
const CACHED_MAX: usize = 10_000;

/// What waits for the database.
#[derive(Clone, Debug)]
enum Doing {
    Increment(Asked),
    /// The request key is noted, the sum is not changed yet.
    Adding(Asked),
    Read(Asked),
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Service {
    rules: Rules,
    limit: RateLimit,
    connection: Connection<Doing>,
    /// What the naive node knows of counters, and since when.
    cache: BTreeMap<CounterKey, (i64, MonotonicTime)>,
}

impl Service {
    /// A node with that limit, connected to `database` with so much patience.
    #[must_use]
    pub const fn new(rules: Rules, limit: RateLimit, database: NodeId, patience: Span) -> Self {
        Self { rules, limit, connection: Connection::new(database, patience), cache: BTreeMap::new() }
    }

    /// Begins, with nothing in memory.
    pub fn start(&mut self, fx: &mut Fx) {
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A client asks.
    pub fn ask(&mut self, asked: Asked, context: &mut Context<'_>, fx: &mut Fx) {
        if let Some(refusal) = self.limit.refusal(&asked, context.monotonic()) {
            asked.answer(refusal, fx);
            return;
        }
        match asked.call.clone() {
            Call::Increment(increment) => self.increment(asked, &increment, context, fx),
            Call::Read(key) | Call::ReadRow(key) => self.read(asked, key, context, fx),
        }
    }

    /// The database answers.
    pub fn packet(&mut self, packet: Packet<Ledger>, context: &mut Context<'_>, fx: &mut Fx) {
        let Some((doing, outcome)) = self.connection.reply(packet) else { return };
        match (doing, outcome) {
            (Doing::Increment(asked), Outcome::Committed(_)) if self.is_sum_missing() => {
                self.add_apart(asked, context, fx);
            }
            (Doing::Increment(asked) | Doing::Adding(asked), Outcome::Committed(found)) => {
                self.remember(asked.call.key(), found.last(), context);
                asked.answer(Answer::Incremented, fx);
            }
            (Doing::Read(asked), Outcome::Committed(found)) => {
                self.remember(asked.call.key(), found.last(), context);
                asked.answer(value_of(found.last()), fx);
            }
            (Doing::Increment(asked), Outcome::Aborted { row, .. }) => {
                let answer = asked.answer_again(row.as_ref());
                asked.answer(answer, fx);
            }
            (Doing::Adding(asked) | Doing::Read(asked), Outcome::Aborted { .. })
            | (Doing::Increment(asked) | Doing::Adding(asked) | Doing::Read(asked), Outcome::Unavailable) => {
                asked.answer(Answer::Unavailable, fx);
            }
        }
    }

    /// The timer ran out. Who waits for an answer that will not come asks again by himself.
    pub fn timer(&mut self, context: &Context<'_>, fx: &mut Fx) {
        self.connection.given_up(context);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// The connection to the database was reset.
    pub fn reset(&mut self) {
        self.connection.reset();
    }

    fn increment(&mut self, asked: Asked, increment: &Increment, context: &mut Context<'_>, fx: &mut Fx) {
        let note = note(asked.request, increment, Otherwise::Abort);
        let statements = match (self.rules.request_key.is_taken(), self.rules.key_with_sum.is_taken()) {
            (true, true) => vec![note, add(increment)],
            (true, false) => vec![note],
            (false, _) => vec![add(increment)],
        };
        self.query(statements, Doing::Increment(asked), context, fx);
    }

    const fn is_sum_missing(&self) -> bool {
        self.rules.request_key.is_taken() && !self.rules.key_with_sum.is_taken()
    }

    fn add_apart(&mut self, asked: Asked, context: &mut Context<'_>, fx: &mut Fx) {
        if let Call::Increment(increment) = &asked.call {
            let statements = vec![add(increment)];
            self.query(statements, Doing::Adding(asked), context, fx);
        }
    }

    fn read(&mut self, asked: Asked, key: CounterKey, context: &mut Context<'_>, fx: &mut Fx) {
        match self.cache.get(&key) {
            Some((value, since)) if context.monotonic().since(*since) < CACHED_FOR => {
                asked.answer(Answer::Value(*value), fx);
            }
            _ => self.query(vec![Statement::Get(Key::Counter(key))], Doing::Read(asked), context, fx),
        }
    }

    fn query(&mut self, statements: Vec<Statement>, doing: Doing, context: &mut Context<'_>, fx: &mut Fx) {
        let refused = self.connection.query(statements, doing, context, fx);
        if let Some(Doing::Increment(asked) | Doing::Adding(asked) | Doing::Read(asked)) = refused {
            asked.answer(Answer::Unavailable, fx);
        }
    }

    /// What the naive node will answer for a while.
    fn remember(&mut self, key: &CounterKey, found: Option<&Found>, context: &Context<'_>) {
        if self.rules.read_from_store.is_taken() {
            return;
        }
        if let Answer::Value(value) = value_of(found) {
            if self.cache.len() >= CACHED_MAX {
                self.cache.clear();
            }
            self.cache.insert(key.clone(), (value, context.monotonic()));
        }
    }
}

/// What a counter's row says.
pub(super) fn value_of(found: Option<&Found>) -> Answer {
    match found {
        Some(Found::Row(Some(Row::Number(value)))) => Answer::Value(*value),
        _ => Answer::NotFound,
    }
}

impl Asked {
    /// The answer to a question whose request key is noted already: the first answer, if it is the same question.
    pub(super) fn answer_again(&self, noted: Option<&Row>) -> Answer {
        match (noted, &self.call) {
            (Some(Row::Increment(noted)), Call::Increment(asked)) if noted == asked => Answer::Incremented,
            (Some(Row::Increment(_)), _) => Answer::KeyReused,
            (Some(Row::Number(_)) | None, _) => Answer::Unavailable,
        }
    }
}
