//! One message as bytes on a stream: a header with length and checksum, then what was written in postcard's encoding.
//!
//! ```text
//!   0        4                12
//!   ├─ length ┼─ xxh3-64 of the payload ┼─ payload: postcard values in a row ─┤      little-endian
//! ```
//!
//! Source: the postcard wire format, version 1 (<https://postcard.jamesmunns.com/wire-format>); xxh3 (Y. Collet).

use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 12;
/// Most bytes of a payload: 16 MiB. A longer one is refused at both ends.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 24;

/// Why bytes are no message, or a message no bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The payload is too long.
    #[error("a payload of {bytes} bytes, at most {PAYLOAD_BYTES_MAX} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The payload is not the one that was sent.
    #[error("a payload with checksum {found:#018x}, expected {expected:#018x}")]
    Checksum {
        /// What the header says.
        expected: u64,
        /// What the payload has.
        found: u64,
    },
    /// The payload is no message.
    #[error("a payload that is no message: {0}")]
    Encoding(#[from] postcard::Error),
    /// There is more than one message in the payload.
    #[error("{bytes} bytes after the message")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// What stands before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the payload. Unit: bytes, at most [`PAYLOAD_BYTES_MAX`].
    pub length: usize,
    checksum: u64,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// [`FrameError::TooLong`]: nothing is allocated for a length that cannot be right.
    pub fn parse(bytes: [u8; HEADER_BYTES]) -> Result<Self, FrameError> {
        let (length, checksum) = bytes.split_at(4);
        let length = u32::from_le_bytes(length.try_into().expect("four bytes were split off")) as usize;
        let checksum = u64::from_le_bytes(checksum.try_into().expect("eight bytes are left"));
        if length > PAYLOAD_BYTES_MAX {
            return Err(FrameError::TooLong { bytes: length });
        }
        Ok(Self { length, checksum })
    }

    /// Whether this is the payload that came with this header.
    ///
    /// # Errors
    /// If it is not the payload that was sent.
    pub fn check(self, payload: &[u8]) -> Result<(), FrameError> {
        let found = xxh3_64(payload);
        if found == self.checksum {
            return Ok(());
        }
        Err(FrameError::Checksum { expected: self.checksum, found })
    }
}

/// The one value that those bytes are, all of them.
///
/// # Errors
/// If they are not one value of type `T`.
pub fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(FrameError::Trailing { bytes: rest.len() }),
    }
}

/// The frame of what `write` puts after the bytes that it is given.
///
/// # Errors
/// If that is too long or cannot be encoded.
pub fn encode(write: impl FnOnce(Vec<u8>) -> postcard::Result<Vec<u8>>) -> Result<Vec<u8>, FrameError> {
    let mut frame = write(vec![0; HEADER_BYTES])?;
    let bytes = frame.len() - HEADER_BYTES;
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(FrameError::TooLong { bytes });
    }
    let length = u32::try_from(bytes).expect("the largest payload fits 32 bits");
    let checksum = xxh3_64(&frame[HEADER_BYTES..]);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}

const _: () = assert!(PAYLOAD_BYTES_MAX <= u32::MAX as usize);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Message = (u64, String, Vec<Option<i32>>);

    fn frame(message: &impl serde::Serialize) -> Result<Vec<u8>, FrameError> {
        encode(|bytes| postcard::to_extend(message, bytes))
    }

    fn decode(frame: &[u8]) -> Result<Message, FrameError> {
        let header = frame[..HEADER_BYTES].try_into().expect("a frame has a header");
        Header::parse(header)?.check(&frame[HEADER_BYTES..])?;
        whole(&frame[HEADER_BYTES..])
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(message: Message) {
            let frame = frame(&message).unwrap();
            prop_assert_eq!(decode(&frame), Ok(message));
        }

        #[test]
        fn a_flipped_bit_is_noticed(message: Message, place: prop::sample::Index, bit in 0..8_u8) {
            let mut frame = frame(&message).unwrap();
            let place = 4 + place.index(frame.len() - 4);
            frame[place] ^= 1 << bit;
            let is_found = matches!(decode(&frame), Err(FrameError::Checksum { .. }));
            prop_assert!(is_found);
        }

        #[test]
        fn foreign_bytes_are_refused_or_read_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = whole::<Message>(&bytes);
        }
    }

    #[test]
    fn a_length_that_cannot_be_right_is_refused_before_anything_is_read() {
        let header = |length: u32| {
            let mut bytes = [0; HEADER_BYTES];
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            Header::parse(bytes)
        };
        assert!(header(1 << 24).is_ok());
        assert_eq!(header((1 << 24) + 1), Err(FrameError::TooLong { bytes: (1 << 24) + 1 }));
        let long = vec![0_u8; PAYLOAD_BYTES_MAX];
        assert!(matches!(frame(&long), Err(FrameError::TooLong { .. })));
    }

    #[test]
    fn bytes_after_the_message_are_refused() {
        let bytes = postcard::to_allocvec(&(7_u8, 9_u8)).unwrap();
        assert_eq!(whole::<u8>(&bytes), Err(FrameError::Trailing { bytes: 1 }));
    }
}
