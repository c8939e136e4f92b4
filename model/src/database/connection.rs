//! A node's connection to the database: what it has asked, and whether an answer may still come.
//!
//! A query is sent once. If no answer comes in time, or the connection is reset, its outcome is unknown: it may have
//! happened, be waiting for a lock, or never happen. Asking again is another query.

use std::collections::BTreeMap;

use sim::node::{Context, Effects, Node, NodeId};
use sim::time::{MonotonicTime, Span};

use super::{Outcome, Packet, QueryNumber, Schema, Statement};

/// Queries of one connection that may be open at once: the pool.
pub const QUERIES_OPEN_MAX: usize = 1_024;

/// A query that waits for its answer.
#[derive(Clone, Debug)]
struct Open<W> {
    asked_at: MonotonicTime,
    waiting: W,
}

/// One node's connection. `W` is what waits for an answer.
#[derive(Clone, Debug)]
pub struct Connection<W> {
    server: NodeId,
    timeout: Span,
    /// Drawn with the first query.
    number: Option<u64>,
    count: u32,
    open: BTreeMap<QueryNumber, Open<W>>,
}

impl<W> Connection<W> {
    /// A connection to `server` that gives an answer up after `timeout`.
    #[must_use]
    pub const fn new(server: NodeId, timeout: Span) -> Self {
        Self { server, timeout, number: None, count: 0, open: BTreeMap::new() }
    }

    /// Asks for a transaction; gives `waiting` back if [`QUERIES_OPEN_MAX`] are open already: nothing was asked.
    #[must_use]
    pub fn query<S: Schema, N: Node<Message: From<Packet<S>>>>(
        &mut self,
        statements: impl Into<std::sync::Arc<[Statement<S>]>>,
        waiting: W,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) -> Option<W> {
        if self.open.len() >= QUERIES_OPEN_MAX {
            return Some(waiting);
        }
        let connection = *self.number.get_or_insert_with(|| context.chance().next_u64());
        let number = QueryNumber { connection, count: self.count };
        self.count += 1;
        self.open.insert(number, Open { asked_at: context.monotonic(), waiting });
        fx.send(self.server, Packet::Query { number, statements: statements.into() });
        None
    }

    /// An answer came: what waited for it, unless it was given up.
    pub fn reply<S: Schema>(&mut self, packet: Packet<S>) -> Option<(W, Outcome<S>)> {
        let Packet::Reply { number, outcome } = packet else { return None };
        let open = self.open.remove(&number)?;
        Some((open.waiting, outcome))
    }

    /// What waited for answers that did not come in time: their outcomes are unknown. To be asked from time to time.
    pub fn given_up(&mut self, context: &Context<'_>) -> Vec<W> {
        let (now, timeout) = (context.monotonic(), self.timeout);
        let late = self.open.iter().filter(|(_, open)| now.since(open.asked_at) >= timeout);
        let late = late.map(|(number, _)| *number).collect();
        self.take(late)
    }

    /// The connection was reset: everything that waited; the outcomes are unknown.
    pub fn reset(&mut self) -> Vec<W> {
        let all = self.open.keys().copied().collect();
        self.take(all)
    }

    fn take(&mut self, numbers: Vec<QueryNumber>) -> Vec<W> {
        numbers.iter().filter_map(|number| self.open.remove(number)).map(|open| open.waiting).collect()
    }
}
