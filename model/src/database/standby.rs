//! An asynchronous standby of a database: what it has heard of is what a fail-over leaves.
//!
//! ```text
//!   server ──replicate, once a second──► standby
//!   server back after a fail-over ──take over──► standby ──taken over: its rows──► server
//! ```
//!
//! The address stays with the server, as behind a floating one: clients see a fail-over as a restart. Whoever goes on from
//! the server's own disk instead keeps everything, and waits for the disk. The standby has no disk: started anew, it knows of
//! nothing until the next copy. Copies that come late count as the newest until then.
//!
//! Source: PostgreSQL manual, chapter 26, "Log-Shipping Standby Servers": asynchronous streaming replication loses
//! transactions that were committed but not yet sent.

use std::sync::Arc;

use sim::node::{Effects, NodeId, TimerKey};
use sim::time::Span;

use super::{Host, Packet, Schema};

/// How often a standby hears of everything: it lags by as much.
pub(super) const REPLICATE_EVERY: Span = Span::from_seconds(1);
/// How often it is asked for what it has, until it answers.
pub(super) const TAKE_OVER_EVERY: Span = Span::from_ms(100);

/// All rows of a database, in order.
pub type Snapshot<S> = Arc<[(<S as Schema>::Key, <S as Schema>::Value)]>;

/// From what a server goes on after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// From its own disk.
    OwnDisk,
    /// From what the standby has: a fail-over.
    TakeOver,
}

/// What a server must know of its standby.
#[derive(Clone, Copy, Debug)]
pub struct Replication {
    /// Which node it is.
    pub standby: NodeId,
    /// The server's timer for it.
    pub timer: TimerKey,
    /// What a restart goes on from.
    pub recovery: Recovery,
}

/// The standby node.
#[derive(Clone, Debug)]
pub struct Standby<S: Schema> {
    rows: Snapshot<S>,
}

impl<S: Schema> Standby<S> {
    /// A standby that has heard of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self { rows: Arc::new([]) }
    }

    /// A packet came.
    pub fn packet<N: Host<S>>(&mut self, from: NodeId, packet: Packet<S>, fx: &mut Effects<N>) {
        match packet {
            Packet::Replicate { rows } => self.rows = rows,
            Packet::TakeOver => fx.send(from, Packet::TakenOver { rows: Arc::clone(&self.rows) }),
            Packet::Query { .. } | Packet::Reply { .. } | Packet::TakenOver { .. } => {}
        }
    }
}

impl<S: Schema> Default for Standby<S> {
    fn default() -> Self {
        Self::new()
    }
}
