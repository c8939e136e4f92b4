//! Two searches for one question: whichever needs fewer steps answers.
//!
//! They take turns on the calling thread, in slices of equal steps; a question that is still open
//! after many slices goes on with a thread for each. Who wins is decided by steps alone, never by
//! time: a search that has come to its end waits until the other has either ended within as many
//! slices or used them up. So the answer and all that follows from it are the same on one thread.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::budget::Budget;
use crate::engine::configurations::BreadthFirst;
use crate::engine::depth_first::DepthFirst;
use crate::engine::replay;
use crate::engine::timeline::{Task, Timeline};
use crate::spec::Spec;

/// Steps of one slice.
const SLICE_STEPS: u64 = 4_096;
/// Slices of each search before it gets a thread of its own.
const ALTERNATED_SLICES: u64 = 16;

/// What a search found.
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

/// A search that can be interrupted and continued.
pub(crate) trait Engine {
    /// Goes on until about so many steps are spent in all. None if the question is still open.
    fn advance(&mut self, steps_max: u64) -> Option<Found>;

    /// Steps spent so far.
    fn spent(&self) -> u64;

    /// The answer if it does not go on.
    fn exhausted(&self) -> Found;
}

/// Which search answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Winner {
    /// [`BreadthFirst`].
    BreadthFirst,
    /// [`DepthFirst`].
    DepthFirst,
}

/// The outcome of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) found: Found,
    pub(crate) winner: Winner,
    /// Steps of the winner.
    pub(crate) steps: u64,
}

/// Looks for a legal order of all answered and some of the unknown tasks, given by invocation.
///
/// Each of the two searches may spend the whole budget.
pub(crate) fn race<S: Spec>(spec: &S, tasks: &[Task<S::Step>], budget: Budget) -> Outcome {
    let timeline = Timeline::of(tasks);
    let mut breadth = Runner::new(BreadthFirst::new(spec, &timeline), budget);
    let mut depth = Runner::new(DepthFirst::new(spec, &timeline), budget);
    while breadth.slices < ALTERNATED_SLICES && !breadth.is_over() {
        breadth.slice();
        if !breadth.has_answer() {
            depth.slice();
            if depth.has_answer() {
                break;
            }
        }
    }
    if !(breadth.has_answer() || depth.has_answer() || breadth.is_over() && depth.is_over()) {
        in_two_threads(&mut breadth, &mut depth);
    }
    decided(&breadth, &depth)
}

/// The first search alone, for small questions inside a larger one.
pub(crate) fn breadth_first<S: Spec>(spec: &S, tasks: &[Task<S::Step>], budget: Budget) -> (Found, u64) {
    let timeline = Timeline::of(tasks);
    finished(BreadthFirst::new(spec, &timeline), budget)
}

/// What one search finds within a budget, and the steps that it spent.
pub(crate) fn finished(engine: impl Engine, budget: Budget) -> (Found, u64) {
    let mut runner = Runner::new(engine, budget);
    while !runner.is_over() {
        runner.slice();
    }
    (runner.found(), runner.engine.spent())
}

/// A legal order of the tasks as places, found by the second search alone. None if it finds none.
pub(crate) fn legal_order<S: Spec>(spec: &S, tasks: &[Task<S::Step>], budget: Budget) -> Option<Vec<usize>> {
    let timeline = Timeline::of(tasks);
    let mut runner = Runner::new(DepthFirst::new(spec, &timeline), budget);
    while !runner.is_over() {
        runner.slice();
    }
    let is_found = runner.answer == Some(Found::Legal);
    is_found.then(|| replay::order(spec, &timeline, &runner.engine.choices()))
}

/// A search with its budget.
struct Runner<E> {
    engine: E,
    budget: Budget,
    /// Slices begun.
    slices: u64,
    /// The answer, once there is one.
    answer: Option<Found>,
}

impl<E: Engine> Runner<E> {
    fn new(engine: E, budget: Budget) -> Self {
        Self { engine, budget, slices: 0, answer: None }
    }

    fn slice(&mut self) {
        if self.is_over() {
            return;
        }
        self.slices += 1;
        let steps_max = (self.slices * SLICE_STEPS).min(self.budget.steps_max);
        self.answer = self.engine.advance(steps_max);
    }

    /// Whether it found out: being cut short is no answer.
    fn has_answer(&self) -> bool {
        matches!(self.answer, Some(Found::Legal | Found::Stuck { .. }))
    }

    /// Whether it will not go on.
    fn is_over(&self) -> bool {
        self.answer.is_some() || self.slices * SLICE_STEPS >= self.budget.steps_max
    }

    fn found(&self) -> Found {
        self.answer.clone().unwrap_or_else(|| self.engine.exhausted())
    }
}

/// The answer that took fewer slices; of equal ones, that of the first search.
fn decided(breadth: &Runner<impl Engine>, depth: &Runner<impl Engine>) -> Outcome {
    let is_depth = depth.has_answer() && !(breadth.has_answer() && breadth.slices <= depth.slices);
    if is_depth {
        Outcome { found: depth.found(), winner: Winner::DepthFirst, steps: depth.engine.spent() }
    } else {
        Outcome { found: breadth.found(), winner: Winner::BreadthFirst, steps: breadth.engine.spent() }
    }
}

/// Both at the same time, until no further slice can change which of them wins.
#[expect(clippy::disallowed_methods, reason = "the two searches share nothing; steps decide, not time")]
fn in_two_threads<A: Engine + Send, B: Engine + Send>(breadth: &mut Runner<A>, depth: &mut Runner<B>) {
    let answered_after = AtomicU64::new(u64::MAX);
    std::thread::scope(|scope| {
        scope.spawn(|| run(depth, &answered_after));
        run(breadth, &answered_after);
    });
}

/// Goes on until it is over, or the other has an answer after fewer slices.
fn run(runner: &mut Runner<impl Engine>, answered_after: &AtomicU64) {
    while !runner.is_over() && runner.slices < answered_after.load(Ordering::Relaxed) {
        runner.slice();
    }
    if runner.has_answer() {
        answered_after.fetch_min(runner.slices, Ordering::Relaxed);
    }
}
