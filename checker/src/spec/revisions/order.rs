//! The order that revisions tell: one writer per revision, then the readers that saw it.
//!
//! ```text
//!   revision  5: put, get, get   6: delete   7: (nobody: one of unknown outcome)   8: txn, get
//! ```
//!
//! The order is forced, so a contradiction to real time refutes the history. If it is legal it proves the
//! history. Else, or where revisions are not told, the search decides.

use std::collections::BTreeMap;

use super::state::StoreState;
use super::{ActionResult, FoundRange, StoreAction, StoreAnswer, StoreCall, StoreStep, StoreTxn, StoreValue};
use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};

/// The algorithm's name.
pub(super) const REVISION_ORDER: &str = "revision-order";

/// Whether the order that revisions tell is legal, if that can be said.
pub(super) fn decide(operations: &impl View<StoreStep>) -> Option<Decision> {
    let finding = match conflict(operations) {
        Some(conflict) => Finding::Illegal(conflict),
        None => legal_order(operations).map(|_| Finding::Legal)?,
    };
    Some(Decision { algorithm: REVISION_ORDER, finding })
}

/// Where an operation comes by what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    revision: i64,
    part: Part,
}

/// What an operation had to do with the revision that it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// It raised the store to it.
    Made,
    /// It made it or saw it: a put under a lease that may be gone.
    Unsure,
    /// It saw it.
    Saw,
}

impl Rank {
    /// Whether all of rank `self` come before all of rank `other`.
    fn is_before(self, other: Self) -> bool {
        self.revision < other.revision
            || self.revision == other.revision && self.part == Part::Made && other.part != Part::Made
    }
}

/// The rank that the answer of a step tells.
fn told(step: &StoreStep) -> Option<Rank> {
    let revision = step.answer.as_ref()?.revision()?;
    let part = match step.raises() {
        Some(true) => Part::Made,
        None => Part::Unsure,
        Some(false) => Part::Saw,
    };
    Some(Rank { revision, part })
}

/// Two operations that contradict each other, or one that contradicts all.
fn conflict(operations: &impl View<StoreStep>) -> Option<Conflict> {
    let mut ranked = Vec::new();
    let mut raising = 0;
    for place in 0..operations.count() {
        let seen = operations.at(place);
        let Some(step) = &seen.step else { continue };
        raising += i64::from(step.call.may_raise());
        if let Some(rank) = told(step).filter(|_| !seen.is_unknown()) {
            ranked.push((rank, seen.invoked, seen.returned, place));
        }
    }
    ranked.sort_unstable();
    if let Some((rank, .., place)) = ranked.last().filter(|(rank, ..)| rank.revision > raising + 1) {
        let reason = format!(
            "tells revision {}, but no more than {raising} operations can have raised the revision",
            rank.revision
        );
        return Some(Conflict { places: vec![*place], reason });
    }
    let mut latest: Option<(u64, usize)> = None;
    for group in ranked.chunk_by(|(one, ..), (other, ..)| !one.is_before(*other)) {
        if let [(rank, .., first), (.., second), ..] = group
            && rank.part == Part::Made
        {
            let reason = format!("both raised the revision to {}", rank.revision);
            return Some(Conflict { places: sorted(*first, *second), reason });
        }
        for (_, _, returned, place) in group {
            if let Some((_, later)) = latest.filter(|(invoked, _)| returned < invoked) {
                let reason = "go back in revisions: the one that began after the other had returned \
                              belongs before it";
                return Some(Conflict { places: sorted(later, *place), reason: reason.to_owned() });
            }
        }
        for (_, invoked, _, place) in group {
            if latest.is_none_or(|(other, _)| other < *invoked) {
                latest = Some((*invoked, *place));
            }
        }
    }
    None
}

fn sorted(first: usize, second: usize) -> Vec<usize> {
    vec![first.min(second), first.max(second)]
}

