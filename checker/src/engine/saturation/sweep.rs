//! Goes forward through all chains and says which writes have to be put in order before it can go on.

use super::reads_from::Problem;
use super::relation::Relation;
use super::writes::Writes;

/// How far each chain has got.
pub(super) struct Sweep {
    taken: Vec<u32>,
    order: Vec<u32>,
    /// For each chain, what its next node waits for: so many nodes of another chain.
    blocked: Vec<(u32, u32)>,
}

/// What the sweep needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: every node was taken.
    Done,
    /// Nothing: it has moved on.
    Moved,
    /// To know whether these two writes of one register come in this order.
    Order(u32, u32),
}

impl Sweep {
    pub(super) fn of(problem: &Problem) -> Self {
        let chains = problem.chain_count();
        Self {
            taken: vec![0; chains],
            order: Vec::with_capacity(problem.node_count()),
            blocked: vec![(0, 0); chains],
        }
    }

    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The next nodes of all chains.
    pub(super) fn open(&self, relation: &Relation) -> Vec<u32> {
        (0..self.taken.len() as u32).filter_map(|chain| self.head(relation, chain)).collect()
    }

    /// Takes all that only reads and may come next, then the write invoked first, if it may.
    pub(super) fn go_on(&mut self, problem: &Problem, writes: &Writes, relation: &Relation) -> Next {
        let taken_count = self.order.len();
        let mut best: Option<(u64, u32)> = None;
        for chain in 0..self.taken.len() as u32 {
            while let Some(node) = self.head(relation, chain).filter(|node| self.may_come(relation, *node)) {
                if problem.accesses(node).iter().any(|access| access.is_write) {
                    let candidate = (problem.invoked[node as usize], node);
                    best = Some(best.map_or(candidate, |best| best.min(candidate)));
                    break;
                }
                self.take(relation, node);
            }
        }
        let Some((_, write)) = best else {
            assert!(
                self.order.len() > taken_count || self.order.len() == problem.node_count(),
                "an order without a cycle has a first node"
            );
            return if self.order.len() == problem.node_count() { Next::Done } else { Next::Moved };
        };
        if let Some(other) = self.unordered(problem, writes, relation, write) {
            return Next::Order(write, other);
        }
        self.take(relation, write);
        Next::Moved
    }

    /// A write of the same register, not taken yet, that is not known to come after this one.
    fn unordered(&self, problem: &Problem, writes: &Writes, relation: &Relation, write: u32) -> Option<u32> {
        let own = relation.chain(write);
        for access in problem.accesses(write).iter().filter(|access| access.is_write) {
            for lane in writes.lanes(access.register).iter().filter(|lane| lane.chain != own) {
                let next = relation.start(lane.chain) + self.taken[lane.chain as usize];
                let nodes = writes.nodes(*lane);
                let first = nodes.get(nodes.partition_point(|node| *node < next));
                if let Some(&other) = first.filter(|other| !relation.precedes(write, **other)) {
                    return Some(other);
                }
            }
        }
        None
    }

    /// Takes back all but the first `count`.
    pub(super) fn undo(&mut self, relation: &Relation, count: usize) {
        for node in self.order.drain(count..) {
            self.taken[relation.chain(node) as usize] -= 1;
        }
        self.blocked.fill((0, 0));
    }

    fn head(&self, relation: &Relation, chain: u32) -> Option<u32> {
        let node = relation.start(chain) + self.taken[chain as usize];
        (node < relation.end(chain)).then_some(node)
    }

    /// Whether all that comes before the node was taken.
    fn may_come(&mut self, relation: &Relation, node: u32) -> bool {
        let own = relation.chain(node) as usize;
        let (chain, count) = self.blocked[own];
        if self.taken[chain as usize] < count {
            return false;
        }
        let clock = relation.clock(node);
        let missing = (0..clock.len()).find(|chain| *chain != own && clock[*chain] > self.taken[*chain]);
        if let Some(chain) = missing {
            self.blocked[own] = (chain as u32, clock[chain]);
        }
        missing.is_none()
    }

    fn take(&mut self, relation: &Relation, node: u32) {
        self.taken[relation.chain(node) as usize] += 1;
        self.order.push(node);
    }
}
