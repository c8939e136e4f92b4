//! Depth first through the events of a history: is there a legal order that respects real time?
//!
//! Follows one configuration as far as it goes and remembers those that led nowhere. A configuration
//! holds open operations only, a window on the history, so what is remembered does not grow with its
//! length. Source: J. M. Wing and C. Gong, "Testing and verifying concurrent objects", J. Parallel
//! Distrib. Comput. 17 (1993), with the memory of G. Lowe, "Testing for linearizability", Concurrency
//! and Computation: Practice and Experience 29(4) (2017).

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use crate::engine::configuration::Configuration;
use crate::engine::open::{OpenTable, Slot};
use crate::engine::race::{Engine, Found};
use crate::engine::timeline::{EventKind, Timeline};
use crate::spec::Spec;

/// A configuration before the event with this index, not yet followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node<State> {
    next: u32,
    configuration: Configuration<State>,
}

/// A search that can be interrupted.
pub(crate) struct DepthFirst<'a, S: Spec> {
    spec: &'a S,
    timeline: &'a Timeline<'a, S::Step>,
    /// What is open before the event with the index `at`.
    table: OpenTable<S::Step>,
    at: usize,
    stack: Vec<Node<S::State>>,
    seen: HashSet<Node<S::State>, FxBuildHasher>,
    /// The furthest event that no configuration got past.
    furthest: usize,
    spent: u64,
}

impl<'a, S: Spec> DepthFirst<'a, S> {
    pub(crate) fn new(spec: &'a S, timeline: &'a Timeline<'a, S::Step>) -> Self {
        Self {
            spec,
            timeline,
            table: OpenTable::new(),
            at: 0,
            stack: vec![Node { next: 0, configuration: Configuration::first(spec) }],
            seen: HashSet::default(),
            furthest: 0,
            spent: 0,
        }
    }

    /// Follows a node to the first return at which it has to choose. Says whether it came to the end.
    fn follow(&mut self, node: Node<S::State>) -> bool {
        let Node { next, mut configuration } = node;
        self.go_to(next as usize);
        while let Some(&event) = self.timeline.events.get(self.at) {
            match event.kind {
                EventKind::Invoked | EventKind::Pending => {
                    self.timeline.forward(event, &mut self.table);
                    if event.kind == EventKind::Invoked {
                        configuration.settle(self.spec, &self.table, event.slot);
                    } else {
                        configuration.taken = configuration.taken.without(event.slot);
                    }
                }
                EventKind::Returned if configuration.taken.contains(event.slot) => {
                    self.timeline.forward(event, &mut self.table);
                    configuration.taken = configuration.taken.without(event.slot);
                }
                EventKind::Returned => {
                    self.choose(configuration, event.slot);
                    return false;
                }
            }
            self.at += 1;
        }
        true
    }

    /// Puts on the stack what may come before the return of `goal`, the best last.
    fn choose(&mut self, configuration: Configuration<S::State>, goal: Slot) {
        self.furthest = self.furthest.max(self.at);
        let next = u32::try_from(self.at).expect("there are less than 2^32 events");
        let node = Node { next, configuration };
        if self.seen.contains(&node) {
            return;
        }
        self.spent += 1 + node.configuration.steps(self.spec);
        let configuration = &node.configuration;
        let worth = configuration.worth_taking(self.spec, &self.table, goal);
        let mut slots: Vec<Slot> = worth.without(goal).into_iter().collect();
        slots.sort_unstable_by_key(|slot| std::cmp::Reverse((self.table.entry(*slot).deadline, *slot)));
        slots.extend(worth.contains(goal).then_some(goal));
        for slot in slots {
            if let Some(configuration) = configuration.take(self.spec, &self.table, slot) {
                self.spent += configuration.steps(self.spec);
                self.stack.push(Node { next, configuration });
            }
        }
        if configuration.absorbable.contains(goal) {
            let mut absorbed = configuration.clone();
            absorbed.absorbable = absorbed.absorbable.without(goal);
            absorbed.taken = absorbed.taken.with(goal);
            self.stack.push(Node { next, configuration: absorbed });
        }
        self.seen.insert(node);
    }

    fn go_to(&mut self, index: usize) {
        while self.at > index {
            self.at -= 1;
            self.timeline.back(self.timeline.events[self.at], &mut self.table);
        }
        while self.at < index {
            self.timeline.forward(self.timeline.events[self.at], &mut self.table);
            self.at += 1;
        }
    }
}

impl<S: Spec> Engine for DepthFirst<'_, S> {
    fn advance(&mut self, steps_max: u64) -> Option<Found> {
        while self.spent < steps_max {
            let Some(node) = self.stack.pop() else { return Some(self.stuck()) };
            if self.follow(node) {
                return Some(if self.timeline.is_cut { self.exhausted() } else { Found::Legal });
            }
        }
        None
    }

    fn spent(&self) -> u64 {
        self.spent
    }

    fn exhausted(&self) -> Found {
        let index = if self.timeline.is_cut && self.at == self.timeline.events.len() {
            self.at
        } else {
            self.furthest
        };
        Found::Exhausted { open: self.timeline.open_before(index) }
    }
}

impl<S: Spec> DepthFirst<'_, S> {
    fn stuck(&self) -> Found {
        let before = &self.timeline.events[..self.furthest];
        let returned_count = before.iter().filter(|event| event.kind == EventKind::Returned).count();
        Found::Stuck { place: self.timeline.events[self.furthest].place as usize, returned_count }
    }
}
