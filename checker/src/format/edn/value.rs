//! A value of EDN, as far as an operation can hold it.

use std::borrow::Cow;

use super::scanner::{Bracket, Scanner, Stop, Token};
use super::string::{quoted, unescaped};
use super::{DEPTH_MAX, number};
use crate::format::Found;
use crate::spec::register::symbol;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) enum Edn {
    Nil,
    Truth(bool),
    Integer(i128),
    Text(String),
    /// Without its colon.
    Keyword(Cow<'static, str>),
    /// A vector or a list.
    List(Vec<Self>),
    /// A vector of two that is tagged as a key and a value.
    Pair(Vec<Self>),
    /// Keys and values in turn.
    Map(Vec<Self>),
    Set(Vec<Self>),
    /// Anything else: other numbers, symbols, characters; as it is written.
    Other(String),
}

/// What a value that is read stands in.
enum Frame {
    Bracket(Bracket, Vec<Edn>),
    Tag(Tag),
    Discard,
}

/// What a tag makes of the value after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    /// A pair of a key and a value: `#jepsen.independent.Tuple`, `#clojure.lang.MapEntry`.
    Pair,
    /// Something that is no value of an operation: `#object`, `#error`.
    Opaque,
    /// Nothing: it is passed over.
    Plain,
}

impl Edn {
    /// Reads the next value. Brackets are kept on a stack of bounded depth.
    pub(in crate::format) fn read(scanner: &mut Scanner<'_>) -> Result<Self, Stop> {
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            let (token, from) = scanner.token()?;
            let value = match token {
                Token::Open(bracket) => {
                    push(&mut frames, Frame::Bracket(bracket, Vec::new()), scanner, from)?;
                    continue;
                }
                Token::Tag => {
                    let tag = Tag::named(scanner.since(from));
                    push(&mut frames, Frame::Tag(tag), scanner, from)?;
                    continue;
                }
                Token::Discard => {
                    push(&mut frames, Frame::Discard, scanner, from)?;
                    continue;
                }
                Token::Close(mark) => closed(frames.pop(), mark, scanner, from)?,
                Token::Text => Self::Text(text(scanner, from)?),
                Token::Atom => atom(scanner, from)?,
                Token::Opaque => Self::Other(shortened(&String::from_utf8_lossy(scanner.since(from)))),
                Token::End => return Err(scanner.problem(from, missing(frames.last()))),
            };
            if let Some(whole) = deliver(&mut frames, value) {
                return Ok(whole);
            }
        }
    }

    /// The one value that is written so, if it is one.
    pub(in crate::format) fn parse(written: &str) -> Option<Self> {
        let mut scanner = Scanner::new(written.as_bytes(), true);
        let value = Self::read(&mut scanner).ok()?;
        matches!(scanner.token(), Ok((Token::End, _))).then_some(value)
    }

    /// The string that is written so, if it is one.
    pub(in crate::format) fn string(written: &str) -> Option<String> {
        if let Some(Self::Text(text)) = Self::parse(written) { Some(text) } else { None }
    }

    /// As an integer.
    pub(in crate::format) fn integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { i64::try_from(*value).ok() } else { None }
    }

    /// As a count.
    pub(in crate::format) fn count(&self) -> Option<u64> {
        if let Self::Integer(value) = self { u64::try_from(*value).ok() } else { None }
    }

    /// As the value of a register: nil, a whole number, or the symbol of any other single value.
    pub(in crate::format) fn register(&self) -> Option<Option<i64>> {
        match self {
            Self::Nil => Some(None),
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(small) if !symbol::is_reserved(small) => Some(Some(small)),
                Ok(_) | Err(_) => Some(Some(symbol::of(&value.to_string()))),
            },
            Self::Truth(_) | Self::Text(_) | Self::Keyword(_) => Some(Some(symbol::of(&self.written()))),
            Self::Other(written) if number::is_number(written) || written.starts_with('\\') => {
                Some(Some(symbol::of(written)))
            }
            Self::List(_) | Self::Pair(_) | Self::Map(_) | Self::Set(_) | Self::Other(_) => None,
        }
    }

    /// As the number of a process, which some programs write as a string.
    pub(in crate::format) fn process(&self) -> Option<u64> {
        if let Self::Text(digits) = self { digits.parse().ok() } else { self.count() }
    }

    /// As what stands in brackets.
    pub(in crate::format) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) | Self::Pair(items) = self { Some(items) } else { None }
    }

    /// As a name: a string, a keyword or a number.
    pub(in crate::format) fn name(&self) -> Option<String> {
        match self {
            Self::Text(name) => Some(name.clone()),
            Self::Keyword(name) => Some(name.as_ref().to_owned()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Truth(truth) => Some(truth.to_string()),
            Self::Other(written) => Some(written.clone()),
            Self::Nil | Self::List(_) | Self::Pair(_) | Self::Map(_) | Self::Set(_) => None,
        }
    }

    /// The word that a string or a keyword is, which may have a colon as JSON writes keywords.
    pub(in crate::format) fn word(&self) -> Option<&str> {
        match self {
            Self::Text(name) => Some(name.strip_prefix(':').unwrap_or(name)),
            Self::Keyword(name) => Some(name),
            Self::Nil
            | Self::Truth(_)
            | Self::Integer(_)
            | Self::List(_)
            | Self::Pair(_)
            | Self::Map(_)
            | Self::Set(_)
            | Self::Other(_) => None,
        }
    }

    /// As it is written in EDN; of what stands in brackets only that there is something.
    pub(in crate::format) fn written(&self) -> String {
        match self {
            Self::Nil => "nil".to_owned(),
            Self::Truth(truth) => truth.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Text(text) => quoted(text),
            Self::Keyword(name) => format!(":{name}"),
            Self::List(items) | Self::Pair(items) => match items.len() {
                0 => "[]".to_owned(),
                1 => "[… 1 value]".to_owned(),
                count => format!("[… {count} values]"),
            },
            Self::Map(_) => "{…}".to_owned(),
            Self::Set(_) => "#{…}".to_owned(),
            Self::Other(shown) => shown.clone(),
        }
    }

    /// As it is written in EDN, brackets included. Values are of bounded depth.
    pub(in crate::format) fn in_full(&self) -> String {
        let (open, items, close) = match self {
            Self::List(items) | Self::Pair(items) => ("[", items, "]"),
            Self::Map(items) => ("{", items, "}"),
            Self::Set(items) => ("#{", items, "}"),
            Self::Nil
            | Self::Truth(_)
            | Self::Integer(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::Other(_) => return self.written(),
        };
        let items: Vec<String> = items.iter().map(Self::in_full).collect();
        format!("{open}{}{close}", items.join(" "))
    }

    /// As an error shows it.
    pub(in crate::format) fn found(&self) -> Found {
        if let Self::Text(text) = self { Found::text(text) } else { Found::text(&self.written()) }
    }
}

impl Tag {
    /// What the tag means, which is written with its mark.
    fn named(written: &[u8]) -> Self {
        match written {
            b"#object" | b"#error" => return Self::Opaque,
            _ => {}
        }
        let ends = |end: &str| written.ends_with(end.as_bytes());
        if ends("Tuple") || ends("/tuple") || ends("MapEntry") || ends("map-entry") {
            Self::Pair
        } else {
            Self::Plain
        }
    }

    fn applied(self, value: Edn) -> Edn {
        match (self, value) {
            (Self::Opaque, value) => Edn::Other(value.written()),
            (Self::Pair, Edn::List(items)) if items.len() == 2 => Edn::Pair(items),
            (Self::Pair, Edn::Map(items)) => pair_of(items),
            (Self::Pair | Self::Plain, value) => value,
        }
    }
}

/// The pair that a record of a key and a value is.
fn pair_of(items: Vec<Edn>) -> Edn {
    let find = |names: [&str; 2]| {
        let mut fields = items.chunks_exact(2);
        let found = fields.find(|field| field[0].word().is_some_and(|word| names.contains(&word)));
        found.map(|field| field[1].clone())
    };
    match (find(["key", "k"]), find(["value", "v"])) {
        (Some(key), Some(value)) => Edn::Pair(vec![key, value]),
        (None, _) | (_, None) => Edn::Map(items),
    }
}

fn push(frames: &mut Vec<Frame>, frame: Frame, scanner: &Scanner<'_>, from: usize) -> Result<(), Stop> {
    if frames.len() == DEPTH_MAX {
        return Err(scanner.too_deep(from));
    }
    frames.push(frame);
    Ok(())
}

/// What ends with the closing `mark` at `from`.
fn closed(frame: Option<Frame>, mark: u8, scanner: &Scanner<'_>, from: usize) -> Result<Edn, Stop> {
    match frame {
        Some(Frame::Bracket(bracket, items)) if bracket.end() == mark => match bracket {
            Bracket::Vector | Bracket::List => Ok(Edn::List(items)),
            Bracket::Map if items.len() % 2 == 1 => {
                Err(scanner.problem(from, "a value for the key before it"))
            }
            Bracket::Map => Ok(Edn::Map(items)),
            Bracket::Set => Ok(Edn::Set(items)),
        },
        other => Err(scanner.problem(from, missing(other.as_ref()))),
    }
}

fn missing(frame: Option<&Frame>) -> &'static str {
    match frame {
        Some(Frame::Bracket(bracket, _)) => bracket.missing(),
        Some(Frame::Tag(_) | Frame::Discard) | None => "a value",
    }
}

