//! A refutation in words: each order with its reason, then the cycle that they make.

use super::reads_from::Problem;
use super::relation::Reason;
use super::search::{Refuted, Told};
use crate::engine::forced_order;
use crate::engine::programs::Programs;

/// Orders told at most; a longer story tells nobody anything.
const TOLD_COUNT_MAX: usize = 24;

/// Each order that follows from others, then the cycle.
pub(super) fn told<T>(programs: &Programs<T>, problem: &Problem, refuted: &Refuted) -> Vec<String> {
    let story = &refuted.story;
    if story.is_empty() {
        return vec!["in whatever order the writes among them are put, what follows is a cycle".to_owned()];
    }
    let mut told: Vec<String> = Vec::new();
    let derived: Vec<&Told> = story.iter().filter(|told| is_derived(told.reason)).collect();
    if derived.len() <= TOLD_COUNT_MAX {
        told.extend(derived.into_iter().map(|edge| sentence(programs, problem, *edge)));
    }
    told.extend(cycle(programs, problem, refuted));
    told
}

fn is_derived(reason: Reason) -> bool {
    match reason {
        Reason::Client | Reason::ReadsFrom => false,
        Reason::Initial
        | Reason::BeforeSource { .. }
        | Reason::AfterReader { .. }
        | Reason::Tried { .. }
        | Reason::Refuted { .. } => true,
    }
}

fn sentence<T>(programs: &Programs<T>, problem: &Problem, told: Told) -> String {
    let name = |node: u32| format!("operation {}", programs.at(problem.places[node as usize]).number);
    let (from, to) = (name(told.from), name(told.to));
    let because = match told.reason {
        Reason::Client => "for one client did them in this order".to_owned(),
        Reason::ReadsFrom => "which found what it wrote".to_owned(),
        Reason::Initial => "which overwrote what it found, the initial value".to_owned(),
        Reason::BeforeSource { reader } => {
            format!("for it comes before {}, which found what {to} wrote", name(reader))
        }
        Reason::AfterReader { source } => {
            format!("for it found what {} wrote, which comes before {to}", name(source))
        }
        Reason::Tried { .. } | Reason::Refuted { .. } => {
            "for the other way round leads to a cycle".to_owned()
        }
    };
    format!("{from} comes before {to}, {because}")
}

/// The shortest cycle among the orders of the story and those of the clients.
fn cycle<T>(programs: &Programs<T>, problem: &Problem, refuted: &Refuted) -> Option<String> {
    let nodes: Vec<u32> = refuted.nodes.iter().copied().collect();
    let at = |node: u32| nodes.binary_search(&node).expect("the ends of every edge are needed");
    let mut edges: Vec<(usize, usize)> =
        refuted.story.iter().map(|told| (at(told.from), at(told.to))).collect();
    let chain = |node: u32| problem.chain_starts.partition_point(|start| *start <= node);
    edges.extend(
        (1..nodes.len()).filter(|at| chain(nodes[at - 1]) == chain(nodes[*at])).map(|at| (at - 1, at)),
    );
    let cycle = forced_order::cycle(nodes.len(), &edges)?;
    let number = |at: usize| programs.at(problem.places[nodes[at] as usize]).number;
    let hops: Vec<String> = (0..cycle.len())
        .map(|hop| {
            let (from, to) = (cycle[hop], cycle[(hop + 1) % cycle.len()]);
            let edge = refuted.story.iter().find(|told| (at(told.from), at(told.to)) == (from, to));
            let why = match edge.map(|told| told.reason) {
                None | Some(Reason::Client) => " (same client)",
                Some(Reason::ReadsFrom) => " (read from)",
                Some(_) => "",
            };
            format!("{}{why}", number(to))
        })
        .collect();
    Some(format!("a cycle: operation {} before {}", number(cycle[0]), hops.join(" before ")))
}
