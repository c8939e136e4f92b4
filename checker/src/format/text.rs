//! A line and its tokens, each with its place.

use super::{FormatError, Found, LINE_BYTES_MAX, Place};

/// One line, without its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: usize,
    pub(super) text: &'a str,
}

/// The text of a line, if it can be read.
pub(super) fn line_of(bytes: &[u8], number: usize) -> Result<Line<'_>, FormatError> {
    if bytes.len() > LINE_BYTES_MAX {
        let place = Place { line: number, column: LINE_BYTES_MAX + 1 };
        return Err(FormatError::LongLine { place });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Line { number, text }),
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let column = characters(good) + 1;
            let byte = bad.first().copied().unwrap_or_default();
            Err(FormatError::NotUtf8 { place: Place { line: number, column }, byte })
        }
    }
}

/// How many characters the bytes are, which are UTF-8.
pub(super) fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !is_continuation(**byte)).count()
}

/// Whether the byte goes on with a character.
fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
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
    pub(super) line: Line<'a>,
    /// Where it begins, in bytes; at the end of the line if it is empty.
    pub(super) offset: usize,
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
        let bytes = self.line.text.as_bytes();
        let mut start = self.offset;
        while bytes.get(start).is_some_and(u8::is_ascii_whitespace) {
            start += 1;
        }
        let mut end = start;
        while bytes.get(end).is_some_and(|byte| !byte.is_ascii_whitespace()) {
            end += 1;
        }
        self.offset = end;
        Token { line: self.line, offset: start, text: &self.line.text[start..end] }
    }

    /// The next word, which is not used.
    pub(super) fn peek(&self) -> Token<'a> {
        { *self }.next()
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

    /// The word, which must be one.
    pub(super) fn filled(self, expected: &'static str) -> Result<Self, FormatError> {
        if self.text.is_empty() { Err(self.unexpected(expected)) } else { Ok(self) }
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
