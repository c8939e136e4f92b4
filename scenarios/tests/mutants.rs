//! Every check is seen to fail: each planted defect is found by its check, and the naive system breaks promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use model::rules::{Defect, Variant};
use reports::run_folder::Outcome;
use scenarios::mutants::{self, Mutant};
use scenarios::plan::Build;
use scenarios::{runner, scenario, systems};
use sim::substrate::Substrate;

const SEEDS: std::ops::Range<u64> = 0..200;

fn is_found_by(mutant: &Mutant, seed: u64, substrate: Substrate) -> bool {
    let scenario = Arc::new(scenario::load(mutant.scenario, &[]).unwrap());
    let build = Build { variant: Variant::Hardened, defect: Some(mutant.defect), substrate };
    let run = runner::run(runner::plan_for(&scenario, seed, build), false).unwrap();
    run.verdict.checks.iter().any(|check| check.name == mutant.check && check.verdict == Outcome::Violated)
}

#[test]
fn every_mutant_is_found_by_its_check() {
    for mutant in mutants::all() {
        let found = SEEDS.clone().find(|seed| is_found_by(mutant, *seed, Substrate::Kernel));
        assert!(found.is_some(), "{} is not found by {} in {SEEDS:?}", mutant.defect, mutant.check);
    }
}

/// Whether a defect of the capacity service shows within a few seeds where streams keep messages in order and never double one; for the others
/// see `docs/substrates.md`.
fn shows_on_streams(defect: Defect) -> bool {
    !["unconditional-append", "ack-of-another"].contains(&defect.0)
}

#[test]
fn every_mutant_that_streams_can_show_is_found_by_its_check_on_madsim_too() {
    if !Substrate::Madsim.is_built() {
        let line = b"skipped: mutants on madsim, since this build was made without `--cfg madsim`\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    }
    let capacity = systems::find("capacity").unwrap();
    for mutant in capacity.mutants().iter().filter(|mutant| shows_on_streams(mutant.defect)) {
        let found = (0..40).find(|seed| is_found_by(mutant, *seed, Substrate::Madsim));
        assert!(found.is_some(), "{} is not found by {}", mutant.defect, mutant.check);
    }
}

#[test]
fn of_every_system_some_mutant_is_found_on_madsim_too() {
    if !Substrate::Madsim.is_built() {
        let line = b"skipped: mutants on madsim, since this build was made without `--cfg madsim`\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    }
    for system in systems::ALL.iter().filter(|system| !system.mutants().is_empty()) {
        let is_found = |mutant| (0..20).any(|seed| is_found_by(mutant, seed, Substrate::Madsim));
        assert!(system.mutants().iter().any(is_found), "{}", system.name());
    }
}

/// The canary breaks its promise in every run: where it is not found, nothing else that was not found means anything.
#[test]
fn the_canary_is_found_with_every_seed() {
    let canary = mutants::all().find(|mutant| mutant.defect.0 == mutants::CANARY).unwrap();
    for seed in 0..5 {
        assert!(is_found_by(canary, seed, Substrate::Kernel), "seed {seed}");
    }
}

/// A system that skips every precaution must be caught, too.
#[test]
fn the_naive_service_breaks_at_least_five_promises() {
    let scenario = Arc::new(scenario::load("capacity", &[]).unwrap());
    let build = Build { variant: Variant::Naive, ..Build::default() };
    let mut broken = BTreeSet::new();
    for seed in 0..5 {
        let run = runner::run(runner::plan_for(&scenario, seed, build), false).unwrap();
        let violated = run.verdict.checks.into_iter().filter(|check| check.verdict == Outcome::Violated);
        broken.extend(violated.map(|check| check.name));
    }
    assert!(broken.len() >= 5, "only {broken:?}");
}

/// Faults that change nothing are not passed as survived.
#[test]
fn a_run_whose_faults_change_nothing_is_vacuous() {
    let quiet = ["faults=[{ kind = \"disk-error\", on = [\"store\"], every-ms = 9_000 }]".to_owned()];
    let scenario = Arc::new(scenario::load("counters-partition", &quiet).unwrap());
    let run = runner::run(runner::plan_for(&scenario, 1, Build::default()), false).unwrap();
    assert_eq!(run.verdict.verdict, Outcome::Vacuous, "{:?}", run.verdict.ledger);
}
