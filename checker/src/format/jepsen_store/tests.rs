//! Files that data.fressian 1.0.0 wrote with the layout and the handlers of Jepsen 0.3; what is damaged is refused.

use super::super::contents::Contents;
use super::super::{Format, LINE_BYTES_MAX, read_from};
use super::*;
use crate::budget::Budget;
use crate::judge::judge;

/// Two chunks: a write, a read, the nemesis, a cas, a write that timed out, and a stale read.
const REGISTER: &[u8] = include_bytes!("tests/register.jepsen");
/// Independent keys as map entries, and a transaction that is no history with them.
const KEYED: &[u8] = include_bytes!("tests/keyed.jepsen");
/// The same operations as `history.edn` has them.
const EDN: &str = r#"
{:index 0, :time 1000000, :type :invoke, :process 0, :f :write, :value 3}
{:index 1, :time 2000000, :type :ok, :process 0, :f :write, :value 3}
{:index 2, :time 3000000, :type :invoke, :process 1, :f :read, :value nil}
{:index 3, :time 4000000000, :type :info, :process :nemesis, :f :start, :value "n1"}
{:index 4, :time 4000000100, :type :ok, :process 1, :f :read, :value 3}
{:index 5, :time 4000000200, :type :invoke, :process 0, :f :cas, :value [3 4]}
{:index 6, :time 4000000300, :type :ok, :process 0, :f :cas, :value [3 4], :node "n1"}
{:index 7, :time 4000000400, :type :invoke, :process 2, :f :write, :value 70000}
{:index 8, :time 4000000500, :type :info, :process 2, :f :write, :value 70000}
{:index 9, :time 4000000600, :type :invoke, :process 1, :f :read, :value nil}
{:index 10, :time 4000000700, :type :ok, :process 1, :f :read, :value 3}
"#;

fn parsed(mut bytes: &[u8]) -> Result<Contents, String> {
    read_from(&mut bytes, &Options::default()).map_err(|error| error.to_string())
}

#[test]
fn the_history_is_that_of_the_file_in_edn() {
    let (store, edn) = (parsed(REGISTER).unwrap(), parsed(EDN.trim().as_bytes()).unwrap());
    assert_eq!(store.format, Format::JepsenStore);
    assert_eq!(store.families, edn.families);
    assert_eq!(store.left_out, edn.left_out);
    let checks = judge(&store.families, &["linearizable"], Budget { steps_max: 10_000 });
    assert_eq!(checks[0].verdict.word(), "violated", "3 was read after the cas to 4");
}

#[test]
fn every_operation_is_read_as_it_was_written() {
    let blocks = Blocks::of(REGISTER).unwrap();
    let mut lines = Lines::new(blocks.history().unwrap());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut lines, &mut text).unwrap();
    let debug = r#"{:index 6 :time 4000000300 :type :ok :process 0 :f :cas :value [3 4] :node "n1" :debug {:took 1.5 :set #{1}}}"#;
    assert_eq!(text.lines().nth(6), Some(debug));
    // Java writes what lies beyond 16 bits as two halves of three bytes each.
    let error = r#":error [:timeout "täöx 🙂 and a text that is longer than eight bytes"]}"#;
    assert!(text.lines().nth(8).unwrap().ends_with(error), "{text}");
    assert_eq!(text.lines().count(), 11);
}

#[test]
fn operations_of_two_models_are_refused() {
    let error = parsed(KEYED).unwrap_err();
    assert!(error.contains("found \":write\", expected :txn"), "{error}");
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for length in 10..REGISTER.len() {
        let error = parsed(&REGISTER[..length]).expect_err("a part of a file");
        assert!(error.starts_with("1:1: found \""), "{length}: {error}");
    }
    for length in 1..10 {
        parsed(&REGISTER[..length]).unwrap_err();
    }
}

#[test]
fn a_byte_changed_anywhere_is_found_or_changes_nothing() {
    let right = parsed(REGISTER).unwrap();
    for place in 0..REGISTER.len() {
        let mut bytes = REGISTER.to_vec();
        bytes[place] ^= 0x21;
        if let Ok(contents) = parsed(&bytes) {
            assert_eq!(contents.families, right.families, "byte {place}");
            assert!(place < FILE_HEADER_BYTES, "byte {place} is not under a checksum");
        }
    }
}

/// A file whose only block beside the test is a stream of these bytes.
fn with_stream(stream: &[u8]) -> Vec<u8> {
    let block = |kind: u16, data: &[u8]| {
        let mut header = ((data.len() + BLOCK_HEADER_BYTES) as u64).to_be_bytes().to_vec();
        header.extend([0; 4]);
        header.extend(kind.to_be_bytes());
        header.extend([0; 14]);
        let mut crc = crc32fast::Hasher::new();
        crc.update(data);
        crc.update(&header);
        header[8..12].copy_from_slice(&crc.finalize().to_be_bytes());
        [header, data.to_vec()].concat()
    };
    // {:history (block-ref 2)}
    let mut test = vec![0xc0, 0xe6, 0xca, 0xf7, 0xe1];
    test.extend(b"history");
    test.extend([0xef, 0xe3, 9]);
    test.extend(b"block-ref");
    test.extend([1, 2]);
    let (test, stream) = (block(2, &test), block(4, stream));
    let mut index = 1_u32.to_be_bytes().to_vec();
    for (id, offset) in [(1_u32, FILE_HEADER_BYTES), (2, FILE_HEADER_BYTES + test.len())] {
        index.extend(id.to_be_bytes());
        index.extend((offset as u64).to_be_bytes());
    }
    let at = (FILE_HEADER_BYTES + test.len() + stream.len()) as u64;
    [MAGIC, &1_u32.to_be_bytes(), &at.to_be_bytes(), &test, &stream, &block(1, &index)].concat()
}

#[track_caller]
fn check_error(stream: &[u8], want: &str) {
    let error = parsed(&with_stream(stream)).expect_err("no history");
    assert!(error.contains(want), "{error}");
}

#[test]
fn bytes_that_are_no_operations_are_refused() {
    check_error(&[0xb6], "1:1: found \"a byte that begins no value\"");
    check_error(&[0x05], "1:1: found \"an operation that is no map\"");
    check_error(&[0xc0, 0xec, 0x7f], "1:1: found \"the end of a value's bytes\"");
    check_error(&[0xec, 0x73, 0xff, 0xff, 0xff], "the end of a value's bytes");
    check_error(&[0xe5; 10_000], "a value that is nested too deep");
    check_error(&[0x81], "a value of the cache that is not there");
    check_error(&[0xcd, 0xe5, 0x80], "a value of the cache that is not there");
    check_error(&[0xdb, 0xff], "text that is not UTF-8");
}

/// A cached text of 60,000 bytes, named again and again in one operation.
#[test]
fn what_is_cached_cannot_make_a_line_without_end() {
    let mut stream = vec![0xc0, 0xec, 0x50, 200, 0xcd, 0xe3, 0x68, 0xea, 0x60];
    stream.extend(vec![b'x'; 60_000]);
    stream.extend(vec![0x80; 199]);
    check_error(&stream, "an operation that is too long");
    const { assert!(200 * 60_000 > LINE_BYTES_MAX) };
}
