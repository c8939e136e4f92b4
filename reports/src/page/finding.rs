//! A violation and the operations that show it.

use std::collections::BTreeMap;

use checker::instants::seconds;
use checker::verdict::Violation;
use serde::Serialize;

use crate::counterexample::{Counterexample, DRAWN_MAX, Scene};
use crate::drawn::DrawnOperation;
use crate::frame::Picture;
use crate::nemesis_bands::NemesisBand;
use crate::scale::{grouped, span};
use crate::text::finding::{beside, core, on};

/// A broken promise, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    name: String,
    /// On which object, in which file.
    r#where: Option<String>,
    sentence: String,
    /// The failing part, where the sentence does not list it.
    core: Vec<String>,
    reason: Option<String>,
    beside: Vec<String>,
    steps: Vec<String>,
    prefix: Option<String>,
    drawing: Option<Picture>,
    has_stuck: bool,
    omitted: usize,
    operations: Vec<Row>,
}

/// An operation in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    number: u64,
    client: u64,
    when: String,
    label: String,
}

impl Finding {
    /// The violation of promise `name`, with the operations among `drawn` that it names.
    pub(super) fn new(
        name: &str,
        place: Option<String>,
        violation: &Violation,
        drawn: &[DrawnOperation],
        faults: &[NemesisBand],
    ) -> Self {
        let named: Vec<u64> = violation.operations.iter().map(|index| u64::from(index.0)).collect();
        let context: Vec<u64> = violation.context.iter().map(|one| u64::from(one.operation.0)).collect();
        let stuck = violation.stuck.map(|index| u64::from(index.0));
        let is_shown = |number: u64| named.contains(&number) || context.contains(&number);
        let mut operations: Vec<_> = drawn.iter().filter(|operation| is_shown(operation.number)).collect();
        operations.dedup_by_key(|operation| operation.number);
        let shown = &operations[..operations.len().min(DRAWN_MAX)];
        let lines = lines(violation);
        let scene = Scene { operations: shown, core: &named, stuck, lines: &lines, faults };
        let drawing = (!shown.is_empty()).then(|| Counterexample::new(scene).draw());
        let claim = violation.claim.as_ref().filter(|_| !violation.named.is_empty());
        let claim = claim
            .map(|claim| on(violation).map_or_else(|| claim.clone(), |key| format!("on {key}, {claim}")));
        let key = violation.key.as_ref().map(|key| format!("object {key}"));
        let place = place.into_iter().chain(key).collect::<Vec<_>>().join(", ");
        Self {
            name: name.to_owned(),
            r#where: (!place.is_empty()).then_some(place),
            core: if claim.is_some() { core(violation) } else { Vec::new() },
            reason: violation.reason.clone().filter(|_| claim.is_some()),
            beside: beside(violation),
            sentence: claim.map_or_else(|| violation.explanation.clone(), |claim| format!("{claim}:")),
            steps: violation.steps.clone(),
            prefix: prefix(violation),
            drawing,
            has_stuck: shown.iter().any(|operation| Some(operation.number) == stuck),
            omitted: operations.len() - shown.len(),
            // What is listed with its lines need not be listed again.
            operations: shown.iter().filter(|_| lines.is_empty()).map(|operation| row(operation)).collect(),
        }
    }
}

/// Where the file records operations, by number.
fn lines(violation: &Violation) -> BTreeMap<u64, String> {
    let named = violation.named.iter().filter_map(|one| {
        let words = match (one.line?, one.response_line) {
            (line, Some(response)) if response != line => format!("lines {line}, {response}"),
            (line, _) => format!("line {line}"),
        };
        Some((u64::from(one.operation.0), words))
    });
    named.collect()
}

/// How far the history could be explained.
fn prefix(violation: &Violation) -> Option<String> {
    let count = grouped(violation.legal_prefix_count? as u64);
    let words =
        |number| violation.named.iter().find(|one| one.operation == number).map(|one| one.words.clone());
    let stuck = violation.stuck.map(|stuck| words(stuck).unwrap_or_else(|| format!("operation {stuck}")));
    let stuck = stuck.map_or_else(String::new, |stuck| format!("; {stuck} was the first that could not"));
    let order = if violation.steps.is_empty() { "" } else { " The steps below are a legal order of them." };
    Some(format!("The first {count} operations to return could still be explained{stuck}.{order}"))
}

fn row(operation: &DrawnOperation) -> Row {
    let asked = seconds(operation.invoked_at_ns);
    let is_timed =
        operation.invoked_at_ns > 0 || operation.latency_ns().is_some_and(|latency_ns| latency_ns > 0);
    let when = match (operation.returned, operation.latency_ns()) {
        (Some(returned), _) if !is_timed => format!("events {} to {returned}", operation.invoked),
        (None, _) if !is_timed => format!("event {}, never answered", operation.invoked),
        (_, Some(latency_ns)) => format!("asked at {asked}, answered after {}", span(latency_ns)),
        (_, None) => format!("asked at {asked}, never answered"),
    };
    Row { number: operation.number, client: operation.client, when, label: operation.label.clone() }
}
