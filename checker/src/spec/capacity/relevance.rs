//! Which open operations of a bounded counter have to be tried, so that a goal is taken in the end.
//!
//! A closed set, in the manner of stubborn sets (A. Valmari, "Stubborn sets for reduced state space
//! generation", Advances in Petri Nets 1990): it contains the goal; with an illegal member all that
//! could make it legal; with a legal member all that taking it first could spoil. Then the first
//! member in any legal continuation could as well have been taken at once.

use crate::engine::open::{Open, Slot, SlotSet};
use crate::spec::capacity::{CapacityState, CapacityStep};
use crate::spec::orders::OrderStep as _;

/// The closed set of `goal`. See [`Spec::relevant`](crate::spec::Spec::relevant).
pub(super) fn relevant(state: &CapacityState, open: &Open<'_, CapacityStep>, goal: Slot) -> SlotSet {
    let kinds = Kinds::of(state, open);
    let mut closed = SlotSet::only(goal);
    let mut waiting = closed;
    while let Some(slot) = waiting.into_iter().next() {
        waiting = waiting.without(slot);
        let step = open.step(slot);
        let wanted = if state.allows(step) {
            kinds.spoiled_by(step, open)
        } else {
            kinds.making_legal(step, state, open)
        };
        let new = wanted.intersection(kinds.untaken).minus(closed);
        closed = closed.union(new);
        waiting = waiting.union(new);
    }
    closed
}

/// Whether `step` brings the illegal `goal` nearer, without passing it.
pub(super) fn leads_towards(state: &CapacityState, step: &CapacityStep, goal: &CapacityStep) -> bool {
    let gives = matches!(step, CapacityStep::Release { .. } | CapacityStep::ReleaseUnits { .. });
    match (goal, step) {
        (CapacityStep::Use(used), CapacityStep::Accept { units, .. }) => {
            state.used.saturating_add(*units) <= *used
        }
        (CapacityStep::Use(used), _) => gives && state.used > *used,
        (CapacityStep::Accept { .. }, _) => gives,
        (CapacityStep::Reject { .. } | CapacityStep::ReleaseUnits { .. }, _) => {
            matches!(step, CapacityStep::Accept { .. })
        }
        (CapacityStep::Release { order } | CapacityStep::NotHeld { order }, _) => {
            step.order() == Some(*order)
        }
        (CapacityStep::Impossible, _) => false,
    }
}

/// The untaken operations by what they do.
struct Kinds {
    untaken: SlotSet,
    accepts: SlotSet,
    rejects: SlotSet,
    releases: SlotSet,
    reads: SlotSet,
    nameless_releases: SlotSet,
    /// Units in use if every open reservation were taken and no release.
    used_max: u64,
    /// The smallest and the largest limit of a reservation.
    limits: (u64, u64),
    /// Whether any says under which version it was decided.
    versions: Versions,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Versions {
    None,
    Some,
}

impl Kinds {
    fn of(state: &CapacityState, open: &Open<'_, CapacityStep>) -> Self {
        let none = SlotSet::EMPTY;
        let mut kinds = Self {
            untaken: open.untaken(),
            accepts: none,
            rejects: none,
            releases: none,
            reads: none,
            nameless_releases: none,
            used_max: state.used,
            limits: (u64::MAX, 0),
            versions: Versions::None,
        };
        for slot in open.untaken() {
            let step = open.step(slot);
            if step.version().is_some() {
                kinds.versions = Versions::Some;
            }
            let kind = match step {
                CapacityStep::Accept { units, terms, .. } => {
                    let limit = terms.limit.unwrap_or(u64::MAX);
                    kinds.limits = (kinds.limits.0.min(limit), kinds.limits.1.max(limit));
                    let copies = u64::from(open.copies(slot));
                    kinds.used_max = kinds.used_max.saturating_add(units.saturating_mul(copies));
                    &mut kinds.accepts
                }
                CapacityStep::Reject { .. } => &mut kinds.rejects,
                CapacityStep::Release { .. } => &mut kinds.releases,
                CapacityStep::ReleaseUnits { .. } => {
                    kinds.nameless_releases = kinds.nameless_releases.with(slot);
                    &mut kinds.releases
                }
                CapacityStep::Use(_) => &mut kinds.reads,
                CapacityStep::NotHeld { .. } | CapacityStep::Impossible => continue,
            };
            *kind = kind.with(slot);
        }
        kinds
    }

