//! Operations on many objects of one model: one order of events, one history an object.

use std::collections::BTreeMap;
use std::fmt;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{Builder, ClientId, History, HistoryError, OperationIndex, OperationOf, SourcePlace};
use crate::spec::Spec;

/// A history for each object. Positions, numbers and clients are common to all of them.
pub struct KeyedHistory<S: Spec> {
    pub(crate) parts: BTreeMap<String, History<S>>,
}

/// Makes a keyed history from its events, given in the order in which they happened.
pub struct KeyedBuilder<S: Spec> {
    builder: Builder<S>,
    keys: HashMap<String, usize, FxBuildHasher>,
    /// Index of the key of each operation, by its number.
    key_of: Vec<usize>,
}

impl<S: Spec> Default for KeyedHistory<S> {
    fn default() -> Self {
        Self { parts: BTreeMap::new() }
    }
}

impl<S: Spec> KeyedHistory<S> {
    /// A history of one object.
    pub fn single(key: &str, history: History<S>) -> Self {
        Self { parts: BTreeMap::from([(key.to_owned(), history)]) }
    }

    /// The history of each object, by key.
    pub fn parts(&self) -> &BTreeMap<String, History<S>> {
        &self.parts
    }

    /// How many operations there are, over all objects.
    pub fn len(&self) -> usize {
        self.parts.values().map(History::len).sum()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.parts.values().all(History::is_empty)
    }

    /// The same with only these operations.
    #[cfg(test)]
    pub(crate) fn only(&self, numbers: &[OperationIndex]) -> Self {
        let mut part = self.clone();
        for history in part.parts.values_mut() {
            history.operations.retain(|operation| numbers.contains(&operation.number));
        }
        part
    }

    /// Where the file records an operation of one of the objects. See [`History::place_of`].
    pub fn place_of(&self, number: OperationIndex) -> Option<(SourcePlace, Option<SourcePlace>)> {
        let part = self.parts.values().find(|part| part.find(number).is_some())?;
        part.place_of(number)
    }

    /// All operations with their keys, by invocation.
    pub fn by_invocation(&self) -> Vec<(&str, &OperationOf<S>)> {
        let mut all: Vec<_> = self
            .parts
            .iter()
            .flat_map(|(key, part)| part.operations.iter().map(move |operation| (key.as_str(), operation)))
            .collect();
        all.sort_unstable_by_key(|(_, operation)| operation.number);
        all
    }
}

impl<S: Spec> Default for KeyedBuilder<S> {
    fn default() -> Self {
        Self { builder: Builder::default(), keys: HashMap::default(), key_of: Vec::new() }
    }
}

impl<S: Spec> KeyedBuilder<S> {
    /// See [`Builder::at`].
    pub fn at(&mut self, place: SourcePlace) {
        self.builder.at(place);
    }

    /// A client asks something of the object `key`. See [`Builder::invoke`].
    ///
    /// # Errors
    /// As [`Builder::invoke`].
    pub fn invoke(
        &mut self,
        client: ClientId,
        key: &str,
        call: S::Call,
        at_ns: u64,
    ) -> Result<OperationIndex, HistoryError> {
        let number = self.builder.invoke(client, call, at_ns)?;
        let next = self.keys.len();
        let index = match self.keys.get(key) {
            Some(&index) => index,
            None => *self.keys.entry(key.to_owned()).or_insert(next),
        };
        self.key_of.push(index);
        Ok(number)
    }

    /// See [`Builder::answer`].
    ///
    /// # Errors
    /// As [`Builder::answer`].
    pub fn answer(&mut self, client: ClientId, answer: S::Answer, at_ns: u64) -> Result<(), HistoryError> {
        self.builder.answer(client, answer, at_ns)
    }

    /// See [`Builder::did_not_happen`].
    ///
    /// # Errors
    /// As [`Builder::did_not_happen`].
    pub fn did_not_happen(&mut self, client: ClientId, at_ns: u64) -> Result<(), HistoryError> {
        self.builder.did_not_happen(client, at_ns)
    }

    /// See [`Builder::unknown`].
    ///
    /// # Errors
    /// As [`Builder::unknown`].
    pub fn unknown(&mut self, client: ClientId) -> Result<(), HistoryError> {
        self.builder.unknown(client)
    }

    /// The histories; what is still open is of unknown outcome.
    pub fn finish(self) -> KeyedHistory<S> {
        let Self { builder, keys, key_of } = self;
        let mut whole = builder.finish();
        let mut operations = std::mem::take(&mut whole.operations);
        let dropped = std::mem::take(&mut whole.dropped);
        let mut counts = vec![0; keys.len()];
        operations.iter().for_each(|operation| counts[key_of[operation.number.0 as usize]] += 1);
        let with_room = |count| whole.with(Vec::with_capacity(count));
        let mut split: Vec<History<S>> = counts.into_iter().map(with_room).collect();
        // From the last to the first, giving room back on the way: there is none for all of them twice.
        while let Some(operation) = operations.pop() {
            split[key_of[operation.number.0 as usize]].operations.push(operation);
            if operations.len() < operations.capacity() / 4 * 3 {
                operations.shrink_to_fit();
            }
        }
        split.iter_mut().for_each(|part| part.operations.reverse());
        for dropped in dropped {
            split[key_of[dropped.number.0 as usize]].dropped.push(dropped);
        }
        let mut by_index: Vec<String> = vec![String::new(); keys.len()];
        for (key, index) in keys {
            by_index[index] = key;
        }
        KeyedHistory { parts: by_index.into_iter().zip(split).collect() }
    }

    /// The position of the next event.
    pub(crate) fn position(&self) -> u64 {
        self.builder.position()
    }

    /// What the client has open asks.
    pub(crate) fn open_call(&self, client: ClientId) -> Result<&S::Call, HistoryError> {
        self.builder.open_call(client)
    }

    /// Whether what the client has open is asked of the object `key`.
    pub(crate) fn is_open_on(&self, client: ClientId, key: &str) -> bool {
        let open = self.builder.open_number(client).ok();
        open.is_some_and(|number| self.keys.get(key) == Some(&self.key_of[number.0 as usize]))
    }
}

impl<S: Spec> Clone for KeyedHistory<S> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

impl<S: Spec> PartialEq for KeyedHistory<S> {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl<S: Spec> fmt::Debug for KeyedHistory<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(formatter)
    }
}
