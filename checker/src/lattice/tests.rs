//! The gallery in the documentation, then random histories: each level against the naive answer.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::agreement::every_level_agrees;
use crate::drawing::Drawable;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::test_histories::{CAPACITY_WORDS, REGISTER_WORDS, Shape, random_keyed_history};

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
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_get_the_naive_answer_at_every_level(
        registers in random_keyed_history::<Register>(&REGISTER_WORDS, &["x", "y"], Shape { operations: 5, clients: 3 }),
        counters in random_keyed_history::<Capacity>(&CAPACITY_WORDS, &["x", "y"], Shape { operations: 5, clients: 3 }),
    ) {
        every_level_agrees(&Register::default(), &registers);
        every_level_agrees(&Capacity { capacity: Some(3) }, &counters);
    }
}
