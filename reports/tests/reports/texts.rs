//! Text, Markdown and JUnit of a sample.

use counterclock_reports::run_folder::RunFolder;
use counterclock_reports::{junit, markdown, text};

use crate::sample;

/// Checks what is true of all terminal output.
#[track_caller]
fn check(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert!(!line.ends_with(' '), "trailing space: {line:?}");
    }
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
}

fn violated() -> RunFolder {
    sample::violated(2_000)
}

#[test]
fn run_tells_the_verdict_first_and_the_command_last() {
    let run = violated();
    let text = text::run(&run);
    check(&text);
    assert!(
        text.starts_with("capacity (naive, seed 42, kernel)\nVIOLATED: 2 of 7 promises broken\n"),
        "{text}"
    );
    assert!(text.ends_with("replay counterclock run capacity --seed 42 --variant naive\n"), "{text}");
    check(&text::run(&sample::holding(2_000)));
    check(&text::run(&sample::holding(0)));
}

#[test]
fn widest_names_and_numbers_stay_within_eighty_columns() {
    let mut run = violated();
    let wide = "name-without-any-space-".repeat(9) + "\u{1b}[2J";
    (run.plan.name, run.verdict.scenario, run.verdict.digest) = (wide.clone(), wide.clone(), wide.clone());
    for check in &mut run.verdict.checks {
        (check.name, check.detail, check.family) = (wide.clone(), wide.clone(), Some(wide.clone()));
    }
    for line in &mut run.verdict.ledger {
        (line.planned, line.affected) = (u64::MAX, u64::MAX);
    }
    run.history = sample::operations::text(&[sample::operations::keyed_family(&wide, &wide, 50)]);
    let text = text::run(&run);
    // A command keeps its words whole, so that it can be copied; only its longest word may be wider.
    let but_command: Vec<_> =
        text.lines().filter(|line| !line.contains(wide.trim_end_matches("\u{1b}[2J"))).collect();
    check(&but_command.join("\n"));
}

#[test]
fn soak_lists_its_first_violations_with_commands() {
    let run = violated();
    let soak = sample::soak::soak(&run.verdict, &sample::holding(50).verdict);
    let text = text::soak(&soak.summary);
    check(&text);
    assert!(text.starts_with(
        "2,000 runs: 25 violated, 0 undecided, 4 vacuous, 1,971 holds\n24.301 seeds a second\n"
    ));
    assert_eq!(text.matches("  replay counterclock run ").count(), 10, "{text}");
    assert!(text.ends_with("2 further violations in soak.json\n"), "{text}");
}

#[test]
fn judged_files_have_a_verdict_each() {
    let run = violated();
    let violation = run.verdict.checks[0].explanation.clone().expect("the sample is explained");
    let files = sample::soak::checked(&violation);
    let text = text::checks(&files);
    check(&text);
    let verdicts: Vec<_> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(
        verdicts,
        [
            "holds     histories/etcd/000.log",
            "violated  histories/etcd/001.log",
            "undecided histories/kv/c10-bad.txt"
        ]
    );
    assert!(
        markdown::checks(&files).contains("| **violated** | histories/etcd/001.log | linearizable | 300 |")
    );
}

#[test]
fn junit_has_a_suite_for_each_scenario_and_a_case_for_each_seed() {
    let mut run = violated();
    let soak = sample::soak::soak(&run.verdict, &sample::holding(50).verdict);
    let xml = junit::soak(&soak);
    assert_eq!((xml.matches("<testsuite ").count(), xml.matches("<testcase ").count()), (4, 2_000));
    assert!(
        xml.contains(r#"<testsuites name="counterclock" tests="2000" failures="25" errors="0" skipped="4">"#)
    );
    assert_eq!(xml.matches("counterclock run dist-counter").count(), 17, "one command in each failure");
    run.verdict.scenario = "<a&\"b>\u{1}".into();
    let xml = junit::run(&run);
    assert!(xml.contains("classname=\"&lt;a&amp;&quot;b&gt;\u{fffd}\""), "{xml}");
}

#[test]
fn markdown_shows_a_table_and_a_command() {
    let run = violated();
    let text = markdown::run(&run);
    assert!(text.starts_with("## capacity: 2 of 7 promises broken\n"), "{text}");
    assert!(text.contains("```sh\ncounterclock run capacity --seed 42 --variant naive\n```"), "{text}");
    assert!(text.contains("| **violated** | admission | one reservation above the limit of 20 |"), "{text}");
    let soak = sample::soak::soak(&run.verdict, &sample::holding(50).verdict);
    assert!(markdown::soak(&soak).contains("| dist-counter | 17 | 0 | 1 | 482 |"));
}
