//! A part of a history that fails whatever else of the history is added to it.

use crate::budget::{Budget, Spending};
use crate::engine::race::Found;
use crate::engine::timeline::Task;
use crate::engine::window::Window;
use crate::history::History;
use crate::spec::Spec;

/// Steps of an explanation, even where the verdict took fewer: worth about 200 ms.
const EXPLANATION_STEPS_MIN: u64 = 200_000;
/// One re-check may take this share of the steps of an explanation: an operation whose re-check needs
/// more is kept.
const RECHECK_SHARE: u64 = 16;
/// The first guess how many answers, counted from the last, are enough.
const SUFFIX_COUNT_FIRST: usize = 4;

/// The operations invoked before an end. Some of them must have happened, each other one may have.
pub(super) struct Part<'a, S: Spec> {
    spec: &'a S,
    /// All of them, by invocation.
    tasks: Vec<Task<S::Step>>,
    /// The place of each in the history.
    places: Vec<usize>,
    /// Which must have happened, by return.
    known: Vec<usize>,
    stuck: usize,
    spending: Spending,
    /// Whether every re-check came to its end.
    is_certain: bool,
}

impl<'a, S: Spec> Part<'a, S> {
    /// All that returned until the operation at `stuck` returned. `verdict_steps`: what it took to find it.
    pub(super) fn until(spec: &'a S, tasks: &[Task<S::Step>], stuck: usize, verdict_steps: u64) -> Self {
        let end = tasks[stuck].returned.unwrap_or(u64::MAX);
        let begun = tasks.iter().take_while(|task| task.invoked < end).cloned();
        let tasks: Vec<Task<S::Step>> = begun.collect();
        let is_in_time = |index: &usize| tasks[*index].returned.is_some_and(|at| at <= end);
        let mut known: Vec<usize> = (0..tasks.len()).filter(is_in_time).collect();
        known.sort_unstable_by_key(|index| tasks[*index].returned);
        let spending = Spending::new(Budget { steps_max: verdict_steps.max(EXPLANATION_STEPS_MIN) });
        Self { spec, places: (0..tasks.len()).collect(), tasks, known, stuck, spending, is_certain: true }
    }

    /// These only.
    pub(super) fn of(spec: &'a S, history: &History<S>, places: &[usize], stuck: usize) -> Self {
        let tasks = crate::linearizable::tasks(spec, history);
        let mut part = Self::until(spec, &tasks, stuck, 0);
        part.known.retain(|index| places.contains(&part.places[*index]));
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
            self.is_certain = true;
            self.pass(chunk);
            chunk /= 2;
        }
        let mut places: Vec<usize> = self.known.iter().map(|index| self.places[*index]).collect();
        places.sort_unstable();
        places
    }

    /// Whether it is certain that it has no legal order as it is.
    pub(super) fn is_failing(&mut self) -> bool {
        let known = self.known.clone();
        self.fails(&known)
    }

    /// Whether it is certain that none can be spared: no re-check of a single one was given up.
    pub(super) fn is_smallest(&self) -> bool {
        self.is_certain
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
        let kept = Window::whole(self.spec, &self.tasks, &self.marked(&self.known, |_| true)).indexes;
        let mut new_index = vec![usize::MAX; self.tasks.len()];
        for (new, old) in kept.iter().enumerate() {
            new_index[*old] = new;
        }
        let mut index = 0;
        self.tasks.retain(|_| {
            index += 1;
            new_index[index - 1] < usize::MAX
        });
        self.places = kept.iter().map(|old| self.places[*old]).collect();
        self.known.iter_mut().for_each(|known| *known = new_index[*known]);
        self.known.retain(|known| *known < usize::MAX);
    }

    /// Spares each run of `chunk` returns, latest first, unless the rest then passes.
    fn pass(&mut self, chunk: usize) {
        let mut end = self.known.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let is_left_out = |position: &usize| {
                (start..end).contains(position) && self.places[self.known[*position]] != self.stuck
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
        let window = Window::of(self.spec, &self.tasks, &self.marked(known, |_| true));
        let rest = self.spending.rest().steps_max;
        let share = rest.min(self.spending.whole().steps_max / RECHECK_SHARE);
        let (found, steps) = window.search(self.spec, Budget { steps_max: share });
        let is_within = self.spending.spend(steps).is_ok();
        let is_known = is_within && !matches!(found, Found::Exhausted { .. });
        self.is_certain &= is_known;
        is_known && matches!(found, Found::Stuck { .. })
    }

    /// Which of the tasks these are, as far as their places are asked for.
    fn marked(&self, known: &[usize], is_asked: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut marked = vec![false; self.tasks.len()];
        for index in known.iter().filter(|index| is_asked(self.places[**index])) {
            marked[*index] = true;
        }
        marked
    }
}
