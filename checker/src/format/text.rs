//! Lines of a file and tokens of a line, each with its place.

use super::{FormatError, Found, LINE_BYTES_MAX, Place};

/// One line, without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'a str,
}

/// The lines of a file. Lines end in LF or CRLF; the last one may end with the file.
pub(super) struct Lines<'a> {
    /// A line that was read already and is given again.
    again: Option<Line<'a>>,
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { again: None, rest: bytes, number: 0 }
    }

    /// The lines of `rest` after `first`, the line read last from it.
    pub(super) fn from(first: Line<'a>, rest: Self) -> Self {
        Self { again: Some(first), ..rest }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(line) = self.again.take() {
            return Some(Ok(line));
        }
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.number += 1;
        Some(line_of(line.strip_suffix(b"\r").unwrap_or(line), self.number))
    }
}

/// Whether every line can be read.
pub(super) fn check(bytes: &[u8]) -> Result<(), FormatError> {
    Lines::new(bytes).try_for_each(|line| line.map(|_| ()))
}

fn line_of(bytes: &[u8], number: usize) -> Result<Line<'_>, FormatError> {
    if bytes.len() > LINE_BYTES_MAX {
        let place = Place { line: number, column: LINE_BYTES_MAX + 1 };
        return Err(FormatError::LongLine { place, length: bytes.len() });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Line { number, text }),
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let column = String::from_utf8_lossy(good).chars().count() + 1;
            let byte = bad.first().copied().unwrap_or_default();
            Err(FormatError::NotUtf8 { place: Place { line: number, column }, byte })
        }
    }
}

impl<'a> Line<'a> {
    /// The place of the byte at `offset`.
    pub(super) fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Place { line: self.number, column: before.chars().count() + 1 }
    }

    /// The tokens of the line: what stands between blanks.
    pub(super) fn tokens(self) -> Tokens<'a> {
        Tokens { line: self, offset: 0 }
    }
}

/// A word of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    line: Line<'a>,
    /// Where it begins, in bytes; at the end of the line if it is empty.
    offset: usize,
    /// Empty only at the end of the line.
    pub(super) text: &'a str,
}

/// Reads a line word by word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'a> {
    line: Line<'a>,
    offset: usize,
}

impl<'a> Tokens<'a> {
    /// The next word, empty at the end of the line.
    pub(super) fn next(&mut self) -> Token<'a> {
        let rest = &self.line.text[self.offset..];
        let blank = rest.len() - rest.trim_start().len();
        let word = &rest[blank..];
        let length = word.find(char::is_whitespace).unwrap_or(word.len());
        let offset = self.offset + blank;
        self.offset = offset + length;
        Token { line: self.line, offset, text: &word[..length] }
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), FormatError> {
        let token = self.next();
        if token.text.is_empty() { Ok(()) } else { Err(token.unexpected("the end of the line")) }
    }
}

impl<'a> Token<'a> {
    /// The word after `mark`, which must begin it.
    pub(super) fn without_start(&self, mark: char) -> Option<Token<'a>> {
        let text = self.text.strip_prefix(mark)?;
        Some(Token { line: self.line, offset: self.offset + mark.len_utf8(), text })
    }

    /// The word after `start`, which must begin it.
    pub(super) fn without_word(&self, start: &str) -> Option<Token<'a>> {
        let text = self.text.strip_prefix(start)?;
        Some(Token { line: self.line, offset: self.offset + start.len(), text })
    }

    /// The word before `mark`, which must end it.
    pub(super) fn without_end(&self, mark: char) -> Option<Token<'a>> {
        self.text.strip_suffix(mark).map(|text| Token { text, ..*self })
    }

    pub(super) fn place(&self) -> Place {
        self.line.place(self.offset)
    }

    /// The error that this word should not stand here.
    pub(super) fn unexpected(&self, expected: &'static str) -> FormatError {
        let found = if self.text.is_empty() { Found::EndOfLine } else { Found::text(self.text) };
        FormatError::Unexpected { place: self.place(), found, expected }
    }

    /// The word as a number.
    pub(super) fn number<N: std::str::FromStr>(&self, expected: &'static str) -> Result<N, FormatError> {
        self.text.parse().map_err(|_| self.unexpected(expected))
    }

    /// The word as the value of a register.
    pub(super) fn value(&self) -> Result<Option<i64>, FormatError> {
        if self.text == "nil" { Ok(None) } else { self.number("nil or a whole number").map(Some) }
    }
}
