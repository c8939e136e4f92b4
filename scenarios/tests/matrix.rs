//! The matrix: what stands in a cell is what the runs of that cell show, whatever the number of threads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use model::rules::Variant;
use reports::matrix::{Cell, Matrix};
use reports::run_folder::Outcome;
use scenarios::grammar::column::Column;
use scenarios::matrix::Trials;
use scenarios::plan::{Build, Origin};
use scenarios::{runner, scenario};

/// Runs of 12 s of a service with three families of faults, one of which can change nothing.
const SETTINGS: [&str; 6] = [
    "timing.chaos-s=6",
    "timing.heal-s=4",
    "timing.quiet-s=2",
    "timing.recover-s=3",
    "checks=['linearizable', 'sequential', 'no-loss', 'exactly-once']",
    "faults=[{ kind = 'crash', on = ['service'], every-ms = 2_000, length-ms = [100, 900] }, \
     { kind = 'one-way', on = ['service'], every-ms = 2_000, length-ms = [100, 900] }, \
     { kind = 'disk-error', on = ['client'], every-ms = 2_000 }]",
];

fn filled(jobs: usize) -> Matrix {
    let settings = SETTINGS.map(str::to_owned);
    let scenario = Arc::new(scenario::load("counters-partition", &settings).unwrap());
    let origin = Origin { path: None, settings: settings.to_vec() };
    let trials = Trials { scenarios: vec![(scenario, origin)], seeds: 0..3, jobs };
    trials.run(|_| {}).unwrap()
}

fn cell<'a>(matrix: &'a Matrix, variant: &str, column: Column) -> &'a Cell {
    let row = matrix.rows.iter().find(|row| row.variant == variant).unwrap();
    row.cells.iter().find(|cell| cell.column == column.name()).unwrap()
}

#[test]
fn a_matrix_is_the_same_for_any_number_of_jobs() {
    assert_eq!(filled(1).json(), filled(3).json());
}

#[test]
fn hardened_cells_hold_with_a_bound_and_undeclared_ones_say_so() {
    let matrix = filled(2);
    let crash = cell(&matrix, "hardened", Column::Crash);
    assert_eq!(
        (crash.outcome, crash.seeds, crash.bound().as_deref()),
        (Some(Outcome::Holds), 3, Some("p < 1"))
    );
    assert_eq!(crash.strongest.as_deref(), Some("linearizable"));
    assert!(crash.faults_fired > 0);
    assert_eq!(cell(&matrix, "hardened", Column::Clock).outcome, None);
    assert_eq!(matrix.worst(), Outcome::Vacuous, "of the disk, which no client has");
}

#[test]
fn a_naive_cell_ends_at_its_first_violation_and_its_command_makes_that_run_again() {
    let matrix = filled(2);
    let cuts = cell(&matrix, "naive", Column::Cuts);
    let example = cuts.counterexample.as_ref().unwrap();
    assert_eq!((cuts.outcome, cuts.seeds), (Some(Outcome::Violated), example.seed + 1));
    assert_ne!(cuts.strongest.as_deref(), Some("linearizable"));
    let settings: Vec<String> =
        SETTINGS.iter().map(|one| (*one).to_owned()).chain(["cell=cuts".to_owned()]).collect();
    let scenario = Arc::new(scenario::load("counters-partition", &settings).unwrap());
    let build = Build { variant: Variant::Naive, ..Build::default() };
    let run = runner::run(runner::plan_for(&scenario, example.seed, build), false).unwrap();
    let broken = run.verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated);
    assert_eq!(broken.map(|check| check.name.clone()).collect::<Vec<_>>(), example.checks);
    assert!(example.replay.ends_with("--set cell=cuts"), "{}", example.replay);
}

#[test]
fn a_cell_whose_faults_change_nothing_is_vacuous() {
    let matrix = filled(2);
    let disk = cell(&matrix, "hardened", Column::Disk);
    assert_eq!((disk.outcome, disk.seeds, disk.bound()), (Some(Outcome::Vacuous), 0, None));
    assert_eq!(cell(&matrix, "hardened", Column::Calm).outcome, Some(Outcome::Holds));
}
