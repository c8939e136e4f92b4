//! `check --model FILE.toml`: a table of the user's own, from the command line.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

const LOCK: &str = r#"name = "lock"
states = ["free", "held"]
transitions = [
  { from = "free", operation = "acquire", to = "held" },
  { from = "held", operation = "acquire", refused = true },
  { from = "held", operation = "release", to = "free" },
]
"#;

/// Two holders at once.
const TWICE: &str = "0 i acquire\n0 o acquire\n1 i acquire\n1 o acquire\n";

/// What the command says about a history, with these further arguments.
fn check(model: &str, history: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("lock.toml"), model).unwrap();
    fs::write(folder.path().join("history"), history).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    command.current_dir(folder.path()).args(["check", "history"]).args(arguments);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const MODEL: [&str; 2] = ["--model", "lock.toml"];

#[test]
fn a_table_judges_and_explains_in_its_own_words() {
    let (code, found, complaint) = check(LOCK, TWICE, &MODEL);
    assert_eq!((code, complaint.as_str()), (Some(1), ""), "{found}");
    for words in ["lock", "violated", "acquire", "it is held"] {
        assert!(found.contains(words), "expected `{words}` in: {found}");
    }
    let refused = TWICE.replace("1 o acquire", "1 f acquire");
    assert_eq!(check(LOCK, &refused, &MODEL).0, Some(0));
    let (code, line, _) = check(LOCK, TWICE, &["--model", "lock.toml", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((code, &line["model"], &line["verdict"]), (Some(1), &"lock".into(), &"violated".into()));
}

#[test]
fn every_level_is_asked_of_a_table() {
    for (level, code) in [("sequential", 1), ("causal", 0), ("pram", 0), ("strongest", 0)] {
        let (found, output, complaint) = check(LOCK, TWICE, &["--model", "lock.toml", "--level", level]);
        assert_eq!(found, Some(code), "{level}: {output}{complaint}");
    }
}

/// The command refuses its arguments, and says so with this.
#[track_caller]
fn refused(model: &str, history: &str, arguments: &[&str], want: &str) {
    let (code, found, complaint) = check(model, history, arguments);
    assert_eq!((code, found.as_str()), (Some(2), ""), "{complaint}");
    assert!(complaint.contains(want), "expected `{want}` in: {complaint}");
}

#[test]
fn what_is_no_table_is_refused_with_its_place() {
    let misspelt =
        LOCK.replace("from = \"held\", operation = \"release\"", "form = \"held\", operation = \"release\"");
    refused(&misspelt, TWICE, &MODEL, "lock.toml:6:5: found key `form`, expected a key of a transition");
    refused(LOCK, TWICE, &["--model", "missing.toml"], "missing.toml: cannot be read");
    refused(LOCK, TWICE, &["--model", "lock.toml", "--init", "held"], "--init: lock.toml itself says where");
    refused(LOCK, TWICE, &["--model", "locks"], "--model: found \"locks\", expected one of register-cas, kv");
    refused(
        LOCK,
        "0 i grab\n",
        &MODEL,
        "history:1:5: found \"grab\", expected an operation of model lock: acquire, release",
    );
    let declared = r#"{"format":"counterclock-history","version":1,"families":[{"name":"x","model":"table","text":""}]}"#;
    refused(LOCK, declared, &[], "unknown variant `table`");
    let jsonl = r#"{"format":"counterclock-history","version":1,"families":[]}"#;
    refused(LOCK, jsonl, &MODEL, "found \"a history in jsonl\", expected one in hist or a form of Jepsen's");
}

#[test]
fn what_is_odd_about_a_table_is_said_beside_the_results() {
    let unreachable = LOCK.replace("[\"free\", \"held\"]", "[\"free\", \"held\", \"lost\"]");
    let (code, _, said) = check(&unreachable, TWICE, &MODEL);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("lock.toml:2:27: warning: state `lost` cannot be reached"), "{said}");
}

#[test]
fn evidence_about_a_table_is_accepted_with_the_table_in_it() {
    for (history, code) in [(TWICE.to_owned(), 1), (TWICE.replace("1 o acquire", "1 f acquire"), 0)] {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("lock.toml", LOCK);
        write("history", &history);
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
            command.current_dir(folder.path()).args(arguments).output().unwrap()
        };
        let checked = run(&["check", "history", "--model", "lock.toml", "--evidence", "evidence.json"]);
        assert_eq!(checked.status.code(), Some(code), "{}", String::from_utf8_lossy(&checked.stderr));
        let verified = run(&["verify", "history", "evidence.json"]);
        let said = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert_eq!(verified.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&verified.stderr));
        // Of another table, it is no evidence.
        let evidence = fs::read_to_string(folder.path().join("evidence.json")).unwrap();
        let other = evidence.replace("to = \\\"free\\\"", "to = \\\"held\\\"");
        assert_ne!(other, evidence);
        write("evidence.json", &other);
        assert_eq!(run(&["verify", "history", "evidence.json"]).status.code(), Some(1));
    }
}
