//! Sequential consistency of registers in which each value that was read has one writer.
//!
//! ```text
//!   steps ─reads_from─► nodes ─rules─► relation, closed ─cycle──────────► contradiction
//!                                          ▲      └─none─► sweep ─done──► a legal order
//!                              one order tried └────── two writes unordered
//! ```
//!
//! The question stays NP-complete even so (P. B. Gibbons and E. Korach, "Testing shared memories",
//! SIAM J. Comput. 26(4) (1997)), but the rules decide nearly all that a real history leaves open: to
//! close an order under them before anything is tried is the idea of R. Zennou, A. Bouajjani, C. Enea
//! and M. Erradi, "Gradual consistency checking", CAV 2019. With c chains each of n nodes has a clock
//! of c entries; where the order is nearly that of invocation, closing takes about n·c² steps.

mod likely;
mod reads_from;
mod relation;
mod rules;
mod search;
mod story;
mod sweep;
mod writes;

use std::collections::BTreeSet;

use crate::budget::{Budget, Spending};
use crate::engine::programs::{Contradiction, Found, Others, Programs, Ruling};
use reads_from::{Problem, Resolved, Source, resolve};
pub(crate) use reads_from::{Touch, Touching};
use search::{Refuted, Solved, solve};

/// Orders that follow from who read what, closed under the rules; the rest is tried.
pub(crate) const SATURATION: &str = "saturation";

/// Clock entries that count as one step.
const STEP_ENTRIES: u64 = 16;

/// Whether there is a legal order that keeps every chain. None if it is not known who wrote what.
pub(crate) fn decide<T, G: Touching<T>>(
    programs: &Programs<T>,
    registers: &G,
    budget: Budget,
) -> Option<Ruling> {
    let mut spending = Spending::new(budget);
    let found = match resolve(programs, registers) {
        Resolved::Unknown => return None,
        Resolved::NeverWritten(chain) => Found::Contradiction(never_written(programs, &chain)),
        Resolved::Problem(problem) => {
            let entries = problem.node_count() as u64 * problem.chain_count() as u64;
            if spending.spend(entries / STEP_ENTRIES).is_err() {
                let firsts = problem.chain_starts.windows(2).map(|chain| problem.places[chain[0] as usize]);
                Found::Exhausted(firsts.collect())
            } else {
                solved(programs, &problem, &mut spending)
            }
        }
    };
    Some(Ruling { algorithm: SATURATION, found, steps: spending.spent() })
}

fn solved<T>(programs: &Programs<T>, problem: &Problem, spending: &mut Spending) -> Found {
    let places = |nodes: Vec<u32>| nodes.into_iter().map(|node| problem.places[node as usize]).collect();
    match solve(problem, spending) {
        Solved::Order(order) => Found::Order(places(order)),
        Solved::Exhausted(open) => Found::Exhausted(places(open)),
        Solved::Refuted(refuted) => Found::Contradiction(contradiction(programs, problem, &refuted)),
    }
}

/// The last of the chain is not optional, and needs those before it, the first of which found nothing.
fn never_written<T>(programs: &Programs<T>, chain: &[usize]) -> Contradiction {
    let number = |place: &usize| programs.at(*place).number;
    let mut reasons = vec![format!("operation {} found what no operation wrote", number(&chain[0]))];
    for pair in chain.windows(2) {
        reasons.push(format!("it took effect, for operation {} found what it wrote", number(&pair[1])));
    }
    let (last, others) = chain.split_last().expect("it begins with what found nothing");
    Contradiction { places: vec![*last], others: Others::Listed(others.to_vec()), reasons }
}

fn contradiction<T>(programs: &Programs<T>, problem: &Problem, refuted: &Refuted) -> Contradiction {
    let mut needed: BTreeSet<usize> =
        refuted.nodes.iter().map(|node| problem.places[*node as usize]).collect();
    // What is optional took effect because of something that is not.
    let mut waiting: Vec<usize> = needed.iter().copied().collect();
    while let Some(place) = waiting.pop() {
        waiting.extend(problem.dependants.get(&place).filter(|dependant| needed.insert(**dependant)));
    }
    let (places, mut supports): (Vec<usize>, Vec<usize>) =
        needed.iter().partition(|place| !programs.at(**place).is_optional);
    // Whatever was found has to be written, if only perhaps.
    let mut at = 0;
    let mut all: Vec<usize> = needed.iter().copied().collect();
    while let Some(&place) = all.get(at) {
        at += 1;
        let node = problem.places.binary_search(&place).expect("what is needed took effect");
        for access in problem.accesses(node as u32) {
            if let Source::Node(source) = access.source {
                let source = problem.places[source as usize];
                if needed.insert(source) {
                    all.push(source);
                    supports.push(source);
                }
            }
        }
    }
    Contradiction {
        places,
        others: Others::Listed(supports),
        reasons: story::told(programs, problem, refuted),
    }
}
