//! Random histories of each model: every engine against every other one and against the naive answer.
//!
//! `COUNTERCLOCK_TRIALS` says how many of each; a few hundred if it is not set.

use crate::agreement::every_level_agrees;
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::engine::first_sight::tests::{is_sound_as_window, is_sound_at_first_sight};
use crate::engine::race::{self, Found, breadth_first};
use crate::engine::shortcut::Finding;
use crate::engine::view::Answered;
use crate::history::{Builder, ClientId, History};
use crate::keyed::KeyedHistory;
use crate::linearizable::{is_proof, legal_order, linearizable, tasks};
use crate::oracle;
use crate::sequential::sequential;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::kinds::Kinds;
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::revisions::Revisions;
use crate::spec::text::Text;
use crate::test_histories::full_size::{Chance, legal_history, with_another_answer};
use crate::test_histories::{CAPACITY_WORDS, KINDS_WORDS, REGISTER_WORDS, Shape};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };
const TRIALS: u64 = 300;
/// Operations up to which every subset of them is tried.
const SUBSETS_COUNT_MAX: usize = 6;
/// Operations up to which the weaker levels are tried, too: the naive answer tries all orders.
const EVERY_LEVEL_COUNT_MAX: usize = 4;
/// One in so many of these histories.
const EVERY_LEVEL_SHARE: u64 = 8;

#[expect(clippy::disallowed_methods, reason = "how many trials to make is a setting of the host")]
pub(crate) fn trial_count() -> u64 {
    let wanted = std::env::var("COUNTERCLOCK_TRIALS").ok();
    wanted.map_or(TRIALS, |count| count.parse().expect("COUNTERCLOCK_TRIALS is a number"))
}

/// Clients that say random words; what is open at the end is of unknown outcome.
fn babble<S: Drawable>(words: &[String], shape: Shape, chance: &mut Chance) -> History<S> {
    let mut builder = Builder::<S>::default();
    let mut open: Vec<Option<S::Answer>> = vec![None; shape.clients];
    let mut begun = 0;
    while begun < shape.operations {
        let client = chance.below(shape.clients);
        let id = ClientId(client as u64);
        match open[client].take() {
            Some(answer) => builder.answer(id, answer, 0).unwrap(),
            None => {
                let (call, answer) = S::read_word(&words[chance.below(words.len())]).unwrap();
                builder.invoke(id, call, 0).unwrap();
                open[client] = answer;
                begun += 1;
            }
        }
    }
    for (client, answer) in open.into_iter().enumerate() {
        if let Some(answer) = answer.filter(|_| chance.below(3) > 0) {
            builder.answer(ClientId(client as u64), answer, 0).unwrap();
        }
    }
    builder.finish()
}

/// Any history: babble, a legal one, or a legal one with an answer replaced.
pub(crate) fn any_history<S: Drawable>(spec: &S, words: &[String], chance: &mut Chance) -> History<S> {
    let shape = Shape { operations: 1 + chance.below(7), clients: 1 + chance.below(4) };
    match chance.below(3) {
        0 => babble(words, shape, chance),
        1 => legal_history(spec, words, shape, chance),
        _ => {
            let legal = legal_history(spec, words, shape, chance);
            with_another_answer(legal, words, chance)
        }
    }
}

