//! The cuts and resets of a plan on links that are not ours: which link changes when, and what they stopped.

use std::collections::VecDeque;

use crate::fault::{Fault, FaultPlan};
use crate::ledger::Ledger;
use crate::node::NodeId;
use crate::time::TrueTime;
use crate::windows::{FaultIndex, Windows};

/// A link that passes nothing any more, or passes messages again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkChange {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) is_cut: bool,
}

/// A cut that begins or ends, or a reset: that only begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) at: TrueTime,
    pub(super) fault: FaultIndex,
    pub(super) is_begin: bool,
}

/// All links, one way each.
#[derive(Debug)]
pub(super) struct Links {
    node_count: usize,
    plan: FaultPlan,
    /// The cuts under way. Shape: `node_count x node_count`, row = sender, column = receiver.
    cuts: Vec<Windows<()>>,
    /// What is still to happen, earliest first; beginnings before ends.
    edges: VecDeque<Edge>,
    /// Entries of cuts and resets; those of other faults stay empty.
    ledger: Ledger,
}

impl Links {
    /// The links of a world, before its first cut.
    pub(super) fn new(node_count: usize, plan: FaultPlan) -> Self {
        let mut edges = Vec::new();
        for (planned, index) in plan.faults.iter().zip(0..) {
            let fault = FaultIndex(index);
            if matches!(planned.fault, Fault::Cut { .. } | Fault::Reset { .. }) {
                edges.push(Edge { at: planned.at, fault, is_begin: true });
            }
            if let Fault::Cut { length, .. } = planned.fault {
                edges.push(Edge { at: planned.at + length, fault, is_begin: false });
            }
        }
        edges.sort_by_key(|edge| (edge.at, !edge.is_begin));
        Self {
            node_count,
            ledger: Ledger::new(plan.faults.iter().map(|planned| planned.fault.family())),
            plan,
            cuts: vec![Windows::default(); node_count * node_count],
            edges: edges.into(),
        }
    }

    /// When a cut begins or ends next, if one does.
    #[cfg(madsim)]
    pub(super) fn next_at(&self) -> Option<TrueTime> {
        self.edges.front().map(|edge| edge.at)
    }

    /// The next beginning or end that is due, and what it changes.
    pub(super) fn advance(&mut self, now: TrueTime) -> Option<(Edge, Vec<LinkChange>)> {
        let edge = *self.edges.front().filter(|edge| edge.at <= now)?;
        self.edges.pop_front();
        Some((edge, self.turn(edge)))
    }

    /// Ends all cuts, and lets no further one begin.
    pub(super) fn heal(&mut self, now: TrueTime) -> Vec<(Edge, Vec<LinkChange>)> {
        let rest = core::mem::take(&mut self.edges);
        let running =
            rest.into_iter().filter(|edge| !edge.is_begin && self.ledger.is_fired(edge.fault.0 as usize));
        let running: Vec<_> = running.map(|edge| Edge { at: now, ..edge }).collect();
        running.into_iter().map(|edge| (edge, self.turn(edge))).collect()
    }

    /// The cut that stops messages on a link, if any: the one that began last.
    pub(super) fn cut_now(&self, from: NodeId, to: NodeId) -> Option<FaultIndex> {
        self.cuts[self.place(from, to)].last().map(|(fault, ())| fault)
    }

    /// The link on which a fault resets the connection, if it does: what comes from the peer.
    pub(super) fn reset_by(&self, fault: FaultIndex) -> Option<(NodeId, NodeId)> {
        let Fault::Reset { node, peer } = self.plan.faults[fault.0 as usize].fault else { return None };
        Some((peer, node))
    }

    /// A cut or a reset stopped that many messages.
    pub(super) fn stopped(&mut self, fault: FaultIndex, count: u64) {
        self.ledger.affect(fault, count);
    }

