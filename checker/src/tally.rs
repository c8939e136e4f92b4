//! Counters that need not be right at once, but exact in the end.
//!
//! ```text
//!   add 2 ├──┤        add 3 ├──┤   add 4 ├─ …(unknown)      settled
//!                 read 2 ├──┤    read 9 ├──┤ never too high    │   read 5, or 9: both from now on, and no other
//! ```
//!
//! - **no loss**: a read that begins after the run has settled finds at least all that was acknowledged before that.
//! - **exactly once**: what a read finds is never more than all increments together that were asked for before it returned;
//!   once settled, it is what was acknowledged and some of the others, each of them once.
//! - **convergence**: of a counter that is not incremented any more, all settled reads find the same.
//!
//! What a read finds before the run has settled may be late by any amount, and two of them may disagree.
//!
//! Assumes that whoever gives the instant leaves the system the time that it promises to need: everything asked for before
//! has been answered or will never happen, and everything acknowledged has arrived.

use std::collections::BTreeSet;

use crate::history::{Operation, OperationIndex};
use crate::instants::seconds;
use crate::keyed::KeyedHistory;
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};
use crate::verdict::{Undecided, Verdict};

/// Increments that may have happened or not make at most that many different sums that are looked at one by one. Beyond, a
/// read is only held against the smallest and the largest.
pub const SUMS_MAX: usize = 4_096;

/// The promise that one check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TallyRule {
    /// Nothing acknowledged is missing in the end.
    NoLoss,
    /// Nothing counts twice, or from nowhere.
    ExactlyOnce,
    /// In the end there is one value.
    Convergence,
}

/// What was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TallyCount {
    /// Increments, those of unknown outcome included.
    pub increments: usize,
    /// Reads that were answered.
    pub reads: usize,
    /// Those of them that began after the run had settled.
    pub settled_reads: usize,
    /// The longest time after its acknowledgement at which a read did not find an increment, as far as the values show, in
    /// ns.
    pub lag_ns_max: u64,
}

type Asked = Operation<CounterCall, CounterAnswer>;

/// Whether the counters keep that rule, if the run has settled at `settled_ns`. Undecided if something was acknowledged and
/// nobody looked for it afterwards.
pub fn tally(history: &KeyedHistory<Counter>, settled_ns: u64, rule: TallyRule) -> Verdict {
    let parts = history.parts().iter();
    let mut tallies = parts.map(|(key, part)| Tally::of(key, part.operations().iter().collect(), settled_ns));
    let mut unseen = Vec::new();
    let mut is_seen = false;
    for one in &mut tallies {
        let found = match rule {
            TallyRule::NoLoss => one.loss(),
            TallyRule::ExactlyOnce => one.too_much(),
            TallyRule::Convergence => one.two_values(),
        };
        if let Some(verdict) = found {
            return verdict;
        }
        is_seen |= !one.settled.is_empty();
        unseen.extend(one.acknowledged.iter().map(|add| add.number));
    }
    if is_seen || unseen.is_empty() || rule == TallyRule::ExactlyOnce {
        return Verdict::Holds;
    }
    Verdict::Undecided(Undecided { open: unseen, steps: 0 })
}

/// How much there is to be judged.
pub fn tally_count(history: &KeyedHistory<Counter>, settled_ns: u64) -> TallyCount {
    let mut count = TallyCount::default();
    for part in history.parts().values() {
        count.lag_ns_max = count.lag_ns_max.max(lag_of(part.operations()));
    }
    for operation in history.parts().values().flat_map(|part| part.operations()) {
        match (delta_of(operation), found_by(operation)) {
            (Some(_), _) => count.increments += 1,
            (None, Some(_)) => {
                count.reads += 1;
                count.settled_reads += usize::from(operation.invoked_at >= settled_ns);
            }
            (None, None) => {}
        }
    }
    count
}

/// How long ago the oldest increment was acknowledged that a read lacks, at most.
fn lag_of(operations: &[Asked]) -> u64 {
    let acknowledged = operations.iter().filter_map(|one| Some((one.returned_at?, delta_of(one)?)));
    let mut acknowledged: Vec<_> = acknowledged.collect();
    acknowledged.sort_unstable();
    let sums = acknowledged.iter().scan(0_i128, |sum, (_, delta)| {
        *sum += i128::from(*delta);
        Some(*sum)
    });
    let sums: Vec<_> = sums.collect();
    let reads = operations.iter().filter_map(|one| Some((one.invoked_at, i128::from(found_by(one)?))));
    let lags = reads.filter_map(|(at, value)| {
        let lacked = sums.partition_point(|sum| *sum <= value);
        acknowledged.get(lacked).map(|(since, _)| at.saturating_sub(*since))
    });
    lags.max().unwrap_or(0)
}

/// What is to be added, if the operation is an increment.
fn delta_of(operation: &Asked) -> Option<i64> {
    match operation.call {
        CounterCall::Increment => Some(1),
        CounterCall::Add(delta) => Some(delta),
        CounterCall::Read => None,
    }
}

/// What a read found.
fn found_by(operation: &Asked) -> Option<i64> {
    match (operation.call, operation.answer()) {
        (CounterCall::Read, Some(CounterAnswer::Value(value))) => Some(*value),
        _ => None,
    }
}

