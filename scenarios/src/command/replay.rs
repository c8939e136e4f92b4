//! `replay`: the plan in a run folder once more; the same bytes?

use std::path::PathBuf;

use clap::Args;
use reports::run_folder::RunFolder;
use scenarios::folder::folder;
use scenarios::plan::{Origin, Plan};
use scenarios::runner;

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
        let again = folder(&runner::run(plan, recorded.trace.is_some())?);
        match first_difference(&recorded, &again) {
            None => {
                output::print(&format!("the same bytes: digest {}", again.verdict.digest))?;
                Ok(0)
            }
            Some(difference) => {
                output::print(&difference)?;
                Ok(1)
            }
        }
    }
}

/// The first thing that is not the same, in words.
fn first_difference(recorded: &RunFolder, again: &RunFolder) -> Option<String> {
    let version = (recorded.plan.version != again.plan.version).then(|| {
        format!("\nthe run was made by version {}, this is {}", recorded.plan.version, again.plan.version)
    });
    let note = version.unwrap_or_default();
    if let (Some(before), Some(after)) = (&recorded.trace, &again.trace)
        && let Some(found) = first_line(before, after)
    {
        return Some(format!("trace.jsonl: {found}{note}"));
    }
    if let Some(found) = first_line(&recorded.history, &again.history) {
        return Some(format!("history.jsonl: {found}{note}"));
    }
    let (before, after) = (&recorded.verdict, &again.verdict);
    if before.digest != after.digest {
        return Some(format!("digest: recorded {}, now {}{note}", before.digest, after.digest));
    }
    let (before, after) = (before.soak_line(), after.soak_line());
    (before != after).then(|| format!("verdict.json: recorded {before}, now {after}{note}"))
}

fn first_line(before: &str, after: &str) -> Option<String> {
    let (mut left, mut right) = (before.lines(), after.lines());
    for number in 1_u64.. {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => {
                let (one, other) = (one.unwrap_or("nothing"), other.unwrap_or("nothing"));
                return Some(format!(
                    "line {number} is the first that differs\nrecorded: {one}\nnow:      {other}"
                ));
            }
        }
    }
    None
}