/// A legal order of all answered operations, and of unknown ones where revisions are missing.
pub(super) fn legal_order(operations: &impl View<StoreStep>) -> Option<Vec<usize>> {
    let mut walk = Walk { order: Vec::new(), state: StoreState::default(), spare: Vec::new() };
    let mut answered = Vec::new();
    for (place, rank, seen) in ranked(operations) {
        if seen.is_unknown() {
            walk.spare.push((place, seen));
        } else {
            answered.push((rank, seen.invoked, place, seen));
        }
    }
    answered.sort_unstable_by_key(|(rank, invoked, ..)| (*rank, *invoked));
    // By when what is left must have begun: it cannot come after what has returned by then.
    let mut deadline = u64::MAX;
    let mut deadlines: Vec<u64> = Vec::with_capacity(answered.len());
    for (.., seen) in answered.iter().rev() {
        deadline = deadline.min(seen.returned);
        deadlines.push(deadline);
    }
    deadlines.reverse();
    for ((rank, _, place, seen), deadline) in answered.into_iter().zip(deadlines) {
        if seen.invoked > deadline {
            return None;
        }
        walk.raise_before(rank, deadline)?;
        walk.take(place, &seen)?;
    }
    Some(walk.order)
}

/// Every operation that matters, with its rank. One whose answer tells none gets that of the operations
/// that had returned before it.
fn ranked(operations: &impl View<StoreStep>) -> Vec<(usize, Rank, Seen<StoreStep>)> {
    let mut returns: Vec<(u64, i64)> = Vec::new();
    let mut all = Vec::new();
    for place in 0..operations.count() {
        let seen = operations.at(place);
        let Some(step) = &seen.step else { continue };
        let rank = told(step);
        if let Some(rank) = rank.filter(|_| !seen.is_unknown()) {
            returns.push((seen.returned, rank.revision));
        }
        all.push((place, rank, seen));
    }
    returns.sort_unstable();
    let mut highest = 1;
    for (_, revision) in &mut returns {
        highest = highest.max(*revision);
        *revision = highest;
    }
    let before = |invoked: u64| {
        let count = returns.partition_point(|(returned, _)| *returned < invoked);
        count.checked_sub(1).map_or(1, |last| returns[last].1)
    };
    let with_rank = |(place, rank, seen): (usize, Option<Rank>, Seen<StoreStep>)| {
        let rank = rank.unwrap_or_else(|| Rank { revision: before(seen.invoked), part: Part::Saw });
        (place, rank, seen)
    };
    all.into_iter().map(with_rank).collect()
}

/// An order that grows.
struct Walk {
    order: Vec<usize>,
    state: StoreState,
    /// What is of unknown outcome and was not taken, by invocation.
    spare: Vec<(usize, Seen<StoreStep>)>,
}

impl Walk {
    fn take(&mut self, place: usize, seen: &Seen<StoreStep>) -> Option<()> {
        self.state = self.state.after(seen.step.as_ref()?)?;
        self.order.push(place);
        Some(())
    }

    /// Takes of what is spare until the store is where an operation of this rank can be.
    fn raise_before(&mut self, rank: Rank, deadline: u64) -> Option<()> {
        let wanted = rank.revision.saturating_sub(i64::from(rank.part != Part::Saw));
        while self.state.revision() < wanted {
            let next = self.state.revision() + 1;
            let fits = |(_, seen): &(usize, Seen<StoreStep>)| {
                let after = seen.step.as_ref().and_then(|step| self.state.after(step));
                seen.invoked < deadline && after.is_some_and(|after| after.revision() == next)
            };
            // One that is known to have made this revision goes first.
            let is_sure = |(_, seen): &(usize, Seen<StoreStep>)| {
                seen.step.as_ref().and_then(told).is_some_and(|told| told.revision == next)
            };
            let sure = self.spare.iter().position(|one| is_sure(one) && fits(one));
            let index = sure.or_else(|| self.spare.iter().position(fits))?;
            let (place, seen) = self.spare.remove(index);
            self.take(place, &seen)?;
        }
        Some(())
    }
}

/// Pairs of operations of which one must come before the other.
pub(super) fn forced(steps: &[Option<StoreStep>]) -> Vec<(usize, usize)> {
    let mut ranked: Vec<(Rank, usize)> = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if let Some(rank) = step.as_ref().and_then(told) {
            ranked.push((rank, place));
        }
    }
    ranked.sort_unstable();
    let groups: Vec<&[(Rank, usize)]> =
        ranked.chunk_by(|(one, _), (other, _)| !one.is_before(*other)).collect();
    let mut pairs = Vec::new();
    for window in groups.windows(2) {
        let [before, after] = window else { continue };
        if before.len() == 1 || after.len() == 1 {
            for (_, first) in *before {
                pairs.extend(after.iter().map(|(_, second)| (*first, *second)));
            }
        }
    }
    pairs
}

