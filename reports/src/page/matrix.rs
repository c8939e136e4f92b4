//! The page of a matrix: which guarantee survived in which cell, and what broke the next one.

use serde::Serialize;

use super::{Fact, Head, ornament, page, render};
use crate::matrix::{Cell, Matrix, Row};
use crate::run_folder::Outcome;
use crate::scale::grouped;
use crate::words::counted;

/// A column's name and meaning.
#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    meaning: &'a str,
}

/// One cell as it is shown.
#[derive(Serialize)]
struct Shown {
    /// The outcome's name; `none` where the scenario declares no such faults.
    class: &'static str,
    glyph: String,
    /// The strongest guarantee that survived.
    strongest: String,
    /// Seeds spent, and what they bound.
    spent: String,
    /// What else there is to know, for whoever points at it.
    title: String,
}

/// One row as it is shown.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    system: &'a str,
    variant: &'a str,
    cells: Vec<Shown>,
}

/// A counter-example.
#[derive(Serialize)]
struct Example<'a> {
    scenario: &'a str,
    variant: &'a str,
    column: &'a str,
    seed: u64,
    checks: String,
    detail: &'a str,
    survived: String,
    replay: &'a str,
}

/// Everything below the head.
#[derive(Serialize)]
struct Body<'a> {
    columns: Vec<Column<'a>>,
    rows: Vec<Line<'a>>,
    examples: Vec<Example<'a>>,
}

/// The page of a matrix.
#[must_use]
pub fn matrix(matrix: &Matrix) -> String {
    let columns = matrix.columns.iter().map(|(name, meaning)| Column { name, meaning });
    let body = Body {
        columns: columns.collect(),
        rows: matrix.rows.iter().map(line).collect(),
        examples: matrix.rows.iter().flat_map(examples).collect(),
    };
    page(&head(matrix), &render(include_str!("../../templates/matrix.html"), body))
}

fn head(matrix: &Matrix) -> Head {
    let outcome = matrix.worst();
    let promised = matrix.promised();
    let count = |outcome| promised.get(&outcome).copied().unwrap_or(0);
    let all: u64 = promised.values().sum();
    let headline = match outcome {
        Outcome::Holds => format!("Every hardened system kept its promises in {} cells", grouped(all)),
        other => format!("{} of {} cells of hardened systems: {other}", grouped(count(other)), grouped(all)),
    };
    let seeds = matrix.seeds.end.saturating_sub(matrix.seeds.start);
    Head {
        title: format!("Matrix: {outcome}"),
        kicker: "counterclock matrix".into(),
        outcome,
        headline,
        subject: None,
        lede: "Each cell runs one system in one variant under one family of faults, until the first broken promise. \
               It names the strongest guarantee that survived. Naive variants are built as such systems commonly are."
            .into(),
        command: None,
        facts: vec![
            Fact { name: "Systems", value: grouped(matrix.system_count() as u64) },
            Fact { name: "Rows", value: grouped(matrix.rows.len() as u64) },
            Fact { name: "Seeds a cell", value: grouped(seeds) },
        ],
        footer: format!("counterclock {}. Any of these runs can be made again from its command.", matrix.version),
    }
}

fn line(row: &Row) -> Line<'_> {
    Line {
        scenario: &row.scenario,
        system: &row.system,
        variant: &row.variant,
        cells: row.cells.iter().map(shown).collect(),
    }
}

fn shown(cell: &Cell) -> Shown {
    let Some(outcome) = cell.outcome else {
        let title = "the scenario declares no such faults".to_owned();
        return Shown {
            class: "none",
            glyph: String::new(),
            strongest: String::new(),
            spent: String::new(),
            title,
        };
    };
    let strongest = cell.strongest.clone().unwrap_or_else(|| "nothing".to_owned());
    let broken = cell.counterexample.as_ref().map(|example| example.checks.join(", "));
    let title = broken.map_or_else(
        || format!("{}; {} fired", cell.survived.join(", "), counted(cell.faults_fired as usize, "fault")),
        |broken| format!("broke {broken}; kept {}", cell.survived.join(", ")),
    );
    let spent = match cell.bound() {
        Some(bound) => format!("{}, {bound}", counted(cell.seeds as usize, "seed")),
        None => counted(cell.seeds as usize, "seed"),
    };
    Shown { class: outcome.name(), glyph: ornament::glyph(outcome), strongest, spent, title }
}

fn examples(row: &Row) -> impl Iterator<Item = Example<'_>> {
    row.cells.iter().filter_map(move |cell| {
        let example = cell.counterexample.as_ref()?;
        Some(Example {
            scenario: &row.scenario,
            variant: &row.variant,
            column: &cell.column,
            seed: example.seed,
            checks: example.checks.join(", "),
            detail: &example.detail,
            survived: cell.survived.join(", "),
            replay: &example.replay,
        })
    })
}