    /// What could become illegal, or end elsewhere, if the legal `step` were taken before it.
    fn spoiled_by(&self, step: &CapacityStep, open: &Open<'_, CapacityStep>) -> SlotSet {
        let by_version = match self.versions {
            Versions::None => SlotSet::EMPTY,
            Versions::Some => self.filtered(self.untaken, open, |other| {
                step.version().zip(other.version()).is_some_and(|(taken, other)| other < taken)
            }),
        };
        let by_kind = match step {
            CapacityStep::Accept { order, terms, .. } => {
                self.spoiled_by_accept(*order, terms.limit.unwrap_or(u64::MAX), open)
            }
            CapacityStep::Release { .. } | CapacityStep::ReleaseUnits { .. } => {
                let same = self.filtered(self.releases, open, |other| other.order() == step.order());
                self.rejects.union(self.reads).union(self.nameless_releases).union(same)
            }
            CapacityStep::Reject { .. }
            | CapacityStep::NotHeld { .. }
            | CapacityStep::Use(_)
            | CapacityStep::Impossible => SlotSet::EMPTY,
        };
        by_version.union(by_kind)
    }

    /// Another reservation with no smaller limit can only be spoiled if a release came before this
    /// one: without releases the use never was above what it is after both. So the releases stand
    /// for it. (Use 0, limit 10: reserve 5, release it, reserve 6 is legal, reserve 6 first is not.)
    fn spoiled_by_accept(&self, order: Option<u64>, limit: u64, open: &Open<'_, CapacityStep>) -> SlotSet {
        let (limit_min, limit_max) = self.limits;
        let may_overflow = self.used_max > limit_min;
        let smaller_limit = if may_overflow && limit_min < limit_max {
            self.filtered(self.accepts, open, |other| match other {
                CapacityStep::Accept { terms, .. } => {
                    terms.limit.is_some_and(|other| self.used_max > other && other < limit)
                }
                _ => false,
            })
        } else {
            SlotSet::EMPTY
        };
        let releases = if may_overflow { self.releases } else { SlotSet::EMPTY };
        let same_order = match order {
            Some(_) => self.filtered(self.untaken, open, |other| {
                other.order() == order && !matches!(other, CapacityStep::Release { .. })
            }),
            None => SlotSet::EMPTY,
        };
        smaller_limit.union(releases).union(same_order).union(self.reads)
    }

    /// Of these, one must be taken before the illegal `step` becomes legal.
    fn making_legal(
        &self,
        step: &CapacityStep,
        state: &CapacityState,
        open: &Open<'_, CapacityStep>,
    ) -> SlotSet {
        if step.version().is_some_and(|version| version < state.version) {
            return SlotSet::EMPTY;
        }
        match *step {
            CapacityStep::Accept { order, .. } => {
                let is_used_up = order.is_some_and(|order| state.orders.holding(order).is_some());
                if is_used_up { SlotSet::EMPTY } else { self.releases }
            }
            CapacityStep::Reject { .. } | CapacityStep::ReleaseUnits { .. } => self.accepts,
            CapacityStep::Release { order } => {
                self.filtered(self.accepts, open, |other| other.order() == Some(order))
            }
            CapacityStep::NotHeld { order } => {
                self.filtered(self.releases, open, |other| other.order() == Some(order))
            }
            CapacityStep::Use(used) if used > state.used => self.accepts,
            CapacityStep::Use(_) => self.releases,
            CapacityStep::Impossible => SlotSet::EMPTY,
        }
    }

    fn filtered(
        &self,
        slots: SlotSet,
        open: &Open<'_, CapacityStep>,
        mut keeps: impl FnMut(&CapacityStep) -> bool,
    ) -> SlotSet {
        let mut kept = SlotSet::EMPTY;
        for slot in slots {
            if keeps(open.step(slot)) {
                kept = kept.with(slot);
            }
        }
        kept
    }
}
