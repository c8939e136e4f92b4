//! Strings: drawn examples, every small history, and random larger ones.

use std::sync::Arc;

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, TaskView, every, exchange_answers, judge, spoilt};
use crate::engine::timeline::Task;
use crate::history::{History, Outcome};
use crate::keyed::KeyedHistory;
use crate::linearizable::tasks;
use crate::oracle;
use crate::spec::Spec;
use crate::spec::text::{Text, TextAnswer, TextCall, TextStep};
use crate::test_histories::full_size::Chance;
use crate::test_histories::{Shape, every_history};
use crate::trials::trial_count;

/// Random histories of one kind, at least.
const SEEDS: u64 = 10_000;
/// Puts and appends in a random history: the orders of all are what the search has to try.
const CHANGES_MAX: usize = 7;

/// The reason of the conflict, or "legal", or "refused".
#[track_caller]
fn check_from(initial: &str, drawing: &str, want: &str) {
    let spec = Text { initial: initial.into() };
    let history = History::<Text>::draw(drawing).unwrap();
    let naive =
        |part: &History<Text>| oracle::is_linearizable(&spec, &KeyedHistory::single("x", part.clone()));
    let found = match judge(&spec, &history, naive) {
        None => "refused".to_owned(),
        Some(Finding::Legal) => "legal".to_owned(),
        Some(Finding::Illegal(conflict)) => format!("{:?}: {}", conflict.places, conflict.reason),
    };
    assert_eq!(found, want, "{drawing}");
}

#[track_caller]
fn check(drawing: &str, want: &str) {
    check_from("", drawing, want);
}

#[test]
fn a_get_shows_the_order_of_the_appends() {
    check("a: [aa ] [ga ]\nb:     [ac ]   [gac ]", "legal");
    check(
        "a: [aa ] [gac ]\nb:         [ac ]   [gca ]",
        "[1, 3]: both found what follows one put, or the beginning, but neither begins with the other",
    );
    check(
        "a: [aa ] [ac ] [gca ]",
        "[0, 2]: the text after \"c\" comes before the text after \"a\", which is there by event 1, but an operation invoked at event 2 belongs to it",
    );
    check("a: [aa ] [ga ]\nb:                [ac ]", "legal");
    check("a: [aa ]   [ga ]\nb:     [ac ]", "legal");
    check(
        "a: [aa ]      [ga ]\nb:       [ac ]",
        "[1, 2]: the chain from the initial text to the text after \"a\" lasts from the beginning to event 4, but the text after \"c\" comes and goes between events 2 and 3",
    );
}

#[test]
fn a_put_begins_anew() {
    check("a: [aa ] [pb ] [ac ] [gbc ]", "legal");
    check(
        "a: [aa ] [pb ] [ac ] [gb ]",
        "[1, 2, 3]: the text after \"b\" lasts from event 3 to event 6, but the text after \"c\" comes and goes between events 4 and 5",
    );
    check("a: [aa ] [pb ] [gab ]", "[2]: it found what no put, or the beginning, and appends after it make");
    check("a: [gb ]\nb:    [pb ]   [gba ]\nc:               [aa", "legal");
    check(
        "a: [pa ] [pb ] [ga ]",
        "[0, 1, 2]: the text after \"a\" lasts from event 1 to event 4, but the text after \"b\" comes and goes between events 2 and 3",
    );
}

#[test]
fn a_string_that_nobody_makes_is_illegal() {
    check("a: [aa ] [gaa ]", "[1]: \"a\" was appended once, but found twice");
    check("a: [aa ] [gx ]", "[1]: it found what no put, or the beginning, and appends after it make");
    check("a: [pa ] [ac ] [pb ] [gbc ] \nb: [gac ]", "[1, 4]: \"c\" was appended once, but found twice");
}

#[test]
fn the_initial_text_comes_before_all_appends() {
    check_from("xy", "a: [gxya ]\nb: [aa ]", "legal");
    check_from(
        "xy",
        "a: [ga ]\nb: [aa ]",
        "[0]: it found what no put, or the beginning, and appends after it make",
    );
    check_from(
        "xy",
        "a: [g ]\nb: [aa ]",
        "[0]: it found what no put, or the beginning, and appends after it make",
    );
}

