//! `check`: judges histories from files.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use checker::budget::Budget;
use checker::evidence::{Judged, certify};
use checker::format::evidence::{Checked, Evidence, Reading, digest};
use checker::format::{Contents, Format, Initial, Model, NilReads, Options};
use checker::judge::{Family, judge, judge_by, strongest_of};
use checker::lattice::Level;
use checker::verdict::Verdict;
use clap::{Args, ValueEnum};
use reports::checked::{CheckedFile, Ranked, Times};
use reports::names::Names;
use reports::run_folder::Outcome;
use reports::{page, text};
use scenarios::stopwatch::Stopwatch;

use super::model_file::{self, ModelChoice, ModelParser};
use super::{CommandError, expect_no_input, histories, output, shown, write_file, write_with};

/// Judge histories from files
#[derive(Args)]
pub(crate) struct Check {
    /// Histories: files, plain or gzip, folders of runs, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How they are written
    #[arg(long, value_enum, default_value_t = FormatArgument::Auto)]
    format: FormatArgument,
    /// What the object is
    #[arg(long, value_name = "M|FILE.toml", value_parser = ModelParser)]
    model: Option<ModelChoice>,
    /// What it holds at first: nil, a whole number, or a string where values are strings
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    init: Option<String>,
    /// What an answered read of nil tells [default: as the format says]
    #[arg(long, value_enum)]
    nil: Option<NilArgument>,
    /// What to ask: linearizable, or sequential where a format has no times
    #[arg(long, value_enum)]
    level: Option<LevelArgument>,
    /// Steps that each check may take before it says undecided; with `--level strongest`, levels below
    /// linearizable take at most 1/64 of them each
    #[arg(long, value_name = "STEPS", default_value_t = 10_000_000)]
    budget: u64,
    /// Write why each verdict is right, for `verify`
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
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
    /// Jepsen's maps in EDN
    JepsenEdn,
    /// Jepsen's lines of text: process, type, name and value
    JepsenTxt,
    /// Objects with Jepsen's keys
    Json,
    /// Strings under keys, a map in EDN a line
    Kv,
    /// What runs leave behind
    Jsonl,
    /// The operations of etcd's robustness tests
    Etcd,
    /// Operations with call and return times, in JSON
    PorcupineJson,
    /// Transactions of sessions: `r(key,value,session,txn)`, or `r key value` and separators
    Plume,
    /// The file in which Jepsen 0.3 keeps a test
    TestJepsen,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModelArgument {
    /// A register with compare-and-set
    RegisterCas,
    /// Registers or strings under keys
    Kv,
    /// A counter whose increments return the new value
    CounterInc,
    /// A counter with additions and reads
    CounterRw,
    /// A counter with a capacity: reserve and release
    Bcounter,
    /// An append-only log
    Log,
    /// A lock
    Mutex,
    /// Registers that are read and written together
    #[value(alias = "rw-register")]
    MultiRegister,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NilArgument {
    /// The object held nil; registers start at nil unless --init says otherwise
    Observed,
    /// Nothing: any value may have been there
    Wildcard,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelArgument {
    /// One instant each, between question and answer
    Linearizable,
    /// One order for all that keeps each client's own
    Sequential,
    /// All four session guarantees together
    Causal,
    /// All of them but writes-follow-reads
    Pram,
    /// A client sees its own updates
    ReadYourWrites,
    /// What a client has seen, it sees again
    MonotonicReads,
    /// A client's updates come in its order
    MonotonicWrites,
    /// An update comes after what its client had seen
    WritesFollowReads,
    /// All agree in the end
    Convergence,
    /// The strongest of these that holds, and what is wrong with the next
    Strongest,
}

impl Check {
    pub(super) fn execute(&self) -> Result<u8, CommandError> {
        if let Some(output) = &self.output {
            expect_no_input(output, &histories::files(&self.files))?;
        }
        if let Some(evidence) = &self.evidence {
            if self.files.len() > 1 {
                let found = format!("--evidence is about one history, found {}", self.files.len());
                return Err(CommandError::Usage(found));
            }
            expect_no_input(evidence, &histories::files(&self.files))?;
        }
        let options = self.options()?;
        let mut judged = Vec::new();
        let mut is_any_bad = false;
        for file in &histories::merged(&self.files) {
            match self.judge_file(file, &options) {
                Ok(results) => {
                    self.show_lines(&results)?;
                    judged.extend(results);
                }
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
        if !self.json && !judged.is_empty() {
            output::print(&text::checks(&judged))?;
        }
        let worst = Outcome::worst(judged.iter().map(|one| one.verdict));
        Ok(if is_any_bad { 2 } else { worst.exit_code() })
    }

    /// For programs: each file's lines as soon as it is judged.
    fn show_lines(&self, judged: &[CheckedFile]) -> Result<(), CommandError> {
        let lines = judged.iter().filter(|_| self.json);
        lines.map(CheckedFile::json).try_for_each(|line| output::print(&line))
    }

    fn judge_file(&self, path: &Path, options: &Options) -> Result<Vec<CheckedFile>, CommandError> {
        let parsing = Stopwatch::start();
        let contents = histories::read(path, options)?;
        let Contents { format, families, .. } = &contents;
        let parse_ns = parsing.elapsed_ns();
        let judging = Stopwatch::start();
        let budget = Budget { steps_max: self.budget };
        // A foreign history is asked the one question; one of ours, everything that its families promise.
        let mut found = match self.level(path, *format)? {
            Some(Level::Linearizable) if *format == Format::Jsonl => {
                Found::Checks(judge(families, &[], budget))
            }
            Some(level) => Found::Checks(judge_by(families, level, budget)),
            None if format.has_real_time() => Found::Ranks(ranks(families, budget)),
            None => {
                Found::Ranks(ranks(families, budget).into_iter().map(Ranked::without_real_time).collect())
            }
        };
        let names = histories::files(&[path.to_owned()]).first().map(|path| Names::beside(path));
        found.name_nodes(&names.unwrap_or_default());
        let times = Times { parse_ns, check_ns: judging.elapsed_ns() };
        let file = shown(path);
        if let Some(evidence) = &self.evidence {
            let checks = certify(families, &found.judged(), budget);
            self.write_evidence(evidence, &contents, checks, options)?;
        }
        Ok(match found {
            Found::Checks(checks) => {
                let checked = |check| CheckedFile::new(&file, &contents, check, times);
                checks.into_iter().map(checked).collect()
            }
            Found::Ranks(ranks) => {
                let checked = |ranked| CheckedFile::strongest(&file, &contents, ranked, times);
                ranks.into_iter().map(checked).collect()
            }
        })
    }

    fn write_evidence(
        &self,
        path: &Path,
        contents: &Contents,
        checks: Vec<Checked>,
        options: &Options,
    ) -> Result<(), CommandError> {
        let Options { model, initial, nil, table, .. } = options;
        let history = Reading {
            format: contents.format.name().to_owned(),
            model: model.map(|model| model.name().to_owned()),
            table: table.as_ref().map(|table| table.text().to_owned()),
            init: initial.clone().map(|Initial(value)| value),
            nil: nil.map(|nil| nil.name().to_owned()),
            digest: digest(&contents.families),
        };
        let evidence = Evidence::new(history, checks);
        write_with(path, |file| {
            let mut output = BufWriter::new(file);
            serde_json::to_writer(&mut output, &evidence)?;
            output.write_all(b"\n")?;
            output.flush()
        })
    }

    /// What to ask of a history of this format; none: the strongest.
    fn level(&self, path: &Path, format: Format) -> Result<Option<Level>, CommandError> {
        let default =
            if format.has_real_time() { LevelArgument::Linearizable } else { LevelArgument::Sequential };
        let level = self.level.unwrap_or(default).level();
        if let Some(level) = level.filter(|level| level.needs_real_time() && !format.has_real_time()) {
            let others = Level::ALL.into_iter().filter(|other| !other.needs_real_time());
            let names: Vec<&str> = others.map(Level::name).collect();
            return Err(CommandError::Usage(format!(
                "{}: has no times (format {format}), and level {} is about real time; expected --level strongest or one of {}",
                shown(path),
                level.name(),
                names.join(", ")
            )));
        }
        Ok(level)
    }

    fn options(&self) -> Result<Options, CommandError> {
        let format = match self.format {
            FormatArgument::Auto => None,
            FormatArgument::Hist => Some(Format::Hist),
            FormatArgument::JepsenLog => Some(Format::JepsenLog),
            FormatArgument::JepsenEdn => Some(Format::JepsenEdn),
            FormatArgument::JepsenTxt => Some(Format::JepsenTxt),
            FormatArgument::Json => Some(Format::Json),
            FormatArgument::Kv => Some(Format::Kv),
            FormatArgument::Jsonl => Some(Format::Jsonl),
            FormatArgument::Etcd => Some(Format::Etcd),
            FormatArgument::PorcupineJson => Some(Format::Porcupine),
            FormatArgument::Plume => Some(Format::Plume),
            FormatArgument::TestJepsen => Some(Format::JepsenStore),
        };
        let nil = self.nil.map(|nil| match nil {
            NilArgument::Observed => NilReads::Observed,
            NilArgument::Wildcard => NilReads::Wildcard,
        });
        let (model, table) = match &self.model {
            None => (None, None),
            Some(ModelChoice::Known(model)) => (Some(model.model()), None),
            Some(ModelChoice::File(path)) => {
                if self.init.is_some() {
                    let message = format!("--init: {} itself says where its objects start", shown(path));
                    return Err(CommandError::Usage(message));
                }
                if self.nil.is_some() {
                    let message = format!("--nil: to {} nil is a word like any other", shown(path));
                    return Err(CommandError::Usage(message));
                }
                (None, Some(model_file::read(path)?))
            }
        };
        Ok(Options { format, model, initial: self.init.clone().map(Initial), nil, table })
    }
}

impl ModelArgument {
    const fn model(self) -> Model {
        match self {
            Self::RegisterCas => Model::RegisterCas,
            Self::Kv => Model::Kv,
            Self::CounterInc => Model::CounterInc,
            Self::CounterRw => Model::CounterRw,
            Self::Bcounter => Model::Bcounter,
            Self::Log => Model::Log,
            Self::Mutex => Model::Mutex,
            Self::MultiRegister => Model::MultiRegister,
        }
    }
}

/// What was found in a file.
enum Found<'a> {
    Checks(Vec<checker::judge::Check>),
    Ranks(Vec<Ranked<'a>>),
}

impl Found<'_> {
    /// All verdicts, each of one check on one family.
    fn judged(&self) -> Vec<Judged<'_>> {
        match self {
            Self::Checks(checks) => checks.iter().map(judged_check).collect(),
            Self::Ranks(ranks) => ranks.iter().flat_map(judged_levels).collect(),
        }
    }

    /// Calls the nodes of a run by their names.
    fn name_nodes(&mut self, names: &Names) {
        match self {
            Self::Checks(checks) => {
                checks.iter_mut().for_each(|check| names.put_into_verdict(&mut check.verdict));
            }
            Self::Ranks(ranks) => {
                let next = ranks.iter_mut().flat_map(|ranked| &mut ranked.strongest.next);
                next.for_each(|(_, judgement)| names.put_into_verdict(&mut judgement.verdict));
            }
        }
    }
}

fn judged_check(check: &checker::judge::Check) -> Judged<'_> {
    Judged { family: &check.family, check: check.name, verdict: &check.verdict }
}

/// The levels that are known to hold or not, and those that are not known.
fn judged_levels<'a>(ranked: &'a Ranked<'_>) -> Vec<Judged<'a>> {
    let Ranked { family, strongest } = ranked;
    let held = strongest.held.iter().map(|level| (level, &Verdict::Holds));
    let others = strongest.next.iter().chain(&strongest.undecided);
    held.chain(others.map(|(level, judgement)| (level, &judgement.verdict)))
        .map(|(level, verdict)| Judged { family, check: level.name(), verdict })
        .collect()
}

fn ranks<'a>(families: &'a [Family], budget: Budget) -> Vec<Ranked<'a>> {
    let ranked = |family: &'a Family| {
        Some(Ranked { family: &family.name, strongest: strongest_of(&family.kind, budget)? })
    };
    families.iter().filter_map(ranked).collect()
}

impl LevelArgument {
    /// None: the strongest.
    const fn level(self) -> Option<Level> {
        match self {
            Self::Linearizable => Some(Level::Linearizable),
            Self::Sequential => Some(Level::Sequential),
            Self::Causal => Some(Level::Causal),
            Self::Pram => Some(Level::Pram),
            Self::ReadYourWrites => Some(Level::ReadYourWrites),
            Self::MonotonicReads => Some(Level::MonotonicReads),
            Self::MonotonicWrites => Some(Level::MonotonicWrites),
            Self::WritesFollowReads => Some(Level::WritesFollowReads),
            Self::Convergence => Some(Level::Convergence),
            Self::Strongest => None,
        }
    }
}
