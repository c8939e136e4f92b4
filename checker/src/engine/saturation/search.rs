//! Where the rules leave writes unordered, tries one order of two, then the other.
//!
//! Trying begins with what was invoked first, for most histories are nearly linearizable. A cycle is
//! blamed on those orders tried that it needs; the latest of them is turned round for good as long as
//! the others stand, and what was tried after it is given up (P. Prosser, "Hybrid algorithms for the
//! constraint satisfaction problem", Computational Intelligence 9(3) (1993), conflict-directed
//! backjumping). Whether two writes are in order either way is all that is ever tried, so nothing is
//! missed: if all writes of each register are in order and the rules make no cycle, every order of all
//! nodes that respects the relation is legal.

use std::collections::BTreeSet;

use super::reads_from::Problem;
use super::relation::{Hop, Mark, Reason, Relation, Stop};
use super::rules::Closure;
use super::sweep::{Next, Sweep};
use super::writes::Writes;
use crate::budget::Spending;

/// What the search found.
pub(super) enum Solved {
    /// All nodes in a legal order.
    Order(Vec<u32>),
    /// There is none.
    Refuted(Refuted),
    /// The budget was used up with these nodes next.
    Exhausted(Vec<u32>),
}

/// What a refutation needs.
#[derive(Default)]
pub(super) struct Refuted {
    /// The nodes.
    pub(super) nodes: BTreeSet<u32>,
    /// The edges, each after those it follows from; empty if orders had to be tried.
    pub(super) story: Vec<Told>,
}

/// An edge of a story.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reason: Reason,
}

/// Two writes are in some order for the time being.
#[derive(Clone, Copy)]
struct Level {
    /// The order that is tried.
    edge: (u32, u32),
    /// The first level of those tried at once.
    batch: u32,
    /// What was there before they were.
    mark: Mark,
    taken_count: usize,
    refutation_count: usize,
}

/// What a cycle is to be blamed on.
#[derive(Clone, Default)]
struct Blame {
    /// Levels of orders tried.
    levels: BTreeSet<u32>,
    nodes: BTreeSet<u32>,
    /// Edges that hold whatever is tried.
    known: BTreeSet<u32>,
}

struct Search<'a> {
    closure: Closure<'a>,
    sweep: Sweep<'a>,
    levels: Vec<Level>,
    refutations: Vec<Blame>,
}

/// A legal order of all nodes, or what rules out every one.
pub(super) fn solve(problem: &Problem, spending: &mut Spending) -> Solved {
    let writes = Writes::of(problem);
    let sweep = Sweep::of(problem, &writes);
    let (closure, begun) = Closure::of(problem, &writes);
    let mut search = Search { closure, sweep, levels: Vec::new(), refutations: Vec::new() };
    let begun = begun.and_then(|()| search.closure.close(spending));
    match begun {
        Ok(()) => search.run(spending),
        Err(Stop::Exhausted) => search.exhausted(),
        Err(Stop::Cycle(edge)) => search.refuted(edge),
    }
}

