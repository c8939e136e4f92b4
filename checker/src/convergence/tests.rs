//! Drawn examples, then every small history against the naive answer.

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::history::OperationIndex;
use crate::oracle;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::register::Register;
use crate::test_histories::{
    CAPACITY_WORDS, REGISTER_WORDS, Shape, every_history, random_keyed_history, weakened,
};

const BUDGET: Budget = Budget { steps_max: 100_000 };
const ADDS: Counter = Counter { kind: CounterKind::AddAndRead };

#[track_caller]
fn check<S: Drawable>(spec: &S, drawing: &str, holds: bool) -> Judgement {
    let judgement = convergence(spec, &KeyedHistory::draw(drawing).unwrap(), BUDGET);
    assert_eq!(judgement.verdict.holds(), holds, "{drawing}\n{}", judgement.verdict);
    assert_eq!(judgement.verdict.is_violated(), !holds, "{drawing}\n{}", judgement.verdict);
    judgement
}

#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let Judgement { verdict, algorithm, .. } = convergence(spec, history, BUDGET);
    let wanted = oracle::is_convergent(spec, history);
    assert_eq!(verdict.holds(), wanted, "{}{verdict}", history.drawing());
    assert_eq!(verdict.is_violated(), !wanted, "{}{verdict}", history.drawing());
    let Verdict::Violated(violation) = verdict else { return };
    let is_convergent = |known: &[OperationIndex]| oracle::is_convergent(spec, &weakened(history, known));
    let named = &violation.operations;
    assert!(!is_convergent(named), "{}{}", history.drawing(), violation.explanation);
    // With other operations, one whose answer is unknown may leave an earlier observation the last one.
    let is_exact = algorithm == LAST_WRITE;
    for spared in (0..named.len()).filter(|_| is_exact) {
        let fewer = [&named[..spared], &named[spared + 1..]].concat();
        assert!(is_convergent(&fewer), "{}{}", history.drawing(), violation.explanation);
    }
}

#[test]
fn a_replica_that_lags_for_good_is_found() {
    check(&Register::default(), "a: [w1 ]\nb:            [rn ] [rn ]", false);
    check(&Register::default(), "a: [w1 ]\nb:            [rn ] [r1 ]", true);
}

#[test]
fn two_replicas_that_disagree_for_good_are_found() {
    let judgement = check(
        &Register::default(),
        "a: [w1 ]       [r1 ]\nb: [w2 ]       [r2 ]\nc: [w3 ]     [r3 ] [r1 ]",
        false,
    );
    let Verdict::Violated(violation) = judgement.verdict else { panic!("not violated") };
    assert_eq!(violation.operations, [0, 1, 4, 5].map(OperationIndex), "{}", violation.explanation);
    check(&Register::default(), "a: [w1 ]       [r2 ]\nb: [w2 ]       [r2 ]", true);
}

#[test]
fn an_unknown_update_may_be_visible_to_one_client_only_but_in_the_common_order() {
    check(&ADDS, "a: [+1 ]\nb: [+2\nc:         [=1 ]\nd:         [=3 ]", true);
    check(&ADDS, "a: [+1 ]\nb: [+2\nc:         [=2 ]", false);
}

#[test]
fn who_observes_nothing_at_the_end_has_nothing_to_agree_on() {
    let history = KeyedHistory::<Register>::draw("a: [w1 ]\nb:   [rn ]").unwrap();
    assert_eq!(final_observation_count(&Register::default(), &history), 0);
    assert_eq!(check(&Register::default(), "a: [w1 ]\nb:   [rn ]", true).algorithm, VACUOUS);
}

#[test]
fn each_object_comes_to_its_own_end() {
    check(&Register::default(), "a: [x.w1 ]          [y.w1 ]\nb:          [x.rn ]", false);
}

#[test]
fn every_small_history_gets_the_naive_answer() {
    let shape = Shape { operations: 3, clients: 3 };
    every_history::<Register>(&REGISTER_WORDS, shape)
        .for_each(|history| agrees(&Register::default(), &history));
    every_history::<Log>(&["a1", "a2", "a2@0", "l1", "l1,2", "l2,1"], shape)
        .for_each(|history| agrees(&Log, &history));
    let shape = Shape { operations: 4, clients: 3 };
    every_history::<Counter>(&["+1", "+2", "=1", "=3"], shape).for_each(|history| agrees(&ADDS, &history));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_get_the_naive_answer(
        registers in random_keyed_history::<Register>(&REGISTER_WORDS, &["x", "y"], Shape { operations: 7, clients: 4 }),
        counters in random_keyed_history::<Capacity>(&CAPACITY_WORDS, &["x"], Shape { operations: 6, clients: 4 }),
    ) {
        agrees(&Register::default(), &registers);
        agrees(&Capacity { capacity: Some(3) }, &counters);
    }
}
