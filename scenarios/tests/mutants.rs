//! Every check is seen to fail: each planted defect is found by its check, and the canary always.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use model::rules::Variant;
use reports::run_folder::Outcome;
use scenarios::mutants::{MUTANTS, Mutant};
use scenarios::plan::Build;
use scenarios::{runner, scenario};

const SEEDS: std::ops::Range<u64> = 0..200;

fn is_found_by(mutant: &Mutant, seed: u64) -> bool {
    let scenario = Arc::new(scenario::load(mutant.scenario, &[]).unwrap());
    let build = Build { variant: Variant::Hardened, defect: Some(mutant.defect) };
    let run = runner::run(runner::plan_for(&scenario, seed, build), false).unwrap();
    run.verdict.checks.iter().any(|check| check.name == mutant.check && check.verdict == Outcome::Violated)
}

#[test]
fn every_mutant_is_found_by_its_check() {
    for mutant in &MUTANTS {
        let found = SEEDS.clone().find(|seed| is_found_by(mutant, *seed));
        assert!(found.is_some(), "{} is not found by {} in {SEEDS:?}", mutant.name(), mutant.check);
    }
}
