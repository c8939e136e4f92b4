//! What many runs leave behind: `verdicts.jsonl`, `soak.json`, and the folders of the first violations in `runs/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::FolderError;
use super::files;
use super::rate::PerSecond;
use super::verdict::{Outcome, RunVerdict};

/// The verdict of each run, ordered by scenario and seed.
pub const VERDICTS: &str = "verdicts.jsonl";
/// The summary.
pub const SUMMARY: &str = "soak.json";
/// The folders of the first violations.
pub const RUNS: &str = "runs";

/// How many runs came out how.
pub type Counts = BTreeMap<Outcome, u64>;

/// One of the first violations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstViolation {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The checks that found it.
    pub checks: Vec<String>,
    /// What the first of them said.
    pub detail: String,
    /// The run's folder, relative to the soak folder, where it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The command that makes the run again.
    pub replay: String,
}

/// The runs of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioCounts {
    /// The scenario.
    pub scenario: String,
    /// How many of its runs came out how.
    pub counts: Counts,
    /// How long its runs took together. Unit: ns.
    pub wall_ns: u64,
}

/// `soak.json`, and the last line of `soak --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakSummary {
    /// The version of counterclock that made the runs.
    pub version: String,
    /// What was asked for; a soak is resumed only under identical arguments.
    pub arguments: Value,
    /// How many runs came out how.
    pub counts: Counts,
    /// How many seeds were judged a second.
    pub seeds_per_second: PerSecond,
    /// The first violations, ordered as the verdicts.
    pub first_violations: Vec<FirstViolation>,
    /// Each scenario's part.
    pub by_scenario: Vec<ScenarioCounts>,
}

impl SoakSummary {
    /// The summary as it stands in `soak.json`, on one line without its end.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a summary has text keys only")
    }

    /// How many runs there were.
    #[must_use]
    pub fn run_count(&self) -> u64 {
        self.counts.values().fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// The worst that any run came to.
    #[must_use]
    pub fn worst(&self) -> Outcome {
        Outcome::worst(self.counts.iter().filter(|(_, count)| **count > 0).map(|(outcome, _)| *outcome))
    }

    /// Writes `soak.json` into a soak folder.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn write(&self, dir: &Path) -> Result<(), FolderError> {
        let path = dir.join(SUMMARY);
        let fresh = dir.join(format!(".{SUMMARY}.writing"));
        files::write_text(&fresh, &(self.json() + "\n"))?;
        fs::rename(&fresh, &path).map_err(|error| FolderError::Unwritable { path, kind: error.kind() })
    }

    /// Reads a `soak.json`.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        let text = files::read_text(path, EXPECTED_SUMMARY, "give a folder that `soak --out` made")?;
        files::parse(path, &text, EXPECTED_SUMMARY)
    }
}

/// A soak folder as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakFolder {
    /// Its summary.
    pub summary: SoakSummary,
    /// The verdict of each run.
    pub verdicts: Vec<RunVerdict>,
}

impl SoakFolder {
    /// Reads the summary and every verdict.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the two tell of different numbers of runs.
    pub fn read(dir: &Path) -> Result<Self, FolderError> {
        let summary = SoakSummary::read(&dir.join(SUMMARY))?;
        let verdicts = read_verdicts(&dir.join(VERDICTS))?;
        let (found, planned) = (verdicts.len() as u64, summary.run_count());
        if found != planned {
            let (found, planned) = (found.to_string(), format!("{planned} (in {SUMMARY})"));
            let path = dir.join(VERDICTS);
            return Err(FolderError::Disagree { path, field: "the number of runs", found, planned });
        }
        Ok(Self { summary, verdicts })
    }

    /// The runs that broke a promise.
    pub fn violated(&self) -> impl Iterator<Item = &RunVerdict> {
        self.verdicts.iter().filter(|verdict| verdict.verdict == Outcome::Violated)
    }
}

/// The verdicts of a `verdicts.jsonl`.
///
/// # Errors
/// If it is missing, or a line is no verdict. A file without any line is a soak that had no seed.
pub fn read_verdicts(path: &Path) -> Result<Vec<RunVerdict>, FolderError> {
    match files::read_text(path, EXPECTED_VERDICT, "give a folder that `soak --out` made") {
        Ok(text) => files::parse_lines(path, &text, EXPECTED_VERDICT),
        Err(FolderError::Empty { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

const EXPECTED_SUMMARY: &str = "the summary of a soak";
const EXPECTED_VERDICT: &str = "the verdict of a run";

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(holds: u64) -> SoakSummary {
        SoakSummary {
            version: "0.1.0".into(),
            arguments: serde_json::json!({"seeds": "0..2"}),
            counts: Counts::from([(Outcome::Holds, holds)]),
            seeds_per_second: PerSecond::of(2, 800_000_000),
            first_violations: Vec::new(),
            by_scenario: Vec::new(),
        }
    }

    #[test]
    fn summary_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        summary(0).write(dir.path()).unwrap();
        fs::write(dir.path().join(VERDICTS), "").unwrap();
        assert_eq!(SoakFolder::read(dir.path()).unwrap().summary, summary(0));
        let text = fs::read_to_string(dir.path().join(SUMMARY)).unwrap();
        assert!(text.contains(r#""counts":{"holds":0},"seeds_per_second":2.5"#), "{text}");
    }

    #[test]
    fn verdicts_that_are_fewer_than_the_summary_counts_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        summary(2).write(dir.path()).unwrap();
        fs::write(dir.path().join(VERDICTS), "").unwrap();
        let error = SoakFolder::read(dir.path()).unwrap_err();
        assert!(matches!(error, FolderError::Disagree { .. }), "{error}");
    }
}
