//! What the adapters of systems have in common: figures that they check and translate alike.

use model::client::{Patience, SESSIONS_MAX};
use sim::node::NodeId;
use sim::time::Span;

use crate::scenario::Timing;
use crate::system::ForeignRequest;

/// Requests of one run, unless a system takes fewer.
pub(super) const REQUESTS_MAX: u64 = 2_000_000;

/// What all who ask are asked together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// The key in `[workload]`.
    pub(super) key: &'static str,
    /// Each second.
    pub(super) requests_per_s: u64,
    /// In one run.
    pub(super) requests_max: u64,
}

/// Those who ask, and how long they try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clients {
    /// How many.
    pub(super) count: u64,
    /// How long one tries for an operation.
    pub(super) deadline_ms: u64,
}

impl Load {
    /// The load of `[workload]`'s `requests-per-s`.
    pub(super) const fn of(requests_per_s: u64) -> Self {
        Self { key: "requests-per-s", requests_per_s, requests_max: REQUESTS_MAX }
    }

    /// Whether these are not too many requests for the run.
    ///
    /// # Errors
    /// Names the key.
    pub(super) fn check(self, timing: &Timing) -> Result<(), String> {
        let Self { key, requests_max, .. } = self;
        let count = self.within(timing.workload());
        if count > requests_max {
            return Err(format!(
                "`workload.{key}`: {count} requests in one run, expected at most {requests_max}: fewer, or a shorter run"
            ));
        }
        Ok(())
    }

    /// Whether they are not too many for these clients either, each of which has so many operations open at once at most.
    ///
    /// # Errors
    /// Names the key.
    pub(super) fn check_clients(self, clients: Clients, timing: &Timing) -> Result<(), String> {
        self.check(timing)?;
        self.check_open(clients, Span::from_ms(clients.deadline_ms).min(timing.workload()))
    }

    /// The same, where what is asked within `open_within` may be open at once.
    ///
    /// # Errors
    /// Names the key.
    pub(super) fn check_open(self, clients: Clients, open_within: Span) -> Result<(), String> {
        // Twice the mean: a client draws its own instants.
        let open = 2 * self.within(open_within) / clients.count.max(1);
        if open > SESSIONS_MAX as u64 {
            return Err(format!(
                "`workload.{}`: a client may have some {open} operations open at once, expected at most {SESSIONS_MAX}: \
                 fewer, more `clients` or a shorter `deadline-ms`",
                self.key
            ));
        }
        Ok(())
    }

    const fn within(self, span: Span) -> u64 {
        self.requests_per_s * (span.as_ns() / 1_000_000) / 1_000
    }
}

/// How patient those who ask are.
pub(super) const fn patience(timeout_ms: u64, deadline_ms: u64) -> Patience {
    Patience {
        timeout: Span::from_ms(timeout_ms),
        backoff: Span::from_ms(50),
        deadline: Span::from_ms(deadline_ms),
    }
}

/// Whether a node of that label is asked such things at all.
///
/// # Errors
/// If it is not.
pub(super) fn accept_label(label: &str, asked: &str, request: &'static str) -> Result<(), ForeignRequest> {
    if label == asked {
        return Ok(());
    }
    Err(ForeignRequest::OfAnotherRole { request, role: label.to_owned() })
}

/// The numbers of `count` nodes, the first being `first`.
pub(super) fn nodes(first: u32, count: u32) -> Vec<NodeId> {
    (first..first + count).map(NodeId).collect()
}
