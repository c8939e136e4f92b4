//! A sweep as a table: a row for each promise, for each variant how far it was kept and where it broke.

use super::Page;
use crate::scale::{grouped, span};
use crate::sweep::{Row, Sweep, Unit};
use crate::words::counted;

/// Columns of a table's first part, and of each of the others.
const WIDTHS: (usize, usize) = (22, 14);

/// The text about a sweep.
#[must_use]
pub fn sweep(sweep: &Sweep) -> String {
    let mut page = Page::default();
    let seeds = usize::try_from(sweep.seeds.end.saturating_sub(sweep.seeds.start)).unwrap_or(usize::MAX);
    page.line(&format!("{} over {}, {} a step", sweep.scenario, sweep.over, counted(seeds, "seed")));
    page.line(&sweep.meaning);
    if let (Some(first), Some(last)) = (sweep.steps.first(), sweep.steps.last()) {
        let (first, last) = (in_unit(*first, sweep.unit), in_unit(*last, sweep.unit));
        page.line(&format!("{} from {first} to {last}", counted(sweep.steps.len(), "step")));
    }
    if let Some((value, why)) = &sweep.refused {
        page.line(&format!("{} is refused: {why}", in_unit(*value, sweep.unit)));
    }
    for variant in sweep.variants() {
        table(sweep, variant, &mut page);
    }
    for row in &sweep.rows {
        finding(sweep, row, &mut page);
    }
    page.text
}

fn table(sweep: &Sweep, variant: &str, page: &mut Page) {
    let (name, width) = WIDTHS;
    let line = |first: &str, cells: [String; 3]| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>width$}")).collect();
        format!("{first:<name$}{cells}")
    };
    page.gap();
    page.line_as_it_is(&line(variant, ["kept to", "broken at", "by seed"].map(str::to_owned)));
    for row in sweep.rows.iter().filter(|row| row.variant == variant) {
        let shown =
            |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| in_unit(value, sweep.unit));
        let broken = row.broken.as_ref();
        let seed = broken.map_or_else(String::new, |broken| broken.seed.to_string());
        let cells = [shown(row.kept_to), shown(broken.map(|broken| broken.at)), seed];
        let undecided = if row.undecided > 0 {
            format!("  ({} undecided)", grouped(row.undecided))
        } else {
            String::new()
        };
        page.line_as_it_is(&(line(&row.check, cells) + &undecided));
    }
}

fn finding(sweep: &Sweep, row: &Row, page: &mut Page) {
    let Some(broken) = &row.broken else { return };
    page.gap();
    page.line(&format!("{} ({}) at {}", row.check, row.variant, in_unit(broken.at, sweep.unit)));
    page.indented("  ", &broken.detail);
    page.command("  ", &broken.replay);
}

fn in_unit(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Ns => span(value),
        Unit::Ms => span(value.saturating_mul(1_000_000)),
        Unit::Ppb if value >= 1_000 && value.is_multiple_of(1_000) => {
            format!("{} ppm", grouped(value / 1_000))
        }
        Unit::Ppb => format!("{} ppb", grouped(value)),
        Unit::PerSecond => format!("{} a s", grouped(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Broken;

    #[test]
    fn a_table_says_how_far_each_promise_was_kept_and_how_to_see_it_break() {
        let row = |variant: &str, broken: Option<Broken>, undecided| {
            let (variant, check) = (variant.to_owned(), "switch-a".to_owned());
            Row { variant, check, kept_to: Some(2_000_000), broken, undecided }
        };
        let (detail, replay) = ("n3 was early".to_owned(), "counterclock run s --seed 4".to_owned());
        let broken = Broken { at: 5_000_000, seed: 4, detail, replay };
        let text = sweep(&Sweep {
            scenario: "s".to_owned(),
            over: "clock-error".to_owned(),
            meaning: "how far clocks are off".to_owned(),
            unit: Unit::Ns,
            steps: vec![2_000_000, 5_000_000],
            refused: Some((10_000_000, "too far".to_owned())),
            seeds: 0..20,
            rows: vec![row("hardened", None, 1), row("naive", Some(broken), 0)],
        });
        let want = "\
s over clock-error, 20 seeds a step
how far clocks are off
2 steps from 2 ms to 5 ms
10 ms is refused: too far

hardened                     kept to     broken at       by seed
switch-a                        2 ms             -                (1 undecided)

naive                        kept to     broken at       by seed
switch-a                        2 ms          5 ms             4

switch-a (naive) at 5 ms
  n3 was early
  counterclock run s --seed 4
";
        assert_eq!(text, want);
    }

    #[test]
    fn values_are_shown_in_the_unit_that_people_use() {
        let shown = |value, unit| in_unit(value, unit);
        assert_eq!(shown(20_000, Unit::Ppb), "20 ppm");
        assert_eq!(shown(1_500, Unit::Ppb), "1,500 ppb");
        assert_eq!(shown(1_500, Unit::Ms), "1.5 s");
        assert_eq!(shown(1_000, Unit::PerSecond), "1,000 a s");
    }
}
