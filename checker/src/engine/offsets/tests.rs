//! Logs: drawn examples, every small history, and random larger ones.

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, every, judge, seeds};
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::oracle;
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

/// The reason of the conflict, or "legal", or "refused".
#[track_caller]
fn check(drawing: &str, want: &str) {
    let history = History::<Log>::draw(drawing).unwrap();
    let naive = |part: &History<Log>| oracle::is_linearizable(&Log, &KeyedHistory::single("x", part.clone()));
    let found = match judge(&Log, &history, naive) {
        None => "refused".to_owned(),
        Some(Finding::Legal) => "legal".to_owned(),
        Some(Finding::Illegal(conflict)) => format!("{:?}: {}", conflict.places, conflict.reason),
    };
    assert_eq!(found, want, "{drawing}");
}

#[test]
fn offsets_are_the_order() {
    check("a: [a7@0 ] [a8@1 ]\nb: [l ]       [l7,8 ]", "legal");
    check(
        "a: [a7@1 ] [a8@0 ]",
        "[0, 1]: length 2 is there by event 1, but length 1 is reached or found after event 2",
    );
    check("a: [a7@0 ] [a8@0 ]", "[0, 1]: 7 and 8 cannot both stand at 0");
    check("a: [a7@0 ] [a7@0 ]", "[0, 1]: length 1 is reached twice");
    check("a: [a7@2 ] [a8@0 ]", "[0]: the log cannot be that long, if all appends took effect");
    check("a: [a7@0 ] [l8 ]\nb: [a8@1 ]", "[0, 2]: 7 and 8 cannot both stand at 0");
}

#[test]
fn a_read_shows_who_stands_where() {
    check("a: [a7\nb:     [a8 ] [l7,8 ]", "legal");
    check(
        "a: [a7 ] [a8 ] [l8,7 ]",
        "[0, 2]: length 2 is there by event 1, but length 1 is reached or found after event 2",
    );
    check(
        "a: [a7 ] [a8 ] [l7 ]",
        "[0, 1, 2]: more takes effect between events 1 and 4 than leads from length 1 to length 1",
    );
    check("a: [a7 ] [a8 ] [l7,9 ]", "[2]: 9 stands at 1, but no operation appends it");
    check("a: [a7 ] [a8 ] [l7,7 ]", "[2]: 7 is appended once, but stands at 0 and at 1");
    check("a: [a7@0 ] [a8 ] [1e7 ]", "[0, 2]: 7 is appended once, but stands at 0 and at 1");
    check(
        "a: [a7 ] [a8 ] [1e8 ] [2e ] [1e ]",
        "[1, 2, 4]: length 2 is there by event 3, but length 1 is reached or found after event 8",
    );
    check("a: [0e7 ] [a7 ]", "[0]: length 1 is found by event 1, but reached only from event 2 on");
    check("a: [a7 ] [0e ]", "[0, 1]: more takes effect before event 2 than leads to length 0");
}

#[test]
fn appends_whose_offset_nobody_knows_fill_the_rest() {
    check("a: [a7 ] [a8 ] [a9@2 ]", "legal");
    check("a: [a7 ] [a9@2 ]\nb: [a8", "legal");
    check(
        "a: [a7 ] [a9@2 ]\nb:               [a8",
        "[1]: length 3 is there by event 3, but too few operations that lead up to it were invoked before",
    );
    check("a: [a7 ] [a8@0 ]", "[0, 1]: more takes effect before event 2 than leads to length 1");
    check("a: [a7 ] [a7 ] [1e ]", "[0, 1, 2]: more takes effect before event 4 than leads to length 1");
    check("a: [a7 ] [a7 ] [2e ] [1e7 ]", "refused");
}

#[test]
fn every_small_history_of_offsets_gets_the_naive_answer() {
    let words = ["a7@0", "a8@1", "a9", "l7", "1e8", "1e"];
    every(&Log, &words, Shape { operations: 4, clients: 3 }).assert_decides(400);
}

#[test]
fn every_small_history_of_reads_gets_the_naive_answer() {
    let words = ["a7", "a8", "l7", "l7,8", "0e8", "1l8"];
    every(&Log, &words, Shape { operations: 4, clients: 3 }).assert_decides(1_000);
}

/// Appends of different entries are told their offsets in half of the histories: a call of an odd
/// entry is. Of reads of one entry some look behind the end.
#[expect(clippy::ptr_arg, reason = "the state of a log is a vector, and a play answers by state")]
fn answer(state: &Vec<i64>, call: &LogCall) -> Option<LogAnswer> {
    Some(match *call {
        LogCall::Append(entry) if entry % 2 == 0 => LogAnswer::AppendedAt(state.len() as u64),
        LogCall::Append(_) => LogAnswer::Appended,
        LogCall::ReadFrom(from) => LogAnswer::Entries(state.iter().skip(from as usize).copied().collect()),
        LogCall::ReadAt(at) => LogAnswer::Entry(state.get(at as usize).copied()),
    })
}

fn calls(chance: &mut Chance) -> Vec<LogCall> {
    let appended_share = 1 + chance.below(4);
    let told_step = 1 + chance.below(2);
    let call = |index: usize| match chance.below(6) {
        0 if appended_share < 4 => LogCall::ReadFrom(chance.below(3) as u64),
        1 if appended_share < 3 => LogCall::ReadAt(chance.below(5) as u64),
        2 if appended_share < 2 => LogCall::ReadFrom(0),
        _ => LogCall::Append((index * told_step) as i64),
    };
    (0..10).map(call).collect()
}

#[test]
fn random_histories_of_logs_get_the_answer_of_the_search() {
    let play = Play::<Log> { calls, answer };
    for clients in [3, 4] {
        seeds(&Log, &play, clients, 20_000).assert_decides(400);
    }
}
