//! Evidence on histories of real systems, and what the code that verifies it may import.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use counterclock_checker::budget::Budget;
use counterclock_checker::evidence::{Judged, certify};
use counterclock_checker::format::evidence::{Evidence, Reading, digest};
use counterclock_checker::format::{Format, Initial, Model, NilReads, Options, parse};
use counterclock_checker::judge::{Check, Family, judge_by};
use counterclock_checker::lattice::Level;
use counterclock_checker::verify::{Refusal, Verified, verify};

/// A level below linearizable may be exponential to decide: then there is nothing to verify.
const BUDGET: Budget = Budget { steps_max: 300_000 };
/// Lines of the verifier that are neither blank nor comment.
const CODE_LINES_MAX: usize = 1_210;

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

/// Evidence of one level, written, read again and verified.
fn verified(families: &[Family], level: Level) -> Vec<Verified> {
    let checks: Vec<Check> = judge_by(families, level, BUDGET);
    let judged = |check: &'_ Check| -> (String, &'static str) { (check.family.clone(), check.name) };
    let names: Vec<_> = checks.iter().map(judged).collect();
    let judged: Vec<Judged<'_>> = checks
        .iter()
        .zip(&names)
        .map(|(check, (family, name))| Judged { family, check: name, verdict: &check.verdict })
        .collect();
    let history = Reading { format: "hist".to_owned(), digest: digest(families), ..Reading::default() };
    let evidence = Evidence::new(history, certify(families, &judged, BUDGET));
    let text = serde_json::to_vec(&evidence).unwrap();
    let again = Evidence::read(&text).unwrap();
    assert_eq!(again, evidence);
    verify(families, &again).unwrap()
}

/// How many verdicts were accepted, and those that were not.
#[derive(Default)]
struct Tally {
    accepted: usize,
    undecided: usize,
    without: Vec<String>,
}

impl Tally {
    fn judge(&mut self, file: &str, families: &[Family]) {
        for level in Level::ALL {
            for one in verified(families, level) {
                match one.result {
                    Ok(()) => self.accepted += 1,
                    Err(Refusal::NoCertificate(reason)) if reason.starts_with("undecided") => {
                        self.undecided += 1;
                    }
                    Err(refusal) => {
                        let verdict = one.verdict.word();
                        self.without.push(format!("{file}: {} {verdict}: {refusal}", level.name()));
                    }
                }
            }
        }
    }
}

/// The options of a row as its manifest writes them.
fn options_of(model: &str, words: &str) -> Options {
    let mut options = Options { model: Model::named(model), ..Options::default() };
    let init = words.split_whitespace().find_map(|word| word.strip_prefix("init="));
    options.initial = init.map(|value| Initial(value.to_owned()));
    options.nil = words.contains("--nil observed").then_some(NilReads::Observed);
    options
}

#[test]
fn every_history_of_the_corpus_has_evidence_at_every_level() {
    let corpus = corpus();
    let Ok(manifest) = fs::read_to_string(corpus.join("manifest.tsv")) else {
        return tell(&format!("skipped: no corpus at {}", corpus.display()));
    };
    let mut tally = Tally::default();
    for row in manifest.lines().skip(1) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [file, format, model, initial, ..] = fields[..] else { panic!("{row}") };
        let bytes = fs::read(corpus.join(file)).unwrap();
        let initial = Some(Initial(initial.replace('"', "")));
        let format = Format::named(format);
        let options = Options { format, model: Model::named(model), initial, ..Options::default() };
        tally.judge(file, &parse(&bytes, &options).unwrap());
    }
    for folder in ["reported", "elle-cli", "awdit"] {
        let manifest = fs::read_to_string(corpus.join(folder).join("manifest.tsv")).unwrap_or_default();
        for row in manifest.lines().skip(1) {
            let fields: Vec<&str> = row.split('\t').collect();
            let [file, model, words, ..] = fields[..] else { continue };
            let path = [folder, file].iter().fold(corpus.clone(), |path, part| path.join(part));
            let Ok(bytes) = fs::read(path) else { continue };
            if let Ok(families) = parse(&bytes, &options_of(model, words)) {
                tally.judge(&format!("{folder}/{file}"), &families);
            }
        }
    }
    let Tally { accepted, undecided, without } = tally;
    tell(&format!("{accepted} verdicts accepted, {undecided} undecided, {} without evidence", without.len()));
    for line in &without {
        tell(line);
    }
    assert!(accepted > 0 && without.is_empty(), "{without:?}");
}

/// The files of the verifier with their text.
fn verifier() -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = fs::read_dir(source.join("verify")).unwrap().map(|entry| entry.unwrap().path());
    let files = folder.filter(|path| path.is_file() && !path.ends_with("tests.rs"));
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(path).unwrap());
    files.chain([source.join("verify.rs")]).map(read).collect()
}

#[test]
fn the_verifier_imports_no_engine_and_stays_small() {
    let forbidden =
        ["engine", "explain", "linearizable", "sequential", "weak", "lattice", "convergence", "evidence"];
    let mut count = 0;
    for (file, text) in verifier() {
        for module in forbidden {
            let is_imported =
                text.contains(&format!("crate::{module}")) || text.contains(&format!(" {module}::"));
            assert!(!is_imported, "{file} imports {module}");
        }
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        count += text.lines().filter(is_code).count();
    }
    assert!((200..=CODE_LINES_MAX).contains(&count), "the verifier has {count} lines of code");
}
