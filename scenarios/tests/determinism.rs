//! The same scenario and seed give the same bytes: with and without a trace, through a folder, for any jobs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use reports::run_folder::RunVerdict;
use scenarios::folder::folder;
use scenarios::plan::{Build, Origin, Plan};
use scenarios::soak::Soak;
use scenarios::{catalog, runner, scenario};

fn plan(name: &str, seed: u64) -> Plan {
    runner::plan_for(&Arc::new(scenario::load(name, &[]).unwrap()), seed, Build::default())
}

fn soak(jobs: usize, known: Vec<RunVerdict>) -> Vec<String> {
    let scenarios = ["clock-steps", "config-switch"];
    let scenarios = scenarios
        .iter()
        .map(|name| (Arc::new(scenario::load(name, &[]).unwrap()), Origin::default()))
        .collect();
    let build = Build::default();
    let plan = runner::plan_for;
    let soak =
        Soak { scenarios, seeds: 0..6, build, plan, jobs, stop_after: None, time_limit_ns: None, known };
    soak.run(|_| ()).unwrap().verdicts.iter().map(RunVerdict::soak_line).collect()
}

#[test]
fn a_run_twice_gives_the_same_folder_with_or_without_a_trace() {
    for name in catalog::names() {
        let first = folder(&runner::run(plan(name, 7), false).unwrap());
        let second = folder(&runner::run(plan(name, 7), true).unwrap());
        assert_eq!(first.verdict.digest, second.verdict.digest, "{name}");
        assert_eq!(first.history, second.history, "{name}");
        assert!(second.trace.is_some_and(|trace| trace.lines().count() > 1000), "{name}");
    }
}

#[test]
fn another_seed_gives_another_digest() {
    let digest = |seed| runner::run(plan("config-switch", seed), false).unwrap().verdict.digest;
    assert_ne!(digest(1), digest(2));
}

#[test]
fn a_plan_that_was_written_down_gives_the_run_again() {
    let original = runner::run(plan("capacity", 3), false).unwrap();
    let text = original.plan.to_file().json();
    let file = serde_json::from_str(&text).unwrap();
    let again = runner::run(Plan::from_file(&file).unwrap(), false).unwrap();
    assert_eq!(original.verdict.digest, again.verdict.digest);
    assert_eq!(original.verdict.soak_line(), again.verdict.soak_line());
}

#[test]
fn a_soak_gives_the_same_lines_for_any_jobs_and_when_it_is_resumed() {
    let one = soak(1, Vec::new());
    assert_eq!(one.len(), 12);
    assert_eq!(one, soak(2, Vec::new()));
    let known = one[..5].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(one, soak(2, known));
}
