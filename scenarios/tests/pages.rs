//! The guides to checking, run as they are written: their files, their commands, their outputs.
//!
//! ````text
//! ```edn lock.edn          a block with a name is a file
//! ```console               a block of commands: `$ command`, then what it prints
//! ...                      in what it prints: any lines
//! ````

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A fenced block: what stands behind the fence, and its lines.
struct Block<'a> {
    information: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(fence) = lines.by_ref().find(|line| line.starts_with("```")) {
        let lines = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(Block { information: fence.trim_start_matches('`').trim(), lines });
    }
    blocks
}

/// Whether these lines are what was expected, in which `...` is any number of lines.
fn is_as_shown(expected: &[&str], found: &[&str]) -> bool {
    let parts: Vec<&[&str]> = expected.split(|line| *line == "...").collect();
    let (first, others) = parts.split_first().unwrap();
    let Some((last, middle)) = others.split_last() else { return *first == found };
    if !found.starts_with(first) || found.len() < first.len() + last.len() || !found.ends_with(last) {
        return false;
    }
    let mut rest = &found[first.len()..found.len() - last.len()];
    middle.iter().all(|part| {
        let at = (0..=rest.len()).find(|at| rest[*at..].starts_with(part));
        at.is_some_and(|at| {
            rest = &rest[at + part.len()..];
            true
        })
    })
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(is_as_shown(&["a", "b"], &["a", "b"]));
    assert!(!is_as_shown(&["a", "b"], &["a"]));
    assert!(!is_as_shown(&["a"], &["a", "b"]));
    assert!(is_as_shown(&["a", "..."], &["a"]));
    assert!(is_as_shown(&["a", "...", "d"], &["a", "b", "c", "d"]));
    assert!(!is_as_shown(&["a", "...", "d"], &["a", "b", "c"]));
    assert!(is_as_shown(&["...", "c", "..."], &["a", "b", "c", "d"]));
    assert!(!is_as_shown(&["...", "x", "..."], &["a", "b", "c", "d"]));
    assert!(!is_as_shown(&["a", "...", "a"], &["a"]));
}

/// Runs the commands of a block, and compares.
fn run(folder: &Path, lines: &[&str]) -> usize {
    let program = Path::new(env!("CARGO_BIN_EXE_counterclock"));
    let mut count = 0;
    let mut status = None;
    let mut rest = lines;
    while let Some((command, after)) = rest.split_first() {
        let command = command.strip_prefix("$ ").unwrap_or_else(|| panic!("no command: {command}"));
        let length = after.iter().position(|line| line.starts_with("$ ")).unwrap_or(after.len());
        let (expected, next) = after.split_at(length);
        rest = next;
        let text = if command == "echo $?" {
            status.map(|status: i32| status.to_string()).expect("a command comes before its exit code")
        } else {
            let mut shell = Command::new("sh");
            shell.current_dir(folder).args(["-c", &format!("{{ {command} ; }} 2>&1")]);
            let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
            let Output { status: ended, stdout, .. } = shell.env("PATH", path).output().unwrap();
            status = ended.code();
            count += 1;
            String::from_utf8(stdout).unwrap()
        };
        let found: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert!(
            is_as_shown(expected, &found),
            "$ {command}\nprints (exit code {status:?}):\n{}\n\nthe page shows:\n{}",
            found.join("\n"),
            expected.join("\n")
        );
    }
    count
}

/// Goes through a page: writes its files, runs its commands.
fn go_through(page: &str, commands_min: usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page)).unwrap();
    let folder = TempDir::new().unwrap();
    let mut count = 0;
    for Block { information, lines } in blocks(&text) {
        match information.split_once(' ') {
            Some((_, name)) => fs::write(folder.path().join(name), lines.join("\n") + "\n").unwrap(),
            None if information == "console" => count += run(folder.path(), &lines),
            None => {}
        }
    }
    assert!(count >= commands_min, "{page} has {count} commands only");
}

#[test]
fn the_guide_to_models_is_as_it_says() {
    go_through("your-own-model.md", 5);
}

#[test]
fn the_guide_to_histories_is_as_it_says() {
    go_through("check-a-history.md", 8);
}
