//! Markdown for the places where people talk about builds: a heading, a table, a command to copy.

use crate::checked::CheckedFile;
use crate::run_folder::{Outcome, RunFolder, SoakFolder};
use crate::scale::grouped;
use crate::words::{by_attention, headline, lede};

/// How many of the first violations of a soak are listed.
const VIOLATIONS_MAX: usize = 20;

/// The text about a run.
pub fn run(run: &RunFolder) -> String {
    let verdict = &run.verdict;
    let checks = by_attention(verdict);
    let mut text = format!(
        "## {}: {}\n\n{}\n\n```sh\n{}\n```\n\n| verdict | check | found |\n|---|---|---|\n",
        literal(&verdict.scenario),
        headline(verdict),
        literal(&lede(run, checks.first().copied())),
        one_line(&verdict.replay_command())
    );
    for check in checks {
        let verdict = emphasised(check.verdict);
        text += &format!("| {verdict} | {} | {} |\n", literal(&check.name), literal(&check.detail));
    }
    text
}

/// The text about a soak.
pub fn soak(folder: &SoakFolder) -> String {
    let summary = &folder.summary;
    let heads: String = Outcome::ALL.iter().map(|outcome| format!(" {outcome} |")).collect();
    let mut text = format!(
        "## {} runs, {}\n\n| scenario |{heads}\n|---|---:|---:|---:|---:|\n",
        grouped(summary.run_count()),
        summary.worst()
    );
    for scenario in &summary.by_scenario {
        let counts = Outcome::ALL.map(|outcome| scenario.counts.get(&outcome).copied().unwrap_or(0));
        let counts: String = counts.iter().map(|&count| format!(" {} |", grouped(count))).collect();
        text += &format!("| {} |{counts}\n", literal(&scenario.scenario));
    }
    for violation in summary.first_violations.iter().take(VIOLATIONS_MAX) {
        text += &format!(
            "\n**{} seed {}**: {}. {}\n\n```sh\n{}\n```\n",
            literal(&violation.scenario),
            violation.seed,
            literal(&violation.checks.join(", ")),
            literal(&violation.detail),
            one_line(&violation.replay)
        );
    }
    text
}

/// The text about judged files.
pub fn checks(files: &[CheckedFile]) -> String {
    let mut text = "| verdict | file | level | operations | found |\n|---|---|---|---:|---|\n".to_owned();
    for file in files {
        let found = file.findings().next().map_or("", |(_, violation)| &violation.explanation);
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            emphasised(file.verdict),
            literal(&file.place()),
            literal(file.strongest.as_ref().unwrap_or(&file.level)),
            grouped(file.operations),
            literal(found)
        );
    }
    text
}

fn emphasised(outcome: Outcome) -> String {
    if outcome == Outcome::Holds { outcome.to_string() } else { format!("**{outcome}**") }
}

/// `text` on one line, with everything that means something in Markdown or HTML made harmless.
fn literal(text: &str) -> String {
    let mut escaped = String::new();
    for character in one_line(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_line_ends_in_names_are_only_text() {
        assert_eq!(literal("a|b\n<i>`"), "a\\|b \\<i\\>\\`");
    }
}
