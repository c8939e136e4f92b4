//! Sets of configurations, breadth first: is there a legal order that respects real time?
//!
//! ```text
//!   invocation:  every configuration sees one more open operation
//!   return of x: each configuration without x is expanded until x is taken; none left: violated
//! ```
//!
//! This is just-in-time linearization: nothing is decided before an operation returns. Source:
//! J. M. Wing and C. Gong, "Testing and verifying concurrent objects", J. Parallel Distrib. Comput. 17
//! (1993); G. Lowe, "Testing for linearizability", Concurrency and Computation: Practice and
//! Experience 29(4) (2017). Of two configurations of which one is at least as good as the other, the
//! other is dropped.

use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

use crate::engine::configuration::Configuration;
use crate::engine::open::{OpenTable, SlotSet};
use crate::engine::race::{Engine, Found};
use crate::engine::timeline::{Event, EventKind, Timeline};
use crate::spec::Spec;

/// Above so many configurations of one state the comparison of all pairs costs more than it saves.
const COMPARED_COUNT_MAX: usize = 1_000;

type Set<State> = HashSet<Configuration<State>, FxBuildHasher>;

/// A search that can be interrupted.
pub(crate) struct BreadthFirst<'a, S: Spec> {
    spec: &'a S,
    timeline: &'a Timeline<'a, S::Step>,
    table: OpenTable<S::Step>,
    /// Index of the next event.
    next: usize,
    returned_count: usize,
    configurations: Vec<Configuration<S::State>>,
    /// What is left to expand for the return that comes next.
    stack: Vec<Configuration<S::State>>,
    is_expanding: bool,
    expanded: Set<S::State>,
    reached: Set<S::State>,
    spent: u64,
}

impl<'a, S: Spec> BreadthFirst<'a, S> {
    pub(crate) fn new(spec: &'a S, timeline: &'a Timeline<'a, S::Step>) -> Self {
        Self::from(spec, timeline, &[spec.initial()])
    }

    /// The same where the object may be in one of several states at first.
    pub(crate) fn from(spec: &'a S, timeline: &'a Timeline<'a, S::Step>, starts: &[S::State]) -> Self {
        Self {
            spec,
            timeline,
            table: OpenTable::new(),
            next: 0,
            returned_count: 0,
            configurations: starts.iter().cloned().map(Configuration::of).collect(),
            stack: Vec::new(),
            is_expanding: false,
            expanded: Set::default(),
            reached: Set::default(),
            spent: 0,
        }
    }

    fn see(&mut self, event: Event) {
        self.timeline.forward(event, &mut self.table);
        for configuration in &mut self.configurations {
            configuration.see(self.spec, &self.table, event);
        }
    }

    /// Expands towards the return of an operation. Says whether it came to the end.
    fn expand(&mut self, goal: Event, steps_max: u64) -> bool {
        if !self.is_expanding {
            self.is_expanding = true;
            for configuration in std::mem::take(&mut self.configurations) {
                self.arrive(configuration, goal);
            }
        }
        while let Some(configuration) = self.stack.pop() {
            if self.spent >= steps_max {
                self.stack.push(configuration);
                return false;
            }
            for slot in configuration.worth_taking(self.spec, &self.table, goal.slot) {
                if let Some(next) = configuration.take(self.spec, &self.table, slot) {
                    self.arrive(next, goal);
                }
            }
        }
        self.is_expanding = false;
        true
    }

    /// Keeps a configuration that needs not take the goal any more; puts any other on the stack, once.
    fn arrive(&mut self, configuration: Configuration<S::State>, goal: Event) {
        self.spent += configuration.steps(self.spec);
        if configuration.taken.contains(goal.slot) {
            self.reached.insert(configuration.past(goal));
            return;
        }
        if configuration.may_pass(goal) {
            self.reached.insert(configuration.clone().past(goal));
        }
        if !self.expanded.contains(&configuration) {
            self.expanded.insert(configuration.clone());
            self.stack.push(configuration);
        }
    }

    fn give_back(&mut self, event: Event) {
        self.expanded.clear();
        self.timeline.forward(event, &mut self.table);
        let reached = self.reached.drain().collect();
        self.configurations = without_dominated(reached, self.table.unknown);
        self.returned_count += usize::from(event.kind == EventKind::Returned);
    }
}

impl<S: Spec> Engine for BreadthFirst<'_, S> {
    fn advance(&mut self, steps_max: u64) -> Option<Found> {
        while let Some(&event) = self.timeline.events.get(self.next) {
            match event.kind {
                EventKind::Invoked | EventKind::Pending => self.see(event),
                EventKind::Expired | EventKind::Returned => {
                    if self.spent >= steps_max || !self.expand(event, steps_max) {
                        return None;
                    }
                    self.give_back(event);
                    if self.configurations.is_empty() {
                        let place = event.place as usize;
                        return Some(Found::Stuck {
                            place,
                            returned_count: self.returned_count.saturating_sub(1),
                        });
                    }
                }
            }
            self.next += 1;
        }
        Some(if self.timeline.is_cut { self.exhausted() } else { Found::Legal })
    }

    fn spent(&self) -> u64 {
        self.spent
    }

    fn exhausted(&self) -> Found {
        Found::Exhausted { open: self.timeline.open_before(self.next) }
    }
}

/// Drops each configuration of which another one is at least as good.
fn without_dominated<State: Clone + Eq + std::hash::Hash>(
    mut configurations: Vec<Configuration<State>>,
    unknown: SlotSet,
) -> Vec<Configuration<State>> {
    if configurations.len() < 2 {
        return configurations;
    }
    configurations.sort_unstable_by_key(|configuration| {
        (configuration.used.total(), std::cmp::Reverse(configuration.absorbable.len()))
    });
    let mut kept: Vec<Configuration<State>> = Vec::with_capacity(configurations.len());
    let mut by_state: HashMap<State, Vec<usize>, FxBuildHasher> = HashMap::default();
    for configuration in configurations {
        let rivals = by_state.entry(configuration.state.clone()).or_default();
        let is_dominated = rivals.len() <= COMPARED_COUNT_MAX
            && rivals.iter().any(|better| kept[*better].dominates(&configuration, unknown));
        if !is_dominated {
            rivals.push(kept.len());
            kept.push(configuration);
        }
    }
    kept
}
