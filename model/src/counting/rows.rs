//! What the counters' database holds: sums, request keys, applied ranges, and rows to be summed up.

use serde::{Deserialize, Serialize};
use sim::node::NodeId;

use super::CounterKey;
use crate::database::Schema;
use crate::ids::RequestKey;

/// Where a row is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// The sum of a counter.
    Counter(CounterKey),
    /// What was asked under a request key. It stays for good: it outlives every retry and every delayed message.
    Request(RequestKey),
    /// How far a node's log has been applied.
    Applied {
        /// Whose log.
        node: NodeId,
        /// Which of its logs.
        log: u64,
    },
    /// The last number given to a row of the tail.
    Sequence,
    /// Up to which number the tail has been summed up, where that is what is remembered.
    Watermark,
    /// An increment that is to be summed up.
    Tail(i64),
}

/// So much for one counter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Increment {
    /// Which counter.
    pub key: CounterKey,
    /// How much; from 0 to [`super::DELTA_MAX`], unless the question is a bad one.
    pub delta: i64,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// A sum or a position.
    Number(i64),
    /// An increment.
    Increment(Increment),
}

impl Row {
    /// The number, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Increment(_) => None,
        }
    }
}

/// The counters' database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger;

impl Schema for Ledger {
    type Key = Key;
    type Value = Row;

    fn add(row: Option<&Row>, delta: i64) -> Option<Row> {
        match row {
            None => Some(Row::Number(delta)),
            Some(Row::Number(number)) => number.checked_add(delta).map(Row::Number),
            Some(Row::Increment(_)) => None,
        }
    }
}

/// The statement that adds an increment to its counter.
pub(super) fn add(increment: &Increment) -> Statement {
    Statement::Add(Key::Counter(increment.key.clone()), increment.delta)
}

/// The statement that notes what was asked under a request key.
pub(super) fn note(request: RequestKey, increment: &Increment, otherwise: Otherwise) -> Statement {
    Statement::Insert { key: Key::Request(request), value: Row::Increment(increment.clone()), otherwise }
}

pub(super) use crate::database::Otherwise;

/// One step of a transaction.
pub(super) type Statement = crate::database::Statement<Ledger>;
/// What a statement found.
pub(super) type Found = crate::database::Found<Ledger>;
/// What came of a transaction.
pub(super) type Outcome = crate::database::Outcome<Ledger>;
