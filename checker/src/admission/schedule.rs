//! The limit over true time: steps.

use serde::{Deserialize, Serialize};

use crate::switch_timing::Publication;

/// A new limit from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitStep {
    /// From when, in true ns; may lie before the run.
    pub start_ns: i64,
    /// The limit.
    pub limit: u64,
}

/// Limits over time. Before the first step it is 0: nothing may be admitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<LimitStep>", into = "Vec<LimitStep>")]
pub struct LimitSchedule {
    steps: Vec<LimitStep>,
}

/// Why a list of steps is not a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A step starts no later than the one before it.
    #[error("a limit starts at {after_ns} ns, not after the one before it, at {before_ns} ns")]
    NotIncreasing {
        /// Start of the step before.
        before_ns: i64,
        /// Start of the step.
        after_ns: i64,
    },
}

impl LimitSchedule {
    /// The schedule with these steps, given by start.
    ///
    /// # Errors
    /// If the starts do not increase.
    pub fn new(steps: Vec<LimitStep>) -> Result<Self, ScheduleError> {
        let start = |step: &LimitStep| step.start_ns;
        match steps.windows(2).find(|pair| start(&pair[0]) >= start(&pair[1])) {
            Some(pair) => Err(ScheduleError::NotIncreasing {
                before_ns: start(&pair[0]),
                after_ns: start(&pair[1]),
            }),
            None => Ok(Self { steps }),
        }
    }

    /// One limit for ever.
    pub fn fixed(limit: u64) -> Self {
        Self { steps: vec![LimitStep { start_ns: i64::MIN, limit }] }
    }

    /// The schedule that configuration versions make: a version committed late applies from then.
    pub fn from_versions(limits: &[(Publication, u64)]) -> Self {
        let mut steps: Vec<LimitStep> = Vec::new();
        for (publication, limit) in limits {
            let committed_ns = i64::try_from(publication.committed_ns).unwrap_or(i64::MAX);
            let start_ns = publication.start_ns.max(committed_ns);
            steps.retain(|step| step.start_ns < start_ns);
            steps.push(LimitStep { start_ns, limit: *limit });
        }
        Self { steps }
    }

    /// The steps, by start.
    pub fn steps(&self) -> &[LimitStep] {
        &self.steps
    }

    /// The largest limit in force at any instant of an interval, ends included.
    pub fn max_between(&self, from_ns: i64, to_ns: i64) -> u64 {
        self.between(from_ns, to_ns).max().unwrap_or(0)
    }

    /// The smallest limit in force at any instant of an interval, ends included.
    pub fn min_between(&self, from_ns: i64, to_ns: i64) -> u64 {
        if self.started(from_ns) == 0 { 0 } else { self.between(from_ns, to_ns).min().unwrap_or(0) }
    }

    fn between(&self, from_ns: i64, to_ns: i64) -> impl Iterator<Item = u64> {
        let first = self.started(from_ns).saturating_sub(1);
        let end = self.started(to_ns);
        self.steps[first.min(end)..end].iter().map(|step| step.limit)
    }

    fn started(&self, at_ns: i64) -> usize {
        self.steps.partition_point(|step| step.start_ns <= at_ns)
    }
}

impl TryFrom<Vec<LimitStep>> for LimitSchedule {
    type Error = ScheduleError;

    fn try_from(steps: Vec<LimitStep>) -> Result<Self, ScheduleError> {
        Self::new(steps)
    }
}

impl From<LimitSchedule> for Vec<LimitStep> {
    fn from(schedule: LimitSchedule) -> Self {
        schedule.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> LimitSchedule {
        let steps = [(10, 5), (20, 8), (30, 3)].map(|(start_ns, limit)| LimitStep { start_ns, limit });
        LimitSchedule::new(steps.to_vec()).unwrap()
    }

    #[test]
    fn before_the_first_step_nothing_may_be_admitted() {
        assert_eq!(schedule().max_between(0, 9), 0);
        assert_eq!(schedule().min_between(0, 25), 0);
        assert_eq!(schedule().max_between(0, 10), 5);
    }

    #[test]
    fn an_interval_sees_the_limit_at_its_start_and_every_step_inside() {
        assert_eq!((schedule().min_between(15, 30), schedule().max_between(15, 30)), (3, 8));
        assert_eq!((schedule().min_between(12, 19), schedule().max_between(12, 19)), (5, 5));
    }

    #[test]
    fn steps_must_increase() {
        let steps = [(10, 5), (10, 8)].map(|(start_ns, limit)| LimitStep { start_ns, limit });
        let error = ScheduleError::NotIncreasing { before_ns: 10, after_ns: 10 };
        assert_eq!(LimitSchedule::new(steps.to_vec()), Err(error));
    }

    #[test]
    fn a_version_committed_late_applies_from_its_commit() {
        let late = Publication { version: 1, start_ns: 10, committed_ns: 15 };
        let steps = LimitSchedule::from_versions(&[(late, 7)]);
        assert_eq!(steps.steps(), [LimitStep { start_ns: 15, limit: 7 }]);
    }
}
