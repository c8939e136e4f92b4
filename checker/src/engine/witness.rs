//! A total order that somebody claims: is it a proof?
//!
//! The order must hold every answered operation, except observations (they are placed here, each at
//! the earliest instant where it is legal), be legal step by step, and respect real time. O(n) but
//! for the observations placed.

use crate::engine::timeline::Task;
use crate::spec::Spec;

/// Whether `order`, places in `tasks`, proves that a legal order exists.
pub(crate) fn proves<S: Spec>(spec: &S, tasks: &[Task<S::Step>], order: &[usize]) -> bool {
    completed(spec, tasks, order).is_some()
}

/// The order with the observations that it left out, if it is a proof.
pub(crate) fn completed<S: Spec>(spec: &S, tasks: &[Task<S::Step>], order: &[usize]) -> Option<Vec<usize>> {
    let is_placed = placed_once(tasks, order)?;
    if !respects_real_time(tasks, order) {
        return None;
    }
    let states = states(spec, tasks, order)?;
    let missing: Vec<usize> = (0..tasks.len())
        .filter(|place| {
            !is_placed[*place] && tasks[*place].returned.is_some() && tasks[*place].step.is_some()
        })
        .collect();
    let mut gaps = observations_fit(spec, &Proof { tasks, order, states: &states }, &missing)?;
    gaps.sort_by_key(|(gap, place)| (*gap, tasks[*place].invoked));
    let mut gaps = gaps.into_iter().peekable();
    let mut whole = Vec::with_capacity(order.len() + missing.len());
    for gap in 0..=order.len() {
        while let Some((_, place)) = gaps.next_if(|(other, _)| *other == gap) {
            whole.push(place);
        }
        whole.extend(order.get(gap));
    }
    Some(whole)
}

/// Which tasks the order holds; none if it holds one twice or one that does not exist.
fn placed_once<T>(tasks: &[Task<T>], order: &[usize]) -> Option<Vec<bool>> {
    let mut is_placed = vec![false; tasks.len()];
    for &place in order {
        if std::mem::replace(is_placed.get_mut(place)?, true) {
            return None;
        }
    }
    Some(is_placed)
}

/// No operation stands after one that was invoked only when it had returned.
fn respects_real_time<T>(tasks: &[Task<T>], order: &[usize]) -> bool {
    let mut returned_min = u64::MAX;
    order.iter().rev().all(|&place| {
        let is_in_time = tasks[place].invoked < returned_min;
        returned_min = returned_min.min(tasks[place].returned.unwrap_or(u64::MAX));
        is_in_time
    })
}

/// The state before the first step of the order and after each; none if one is illegal.
fn states<S: Spec>(spec: &S, tasks: &[Task<S::Step>], order: &[usize]) -> Option<Vec<S::State>> {
    let mut states = Vec::with_capacity(order.len() + 1);
    states.push(spec.initial());
    for &place in order {
        let last = states.last().expect("the first state was pushed");
        let next = match &tasks[place].step {
            Some(step) => spec.apply(last, step)?,
            None => last.clone(),
        };
        states.push(next);
    }
    Some(states)
}

/// A legal order with its states.
struct Proof<'a, S: Spec> {
    tasks: &'a [Task<S::Step>],
    order: &'a [usize],
    /// `states[i]` is the state before the step `order[i]`.
    states: &'a [S::State],
}

/// Places the missing observations, by invocation, each in the earliest gap that it may have.
///
/// The earliest gap is never worse: it leaves most room to those that were invoked later.
fn observations_fit<S: Spec>(
    spec: &S,
    proof: &Proof<'_, S>,
    missing: &[usize],
) -> Option<Vec<(usize, usize)>> {
    let mut all = Vec::with_capacity(missing.len());
    if missing.is_empty() {
        return Some(all);
    }
    let gaps = Gaps::of(proof);
    let mut placed: Vec<(u64, usize)> = Vec::new();
    let mut floor = 0;
    for &place in missing {
        let task = &proof.tasks[place];
        let (step, returned) = (task.step.as_ref()?, task.returned?);
        placed.sort_unstable();
        let before = placed.partition_point(|(returned, _)| *returned < task.invoked);
        floor = placed.drain(..before).map(|(_, gap)| gap).fold(floor, usize::max);
        let range = floor.max(gaps.first(task.invoked))..=gaps.last(returned);
        let fits = |gap: &usize| {
            let state = &proof.states[*gap];
            spec.only_observes(state, step) && spec.is_legal(state, step)
        };
        let gap = range.into_iter().find(fits)?;
        placed.push((returned, gap));
        all.push((gap, place));
    }
    Some(all)
}

/// Between which steps of the order an interval may lie. Gap `i` is before step `order[i]`.
struct Gaps {
    /// For each gap, the earliest return among the steps at or after it.
    returned_min: Vec<u64>,
    /// For each step, the latest invocation among it and those before.
    invoked_max: Vec<u64>,
}

impl Gaps {
    fn of<S: Spec>(proof: &Proof<'_, S>) -> Self {
        let mut returned_min = vec![u64::MAX; proof.order.len()];
        let mut least = u64::MAX;
        for (step, &place) in proof.order.iter().enumerate().rev() {
            least = least.min(proof.tasks[place].returned.unwrap_or(u64::MAX));
            returned_min[step] = least;
        }
        let invoked_max = proof
            .order
            .iter()
            .scan(0, |most: &mut u64, &place| {
                *most = (*most).max(proof.tasks[place].invoked);
                Some(*most)
            })
            .collect();
        Self { returned_min, invoked_max }
    }

    /// The first gap after all steps that had returned by then.
    fn first(&self, invoked: u64) -> usize {
        self.returned_min.partition_point(|returned| *returned < invoked)
    }

    /// The last gap before all steps that were invoked only afterwards.
    fn last(&self, returned: u64) -> usize {
        self.invoked_max.partition_point(|invoked| *invoked < returned)
    }
}
