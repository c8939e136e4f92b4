//! What the binary can do: one command a file, each a short way to a library.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use model::rules::{Defect, Variant};
use scenarios::plan::{Build, Origin};
use scenarios::scenario::Scenario;
pub(crate) use scenarios::seeds::Seeds;
use scenarios::{catalog, mutants, scenario};
use sim::substrate::Substrate;

mod check;
mod compare;
mod export;
mod histories;
mod list;
mod matrix;
mod model_file;
mod mutant;
pub(crate) mod output;
mod replay;
mod report;
mod run;
mod soak;
mod sweep;
mod verify;

/// A command with its arguments.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the scenarios.
    List(list::List),
    /// Run one scenario with one seed, and judge it.
    Run(run::Run),
    /// Run many seeds, and keep the first violations.
    Soak(soak::Soak),
    /// Run a run folder's plan again and compare: the same bytes?
    Replay(replay::Replay),
    /// Run the same plans on every substrate, and show the verdicts side by side.
    Compare(compare::Compare),
    /// Try every system, naive and hardened, under one family of faults after the other.
    Matrix(matrix::Matrix),
    /// Find how far a figure can go until each promise breaks.
    Sweep(sweep::Sweep),
    /// Run every planted defect against the check that must find it.
    Mutants(mutant::Mutants),
    /// Judge histories from files.
    Check(check::Check),
    /// Check the evidence that `check --evidence` wrote.
    Verify(verify::Verify),
    /// Write a history in another format.
    Export(export::Export),
    /// Draw a run folder, a soak folder or clock samples.
    Report(report::Report),
}

