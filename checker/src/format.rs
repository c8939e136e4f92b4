//! Reads histories from files, whatever made them; writes them again.
//!
//! ```text
//!   Read ──► Source ──► lines ──► tokens ───┬──► Builder ──► families
//!                └────► EDN maps ──► events ┘
//!   wherever it fails: FormatError, with line, column and what was found there
//! ```
//!
//! A file is read as a stream: beside the operations, no more of it is held than one line may be long.

mod contents;
mod edn;
pub mod edn_writing;
mod error;
pub mod etcd;
pub mod evidence;
pub mod hist;
pub mod jepsen_edn;
mod jepsen_store;
pub mod jepsen_text;
pub mod json;
mod json_objects;
pub mod jsonl;
pub mod kv;
mod micro;
mod operations;
mod options;
pub mod plume;
pub mod porcupine;
mod sink;
mod source;
mod table_events;
pub mod table_file;
#[cfg(test)]
pub(crate) mod test_families;
#[cfg(test)]
mod tests;
mod text;
mod timed;

use std::fmt;
use std::io::Read;

pub use contents::{Contents, LeftOut, NemesisEvent, Reason};
pub use error::{FormatError, Found, Place};
pub use operations::Workload;
pub use options::{Initial, Model, NilReads, Options};

use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::register::Register;
use contents::Parsed;
use jepsen_text::Form;
use source::Source;

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// How much of a file in JSON is looked at to tell whether its operations say their times.
const DETECTED_BYTES_MIN: usize = 1 << 12;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Compact text, its model in a header.
    Hist,
    /// The log of a Jepsen run.
    JepsenLog,
    /// The history of a Jepsen run: maps in EDN.
    JepsenEdn,
    /// The history of a Jepsen run: lines of text.
    JepsenTxt,
    /// Operations with Jepsen's keys in JSON.
    Json,
    /// Strings under keys: maps in EDN, one a line.
    Kv,
    /// Families of any model, one event a line.
    Jsonl,
    /// The operations of etcd's robustness tests.
    Etcd,
    /// Operations with their times, as users of Porcupine write them.
    Porcupine,
    /// Transactions of sessions, without times.
    Plume,
    /// The file in which Jepsen 0.3 keeps a test.
    JepsenStore,
}

/// Reads the families of a file that is in memory. See [`read_from`].
///
/// # Errors
/// As [`read_from`].
pub fn parse(mut bytes: &[u8], options: &Options) -> Result<Vec<Family>, FormatError> {
    read_from(&mut bytes, options).map(|contents| contents.families)
}

/// Reads the families of a file as it comes; without a format, the content tells.
///
/// # Errors
/// If `input` fails, if the bytes are no history of the format, or none of any format, or if the
/// options do not suit them.
pub fn read_from(input: &mut dyn Read, options: &Options) -> Result<Contents, FormatError> {
    let mut source = Source::new(input);
    source.skip_mark()?;
    let format = match options.format {
        Some(format) => format,
        None => detect_in(&mut source, options.table.is_some())?,
    };
    source.hold(1)?;
    let format = match format {
        Format::Json => {
            source.hold(DETECTED_BYTES_MIN)?;
            Format::timed(source.held()).unwrap_or(Format::Json)
        }
        other => other,
    };
    let is_no_byte = source.held().is_empty();
    if is_no_byte && options.format.is_some() {
        return Ok(nothing(format));
    }
    options.check_nil(format)?;
    options.check_table(format)?;
    let Parsed { families, left_out, nemesis } = match format {
        Format::Kv if options.table.is_some() => jepsen_edn::read(&mut source, options)?,
        Format::Hist => hist::read(&mut source, options)?.into(),
        Format::JepsenLog => jepsen_text::read(&mut source, Form::Log, options)?,
        Format::JepsenTxt => jepsen_text::read(&mut source, Form::History, options)?,
        Format::Json => json::read(&mut source, options)?,
        Format::JepsenEdn => jepsen_edn::read(&mut source, options)?,
        Format::Kv => kv::read(&mut source, options)?,
        Format::Jsonl => jsonl::read_source(&mut source, options)?.into(),
        Format::Etcd => etcd::read(&mut source, options)?.into(),
        Format::Porcupine => porcupine::read(&mut source, options)?.into(),
        Format::Plume => plume::read(&mut source, options)?.into(),
        Format::JepsenStore => jepsen_store::read(&mut source, options)?,
    };
    if families.iter().all(|family| family.kind.is_empty()) {
        let lines = source.line_count();
        let place = Place { line: lines.max(1), column: 1 };
        return Err(FormatError::NoOperation { place, format, lines });
    }
    options.check_model(&families)?;
    Ok(Contents { format, families, left_out, nemesis })
}

