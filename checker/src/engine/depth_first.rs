//! Depth first through the events of a history: is there a legal order that respects real time?
//!
//! Follows one configuration as far as it goes and remembers those that led nowhere. A configuration
//! holds open operations only, a window on the history, so what is remembered does not grow with its
//! length. Source: J. M. Wing and C. Gong, "Testing and verifying concurrent objects", J. Parallel
//! Distrib. Comput. 17 (1993), with the memory of G. Lowe, "Testing for linearizability", Concurrency
//! and Computation: Practice and Experience 29(4) (2017).

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::budget::Budget;
use crate::engine::configuration::Configuration;
use crate::engine::open::{OpenTable, Slot, SlotSet};
use crate::engine::race::{Engine, Found};
use crate::engine::timeline::{Event, EventKind, Timeline};
use crate::engine::window::Window;
use crate::spec::Spec;

/// A configuration before a return that it does not explain yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node<State> {
    /// Index of the event.
    event: u32,
    configuration: Configuration<State>,
}

/// A node on the path, and what is left to try from it.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Where the node is kept.
    node: u32,
    /// What it may still take.
    untried: SlotSet,
    /// What it took last; none if it went on without taking the operation that ends.
    taken: Option<Slot>,
    /// Whether it may still go on without taking the operation that ends.
    pass: Pass,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Untried,
    Tried,
}

/// Something was taken, or absorbed, before the event with this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) event: usize,
    /// None: the operation that ends was absorbed, or left out.
    pub(crate) taken: Option<Slot>,
}

/// A search that can be interrupted.
pub(crate) struct DepthFirst<'a, S: Spec> {
    spec: &'a S,
    timeline: &'a Timeline<'a, S::Step>,
    /// What is open before the event with the index `at`.
    table: OpenTable<S::Step>,
    at: usize,
    /// All nodes ever met, each once.
    nodes: Vec<Node<S::State>>,
    /// The hash of each node and where it is kept.
    seen: HashTable<(u64, u32)>,
    path: Vec<Frame>,
    /// The furthest event that no configuration got past.
    furthest: usize,
    /// How long it has been the furthest.
    stalled: Option<Stalled>,
    spent: u64,
}

/// A return that was not got past for a while: the last few answers may already forbid it.
#[derive(Clone, Copy, Debug)]
struct Stalled {
    /// Index of the event.
    furthest: usize,
    /// How many of the last answers are tried next.
    known_count: usize,
    /// Steps after which they are.
    at: u64,
}

/// How many of the last answers are tried first.
const KNOWN_COUNT_FIRST: usize = 8;
/// And how many at most.
const KNOWN_COUNT_MAX: usize = 2_048;
/// Steps of each try, unless the search has taken many more.
const REFUTATION_STEPS_MAX: u64 = 4_096;

impl<'a, S: Spec> DepthFirst<'a, S> {
    pub(crate) fn new(spec: &'a S, timeline: &'a Timeline<'a, S::Step>) -> Self {
        Self {
            spec,
            timeline,
            table: OpenTable::new(),
            at: 0,
            nodes: Vec::new(),
            seen: HashTable::new(),
            path: Vec::new(),
            furthest: 0,
            stalled: None,
            spent: 0,
        }
    }

    /// What was chosen on the way to a legal order.
    pub(crate) fn choices(&self) -> Vec<Choice> {
        let choice = |frame: &Frame| {
            let event = self.nodes[frame.node as usize].event as usize;
            Choice { event, taken: frame.taken }
        };
        self.path.iter().map(choice).collect()
    }

    /// Follows a configuration to the first return at which it has to choose. Says whether it came to
    /// the end.
    fn follow(&mut self, mut configuration: Configuration<S::State>) -> bool {
        while let Some(&event) = self.timeline.events.get(self.at) {
            let is_end = matches!(event.kind, EventKind::Expired | EventKind::Returned);
            if is_end && !configuration.taken.contains(event.slot) {
                self.arrive(configuration, event);
                return false;
            }
            self.timeline.forward(event, &mut self.table);
            if is_end {
                configuration = configuration.past(event);
            } else {
                configuration.see(self.spec, &self.table, event);
            }
            self.at += 1;
        }
        true
    }

    /// Puts a configuration that does not explain the return of `goal` on the path, unless it was met.
    fn arrive(&mut self, configuration: Configuration<S::State>, goal: Event) {
        self.furthest = self.furthest.max(self.at);
        let event = u32::try_from(self.at).expect("there are less than 2^32 events");
        let node = Node { event, configuration };
        let hash = FxBuildHasher.hash_one(&node);
        let is_same = |(_, kept): &(u64, u32)| self.nodes[*kept as usize] == node;
        if self.seen.find(hash, is_same).is_some() {
            return;
        }
        self.spent += 1 + node.configuration.steps(self.spec);
        let kept = u32::try_from(self.nodes.len()).expect("a budget of 2^32 steps does not fit memory");
        let pass = if node.configuration.may_pass(goal) { Pass::Untried } else { Pass::Tried };
        let untried = node.configuration.worth_taking(self.spec, &self.table, goal.slot);
        self.path.push(Frame { node: kept, untried, taken: None, pass });
        self.nodes.push(node);
        self.seen.insert_unique(hash, (hash, kept), |(hash, _)| *hash);
    }

