//! Goes forward through all chains and says which writes have to be put in order before it can go on.
//!
//! What only reads is taken as soon as it may come. So is a write whose readers can all follow at once,
//! if all readers of what it overwrites were taken: of any legal order of the rest, the write and its
//! readers could as well come first. No other order has to be known for that.

use super::reads_from::{Access, Problem, Source};
use super::relation::Relation;
use super::writes::Writes;

/// How far each chain has got.
pub(super) struct Sweep<'a> {
    problem: &'a Problem,
    writes: &'a Writes,
    taken: Vec<u32>,
    order: Vec<u32>,
    /// For each chain, what its next node waits for: so many nodes of another chain.
    blocked: Vec<(u32, u32)>,
    /// For each chain, what a reader of its next node waits for.
    readers_blocked: Vec<(u32, u32)>,
    /// For each register, how many still have to find what it holds.
    pending: Vec<u32>,
    /// What was pending before, and how long this was before each node taken.
    journal: Vec<(u32, u32)>,
    journal_lengths: Vec<usize>,
}

/// What the sweep needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: every node was taken.
    Done,
    /// Nothing: it has moved on.
    Moved,
    /// To know whether this write comes before these others of the same register.
    Order(u32, Vec<u32>),
}

impl<'a> Sweep<'a> {
    pub(super) fn of(problem: &'a Problem, writes: &'a Writes) -> Self {
        let chains = problem.chain_count();
        Self {
            problem,
            writes,
            taken: vec![0; chains],
            order: Vec::with_capacity(problem.node_count()),
            blocked: vec![(0, 0); chains],
            readers_blocked: vec![(0, 0); chains],
            pending: writes.initial_counts().to_vec(),
            journal: Vec::new(),
            journal_lengths: Vec::new(),
        }
    }

    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The next nodes of all chains.
    pub(super) fn open(&self, relation: &Relation) -> Vec<u32> {
        (0..self.taken.len() as u32).filter_map(|chain| self.head(relation, chain)).collect()
    }

    /// Takes all that may come next without a doubt; else the write invoked first, if its order is known.
    pub(super) fn go_on(&mut self, relation: &Relation) -> Next {
        let taken_count = self.order.len();
        let mut best: Option<(u64, u32)> = None;
        for chain in 0..self.taken.len() as u32 {
            while let Some(node) = self.head(relation, chain).filter(|node| self.may_come(relation, *node)) {
                if self.is_safe(relation, node) {
                    self.take(relation, node);
                    continue;
                }
                if self.overwrites_nothing_pending(node) {
                    let candidate = (self.problem.invoked[node as usize], node);
                    best = Some(best.map_or(candidate, |best| best.min(candidate)));
                }
                break;
            }
        }
        if self.order.len() == self.problem.node_count() {
            return Next::Done;
        }
        if self.order.len() > taken_count {
            return Next::Moved;
        }
        let (_, write) = best.expect("an order without a cycle has a first node");
        let others = self.unordered(relation, write);
        if !others.is_empty() {
            return Next::Order(write, others);
        }
        self.take(relation, write);
        Next::Moved
    }

    /// Writes of the same register, not taken yet, that are not known to come after this one.
    fn unordered(&self, relation: &Relation, write: u32) -> Vec<u32> {
        let own = relation.chain(write);
        let mut unordered = Vec::new();
        for access in self.written(write) {
            for lane in self.writes.lanes(access.register).iter().filter(|lane| lane.chain != own) {
                let next = relation.start(lane.chain) + self.taken[lane.chain as usize];
                let nodes = self.writes.nodes(*lane);
                let first = nodes.get(nodes.partition_point(|node| *node < next));
                unordered.extend(first.filter(|other| !relation.precedes(write, **other)));
            }
        }
        unordered
    }

    /// Takes back all but the first `count`.
    pub(super) fn undo(&mut self, relation: &Relation, count: usize) {
        for node in self.order.drain(count..) {
            self.taken[relation.chain(node) as usize] -= 1;
        }
        if let Some(length) = self.journal_lengths.drain(count..).next() {
            for (register, pending) in self.journal.drain(length..).rev() {
                self.pending[register as usize] = pending;
            }
        }
        self.blocked.fill((0, 0));
        self.readers_blocked.fill((0, 0));
    }

    fn head(&self, relation: &Relation, chain: u32) -> Option<u32> {
        let node = relation.start(chain) + self.taken[chain as usize];
        (node < relation.end(chain)).then_some(node)
    }

    fn written(&self, node: u32) -> impl Iterator<Item = &'a Access> {
        self.problem.accesses(node).iter().filter(|access| access.is_write)
    }

    /// Whether all that comes before the node was taken.
    fn may_come(&mut self, relation: &Relation, node: u32) -> bool {
        let own = relation.chain(node);
        let (chain, count) = self.blocked[own as usize];
        if self.taken[chain as usize] < count {
            return false;
        }
        let missing = self.missing(relation.clock(node), own, own);
        self.blocked[own as usize] = missing.unwrap_or_default();
        missing.is_none()
    }

    /// So many nodes of a chain that come before this clock and were not taken, but for two chains.
    fn missing(&self, clock: &[u32], own: u32, other: u32) -> Option<(u32, u32)> {
        let all = 0..clock.len() as u32;
        all.map(|chain| (chain, clock[chain as usize]))
            .find(|(chain, count)| *chain != own && *chain != other && *count > self.taken[*chain as usize])
    }

    /// Whether the node, which may come next, may as well come at once: its readers can follow.
    fn is_safe(&mut self, relation: &Relation, node: u32) -> bool {
        let own = relation.chain(node);
        let (chain, count) = self.readers_blocked[own as usize];
        if self.taken[chain as usize] < count || !self.overwrites_nothing_pending(node) {
            return false;
        }
        let missing = self.written(node).find_map(|access| {
            let mut readers = self.writes.readers(access.register, node);
            readers.find_map(|readers| self.reader_waits(relation, node, readers.last))
        });
        self.readers_blocked[own as usize] = missing.unwrap_or_default();
        missing.is_none()
    }

    /// What the reader still waits for, when the node is taken: so many nodes of a chain.
    fn reader_waits(&self, relation: &Relation, node: u32, reader: u32) -> Option<(u32, u32)> {
        let (own, chain) = (relation.chain(node), relation.chain(reader));
        let clock = relation.clock(reader);
        if let Some(missing) = self.missing(clock, own, chain) {
            return Some(missing);
        }
        if clock[own as usize] > relation.index(node) + 1 {
            return Some((own, clock[own as usize]));
        }
        let next = if chain == own { node + 1 } else { relation.start(chain) + self.taken[chain as usize] };
        let write = (next..=reader).find(|between| self.written(*between).next().is_some())?;
        Some((chain, relation.index(write) + 1))
    }

    fn overwrites_nothing_pending(&self, node: u32) -> bool {
        self.written(node).all(|access| {
            let is_reader = access.source != Source::Nothing;
            self.pending[access.register as usize] == u32::from(is_reader)
        })
    }

    fn take(&mut self, relation: &Relation, node: u32) {
        self.taken[relation.chain(node) as usize] += 1;
        self.order.push(node);
        self.journal_lengths.push(self.journal.len());
        for access in self.problem.accesses(node) {
            let pending = &mut self.pending[access.register as usize];
            self.journal.push((access.register, *pending));
            *pending -= u32::from(access.source != Source::Nothing);
            if access.is_write {
                assert_eq!(*pending, 0, "somebody still has to find what is overwritten");
                *pending = self.writes.readers(access.register, node).map(|readers| readers.count).sum();
            }
        }
    }
}
