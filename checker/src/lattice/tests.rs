//! The gallery in the documentation, then every small history: each level against the naive answer.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::drawing::Drawable;
use crate::oracle;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::test_histories::{CAPACITY_WORDS, REGISTER_WORDS, Shape, every_history, random_keyed_history};

const BUDGET: Budget = Budget { steps_max: 1_000_000 };
const GALLERY: &str = include_str!("../../../docs/consistency.md");

fn draw<S: Drawable>(spec: &S, drawing: &str) -> Strongest {
    let history = KeyedHistory::draw(drawing).unwrap_or_else(|error| panic!("{drawing}\n{error}"));
    strongest(spec, &history, BUDGET)
}

/// What is wrong with a drawing of the gallery, unless it has just the levels that stand above it.
fn check(settings: &BTreeMap<&str, &str>, drawing: &str) -> Option<String> {
    let found = match settings["model"] {
        "register-cas" => draw(&Register::default(), drawing),
        "counter-inc" => draw(&Counter { kind: CounterKind::Increment }, drawing),
        "log" => draw(&Log, drawing),
        "mutex" => draw(&Mutex, drawing),
        model => panic!("no model {model} in the gallery"),
    };
    let wanted: Vec<Level> = match settings["strongest"] {
        "nothing" => Vec::new(),
        levels => levels.split('+').map(|level| level.parse().unwrap()).collect(),
    };
    let reasons =
        found.next.iter().map(|(level, judgement)| format!("{}: {}\n", level.name(), judgement.verdict));
    let is_right = found.held == wanted && found.undecided.is_empty();
    (!is_right).then(|| format!("{drawing}\n{:?}\n{}", found.held, reasons.collect::<String>()))
}

#[test]
fn the_gallery_shows_what_it_says() {
    let (mut shown, mut wrong) = (Vec::new(), Vec::new());
    let mut lines = GALLERY.lines();
    while let Some(line) = lines.next() {
        let Some(settings) = line.strip_prefix("```text model=") else { continue };
        let settings = format!("model={settings}");
        let settings: BTreeMap<&str, &str> =
            settings.split(' ').map(|setting| setting.split_once('=').unwrap()).collect();
        let drawing: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        wrong.extend(check(&settings, &drawing.join("\n")));
        shown.push(settings["strongest"].to_owned());
    }
    for level in Level::ALL {
        assert!(
            shown.iter().any(|held| held.split('+').any(|held| held == level.name())),
            "{}",
            level.name()
        );
    }
}

#[test]
fn every_level_is_defined_in_the_documentation() {
    for level in Level::ALL {
        assert!(GALLERY.contains(&format!("| `{}` |", level.name())), "{}", level.name());
        assert_eq!(level.name().parse(), Ok(level));
    }
    assert!("strongest".parse::<Level>().is_err());
}

#[test]
fn what_is_implied_is_not_judged_again() {
    let found = draw(&Register::default(), "a: [w1 ]\nb:       [r1 ]");
    assert_eq!(
        (found.held.as_slice(), found.next.as_slice()),
        ([Level::Linearizable].as_slice(), [].as_slice())
    );
    let history = KeyedHistory::draw("a: [c1>2! ] [w1 ]").unwrap();
    let judgement = judge_level(Level::Pram, &Register::default(), &history, BUDGET);
    assert_eq!((judgement.verdict, judgement.algorithm), (Verdict::Holds, "implied by linearizable"));
}

/// What each level's definition says, by the naive oracle.
fn naive<S: Drawable>(level: Level, spec: &S, history: &KeyedHistory<S>) -> bool {
    match (level, level.weak()) {
        (_, Some(weak)) => oracle::is_explained(spec, history, weak.guarantees()),
        (Level::Linearizable, None) => oracle::is_linearizable(spec, history),
        (Level::Sequential, None) => oracle::is_sequential(spec, history),
        (_, None) => oracle::is_convergent(spec, history),
    }
}

/// Each level gets the naive answer, alone and in the lattice; a stronger one that holds implies the weaker.
#[track_caller]
fn agrees<S: Drawable>(spec: &S, history: &KeyedHistory<S>) {
    let wanted = Level::ALL.map(|level| naive(level, spec, history));
    let holds = |level: Level| wanted[level as usize];
    for level in Level::ALL {
        let context = || format!("{}\n{}", level.name(), history.drawing());
        assert!(!holds(level) || level.implies().iter().all(|weaker| holds(*weaker)), "{}", context());
        let verdict = judge_level(level, spec, history, BUDGET).verdict;
        let word = if holds(level) { "holds" } else { "violated" };
        assert_eq!(verdict.word(), word, "{}{verdict}", context());
    }
    let is_strongest = |level: &Level| {
        let is_implied = |other: Level| other != *level && holds(other) && other.is_as_strong_as(*level);
        holds(*level) && !Level::ALL.into_iter().any(is_implied)
    };
    let held: Vec<Level> = Level::ALL.into_iter().filter(is_strongest).collect();
    let found = strongest(spec, history, BUDGET);
    assert_eq!((found.held, found.undecided), (held, Vec::new()), "{}", history.drawing());
    for (level, judgement) in found.next {
        assert!(judgement.verdict.is_violated() && !holds(level));
        assert!(level.implies().iter().all(|weaker| holds(*weaker)), "{}", history.drawing());
    }
}

#[test]
fn every_small_history_gets_the_naive_answer_at_every_level() {
    let shape = Shape { operations: 3, clients: 3 };
    every_history::<Register>(&["w1", "w2", "r1", "rn", "c1>2", "c1>2!"], shape)
        .for_each(|history| agrees(&Register::default(), &history));
    every_history::<Log>(&["a1", "a2", "a2@0", "l2", "l1,2"], shape)
        .for_each(|history| agrees(&Log, &history));
    every_history::<Mutex>(&["a", "r"], Shape { operations: 4, clients: 3 })
        .for_each(|history| agrees(&Mutex, &history));
    every_history::<Register>(&["w1", "r1", "rn"], Shape { operations: 4, clients: 3 })
        .for_each(|history| agrees(&Register::default(), &history));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_get_the_naive_answer_at_every_level(
        registers in random_keyed_history::<Register>(&REGISTER_WORDS, &["x", "y"], Shape { operations: 5, clients: 3 }),
        counters in random_keyed_history::<Capacity>(&CAPACITY_WORDS, &["x", "y"], Shape { operations: 5, clients: 3 }),
    ) {
        agrees(&Register::default(), &registers);
        agrees(&Capacity { capacity: Some(3) }, &counters);
    }
}
