//! What a run leaves behind: a folder that reports and replays need nothing else than.
//!
//! ```text
//!   plan.json        all that was decided before the first event
//!   history.jsonl    what clients asked and were told, a header first; `check` judges it
//!   clocks.jsonl     how far each clock was off; not there if the substrate samples none
//!   switches.jsonl   when each node went over to each configuration version; only where there are versions
//!   verdict.json     what `run --json` prints
//!   checkpoints.json digests on the way, so that a replay says where it parted; not there if the run was short
//!   trace.jsonl      what the world did, if it was kept
//! ```
//!
//! Written and read here only. It appears complete or not at all.

mod clock_samples;
mod error;
mod files;
mod lines;
mod plan;
mod rate;
mod soak;
mod switches;
mod verdict;

use std::path::Path;

use checker::format::jsonl;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::drawn::DrawnFamily;
pub use clock_samples::ClockSample;
pub use error::FolderError;
pub use plan::{NodePlan, Plan};
pub use rate::PerSecond;
pub use sim::checkpoints::Checkpoints;
pub use sim::ledger::LedgerLine;
pub use soak::{
    Counts, FirstViolation, RUNS, SUMMARY, ScenarioCounts, SoakFolder, SoakSummary, VERDICTS, read_verdicts,
};
pub use switches::SwitchRecord;
pub use verdict::{CheckResult, Outcome, RunVerdict};

/// The plan's file.
pub const PLAN: &str = "plan.json";
/// The history's file.
pub const HISTORY: &str = "history.jsonl";
/// The clock samples' file.
pub const CLOCKS: &str = "clocks.jsonl";
/// The switches' file.
pub const SWITCHES: &str = "switches.jsonl";
/// The verdict's file.
pub const VERDICT: &str = "verdict.json";
/// The checkpoints' file.
pub const CHECKPOINTS: &str = "checkpoints.json";
/// The trace's file.
pub const TRACE: &str = "trace.jsonl";

/// Every file of a run folder.
const FILES: [&str; 7] = [PLAN, HISTORY, CLOCKS, SWITCHES, CHECKPOINTS, VERDICT, TRACE];

/// The substrate that always samples clocks.
const SAMPLING_SUBSTRATE: &str = "kernel";
/// What to do when a file of a run is not there.
const HINT_MISSING: &str = "give a folder that `run --out` made, or make the run again";

/// A run folder in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    /// What was decided before the run.
    pub plan: Plan,
    /// The text of `history.jsonl`, as the checker's format writes it.
    pub history: String,
    /// The clock samples, by instant.
    pub clocks: Vec<ClockSample>,
    /// Versions and switches, where the system has them.
    pub switches: Vec<SwitchRecord>,
    /// What the run was judged to be.
    pub verdict: RunVerdict,
    /// The digests on the way, if there are any.
    pub checkpoints: Option<Checkpoints>,
    /// The text of `trace.jsonl`, if a trace was kept.
    pub trace: Option<String>,
}

impl RunFolder {
    /// Leaves the folder at `dir`: all of it, or on an error nothing.
    ///
    /// An older run folder there is replaced; other files in it stay.
    ///
    /// # Errors
    /// If `dir` holds files but no run, or the operating system refuses.
    ///
    /// # Panics
    /// If the history is not as the checker writes it, or verdict and plan tell of different runs.
    pub fn write(&self, dir: &Path) -> Result<(), FolderError> {
        self.plan.assert_invariants();
        let disagreement = self.disagreement(dir);
        assert_eq!(disagreement, None, "plan and verdict are of one run");
        if !may_take(dir) {
            return Err(FolderError::Taken { path: dir.to_owned() });
        }
        files::write_folder(dir, &FILES, |fresh| self.fill(fresh))
    }

    /// The operations of the history, family by family.
    pub(crate) fn drawn_families(&self) -> Vec<DrawnFamily> {
        let families = jsonl::read(self.history.as_bytes());
        DrawnFamily::all(
            &families.expect("the checker wrote the history, or it was read when the folder was"),
        )
    }

