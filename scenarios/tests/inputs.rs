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

/// What `check --json` prints of `file` first, without times.
#[track_caller]
fn judged(folder: &Path, file: &str, input: &[u8]) -> (Option<i32>, serde_json::Value, String) {
    let output = counterclock(folder, &["check", "--json", file], input);
    let message = String::from_utf8(output.stderr).unwrap();
    let first = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut line: serde_json::Value = serde_json::from_slice(first).expect(&message);
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

/// A client's file of etcd's robustness tests: a put of `value` that raised the store to `revision`.
fn put(client: u64, value: &str, revision: u64, at: u64) -> String {
    format!(
        concat!(
            r#"{{"ClientId":{client},"Input":{{"Type":"txn","Txn":{{"Conditions":null,"OperationsOnSuccess":"#,
            r#"[{{"Type":"put-operation","Put":{{"Key":"k","Value":{{"Value":"{value}"}}}}}}],"OperationsOnFailure":null}}}},"#,
            r#""Call":{at},"Output":{{"Txn":{{"Failure":false,"Results":[{{"KVs":null,"Count":0,"Deleted":0}}]}},"#,
            r#""Revision":{revision}}},"Return":{end}}}"#,
            "\n"
        ),
        client = client,
        value = value,
        at = at,
        revision = revision,
        end = at + 5
    )
}

#[test]
fn the_clients_of_a_report_of_etcd_are_one_history() {
    let folder = TempDir::new().unwrap();
    for (client, text) in [(1, put(0, "a", 2, 0)), (2, put(1, "b", 3, 10))] {
        let path = folder.path().join(format!("report/client-{client}"));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("operations.json"), text).unwrap();
    }
    let (code, line, _) = judged(folder.path(), "report", b"");
    assert_eq!((code, &line["format"], &line["operations"]), (Some(0), &"etcd".into(), &2.into()));
    let both = ["check", "--json", "report/client-1", "report/client-2/operations.json"];
    let output = counterclock(folder.path(), &both, b"");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    let names = ["report/client-2: is one of 2 clients", "expected report"];
    refuses(folder.path(), &["check", "report/client-2"], b"", &names);
    fs::write(folder.path().join("report/client-2/operations.json"), put(1, "b", 2, 10)).unwrap();
    assert_eq!(judged(folder.path(), "report", b"").0, Some(1), "revision 2 twice");
    fs::write(folder.path().join("report/client-2/operations.json"), "{\"ClientId\":1}").unwrap();
    refuses(folder.path(), &["check", "report"], b"", &["report/client-2/operations.json:1:"]);
}

#[test]
fn without_times_the_levels_of_real_time_are_refused_and_the_others_judged() {
    let folder = TempDir::new().unwrap();
    let text = "w(1,1,0,0)\nr(1,1,1,1)\nw(2,2,1,1)\nr(2,0,0,2)\n";
    let check = |level: &[&str]| {
        counterclock(folder.path(), &[&["check", "-", "--json"], level].concat(), text.as_bytes())
    };
    for (level, name) in [
        (&[][..], "sequential"),
        (&["--level", "causal"], "causal"),
        (&["--level", "strongest"], "strongest"),
    ] {
        let output = check(level);
        assert_eq!(output.status.code(), Some(0), "{level:?}: {output:?}");
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(line["level"], name);
        assert!(line["strongest"].is_null() || line["strongest"] == "sequential", "{line}");
    }
    for level in ["linearizable", "convergence"] {
        let names =
            [level, "has no times (format plume)", "expected --level strongest or one of sequential, causal"];
        refuses(folder.path(), &["check", "-", "--level", level], text.as_bytes(), &names);
    }
}

#[test]
fn what_is_exported_redacted_has_the_same_verdict_and_tells_no_value() {
    let folder = TempDir::new().unwrap();
    let edn = EDN.replace(":value 1", ":value 4711").replace(":value 2", ":value 4712");
    fs::write(folder.path().join("history.edn"), edn).unwrap();
    let before = judged(folder.path(), "history.edn", b"");
    for (format, name) in [("jsonl", "out.jsonl"), ("jepsen-edn", "out.edn"), ("porcupine-json", "out.json")]
    {
        let export = ["export", "history.edn", "--redact", "--format", format, "-o", name];
        let output = counterclock(folder.path(), &export, b"");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(!text.contains("471"), "{text}");
        let after = judged(folder.path(), name, b"");
        assert_eq!((after.0, &after.1["verdict"]), (before.0, &before.1["verdict"]), "{text}");
    }
    fs::write(folder.path().join("plume.txt"), "w(1,1,0,0)\n").unwrap();
    let export = ["export", "plume.txt", "--format", "jsonl", "-o", "out.jsonl"];
    refuses(folder.path(), &export, b"", &["plume.txt: has no times"]);
}
