//! Shapes of partitions: which links a cut takes, and when a flapping one does.
//!
//! ```text
//!   symmetric        one way          bridge             ring
//!   a b ╳ c d        a b ──► c d      a b ── x ── c d    a ─ b ─ c ─ d ─ (a)
//! ```
//!
//! A partial partition is any set of links; [`between`] and [`isolated`] give the usual parts. Sources of the names:
//! Jepsen's nemeses (`bridge`, `majorities-ring`), and A. Alquraan, H. Takruri, M. Alfatafta, S. Al-Kiswany, "An Analysis
//! of Network-Partitioning Failures in Cloud Systems", OSDI 2018 (complete, partial, simplex).

use crate::fault::{Fault, PlannedFault};
use crate::limits::FAULTS_MAX;
use crate::node::NodeId;
use crate::time::{Span, TrueTime};

/// A link: sender and receiver.
pub type Pair = (NodeId, NodeId);

/// Which ways a cut goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// What the first say, the others do not hear; but they hear what the others say.
    Out,
    /// What the others say, the first do not hear.
    In,
    /// Neither hears the other.
    Both,
}

/// The links between two groups. A node of both groups keeps its links to itself, not to others.
#[must_use]
pub fn between(first: &[NodeId], others: &[NodeId], ways: Ways) -> Vec<Pair> {
    let pairs = first.iter().flat_map(|&one| others.iter().map(move |&other| (one, other)));
    let mut links = Vec::new();
    for (one, other) in pairs.filter(|(one, other)| one != other) {
        if ways != Ways::In {
            links.push((one, other));
        }
        if ways != Ways::Out {
            links.push((other, one));
        }
    }
    links.sort_unstable();
    links.dedup();
    links
}

/// The links of one node to all others.
#[must_use]
pub fn isolated(node: NodeId, nodes: &[NodeId], ways: Ways) -> Vec<Pair> {
    between(&[node], nodes, ways)
}

/// All links between two halves, the first `first_count` nodes and the rest: nobody hears the other side.
///
/// # Panics
/// If there are fewer than `first_count` nodes.
#[must_use]
pub fn split(nodes: &[NodeId], first_count: usize) -> Vec<Pair> {
    let (first, rest) = nodes.split_at(first_count);
    between(first, rest, Ways::Both)
}

/// Two halves that only the middle node still reaches: every other link between them is cut. With fewer than three
/// nodes there is no bridge, and nothing to cut.
#[must_use]
pub fn bridge(nodes: &[NodeId]) -> Vec<Pair> {
    let middle = nodes.len() / 2;
    match nodes.get(middle + 1..) {
        Some(right) => between(&nodes[..middle], right, Ways::Both),
        None => Vec::new(),
    }
}

/// Every node reaches its `reach` neighbours on either side in a ring, and no other: with `2 * reach + 1` a majority,
/// each node sees a majority, and no two see the same. Nothing is cut if all are neighbours.
#[must_use]
pub fn ring(nodes: &[NodeId], reach: usize) -> Vec<Pair> {
    let count = nodes.len();
    let is_far = |&(one, other): &(usize, usize)| {
        let distance = one.abs_diff(other);
        distance.min(count - distance) > reach
    };
    let places = (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
    places.filter(is_far).map(|(one, other)| (nodes[one], nodes[other])).collect()
}

/// A partition that comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// When it comes first.
    pub at: TrueTime,
    /// How long the links are cut each time.
    pub cut: Span,
    /// How long they are whole in between.
    pub whole: Span,
    /// No cut begins that long after the first, or later.
    pub length: Span,
}

