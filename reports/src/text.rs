//! Terminal output, at most 80 columns wide: the verdict first, the command that replays it last.

mod comparison;
pub(crate) mod finding;
mod matrix;
mod sweep;

use crate::checked::CheckedFile;
use crate::drawn::DrawnFamily;
use crate::latency;
use crate::run_folder::{CheckResult, Outcome, RunFolder, SoakSummary};
use crate::scale::{grouped, span};
use crate::words::{NOTHING_OBSERVED, by_attention, counted, headline, lede};

pub use comparison::comparison;
pub use matrix::matrix;
pub use sweep::sweep;

/// The widest line. Unit: characters.
const COLUMNS_MAX: usize = 80;
/// How many of the first violations of a soak are printed.
const VIOLATIONS_MAX: usize = 10;

/// The text about a run.
///
/// # Panics
/// If the history is not as the checker writes it.
pub fn run(run: &RunFolder) -> String {
    let (plan, verdict) = (&run.plan, &run.verdict);
    let mut page = Page::default();
    page.line(&format!("{} ({}, seed {}, {})", plan.name, plan.variant, plan.seed, plan.substrate));
    page.line(&format!("{}: {}", verdict.verdict.name().to_uppercase(), headline(verdict)));
    let checks = by_attention(verdict);
    if verdict.verdict != Outcome::Violated {
        page.line(&lede(run, checks.first().copied()));
    }
    page.gap();
    for check in checks {
        page.check(check);
    }
    ledger(run, &mut page);
    latencies(&run.drawn_families(), &mut page);
    page.gap();
    page.line(&format!(
        "{} simulated, {} operations, {} events, {} messages",
        span(verdict.simulated_ns),
        grouped(verdict.operations),
        grouped(verdict.events),
        grouped(verdict.messages)
    ));
    page.line(&format!("digest {}", verdict.digest));
    page.command("replay ", &verdict.replay_command());
    page.text
}

fn ledger(run: &RunFolder, page: &mut Page) {
    if run.verdict.ledger.is_empty() {
        return;
    }
    page.gap();
    page.line("faults             planned     fired   things changed");
    for line in &run.verdict.ledger {
        page.line_as_it_is(&format!(
            "  {:<16} {:>7} {:>9} {:>16}",
            line.fault.to_string(),
            grouped(line.planned),
            grouped(line.fired),
            grouped(line.affected)
        ));
    }
}

fn latencies(families: &[DrawnFamily], page: &mut Page) {
    let rows = latency::rows(families.iter().flat_map(|family| &family.operations));
    if rows.is_empty() {
        return;
    }
    page.gap();
    page.line("latency                      count        p50        p99      p99.9        max");
    for row in rows {
        let name = format!("{} {}", row.kind, row.ending.name());
        let name = crate::frame::shortened(&name, 24);
        let values = match row.percentiles_ns {
            Some([p50, _, p99, p999, longest]) => {
                [p50, p99, p999, longest].map(|ns| format!(" {:>10}", short_span(ns))).concat()
            }
            None => "   never answered".to_owned(),
        };
        page.line_as_it_is(&format!("  {name:<24} {:>7}{values}", grouped(row.count)));
    }
}

/// A span with at most one decimal: in a column, magnitudes matter more than digits.
fn short_span(length_ns: u64) -> String {
    let text = span(length_ns);
    match text.split_once('.') {
        Some((whole, rest)) => {
            let (decimals, unit) = rest.split_once(' ').unwrap_or((rest, ""));
            format!("{whole}.{} {unit}", decimals.chars().next().unwrap_or('0'))
        }
        None => text,
    }
}

/// The text about a soak.
pub fn soak(summary: &SoakSummary) -> String {
    let mut page = Page::default();
    let parts = Outcome::ALL
        .map(|outcome| format!("{} {outcome}", grouped(summary.counts.get(&outcome).copied().unwrap_or(0))));
    page.line(&format!("{} runs: {}", grouped(summary.run_count()), parts.join(", ")));
    page.line(&format!("{} seeds a second", summary.seeds_per_second));
    for violation in summary.first_violations.iter().take(VIOLATIONS_MAX) {
        page.gap();
        page.line(&format!(
            "{} seed {}: {}",
            violation.scenario,
            violation.seed,
            violation.checks.join(", ")
        ));
        page.indented("  ", &violation.detail);
        page.command("  replay ", &violation.replay);
    }
    let left = summary.first_violations.len().saturating_sub(VIOLATIONS_MAX);
    if left > 0 {
        page.gap();
        page.line(&format!("{} in soak.json", counted(left, "further violation")));
    }
    page.text
}

