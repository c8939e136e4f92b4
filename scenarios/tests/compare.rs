//! Substrates side by side: the same plans, each promise's verdicts in one row, and what differs by seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};
use std::sync::Arc;

use reports::comparison::Comparison;
use reports::run_folder::Outcome;
use reports::text;
use scenarios::compare::Compare;
use scenarios::plan::{Build, Origin};
use scenarios::scenario;
use serde_json::Value;
use sim::substrate::Substrate;

/// A run of 7 s.
const SHORT: [&str; 4] = ["timing.chaos-s=3", "timing.heal-s=2", "timing.quiet-s=2", "timing.recover-s=1"];

fn compare() -> Comparison {
    let scenario = Arc::new(scenario::load("capacity", &SHORT.map(str::to_owned)).unwrap());
    let (origin, build) = (Origin::default(), Build::default());
    Compare { scenario, origin, seeds: 1..3, build, jobs: 2 }.run(|_| ()).unwrap()
}

fn counterclock(more: &[&str]) -> Output {
    let settings = SHORT.iter().flat_map(|setting| ["--set", setting]);
    let arguments = ["compare", "capacity", "--seeds", "1..3"].into_iter().chain(settings);
    let command = env!("CARGO_BIN_EXE_counterclock");
    Command::new(command).args(arguments).args(more).output().unwrap()
}

#[test]
fn every_substrate_of_the_build_runs_the_same_plans_and_the_hardened_service_holds_on_each() {
    let comparison = compare();
    let built = Substrate::ALL.into_iter().filter(|substrate| substrate.is_built()).count();
    assert_eq!(comparison.runs.len(), built);
    assert!(comparison.left_out.iter().any(|name| name == "noise"), "{:?}", comparison.left_out);
    for runs in comparison.seeds() {
        let ledgers = runs.iter().map(|run| run.ledger.iter().map(|line| (line.fault, line.planned)));
        let ledgers: Vec<Vec<_>> = ledgers.map(Iterator::collect).collect();
        assert!(ledgers.windows(2).all(|pair| pair[0] == pair[1]), "{ledgers:?}");
        assert!(runs.iter().all(|run| run.verdict == Outcome::Holds && run.operations > 100));
    }
    assert_eq!(comparison.disagreements(), []);
}

#[test]
fn a_promise_that_is_kept_here_and_broken_there_is_told_by_seed() {
    let mut comparison = compare();
    let last = comparison.runs.last_mut().unwrap();
    let check = last[1].checks[0].name.clone();
    last[1].checks[0].verdict = Outcome::Violated;
    let found = comparison.disagreements();
    assert_eq!((found.len(), found[0].seed, &found[0].check), (1, 2, &check));
    let text = text::comparison(&comparison);
    assert!(text.contains("1 of 2 seeds have the same verdicts everywhere"), "{text}");
    assert!(text.contains(&format!("seed 2, {check}: holds on kernel")), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn the_command_prints_a_table_or_an_object_a_seed_and_one_about_all() {
    let output = counterclock(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("promise") && text.contains("kernel") && text.contains("turmoil"), "{text}");
    let json = String::from_utf8(counterclock(&["--json", "--jobs", "2"]).stdout).unwrap();
    let lines: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["seed"], 1);
    assert_eq!(lines[0]["runs"][0]["checks"]["linearizable"], "holds");
    assert_eq!(lines[2]["seeds_that_differ"], 0);
}
