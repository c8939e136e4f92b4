//! What `check` reads: files, gzip files, standard input and folders give one verdict; what is damaged is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

/// A stale read: 1 is read after 2 was.
const VIOLATED: &str = "# model=register-cas\n0 i w 1\n0 o w 1\n0 i w 2\n0 o w 2\n1 i r\n1 o r 1\n";
const EDN: &str = "[{:process 0 :type :invoke :f :write :value 1}\n{:process 0 :type :ok :f :write :value 1}\n\
    {:process 1 :type :invoke :f :read :value nil}\n{:process 1 :type :ok :f :read :value 2}]\n";

fn counterclock(folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    command.current_dir(folder).args(arguments).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that refuses what it has read so far leaves the rest in the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Runs the command, which must refuse its input: exit code 2, and a message with each of `names`.
#[track_caller]
fn refuses(folder: &Path, arguments: &[&str], input: &[u8], names: &[&str]) {
    let output = counterclock(folder, arguments, input);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    for name in names {
        assert!(message.contains(name), "{arguments:?}: expected `{name}` in: {message}");
    }
}

/// What `check --json` prints of `file`, without times.
#[track_caller]
fn judged(folder: &Path, file: &str, input: &[u8]) -> (Option<i32>, serde_json::Value, String) {
    let output = counterclock(folder, &["check", "--json", file], input);
    let message = String::from_utf8(output.stderr).unwrap();
    let mut line: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&message);
    let fields = line.as_object_mut().unwrap();
    fields.retain(|name, _| !name.ends_with("_ns") && name != "file");
    (output.status.code(), line, message)
}

#[test]
fn one_history_has_one_verdict_however_it_is_given() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("plain.hist", VIOLATED.as_bytes());
    write("packed.hist.gz", &gzip(VIOLATED));
    write("packed", &gzip(VIOLATED));
    let (first, second) = VIOLATED.split_at(VIOLATED.len() / 2);
    write("members.gz", &[gzip(first), gzip(second)].concat());
    let (code, plain, _) = judged(folder.path(), "plain.hist", b"");
    assert_eq!((code, &plain["verdict"]), (Some(1), &"violated".into()));
    for file in ["packed.hist.gz", "packed", "members.gz"] {
        assert_eq!(judged(folder.path(), file, b"").1, plain, "{file}");
    }
    assert_eq!(judged(folder.path(), "-", VIOLATED.as_bytes()).1, plain);
    assert_eq!(judged(folder.path(), "-", &gzip(VIOLATED)).1, plain);
}

#[test]
fn of_a_folder_the_best_history_is_read_and_the_others_are_named() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    fs::create_dir(&store).unwrap();
    fs::write(store.join("jepsen.log"), "").unwrap();
    fs::write(store.join("history.edn"), EDN).unwrap();
    let (code, line, message) = judged(folder.path(), "store", b"");
    assert_eq!((code, &line["format"]), (Some(1), &"jepsen-edn".into()));
    assert!(
        message.contains("store: reading history.edn; also there, and not read: jepsen.log"),
        "{message}"
    );
    fs::write(store.join("history.edn.gz"), gzip(EDN)).unwrap();
    fs::remove_file(store.join("history.edn")).unwrap();
    assert_eq!(judged(folder.path(), "store", b"").1, line);
    // What is wrong in the file is said of the file.
    fs::write(store.join("history.jsonl"), "{").unwrap();
    refuses(folder.path(), &["check", "store"], b"", &["store/history.jsonl:1:"]);
}

#[test]
fn a_run_folder_is_judged_like_its_history() {
    let folder = TempDir::new().unwrap();
    let run = counterclock(folder.path(), &["run", "lease-lock", "--seed", "3", "--out", "run"], b"");
    assert_eq!(run.status.code(), Some(0));
    let of_folder = counterclock(folder.path(), &["check", "run"], b"");
    let of_file = counterclock(folder.path(), &["check", "run/history.jsonl"], b"");
    assert_eq!(of_folder.status.code(), Some(0));
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(text(&of_folder).lines().count(), text(&of_file).lines().count());
}

#[test]
fn a_folder_without_a_history_names_those_that_have_one() {
    let folder = TempDir::new().unwrap();
    let run = folder.path().join("store/20260101T000000");
    fs::create_dir_all(&run).unwrap();
    refuses(
        folder.path(),
        &["check", "store"],
        b"",
        &["store: holds no history; expected one of history.jsonl"],
    );
    fs::write(run.join("history.edn"), EDN).unwrap();
    refuses(folder.path(), &["check", "store"], b"", &["these folders in it do: store/20260101T000000"]);
    refuses(folder.path(), &["check", "missing"], b"", &["missing: cannot be read"]);
}

#[test]
fn an_output_inside_a_folder_that_is_read_is_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("history.edn"), EDN).unwrap();
    refuses(folder.path(), &["check", ".", "-o", "history.edn"], b"", &["history.edn: is what is read"]);
    assert_eq!(fs::read_to_string(folder.path().join("history.edn")).unwrap(), EDN);
}

#[test]
fn gzip_data_cut_off_anywhere_is_refused_with_its_place() {
    let whole = gzip(VIOLATED);
    let folder = TempDir::new().unwrap();
    for length in 2..whole.len() {
        refuses(folder.path(), &["check", "-"], &whole[..length], &["standard input:", "cut off or damaged"]);
    }
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle] ^= 0xff;
    refuses(folder.path(), &["check", "-"], &damaged, &["standard input:"]);
    let trailing = [whole, b"and more".to_vec()].concat();
    refuses(folder.path(), &["check", "-"], &trailing, &["standard input:", "cut off or damaged"]);
}

#[test]
fn a_small_file_that_grows_without_end_is_refused_at_the_longest_line() {
    let folder = TempDir::new().unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(VIOLATED.as_bytes()).unwrap();
    let blank = vec![b' '; 1 << 20];
    (0..1024).for_each(|_| encoder.write_all(&blank).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 2 << 20, "{} bytes are no bomb", bomb.len());
    refuses(folder.path(), &["check", "-"], &bomb, &["standard input:8:1048577", "the line goes on"]);
}

#[test]
fn what_other_programs_compressed_is_refused_with_the_command_that_reads_it() {
    let folder = TempDir::new().unwrap();
    for (magic, name) in
        [(&b"\x28\xb5\x2f\xfd...."[..], "zstd -dc"), (b"BZh91AY", "bzip2 -dc"), (b"PK\x03\x04..", "unzip -p")]
    {
        refuses(folder.path(), &["check", "-"], magic, &["standard input: is compressed", name]);
    }
}
