//! `test.jepsen`, the file in which Jepsen 0.3 keeps a test: blocks with checksums, in them Fressian.
//!
//! ```text
//!   "JEPSEN" version:4 index:8 │ length:8 crc:4 type:2 pad:14 data… │ length:8 …
//!   index ► root ► {:history (block-ref n)} ► big vector ► chunks: streams of operations
//! ```
//!
//! The history is read as the operations would stand in `history.edn`, a line each: in messages, the line is
//! the number of the operation. All else that the file holds is passed over. Integers are big-endian.
//!
//! A header has 28 bytes: the type is described as one of 16 bits, and written into a field of 16 bytes. The
//! checksum is that of the data, then of the header with its checksum as zeros.
//!
//! Source: Jepsen 0.3, `jepsen/store/format.clj` and `jepsen/store/fressian.clj`.

mod edn_lines;
mod fressian;

use std::collections::BTreeMap;

use super::contents::Parsed;
use super::source::Source;
use super::{FormatError, Found, Options, Place, jepsen_edn};
use edn_lines::Lines;
use fressian::{Reader, Value};

const MAGIC: &[u8] = b"JEPSEN";
/// Magic, version and the place of the index.
const FILE_HEADER_BYTES: usize = 18;
const BLOCK_HEADER_BYTES: usize = 28;
/// The largest file that is read: it is held in memory.
const FILE_BYTES_MAX: usize = 1 << 30;
/// How deep big vectors may be nested.
const NESTED_MAX: usize = 4;
/// What else a run leaves.
const OTHERS: &str = "a file that was not cut off or damaged; history.edn, history.txt and jepsen.log of the same run can be read, too";

/// Whether a file begins like one of these.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.get(MAGIC.len()..MAGIC.len() + 3) == Some(&[0, 0, 0])
}

/// Reads the history of a test.
///
/// # Errors
/// If the file is cut off or damaged, or if its operations are no history of a model that is known.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    source.hold(FILE_HEADER_BYTES)?;
    if !is_start(source.held()) {
        return Err(damaged("another beginning than JEPSEN and a version"));
    }
    let bytes = source.rest(FILE_BYTES_MAX)?;
    let file = Blocks::of(&bytes)?;
    let mut lines = Lines::new(file.history()?);
    let read = jepsen_edn::read(&mut Source::new(&mut lines), options);
    match lines.error() {
        Some(error) => Err(error),
        None => read,
    }
}

/// A damage of the file.
fn damaged(found: &str) -> FormatError {
    FormatError::Unexpected { place: Place::START, found: Found::text(found), expected: OTHERS }
}

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Index,
    Fressian,
    PartialMap,
    Stream,
    BigVector,
}

/// A part of the history: one list of operations, or operations one after another.
#[derive(Clone, Copy)]
enum Chunk<'b> {
    List(&'b [u8]),
    Stream(&'b [u8]),
}

/// A file, and where its blocks are.
struct Blocks<'b> {
    bytes: &'b [u8],
    root: u32,
    offsets: BTreeMap<u32, u64>,
}

impl<'b> Blocks<'b> {
    fn of(bytes: &'b [u8]) -> Result<Self, FormatError> {
        let mut header = bytes.get(..FILE_HEADER_BYTES).ok_or_else(|| damaged("the end of the file"))?;
        header = &header[MAGIC.len()..];
        let version = u32::from_be_bytes(taken(&mut header)?);
        if version > 1 {
            return Err(damaged(&format!("version {version}, which is later than 1")));
        }
        let index = u64::from_be_bytes(taken(&mut header)?);
        if index == 0 {
            return Err(damaged("no index: the run ended before its first operations were kept"));
        }
        let mut blocks = Self { bytes, root: 0, offsets: BTreeMap::new() };
        let (kind, mut data) = blocks.block_at(index)?;
        if kind != Kind::Index {
            return Err(damaged("a block that is no index"));
        }
        blocks.root = u32::from_be_bytes(taken(&mut data)?);
        while !data.is_empty() {
            let id = u32::from_be_bytes(taken(&mut data)?);
            blocks.offsets.insert(id, u64::from_be_bytes(taken(&mut data)?));
        }
        Ok(blocks)
    }

