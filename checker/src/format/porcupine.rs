//! Operations with their times, as users of Porcupine write them as JSON: an array, or one after another.
//!
//! ```text
//!   {"client":0,"call":10,"return":25,"input":{"op":"put","key":"x","value":1},"output":{"ok":true}}
//! ```
//!
//! | input | output |
//! |---|---|
//! | `{"op":"get"}` or `"read"` | `{"value":v}`, `v`; null, `{"exists":false}` or `"ErrNoKey"`: nil |
//! | `{"op":"put","value":v}` or `"write"` | anything that is no error |
//! | `{"op":"append","value":"s"}` | anything that is no error |
//! | `{"op":"cas","from":a,"to":b}`, also `old`/`new`, `arg1`/`arg2`, `"value":[a,b]` | `{"ok":true}`, `true` |
//!
//! - With a `key` in each input, objects under keys; without any, one object. Values are whole numbers, nil
//!   included, or all strings; strings are not both appended to and compared. `client` may be left out: then each operation is of a client of its own.
//! - Names are taken with a capital letter too, as Go writes them (`ClientId`, `Call`, `Input`). Operations
//!   of Go models may be numbers: with a key 0 get, 1 put, 2 append; with `arg1` and `arg2` 0 read, 1 write,
//!   2 compare-and-set; `true` and `false` of a register read and write.
//! - Times are whole numbers of any unit; operations overlap that touch. A `return` that is null or left
//!   out, `{"unknown":true}` and an error in the output mean that the outcome is unknown.
//! - Registers hold 0 at first, keys nil, strings are empty.
//!
//! Source: A. Athalye, "Porcupine: a fast linearizability checker in Go", `Operation` and the models of its
//! tests.

mod words;
mod writing;

use std::sync::Arc;

use super::json_objects::{Object, Objects};
use super::sink::Sink;
use super::source::Source;
use super::timed::{self, Timed, TimedEnd};
use super::{FormatError, Model, Options};
use crate::history::Builder;
use crate::judge::{Family, FamilyKind};
use crate::keyed::{KeyedBuilder, KeyedHistory};
use crate::spec::Spec;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value, symbol};
use crate::spec::text::{Text, TextAnswer, TextCall};
use words::{Answered, Asked, Operation, Scalar};
pub use writing::{initial_to_give, write};

/// The key of the only object.
const ALONE: &str = "register";

/// Reads the objects of a file.
///
/// # Errors
/// If an object is no operation of these words, or the operations are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Vec<Family>, FormatError> {
    let mut objects = Objects::new(source);
    let mut operations: Vec<(Operation, Object)> = Vec::new();
    let (mut has_text, mut has_numbers) = (None, None);
    while let Some(object) = objects.next()? {
        let operation = Operation::of(&object)?;
        if let Some((first, _)) = operations.first()
            && first.key.is_some() != operation.key.is_some()
        {
            let found = if operation.key.is_some() { "a key" } else { "an input without a key" };
            return Err(object.unexpected(found, "a key in each input, or in none"));
        }
        let place = object.place;
        for value in operation.values() {
            match value {
                Scalar::Text(_) => has_text = has_text.or(Some(place)),
                Scalar::Number(_) => has_numbers = has_numbers.or(Some(place)),
                Scalar::Nil => {}
            }
        }
        if has_text.is_some() && has_numbers.is_some() {
            return Err(object.unexpected("numbers and strings", "values of one kind"));
        }
        let kept = Object { place, text: String::new() };
        operations.push((operation, kept));
    }
    let is_keyed = operations.first().is_some_and(|(operation, _)| operation.key.is_some());
    let is = |wanted: fn(&Asked) -> bool| operations.iter().any(|(operation, _)| wanted(&operation.asked));
    let is_compared = is(|asked| matches!(asked, Asked::Swap(..)));
    if has_text.is_some() && !is_compared {
        let spec = Text { initial: options.text()? };
        let history = keyed(operations, text)?;
        return Ok(vec![Family { name: "kv".to_owned(), kind: FamilyKind::Text { spec, history } }]);
    }
    let kind = if is_keyed {
        let spec = Register { initial: options.register(None, Model::Kv)? };
        FamilyKind::KeyValue { spec, history: keyed(operations, register)? }
    } else {
        let spec = Register { initial: options.register(Some(0), Model::RegisterCas)? };
        let mut builder = Builder::default();
        feed(operations, register, &mut builder)?;
        FamilyKind::Register { spec, history: Sink::finish(builder, ALONE) }
    };
    let name = if is_keyed { "kv" } else { ALONE };
    Ok(vec![Family { name: name.to_owned(), kind }])
}