#[test]
fn parts_that_might_be_taken_for_others_are_left_to_the_search() {
    check("a: [aa ] [aab ] [ab ] [gaab ]", "refused");
    check("a: [aa ] [aab ] [aa ] [g ]", "refused");
    check("a: [pa ] [aab ] [gaab ]", "legal");
    check("a: [pa ] [pab ] [gab ]", "legal");
    check_from("x", "a: [axy ] [gxxy ]", "legal");
    check_from("xy", "a: [px ] [aa ] [gxa ]", "legal");
}

#[test]
fn parts_that_begin_with_others_are_told_apart_where_there_is_one_way_only() {
    check("a: [aa ] [aab ] [gaab ]", "legal");
    check(
        "a: [aa ] [gaab ] [aab ]",
        "[1]: the text after \"ab\" is found by event 3, but made only from event 4 on",
    );
}

#[test]
fn every_small_history_of_parts_that_begin_with_others_gets_the_naive_answer_or_none() {
    let words = ["aa", "aab", "ab", "pab", "ga", "gaab", "gaba"];
    let tally = every(&Text::default(), &words, Shape { operations: 3, clients: 3 });
    tally.assert_decides(100);
    assert!(tally.refused >= 10, "{tally:?}");
}

#[test]
fn where_parts_come_twice_an_order_is_a_proof_and_its_lack_is_none() {
    check("a: [aa ] [ga ] [aa ] [gaa ]", "legal");
    check("a: [aa ] [ga ] [aa ] [ga ]", "refused");
    check("a: [aa ] [ga ] [aa ] [gaaa ]", "refused");
    check("a: [aa ] [gb ] [aa ]", "refused");
    check("a: [pa ] [ga ] [pb ] [pa ] [ga ]", "legal");
    check("a: [pa ] [ga ] [ab ] [gab ] [pa ] [ga ] [ab ] [gab ]", "legal");
    check("a: [ac ] [gc ] [pa ] [aa ] [gaa ]", "legal");
    check("a: [ac ] [gc ] [pa ] [aa ] [ga ]", "refused");
    check("a: [aa ] [ga ] [pa ] [ga ] [ab ] [gab ]", "legal");
    check("a: [pa ] [pb ]\nb:               [gab ] [pa ] [gba ]", "refused");
    check_from("a", "a: [ga ] [pa ] [ga ]", "legal");
    check_from("a", "a: [gaa ] [ga ]\nb: [aa ]", "refused");
}

#[test]
fn what_comes_too_often_is_left_to_the_search() {
    check("a: [pa ] [pa ] [pa ] [pa ]", "legal");
    check("a: [pa ] [pa ] [pa ] [pa ] [pa ]", "refused");
}

#[test]
fn empty_parts_are_left_to_the_search() {
    check("a: [p ]", "refused");
    check("a: [a ] [ab ]", "refused");
    check_from("x", "a: [p ] [g ]", "refused");
    check(
        "a: [g ] [pa ] [g ]",
        "[1, 2]: the initial text lasts from the beginning to event 4, but the text after \"a\" comes and goes between events 2 and 3",
    );
}

#[test]
fn what_is_of_unknown_outcome_takes_effect_once_or_never() {
    check("a: [ga ] [gab ]\nb: [ab\nc: [aa", "legal");
    check("a: [g ] [g ]\nb: [pb\nc: [aa", "legal");
    check(
        "a: [pc ] [ga ] [gc ]\nb: [pa",
        "[0, 2, 3]: the text after \"c\" lasts from event 2 to event 5, but the text after \"a\" comes and goes between events 3 and 4",
    );
    check("a: [gb ] [gc ] [gbc ]\nb: [pb\nc: [ac", "[3, 4]: \"c\" was appended once, but found twice");
    check(
        "a: [ga ]\nb:          [aa",
        "[0]: the text after \"a\" is found by event 1, but made only from event 2 on",
    );
    check("a: [g?\nb: [aa ]", "legal");
}