/// An empty file whose format was given: a cluster that never started.
fn nothing(format: Format) -> Contents {
    let kind = FamilyKind::Register { spec: Register { initial: None }, history: KeyedHistory::default() };
    let families = vec![Family { name: "register".to_owned(), kind }];
    Contents { format, families, left_out: LeftOut::default(), nemesis: Vec::new() }
}

/// The format of what `source` begins with, none of which is used.
fn detect_in(source: &mut Source<'_>, is_of_table: bool) -> Result<Format, FormatError> {
    let mut wanted = 1;
    loop {
        source.hold(wanted)?;
        let held = source.held();
        if jepsen_store::is_start(held) {
            return Ok(Format::JepsenStore);
        }
        let is_all = source.is_ended() || held.len() >= LINE_BYTES_MAX;
        let lines_end = held.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let whole = if is_all { held.len() } else { lines_end };
        if let Some(format) = Format::detect(&held[..whole]) {
            return Ok(format);
        }
        if is_of_table && begins_with_event(&held[..whole]) {
            return Ok(Format::Hist);
        }
        if is_all {
            // A log may say much before the first operation.
            if text_of(held).lines().any(jepsen_text::is_logger_line) {
                return Ok(Format::JepsenLog);
            }
            source.check_held()?;
            return Err(FormatError::NotRecognised { place: Place::START });
        }
        // Looks at twice as much each time: what is looked at again grows no faster than the file.
        wanted = (2 * held.len()).min(LINE_BYTES_MAX);
    }
}

/// The bytes as far as they are text.
fn text_of(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Whether the first line is compact text in the words of some table.
fn begins_with_event(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.find(|line| !line.trim().is_empty()).is_some_and(hist::is_line_of_table)
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Hist,
        Self::JepsenLog,
        Self::JepsenEdn,
        Self::JepsenTxt,
        Self::Json,
        Self::Kv,
        Self::Jsonl,
        Self::Etcd,
        Self::Porcupine,
        Self::Plume,
        Self::JepsenStore,
    ];

    /// Which format a file is of that begins with these lines, if any.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        if jepsen_store::is_start(bytes) {
            return Some(Self::JepsenStore);
        }
        let (mut is_first, mut is_json) = (true, false);
        let mut rest = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        while !rest.is_empty() {
            let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            let (line, after) = rest.split_at(length);
            let line = std::str::from_utf8(line).map_or("", str::trim);
            if let Some(format) = Self::of_start(line, rest).filter(|_| is_first && !line.is_empty()) {
                return Some(format);
            }
            is_json |= is_first && json::is_like(rest);
            if !is_json && jepsen_text::is_log_line(line) {
                return Some(Self::JepsenLog);
            }
            is_first &= line.is_empty() || line.starts_with(['#', ';']);
            rest = after;
        }
        None
    }

    /// Which format a file is of whose first line that is no comment is this, and with it begin `bytes`.
    fn of_start(line: &str, bytes: &[u8]) -> Option<Self> {
        if jsonl::is_header(line) {
            return Some(Self::Jsonl);
        }
        if let Some(timed) = Self::timed(bytes) {
            return Some(timed);
        }
        if etcd::is_watch(line) {
            return Some(Self::Etcd);
        }
        if plume::is_line(line) {
            return Some(Self::Plume);
        }
        if hist::is_line(line) {
            return Some(Self::Hist);
        }
        if kv::is_line(line) {
            return Some(Self::Kv);
        }
        if json::is_start(bytes) {
            return Some(Self::Json);
        }
        if jepsen_edn::is_start(text_of(bytes).trim_start()) {
            return Some(Self::JepsenEdn);
        }
        jepsen_text::is_history_line(line).then_some(Self::JepsenTxt)
    }

    /// Which format a file is of that begins with a JSON object of an operation with its times, if it does.
    fn timed(bytes: &[u8]) -> Option<Self> {
        let is_etcd = || etcd::is_start(bytes);
        porcupine::is_start(bytes).then(|| if is_etcd() { Self::Etcd } else { Self::Porcupine })
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hist => "hist",
            Self::JepsenLog => "jepsen-log",
            Self::JepsenEdn => "jepsen-edn",
            Self::JepsenTxt => "jepsen-txt",
            Self::Json => "json",
            Self::Kv => "kv",
            Self::Jsonl => "jsonl",
            Self::Etcd => "etcd",
            Self::Porcupine => "porcupine-json",
            Self::Plume => "plume",
            Self::JepsenStore => "test-jepsen",
        }
    }

    /// Whether it says in which order things happened in real time.
    pub fn has_real_time(self) -> bool {
        self != Self::Plume
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
