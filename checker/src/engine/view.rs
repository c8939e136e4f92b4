//! Histories, whole, cut short or weakened, as algorithms see them.

use crate::engine::shortcut::{Seen, View};
use crate::history::History;
use crate::spec::Spec;

/// A history as it is.
pub(crate) struct Answered<'a, S: Spec> {
    pub(crate) spec: &'a S,
    pub(crate) history: &'a History<S>,
}

/// What was known of a history just after one of its answers.
pub(crate) struct Prefix<'a, S: Spec> {
    pub(crate) whole: Answered<'a, S>,
    /// The position of that answer.
    pub(crate) end: u64,
    /// How many operations had been invoked.
    count: usize,
}

/// The beginning of a history in which only some answers are known.
pub(crate) struct Weakened<'a, S: Spec> {
    pub(crate) prefix: &'a Prefix<'a, S>,
    /// The places of those answers, sorted.
    pub(crate) known: &'a [usize],
}

impl<S: Spec> View<S::Step> for Answered<'_, S> {
    fn count(&self) -> usize {
        self.history.operations().len()
    }

    fn at(&self, place: usize) -> Seen<S::Step> {
        let operation = &self.history.operations()[place];
        let answer = operation.answer();
        Seen {
            step: self.spec.step(&operation.call, answer),
            invoked: operation.invoked,
            returned: operation.returned.unwrap_or(u64::MAX),
        }
    }
}

impl<'a, S: Spec> Prefix<'a, S> {
    pub(crate) fn new(spec: &'a S, history: &'a History<S>, end: u64) -> Self {
        let count = history.operations().partition_point(|operation| operation.invoked < end);
        Self { whole: Answered { spec, history }, end, count }
    }

    /// The operation as if it had not been answered.
    fn unanswered(&self, place: usize) -> Seen<S::Step> {
        let operation = &self.whole.history.operations()[place];
        let step = self.whole.spec.step(&operation.call, None);
        Seen { step, invoked: operation.invoked, returned: u64::MAX }
    }
}

impl<S: Spec> View<S::Step> for Prefix<'_, S> {
    fn count(&self) -> usize {
        self.count
    }

    fn at(&self, place: usize) -> Seen<S::Step> {
        let seen = self.whole.at(place);
        if seen.returned <= self.end { seen } else { self.unanswered(place) }
    }
}

impl<S: Spec> View<S::Step> for Weakened<'_, S> {
    fn count(&self) -> usize {
        self.prefix.count
    }

    fn at(&self, place: usize) -> Seen<S::Step> {
        match self.known.binary_search(&place) {
            Ok(_) => self.prefix.at(place),
            Err(_) => self.prefix.unanswered(place),
        }
    }
}
