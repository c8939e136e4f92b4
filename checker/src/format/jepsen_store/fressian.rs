//! Fressian: values in bytes, with two caches for what comes again.
//!
//! How many values follow a tag is not always what the tag's short code stands for: a `uuid` is declared with
//! two fields and has one, arrays have their length and then their elements.
//!
//! Source: S. Halloway et al., "Fressian", the wiki of the format; `org.fressian.impl.Codes`; Jepsen,
//! `jepsen/store/FressianReader.java`, which reads lists as vectors.

use std::sync::Arc;

/// How deep values may be nested.
const DEPTH_MAX: usize = 64;

/// A value. What was cached is shared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    /// A number with a point, as text.
    Decimal(Arc<str>),
    Text(Arc<str>),
    Bytes(Arc<[u8]>),
    List(Arc<[Value]>),
    Tagged(Arc<str>, Arc<[Value]>),
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) found: &'static str,
}

const CUT_OFF: Problem = Problem { found: "the end of a value's bytes" };
const TOO_DEEP: Problem = Problem { found: "a value that is nested too deep" };
const NO_CODE: Problem = Problem { found: "a byte that begins no value" };
const NO_NUMBER: Problem = Problem { found: "a length that is no number" };
const NO_CACHE: Problem = Problem { found: "a value of the cache that is not there" };
const NOT_TEXT: Problem = Problem { found: "text that is not UTF-8" };

impl Value {
    /// The name of a keyword, with its namespace.
    pub(super) fn keyword(&self) -> Option<String> {
        let Self::Tagged(tag, fields) = self else { return None };
        match (&**tag, &**fields) {
            ("key", [Self::Nil, Self::Text(name)]) => Some(name.to_string()),
            ("key", [Self::Text(space), Self::Text(name)]) => Some(format!("{space}/{name}")),
            _ => None,
        }
    }

    /// The keys and values of a map.
    pub(super) fn pairs(&self) -> Option<impl Iterator<Item = (&Self, &Self)>> {
        let Self::Tagged(tag, fields) = self else { return None };
        match (&**tag, &**fields) {
            ("map", [Self::List(items)]) => Some(items.chunks_exact(2).map(|pair| (&pair[0], &pair[1]))),
            _ => None,
        }
    }

