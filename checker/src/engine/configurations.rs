//! Sets of configurations, breadth first: is there a legal order that respects real time?
//!
//! ```text
//!   invocation:  every configuration sees one more open operation
//!   return of x: each configuration without x is expanded until x is taken; none left: violated
//! ```
//!
//! A configuration is a state and the set of open operations already taken. This is just-in-time
//! linearization: nothing is decided before an operation returns. Source: J. M. Wing and C. Gong,
//! "Testing and verifying concurrent objects", J. Parallel Distrib. Comput. 17 (1993); G. Lowe,
//! "Testing for linearizability", Concurrency and Computation: Practice and Experience 29(4) (2017).
//!
//! Departures, all of which keep at least one configuration that can be continued if there is one:
//! observations are taken as soon as they are legal; a write that another write covers is marked
//! *absorbable* instead of branching on whether it was taken; of equal open operations the one that
//! returns first is taken; only [relevant](Spec::relevant) operations are tried; of two configurations
//! of which one is at least as good as the other, the other is dropped.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use crate::budget::{Budget, Exhausted, Spending};
use crate::engine::open::{Entry, Open, OpenTable, Slot, SlotSet};
use crate::spec::Spec;

/// Above so many configurations the comparison of all pairs costs more than it saves.
const COMPARED_COUNT_MAX: usize = 1_000;

/// Bytes of a state, beside itself, that count as one step more.
const STEP_BYTES: usize = 64;

/// An operation as the search sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<T> {
    /// What it does; none if it cannot matter.
    pub(crate) step: Option<T>,
    /// Position of its invocation.
    pub(crate) invoked: u64,
    /// Position of its answer; none if unknown.
    pub(crate) returned: Option<u64>,
}

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A legal order exists.
    Legal,
    /// When this operation returned, no order was left.
    Stuck {
        /// Its place in the list of tasks.
        place: usize,
        /// How many had returned before.
        returned_count: usize,
    },
    /// The budget or the slots were used up while these were open.
    Exhausted {
        /// Their places.
        open: Vec<usize>,
    },
}

/// Looks for a legal order of all answered and some of the unknown tasks, given by invocation.
pub(crate) fn search<S: Spec>(spec: &S, tasks: &[Task<S::Step>], budget: Budget) -> (Found, u64) {
    let mut search = Search::new(spec, budget);
    let mut returned_count = 0;
    for event in events(tasks) {
        let outcome = match event {
            Event::Invoked(place) => search.invoke(place, &tasks[place]),
            Event::Returned(place) => search.give_back(place),
        };
        match (outcome, event) {
            (Err(Exhausted), _) => return (search.exhausted(), search.spending.spent()),
            (Ok(()), Event::Returned(place)) if search.configurations.is_empty() => {
                return (Found::Stuck { place, returned_count }, search.spending.spent());
            }
            (Ok(()), Event::Returned(_)) => returned_count += 1,
            (Ok(()), Event::Invoked(_)) => {}
        }
    }
    (Found::Legal, search.spending.spent())
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Invoked(usize),
    Returned(usize),
}

/// The events of the tasks in order, without those that cannot matter.
fn events<T>(tasks: &[Task<T>]) -> Vec<Event> {
    let mut events = Vec::with_capacity(2 * tasks.len());
    for (place, task) in tasks.iter().enumerate() {
        if task.step.is_some() {
            events.push((task.invoked, Event::Invoked(place)));
            if let Some(returned) = task.returned {
                events.push((returned, Event::Returned(place)));
            }
        }
    }
    events.sort_unstable_by_key(|(position, _)| *position);
    events.into_iter().map(|(_, event)| event).collect()
}

/// A state, and which open operations were taken to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Configuration<State> {
    state: State,
    taken: SlotSet,
    /// Untaken ones that could have been taken before, with the same state.
    absorbable: SlotSet,
}

type Configurations<S> = HashSet<Configuration<<S as Spec>::State>, FxBuildHasher>;

struct Search<'a, S: Spec> {
    spec: &'a S,
    table: OpenTable<S::Step>,
    configurations: Vec<Configuration<S::State>>,
    spending: Spending,
    // Kept between returns for their memory.
    expanded: Configurations<S>,
    reached: Configurations<S>,
}

impl<'a, S: Spec> Search<'a, S> {
    fn new(spec: &'a S, budget: Budget) -> Self {
        let first =
            Configuration { state: spec.initial(), taken: SlotSet::EMPTY, absorbable: SlotSet::EMPTY };
        Self {
            spec,
            table: OpenTable::new(),
            configurations: vec![first],
            spending: Spending::new(budget),
            expanded: Configurations::<S>::default(),
            reached: Configurations::<S>::default(),
        }
    }

    fn exhausted(&self) -> Found {
        let open = self.table.occupied.into_iter().map(|slot| self.table.entry(slot).place).collect();
        Found::Exhausted { open }
    }

    fn invoke(&mut self, place: usize, task: &Task<S::Step>) -> Result<(), Exhausted> {
        let Some(step) = task.step.clone() else { return Ok(()) };
        let deadline = task.returned.unwrap_or(u64::MAX);
        let slot = self.table.insert(Entry { step, place, deadline }).ok_or(Exhausted)?;
        if task.returned.is_some() {
            for configuration in &mut self.configurations {
                settle_one(self.spec, &self.table, configuration, slot);
            }
        }
        Ok(())
    }

