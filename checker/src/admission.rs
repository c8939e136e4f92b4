//! Was every reservation decided under the limit in force at its instant? Judged in true time.
//!
//! ```text
//!   limit  ──────────────┐ 10
//!                        └────────────── 6
//!   a: [reserve 5 ]
//!   b:      [reserve 4          ]          accepted: decided before the step, or wrongly
//!   c:                       [reserve 1 ]  accepted: certainly wrong
//! ```
//!
//! An operation is decided somewhere in its interval; one of unknown outcome may or may not have
//! been. Only what is wrong wherever the decisions lay is a violation. Lowering a limit revokes
//! nothing: use may stay above it, but nothing may be admitted meanwhile.

mod over;
mod schedule;
mod slot;
mod under;

pub use schedule::LimitSchedule;

use crate::keyed::KeyedHistory;
use crate::spec::capacity::Capacity;
use crate::verdict::{Verdict, Violation};

use schedule::Limits;
use slot::Slot;

/// Whether no reservation was accepted above the limit in force, nor rejected far below it.
///
/// `uncertainty_ns`: within so much time of a step, the smaller limit is a good reason to reject.
pub fn admission(history: &KeyedHistory<Capacity>, schedule: &LimitSchedule, uncertainty_ns: u64) -> Verdict {
    let limits = Limits::of(schedule);
    for (key, part) in history.parts() {
        let slot = Slot::of(part, &limits);
        let violation = over::above_the_limit(&slot)
            .or_else(|| under::rejected_with_room(&slot, &limits, uncertainty_ns));
        if let Some(violation) = violation {
            let explanation = format!("{key}: {}", violation.explanation);
            return Verdict::Violated(Violation { key: Some(key.clone()), explanation, ..violation });
        }
    }
    Verdict::Holds
}

#[cfg(test)]
mod tests;
