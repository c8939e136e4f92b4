//! Drawable examples, then every small history and many random ones against the naive answer.

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::oracle;
use crate::spec::capacity::{Capacity, CapacityAnswer};
use crate::spec::kinds::Kinds;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};
use crate::test_histories::full_size::{
    Chance, WithoutHints, counter_words, legal_history, with_another_answer,
};
use crate::test_histories::{CAPACITY_WORDS, REGISTER_WORDS, Shape, every_history, random_history};

const BUDGET: Budget = Budget { steps_max: 100_000 };
const HOLDS: bool = true;
const VIOLATED: bool = false;

#[track_caller]
fn check<S: Drawable>(spec: S, drawing: &str, holds: bool) {
    let history = History::<S>::draw(drawing).unwrap();
    let judgement = linearizable(&spec, &history, BUDGET);
    assert_eq!(judgement.verdict.holds(), holds, "{drawing}\n{}", judgement.verdict);
    assert_eq!(judgement.verdict.is_violated(), !holds, "{drawing}\n{}", judgement.verdict);
}

#[track_caller]
fn register(drawing: &str, holds: bool) {
    check(Register::default(), drawing, holds);
}

#[track_caller]
fn counter_of_ten(drawing: &str, holds: bool) {
    check(Capacity { capacity: Some(10) }, drawing, holds);
}

/// Ten of the first kind, half as many of the second.
#[track_caller]
fn counter_of_two_kinds(drawing: &str, holds: bool) {
    check(Kinds { shares: [100, 50, 0], capacity: Some(10) }, drawing, holds);
}

/// The answers of the search and of the naive oracle are the same.
#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let judgement = linearizable_by_key(spec, history, BUDGET);
    let wanted = oracle::is_linearizable(spec, history);
    assert_eq!(judgement.verdict.holds(), wanted, "{}{}", history.drawing(), judgement.verdict);
    assert_eq!(judgement.verdict.is_violated(), !wanted, "{}{}", history.drawing(), judgement.verdict);
    for part in history.parts().values() {
        has_a_witness_if_it_holds(spec, part);
    }
}

/// What holds has an order that proves it, nothing else has.
#[track_caller]
fn has_a_witness_if_it_holds<S: Drawable>(spec: &S, history: &History<S>) {
    let order = legal_order(spec, history, BUDGET);
    let holds = linearizable_unexplained(spec, history, BUDGET).verdict.holds();
    assert_eq!(order.is_some(), holds, "{}", history.drawing());
    if let Some(order) = order {
        let answered = history.operations().iter().filter(|one| one.returned.is_some());
        let missing = answered.filter(|one| !order.contains(&one.number)).count();
        assert_eq!(missing, 0, "{order:?}\n{}", history.drawing());
        assert!(is_proof(spec, history, &order), "{order:?}\n{}", history.drawing());
    }
}

#[test]
fn a_reservation_of_several_kinds_takes_all_of_them_or_none() {
    counter_of_two_kinds("a: [+a4,4 ] [!b1,2 ] [+c6,1 ] [=10,5 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4 ] [+b1,2 ]", VIOLATED);
    counter_of_two_kinds("a: [+a4,4 ] [!b1,1 ]", VIOLATED);
    counter_of_two_kinds("a: [+a4,4 ] [!b1,2 ] [=5,4 ]", VIOLATED);
    counter_of_two_kinds("a: [+a4,4 ] [-a ] [=0 ] [+b10,5 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4\nb:         [+b1,2 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4\nb:         [!b1,2 ] [=4,4 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4\nb:         [!b1,2 ] [=0 ]", VIOLATED);
}

#[test]
fn whose_zone_is_not_served_has_no_effect_and_whose_is_gets_a_decision() {
    counter_of_two_kinds("a: [?a4,4# ] [=0 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4#\nb:          [=0 ]", HOLDS);
    counter_of_two_kinds("a: [+a4,4#\nb:          [=4,4 ]", VIOLATED);
    counter_of_two_kinds("a: [+a4,4# ]", VIOLATED);
    counter_of_two_kinds("a: [!a99# ]", VIOLATED);
    counter_of_two_kinds("a: [?a4,4 ]", VIOLATED);
}

