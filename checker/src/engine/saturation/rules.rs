//! What follows from who read what: in every legal order, no write comes between a write and its reader.
//!
//! ```text
//!   w' ──► r, which reads w      hence  w' ──► w
//!   w ──► w', r reads w          hence  r ──► w'
//! ```

use super::likely;
use super::reads_from::{Access, Problem, Source};
use super::relation::{Growth, Reason, Relation, Stop};
use super::writes::Writes;
use crate::budget::Spending;

/// The order found so far, closed under the rules.
pub(super) struct Closure<'a> {
    pub(super) problem: &'a Problem,
    pub(super) writes: &'a Writes,
    pub(super) relation: Relation,
}

impl<'a> Closure<'a> {
    /// What holds before any rule is used: the programs, who read what, what was there at first.
    pub(super) fn of(problem: &'a Problem, writes: &'a Writes) -> (Self, Result<(), Stop>) {
        let relation = Relation::new(&problem.chain_starts, likely::order(problem));
        let mut closure = Self { problem, writes, relation };
        let begun = closure.begin();
        (closure, begun)
    }

    fn begin(&mut self) -> Result<(), Stop> {
        let problem = self.problem;
        for &(before, after) in &problem.afters {
            self.relation.insert(before, after, Reason::Client)?;
        }
        for node in 0..problem.node_count() as u32 {
            for access in problem.accesses(node) {
                if let Source::Node(source) = access.source {
                    self.relation.insert(source, node, Reason::ReadsFrom)?;
                }
            }
        }
        for node in 0..problem.node_count() as u32 {
            for access in problem.accesses(node) {
                self.begin_access(node, *access)?;
            }
        }
        Ok(())
    }

    /// What was there at first is read before it is overwritten; and the rules within one chain.
    fn begin_access(&mut self, node: u32, access: Access) -> Result<(), Stop> {
        let Access { register, source, is_write } = access;
        if source == Source::Initial {
            for lane in self.writes.lanes(register) {
                let first = self.writes.nodes(*lane)[0];
                if first != node {
                    self.relation.insert(node, first, Reason::Initial)?;
                }
            }
        }
        let own = self.writes.lane(register, self.relation.chain(node));
        let Some(before) = own.partition_point(|other| *other < node).checked_sub(1) else { return Ok(()) };
        let before = own[before];
        if let Source::Node(source) = source
            && source != before
        {
            self.relation.insert(before, source, Reason::BeforeSource { reader: node })?;
        }
        if is_write {
            self.readers_before(node, register, before)?;
        }
        Ok(())
    }

    /// Draws all consequences.
    pub(super) fn close(&mut self, spending: &mut Spending) -> Result<(), Stop> {
        loop {
            while let Some(growth) = self.relation.next_growth() {
                for access in self.problem.accesses(growth.node) {
                    self.follow(growth, *access)?;
                }
            }
            if !self.relation.pass_on(spending)? {
                return Ok(());
            }
        }
    }

    /// What follows since more of a chain is known to come before a node.
    fn follow(&mut self, growth: Growth, access: Access) -> Result<(), Stop> {
        let Growth { node, chain, old } = growth;
        if chain == self.relation.chain(node) {
            return Ok(());
        }
        let lane = self.writes.lane(access.register, chain);
        let start = self.relation.start(chain);
        let new = self.relation.clock(node)[chain as usize];
        let end = lane.partition_point(|write| *write < start + new);
        if let Source::Node(source) = access.source
            && let Some(last) = end.checked_sub(1)
            && lane[last] >= start + old
            && lane[last] != source
        {
            self.relation.insert(lane[last], source, Reason::BeforeSource { reader: node })?;
        }
        if access.is_write {
            // What came before the previous write of this chain was read before that one.
            let own = self.writes.lane(access.register, self.relation.chain(node));
            let previous = own.partition_point(|other| *other < node).checked_sub(1);
            let covered = previous.map_or(0, |previous| self.relation.clock(own[previous])[chain as usize]);
            let first = lane.partition_point(|write| *write < start + old.max(covered));
            for &write in lane.get(first..end).unwrap_or_default() {
                self.readers_before(node, access.register, write)?;
            }
        }
        Ok(())
    }

    /// Whoever read `before`, which comes before the write `node`, read it before `node`.
    fn readers_before(&mut self, node: u32, register: u32, before: u32) -> Result<(), Stop> {
        for readers in self.writes.readers(register, before) {
            if readers.last != node {
                self.relation.insert(readers.last, node, Reason::AfterReader { source: before })?;
            }
        }
        Ok(())
    }
}
