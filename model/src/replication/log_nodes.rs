//! Which node of the journal is asked: one, until it stays silent; then the next.

use std::sync::Arc;

use sim::node::NodeId;
use sim::time::MonotonicTime;

/// The nodes of the journal as one asker sees them.
#[derive(Clone, Debug)]
pub struct LogNodes {
    /// At least one.
    nodes: Arc<[NodeId]>,
    place: usize,
    /// When it went over to this one; none if this is the first.
    since: Option<MonotonicTime>,
}

impl LogNodes {
    /// These nodes, at least one; askers begin with different ones.
    #[must_use]
    pub fn new(nodes: Arc<[NodeId]>, asker: NodeId) -> Self {
        assert!(!nodes.is_empty(), "a journal has a node");
        let place = asker.index() % nodes.len();
        Self { nodes, place, since: None }
    }

    /// Who is asked.
    #[must_use]
    pub fn current(&self) -> NodeId {
        self.nodes[self.place]
    }

    /// What was asked then stays without an answer: goes over to the next node, unless it was asked before the last change.
    pub fn give_up(&mut self, asked_at: MonotonicTime, now: MonotonicTime) {
        if self.nodes.len() > 1 && self.since.is_none_or(|since| asked_at >= since) {
            self.place = (self.place + 1) % self.nodes.len();
            self.since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::time::Span;

    fn at(ms: u64) -> MonotonicTime {
        MonotonicTime::ZERO + Span::from_ms(ms)
    }

    #[test]
    fn questions_that_were_asked_of_one_node_in_vain_change_it_once() {
        let mut nodes = LogNodes::new(Arc::new([NodeId(1), NodeId(8), NodeId(9)]), NodeId(3));
        assert_eq!(nodes.current(), NodeId(1));
        for (asked, now, want) in [(10, 160, 8), (20, 160, 8), (150, 300, 8), (160, 310, 9), (400, 550, 1)] {
            nodes.give_up(at(asked), at(now));
            assert_eq!(nodes.current(), NodeId(want), "asked at {asked}");
        }
    }

    #[test]
    fn a_single_node_is_asked_whatever_it_does() {
        let mut nodes = LogNodes::new(Arc::new([NodeId(1)]), NodeId(4));
        nodes.give_up(at(1), at(200));
        assert_eq!(nodes.current(), NodeId(1));
    }
}