#[test]
fn unanswered_write_may_take_effect_late_but_only_once() {
    register("a: [w1\nb:      [r1 ]", HOLDS);
    register("a: [w1\nb:      [rn ] [r1 ]", HOLDS);
    register("a: [w1\nb:      [r1 ] [rn ]", VIOLATED);
    register("a: [w1\nb:  [w2 ] [r1 ] [w2 ] [r1 ]", VIOLATED);
}

#[test]
fn a_read_returns_the_latest_write() {
    register("a: [w1 ] [w2 ]\nb:               [r2 ]", HOLDS);
    register("a: [w1 ] [w2 ]\nb:               [r1 ]", VIOLATED);
    register("a: [w1 ] [w2 ]\nb:         [r1 ]", HOLDS);
}

#[test]
fn a_refused_compare_and_set_found_another_value() {
    register("a: [w1 ]\nb:         [c1>2! ]", VIOLATED);
    register("a: [w1 ]\nb:         [c2>3! ]", HOLDS);
    register("a: [w1 ] [w2 ]\nb:         [c1>3! ]", HOLDS);
}

#[test]
fn two_compare_and_sets_from_one_value_cannot_both_succeed() {
    register("a: [w1 ][c1>2 ]\nb:       [c1>3 ]", VIOLATED);
    register("a: [w1 ][c1>2 ]\nb:       [c2>3 ]", HOLDS);
}

#[test]
fn an_accepted_reservation_fits_and_a_rejected_one_does_not() {
    counter_of_ten("a: [+6 ] [+4 ]", HOLDS);
    counter_of_ten("a: [+6 ] [+5 ]", VIOLATED);
    counter_of_ten("a: [+6 ] [!5 ]", HOLDS);
    counter_of_ten("a: [+6 ] [!4 ]", VIOLATED);
    counter_of_ten("a: [+6 ]\nb: [!5 ]", HOLDS);
}

#[test]
fn a_release_makes_room_for_what_follows_it() {
    counter_of_ten("a: [+a6 ] [-a ] [+b10 ]", HOLDS);
    counter_of_ten("a: [+a6 ] [+b10 ]\nb:         [-a ]", HOLDS);
    counter_of_ten("a: [+a6 ] [-a ] [~a ]", HOLDS);
    counter_of_ten("a: [+a6 ] [-a ] [-a ]", VIOLATED);
    counter_of_ten("a: [+3 ] [-4 ]", VIOLATED);
}

#[test]
fn a_reservation_of_unknown_outcome_explains_a_rejection_but_only_once() {
    counter_of_ten("a: [+a6\nb:       [!5 ]", HOLDS);
    counter_of_ten("a: [+a6\nb:       [!5 ] [+5 ]", VIOLATED);
    counter_of_ten("a: [+a6\nb:       [+5 ] [!5 ] ", VIOLATED);
    counter_of_ten("a: [+a4\nb:       [+5 ] [!5 ] [-a ] [+5 ]", HOLDS);
}

#[test]
fn the_limit_in_an_answer_replaces_the_capacity_and_versions_never_decrease() {
    counter_of_ten("a: [+12/20@2 ]", HOLDS);
    counter_of_ten("a: [+12/20@2 ] [+1/10@1 ]", VIOLATED);
    counter_of_ten("a: [+12/20@2 ] [!1/10@3 ]", HOLDS);
    counter_of_ten("a: [+12/20@2 ]\nb: [!10/10@1 ]", VIOLATED);
    counter_of_ten("a: [+12/20@2 ]\nb: [!11/10@1 ]", HOLDS);
}

#[test]
fn a_violation_names_the_smallest_part_and_where_it_got_stuck() {
    let drawing = "a: [w1 ] [w2 ]             [w5 ]\nb:               [r2 ] [r1 ]";
    let history = History::<Register>::draw(drawing).unwrap();
    let Verdict::Violated(violation) = linearizable(&Register::default(), &history, BUDGET).verdict else {
        panic!("a stale read passed")
    };
    assert_eq!(violation.operations, [1, 3].map(OperationIndex), "{}", violation.explanation);
    assert_eq!(violation.stuck, Some(OperationIndex(3)));
    assert_eq!(violation.legal_prefix_count, Some(3));
    assert!(violation.explanation.contains("client 1's read -> 1 ("), "{}", violation.explanation);
}

