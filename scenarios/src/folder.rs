//! A run as the folder it leaves behind.

use checker::format::jsonl;
use checker::judge::{Family, FamilyKind};
use reports::run_folder::{ClockSample, Plan, RunFolder, RunVerdict, SwitchRecord};
use sim::substrate::Evidence;

use crate::runner::{Run, trace_lines};

/// What `run` leaves behind.
///
/// # Panics
/// Never: a history is plain data.
#[must_use]
pub fn folder(run: &Run) -> RunFolder {
    assembled(run.plan.to_file(), run.verdict.clone(), &run.families, &run.evidence)
}

/// A plan, what was found, what was judged and what the world left, as a folder.
pub(crate) fn assembled<O>(
    plan: Plan,
    verdict: RunVerdict,
    families: &[Family],
    evidence: &Evidence<O>,
) -> RunFolder {
    let mut history = Vec::new();
    jsonl::write(families, &mut history).expect("writing to memory does not fail");
    let trace = &evidence.trace;
    RunFolder {
        plan,
        history: String::from_utf8(history).expect("JSON is UTF-8"),
        clocks: evidence.clock_samples.iter().map(sample).collect(),
        switches: families.iter().flat_map(switches).collect(),
        checkpoints: Some(evidence.checkpoints.clone()).filter(|checkpoints| !checkpoints.is_empty()),
        verdict,
        trace: (!trace.is_empty()).then(|| trace_lines(trace)),
    }
}

fn sample(sample: &sim::kernel::ClockSample) -> ClockSample {
    ClockSample {
        at_ns: sample.at.as_ns(),
        node: sample.node.0,
        error_ns: sample.error_ns,
        bound_ns: sample.bound.as_ns(),
    }
}

fn switches(family: &Family) -> Vec<SwitchRecord> {
    let FamilyKind::Switch { history, .. } = &family.kind else { return Vec::new() };
    let versions = history.publications.iter().map(|publication| SwitchRecord::Version {
        version: publication.version,
        published_at_ns: publication.committed_ns,
        start_at_ns: publication.start_ns,
    });
    let adoptions = history.adoptions.iter().map(|adoption| SwitchRecord::Switch {
        version: adoption.version,
        node: adoption.node,
        at_ns: adoption.at_ns,
        local_ns: adoption.local_ns,
    });
    versions.chain(adoptions).collect()
}
