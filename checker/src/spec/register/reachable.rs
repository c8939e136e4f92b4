//! The values that a register can hold after operations that may have taken effect, or not.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::{RegisterStep, Value};
use crate::engine::shortcut::Seen;

/// The values that `later` steps look for, as far as they can be held at `position`, and one of all others.
///
/// A value is made by one write alone, or by a chain of compare-and-sets from such a value or the initial
/// one, each in its time; the operations between are left out. What only an operation makes that is still
/// open at `position` is not held before it: that one takes effect later.
pub(super) fn values(
    initial: Value,
    position: u64,
    begun: &[Seen<&RegisterStep>],
    later: &[Option<RegisterStep>],
) -> Vec<Value> {
    let mut held = Held { from: BTreeMap::from([(initial, 0)]), by_over: BTreeSet::from([initial]) };
    let mut swaps = Vec::new();
    for seen in begun {
        let is_over = seen.returned < position;
        match seen.step {
            Some(&RegisterStep::Write(value)) => {
                held.lower(value, seen.invoked, is_over);
            }
            Some(&RegisterStep::Swap(expected, new)) => swaps.push((expected, new, seen, is_over)),
            Some(RegisterStep::Read(_) | RegisterStep::Mismatch(_)) | None => {}
        }
    }
    let mut is_new = true;
    while is_new {
        is_new = false;
        for &(expected, new, seen, is_over) in &swaps {
            if let Some(&from) = held.from.get(&expected).filter(|from| **from < seen.returned) {
                is_new |= held.lower(new, seen.invoked.max(from), is_over);
            }
        }
    }
    let mut sought: HashSet<Value, FxBuildHasher> = HashSet::default();
    for step in later.iter().flatten() {
        match *step {
            RegisterStep::Read(value) | RegisterStep::Swap(value, _) | RegisterStep::Mismatch(value) => {
                sought.insert(value);
            }
            RegisterStep::Write(_) => {}
        }
    }
    let other = held.by_over.iter().copied().find(|value| !sought.contains(value));
    let mut values: Vec<Value> = held.by_over.into_iter().filter(|value| sought.contains(value)).collect();
    values.extend(other);
    values
}

/// Which values can be held, and from when on.
struct Held {
    from: BTreeMap<Value, u64>,
    /// Those that something makes that is over.
    by_over: BTreeSet<Value>,
}

impl Held {
    /// The value can be held from a position on. Whether that, or who makes it, is new.
    fn lower(&mut self, value: Value, position: u64, is_over: bool) -> bool {
        let is_new = is_over && self.by_over.insert(value);
        let known = self.from.entry(value).or_insert(u64::MAX);
        let is_earlier = position < *known;
        *known = position.min(*known);
        is_new || is_earlier
    }
}
