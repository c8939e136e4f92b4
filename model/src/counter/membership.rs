//! Who is alive, who coordinates, and who owns which slot.
//!
//! Every service node hears the others' heartbeats. The lowest node that hears a static majority coordinates: it
//! places the slots on the nodes it hears, and tells everybody with its heartbeats. A node that hears no majority
//! stops. Placement serves progress alone: that two nodes believe to own a slot is harmless, because the journal
//! accepts only the newest owner's appends.

use std::sync::Arc;

use sim::node::NodeId;
use sim::time::{MonotonicTime, Span};

use crate::capacity::rules::Rules;
use crate::ids::SlotId;
use crate::message::Placement;

/// A peer not heard for this long counts as dead.
const SILENCE_MAX: Span = Span::from_ms(1000);
/// A coordinator places at most this often.
const PLACING_EVERY: Span = Span::from_ms(500);

/// Who gets slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// Everybody alive shares them.
    Sharded,
    /// One node has them all, until it is not heard any more.
    Singleton,
}

/// One node's view of the others.
#[derive(Clone, Debug)]
pub struct Membership {
    rules: Rules,
    me: NodeId,
    /// All service nodes, this one among them, in order.
    nodes: Arc<[NodeId]>,
    /// When each was last heard; same order.
    heard: Vec<Option<MonotonicTime>>,
    placing: Placing,
    placement: Placement,
    placed_at: Option<MonotonicTime>,
}

impl Membership {
    /// A node that has heard nobody yet.
    #[must_use]
    pub fn new(rules: Rules, me: NodeId, nodes: Arc<[NodeId]>, placing: Placing) -> Self {
        let heard = vec![None; nodes.len()];
        let placement = Placement { term: 0, members: Arc::new([]) };
        Self { rules, me, nodes, heard, placing, placement, placed_at: None }
    }

    /// The other service nodes.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().copied().filter(|node| *node != self.me)
    }

    /// The newest placement it knows.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Another node is alive; returns whether its placement was news.
    pub fn hear(&mut self, from: NodeId, placement: &Placement, now: MonotonicTime) -> bool {
        if let Some(index) = self.nodes.iter().position(|node| *node == from) {
            self.heard[index] = Some(now);
        }
        let is_news = placement.term > self.placement.term;
        if is_news {
            self.placement = placement.clone();
        }
        is_news
    }

    /// Whether this node hears a static majority, itself included.
    ///
    /// The naive quorum was set when there were fewer nodes; the cluster has outgrown it, and both sides of a
    /// partition may have one.
    #[must_use]
    pub fn has_quorum(&self, now: MonotonicTime) -> bool {
        let half = self.nodes.len() / 2;
        let quorum = if self.rules.majority_quorum.is_taken() { half + 1 } else { half };
        self.alive(now).count() >= quorum
    }

    /// Places the slots anew if this node coordinates and those alive have changed; returns whether it did.
    pub fn place(&mut self, now: MonotonicTime) -> bool {
        let is_coordinator = self.alive(now).next() == Some(self.me) && self.has_quorum(now);
        let has_just_placed = self.placed_at.is_some_and(|at| now.since(at) < PLACING_EVERY);
        if !is_coordinator || has_just_placed || self.wanted(now).eq(self.placement.members.iter().copied()) {
            return false;
        }
        let members = self.wanted(now).collect();
        self.placement = Placement { term: self.next_term(), members };
        self.placed_at = Some(now);
        true
    }

    /// Who owns `slot`, by the newest placement.
    #[must_use]
    pub fn owner(&self, slot: SlotId) -> Option<NodeId> {
        owner_among(&self.placement.members, slot)
    }

    /// Who is to have slots: of those alive all, or who has them already, or the lowest.
    fn wanted(&self, now: MonotonicTime) -> impl Iterator<Item = NodeId> + '_ {
        let (only, count) = match self.placing {
            Placing::Sharded => (None, usize::MAX),
            Placing::Singleton => (self.alive(now).find(|node| self.placement.members.contains(node)), 1),
        };
        self.alive(now).filter(move |node| only.is_none_or(|only| *node == only)).take(count)
    }

    fn alive(&self, now: MonotonicTime) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().zip(&self.heard).filter_map(move |(node, heard)| {
            let is_heard = heard.is_some_and(|at| now.since(at) < SILENCE_MAX);
            (*node == self.me || is_heard).then_some(*node)
        })
    }

    /// A term that no other coordinator takes: a count above the newest, then the own number.
    fn next_term(&self) -> u64 {
        const NODE_BITS: u32 = 16;
        ((self.placement.term >> NODE_BITS) + 1) << NODE_BITS | u64::from(self.me.0)
    }
}

