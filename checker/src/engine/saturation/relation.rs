//! A growing order over chains, kept as vector clocks: what comes before what, and why.
//!
//! The clock of a node says, for each chain, how many of its nodes come before or are the node. An
//! edge is kept only if the order did not hold already, so that each has a first reason. Everything
//! done since a [`Mark`] can be undone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::budget::{Exhausted, Spending};

/// Why an edge holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// One client did the second after the first.
    Client,
    /// The second found what the first wrote.
    ReadsFrom,
    /// The first found what was there at first, the second overwrote it.
    Initial,
    /// The first overwrites what the reader found, and comes before it: hence before the second,
    /// which wrote it.
    BeforeSource { reader: u32 },
    /// The first found what the source wrote, which comes before the second, which overwrote it.
    AfterReader { source: u32 },
    /// Tried, at this level.
    Tried { level: u32 },
    /// The other way round was refuted: the number of the refutation.
    Refuted { refutation: u32 },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reason: Reason,
    next_out: u32,
    next_in: u32,
}

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// From a node to the next of its chain.
    Next(u32),
    /// Along this edge.
    Edge(u32),
}

/// A clock has grown: its entry for this chain was `old`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) node: u32,
    pub(super) chain: u32,
    pub(super) old: u32,
}

/// Why the order cannot grow any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// This edge closes a cycle.
    Cycle(u32),
    /// The budget is used up.
    Exhausted,
}

impl From<Exhausted> for Stop {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Exhausted
    }
}

/// A state to return to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// How many edges there were.
    pub(super) edge_count: u32,
    trail_len: usize,
}

/// No edge.
const NONE: u32 = u32::MAX;
/// Clock entries that count as one step.
const STEP_ENTRIES: usize = 16;

pub(super) struct Relation {
    width: usize,
    chain_of: Vec<u32>,
    index_of: Vec<u32>,
    starts: Vec<u32>,
    clocks: Vec<u32>,
    edges: Vec<Edge>,
    first_out: Vec<u32>,
    first_in: Vec<u32>,
    /// Clock entries overwritten since the first mark.
    trail: Vec<Growth>,
    is_marked: bool,
    growths: Vec<Growth>,
    waiting: Waiting,
}

/// Nodes whose clocks have to be passed on, the first in a likely order first.
struct Waiting {
    rank_of: Vec<u32>,
    at_rank: Vec<u32>,
    is_waiting: Vec<bool>,
    heap: BinaryHeap<Reverse<u32>>,
}

