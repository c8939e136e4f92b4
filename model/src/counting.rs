//! Counters under keys, three ways: in the store at once, in the nodes' logs first, or as rows that are summed up.
//!
//! ```text
//!   Client ──ask──► sync ──── key and sum in one transaction ───────────────────► Database
//!   Client ──ask──► dist ──── own log, synced ── every few seconds: a range ────► Database
//!   Client ──ask──► rollup ── a row of its own ─► Database ◄── every few seconds: rows to sums
//! ```
//!
//! Keys are non-empty strings, values start at 0, increments are not negative, a key that nobody incremented reads as not
//! found. The promises: `sync` is linearizable; `dist` is exact in the end, and never reads too high; `rollup` is
//! linearizable where it reads row and rest, and exact in the end where it reads the row alone.
//!
//! Source: idempotency keys stored with their effect, P. Helland, "Life beyond distributed transactions", CIDR 2007.

pub mod dist;
mod front;
mod member;
mod message;
pub mod rollup;
mod rows;
pub mod sync;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sim::node::NodeId;

use crate::client::{Question, Reply};
use crate::ids::RequestKey;

pub use front::{RATE_WINDOW, RateLimit};
pub use member::{Build, Fx, Member, Shape, Spare, Topology, build};
pub use message::{Message, Observation, Record, Request};
pub use rows::{Increment, Key, Ledger, Row};

/// The name of a counter. Not empty, unless the question about it is a bad one.
pub type CounterKey = Arc<str>;

/// No single increment is larger: sums stay far below what a row can hold.
pub const DELTA_MAX: i64 = 1 << 32;
/// No key is longer, in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// Add to a counter.
    Increment(Increment),
    /// How much a counter is.
    Read(CounterKey),
    /// How much of a counter has been summed up already. Only `rollup` knows a difference.
    ReadRow(CounterKey),
}

impl Call {
    /// The counter that it is about.
    #[must_use]
    pub const fn key(&self) -> &CounterKey {
        match self {
            Self::Increment(Increment { key, .. }) | Self::Read(key) | Self::ReadRow(key) => key,
        }
    }

    /// What is wrong with the question, if anything is.
    #[must_use]
    pub fn fault(&self) -> Option<BadRequest> {
        match self {
            _ if self.key().is_empty() => Some(BadRequest::EmptyKey),
            _ if self.key().len() > KEY_BYTES_MAX => Some(BadRequest::LongKey),
            Self::Increment(Increment { delta, .. }) if *delta < 0 => Some(BadRequest::NegativeIncrement),
            Self::Increment(Increment { delta, .. }) if *delta > DELTA_MAX => {
                Some(BadRequest::LargeIncrement)
            }
            Self::Increment(_) | Self::Read(_) | Self::ReadRow(_) => None,
        }
    }
}

/// What is wrong with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadRequest {
    /// A counter has a name.
    EmptyKey,
    /// The name is longer than [`KEY_BYTES_MAX`].
    LongKey,
    /// A counter only grows.
    NegativeIncrement,
    /// The increment is above [`DELTA_MAX`].
    LargeIncrement,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It was added, or is sure to be.
    Incremented,
    /// The counter is this.
    Value(i64),
    /// Nobody incremented it, as far as is known.
    NotFound,
    /// The client is wrong: nothing was done.
    BadRequest(BadRequest),
    /// The request key is that of another question: nothing was done.
    KeyReused,
    /// The node has had too many requests lately: nothing was done on this one.
    TooMany,
    /// Not now: nothing was done, ask another node.
    Unavailable,
}

impl Question for Call {
    type Answer = Answer;
    type Mark = ();

    fn is_settled_by(&self, answer: &Answer) -> bool {
        !matches!(answer, Answer::Unavailable | Answer::TooMany)
    }

    /// Who was refused at once knows that nothing was done. Who had asked before does not: that one may have been heard.
    fn is_settled_at_once_by(&self, answer: &Answer) -> bool {
        *answer != Answer::Unavailable
    }
}

/// A question on its way through a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asks.
    pub client: NodeId,
    /// Which operation.
    pub request: RequestKey,
    /// What is asked.
    pub call: Call,
}

impl Asked {
    fn answer(&self, answer: Answer, fx: &mut Fx) {
        fx.send(self.client, Message::Answer(Reply { request: self.request, answer }));
    }
}

#[cfg(test)]
mod tests;
