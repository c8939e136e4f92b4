//! What each way of deciding about slots costs: one calm run each of the capacity service, evenly spread and on one slot.
//!
//! `cargo run --release --example baselines` prints the table of `docs/systems.md`.

use std::io::{self, Write};
use std::sync::Arc;

use checker::judge::FamilyKind;
use checker::keyed::KeyedHistory;
use checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};
use scenarios::plan::Build;
use scenarios::runner::Run;
use scenarios::{runner, scenario};

const COUNTERS: [&str; 4] = ["sharded", "singleton", "compare-and-set", "stream"];
const SPREADS: [&str; 2] = ["even", "hot"];
const SEED: u64 = 1;

/// The figures of one run.
struct Figures {
    accepted: usize,
    unanswered: usize,
    /// How long reservations took, shortest first. Unit: ns.
    durations: Vec<u64>,
    /// Appends that the journal refused, because something had come between.
    conflicts: usize,
    messages: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    writeln!(out, "| counter | spread | accepted | unanswered | p50 ms | p99 ms | conflicts | messages |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    for counter in COUNTERS {
        for spread in SPREADS {
            let Figures { accepted, unanswered, durations, conflicts, messages } =
                figures(&run(counter, spread)?);
            let [p50, p99] = [50, 99].map(|percent| milliseconds(&durations, percent));
            writeln!(
                out,
                "| {counter} | {spread} | {accepted} | {unanswered} | {p50} | {p99} | {conflicts} | {messages} |"
            )?;
        }
    }
    Ok(())
}

fn run(counter: &str, spread: &str) -> Result<Run, Box<dyn std::error::Error>> {
    let settings = [
        "faults=[]".to_owned(),
        "workload.requests-per-s=100".to_owned(),
        format!("counter={counter}"),
        format!("workload.spread={spread}"),
    ];
    let scenario = Arc::new(scenario::load("capacity", &settings)?);
    Ok(runner::run(runner::plan_for(&scenario, SEED, Build::default()), true)?)
}

fn figures(run: &Run) -> Figures {
    let slots = run.families.iter().find_map(|family| match &family.kind {
        FamilyKind::Capacity { history, .. } => Some(history),
        _ => None,
    });
    let (mut durations, mut accepted, mut unanswered) = (Vec::new(), 0, 0);
    for operation in slots.into_iter().flat_map(operations) {
        if let CapacityCall::Reserve { .. } = operation.call {
            accepted += usize::from(matches!(operation.answer(), Some(CapacityAnswer::Accepted(_))));
            unanswered += usize::from(operation.returned_at.is_none());
            durations.extend(operation.returned_at.map(|at| at - operation.invoked_at));
        }
    }
    durations.sort_unstable();
    let is_refusal = |what: &str| what.starts_with("takes refused");
    let conflicts = run.evidence.trace.iter().filter(|event| is_refusal(&event.what)).count();
    Figures { accepted, unanswered, durations, conflicts, messages: run.verdict.messages }
}

type Operation = checker::history::Operation<CapacityCall, CapacityAnswer>;

fn operations(history: &KeyedHistory<Capacity>) -> impl Iterator<Item = &Operation> {
    history.parts().values().flat_map(|part| part.operations())
}

/// The duration that so many of a hundred do not exceed, with one decimal.
fn milliseconds(durations: &[u64], percent: usize) -> String {
    let Some(last) = durations.len().checked_sub(1) else { return "-".to_owned() };
    let tenths = durations[last * percent / 100] / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