/// Puts the value where it belongs; gives it back if that is outside all brackets.
fn deliver(frames: &mut Vec<Frame>, mut value: Edn) -> Option<Edn> {
    loop {
        match frames.last_mut() {
            None => return Some(value),
            Some(Frame::Bracket(_, items)) => {
                items.push(value);
                return None;
            }
            Some(Frame::Tag(tag)) => {
                value = tag.applied(value);
                frames.pop();
            }
            Some(Frame::Discard) => {
                frames.pop();
                return None;
            }
        }
    }
}

/// The number, keyword, symbol or character that began at `from`.
fn atom(scanner: &Scanner<'_>, from: usize) -> Result<Edn, Stop> {
    let bytes = scanner.since(from);
    match bytes {
        b"nil" => return Ok(Edn::Nil),
        b"true" => return Ok(Edn::Truth(true)),
        b"false" => return Ok(Edn::Truth(false)),
        _ => {}
    }
    if let Some(name) = bytes.strip_prefix(b":") {
        return Ok(Edn::Keyword(keyword(name)));
    }
    let written = String::from_utf8_lossy(bytes);
    if number::is_number(&written) {
        return number::number(&written).ok_or_else(|| scanner.problem(from, "a number as Clojure reads it"));
    }
    Ok(Edn::Other(written.into_owned()))
}

/// The name of a keyword; of those that stand in every map there is one copy for all.
fn keyword(name: &[u8]) -> Cow<'static, str> {
    const USUAL: [&str; 13] =
        ["invoke", "ok", "read", "write", "cas", "fail", "info", "nemesis", "get", "append", "txn", "r", "w"];
    match USUAL.into_iter().find(|usual| usual.as_bytes() == name) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(String::from_utf8_lossy(name).into_owned()),
    }
}

/// At most so much of it as an error shows.
pub(in crate::format) fn shortened(written: &str) -> String {
    match Found::text(written) {
        Found::Text(shown) => shown,
        Found::EndOfLine | Found::EndOfFile => String::new(),
    }
}

/// The content of the string at `from`.
fn text(scanner: &Scanner<'_>, from: usize) -> Result<String, Stop> {
    let quoted = scanner.since(from);
    let inside = &quoted[1..quoted.len() - 1];
    let written = String::from_utf8_lossy(inside);
    if !inside.contains(&b'\\') {
        return Ok(written.into_owned());
    }
    unescaped(&written).ok_or_else(|| scanner.problem(from, "a string whose escapes are of EDN"))
}
