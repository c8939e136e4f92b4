//! No bytes make reading a `jepsen-txt` panic.

#![no_main]

use checker::format::{Format, Options, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = parse(bytes, &Options { format: Some(Format::JepsenTxt), ..Options::default() });
});
