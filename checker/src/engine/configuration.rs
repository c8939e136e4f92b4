//! A state, and which open operations were taken to reach it: what searches go through.
//!
//! Observations are taken as soon as they are legal. A write that another write covers, or that
//! changes nothing, is marked *absorbable* instead of branching on whether it was taken. Of equal open
//! operations the one that returns first is taken. Only [relevant](Spec::relevant) ones are tried.

use crate::engine::open::{Open, OpenTable, Slot, SlotSet, Used};
use crate::engine::timeline::{Event, EventKind};
use crate::spec::Spec;

/// Bytes of a configuration, beside itself, that count as one step more.
const STEP_BYTES: usize = 64;

/// A state, and which open operations were taken to reach it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Configuration<State> {
    pub(crate) state: State,
    /// Of an unknown one: all copies were.
    pub(crate) taken: SlotSet,
    /// Untaken ones that could have been taken before, with the same state.
    pub(crate) absorbable: SlotSet,
    /// How many copies of unknown ones were taken.
    pub(crate) used: Used,
}

impl<State: Clone + Eq> Configuration<State> {
    pub(crate) fn first<S: Spec<State = State>>(spec: &S) -> Self {
        Self::of(spec.initial())
    }

    /// Nothing was taken yet.
    pub(crate) fn of(state: State) -> Self {
        Self { state, taken: SlotSet::EMPTY, absorbable: SlotSet::EMPTY, used: Used::default() }
    }

    /// What it costs to make and keep it.
    pub(crate) fn steps<S: Spec<State = State>>(&self, spec: &S) -> u64 {
        let bytes = spec.state_bytes(&self.state) + self.used.bytes();
        1 + (bytes / STEP_BYTES) as u64
    }

    pub(crate) fn open<'a, T>(&'a self, table: &'a OpenTable<T>) -> Open<'a, T> {
        Open { table, taken: self.taken, absorbable: self.absorbable, used: &self.used }
    }

    /// After taking the operation in `slot`, if that is legal.
    pub(crate) fn take<S: Spec<State = State>>(
        &self,
        spec: &S,
        table: &OpenTable<S::Step>,
        slot: Slot,
    ) -> Option<Self> {
        let step = table.step(slot);
        let state = spec.apply(&self.state, step)?;
        let absorbable = self.absorbable.without(slot);
        let mut next = Self { state, taken: self.taken, absorbable, used: self.used.clone() };
        if !table.unknown.contains(slot) || next.used.add(slot) == table.copies(slot) {
            next.taken = next.taken.with(slot);
        }
        let untaken = next.open(table).untaken_answered();
        for other in untaken.minus(next.absorbable) {
            if spec.overwrites(step, table.step(other)) {
                next.absorbable = next.absorbable.with(other);
            }
        }
        for other in untaken {
            next.settle(spec, table, other);
        }
        Some(next)
    }

    /// Whether it can go past the end of an operation that it has not taken.
    pub(crate) fn may_pass(&self, end: Event) -> bool {
        match end.kind {
            EventKind::Expired => true,
            EventKind::Returned => self.absorbable.contains(end.slot),
            EventKind::Invoked | EventKind::Pending => false,
        }
    }

    /// After the end of an operation.
    #[must_use]
    pub(crate) fn past(mut self, end: Event) -> Self {
        self.taken = self.taken.without(end.slot);
        self.absorbable = self.absorbable.without(end.slot);
        if end.kind == EventKind::Expired {
            self.used.clear(end.slot);
        }
        self
    }

    /// After the invocation of an operation; the table is that after the event.
    pub(crate) fn see<S: Spec<State = State>>(&mut self, spec: &S, table: &OpenTable<S::Step>, event: Event) {
        match event.kind {
            EventKind::Invoked => self.settle(spec, table, event.slot),
            // One more copy: not all are taken any more.
            EventKind::Pending => self.taken = self.taken.without(event.slot),
            EventKind::Expired | EventKind::Returned => {}
        }
    }

    /// Takes an answered observation that is legal now, and marks what would change nothing.
    pub(crate) fn settle<S: Spec<State = State>>(
        &mut self,
        spec: &S,
        table: &OpenTable<S::Step>,
        slot: Slot,
    ) {
        let step = table.step(slot);
        if spec.is_idle(&self.state, step) {
            self.absorbable = self.absorbable.with(slot);
        } else if spec.only_observes(&self.state, step) && spec.is_legal(&self.state, step) {
            self.taken = self.taken.with(slot);
        }
    }

    /// The relevant open operations, of equal ones only that which returns first.
    ///
    /// Equal ones are interchangeable: what returns first is in no order worse off taken first. But what
    /// may be left out is no substitute for what has to be taken.
    pub(crate) fn worth_taking<S: Spec<State = State>>(
        &self,
        spec: &S,
        table: &OpenTable<S::Step>,
        goal: Slot,
    ) -> SlotSet {
        let relevant = spec.relevant(&self.state, &self.open(table), goal);
        let is_better = |one: Slot, other: Slot| {
            let is_late = table.entry(one).deadline > table.entry(other).deadline;
            !is_late && (!table.unknown.contains(one) || table.unknown.contains(other))
        };
        let mut kept = SlotSet::EMPTY;
        for slot in relevant {
            let is_absorbable = self.absorbable.contains(slot);
            let is_equal = |other: &Slot| {
                self.absorbable.contains(*other) == is_absorbable && table.step(*other) == table.step(slot)
            };
            if kept.into_iter().any(|other| is_equal(&other) && is_better(other, slot)) {
                continue;
            }
            let worse = kept.into_iter().filter(|other| is_equal(other) && is_better(slot, *other));
            kept = worse.fold(kept, SlotSet::without).with(slot);
        }
        kept
    }

    /// Whether `self` can become `worse` by absorbing, and by forgetting that unknown ones are left.
    pub(crate) fn dominates(&self, worse: &Self, unknown: SlotSet) -> bool {
        let extra = worse.taken.minus(self.taken).minus(unknown);
        self.taken.minus(unknown).is_subset(worse.taken)
            && extra.is_subset(self.absorbable)
            && worse.absorbable.is_subset(self.absorbable)
            && self.used.is_at_most(&worse.used)
            && self.state == worse.state
    }
}
