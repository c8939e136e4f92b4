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
pub mod evidence;
pub mod hist;
pub mod jepsen_edn;
pub mod jepsen_log;
pub mod jsonl;
pub mod kv;
mod options;
mod sink;
mod source;
#[cfg(test)]
mod test_families;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::io::Read;

pub use contents::{Contents, LeftOut, NemesisEvent, Reason};
pub use error::{FormatError, Found, Place};
pub use options::{Initial, Model, NilReads, Options};

use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::register::Register;
use contents::Parsed;
use source::Source;

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Compact text, its model in a header.
    Hist,
    /// The log of a Jepsen run on registers with compare-and-set.
    JepsenLog,
    /// The history of a Jepsen run: maps in EDN.
    JepsenEdn,
    /// Strings under keys: maps in EDN, one a line.
    Kv,
    /// Families of any model, one event a line.
    Jsonl,
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
    let format = match options.format {
        Some(format) => format,
        None => detect_in(&mut source)?,
    };
    source.fill()?;
    let is_no_byte = source.held().is_empty();
    if is_no_byte && options.format.is_some() {
        return Ok(nothing(format));
    }
    options.check_nil(format)?;
    let Parsed { families, left_out, nemesis } = match format {
        Format::Hist => hist::read(&mut source, options)?.into(),
        Format::JepsenLog => jepsen_log::read(&mut source, options)?,
        Format::JepsenEdn => jepsen_edn::read(&mut source, options)?,
        Format::Kv => kv::read(&mut source, options)?,
        Format::Jsonl => jsonl::read_source(&mut source, options)?.into(),
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
fn detect_in(source: &mut Source<'_>) -> Result<Format, FormatError> {
    let mut wanted = 1;
    loop {
        source.hold(wanted)?;
        let held = source.held();
        let is_all = source.is_ended() || held.len() >= LINE_BYTES_MAX;
        let lines_end = held.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let whole = if is_all { held.len() } else { lines_end };
        if let Some(format) = Format::detect(&held[..whole]) {
            return Ok(format);
        }
        if is_all {
            source.check_held()?;
            return Err(FormatError::NotRecognised { place: Place::START });
        }
        // Looks at twice as much each time: what is looked at again grows no faster than the file.
        wanted = (2 * held.len()).min(LINE_BYTES_MAX);
    }
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hist, Self::JepsenLog, Self::JepsenEdn, Self::Kv, Self::Jsonl];

    /// Which format a file is of that begins with these lines, if any.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let mut is_first = true;
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        for line in lines.map(str::trim).filter(|line| !line.is_empty()) {
            if is_first && jsonl::is_header(line) {
                return Some(Self::Jsonl);
            }
            if is_first && hist::is_line(line) {
                return Some(Self::Hist);
            }
            if is_first && kv::is_line(line) {
                return Some(Self::Kv);
            }
            if is_first && jepsen_edn::is_line(line) {
                return Some(Self::JepsenEdn);
            }
            if jepsen_log::is_operation(line) {
                return Some(Self::JepsenLog);
            }
            is_first &= line.starts_with(['#', ';']);
        }
        None
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hist => "hist",
            Self::JepsenLog => "jepsen-log",
            Self::JepsenEdn => "jepsen-edn",
            Self::Kv => "kv",
            Self::Jsonl => "jsonl",
        }
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
