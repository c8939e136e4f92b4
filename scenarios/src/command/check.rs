//! `check`: judges histories from files.

use std::path::{Path, PathBuf};

use checker::budget::Budget;
use checker::format::{self, Format};
use checker::judge::judge;
use checker::spec::register::Value;
use clap::{Args, ValueEnum};
use reports::checked::{CheckedFile, Times};
use reports::run_folder::Outcome;
use reports::{page, text};
use scenarios::stopwatch::Stopwatch;

use super::{CommandError, output, shown, write_file};

/// Judge histories from files
#[derive(Args)]
pub(crate) struct Check {
    /// Histories
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How they are written
    #[arg(long, value_enum, default_value_t = FormatArgument::Auto)]
    format: FormatArgument,
    /// What the object is
    #[arg(long, value_enum)]
    model: Option<Model>,
    /// Its value at first: nil or a whole number
    #[arg(long, value_name = "V", allow_hyphen_values = true, value_parser = parse_initial)]
    init: Option<Value>,
    /// What to ask
    #[arg(long, value_enum, default_value_t = Level::Linearizable)]
    level: Level,
    /// Steps that each check may take before it says undecided
    #[arg(long, value_name = "STEPS", default_value_t = 10_000_000)]
    budget: u64,
    /// Write a page that needs no network
    #[arg(short, value_name = "FILE.html")]
    output: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    /// By content
    Auto,
    /// `<process> <i|o|f|u> <operation>`, a line each
    Hist,
    /// Jepsen's log lines
    JepsenLog,
    /// What runs leave behind
    Jsonl,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Model {
    /// A register with compare-and-set
    RegisterCas,
    /// A counter with a capacity: reserve and release
    Bcounter,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// One instant each, between question and answer
    Linearizable,
    /// One order for all that keeps each client's own
    Sequential,
}

impl Check {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        let mut judged = Vec::new();
        let mut is_any_bad = false;
        for file in &self.files {
            match self.judge_file(file) {
                Ok(results) => judged.extend(results),
                Err(error) => {
                    output::complain(&error);
                    is_any_bad = true;
                }
            }
        }
        if let Some(file) = &self.output
            && !judged.is_empty()
        {
            write_file(file, &page::checks(&judged))?;
        }
        self.show(&judged);
        let worst = Outcome::worst(judged.iter().map(|one| one.verdict));
        Ok(if is_any_bad { 2 } else { worst.exit_code() })
    }

    fn show(&self, judged: &[CheckedFile]) {
        if self.json {
            for one in judged {
                output::print(&one.json());
            }
        } else if !judged.is_empty() {
            output::print(&text::checks(judged));
        }
    }

    fn judge_file(&self, path: &Path) -> Result<Vec<CheckedFile>, CommandError> {
        let unreadable = |source| CommandError::Unreadable { path: shown(path), source };
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let parsing = Stopwatch::start();
        let malformed = |source| CommandError::Malformed { path: shown(path), source };
        let families = format::parse(&bytes, self.format(), self.init).map_err(malformed)?;
        let parse_ns = parsing.elapsed_ns();
        let Some(format) = self.format().or_else(|| Format::detect(&bytes)) else { return Ok(Vec::new()) };
        let judging = Stopwatch::start();
        let wanted = self.wanted(format);
        let checks = judge(&families, &wanted, Budget { steps_max: self.budget });
        let check_ns = judging.elapsed_ns();
        let times = Times { parse_ns, check_ns };
        let checked =
            checks.into_iter().map(|check| CheckedFile::new(&shown(path), format, &families, check, times));
        self.of_model(path, checked.collect())
    }

    /// A foreign history is asked the one question; one of ours, everything that its families promise.
    fn wanted(&self, format: Format) -> Vec<&'static str> {
        match (format, self.level) {
            (Format::Jsonl, Level::Linearizable) => Vec::new(),
            (_, Level::Linearizable) => vec!["linearizable"],
            (_, Level::Sequential) => vec!["sequential"],
        }
    }

    const fn format(&self) -> Option<Format> {
        match self.format {
            FormatArgument::Auto => None,
            FormatArgument::Hist => Some(Format::Hist),
            FormatArgument::JepsenLog => Some(Format::JepsenLog),
            FormatArgument::Jsonl => Some(Format::Jsonl),
        }
    }

    /// Refuses a history of another model than the one asked for.
    fn of_model(&self, path: &Path, checked: Vec<CheckedFile>) -> Result<Vec<CheckedFile>, CommandError> {
        let wanted = match self.model {
            None => return Ok(checked),
            Some(Model::RegisterCas) => "register-cas",
            Some(Model::Bcounter) => "bcounter",
        };
        match checked.iter().find(|one| one.model != wanted) {
            None => Ok(checked),
            Some(other) => {
                let found = format!("{}: is a history of {}; expected {wanted}", shown(path), other.model);
                Err(CommandError::Usage(found))
            }
        }
    }
}

fn parse_initial(text: &str) -> Result<Value, String> {
    match text {
        "nil" => Ok(None),
        number => {
            number.parse().map(Some).map_err(|_| format!("expected nil or a whole number, found `{number}`"))
        }
    }
}