impl Flapping {
    /// The cuts, earliest first; one more than a plan may have if there would be more, so that the plan is refused.
    #[must_use]
    pub fn cuts(&self, links: &[Pair]) -> Vec<PlannedFault> {
        let every = self.cut.saturating_add(self.whole).as_ns().max(1);
        let count = self.length.as_ns().div_ceil(every).min(FAULTS_MAX as u64 + 1);
        let cut = |index: u64| {
            let passed = Span::from_ns(index * every);
            // The last one ends with the partition.
            let length = self.cut.min(self.length.saturating_sub(passed));
            let at = TrueTime::from_ns(self.at.as_ns().saturating_add(passed.as_ns()));
            PlannedFault { at, fault: Fault::Cut { links: links.to_vec(), length } }
        };
        (0..count).map(cut).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: u32) -> Vec<NodeId> {
        (0..count).map(NodeId).collect()
    }

    /// Who still hears whom, as a matrix: row = sender, column = receiver, `.` = cut.
    #[track_caller]
    fn check(node_count: u32, links: &[Pair], want: &[&str]) {
        let heard = |from, to| {
            let is_cut = links.contains(&(NodeId(from), NodeId(to)));
            if is_cut { '.' } else { 'x' }
        };
        let row = |from| (0..node_count).map(|to| heard(from, to)).collect::<String>();
        assert_eq!((0..node_count).map(row).collect::<Vec<_>>(), want);
        let mut unique = links.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), links.len(), "no link is cut twice");
    }

    #[test]
    fn halves_do_not_hear_one_another() {
        check(4, &split(&nodes(4), 2), &["xx..", "xx..", "..xx", "..xx"]);
        check(3, &split(&nodes(3), 0), &["xxx", "xxx", "xxx"]);
    }

    #[test]
    fn a_one_way_cut_leaves_the_other_way() {
        check(3, &isolated(NodeId(0), &nodes(3), Ways::Out), &["x..", "xxx", "xxx"]);
        check(3, &isolated(NodeId(0), &nodes(3), Ways::In), &["xxx", ".xx", ".xx"]);
        check(3, &isolated(NodeId(0), &nodes(3), Ways::Both), &["x..", ".xx", ".xx"]);
    }

    #[test]
    fn groups_that_share_a_node_cut_it_off_from_both_but_not_from_itself() {
        check(3, &between(&nodes(2), &nodes(3)[1..], Ways::Both), &["x..", ".x.", "..x"]);
        check(3, &between(&nodes(2), &nodes(3)[2..], Ways::Out), &["xx.", "xx.", "xxx"]);
    }

    #[test]
    fn a_bridge_reaches_both_sides_which_do_not_reach_one_another() {
        check(5, &bridge(&nodes(5)), &["xxx..", "xxx..", "xxxxx", "..xxx", "..xxx"]);
        check(4, &bridge(&nodes(4)), &["xxx.", "xxx.", "xxxx", "..xx"]);
        for few in 0..3 {
            assert_eq!(bridge(&nodes(few)), [], "{few} nodes");
        }
    }

    #[test]
    fn in_a_ring_everybody_reaches_only_neighbours() {
        check(5, &ring(&nodes(5), 1), &["xx..x", "xxx..", ".xxx.", "..xxx", "x..xx"]);
        check(3, &ring(&nodes(3), 1), &["xxx", "xxx", "xxx"]);
        assert_eq!(ring(&[], 1), []);
    }

    #[test]
    fn a_flapping_cut_comes_and_goes_and_never_more_often_than_a_plan_allows() {
        let span = Span::from_ms;
        let flapping =
            Flapping { at: TrueTime::from_ns(5), cut: span(10), whole: span(20), length: span(61) };
        let links = [(NodeId(0), NodeId(1))];
        let cuts = flapping.cuts(&links);
        let begins: Vec<u64> = cuts.iter().map(|cut| cut.at.as_ns()).collect();
        assert_eq!(begins, [5, 30_000_005, 60_000_005]);
        let lengths: Vec<_> = cuts.iter().filter_map(|cut| cut.fault.length()).collect();
        assert_eq!(lengths, [span(10), span(10), span(1)], "the last one ends with the partition");
        assert!(cuts.iter().all(|cut| cut.fault.links() == links));
        let endless = Flapping { cut: Span::ZERO, whole: Span::ZERO, ..flapping };
        assert_eq!(endless.cuts(&links).len(), FAULTS_MAX + 1);
    }
}