    /// The next configuration to follow, from the last node that has one. None if there is none left.
    fn retreat(&mut self) -> Option<Configuration<S::State>> {
        while let Some(mut frame) = self.path.pop() {
            let event = self.nodes[frame.node as usize].event as usize;
            let goal = self.timeline.events[event].slot;
            if frame.pass == Pass::Untried {
                frame.pass = Pass::Tried;
                frame.taken = None;
                self.path.push(frame);
                self.go_to(event);
                let mut passing = self.nodes[frame.node as usize].configuration.clone();
                passing.taken = passing.taken.with(goal);
                return Some(passing);
            }
            if frame.untried.is_empty() {
                continue;
            }
            self.go_to(event);
            while let Some(slot) = self.best(&frame, goal) {
                frame.untried = frame.untried.without(slot);
                frame.taken = Some(slot);
                let configuration = &self.nodes[frame.node as usize].configuration;
                if let Some(next) = configuration.take(self.spec, &self.table, slot) {
                    self.path.push(frame);
                    return Some(next);
                }
            }
        }
        None
    }

    /// What to try first: the operation that returns, then what leads towards it, then what has to
    /// return soonest.
    fn best(&self, frame: &Frame, goal: Slot) -> Option<Slot> {
        let state = &self.nodes[frame.node as usize].configuration.state;
        let step = self.table.step(goal);
        if frame.untried.contains(goal) && self.spec.is_legal(state, step) {
            return Some(goal);
        }
        let is_away = |slot: &Slot| !self.spec.leads_towards(state, self.table.step(*slot), step);
        let urgency = |slot: &Slot| (is_away(slot), self.table.entry(*slot).deadline, *slot);
        frame.untried.into_iter().min_by_key(urgency)
    }

    fn go_to(&mut self, index: usize) {
        while self.at > index {
            self.at -= 1;
            self.timeline.back(self.timeline.events[self.at], &mut self.table);
        }
        assert_eq!(self.at, index, "the path leads back, never forward");
    }
}

impl<S: Spec> Engine for DepthFirst<'_, S> {
    fn advance(&mut self, steps_max: u64) -> Option<Found> {
        let mut configuration =
            if self.nodes.is_empty() { Some(Configuration::first(self.spec)) } else { self.retreat() };
        while let Some(next) = configuration {
            if self.follow(next) {
                return Some(if self.timeline.is_cut { self.exhausted() } else { Found::Legal });
            }
            if self.spent >= steps_max {
                return self.is_refuted().then(|| self.stuck());
            }
            configuration = self.retreat();
        }
        Some(self.stuck())
    }

    fn spent(&self) -> u64 {
        self.spent
    }

    fn exhausted(&self) -> Found {
        let is_at_cut = self.timeline.is_cut && self.at == self.timeline.events.len();
        let index = if is_at_cut { self.at } else { self.furthest };
        Found::Exhausted { open: self.timeline.open_before(index) }
    }
}

impl<S: Spec> DepthFirst<'_, S> {
    /// Whether the last few answers before the furthest return leave no order, whatever came before them.
    ///
    /// Takes at most as many steps as the search since it stalled, and counts them.
    fn is_refuted(&mut self) -> bool {
        let Some(stalled) = self.stalled.filter(|stalled| stalled.furthest == self.furthest) else {
            let (furthest, at) = (self.furthest, self.spent);
            self.stalled = Some(Stalled { furthest, known_count: KNOWN_COUNT_FIRST, at });
            return false;
        };
        let goal = self.timeline.events[self.furthest];
        if self.spent < stalled.at
            || stalled.known_count > KNOWN_COUNT_MAX
            || goal.kind != EventKind::Returned
        {
            return false;
        }
        let end = self.timeline.tasks[goal.place as usize].returned.unwrap_or(u64::MAX);
        let begun = self.timeline.tasks.partition_point(|task| task.invoked < end);
        let mut is_known = vec![false; begun];
        let returns = self.timeline.events[..=self.furthest].iter().rev();
        let returns = returns.filter(|event| event.kind == EventKind::Returned);
        returns.take(stalled.known_count).for_each(|event| is_known[event.place as usize] = true);
        let window = Window::cut(self.spec, &self.timeline.tasks[..begun], &is_known);
        let (found, steps) = match window {
            Some(window) => {
                window.search(self.spec, Budget { steps_max: REFUTATION_STEPS_MAX.max(self.spent / 4) })
            }
            None => (Found::Legal, 0),
        };
        self.spent += steps;
        let known_count = 2 * stalled.known_count;
        self.stalled = Some(Stalled { known_count, at: self.spent + steps, ..stalled });
        matches!(found, Found::Stuck { .. })
    }

    fn stuck(&self) -> Found {
        let before = &self.timeline.events[..self.furthest];
        let returned_count = before.iter().filter(|event| event.kind == EventKind::Returned).count();
        Found::Stuck { place: self.timeline.events[self.furthest].place as usize, returned_count }
    }
}
