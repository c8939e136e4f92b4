//! Reading one file with every damage named by its place, and leaving nothing half-written behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::error::FolderError;

/// The text of a file that must be there.
///
/// # Errors
/// If it is missing, cannot be read, is empty, or is not text.
pub(crate) fn read_text(
    path: &Path,
    expected: &'static str,
    hint: &'static str,
) -> Result<String, FolderError> {
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => FolderError::Missing { path: path.to_owned(), hint },
        kind => FolderError::Unreadable { path: path.to_owned(), kind },
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FolderError::Empty { path: path.to_owned(), expected });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid_bytes = error.utf8_error().valid_up_to();
        let (line, column) = place(&error.as_bytes()[..valid_bytes]);
        let found = format!("the byte 0x{:02x}, which is not text", error.as_bytes()[valid_bytes]);
        FolderError::Damaged { path: path.to_owned(), line, column, expected, found }
    })
}

/// The one JSON value a file holds.
///
/// # Errors
/// If the text is anything else; the error names the place.
pub(crate) fn parse<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    expected: &'static str,
) -> Result<T, FolderError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) =
            if error.is_eof() { place(text.as_bytes()) } else { (error.line(), error.column()) };
        damaged(path, (line, column.max(1)), expected, &error)
    })
}

/// One JSON value a line; blank lines are passed over.
///
/// # Errors
/// If a line is anything else; the error names the place. A last line cut short is an error too.
pub(crate) fn parse_lines<T: DeserializeOwned>(
    path: &Path,
    text: &str,
    expected: &'static str,
) -> Result<Vec<T>, FolderError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| {
                let column = if error.is_eof() { line.len() + 1 } else { error.column().max(1) };
                damaged(path, (index + 1, column), expected, &error)
            })
        })
        .collect()
}

/// Writes a file.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), FolderError> {
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

/// Fills `dir` through a sibling that takes its place once complete: either all of it appears, or nothing does.
///
/// Of an older `dir`, files that are not `own` (a report someone made) are carried over.
pub(crate) fn write_folder(
    dir: &Path,
    own: &[&str],
    fill: impl FnOnce(&Path) -> Result<(), FolderError>,
) -> Result<(), FolderError> {
    let (fresh, old) = (sibling(dir, "writing")?, sibling(dir, "old")?);
    remove_all(&fresh)?;
    fs::create_dir_all(&fresh).map_err(|error| unwritable(dir, &error))?;
    let filled = fill(&fresh).and_then(|()| take_place(Folders { dir, fresh: &fresh, old: &old }, own));
    if filled.is_err() {
        // The first error is the one to tell; a leftover that cannot go either is overwritten next time.
        let _ = fs::remove_dir_all(&fresh);
    }
    filled
}

/// A folder, what will stand in its place, and where it goes until then.
#[derive(Clone, Copy)]
struct Folders<'a> {
    dir: &'a Path,
    fresh: &'a Path,
    old: &'a Path,
}

fn take_place(Folders { dir, fresh, old }: Folders<'_>, own: &[&str]) -> Result<(), FolderError> {
    let refused = |error: io::Error| unwritable(dir, &error);
    if !dir.exists() {
        return fs::rename(fresh, dir).map_err(refused);
    }
    remove_all(old)?;
    fs::rename(dir, old).map_err(refused)?;
    fs::rename(fresh, dir).map_err(refused)?;
    for entry in fs::read_dir(old).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        if !own.iter().any(|name| entry.file_name() == *name) {
            fs::rename(entry.path(), dir.join(entry.file_name())).map_err(refused)?;
        }
    }
    remove_all(old)
}

fn sibling(dir: &Path, suffix: &str) -> Result<PathBuf, FolderError> {
    let name = dir.file_name().ok_or_else(|| FolderError::Unnamed { path: dir.to_owned() })?;
    Ok(dir.with_file_name(format!(".{}.{suffix}", name.to_string_lossy())))
}

fn remove_all(path: &Path) -> Result<(), FolderError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unwritable(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> FolderError {
    FolderError::Unwritable { path: path.to_owned(), kind: error.kind() }
}

fn damaged(
    path: &Path,
    (line, column): (usize, usize),
    expected: &'static str,
    error: &serde_json::Error,
) -> FolderError {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    let found = if error.is_eof() { "the end of the text in the middle of it".to_owned() } else { message };
    FolderError::Damaged { path: path.to_owned(), line, column, expected, found }
}

/// The line and column just after `text`, both from 1.
fn place(text: &[u8]) -> (usize, usize) {
    let line = 1 + text.iter().filter(|&&byte| byte == b'\n').count();
    let line_start = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1);
    (line, text.len() - line_start + 1)
}
