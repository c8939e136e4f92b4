//! `compare`: the substrates side by side.

use std::sync::Arc;

use clap::Args;
use reports::run_folder::Outcome;
use reports::text;
use scenarios::plan::Origin;
use scenarios::{catalog, compare, scenario};

use super::{CommandError, Seeds, SystemArguments, output};

/// Run the same plans on every substrate, and show the verdicts side by side
///
/// Families of faults that a substrate lacks are left out everywhere.
#[derive(Args)]
pub(crate) struct Compare {
    /// A name from `list`, or the path of a scenario file
    scenario: String,
    /// A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    #[command(flatten)]
    system: SystemArguments,
    /// Change one value of the scenario, as in shape.slots=10
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Runs at the same time; the answers do not depend on it
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Print an object for each seed, then one about all
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let scenario = Arc::new(scenario::load(&self.scenario, &self.settings)?);
        scenario::accept_defect(&scenario, self.system.build().defect)?;
        let compare = compare::Compare {
            scenario,
            origin: Origin { path: catalog::path_of(&self.scenario), settings: self.settings.clone() },
            seeds: self.seeds.0.clone(),
            build: self.system.build(),
            jobs: usize::from(self.jobs),
        };
        let mut progress = output::Progress::new("runs", compare.count());
        let comparison = compare.run(|verdict| progress.tick(verdict.verdict == Outcome::Violated))?;
        if self.json {
            for line in comparison.json_lines() {
                output::print(&line)?;
            }
        } else {
            output::print(&text::comparison(&comparison))?;
        }
        Ok(comparison.worst().exit_code())
    }
}
