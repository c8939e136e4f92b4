//! Who owns a key: consistent hashing, so that a node that comes or goes moves only its own share of the keys.
//!
//! ```text
//!      hash(key) ─┐
//!   ──a──b──a──c──▼──b──c──a──► the first point at or behind it is the owner's, of those that are there
//! ```
//!
//! Source: D. Karger et al., "Consistent hashing and random trees", STOC 1997. The hash is FNV-1a with the last step of
//! `MurmurHash3`, which spreads short keys that differ in their last letters.

use std::collections::BTreeMap;

use sim::node::NodeId;

/// Points of each node. With 64 the largest share of five nodes is about a quarter above the mean.
const POINTS: u32 = 64;

/// The points of all nodes that there may ever be.
#[derive(Clone, Debug)]
pub struct Ring {
    points: BTreeMap<u64, NodeId>,
}

impl Ring {
    /// The ring of `nodes`.
    #[must_use]
    pub fn of(nodes: &[NodeId]) -> Self {
        let points = nodes.iter().flat_map(|node| {
            (0..POINTS).map(|point| (hash(format!("{}/{point}", node.0).as_bytes()), *node))
        });
        Self { points: points.collect() }
    }

    /// The owner of `key` among the nodes that are there; none if nobody is.
    pub fn owner(&self, key: &str, is_there: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        let place = hash(key.as_bytes());
        let around = self.points.range(place..).chain(self.points.range(..place));
        around.map(|(_, node)| *node).find(|node| is_there(*node))
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> (Ring, Vec<NodeId>, Vec<String>) {
        let nodes: Vec<_> = (1..6).map(NodeId).collect();
        (Ring::of(&nodes), nodes, (0..1_000).map(|number| format!("key-{number}")).collect())
    }

    #[test]
    fn every_node_owns_about_its_share() {
        let (ring, nodes, keys) = ring();
        for node in nodes {
            let share = keys.iter().filter(|key| ring.owner(key, |_| true) == Some(node)).count();
            assert!((100..320).contains(&share), "{node} owns {share} of 1000");
        }
    }

    #[test]
    fn a_node_that_goes_moves_its_own_keys_and_no_others() {
        let (ring, _, keys) = ring();
        let gone = NodeId(3);
        for key in &keys {
            let before = ring.owner(key, |_| true);
            let after = ring.owner(key, |node| node != gone);
            assert!(after != Some(gone) && (before == Some(gone) || before == after), "{key}");
        }
        assert_eq!(ring.owner("key", |_| false), None);
    }
}
