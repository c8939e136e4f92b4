//! Drawn examples, then every small program and many random ones against the naive answer.

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::history::OperationIndex;
use crate::oracle;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::text::Text;
use crate::test_histories::{
    CAPACITY_WORDS, REGISTER_WORDS, Shape, every_program, random_keyed_history, weakened,
};
use crate::weak::Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

const ALL: [WeakLevel; 6] = [
    WeakLevel::Causal,
    WeakLevel::Pram,
    WeakLevel::Only(ReadYourWrites),
    WeakLevel::Only(MonotonicReads),
    WeakLevel::Only(MonotonicWrites),
    WeakLevel::Only(WritesFollowReads),
];

/// The violation of a level by a drawing over registers.
#[track_caller]
fn violated(level: WeakLevel, drawing: &str) -> crate::verdict::Violation {
    let history = KeyedHistory::<Register>::draw(drawing).unwrap();
    match weak(level, &Register::default(), &history, BUDGET).verdict {
        Verdict::Violated(violation) => violation,
        verdict => panic!("{drawing}\n{verdict}"),
    }
}

/// The answer of the check and of the naive oracle are the same, and counter-examples are smallest.
#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    for level in ALL {
        let verdict = weak(level, spec, history, BUDGET).verdict;
        let wanted = oracle::is_explained(spec, history, level.guarantees());
        assert_eq!(verdict.holds(), wanted, "{level:?}\n{}{verdict}", history.drawing());
        assert_eq!(verdict.is_violated(), !wanted, "{level:?}\n{}{verdict}", history.drawing());
    }
}

/// What a counter-example names fails when the answers to all others are unknown, and passes when that
/// of any one of them is unknown too.
#[track_caller]
fn names_the_smallest_part<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    for level in ALL {
        let Verdict::Violated(violation) = weak(level, spec, history, BUDGET).verdict else { continue };
        let is_explained = |named: &[OperationIndex]| {
            oracle::is_explained(spec, &weakened(history, named), level.guarantees())
        };
        let named = &violation.operations;
        let context = || format!("{level:?} {named:?}\n{}{}", history.drawing(), violation.explanation);
        assert!(!is_explained(named), "{}", context());
        for spared in 0..named.len() {
            let fewer = [&named[..spared], &named[spared + 1..]].concat();
            assert!(is_explained(&fewer), "{}", context());
        }
    }
}

fn is_unique(history: &KeyedHistory<Register>) -> bool {
    Sources::of(&Register::default(), history).are_unique()
}

#[test]
fn a_causal_violation_is_named_edge_by_edge() {
    let violation = violated(WeakLevel::Causal, "a: [x.w1 ]\nb:   [x.r1 ] [y.w2 ]\nc:     [y.r2 ] [x.rn ]");
    assert_eq!(violation.operations, [1, 2, 4].map(OperationIndex), "{}", violation.explanation);
    assert_eq!((violation.legal_prefix_count, violation.stuck), (Some(4), Some(OperationIndex(4))));
    assert_eq!(
        violation.explanation,
        "client 2's read -> nil on x (15 ns to 21 ns) reads what was there before any write, though it sees \
         client 0's write 1 on x (3 ns to 9 ns) through operations 1, 3, 2"
    );
}

#[test]
fn a_value_from_nowhere_violates_every_level() {
    for level in ALL {
        let violation = violated(level, "a: [w1 ] [r2 ]");
        assert_eq!(violation.operations, [OperationIndex(1)], "{}", violation.explanation);
    }
}

#[test]
fn a_client_reads_no_write_that_it_has_yet_to_ask_for() {
    for level in ALL {
        let violation = violated(level, "a: [r1 ] [w1 ]");
        assert!(violation.explanation.contains("only afterwards"), "{}", violation.explanation);
    }
}

#[test]
fn repeated_values_fall_back_to_search_and_the_algorithm_says_so() {
    let history = KeyedHistory::<Register>::draw("a: [w1 ] [w1 ]\nb:    [r1 ]").unwrap();
    let judgement = weak(WeakLevel::Causal, &Register::default(), &history, BUDGET);
    assert_eq!((judgement.verdict, judgement.algorithm), (Verdict::Holds, VISIBILITY_SEARCH_REPEATED));
}

