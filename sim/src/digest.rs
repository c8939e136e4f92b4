//! A running 128-bit digest over canonical fields: what two equal runs have in common.
//!
//! Every field is fed little-endian and with its full width, strings with their length first, so that no two different
//! sequences of fields give the same bytes. The hash is xxh3-128 (Y. Collet), whose value is fixed across machines.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::Xxh3Default;

/// Room for small fields before they are hashed together. A multiple of the hash's own buffer of 256 bytes.
const BUFFER_BYTES: usize = 1_024;

/// What can be part of a digest. Feed every field that distinguishes two values, variants by a number of their own.
pub trait Canonical {
    /// Feeds all of it, in a fixed order.
    fn feed(&self, digest: &mut Digest);
}

/// A digest that is still being fed.
#[derive(Clone)]
pub struct Digest {
    hash: Xxh3Default,
    buffer: [u8; BUFFER_BYTES],
    buffered: usize,
}

impl Default for Digest {
    fn default() -> Self {
        Self { hash: Xxh3Default::new(), buffer: [0; BUFFER_BYTES], buffered: 0 }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.finish())
    }
}

impl Digest {
    /// Feeds one byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Feeds four bytes.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Feeds eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Feeds eight bytes.
    pub fn i64(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Feeds one byte, 0 or 1.
    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Feeds the length as a `u64`, then the bytes.
    pub fn str(&mut self, value: &str) {
        self.u64(value.len() as u64);
        self.bytes(value.as_bytes());
    }

    /// Feeds a plain value field by field, in the wire format of postcard: fixed, and decodable by the value's type.
    ///
    /// # Panics
    /// If the value's own `Serialize` refuses it; plain data does not.
    pub fn plain(&mut self, value: &impl Serialize) {
        postcard::serialize_with_flavor(value, Feed(self)).expect("plain data can be written");
    }

    /// The digest of all that was fed so far; feeding may go on.
    #[must_use]
    pub fn finish(&self) -> DigestValue {
        let mut hash = self.hash.clone();
        hash.update(&self.buffer[..self.buffered]);
        DigestValue(hash.digest128())
    }

    /// Feeds bytes as they are. The caller sees to it that their number is clear from what came before.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.buffered + bytes.len();
        if end <= BUFFER_BYTES {
            self.buffer[self.buffered..end].copy_from_slice(bytes);
            self.buffered = end;
        } else {
            self.flush_and_feed(bytes);
        }
    }

    #[cold]
    fn flush_and_feed(&mut self, bytes: &[u8]) {
        self.hash.update(&self.buffer[..self.buffered]);
        self.buffered = 0;
        if bytes.len() <= BUFFER_BYTES {
            self.buffer[..bytes.len()].copy_from_slice(bytes);
            self.buffered = bytes.len();
        } else {
            self.hash.update(bytes);
        }
    }
}

/// Where postcard writes to.
struct Feed<'a>(&'a mut Digest);

impl postcard::ser_flavors::Flavor for Feed<'_> {
    type Output = ();

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.bytes(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.u8(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// A finished digest; prints as 32 hexadecimal digits, and stands in files as that string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestValue(pub u128);

impl fmt::Display for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It is not 32 hexadecimal digits.
    #[error("`{text}` is not a digest of 32 hexadecimal digits")]
    Malformed {
        /// What stood there.
        text: String,
    },
}

impl FromStr for DigestValue {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = if is_hex { u128::from_str_radix(text, 16).ok() } else { None };
        value.map(Self).ok_or_else(|| DigestError::Malformed { text: text.to_owned() })
    }
}

impl Serialize for DigestValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DigestValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    fn check(feed: impl Fn(&mut Digest)) -> DigestValue {
        let mut digest = Digest::default();
        feed(&mut digest);
        digest.finish()
    }

    #[test]
    fn a_digest_is_that_of_the_bytes_however_they_were_cut() {
        for seed in Seed::range(0..50) {
            let mut chance = seed.stream("digest", 0);
            let bytes: Vec<u8> = (0..chance.below(6_000)).map(|index| index.to_le_bytes()[0]).collect();
            let mut digest = Digest::default();
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let length = usize::try_from(chance.between(1, 2_000)).unwrap().min(rest.len());
                digest.bytes(&rest[..length]);
                rest = &rest[length..];
            }
            assert_eq!(digest.finish().0, xxhash_rust::xxh3::xxh3_128(&bytes), "seed {seed}");
        }
    }

    #[test]
    fn strings_do_not_run_into_one_another() {
        let pair = |a: &str, b: &str| {
            check(|digest| {
                digest.str(a);
                digest.str(b);
            })
        };
        assert_ne!(pair("ab", "c"), pair("a", "bc"));
        assert_eq!(pair("ab", "c"), pair("ab", "c"));
    }

    #[test]
    fn every_field_counts() {
        let values = [
            check(|digest| digest.u8(1)),
            check(|digest| digest.u32(1)),
            check(|digest| digest.u64(1)),
            check(|digest| digest.i64(-1)),
            check(|digest| digest.bool(false)),
        ];
        for (index, value) in values.iter().enumerate() {
            assert!(!values[..index].contains(value), "{index}");
        }
    }

    #[test]
    fn plain_values_differ_where_any_field_does() {
        let of = |value: (u32, Option<&str>, i64)| check(|digest| digest.plain(&value));
        let values = [(1, None, 0), (2, None, 0), (1, Some(""), 0), (1, Some("a"), 0), (1, None, -1)].map(of);
        for (index, value) in values.iter().enumerate() {
            assert!(!values[..index].contains(value), "{index}");
        }
    }

    #[test]
    fn a_digest_in_a_file_is_its_text() {
        let value = DigestValue(0xab);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(text, r#""000000000000000000000000000000ab""#);
        assert_eq!(serde_json::from_str::<DigestValue>(&text).unwrap(), value);
        assert!("ab".parse::<DigestValue>().is_err());
    }
}
