//! Does everybody agree in the end? Eventual consistency, judged on a finite history.
//!
//! Not judged by itself yet: it is known only where a stronger level holds. Else it is undecided.

use crate::budget::Budget;
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict};

/// No algorithm has been asked.
pub const NOT_JUDGED: &str = "not judged";

/// Undecided, with every operation open.
pub fn convergence<S: Spec>(_spec: &S, history: &KeyedHistory<S>, _budget: Budget) -> Judgement {
    let open = history.by_invocation().into_iter().map(|(_, operation)| operation.number).collect();
    let verdict = Verdict::Undecided(Undecided { open, steps: 0 });
    Judgement { verdict, algorithm: NOT_JUDGED, steps: 0 }
}
