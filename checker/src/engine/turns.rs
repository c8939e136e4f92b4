//! A lock is acquired and released in turn: each operation waits until it has to be taken.
//!
//! ```text
//!   x returns, is not taken, and it is its turn          take x
//!   x returns, is not taken, and it is not its turn      take whoever of the others returns first, then x
//! ```
//!
//! Of open operations of one kind the one that returns first may as well come first: exchange it
//! with the one that a legal order has there. The other was not taken, so it had not returned, and what
//! follows it in real time follows the first one too. In the same way an order that takes more than it
//! has to before x returns can be made into one that does not. So if there is a legal order,
//! there is one that begins as these rules say. O(n log n).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::weaken::shrunk;
use crate::spec::mutex::MutexStep;

/// The algorithm.
pub(crate) const TURNS: &str = "turns";

/// Whether a lock has a legal order.
pub(crate) fn decide(view: &impl View<MutexStep>) -> Decision {
    let finding = match taken(view) {
        Ok(_) => Finding::Legal,
        Err(stuck) => Finding::Illegal(conflict(view, stuck)),
    };
    Decision { algorithm: TURNS, finding }
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(view: &impl View<MutexStep>) -> Option<Vec<usize>> {
    taken(view).ok()
}

/// An operation that had to be taken when it was not its turn, and nobody else could be.
#[derive(Clone, Copy, Debug)]
struct Stuck {
    place: usize,
    step: MutexStep,
    /// The operation before it, which is of the same kind; none at the beginning.
    last: Option<usize>,
}

/// Open operations of one kind, by return and place.
type Waiting = BinaryHeap<Reverse<(u64, usize)>>;

/// The places in the order in which they are taken.
fn taken(view: &impl View<MutexStep>) -> Result<Vec<usize>, Stuck> {
    let mut returns: Vec<(u64, usize)> =
        (0..view.count()).map(|place| (view.at(place).returned, place)).collect();
    returns.retain(|(returned, _)| *returned < u64::MAX);
    returns.sort_unstable();
    let mut waiting = Turn { acquires: Waiting::new(), releases: Waiting::new(), order: Vec::new() };
    let mut is_taken = vec![false; view.count()];
    let mut next = 0;
    for (returned, place) in returns {
        while next < view.count() && view.at(next).invoked < returned {
            let Seen { step, returned, .. } = view.at(next);
            if let Some(step) = step {
                waiting.of(step).push(Reverse((returned, next)));
            }
            next += 1;
        }
        let Some(step) = view.at(place).step.filter(|_| !is_taken[place]) else { continue };
        if waiting.next() != step {
            let last = waiting.order.last().copied();
            let other = waiting.take(waiting.next()).ok_or(Stuck { place, step, last })?;
            is_taken[other] = true;
        }
        let first = waiting.take(step);
        assert_eq!(first, Some(place), "of those that wait none returns before the one that returns now");
        is_taken[place] = true;
    }
    Ok(waiting.order)
}

/// Whose turn it is, and who waits for it.
struct Turn {
    acquires: Waiting,
    releases: Waiting,
    order: Vec<usize>,
}

impl Turn {
    fn next(&self) -> MutexStep {
        if self.order.len().is_multiple_of(2) { MutexStep::Acquire } else { MutexStep::Release }
    }

    fn of(&mut self, step: MutexStep) -> &mut Waiting {
        match step {
            MutexStep::Acquire => &mut self.acquires,
            MutexStep::Release => &mut self.releases,
        }
    }

    fn take(&mut self, step: MutexStep) -> Option<usize> {
        let Reverse((_, place)) = self.of(step).pop()?;
        self.order.push(place);
        Some(place)
    }
}

/// What has returned when the search is stuck, without what can be spared.
fn conflict(view: &impl View<MutexStep>, stuck: Stuck) -> Conflict {
    let end = view.at(stuck.place).returned;
    let keeps = (0..view.count()).map(|place| view.at(place).returned <= end).collect();
    let keeps = shrunk(view, keeps, Some, |weaker| taken(weaker).is_err());
    let places = (0..keeps.len()).filter(|place| keeps[*place]).collect();
    Conflict { places, reason: reason(view, stuck) }
}

fn reason(view: &impl View<MutexStep>, stuck: Stuck) -> String {
    let Seen { invoked, returned, .. } = view.at(stuck.place);
    let (done, other) = match stuck.step {
        MutexStep::Acquire => ("acquired", "release"),
        MutexStep::Release => ("released", "acquire"),
    };
    let before = match stuck.last.map(|last| view.at(last).returned) {
        Some(last) if last < u64::MAX => format!("it was {done} by event {last} before, and "),
        Some(_) | None => String::new(),
    };
    format!(
        "the lock is {done} between events {invoked} and {returned}; {before}every {other} that was invoked by \
         then is needed earlier"
    )
}

#[cfg(test)]
mod tests;
