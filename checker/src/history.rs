//! What clients asked of one object and what they were told, in the order in which it happened.
//!
//! ```text
//!   invoke ──► open ──answer──────────► answered
//!                └────did_not_happen──► dropped: no trace in the operations
//!                └────unknown, or never closed ► unknown: may take effect later, once, or never
//! ```

mod places;

use std::fmt;
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::spec::Spec;

pub use places::SourcePlace;
use places::{End, Places};

/// A process: it asks one thing at a time, and nothing more after an unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub u64);

impl ClientId {
    /// No client, but who recorded the history: it writes what reads of others are to be held against.
    pub const RECORDER: Self = Self(u64::MAX);
}

/// The number of an operation: how many were invoked before it, dropped ones included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationIndex(pub u32);

/// How an operation ended, as far as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// The client was told this.
    Answered(A),
    /// It may take effect at any time after its invocation, once, or never.
    Unknown,
}

/// One question of one client, with its interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<C, A> {
    /// Its number in the history, also when the history is a part of a larger one.
    pub number: OperationIndex,
    /// Who asked.
    pub client: ClientId,
    /// What was asked.
    pub call: C,
    /// What was answered.
    pub outcome: Outcome<A>,
    /// Position of the invocation among all events: real-time order.
    pub invoked: u64,
    /// Position of the answer; none if unknown.
    pub returned: Option<u64>,
    /// True time of the invocation in ns; 0 where the source has no time.
    pub invoked_at: u64,
    /// True time of the answer in ns; none if unknown.
    pub returned_at: Option<u64>,
}

impl<C, A> Operation<C, A> {
    /// What was answered, if that is known.
    pub fn answer(&self) -> Option<&A> {
        match &self.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Unknown => None,
        }
    }
}

/// An operation that certainly did not happen; kept so that a history can be written again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped<C> {
    /// Its number.
    pub number: OperationIndex,
    /// Who asked.
    pub client: ClientId,
    /// What was asked.
    pub call: C,
    /// Positions of its two events.
    pub positions: (u64, u64),
    /// True times of its two events, in ns.
    pub instants: (u64, u64),
}

/// The operations on one object of a model, or on several, sorted by invocation.
pub struct History<S: Spec> {
    pub(crate) operations: Vec<OperationOf<S>>,
    pub(crate) dropped: Vec<Dropped<S::Call>>,
    /// Common to all objects that were built together.
    places: Option<Arc<Places>>,
}

/// An operation of a specification.
pub type OperationOf<S> = Operation<<S as Spec>::Call, <S as Spec>::Answer>;

/// Why a list of events is not a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A client asked again before its previous question was answered.
    #[error("client {client} asks at event {position} while its operation {open} is still open")]
    Overlap {
        /// The impatient client.
        client: ClientId,
        /// When it asked again: the position of the event.
        position: u64,
        /// The operation still open.
        open: OperationIndex,
    },
    /// An answer to a client that has not asked.
    #[error("client {client} gets an answer at event {position} but has nothing open")]
    NotInvoked {
        /// The client.
        client: ClientId,
        /// The position of the answer.
        position: u64,
    },
    /// A client goes on after an operation of unknown outcome.
    #[error(
        "client {client} goes on at event {position} though the outcome of its operation {unknown} is unknown"
    )]
    AfterUnknown {
        /// The client, which should have got a new number.
        client: ClientId,
        /// The position of the event.
        position: u64,
        /// The operation of unknown outcome.
        unknown: OperationIndex,
    },
    /// An answer that does not belong to the question.
    #[error(
        "client {client} gets an answer at event {position} that does not fit its question, operation {open}"
    )]
    WrongAnswer {
        /// The client.
        client: ClientId,
        /// The position of the answer.
        position: u64,
        /// The question.
        open: OperationIndex,
    },
}

impl<S: Spec> History<S> {
    /// All operations, sorted by invocation, hence by number.
    pub fn operations(&self) -> &[OperationOf<S>] {
        &self.operations
    }

    /// The operations that did not happen.
    pub fn dropped(&self) -> &[Dropped<S::Call>] {
        &self.dropped
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Where an operation stands in [`operations`](Self::operations).
    pub fn find(&self, number: OperationIndex) -> Option<usize> {
        self.operations.binary_search_by_key(&number, |operation| operation.number).ok()
    }

    /// Where the file records the invocation of an operation and its response, if the history is of a file.
    pub fn place_of(&self, number: OperationIndex) -> Option<(SourcePlace, Option<SourcePlace>)> {
        self.places.as_ref()?.of(number)
    }

    /// A history that was read from no file.
    pub(crate) fn of(operations: Vec<OperationOf<S>>, dropped: Vec<Dropped<S::Call>>) -> Self {
        Self { operations, dropped, places: None }
    }

    /// These operations of the history, with their places.
    pub(crate) fn with(&self, operations: Vec<OperationOf<S>>) -> Self {
        Self { operations, dropped: Vec::new(), places: self.places.clone() }
    }

    /// How many operations have an unknown outcome.
    pub fn unknown_count(&self) -> usize {
        self.operations.iter().filter(|operation| operation.returned.is_none()).count()
    }
}

/// The last operation of a client: its place in the list, and whether it is still open.
#[derive(Clone, Copy)]
struct Last {
    place: usize,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
    Unknown,
}

/// Makes a history from its events, given in the order in which they happened.
pub struct Builder<S: Spec> {
    operations: Vec<OperationOf<S>>,
    dropped: Vec<Dropped<S::Call>>,
    is_dropped: Vec<bool>,
    last: HashMap<ClientId, Last, FxBuildHasher>,
    position: u64,
    /// Where the next event is recorded.
    at: Option<SourcePlace>,
    places: Option<Places>,
}

impl<S: Spec> Default for Builder<S> {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            dropped: Vec::new(),
            is_dropped: Vec::new(),
            last: HashMap::default(),
            position: 0,
            at: None,
            places: None,
        }
    }
}