/// Notes of operations of unknown outcome what answers tell of them, and forgets those that no answer needs.
///
/// An entry that a range shows was put by somebody: if only one operation puts this value, then at the
/// revision of the entry. If each revision up to the last has an answered operation that raised the store to
/// it, then nothing of unknown outcome can have been among them.
pub(super) fn narrow_unknown(steps: &mut [Option<StoreStep>], is_unknown: &dyn Fn(usize) -> bool) {
    let mut telling = Telling::default();
    for (place, step) in steps.iter().enumerate() {
        if let Some(step) = step {
            telling.add(step, is_unknown(place));
        }
    }
    let is_complete = telling.is_complete();
    for (place, slot) in steps.iter_mut().enumerate() {
        let Some(step) = slot.as_mut().filter(|step| is_unknown(place) && step.answer.is_none()) else {
            continue;
        };
        if let Some(revision) = telling.revision_of(step) {
            step.answer = Some(StoreAnswer::Persisted { revision: Some(revision) });
        } else if is_complete && step.may_raise() {
            *slot = None;
        }
    }
}

/// What the answers tell of what others put.
#[derive(Default)]
struct Telling {
    /// By key and value: the revision that ranges show; none if they show several.
    shown: BTreeMap<(String, Value), Option<i64>>,
    /// How many operations put this.
    puts: BTreeMap<(String, Value), u32>,
    raised: Vec<i64>,
    highest: i64,
    is_any_untold: bool,
}

type Value = Result<String, u32>;

impl Telling {
    fn add(&mut self, step: &StoreStep, is_unknown: bool) {
        if let StoreCall::Txn(txn) = &step.call {
            let mut put: Vec<(String, Value)> = puts(txn).collect();
            put.sort_unstable();
            put.dedup();
            for entry in put {
                *self.puts.entry(entry).or_default() += 1;
            }
        }
        let Some(answer) = step.answer.as_ref().filter(|_| !is_unknown) else { return };
        match answer {
            StoreAnswer::Range { found, .. } => self.show(found),
            StoreAnswer::Txn { results, .. } => {
                results.iter().for_each(|ActionResult { found, .. }| self.show(found));
            }
            StoreAnswer::Persisted { .. } | StoreAnswer::Compacted | StoreAnswer::FutureRevision => {}
        }
        self.raised.extend(step.raises_to());
        match answer.revision() {
            Some(revision) => self.highest = self.highest.max(revision),
            None => self.is_any_untold |= step.call != StoreCall::Defragment,
        }
    }

    fn show(&mut self, found: &FoundRange) {
        for entry in found.entries.iter() {
            let shown = self.shown.entry((entry.key.to_string(), plain(&entry.value)));
            let shown = shown.or_insert(entry.modified);
            if *shown != entry.modified {
                *shown = None;
            }
        }
    }

    /// Whether every revision up to the highest was made by an answered operation.
    fn is_complete(&mut self) -> bool {
        self.raised.sort_unstable();
        self.raised.dedup();
        !self.is_any_untold && self.raised.len() as i64 == self.highest.max(1) - 1
    }

    /// The revision that an operation made, if ranges show it.
    fn revision_of(&self, step: &StoreStep) -> Option<i64> {
        let StoreCall::Txn(txn) = &step.call else { return None };
        puts(txn)
            .filter(|entry| self.puts.get(entry) == Some(&1))
            .find_map(|entry| self.shown.get(&entry).copied().flatten())
    }
}

fn puts(txn: &StoreTxn) -> impl Iterator<Item = (String, Value)> {
    txn.on_success.iter().chain(&txn.on_failure).filter_map(|action| match action {
        StoreAction::Put { key, value, .. } => Some((key.to_string(), plain(value))),
        StoreAction::Range(_) | StoreAction::Delete { .. } => None,
    })
}

fn plain(value: &StoreValue) -> Value {
    match value {
        StoreValue::Text(text) => Ok(text.to_string()),
        StoreValue::Hash(hash) => Err(*hash),
    }
}
