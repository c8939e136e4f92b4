//! Counters as rows that are summed up from time to time: nobody waits for a hot row.
//!
//! ```text
//!   increment ─► number n ─► [ note request key │ row n of the tail ] ─► answer
//!   every few seconds: [ is row n still there? delete it │ add it to its counter ] ... in one transaction
//!   read: counter + its rows of the tail, in one snapshot        read of the row: the counter alone
//! ```
//!
//! Promise: reads of row and tail are linearizable; reads of the row alone are stale, never too high, exact in the end.
//!
//! A row is claimed by being deleted, so it does not matter in which order rows commit. The naive node remembers the last
//! number it has summed up: a row with a smaller number that commits later, since its number was drawn a round trip before,
//! is never looked at again.

use sim::node::{Context, NodeId, TimerKey};
use sim::time::Span;

use super::rows::{Found, Otherwise, Outcome, Statement, add, note};
use super::sync::value_of;
use super::{Answer, Asked, Call, CounterKey, Fx, Increment, Key, Ledger, RateLimit, Row};
use crate::database::{Connection, Packet};

crate::decisions! {
    /// Every decision of the counters that are summed up, by name.
    pub struct Rules {
        /// A repeated request gets its first answer; otherwise it counts again.
        request_key = "rollup-retry-counts",
        /// Rows are claimed one by one; otherwise all above the last number.
        row_claimed = "rollup-id-after-last",
        /// Rows are claimed and added in one transaction; otherwise claimed first.
        claim_with_sum = "rollup-claim-apart",
        /// Row and tail are read in one snapshot; otherwise one after the other.
        one_snapshot = "rollup-two-snapshots",
    }
}

const TICK: TimerKey = TimerKey(0);
const ROLL: TimerKey = TimerKey(1);
const TICK_EVERY: Span = Span::from_ms(100);
/// Rows that one transaction sums up.
const BATCH_MAX: u32 = 500;
/// Rows of the tail that a read adds up; with more, the node cannot answer.
const TAIL_MAX: u32 = 20_000;

/// What waits for the database.
#[derive(Clone, Debug)]
enum Doing {
    /// An increment waits for its number,
    Number(Asked),
    /// and for its row.
    Append(Asked),
    ReadRow(Asked),
    Read(Asked),
    /// The naive read: the row is known, the tail is not.
    ReadTail(Asked, Base),
    Scan,
    /// Rows are claimed, and added in the same step unless some of them are left to be added.
    Claim(Vec<Increment>),
    Add,
}

/// A counter's row, and up to which number the tail is in it.
#[derive(Clone, Copy, Debug)]
struct Base {
    sum: Option<i64>,
    watermark: i64,
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Service {
    rules: Rules,
    limit: RateLimit,
    roll_every: Span,
    connection: Connection<Doing>,
}

impl Service {
    /// A node with that limit that sums up every so often, connected to `database` with so much patience.
    #[must_use]
    pub const fn new(
        rules: Rules,
        limit: RateLimit,
        roll_every: Span,
        database: NodeId,
        patience: Span,
    ) -> Self {
        Self { rules, limit, roll_every, connection: Connection::new(database, patience) }
    }

    /// Begins, with nothing in memory.
    pub fn start(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        fx.set_timer(TICK, TICK_EVERY);
        let first = Span::from_ns(context.chance().below(self.roll_every.as_ns().max(1)));
        fx.set_timer(ROLL, first);
    }

    /// A client asks.
    pub fn ask(&mut self, asked: Asked, context: &mut Context<'_>, fx: &mut Fx) {
        if let Some(refusal) = self.limit.refusal(&asked, context.monotonic()) {
            asked.answer(refusal, fx);
            return;
        }
        let row = Statement::Get(Key::Counter(asked.call.key().clone()));
        let (statements, doing) = match &asked.call {
            Call::Increment(_) => (vec![Statement::Add(Key::Sequence, 1)], Doing::Number(asked)),
            Call::ReadRow(_) => (vec![row], Doing::ReadRow(asked)),
            Call::Read(_) if self.rules.one_snapshot.is_taken() => {
                (vec![row, Statement::Get(Key::Watermark), scan(0, TAIL_MAX)], Doing::Read(asked))
            }
            Call::Read(_) => (vec![row, Statement::Get(Key::Watermark)], Doing::Read(asked)),
        };
        self.query(statements, doing, context, fx);
    }