    /// The operation at `place` returns: it must have been taken, or be taken now.
    fn give_back(&mut self, place: usize) -> Result<(), Exhausted> {
        let goal = self
            .table
            .occupied
            .into_iter()
            .find(|slot| self.table.entry(*slot).place == place)
            .expect("what returns was invoked");
        self.expanded.clear();
        self.reached.clear();
        let mut stack = Vec::new();
        for configuration in std::mem::take(&mut self.configurations) {
            self.arrive(configuration, goal, &mut stack)?;
        }
        while let Some(configuration) = stack.pop() {
            self.expand(&configuration, goal, &mut stack)?;
        }
        self.table.remove(goal);
        let reached = self.reached.drain().collect();
        self.configurations = self.without_dominated(reached);
        Ok(())
    }

    /// Keeps a configuration that has taken the goal; puts any other on the stack, once.
    fn arrive(
        &mut self,
        mut configuration: Configuration<S::State>,
        goal: Slot,
        stack: &mut Vec<Configuration<S::State>>,
    ) -> Result<(), Exhausted> {
        let bytes = self.spec.state_bytes(&configuration.state);
        self.spending.spend(1 + (bytes / STEP_BYTES) as u64)?;
        if configuration.taken.contains(goal) {
            configuration.taken = configuration.taken.without(goal);
            self.reached.insert(configuration);
            return Ok(());
        }
        if configuration.absorbable.contains(goal) {
            let absorbable = configuration.absorbable.without(goal);
            self.reached.insert(Configuration { absorbable, ..configuration.clone() });
        }
        if !self.expanded.contains(&configuration) {
            self.expanded.insert(configuration.clone());
            stack.push(configuration);
        }
        Ok(())
    }

    fn expand(
        &mut self,
        configuration: &Configuration<S::State>,
        goal: Slot,
        stack: &mut Vec<Configuration<S::State>>,
    ) -> Result<(), Exhausted> {
        for slot in self.worth_taking(configuration, goal) {
            if let Some(next) = take(self.spec, &self.table, configuration, slot) {
                self.arrive(next, goal, stack)?;
            }
        }
        Ok(())
    }

    /// The relevant open operations, of equal ones only that which returns first.
    ///
    /// Equal ones are interchangeable: what returns first is in no order worse off taken first.
    fn worth_taking(&self, configuration: &Configuration<S::State>, goal: Slot) -> SlotSet {
        let relevant = self.spec.relevant(&configuration.state, &open(&self.table, configuration), goal);
        let mut kept = SlotSet::EMPTY;
        for slot in relevant {
            let entry = self.table.entry(slot);
            let is_absorbable = configuration.absorbable.contains(slot);
            let equal = kept.into_iter().find(|other| {
                self.table.step(*other) == &entry.step
                    && configuration.absorbable.contains(*other) == is_absorbable
            });
            match equal {
                None => kept = kept.with(slot),
                Some(other) if entry.deadline < self.table.entry(other).deadline => {
                    kept = kept.without(other).with(slot);
                }
                Some(_) => {}
            }
        }
        kept
    }

    /// Drops each configuration of which another one is at least as good.
    fn without_dominated(
        &self,
        mut configurations: Vec<Configuration<S::State>>,
    ) -> Vec<Configuration<S::State>> {
        if configurations.len() < 2 || configurations.len() > COMPARED_COUNT_MAX {
            return configurations;
        }
        let unknown = self.table.unknown;
        configurations.sort_unstable_by_key(|configuration| {
            let used = i64::from(configuration.taken.intersection(unknown).len());
            used - i64::from(configuration.absorbable.len())
        });
        let mut kept: Vec<Configuration<S::State>> = Vec::with_capacity(configurations.len());
        for configuration in configurations {
            if !kept.iter().any(|better| dominates(better, &configuration, unknown)) {
                kept.push(configuration);
            }
        }
        kept
    }
}

/// Whether `better` can become `worse` by absorbing, and by forgetting that unknown ones are left.
fn dominates<State: Eq>(
    better: &Configuration<State>,
    worse: &Configuration<State>,
    unknown: SlotSet,
) -> bool {
    let extra = worse.taken.minus(better.taken);
    better.taken.is_subset(worse.taken)
        && extra.is_subset(better.absorbable.union(unknown))
        && worse.absorbable.is_subset(better.absorbable)
        && better.state == worse.state
}

fn open<'a, T, State>(table: &'a OpenTable<T>, configuration: &Configuration<State>) -> Open<'a, T> {
    Open { table, taken: configuration.taken, absorbable: configuration.absorbable }
}

/// The configuration after taking the operation in `slot`, if that is legal.
fn take<S: Spec>(
    spec: &S,
    table: &OpenTable<S::Step>,
    configuration: &Configuration<S::State>,
    slot: Slot,
) -> Option<Configuration<S::State>> {
    let step = table.step(slot);
    let state = spec.apply(&configuration.state, step)?;
    let mut next = Configuration {
        state,
        taken: configuration.taken.with(slot),
        absorbable: configuration.absorbable.without(slot),
    };
    for other in open(table, &next).untaken_answered().minus(next.absorbable) {
        if spec.overwrites(step, table.step(other)) {
            next.absorbable = next.absorbable.with(other);
        }
    }
    for other in open(table, &next).untaken_answered() {
        settle_one(spec, table, &mut next, other);
    }
    Some(next)
}

/// Takes an answered observation that is legal now, and marks what would change nothing.
fn settle_one<S: Spec>(
    spec: &S,
    table: &OpenTable<S::Step>,
    configuration: &mut Configuration<S::State>,
    slot: Slot,
) {
    let step = table.step(slot);
    if spec.is_idle(&configuration.state, step) {
        configuration.absorbable = configuration.absorbable.with(slot);
    } else if spec.only_observes(&configuration.state, step) && spec.is_legal(&configuration.state, step) {
        configuration.taken = configuration.taken.with(slot);
    }
}
