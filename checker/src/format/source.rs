//! A file as it comes: a piece at a time, never more of it in memory than one line may be long.

use std::io::{ErrorKind, Read};

use super::text::{Line, line_of};
use super::{FormatError, LINE_BYTES_MAX, Place};

/// How much is asked for at once, in bytes.
const CHUNK_BYTES: usize = 1 << 16;
/// How much is held at most, in bytes: the longest line with its end, and a chunk behind it.
const HELD_BYTES_MAX: usize = LINE_BYTES_MAX + 2 + CHUNK_BYTES;

/// What is held of a file that is being read.
pub(super) struct Source<'a> {
    input: &'a mut dyn Read,
    buffer: Vec<u8>,
    /// The part of the buffer that is read but not used. Invariant: `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    is_ended: bool,
    /// How many lines were used.
    lines: usize,
    /// Where the line given last begins in the buffer.
    last: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(input: &'a mut dyn Read) -> Self {
        Self { input, buffer: Vec::new(), start: 0, end: 0, is_ended: false, lines: 0, last: 0 }
    }

    /// What is read but not used.
    pub(super) fn held(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over the mark that some programs begin UTF-8 files with.
    ///
    /// # Errors
    /// If the input fails, or the mark is that of UTF-16.
    pub(super) fn skip_mark(&mut self) -> Result<(), FormatError> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        self.hold(MARK.len())?;
        if self.held().starts_with(&[0xff, 0xfe]) || self.held().starts_with(&[0xfe, 0xff]) {
            return Err(FormatError::Utf16 { place: Place::START });
        }
        if self.held().starts_with(MARK) {
            self.start += MARK.len();
        }
        Ok(())
    }

    /// Whether nothing follows what is held.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// How many lines were given.
    pub(super) fn line_count(&self) -> usize {
        self.lines
    }

    /// Uses so many of the bytes held; what follows them stands at `place`.
    pub(super) fn advance(&mut self, bytes: usize, place: Place) {
        self.start += bytes;
        assert!(self.start <= self.end, "more was used than was read");
        self.lines = if place.column > 1 { place.line } else { place.line - 1 };
    }

    /// Reads more, unless the file is at its end.
    ///
    /// # Errors
    /// If the input fails.
    pub(super) fn fill(&mut self) -> Result<(), FormatError> {
        if self.is_ended {
            return Ok(());
        }
        self.make_room();
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.is_ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    let place = Place { line: self.lines + 1, column: 1 };
                    return Err(FormatError::Unreadable { place, kind: error.kind() });
                }
            }
            return Ok(());
        }
    }

    /// Reads until so many bytes are held, or the file is at its end.
    ///
    /// # Errors
    /// If the input fails.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), FormatError> {
        while self.held().len() < bytes && !self.is_ended {
            self.fill()?;
        }
        Ok(())
    }

    /// All that is not used, to the end of the file.
    ///
    /// # Errors
    /// If it is more than so many bytes, or if the input fails.
    pub(super) fn rest(&mut self, bytes_max: usize) -> Result<Vec<u8>, FormatError> {
        let mut whole = self.held().to_vec();
        let room = bytes_max.saturating_sub(whole.len()) as u64;
        let input: &mut &mut dyn Read = &mut self.input;
        let read = input.take(room + 1).read_to_end(&mut whole);
        let place = Place { line: self.lines + 1, column: 1 };
        read.map_err(|error| FormatError::Unreadable { place, kind: error.kind() })?;
        (self.start, self.end, self.is_ended) = (0, 0, true);
        if whole.len() > bytes_max { Err(FormatError::LongFile { place, bytes_max }) } else { Ok(whole) }
    }

    /// Whether the lines that are held could be read, whatever they mean.
    ///
    /// # Errors
    /// If one is too long or not UTF-8.
    pub(super) fn check_held(&self) -> Result<(), FormatError> {
        let mut number = self.lines;
        for line in self.held().split_inclusive(|byte| *byte == b'\n') {
            number += 1;
            let is_whole = line.ends_with(b"\n") || self.is_ended || line.len() > LINE_BYTES_MAX;
            if is_whole {
                line_of(line.trim_ascii_end(), number)?;
            }
        }
        Ok(())
    }

    /// The next line without its end, if there is one. Lines end in LF or CRLF; the last one may end
    /// with the file.
    ///
    /// # Errors
    /// If it is longer than [`LINE_BYTES_MAX`] or not UTF-8, or if the input fails.
    pub(super) fn line(&mut self) -> Result<Option<Line<'_>>, FormatError> {
        let mut searched = 0;
        let length = loop {
            let held = self.held();
            if let Some(length) = newline(&held[searched..]) {
                break searched + length;
            }
            searched = held.len();
            if self.is_ended || searched > LINE_BYTES_MAX + 1 {
                break searched;
            }
            self.fill()?;
        };
        if length == 0 && self.start == self.end {
            return Ok(None);
        }
        self.last = self.start;
        self.lines += 1;
        let after = (self.start + length + 1).min(self.end);
        let bytes = &self.buffer[self.start..self.start + length];
        self.start = after;
        line_of(bytes.strip_suffix(b"\r").unwrap_or(bytes), self.lines).map(Some)
    }

    /// Gives the line given last once more; nothing may have been read in between.
    pub(super) fn again(&mut self) {
        self.start = self.last;
        self.lines -= 1;
    }

    /// Room for another chunk behind what is held.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() < self.end + CHUNK_BYTES {
            self.buffer.resize((2 * self.end).max(2 * CHUNK_BYTES), 0);
        }
        assert!(self.end <= HELD_BYTES_MAX, "{} bytes are held", self.end);
    }
}

/// Where the first line ends.
fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}
