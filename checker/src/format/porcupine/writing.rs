//! Operations as users of Porcupine write them, an object a line.
//!
//! Times are the positions of the events: what overlapped overlaps, and nothing else is said. Operations that
//! did not happen are left out.

use std::io::{self, Write as _};

use serde_json::{Map, Value as Json, json};

use crate::history::{OperationOf, Outcome};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value, symbol};
use crate::spec::text::{Text, TextAnswer, TextCall};

/// Writes the operations of a family.
///
/// # Errors
/// If `output` fails, or if the format has no words for the model.
pub fn write(family: &Family, output: impl io::Write) -> io::Result<()> {
    let mut output = io::BufWriter::new(output);
    match &family.kind {
        FamilyKind::Register { history, .. } if is_alone(history) => {
            lines(history, register, Keys::LeftOut, &mut output)
        }
        FamilyKind::Register { history, .. } | FamilyKind::KeyValue { history, .. } => {
            lines(history, register, Keys::Written, &mut output)
        }
        FamilyKind::Text { history, .. } => lines(history, text, Keys::Written, &mut output),
        FamilyKind::Counter { .. }
        | FamilyKind::Tally { .. }
        | FamilyKind::AppendLog { .. }
        | FamilyKind::Mutex { .. }
        | FamilyKind::MultiRegister { .. }
        | FamilyKind::Revisions { .. }
        | FamilyKind::Table { .. }
        | FamilyKind::Capacity { .. }
        | FamilyKind::Kinds { .. }
        | FamilyKind::Switch { .. }
        | FamilyKind::Log(_)
        | FamilyKind::Reads(_)
        | FamilyKind::Records(_) => {
            let (name, model) = (&family.name, family.kind.model());
            let told = format!(
                "{name}: model {model} has no words in this format, which holds registers and keys; expected jsonl"
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, told))
        }
    }?;
    output.flush()
}

/// The initial value that the reader of the file must be given, for the format cannot say it.
pub fn initial_to_give(kind: &FamilyKind) -> Option<String> {
    let shown = |value: Value| value.map_or("nil".to_owned(), |value| value.to_string());
    match kind {
        FamilyKind::Register { spec, history } => {
            let default = if is_alone(history) { Some(0) } else { None };
            (spec.initial != default).then(|| shown(spec.initial))
        }
        FamilyKind::KeyValue { spec, .. } => spec.initial.is_some().then(|| shown(spec.initial)),
        FamilyKind::Text { spec, .. } => (!spec.initial.is_empty()).then(|| spec.initial.to_string()),
        FamilyKind::Counter { .. }
        | FamilyKind::Tally { .. }
        | FamilyKind::AppendLog { .. }
        | FamilyKind::Mutex { .. }
        | FamilyKind::MultiRegister { .. }
        | FamilyKind::Revisions { .. }
        | FamilyKind::Table { .. }
        | FamilyKind::Capacity { .. }
        | FamilyKind::Kinds { .. }
        | FamilyKind::Switch { .. }
        | FamilyKind::Log(_)
        | FamilyKind::Reads(_)
        | FamilyKind::Records(_) => None,
    }
}

/// Whether there is one register only, which needs no key.
fn is_alone(history: &KeyedHistory<Register>) -> bool {
    history.parts().len() <= 1
}

/// Whether inputs name their objects: a register that is alone needs no name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Written,
    LeftOut,
}

/// What stands in an input and an output.
struct Said {
    input: Map<String, Json>,
    output: Json,
}

/// The words for an operation of a model.
type Words<S> = fn(&OperationOf<S>) -> Said;

fn lines<S: Spec>(
    history: &KeyedHistory<S>,
    words: Words<S>,
    keys: Keys,
    output: &mut impl io::Write,
) -> io::Result<()> {
    for (key, operation) in history.by_invocation() {
        let Said { mut input, output: told } = words(operation);
        if keys == Keys::Written {
            input.insert("key".to_owned(), key.into());
        }
        let line = json!({
            "client": operation.client.0,
            "call": operation.invoked,
            "return": operation.returned,
            "input": input,
            "output": told,
        });
        serde_json::to_writer(&mut *output, &line)?;
        output.write_all(b"\n")?;
    }
    Ok(())
}

fn said(input: Json, output: Json) -> Said {
    let input = match input {
        Json::Object(fields) => fields,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    };
    Said { input, output }
}

/// A value, which may be a string that has a number here.
fn plain(value: Value) -> Json {
    let Some(number) = value else { return Json::Null };
    match symbol::text(number) {
        Some(text) => serde_json::from_str(&text).unwrap_or_else(|_| Json::String(text.to_string())),
        None => number.into(),
    }
}

fn register(operation: &OperationOf<Register>) -> Said {
    let input = match operation.call {
        RegisterCall::Read => json!({"op": "read"}),
        RegisterCall::Write(value) => json!({"op": "write", "value": plain(value)}),
        RegisterCall::CompareAndSet { expected, new } => {
            json!({"op": "cas", "from": plain(expected), "to": plain(new)})
        }
    };
    let output = match operation.outcome {
        Outcome::Unknown => Json::Null,
        Outcome::Answered(RegisterAnswer::Value(value)) => json!({"value": plain(value)}),
        Outcome::Answered(RegisterAnswer::Done) => json!({"ok": true}),
        Outcome::Answered(RegisterAnswer::Mismatch) => json!({"ok": false}),
    };
    said(input, output)
}

fn text(operation: &OperationOf<Text>) -> Said {
    let input = match &operation.call {
        TextCall::Get => json!({"op": "get"}),
        TextCall::Put(text) => json!({"op": "put", "value": &**text}),
        TextCall::Append(text) => json!({"op": "append", "value": &**text}),
    };
    let output = match &operation.outcome {
        Outcome::Unknown => Json::Null,
        Outcome::Answered(TextAnswer::Found(text)) => json!({"value": &**text}),
        Outcome::Answered(TextAnswer::Done) => json!({"ok": true}),
    };
    said(input, output)
}
