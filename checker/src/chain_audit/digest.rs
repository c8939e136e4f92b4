//! A hash value of 32 bytes: of whatever function, in files as 64 hexadecimal digits.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A hash value. One of a shorter function stands in the first bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// With how many zero bits it begins.
    pub fn leading_zero_bits(&self) -> u32 {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        let rest = self.0.get(zeros).map_or(0, |byte| byte.leading_zeros());
        // At most 256 bits.
        zeros as u32 * 8 + rest
    }

    /// Its first four bytes, for sentences.
    pub(super) fn short(&self) -> String {
        let [first, second, third, fourth, ..] = self.0;
        format!("{first:02x}{second:02x}{third:02x}{fourth:02x}…")
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut digest = Self::default();
        if digits.len() != 2 * digest.0.len() {
            return None;
        }
        for (byte, pair) in digest.0.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |place: usize| char::from(pair[place]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.short())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Hexadecimal)
    }
}

struct Hexadecimal;

impl de::Visitor<'_> for Hexadecimal {
    type Value = Digest;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("64 hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
        Digest::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_as_hexadecimal_digits_and_read_again() {
        let mut digest = Digest::default();
        digest.0[0] = 0x0a;
        digest.0[31] = 0xff;
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(text, format!("\"0a{}ff\"", "00".repeat(30)));
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), digest);
        assert_eq!(serde_json::from_str::<Digest>(&text.to_uppercase()).unwrap(), digest);
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in
            ["\"\"", "\"0a\"", &format!("\"{}\"", "0g".repeat(32)), &format!("\"{}\"", "ü".repeat(32)), "7"]
        {
            let error = serde_json::from_str::<Digest>(text).unwrap_err().to_string();
            assert!(error.contains("expected 64 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn zero_bits_are_counted_from_the_front() {
        assert_eq!(Digest::default().leading_zero_bits(), 256);
        assert_eq!(Digest([0xff; 32]).leading_zero_bits(), 0);
        let mut digest = Digest::default();
        digest.0[2] = 0x10;
        assert_eq!(digest.leading_zero_bits(), 19);
    }
}
