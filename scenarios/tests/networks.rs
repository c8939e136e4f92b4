//! Slow networks: what hardened systems promise holds wherever their profile says that messages travel for long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use reports::run_folder::Outcome;
use scenarios::plan::Build;
use scenarios::{runner, scenario};

/// The checks of a hardened run that do not hold, with the settings of its network.
fn broken(name: &str, settings: &[String], seed: u64) -> Vec<String> {
    let scenario = Arc::new(scenario::load(name, settings).unwrap());
    let run = runner::run(runner::plan_for(&scenario, seed, Build::default()), false).unwrap();
    let broken = run.verdict.checks.into_iter().filter(|check| check.verdict != Outcome::Holds);
    broken.map(|check| format!("{} of seed {seed}: {}", check.name, check.detail)).collect()
}

#[track_caller]
fn check(name: &str, settings: &[&str], seeds: core::ops::Range<u64>) {
    let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
    let found: Vec<_> = seeds.flat_map(|seed| broken(name, &settings, seed)).collect();
    assert!(found.is_empty(), "{name} with {settings:?}: {found:#?}");
}

/// Every message takes that long, one way.
fn constant(ms: u64) -> String {
    format!("network.latency={{min_ns={ms}000000, typical_ns={ms}000000, tail_ns={ms}000000}}")
}

/// A round of heartbeats that is shorter than a round trip elects nobody once a leader is gone.
#[test]
fn a_log_by_majority_goes_on_however_long_a_round_trip_is() {
    for ms in [51, 80, 150] {
        check("consensus", &[&constant(ms)], 0..20);
    }
}

#[test]
fn a_log_by_majority_goes_on_over_an_ocean() {
    check("consensus", &["network=wan"], 0..20);
}
