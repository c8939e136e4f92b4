//! Is an order possible, given which node comes before which? If not, the shortest contradiction.
//!
//! Source of the test: A. B. Kahn, "Topological sorting of large networks", Commun. ACM 5(11) (1962).

use crate::engine::forced_order;

/// Why one node comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// One client asked one after the other.
    Program,
    /// The second reads what the first wrote.
    ReadsFrom,
    /// This reader sees the first write and still reads the second.
    Overwritten(u32),
}

/// One node comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) before: u32,
    pub(crate) after: u32,
    pub(crate) reason: Reason,
}

/// The nodes in an order that goes along all edges; if there is none, a cycle of edges, as short as
/// one through its least node can be.
pub(crate) fn order(node_count: usize, edges: &[Edge]) -> Result<Vec<u32>, Vec<Edge>> {
    let (order, before_count) = ordered(node_count, edges);
    if order.len() == node_count {
        return Ok(order);
    }
    // Only what lies on a cycle or behind one is left.
    let is_left = |node: u32| before_count[node as usize] > 0;
    let nodes: Vec<u32> = (0..).take(node_count).filter(|node| is_left(*node)).collect();
    let dense = |node: u32| nodes.partition_point(|other| *other < node);
    let left: Vec<&Edge> = edges.iter().filter(|edge| is_left(edge.before) && is_left(edge.after)).collect();
    let pairs: Vec<(usize, usize)> =
        left.iter().map(|edge| (dense(edge.before), dense(edge.after))).collect();
    let cycle = forced_order::cycle(nodes.len(), &pairs).expect("what has no order lies behind a cycle");
    let next = cycle.iter().cycle().skip(1);
    let edge = |(before, after): (&usize, &usize)| {
        let place = pairs.iter().position(|pair| *pair == (*before, *after));
        *left[place.expect("a cycle goes along edges")]
    };
    Err(cycle.iter().zip(next).map(edge).collect())
}

/// As many nodes in order as can be, and how many nodes of the rest still stand before each.
fn ordered(node_count: usize, edges: &[Edge]) -> (Vec<u32>, Vec<u32>) {
    let mut before_count = vec![0u32; node_count];
    let mut starts = vec![0u32; node_count + 1];
    for edge in edges {
        before_count[edge.after as usize] += 1;
        starts[edge.before as usize + 1] += 1;
    }
    for node in 0..node_count {
        starts[node + 1] += starts[node];
    }
    let mut places = starts.clone();
    let mut afters = vec![0u32; edges.len()];
    for edge in edges {
        let place = &mut places[edge.before as usize];
        afters[*place as usize] = edge.after;
        *place += 1;
    }
    let mut order: Vec<u32> = Vec::with_capacity(node_count);
    order.extend((0..).zip(&before_count).filter(|(_, count)| **count == 0).map(|(node, _)| node));
    let mut done = 0;
    while let Some(&node) = order.get(done) {
        done += 1;
        for &after in &afters[starts[node as usize] as usize..starts[node as usize + 1] as usize] {
            before_count[after as usize] -= 1;
            if before_count[after as usize] == 0 {
                order.push(after);
            }
        }
    }
    (order, before_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(u32, u32)]) -> Vec<Edge> {
        pairs.iter().map(|&(before, after)| Edge { before, after, reason: Reason::Program }).collect()
    }

    #[test]
    fn an_order_goes_along_all_edges() {
        assert_eq!(order(4, &edges(&[(0, 1), (1, 2), (0, 2), (3, 0)])), Ok(vec![3, 0, 1, 2]));
    }

    #[test]
    fn a_cycle_is_given_edge_by_edge_without_what_hangs_on_it() {
        let found = order(6, &edges(&[(5, 2), (2, 3), (3, 4), (4, 2), (4, 0)])).unwrap_err();
        let pairs: Vec<(u32, u32)> = found.iter().map(|edge| (edge.before, edge.after)).collect();
        assert_eq!(pairs, [(2, 3), (3, 4), (4, 2)]);
    }
}
