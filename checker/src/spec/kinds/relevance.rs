//! Which open operations of a counter of several kinds have to be tried, so that a goal is taken in the end.
//!
//! A closed set, as for one kind (`spec::capacity::relevance`): it contains the goal; with an illegal member all that
//! could make it legal; with a legal member all that taking it first could spoil.

use super::{KINDS_MAX, Kinds, KindsState, KindsStep, Units};
use crate::engine::open::{Open, Slot, SlotSet};
use crate::spec::Spec as _;
use crate::spec::orders::OrderStep as _;

/// The closed set of `goal`. See [`Spec::relevant`](crate::spec::Spec::relevant).
pub(super) fn relevant(spec: &Kinds, state: &KindsState, open: &Open<'_, KindsStep>, goal: Slot) -> SlotSet {
    let sorted = Sorted::of(spec, state, open);
    let mut closed = SlotSet::only(goal);
    let mut waiting = closed;
    while let Some(slot) = waiting.into_iter().next() {
        waiting = waiting.without(slot);
        let step = open.step(slot);
        let wanted = if spec.is_legal(state, step) {
            sorted.spoiled_by(step)
        } else {
            sorted.making_legal(step, state)
        };
        let new = wanted.intersection(open.untaken()).minus(closed);
        closed = closed.union(new);
        waiting = waiting.union(new);
    }
    closed
}

/// Whether `step` brings the illegal `goal` nearer, without passing it.
pub(super) fn leads_towards(state: &KindsState, step: &KindsStep, goal: &KindsStep) -> bool {
    match (goal, step) {
        (KindsStep::Use(wanted), KindsStep::Accept { units, .. }) => {
            (0..KINDS_MAX).all(|kind| state.used[kind].saturating_add(units[kind]) <= wanted[kind])
        }
        (KindsStep::Use(wanted), KindsStep::Release { .. }) => {
            (0..KINDS_MAX).any(|kind| state.used[kind] > wanted[kind])
        }
        (KindsStep::Accept { .. }, _) => matches!(step, KindsStep::Release { .. }),
        (KindsStep::Reject { .. }, _) => matches!(step, KindsStep::Accept { .. }),
        (KindsStep::Release { order } | KindsStep::NotHeld { order }, _) => step.order() == Some(*order),
        (KindsStep::Use(_) | KindsStep::NotServed | KindsStep::Impossible, _) => false,
    }
}

/// The untaken operations by what they do.
struct Sorted<'a, 'o> {
    spec: &'a Kinds,
    open: &'a Open<'o, KindsStep>,
    accepts: SlotSet,
    rejects: SlotSet,
    releases: SlotSet,
    reads: SlotSet,
    /// Units in use if every open reservation were taken and no release.
    used_max: Units,
    /// The smallest limit of a reservation, if any has one.
    limit_min: Option<u64>,
}

impl<'a, 'o> Sorted<'a, 'o> {
    fn of(spec: &'a Kinds, state: &KindsState, open: &'a Open<'o, KindsStep>) -> Self {
        let none = SlotSet::EMPTY;
        let (accepts, rejects, releases, reads) = (none, none, none, none);
        let (used_max, limit_min) = (state.used, None);
        let mut sorted = Self { spec, open, accepts, rejects, releases, reads, used_max, limit_min };
        for slot in open.untaken() {
            let kind = match open.step(slot) {
                KindsStep::Accept { units, terms, .. } => {
                    let limits = [sorted.limit_min, terms.limit];
                    sorted.limit_min = limits.into_iter().flatten().min();
                    let copies = u64::from(open.copies(slot));
                    for (used, units) in sorted.used_max.iter_mut().zip(units) {
                        *used = used.saturating_add(units.saturating_mul(copies));
                    }
                    &mut sorted.accepts
                }
                KindsStep::Reject { .. } => &mut sorted.rejects,
                KindsStep::Release { .. } => &mut sorted.releases,
                KindsStep::Use(_) => &mut sorted.reads,
                KindsStep::NotServed | KindsStep::NotHeld { .. } | KindsStep::Impossible => continue,
            };
            *kind = kind.with(slot);
        }
        sorted
    }

