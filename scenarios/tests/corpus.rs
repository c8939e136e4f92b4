//! What `check` says of real histories: every row of the corpus's manifests, where the corpus is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Models that exist. A history of any other gets a refusal that names them.
const MODELS: [&str; 9] = [
    "register-cas",
    "kv",
    "counter-inc",
    "counter-rw",
    "bcounter",
    "log",
    "mutex",
    "multi-register",
    "rw-register",
];

/// One question a line: file, model as the manifest names it, arguments, exit code, words of the message.
///
/// *Strict serialisable* is `linearizable` of a multi-register, *serialisable* with session order is
/// `sequential`. A history whose model does not exist yet is refused with the workload that it looks like.
const REPORTED: &str = "
01-history.txt | register-cas | | 0 |
01.edn | register-cas | | 0 |
03-history.txt | register-cas | --init 1 | 0 |
03-history.txt | register-cas | --init 0 | 1 |
03.edn | register-cas | --init 1 | 0 |
03.edn | register-cas | --init 0 | 1 |
05.edn | multi-register | | 1 |
06.edn | multi-register | | 1 |
06.edn | multi-register | --level sequential | 1 |
08-lost-value.edn | register-cas | --nil observed | 1 |
08-lost-value.edn | register-cas | | 3 | vacuous
09-txn-nil.edn | rw-register | | 1 |
09-txn-nil.edn | rw-register | --level sequential | 0 |
09c-write-skew.edn | rw-register | --level sequential | 1 |
09c-write-skew.edn | rw-register | --level causal | 0 |
10-independent.edn | kv | | 1 |
10c-independent-read-first.edn | kv | | 0 |
11-string-kv.edn | kv | | 1 |
12-tagged.edn | register-cas | | 0 |
13-reuse-after-info.edn | | | 2 | 13-reuse-after-info.edn:3:11: client 0
14-only-ok.edn | | | 2 | :1:
15-history.json | register-cas | | 0 |
16-jepsen.log | register-cas | | 0 |
17-counter.edn | counter-rw | | 1 |
17c-counter-dec.edn | counter-rw | | 0 |
18-fail.edn | register-cas | | 1 |
18b-info.edn | register-cas | | 0 |
19-lock.edn | mutex | | 0 |
19c-lock-unlock.edn | mutex | | 0 |
20-no-observation.edn | register-cas | | 3 | vacuous
21-queue.edn | queue | | 2 | this looks like the workload queue
22-unique-ids.edn | unique-ids | | 2 | this looks like the workload unique-ids
23-list-append.edn | list-append | | 2 | this looks like the workload list-append
24-bank.edn | bank | | 2 | this looks like the workload bank
25-causal-reverse.edn | set-read (causal reverse) | | 2 | this looks like the workload causal-reverse
26-long-fork.edn | rw-register | | 1 |
26-long-fork.edn | rw-register | --level sequential | 1 |
26-long-fork.edn | rw-register | --level causal | 0 |
27-kafka.edn | kafka log | | 2 | this looks like the workload kafka
29-dbcop.txt | rw-register | --init 0 --level sequential | 0 |
29-dbcop.txt | rw-register | --init 0 --level causal | 0 |
31-antidote-causal-cycle.edn | multi-register | --level causal | 1 |
31-antidote-causal-cycle.edn | multi-register | --level pram | 0 |
32-cm-not-ccv.edn | register-cas | --level causal | 1 |
34-elle-internal.edn | multi-register | | 1 |
35-g1b.edn | multi-register | | 1 |
";

/// The same of a peer's own cases.
const ELLE_CLI: &str = "
paper-example.edn | list-append | | 2 | this looks like the workload list-append
paper-example.json | list-append | | 2 | this looks like the workload list-append
rw-register.edn | rw-register | | 1 |
rw-register.edn | rw-register | --level pram | 1 |
bank.edn | bank | | 2 | this looks like the workload bank
bank-negative-balances.json | bank | | 2 | this looks like the workload bank
bank-neg.edn | bank | | 2 | this looks like the workload bank
set.edn | set | | 2 | this looks like the workload set
set_full.json | set-full | | 2 | this looks like the workload set-full
counter.json | counter-bounds | | 3 | vacuous
long-fork.edn | long-fork | | 2 | expected :process
comments.edn | comments | | 2 | this looks like the workload comments
";

/// Where the corpus would be.
#[expect(clippy::disallowed_methods, reason = "a test may be told where the corpus lies")]
fn corpus() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories");
    std::env::var_os("COUNTERCLOCK_HISTORIES").map_or_else(default, PathBuf::from)
}

/// One line on stderr, also from a test that passes: the harness catches only what is printed.
fn tell(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error takes a line");
}