    fn block_at(&self, offset: u64) -> Result<(Kind, &'b [u8]), FormatError> {
        let cut_off = || damaged("the end of the file within a block");
        let rest = usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..));
        let rest = rest.ok_or_else(cut_off)?;
        let header = rest.get(..BLOCK_HEADER_BYTES).ok_or_else(cut_off)?;
        let mut fields = header;
        let length = u64::from_be_bytes(taken(&mut fields)?);
        let checksum = u32::from_be_bytes(taken(&mut fields)?);
        let kind = u16::from_be_bytes(taken(&mut fields)?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let data = rest.get(BLOCK_HEADER_BYTES..length).ok_or_else(cut_off)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(data);
        crc.update(&header[..8]);
        crc.update(&[0; 4]);
        crc.update(&header[12..]);
        if crc.finalize() != checksum {
            return Err(damaged(&format!("a block at byte {offset} whose checksum is another one")));
        }
        let kind = match kind {
            1 => Kind::Index,
            2 => Kind::Fressian,
            3 => Kind::PartialMap,
            4 => Kind::Stream,
            5 => Kind::BigVector,
            other => return Err(damaged(&format!("a block of type {other}"))),
        };
        Ok((kind, data))
    }

    fn block(&self, id: u32) -> Result<(Kind, &'b [u8]), FormatError> {
        let offset = self.offsets.get(&id).ok_or_else(|| damaged(&format!("no block {id}")))?;
        self.block_at(*offset)
    }

    /// The parts of the history, in order.
    fn history(&self) -> Result<Vec<Chunk<'b>>, FormatError> {
        if self.root == 0 {
            return Err(damaged("no test"));
        }
        let (kind, mut data) = self.block(self.root)?;
        match kind {
            Kind::Fressian => {}
            Kind::PartialMap => {
                let _rest: [u8; 4] = taken(&mut data)?;
            }
            Kind::Index | Kind::Stream | Kind::BigVector => return Err(damaged("a test that is no map")),
        }
        let test = Reader::new(data).value().map_err(|problem| damaged(problem.found))?;
        let Some(id) = test.and_then(|test| history_of(&test)) else {
            return Err(damaged("a test without a :history"));
        };
        let mut chunks = Vec::new();
        let mut open = vec![(id, 0)];
        while let Some((id, depth)) = open.pop() {
            let (kind, mut data) = self.block(id)?;
            match kind {
                Kind::Fressian => chunks.push(Chunk::List(data)),
                Kind::Stream => chunks.push(Chunk::Stream(data)),
                Kind::BigVector if depth < NESTED_MAX => {
                    let _count: [u8; 8] = taken(&mut data)?;
                    let mut inner = Vec::new();
                    while !data.is_empty() {
                        let _first: [u8; 8] = taken(&mut data)?;
                        inner.push((u32::from_be_bytes(taken(&mut data)?), depth + 1));
                    }
                    // The first one comes next.
                    open.extend(inner.into_iter().rev());
                }
                Kind::BigVector | Kind::Index | Kind::PartialMap => {
                    return Err(damaged("a history that is no vector"));
                }
            }
        }
        Ok(chunks)
    }
}

/// The block that holds the history of a test.
fn history_of(test: &Value) -> Option<u32> {
    let is_history = |key: &Value| key.keyword().is_some_and(|name| name == "history");
    let (_, history) = test.pairs()?.find(|(key, _)| is_history(key))?;
    history.block()
}

/// The next bytes.
fn taken<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], FormatError> {
    let (first, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("the end of a block"))?;
    *bytes = rest;
    Ok(*first)
}

#[cfg(test)]
mod tests;
