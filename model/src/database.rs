//! A transactional database server in the manner of PostgreSQL, as a part for the nodes of any system.
//!
//! ```text
//!   Connection ──Query──► Server: row locks ─► execution ─► redo log ─► sync ─► rows ──Reply──► Connection
//!                                 (in key order)  (one snapshot)  (one sync for many)
//! ```
//!
//! A transaction is a list of [`Statement`]s, executed together: all of them or none. It locks the rows that it writes or
//! expects something of, before it begins and until its commit is durable; whoever needs one of them waits in line. Reads
//! lock nothing and see one snapshot: what was committed when the transaction was executed, and its own writes. So two
//! transactions that only read what the other writes can both go on (write skew): what must not change is to be expected.
//!
//! With a [`Standby`], a fail-over after a restart goes on from what that has, if it is built so.
//!
//! Source: PostgreSQL manual, chapters 13 (concurrency control: repeatable read, explicit locking) and 28
//! (reliability and the write-ahead log: group commit, asynchronous commit). We depart in that all locks are taken at once
//! and in the order of the keys, so there are no deadlocks to detect.

mod connection;
mod execution;
mod locks;
mod server;
mod standby;

use core::fmt::Debug;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sim::node::Node;
use sim::time::Span;

use crate::durable::Formatted;

pub use connection::{Connection, QUERIES_OPEN_MAX};
pub use server::{Commit, Server, TRANSACTIONS_MAX};
pub use standby::{Recovery, Replication, Snapshot, Standby};

/// What a database holds.
pub trait Schema: Clone + Debug + PartialEq + Eq + Send + Sync + 'static {
    /// What a row is found by: for several tables, an enum.
    type Key: Clone + Debug + Ord + Serialize + DeserializeOwned + Send + Sync;
    /// What a row holds.
    type Value: Clone + Debug + PartialEq + Eq + Serialize + DeserializeOwned + Send + Sync;

    /// A row with so much added to it, or made of it alone; none if the row is no number or would be too large.
    fn add(row: Option<&Self::Value>, delta: i64) -> Option<Self::Value>;
}

/// What to do where a condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Otherwise {
    /// Nothing of the transaction happens.
    Abort,
    /// The next so many statements are left out, and the transaction goes on.
    Skip(u32),
}

/// One step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Statement<S: Schema> {
    /// Finds the row.
    Get(S::Key),
    /// Finds the rows of a range in order, the first so many.
    Scan {
        /// The range begins with this key,
        from: S::Key,
        /// and ends before this one.
        to: S::Key,
        /// How many at most.
        count_max: u32,
    },
    /// The row is this from now on.
    Put(S::Key, S::Value),
    /// There is no such row any more.
    Delete(S::Key),
    /// Adds to the row, or makes it: insert-or-increment. Finds what it then is; aborts if [`Schema::add`] has no answer.
    Add(S::Key, i64),
    /// Makes a row that must not be there yet: a unique key.
    Insert {
        /// Which row.
        key: S::Key,
        /// What it holds.
        value: S::Value,
        /// What if there is one.
        otherwise: Otherwise,
    },
    /// Goes on only if the row is this, and sees to it that it stays so: compare, for a set behind it.
    Expect {
        /// Which row.
        key: S::Key,
        /// What it holds; none if there must be no such row.
        row: Option<S::Value>,
        /// What if it is another.
        otherwise: Otherwise,
    },
}

impl<S: Schema> Statement<S> {
    /// The row that it must have for itself; reads need none.
    fn locks(&self) -> Option<&S::Key> {
        match self {
            Self::Get(_) | Self::Scan { .. } => None,
            Self::Put(key, _)
            | Self::Delete(key)
            | Self::Add(key, _)
            | Self::Insert { key, .. }
            | Self::Expect { key, .. } => Some(key),
        }
    }
}

/// What a statement found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Found<S: Schema> {
    /// It was done.
    Done,
    /// This row, or none.
    Row(Option<S::Value>),
    /// These rows.
    Rows(Vec<(S::Key, S::Value)>),
    /// Its condition did not hold: the row is this, or there is none.
    Otherwise(Option<S::Value>),
    /// It was left out.
    Skipped,
}

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Outcome<S: Schema> {
    /// It happened: what each statement found.
    Committed(Vec<Found<S>>),
    /// Nothing of it happened, because of this statement.
    Aborted {
        /// Which statement, from 0.
        statement: u32,
        /// The row that it found.
        row: Option<S::Value>,
    },
    /// Nothing of it happened: the server is only starting, or too many wait.
    Unavailable,
}

/// Which query of a connection: never the same twice, not even after its node was restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueryNumber {
    /// Drawn by the connection when it was opened.
    pub connection: u64,
    /// Counted by the connection.
    pub count: u32,
}

/// What passes between a connection and its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Packet<S: Schema> {
    /// To the server: a transaction.
    Query {
        /// Which query.
        number: QueryNumber,
        /// What is to be done, in order.
        statements: Arc<[Statement<S>]>,
    },
    /// To the connection: what came of it.
    Reply {
        /// Of which query.
        number: QueryNumber,
        /// What came of it.
        outcome: Outcome<S>,
    },
    /// To the standby: what is committed.
    Replicate {
        /// All rows.
        rows: Snapshot<S>,
    },
    /// To the standby: a fail-over asks for what it has.
    TakeOver,
    /// Of the standby: this is all.
    TakenOver {
        /// All rows.
        rows: Snapshot<S>,
    },
}

impl<S: Schema> Packet<S> {
    /// A short name of its kind, for traces.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Query { .. } => "query",
            Self::Reply { .. } => "query-reply",
            Self::Replicate { .. } => "replicate",
            Self::TakeOver => "take-over",
            Self::TakenOver { .. } => "taken-over",
        }
    }
}

/// A changed row: what it is since, none if it is gone.
pub type Change<S> = (<S as Schema>::Key, Option<<S as Schema>::Value>);

/// A record of the server: what one transaction changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redo<S: Schema>(pub Arc<[Change<S>]>);

/// What a server shows to the recorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub enum Event<S: Schema> {
    /// A transaction has all its locks, after it had to wait for some.
    Waited {
        /// The first row that it had to wait for.
        key: S::Key,
        /// How long it waited for all of them, by the server's monotonic clock.
        span: Span,
    },
}

/// A record of a system that has a database in it.
pub trait Stored<S: Schema>: Formatted + Clone + Debug + From<Redo<S>> {
    /// What a transaction changed, if that is what the record says.
    fn redo(&self) -> Option<&Redo<S>>;
}

/// A system that has a database in it: its messages, records and observations have room for the database's.
pub trait Host<S: Schema>:
    Node<Message: From<Packet<S>>, Record: Stored<S>, Observation: From<Event<S>>>
{
}

impl<S: Schema, N> Host<S> for N where
    N: Node<Message: From<Packet<S>>, Record: Stored<S>, Observation: From<Event<S>>>
{
}

#[cfg(test)]
mod tests;
