//! Somebody else's system or service under our world and our checks: seeded tests, runs and soaks from one `fn main`.
//!
//! ```text
//!   Suite ──► main ──┬─ no --seed ──► a test a seed: `lock_service::seed_7`
//!                    ├─ --seed ─────► one run, made twice, compared, judged, kept
//!                    └─ --seeds ────► many runs
//!   (seed, variant, substrate) = Case ──► the user's function: World or Services, then the history ──► Recorded
//! ```
//!
//! `docs/your-own-system.md` and `docs/your-own-service.md` go through it with the two examples.

mod entry;
mod noted;
pub mod prelude;
mod world;

use core::ops::Range;

use checker::drawing::Drawable;
use checker::history::HistoryError;
use checker::judge::{Family, FamilyKind, OperationsVisitor};
use checker::keyed::KeyedHistory;
use reports::run_folder::{self, Outcome, RunFolder, RunVerdict};
use serde_json::json;
use sim::chance::Seed;
use sim::substrate::{Evidence, Substrate, SubstrateError};
use sim::trace;

use crate::grammar::validity::NemesisError;
use crate::plan::{VERSION, word};
use crate::{folder, runner};

pub use entry::main;
pub use model::rules::Variant;
pub use noted::{Fact, Known, Noted, Session, history};
pub use world::{Ended, Member, Recorded, Service, Services, World};

/// What a user's program can run.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What it is called in test names and reports; safe as a folder name.
    pub name: &'static str,
    /// The command that starts the program, up to its own arguments, such as `cargo run --example lock_service --`.
    pub command: &'static str,
    /// How the system can be built. The first must keep its promises in every test; of any other, a test demands that
    /// some seed breaks one.
    pub variants: &'static [Variant],
    /// What it can run on. Tests run on the first, and with one seed on each of the others.
    pub substrates: &'static [Substrate],
    /// Names of the checks that must hold, of [`checker::judge::CHECK_NAMES`].
    pub checks: &'static [&'static str],
    /// The seeds of the tests.
    pub seeds: Range<u64>,
    /// Makes one run: from a case to a history.
    pub run: fn(&Case) -> Result<Recorded, OwnError>,
}

/// Which run is to be made. All that differs between two runs follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Where all chance comes from; [`Seed::stream`] draws a workload.
    pub seed: Seed,
    /// How the system is built.
    pub variant: Variant,
    /// What it runs on.
    pub substrate: Substrate,
}

