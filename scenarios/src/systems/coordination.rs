//! What the adapters of the coordination systems have in common: figures that they check and translate alike.

use model::client::Patience;
use sim::node::NodeId;
use sim::time::Span;

use crate::scenario::Timing;
use crate::system::ForeignRequest;

/// Requests of one run.
const REQUESTS_MAX: u64 = 2_000_000;

/// Whether that many requests each second are not too many for the run.
///
/// # Errors
/// Names the key.
pub(super) fn check_load(key: &str, requests_per_s: u64, timing: &Timing) -> Result<(), String> {
    if requests_per_s * timing.workload().as_ns() / 1_000_000_000 > REQUESTS_MAX {
        return Err(format!("`workload.{key}`: more than 2,000,000 requests in one run; expected fewer"));
    }
    Ok(())
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
