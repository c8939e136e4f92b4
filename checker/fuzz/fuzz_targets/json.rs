//! No bytes make reading a `json` panic.

#![no_main]

use checker::format::{Format, Options, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = parse(bytes, &Options { format: Some(Format::Json), ..Options::default() });
});
