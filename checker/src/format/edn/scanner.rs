//! Brackets, strings and atoms of EDN, in bytes of which more may follow.

use super::Edn;

/// Looks at bytes from the beginning on.
pub(in crate::format) struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    is_ended: bool,
}

/// What begins at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open(Bracket),
    /// A closing mark.
    Close(u8),
    /// A string, quotes and all.
    Text,
    /// A number, keyword, symbol or character.
    Atom,
    /// A tag; the value that it belongs to follows.
    Tag,
    /// What is no value of an operation: a regular expression, a var, an object that cannot be read.
    Opaque,
    /// `#_`, or `^` before metadata; the value that is discarded follows.
    Discard,
    /// The end of the file.
    End,
}

/// An opening bracket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::format) enum Bracket {
    Vector,
    List,
    Map,
    Set,
}

/// Why no token or value can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) enum Stop {
    /// More bytes are needed to tell.
    Incomplete,
    /// These bytes are wrong, whatever follows.
    Problem(Problem),
}

/// Bytes that should not stand where they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) struct Problem {
    pub(in crate::format) from: usize,
    /// Where they end: where they begin, at the end of the file.
    pub(in crate::format) to: usize,
    /// What should stand there; none: a bracket too many.
    pub(in crate::format) expected: Option<&'static str>,
}

impl Bracket {
    /// The mark that ends it.
    pub(super) fn end(self) -> u8 {
        match self {
            Self::Vector => b']',
            Self::List => b')',
            Self::Map | Self::Set => b'}',
        }
    }

    /// What is expected where that mark is missing.
    pub(super) fn missing(self) -> &'static str {
        match self {
            Self::Vector => "]",
            Self::List => ")",
            Self::Map | Self::Set => "}",
        }
    }
}

impl<'b> Scanner<'b> {
    pub(in crate::format) fn new(bytes: &'b [u8], is_ended: bool) -> Self {
        Self { bytes, at: 0, is_ended }
    }

    /// How far it has looked.
    pub(in crate::format) fn at(&self) -> usize {
        self.at
    }

    /// Looks again from `at` on.
    pub(super) fn back_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The bytes between two places.
    pub(super) fn between(&self, from: usize, to: usize) -> &'b [u8] {
        &self.bytes[from..to]
    }

    /// The bytes of the token or value that began at `from` and ended where it stands.
    pub(super) fn since(&self, from: usize) -> &'b [u8] {
        &self.bytes[from..self.at]
    }

    /// What began at `from` should be something else.
    pub(super) fn problem(&self, from: usize, expected: &'static str) -> Stop {
        Stop::Problem(Problem { from, to: self.at, expected: Some(expected) })
    }

    /// The bracket at `from` is one too many.
    pub(super) fn too_deep(&self, from: usize) -> Stop {
        Stop::Problem(Problem { from, to: self.at, expected: None })
    }

    /// The next value and where it begins; none at the end.
    pub(in crate::format) fn next_value(&mut self) -> Result<Option<(Edn, usize)>, Stop> {
        let (token, from) = self.token()?;
        if token == Token::End {
            return Ok(None);
        }
        self.back_to(from);
        Ok(Some((Edn::read(self)?, from)))
    }

    /// The next token and where it begins; blanks and comments before it are passed over.
    pub(super) fn token(&mut self) -> Result<(Token, usize), Stop> {
        let first = loop {
            match self.bytes.get(self.at) {
                None if self.is_ended => return Ok((Token::End, self.at)),
                None => return Err(Stop::Incomplete),
                Some(b';') => self.skip_while(|byte| byte != b'\n')?,
                Some(byte) if is_blank(*byte) => self.at += 1,
                Some(byte) => break *byte,
            }
        };
        let from = self.at;
        self.at += 1;
        let token = match first {
            b'[' => Token::Open(Bracket::Vector),
            b'(' => Token::Open(Bracket::List),
            b'{' => Token::Open(Bracket::Map),
            b']' | b')' | b'}' => Token::Close(first),
            b'"' => self.text(from)?,
            b'^' => Token::Discard,
            b'#' => self.dispatch(from)?,
            b'\\' => self.character()?,
            _ => self.atom()?,
        };
        Ok((token, from))
    }

    /// What follows `#`.
    fn dispatch(&mut self, from: usize) -> Result<Token, Stop> {
        match self.bytes.get(self.at) {
            None if self.is_ended => Err(self.problem(from, "a tag, a set or a discard")),
            None => Err(Stop::Incomplete),
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Open(Bracket::Set))
            }
            Some(b'_') => {
                self.at += 1;
                Ok(Token::Discard)
            }
            Some(b'#') => self.atom(),
            Some(b'^') => {
                self.at += 1;
                Ok(Token::Discard)
            }
            Some(b'"') => {
                self.at += 1;
                self.text(from).map(|_| Token::Opaque)
            }
            Some(b'\'') => {
                self.at += 1;
                self.atom().map(|_| Token::Opaque)
            }
            Some(b'<') => self.unreadable(from),
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b':' => self.atom().map(|_| Token::Tag),
            Some(_) => Err(self.problem(from, "a tag, a set or a discard")),
        }
    }

    /// The rest of what Clojure wrote before 1.7 for an object that cannot be read: `#<Name and more>`. It
    /// ends in a `>` that no word goes on after.
    fn unreadable(&mut self, from: usize) -> Result<Token, Stop> {
        loop {
            match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (None, _) if self.is_ended => return Err(self.problem(from, "an object that ends in >")),
                (None, _) => return Err(Stop::Incomplete),
                (Some(b'>'), None) if !self.is_ended => return Err(Stop::Incomplete),
                (Some(b'>'), next) if next.is_none_or(|next| is_blank(*next) || b"]})".contains(next)) => {
                    self.at += 1;
                    return Ok(Token::Opaque);
                }
                (Some(_), _) => self.at += 1,
            }
        }
    }

    /// The rest of a string.
    fn text(&mut self, from: usize) -> Result<Token, Stop> {
        loop {
            match self.bytes.get(self.at) {
                None if self.is_ended => {
                    let to = self.at;
                    let expected = Some("a string that ends in \"");
                    return Err(Stop::Problem(Problem { from, to, expected }));
                }
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

    /// The rest of a character: one of any kind, and what makes it a name.
    fn character(&mut self) -> Result<Token, Stop> {
        if self.at < self.bytes.len() {
            self.at += 1;
        }
        self.atom()
    }

    fn atom(&mut self) -> Result<Token, Stop> {
        self.skip_while(|byte| CLASSES[usize::from(byte)] == Class::Plain)?;
        Ok(Token::Atom)
    }

    /// To the first byte that is not so.
    fn skip_while(&mut self, is_so: impl Fn(u8) -> bool) -> Result<(), Stop> {
        match self.bytes[self.at..].iter().position(|byte| !is_so(*byte)) {
            Some(length) => self.at += length,
            None if self.is_ended => self.at = self.bytes.len(),
            None => return Err(Stop::Incomplete),
        }
        Ok(())
    }
}

/// What a byte is where no string is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    /// Ends an atom that stands before it.
    Mark,
    Plain,
}

/// The class of each byte.
const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Plain; 256];
    let (blanks, marks) = (b" \t\r\n\x0c,", b"[](){}\";");
    let mut index = 0;
    while index < blanks.len() {
        classes[blanks[index] as usize] = Class::Blank;
        index += 1;
    }
    index = 0;
    while index < marks.len() {
        classes[marks[index] as usize] = Class::Mark;
        index += 1;
    }
    classes
}

fn is_blank(byte: u8) -> bool {
    CLASSES[usize::from(byte)] == Class::Blank
}
