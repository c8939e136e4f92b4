//! Marks, strings and words of JSON, in bytes of which more may follow.

use crate::format::edn::{Problem, Stop};

/// Looks at bytes from the beginning on.
pub(super) struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    is_ended: bool,
}

/// What begins at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `[` or `{`.
    Open(u8),
    /// `]` or `}`.
    Close(u8),
    Comma,
    Colon,
    /// A string, quotes and all.
    Text,
    /// A number, `true`, `false`, `null`, or what is none of these.
    Word,
    /// The end of the file.
    End,
}

impl<'b> Scanner<'b> {
    pub(super) fn new(bytes: &'b [u8], is_ended: bool) -> Self {
        Self { bytes, at: 0, is_ended }
    }

    /// How far it has looked.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> &'b [u8] {
        &self.bytes[from..to]
    }

    /// The bytes of the token that began at `from`.
    pub(super) fn since(&self, from: usize) -> &'b [u8] {
        self.between(from, self.at)
    }

    /// What began at `from` should be something else.
    pub(super) fn problem(&self, from: usize, expected: &'static str) -> Stop {
        Stop::Problem(Problem { from, to: self.at, expected: Some(expected) })
    }

    /// The bracket at `from` is one too many.
    pub(super) fn too_deep(&self, from: usize) -> Stop {
        Stop::Problem(Problem { from, to: self.at, expected: None })
    }

    /// The next token, which must be this one.
    pub(super) fn expect(&mut self, wanted: Token, expected: &'static str) -> Result<(), Stop> {
        let (token, at) = self.token()?;
        if token == wanted { Ok(()) } else { Err(self.problem(at, expected)) }
    }

    /// The next token and where it begins; blanks before it are passed over.
    pub(super) fn token(&mut self) -> Result<(Token, usize), Stop> {
        let first = loop {
            match self.bytes.get(self.at) {
                None if self.is_ended => return Ok((Token::End, self.at)),
                None => return Err(Stop::Incomplete),
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(byte) => break *byte,
            }
        };
        let from = self.at;
        self.at += 1;
        let token = match first {
            b'[' | b'{' => Token::Open(first),
            b']' | b'}' => Token::Close(first),
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => self.text(from)?,
            _ => self.word()?,
        };
        Ok((token, from))
    }

    fn text(&mut self, from: usize) -> Result<Token, Stop> {
        loop {
            match self.bytes.get(self.at) {
                None if self.is_ended => return Err(self.problem(from, "a string that ends in \"")),
                None => return Err(Stop::Incomplete),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Token::Text);
                }
                // Whatever is escaped does not end the string.
                Some(b'\\') => self.at = (self.at + 2).min(self.bytes.len()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn word(&mut self) -> Result<Token, Stop> {
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"[]{},:\"".contains(byte);
        match self.bytes[self.at..].iter().position(is_end) {
            Some(length) => self.at += length,
            None if self.is_ended => self.at = self.bytes.len(),
            None => return Err(Stop::Incomplete),
        }
        Ok(Token::Word)
    }
}