/// Why a command could not do its work; always exit code 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The scenario.
    #[error(transparent)]
    Scenario(#[from] scenario::ScenarioError),
    /// The plan in a run folder.
    #[error("{dir}: {source}")]
    PlanFile {
        /// The folder.
        dir: String,
        /// What is wrong.
        source: scenarios::plan::PlanFileError,
    },
    /// The plan itself.
    #[error("the plan cannot be run: {0}")]
    Setup(#[from] sim::substrate::SubstrateError),
    /// One run of many.
    #[error(transparent)]
    Soak(#[from] scenarios::soak::SoakError),
    /// A folder.
    #[error(transparent)]
    Folder(#[from] reports::run_folder::FolderError),
    /// A file to write.
    #[error("{path}: cannot be written: {source}")]
    Unwritable {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file to read.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A history.
    #[error("{path}:{source}")]
    Malformed {
        /// Which file.
        path: String,
        /// Where and why.
        source: checker::format::FormatError,
    },
    /// A gzip file that cannot be decompressed to its end.
    #[error(
        "{path}:{place}: the gzip data is cut off or damaged after this; expected a whole file (`gzip -t` tells)"
    )]
    Damaged {
        /// Which.
        path: String,
        /// How far the content was read.
        place: checker::format::Place,
    },
    /// A model of the user's own.
    #[error("{path}:{source}")]
    ModelFile {
        /// Which file.
        path: String,
        /// Where and why.
        source: checker::format::table_file::TableFileError,
    },
    /// Arguments that do not go together.
    #[error("{0}")]
    Usage(String),
}

impl Command {
    /// Does it; returns the exit code.
    pub(crate) fn execute(self) -> Result<u8, CommandError> {
        match self {
            Self::List(list) => list.execute(),
            Self::Run(run) => run.execute(),
            Self::Soak(soak) => soak.execute(),
            Self::Replay(replay) => replay.execute(),
            Self::Compare(compare) => compare.execute(),
            Self::Matrix(matrix) => matrix.execute(),
            Self::Sweep(sweep) => sweep.execute(),
            Self::Mutants(mutants) => mutants.execute(),
            Self::Check(check) => check.execute(),
            Self::Verify(verify) => verify.execute(),
            Self::Export(export) => export.execute(),
            Self::Report(report) => report.execute(),
        }
    }
}

/// How the system is built.
#[derive(Args)]
pub(crate) struct SystemArguments {
    /// As commonly built, or built to hold its promise
    #[arg(long, value_enum, default_value_t = VariantArgument::Hardened)]
    variant: VariantArgument,
    /// Plant this defect (see `mutants`)
    #[arg(long, value_name = "NAME", value_parser = parse_mutant)]
    mutant: Option<Defect>,
}

/// How the system is built, and what it runs on.
#[derive(Args)]
pub(crate) struct BuildArguments {
    #[command(flatten)]
    system: SystemArguments,
    /// What the nodes run on
    #[arg(long, value_enum, default_value_t = SubstrateArgument::Kernel)]
    substrate: SubstrateArgument,
}

#[derive(Clone, Copy, ValueEnum)]
enum VariantArgument {
    Hardened,
    Naive,
}

/// What the nodes run on.
#[derive(Clone, Copy, ValueEnum)]
enum SubstrateArgument {
    /// The event kernel: one thread, every fault, every clock
    Kernel,
    /// turmoil: a host a node, bytes over its TCP; the network faults that it has
    Turmoil,
    /// madsim: a node each, bytes over its TCP; only in a build with `--cfg madsim`
    Madsim,
}

impl SystemArguments {
    const fn build(&self) -> Build {
        let variant = match self.variant {
            VariantArgument::Hardened => Variant::Hardened,
            VariantArgument::Naive => Variant::Naive,
        };
        Build { variant, defect: self.mutant, substrate: Substrate::Kernel }
    }
}

impl BuildArguments {
    const fn build(&self) -> Build {
        let substrate = match self.substrate {
            SubstrateArgument::Kernel => Substrate::Kernel,
            SubstrateArgument::Turmoil => Substrate::Turmoil,
            SubstrateArgument::Madsim => Substrate::Madsim,
        };
        Build { substrate, ..self.system.build() }
    }
}

fn parse_mutant(name: &str) -> Result<Defect, String> {
    mutants::find(name).ok_or_else(|| {
        let known: Vec<_> = mutants::all().map(|mutant| mutant.defect.0).collect();
        format!("expected one of {}", known.join(", "))
    })
}

/// The scenarios of these names and paths, or, without any, of the catalog, with `settings`: those that are wanted, and where
/// each is from.
pub(crate) fn load_all(
    names: &[String],
    settings: &[String],
    is_wanted: impl Fn(&Scenario) -> Result<bool, CommandError>,
) -> Result<Vec<(Arc<Scenario>, Origin)>, CommandError> {
    let all: Vec<String> = catalog::names().map(str::to_owned).collect();
    let mut scenarios: Vec<(Arc<Scenario>, Origin)> = Vec::new();
    for name in if names.is_empty() { &all } else { names } {
        let scenario = scenario::load(name, settings)?;
        if !is_wanted(&scenario)? {
            continue;
        }
        if scenarios.iter().any(|(other, _)| other.name == scenario.name) {
            return Err(CommandError::Usage(format!("scenario `{}` is named twice", scenario.name)));
        }
        let origin = Origin { path: catalog::path_of(name), settings: settings.to_vec() };
        scenarios.push((Arc::new(scenario), origin));
    }
    Ok(scenarios)
}

/// The path as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Writes a file as a whole or not at all.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), CommandError> {
    write_with(path, |file| file.write_all(text.as_bytes()))
}

/// The same, a piece at a time.
///
/// What a link leads to is written, not the link; a device or a pipe is written as it comes.
pub(crate) fn write_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), CommandError> {
    let unwritable = |source| CommandError::Unwritable { path: shown(path), source };
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let mut device = File::options().write(true).open(path).map_err(unwritable)?;
        return write(&mut device).map_err(unwritable);
    }
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = File::create(&partial).and_then(|mut file| write(&mut file));
    written.and_then(|()| std::fs::rename(&partial, &target)).map_err(|source| {
        // Nothing half written is left behind; if even that fails, the first error says why.
        let _ = std::fs::remove_file(&partial);
        unwritable(source)
    })
}

/// An output that is also an input would be lost.
pub(crate) fn expect_no_input(output: &Path, inputs: &[PathBuf]) -> Result<(), CommandError> {
    let Ok(target) = std::fs::canonicalize(output) else { return Ok(()) };
    let is_same = |input: &&PathBuf| std::fs::canonicalize(input).is_ok_and(|input| input == target);
    match inputs.iter().find(is_same) {
        Some(input) => Err(CommandError::Usage(format!(
            "{}: is what is read ({}); expected -o to name another file",
            shown(output),
            shown(input)
        ))),
        None => Ok(()),
    }
}
