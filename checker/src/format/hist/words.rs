//! The words for the operations of each model.

mod counter;
mod log;
mod register;
mod transaction;

pub(super) use counter::{AddAndRead, Increment};
pub(super) use register::{Keys, Registers};

use super::ASKED;
use crate::format::FormatError;
use crate::format::text::{Token, Tokens};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};

pub(super) type CallOf<W> = <<W as Words>::Model as Spec>::Call;
pub(super) type AnswerOf<W> = <<W as Words>::Model as Spec>::Answer;
pub(super) type HistoryOf<W> = KeyedHistory<<W as Words>::Model>;

/// A model whose operations have words in this format.
pub(super) trait Words {
    /// What the words mean.
    type Model: Spec;

    /// Whether a key stands after the name of each operation.
    const IS_KEYED: bool = false;

    /// The names of its operations; and how an error lists them.
    const NAMES: (&'static [&'static str], &'static str);

    /// The question that `name`, one of the names, and the words after it ask.
    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<CallOf<Self>, FormatError>;

    /// The word for a question.
    fn name(call: &CallOf<Self>) -> &'static str;

    /// Whether its answer is a value.
    fn is_answered_by_value(call: &CallOf<Self>) -> bool;

    /// The answer on an `o` line.
    fn answer(
        asked: &CallOf<Self>,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<AnswerOf<Self>, FormatError>;

    /// The answer on an `f` line, if that is one; else the operation did not happen.
    fn refused(_asked: &CallOf<Self>) -> Option<AnswerOf<Self>> {
        None
    }

    /// Whether `name` is one of the names.
    fn check_name(name: Token<'_>) -> Result<(), FormatError> {
        let (names, listed) = Self::NAMES;
        if names.contains(&name.text) { Ok(()) } else { Err(name.unexpected(listed)) }
    }
}

/// What follows an end: nothing, or the question again.
pub(super) fn repeated<W: Words>(
    asked: &CallOf<W>,
    name: Token<'_>,
    words: &mut Tokens<'_>,
) -> Result<(), FormatError> {
    let first = words.peek();
    if first.text.is_empty() {
        return Ok(());
    }
    let again = W::call(name, words)?;
    if again == *asked { words.end() } else { Err(first.unexpected(ASKED)) }
}

impl Words for Mutex {
    type Model = Self;
    const NAMES: (&'static [&'static str], &'static str) = (&["acquire", "release"], "acquire or release");

    fn call(name: Token<'_>, _words: &mut Tokens<'_>) -> Result<MutexCall, FormatError> {
        Ok(if name.text == "acquire" { MutexCall::Acquire } else { MutexCall::Release })
    }

    fn name(call: &MutexCall) -> &'static str {
        match call {
            MutexCall::Acquire => "acquire",
            MutexCall::Release => "release",
        }
    }

    fn is_answered_by_value(_call: &MutexCall) -> bool {
        false
    }

    fn answer(
        asked: &MutexCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<MutexAnswer, FormatError> {
        repeated::<Self>(asked, name, words)?;
        words.end()?;
        Ok(MutexAnswer::Done)
    }
}
