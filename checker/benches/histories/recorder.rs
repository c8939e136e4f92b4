//! Who takes down the events of a generator, in the order in which they happen.

use counterclock_checker::history::{Builder, ClientId, History};
use counterclock_checker::keyed::{KeyedBuilder, KeyedHistory};
use counterclock_checker::spec::Spec;

/// A question to one object.
pub(crate) struct Question<'a, S: Spec> {
    /// The name of the object.
    pub(crate) key: &'a str,
    /// What is asked.
    pub(crate) call: &'a S::Call,
}

/// Takes down events. A generator keeps the rules of a history, so nothing can fail.
pub(crate) trait Recorder<S: Spec> {
    /// A client asks.
    fn invoke(&mut self, client: ClientId, question: &Question<'_, S>);
    /// Its question is answered.
    fn answer(&mut self, client: ClientId, question: &Question<'_, S>, answer: &S::Answer);
    /// It will never know; it asks nothing more.
    fn unknown(&mut self, client: ClientId, question: &Question<'_, S>);
}

const RULES: &str = "a generator lets each client do one thing at a time";

impl<S: Spec> Recorder<S> for Builder<S> {
    fn invoke(&mut self, client: ClientId, question: &Question<'_, S>) {
        Self::invoke(self, client, question.call.clone(), 0).expect(RULES);
    }

    fn answer(&mut self, client: ClientId, _question: &Question<'_, S>, answer: &S::Answer) {
        Self::answer(self, client, answer.clone(), 0).expect(RULES);
    }

    fn unknown(&mut self, client: ClientId, _question: &Question<'_, S>) {
        Self::unknown(self, client).expect(RULES);
    }
}

impl<S: Spec> Recorder<S> for KeyedBuilder<S> {
    fn invoke(&mut self, client: ClientId, question: &Question<'_, S>) {
        Self::invoke(self, client, question.key, question.call.clone(), 0).expect(RULES);
    }

    fn answer(&mut self, client: ClientId, _question: &Question<'_, S>, answer: &S::Answer) {
        Self::answer(self, client, answer.clone(), 0).expect(RULES);
    }

    fn unknown(&mut self, client: ClientId, _question: &Question<'_, S>) {
        Self::unknown(self, client).expect(RULES);
    }
}

/// The history of one object.
pub(crate) fn single<S: Spec>(generate: impl FnOnce(&mut Builder<S>)) -> History<S> {
    let mut builder = Builder::default();
    generate(&mut builder);
    builder.finish()
}

/// The histories of several.
pub(crate) fn keyed<S: Spec>(generate: impl FnOnce(&mut KeyedBuilder<S>)) -> KeyedHistory<S> {
    let mut builder = KeyedBuilder::default();
    generate(&mut builder);
    builder.finish()
}
