//! One run: plan, chaos, heal, judge, ledger.
//!
//! ```text
//!   0 ───────── chaos ─────────┬──── heal ────┬─ quiet ─┐
//!   workload and faults        │ workload     │ nothing │──► record ──► judge ──► verdict
//!                              └ all faults end         └ the end
//! ```

use std::sync::Arc;

use checker::budget::Budget;
use checker::judge::{Check, Family, judge};
use checker::verdict::Verdict;
use reports::names::Names;
use reports::run_folder::{CheckResult, Outcome, RunVerdict};
use sim::substrate::{Evidence, SubstrateError};
use sim::trace::TraceEvent;

use crate::nemesis;
use crate::plan::Plan;
use crate::recorder::Progress;
use crate::stopwatch::Stopwatch;
use crate::system::Ran;

/// Steps that each check of each object may take.
pub const BUDGET: Budget = Budget { steps_max: 20_000 };

/// A run that has ended, judged.
pub struct Run {
    /// What was planned.
    pub plan: Plan,
    /// What was found.
    pub verdict: RunVerdict,
    /// What the checks judged.
    pub families: Vec<Family>,
    /// What the world left.
    pub evidence: Evidence<()>,
}

/// Runs `plan` to its end and judges it.
///
/// # Errors
/// If the plan contradicts itself, names what does not exist, or plans what its substrate cannot express.
pub fn run(plan: Plan, keeps_trace: bool) -> Result<Run, SubstrateError> {
    let whole = Stopwatch::start();
    let Ran { evidence, families, progress, recording_ns } = simulate(&plan, keeps_trace)?;
    let judging = Stopwatch::start();
    let mut checks = judge_all(&plan, &families, progress);
    if checks.iter().any(|check| check.verdict == Outcome::Violated) {
        let names = Names::of(&plan.nodes());
        checks.iter_mut().for_each(|check| name_nodes(check, &names));
    }
    let check_ns = recording_ns + judging.elapsed_ns();
    let ledger = evidence.ledger.lines();
    let left_out = nemesis::left_out(&plan.scenario, plan.build.substrate);
    let verdict = RunVerdict {
        scenario: plan.scenario.name.clone(),
        seed: plan.seed.0,
        variant: plan.variant_name(),
        mutant: plan.mutant_name(),
        path: plan.origin.path.clone(),
        program: None,
        settings: plan.origin.settings.clone(),
        substrate: plan.build.substrate.name().to_owned(),
        verdict: RunVerdict::overall(&checks, &ledger, &left_out),
        digest: evidence.digest.to_string(),
        operations: progress.operations,
        events: evidence.events,
        messages: evidence.messages.sent,
        simulated_ns: evidence.now.as_ns(),
        wall_ns: Some(whole.elapsed_ns()),
        check_ns: Some(check_ns),
        checks,
        ledger,
    };
    Ok(Run { plan, verdict, families, evidence })
}

/// What the world of `plan` leaves, run to its end on its substrate, and the histories of it.
///
/// # Errors
/// If the plan contradicts itself, names what does not exist, or plans what its substrate cannot express.
pub fn simulate(plan: &Plan, keeps_trace: bool) -> Result<Ran, SubstrateError> {
    plan.work.run(plan.common(keeps_trace))
}

/// The kept trace as the lines of `trace.jsonl`.
///
/// # Panics
/// Never: trace events are plain data.
#[must_use]
pub fn trace_lines(trace: &[TraceEvent]) -> String {
    let line = |event| serde_json::to_string(event).expect("a trace event is plain data") + "\n";
    trace.iter().map(line).collect()
}

/// Calls the nodes in the sentences about a check by their names.
fn name_nodes(check: &mut CheckResult, names: &Names) {
    check.detail = names.named(&check.detail);
    check.explanation.iter_mut().for_each(|violation| names.put_into(violation));
}

fn judge_all(plan: &Plan, families: &[Family], progress: Progress) -> Vec<CheckResult> {
    let wanted: Vec<&str> = plan.scenario.checks.iter().map(String::as_str).collect();
    let mut checks = judged(families, &wanted);
    if let Some(place) = wanted.iter().position(|name| *name == PROGRESS) {
        let before = |check: &CheckResult| wanted[..place].contains(&check.name.as_str());
        checks.insert(checks.partition_point(before), judge_progress(progress));
    }
    let is_judged = |name: &str| checks.iter().any(|check| check.name == name);
    let unanswered: Vec<_> = wanted.into_iter().filter(|name| !is_judged(name)).map(unanswerable).collect();
    checks.extend(unanswered);
    checks
}

/// A promise about something that the system has no history of.
fn unanswerable(name: &str) -> CheckResult {
    CheckResult {
        name: name.to_owned(),
        verdict: Outcome::Undecided,
        detail: "nothing in the history of this system can answer it".to_owned(),
        family: None,
        algorithm: None,
        explanation: None,
    }
}

/// What the wanted checks found in a history, in the order in which they are wanted.
pub(crate) fn judged(families: &[Family], wanted: &[&str]) -> Vec<CheckResult> {
    let mut checks: Vec<_> = judge(families, wanted, BUDGET).into_iter().map(result).collect();
    checks.sort_by_key(|check| wanted.iter().position(|name| *name == check.name));
    checks
}

/// The one check that needs the run's phases and not only its history.
const PROGRESS: &str = "progress";

fn judge_progress(progress: Progress) -> CheckResult {
    let Progress { late_asked, late_count, unanswered_count, .. } = progress;
    let (verdict, detail) = if late_asked == 0 {
        (Outcome::Undecided, "nobody asked for anything after the system had its time to recover".to_owned())
    } else if late_count == 0 {
        (Outcome::Violated, "nothing was done any more after the system had its time to recover".to_owned())
    } else if unanswered_count > 0 {
        let detail = format!(
            "{unanswered_count} of {late_count} operations asked after the system had its time to recover were \
             never answered"
        );
        (Outcome::Violated, detail)
    } else {
        (Outcome::Holds, format!("all {late_count} operations after the recovery were answered"))
    };
    CheckResult {
        name: PROGRESS.to_owned(),
        verdict,
        detail,
        family: None,
        algorithm: None,
        explanation: None,
    }
}

fn result(check: Check) -> CheckResult {
    let (verdict, explanation) = match check.verdict {
        Verdict::Holds => (Outcome::Holds, None),
        Verdict::Violated(violation) => (Outcome::Violated, Some(violation)),
        Verdict::Undecided(_) => (Outcome::Undecided, None),
    };
    CheckResult {
        name: check.name.to_owned(),
        verdict,
        detail: check.detail,
        family: Some(check.family),
        algorithm: Some(check.algorithm.to_owned()),
        explanation,
    }
}

/// A plan for `seed`, with everything else as in `plan`'s scenario.
#[must_use]
pub fn plan_for(scenario: &Arc<crate::scenario::Scenario>, seed: u64, build: crate::plan::Build) -> Plan {
    Plan::new(Arc::clone(scenario), sim::chance::Seed(seed), build)
}
