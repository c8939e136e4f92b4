//! Registers of unique values: drawn examples, every small history, and random larger ones.

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, TaskView, every, judge, seeds};
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::linearizable::tasks;
use crate::oracle;
use crate::spec::Spec;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

/// The reason of the conflict, or "legal", or "refused".
#[track_caller]
fn check(drawing: &str, want: &str) {
    let history = History::<Register>::draw(drawing).unwrap();
    let naive = |part: &History<Register>| {
        oracle::is_linearizable(&Register::default(), &KeyedHistory::single("x", part.clone()))
    };
    let found = match judge(&Register::default(), &history, naive) {
        None => "refused".to_owned(),
        Some(Finding::Legal) => "legal".to_owned(),
        Some(Finding::Illegal(conflict)) => format!("{:?}: {}", conflict.places, conflict.reason),
    };
    assert_eq!(found, want, "{drawing}");
}

#[test]
fn a_value_that_nobody_wrote_is_illegal() {
    check("a: [w1 ] [r2 ]", "[1]: the value 2 is found, but no operation makes it");
    check("a: [rn ] [r1\nb: [r1\nc: [rn ]", "legal");
}

#[test]
fn a_read_that_returns_before_the_write_is_invoked_is_illegal() {
    check("a: [r1 ]\nb:        [w1 ]", "[0]: the value 1 is found by event 1, but made only from event 2 on");
    check("a: [r1   ]\nb:     [w1 ]", "legal");
}

#[test]
fn two_values_that_last_at_one_time_are_illegal() {
    check(
        "a: [w1 ]        [r1 ]\nb:      [w2 ]         [r2 ]",
        "[0, 1, 2, 3]: the value 1 lasts from event 1 to event 4, but the value 2 lasts from event 3 to event 6",
    );
}

#[test]
fn a_value_within_the_time_of_another_is_illegal() {
    check(
        "a: [w1 ]        [r1 ]\nb:      [w2 ]",
        "[0, 1, 2]: the value 1 lasts from event 1 to event 4, but the value 2 comes and goes between events 2 and 3",
    );
    check("a: [w1 ]        [r1 ]\nb:      [w2", "legal");
    check("a: [w1 ]        [r1 ]\nb:     [w2           ]", "legal");
}

#[test]
fn the_initial_value_lasts_from_the_beginning() {
    check(
        "a: [w1 ]\nb:         [rn ]",
        "[0, 1]: the initial value nil lasts from the beginning to event 2, but the value 1 comes and goes between events 0 and 1",
    );
    check("a: [w1     ]\nb:    [rn ]   [r1 ]", "legal");
}

#[test]
fn values_written_twice_and_refusals_are_left_to_the_search() {
    check("a: [w1 ] [w1 ]", "refused");
    check("a: [wn ]", "refused");
    check("a: [c1>2! ]", "refused");
}

#[test]
fn compare_and_sets_of_new_values_follow_directly() {
    check("a: [w1 ] [c1>2 ]\nb:               [r2 ]", "legal");
    check(
        "a: [w1 ] [c1>2 ]\nb:    [c1>3 ]",
        "[1, 2]: the value 3 and the value 2 both come directly after the value 1",
    );
    check(
        "a: [w1 ] [c1>2 ]\nb:               [r1 ]",
        "[1, 2]: the value 1 comes before the value 2, which is there by event 3, but an operation invoked at event 4 belongs to it",
    );
    check("a: [c1>2 ]\nb: [c2>1 ]", "[1]: the value 1 could only come about after itself");
    check("a: [c1>2 ]\nb: [r2 ]", "[0]: the value 1 is found, but no operation makes it");
    check("a: [w1 ] [w3 ]\nb: [c1>2\nc:           [r2 ]", "legal");
    check(
        "a: [w1 ] [c1>2 ] [w3 ] [r2 ]",
        "[0, 2, 3]: the chain from the value 1 to the value 2 lasts from event 1 to event 6, but the value 3 comes and goes between events 4 and 5",
    );
}

#[test]
fn every_small_history_of_unique_values_gets_the_naive_answer() {
    let words = ["w1", "w2", "r1", "r2", "rn"];
    let tally = every(&Register::default(), &words, Shape { operations: 4, clients: 3 });
    tally.assert_decides(10_000);
}

#[test]
fn every_small_history_of_compare_and_sets_gets_the_naive_answer() {
    let words = ["w1", "c1>2", "c2>3", "c1>3", "r1", "r2"];
    let tally = every(&Register::default(), &words, Shape { operations: 4, clients: 3 });
    tally.assert_decides(10_000);
}

fn answer(state: &Option<i64>, call: &RegisterCall) -> Option<RegisterAnswer> {
    match call {
        RegisterCall::Read => Some(RegisterAnswer::Value(*state)),
        RegisterCall::Write(_) => Some(RegisterAnswer::Done),
        RegisterCall::CompareAndSet { expected, .. } => (expected == state).then_some(RegisterAnswer::Done),
    }
}

/// Reads and writes; small, large and negative values.
fn reads_and_writes(chance: &mut Chance) -> Vec<RegisterCall> {
    let first = [1, 1_000_000, -3, i64::MIN][chance.below(4)];
    let count = 8 + chance.below(5);
    let call = |value: usize| match chance.below(2) {
        0 => RegisterCall::Read,
        _ => RegisterCall::Write(Some(first + value as i64)),
    };
    (0..count).map(call).collect()
}

/// The same, and compare-and-sets from one of the last values to the next.
fn with_compare_and_sets(chance: &mut Chance) -> Vec<RegisterCall> {
    let mut calls = reads_and_writes(chance);
    for (value, call) in calls.iter_mut().enumerate() {
        if let RegisterCall::Write(Some(new)) = *call
            && chance.below(3) > 0
        {
            let back = chance.below(3).min(value) as i64;
            let expected = if value == 0 { None } else { Some(new - back) };
            *call = RegisterCall::CompareAndSet { expected, new: Some(new) };
        }
    }
    calls
}

#[test]
fn random_histories_of_unique_values_get_the_answer_of_the_search() {
    let play = Play::<Register> { calls: reads_and_writes, answer };
    for clients in [3, 4] {
        seeds(&Register::default(), &play, clients, 20_000).assert_decides(2_000);
    }
}

#[test]
fn random_histories_of_compare_and_sets_get_the_answer_of_the_search() {
    let play = Play::<Register> { calls: with_compare_and_sets, answer };
    for clients in [3, 4] {
        seeds(&Register::default(), &play, clients, 20_000).assert_decides(1_000);
    }
}

#[test]
fn a_history_without_operations_is_legal() {
    let history = History::<Register>::draw("a:").unwrap();
    let tasks = tasks(&Register::default(), &history);
    let decision = Register::default().shortcut(&TaskView(&tasks)).unwrap();
    assert_eq!((decision.algorithm, decision.finding), ("zones", Finding::Legal));
}
