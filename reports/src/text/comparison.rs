//! Substrates side by side: a row for each promise and verdict, a column for each substrate.

use super::{Page, VIOLATIONS_MAX};
use crate::comparison::{Comparison, Disagreement};
use crate::run_folder::{Counts, Outcome};
use crate::scale::grouped;
use crate::words::counted;

/// The text about a comparison.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let mut page = Page::default();
    let seed_count = comparison.seeds().count();
    page.line(&format!("{}: {} on each substrate", comparison.scenario, counted(seed_count, "seed")));
    if !comparison.left_out.is_empty() {
        page.line(&format!("left out, since some substrate lacks it: {}", comparison.left_out.join(", ")));
    }
    if !comparison.not_built.is_empty() {
        let names = comparison.not_built.join(", ");
        page.line(&format!("not in this build, which was made without --cfg madsim: {names}"));
    }
    page.gap();
    let header: String = comparison.substrates.iter().map(|name| format!("{name:>10}")).collect();
    page.line_as_it_is(&format!("{:<22} {:<10}{header}", "promise", "verdict"));
    for check in comparison.checks() {
        rows(&mut page, check, &comparison.counts_of(check));
    }
    page.gap();
    let same = seed_count - comparison.differing_count();
    page.line(&format!("{same} of {seed_count} seeds have the same verdicts everywhere"));
    let disagreements = comparison.disagreements();
    for disagreement in disagreements.iter().take(VIOLATIONS_MAX) {
        page.indented("  ", &sentence(disagreement));
    }
    let left = disagreements.len().saturating_sub(VIOLATIONS_MAX);
    if left > 0 {
        page.indented("  ", &format!("and {} with --json", counted(left, "further one")));
    }
    page.text
}

/// One line for each verdict that the promise came to somewhere.
fn rows(page: &mut Page, check: &str, counts: &[Counts]) {
    let count_of = |counts: &Counts, outcome| counts.get(&outcome).copied().unwrap_or(0);
    let found = |outcome: &Outcome| counts.iter().any(|counts| count_of(counts, *outcome) > 0);
    let mut name = check;
    for outcome in Outcome::ALL.into_iter().rev().filter(found) {
        let cells: String =
            counts.iter().map(|counts| format!("{:>10}", grouped(count_of(counts, outcome)))).collect();
        page.line_as_it_is(&format!("{name:<22} {:<10}{cells}", outcome.name()));
        name = "";
    }
}

fn sentence(disagreement: &Disagreement) -> String {
    let Disagreement { seed, check, verdicts } = disagreement;
    let parts: Vec<_> = verdicts.iter().map(|(name, outcome)| format!("{outcome} on {name}")).collect();
    format!("seed {seed}, {check}: {}", parts.join(", "))
}
