//! Operations as the history of a Jepsen run: a vector of maps in EDN.
//!
//! What is written is read again by [`jepsen_edn`](super::jepsen_edn), the history the same: numbers,
//! positions, times, operations that did not happen. What Jepsen has no words for stands under the keys
//! described there; who passes over these keys sees a history that tells less, and nothing wrong.
//!
//! Not written are the name of the family, claimed orders and limit schedules: the format has no place
//! for them. JSON lines have.

mod words;

use std::io;

use super::edn::quoted;
use super::jepsen_edn::OURS;
use crate::history::{ClientId, Outcome};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::spec::register::{Value, written};
use words::{Said, Worded};

/// Writes the operations of a family.
///
/// # Errors
/// If `output` fails, or if the family has no operations but records of another kind.
pub fn write(family: &Family, output: impl io::Write) -> io::Result<()> {
    let mut output = io::BufWriter::new(output);
    header(&family.kind, &mut output)?;
    match &family.kind {
        FamilyKind::Register { history, .. } => maps(history, "register", &mut output),
        FamilyKind::KeyValue { history, .. } => maps(history, "kv", &mut output),
        FamilyKind::Text { history, .. } => maps(history, "kv", &mut output),
        FamilyKind::Counter { history, .. } => maps(history, "counter", &mut output),
        FamilyKind::Tally { history, .. } => maps(history, "counter", &mut output),
        FamilyKind::AppendLog { history, .. } => maps(history, "log", &mut output),
        FamilyKind::Mutex { history, .. } => maps(history, "mutex", &mut output),
        FamilyKind::MultiRegister { history, .. } => maps(history, "registers", &mut output),
        FamilyKind::Capacity { history, .. } => maps(history, "counter", &mut output),
        FamilyKind::Kinds { .. } | FamilyKind::Table { .. } | FamilyKind::Revisions { .. } => {
            let told = format!(
                "{}: operations of model {} have no words in this format; expected jsonl, which has",
                family.name,
                family.kind.model()
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, told))
        }
        FamilyKind::Switch { .. } | FamilyKind::Log(_) | FamilyKind::Reads(_) | FamilyKind::Records(_) => {
            let told = format!("{}: records of model {} are no operations", family.name, family.kind.model());
            Err(io::Error::new(io::ErrorKind::InvalidInput, told))
        }
    }?;
    io::Write::flush(&mut output)
}

/// A comment that says what other tools need not know.
fn header(kind: &FamilyKind, output: &mut impl io::Write) -> io::Result<()> {
    write!(output, "; {OURS} model={}", kind.model())?;
    match kind {
        FamilyKind::Register { spec, .. } => write!(output, " init={}", initial(spec.initial)),
        FamilyKind::KeyValue { spec, .. } => {
            write!(output, " values=numbers init={}", initial(spec.initial))
        }
        FamilyKind::Text { spec, .. } => {
            write!(output, " values=text init={}", word(&quoted(&spec.initial)))
        }
        FamilyKind::MultiRegister { spec, .. } => write!(output, " init={}", initial(spec.initial)),
        FamilyKind::Capacity { spec, .. } => match spec.capacity {
            Some(capacity) => write!(output, " cap={capacity}"),
            None => Ok(()),
        },
        FamilyKind::Counter { .. }
        | FamilyKind::Tally { .. }
        | FamilyKind::AppendLog { .. }
        | FamilyKind::Mutex { .. }
        | FamilyKind::Revisions { .. }
        | FamilyKind::Kinds { .. }
        | FamilyKind::Table { .. }
        | FamilyKind::Switch { .. }
        | FamilyKind::Log(_)
        | FamilyKind::Reads(_)
        | FamilyKind::Records(_) => Ok(()),
    }?;
    writeln!(output)
}

/// An initial value as one word.
fn initial(value: Value) -> String {
    word(&written(value))
}

/// The same text without blanks.
fn word(text: &str) -> String {
    text.replace(' ', "\\u0020")
}

/// An event of an operation.
struct Event<'h> {
    position: u64,
    kind: &'static str,
    client: ClientId,
    key: &'h str,
    said: Said,
    at_ns: u64,
}

/// Writes all events by position. An object of the name that it has by default needs no key.
fn maps<S: Worded>(history: &KeyedHistory<S>, name: &str, output: &mut impl io::Write) -> io::Result<()> {
    let is_alone = history.parts().keys().all(|key| key == name);
    let mut events = events(history);
    events.sort_unstable_by_key(|event| event.position);
    for (index, event) in events.iter().enumerate() {
        output.write_all(if index == 0 { b"[" } else { b"\n " })?;
        let Event { kind, client, said, .. } = event;
        write!(output, "{{:process {client}, :type :{kind}, :f :{}", said.f)?;
        if !is_alone {
            write!(output, ", :key {}", quoted(event.key))?;
        }
        write!(output, ", :value {}{}, :time {}, :index {index}}}", said.value, said.extras, event.at_ns)?;
    }
    output.write_all(if events.is_empty() { b"[]\n" } else { b"]\n" })
}

fn events<S: Worded>(history: &KeyedHistory<S>) -> Vec<Event<'_>> {
    let mut events = Vec::new();
    for (key, part) in history.parts() {
        for operation in part.operations() {
            let event = |position, kind, said, at_ns| Event {
                position,
                kind,
                client: operation.client,
                key,
                said,
                at_ns,
            };
            let asked = S::asked(&operation.call);
            events.push(event(operation.invoked, "invoke", asked, operation.invoked_at));
            if let (Outcome::Answered(answer), Some(position)) = (&operation.outcome, operation.returned) {
                let kind = if S::is_refusal(answer) { "fail" } else { "ok" };
                let said = S::answered(&operation.call, answer);
                events.push(event(position, kind, said, operation.returned_at.unwrap_or(0)));
            }
        }
        for dropped in part.dropped() {
            let ends = [
                (dropped.positions.0, "invoke", dropped.instants.0),
                (dropped.positions.1, "fail", dropped.instants.1),
            ];
            events.extend(ends.map(|(position, kind, at_ns)| Event {
                position,
                kind,
                client: dropped.client,
                key,
                said: S::asked(&dropped.call),
                at_ns,
            }));
        }
    }
    events
}
