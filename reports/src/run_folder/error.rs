//! Why a run folder cannot be written or read: the file, the place in it, and what to do.

use std::io::ErrorKind;
use std::path::PathBuf;

use checker::format::FormatError;

/// Why a run or soak folder cannot be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// The folder is taken by something else.
    #[error(
        "{path} holds files but no plan.json, so it is not a run folder; name another folder or empty this one",
        path = path.display()
    )]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The path has no last part to create, as in `..`.
    #[error("{path} does not name a folder that can be created; give a folder name", path = path.display())]
    Unnamed {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refuses to write.
    #[error("cannot write {path}: {kind}; check the path, its permissions and the free space", path = path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        kind: ErrorKind,
    },
    /// A file that belongs there is not.
    #[error("{path} is missing; {hint}", path = path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What to do about it.
        hint: &'static str,
    },
    /// The operating system refuses to read.
    #[error("cannot read {path}: {kind}; check that it is a file and may be read", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        kind: ErrorKind,
    },
    /// The file has no content.
    #[error("{path}:1:1: expected {expected}, found an empty file; {HINT_DAMAGED}", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should stand there.
        expected: &'static str,
    },
    /// The content is not what the file's name promises.
    #[error(
        "{path}:{line}:{column}: expected {expected}, found {found}; {HINT_DAMAGED}",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1. Unit: bytes.
        column: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there instead.
        found: String,
    },
    /// The history's lines do not make a history.
    #[error("{path}:{error}; {HINT_DAMAGED}", path = path.display())]
    NoHistory {
        /// The file.
        path: PathBuf,
        /// Where in it, and why.
        error: FormatError,
    },
    /// Two files of one folder tell of different runs.
    #[error("{path}: {field} is {found}, but plan.json says {planned}; the files are not of one run", path = path.display())]
    Disagree {
        /// The file that disagrees with the plan.
        path: PathBuf,
        /// What they disagree about.
        field: &'static str,
        /// What the file says.
        found: String,
        /// What the plan says.
        planned: String,
    },
}

/// What to do with a damaged file.
const HINT_DAMAGED: &str = "the file is damaged or not ours: make the run again";
