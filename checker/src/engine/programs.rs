//! What all clients did on all objects, one chain of operations a client.
//!
//! ```text
//!   client 3   ──► a ──► b ──► c            a chain keeps its order
//!                   └──► u                  an unknown outcome in the middle is a chain of its own:
//!                                           after a, but before nothing
//! ```

use std::ops::Range;

use crate::history::OperationIndex;

/// One operation in the program of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned<T> {
    /// What it does.
    pub step: T,
    /// Index of its object.
    pub object: usize,
    /// Whether it may be left out: its outcome is unknown.
    pub is_unknown: bool,
    /// Position of its invocation.
    pub invoked: u64,
    /// Its number in the history.
    pub number: OperationIndex,
    /// For the caller: which operation this is.
    pub tag: usize,
}

/// Operations in an order that has to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The places of its operations.
    pub places: Range<usize>,
    /// The place of the operation of another chain after which it begins.
    pub after: Option<usize>,
}

/// The operations of all clients: the places of a chain are neighbours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs<T> {
    operations: Vec<Planned<T>>,
    chains: Vec<Chain>,
    object_count: usize,
}

impl<T> Programs<T> {
    /// Nobody did anything yet on these objects.
    pub fn new(object_count: usize, capacity: usize) -> Self {
        Self { operations: Vec::with_capacity(capacity), chains: Vec::new(), object_count }
    }

    /// One more client, which did this in this order.
    ///
    /// What is of unknown outcome may take effect at any later time, hence also after what its client
    /// did next, should it have done anything.
    pub fn push(&mut self, operations: impl Iterator<Item = Planned<T>>) {
        let first = self.operations.len();
        let mut floating: Vec<(Option<usize>, Planned<T>)> = Vec::new();
        for operation in operations {
            if operation.is_unknown {
                let last = self.operations.len().checked_sub(1).filter(|last| *last >= first);
                floating.push((last, operation));
            } else {
                self.operations.push(operation);
            }
        }
        let last = self.operations.len().checked_sub(1).filter(|last| *last >= first);
        if floating.len() == 1 && floating[0].0 == last {
            self.operations.extend(floating.pop().map(|(_, operation)| operation));
        }
        self.chain(first, None);
        for (after, operation) in floating {
            let first = self.operations.len();
            self.operations.push(operation);
            self.chain(first, after);
        }
    }

    fn chain(&mut self, first: usize, after: Option<usize>) {
        if first < self.operations.len() {
            self.chains.push(Chain { places: first..self.operations.len(), after });
        }
    }

    /// All operations, by place.
    pub fn operations(&self) -> &[Planned<T>] {
        &self.operations
    }

    /// The operation at a place.
    pub fn at(&self, place: usize) -> &Planned<T> {
        &self.operations[place]
    }

    /// All chains, by place.
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// How many objects there are.
    pub fn object_count(&self) -> usize {
        self.object_count
    }
}

/// What an algorithm for sequential consistency found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The name of the algorithm.
    pub algorithm: &'static str,
    /// What it found.
    pub found: Found,
    /// Steps spent.
    pub steps: u64,
}

/// Whether there is a legal order that keeps every chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This one, by places. It leaves out operations of unknown outcome only.
    Order(Vec<usize>),
    /// There is none.
    Contradiction(Contradiction),
    /// The budget was used up; these places were still open.
    Exhausted(Vec<usize>),
}

/// Operations that rule out every order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contradiction {
    /// Their places: without the answers to all others there is still no legal order.
    pub places: Vec<usize>,
    /// Further places that matter, their outcomes being taken for unknown; none if all may.
    pub supports: Option<Vec<usize>>,
    /// Why, sentence by sentence without full stops; operations are named by number.
    pub reasons: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(number: u32, is_unknown: bool) -> Planned<u32> {
        let invoked = u64::from(number);
        Planned { step: number, object: 0, is_unknown, invoked, number: OperationIndex(number), tag: 0 }
    }

    #[test]
    fn an_unknown_outcome_at_the_end_stays_in_the_chain_and_in_the_middle_floats() {
        let mut programs = Programs::new(1, 0);
        programs.push([planned(0, false), planned(1, true)].into_iter());
        programs.push([planned(2, false), planned(3, true), planned(4, false)].into_iter());
        programs.push([planned(5, true), planned(6, true)].into_iter());
        let steps: Vec<u32> = programs.operations().iter().map(|operation| operation.step).collect();
        assert_eq!(steps, [0, 1, 2, 4, 3, 5, 6]);
        let chain = |places, after| Chain { places, after };
        let wanted = [
            chain(0..2, None),
            chain(2..4, None),
            chain(4..5, Some(2)),
            chain(5..6, None),
            chain(6..7, None),
        ];
        assert_eq!(programs.chains(), wanted);
    }
}
