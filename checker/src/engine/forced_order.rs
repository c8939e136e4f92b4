//! What must come before what, in every legal order; a cycle refutes.
//!
//! An edge is the order of one client, or a pair that the specification forces.

use std::collections::VecDeque;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// A cycle with few nodes, if there is one. Nodes are `0..node_count`.
pub(crate) fn cycle(node_count: usize, edges: &[(usize, usize)]) -> Option<Vec<usize>> {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(node_count, edges.len());
    for _ in 0..node_count {
        graph.add_node(());
    }
    for &(before, after) in edges {
        graph.add_edge(NodeIndex::new(before), NodeIndex::new(after), ());
    }
    let components = tarjan_scc(&graph);
    let smallest = components.iter().filter(|component| component.len() > 1).min_by_key(|c| c.len())?;
    let start = *smallest.iter().min()?;
    Some(shortest_through(&graph, start))
}

/// The shortest cycle through `start`, which lies on one. Breadth first.
fn shortest_through(graph: &DiGraph<(), ()>, start: NodeIndex) -> Vec<usize> {
    let mut reached_from: Vec<Option<NodeIndex>> = vec![None; graph.node_count()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        if reached_from[start.index()].is_some() {
            break;
        }
        for next in graph.neighbors(node) {
            if reached_from[next.index()].is_none() {
                reached_from[next.index()] = Some(node);
                queue.push_back(next);
            }
        }
    }
    let mut cycle = vec![start.index()];
    let mut node = reached_from[start.index()];
    while let Some(at) = node.filter(|at| *at != start) {
        cycle.push(at.index());
        node = reached_from[at.index()];
    }
    cycle.reverse();
    cycle.rotate_right(1);
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_no_cycle() {
        assert_eq!(cycle(4, &[(0, 1), (1, 2), (0, 2), (2, 3)]), None);
    }

    #[test]
    fn the_shortest_cycle_is_given_in_its_order() {
        let edges = [(0, 1), (1, 2), (2, 3), (3, 0), (1, 3)];
        assert_eq!(cycle(4, &edges), Some(vec![0, 1, 3]));
    }
}
