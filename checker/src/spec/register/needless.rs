//! Operations of unknown outcome that no answer can need.
//!
//! An unknown write or compare-and-set matters only if an answered operation finds its value, or one
//! that leads there through further unknown ones. Any other can be left out of a legal order: what it
//! wrote is overwritten before somebody looks. A refused compare-and-set looks for *another* value,
//! which any of them may supply; then all are kept.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::{RegisterStep, Value};

/// Drops them.
pub(super) fn drop_unknown(steps: &mut [Option<RegisterStep>], is_unknown: &dyn Fn(usize) -> bool) {
    let unknown: Vec<usize> = (0..steps.len()).filter(|place| is_unknown(*place)).collect();
    if unknown.is_empty() {
        return;
    }
    let mut needed: HashSet<Value, FxBuildHasher> = HashSet::default();
    for (place, step) in steps.iter().enumerate() {
        match step {
            Some(RegisterStep::Mismatch(_)) if !is_unknown(place) => return,
            Some(RegisterStep::Read(value) | RegisterStep::Swap(value, _)) if !is_unknown(place) => {
                needed.insert(*value);
            }
            Some(_) | None => {}
        }
    }
    loop {
        let count = needed.len();
        for place in &unknown {
            if let Some(RegisterStep::Swap(expected, new)) = steps[*place]
                && needed.contains(&new)
            {
                needed.insert(expected);
            }
        }
        if needed.len() == count {
            break;
        }
    }
    for place in unknown {
        let is_needed = match steps[place] {
            Some(RegisterStep::Swap(_, new) | RegisterStep::Write(new)) => needed.contains(&new),
            Some(RegisterStep::Read(_) | RegisterStep::Mismatch(_)) | None => false,
        };
        if !is_needed {
            steps[place] = None;
        }
    }
}