    /// Whether a limit may be reached in some kind.
    fn may_overflow(&self, limit: Option<u64>) -> bool {
        let is_over = |limit| (0..KINDS_MAX).any(|kind| self.used_max[kind] > self.spec.limit(kind, limit));
        limit.is_some_and(is_over)
    }

    /// What could become illegal, or end elsewhere, if the legal `step` were taken before it.
    fn spoiled_by(&self, step: &KindsStep) -> SlotSet {
        let by_version = match step.version() {
            None => SlotSet::EMPTY,
            Some(taken) => {
                self.filtered(self.open.untaken(), |other| other.version().is_some_and(|other| other < taken))
            }
        };
        let by_kind = match step {
            KindsStep::Accept { order, terms, .. } => self.spoiled_by_accept(*order, terms.limit),
            KindsStep::Release { .. } => {
                let same = self.filtered(self.releases, |other| other.order() == step.order());
                self.rejects.union(self.reads).union(same)
            }
            KindsStep::Reject { .. }
            | KindsStep::NotServed
            | KindsStep::NotHeld { .. }
            | KindsStep::Use(_)
            | KindsStep::Impossible => SlotSet::EMPTY,
        };
        by_version.union(by_kind)
    }

    /// As for one kind: another reservation with no smaller limit can only be spoiled if a release came before this one,
    /// so the releases stand for it. In a kind that either does not ask for, neither is in the other's way.
    fn spoiled_by_accept(&self, order: Option<u64>, limit: Option<u64>) -> SlotSet {
        let smaller = |other: &KindsStep| match other {
            KindsStep::Accept { terms, .. } => {
                let is_smaller = terms.limit.is_some_and(|other| limit.is_none_or(|limit| other < limit));
                is_smaller && self.may_overflow(terms.limit)
            }
            _ => false,
        };
        let (smaller_limit, releases) = if self.may_overflow(self.limit_min) {
            (self.filtered(self.accepts, smaller), self.releases)
        } else {
            (SlotSet::EMPTY, SlotSet::EMPTY)
        };
        let is_same = |other: &KindsStep| {
            order.is_some() && other.order() == order && !matches!(other, KindsStep::Release { .. })
        };
        let same_order = self.filtered(self.open.untaken(), is_same);
        smaller_limit.union(releases).union(same_order).union(self.reads)
    }

    /// Of these, one must be taken before the illegal `step` becomes legal.
    fn making_legal(&self, step: &KindsStep, state: &KindsState) -> SlotSet {
        if step.version().is_some_and(|version| version < state.version) {
            return SlotSet::EMPTY;
        }
        match *step {
            KindsStep::Accept { order, .. } => {
                let is_used_up = order.is_some_and(|order| state.orders.holding(order).is_some());
                if is_used_up { SlotSet::EMPTY } else { self.releases }
            }
            KindsStep::Reject { .. } => self.accepts,
            KindsStep::Release { order } => self.filtered(self.accepts, |other| other.order() == Some(order)),
            KindsStep::NotHeld { order } => {
                self.filtered(self.releases, |other| other.order() == Some(order))
            }
            KindsStep::Use(used) if (0..KINDS_MAX).any(|kind| used[kind] > state.used[kind]) => self.accepts,
            KindsStep::Use(_) => self.releases,
            KindsStep::NotServed | KindsStep::Impossible => SlotSet::EMPTY,
        }
    }

    fn filtered(&self, slots: SlotSet, keeps: impl Fn(&KindsStep) -> bool) -> SlotSet {
        let mut kept = SlotSet::EMPTY;
        for slot in slots {
            if keeps(self.open.step(slot)) {
                kept = kept.with(slot);
            }
        }
        kept
    }
}
