//! A matrix as a table of marks, then what each counter-example was.

use super::Page;
use crate::matrix::{Matrix, Row};
use crate::run_folder::Outcome;
use crate::words::counted;

/// The text about a matrix.
#[must_use]
pub fn matrix(matrix: &Matrix) -> String {
    let mut page = Page::default();
    let seeds = matrix.seeds.end.saturating_sub(matrix.seeds.start);
    page.line(&format!(
        "{} in {}, {} a cell",
        counted(matrix.system_count(), "system"),
        counted(matrix.rows.len(), "row"),
        counted(usize::try_from(seeds).unwrap_or(usize::MAX), "seed")
    ));
    page.gap();
    let header: String = matrix.columns.iter().map(|(name, _)| format!("{name:>6}")).collect();
    page.line_as_it_is(&format!("{:<20}{header}", "hardened"));
    rows(matrix, "hardened", &mut page);
    page.gap();
    page.line_as_it_is(&format!("{:<20}{header}", "naive"));
    rows(matrix, "naive", &mut page);
    page.gap();
    page.line("ok: every promise held   !N: broken by the N-th seed   ?: undecided");
    page.line("vac: no fault changed anything   -: the scenario declares no such faults");
    page.gap();
    for (name, meaning) in &matrix.columns {
        page.line(&format!("{name:<6} {meaning}"));
    }
    page.gap();
    for row in &matrix.rows {
        kept(row, &mut page);
    }
    for row in &matrix.rows {
        findings(row, &mut page);
    }
    page.text
}

fn rows(matrix: &Matrix, variant: &str, page: &mut Page) {
    for row in matrix.rows.iter().filter(|row| row.variant == variant) {
        let cells: String = row.cells.iter().map(|cell| format!("{:>6}", cell.mark())).collect();
        let name = crate::frame::shortened(&row.scenario, 19);
        page.line_as_it_is(&format!("{name:<20}{cells}"));
    }
}

/// What a row kept everywhere, and how sure that is.
fn kept(row: &Row, page: &mut Page) {
    let tried = row.cells.iter().filter(|cell| cell.outcome.is_some());
    let mut kept =
        row.cells.iter().find(|cell| cell.outcome.is_some()).map_or(Vec::new(), |cell| cell.survived.clone());
    for cell in tried.clone() {
        kept.retain(|check| cell.survived.contains(check));
    }
    let words = if kept.is_empty() { "nothing".to_owned() } else { kept.join(", ") };
    let fewest = tried.min_by_key(|cell| cell.seeds);
    let bound =
        fewest.and_then(|cell| cell.bound()).map_or_else(String::new, |bound| format!(" ({bound} a cell)"));
    page.line(&format!("{} ({}) kept everywhere: {words}{bound}", row.scenario, row.variant));
}

/// What broke in a row, column by column.
fn findings(row: &Row, page: &mut Page) {
    let broken = row.cells.iter().filter(|cell| cell.outcome == Some(Outcome::Violated));
    let broken: Vec<_> = broken.filter_map(|cell| Some((cell, cell.counterexample.as_ref()?))).collect();
    if broken.is_empty() {
        return;
    }
    page.gap();
    page.line(&format!("{} ({})", row.scenario, row.variant));
    for (cell, example) in broken {
        let strongest = cell.strongest.as_deref().unwrap_or("nothing");
        page.indented(
            "  ",
            &format!("{}: broke {}; {strongest} survived", cell.column, example.checks.join(", ")),
        );
        page.indented("    ", &example.detail);
        page.command("    ", &example.replay);
    }
}
