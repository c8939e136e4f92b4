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
//!
//! Assumes:
//! - Instants are true time, and so is the schedule: it holds every limit that was in force, and before
//!   its first step nothing may be admitted. At the instant of a step either limit applies.
//! - Each key is a slot of its own. Units are taken by reservations only, and freed only by the releases
//!   on record, of which one refused as not held may be the second attempt of one that took effect.
//! - All that asks for one order is one reservation, decided once: who asks again gets the first answer,
//!   also a rejection, though there may be room by then. What is refused for another reason than room,
//!   such as other units for a known order, is not on record as rejected.
//! - A reservation of unknown outcome may have been accepted, but proves nothing; a release of unknown
//!   outcome may have freed at once, or never.

mod kinds;
mod over;
mod schedule;
mod slot;
mod under;

pub use kinds::admission_of_kinds;
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
