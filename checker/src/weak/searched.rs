//! Levels of objects that are no registers of unique values: not judged yet, unless a stronger level holds.

use super::*;

/// Undecided, with every operation open.
pub(super) fn judged<S: Spec>(
    _level: WeakLevel,
    _spec: &S,
    history: &KeyedHistory<S>,
    _budget: Budget,
    algorithm: &'static str,
) -> Judgement {
    let open = history.by_invocation().iter().map(|(_, o)| o.number).collect();
    Judgement { verdict: Verdict::Undecided(Undecided { open, steps: 0 }), algorithm, steps: 0 }
}
