//! Depth-first search with memory over the programs of all clients: sequential consistency.
//!
//! A node is how far each client has got and the state of each object. Observations are taken as
//! soon as they are legal; otherwise only [entangled](super::entangled) clients advance, in real-time
//! order first, for most histories are nearly linearizable. The problem is NP-complete (P. B. Gibbons and E. Korach, "Testing shared
//! memories", SIAM J. Comput. 26(4) (1997)), hence the budget.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use crate::budget::{Budget, Exhausted, Spending};
use crate::engine::entangled::{ByObject, Entanglement};
use crate::spec::Spec;

/// Numbers of a node that count as one step.
const STEP_NUMBERS: usize = 16;

/// One operation in the program of its client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<T> {
    /// What it does.
    pub(crate) step: T,
    /// Index of its object.
    pub(crate) object: usize,
    /// Whether it may be left out: its outcome is unknown.
    pub(crate) is_optional: bool,
    /// Position of its invocation: the order in which to try.
    pub(crate) invoked: u64,
    /// For the caller: which operation this is.
    pub(crate) tag: usize,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A legal order exists.
    Legal,
    /// None does. The tags of what each client could not get past where the search came furthest.
    Illegal(Vec<usize>),
    /// The budget was used up.
    Exhausted(Vec<usize>),
}

/// Looks for a legal order of all programs, each in its own order.
pub(crate) fn search<S: Spec>(
    spec: &S,
    programs: &[Vec<Item<S::Step>>],
    object_count: usize,
    budget: Budget,
) -> (Found, u64) {
    let mut search = Search::new(spec, programs, object_count, budget);
    let found = search.run(&mut Vec::new());
    (found, search.spending.spent())
}

/// A legal order of all programs, as tags. None if there is none, or none is found within the budget.
pub(crate) fn legal_order<S: Spec>(
    spec: &S,
    programs: &[Vec<Item<S::Step>>],
    object_count: usize,
    budget: Budget,
) -> Option<Vec<usize>> {
    let mut search = Search::new(spec, programs, object_count, budget);
    let mut stack = Vec::new();
    (search.run(&mut stack) == Found::Legal).then(|| search.told(&stack))
}

/// A client goes on: it takes its next operation, or leaves it out.
#[derive(Clone, Copy, Debug)]
struct Advance {
    client: usize,
    is_taken: bool,
}

/// How far every client has got, and the number of the state of every object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node(Box<[u32]>);

/// A node and what is left to try from it, best last.
struct Frame {
    node: Node,
    /// What led here from the node before, if anything.
    by: Option<Advance>,
    untried: Vec<Advance>,
}

struct Search<'a, S: Spec> {
    spec: &'a S,
    programs: &'a [Vec<Item<S::Step>>],
    by_object: ByObject,
    states: Vec<S::State>,
    numbers: HashMap<S::State, u32, FxBuildHasher>,
    seen: HashSet<Node, FxBuildHasher>,
    spending: Spending,
    furthest: (usize, Vec<usize>),
    first: Node,
}

impl<'a, S: Spec> Search<'a, S> {
    fn new(spec: &'a S, programs: &'a [Vec<Item<S::Step>>], object_count: usize, budget: Budget) -> Self {
        let mut search = Self {
            spec,
            programs,
            by_object: ByObject::of(programs, object_count),
            states: Vec::new(),
            numbers: HashMap::default(),
            seen: HashSet::default(),
            spending: Spending::new(budget),
            furthest: (0, Vec::new()),
            first: Node(vec![0; programs.len() + object_count].into_boxed_slice()),
        };
        let initial = search.number(spec.initial());
        assert_eq!(initial, 0, "a new node has all its objects in state 0");
        search
    }

    fn run(&mut self, stack: &mut Vec<Frame>) -> Found {
        let first = self.first.clone();
        if self.arrive(first, None, stack).is_err() {
            return Found::Exhausted(self.furthest.1.clone());
        }
        while let Some(frame) = stack.last_mut() {
            if self.is_done(&frame.node) {
                return Found::Legal;
            }
            let Some(advance) = frame.untried.pop() else {
                stack.pop();
                continue;
            };
            let node = frame.node.clone();
            if let Some(next) = self.advanced(node, advance)
                && self.arrive(next, Some(advance), stack).is_err()
            {
                return Found::Exhausted(self.furthest.1.clone());
            }
        }
        Found::Illegal(self.furthest.1.clone())
    }