/// Why a run was not made, or cannot be believed.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// The world, or what it was to run on.
    #[error(transparent)]
    Substrate(#[from] SubstrateError),
    /// What was noted is no history.
    #[error("what was noted is no history: {0}")]
    History(#[from] HistoryError),
    /// A nemesis can do nothing to these nodes.
    #[error("`nemeses[{index}]`, `{key}`: {error}")]
    Nemesis {
        /// Its place in the list, from 0.
        index: usize,
        /// What is to blame.
        key: &'static str,
        /// Why.
        error: NemesisError,
    },
    /// A check found nothing to judge.
    #[error("the check `{check}` judged nothing: no family of the history fits it")]
    NotJudged {
        /// Which.
        check: &'static str,
    },
    /// The program was asked for something that it does not offer.
    #[error("{option} `{found}` is not offered by `{name}`: expected one of {offered}")]
    NotOffered {
        /// The option.
        option: &'static str,
        /// What was asked for.
        found: String,
        /// The suite.
        name: &'static str,
        /// What there is.
        offered: String,
    },
    /// The same case gave two runs.
    #[error("the same seed gave two different runs ({digests}); the first difference: {difference}")]
    Differs {
        /// Their digests.
        digests: String,
        /// Where they part.
        difference: String,
    },
    /// The run folder.
    #[error(transparent)]
    Folder(#[from] run_folder::FolderError),
    /// Results cannot be printed.
    #[error("results cannot be printed: {0}")]
    Unprintable(#[from] std::io::Error),
}

/// Makes a run twice, compares the two, and judges it.
///
/// # Errors
/// If the run cannot be made, a check judged nothing, or the two runs differ: then something in the system is not a
/// function of the seed, and the first event that differs is named.
pub fn run(suite: &Suite, case: &Case) -> Result<RunFolder, OwnError> {
    let (first, second) = ((suite.run)(case)?, (suite.run)(case)?);
    compare(&first.left, &second.left)?;
    judged(suite, case, first)
}

/// Makes a run once, and judges it.
///
/// # Errors
/// If the run cannot be made, or a check judged nothing.
pub fn run_once(suite: &Suite, case: &Case) -> Result<RunFolder, OwnError> {
    judged(suite, case, (suite.run)(case)?)
}

/// What a failed test says: the verdict, what broke it, and the command that makes the run again.
#[must_use]
pub fn explained(verdict: &RunVerdict) -> String {
    let failed = verdict.checks.iter().filter(|check| check.verdict != Outcome::Holds);
    let lines: String =
        failed.map(|check| format!("{} {}: {}\n", check.name, check.verdict, check.detail)).collect();
    format!("{}\n{lines}run it again with: {}", verdict.verdict, verdict.replay_command())
}

fn compare(first: &Evidence<()>, second: &Evidence<()>) -> Result<(), OwnError> {
    if first.digest == second.digest {
        return Ok(());
    }
    let difference = trace::first_difference(&first.trace, &second.trace).map_or_else(
        || "in none of the events that were kept, but in what travelled or after them".to_owned(),
        |difference| difference.to_string(),
    );
    Err(OwnError::Differs { digests: format!("{} and {}", first.digest, second.digest), difference })
}

fn judged(suite: &Suite, case: &Case, recorded: Recorded) -> Result<RunFolder, OwnError> {
    let Recorded { left, planned, families } = recorded;
    let checks = runner::judged(&families, suite.checks);
    if let Some(check) = suite.checks.iter().find(|name| checks.iter().all(|check| check.name != **name)) {
        return Err(OwnError::NotJudged { check });
    }
    let ledger = left.ledger.lines();
    let verdict = RunVerdict {
        scenario: suite.name.to_owned(),
        seed: case.seed.0,
        variant: word(&case.variant),
        mutant: None,
        path: None,
        program: Some(suite.command.to_owned()),
        settings: Vec::new(),
        substrate: case.substrate.name().to_owned(),
        verdict: RunVerdict::overall(&checks, &ledger, &planned.left_out),
        digest: left.digest.to_string(),
        operations: families.iter().map(operations).sum(),
        events: left.events,
        messages: left.messages.sent,
        simulated_ns: left.now.as_ns(),
        wall_ns: None,
        check_ns: None,
        checks,
        ledger,
    };
    let plan = run_folder::Plan {
        version: VERSION.to_owned(),
        name: suite.name.to_owned(),
        system: suite.name.to_owned(),
        seed: case.seed.0,
        variant: verdict.variant.clone(),
        mutant: None,
        substrate: verdict.substrate.clone(),
        chaos_ends_ns: planned.phases.faults_end.unwrap_or(planned.phases.end).as_ns(),
        ends_ns: planned.phases.end.as_ns(),
        nodes: planned.nodes,
        faults: planned.faults,
        left_out: planned.left_out,
        scenario: json!({ "name": suite.name, "program": suite.command }),
        requests: planned.requests,
    };
    Ok(folder::assembled(plan, verdict, &families, &left))
}

/// How many operations a family has, or records if those are no operations.
fn operations(family: &Family) -> u64 {
    let records = if let FamilyKind::Records(records) = &family.kind { records.len() } else { 0 };
    family.kind.visit(Count).unwrap_or(records) as u64
}

struct Count;

impl OperationsVisitor for Count {
    type Output = usize;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> usize {
        history.len()
    }
}

#[cfg(test)]
mod tests;