    /// The block that a reference names.
    pub(super) fn block(&self) -> Option<u32> {
        match self {
            Self::Tagged(tag, fields) if &**tag == "block-ref" => match &**fields {
                [Self::Int(id)] => u32::try_from(*id).ok(),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Reads values one after another.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    cache: Vec<Option<Value>>,
    structs: Vec<(Arc<str>, usize)>,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, cache: Vec::new(), structs: Vec::new() }
    }

    /// The next value, if there is one.
    ///
    /// # Errors
    /// If the bytes are none.
    pub(super) fn value(&mut self) -> Result<Option<Value>, Problem> {
        if self.rest.is_empty() { Ok(None) } else { self.nested(0).map(Some) }
    }

    fn nested(&mut self, depth: usize) -> Result<Value, Problem> {
        if depth > DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        let code = self.byte()?;
        match code {
            0xff => Ok(Value::Int(-1)),
            0x00..=0x3f => Ok(Value::Int(i64::from(code))),
            0x40..=0x7f => self.packed(code),
            0x80..=0x9f => self.cached(usize::from(code - 0x80)),
            0xa0..=0xaf => self.of_struct(usize::from(code - 0xa0), depth),
            0xb0..=0xb5 => self.array(depth),
            0xc0..=0xca => {
                let (tag, count) = short_tag(code).ok_or(NO_CODE)?;
                self.fields(tag.into(), count, depth)
            }
            0xcc => {
                let index = self.length()?;
                self.cached(index)
            }
            0xcd => {
                let index = self.cache.len();
                self.cache.push(None);
                let value = self.nested(depth + 1)?;
                self.cache[index] = Some(value.clone());
                Ok(value)
            }
            // All begins again, after a footer of magic, length and checksum or without one.
            0xcf | 0xfe => {
                self.bytes(if code == 0xcf { 11 } else { 0 })?;
                self.reset();
                self.nested(depth + 1)
            }
            0xd0..=0xd7 => Ok(Value::Bytes(self.bytes(usize::from(code - 0xd0))?.into())),
            0xd8 | 0xd9 => self.long_bytes(code),
            0xda..=0xe3 => self.text(code),
            0xe4..=0xeb => self.list(usize::from(code - 0xe4), depth),
            0xec => {
                let count = self.length()?;
                self.list(count, depth)
            }
            0xed | 0xee => self.open_list(code, depth),
            0xef => {
                let Value::Text(tag) = self.nested(depth + 1)? else { return Err(NO_CODE) };
                let count = self.length()?;
                self.structs.push((tag, count));
                self.of_struct(self.structs.len() - 1, depth)
            }
            0xf0 => {
                let index = self.length()?;
                self.of_struct(index, depth)
            }
            0xf5 | 0xf6 => Ok(Value::Bool(code == 0xf5)),
            0xf7 => Ok(Value::Nil),
            0xf8 => self.chunk().map(|bytes| Value::Int(i64::from_be_bytes(bytes))),
            0xf9..=0xfc => self.decimal(code),
            0xb6..=0xbf | 0xcb | 0xce | 0xf1..=0xf4 | 0xfd => Err(NO_CODE),
        }
    }

    fn decimal(&mut self, code: u8) -> Result<Value, Problem> {
        match code {
            0xf9 => self.chunk().map(|bytes| decimal(f32::from_be_bytes(bytes))),
            0xfa => self.chunk().map(|bytes| decimal(f64::from_be_bytes(bytes))),
            0xfb => Ok(Value::Decimal("0.0".into())),
            _ => Ok(Value::Decimal("1.0".into())),
        }
    }

    fn reset(&mut self) {
        self.cache.clear();
        self.structs.clear();
    }

    /// A number whose highest bits stand in the code; its other bytes follow.
    fn packed(&mut self, code: u8) -> Result<Value, Problem> {
        let (zero, count) = match code {
            0x40..=0x5f => (0x50, 1),
            0x60..=0x6f => (0x68, 2),
            0x70..=0x73 => (0x72, 3),
            0x74..=0x77 => (0x76, 4),
            0x78..=0x7b => (0x7a, 5),
            _ => (0x7e_u8, 6),
        };
        let mut number = i64::from(code) - i64::from(zero);
        for byte in self.bytes(count)? {
            number = number << 8 | i64::from(*byte);
        }
        Ok(Value::Int(number))
    }

    fn cached(&self, index: usize) -> Result<Value, Problem> {
        self.cache.get(index).cloned().flatten().ok_or(NO_CACHE)
    }

    fn of_struct(&mut self, index: usize, depth: usize) -> Result<Value, Problem> {
        let (tag, count) = self.structs.get(index).cloned().ok_or(NO_CACHE)?;
        self.fields(tag, count, depth)
    }

    fn fields(&mut self, tag: Arc<str>, count: usize, depth: usize) -> Result<Value, Problem> {
        match self.list(count, depth)? {
            Value::List(fields) => Ok(Value::Tagged(tag, fields)),
            other => Ok(other),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Problem> {
        let count = self.length()?;
        self.list(count, depth)
    }

    /// So many values. A value has at least one byte: no more room is made than there are bytes.
    fn list(&mut self, count: usize, depth: usize) -> Result<Value, Problem> {
        if count > self.rest.len() {
            return Err(CUT_OFF);
        }
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.nested(depth + 1)?);
        }
        Ok(Value::List(items.into()))
    }

    /// Values up to an end; that of an open list is also that of the bytes.
    fn open_list(&mut self, code: u8, depth: usize) -> Result<Value, Problem> {
        let mut items = Vec::new();
        loop {
            match self.rest.first() {
                Some(0xfd) => {
                    self.bytes(1)?;
                    break;
                }
                None if code == 0xee => break,
                None | Some(_) => items.push(self.nested(depth + 1)?),
            }
        }
        Ok(Value::List(items.into()))
    }

    fn text(&mut self, mut code: u8) -> Result<Value, Problem> {
        let mut whole = Vec::new();
        loop {
            let count = match code {
                0xda..=0xe1 => usize::from(code - 0xda),
                0xe2 | 0xe3 => self.length()?,
                _ => return Err(NO_CODE),
            };
            whole.extend_from_slice(self.bytes(count)?);
            if code != 0xe2 {
                return utf8(&whole);
            }
            code = self.byte()?;
        }
    }

    fn long_bytes(&mut self, mut code: u8) -> Result<Value, Problem> {
        let mut whole = Vec::new();
        loop {
            if code != 0xd8 && code != 0xd9 {
                return Err(NO_CODE);
            }
            let count = self.length()?;
            whole.extend_from_slice(self.bytes(count)?);
            if code == 0xd9 {
                return Ok(Value::Bytes(whole.into()));
            }
            code = self.byte()?;
        }
    }

    fn length(&mut self) -> Result<usize, Problem> {
        match self.nested(DEPTH_MAX)? {
            Value::Int(count) => usize::try_from(count).map_err(|_| NO_NUMBER),
            _ => Err(NO_NUMBER),
        }
    }

    fn byte(&mut self) -> Result<u8, Problem> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, count: usize) -> Result<&'b [u8], Problem> {
        let (first, rest) = self.rest.split_at_checked(count).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(first)
    }
}

/// A tag that has a code of its own, and how many values follow it.
fn short_tag(code: u8) -> Option<(&'static str, usize)> {
    let tag = match code {
        0xc0 => ("map", 1),
        0xc1 => ("set", 1),
        0xc3 => ("uuid", 1),
        0xc4 => ("regex", 1),
        0xc5 => ("uri", 1),
        0xc6 => ("bigint", 1),
        0xc7 => ("bigdec", 2),
        0xc8 => ("inst", 1),
        0xc9 => ("sym", 2),
        0xca => ("key", 2),
        _ => return None,
    };
    Some(tag)
}

/// Text as Java writes it: each half of a surrogate pair by itself, which is put together here.
fn utf8(bytes: &[u8]) -> Result<Value, Problem> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Value::Text(text.into()));
    }
    let mut units = Vec::new();
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let (count, mask) = match first {
            0x00..=0x7f => (0, 0x7f),
            0xc0..=0xdf => (1, 0x1f),
            0xe0..=0xef => (2, 0x0f),
            0x80..=0xbf | 0xf0..=0xff => return Err(NOT_TEXT),
        };
        let (more, after) = tail.split_at_checked(count).ok_or(NOT_TEXT)?;
        let unit = more.iter().fold(u16::from(first & mask), |unit, byte| unit << 6 | u16::from(byte & 0x3f));
        units.push(unit);
        rest = after;
    }
    String::from_utf16(&units).map(|text| Value::Text(text.into())).map_err(|_| NOT_TEXT)
}

fn decimal(number: impl ToString) -> Value {
    Value::Decimal(number.to_string().into())
}
