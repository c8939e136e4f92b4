//! One scenario and its seeds on several substrates: what each promise came to, side by side.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::run_folder::{Counts, Outcome, RunVerdict};

/// The runs of one scenario with the same plans on several substrates.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The scenario's name.
    pub scenario: String,
    /// What the nodes ran on.
    pub substrates: Vec<String>,
    /// Substrates that the build does not have.
    pub not_built: Vec<String>,
    /// What the plans leave out everywhere, since some substrate lacks it.
    pub left_out: Vec<String>,
    /// Shape: one list a substrate, in each the same seeds in the same order.
    pub runs: Vec<Vec<RunVerdict>>,
}

/// A promise whose verdict on one seed is not the same everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The seed.
    pub seed: u64,
    /// The check's name.
    pub check: String,
    /// Its verdicts, by substrate.
    pub verdicts: BTreeMap<String, Outcome>,
}

/// A line of `compare --json`: one seed.
#[derive(Serialize)]
struct SeedLine<'a> {
    scenario: &'a str,
    seed: u64,
    runs: Vec<RunLine<'a>>,
    disagreements: Vec<Disagreement>,
}

#[derive(Serialize)]
struct RunLine<'a> {
    substrate: &'a str,
    verdict: Outcome,
    digest: &'a str,
    operations: u64,
    messages: u64,
    checks: BTreeMap<&'a str, Outcome>,
}

/// The last line of `compare --json`.
#[derive(Serialize)]
struct SummaryLine<'a> {
    scenario: &'a str,
    seeds: usize,
    seeds_that_differ: usize,
    verdicts: BTreeMap<&'a str, Counts>,
    not_built: &'a [String],
    left_out: &'a [String],
}

impl Comparison {
    /// The runs of each seed, by substrate.
    pub fn seeds(&self) -> impl Iterator<Item = Vec<&RunVerdict>> {
        let count = self.runs.first().map_or(0, Vec::len);
        (0..count).map(|index| self.runs.iter().map(|runs| &runs[index]).collect())
    }

    /// Every promise whose verdict on a seed is not the same everywhere, by seed.
    #[must_use]
    pub fn disagreements(&self) -> Vec<Disagreement> {
        self.seeds().flat_map(|runs| self.disagreements_of(&runs)).collect()
    }

    /// How many seeds have such a promise.
    #[must_use]
    pub fn differing_count(&self) -> usize {
        self.seeds().filter(|runs| !self.disagreements_of(runs).is_empty()).count()
    }

    /// The worst verdict of all runs.
    #[must_use]
    pub fn worst(&self) -> Outcome {
        Outcome::worst(self.runs.iter().flatten().map(|run| run.verdict))
    }

    /// How often a check came to each outcome, by substrate.
    #[must_use]
    pub fn counts_of(&self, check: &str) -> Vec<Counts> {
        let count = |runs: &Vec<RunVerdict>| {
            let mut counts = Counts::new();
            for outcome in runs.iter().filter_map(|run| outcome_of(run, check)) {
                *counts.entry(outcome).or_insert(0) += 1;
            }
            counts
        };
        self.runs.iter().map(count).collect()
    }

    /// The checks, in the scenario's order.
    #[must_use]
    pub fn checks(&self) -> Vec<&str> {
        let first = self.runs.first().and_then(|runs| runs.first());
        first.map(|run| run.checks.iter().map(|check| check.name.as_str()).collect()).unwrap_or_default()
    }

    /// One JSON object a seed, then one about all.
    ///
    /// # Panics
    /// Never: all of it is plain data.
    #[must_use]
    pub fn json_lines(&self) -> Vec<String> {
        let json = |line: &SeedLine<'_>| serde_json::to_string(line).expect("a line has text keys only");
        let mut lines: Vec<String> = self.seeds().map(|runs| json(&self.seed_line(&runs))).collect();
        lines.push(serde_json::to_string(&self.summary_line()).expect("a line has text keys only"));
        lines
    }

    fn disagreements_of(&self, runs: &[&RunVerdict]) -> Vec<Disagreement> {
        let disagreement = |check: &str| {
            let outcomes: Vec<_> = runs.iter().map(|run| outcome_of(run, check)).collect();
            if outcomes.windows(2).all(|pair| pair[0] == pair[1]) {
                return None;
            }
            let named = self.substrates.iter().zip(outcomes);
            let verdicts = named.filter_map(|(name, outcome)| Some((name.clone(), outcome?))).collect();
            Some(Disagreement { seed: runs[0].seed, check: check.to_owned(), verdicts })
        };
        self.checks().into_iter().filter_map(disagreement).collect()
    }

    fn seed_line<'a>(&'a self, runs: &[&'a RunVerdict]) -> SeedLine<'a> {
        let run_line = |run: &&'a RunVerdict| RunLine {
            substrate: &run.substrate,
            verdict: run.verdict,
            digest: &run.digest,
            operations: run.operations,
            messages: run.messages,
            checks: run.checks.iter().map(|check| (check.name.as_str(), check.verdict)).collect(),
        };
        SeedLine {
            scenario: &self.scenario,
            seed: runs[0].seed,
            runs: runs.iter().map(run_line).collect(),
            disagreements: self.disagreements_of(runs),
        }
    }

    fn summary_line(&self) -> SummaryLine<'_> {
        let counts = |runs: &Vec<RunVerdict>| {
            runs.iter().fold(Counts::new(), |mut counts, run| {
                *counts.entry(run.verdict).or_insert(0) += 1;
                counts
            })
        };
        let named = self.substrates.iter().zip(&self.runs);
        SummaryLine {
            scenario: &self.scenario,
            seeds: self.seeds().count(),
            seeds_that_differ: self.differing_count(),
            verdicts: named.map(|(name, runs)| (name.as_str(), counts(runs))).collect(),
            not_built: &self.not_built,
            left_out: &self.left_out,
        }
    }
}

fn outcome_of(run: &RunVerdict, check: &str) -> Option<Outcome> {
    run.checks.iter().find(|result| result.name == check).map(|result| result.verdict)
}