#[test]
fn a_used_up_budget_is_undecided_and_names_what_is_open() {
    for drawing in ["a: [w1 ] [r1 ]\nb: [r1 ]", "a: [c1>2 ] [w1 ]\nb: [c1>2 ]"] {
        let history = KeyedHistory::<Register>::draw(drawing).unwrap();
        let judgement = weak(WeakLevel::Pram, &Register::default(), &history, Budget { steps_max: 1 });
        let Verdict::Undecided(undecided) = judgement.verdict else { panic!("{}", judgement.verdict) };
        assert!(!undecided.open.is_empty(), "{drawing}");
    }
}

#[test]
fn every_small_program_of_unique_values_gets_the_naive_answer() {
    let words = ["w1", "w2", "r1", "r2", "rn"];
    for operations in 0..=4 {
        for history in every_program::<Register>(&words, &["x", "y"], Shape { operations, clients: 3 }) {
            if is_unique(&history) {
                agrees(&Register::default(), &history);
            }
        }
    }
}

#[track_caller]
fn every_program_agrees<S: Drawable>(spec: &S, words: &[&str], keys: &[&str], operations: usize) {
    let histories = every_program::<S>(words, keys, Shape { operations, clients: 3 });
    for (number, history) in histories.enumerate() {
        agrees(spec, &history);
        if number % 7 == 0 {
            names_the_smallest_part(spec, &history);
        }
    }
}

#[test]
fn every_small_program_of_any_model_gets_the_naive_answer() {
    every_program_agrees(&Register::default(), &REGISTER_WORDS, &["x"], 3);
    every_program_agrees(&Register::default(), &["w1", "c1>2", "c1>2!", "r2"], &["x"], 4);
    every_program_agrees(&Register::default(), &["w1", "r1", "rn"], &["x", "y"], 3);
    every_program_agrees(&Register::default(), &["c1>2", "r2", "w1"], &["x", "y"], 3);
    let increments = Counter { kind: CounterKind::Increment };
    every_program_agrees(&increments, &["i1", "i2", "=0", "=1"], &["x"], 4);
    let adds = Counter { kind: CounterKind::AddAndRead };
    every_program_agrees(&adds, &["+1", "+2", "=1", "=2", "=3"], &["x"], 3);
    every_program_agrees(&adds, &["+1", "=1", "=0"], &["x", "y"], 3);
    every_program_agrees(&Text::default(), &["pa", "ab", "ga", "gb", "gab", "gba"], &["x"], 3);
    every_program_agrees(&Log, &["a1", "a2", "a2@0", "l1", "l2", "l1,2", "1e2"], &["x"], 3);
    every_program_agrees(&Mutex, &["a", "r"], &["x", "y"], 3);
    every_program_agrees(&Mutex, &["a", "r"], &["x"], 4);
    let words = ["wx1", "wx1,wy1", "rx1,wy2", "rx0,ry1", "ry2"];
    every_program_agrees(&MultiRegister::default(), &words, &["x"], 3);
    every_program_agrees(&Capacity { capacity: Some(3) }, &CAPACITY_WORDS, &["x"], 2);
    every_program_agrees(&Capacity { capacity: Some(3) }, &["+a2", "+2", "!2", "-a", "=2"], &["x"], 3);
}

/// Words in which few values are written twice.
const SELDOM_REPEATED: [&str; 12] = ["w1", "w2", "w3", "w4", "r1", "r2", "r3", "r4", "r1", "r2", "r3", "rn"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_of_mostly_unique_values_get_the_naive_answer(
        history in random_keyed_history::<Register>(&SELDOM_REPEATED, &["x", "y"], Shape { operations: 6, clients: 3 })
    ) {
        agrees(&Register::default(), &history);
        if is_unique(&history) {
            names_the_smallest_part(&Register::default(), &history);
        }
    }

    #[test]
    fn random_histories_of_other_models_get_the_naive_answer(
        registers in random_keyed_history::<Register>(&REGISTER_WORDS, &["x", "y"], Shape { operations: 5, clients: 3 }),
        texts in random_keyed_history::<Text>(&["pa", "pb", "ab", "gb", "gab", "gbb"], &["x", "y"], Shape { operations: 5, clients: 3 }),
        counters in random_keyed_history::<Capacity>(&CAPACITY_WORDS, &["x"], Shape { operations: 5, clients: 3 }),
    ) {
        agrees(&Register::default(), &registers);
        agrees(&Text::default(), &texts);
        agrees(&Capacity { capacity: Some(3) }, &counters);
    }
}
