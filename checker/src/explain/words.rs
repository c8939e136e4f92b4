//! Operations in words, named as the file names them: line, `:index`, instants.

use crate::history::{ClientId, History, OperationIndex, OperationOf, SourcePlace};
use crate::instants::{interval, seconds};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;

/// Operations named in an explanation; of a larger part only the count is given.
const NAMED_COUNT_MAX: usize = 12;

/// What knows where a file records an operation.
pub(crate) trait Located {
    /// The places of its invocation and its response.
    fn place_of(&self, number: OperationIndex) -> Option<Places>;
}

/// The places of an invocation and of its response.
pub(crate) type Places = (SourcePlace, Option<SourcePlace>);

impl<S: Spec> Located for History<S> {
    fn place_of(&self, number: OperationIndex) -> Option<Places> {
        self.place_of(number)
    }
}

impl<S: Spec> Located for KeyedHistory<S> {
    fn place_of(&self, number: OperationIndex) -> Option<Places> {
        self.place_of(number)
    }
}

/// A list of `count` operations in words; of many, only the first are named.
pub(crate) fn listed(words: impl Iterator<Item = String>, count: usize) -> String {
    let mut words: Vec<String> = words.take(NAMED_COUNT_MAX).collect();
    if count > NAMED_COUNT_MAX {
        words.push(format!("and {} more", count - NAMED_COUNT_MAX));
    }
    format!("{{{}}}", words.join("; "))
}

/// An operation with its client, values, places and instants; `key` where there are several objects.
pub(crate) fn in_words<S: Spec>(
    located: &dyn Located,
    operation: &OperationOf<S>,
    key: Option<&str>,
) -> String {
    let place = located.place_of(operation.number);
    let mut notes: Vec<String> = place.iter().map(|place| recorded(*place)).collect();
    match (times(operation), place) {
        (Some(times), _) => notes.push(times),
        (None, Some((from, Some(to)))) if from.line != to.line || from.index.is_some() => {}
        (None, Some((_, None))) => {}
        // One line for all: only the order of events tells them apart.
        (None, _) => notes.push(positions(operation)),
    }
    noted(&asked::<S>(operation, key), &notes)
}

/// The same as short as can be: without instants where the file's lines tell the operation.
pub(crate) fn short<S: Spec>(located: &dyn Located, operation: &OperationOf<S>, key: Option<&str>) -> String {
    match located.place_of(operation.number) {
        Some((from, Some(to))) if from.line != to.line => {
            noted(&asked::<S>(operation, key), &[format!("lines {} and {}", from.line, to.line)])
        }
        Some((from, None)) => noted(&asked::<S>(operation, key), &[format!("line {}", from.line)]),
        Some(_) | None => in_words::<S>(located, operation, key),
    }
}

/// Whose operation it is, such as `client 3's`.
pub(super) fn owner(client: ClientId) -> String {
    if client == ClientId::RECORDER { "the recorder's".to_owned() } else { format!("client {client}'s") }
}

/// Lines and indexes: `lines 117 and 118, :index 116 and 117`.
pub(super) fn recorded((invocation, response): Places) -> String {
    let response = response.unwrap_or(invocation);
    let lines = match (invocation.line, response.line) {
        (one, other) if one == other => format!("line {one}"),
        (one, other) => format!("lines {one} and {other}"),
    };
    match (invocation.index, response.index) {
        (Some(one), Some(other)) if one != other => format!("{lines}, :index {one} and {other}"),
        (Some(one), _) | (None, Some(one)) => format!("{lines}, :index {one}"),
        (None, None) => lines,
    }
}

fn asked<S: Spec>(operation: &OperationOf<S>, key: Option<&str>) -> String {
    let key = key.map(|key| format!(" on {key}")).unwrap_or_default();
    let described = S::describe(&operation.call, operation.answer());
    let owner = owner(operation.client);
    // Notes such as `(refused)` stay at the end.
    match described.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((words, note)) => format!("{owner} {words}{key} ({note})"),
        None => format!("{owner} {described}{key}"),
    }
}

/// Adds notes in brackets, to those that are there.
fn noted(words: &str, notes: &[String]) -> String {
    let notes = notes.join("; ");
    match words.strip_suffix(')') {
        _ if notes.is_empty() => words.to_owned(),
        Some(open) => format!("{open}; {notes})"),
        None => format!("{words} ({notes})"),
    }
}

/// True times; none where the source has none.
fn times<C, A>(operation: &crate::history::Operation<C, A>) -> Option<String> {
    match (operation.invoked_at, operation.returned_at) {
        (0, Some(0) | None) => None,
        (from, Some(to)) => Some(interval(from, to)),
        (from, None) => Some(format!("from {}", seconds(from))),
    }
}

/// Positions among all events.
fn positions<C, A>(operation: &crate::history::Operation<C, A>) -> String {
    match operation.returned {
        Some(returned) => format!("events {} to {returned}", operation.invoked),
        None => format!("from event {}", operation.invoked),
    }
}
