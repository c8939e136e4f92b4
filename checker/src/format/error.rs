//! Why a file is not a history, and where that shows.

use std::fmt;

use super::{Format, LINE_BYTES_MAX, Model, Workload};
use crate::history::HistoryError;

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
    /// Something else should stand here, and the file seems to be of another workload.
    #[error("{place}: found {found}, expected {expected}; {workload}")]
    Refused {
        /// Where.
        place: Place,
        /// What stands there.
        found: Found,
        /// What should.
        expected: &'static str,
        /// What the file seems to be of.
        workload: Workload,
    },
    /// Something else should stand here, by the table that says what there is.
    #[error("{place}: found {found}, expected {expected}")]
    Table {
        /// Where.
        place: Place,
        /// What stands there.
        found: Found,
        /// What should.
        expected: String,
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
    /// A file that begins with the mark of UTF-16.
    #[error("{place}: the file is UTF-16, expected UTF-8: `iconv -f UTF-16 -t UTF-8` converts it")]
    Utf16 {
        /// The beginning.
        place: Place,
    },
    /// A line longer than [`LINE_BYTES_MAX`].
    #[error("{place}: the line goes on after {LINE_BYTES_MAX} bytes, no more are read")]
    LongLine {
        /// Where it exceeds the bound.
        place: Place,
    },
    /// An EDN element that ends later than [`LINE_BYTES_MAX`] after the one before.
    #[error("{place}: after this, {LINE_BYTES_MAX} bytes hold no whole operation, no more are read")]
    LongElement {
        /// Where the element before it ended.
        place: Place,
    },
    /// A file that must be held in memory, and is larger than that.
    #[error(
        "{place}: the file has more than {bytes_max} bytes, which are the most that are read of this format"
    )]
    LongFile {
        /// The beginning.
        place: Place,
        /// How many are read.
        bytes_max: usize,
    },
    /// EDN nested deeper than is read.
    #[error("{place}: nested more than {depth_max} deep")]
    Deep {
        /// The bracket that is one too many.
        place: Place,
        /// How deep is read.
        depth_max: usize,
    },
    /// The file could not be read further.
    #[error("{place}: cannot be read further: {kind}")]
    Unreadable {
        /// How far it was read.
        place: Place,
        /// What the system says.
        kind: std::io::ErrorKind,
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
    /// A history of another model than the one asked for.
    #[error("{place}: is a history of model {found}, expected {expected}")]
    OtherModel {
        /// Where the model is named, or the beginning.
        place: Place,
        /// What it is.
        found: &'static str,
        /// What was asked for.
        expected: Model,
    },
    /// An initial value for a model that has a fixed one.
    #[error("{place}: the start of a {model} is fixed, no initial value can be given")]
    FixedStart {
        /// Where the model is named.
        place: Place,
        /// The model.
        model: &'static str,
    },
    /// Nil is to be a wildcard in a format in which it is always an answer.
    #[error("{place}: in format {format} a read of nil is an answer, `--nil wildcard` cannot be given")]
    FixedNil {
        /// The beginning.
        place: Place,
        /// The format.
        format: Format,
    },
    /// An initial value that the model cannot hold.
    #[error("{place}: initial value {initial:?} does not suit a {model}, expected {expected}")]
    WrongStart {
        /// Where it is given; the beginning, if not in the file.
        place: Place,
        /// The value.
        initial: String,
        /// The model.
        model: &'static str,
        /// What would.
        expected: &'static str,
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
    /// The file has no operation of the format.
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
    #[error("{place}: no operation recognised: neither {}", Format::ALL.map(Format::name).join(" nor "))]
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
    /// The end of the file.
    EndOfFile,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl FormatError {
    /// Where the error stands.
    pub fn place(&self) -> Place {
        match self {
            Self::Unexpected { place, .. }
            | Self::Refused { place, .. }
            | Self::Table { place, .. }
            | Self::History { place, .. }
            | Self::Json { place, .. }
            | Self::NotUtf8 { place, .. }
            | Self::Utf16 { place }
            | Self::LongLine { place }
            | Self::LongElement { place }
            | Self::LongFile { place, .. }
            | Self::Deep { place, .. }
            | Self::Unreadable { place, .. }
            | Self::UnknownModel { place, .. }
            | Self::OtherModel { place, .. }
            | Self::FixedStart { place, .. }
            | Self::FixedNil { place, .. }
            | Self::WrongStart { place, .. }
            | Self::Undeclared { place, .. }
            | Self::DeclaredTwice { place, .. }
            | Self::NoOperation { place, .. }
            | Self::NotRecognised { place } => *place,
        }
    }
}

impl Found {
    /// At most this many characters are shown.
    const SHOWN_MAX: usize = 40;

    pub(super) fn text(text: &str) -> Self {
        let mut shown: String = text.chars().take(Self::SHOWN_MAX).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self::Text(shown)
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
            Self::EndOfFile => formatter.write_str("the end of the file"),
        }
    }
}
