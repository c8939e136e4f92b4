//! Every level of a history, judged and by its definition: do they agree?

use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::keyed::KeyedHistory;
use crate::lattice::{Level, judge_level, strongest};
use crate::oracle;

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

/// What each level's definition says, by the naive oracle.
pub(crate) fn naive<S: Drawable>(level: Level, spec: &S, history: &KeyedHistory<S>) -> bool {
    match (level, level.weak()) {
        (_, Some(weak)) => oracle::is_explained(spec, history, weak.guarantees()),
        (Level::Linearizable, None) => oracle::is_linearizable(spec, history),
        (Level::Sequential, None) => oracle::is_sequential(spec, history),
        (_, None) => oracle::is_convergent(spec, history),
    }
}

/// Each level gets the naive answer, alone and in the lattice; a stronger one that holds implies the weaker.
#[track_caller]
pub(crate) fn every_level_agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let wanted = Level::ALL.map(|level| naive(level, spec, history));
    let holds = |level: Level| wanted[level as usize];
    for level in Level::ALL {
        let context = || format!("{}\n{}", level.name(), history.drawing());
        assert!(!holds(level) || level.implies().iter().all(|weaker| holds(*weaker)), "{}", context());
        let verdict = judge_level(level, spec, history, BUDGET).verdict;
        let word = if holds(level) { "holds" } else { "violated" };
        assert_eq!(verdict.word(), word, "{}{verdict}", context());
    }
    let is_strongest = |level: &Level| {
        let is_implied = |other: Level| other != *level && holds(other) && other.is_as_strong_as(*level);
        holds(*level) && !Level::ALL.into_iter().any(is_implied)
    };
    let held: Vec<Level> = Level::ALL.into_iter().filter(is_strongest).collect();
    let found = strongest(spec, history, BUDGET);
    assert_eq!((found.held, found.undecided), (held, Vec::new()), "{}", history.drawing());
    for (level, judgement) in found.next {
        assert!(judgement.verdict.is_violated() && !holds(level));
        assert!(level.implies().iter().all(|weaker| holds(*weaker)), "{}", history.drawing());
    }
}