/// The rows of a manifest without its head; none, and that is said, where there is no such file.
fn manifest(folder: &Path) -> Option<Vec<Vec<String>>> {
    let Ok(text) = fs::read_to_string(folder.join("manifest.tsv")) else {
        tell(&format!("skipped: no corpus at {}", folder.display()));
        return None;
    };
    Some(text.lines().skip(1).map(|row| row.split('\t').map(str::to_owned).collect()).collect())
}

fn check(file: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    let Output { status, stdout, stderr } = command.arg("check").arg(file).args(arguments).output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// The one file of `reported` whose form says nothing of time.
const DBCOP: &str = "29-dbcop.txt";

/// Whether there is a reader of transactions without times; if not, that is said.
fn reads_plume() -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterclock"));
    let Output { stdout, .. } = command.args(["check", "--help"]).output().unwrap();
    let is_read = String::from_utf8_lossy(&stdout).contains("plume");
    if !is_read {
        tell("skipped: no reader of plume text");
    }
    is_read
}

/// A question about a file, and its answer.
struct Asked<'a> {
    file: &'a str,
    model: &'a str,
    arguments: Vec<&'a str>,
    code: i32,
    words: Vec<&'a str>,
}

fn questions(table: &str) -> Vec<Asked<'_>> {
    table
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let fields: Vec<&str> = line.split('|').map(str::trim).collect();
            let [file, model, arguments, code, words] = fields[..] else { panic!("{line}") };
            let words = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            Asked {
                file,
                model,
                arguments: arguments.split_whitespace().collect(),
                code: code.parse().unwrap(),
                words,
            }
        })
        .collect()
}

/// What is wrong with the answer to a question, if anything.
fn difference(folder: &Path, asked: &Asked<'_>) -> Vec<String> {
    let mut ways = vec![asked.arguments.clone()];
    if MODELS.contains(&asked.model) {
        // Told or guessed: the same.
        ways.push([&asked.arguments[..], &["--model", asked.model]].concat());
    }
    let mut wrong = Vec::new();
    for arguments in ways {
        let (code, said) = check(&folder.join(asked.file), &arguments);
        let mut missing: Vec<&str> =
            asked.words.iter().copied().filter(|word| !said.contains(word)).collect();
        if asked.words.iter().any(|word| word.starts_with("this looks like")) {
            missing.extend(["register-cas", "multi-register"].iter().filter(|model| !said.contains(**model)));
        }
        if code != Some(asked.code) || !missing.is_empty() {
            let first: Vec<&str> = said.lines().take(2).collect();
            wrong.push(format!(
                "{} {}: exit code {code:?}, expected {} and {missing:?} in: {}",
                asked.file,
                arguments.join(" "),
                asked.code,
                first.join(" / ")
            ));
        }
    }
    wrong
}

#[track_caller]
fn every_row(name: &str, table: &str) {
    let folder = corpus().join(name);
    let Some(rows) = manifest(&folder) else { return };
    let questions = questions(table);
    for row in &rows {
        let [file, model, ..] = &row[..] else { panic!("{row:?}") };
        assert!(questions.iter().any(|asked| asked.file == file), "nothing is asked of {file}");
        assert!(
            questions.iter().all(|asked| asked.file != file || asked.model == model),
            "{file} is of {model}"
        );
    }
    assert!(!rows.is_empty(), "the manifest lists no file");
    let is_read = |asked: &&Asked<'_>| asked.file != DBCOP || reads_plume();
    let wrong: Vec<String> =
        questions.iter().filter(is_read).flat_map(|asked| difference(&folder, asked)).collect();
    assert!(wrong.is_empty(), "{} of {} answers differ:\n{}", wrong.len(), questions.len(), wrong.join("\n"));
    tell(&format!("asked {} questions of {} files of {}", questions.len(), rows.len(), folder.display()));
}

#[test]
fn every_reported_history_gets_its_right_answer() {
    every_row("reported", REPORTED);
}

#[test]
fn every_case_of_elle_gets_its_right_answer() {
    every_row("elle-cli", ELLE_CLI);
}

/// The manifest gives the strongest of three levels. Of these only `causal` exists here.
#[test]
fn every_case_of_awdit_is_causal_or_not_as_it_should_be() {
    let folder = corpus().join("awdit");
    let Some(rows) = manifest(&folder).filter(|_| reads_plume()) else { return };
    let mut wrong = Vec::new();
    for row in &rows {
        let [file, strongest, ..] = &row[..] else { panic!("{row:?}") };
        let wanted = if strongest == "causal" { 0 } else { 1 };
        let (code, said) = check(&folder.join(file), &["--level", "causal"]);
        if code != Some(wanted) {
            wrong.push(format!("{file}: exit code {code:?}, expected {wanted}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} answers differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(!rows.is_empty(), "the manifest lists no file");
    tell(&format!("asked about {} files of {}", rows.len(), folder.display()));
}
