//! Only some answers are known: is there a legal order, whichever of the other operations took effect?
//!
//! ```text
//!            ┌──────────── window ────────────┐
//!   earlier  │ optional     known   known     │      earlier: over before the first known one begins
//!   ─────────┴────────────────────────────────┘
//! ```
//!
//! What was over before the window is not searched: the object is then in one of a few states, and the
//! search begins with each of them. Where a specification cannot name these states, the window is the
//! whole history.

use crate::budget::Budget;
use crate::engine::configurations::BreadthFirst;
use crate::engine::race::{Found, finished};
use crate::engine::shortcut::Seen;
use crate::engine::timeline::{Task, Timeline};
use crate::spec::Spec;

/// The part of a history that has to be searched.
pub(crate) struct Window<S: Spec> {
    /// What is in it: the known ones, and others that may take effect until they return.
    pub(crate) tasks: Vec<Task<S::Step>>,
    /// Which of all tasks these are.
    pub(crate) indexes: Vec<usize>,
    /// The states with which it may begin.
    pub(crate) starts: Vec<S::State>,
}

impl<S: Spec> Window<S> {
    /// The window of the known ones among all tasks that matter, given by invocation; all of them where
    /// it cannot be cut.
    pub(crate) fn of(spec: &S, all: &[Task<S::Step>], is_known: &[bool]) -> Self {
        Self::cut(spec, all, is_known).unwrap_or_else(|| Self::whole(spec, all, is_known))
    }

    /// The window without what was over before it; none if that cannot be told from the states that it left.
    pub(crate) fn cut(spec: &S, all: &[Task<S::Step>], is_known: &[bool]) -> Option<Self> {
        let known = all.iter().zip(is_known).filter(|(_, is_known)| **is_known);
        let begins_at = known.map(|(task, _)| task.invoked).min()?;
        let is_earlier = |task: &Task<S::Step>| task.over().is_some_and(|over| over < begins_at);
        let later: Vec<usize> = (0..all.len()).filter(|index| !is_earlier(&all[*index])).collect();
        let begun = all.iter().take_while(|task| task.invoked < begins_at).map(|task| {
            let returned = task.over().unwrap_or(u64::MAX);
            Seen { step: task.step.as_ref(), invoked: task.invoked, returned }
        });
        let begun: Vec<Seen<&S::Step>> = begun.collect();
        let steps = simplified(spec, all, is_known, &later);
        // What is still open then may have been needed for something that is over: so it counts twice.
        let starts = spec.states_at(begins_at, &begun, &steps)?;
        Some(Self::among(all, is_known, later, steps, starts))
    }

    /// All tasks that matter: nothing is left out for being earlier.
    pub(crate) fn whole(spec: &S, all: &[Task<S::Step>], is_known: &[bool]) -> Self {
        let whole: Vec<usize> = (0..all.len()).collect();
        let steps = simplified(spec, all, is_known, &whole);
        Self::among(all, is_known, whole, steps, vec![spec.initial()])
    }

    fn among(
        all: &[Task<S::Step>],
        is_known: &[bool],
        mut indexes: Vec<usize>,
        steps: Vec<Option<S::Step>>,
        starts: Vec<S::State>,
    ) -> Self {
        let mut tasks = Vec::with_capacity(indexes.len());
        let mut steps = steps.into_iter();
        indexes.retain(|index| {
            let step = steps.next().flatten();
            let is_kept = step.is_some();
            let Task { invoked, returned, expires, .. } = all[*index];
            let (returned, expires) =
                if is_known[*index] { (returned, None) } else { (None, returned.or(expires)) };
            if is_kept {
                tasks.push(Task { step, invoked, returned, expires });
            }
            is_kept
        });
        Self { tasks, indexes, starts }
    }

    /// Looks for an order, breadth first. The steps that took, too.
    pub(crate) fn search(&self, spec: &S, budget: Budget) -> (Found, u64) {
        let timeline = Timeline::of(&self.tasks);
        finished(BreadthFirst::from(spec, &timeline, &self.starts), budget)
    }
}

/// The steps of the tasks with these indexes, if only some of them are certain.
fn simplified<S: Spec>(
    spec: &S,
    all: &[Task<S::Step>],
    is_known: &[bool],
    indexes: &[usize],
) -> Vec<Option<S::Step>> {
    let mut steps: Vec<Option<S::Step>> = indexes.iter().map(|index| all[*index].step.clone()).collect();
    spec.simplify(&mut steps, &|place| !is_known[indexes[place]]);
    steps
}
