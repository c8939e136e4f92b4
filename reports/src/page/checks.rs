//! The page of judged files.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::{Fact, Head, ornament, page, render};
use crate::checked::CheckedFile;
use crate::run_folder::Outcome;
use crate::scale::{grouped, span};
use crate::words::{NOTHING_OBSERVED, counted};

/// A row of the table of files.
#[derive(Serialize)]
struct Row {
    outcome: Outcome,
    glyph: String,
    file: String,
    level: String,
    model: String,
    operations: String,
    clients: String,
    unknown: String,
    algorithm: String,
    read_in: String,
    judged_in: String,
}

/// A file without an answer.
#[derive(Serialize)]
struct Open {
    file: String,
    sentence: String,
}

/// Everything below the head.
#[derive(Serialize)]
struct Body {
    files: Vec<Row>,
    findings: String,
    open: Vec<Open>,
}

/// The page of some judged files.
pub fn checks(files: &[CheckedFile]) -> String {
    let mut ordered: Vec<_> = files.iter().collect();
    ordered.sort_by_key(|file| file.verdict);
    let body = Body {
        files: ordered.iter().map(|file| row(file)).collect(),
        findings: findings(&ordered),
        open: ordered.iter().filter_map(|file| open(file)).collect(),
    };
    page(&head(files), &render(include_str!("../../templates/checks.html"), body))
}

fn head(files: &[CheckedFile]) -> Head {
    let outcome = Outcome::worst(files.iter().map(|file| file.verdict));
    let count = files.iter().filter(|file| file.verdict == outcome).count();
    let all = counted(files.len(), "history").replace("historys", "histories");
    let headline = match (outcome, files) {
        (Outcome::Holds, [only]) => {
            format!("The history is {}", only.strongest.as_ref().unwrap_or(&only.level))
        }
        (Outcome::Holds, _) => format!("All {all} hold"),
        (Outcome::Violated, [only]) => format!("The history is not {}", only.level),
        (Outcome::Violated, _) => format!("{count} of {all} violated"),
        (Outcome::Vacuous, [_]) => "Nothing was observed".to_owned(),
        (Outcome::Vacuous, _) => format!("{count} of {all} observed nothing"),
        (Outcome::Undecided, _) => format!("{count} of {all} undecided"),
    };
    let total = |part: fn(&CheckedFile) -> u64| files.iter().map(part).sum::<u64>();
    let first = files.iter().find_map(|file| file.explanation.as_ref());
    Head {
        title: format!("Check: {outcome}"),
        kicker: "counterclock check".into(),
        outcome,
        headline,
        subject: None,
        lede: first.map_or_else(String::new, |violation| violation.explanation.clone()),
        command: None,
        facts: vec![
            Fact { name: "Histories", value: grouped(files.len() as u64) },
            Fact { name: "Operations", value: grouped(total(|file| file.operations)) },
            Fact { name: "Read in", value: span(total(|file| file.parse_ns)) },
            Fact { name: "Judged in", value: span(total(|file| file.check_ns)) },
        ],
        footer: "Judged by counterclock.".into(),
    }
}

fn row(file: &CheckedFile) -> Row {
    let level =
        file.strongest.as_ref().map_or_else(|| file.level.clone(), |level| format!("{level} (strongest)"));
    Row {
        outcome: file.verdict,
        glyph: ornament::glyph(file.verdict),
        file: file.place(),
        level,
        model: file.model.clone(),
        operations: grouped(file.operations),
        clients: grouped(file.clients),
        unknown: grouped(file.unknown),
        algorithm: file.algorithm.clone(),
        read_in: span(file.parse_ns),
        judged_in: span(file.check_ns),
    }
}

fn findings(files: &[&CheckedFile]) -> String {
    let all = files.iter().flat_map(|file| {
        file.findings().map(|(level, violation)| {
            Finding::new(level, Some(file.place()), violation, &file.drawn, &file.faults)
        })
    });
    let findings: Vec<_> = all.collect();
    if findings.is_empty() {
        return String::new();
    }
    render(include_str!("../../templates/findings.html"), BTreeMap::from([("findings", findings)]))
}

fn open(file: &CheckedFile) -> Option<Open> {
    if file.verdict == Outcome::Vacuous {
        return Some(Open { file: file.place(), sentence: NOTHING_OBSERVED.to_owned() });
    }
    let open = file.open.as_ref()?;
    let sentence = format!(
        "the budget ran out after {} steps with {} open; a larger --budget may decide.",
        grouped(open.steps),
        counted(open.open.len(), "operation")
    );
    Some(Open { file: file.place(), sentence })
}
