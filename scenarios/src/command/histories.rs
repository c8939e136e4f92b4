//! Where a history is read from: a file, plain or gzip, standard input, or a folder that holds a history.
//!
//! ```text
//!   -            ──────────────────────────────► standard input ─┐
//!   FILE         ──────────────────────────────────────► a file ─┼─ gzip? ─► checker::format
//!   FOLDER       ── the first of `NAMES` that is there ► a file ─┤
//!   REPORT       ── client-N/operations.json, all ───► files ────┘      of etcd's robustness tests
//! ```

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use checker::format::{self, Contents, FormatError, Options, etcd};
use flate2::bufread::MultiGzDecoder;

use super::{CommandError, output, shown};

/// The argument that stands for standard input.
const STANDARD_INPUT: &str = "-";
/// The files of a folder that can hold its history, best first: all that a run of ours or of Jepsen leaves.
const NAMES: [&str; 5] = ["history.jsonl", "history.edn", "history.txt", "jepsen.log", "test.jepsen"];
/// How a gzip file begins.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// How files begin that other programs compressed: magic bytes, name, the command that prints the content.
const FOREIGN: [(&[u8], &str, &str); 4] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "zstd -dc"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz", "xz -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
];
/// The longest of these beginnings, in bytes.
const MAGIC_BYTES_MAX: usize = 6;
/// How many folders a message names at most.
const NAMED_MAX: usize = 3;

/// Reads the history that `given` names.
///
/// # Errors
/// If there is none, or it cannot be read, or is not a history.
pub(crate) fn read(given: &Path, options: &Options) -> Result<Contents, CommandError> {
    if let Some(report) = report_of(given)
        && clients_in(&report).len() > 1
    {
        return Err(one_of_several(given, &report));
    }
    let clients = clients_in(given);
    if !clients.is_empty() && histories_in(given).is_empty() {
        return read_report(&clients, options);
    }
    let Some(path) = located(given)? else {
        return read_stream("standard input", Box::new(io::stdin().lock()), options);
    };
    let unreadable = |source| CommandError::Unreadable { path: shown(&path), source };
    let file = File::open(&path).map_err(unreadable)?;
    read_stream(&shown(&path), Box::new(file), options)
}

/// The same arguments with a report of etcd instead of its clients, where all of them are given.
pub(crate) fn merged(given: &[PathBuf]) -> Vec<PathBuf> {
    let mut merged: Vec<PathBuf> = Vec::new();
    for path in given {
        let is_given = |client: &PathBuf| {
            given.iter().any(|other| other == client || client.parent().is_some_and(|folder| folder == other))
        };
        match report_of(path).filter(|report| clients_in(report).iter().all(is_given)) {
            Some(report) if merged.contains(&report) => {}
            Some(report) => merged.push(report),
            None => merged.push(path.clone()),
        }
    }
    merged
}

/// The report that the path is a client of: its folder, or the operations in it.
fn report_of(path: &Path) -> Option<PathBuf> {
    let is_client = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        let number = name.strip_prefix(etcd::CLIENT_FOLDER)?;
        number.parse::<u64>().ok()
    };
    let folder = if path.file_name()? == etcd::OPERATIONS { path.parent()? } else { path };
    is_client(folder)?;
    folder.join(etcd::OPERATIONS).is_file().then(|| folder.parent().map(Path::to_owned))?
}

/// The operations of all clients of a report, by number.
fn clients_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    else {
        return Vec::new();
    };
    let mut clients: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(etcd::CLIENT_FOLDER)?.parse().ok());
        let operations = folder.join(&name).join(etcd::OPERATIONS);
        if let Some(number) = number.filter(|_| operations.is_file()) {
            clients.push((number, operations));
        }
    }
    clients.sort_unstable();
    clients.into_iter().map(|(_, operations)| operations).collect()
}

fn one_of_several(given: &Path, report: &Path) -> CommandError {
    let count = clients_in(report).len();
    let report = if report.as_os_str().is_empty() { ".".to_owned() } else { shown(report) };
    CommandError::Usage(format!(
        "{}: is one of {count} clients, whose operations are one history; expected {report}",
        shown(given)
    ))
}

