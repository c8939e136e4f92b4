//! Locks: drawn examples, every small history, and random larger ones.

use crate::engine::shortcut::Finding;
use crate::engine::shortcut_trials::{Play, every, judge, seeds};
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::oracle;
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall, MutexState};
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

/// The reason of the conflict, or "legal".
#[track_caller]
fn check(drawing: &str, want: &str) {
    let history = History::<Mutex>::draw(drawing).unwrap();
    let naive =
        |part: &History<Mutex>| oracle::is_linearizable(&Mutex, &KeyedHistory::single("x", part.clone()));
    let found = match judge(&Mutex, &history, naive) {
        None => "refused".to_owned(),
        Some(Finding::Legal) => "legal".to_owned(),
        Some(Finding::Illegal(conflict)) => format!("{:?}: {}", conflict.places, conflict.reason),
    };
    assert_eq!(found, want, "{drawing}");
}

#[test]
fn a_lock_is_acquired_and_released_in_turn() {
    check("a: [a ] [r ] [a ]", "legal");
    check(
        "a: [a ] [a ]",
        "[0, 1]: the lock is acquired between events 2 and 3; it was acquired by event 1 before, and every release that was invoked by then is needed earlier",
    );
    check(
        "a: [r ]",
        "[0]: the lock is released between events 0 and 1; every acquire that was invoked by then is needed earlier",
    );
    check("a: [a ] [a ]\nb:    [r", "legal");
    check(
        "a: [a ] [r ] [a ] [a ]",
        "[1, 2, 3]: the lock is acquired between events 6 and 7; it was acquired by event 5 before, and every release that was invoked by then is needed earlier",
    );
    check(
        "a: [a ] [r ]   [a ]\nb:       [a    ]",
        "[0, 2, 3]: the lock is acquired between events 5 and 7; it was acquired by event 6 before, and every release that was invoked by then is needed earlier",
    );
    check("a: [a ] [r ]   [r ]\nb:       [a    ]", "legal");
}

#[test]
fn every_small_history_of_a_lock_gets_the_naive_answer() {
    every(&Mutex, &["a", "r"], Shape { operations: 6, clients: 3 }).assert_decides(1_000);
    every(&Mutex, &["a", "r"], Shape { operations: 4, clients: 4 }).assert_decides(1_000);
}

/// An operation that is not legal is of unknown outcome.
fn answer(state: &MutexState, call: &MutexCall) -> Option<MutexAnswer> {
    let is_legal = match call {
        MutexCall::Acquire => *state == MutexState::Free,
        MutexCall::Release => *state == MutexState::Held,
    };
    is_legal.then_some(MutexAnswer::Done)
}

fn calls(chance: &mut Chance) -> Vec<MutexCall> {
    (0..12).map(|_| if chance.below(2) == 0 { MutexCall::Acquire } else { MutexCall::Release }).collect()
}

/// The answer is always the same: some that would be illegal are given all the same.
fn sloppy_answer(state: &MutexState, call: &MutexCall) -> Option<MutexAnswer> {
    answer(state, call).or((*call == MutexCall::Release).then_some(MutexAnswer::Done))
}

#[test]
fn random_histories_of_locks_get_the_answer_of_the_search() {
    for clients in [3, 4, 6] {
        seeds(&Mutex, &Play::<Mutex> { calls, answer }, clients, 5_000);
        seeds(&Mutex, &Play::<Mutex> { calls, answer: sloppy_answer }, clients, 10_000).assert_decides(1_000);
    }
}
