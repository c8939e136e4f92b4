//! The page of a soak.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Fact, Head, ornament, page, render};
use crate::meaning;
use crate::run_folder::{
    Counts, FirstViolation, Outcome, RunVerdict, ScenarioCounts, SoakFolder, SoakSummary,
};
use crate::scale::{grouped, span};
use crate::words::counted;

/// How many runs came out in one way.
#[derive(Serialize)]
struct Part {
    outcome: Outcome,
    glyph: String,
    count: u64,
    text: String,
}

/// A check that broke in a scenario.
#[derive(Serialize)]
struct Broken {
    scenario: String,
    check: String,
    count: String,
    seed: String,
    replay: String,
}

/// A scenario's counts, in the order of [`Outcome::ALL`].
#[derive(Serialize)]
struct Scenario<'a> {
    scenario: &'a str,
    runs: String,
    counts: [String; 4],
    mean: String,
}

/// One of the first violations.
#[derive(Serialize)]
struct First<'a> {
    scenario: &'a str,
    seed: u64,
    checks: String,
    detail: &'a str,
    replay: &'a str,
    run: &'a str,
}

/// Everything below the head.
#[derive(Serialize)]
struct Body<'a> {
    parts: Vec<Part>,
    broken: Vec<Broken>,
    scenarios: Vec<Scenario<'a>>,
    first: Vec<First<'a>>,
}

/// The page of a soak.
pub fn soak(folder: &SoakFolder) -> String {
    let summary = &folder.summary;
    let body = Body {
        parts: Outcome::ALL.iter().map(|&outcome| part(outcome, &summary.counts)).collect(),
        broken: broken(folder),
        scenarios: summary.by_scenario.iter().map(scenario).collect(),
        first: summary.first_violations.iter().map(first).collect(),
    };
    page(&head(summary), &render(include_str!("../../templates/soak.html"), body))
}

fn head(summary: &SoakSummary) -> Head {
    let outcome = summary.worst();
    let count = usize::try_from(summary.counts.get(&outcome).copied().unwrap_or(0)).unwrap_or(usize::MAX);
    let all = grouped(summary.run_count());
    let headline = match outcome {
        Outcome::Violated => format!("{} of {all} runs broke a promise", grouped(count as u64)),
        Outcome::Undecided => format!("Nothing broken, {} of {all} runs undecided", grouped(count as u64)),
        Outcome::Vacuous => format!("Nothing broken, {} of {all} runs showed nothing", grouped(count as u64)),
        Outcome::Holds => format!("Every promise held in {}", counted(count, "run")),
    };
    let first = summary.first_violations.first();
    let lede = first.map_or_else(
        || {
            format!(
                "{} at {} seeds a second.",
                counted(summary.by_scenario.len(), "scenario"),
                summary.seeds_per_second
            )
        },
        |first| {
            format!(
                "first by {} in {}, seed {}: {}",
                first.checks.join(", "),
                first.scenario,
                first.seed,
                first.detail
            )
        },
    );
    Head {
        title: format!("Soak: {outcome}"),
        kicker: "counterclock soak".into(),
        outcome,
        headline,
        subject: None,
        lede: capitalized(&lede),
        command: first.map(|first| first.replay.clone()),
        facts: vec![
            Fact { name: "Runs", value: all },
            Fact { name: "Scenarios", value: grouped(summary.by_scenario.len() as u64) },
            Fact { name: "Seeds a second", value: summary.seeds_per_second.to_string() },
            Fact { name: "Arguments", value: summary.arguments.to_string() },
        ],
        footer: format!(
            "counterclock {}. Any of these runs can be made again from its command.",
            summary.version
        ),
    }
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn part(outcome: Outcome, counts: &Counts) -> Part {
    let count = counts.get(&outcome).copied().unwrap_or(0);
    let text = format!("{} {outcome}: {}", grouped(count), meaning::of_outcome(outcome));
    Part { outcome, glyph: ornament::glyph(outcome), count, text }
}

/// The violated checks by scenario, with the first run that shows each.
fn broken(folder: &SoakFolder) -> Vec<Broken> {
    let mut groups: BTreeMap<(&str, &str), (u64, &RunVerdict)> = BTreeMap::new();
    for verdict in folder.violated() {
        let mut names: Vec<&str> = verdict
            .checks
            .iter()
            .filter(|check| check.verdict == Outcome::Violated)
            .map(|check| check.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            groups.entry((&verdict.scenario, name)).or_insert((0, verdict)).0 += 1;
        }
    }
    let group = |((scenario, check), (count, verdict)): ((&str, &str), (u64, &RunVerdict))| Broken {
        scenario: scenario.to_owned(),
        check: check.to_owned(),
        count: grouped(count),
        seed: verdict.seed.to_string(),
        replay: verdict.replay_command(),
    };
    groups.into_iter().map(group).collect()
}

fn scenario(counts: &ScenarioCounts) -> Scenario<'_> {
    let runs = counts.counts.values().fold(0_u64, |sum, &count| sum.saturating_add(count));
    Scenario {
        scenario: &counts.scenario,
        runs: grouped(runs),
        counts: Outcome::ALL.map(|outcome| grouped(counts.counts.get(&outcome).copied().unwrap_or(0))),
        mean: counts.wall_ns.checked_div(runs).map_or_else(String::new, span),
    }
}

fn first(violation: &FirstViolation) -> First<'_> {
    First {
        scenario: &violation.scenario,
        seed: violation.seed,
        checks: violation.checks.join(", "),
        detail: &violation.detail,
        replay: &violation.replay,
        run: violation.run.as_deref().unwrap_or(""),
    }
}
