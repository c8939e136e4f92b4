//! System, variant and family of faults against one another: which guarantee survived, and what broke the next one.
//!
//! ```text
//!   scenario ──► its faults of one column, its timing for a matrix ──► seeds until the first violation ──► cell
//! ```
//!
//! The rule of three (J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249,
//! 1983): no failure in N runs means a chance of failure below 3/N, at 95 %.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use checker::judge::strongest_of;
use model::rules::Variant;
use reports::matrix::{Cell, Counterexample, Matrix, Row};
use reports::run_folder::{CheckResult, Outcome, RunVerdict};
use sim::substrate::Substrate;

use crate::grammar::column::Column;
use crate::parallel::on_threads;
use crate::plan::{Build, Origin, VERSION, word};
use crate::runner::{self, BUDGET, Run};
use crate::scenario::Scenario;
use crate::soak::{Soak, SoakError};

/// What to try.
pub struct Trials {
    /// The scenarios, in order, and where each came from.
    pub scenarios: Vec<(Arc<Scenario>, Origin)>,
    /// The seeds of each cell.
    pub seeds: Range<u64>,
    /// How many threads.
    pub jobs: usize,
}

/// One cell before its runs.
struct Trial {
    row: usize,
    column: Column,
    scenario: Option<Arc<Scenario>>,
    origin: Origin,
    variant: Variant,
}

/// The variants of every system, in the order of rows.
const VARIANTS: [Variant; 2] = [Variant::Hardened, Variant::Naive];

impl Trials {
    /// How many cells there are to fill.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.scenarios.len() * VARIANTS.len() * Column::ALL.len()
    }

    /// Fills every cell; `progress` hears of each as it comes, in any order.
    ///
    /// # Errors
    /// If a run comes to no end.
    pub fn run(&self, mut progress: impl FnMut(&Cell)) -> Result<Matrix, SoakError> {
        let trials = self.trials();
        let next = AtomicUsize::new(0);
        let mut cells = vec![None; trials.len()];
        let mut failed = None;
        let fill = |sender: &Sender<_>| {
            let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < trials.len());
            while let Some(index) = take() {
                if sender.send((index, self.cell(&trials[index]))).is_err() {
                    return;
                }
            }
        };
        on_threads(self.jobs, fill, |receiver| {
            for (index, cell) in receiver {
                match cell {
                    Ok(cell) => {
                        progress(&cell);
                        cells[index] = Some(cell);
                    }
                    Err(error) => {
                        failed.get_or_insert(error);
                        next.store(trials.len(), Ordering::Relaxed);
                    }
                }
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let cells: Vec<Cell> =
            cells.into_iter().map(|cell| cell.expect("no run failed, so every cell came")).collect();
        Ok(self.matrix(&trials, &cells))
    }

    fn trials(&self) -> Vec<Trial> {
        let rows = self.scenarios.iter().flat_map(|one| VARIANTS.map(|variant| (one, variant)));
        let trial = |(row, ((scenario, origin), variant)): (usize, (&(Arc<Scenario>, Origin), _))| {
            Column::ALL.map(|column| {
                let mut origin = origin.clone();
                origin.settings.push(format!("cell={column}"));
                let scenario = scenario.for_cell(column).map(Arc::new);
                Trial { row, column, scenario, origin, variant }
            })
        };
        rows.enumerate().flat_map(trial).collect()
    }

    fn matrix(&self, trials: &[Trial], cells: &[Cell]) -> Matrix {
        let rows =
            self.scenarios.iter().flat_map(|(scenario, _)| VARIANTS.map(|variant| (scenario, variant)));
        let row = |(index, (scenario, variant)): (usize, (&Arc<Scenario>, Variant))| Row {
            scenario: scenario.name.clone(),
            system: scenario.system.name().to_owned(),
            variant: word(&variant),
            cells: trials
                .iter()
                .zip(cells)
                .filter(|(trial, _)| trial.row == index)
                .map(|(_, cell)| cell.clone())
                .collect(),
        };
        Matrix {
            version: VERSION.to_owned(),
            seeds: self.seeds.clone(),
            columns: Column::ALL.map(|column| (column.name().to_owned(), column.meaning().to_owned())).into(),
            rows: rows.enumerate().map(row).collect(),
        }
    }

    /// The runs of one cell, until one breaks a promise.
    fn cell(&self, trial: &Trial) -> Result<Cell, SoakError> {
        let Some(scenario) = &trial.scenario else { return Ok(Cell::undeclared(trial.column.name())) };
        let soak = Soak {
            scenarios: vec![(Arc::clone(scenario), trial.origin.clone())],
            seeds: self.seeds.clone(),
            build: Build { variant: trial.variant, defect: None, substrate: Substrate::Kernel },
            plan: runner::plan_for,
            jobs: 1,
            stop_after: Some(1),
            time_limit_ns: None,
            known: Vec::new(),
        };
        let soaked = soak.run(|_| {})?;
        let has_held = |check: &&String| fate_of(check, &soaked.verdicts) == Outcome::Holds;
        let survived: Vec<_> = scenario.checks.iter().filter(has_held).cloned().collect();
        let violation = soaked.violations.first();
        let levels = violation.map(surviving_levels).unwrap_or_default();
        Ok(Cell {
            column: trial.column.name().to_owned(),
            outcome: Some(outcome(&soaked.verdicts)),
            strongest: levels.into_iter().chain(survived.first().cloned()).next(),
            survived,
            seeds: count_of(&soaked.verdicts),
            faults_fired: soaked
                .verdicts
                .iter()
                .flat_map(|verdict| &verdict.ledger)
                .map(|line| line.fired)
                .sum(),
            counterexample: violation.map(counterexample),
        })
    }
}

/// What became of a cell: vacuous only if no run of it showed anything.
fn outcome(verdicts: &[RunVerdict]) -> Outcome {
    let telling = verdicts.iter().map(|verdict| verdict.verdict).filter(|one| *one != Outcome::Vacuous);
    telling.min().unwrap_or(Outcome::Vacuous)
}

/// How many runs showed something.
fn count_of(verdicts: &[RunVerdict]) -> u64 {
    verdicts.iter().filter(|verdict| verdict.verdict != Outcome::Vacuous).count() as u64
}

/// What became of a promise over all runs of a cell.
fn fate_of(check: &str, verdicts: &[RunVerdict]) -> Outcome {
    let all = verdicts.iter().flat_map(|verdict| &verdict.checks);
    Outcome::worst(all.filter(|one| one.name == check).map(|one| one.verdict))
}

/// The strongest levels that the operations of a run that broke a promise still have, family by family.
fn surviving_levels(run: &Run) -> Vec<String> {
    let levels = run.families.iter().filter_map(|family| strongest_of(&family.kind, BUDGET));
    levels.flat_map(|strongest| strongest.held).map(|level| level.name().to_owned()).collect()
}

fn counterexample(run: &Run) -> Counterexample {
    let violated: Vec<&CheckResult> =
        run.verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated).collect();
    Counterexample {
        seed: run.verdict.seed,
        checks: violated.iter().map(|check| check.name.clone()).collect(),
        detail: violated.first().map(|check| check.detail.clone()).unwrap_or_default(),
        replay: run.verdict.replay_command(),
    }
}
