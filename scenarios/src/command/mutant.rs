//! `mutants`: every planted defect against the check that must find it.

use std::sync::Arc;

use clap::Args;
use model::rules::Variant;
use reports::run_folder::Outcome;
use scenarios::mutants::{self, Mutant};
use scenarios::plan::Build;
use scenarios::{runner, scenario};
use serde_json::json;

use super::{CommandError, Seeds, output};

/// Run every planted defect against the check that must find it
#[derive(Args)]
pub(crate) struct Mutants {
    /// The seeds to try, A up to but not including B
    #[arg(long, value_name = "A..B", default_value = "0..200")]
    seeds: Seeds,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Mutants {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let mut missed = 0;
        for mutant in mutants::all() {
            let found = seeds_to_detection(mutant, &self.seeds)?;
            missed += u8::from(found.is_none());
            self.show(mutant, found)?;
            if mutant.defect.0 == mutants::CANARY && found != Some(1) {
                let sleeps = "the canary breaks its promise in every run and was not found with the first seed: the \
                              judge sees nothing, and what else is missed means nothing";
                output::say(&format!("counterclock: mutants: {sleeps}"));
                return Ok(1);
            }
        }
        Ok(missed.min(1))
    }

    fn show(&self, mutant: &Mutant, found: Option<u64>) -> Result<(), CommandError> {
        if self.json {
            let line = json!({
                "name": mutant.defect.0,
                "system": mutant.scenario,
                "check": mutant.check,
                "found": found.is_some(),
                "seeds_to_detection": found,
            });
            output::print(&line.to_string())
        } else {
            let after = found.map_or("MISSED".to_owned(), |count| format!("found after {count}"));
            output::print(&format!("{:24} {:20} {:16} {after}", mutant.defect, mutant.scenario, mutant.check))
        }
    }
}

/// How many seeds it took until the check found the defect, counted from 1.
fn seeds_to_detection(mutant: &Mutant, seeds: &Seeds) -> Result<Option<u64>, CommandError> {
    let scenario = Arc::new(scenario::load(mutant.scenario, &[])?);
    let build = Build { variant: Variant::Hardened, defect: Some(mutant.defect), ..Build::default() };
    for (count, seed) in (1..).zip(seeds.0.clone()) {
        let run = runner::run(runner::plan_for(&scenario, seed, build), false)?;
        let is_found = run
            .verdict
            .checks
            .iter()
            .any(|check| check.name == mutant.check && check.verdict == Outcome::Violated);
        if is_found {
            return Ok(Some(count));
        }
    }
    Ok(None)
}
