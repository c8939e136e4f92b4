//! A violation and the operations that show it.

use checker::verdict::Violation;
use serde::Serialize;

use crate::counterexample::{Counterexample, DRAWN_MAX};
use crate::drawn::DrawnOperation;
use crate::frame::Picture;
use crate::scale::{grouped, span};

/// A broken promise, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    name: String,
    /// On which object, in which file.
    r#where: Option<String>,
    sentence: String,
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
    ) -> Self {
        let named: Vec<u64> = violation.operations.iter().map(|index| u64::from(index.0)).collect();
        let stuck = violation.stuck.map(|index| u64::from(index.0));
        let operations: Vec<_> = drawn.iter().filter(|operation| named.contains(&operation.number)).collect();
        let shown = &operations[..operations.len().min(DRAWN_MAX)];
        let drawing = (!shown.is_empty()).then(|| Counterexample::new(shown, stuck).draw());
        let key = violation.key.as_ref().map(|key| format!("object {key}"));
        let place = place.into_iter().chain(key).collect::<Vec<_>>().join(", ");
        Self {
            name: name.to_owned(),
            r#where: (!place.is_empty()).then_some(place),
            sentence: violation.explanation.clone(),
            steps: violation.steps.clone(),
            prefix: prefix(violation),
            drawing,
            has_stuck: shown.iter().any(|operation| Some(operation.number) == stuck),
            omitted: operations.len() - shown.len(),
            operations: shown.iter().map(|operation| row(operation)).collect(),
        }
    }
}

/// How far the history could be explained.
fn prefix(violation: &Violation) -> Option<String> {
    let count = grouped(violation.legal_prefix_count? as u64);
    let stuck = violation
        .stuck
        .map_or_else(String::new, |stuck| format!("; operation {stuck} was the first that could not"));
    Some(format!("The first {count} operations to return could still be explained{stuck}."))
}

fn row(operation: &DrawnOperation) -> Row {
    let asked = span(operation.invoked_at_ns);
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
