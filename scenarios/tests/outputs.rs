//! Where results go: whole or not at all, through links and devices, never over what is read, and never lost in silence.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const HISTORY: &str = "\
{\"format\":\"counterclock-history\",\"version\":1,\"families\":[{\"name\":\"f\",\"model\":\"register-cas\"}]}
{\"family\":\"f\",\"type\":\"invoke\",\"at\":1,\"process\":0,\"f\":\"write\",\"key\":\"x\",\"value\":1}
{\"family\":\"f\",\"type\":\"ok\",\"at\":2,\"process\":0,\"f\":\"write\",\"key\":\"x\"}
";
/// A device on which there is never any room.
const FULL: &str = "/dev/full";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("in.jsonl"), HISTORY).unwrap();
    folder
}

fn counterclock(folder: &Path, arguments: &[&str], stdout: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    command.current_dir(folder).args(arguments).stdout(stdout).output().unwrap()
}

/// The command must refuse with this in its message, and leave its input as it was.
#[track_caller]
fn refuses(arguments: &[&str], stdout: Stdio, name: &str) {
    let folder = folder();
    let output = counterclock(folder.path(), arguments, stdout);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(message.contains(name), "{arguments:?}: expected `{name}` in: {message}");
    assert_eq!(fs::read_to_string(folder.path().join("in.jsonl")).unwrap(), HISTORY);
}

/// Whether there is such a device; if not, that is said.
fn has_full_device() -> bool {
    let is_device = fs::metadata(FULL).is_ok_and(|found| found.file_type().is_char_device());
    if !is_device {
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped: there is no device {FULL}").unwrap();
    }
    is_device
}

#[test]
fn what_is_read_is_never_written_over() {
    refuses(&["check", "in.jsonl", "-o", "in.jsonl"], Stdio::piped(), "in.jsonl: is what is read");
    refuses(&["check", "in.jsonl", "-o", "./in.jsonl"], Stdio::piped(), "is what is read (in.jsonl)");
    let export = ["export", "in.jsonl", "--format", "jepsen-edn", "-o", "in.jsonl"];
    refuses(&export, Stdio::piped(), "is what is read");
}

#[test]
fn results_that_cannot_be_printed_are_an_error() {
    if has_full_device() {
        let full = || Stdio::from(File::options().write(true).open(FULL).unwrap());
        refuses(&["check", "in.jsonl", "--json"], full(), "standard output: cannot be written");
        refuses(&["check", "in.jsonl"], full(), "standard output: cannot be written");
        refuses(&["list"], full(), "standard output: cannot be written");
    }
}

#[test]
fn a_device_is_written_and_stays_one() {
    if has_full_device() {
        refuses(&["export", "in.jsonl", "--format", "jsonl", "-o", FULL], Stdio::piped(), FULL);
        assert!(fs::metadata(FULL).unwrap().file_type().is_char_device());
    }
}

#[test]
fn a_link_is_followed() {
    let folder = folder();
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    fs::write(&target, "old").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let export = ["export", "in.jsonl", "--format", "jsonl", "-o", "link"];
    let output = counterclock(folder.path(), &export, Stdio::piped());
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("counterclock-history"));
}

/// Starts a soak that has no end, kills it once it has kept a verdict, and says what it kept.
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
fn killed_soak(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    let mut soak = command.current_dir(folder).args(arguments).stderr(Stdio::null()).spawn().unwrap();
    let kept = || fs::read_to_string(folder.join("soak/verdicts.jsonl")).unwrap_or_default();
    for _ in 0..600 {
        if !kept().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    soak.kill().unwrap();
    soak.wait().unwrap();
    kept()
}

#[test]
fn a_soak_that_is_killed_goes_on_where_it_was_kept_last() {
    let folder = folder();
    let arguments = ["soak", "config-demo", "--seeds", "0..100000000", "--out", "soak"];
    let kept = killed_soak(folder.path(), &arguments);
    assert!(!kept.is_empty(), "a minute was not enough for one verdict");
    let again = counterclock(folder.path(), &[&arguments[..], &["--for", "1s"]].concat(), Stdio::piped());
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8(again.stderr).unwrap());
    let all = fs::read_to_string(folder.path().join("soak/verdicts.jsonl")).unwrap();
    assert!(all.starts_with(&kept) && all.len() > kept.len(), "{} and {} bytes", kept.len(), all.len());
}

#[test]
fn a_soak_goes_on_only_behind_its_own_verdicts_in_order() {
    let folder = folder();
    let verdicts = folder.path().join("soak/verdicts.jsonl");
    let soak = || {
        let arguments = ["soak", "config-demo", "--seeds", "0..3", "--out", "soak"];
        let output = counterclock(folder.path(), &arguments, Stdio::piped());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    // One that was killed before it kept anything.
    fs::create_dir_all(folder.path().join("soak/runs")).unwrap();
    assert_eq!(soak().0, Some(0));
    let all = fs::read_to_string(&verdicts).unwrap();
    let lines: Vec<_> = all.split_inclusive('\n').collect();
    fs::write(&verdicts, [lines[0], lines[2]].concat()).unwrap();
    let (code, message) = soak();
    let place = "verdicts.jsonl:2: found config-demo, seed 2; expected config-demo, seed 1";
    assert!(code == Some(2) && message.contains(place), "{message}");
    fs::write(&verdicts, lines[0]).unwrap();
    assert_eq!((soak().0, fs::read_to_string(&verdicts).unwrap()), (Some(0), all));
}
