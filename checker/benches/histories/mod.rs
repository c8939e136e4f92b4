//! Histories of any size from a seed: legal by construction, or with one violation.
//!
//! ```text
//!   seed ──► Chance ──► clients ──► Workload, or replicas ──► Recorder ──► history, or text
//! ```
//!
//! Every generator has a stream of its own: the same [`Load`] gives the same events.

pub(crate) mod arguments;
pub(crate) mod causal;
pub(crate) mod chance;
pub(crate) mod clients;
pub(crate) mod counters;
pub(crate) mod lagging;
pub(crate) mod recorder;
pub(crate) mod registers;
pub(crate) mod reservations;
pub(crate) mod sequences;
pub(crate) mod tickets;
pub(crate) mod written;

use chance::{Chance, Ratio};

/// How much is asked, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Operations, those of unknown outcome included.
    pub(crate) operations: usize,
    /// Clients at a time: one whose outcome is unknown is replaced by a new one.
    pub(crate) clients: usize,
    /// How many operations are of unknown outcome.
    pub(crate) unknown: Ratio,
    /// Where chance begins.
    pub(crate) seed: u64,
    /// Whether the history keeps its promise.
    pub(crate) truth: Truth,
}

/// Whether a history keeps its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It does.
    Legal,
    /// One answer about the middle of it cannot be explained, whatever the other operations did.
    Illegal,
}

impl Truth {
    /// The verdict that a history of it gets.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Legal => "holds",
            Self::Illegal => "violated",
        }
    }
}

impl Load {
    /// A legal history in which every outcome is known.
    pub(crate) const fn of(operations: usize, clients: usize) -> Self {
        Self { operations, clients, unknown: Ratio::NEVER, seed: 7, truth: Truth::Legal }
    }

    /// The same with one operation in a hundred of unknown outcome.
    pub(crate) const fn with_unknown(self) -> Self {
        Self { unknown: Ratio { hits: 1, of: 100 }, ..self }
    }

    /// The same with one violation.
    pub(crate) const fn illegal(self) -> Self {
        Self { truth: Truth::Illegal, ..self }
    }

    fn chance(&self, stream: u64) -> Chance {
        assert!(self.clients > 0, "somebody must ask");
        Chance::new(self.seed, stream)
    }

    /// Whether the violation is due after so many operations.
    fn is_violation_due(&self, begun: usize) -> bool {
        self.truth == Truth::Illegal && begun >= self.operations / 2
    }
}
