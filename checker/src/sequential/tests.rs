//! Drawable examples, then every small history and many random ones against the naive answer.

mod counters;
mod programs;
mod registers;
mod sequences;

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::engine::saturation::SATURATION;
use crate::linearizable::linearizable_by_key;
use crate::oracle;
use crate::spec::capacity::Capacity;
use crate::spec::register::Register;
use crate::test_histories::{
    CAPACITY_WORDS, REGISTER_WORDS, Shape, draw_keyed, every_history, random_keyed_history,
};

const BUDGET: Budget = Budget { steps_max: 100_000 };

fn judged<S: Drawable>(spec: &S, history: &KeyedHistory<S>) -> Judgement {
    sequential(spec, history, &linearizable_by_key(spec, history, BUDGET), BUDGET)
}

/// The judgement of a drawing over registers; the algorithm shows how it was reached.
#[track_caller]
fn registers(drawing: &str, holds: bool, algorithm: &str) -> Judgement {
    let judgement = judged(&Register::default(), &draw_keyed(drawing));
    assert_eq!(judgement.verdict.holds(), holds, "{drawing}\n{}", judgement.verdict);
    assert_eq!(judgement.verdict.is_violated(), !holds, "{drawing}\n{}", judgement.verdict);
    assert_eq!(judgement.algorithm, algorithm, "{drawing}\n{}", judgement.verdict);
    judgement
}

/// The answers of the check and of the naive oracle are the same.
#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let verdict = judged(spec, history).verdict;
    let wanted = oracle::is_sequential(spec, history);
    assert_eq!(verdict.holds(), wanted, "{}{verdict}", history.drawing());
    assert_eq!(verdict.is_violated(), !wanted, "{}{verdict}", history.drawing());
}

#[test]
fn what_is_linearizable_needs_no_search() {
    registers("a: [x.w1 ] [y.r1 ]\nb:    [y.w1 ]", true, LINEARIZABLE_PER_KEY);
}

#[test]
fn a_stale_read_by_another_client_keeps_every_program() {
    registers("a: [x.w1 ]\nb:            [x.rn ]", true, SATURATION);
}

#[test]
fn a_client_reads_its_own_writes() {
    registers("a: [x.w1 ] [x.rn ]", false, SATURATION);
}

#[test]
fn a_client_that_saw_the_new_value_does_not_see_the_old_one() {
    let judgement = registers("a: [x.w1 ]\nb:            [x.r1 ] [x.rn ]", false, SATURATION);
    let Verdict::Violated(violation) = judgement.verdict else { panic!("not violated") };
    assert_eq!(violation.operations, [1, 2].map(OperationIndex), "{}", violation.explanation);
}

#[test]
fn each_object_alone_may_have_an_order_while_together_they_have_none() {
    let x = "a: [x.w1 ]\nb:              [x.rn ]";
    let y = "a:             [y.rn ]\nb: [y.w1 ]";
    registers(x, true, SATURATION);
    registers(y, true, SATURATION);
    let both = "a: [x.w1 ]            [y.rn ]\nb:     [y.w1 ]            [x.rn ]";
    let judgement = registers(both, false, SATURATION);
    let Verdict::Violated(violation) = judgement.verdict else { panic!("not violated") };
    assert_eq!(violation.operations.len(), 4, "{}", violation.explanation);
    assert_eq!(violation.key, None);
}

#[test]
fn values_read_before_they_are_written_are_refuted_by_a_cycle() {
    let judgement =
        registers("a: [x.r1 ]           [y.w1 ]\nb:           [y.r1 ]           [x.w1 ]", false, SATURATION);
    let Verdict::Violated(violation) = judgement.verdict else { panic!("not violated") };
    assert_eq!(violation.operations, [0, 1].map(OperationIndex), "{}", violation.explanation);
    assert!(violation.explanation.contains("a cycle"), "{}", violation.explanation);
}

#[test]
fn an_unknown_write_may_be_taken_late_or_left_out() {
    registers("a: [x.w1\nb:          [x.r1 ]", true, LINEARIZABLE_PER_KEY);
    registers("a: [x.w1\nb: [x.w2 ] [x.w3 ]\nc:                    [x.r2 ] [x.r1 ]", true, SATURATION);
}

#[test]
fn counters_are_judged_over_all_slots_together() {
    let spec = Capacity { capacity: Some(3) };
    let stale = draw_keyed::<Capacity>("a: [x.+2 ]\nb:             [x.+2 ]");
    assert!(judged(&spec, &stale).verdict.is_violated());
    let late = draw_keyed::<Capacity>("a: [x.+a2 ] [x.-a ]\nb:                        [x.!2 ]");
    assert!(judged(&spec, &late).verdict.holds());
}

#[test]
fn an_oversold_slot_of_many_clients_is_refuted_without_trying_every_order() {
    let lanes: Vec<String> = (0..26).map(|client| format!("{client}: [x.+1 ]")).collect();
    let history = draw_keyed::<Capacity>(&lanes.join("\n"));
    let spec = Capacity { capacity: Some(25) };
    let per_key = linearizable_by_key(&spec, &history, BUDGET);
    let judgement = sequential(&spec, &history, &per_key, Budget { steps_max: 1_000 });
    assert!(judgement.verdict.is_violated(), "{}", judgement.verdict);
}

#[test]
fn a_used_up_budget_is_undecided() {
    let history = draw_keyed::<Register>("a: [x.w1 ] [x.w2 ]\nb:                  [x.r1 ] [x.r2 ]");
    let per_key = linearizable_by_key(&Register::default(), &history, BUDGET);
    let judgement = sequential(&Register::default(), &history, &per_key, Budget { steps_max: 2 });
    assert!(matches!(judgement.verdict, Verdict::Undecided(_)), "{}", judgement.verdict);
}

#[test]
fn every_small_history_gets_the_naive_answer() {
    for history in every_history::<Register>(&REGISTER_WORDS, Shape { operations: 3, clients: 2 }) {
        agrees(&Register::default(), &history);
    }
    let few = ["w1", "r1", "c1>2", "rn"];
    for history in every_history::<Register>(&few, Shape { operations: 4, clients: 3 }) {
        agrees(&Register::default(), &history);
    }
    for history in every_history::<Capacity>(&CAPACITY_WORDS, Shape { operations: 3, clients: 2 }) {
        agrees(&Capacity { capacity: Some(3) }, &history);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_register_histories_get_the_naive_answer(
        history in random_keyed_history::<Register>(&REGISTER_WORDS, &["x", "y"], Shape { operations: 7, clients: 3 })
    ) {
        agrees(&Register::default(), &history);
    }

    #[test]
    fn random_counter_histories_get_the_naive_answer(
        history in random_keyed_history::<Capacity>(&CAPACITY_WORDS, &["x", "y"], Shape { operations: 7, clients: 3 })
    ) {
        agrees(&Capacity { capacity: Some(3) }, &history);
    }
}