/// Reads what all clients of a report did.
fn read_report(clients: &[PathBuf], options: &Options) -> Result<Contents, CommandError> {
    let mut inputs: Vec<Box<dyn Read>> = Vec::new();
    for path in clients {
        let unreadable = |source| CommandError::Unreadable { path: shown(path), source };
        inputs.push(Box::new(File::open(path).map_err(unreadable)?));
    }
    etcd::read_report(&mut inputs, options)
        .map_err(|(file, source)| CommandError::Malformed { path: shown(&clients[file]), source })
}

/// The files that are read for these arguments. What cannot be found is left out: reading it says why.
pub(crate) fn files(given: &[PathBuf]) -> Vec<PathBuf> {
    let path = |given: &PathBuf| if is_standard_input(given) { None } else { chosen(given).ok() };
    let clients = given.iter().flat_map(|folder| clients_in(folder));
    given.iter().filter_map(path).map(|choice| choice.path).chain(clients).collect()
}

/// The file to read; none: standard input.
fn located(given: &Path) -> Result<Option<PathBuf>, CommandError> {
    if is_standard_input(given) {
        return Ok(None);
    }
    let Choice { path, others } = chosen(given)?;
    if path != given {
        let others = if others.is_empty() {
            String::new()
        } else {
            format!("; also there, and not read: {}", others.join(", "))
        };
        output::say(&format!("{}: reading {}{others}", shown(given), named(&path)));
    }
    Ok(Some(path))
}

fn is_standard_input(given: &Path) -> bool {
    given.as_os_str() == STANDARD_INPUT
}

/// The file that holds the history of a folder, and the names of those that could have been taken as well.
struct Choice {
    path: PathBuf,
    others: Vec<String>,
}

fn chosen(given: &Path) -> Result<Choice, CommandError> {
    if !given.is_dir() {
        return Ok(Choice { path: given.to_owned(), others: Vec::new() });
    }
    let mut found = histories_in(given).into_iter();
    match found.next() {
        Some(path) => Ok(Choice { path, others: found.map(|other| named(&other)).collect() }),
        None => Err(no_history(given)),
    }
}

/// The histories of a folder, best first.
fn histories_in(folder: &Path) -> Vec<PathBuf> {
    let forms = |name: &str| [folder.join(name), folder.join(format!("{name}.gz"))];
    NAMES.into_iter().flat_map(forms).filter(|path| path.is_file()).collect()
}

fn no_history(folder: &Path) -> CommandError {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(source) => return CommandError::Unreadable { path: shown(folder), source },
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut inside: Vec<String> =
        paths.filter(|path| !histories_in(path).is_empty()).map(|path| shown(&path)).collect();
    inside.sort();
    let more = if inside.len() > NAMED_MAX { ", ..." } else { "" };
    inside.truncate(NAMED_MAX);
    let hint = if inside.is_empty() {
        String::new()
    } else {
        format!("; these folders in it do: {}{more}", inside.join(", "))
    };
    let names = NAMES.join(", ");
    CommandError::Usage(format!("{}: holds no history; expected one of {names}{hint}", shown(folder)))
}

fn named(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads a history as it comes, decompressing what begins like a gzip file.
fn read_stream(path: &str, mut input: Box<dyn Read>, options: &Options) -> Result<Contents, CommandError> {
    let mut head = Vec::with_capacity(MAGIC_BYTES_MAX);
    let beginning = input.by_ref().take(MAGIC_BYTES_MAX as u64).read_to_end(&mut head);
    beginning.map_err(|source| CommandError::Unreadable { path: path.to_owned(), source })?;
    if let Some((_, name, command)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        let found = format!(
            "{path}: is compressed with {name}; expected plain text or gzip: {command} FILE | counterclock check -"
        );
        return Err(CommandError::Usage(found));
    }
    let is_gzip = head.starts_with(GZIP);
    let whole = Cursor::new(head).chain(input);
    let mut content: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(whole))) } else { Box::new(whole) };
    format::read_from(&mut content, options).map_err(|source| match source {
        FormatError::Unreadable { place, .. } if is_gzip => {
            CommandError::Damaged { path: path.to_owned(), place }
        }
        source => CommandError::Malformed { path: path.to_owned(), source },
    })
}
