//! `replay`: the plan in a run folder once more; the same bytes?

use std::path::PathBuf;

use clap::Args;
use reports::run_folder::RunFolder;
use scenarios::plan::{Origin, Plan};
use scenarios::replay;

use super::{CommandError, output, shown};

/// Run a run folder's plan again and compare: the same bytes?
#[derive(Args)]
pub(crate) struct Replay {
    /// A run folder
    #[arg(value_name = "RUN_DIR")]
    dir: PathBuf,
}

impl Replay {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let recorded = RunFolder::read(&self.dir)?;
        let broken = |source| CommandError::PlanFile { dir: shown(&self.dir), source };
        let mut plan = Plan::from_file(&recorded.plan).map_err(broken)?;
        let (path, settings) = (recorded.verdict.path.clone(), recorded.verdict.settings.clone());
        plan.origin = Origin { path, settings };
        match replay::replay(&recorded, &plan)? {
            None => {
                output::print(&format!("the same bytes: digest {}", recorded.verdict.digest))?;
                Ok(0)
            }
            Some(departure) => {
                output::print(&departure.to_string())?;
                Ok(1)
            }
        }
    }
}
