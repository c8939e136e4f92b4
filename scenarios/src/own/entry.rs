//! The `fn main` of a user's program: tests with names, one run, or many.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches, Parser};
use libtest_mimic::{Arguments as TestArguments, Failed, Trial};
use reports::run_folder::{Outcome, RunVerdict};
use reports::text;
use serde_json::json;
use sim::chance::Seed;
use sim::substrate::Substrate;

use crate::own::{Case, OwnError, Suite, Variant, explained, run, run_once};
use crate::plan::word;
use crate::seeds::Seeds;
use crate::soak::Soaked;
use crate::stopwatch::Stopwatch;

/// Runs a system of your own under one seed or many; without --seed and --seeds, its tests, with the arguments of
/// `cargo test` such as a part of a test's name.
///
/// Exit codes: 0 every promise held, 1 one was broken, 2 bad usage or no run, 3 nothing broken but something undecided
/// or vacuous.
#[derive(Parser)]
struct Arguments {
    /// One run, made twice and compared; the same seed gives the same run, byte for byte
    #[arg(long, value_name = "N", conflicts_with = "seeds", required_unless_present = "seeds")]
    seed: Option<u64>,
    /// Many runs, A up to but not including B
    #[arg(long, value_name = "A..B")]
    seeds: Option<Seeds>,
    /// How the system is built
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// What it runs on
    #[arg(long, value_name = "NAME")]
    substrate: Option<String>,
    /// Keep plan, history, clock samples, verdict and every event of the one run in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "seeds")]
    out: Option<PathBuf>,
    /// Print verdicts as JSON objects
    #[arg(long)]
    json: bool,
}

/// Does what the arguments of the program say: all of a user's `fn main`, and of a test target without harness.
///
/// Without `--seed` and `--seeds` it runs a test for each seed of the suite, named `name::seed_7`: the run is made
/// twice, must be the same twice and keep every promise, and a vacuous run has proven nothing. A test
/// `name::naive_is_found` demands of each variant but the first that some seed breaks a promise, and a test
/// `name::turmoil::seed_0` makes the first seed's run on each substrate but the first.
#[must_use]
pub fn main(suite: Suite) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if !arguments.iter().skip(1).any(|argument| is_ours(argument)) {
        let arguments = TestArguments::from_iter(arguments);
        return libtest_mimic::run(&arguments, trials(Arc::new(suite))).exit_code();
    }
    let command = Arguments::command().name(suite.name).bin_name(suite.command);
    let parsed =
        command.try_get_matches_from(arguments).and_then(|found| Arguments::from_arg_matches(&found));
    let result = match parsed {
        Ok(arguments) => execute(&suite, &arguments),
        Err(error) => error.exit(),
    };
    ExitCode::from(result.unwrap_or_else(|error| {
        // Nothing can be done about a stderr that takes nothing.
        let _ = writeln!(std::io::stderr(), "error: {error}");
        2
    }))
}

/// Whether an argument asks for runs rather than for tests.
fn is_ours(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let option = text.split('=').next().unwrap_or_default();
    ["--seed", "--seeds", "--help", "-h"].contains(&option)
}

fn execute(suite: &Suite, arguments: &Arguments) -> Result<u8, OwnError> {
    let variant = offered("--variant", arguments.variant.as_deref(), suite, suite.variants, word)?;
    let name = |substrate: &Substrate| substrate.name().to_owned();
    let substrate = offered("--substrate", arguments.substrate.as_deref(), suite, suite.substrates, name)?;
    let case = |seed| Case { seed: Seed(seed), variant, substrate };
    if let Some(Seeds(seeds)) = &arguments.seeds {
        return soak(suite, seeds.clone().map(case).collect(), arguments);
    }
    let seed = arguments.seed.expect("one of the two is there, or the arguments were refused");
    let folder = run(suite, &case(seed))?;
    if let Some(dir) = &arguments.out {
        folder.write(dir)?;
    }
    print(&if arguments.json { folder.verdict.json() } else { text::run(&folder) })?;
    Ok(folder.verdict.exit_code())
}

/// The one that was asked for by name; the first, if none was.
fn offered<T: Copy>(
    option: &'static str,
    asked: Option<&str>,
    suite: &Suite,
    all: &[T],
    name: impl Fn(&T) -> String,
) -> Result<T, OwnError> {
    let found = all.iter().find(|one| asked.is_none_or(|asked| name(one) == asked));
    found.copied().ok_or_else(|| OwnError::NotOffered {
        option,
        found: asked.unwrap_or_default().to_owned(),
        name: suite.name,
        offered: all.iter().map(name).collect::<Vec<_>>().join(", "),
    })
}

fn soak(suite: &Suite, cases: Vec<Case>, arguments: &Arguments) -> Result<u8, OwnError> {
    let watch = Stopwatch::start();
    let mut verdicts: Vec<RunVerdict> = Vec::new();
    for case in &cases {
        let verdict = run_once(suite, case)?.verdict;
        if arguments.json {
            print(&verdict.soak_line())?;
        }
        verdicts.push(verdict);
    }
    let worst = Outcome::worst(verdicts.iter().map(|verdict| verdict.verdict));
    let (count, wall_ns) = (verdicts.len() as u64, watch.elapsed_ns());
    let summary = Soaked { verdicts, violations: Vec::new(), wall_ns }.part().summary(json!({}), count);
    print(&if arguments.json { summary.json() } else { text::soak(&summary) })?;
    Ok(worst.exit_code())
}

fn print(text: &str) -> Result<(), OwnError> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", text.trim_end())?;
    Ok(stdout.flush()?)
}

type Test = Box<dyn Fn(&Suite) -> Result<(), Failed> + Send>;

/// The tests of a suite, by name.
fn trials(suite: Arc<Suite>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: String, test: Test| {
        let suite = Arc::clone(&suite);
        trials.push(Trial::test(format!("{}::{name}", suite.name), move || test(&suite)));
    };
    let (variant, substrate) = (suite.variants[0], suite.substrates[0]);
    for seed in suite.seeds.clone() {
        let case = Case { seed: Seed(seed), variant, substrate };
        add(format!("seed_{seed}"), Box::new(move |suite: &Suite| holds(suite, &case)));
    }
    for substrate in suite.substrates.iter().copied().skip(1) {
        let case = Case { seed: Seed(suite.seeds.start), variant, substrate };
        add(format!("{substrate}::seed_{}", case.seed.0), Box::new(move |suite: &Suite| holds(suite, &case)));
    }
    for variant in suite.variants.iter().copied().skip(1) {
        add(format!("{}_is_found", word(&variant)), Box::new(move |suite: &Suite| is_found(suite, variant)));
    }
    trials
}

fn holds(suite: &Suite, case: &Case) -> Result<(), Failed> {
    if !case.substrate.is_built() {
        return Ok(print(&format!("skipped: {} is not in this build", case.substrate))?);
    }
    let verdict = run(suite, case)?.verdict;
    match verdict.verdict {
        Outcome::Holds => Ok(()),
        Outcome::Violated | Outcome::Undecided | Outcome::Vacuous => Err(explained(&verdict).into()),
    }
}

fn is_found(suite: &Suite, variant: Variant) -> Result<(), Failed> {
    for seed in suite.seeds.clone() {
        let case = Case { seed: Seed(seed), variant, substrate: suite.substrates[0] };
        if run_once(suite, &case)?.verdict.verdict == Outcome::Violated {
            return Ok(());
        }
    }
    let (name, seeds) = (word(&variant), &suite.seeds);
    Err(format!("no seed of {}..{} shows what is wrong with the variant {name}", seeds.start, seeds.end)
        .into())
}
