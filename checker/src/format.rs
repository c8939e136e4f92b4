//! Reads histories from files, whatever made them; writes them again.
//!
//! ```text
//!   bytes ──► lines ──► tokens ──► Builder ──► families
//!               └─────────┴──────────┴───► FormatError: line, column, what was found there
//! ```

pub mod hist;
pub mod jepsen_log;
pub mod jsonl;
mod text;

use std::fmt;

use crate::history::HistoryError;
use crate::judge::{Family, FamilyKind};
use crate::spec::register::Value;

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// A format of history files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Compact text, its model in a header.
    Hist,
    /// The log of a Jepsen run on registers with compare-and-set.
    JepsenLog,
    /// Families of any model, one event a line.
    Jsonl,
}

/// Where in a file something stands. Both count from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a file is not a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Something else should stand here.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where.
        place: Place,
        /// What stands there.
        found: Found,
        /// What should.
        expected: &'static str,
    },
    /// The events contradict each other.
    #[error("{place}: {error}")]
    History {
        /// Where the contradiction shows.
        place: Place,
        /// The contradiction.
        error: HistoryError,
    },
    /// A line of JSON is not what its place asks for.
    #[error("{place}: {found}")]
    Json {
        /// Where.
        place: Place,
        /// What the JSON reader says.
        found: String,
    },
    /// A byte that is no part of UTF-8 text.
    #[error("{place}: byte 0x{byte:02x} is not UTF-8")]
    NotUtf8 {
        /// Where.
        place: Place,
        /// The byte.
        byte: u8,
    },
    /// A line longer than [`LINE_BYTES_MAX`].
    #[error("{place}: the line has {length} bytes, at most {LINE_BYTES_MAX} are read")]
    LongLine {
        /// Where it exceeds the bound.
        place: Place,
        /// How long it is.
        length: usize,
    },
    /// A model that this format can hold but that is not checked.
    #[error("{place}: model {model:?} is not supported, expected one of {supported}")]
    UnknownModel {
        /// Where it is named.
        place: Place,
        /// Its name.
        model: String,
        /// What is supported.
        supported: &'static str,
    },
    /// An initial value for a model that has a fixed one.
    #[error("{place}: a {model} starts at 0, no initial value can be given")]
    FixedStart {
        /// Where the model is named.
        place: Place,
        /// The model.
        model: &'static str,
    },
    /// A record refers to a family that no header declares, or not as this.
    #[error("{place}: {what} does not belong to a family declared as {name:?}")]
    Undeclared {
        /// Where.
        place: Place,
        /// The record.
        what: &'static str,
        /// The family it names.
        name: String,
    },
    /// Two families of one name.
    #[error("{place}: family {name:?} is declared twice")]
    DeclaredTwice {
        /// Where.
        place: Place,
        /// The name.
        name: String,
    },
    /// The file has no line of the format.
    #[error("{place}: no operation of format {format} in {lines} lines")]
    NoOperation {
        /// The end of the file.
        place: Place,
        /// The format.
        format: Format,
        /// How many lines there are.
        lines: usize,
    },
    /// The content resembles none of the formats.
    #[error("{place}: no operation recognised: neither hist nor jepsen-log nor jsonl")]
    NotRecognised {
        /// The beginning of the file.
        place: Place,
    },
}

/// What stands in a place, shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This text.
    Text(String),
    /// The end of the line.
    EndOfLine,
}

/// Reads the families of a file; without a `format`, the content tells.
///
/// `initial` replaces the initial value of registers.
///
/// # Errors
/// If the bytes are no history of the format, or none of any format.
pub fn parse(
    bytes: &[u8],
    format: Option<Format>,
    initial: Option<Value>,
) -> Result<Vec<Family>, FormatError> {
    let Some(detected) = format.or_else(|| Format::detect(bytes)) else {
        text::check(bytes)?;
        return Err(FormatError::NotRecognised { place: Place::START });
    };
    let families = match detected {
        Format::Hist => hist::read(bytes, initial)?,
        Format::JepsenLog => jepsen_log::read(bytes, initial.unwrap_or_default())?,
        Format::Jsonl => with_initial(jsonl::read(bytes)?, initial),
    };
    let is_cluster_that_never_started = format == Some(Format::JepsenLog) && bytes.is_empty();
    if families.iter().all(|family| family.kind.is_empty()) && !is_cluster_that_never_started {
        let lines = text::Lines::new(bytes).count();
        let place = Place { line: lines.max(1), column: 1 };
        return Err(FormatError::NoOperation { place, format: detected, lines });
    }
    Ok(families)
}

impl Format {
    /// Which format the content is of, if any.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let mut is_first = true;
        for line in text::Lines::new(bytes) {
            let Ok(line) = line else { continue };
            if line.text.trim().is_empty() {
                continue;
            }
            if is_first && jsonl::is_header(line.text) {
                return Some(Self::Jsonl);
            }
            if is_first && hist::is_line(line.text) {
                return Some(Self::Hist);
            }
            if jepsen_log::is_operation(line.text) {
                return Some(Self::JepsenLog);
            }
            is_first &= line.text.starts_with('#');
        }
        None
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hist => "hist",
            Self::JepsenLog => "jepsen-log",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Hist, Self::JepsenLog, Self::Jsonl].into_iter().find(|format| format.name() == name)
    }
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };
}

impl FormatError {
    /// Where the error stands.
    pub fn place(&self) -> Place {
        match self {
            Self::Unexpected { place, .. }
            | Self::History { place, .. }
            | Self::Json { place, .. }
            | Self::NotUtf8 { place, .. }
            | Self::LongLine { place, .. }
            | Self::UnknownModel { place, .. }
            | Self::FixedStart { place, .. }
            | Self::Undeclared { place, .. }
            | Self::DeclaredTwice { place, .. }
            | Self::NoOperation { place, .. }
            | Self::NotRecognised { place } => *place,
        }
    }
}

/// The same families; registers start at `initial`, if it is given.
fn with_initial(mut families: Vec<Family>, initial: Option<Value>) -> Vec<Family> {
    if let Some(initial) = initial {
        for family in &mut families {
            if let FamilyKind::Register { spec, .. } = &mut family.kind {
                spec.initial = initial;
            }
        }
    }
    families
}

impl Found {
    /// At most this many characters are shown.
    const SHOWN_MAX: usize = 40;

    fn text(text: &str) -> Self {
        let mut shown: String = text.chars().take(Self::SHOWN_MAX).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self::Text(shown)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::EndOfLine => formatter.write_str("the end of the line"),
        }
    }
}
