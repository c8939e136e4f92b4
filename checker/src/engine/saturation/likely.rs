//! An order of all nodes that is probably nearly legal, in which clocks are passed on soonest.
//!
//! Whatever reads goes as early as it can, whatever writes when it was invoked: so a read of an old
//! value stands where that value was new.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::reads_from::{Problem, Source};

/// Every node once. Chains and sources come first, unless they form a cycle.
pub(super) fn order(problem: &Problem) -> Vec<u32> {
    let count = problem.node_count();
    let mut order = Vec::with_capacity(count);
    let (successors, starts, mut missing) = successors(problem);
    let priority = |node: u32| {
        let is_write = problem.accesses(node).iter().any(|access| access.is_write);
        Reverse((if is_write { problem.invoked[node as usize] } else { 0 }, node))
    };
    let first = (0..count as u32).filter(|node| missing[*node as usize] == 0);
    let mut ready: BinaryHeap<_> = first.map(priority).collect();
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        for &next in &successors[starts[node as usize] as usize..starts[node as usize + 1] as usize] {
            missing[next as usize] -= 1;
            if missing[next as usize] == 0 {
                ready.push(priority(next));
            }
        }
    }
    order.extend((0..count as u32).filter(|node| missing[*node as usize] > 0));
    order
}

/// What comes right after each node, where those of a node begin, how many come right before it.
fn successors(problem: &Problem) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let count = problem.node_count();
    let mut pairs = problem.afters.clone();
    for chain in problem.chain_starts.windows(2) {
        pairs.extend((chain[0] + 1..chain[1]).map(|node| (node - 1, node)));
    }
    for node in 0..count as u32 {
        for access in problem.accesses(node) {
            if let Source::Node(source) = access.source {
                pairs.push((source, node));
            }
        }
    }
    let mut starts = vec![0; count + 1];
    let mut missing = vec![0; count];
    for &(from, to) in &pairs {
        starts[from as usize + 1] += 1;
        missing[to as usize] += 1;
    }
    for node in 0..count {
        starts[node + 1] += starts[node];
    }
    let mut next = starts.clone();
    let mut successors = vec![0; pairs.len()];
    for (from, to) in pairs {
        let at = &mut next[from as usize];
        successors[*at as usize] = to;
        *at += 1;
    }
    (successors, starts, missing)
}
