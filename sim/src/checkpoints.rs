//! Digests on the way, after every so many events: where two runs part, without a trace of either.

use core::ops::Range;

use serde::{Deserialize, Serialize};

use crate::digest::DigestValue;
use crate::limits::CHECKPOINTS_MAX;

/// Events between two checkpoints, at first and at most.
const EVERY_MIN: u64 = 1_024;
const EVERY_MAX: u64 = 1 << 50;

/// The digest after every so many events, from the beginning on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CheckpointsInFile")]
pub struct Checkpoints {
    /// 1024, or that times a power of two.
    every: u64,
    digests: Vec<DigestValue>,
}

/// Checkpoints as a file has them, whatever it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointsInFile {
    every: u64,
    digests: Vec<DigestValue>,
}

/// Why something read from a file is no list of checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointsError {
    /// No run has checkpoints so far apart.
    #[error("`every` is {every}: expected a power of two, 1024 to {EVERY_MAX}")]
    Every {
        /// What stands there.
        every: u64,
    },
    /// No run keeps so many.
    #[error("{count} digests: expected fewer than {CHECKPOINTS_MAX}")]
    Count {
        /// How many there are.
        count: usize,
    },
}

impl TryFrom<CheckpointsInFile> for Checkpoints {
    type Error = CheckpointsError;

    fn try_from(file: CheckpointsInFile) -> Result<Self, CheckpointsError> {
        let CheckpointsInFile { every, digests } = file;
        if !every.is_power_of_two() || !(EVERY_MIN..=EVERY_MAX).contains(&every) {
            return Err(CheckpointsError::Every { every });
        }
        if digests.len() >= CHECKPOINTS_MAX {
            return Err(CheckpointsError::Count { count: digests.len() });
        }
        Ok(Self { every, digests })
    }
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { every: EVERY_MIN, digests: Vec::new() }
    }
}

impl Checkpoints {
    /// Whether there are none: the run was too short, or its substrate keeps none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// How many events lie between two of them: 1024 at first, doubled whenever there are too many.
    #[must_use]
    pub const fn every(&self) -> u64 {
        self.every
    }

    /// The first events among which two runs differ, as far as the checkpoints tell; none if all that both have agree.
    #[must_use]
    pub fn first_differing_window(&self, other: &Self) -> Option<Range<u64>> {
        let every = self.every.max(other.every);
        let at = |checkpoints: &Self, window: u64| {
            let index = (window + 1) * (every / checkpoints.every) - 1;
            checkpoints.digests.get(usize::try_from(index).ok()?).copied()
        };
        (0..)
            .map_while(|window| Some((window, at(self, window)?, at(other, window)?)))
            .find(|(_, left, right)| left != right)
            .map(|(window, ..)| window * every..(window + 1) * every)
    }

    /// One more. Whenever there are too many, every second one goes.
    pub(crate) fn push(&mut self, value: DigestValue) {
        self.digests.push(value);
        if self.digests.len() == CHECKPOINTS_MAX {
            let mut index = 0;
            self.digests.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.every *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those of a run of `count` times 1024 events that is another one from `odd` times that on.
    fn check(count: u128, odd: u128) -> Checkpoints {
        let mut checkpoints = Checkpoints::default();
        for index in 1..=count {
            let events = u64::try_from(index).unwrap() * EVERY_MIN;
            if events.is_multiple_of(checkpoints.every()) {
                checkpoints.push(DigestValue(index + u128::from(index >= odd)));
            }
        }
        checkpoints
    }

    #[test]
    fn checkpoints_from_a_file_are_those_of_a_run_or_refused() {
        let checkpoints = check(50, 60);
        let text = serde_json::to_string(&checkpoints).unwrap();
        assert_eq!(serde_json::from_str::<Checkpoints>(&text).unwrap(), checkpoints);
        let refuse = |every, count| {
            let file = CheckpointsInFile { every, digests: vec![DigestValue(0); count] };
            Checkpoints::try_from(file).unwrap_err()
        };
        for every in [0, 512, 1_025, 1 << 51] {
            assert_eq!(refuse(every, 1), CheckpointsError::Every { every });
        }
        let count = CHECKPOINTS_MAX;
        assert_eq!(refuse(1_024, count), CheckpointsError::Count { count });
    }

    #[test]
    fn checkpoints_thin_out_and_still_compare() {
        let (long, short) = (check(9_000, 1_000), check(1_500, 2_000));
        assert_eq!((long.every(), short.every()), (4_096, 1_024));
        assert!(long.digests.len() < CHECKPOINTS_MAX);
        assert_eq!(long.first_differing_window(&short), Some(249 * 4_096..250 * 4_096));
    }
}