    /// Takes what only observes, then puts the node on the stack unless it was seen.
    fn arrive(
        &mut self,
        mut node: Node,
        by: Option<Advance>,
        stack: &mut Vec<Frame>,
    ) -> Result<(), Exhausted> {
        self.observe(&mut node, |_| {});
        if self.seen.contains(&node) {
            return Ok(());
        }
        self.spending.spend((1 + node.0.len() / STEP_NUMBERS) as u64)?;
        self.note_furthest(&node);
        self.seen.insert(node.clone());
        let untried = self.advances(&node);
        stack.push(Frame { node, by, untried });
        Ok(())
    }

    /// The tags of what was taken on the way along these frames.
    fn told(&self, stack: &[Frame]) -> Vec<usize> {
        let mut order = Vec::new();
        let mut node = self.first.clone();
        for frame in stack {
            if let Some(Advance { client, is_taken }) = frame.by {
                order.extend(self.next(&node, client).filter(|_| is_taken).map(|item| item.tag));
                // The states are those of the frame but for what only observes.
                node = Node(
                    node.0[..self.programs.len()]
                        .iter()
                        .chain(&frame.node.0[self.programs.len()..])
                        .copied()
                        .collect(),
                );
                node.0[client] += 1;
            }
            self.observe(&mut node, |tag| order.push(tag));
        }
        order
    }

    fn observe(&self, node: &mut Node, mut noted: impl FnMut(usize)) {
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            for client in 0..self.programs.len() {
                while let Some(item) = self.next(node, client) {
                    let state = self.state(node, item.object);
                    if !(self.spec.only_observes(state, &item.step) && self.spec.is_legal(state, &item.step))
                    {
                        break;
                    }
                    noted(item.tag);
                    node.0[client] += 1;
                    has_moved = true;
                }
            }
        }
    }

    fn advanced(&mut self, mut node: Node, advance: Advance) -> Option<Node> {
        let item = self.next(&node, advance.client)?;
        if advance.is_taken {
            let next = self.spec.apply(self.state(&node, item.object), &item.step)?;
            let number = self.number(next);
            node.0[self.programs.len() + item.object] = number;
        }
        node.0[advance.client] += 1;
        Some(node)
    }

    /// What is worth doing next, the best last: earliest invoked taken first, leaving out last.
    fn advances(&self, node: &Node) -> Vec<Advance> {
        let mut advances = Vec::new();
        for client in self.worth_advancing(node) {
            let Some(item) = self.next(node, client) else { continue };
            if item.is_optional {
                advances.push((false, item.invoked, client));
            }
            if self.spec.is_legal(self.state(node, item.object), &item.step) {
                advances.push((true, item.invoked, client));
            }
        }
        advances.sort_unstable_by_key(|&(is_taken, invoked, _)| (is_taken, std::cmp::Reverse(invoked)));
        advances.into_iter().map(|(is_taken, _, client)| Advance { client, is_taken }).collect()
    }

    /// The clients entangled with the one that asked first of those that still have to go on.
    fn worth_advancing(&self, node: &Node) -> Vec<usize> {
        let has_to_go_on = |client: &usize| self.left(node, *client).iter().any(|item| !item.is_optional);
        let first = (0..self.programs.len())
            .filter(has_to_go_on)
            .min_by_key(|client| self.next(node, *client).map(|item| item.invoked));
        let Some(first) = first else { return Vec::new() };
        let entanglement = Entanglement {
            spec: self.spec,
            programs: self.programs,
            by_object: &self.by_object,
            done: &node.0[..self.programs.len()],
        };
        let clients = entanglement.clients(first, |object| self.state(node, object));
        clients.unwrap_or_else(|| (0..self.programs.len()).collect())
    }

    fn is_done(&self, node: &Node) -> bool {
        (0..self.programs.len()).all(|client| self.left(node, client).iter().all(|item| item.is_optional))
    }

    fn note_furthest(&mut self, node: &Node) {
        let taken: usize = node.0[..self.programs.len()].iter().map(|&at| at as usize).sum();
        if taken >= self.furthest.0 {
            let open = (0..self.programs.len()).filter_map(|client| self.next(node, client));
            self.furthest = (taken, open.filter(|item| !item.is_optional).map(|item| item.tag).collect());
        }
    }

    fn left(&self, node: &Node, client: usize) -> &'a [Item<S::Step>] {
        &self.programs[client][node.0[client] as usize..]
    }

    fn next(&self, node: &Node, client: usize) -> Option<&'a Item<S::Step>> {
        self.left(node, client).first()
    }

    fn state(&self, node: &Node, object: usize) -> &S::State {
        &self.states[node.0[self.programs.len() + object] as usize]
    }

    fn number(&mut self, state: S::State) -> u32 {
        let next = u32::try_from(self.states.len()).expect("the budget is used up before 2^32 states");
        let states = &mut self.states;
        *self.numbers.entry(state).or_insert_with_key(|state| {
            states.push(state.clone());
            next
        })
    }
}