    /// The database answers.
    pub fn packet(&mut self, packet: Packet<Ledger>, context: &mut Context<'_>, fx: &mut Fx) {
        let Some((doing, outcome)) = self.connection.reply(packet) else { return };
        match outcome {
            Outcome::Committed(found) => self.committed(doing, &found, context, fx),
            Outcome::Aborted { row, .. } => {
                if let Doing::Append(asked) = &doing {
                    asked.answer(asked.answer_again(row.as_ref()), fx);
                }
            }
            Outcome::Unavailable => refuse(&doing, fx),
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &mut Context<'_>, fx: &mut Fx) {
        if key == ROLL {
            fx.set_timer(ROLL, self.roll_every);
            self.query(vec![Statement::Get(Key::Watermark), scan(0, TAIL_MAX)], Doing::Scan, context, fx);
        } else {
            self.connection.given_up(context);
            fx.set_timer(TICK, TICK_EVERY);
        }
    }

    /// The connection to the database was reset.
    pub fn reset(&mut self) {
        self.connection.reset();
    }

    fn committed(&mut self, doing: Doing, found: &[Found], context: &mut Context<'_>, fx: &mut Fx) {
        match doing {
            Doing::Number(asked) => self.append(asked, number_of(found.first()), context, fx),
            Doing::Append(asked) => asked.answer(Answer::Incremented, fx),
            Doing::ReadRow(asked) => asked.answer(value_of(found.first()), fx),
            Doing::Read(asked) => self.read(asked, found, context, fx),
            Doing::ReadTail(asked, base) => asked.answer(sum(asked.call.key(), base, found.first()), fx),
            Doing::Scan => self.claim(found, context, fx),
            Doing::Claim(left) if !left.is_empty() => {
                self.query(left.iter().map(add).collect(), Doing::Add, context, fx);
            }
            Doing::Claim(_) | Doing::Add => {}
        }
    }

    /// Puts the increment into the tail, under the number drawn for it.
    fn append(&mut self, asked: Asked, number: i64, context: &mut Context<'_>, fx: &mut Fx) {
        let Call::Increment(increment) = &asked.call else { return };
        let row = Statement::Put(Key::Tail(number), Row::Increment(increment.clone()));
        let statements = if self.rules.request_key.is_taken() {
            vec![note(asked.request, increment, Otherwise::Abort), row]
        } else {
            vec![row]
        };
        self.query(statements, Doing::Append(asked), context, fx);
    }

    fn read(&mut self, asked: Asked, found: &[Found], context: &mut Context<'_>, fx: &mut Fx) {
        let row = found.first().and_then(row_of);
        let base = Base { sum: row.and_then(|row| row.number()), watermark: number_of(found.get(1)) };
        match found.get(2) {
            Some(tail) => asked.answer(sum(asked.call.key(), base, Some(tail)), fx),
            None => {
                self.query(vec![scan(base.watermark, TAIL_MAX)], Doing::ReadTail(asked, base), context, fx);
            }
        }
    }

    /// Claims what a scan found, and adds it.
    fn claim(&mut self, found: &[Found], context: &mut Context<'_>, fx: &mut Fx) {
        let watermark = number_of(found.first());
        let rows = tail_of(found.get(1)).filter(|(number, _)| *number > watermark);
        let rows: Vec<_> = rows.take(BATCH_MAX as usize).collect();
        let Some((last, _)) = rows.last() else { return };
        let mut statements = Vec::new();
        if !self.rules.row_claimed.is_taken() {
            let row = found.first().and_then(row_of);
            statements.push(Statement::Expect { key: Key::Watermark, row, otherwise: Otherwise::Abort });
            statements.push(Statement::Put(Key::Watermark, Row::Number(*last)));
        }
        let mut left = Vec::new();
        for (number, increment) in &rows {
            self.claim_one(*number, increment, &mut statements);
            if !self.rules.claim_with_sum.is_taken() {
                left.push((*increment).clone());
            }
        }
        self.query(statements, Doing::Claim(left), context, fx);
    }

    fn claim_one(&self, number: i64, increment: &Increment, statements: &mut Vec<Statement>) {
        let is_added = self.rules.claim_with_sum.is_taken();
        if self.rules.row_claimed.is_taken() {
            // With the sum, a row that another node has claimed meanwhile is passed over; apart from it, the claim fails.
            let otherwise = if is_added { Otherwise::Skip(2) } else { Otherwise::Abort };
            let row = Some(Row::Increment(increment.clone()));
            statements.push(Statement::Expect { key: Key::Tail(number), row, otherwise });
        }
        statements.push(Statement::Delete(Key::Tail(number)));
        if is_added {
            statements.push(add(increment));
        }
    }

    fn query(&mut self, statements: Vec<Statement>, doing: Doing, context: &mut Context<'_>, fx: &mut Fx) {
        if let Some(doing) = self.connection.query(statements, doing, context, fx) {
            refuse(&doing, fx);
        }
    }
}

/// Nothing was done of this.
fn refuse(doing: &Doing, fx: &mut Fx) {
    match doing {
        Doing::Number(asked)
        | Doing::Append(asked)
        | Doing::ReadRow(asked)
        | Doing::Read(asked)
        | Doing::ReadTail(asked, _) => asked.answer(Answer::Unavailable, fx),
        Doing::Scan | Doing::Claim(_) | Doing::Add => {}
    }
}

/// The rows of the tail behind that number.
const fn scan(after: i64, count_max: u32) -> Statement {
    Statement::Scan { from: Key::Tail(after + 1), to: Key::Tail(i64::MAX), count_max }
}

fn row_of(found: &Found) -> Option<Row> {
    match found {
        Found::Row(row) => row.clone(),
        Found::Done | Found::Rows(_) | Found::Otherwise(_) | Found::Skipped => None,
    }
}

/// The number in a row; 0 if there is none.
fn number_of(found: Option<&Found>) -> i64 {
    found.and_then(row_of).and_then(|row| row.number()).unwrap_or(0)
}

/// The increments that a scan of the tail found, with their numbers.
fn tail_of(found: Option<&Found>) -> impl Iterator<Item = (i64, &Increment)> {
    let rows = match found {
        Some(Found::Rows(rows)) => rows.as_slice(),
        _ => &[],
    };
    rows.iter().filter_map(|row| match row {
        (Key::Tail(number), Row::Increment(increment)) => Some((*number, increment)),
        _ => None,
    })
}

/// A counter's row, and what the tail has for it.
fn sum(key: &CounterKey, base: Base, found: Option<&Found>) -> Answer {
    if tail_of(found).count() >= TAIL_MAX as usize {
        return Answer::Unavailable;
    }
    let tail = tail_of(found).filter(|(number, increment)| *number > base.watermark && increment.key == *key);
    let tail = tail
        .map(|(_, increment)| increment.delta)
        .fold(None, |sum: Option<i64>, delta| Some(sum.unwrap_or(0).saturating_add(delta)));
    match (base.sum, tail) {
        (None, None) => Answer::NotFound,
        (sum, tail) => Answer::Value(sum.unwrap_or(0).saturating_add(tail.unwrap_or(0))),
    }
}
