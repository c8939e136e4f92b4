//! Findings in files of others: can their reader find the place, in text and on the page?

use std::path::{Path, PathBuf};

use checker::budget::Budget;
use checker::format::{Contents, Options, read_from};
use checker::judge::judge_by;
use checker::lattice::Level;
use counterclock_reports::checked::{CheckedFile, Times};
use counterclock_reports::{page, text};

/// A stale read under a partition, as Jepsen records it.
const STALE: &str = "{:index 0, :time 1000000000, :type :invoke, :process 0, :f :write, :value 1}
{:index 1, :time 1004000000, :type :ok, :process 0, :f :write, :value 1}
{:index 2, :time 2000000000, :type :info, :process :nemesis, :f :start-partition, :value [n1 n2]}
{:index 3, :time 3000000000, :type :invoke, :process 0, :f :write, :value 2}
{:index 4, :time 3002000000, :type :ok, :process 0, :f :write, :value 2}
{:index 5, :time 12345000000, :type :invoke, :process 3, :f :read, :value nil}
{:index 6, :time 12351000000, :type :ok, :process 3, :f :read, :value 1}
{:index 7, :time 13000000000, :type :info, :process :nemesis, :f :stop-partition, :value nil}
";

fn judged(name: &str, contents: &Contents, level: Level) -> Vec<CheckedFile> {
    let checks = judge_by(&contents.families, level, Budget { steps_max: 1_000_000 });
    let times = Times { parse_ns: 84_000, check_ns: 310_000 };
    checks.into_iter().map(|check| CheckedFile::new(name, contents, check, times)).collect()
}

fn read(text: &str) -> Contents {
    read_from(&mut text.as_bytes(), &Options::default()).expect("a history")
}

#[test]
fn text_names_lines_indexes_instants_and_the_write_that_was_read() {
    let text = text::checks(&judged("stale.edn", &read(STALE), Level::Linearizable));
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "client 3's read -> 1 (lines 6 and 7, :index 5 and 6; 12.345 s to 12.351 s)",
        "client 0's write 1 (lines 1 and 2, :index 0 and 1; 1.000 s to 1.004 s) wrote the value of",
        "2 operations had returned before that; up to there this order is legal",
        "at first, it holds 0",
        "for that it would have to hold 1, and here it holds 2",
    ] {
        assert!(flat.contains(wanted), "{wanted}\n{text}");
    }
    check_width(&text);
}

#[test]
fn page_shows_lines_context_and_faults() {
    let page = page::checks(&judged("stale.edn", &read(STALE), Level::Linearizable));
    for wanted in
        ["read -&gt; 1 (lines 6, 7)", "write 1 (lines 1, 2)", "bar context", "band network", "partition"]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
}

#[track_caller]
fn check_width(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}\n{text}");
    }
}

/// All files of the shared corpus that can be read; none where there is no corpus.
#[expect(clippy::disallowed_methods, reason = "where the corpus is, the host says")]
fn corpus() -> Vec<PathBuf> {
    let root = std::env::var("COUNTERCLOCK_HISTORIES")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/histories"), PathBuf::from);
    let entries = std::fs::read_dir(root.join("reported"));
    let mut files: Vec<PathBuf> =
        entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
}

#[test]
fn every_violated_file_of_the_corpus_is_explained_with_its_lines_within_eighty_columns() {
    let files = corpus();
    if files.is_empty() {
        return eprintln!("skipped: there is no corpus of histories");
    }
    let mut violated_count = 0;
    for path in files {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(contents) = read_from(&mut bytes.as_slice(), &Options::default()) else { continue };
        for level in [Level::Linearizable, Level::Sequential, Level::Causal] {
            let judged = judged(&path.display().to_string(), &contents, level);
            let text = text::checks(&judged);
            check_width(&text);
            for (level, violation) in judged.iter().flat_map(CheckedFile::findings) {
                violated_count += 1;
                let context = || format!("{} {level}\n{text}", path.display());
                assert!(!violation.named.is_empty(), "{}", context());
                assert!(violation.named.iter().all(|one| one.line.is_some()), "{}", context());
                assert!(text.contains("line"), "{}", context());
            }
        }
    }
    assert!(violated_count > 0, "nothing in the corpus is violated");
}
