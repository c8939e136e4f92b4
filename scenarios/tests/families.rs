//! Which families of faults the catalog draws: each is seen to change something, and those beyond the promise to break it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use reports::run_folder::{Outcome, RunVerdict};
use scenarios::plan::Build;
use scenarios::scenario::Scenario;
use scenarios::{catalog, runner, scenario};
use sim::fault::Family;

/// What no hardened system of ours withstands: nothing that lies about what it promises.
const NOT_WITHSTOOD: [Family; 2] = [Family::ClockLie, Family::DiskLie];

fn run(scenario: &Arc<Scenario>, seed: u64) -> RunVerdict {
    runner::run(runner::plan_for(scenario, seed, Build::default()), false).unwrap().verdict
}

/// The worst outcome of a check over a few seeds.
fn outcome(scenario: &Arc<Scenario>, check: &str) -> Outcome {
    let outcomes = (0..20).map(|seed| {
        let verdict = run(scenario, seed);
        verdict.checks.into_iter().find(|one| one.name == check).unwrap().verdict
    });
    outcomes.min().unwrap()
}

fn disk_trouble(faults: &str) -> Arc<Scenario> {
    Arc::new(scenario::load("disk-trouble", &[format!("faults={faults}")]).unwrap())
}

/// Each kind that a scenario draws was planned, fired and changed something in one of its first runs.
#[test]
fn every_family_that_a_scenario_draws_changes_something() {
    let mut drawn_anywhere = BTreeSet::new();
    for name in catalog::names() {
        let scenario = Arc::new(scenario::load(name, &[]).unwrap());
        let kinds: Vec<_> = scenario.faults.iter().map(|nemesis| nemesis.kind).collect();
        let drawn: BTreeSet<Family> = kinds.iter().flat_map(|kind| kind.families().iter().copied()).collect();
        // A kind is of use if one of its families is: a frozen machine stands still also where nobody reads its clock.
        let mut left = kinds;
        for seed in 0..60 {
            for line in run(&scenario, seed).ledger {
                assert!(line.affected == 0 || line.fired > 0 && line.planned >= line.fired, "{line:?}");
                if line.affected > 0 {
                    left.retain(|kind| !kind.families().contains(&line.fault));
                }
            }
            if left.is_empty() {
                break;
            }
        }
        assert!(left.is_empty(), "{name}: {left:?} changed nothing in 60 runs");
        drawn_anywhere.extend(drawn);
    }
    drawn_anywhere.extend(NOT_WITHSTOOD);
    drawn_anywhere.insert(Family::Restart);
    assert_eq!(drawn_anywhere.len(), 29, "every family is drawn somewhere: {drawn_anywhere:?}");
}

#[test]
fn a_single_journal_loses_what_its_disk_only_said_it_had() {
    let faults = r#"[{ kind = "disk-lie", on = ["log"], every-ms = 5_000, length-ms = [1_000, 4_000] },
        { kind = "power-loss", on = ["log"], every-ms = 3_000, length-ms = [100, 1_000] }]"#;
    assert_eq!(outcome(&disk_trouble(faults), "no-loss"), Outcome::Violated);
}

#[test]
fn a_single_journal_loses_what_rots_on_its_disk() {
    let faults = r#"[{ kind = "bit-rot", on = ["log"], every-ms = 4_000, length-ms = [100, 1_000] }]"#;
    assert_eq!(outcome(&disk_trouble(faults), "no-loss"), Outcome::Violated);
}

/// An older journal does not begin on what a newer one wrote: nothing is lost, and nothing goes on.
#[test]
fn a_downgraded_journal_stands_still_and_loses_nothing() {
    let faults = r#"[{ kind = "restart-as", on = ["log"], every-ms = 5_000, until-ms = 20_000, amount = [1, 1] },
        { kind = "restart-as", on = ["log"], every-ms = 5_000, from-ms = 25_000, amount = [0, 0] }]"#;
    let scenario = disk_trouble(faults);
    assert_eq!(outcome(&scenario, "no-loss"), Outcome::Holds);
    assert_eq!(outcome(&scenario, "progress"), Outcome::Violated);
}

/// The example of `docs/faults.md` is a scenario, and its faults are those that it shows.
#[test]
fn the_example_in_the_documents_runs_and_holds() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/faults.md")).unwrap();
    let example = page.split("```toml\n").find(|part| part.starts_with("name = ")).unwrap();
    let example = example.split("```").next().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("example.toml");
    std::fs::write(&path, example).unwrap();
    let scenario = Arc::new(scenario::load(path.to_str().unwrap(), &[]).unwrap());
    assert_eq!(scenario.faults.len(), example.matches("[[faults]]").count());
    for seed in 0..5 {
        let verdict = run(&scenario, seed);
        assert_eq!(verdict.verdict, Outcome::Holds, "seed {seed}: {:?}", verdict.checks);
    }
}
