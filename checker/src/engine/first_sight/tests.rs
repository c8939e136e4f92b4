//! What is found at first sight, and what windows refuse, against the naive answer.

use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::engine::first_sight::AtOnce;
use crate::engine::race::Found;
use crate::engine::view::Answered;
use crate::engine::window::Window;
use crate::history::History;
use crate::keyed::KeyedHistory;
use crate::linearizable::tasks;
use crate::oracle;
use crate::spec::Spec;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::multi_register::MultiRegister;
use crate::spec::register::Register;
use crate::test_histories::{REGISTER_WORDS, Shape, every_history};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };

type Naive<S> = fn(&S, &KeyedHistory<S>) -> bool;

/// Whether the operations at these places have no order, whichever of the others are added.
fn fails_whatever_is_added<S: Spec>(
    spec: &S,
    history: &History<S>,
    places: &[usize],
    is_legal: Naive<S>,
) -> bool {
    let others: Vec<usize> = (0..history.len())
        .filter(|place| !places.contains(place) && history.operations[*place].returned.is_some())
        .collect();
    (0..1_usize << others.len()).all(|added| {
        let is_left_out = |place: usize| {
            others.iter().position(|other| *other == place).is_some_and(|at| added >> at & 1 == 0)
        };
        let kept = history.operations.iter().enumerate().filter(|(place, _)| !is_left_out(*place));
        let operations = kept.map(|(_, operation)| operation.clone()).collect();
        !is_legal(spec, &KeyedHistory::single("x", History::of(operations, Vec::new())))
    })
}

/// What is found at first sight is illegal, in real time and without.
pub(crate) fn is_sound_at_first_sight<S: Drawable>(spec: &S, history: &History<S>) -> bool {
    let view = Answered { spec, history };
    let drawing = || history.drawing();
    if let Some(conflict) = spec.first_sight(&AtOnce(&view)) {
        let places = &conflict.places;
        let is_right = fails_whatever_is_added(spec, history, places, oracle::is_sequential);
        assert!(is_right, "{conflict:?}, at once\n{}", drawing());
    }
    let Some(conflict) = spec.first_sight(&view) else { return false };
    assert!(conflict.places.is_sorted() && !conflict.reason.is_empty(), "{conflict:?}");
    let is_right = fails_whatever_is_added(spec, history, &conflict.places, oracle::is_linearizable);
    assert!(is_right, "{conflict:?}\n{}", drawing());
    true
}

/// What a window refuses is illegal, whatever came before it. Whether it refused.
pub(crate) fn is_sound_as_window<S: Drawable>(spec: &S, history: &History<S>, known: &[usize]) -> bool {
    let tasks = tasks(spec, history);
    let is_known: Vec<bool> = (0..tasks.len()).map(|place| known.contains(&place)).collect();
    let Some(window) = Window::cut(spec, &tasks, &is_known) else { return false };
    let is_refused = matches!(window.search(spec, BUDGET).0, Found::Stuck { .. });
    let is_right = !is_refused || fails_whatever_is_added(spec, history, known, oracle::is_linearizable);
    assert!(is_right, "{known:?}\n{}", history.drawing());
    is_refused
}

/// Every history of up to three operations: how many are illegal, found at first sight, refused by a window.
fn every<S: Drawable>(spec: &S, words: &[&str]) -> [usize; 3] {
    let mut counts = [0; 3];
    for operations in 1..=3 {
        for history in every_history::<S>(words, Shape { operations, clients: 3 }) {
            counts[0] += usize::from(!oracle::is_linearizable(spec, &history));
            for part in history.parts().values() {
                counts[1] += usize::from(is_sound_at_first_sight(spec, part));
                let answered = (0..part.len()).filter(|place| part.operations[*place].returned.is_some());
                let answered: Vec<usize> = answered.collect();
                for count in 1..=answered.len() {
                    let suffix = &answered[answered.len() - count..];
                    counts[2] += usize::from(is_sound_as_window(spec, part, suffix));
                }
            }
        }
    }
    counts
}

#[test]
fn most_small_illegal_registers_are_found_at_first_sight_and_no_legal_one() {
    let [illegal, found, refused] = every(&Register::default(), &["w1", "w2", "r1", "rn", "c1>2", "c1>2!"]);
    assert!(found > illegal / 2 && refused > illegal / 2, "{found}, {refused} of {illegal}");
}

#[test]
fn small_illegal_registers_are_refused_by_windows_and_no_legal_one() {
    let words: Vec<&str> = REGISTER_WORDS.into_iter().filter(|word| *word != "w2").collect();
    let [illegal, found, refused] = every(&Register { initial: Some(1) }, &words);
    assert!(found > illegal / 4 && refused > illegal / 4, "{found}, {refused} of {illegal}");
}

#[test]
fn small_sums_out_of_reach_are_found_at_first_sight() {
    let [illegal, found, _] =
        every(&Counter { kind: CounterKind::AddAndRead }, &["+1", "+2", "+-1", "=0", "=2", "=4"]);
    assert!(found > illegal / 4, "{found} of {illegal}");
}

#[test]
fn small_transactions_out_of_reach_are_found_at_first_sight() {
    let words = ["wx1,wy1", "rx1,ry0", "rx0,wy2", "ry2", "wx1,rx2"];
    let [illegal, found, _] = every(&MultiRegister::default(), &words);
    assert!(found > illegal / 4, "{found} of {illegal}");
}

#[test]
fn small_bounded_counters_are_refused_by_windows() {
    let [illegal, _, refused] = every(&Capacity { capacity: Some(3) }, &["+1", "+2", "!2", "-1", "=0", "=2"]);
    assert!(refused > illegal / 4, "{refused} of {illegal}");
}

/// The core found at first sight, and why.
fn check(drawing: &str, want: &str) {
    let history = History::<Register>::draw(drawing).unwrap();
    let spec = Register::default();
    let found = spec.first_sight(&Answered { spec: &spec, history: &history });
    let found = found.map(|conflict| format!("{:?}: {}", conflict.places, conflict.reason));
    assert_eq!(found.as_deref().unwrap_or("nothing"), want, "{drawing}");
}

#[test]
fn a_value_that_nothing_makes_or_makes_only_later_is_a_core_of_one() {
    check("a: [w1 ] [r2 ]", "[1]: the value 2 is found, but no operation makes it");
    check("a: [r1 ]\nb:      [w1 ]", "[0]: the value 1 is found by event 1, but made only from event 2 on");
    check("a: [r1 ]\nb: [w1", "nothing");
    check("a: [cn>1! ]", "[0]: it finds another value than the value nil, and nothing made one by then");
    check("a: [w2 ] [c1>2! ]", "nothing");
}

#[test]
fn a_value_that_was_over_before_another_was_shown_is_a_core_of_two() {
    let over =
        "the value 1 is found, but all that makes it was over before the operation at event 2 showed another";
    check("a: [w1 ] [w2 ] [r1 ]", &format!("[1, 2]: {over}"));
    check("a: [w1 ] [c1>2! ] [r1 ]\nb:   [w2", &format!("[2, 3]: {}", over.replace("event 2", "event 3")));
    check("a: [w1\nb:   [w2 ] [r1 ]", "nothing");
    check("a: [w1 ] [w2 ]\nb:          [r1 ]", "nothing");
    let only = "it finds another value than the value 2, but all that makes another was over before event 2";
    check("a: [w1 ] [w2 ] [c2>1! ]", &format!("[1, 2]: {only}"));
}
