//! `check --evidence` and `verify`: what is written is accepted, and for no other history or verdict.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A legal history and one with a stale read, in the compact format.
const LEGAL: &str =
    "# model=register-cas\n0 i w 1\n0 o w 1\n1 i r\n1 o r 1\n0 i c 1 2\n0 o c 1 2\n1 i r\n1 o r 2\n";
const STALE: &str = "# model=register-cas\n0 i w 1\n0 o w 1\n0 i w 2\n0 o w 2\n1 i r\n1 o r 1\n";

/// Exit code and standard output.
#[track_caller]
fn counterclock(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    let output = command.current_dir(folder).args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!message.contains("panicked"), "{message}");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap() + &message)
}

/// Checks a history, then verifies the evidence: what `verify` prints.
#[track_caller]
fn verified(text: &str, level: &str, verdict: i32) -> String {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.hist"), text).unwrap();
    let check = ["check", "a.hist", "--level", level, "--evidence", "e.json"];
    assert_eq!(counterclock(folder.path(), &check).0, verdict);
    let (code, printed) = counterclock(folder.path(), &["verify", "a.hist", "e.json"]);
    assert_eq!(code, 0, "{printed}");
    printed
}

#[test]
fn evidence_at_every_level_is_accepted() {
    let levels = [
        "linearizable",
        "sequential",
        "causal",
        "pram",
        "read-your-writes",
        "monotonic-reads",
        "monotonic-writes",
        "writes-follow-reads",
        "convergence",
    ];
    for level in levels {
        let printed = verified(LEGAL, level, 0);
        assert!(printed.contains(&format!("{level} holds: accepted")), "{printed}");
    }
    assert!(verified(STALE, "linearizable", 1).contains("linearizable violated: accepted"));
    let printed = verified(STALE, "strongest", 0);
    assert!(printed.contains("sequential holds: accepted"), "{printed}");
    assert!(printed.contains("convergence holds: accepted"), "{printed}");
    assert!(printed.contains("linearizable violated: accepted"), "{printed}");
}

#[test]
fn evidence_for_another_history_verdict_or_number_is_refused() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("legal.hist"), LEGAL).unwrap();
    fs::write(at("stale.hist"), STALE).unwrap();
    assert_eq!(counterclock(folder.path(), &["check", "legal.hist", "--evidence", "e.json"]).0, 0);
    let (code, printed) = counterclock(folder.path(), &["verify", "stale.hist", "e.json"]);
    assert!(code == 1 && printed.contains("another history"), "{printed}");
    let good = fs::read_to_string(at("e.json")).unwrap();
    let changes = [
        ("\"holds\"", "\"violated\"", "does not prove"),
        ("[0,1,", "[1,0,", "operation 0 had returned"),
        ("[0,1,", "[0,", "operation 1 was answered and is missing"),
        ("[0,1,", "[0,77,", "operation 77"),
        (
            "\"certificate\":\"orders\",\"orders\":",
            "\"certificate\":\"none\",\"reason\":\"\",\"orders\":",
            "no certificate",
        ),
    ];
    for (old, new, message) in changes {
        assert!(good.contains(old), "{good}");
        fs::write(at("bad.json"), good.replacen(old, new, 1)).unwrap();
        let (code, printed) = counterclock(folder.path(), &["verify", "legal.hist", "bad.json"]);
        assert!(code == 1 && printed.contains(message) && !printed.contains("accepted"), "{new}: {printed}");
    }
}

#[test]
fn what_is_no_evidence_is_bad_input() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("a.hist"), LEGAL).unwrap();
    let bad =
        ["", "{", "[]", "{\"format\":\"counterclock-evidence\",\"version\":9,\"history\":{},\"checks\":[]}"];
    for text in bad {
        fs::write(at("e.json"), text).unwrap();
        let (code, printed) = counterclock(folder.path(), &["verify", "a.hist", "e.json"]);
        assert!(code == 2 && printed.contains("e.json"), "{text}: {printed}");
    }
    assert_eq!(counterclock(folder.path(), &["verify", "a.hist", "missing.json"]).0, 2);
    assert_eq!(counterclock(folder.path(), &["check", "a.hist", "--evidence", "a.hist"]).0, 2);
    assert_eq!(fs::read_to_string(at("a.hist")).unwrap(), LEGAL);
    assert_eq!(counterclock(folder.path(), &["check", "a.hist", "a.hist", "--evidence", "e"]).0, 2);
}

/// The block of the documentation that is called so.
fn block(text: &str, name: &str) -> String {
    let lines =
        text.lines().skip_while(|line| !(line.starts_with("```") && line.ends_with(&format!(" {name}"))));
    lines.skip(1).take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_example_of_the_documentation_is_what_the_command_writes() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence.md")).unwrap();
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("stale.hist"), block(&page, "stale.hist")).unwrap();
    let check = ["check", "stale.hist", "--evidence", "evidence.json"];
    assert_eq!(counterclock(folder.path(), &check).0, 1);
    let written = fs::read_to_string(folder.path().join("evidence.json")).unwrap();
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(json(&written), json(&block(&page, "evidence.json")), "{written}");
    let (code, printed) = counterclock(folder.path(), &["verify", "stale.hist", "evidence.json"]);
    assert_eq!((code, printed), (0, block(&page, "output")));
}
