//! What a process says to an object of a table, and hears: words.

use std::sync::Arc;

/// A question: the name of an operation, and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableCall(pub(crate) Arc<[Arc<str>]>);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TableAnswer {
    /// It is done, and that is all.
    Done,
    /// A definite no.
    Refused,
    /// It is done, and these words came back.
    Values(Arc<[Arc<str>]>),
}

impl TableCall {
    /// A question: a name first, then the arguments.
    ///
    /// # Panics
    /// If there is no word.
    pub fn new(words: &[&str]) -> Self {
        assert!(!words.is_empty(), "a question has a name");
        Self(words.iter().map(|word| Arc::from(*word)).collect())
    }

    /// The name of the operation.
    pub fn operation(&self) -> &str {
        &self.0[0]
    }

    /// What it is asked with.
    pub fn arguments(&self) -> &[Arc<str>] {
        &self.0[1..]
    }

    /// The question.
    pub(crate) fn in_words_asked(&self) -> String {
        self.0.join(" ")
    }

    /// The question and, if it has one, its answer.
    pub(crate) fn in_words(&self, answer: Option<&TableAnswer>) -> String {
        let asked = self.in_words_asked();
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(TableAnswer::Done) => asked,
            Some(TableAnswer::Refused) => format!("{asked} (refused)"),
            Some(TableAnswer::Values(words)) => format!("{asked} -> {}", words.join(" ")),
        }
    }
}
