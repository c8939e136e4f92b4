//! Drawn examples, then every small program and many random ones against the naive answer.

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::oracle;
use crate::spec::register::Register;
use crate::test_histories::{Shape, every_program, random_keyed_history};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

const ALL: [WeakLevel; 6] = [
    WeakLevel::Causal,
    WeakLevel::Pram,
    WeakLevel::Only(Guarantee::ReadYourWrites),
    WeakLevel::Only(Guarantee::MonotonicReads),
    WeakLevel::Only(Guarantee::MonotonicWrites),
    WeakLevel::Only(Guarantee::WritesFollowReads),
];

/// The answer of the check and of the naive oracle are the same.
#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    for level in ALL {
        let verdict = weak(level, spec, history, BUDGET).verdict;
        let wanted = oracle::is_explained(spec, history, level.guarantees());
        assert_eq!(verdict.holds(), wanted, "{level:?}\n{}{verdict}", history.drawing());
        assert_eq!(verdict.is_violated(), !wanted, "{level:?}\n{}{verdict}", history.drawing());
    }
}

fn is_unique(history: &KeyedHistory<Register>) -> bool {
    has_unique_values(&Register::default(), history)
}

#[test]
fn every_small_program_of_unique_values_gets_the_naive_answer() {
    let words = ["w1", "w2", "r1", "r2", "rn"];
    let mut count = 0;
    for operations in 0..=4 {
        for history in every_program::<Register>(&words, &["x", "y"], Shape { operations, clients: 3 }) {
            if is_unique(&history) {
                count += 1;
                agrees(&Register::default(), &history);
            }
        }
    }
    eprintln!("{count}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_of_unique_values_get_the_naive_answer(
        history in random_keyed_history::<Register>(
            &["w1", "w2", "w3", "r1", "r2", "r3", "r1", "r2", "rn"], &["x", "y"], Shape { operations: 8, clients: 3 })
    ) {
        if is_unique(&history) {
            agrees(&Register::default(), &history);
        }
    }
}
