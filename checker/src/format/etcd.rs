//! What the clients of etcd's robustness tests did: an `operations.json` per client, an operation a line.
//!
//! ```text
//!   report/client-1/operations.json      {"ClientId":0,"Input":{"Type":"txn",…},"Call":…,"Output":{…},"Return":…}
//!         /client-2/operations.json      all of them are one history
//! ```
//!
//! - An `Error` in the output means that the outcome is unknown. The `Return` of such an operation is made
//!   up (a second after all others of its client), and not used.
//! - Values of 20 bytes or more are hashes in what was read, but not in the puts of every transaction:
//!   here, all of them are hashed.
//! - The response revision of a compaction and of a defragmentation is that of one member: not used.
//! - Read, too, is the flat layout of operations from before August 2023, with `Key` and `WithPrefix`.
//!
//! Source: etcd, `tests/robustness/report/client.go` and `tests/robustness/model` (`types.go`,
//! `history.go`); porcupine, `Operation`.

mod records;

use std::io::Read;

use super::contents::Parsed;
use super::json_objects::{Object, Objects};
use super::sink::Sink;
use super::source::Source;
use super::timed::{self, InFile, Timed, TimedEnd};
use super::{Contents, Format, FormatError, Options, Place};
use crate::history::Builder;
use crate::judge::{Family, FamilyKind};
use crate::spec::Spec;
use crate::spec::revisions::{Revisions, StoreAnswer, StoreCall};
use records::{Line, WatchLine};

/// The name of a client's file.
pub const OPERATIONS: &str = "operations.json";
/// What the names of the clients' folders begin with.
pub const CLIENT_FOLDER: &str = "client-";

/// Reads the operations of one file, which may be those of several clients one after another.
///
/// # Errors
/// If a line is no operation, or the operations are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Vec<Family>, FormatError> {
    check(options)?;
    let mut operations = Vec::new();
    read_file(source, 0, &mut operations)?;
    family(operations).map_err(|InFile { error, .. }| error)
}

/// Reads the files of one report, one per client.
///
/// # Errors
/// The index of the file at fault, and what is wrong with it.
pub fn read_report(
    inputs: &mut [Box<dyn Read>],
    options: &Options,
) -> Result<Contents, (usize, FormatError)> {
    check(options).map_err(|error| (0, error))?;
    let mut operations = Vec::new();
    for (file, input) in inputs.iter_mut().enumerate() {
        read_file(&mut Source::new(input), file, &mut operations).map_err(|error| (file, error))?;
    }
    if operations.is_empty() {
        let error = FormatError::NoOperation { place: Place::START, format: Format::Etcd, lines: 0 };
        return Err((0, error));
    }
    let families = family(operations).map_err(|InFile { file, error }| (file, error))?;
    options.check_model(&families).map_err(|error| (0, error))?;
    let Parsed { left_out, nemesis, .. } = Parsed::default();
    Ok(Contents { format: Format::Etcd, families, left_out, nemesis })
}

/// Whether a file that begins with an operation with times begins with one of etcd.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let text: String = head.chars().filter(|mark| !mark.is_whitespace()).collect();
    let types = ["range", "txn", "leaseGrant", "leaseRevoke", "defragment", "compact"];
    types.iter().any(|name| text.contains(&format!("\"Input\":{{\"Type\":\"{name}\"")))
}

/// Whether a line is one of `watch.json`, which stands beside the operations.
pub(super) fn is_watch(text: &str) -> bool {
    text.trim_start().starts_with("{\"Request\":{\"Key\":")
}

/// A store is empty at first.
fn check(options: &Options) -> Result<(), FormatError> {
    options.check_table(Format::Etcd)?;
    match &options.initial {
        Some(initial) if initial.0 != "nil" => {
            Err(FormatError::FixedStart { place: Place::START, model: "store with revisions" })
        }
        Some(_) | None => Ok(()),
    }
}

fn family(operations: Vec<Timed<Revisions>>) -> Result<Vec<Family>, InFile> {
    let mut builder = Builder::default();
    timed::feed(operations, &mut builder)?;
    let history = Sink::finish(builder, "store");
    Ok(vec![Family { name: "store".to_owned(), kind: FamilyKind::Revisions { spec: Revisions, history } }])
}

fn read_file(
    source: &mut Source<'_>,
    file: usize,
    operations: &mut Vec<Timed<Revisions>>,
) -> Result<(), FormatError> {
    let mut objects = Objects::new(source);
    while let Some(object) = objects.next()? {
        if is_watch(&object.text) && object.read::<WatchLine>().is_ok() {
            let expected = "an operation, as operations.json beside it has them";
            return Err(object.unexpected("an event of watch.json", expected));
        }
        operations.push(operation(&object, file)?);
    }
    Ok(())
}

fn operation(object: &Object, file: usize) -> Result<Timed<Revisions>, FormatError> {
    let Line { client_id, input, call: called, output, returned } = object.read()?;
    let call = input.call(object)?;
    let answer = output.answer(&call, object)?;
    let end = match answer {
        Some(answer) if Revisions::fits(&call, &answer) => TimedEnd::Answered(answer, returned),
        Some(StoreAnswer::Txn { .. }) if matches!(call, StoreCall::Txn(_)) => {
            return Err(object.unexpected("another number of Results", "one result per operation"));
        }
        Some(_) => return Err(object.unexpected("an Output of another kind", "one that fits the Input")),
        None => TimedEnd::Unknown,
    };
    let client = Some(client_id);
    Ok(Timed { client, key: String::new(), call, end, called, place: object.place, file })
}

#[cfg(test)]
mod tests;
