//! Every scenario with a few seeds, each as a test of its own: `capacity::seed_17`.
//!
//! A failing test names the command that runs it again.

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use reports::run_folder::Outcome;
use scenarios::own::explained;
use scenarios::plan::Build;
use scenarios::{catalog, runner, scenario};

const SEEDS: std::ops::Range<u64> = 0..20;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for name in catalog::names() {
        let scenario = Arc::new(scenario::load(name, &[]).expect("the catalog is sound"));
        for seed in SEEDS {
            let scenario = Arc::clone(&scenario);
            trials.push(Trial::test(format!("{name}::seed_{seed}"), move || holds(&scenario, seed)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn holds(scenario: &Arc<scenario::Scenario>, seed: u64) -> Result<(), Failed> {
    let run = runner::run(runner::plan_for(scenario, seed, Build::default()), false)?;
    match run.verdict.verdict {
        Outcome::Holds => Ok(()),
        Outcome::Violated | Outcome::Undecided | Outcome::Vacuous => Err(explained(&run.verdict).into()),
    }
}
