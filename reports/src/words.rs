//! The words that all outputs use for a verdict.

use crate::run_folder::{CheckResult, Outcome, RunFolder, RunVerdict};
use crate::scale::grouped;

/// What a vacuous verdict on a history means.
pub(crate) const NOTHING_OBSERVED: &str = "nothing was observed: no answer tells anything of a state, so that no order of the operations could be wrong";

/// `count` and the noun, in the plural unless it is one.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count as u64))
}

fn count_of(verdict: &RunVerdict, outcome: Outcome) -> usize {
    verdict.checks.iter().filter(|check| check.verdict == outcome).count()
}

/// The verdict in a few words.
pub(crate) fn headline(verdict: &RunVerdict) -> String {
    let of_all =
        |outcome| format!("{} of {}", count_of(verdict, outcome), counted(verdict.checks.len(), "promise"));
    match verdict.verdict {
        Outcome::Violated => format!("{} broken", of_all(Outcome::Violated)),
        Outcome::Undecided => format!("Nothing broken, but {} undecided", of_all(Outcome::Undecided)),
        Outcome::Vacuous => "Nothing shown: no fault changed anything".to_owned(),
        Outcome::Holds => match verdict.checks.len() {
            1 => "The promise held".to_owned(),
            count => format!("All {count} promises held"),
        },
    }
}

/// One sentence under the headline: why, or over how much.
pub(crate) fn lede(run: &RunFolder, worst: Option<&CheckResult>) -> String {
    let explained =
        worst.and_then(|check| check.explanation.as_ref()).map(|violation| &violation.explanation);
    match (run.verdict.verdict, worst) {
        (Outcome::Violated, Some(check)) => explained.unwrap_or(&check.detail).clone(),
        (Outcome::Undecided, Some(check)) => format!("{}: {}", check.name, check.detail),
        (Outcome::Vacuous, _) => format!(
            "All {} were planned or fired without any node noticing, so that the run proves nothing about them.",
            counted(run.plan.faults.faults.len(), "fault")
        ),
        (Outcome::Holds | Outcome::Violated | Outcome::Undecided, _) => {
            let changed =
                run.verdict.ledger.iter().fold(0_u64, |sum, line| sum.saturating_add(line.affected));
            format!(
                "{} operations under {}, which changed {} things.",
                grouped(run.verdict.operations),
                counted(run.plan.faults.faults.len(), "fault"),
                grouped(changed)
            )
        }
    }
}

/// The checks, violated ones first, otherwise in their order.
pub(crate) fn by_attention(verdict: &RunVerdict) -> Vec<&CheckResult> {
    let mut checks: Vec<_> = verdict.checks.iter().collect();
    checks.sort_by_key(|check| check.verdict);
    checks
}