#[test]
fn every_small_history_of_strings_gets_the_naive_answer() {
    let words = ["aa", "ab", "pc", "ga", "gab", "gca"];
    every(&Text::default(), &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

#[test]
fn every_small_history_of_repeated_parts_gets_the_naive_answer_or_none() {
    let words = ["aa", "ab", "pa", "ga", "gaa", "gba"];
    let tally = every(&Text::default(), &words, Shape { operations: 4, clients: 3 });
    tally.assert_decides(1_000);
    assert!(tally.refused >= 1_000, "{tally:?}");
}

#[test]
fn every_small_history_after_an_initial_text_gets_the_naive_answer() {
    let words = ["aa", "pb", "gx", "gxa", "gba", "ga"];
    every(&Text { initial: "x".into() }, &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

#[test]
fn every_small_history_of_puts_gets_the_naive_answer() {
    let words = ["pa", "pab", "g", "ga", "gab", "p"];
    every(&Text::default(), &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

fn answer(state: &Arc<str>, call: &TextCall) -> Option<TextAnswer> {
    Some(match call {
        TextCall::Get => TextAnswer::Found(state.clone()),
        TextCall::Put(_) | TextCall::Append(_) => TextAnswer::Done,
    })
}

fn calls(chance: &mut Chance) -> Vec<TextCall> {
    let put_share = chance.below(4);
    let repeats = chance.below(4) == 0;
    // Without an end, 1 is the beginning of 10 and 11.
    let end = if chance.below(3) == 0 { "" } else { "," };
    let mut changes = 0;
    let call = |index: usize| {
        let number = if repeats { chance.below(8) } else { index };
        let part: Arc<str> = format!("{number}{end}").into();
        let kind = if changes == CHANGES_MAX { 0 } else { chance.below(8) };
        changes += usize::from(kind >= 4);
        match kind {
            0..4 => TextCall::Get,
            kind if kind - 4 < put_share => TextCall::Put(part),
            _ => TextCall::Append(part),
        }
    };
    (0..12).map(call).collect()
}

/// Exchanges answers, makes them unknown, or changes what a get found.
fn spoil(history: &mut History<Text>, chance: &mut Chance) {
    for _ in 0..chance.below(4) {
        match chance.below(4) {
            0 => exchange_answers(history, chance),
            1 => weaken(history, chance),
            _ => find_another(history, chance),
        }
    }
}

fn weaken(history: &mut History<Text>, chance: &mut Chance) {
    let count = history.operations.len();
    let operation = &mut history.operations[chance.below(count)];
    operation.outcome = Outcome::Unknown;
    operation.returned = None;
}

fn find_another(history: &mut History<Text>, chance: &mut Chance) {
    let count = history.operations.len();
    let other = history.operations[chance.below(count)].call.clone();
    let operation = &mut history.operations[chance.below(count)];
    let Outcome::Answered(TextAnswer::Found(text)) = &operation.outcome else { return };
    let mut parts: Vec<&str> = text.split_inclusive(',').collect();
    let index = chance.below(parts.len() + 1);
    match (chance.below(3), &other) {
        (0, _) => parts.truncate(index),
        (1, _) if index + 1 < parts.len() => parts.swap(index, index + 1),
        (_, TextCall::Put(other) | TextCall::Append(other)) => parts.insert(index, other),
        (_, TextCall::Get) => return,
    }
    operation.outcome = Outcome::Answered(TextAnswer::Found(parts.concat().into()));
}

#[test]
fn random_histories_of_strings_get_the_answer_of_the_search() {
    let play = Play::<Text> { calls, answer };
    for initial in ["", "x,"] {
        for clients in [3, 4] {
            let spec = Text { initial: initial.into() };
            let tally = spoilt(&spec, &play, (clients, trial_count().max(SEEDS)), spoil);
            tally.assert_decides(1_000);
            assert!(tally.refused > 100, "{tally:?}");
        }
    }
}

#[test]
fn what_is_decided_is_decided_of_every_beginning_and_with_fewer_answers() {
    let words = ["aa", "ab", "pc", "pa", "g", "gab", "gca"];
    let shape = Shape { operations: 3, clients: 3 };
    for history in every_history::<Text>(&words, shape) {
        let tasks = tasks(&Text::default(), &history.parts()["x"]);
        let is_decided = |tasks: &[Task<TextStep>]| Text::default().shortcut(&TaskView(tasks)).is_some();
        if is_decided(&tasks) {
            for place in 0..tasks.len() {
                assert!(is_decided(&tasks[..place]), "{tasks:?}");
                let mut weaker = tasks.clone();
                weaker[place].returned = None;
                weaker[place].step =
                    weaker[place].step.take().filter(|step| !matches!(step, TextStep::Get(_)));
                assert!(is_decided(&weaker), "{tasks:?}");
            }
        }
    }
}