/// Whether some of the `others`, or none, can be added to the operations of `part` so that all of
/// them together are linearizable.
fn can_be_completed(history: &History<Register>, part: &[OperationIndex], others: &[OperationIndex]) -> bool {
    (0..1_usize << others.len()).any(|choice| {
        let is_chosen = |number| {
            let place = others.iter().position(|other| *other == number);
            part.contains(&number) || place.is_some_and(|place| choice >> place & 1 == 1)
        };
        let mut chosen = history.clone();
        chosen.operations.retain(|operation| is_chosen(operation.number));
        oracle::is_linearizable(&Register::default(), &KeyedHistory::single("x", chosen))
    })
}

#[test]
fn removing_any_one_of_a_smallest_part_makes_it_pass_and_nothing_else_does() {
    for history in every_history::<Register>(&REGISTER_WORDS, Shape { operations: 3, clients: 3 }) {
        for part in history.parts().values() {
            let verdict = linearizable(&Register::default(), part, BUDGET).verdict;
            let Verdict::Violated(Violation { operations: core, .. }) = verdict else { continue };
            let numbers = part.operations.iter().map(|operation| operation.number);
            let others: Vec<OperationIndex> = numbers.filter(|number| !core.contains(number)).collect();
            assert!(!can_be_completed(part, &core, &others), "{core:?} is not enough: {}", part.drawing());
            for needed in &core {
                let fewer: Vec<OperationIndex> =
                    core.iter().copied().filter(|number| number != needed).collect();
                let more = [others.as_slice(), &[*needed]].concat();
                assert!(can_be_completed(part, &fewer, &more), "{needed} is spare: {}", part.drawing());
            }
        }
    }
}

#[test]
fn a_witness_is_a_proof_only_if_it_is_legal_and_in_real_time() {
    let history = History::<Register>::draw("a: [w1 ]   [w3\nb: [w2 ] [r1 ]").unwrap();
    let judge = |order: &[u32]| {
        let order: Vec<OperationIndex> = order.iter().copied().map(OperationIndex).collect();
        linearizable_by_witness(&Register::default(), &history, &order, BUDGET)
    };
    for (order, is_proof) in [
        (&[1, 0, 2][..], true),
        (&[1, 0, 2, 3], true),
        (&[1, 0], true),
        (&[0, 1, 2], false),
        (&[1, 0, 0, 2], false),
        (&[2, 1, 0], false),
        (&[0, 2], false),
        (&[1, 0, 2, 9], false),
    ] {
        let judgement = judge(order);
        let found = (judgement.algorithm == WITNESS, judgement.verdict.holds());
        assert_eq!(found, (is_proof, true), "{order:?}");
    }
}

#[test]
fn a_witness_for_a_broken_history_proves_nothing() {
    let history = History::<Register>::draw("a: [w1 ]\nb:         [rn ]").unwrap();
    let order = [OperationIndex(1), OperationIndex(0)];
    let judgement = linearizable_by_witness(&Register::default(), &history, &order, BUDGET);
    assert!(judgement.verdict.is_violated());
}

#[test]
fn observations_that_a_witness_leaves_out_keep_their_own_order() {
    let spec = Capacity { capacity: Some(10) };
    let order = [OperationIndex(0), OperationIndex(1)];
    for (drawing, algorithm) in [
        ("a: [+6    ] [+4    ]\nb:     [!5 ]    [!1  ]", WITNESS),
        ("a: [+6    ]\nc: [+4      ]\nb:       [=10] [=6 ]", CONFIGURATIONS),
    ] {
        let mut history = History::<Capacity>::draw(drawing).unwrap();
        // The updates get the numbers 0 and 1.
        let mut numbers = 0..;
        let (updates, observations): (Vec<_>, Vec<_>) = history
            .operations
            .drain(..)
            .partition(|operation| matches!(operation.answer(), Some(CapacityAnswer::Accepted(_))));
        history.operations = updates.into_iter().chain(observations).collect();
        for operation in &mut history.operations {
            operation.number = OperationIndex(numbers.next().unwrap());
        }
        let judgement = linearizable_by_witness(&spec, &history, &order, BUDGET);
        assert_eq!(judgement.algorithm, algorithm, "{drawing}");
    }
}

