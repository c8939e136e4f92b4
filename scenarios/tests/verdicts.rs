//! What a run is judged to be where there is little to judge: no green without evidence, no accusation without a reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use reports::run_folder::{Outcome, RunVerdict};
use scenarios::plan::Build;
use scenarios::{runner, scenario};
use sim::substrate::Substrate;

/// A run of 30 s at most.
const SHORT: [&str; 4] = ["timing.chaos-s=15", "timing.heal-s=10", "timing.quiet-s=2", "timing.recover-s=1"];

#[track_caller]
fn check(name: &str, settings: &[&str], substrate: Substrate) -> RunVerdict {
    let settings: Vec<_> = SHORT.iter().chain(settings).map(|setting| (*setting).to_owned()).collect();
    let scenario = Arc::new(scenario::load(name, &settings).unwrap());
    runner::run(runner::plan_for(&scenario, 2, Build { substrate, ..Build::default() }), false)
        .unwrap()
        .verdict
}

#[test]
fn a_promise_that_nothing_in_the_history_can_answer_is_undecided() {
    let verdict =
        check("capacity", &["checks=['no-loss', 'mutual-exclusion', 'progress']"], Substrate::Kernel);
    assert_eq!(verdict.verdict, Outcome::Undecided);
    let undecided: Vec<_> =
        verdict.checks.iter().filter(|check| check.verdict == Outcome::Undecided).collect();
    assert_eq!(undecided.len(), 1, "{:?}", verdict.checks);
    assert_eq!(undecided[0].name, "mutual-exclusion");
}

#[test]
fn a_node_that_nobody_asks_is_not_accused_of_doing_nothing() {
    let settings = ["faults=[]", "workload.requests-per-s=1", "checks=['switch-e', 'no-loss']"];
    let verdict = check("capacity", &settings, Substrate::Kernel);
    assert_eq!(verdict.verdict, Outcome::Holds, "{:?}", verdict.checks);
}

#[test]
fn a_run_whose_faults_were_all_left_out_is_vacuous() {
    let noise = "faults=[{ kind = 'noise', on = ['service'], every-ms = 1000 }]";
    let verdict = check("capacity", &[noise], Substrate::Turmoil);
    assert_eq!(verdict.verdict, Outcome::Vacuous, "{:?}", verdict.checks);
}
