//! How far a reader of a log has got: every entry once, in order, without a gap.
//!
//! ```text
//!   applied:  0 1 2 3 │
//!   batch 2..6:   2 3 │ 4 5      the news begin behind what is known
//!   batch 6..8:       │     6 7  a gap: nothing is taken, the log is asked
//! ```

use sim::time::{MonotonicTime, Span};

use crate::ids::Offset;
use crate::rules::Precaution;

/// A reader's place in a log.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    applied: Offset,
    asked_at: Option<MonotonicTime>,
}

/// What a batch of entries has for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing new.
    Nothing,
    /// Not the next entry: what lies between is missing.
    Gap,
    /// All but the first `known` entries are new, and count as applied now; they begin at offset `from`.
    News {
        /// Offset of the first new entry.
        from: Offset,
        /// How many entries of the batch were known already.
        known: usize,
    },
}

impl Follower {
    /// How many entries have been applied.
    #[must_use]
    pub const fn applied(&self) -> Offset {
        self.applied
    }

    /// Takes a batch of `count` entries of which the first is at offset `from`. Without the precaution a gap is passed over.
    pub fn take(&mut self, from: Offset, count: usize, gap_detection: Precaution) -> Taken {
        if from > self.applied && gap_detection.is_taken() {
            return Taken::Gap;
        }
        let known = usize::try_from(self.applied.0.saturating_sub(from.0)).unwrap_or(usize::MAX);
        if known >= count {
            return Taken::Nothing;
        }
        let from = self.applied.max(from);
        self.applied = Offset(from.0 + (count - known) as u64);
        Taken::News { from, known }
    }

    /// Leaves out all entries before `to` that it has not.
    pub fn pass_over(&mut self, to: Offset) {
        self.applied = self.applied.max(to);
    }

    /// Whether it last asked the log that long ago, or never did.
    #[must_use]
    pub fn is_due(&self, every: Span, now: MonotonicTime) -> bool {
        self.asked_at.is_none_or(|asked| now.since(asked) >= every)
    }

    /// It asks the log now.
    pub const fn asks(&mut self, now: MonotonicTime) {
        self.asked_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Precaution::{Skipped, Taken as Detected};

    #[track_caller]
    fn check(applied: u64, batch: (u64, usize), gap_detection: Precaution, want: Taken, now_applied: u64) {
        let mut follower = Follower { applied: Offset(applied), asked_at: None };
        assert_eq!(follower.take(Offset(batch.0), batch.1, gap_detection), want);
        assert_eq!(follower.applied(), Offset(now_applied));
    }

    #[test]
    fn what_is_known_is_left_out_and_what_is_new_is_taken() {
        check(4, (2, 4), Detected, Taken::News { from: Offset(4), known: 2 }, 6);
        check(4, (4, 2), Detected, Taken::News { from: Offset(4), known: 0 }, 6);
        check(4, (1, 3), Detected, Taken::Nothing, 4);
        check(4, (4, 0), Detected, Taken::Nothing, 4);
    }

    #[test]
    fn a_gap_is_seen_unless_the_precaution_is_skipped() {
        check(4, (6, 2), Detected, Taken::Gap, 4);
        check(4, (6, 2), Skipped, Taken::News { from: Offset(6), known: 0 }, 8);
    }
}
