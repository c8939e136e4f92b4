//! No bytes make reading a file of whatever format panic; cut into small pieces they mean the same.

#![no_main]

use std::io::{self, Read};

use checker::format::{Options, parse, read_from};

/// Gives at most seven bytes at a time.
struct Pieces<'a>(&'a [u8]);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let end = buffer.len().min(7);
        self.0.read(&mut buffer[..end])
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes, &Options::default());
    let pieces = read_from(&mut Pieces(bytes), &Options::default()).map(|contents| contents.families);
    assert_eq!(pieces, whole);
});
