//! Operations in Fressian as the lines of a history in EDN, made as they are read.

use std::io::{self, Read};

use super::fressian::{Reader, Value};
use super::{Chunk, OTHERS};
use crate::format::edn::quoted;
use crate::format::{FormatError, Found, LINE_BYTES_MAX, Place};

/// The tag of an operation, and the keys of its fields. Its last field is a map of others.
const OPERATION: &str = "jepsen.history.Op";
const KEYS: [&str; 6] = ["index", "time", "type", "process", "f", "value"];
/// How deep values are written; what is read is not nested deeper.
const DEPTH_MAX: usize = 80;

/// The lines of a history.
pub(super) struct Lines<'b> {
    /// The parts that are left, last first.
    chunks: Vec<Chunk<'b>>,
    stream: Option<Reader<'b>>,
    /// The operations of a list that are left, last first.
    listed: Vec<Value>,
    line: Vec<u8>,
    /// How much of the line was given.
    given: usize,
    /// How many operations were given.
    count: usize,
    error: Option<FormatError>,
}

impl<'b> Lines<'b> {
    pub(super) fn new(mut chunks: Vec<Chunk<'b>>) -> Self {
        chunks.reverse();
        Self { chunks, stream: None, listed: Vec::new(), line: Vec::new(), given: 0, count: 0, error: None }
    }

    /// What was wrong, if reading ended with an error of this.
    pub(super) fn error(self) -> Option<FormatError> {
        self.error
    }

    /// The next operation.
    fn operation(&mut self) -> Result<Option<Value>, &'static str> {
        loop {
            if let Some(value) = self.listed.pop() {
                return Ok(Some(value));
            }
            if let Some(stream) = &mut self.stream {
                match stream.value().map_err(|problem| problem.found)? {
                    Some(value) => return Ok(Some(value)),
                    None => self.stream = None,
                }
            }
            match self.chunks.pop() {
                None => return Ok(None),
                Some(Chunk::Stream(data)) => self.stream = Some(Reader::new(data)),
                Some(Chunk::List(data)) => {
                    match Reader::new(data).value().map_err(|problem| problem.found)? {
                        Some(Value::List(items)) => self.listed = items.iter().rev().cloned().collect(),
                        Some(Value::Nil) | None => {}
                        Some(_) => return Err("a history that is no list"),
                    }
                }
            }
        }
    }

    fn next_line(&mut self) -> Result<(), &'static str> {
        let Some(operation) = self.operation()? else { return Ok(()) };
        let mut text = String::new();
        write(&mut text, &as_map(&operation)?, 0)?;
        text.push('\n');
        self.count += 1;
        self.line = text.into_bytes();
        self.given = 0;
        Ok(())
    }
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.line.len() {
            self.line.clear();
            self.given = 0;
            if let Err(found) = self.next_line() {
                let place = Place { line: self.count + 1, column: 1 };
                self.error =
                    Some(FormatError::Unexpected { place, found: Found::text(found), expected: OTHERS });
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let rest = &self.line[self.given..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

/// An operation as a map.
fn as_map(operation: &Value) -> Result<Value, &'static str> {
    if operation.pairs().is_some() {
        return Ok(operation.clone());
    }
    let Value::Tagged(tag, fields) = operation else { return Err("an operation that is no map") };
    if &**tag != OPERATION || fields.len() != KEYS.len() + 1 {
        return Err("an operation that is no map");
    }
    let keyword = |name: &str| Value::Tagged("key".into(), [Value::Nil, Value::Text(name.into())].into());
    let mut items = Vec::new();
    for (key, value) in KEYS.iter().zip(fields.iter()) {
        items.extend([keyword(key), value.clone()]);
    }
    for (key, value) in fields[KEYS.len()].pairs().into_iter().flatten() {
        items.extend([key.clone(), value.clone()]);
    }
    Ok(Value::Tagged("map".into(), [Value::List(items.into())].into()))
}

/// Writes a value in EDN. What is cached may come again and again, so that a line is bounded here.
fn write(text: &mut String, value: &Value, depth: usize) -> Result<(), &'static str> {
    if text.len() > LINE_BYTES_MAX || depth > DEPTH_MAX {
        return Err("an operation that is too long");
    }
    match value {
        Value::Nil => text.push_str("nil"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => text.push_str(&number.to_string()),
        Value::Decimal(number) => {
            text.push_str(number);
            if number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
                text.push_str(".0");
            }
        }
        Value::Text(string) => quote(text, string),
        Value::Bytes(bytes) => quote(text, &format!("{} bytes", bytes.len())),
        Value::List(items) => items_between(text, ("[", "]"), items, depth)?,
        Value::Tagged(tag, fields) => tagged(text, tag, fields, depth)?,
    }
    Ok(())
}

fn tagged(text: &mut String, tag: &str, fields: &[Value], depth: usize) -> Result<(), &'static str> {
    match (tag, fields) {
        ("map", [Value::List(items)]) => items_between(text, ("{", "}"), items, depth),
        ("set" | "persistent-hash-set" | "persistent-sorted-set", [Value::List(items)]) => {
            items_between(text, ("#{", "}"), items, depth)
        }
        ("set" | "persistent-hash-set" | "persistent-sorted-set", [Value::Nil]) => {
            text.push_str("#{}");
            Ok(())
        }
        ("vec", [Value::Nil]) => {
            text.push_str("[]");
            Ok(())
        }
        ("key", [Value::Nil, Value::Text(name)]) => named(text, ":", None, name),
        ("key", [Value::Text(space), Value::Text(name)]) => named(text, ":", Some(space), name),
        ("sym", [Value::Nil, Value::Text(name)]) => named(text, "", None, name),
        ("sym", [Value::Text(space), Value::Text(name)]) => named(text, "", Some(space), name),
        ("atom" | "vec" | "date-time" | "instant" | "inst" | "byte" | "char", [inner]) => {
            write(text, inner, depth + 1)
        }
        ("map-entry", items) => items_between(text, ("[", "]"), items, depth),
        (_, items) => {
            // What has no word here is told with its tag, which the reader passes over.
            text.push_str("#fressian/value ");
            items_between(text, ("[", "]"), items, depth)
        }
    }
}

fn items_between(
    text: &mut String,
    (open, close): (&str, &str),
    items: &[Value],
    depth: usize,
) -> Result<(), &'static str> {
    text.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        write(text, item, depth + 1)?;
    }
    text.push_str(close);
    Ok(())
}

/// A keyword or symbol; a name that EDN cannot hold is quoted.
fn named(text: &mut String, mark: &str, space: Option<&str>, name: &str) -> Result<(), &'static str> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|mark| mark.is_alphanumeric() || "*+!-_'?<>=.$&%/:#".contains(mark))
    };
    if !is_plain(name) || !space.is_none_or(is_plain) {
        quote(text, name);
        return Ok(());
    }
    text.push_str(mark);
    if let Some(space) = space {
        text.push_str(space);
        text.push('/');
    }
    text.push_str(name);
    Ok(())
}

fn quote(text: &mut String, string: &str) {
    text.push_str(&quoted(string));
}