/// All answers about linearizability are the same, and have their evidence.
fn one_answer<S: Drawable>(spec: &S, history: &History<S>, chance: &mut Chance, place: &str) {
    let keyed = KeyedHistory::single("x", history.clone());
    let tasks = tasks(spec, history);
    let wanted = oracle::is_linearizable(spec, &keyed);
    let broad = breadth_first(spec, &tasks, BUDGET).0;
    assert_eq!(matches!(broad, Found::Legal), wanted, "breadth first, {place}");
    assert!(!matches!(broad, Found::Exhausted { .. }), "breadth first gave up, {place}");
    assert_eq!(race::legal_order(spec, &tasks, BUDGET).is_some(), wanted, "depth first, {place}");
    if let Some(decision) = spec.shortcut(&Answered { spec, history }) {
        assert_eq!(decision.finding == Finding::Legal, wanted, "{}, {place}", decision.algorithm);
    }
    let is_seen = is_sound_at_first_sight(spec, history);
    assert!(!is_seen || !wanted, "first sight, {place}");
    if history.len() <= SUBSETS_COUNT_MAX {
        let answered = (0..history.len()).filter(|place| history.operations()[*place].returned.is_some());
        let known: Vec<usize> = answered.filter(|_| chance.below(3) > 0).collect();
        is_sound_as_window(spec, history, &known);
    }
    let judgement = linearizable(spec, history, BUDGET);
    assert_eq!(judgement.verdict.holds(), wanted, "{place}");
    match legal_order(spec, history, BUDGET) {
        Some(order) => assert!(wanted && is_proof(spec, history, &order), "{order:?}, {place}"),
        None => assert!(!wanted, "no witness, {place}"),
    }
    let in_order = sequential(spec, &keyed, &judgement, BUDGET).verdict;
    let wanted = oracle::is_sequential(spec, &keyed);
    assert_eq!((in_order.holds(), in_order.is_violated()), (wanted, !wanted), "sequential, {place}");
}

#[track_caller]
pub(crate) fn check<S: Drawable>(spec: &S, words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    for seed in 0..trial_count() {
        let mut chance = Chance::new(seed);
        let history = any_history(spec, &words, &mut chance);
        one_answer(spec, &history, &mut chance, &format!("seed {seed}:\n{}", history.drawing()));
        if history.len() <= EVERY_LEVEL_COUNT_MAX && seed % EVERY_LEVEL_SHARE == 0 {
            every_level_agrees(spec, &KeyedHistory::single("x", history));
        }
    }
}

#[test]
fn random_registers_get_one_answer() {
    check(&Register::default(), &REGISTER_WORDS);
}

#[test]
fn random_strings_get_one_answer() {
    check(&Text::default(), &["pa", "pb", "ab", "ac", "g", "ga", "gb", "gab", "gabc", "gacb", "gc"]);
}

#[test]
fn random_strings_of_different_parts_get_one_answer() {
    let words = ["pp", "pq", "aa", "ab", "ac", "g", "gx", "gp", "gpa", "gab", "gba", "gxb", "gqc", "gpcb"];
    check(&Text::default(), &words);
    check(&Text { initial: "x".into() }, &words);
}

#[test]
fn random_counters_of_increments_get_one_answer() {
    check(&Counter { kind: CounterKind::Increment }, &["i1", "i2", "i3", "i4", "=0", "=1", "=2"]);
}

#[test]
fn random_counters_of_additions_get_one_answer() {
    check(&Counter { kind: CounterKind::AddAndRead }, &["+1", "+1", "+2", "=0", "=1", "=2", "=3"]);
}

#[test]
fn random_bounded_counters_get_one_answer() {
    check(&Capacity { capacity: Some(3) }, &CAPACITY_WORDS);
}

#[test]
fn random_counters_of_several_kinds_get_one_answer() {
    check(&Kinds { shares: [100, 50, 0], capacity: Some(4) }, &KINDS_WORDS);
}

#[test]
fn random_logs_get_one_answer() {
    let words =
        ["a1", "a2", "a3", "a1@0", "a2@1", "a2@0", "l", "l1", "l1,2", "l2,1", "1l2", "e1", "1e2", "1e"];
    check(&Log, &words);
}

#[test]
fn random_locks_get_one_answer() {
    check(&Mutex, &["a", "r"]);
}

#[test]
fn random_transactions_get_one_answer() {
    let words = ["wx1,wy1", "rx0,ry0", "rx1,ry0", "rx1,ry1", "wx2", "rx1,wy2", "ry2", "rx", "rx2,wx1"];
    check(&MultiRegister::default(), &words);
}

#[test]
fn random_stores_with_revisions_get_one_answer() {
    let words = [
        "pk=a@2",
        "pk=b@3",
        "pk=c@3",
        "pl=a@2",
        "gk@1",
        "gk~2=a@2",
        "gk~2=a@3",
        "gk~3=b@3",
        "gl@3",
        "dk@3",
        "dk@4",
        "dk!@1",
        "ck~2=b@3",
        "ck~0=b!@2",
        "ck~0=a@2",
    ];
    check(&Revisions, &words);
}
