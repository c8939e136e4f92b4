//! Strings: drawn examples, every small history, and random larger ones.

use std::sync::Arc;

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, every, judge, seeds};
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::oracle;
use crate::spec::text::{Text, TextAnswer, TextCall};
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

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
    check("a: [pa ] [pa ]", "refused");
    check("a: [aa ] [aab ]", "refused");
    check("a: [aa ] [p ]", "refused");
    check("a: [pa ] [pab ] [gab ]", "legal");
    check_from("a", "a: [pa ]", "refused");
}

#[test]
fn real_time_may_tell_which_append_of_a_repeated_part_was_seen() {
    check("a: [aa ] [ga ] [aa ] [gaa ]", "legal");
    check("a: [aa ] [aa ] [ga ]\nb: [aa ]", "refused");
    check("a: [aa ] [ga ] [aa ] [gaaa ]", "");
    check("a: [aa ] [ga ] [aa ] [ga ]", "");
    check("a: [ac ] [gc ] [pa ] [aa ] [gaa ]", "legal");
    check("a: [ac ] [pa ] [aa ] [ga ]", "refused");
    check("a: [ac ] [gc ] [pa ] [aa ] [ga ]", "");
}

#[test]
fn every_small_history_of_repeated_parts_gets_the_naive_answer() {
    let words = ["aa", "ab", "pa", "ga", "gaa", "gba"];
    every(&Text::default(), &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

#[test]
fn every_small_history_of_strings_gets_the_naive_answer() {
    let words = ["aa", "ab", "pc", "ga", "gab", "gca"];
    every(&Text::default(), &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

#[test]
fn every_small_history_of_puts_gets_the_naive_answer() {
    let words = ["pa", "pab", "g", "ga", "gab"];
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
    let repeats = chance.below(2) == 0;
    let call = |index: usize| {
        let number = if repeats { chance.below(8) } else { index };
        let part: Arc<str> = format!("{number},").into();
        match chance.below(8) {
            0..4 => TextCall::Get,
            kind if kind - 4 < put_share => TextCall::Put(part),
            _ => TextCall::Append(part),
        }
    };
    (0..12).map(call).collect()
}

#[test]
fn random_histories_of_strings_get_the_answer_of_the_search() {
    let play = Play::<Text> { calls, answer };
    for initial in ["", "x,"] {
        for clients in [3, 4] {
            let spec = Text { initial: initial.into() };
            seeds(&spec, &play, clients, 10_000).assert_decides(1_000);
        }
    }
}
