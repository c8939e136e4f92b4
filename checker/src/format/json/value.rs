//! A value of JSON, as the value of EDN that it would be.

use super::scanner::{Scanner, Token};
use crate::format::edn::{DEPTH_MAX, Edn, Stop};

/// What a value that is read stands in.
enum Frame {
    Array(Vec<Edn>),
    /// Keys and values in turn.
    Object(Vec<Edn>),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// Reads the next value, with where it begins. Brackets are kept on a stack of bounded depth.
pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<(Edn, usize), Stop> {
    let mut frames: Vec<Frame> = Vec::new();
    let mut want = Want::Value;
    let mut start = None;
    loop {
        let (token, from) = scanner.token()?;
        let start = *start.get_or_insert(from);
        let is_value_wanted = matches!(want, Want::Value | Want::ValueOrEnd);
        let value = match token {
            Token::Open(mark) if is_value_wanted => {
                if frames.len() == DEPTH_MAX {
                    return Err(scanner.too_deep(from));
                }
                let is_array = mark == b'[';
                frames.push(if is_array { Frame::Array(Vec::new()) } else { Frame::Object(Vec::new()) });
                want = if is_array { Want::ValueOrEnd } else { Want::KeyOrEnd };
                continue;
            }
            Token::Text if is_value_wanted => Edn::Text(string(scanner, from)?),
            Token::Word if is_value_wanted => word(scanner, from)?,
            Token::Text if matches!(want, Want::Key | Want::KeyOrEnd) => {
                let key = Edn::Text(string(scanner, from)?);
                if let Some(frame) = frames.last_mut() {
                    frame.push(key);
                }
                want = Want::Colon;
                continue;
            }
            Token::Colon if want == Want::Colon => {
                want = Want::Value;
                continue;
            }
            Token::Comma if want == Want::CommaOrEnd => {
                want = if matches!(frames.last(), Some(Frame::Array(_))) { Want::Value } else { Want::Key };
                continue;
            }
            Token::Close(mark) if want.is_end(mark, frames.last()) => match frames.pop() {
                Some(Frame::Array(items)) => Edn::List(items),
                Some(Frame::Object(items)) => Edn::Map(items),
                None => return Err(scanner.problem(from, "a value")),
            },
            _ => return Err(scanner.problem(from, want.expected(frames.last()))),
        };
        match frames.last_mut() {
            None => return Ok((value, start)),
            Some(frame) => frame.push(value),
        }
        want = Want::CommaOrEnd;
    }
}

impl Frame {
    fn push(&mut self, value: Edn) {
        let (Self::Array(items) | Self::Object(items)) = self;
        items.push(value);
    }
}

impl Want {
    /// Whether the mark ends the bracket here.
    fn is_end(self, mark: u8, frame: Option<&Frame>) -> bool {
        match (self, frame) {
            (Self::ValueOrEnd | Self::CommaOrEnd, Some(Frame::Array(_))) => mark == b']',
            (Self::KeyOrEnd | Self::CommaOrEnd, Some(Frame::Object(_))) => mark == b'}',
            _ => false,
        }
    }

    fn expected(self, frame: Option<&Frame>) -> &'static str {
        match (self, frame) {
            (Self::Value, _) => "a value",
            (Self::ValueOrEnd, _) => "a value or ]",
            (Self::Key, _) => "a key",
            (Self::KeyOrEnd, _) => "a key or }",
            (Self::Colon, _) => "a colon",
            (Self::CommaOrEnd, Some(Frame::Array(_))) => ", or ]",
            (Self::CommaOrEnd, Some(Frame::Object(_)) | None) => ", or }",
        }
    }
}

/// The content of the string that began at `from`.
pub(super) fn string(scanner: &Scanner<'_>, from: usize) -> Result<String, Stop> {
    serde_json::from_slice(scanner.since(from)).map_err(|_| scanner.problem(from, "a string as JSON has it"))
}

/// The number, truth or nothing that began at `from`.
fn word(scanner: &Scanner<'_>, from: usize) -> Result<Edn, Stop> {
    let written = String::from_utf8_lossy(scanner.since(from));
    Ok(match written.as_ref() {
        "null" => Edn::Nil,
        "true" => Edn::Truth(true),
        "false" => Edn::Truth(false),
        number => {
            let is_number = serde_json::from_str::<serde_json::Number>(number).is_ok();
            match number.parse() {
                Ok(whole) if is_number => Edn::Integer(whole),
                Err(_) if is_number => Edn::Other(number.to_owned()),
                Ok(_) | Err(_) => return Err(scanner.problem(from, "a value of JSON")),
            }
        }
    })
}
