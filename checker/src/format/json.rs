//! Operations with Jepsen's keys in JSON: an array of objects, or objects one after another.
//!
//! ```text
//!   [{"index":0,"type":"invoke","process":0,"f":"write","value":1},
//!    {"index":1,"type":"ok","process":0,"f":"write","value":1}]
//! ```
//!
//! What is a keyword in EDN is a string here, with its colon or without: `"read"`, `":read"`. Everything else
//! is as in `jepsen-edn`.

mod scanner;
mod value;

use super::contents::Parsed;
use super::edn::{Dialect, Edn, Elements, Field, Fields, Given, Kind, Step, Stop, Within, after};
use super::operations::{self, Declared, Rules};
use super::source::Source;
use super::{FormatError, Options, Place};
use scanner::{Scanner, Token};

/// How far the first object is looked for.
const HEAD_BYTES: usize = 1 << 12;

/// Reads the objects of a file.
///
/// # Errors
/// If an object is no operation, or the operations are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    let mut elements = Elements::new(source, Dialect::Json);
    operations::read(&mut elements, None, Rules::of_maps(options.nil), &Declared::default(), options)
}

/// Whether a file that begins so is of operations: its first object says of which type it is.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    if !is_like(head) {
        return false;
    }
    let mut scanner = Scanner::new(head, true);
    let mut depth = 0_usize;
    // To the end of the first object, or as far as it is there.
    while let Ok((token, _)) = scanner.token() {
        match token {
            Token::Open(b'{') => depth += 1,
            Token::Close(b'}') if depth <= 1 => break,
            Token::Close(b'}') => depth -= 1,
            Token::End => break,
            Token::Open(_) | Token::Close(_) | Token::Comma | Token::Colon | Token::Text | Token::Word => {}
        }
    }
    let object = String::from_utf8_lossy(&head[..scanner.at().min(head.len())]);
    // Blanks may stand around the colon.
    object.match_indices("type\"").any(|(at, key)| {
        let value = object[at + key.len()..].trim_start().strip_prefix(':').map(str::trim_start);
        let word = value.and_then(|value| value.strip_prefix('"')).and_then(|value| value.split('"').next());
        word.is_some_and(|word| Kind::named(word.strip_prefix(':').unwrap_or(word)).is_some())
    })
}

/// Whether a file that begins so is JSON, of whatever kind: an object, or an array of them.
pub(super) fn is_like(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii_start();
    let inside = bytes.strip_prefix(b"[").unwrap_or(bytes).trim_ascii_start();
    inside.strip_prefix(b"{").is_some_and(|object| object.trim_ascii_start().starts_with(b"\""))
}

/// What comes next in `held`, what the element after it stands in, and how many bytes it is.
pub(super) fn step(
    held: &[u8],
    is_ended: bool,
    within: Within,
    start: Place,
) -> (Result<(Step, Within), Stop>, usize) {
    let mut scanner = Scanner::new(held, is_ended);
    let found = stepped(&mut scanner, within, start);
    (found, scanner.at())
}

fn stepped(scanner: &mut Scanner<'_>, within: Within, start: Place) -> Result<(Step, Within), Stop> {
    let (token, at) = scanner.token()?;
    let expected = match (token, within) {
        (Token::End, Within::Start | Within::File | Within::End) => return Ok((Step::End, within)),
        (Token::Open(b'['), Within::Start) => return Ok((Step::Moved, Within::ArrayStart)),
        (Token::Open(b'{'), Within::Start | Within::File) => {
            return Ok((Step::Map(fields(scanner, at, start)?), Within::File));
        }
        (Token::Open(b'{'), Within::ArrayStart | Within::ArrayComma) => {
            return Ok((Step::Map(fields(scanner, at, start)?), Within::ArrayRest));
        }
        (Token::Close(b']'), Within::ArrayStart | Within::ArrayRest) => {
            return Ok((Step::Moved, Within::End));
        }
        (Token::Comma, Within::ArrayRest) => return Ok((Step::Moved, Within::ArrayComma)),
        (_, Within::Start) => "an object, or an array of objects",
        (_, Within::File | Within::ArrayComma | Within::Bracket(_)) => "an object",
        (_, Within::ArrayStart) => "an object or ]",
        (_, Within::ArrayRest) => ", or ]",
        (_, Within::End) => "the end of the file, for the history has ended",
    };
    Err(scanner.problem(at, expected))
}

/// The object whose bracket stands at `from`; the bytes begin at `start`.
fn fields(scanner: &mut Scanner<'_>, from: usize, start: Place) -> Result<Fields, Stop> {
    let place = after(start, scanner.between(0, from));
    let mut fields = Fields { place, given: Vec::with_capacity(6) };
    let mut last = (from, place);
    let mut is_first = true;
    loop {
        let (token, at) = scanner.token()?;
        let name = match token {
            Token::Close(b'}') if is_first => return Ok(fields),
            Token::Text => value::string(scanner, at)?,
            _ => return Err(scanner.problem(at, if is_first { "a key or }" } else { "a key" })),
        };
        is_first = false;
        let field = Field::named(name.strip_prefix(':').unwrap_or(&name).as_bytes());
        if let Some(field) = field
            && fields.find(field).is_some()
        {
            return Err(scanner.problem(at, "each key once"));
        }
        scanner.expect(Token::Colon, "a colon")?;
        let (value, from): (Edn, usize) = value::read(scanner)?;
        if let Some(field) = field {
            last = (from, after(last.1, scanner.between(last.0, from)));
            fields.given.push(Given { field, value, place: last.1 });
        }
        match scanner.token()? {
            (Token::Comma, _) => {}
            (Token::Close(b'}'), _) => return Ok(fields),
            (_, at) => return Err(scanner.problem(at, ", or }")),
        }
    }
}
