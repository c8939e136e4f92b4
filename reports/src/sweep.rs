//! One figure of a world, step by step: how far each promise was kept, and what broke it then.

use core::ops::Range;

use serde::Serialize;

use crate::run_folder::Outcome;

/// All of it.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The scenario's name.
    pub scenario: String,
    /// What was changed, as the command names it.
    pub over: String,
    /// What that is, in a few words.
    pub meaning: String,
    /// The unit of its values.
    pub unit: Unit,
    /// The values that were tried, from the harmless end on.
    pub steps: Vec<u64>,
    /// The first value that the scenario does not take, and why: what would have come next.
    pub refused: Option<(u64, String)>,
    /// The seeds of each step.
    pub seeds: Range<u64>,
    /// One for each variant and promise, in the scenario's order.
    pub rows: Vec<Row>,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Milliseconds.
    Ms,
    /// Parts per billion.
    Ppb,
    /// Something each second.
    PerSecond,
}

/// A promise of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// How the system is built: `hardened`, `naive`, or the defect that is planted in the hardened one.
    pub variant: String,
    /// The check's name.
    pub check: String,
    /// The last value up to which every run kept the promise; none if not even the first did.
    pub kept_to: Option<u64>,
    /// The run that broke it first.
    pub broken: Option<Broken>,
    /// Runs that decided nothing, up to that.
    pub undecided: u64,
}

/// A run that broke a promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// At which value.
    pub at: u64,
    /// Its seed.
    pub seed: u64,
    /// How.
    pub detail: String,
    /// The command that makes the run again.
    pub replay: String,
}

/// A line of `sweep --json`.
#[derive(Serialize)]
struct Line<'a> {
    scenario: &'a str,
    over: &'a str,
    unit: Unit,
    seeds: &'a Range<u64>,
    #[serde(flatten)]
    row: &'a Row,
}

impl Sweep {
    /// One object for each variant and promise.
    ///
    /// # Panics
    /// Never: plain data can be written.
    #[must_use]
    pub fn json_lines(&self) -> Vec<String> {
        let Self { scenario, over, unit, seeds, .. } = self;
        let line = |row| {
            let line = Line { scenario, over, unit: *unit, seeds, row };
            serde_json::to_string(&line).expect("plain data can be written")
        };
        self.rows.iter().map(line).collect()
    }

    /// How the system was built, in the order of the rows.
    #[must_use]
    pub fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<_> = self.rows.iter().map(|row| row.variant.as_str()).collect();
        variants.dedup();
        variants
    }

    /// The worst that the hardened variant came to: the others promise nothing.
    #[must_use]
    pub fn worst(&self) -> Outcome {
        let of = |row: &Row| match row {
            Row { broken: Some(_), .. } => Outcome::Violated,
            Row { undecided: 1.., .. } => Outcome::Undecided,
            Row { .. } => Outcome::Holds,
        };
        Outcome::worst(self.rows.iter().filter(|row| row.variant == "hardened").map(of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variant: &str, broken: bool, undecided: u64) -> Row {
        let found = Broken { at: 20, seed: 7, detail: "late".to_owned(), replay: "run".to_owned() };
        let kept_to = Some(10);
        let broken = broken.then_some(found);
        Row { variant: variant.to_owned(), check: "switch-a".to_owned(), kept_to, broken, undecided }
    }

    fn sweep(rows: Vec<Row>) -> Sweep {
        Sweep {
            scenario: "s".to_owned(),
            over: "drift".to_owned(),
            meaning: "m".to_owned(),
            unit: Unit::Ppb,
            steps: vec![10, 20],
            refused: None,
            seeds: 0..3,
            rows,
        }
    }

    #[test]
    fn a_line_of_json_says_how_far_a_promise_was_kept_and_what_broke_it() {
        let lines = sweep(vec![row("naive", true, 0), row("hardened", false, 0)]).json_lines();
        assert_eq!(
            lines,
            [
                r#"{"scenario":"s","over":"drift","unit":"ppb","seeds":{"start":0,"end":3},"variant":"naive","check":"switch-a","kept_to":10,"broken":{"at":20,"seed":7,"detail":"late","replay":"run"},"undecided":0}"#,
                r#"{"scenario":"s","over":"drift","unit":"ppb","seeds":{"start":0,"end":3},"variant":"hardened","check":"switch-a","kept_to":10,"broken":null,"undecided":0}"#,
            ]
        );
    }

    #[test]
    fn only_a_hardened_variant_has_promised_anything() {
        assert_eq!(sweep(vec![row("naive", true, 1), row("hardened", false, 0)]).worst(), Outcome::Holds);
        assert_eq!(sweep(vec![row("hardened", false, 2)]).worst(), Outcome::Undecided);
        assert_eq!(sweep(vec![row("hardened", true, 2)]).worst(), Outcome::Violated);
    }
}
