//! Counters: drawn examples, every small history, and random larger ones.

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, every, judge, seeds};
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::oracle;
use crate::spec::counter::{Counter, CounterAnswer, CounterCall, CounterKind};
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

const COUNTER: Counter = Counter { kind: CounterKind::AddAndRead };

/// The reason of the conflict, or "legal", or "refused".
#[track_caller]
fn check(drawing: &str, want: &str) {
    let history = History::<Counter>::draw(drawing).unwrap();
    let naive =
        |part: &History<Counter>| oracle::is_linearizable(&COUNTER, &KeyedHistory::single("x", part.clone()));
    let found = match judge(&COUNTER, &history, naive) {
        None => "refused".to_owned(),
        Some(Finding::Legal) => "legal".to_owned(),
        Some(Finding::Illegal(conflict)) => format!("{:?}: {}", conflict.places, conflict.reason),
    };
    assert_eq!(found, want, "{drawing}");
}

#[test]
fn increments_return_each_value_once_and_in_order() {
    check("a: [i1 ] [i3 ]\nb:   [i2 ]", "legal");
    check("a: [i1 ] [i1 ]", "[0, 1]: the value 1 is reached twice");
    check("a: [i0 ]", "[0]: the value 0 is out of reach for all operations together");
    check(
        "a: [i2 ] [i1 ]",
        "[0, 1]: the value 2 is there by event 1, but the value 1 is reached or found after event 2",
    );
    check("a: [i3 ]\nb: [i1 ]", "[0]: the value 3 is out of reach for all operations together");
    check("a: [i1 ] [i3 ]\nb: [i4 ]", "[1]: the value 4 is out of reach for all operations together");
    check(
        "a: [i2 ]\nb:       [i",
        "[0]: the value 2 is there by event 1, but too few operations that lead up to it were invoked before",
    );
    check("a: [i2 ]\nb:    [i", "legal");
}

#[test]
fn adds_take_effect_before_the_reads_that_count_them() {
    check("a: [+2 ]\nb:      [=2 ]", "legal");
    check("a: [+2 ]\nb:      [=0 ]", "[0, 1]: more takes effect before event 2 than leads to the value 0");
    check("a: [+2 ]\nb:      [=1 ]", "[1]: the counter is never 1: it starts at 0 and every addition is 2");
    check("a: [+2 ]\nb:      [=4 ]", "[1]: the value 4 is out of reach for all operations together");
    check(
        "a: [=2 ]\nb:      [+2 ]",
        "[0]: the value 2 is there by event 1, but too few operations that lead up to it were invoked before",
    );
    check(
        "a: [+2 ]    [+2 ]  [=2 ]\nb:     [=2 ]",
        "[1, 2, 3]: more takes effect between events 3 and 6 than leads from the value 2 to the value 2",
    );
    check(
        "a: [+1    ]    [=2 ]\nb:  [+1 ]\nc:  [+1 ]",
        "[0, 1, 2, 3]: more takes effect before event 6 than leads to the value 2",
    );
    check("a: [+1\nb:      [=1 ] [=1 ] [=2 ]\nc: [+1\n", "legal");
    check(
        "a: [=1 ] [+1 ] [=1 ]\nb: [+1",
        "[0, 2, 3]: more takes effect between events 2 and 5 than leads from the value 1 to the value 1",
    );
}

#[test]
fn every_small_history_of_increments_gets_the_naive_answer() {
    let words = ["i1", "i2", "i3", "=0", "=1", "=2"];
    every(&COUNTER, &words, Shape { operations: 4, clients: 3 }).assert_decides(10_000);
}

#[test]
fn every_small_history_of_adds_gets_the_naive_answer() {
    let words = ["+1", "=0", "=1", "=2", "=3", "i2"];
    every(&COUNTER, &words, Shape { operations: 4, clients: 3 }).assert_decides(10_000);
    let words = ["+-2", "=-2", "=-4", "=2", "=-1"];
    every(&COUNTER, &words, Shape { operations: 3, clients: 3 }).assert_decides(100);
}

fn answer(state: &i64, call: &CounterCall) -> Option<CounterAnswer> {
    Some(match call {
        CounterCall::Read => CounterAnswer::Value(*state),
        CounterCall::Increment => CounterAnswer::Value(*state + 1),
        CounterCall::Add(_) => CounterAnswer::Done,
    })
}

fn increments_and_reads(chance: &mut Chance) -> Vec<CounterCall> {
    let call = |_| if chance.below(6) == 0 { CounterCall::Read } else { CounterCall::Increment };
    (0..12).map(call).collect()
}

fn adds_and_reads(chance: &mut Chance) -> Vec<CounterCall> {
    let amount = [1, 3, -2][chance.below(3)];
    let call = |_| if chance.below(3) == 0 { CounterCall::Read } else { CounterCall::Add(amount) };
    (0..12).map(call).collect()
}

fn all_kinds(chance: &mut Chance) -> Vec<CounterCall> {
    let calls = [CounterCall::Read, CounterCall::Increment, CounterCall::Add(1), CounterCall::Add(1)];
    (0..10).map(|_| calls[chance.below(4)]).collect()
}

#[test]
fn random_histories_of_counters_get_the_answer_of_the_search() {
    for calls in [increments_and_reads, adds_and_reads, all_kinds] {
        let play = Play::<Counter> { calls, answer };
        for clients in [3, 4] {
            seeds(&COUNTER, &play, clients, 10_000).assert_decides(1_000);
        }
    }
}
