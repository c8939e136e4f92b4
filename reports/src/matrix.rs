//! System, variant and family of faults against one another: which guarantee survived, and what broke the next one.

use core::ops::Range;

use serde::Serialize;

use crate::run_folder::{Counts, Outcome};

/// The file that a matrix is written to.
pub const MATRIX: &str = "matrix.json";

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Matrix {
    /// Which version filled it.
    pub version: String,
    /// The seeds of each cell, as far as it took.
    pub seeds: Range<u64>,
    /// Name and meaning of each column.
    pub columns: Vec<(String, String)>,
    /// A scenario and a variant each.
    pub rows: Vec<Row>,
}

/// A scenario in one variant.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The scenario's name.
    pub scenario: String,
    /// Its system.
    pub system: String,
    /// How it is built.
    pub variant: String,
    /// One a column, in their order.
    pub cells: Vec<Cell>,
}

/// What became of the runs of one cell.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// Its column.
    pub column: String,
    /// The worst that came out; vacuous if no run's faults changed anything; none if the scenario declares no such faults.
    pub outcome: Option<Outcome>,
    /// The strongest guarantee that survived: a level of the history, if it has operations; none if nothing did.
    pub strongest: Option<String>,
    /// The promises that held in every run, in the scenario's order.
    pub survived: Vec<String>,
    /// How many runs showed anything, up to the first violation.
    pub seeds: u64,
    /// Faults that happened.
    pub faults_fired: u64,
    /// The first run that broke a promise.
    pub counterexample: Option<Counterexample>,
}

/// A run that broke a promise.
#[derive(Clone, Debug, Serialize)]
pub struct Counterexample {
    /// Its seed.
    pub seed: u64,
    /// The promises that it broke, in the scenario's order.
    pub checks: Vec<String>,
    /// How the first of them was broken.
    pub detail: String,
    /// The command that makes the run again.
    pub replay: String,
}

impl Cell {
    /// A cell of a scenario without faults of that column.
    #[must_use]
    pub fn undeclared(column: &str) -> Self {
        Self {
            column: column.to_owned(),
            outcome: None,
            strongest: None,
            survived: Vec::new(),
            seeds: 0,
            faults_fired: 0,
            counterexample: None,
        }
    }

    /// In at most five letters: `ok`, the number of the run that broke a promise, or why there is nothing to say.
    #[must_use]
    pub fn mark(&self) -> String {
        match self.outcome {
            None => "-".to_owned(),
            Some(Outcome::Holds) => "ok".to_owned(),
            Some(Outcome::Violated) => format!("!{}", self.seeds),
            Some(Outcome::Undecided) => "?".to_owned(),
            Some(Outcome::Vacuous) => "vac".to_owned(),
        }
    }

    /// Below which the chance of a violation lies at 95 %, as `p < 0.3`: the rule of three, where no run broke a promise.
    #[must_use]
    pub fn bound(&self) -> Option<String> {
        let has_held = self.outcome == Some(Outcome::Holds);
        (has_held && self.seeds > 0).then(|| {
            let per_million = (3_000_000_u64).div_ceil(self.seeds).min(1_000_000);
            let digits = format!("{:07}", per_million);
            let (whole, rest) = digits.split_at(digits.len() - 6);
            let rest = rest.trim_end_matches('0');
            let whole = whole.trim_start_matches('0');
            let whole = if whole.is_empty() { "0" } else { whole };
            if rest.is_empty() { format!("p < {whole}") } else { format!("p < {whole}.{rest}") }
        })
    }
}

impl Matrix {
    /// How often each outcome came, of cells in variants that are to keep their promises.
    #[must_use]
    pub fn promised(&self) -> Counts {
        let mut counts = Counts::new();
        let rows = self.rows.iter().filter(|row| row.variant == "hardened");
        for outcome in rows.flat_map(|row| &row.cells).filter_map(|cell| cell.outcome) {
            *counts.entry(outcome).or_insert(0) += 1;
        }
        counts
    }

    /// The worst of [`Self::promised`]: a naive variant promises nothing.
    #[must_use]
    pub fn worst(&self) -> Outcome {
        Outcome::worst(self.promised().into_keys())
    }

    /// Different systems.
    #[must_use]
    pub fn system_count(&self) -> usize {
        let mut systems: Vec<_> = self.rows.iter().map(|row| &row.system).collect();
        systems.sort_unstable();
        systems.dedup();
        systems.len()
    }

    /// All of it on one line.
    ///
    /// # Panics
    /// Never: a matrix is plain data.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a matrix is plain data")
    }

    /// A line for each cell, with its row's names.
    ///
    /// # Panics
    /// Never: a matrix is plain data.
    pub fn json_lines(&self) -> impl Iterator<Item = String> + '_ {
        #[derive(Serialize)]
        struct Line<'a> {
            scenario: &'a str,
            system: &'a str,
            variant: &'a str,
            #[serde(flatten)]
            cell: &'a Cell,
            bound: Option<String>,
        }
        let cells = self.rows.iter().flat_map(|row| row.cells.iter().map(move |cell| (row, cell)));
        cells.map(|(row, cell)| {
            let Row { scenario, system, variant, .. } = row;
            let line = Line { scenario, system, variant, cell, bound: cell.bound() };
            serde_json::to_string(&line).expect("a cell is plain data")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(outcome: Outcome, seeds: u64, want: Option<&str>) {
        let cell = Cell { outcome: Some(outcome), seeds, ..Cell::undeclared("calm") };
        assert_eq!(cell.bound().as_deref(), want);
    }

    #[test]
    fn the_bound_is_three_over_the_runs_and_never_above_one() {
        check(Outcome::Holds, 1, Some("p < 1"));
        check(Outcome::Holds, 10, Some("p < 0.3"));
        check(Outcome::Holds, 1_000, Some("p < 0.003"));
        check(Outcome::Holds, 7, Some("p < 0.428572"));
        check(Outcome::Violated, 10, None);
        check(Outcome::Vacuous, 0, None);
    }
}
