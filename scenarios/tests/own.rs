//! The examples of a system and a service of one's own: their defects are found, their runs repeat, their guides are true.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "its `fn main` is called by cargo, not from here")]
#[path = "../examples/axum_service.rs"]
mod axum_service;
#[expect(dead_code, reason = "its `fn main` is called by cargo, not from here")]
#[path = "../examples/lock_service.rs"]
mod lock_service;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use reports::run_folder::{Outcome, RunFolder};
use scenarios::own::{self, Case, Suite, Variant};
use sim::chance::Seed;
use sim::fault::Family;
use sim::substrate::Substrate;

/// Both examples.
const SUITES: [Suite; 2] = [lock_service::SUITE, axum_service::SUITE];

fn run(suite: &Suite, seed: u64, variant: Variant) -> RunFolder {
    own::run_once(suite, &Case { seed: Seed(seed), variant, substrate: suite.substrates[0] }).unwrap()
}

/// The first broken promise of the defective variant, in a test's words.
#[track_caller]
fn check_found(suite: &Suite, want: &str) {
    let seeds = suite.seeds.clone();
    let mut verdicts = seeds.map(|seed| run(suite, seed, Variant::Naive).verdict);
    let verdict = verdicts.find(|verdict| verdict.verdict == Outcome::Violated).expect("some seed finds it");
    let text = own::explained(&verdict);
    assert!(text.contains(want), "{text}");
    let command = format!("run it again with: {} --seed {} --variant naive", suite.command, verdict.seed);
    assert!(text.contains(&command), "{text}");
}

#[test]
fn a_store_that_takes_old_tokens_is_found_with_the_command_that_makes_the_run_again() {
    check_found(&lock_service::SUITE, "mutual-exclusion violated: ");
}

#[test]
fn a_service_that_looks_first_and_sets_later_is_found_with_the_command_that_makes_the_run_again() {
    check_found(&axum_service::SUITE, "linearizable violated: ");
}

#[test]
fn every_family_of_faults_of_the_examples_fires_and_changes_something() {
    for suite in &SUITES {
        let mut affected: BTreeMap<Family, u64> = BTreeMap::new();
        for seed in suite.seeds.clone() {
            for line in run(suite, seed, Variant::Hardened).verdict.ledger {
                *affected.entry(line.fault).or_default() += line.affected;
            }
        }
        assert!(affected.len() > 3, "{affected:?}");
        assert!(affected.values().all(|count| *count > 0), "{}: {affected:?}", suite.name);
    }
}

fn digests() -> String {
    let digest =
        |suite: &Suite| format!("{} {};", suite.name, run(suite, 3, Variant::Hardened).verdict.digest);
    SUITES.iter().map(digest).collect()
}

#[test]
fn one_seed_is_one_run_across_processes() {
    let here = digests();
    let arguments = ["--exact", "the_digests_of_this_process_are_printed", "--nocapture"];
    let other = Command::new(std::env::current_exe().unwrap()).args(arguments).output().unwrap();
    let other = String::from_utf8(other.stdout).unwrap();
    assert!(other.contains(&here), "{here} against {other}");
}

#[test]
fn the_digests_of_this_process_are_printed() {
    println!("{}", digests());
}

#[test]
fn a_run_of_ones_own_leaves_a_folder_that_reports_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("run");
    let folder = run(&lock_service::SUITE, 1, Variant::Hardened);
    folder.write(&path).unwrap();
    assert_eq!(RunFolder::read(&path).unwrap(), folder);
}

/// The lines of each fenced block of that language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<Vec<&'a str>> {
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line == fence) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

/// Code without its indentation, so that a guide may show a part of a function.
fn flush<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    lines.into_iter().map(|line| line.trim_start().to_owned() + "\n").collect()
}

#[test]
fn the_guides_show_the_examples_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (guide, example) in [("your-own-system", "lock_service"), ("your-own-service", "axum_service")] {
        let page = fs::read_to_string(root.join(format!("../docs/{guide}.md"))).unwrap();
        let source = fs::read_to_string(root.join(format!("examples/{example}.rs"))).unwrap();
        let source = flush(source.lines());
        let shown = blocks(&page, "rust");
        assert!(shown.len() > 4, "{guide} shows {} pieces of code", shown.len());
        for block in shown {
            let block = flush(block);
            assert!(source.contains(&block), "{guide} shows what {example} does not have:\n{block}");
        }
        for line in blocks(&page, "sh").concat() {
            assert!(line.contains(&format!("--example {example}")), "{guide}: {line}");
        }
    }
}

#[test]
fn the_lock_service_is_short_enough_to_be_read_at_once() {
    let lines = include_str!("../examples/lock_service.rs").lines().count();
    assert!(lines < 150, "{lines} lines");
}

#[test]
fn a_service_of_others_runs_on_turmoil_only() {
    let case = Case { seed: Seed(1), variant: Variant::Hardened, substrate: Substrate::Kernel };
    let error = own::run_once(&axum_service::SUITE, &case).unwrap_err().to_string();
    assert_eq!(error, "kernel gave up: services of others run on turmoil only");
}
