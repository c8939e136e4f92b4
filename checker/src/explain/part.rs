//! A part of a history that fails whatever else of the history is added to it.

use crate::budget::{Budget, Spending};
use crate::engine::race::Found;
use crate::engine::timeline::Task;
use crate::history::History;
use crate::linearizable::search_within;
use crate::spec::Spec;

/// Steps of one re-check: an operation whose re-check needs more is kept.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 50_000;
/// The first guess how many answers, counted from the last, are enough.
const SUFFIX_COUNT_FIRST: usize = 4;

/// The operations invoked before an end. Some of them must have happened, each other one may have.
pub(super) struct Part<'a, S: Spec> {
    spec: &'a S,
    candidates: Vec<Candidate<S::Step>>,
    /// Which candidates must have happened, by return.
    known: Vec<usize>,
    stuck: usize,
    spending: Spending,
}

struct Candidate<T> {
    /// Its place in the history.
    place: usize,
    task: Task<T>,
}

impl<'a, S: Spec> Part<'a, S> {
    /// All that returned until the operation at `stuck` returned.
    pub(super) fn until(spec: &'a S, tasks: &[Task<S::Step>], stuck: usize) -> Self {
        let end = tasks[stuck].returned.unwrap_or(u64::MAX);
        let begun = tasks.iter().take_while(|task| task.invoked < end).cloned().enumerate();
        let candidates: Vec<_> = begun.map(|(place, task)| Candidate { place, task }).collect();
        let is_in_time = |index: &usize| candidates[*index].task.returned.is_some_and(|at| at <= end);
        let mut known: Vec<usize> = (0..candidates.len()).filter(is_in_time).collect();
        known.sort_unstable_by_key(|index| candidates[*index].task.returned);
        let spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
        Self { spec, candidates, known, stuck, spending }
    }

    /// These only.
    pub(super) fn of(spec: &'a S, history: &History<S>, places: &[usize], stuck: usize) -> Self {
        let tasks = crate::linearizable::tasks(spec, history);
        let mut part = Self::until(spec, &tasks, stuck);
        part.known.retain(|index| places.contains(&part.candidates[*index].place));
        part
    }

    /// Places of those of which none can be spared; those of too expensive re-checks are kept.
    ///
    /// First a run of returns that ends with the last is found to be enough, then halves, quarters, ...
    /// and single ones are left out (A. Zeller and R. Hildebrandt, "Simplifying and isolating
    /// failure-inducing input", IEEE TSE 28(2) (2002), without its restarts).
    pub(super) fn smallest(&mut self) -> Vec<usize> {
        self.keep_suffix();
        self.smallest_of_known()
    }

    /// The same, of those that must have happened.
    pub(super) fn smallest_of_known(&mut self) -> Vec<usize> {
        let mut chunk = self.known.len().next_power_of_two() / 2;
        while chunk > 0 {
            self.drop_needless();
            self.pass(chunk);
            chunk /= 2;
        }
        let mut places: Vec<usize> = self.known.iter().map(|index| self.candidates[*index].place).collect();
        places.sort_unstable();
        places
    }

    /// The shortest run of returns up to the last that fails, to within a factor of two.
    fn keep_suffix(&mut self) {
        let count = self.known.len();
        let mut kept = SUFFIX_COUNT_FIRST;
        while kept < count {
            let suffix = self.known[count - kept..].to_vec();
            if self.fails(&suffix) {
                self.known = suffix;
                return;
            }
            kept *= 2;
        }
    }

    /// Forgets what cannot matter any more: when less must have happened it will not matter again.
    fn drop_needless(&mut self) {
        let (_, kept) = self.tasks(&self.known);
        let mut new_index = vec![usize::MAX; self.candidates.len()];
        for (new, old) in kept.iter().enumerate() {
            new_index[*old] = new;
        }
        let mut index = 0;
        self.candidates.retain(|_| {
            index += 1;
            new_index[index - 1] < usize::MAX
        });
        self.known.iter_mut().for_each(|known| *known = new_index[*known]);
        self.known.retain(|known| *known < usize::MAX);
    }

    /// Spares each run of `chunk` returns, latest first, unless the rest then passes.
    fn pass(&mut self, chunk: usize) {
        let mut end = self.known.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let is_left_out = |position: &usize| {
                (start..end).contains(position) && self.candidates[self.known[*position]].place != self.stuck
            };
            let positions = (0..self.known.len()).filter(|position| !is_left_out(position));
            let smaller: Vec<usize> = positions.map(|position| self.known[position]).collect();
            if smaller.len() < self.known.len() && self.fails(&smaller) {
                self.known = smaller;
            }
            end = start.min(self.known.len());
        }
    }

    /// Whether it is certain that these have no legal order, whatever else happened.
    fn fails(&mut self, known: &[usize]) -> bool {
        let (tasks, _) = self.tasks(known);
        let found = search_within(self.spec, &tasks, RECHECK_STEPS_MAX, &mut self.spending);
        matches!(found, Some(Found::Stuck { .. }))
    }

    /// The tasks when only these must have happened, and which candidates they are of.
    fn tasks(&self, known: &[usize]) -> (Vec<Task<S::Step>>, Vec<usize>) {
        let mut is_known = vec![false; self.candidates.len()];
        known.iter().for_each(|index| is_known[*index] = true);
        let mut steps: Vec<Option<S::Step>> =
            self.candidates.iter().map(|candidate| candidate.task.step.clone()).collect();
        self.spec.simplify(&mut steps, &|index| !is_known[index]);
        let mut tasks = Vec::new();
        let mut indexes = Vec::new();
        for (index, (step, candidate)) in steps.into_iter().zip(&self.candidates).enumerate() {
            if step.is_some() {
                let Task { invoked, returned, .. } = candidate.task;
                let (returned, expires) = if is_known[index] { (returned, None) } else { (None, returned) };
                tasks.push(Task { step, invoked, returned, expires });
                indexes.push(index);
            }
        }
        (tasks, indexes)
    }
}