impl<S: Spec> Builder<S> {
    /// The events that follow are recorded here in the file.
    pub fn at(&mut self, place: SourcePlace) {
        self.at = Some(place);
    }

    /// A client asks.
    ///
    /// # Errors
    /// If its previous operation is open or of unknown outcome.
    pub fn invoke(
        &mut self,
        client: ClientId,
        call: S::Call,
        at_ns: u64,
    ) -> Result<OperationIndex, HistoryError> {
        let position = self.position;
        if let Some(last) = self.last.get(&client) {
            let number = self.operations[last.place].number;
            match last.phase {
                Phase::Open => return Err(HistoryError::Overlap { client, position, open: number }),
                Phase::Unknown => {
                    return Err(HistoryError::AfterUnknown { client, position, unknown: number });
                }
                Phase::Closed => {}
            }
        }
        let place = self.operations.len();
        let number =
            OperationIndex(u32::try_from(place).expect("a history of 2^32 operations does not fit memory"));
        self.operations.push(Operation {
            number,
            client,
            call,
            outcome: Outcome::Unknown,
            invoked: position,
            returned: None,
            invoked_at: at_ns,
            returned_at: None,
        });
        self.is_dropped.push(false);
        self.note(place, End::Invocation);
        self.last.insert(client, Last { place, phase: Phase::Open });
        self.position += 1;
        Ok(number)
    }

    /// The open operation of a client is answered.
    ///
    /// # Errors
    /// If it has none, or the answer does not fit the question.
    pub fn answer(&mut self, client: ClientId, answer: S::Answer, at_ns: u64) -> Result<(), HistoryError> {
        let place = self.open_of(client)?;
        let operation = &mut self.operations[place];
        if !S::fits(&operation.call, &answer) {
            let (position, open) = (self.position, operation.number);
            return Err(HistoryError::WrongAnswer { client, position, open });
        }
        operation.outcome = Outcome::Answered(answer);
        operation.returned = Some(self.position);
        operation.returned_at = Some(at_ns);
        self.close(client, place, Phase::Closed);
        self.position += 1;
        Ok(())
    }

    /// The open operation of a client certainly did not happen: it is dropped, the client goes on.
    ///
    /// # Errors
    /// If the client has nothing open.
    pub fn did_not_happen(&mut self, client: ClientId, at_ns: u64) -> Result<(), HistoryError> {
        let place = self.open_of(client)?;
        let operation = &self.operations[place];
        self.dropped.push(Dropped {
            number: operation.number,
            client,
            call: operation.call.clone(),
            positions: (operation.invoked, self.position),
            instants: (operation.invoked_at, at_ns),
        });
        self.is_dropped[place] = true;
        self.close(client, place, Phase::Closed);
        self.position += 1;
        Ok(())
    }

    /// The client gave up on its open operation; it may never ask again.
    ///
    /// # Errors
    /// If it has nothing open.
    pub fn unknown(&mut self, client: ClientId) -> Result<(), HistoryError> {
        let place = self.open_of(client)?;
        self.close(client, place, Phase::Unknown);
        Ok(())
    }

    /// The history; what is still open is of unknown outcome.
    pub fn finish(self) -> History<S> {
        let Self { mut operations, mut dropped, is_dropped, mut places, .. } = self;
        if !dropped.is_empty() {
            operations.retain(|operation| !is_dropped[operation.number.0 as usize]);
            dropped.sort_by_key(|dropped| dropped.number);
        }
        places.iter_mut().for_each(Places::shrink);
        History { operations, dropped, places: places.map(Arc::new) }
    }

    /// The position of the next event.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// What the client has open asks.
    pub(crate) fn open_call(&self, client: ClientId) -> Result<&S::Call, HistoryError> {
        Ok(&self.operations[self.open_of(client)?].call)
    }

    /// The number of what the client has open.
    pub(crate) fn open_number(&self, client: ClientId) -> Result<OperationIndex, HistoryError> {
        Ok(self.operations[self.open_of(client)?].number)
    }

    fn close(&mut self, client: ClientId, place: usize, phase: Phase) {
        self.note(place, End::Response);
        self.last.insert(client, Last { place, phase });
    }

    /// Keeps where an event of the operation at `place` is recorded.
    fn note(&mut self, place: usize, end: End) {
        if let Some(at) = self.at {
            self.places.get_or_insert_default().set(self.operations[place].number, end, at);
        }
    }

    fn open_of(&self, client: ClientId) -> Result<usize, HistoryError> {
        let position = self.position;
        match self.last.get(&client) {
            Some(Last { place, phase: Phase::Open }) => Ok(*place),
            Some(Last { place, phase: Phase::Unknown }) => {
                let unknown = self.operations[*place].number;
                Err(HistoryError::AfterUnknown { client, position, unknown })
            }
            Some(Last { phase: Phase::Closed, .. }) | None => {
                Err(HistoryError::NotInvoked { client, position })
            }
        }
    }
}

impl<S: Spec> Clone for History<S> {
    fn clone(&self) -> Self {
        let Self { operations, dropped, places } = self;
        Self { operations: operations.clone(), dropped: dropped.clone(), places: places.clone() }
    }
}

/// Histories are equal wherever they are recorded.
impl<S: Spec> PartialEq for History<S> {
    fn eq(&self, other: &Self) -> bool {
        self.operations == other.operations && self.dropped == other.dropped
    }
}

impl<S: Spec> fmt::Debug for History<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.operations).finish()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for OperationIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
