//! JUnit XML for the test views of build servers: a suite for each scenario, a case for each seed.
//!
//! A violated run is a failure. An undecided or vacuous one is skipped: it was no pass, and it broke nothing.

use std::collections::BTreeMap;

use crate::run_folder::{Outcome, RunFolder, RunVerdict, SoakFolder};
use crate::svg::escape;

/// The XML of a run: one suite with one case.
pub fn run(run: &RunFolder) -> String {
    suites([&run.verdict])
}

/// The XML of a soak.
pub fn soak(folder: &SoakFolder) -> String {
    suites(&folder.verdicts)
}

fn suites<'a>(verdicts: impl IntoIterator<Item = &'a RunVerdict>) -> String {
    let mut scenarios: BTreeMap<&str, Vec<&RunVerdict>> = BTreeMap::new();
    for verdict in verdicts {
        scenarios.entry(&verdict.scenario).or_default().push(verdict);
    }
    let all: Vec<_> = scenarios.values().flatten().copied().collect();
    let suites: String = scenarios.iter().map(|(scenario, verdicts)| suite(scenario, verdicts)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"counterclock\"{}>\n{suites}</testsuites>\n",
        totals(&all)
    )
}

fn suite(scenario: &str, verdicts: &[&RunVerdict]) -> String {
    let cases: String = verdicts.iter().map(|verdict| case(verdict)).collect();
    format!("  <testsuite name=\"{}\"{}>\n{cases}  </testsuite>\n", escape(scenario), totals(verdicts))
}

fn totals(verdicts: &[&RunVerdict]) -> String {
    let count = |of: fn(Outcome) -> bool| verdicts.iter().filter(|verdict| of(verdict.verdict)).count();
    let failures = count(|outcome| outcome == Outcome::Violated);
    let skipped = count(|outcome| matches!(outcome, Outcome::Undecided | Outcome::Vacuous));
    format!(" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", verdicts.len())
}

fn case(verdict: &RunVerdict) -> String {
    let time = verdict.wall_ns.map_or_else(String::new, |wall_ns| {
        format!(" time=\"{}.{:03}\"", wall_ns / 1_000_000_000, wall_ns % 1_000_000_000 / 1_000_000)
    });
    let name = format!("{} seed {} {}", verdict.scenario, verdict.seed, verdict.variant);
    let head =
        format!("    <testcase classname=\"{}\" name=\"{}\"{time}", escape(&verdict.scenario), escape(&name));
    match verdict.verdict {
        Outcome::Holds => format!("{head}/>\n"),
        Outcome::Violated => {
            let (message, text) = (broken(verdict), format!("{}\n", body(verdict)));
            format!(
                "{head}>\n      <failure type=\"violated\" message=\"{}\">{}</failure>\n    </testcase>\n",
                escape(&message),
                escape(&text)
            )
        }
        Outcome::Undecided | Outcome::Vacuous => {
            format!("{head}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", verdict.verdict)
        }
    }
}

/// The names of the broken promises.
fn broken(verdict: &RunVerdict) -> String {
    let broken = verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated);
    broken.map(|check| check.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What was found, and the command that makes the run again.
fn body(verdict: &RunVerdict) -> String {
    let broken = verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated);
    let lines = broken.map(|check| {
        let explained = check.explanation.as_ref().map(|violation| &violation.explanation);
        let explained = explained.filter(|sentence| **sentence != check.detail);
        let explained = explained.map_or_else(String::new, |sentence| format!("\n{sentence}"));
        format!("{}: {}{explained}", check.name, check.detail)
    });
    let lines: Vec<_> = lines.chain([verdict.replay_command()]).collect();
    lines.join("\n")
}