/// Who owns `slot` if its members are these: rendezvous hashing, so that a node that leaves moves only its own.
///
/// Source: D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM Transactions on
/// Networking 6 (1998).
#[must_use]
pub fn owner_among(members: &[NodeId], slot: SlotId) -> Option<NodeId> {
    members.iter().copied().max_by_key(|node| (weight(slot, *node), *node))
}

/// The finaliser of `SplitMix64`: every bit of the result depends on every bit of slot and node.
///
/// Source: G. Steele, D. Lea and C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
const fn weight(slot: SlotId, node: NodeId) -> u64 {
    let mut mixed = ((slot.0 as u64) << 32 | node.0 as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Decisions as _;

    fn cluster(size: u32) -> Vec<Membership> {
        placed(size, Placing::Sharded)
    }

    fn placed(size: u32, placing: Placing) -> Vec<Membership> {
        let nodes: Arc<[NodeId]> = (0..size).map(NodeId).collect();
        nodes.iter().map(|me| Membership::new(Rules::hardened(), *me, Arc::clone(&nodes), placing)).collect()
    }

    fn at(ms: u64) -> MonotonicTime {
        MonotonicTime::ZERO + Span::from_ms(ms)
    }

    fn hear(node: &mut Membership, from: &[u32], now: MonotonicTime) {
        let placement = Placement { term: 0, members: Arc::new([]) };
        for peer in from {
            node.hear(NodeId(*peer), &placement, now);
        }
    }

    #[test]
    fn only_the_lowest_node_that_hears_a_majority_places() {
        let mut nodes = cluster(5);
        hear(&mut nodes[0], &[1], at(0));
        assert!(!nodes[0].place(at(0)), "two of five are no majority");
        hear(&mut nodes[1], &[0, 2, 3], at(0));
        assert!(!nodes[1].place(at(0)), "node 0 is alive and lower");
        hear(&mut nodes[0], &[2], at(0));
        assert!(nodes[0].place(at(0)));
        assert_eq!(*nodes[0].placement().members, [NodeId(0), NodeId(1), NodeId(2)]);
    }

    #[test]
    fn a_singleton_stays_where_it_is_until_its_node_is_silent() {
        let mut nodes = placed(3, Placing::Singleton);
        hear(&mut nodes[1], &[2], at(0));
        assert!(nodes[1].place(at(0)));
        assert_eq!(*nodes[1].placement().members, [NodeId(1)]);
        // The lowest is back, and coordinates; the slots stay.
        let placement = nodes[1].placement().clone();
        nodes[0].hear(NodeId(1), &placement, at(500));
        assert!(!nodes[0].place(at(500)));
        hear(&mut nodes[0], &[2], at(1_600));
        assert!(nodes[0].place(at(1_600)));
        assert_eq!(*nodes[0].placement().members, [NodeId(0)]);
    }

    #[test]
    fn silence_ends_a_quorum() {
        let mut nodes = cluster(3);
        hear(&mut nodes[0], &[1], at(0));
        assert!(nodes[0].has_quorum(at(999)));
        assert!(!nodes[0].has_quorum(at(1000)));
    }

    #[test]
    fn a_node_that_leaves_moves_only_its_own_slots() {
        let mut node = cluster(5).remove(0);
        let all = Placement { term: 1, members: (0..5).map(NodeId).collect() };
        let fewer = Placement { term: 2, members: (0..4).map(NodeId).collect() };
        node.hear(NodeId(1), &all, at(0));
        let before: Vec<_> = (0..500).map(|slot| node.owner(SlotId(slot))).collect();
        node.hear(NodeId(1), &fewer, at(0));
        for (slot, before) in (0..500).zip(before) {
            let after = node.owner(SlotId(slot));
            assert!(after == before || before == Some(NodeId(4)), "slot {slot}: {before:?} to {after:?}");
        }
    }

    #[test]
    fn older_placements_are_ignored() {
        let mut node = cluster(3).remove(0);
        let newer = Placement { term: 9, members: Arc::new([NodeId(1)]) };
        assert!(node.hear(NodeId(1), &newer, at(0)));
        assert!(!node.hear(NodeId(2), &Placement { term: 8, members: Arc::new([NodeId(2)]) }, at(0)));
        assert_eq!(node.owner(SlotId(0)), Some(NodeId(1)));
    }
}