/// One counter.
struct Tally<'a> {
    key: &'a str,
    /// Acknowledged before the run had settled.
    acknowledged: Vec<&'a Asked>,
    /// Of the others nobody knows, or not yet then.
    others: Vec<&'a Asked>,
    /// Answered reads: those that began before the run had settled, and those after.
    early: Vec<&'a Asked>,
    settled: Vec<&'a Asked>,
}

impl<'a> Tally<'a> {
    fn of(key: &'a str, operations: Vec<&'a Asked>, settled_ns: u64) -> Self {
        let (adds, reads): (Vec<_>, Vec<_>) = operations.into_iter().partition(|one| delta_of(one).is_some());
        let is_acknowledged = |add: &&Asked| add.returned_at.is_some_and(|at| at < settled_ns);
        let (acknowledged, others) = adds.into_iter().partition(is_acknowledged);
        let answered = reads.into_iter().filter(|read| found_by(read).is_some());
        let (settled, early) = answered.partition(|read| read.invoked_at >= settled_ns);
        Self { key, acknowledged, others, early, settled }
    }

    fn loss(&self) -> Option<Verdict> {
        let low = sum(&self.acknowledged) + sum_of(&self.others, |delta| delta.min(0));
        let lossy = self.settled.iter().find(|read| found(read) < low)?;
        Some(self.violated(
            lossy,
            &format!("{} increments that make at least {low} were acknowledged", self.acknowledged.len()),
        ))
    }

    fn too_much(&self) -> Option<Verdict> {
        let mut reads = self.early.iter().chain(&self.settled);
        let settled = || self.settled.iter().find_map(|read| self.in_between(read));
        reads.find_map(|read| self.too_high(read)).or_else(settled)
    }

    /// A read that finds more than was asked for before it returned.
    fn too_high(&self, read: &Asked) -> Option<Verdict> {
        let adds = asked_before(read, self.acknowledged.iter().chain(&self.others));
        let high = sum_of(&adds, |delta| delta.max(0));
        let is_too_high = found(read) > high;
        is_too_high.then(|| {
            self.violated(read, &format!("{} increments that make {high} were asked for", adds.len()))
        })
    }

    /// A settled read of what is no sum of all acknowledged increments and some of the others.
    fn in_between(&self, read: &Asked) -> Option<Verdict> {
        let least = sum(&self.acknowledged);
        let others = asked_before(read, self.others.iter());
        let mut sums = BTreeSet::from([least]);
        for delta in others.iter().filter_map(|add| delta_of(add)) {
            let more: Vec<_> = sums.iter().map(|sum| sum + i128::from(delta)).collect();
            sums.extend(more);
            if sums.len() > SUMS_MAX {
                return None;
            }
        }
        let is_odd = sums.first().is_some_and(|low| found(read) >= *low) && !sums.contains(&found(read));
        let what = || {
            format!(
                "{} increments that make {least} were acknowledged, and no choice of {} others makes up the rest",
                self.acknowledged.len(),
                others.len()
            )
        };
        is_odd.then(|| self.violated(read, &what()))
    }

    fn two_values(&self) -> Option<Verdict> {
        let first = self.settled.first()?;
        // An increment that may still happen may happen between two reads.
        if self.others.iter().any(|add| add.returned.is_some()) {
            return None;
        }
        let other = self.settled.iter().find(|read| found(read) != found(first))?;
        let explanation = format!(
            "{}: client {} read {} at {} and client {} read {} at {}, long after the last increment",
            self.key,
            first.client,
            found(first),
            seconds(first.invoked_at),
            other.client,
            found(other),
            seconds(other.invoked_at)
        );
        Some(with_key(self.key, vec![first.number, other.number], explanation))
    }

    fn violated(&self, read: &Asked, what: &str) -> Verdict {
        let explanation = format!(
            "{}: client {} read {} at {}, but before that {what}",
            self.key,
            read.client,
            found(read),
            seconds(read.invoked_at)
        );
        with_key(self.key, vec![read.number], explanation)
    }
}

fn with_key(key: &str, operations: Vec<OperationIndex>, explanation: String) -> Verdict {
    let mut verdict = Verdict::violated(operations, explanation);
    if let Verdict::Violated(violation) = &mut verdict {
        violation.key = Some(key.to_owned());
    }
    verdict
}

/// Those of the increments that a read may have found.
fn asked_before<'o, 'a: 'o>(read: &Asked, adds: impl Iterator<Item = &'o &'a Asked>) -> Vec<&'a Asked> {
    adds.copied().filter(|add| Some(add.invoked) < read.returned).collect()
}

fn found(read: &Asked) -> i128 {
    i128::from(found_by(read).unwrap_or(0))
}

fn sum(adds: &[&Asked]) -> i128 {
    sum_of(adds, |delta| delta)
}

fn sum_of(adds: &[&Asked], of: impl Fn(i128) -> i128) -> i128 {
    adds.iter().filter_map(|add| delta_of(add)).map(|delta| of(i128::from(delta))).sum()
}

#[cfg(test)]
mod tests;
