//! The limit over true time: steps.

use serde::{Deserialize, Serialize};

/// Limits over time. Before the first step it is 0: nothing may be admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LimitSchedule {
    /// (start in true ns, limit from then on), in the order in which they were decided: a step
    /// replaces those before it that start no earlier.
    pub steps: Vec<(u64, u64)>,
}

impl LimitSchedule {
    /// One limit for ever.
    pub fn fixed(limit: u64) -> Self {
        Self { steps: vec![(0, limit)] }
    }
}

/// A schedule to look up: starts increase.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    steps: Vec<(u64, u64)>,
}

impl Limits {
    pub(super) fn of(schedule: &LimitSchedule) -> Self {
        let mut steps: Vec<(u64, u64)> = Vec::with_capacity(schedule.steps.len());
        for &(start_ns, limit) in &schedule.steps {
            while steps.pop_if(|(earlier_ns, _)| *earlier_ns >= start_ns).is_some() {}
            steps.push((start_ns, limit));
        }
        Self { steps }
    }

    /// The largest limit in force at any instant of an interval, ends included.
    pub(super) fn max_between(&self, from_ns: u64, to_ns: u64) -> u64 {
        self.between(from_ns, to_ns).max().unwrap_or(0)
    }

    /// The smallest limit in force at any instant of an interval, ends included; none if there was
    /// no limit yet at its start.
    pub(super) fn min_between(&self, from_ns: u64, to_ns: u64) -> Option<u64> {
        self.between(from_ns, to_ns).min().filter(|_| self.started(from_ns) > 0)
    }

    fn between(&self, from_ns: u64, to_ns: u64) -> impl Iterator<Item = u64> {
        let first = self.started(from_ns).saturating_sub(1);
        let end = self.started(to_ns);
        self.steps[first.min(end)..end].iter().map(|(_, limit)| *limit)
    }

    fn started(&self, at_ns: u64) -> usize {
        self.steps.partition_point(|(start_ns, _)| *start_ns <= at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(steps: &[(u64, u64)]) -> Limits {
        Limits::of(&LimitSchedule { steps: steps.to_vec() })
    }

    #[test]
    fn before_the_first_step_nothing_may_be_admitted() {
        let limits = limits(&[(10, 5), (20, 8)]);
        assert_eq!(limits.max_between(0, 9), 0);
        assert_eq!(limits.min_between(0, 25), None);
        assert_eq!(limits.max_between(0, 10), 5);
    }

    #[test]
    fn an_interval_sees_the_limit_at_its_start_and_every_step_inside() {
        let limits = limits(&[(10, 5), (20, 8), (30, 3)]);
        assert_eq!((limits.min_between(15, 30), limits.max_between(15, 30)), (Some(3), 8));
        assert_eq!((limits.min_between(12, 19), limits.max_between(12, 19)), (Some(5), 5));
    }

    #[test]
    fn a_step_replaces_those_before_it_that_start_no_earlier() {
        let limits = limits(&[(10, 5), (30, 8), (20, 3)]);
        assert_eq!(limits.max_between(25, 40), 3);
        assert_eq!(limits.max_between(15, 15), 5);
    }
}
