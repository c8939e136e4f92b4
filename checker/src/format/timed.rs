//! Operations that say when they began and ended, put in the order of their events.
//!
//! ```text
//!   a  1 ──────── 5            a begins, b begins, a ends, a begins again, b ends:
//!   a             5 ──── 9     what touches overlaps, but for operations of one client
//!   b       3 ─── 5
//! ```
//!
//! Of events at one instant, those that begin come first: then the operations overlap, which allows more
//! orders and never fewer. A client's own operations follow one another even so. Where two clients at once
//! end one operation and begin another at the same instant, no order of events says exactly this: the
//! second one's next operation is then taken to be of a client of its own, so that it may come earlier.

use std::collections::BTreeMap;

use super::sink::Sink;
use super::{FormatError, Found, Place};
use crate::history::{ClientId, HistoryError, SourcePlace};
use crate::spec::Spec;

/// An operation with its interval.
pub(super) struct Timed<S: Spec> {
    /// Who asks; without one, the operation is the only one of its client.
    pub(super) client: Option<u64>,
    pub(super) key: String,
    pub(super) call: S::Call,
    pub(super) end: TimedEnd<S::Answer>,
    pub(super) called: i64,
    pub(super) place: Place,
    /// Which of the files it is from.
    pub(super) file: usize,
}

/// How an operation ended.
pub(super) enum TimedEnd<A> {
    /// With this answer, at this instant.
    Answered(A, i64),
    Unknown,
}

/// An error in one of several files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InFile {
    pub(super) file: usize,
    pub(super) error: FormatError,
}

/// One event of an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: i64,
    kind: EventKind,
    index: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum EventKind {
    Begins,
    Ends,
}

/// Feeds the operations to `sink`, event by event.
///
/// # Errors
/// If one ends before it begins, or if two of one client overlap.
pub(super) fn feed<S: Spec, B: Sink<S>>(operations: Vec<Timed<S>>, sink: &mut B) -> Result<(), InFile> {
    let mut events = Vec::with_capacity(2 * operations.len());
    for (index, operation) in operations.iter().enumerate() {
        events.push(Event { at: operation.called, kind: EventKind::Begins, index });
        if let TimedEnd::Answered(_, returned) = operation.end {
            if returned < operation.called {
                return Err(too_early(operation, returned));
            }
            events.push(Event { at: returned, kind: EventKind::Ends, index });
        }
    }
    events.sort_unstable();
    let earliest = events.first().map_or(0, |event| event.at.min(0));
    let highest = operations.iter().filter_map(|operation| operation.client).max();
    let mut feeding = Feeding {
        sink,
        clients: operations.iter().map(|operation| operation.client).collect(),
        operations: operations.into_iter().map(Some).collect(),
        ends: BTreeMap::new(),
        last: BTreeMap::new(),
        next_client: highest.map_or(0, |client| client.saturating_add(1)),
        earliest,
    };
    for group in events.chunk_by(|one, other| one.at == other.at) {
        feeding.instant(group)?;
    }
    Ok(())
}

fn too_early<S: Spec>(operation: &Timed<S>, returned: i64) -> InFile {
    let found = Found::text(&returned.to_string());
    let expected = "a return that is not before the call";
    InFile {
        file: operation.file,
        error: FormatError::Unexpected { place: operation.place, found, expected },
    }
}

struct Feeding<'s, S: Spec, B> {
    sink: &'s mut B,
    clients: Vec<Option<u64>>,
    /// Those that have not begun.
    operations: Vec<Option<Timed<S>>>,
    /// The answers of those that are open, with the client they are of and where they stand.
    ends: BTreeMap<usize, (ClientId, S::Answer, Place, usize)>,
    /// By client: what it has open.
    last: BTreeMap<u64, usize>,
    next_client: u64,
    earliest: i64,
}

impl<S: Spec, B: Sink<S>> Feeding<'_, S, B> {
    /// All events of one instant.
    fn instant(&mut self, events: &[Event]) -> Result<(), InFile> {
        let at_ns = u64::try_from(i128::from(events[0].at) - i128::from(self.earliest)).unwrap_or(u64::MAX);
        let of = |kind| events.iter().filter(move |event| event.kind == kind).map(|event| event.index);
        let mut waiting = Vec::new();
        for index in of(EventKind::Begins) {
            let is_free = self.clients[index].is_none_or(|client| !self.last.contains_key(&client));
            if is_free { self.begin(index, at_ns, None)? } else { waiting.push(index) }
        }
        let is_over = |open: &usize| of(EventKind::Ends).any(|other| other == *open);
        let mut touching: Option<u64> = None;
        let mut following = Vec::new();
        for index in waiting {
            let Some(client) = self.clients[index] else { continue };
            let touches = self.last.get(&client).is_some_and(is_over);
            if touches && *touching.get_or_insert(client) != client {
                let alone = ClientId(self.new_client());
                self.begin(index, at_ns, Some(alone))?;
            } else {
                following.push((index, client));
            }
        }
        for (index, client) in following {
            // What is not over is still open, or of unknown outcome: the builder says which.
            if let Some(open) = self.last.get(&client).copied().filter(is_over) {
                self.end(open, at_ns)?;
            }
            self.begin(index, at_ns, None)?;
        }
        of(EventKind::Ends).try_for_each(|index| self.end(index, at_ns))
    }

    fn new_client(&mut self) -> u64 {
        let client = self.next_client;
        self.next_client = self.next_client.saturating_add(1);
        client
    }

    fn begin(&mut self, index: usize, at_ns: u64, alone: Option<ClientId>) -> Result<(), InFile> {
        let Some(operation) = self.operations[index].take() else { return Ok(()) };
        let Timed { client, key, call, end, place, file, .. } = operation;
        let id = match (alone, client) {
            (Some(alone), _) => alone,
            (None, Some(client)) => ClientId(client),
            (None, None) => ClientId(self.new_client()),
        };
        self.sink.at(SourcePlace::at_line(place.line));
        self.sink.invoke(id, &key, call, at_ns).map_err(|error| history(file, place, error))?;
        match end {
            TimedEnd::Answered(answer, _) => {
                if alone.is_none()
                    && let Some(client) = client
                {
                    self.last.insert(client, index);
                }
                self.ends.insert(index, (id, answer, place, file));
            }
            TimedEnd::Unknown => {
                self.sink.unknown(id).map_err(|error| history(file, place, error))?;
            }
        }
        Ok(())
    }

    fn end(&mut self, index: usize, at_ns: u64) -> Result<(), InFile> {
        let Some((id, answer, place, file)) = self.ends.remove(&index) else { return Ok(()) };
        if let Some(client) = self.clients[index]
            && self.last.get(&client) == Some(&index)
        {
            self.last.remove(&client);
        }
        self.sink.at(SourcePlace::at_line(place.line));
        self.sink.answer(id, answer, at_ns).map_err(|error| history(file, place, error))
    }
}

fn history(file: usize, place: Place, error: HistoryError) -> InFile {
    InFile { file, error: FormatError::History { place, error } }
}

#[cfg(test)]
mod tests;