/// The text about judged files.
pub fn checks(files: &[CheckedFile]) -> String {
    let mut page = Page::default();
    for file in files {
        let level = file.strongest.as_ref().map_or(&file.level, |strongest| strongest);
        page.line(&format!("{:<9} {}", file.verdict.name(), file.place()));
        page.indented(
            "          ",
            &format!(
                "{level}, {}, {} of {} and {} unknown, {} to read, {} to judge",
                file.model,
                counted(usize::try_from(file.operations).unwrap_or(usize::MAX), "operation"),
                counted(usize::try_from(file.clients).unwrap_or(usize::MAX), "client"),
                grouped(file.unknown),
                span(file.parse_ns),
                span(file.check_ns)
            ),
        );
        if file.verdict == Outcome::Vacuous {
            page.indented("          ", NOTHING_OBSERVED);
        }
        for phrase in file.left_out.phrases() {
            page.indented("          ", &format!("left out: {phrase}"));
        }
        for (level, violation) in file.findings() {
            finding::finding(&mut page, level, violation);
            if let Some(picture) = file.pictures.get(level) {
                page.lanes(picture);
            }
        }
        if let Some(open) = &file.open {
            let open_count = counted(open.open.len(), "operation");
            page.indented(
                "          ",
                &format!("undecided after {} steps, {open_count} open", grouped(open.steps)),
            );
        }
    }
    page.text
}

/// `text` in lines of at most 80 columns that begin with `indent` spaces, each with its end.
///
/// # Panics
/// If the indent leaves no room.
pub fn wrapped(text: &str, indent: usize) -> String {
    assert!(indent < COLUMNS_MAX, "an indent of {indent} leaves no room");
    let mut page = Page::default();
    page.indented(&" ".repeat(indent), text);
    page.text
}

/// Lines of at most [`COLUMNS_MAX`] characters.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, text: &str) {
        self.indented("", text);
    }

    /// A line of a table: its spaces stay; what reaches too far is cut.
    fn line_as_it_is(&mut self, text: &str) {
        self.text += crate::frame::shortened(&harmless(text), COLUMNS_MAX).trim_end();
        self.gap();
    }

    /// Lanes, which must not be broken: moved to the right as far as there is room.
    fn lanes(&mut self, picture: &str) {
        let width = picture.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let indent = " ".repeat(COLUMNS_MAX.saturating_sub(width).min(12));
        for lane in picture.lines() {
            self.line_as_it_is(&format!("{indent}{lane}"));
        }
    }

    fn check(&mut self, check: &CheckResult) {
        let family = check.family.as_ref().map_or_else(String::new, |family| format!(" ({family})"));
        self.indented("  ", &format!("{:<9}  {}{family}", check.verdict.name(), check.name));
        if check.verdict == Outcome::Holds {
            return self.indented("             ", &check.detail);
        }
        let explained = check.explanation.as_ref().map(|violation| violation.explanation.as_str());
        self.indented("             ", &check.detail);
        self.indented("             ", explained.filter(|sentence| *sentence != check.detail).unwrap_or(""));
    }

    /// Words in lines that all begin with `indent`; longer words are broken.
    fn indented(&mut self, indent: &str, text: &str) {
        let room = COLUMNS_MAX - indent.len();
        let text = harmless(text);
        let mut line = String::new();
        // Spaces inside a text stay where they are: they may be those of a heading's columns.
        for word in text.split(' ').flat_map(|word| pieces(word, room)) {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                self.text += &format!("{indent}{}\n", line.trim_end());
                line.clear();
            } else if !line.is_empty() || word.is_empty() {
                line.push(' ');
            }
            line += &word;
        }
        if !line.trim().is_empty() {
            self.text += &format!("{indent}{}\n", line.trim_end());
        }
    }

    /// A command that can be copied: where it is too long, it goes on behind a backslash.
    fn command(&mut self, prefix: &str, command: &str) {
        let mut line = prefix.to_owned();
        for word in harmless(command).split(' ') {
            if line.chars().count() + word.chars().count() + 3 > COLUMNS_MAX && line.trim() != prefix.trim() {
                self.text += &format!("{}\\\n", line);
                line = " ".repeat(prefix.len());
            }
            line += word;
            line.push(' ');
        }
        self.text += line.trim_end();
        self.gap();
    }
}

/// A word in pieces that fit into `room`; one empty piece for an empty word.
fn pieces(word: &str, room: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    if characters.is_empty() {
        return vec![String::new()];
    }
    characters.chunks(room).map(|chunk| chunk.iter().collect()).collect()
}

/// `text` without characters that move a terminal's cursor or change its colours.
fn harmless(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(wrapped(text, 4), want);
    }

    #[test]
    fn lines_break_between_words_and_long_words_within() {
        check("", "");
        check("one two", "    one two\n");
        check(
            &"ab ".repeat(30),
            &format!("    {}\n    {}\n", "ab ".repeat(25).trim_end(), "ab ".repeat(5).trim_end()),
        );
        check(&"x".repeat(80), &format!("    {}\n    {}\n", "x".repeat(76), "x".repeat(4)));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        check("a\u{1b}[31mb\nc", "    a [31mb c\n");
    }

    #[test]
    fn long_commands_go_on_behind_a_backslash() {
        let mut page = Page::default();
        page.command("replay ", &format!("counterclock run {} --seed 42 --variant naive", "x".repeat(40)));
        let want =
            format!("replay counterclock run {} \\\n       --seed 42 --variant naive\n", "x".repeat(40));
        assert!(page.text.lines().all(|line| line.len() <= COLUMNS_MAX), "{}", page.text);
        assert_eq!(page.text.replace(" \\\n       ", " "), want.replace(" \\\n       ", " "));
    }

    #[test]
    fn spans_in_columns_have_one_decimal() {
        assert_eq!([999, 4_747_123, 2_000_000_000].map(short_span), ["999 ns", "4.7 ms", "2 s"]);
    }
}