impl Relation {
    /// The order of the chains alone. `likely`: all nodes in an order that is probably legal.
    pub(super) fn new(starts: &[u32], likely: Vec<u32>) -> Self {
        let (width, count) = (starts.len() - 1, likely.len());
        let mut relation = Self {
            width,
            chain_of: Vec::with_capacity(count),
            index_of: Vec::with_capacity(count),
            starts: starts.to_vec(),
            clocks: vec![0; width * count],
            edges: Vec::new(),
            first_out: vec![NONE; count],
            first_in: vec![NONE; count],
            trail: Vec::new(),
            is_marked: false,
            growths: Vec::new(),
            waiting: Waiting::of(likely),
        };
        for chain in 0..width {
            for node in starts[chain]..starts[chain + 1] {
                let index = node - starts[chain];
                relation.chain_of.push(chain as u32);
                relation.index_of.push(index);
                relation.clocks[node as usize * width + chain] = index + 1;
            }
        }
        for rank in 0..count as u32 {
            relation.waiting.push(relation.waiting.at_rank[rank as usize]);
        }
        relation
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn chain(&self, node: u32) -> u32 {
        self.chain_of[node as usize]
    }

    pub(super) fn index(&self, node: u32) -> u32 {
        self.index_of[node as usize]
    }

    pub(super) fn start(&self, chain: u32) -> u32 {
        self.starts[chain as usize]
    }

    pub(super) fn end(&self, chain: u32) -> u32 {
        self.starts[chain as usize + 1]
    }

    pub(super) fn clock(&self, node: u32) -> &[u32] {
        &self.clocks[node as usize * self.width..][..self.width]
    }

    pub(super) fn edge(&self, edge: u32) -> Edge {
        self.edges[edge as usize]
    }

    pub(super) fn edge_count(&self) -> u32 {
        self.edges.len() as u32
    }

    /// Whether `first` comes before `second`, or is it.
    pub(super) fn precedes(&self, first: u32, second: u32) -> bool {
        self.clock(second)[self.chain(first) as usize] > self.index(first)
    }

    /// From now on `from` comes before `to`. Its consequences follow with [`pass_on`](Self::pass_on).
    pub(super) fn insert(&mut self, from: u32, to: u32, reason: Reason) -> Result<(), Stop> {
        if self.precedes(from, to) {
            return Ok(());
        }
        let edge = self.edges.len() as u32;
        let (next_out, next_in) = (self.first_out[from as usize], self.first_in[to as usize]);
        self.edges.push(Edge { from, to, reason, next_out, next_in });
        self.first_out[from as usize] = edge;
        self.first_in[to as usize] = edge;
        if self.precedes(to, from) {
            return Err(Stop::Cycle(edge));
        }
        self.join(from, to);
        Ok(())
    }

    /// A growth whose consequences have not been drawn yet.
    pub(super) fn next_growth(&mut self) -> Option<Growth> {
        self.growths.pop()
    }

    /// Passes one clock on to what comes next. False if there is none left.
    pub(super) fn pass_on(&mut self, spending: &mut Spending) -> Result<bool, Stop> {
        let Some(node) = self.waiting.pop() else { return Ok(false) };
        let mut joined = 1;
        if node + 1 < self.end(self.chain(node)) {
            self.join(node, node + 1);
        }
        let mut edge = self.first_out[node as usize];
        while edge != NONE {
            let Edge { to, next_out, .. } = self.edges[edge as usize];
            if self.precedes(to, node) {
                return Err(Stop::Cycle(edge));
            }
            self.join(node, to);
            joined += 1;
            edge = next_out;
        }
        spending.spend(joined * (1 + self.width / STEP_ENTRIES) as u64)?;
        Ok(true)
    }

    /// All that comes before `from` comes before `to`.
    fn join(&mut self, from: u32, to: u32) {
        let (source, target) = rows(&mut self.clocks, self.width, from as usize, to as usize);
        // Most joins change nothing: that is seen without a branch an entry.
        if !source.iter().zip(target.iter()).fold(false, |grows, (new, entry)| grows | (new > entry)) {
            return;
        }
        for (chain, (new, entry)) in source.iter().zip(target).enumerate() {
            if *new > *entry {
                let growth = Growth { node: to, chain: chain as u32, old: *entry };
                *entry = *new;
                self.growths.push(growth);
                if self.is_marked {
                    self.trail.push(growth);
                }
            }
        }
        self.waiting.push(to);
    }

    /// A state to return to; nothing may be waiting.
    pub(super) fn mark(&mut self) -> Mark {
        assert!(self.growths.is_empty() && self.waiting.heap.is_empty(), "consequences were left open");
        self.is_marked = true;
        Mark { edge_count: self.edge_count(), trail_len: self.trail.len() }
    }

    /// Undoes all since the mark.
    pub(super) fn undo(&mut self, mark: Mark) {
        self.growths.clear();
        self.waiting.clear();
        for growth in self.trail.drain(mark.trail_len..).rev() {
            self.clocks[growth.node as usize * self.width + growth.chain as usize] = growth.old;
        }
        for edge in self.edges.drain(mark.edge_count as usize..).rev() {
            self.first_out[edge.from as usize] = edge.next_out;
            self.first_in[edge.to as usize] = edge.next_in;
        }
    }

    /// A path over edges older than `limit`, with as few edges as may be. It must be there.
    pub(super) fn path(&self, from: u32, to: u32, limit: u32) -> Vec<Hop> {
        let mut towards: HashMap<u32, (u32, Hop), FxBuildHasher> = HashMap::default();
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            if self.chain(node) == self.chain(from) && self.index(node) >= self.index(from) {
                return self.walk(from, node, to, &towards);
            }
            let is_new = |before: u32, towards: &HashMap<u32, (u32, Hop), FxBuildHasher>| {
                before != to && self.precedes(from, before) && !towards.contains_key(&before)
            };
            if self.index(node) > 0 && is_new(node - 1, &towards) {
                towards.insert(node - 1, (node, Hop::Next(node - 1)));
                queue.push_front(node - 1);
            }
            let mut edge = self.first_in[node as usize];
            while edge != NONE {
                let Edge { from: before, next_in, .. } = self.edges[edge as usize];
                if edge < limit && is_new(before, &towards) {
                    towards.insert(before, (node, Hop::Edge(edge)));
                    queue.push_back(before);
                }
                edge = next_in;
            }
        }
        unreachable!("clocks grow only along edges")
    }

    /// From `from` along its chain to `reached`, then as found.
    fn walk(
        &self,
        from: u32,
        reached: u32,
        to: u32,
        towards: &HashMap<u32, (u32, Hop), FxBuildHasher>,
    ) -> Vec<Hop> {
        let mut hops: Vec<Hop> = (from..reached).map(Hop::Next).collect();
        let mut node = reached;
        while node != to {
            let (next, hop) = towards[&node];
            hops.push(hop);
            node = next;
        }
        hops
    }
}

/// Two clocks, the second to be changed.
fn rows(clocks: &mut [u32], width: usize, first: usize, second: usize) -> (&[u32], &mut [u32]) {
    let middle = first.max(second) * width;
    let (low, high) = clocks.split_at_mut(middle);
    let (high, low_start) = (&mut high[..width], first.min(second) * width);
    let low = &mut low[low_start..][..width];
    if first < second { (low, high) } else { (high, low) }
}

impl Waiting {
    fn of(at_rank: Vec<u32>) -> Self {
        let mut rank_of = vec![0; at_rank.len()];
        for (rank, node) in at_rank.iter().enumerate() {
            rank_of[*node as usize] = rank as u32;
        }
        Self { is_waiting: vec![false; at_rank.len()], rank_of, at_rank, heap: BinaryHeap::new() }
    }

    fn push(&mut self, node: u32) {
        if !std::mem::replace(&mut self.is_waiting[node as usize], true) {
            self.heap.push(Reverse(self.rank_of[node as usize]));
        }
    }

    fn pop(&mut self) -> Option<u32> {
        let Reverse(rank) = self.heap.pop()?;
        let node = self.at_rank[rank as usize];
        self.is_waiting[node as usize] = false;
        Some(node)
    }

    fn clear(&mut self) {
        for Reverse(rank) in self.heap.drain() {
            self.is_waiting[self.at_rank[rank as usize] as usize] = false;
        }
    }
}
