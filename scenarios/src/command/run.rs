//! `run`: one scenario, one seed.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use reports::{page, text};
use scenarios::folder::folder;
use scenarios::plan::Origin;
use scenarios::{catalog, runner, scenario};

use super::{BuildArguments, CommandError, output, write_file};

/// Run one scenario with one seed, and judge it
#[derive(Args)]
pub(crate) struct Run {
    /// A name from `list`, or the path of a scenario file
    scenario: String,
    /// The same seed gives the same run, byte for byte
    #[arg(long, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    build: BuildArguments,
    /// Change one value of the scenario, as in shape.slots=10, or one part of the capacity service:
    /// config=pull|cached|push|two-phase, counter=sharded|singleton|compare-and-set|stream, log=single|consensus
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Keep plan, history, clock samples and verdict in this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep every event too (with --out)
    #[arg(long, requires = "out")]
    trace: bool,
    /// Write the report, one page that needs no network
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print the verdict as one JSON object
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let scenario = Arc::new(scenario::load(&self.scenario, &self.settings)?);
        let build = self.build.build();
        scenario::accept_defect(&scenario, build.defect)?;
        scenario::accept_settings(&scenario, &self.settings, build.substrate)?;
        let mut plan = runner::plan_for(&scenario, self.seed, build);
        plan.origin = Origin { path: catalog::path_of(&self.scenario), settings: self.settings.clone() };
        let run = runner::run(plan, self.trace)?;
        let folder = folder(&run);
        if let Some(dir) = &self.out {
            folder.write(dir)?;
        }
        if let Some(file) = &self.report {
            write_file(file, &page::run(&folder))?;
        }
        output::print(&if self.json { run.verdict.json() } else { text::run(&folder) })?;
        Ok(run.verdict.exit_code())
    }
}