    fn fill(&self, dir: &Path) -> Result<(), FolderError> {
        files::write_text(&dir.join(PLAN), &self.plan.json())?;
        files::write_text(&dir.join(HISTORY), &self.history)?;
        if !self.clocks.is_empty() {
            files::write_text(&dir.join(CLOCKS), &ClockSample::to_jsonl(&self.clocks))?;
        }
        if !self.switches.is_empty() {
            files::write_text(&dir.join(SWITCHES), &SwitchRecord::to_jsonl(&self.switches))?;
        }
        if let Some(checkpoints) = &self.checkpoints {
            let text = serde_json::to_string(checkpoints).expect("checkpoints are plain data");
            files::write_text(&dir.join(CHECKPOINTS), &(text + "\n"))?;
        }
        if let Some(trace) = &self.trace {
            files::write_text(&dir.join(TRACE), trace)?;
        }
        files::write_text(&dir.join(VERDICT), &(self.verdict.json() + "\n"))
    }

    /// Reads the folder at `dir`.
    ///
    /// History and trace stay text: what they say is for those who draw or judge them.
    ///
    /// # Errors
    /// If a file is missing or damaged, or plan and verdict tell of different runs.
    pub fn read(dir: &Path) -> Result<Self, FolderError> {
        let plan: Plan = read_value(&dir.join(PLAN), "the plan of a run")?;
        let history = read_history(&dir.join(HISTORY))?;
        let clocks = match read_list(&dir.join(CLOCKS), clock_samples::EXPECTED) {
            Err(FolderError::Missing { .. }) if plan.substrate != SAMPLING_SUBSTRATE => Vec::new(),
            clocks => clocks?,
        };
        let switches = optional(read_list(&dir.join(SWITCHES), "a version or a switch"))?.unwrap_or_default();
        let verdict = read_value(&dir.join(VERDICT), "the verdict of a run")?;
        let checkpoints = optional(read_value(&dir.join(CHECKPOINTS), "the checkpoints of a run"))?;
        let trace = optional(read_lines(&dir.join(TRACE), "the events of a trace"))?;
        let run = Self { plan, history, clocks, switches, checkpoints, verdict, trace };
        run.disagreement(dir).map_or(Ok(run), Err)
    }

    /// The first field in which the verdict is not of the plan's run.
    fn disagreement(&self, dir: &Path) -> Option<FolderError> {
        let (plan, verdict) = (&self.plan, &self.verdict);
        let pairs = [
            ("scenario", verdict.scenario.clone(), plan.name.clone()),
            ("seed", verdict.seed.to_string(), plan.seed.to_string()),
            ("variant", verdict.variant.clone(), plan.variant.clone()),
            ("substrate", verdict.substrate.clone(), plan.substrate.clone()),
            ("mutant", format!("{:?}", verdict.mutant), format!("{:?}", plan.mutant)),
        ];
        let (field, found, planned) = pairs.into_iter().find(|(_, found, planned)| found != planned)?;
        Some(FolderError::Disagree { path: dir.join(VERDICT), field, found, planned })
    }
}

/// Whether a run folder may stand at `dir`: nothing is there, or nothing in it, or another run.
fn may_take(dir: &Path) -> bool {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none() || dir.join(PLAN).is_file(),
        Err(_) => !dir.exists(),
    }
}

fn read_value<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<T, FolderError> {
    files::parse(path, &files::read_text(path, expected, HINT_MISSING)?, expected)
}

fn read_list<T: DeserializeOwned>(path: &Path, expected: &'static str) -> Result<Vec<T>, FolderError> {
    files::parse_lines(path, &files::read_text(path, expected, HINT_MISSING)?, expected)
}

/// The text of a history that the checker can read.
fn read_history(path: &Path) -> Result<String, FolderError> {
    let text = files::read_text(path, "a header and the events of a history", HINT_MISSING)?;
    match jsonl::read(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(error) => Err(FolderError::NoHistory { path: path.to_owned(), error }),
    }
}

/// The text of a file with a JSON value a line.
fn read_lines(path: &Path, expected: &'static str) -> Result<String, FolderError> {
    let text = files::read_text(path, expected, HINT_MISSING)?;
    files::parse_lines::<IgnoredAny>(path, &text, expected)?;
    Ok(text)
}

/// Nothing, if the file is missing.
fn optional<T>(result: Result<T, FolderError>) -> Result<Option<T>, FolderError> {
    match result {
        Err(FolderError::Missing { .. }) => Ok(None),
        result => result.map(Some),
    }
}
