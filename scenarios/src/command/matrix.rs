//! `matrix`: system, variant and family of faults against one another.

use std::path::PathBuf;

use clap::Args;
use reports::matrix::MATRIX;
use reports::run_folder::Outcome;
use reports::{page, text};
use scenarios::matrix::Trials;

use super::{CommandError, Seeds, load_all, output, shown, write_file};

/// The page of a matrix in its folder.
const PAGE: &str = "matrix.html";

/// Try every system, naive and hardened, under one family of faults after the other
///
/// A cell ends at its first violation, and names the strongest guarantee that survived. The exit code is about hardened
/// variants: a naive one promises nothing.
#[derive(Args)]
pub(crate) struct Matrix {
    /// Names from `list`, or paths of scenario files; without any, those of `list` that have a `[matrix]` timing
    scenarios: Vec<String>,
    /// Seeds of each cell, A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Seeds,
    /// Cells at the same time; the answers do not depend on it
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Write matrix.json and a page, matrix.html, into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print an object for each cell
    #[arg(long)]
    json: bool,
}

impl Matrix {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let takes_all = self.scenarios.is_empty();
        let scenarios =
            load_all(&self.scenarios, &[], |scenario| Ok(!takes_all || scenario.matrix.is_some()))?;
        let trials = Trials { scenarios, seeds: self.seeds.0.clone(), jobs: usize::from(self.jobs) };
        let mut progress = output::Progress::new("cells", trials.count());
        let matrix = trials.run(|cell| progress.tick(cell.outcome == Some(Outcome::Violated)))?;
        if let Some(dir) = &self.out {
            let unwritable = |source| CommandError::Unwritable { path: shown(dir), source };
            std::fs::create_dir_all(dir).map_err(unwritable)?;
            write_file(&dir.join(MATRIX), &(matrix.json() + "\n"))?;
            write_file(&dir.join(PAGE), &page::matrix(&matrix))?;
        }
        if self.json {
            for line in matrix.json_lines() {
                output::print(&line)?;
            }
        } else {
            output::print(&text::matrix(&matrix))?;
        }
        Ok(matrix.worst().exit_code())
    }
}