#[test]
fn more_than_128_different_open_operations_are_undecided() {
    let mut builder = crate::history::Builder::<Register>::default();
    let refused = crate::history::ClientId(200);
    builder.invoke(refused, RegisterCall::CompareAndSet { expected: None, new: Some(1) }, 0).unwrap();
    for client in 0..129 {
        let call = RegisterCall::Write(Some(client));
        builder.invoke(crate::history::ClientId(client as u64), call, 0).unwrap();
    }
    builder.answer(refused, RegisterAnswer::Mismatch, 0).unwrap();
    let verdict = linearizable(&Register::default(), &builder.finish(), BUDGET).verdict;
    assert!(matches!(&verdict, Verdict::Undecided(undecided) if undecided.open.len() == 128), "{verdict}");
}

#[test]
fn a_used_up_budget_is_undecided() {
    let history = History::<Register>::draw("a: [w1 ]\nb: [w2 ]\nc: [r1 ]\nd: [w2 ]").unwrap();
    let verdict = linearizable(&Register::default(), &history, Budget { steps_max: 1 }).verdict;
    assert!(matches!(verdict, Verdict::Undecided(_)), "{verdict}");
}

#[test]
fn every_small_register_history_gets_the_naive_answer() {
    for (operations, clients) in [(2, 2), (3, 3)] {
        for history in every_history::<Register>(&REGISTER_WORDS, Shape { operations, clients }) {
            agrees(&Register::default(), &history);
        }
    }
    let few = ["w1", "r1", "c1>2", "rn", "c1>2!"];
    for history in every_history::<Register>(&few, Shape { operations: 4, clients: 3 }) {
        agrees(&Register::default(), &history);
    }
}

#[test]
fn every_small_counter_history_gets_the_naive_answer() {
    let spec = Capacity { capacity: Some(3) };
    for history in every_history::<Capacity>(&CAPACITY_WORDS, Shape { operations: 3, clients: 3 }) {
        agrees(&spec, &history);
    }
    let few = ["+a2", "-a", "+2", "!2", "=2"];
    for history in every_history::<Capacity>(&few, Shape { operations: 4, clients: 3 }) {
        agrees(&spec, &history);
    }
}

/// Full-size histories that are legal by construction hold, and with one answer replaced they get
/// the answer that a search without any hints gives, where that one ends.
fn full_size_histories_are_judged_right<S: Drawable>(spec: &S, words: &[String]) {
    let mut violated_count = 0;
    for seed in 0..60 {
        let mut chance = Chance::new(seed);
        let large = legal_history(spec, words, Shape { operations: 150, clients: 10 }, &mut chance);
        let verdict = linearizable(spec, &large, BUDGET).verdict;
        assert!(verdict.holds(), "seed {seed}: {verdict}");
        has_a_witness_if_it_holds(spec, &large);
        let legal = legal_history(spec, words, Shape { operations: 25, clients: 5 }, &mut chance);
        let other = with_another_answer(legal, words, &mut chance);
        let plain = WithoutHints(spec.clone());
        let slow = linearizable_unexplained(&plain, &WithoutHints::history(&other), BUDGET).verdict;
        let fast = linearizable(spec, &other, BUDGET).verdict;
        if !matches!(slow, Verdict::Undecided(_)) {
            assert_eq!(fast.word(), slow.word(), "seed {seed}: {fast}\n{}", other.drawing());
            violated_count += usize::from(slow.is_violated());
        }
    }
    assert!(violated_count >= 5, "only {violated_count} histories were spoilt");
}

#[test]
fn full_size_register_histories_are_judged_right() {
    let words = REGISTER_WORDS.map(str::to_owned);
    full_size_histories_are_judged_right(&Register::default(), &words);
}

#[test]
fn full_size_counter_histories_are_judged_right() {
    full_size_histories_are_judged_right(&Capacity { capacity: Some(10) }, &counter_words());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_register_histories_get_the_naive_answer(
        history in random_history::<Register>(&REGISTER_WORDS, Shape { operations: 7, clients: 5 })
    ) {
        agrees(&Register::default(), &history);
    }

    #[test]
    fn random_counter_histories_get_the_naive_answer(
        history in random_history::<Capacity>(&CAPACITY_WORDS, Shape { operations: 7, clients: 5 })
    ) {
        agrees(&Capacity { capacity: Some(3) }, &history);
    }
}