impl Search<'_> {
    fn run(&mut self, spending: &mut Spending) -> Solved {
        loop {
            if spending.spend((1 + self.closure.relation.width() / 16) as u64).is_err() {
                return self.exhausted();
            }
            match self.sweep.go_on(&self.closure.relation) {
                Next::Done => return Solved::Order(self.sweep.order().to_vec()),
                Next::Moved => {}
                Next::Order(write, others) => match self.order(write, &others, spending) {
                    Ok(()) => {}
                    Err(Stop::Exhausted) => return self.exhausted(),
                    Err(Stop::Cycle(edge)) => return self.refuted(edge),
                },
            }
        }
    }

    fn exhausted(&self) -> Solved {
        Solved::Exhausted(self.sweep.open(&self.closure.relation))
    }

    /// Tries to put a write before others; if that makes a cycle, turns round what is to blame. A
    /// cycle that is left is to be blamed on nothing that was tried.
    fn order(&mut self, write: u32, others: &[u32], spending: &mut Spending) -> Result<(), Stop> {
        let edges: Vec<(u32, u32)> = others.iter().map(|other| (write, *other)).collect();
        let mut tried = self.attempt(&edges).and_then(|()| self.closure.close(spending));
        while let Err(Stop::Cycle(edge)) = tried {
            let mut blame = self.blame(edge);
            let Some(top) = blame.levels.pop_last() else { return Err(Stop::Cycle(edge)) };
            tried = self.turn_round(top, blame).and_then(|()| self.closure.close(spending));
        }
        tried
    }

    /// Puts writes in order, each order at a level of its own.
    fn attempt(&mut self, edges: &[(u32, u32)]) -> Result<(), Stop> {
        let mark = self.closure.relation.mark();
        let batch = self.levels.len() as u32;
        let (taken_count, refutation_count) = (self.sweep.order().len(), self.refutations.len());
        for &edge in edges.iter().filter(|(from, to)| from != to) {
            if !self.closure.relation.precedes(edge.0, edge.1) {
                let level = self.levels.len() as u32;
                self.levels.push(Level { edge, batch, mark, taken_count, refutation_count });
                self.closure.relation.insert(edge.0, edge.1, Reason::Tried { level })?;
            }
        }
        Ok(())
    }

    /// Undoes all since this level was tried, and has the opposite order instead, for this reason.
    fn turn_round(&mut self, top: u32, blame: Blame) -> Result<(), Stop> {
        let level = self.levels[top as usize];
        let before: Vec<(u32, u32)> =
            self.levels[level.batch as usize..top as usize].iter().map(|level| level.edge).collect();
        self.levels.truncate(level.batch as usize);
        self.closure.relation.undo(level.mark);
        self.sweep.undo(&self.closure.relation, level.taken_count);
        self.refutations.truncate(level.refutation_count);
        self.attempt(&before)?;
        let refutation = self.refutations.len() as u32;
        self.refutations.push(blame);
        let (from, to) = level.edge;
        self.closure.relation.insert(to, from, Reason::Refuted { refutation })
    }

    /// What the cycle that this edge closes is to be blamed on.
    fn blame(&self, edge: u32) -> Blame {
        let relation = &self.closure.relation;
        let known_count = self.levels.first().map_or(relation.edge_count(), |level| level.mark.edge_count);
        let mut blame = Blame::default();
        let mut seen = BTreeSet::new();
        let mut waiting = cycle(relation, edge);
        while let Some(edge) = waiting.pop() {
            if edge < known_count {
                blame.known.insert(edge);
            } else if seen.insert(edge) {
                self.expand(edge, &mut blame, &mut waiting);
            }
        }
        blame
    }

    /// Blames all that an edge follows from.
    fn expand(&self, edge: u32, blame: &mut Blame, waiting: &mut Vec<u32>) {
        let told = self.closure.relation.edge(edge);
        blame.nodes.extend([told.from, told.to]);
        match told.reason {
            Reason::Client | Reason::ReadsFrom | Reason::Initial => {}
            Reason::Tried { level } => {
                blame.levels.insert(level);
            }
            Reason::Refuted { refutation } => {
                let other = &self.refutations[refutation as usize];
                blame.levels.extend(&other.levels);
                blame.nodes.extend(&other.nodes);
                waiting.extend(&other.known);
            }
            Reason::BeforeSource { reader } => {
                blame.nodes.insert(reader);
                waiting.extend(edges(&self.closure.relation.path(told.from, reader, edge)));
            }
            Reason::AfterReader { source } => {
                blame.nodes.insert(source);
                waiting.extend(edges(&self.closure.relation.path(source, told.to, edge)));
            }
        }
    }

    /// A cycle that is to be blamed on nothing that was tried.
    fn refuted(&self, edge: u32) -> Solved {
        let relation = &self.closure.relation;
        let is_direct = self.levels.is_empty();
        let mut blame = if is_direct { Blame::default() } else { self.blame(edge) };
        let mut waiting: Vec<u32> =
            if is_direct { cycle(relation, edge) } else { blame.known.iter().copied().collect() };
        let mut seen = BTreeSet::new();
        while let Some(edge) = waiting.pop() {
            if seen.insert(edge) {
                self.expand(edge, &mut blame, &mut waiting);
            }
        }
        let told = |&edge: &u32| {
            let edge = relation.edge(edge);
            Told { from: edge.from, to: edge.to, reason: edge.reason }
        };
        let mut story: Vec<Told> = seen.iter().map(told).collect();
        if !is_direct || story.iter().any(|told| matches!(told.reason, Reason::Refuted { .. })) {
            story.clear();
        }
        Solved::Refuted(Refuted { nodes: blame.nodes, story })
    }
}

/// The edges of the cycle that this edge closes.
fn cycle(relation: &Relation, edge: u32) -> Vec<u32> {
    let closing = relation.edge(edge);
    let mut cycle = edges(&relation.path(closing.to, closing.from, relation.edge_count()));
    cycle.push(edge);
    cycle
}

fn edges(hops: &[Hop]) -> Vec<u32> {
    hops.iter()
        .filter_map(|hop| match hop {
            Hop::Edge(edge) => Some(*edge),
            Hop::Next(_) => None,
        })
        .collect()
}