/// Whether a file begins with such an operation.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let text: String = String::from_utf8_lossy(head).chars().filter(|mark| !mark.is_whitespace()).collect();
    let Some(first) = text.trim_start_matches('[').strip_prefix('{') else { return false };
    let first = first.to_ascii_lowercase();
    first.contains("\"input\":") && first.contains("\"call\":")
}

/// How an operation reads in a model.
type Mapping<S> =
    fn(Operation, &Object) -> Result<(<S as Spec>::Call, Option<<S as Spec>::Answer>), FormatError>;

fn keyed<S: Spec>(
    operations: Vec<(Operation, Object)>,
    mapping: Mapping<S>,
) -> Result<KeyedHistory<S>, FormatError> {
    let mut builder = KeyedBuilder::default();
    feed(operations, mapping, &mut builder)?;
    Ok(Sink::finish(builder, ALONE))
}

fn feed<S: Spec, B: Sink<S>>(
    operations: Vec<(Operation, Object)>,
    mapping: Mapping<S>,
    sink: &mut B,
) -> Result<(), FormatError> {
    let timed = operations.into_iter().map(|(operation, object)| {
        let (client, called, returned) = (operation.client, operation.called, operation.returned);
        let key = operation.key.clone().unwrap_or_else(|| ALONE.to_owned());
        let (call, answer) = mapping(operation, &object)?;
        let end = match (answer, returned) {
            (Some(answer), Some(returned)) => TimedEnd::Answered(answer, returned),
            (_, None) | (None, _) => TimedEnd::Unknown,
        };
        Ok(Timed { client, key, call, end, called, place: object.place, file: 0 })
    });
    let timed = timed.collect::<Result<Vec<Timed<S>>, FormatError>>()?;
    timed::feed(timed, sink).map_err(|in_file| in_file.error)
}

/// An operation of a register.
fn register(
    operation: Operation,
    object: &Object,
) -> Result<(RegisterCall, Option<RegisterAnswer>), FormatError> {
    let value = |scalar: Scalar| -> Result<Value, FormatError> {
        match scalar {
            Scalar::Nil => Ok(None),
            Scalar::Number(number) if symbol::is_reserved(number) => {
                Ok(Some(symbol::of(&number.to_string())))
            }
            Scalar::Number(number) => Ok(Some(number)),
            // Compared as a whole: as good as a number.
            Scalar::Text(text) => Ok(Some(symbol::of(&format!("{text:?}")))),
        }
    };
    let call = match operation.asked {
        Asked::Read => RegisterCall::Read,
        Asked::Write(new) => RegisterCall::Write(value(new)?),
        Asked::Swap(expected, new) => {
            RegisterCall::CompareAndSet { expected: value(expected)?, new: value(new)? }
        }
        Asked::Append(text) => return Err(object.unexpected(&format!("append of {text}"), "a string")),
    };
    let answer = match operation.answered {
        Answered::Unknown => None,
        Answered::Found(found) => Some(RegisterAnswer::Value(value(found)?)),
        Answered::Done => Some(RegisterAnswer::Done),
        Answered::Refused => Some(RegisterAnswer::Mismatch),
    };
    Ok((call, answer))
}

/// An operation of a string.
fn text(operation: Operation, object: &Object) -> Result<(TextCall, Option<TextAnswer>), FormatError> {
    let string = |scalar: Scalar| -> Result<Arc<str>, FormatError> {
        match scalar {
            Scalar::Nil => Ok(Arc::default()),
            Scalar::Text(text) => Ok(text.into()),
            Scalar::Number(number) => Err(object.unexpected(&number.to_string(), "a string")),
        }
    };
    let call = match operation.asked {
        Asked::Read => TextCall::Get,
        Asked::Write(new) => TextCall::Put(string(new)?),
        Asked::Append(text) => TextCall::Append(text.into()),
        Asked::Swap(..) => {
            return Err(object.unexpected("cas", "get, put or append of strings"));
        }
    };
    let answer = match operation.answered {
        Answered::Unknown => None,
        Answered::Found(found) => Some(TextAnswer::Found(string(found)?)),
        Answered::Done => Some(TextAnswer::Done),
        Answered::Refused => return Err(object.unexpected("a refusal", "an operation that is done")),
    };
    Ok((call, answer))
}

#[cfg(test)]
mod tests;