    /// What the cuts came to, and the place for all other faults of the plan.
    pub(super) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    fn turn(&mut self, edge: Edge) -> Vec<LinkChange> {
        let plan = core::mem::take(&mut self.plan);
        let mut changes = Vec::new();
        if edge.is_begin {
            self.ledger.fire(edge.fault);
        }
        for &(from, to) in plan.faults[edge.fault.0 as usize].fault.links() {
            let place = self.place(from, to);
            let was_cut = !self.cuts[place].is_empty();
            if edge.is_begin {
                self.cuts[place].begin(edge.fault, ());
            } else {
                self.cuts[place].end(edge.fault);
            }
            let is_cut = !self.cuts[place].is_empty();
            if is_cut != was_cut {
                changes.push(LinkChange { from, to, is_cut });
            }
        }
        self.plan = plan;
        changes
    }

    const fn place(&self, from: NodeId, to: NodeId) -> usize {
        from.index() * self.node_count + to.index()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::PlannedFault;
    use crate::time::Span;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);
    const C: NodeId = NodeId(2);

    type Planned<'a> = (u64, u64, &'a [(NodeId, NodeId)]);

    fn links(cuts: &[Planned<'_>]) -> Links {
        let planned = |&(at, length, links): &Planned<'_>| PlannedFault {
            at: TrueTime::from_ns(at),
            fault: Fault::Cut { links: links.to_vec(), length: Span::from_ns(length) },
        };
        Links::new(3, FaultPlan { faults: cuts.iter().map(planned).collect() })
    }

    /// Which links change at which instants, as `5 +n0n1` and `9 -n0n1`.
    #[track_caller]
    fn check(cuts: &[Planned<'_>], want: &[&str]) {
        let mut links = links(cuts);
        let mut found = Vec::new();
        while let Some((edge, changes)) = links.advance(TrueTime::from_ns(1_000)) {
            found.extend(changes.iter().map(|change| {
                let sign = if change.is_cut { '+' } else { '-' };
                format!("{} {sign}{}{}", edge.at.as_ns(), change.from, change.to)
            }));
        }
        assert_eq!(found, want);
    }

    #[test]
    fn a_link_changes_when_its_first_cut_begins_and_its_last_one_ends() {
        check(&[(5, 4, &[(A, B)])], &["5 +n0n1", "9 -n0n1"]);
        check(
            &[(5, 4, &[(A, B)]), (7, 9, &[(A, B), (B, C)])],
            &["5 +n0n1", "7 +n1n2", "16 -n0n1", "16 -n1n2"],
        );
        check(&[(5, 4, &[(A, B)]), (9, 1, &[(A, B)])], &["5 +n0n1", "10 -n0n1"]);
    }

    #[test]
    fn the_cut_that_began_last_answers_for_what_it_stops() {
        let mut links = links(&[(5, 9, &[(A, B)]), (7, 2, &[(A, B)])]);
        while links.advance(TrueTime::from_ns(8)).is_some() {}
        assert_eq!(links.cut_now(A, B), Some(FaultIndex(1)));
        assert_eq!(links.cut_now(B, A), None);
        links.stopped(FaultIndex(1), 3);
        assert_eq!(links.advance(TrueTime::from_ns(9)).map(|(edge, _)| edge.is_begin), Some(false));
        assert_eq!(links.cut_now(A, B), Some(FaultIndex(0)));
        let ledger = links.into_ledger();
        assert_eq!((ledger.affected(0), ledger.affected(1)), (0, 3));
    }

    #[test]
    fn healing_ends_what_runs_and_nothing_begins_after() {
        let mut links = links(&[(5, 100, &[(A, B)]), (50, 9, &[(B, C)])]);
        assert!(links.advance(TrueTime::from_ns(10)).is_some());
        let healed = links.heal(TrueTime::from_ns(20));
        assert_eq!(healed.len(), 1, "the second had not begun");
        assert_eq!(healed[0].1, [LinkChange { from: A, to: B, is_cut: false }]);
        assert_eq!(links.advance(TrueTime::from_ns(1_000)), None);
        assert!(!links.into_ledger().is_fired(1));
    }
}
