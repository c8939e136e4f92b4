//! Where events go: the builder of one object, or of objects under keys.

use crate::history::{Builder, ClientId, HistoryError, SourcePlace};
use crate::keyed::{KeyedBuilder, KeyedHistory};
use crate::spec::Spec;

/// Takes events in the order in which they happened. See [`Builder`].
pub(super) trait Sink<S: Spec>: Default {
    /// The events that follow are recorded here.
    fn at(&mut self, place: SourcePlace);

    fn invoke(&mut self, client: ClientId, key: &str, call: S::Call, at_ns: u64) -> Result<(), HistoryError>;

    fn answer(&mut self, client: ClientId, answer: S::Answer, at_ns: u64) -> Result<(), HistoryError>;

    fn did_not_happen(&mut self, client: ClientId, at_ns: u64) -> Result<(), HistoryError>;

    fn unknown(&mut self, client: ClientId) -> Result<(), HistoryError>;

    /// What the client has open asks.
    fn open_call(&self, client: ClientId) -> Result<&S::Call, HistoryError>;

    /// Whether what the client has open is asked of the object `key`.
    fn is_open_on(&self, client: ClientId, key: &str) -> bool;

    /// The histories; `name` is the key of an object that has none.
    fn finish(self, name: &str) -> KeyedHistory<S>;
}

impl<S: Spec> Sink<S> for Builder<S> {
    fn at(&mut self, place: SourcePlace) {
        self.at(place);
    }

    fn invoke(
        &mut self,
        client: ClientId,
        _key: &str,
        call: S::Call,
        at_ns: u64,
    ) -> Result<(), HistoryError> {
        self.invoke(client, call, at_ns).map(|_| ())
    }

    fn answer(&mut self, client: ClientId, answer: S::Answer, at_ns: u64) -> Result<(), HistoryError> {
        self.answer(client, answer, at_ns)
    }

    fn did_not_happen(&mut self, client: ClientId, at_ns: u64) -> Result<(), HistoryError> {
        self.did_not_happen(client, at_ns)
    }

    fn unknown(&mut self, client: ClientId) -> Result<(), HistoryError> {
        self.unknown(client)
    }

    fn open_call(&self, client: ClientId) -> Result<&S::Call, HistoryError> {
        self.open_call(client)
    }

    fn is_open_on(&self, _client: ClientId, _key: &str) -> bool {
        true
    }

    fn finish(self, name: &str) -> KeyedHistory<S> {
        let history = self.finish();
        let is_nothing = history.is_empty() && history.dropped().is_empty();
        if is_nothing { KeyedHistory::default() } else { KeyedHistory::single(name, history) }
    }
}

impl<S: Spec> Sink<S> for KeyedBuilder<S> {
    fn at(&mut self, place: SourcePlace) {
        self.at(place);
    }

    fn invoke(&mut self, client: ClientId, key: &str, call: S::Call, at_ns: u64) -> Result<(), HistoryError> {
        self.invoke(client, key, call, at_ns).map(|_| ())
    }

    fn answer(&mut self, client: ClientId, answer: S::Answer, at_ns: u64) -> Result<(), HistoryError> {
        self.answer(client, answer, at_ns)
    }

    fn did_not_happen(&mut self, client: ClientId, at_ns: u64) -> Result<(), HistoryError> {
        self.did_not_happen(client, at_ns)
    }

    fn unknown(&mut self, client: ClientId) -> Result<(), HistoryError> {
        self.unknown(client)
    }

    fn open_call(&self, client: ClientId) -> Result<&S::Call, HistoryError> {
        self.open_call(client)
    }

    fn is_open_on(&self, client: ClientId, key: &str) -> bool {
        self.is_open_on(client, key)
    }

    fn finish(self, _name: &str) -> KeyedHistory<S> {
        self.finish()
    }
}
