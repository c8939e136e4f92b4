//! A value of EDN, as far as an operation can hold it.

use std::borrow::Cow;

use super::DEPTH_MAX;
use super::scanner::{Bracket, Scanner, Stop, Token};
use crate::format::Found;

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
    /// Anything else: sets, maps, other numbers, symbols; as it is written, shortened.
    Other(String),
}

/// What a value that is read stands in.
enum Frame {
    Bracket(Bracket, Vec<Edn>),
    Tag,
    Discard,
}

impl Edn {
    /// Reads the next value. Brackets are kept on a stack of bounded depth.
    pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Self, Stop> {
        let mut frames: Vec<Frame> = Vec::new();
        loop {
            let (token, from) = scanner.token()?;
            let value = match token {
                Token::Open(bracket) => {
                    push(&mut frames, Frame::Bracket(bracket, Vec::new()), scanner, from)?;
                    continue;
                }
                Token::Tag => {
                    push(&mut frames, Frame::Tag, scanner, from)?;
                    continue;
                }
                Token::Discard => {
                    push(&mut frames, Frame::Discard, scanner, from)?;
                    continue;
                }
                Token::Close(mark) => closed(frames.pop(), mark, scanner, from)?,
                Token::Text => Self::Text(text(scanner, from)?),
                Token::Atom => atom(scanner.since(from)),
                Token::End => return Err(scanner.problem(from, missing(frames.last()))),
            };
            if let Some(whole) = deliver(&mut frames, value) {
                return Ok(whole);
            }
        }
    }

    /// The string that is written so, if it is one.
    pub(in crate::format) fn string(written: &str) -> Option<String> {
        match Self::read(&mut Scanner::new(written.as_bytes(), true)) {
            Ok(Self::Text(text)) => Some(text),
            Ok(_) | Err(_) => None,
        }
    }

    /// As an integer.
    pub(in crate::format) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => i64::try_from(*value).ok(),
            Self::Nil
            | Self::Truth(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::List(_)
            | Self::Other(_) => None,
        }
    }

    /// As a count.
    pub(in crate::format) fn count(&self) -> Option<u64> {
        match self {
            Self::Integer(value) => u64::try_from(*value).ok(),
            Self::Nil
            | Self::Truth(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::List(_)
            | Self::Other(_) => None,
        }
    }

    /// As the value of a register.
    pub(in crate::format) fn register(&self) -> Option<Option<i64>> {
        if *self == Self::Nil { Some(None) } else { self.integer().map(Some) }
    }

    /// As what stands in brackets.
    pub(in crate::format) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            Self::Nil
            | Self::Truth(_)
            | Self::Integer(_)
            | Self::Text(_)
            | Self::Keyword(_)
            | Self::Other(_) => None,
        }
    }

    /// As a name: a string, a keyword or a number.
    pub(in crate::format) fn name(&self) -> Option<String> {
        match self {
            Self::Text(name) => Some(name.clone()),
            Self::Keyword(name) => Some(name.as_ref().to_owned()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Nil | Self::Truth(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// As an error shows it.
    pub(in crate::format) fn found(&self) -> Found {
        match self {
            Self::Nil => Found::text("nil"),
            Self::Truth(truth) => Found::text(&truth.to_string()),
            Self::Integer(value) => Found::text(&value.to_string()),
            Self::Text(text) => Found::text(text),
            Self::Keyword(name) => Found::text(&format!(":{name}")),
            Self::List(items) => Found::text(&format!("[… {} values]", items.len())),
            Self::Other(shown) => Found::text(shown),
        }
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
            Bracket::Map => Ok(Edn::Other("{…}".to_owned())),
            Bracket::Set => Ok(Edn::Other("#{…}".to_owned())),
        },
        other => Err(scanner.problem(from, missing(other.as_ref()))),
    }
}

fn missing(frame: Option<&Frame>) -> &'static str {
    match frame {
        Some(Frame::Bracket(bracket, _)) => bracket.missing(),
        Some(Frame::Tag | Frame::Discard) | None => "a value",
    }
}

/// Puts the value where it belongs; gives it back if that is outside all brackets.
fn deliver(frames: &mut Vec<Frame>, value: Edn) -> Option<Edn> {
    loop {
        match frames.last_mut() {
            None => return Some(value),
            Some(Frame::Bracket(_, items)) => {
                items.push(value);
                return None;
            }
            Some(Frame::Tag) => {
                frames.pop();
            }
            Some(Frame::Discard) => {
                frames.pop();
                return None;
            }
        }
    }
}

fn atom(bytes: &[u8]) -> Edn {
    match bytes {
        b"nil" => return Edn::Nil,
        b"true" => return Edn::Truth(true),
        b"false" => return Edn::Truth(false),
        _ => {}
    }
    if let Some(name) = bytes.strip_prefix(b":") {
        return Edn::Keyword(keyword(name));
    }
    let written = String::from_utf8_lossy(bytes);
    let number = written.strip_suffix('N').unwrap_or(&written);
    // Most numbers are small, and the small ones are read several times as fast.
    let small = number.parse::<i64>().map(i128::from);
    small.or_else(|_| number.parse()).map_or_else(|_| Edn::Other(shortened(&written)), Edn::Integer)
}

/// The name of a keyword; of those that stand in every map there is one copy for all.
fn keyword(name: &[u8]) -> Cow<'static, str> {
    const USUAL: [&str; 10] =
        ["invoke", "ok", "read", "write", "cas", "fail", "info", "nemesis", "get", "append"];
    match USUAL.into_iter().find(|usual| usual.as_bytes() == name) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(String::from_utf8_lossy(name).into_owned()),
    }
}

pub(super) fn shortened(written: &str) -> String {
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
    let mut content = String::with_capacity(written.len());
    let mut marks = written.chars();
    while let Some(mark) = marks.next() {
        let plain = if mark == '\\' { unescaped(&mut marks) } else { Some(mark) };
        content.push(plain.ok_or_else(|| scanner.problem(from, "a string whose escapes are of EDN"))?);
    }
    Ok(content)
}

/// What the marks after a backslash stand for.
fn unescaped(marks: &mut std::str::Chars<'_>) -> Option<char> {
    match marks.next()? {
        't' => Some('\t'),
        'r' => Some('\r'),
        'n' => Some('\n'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'u' => {
            let digits = marks.as_str().get(..4)?;
            let code = u32::from_str_radix(digits, 16).ok()?;
            marks.nth(3);
            char::from_u32(code)
        }
        mark @ ('\\' | '"') => Some(mark),
        _ => None,
    }
}
