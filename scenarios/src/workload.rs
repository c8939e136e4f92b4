//! What the systems' own workloads have in common: open-loop requests, evenly spread by chance.

use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

/// Requests to some nodes, each on average evenly spaced, whatever the answers are.
#[derive(Clone, Copy, Debug)]
pub struct OpenLoop<'a> {
    /// Whom is asked. Every node draws from a stream of its own, so that one more changes nothing for the others.
    pub nodes: &'a [NodeId],
    /// Requests to all of them together, each second.
    pub requests_per_s: u64,
    /// When none is made any more.
    pub until: TrueTime,
}

impl OpenLoop<'_> {
    /// The requests, node by node; `draw` makes one for the node of that index, or none on this occasion.
    pub fn requests<Q>(
        &self,
        seed: Seed,
        mut draw: impl FnMut(&mut Stream, usize) -> Option<Q>,
    ) -> Vec<(TrueTime, NodeId, Q)> {
        let mut requests = Vec::new();
        if self.requests_per_s == 0 {
            return requests;
        }
        let mean_ns = (1_000_000_000 * self.nodes.len() as u64 / self.requests_per_s).max(1);
        for (index, node) in self.nodes.iter().enumerate() {
            let mut chance = seed.stream("workload", index as u64);
            let mut at = TrueTime::ZERO + Span::from_ns(chance.below(mean_ns));
            while at < self.until {
                requests.extend(draw(&mut chance, index).map(|request| (at, *node, request)));
                at += Span::from_ns(1 + chance.below(2 * mean_ns));
            }
        }
        requests
    }
}
