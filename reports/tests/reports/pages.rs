//! Each page of a sample: whole, light, harmless, and in need of nothing from elsewhere.

use std::fs;
use std::path::Path;

use counterclock_reports::page;
use counterclock_reports::run_folder::{Outcome, RunFolder, SwitchRecord};

use crate::sample;

/// Leaves a page where it can be looked at, and checks what is true of every page.
#[track_caller]
fn check(name: &str, html: &str) {
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.html")), html)
        .expect("the target folder can be written");
    for foreign in ["http:", "https:", "src=", "href=", "@import", "<script", "url(h", "{{", "{%"] {
        assert!(!html.contains(foreign), "{name} has {foreign}");
    }
    assert!(html.len() <= 1_500_000, "{name} has {} bytes", html.len());
    for tag in ["svg", "table", "section", "div", "main", "text", "ul", "p", "h3", "span"] {
        let opened = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{name}: {tag} is not closed");
    }
    let headers = html.matches("<th ").count();
    assert_eq!(headers, html.matches("<th scope=").count(), "{name}: a header cell without a scope");
}

#[test]
fn violated_run_says_first_what_broke_and_how_to_replay_it() {
    let html = page::run(&sample::violated(8_000));
    check("violated", &html);
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    let order = [
        at("2 of 7 promises broken"),
        at("<code>counterclock run capacity --seed 42 --variant naive</code>"),
        at("What was found"),
        at("The first 2,664 operations to return could still be explained"),
        at("What happened"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn holding_run_is_light_with_thousands_of_operations() {
    let html = page::run(&sample::holding(8_000));
    check("holding", &html);
    assert!(html.contains("All 7 promises held"));
}

#[test]
fn small_run_without_faults_clocks_switches_or_operations_has_a_page_too() {
    let mut run = sample::holding(0);
    run.history = sample::operations::text(&[]);
    run.plan.faults.faults.clear();
    (run.clocks, run.switches) = (Vec::new(), Vec::new());
    (run.verdict.checks, run.verdict.ledger) = (Vec::new(), Vec::new());
    let html = page::run(&run);
    check("bare", &html);
    assert!(!html.contains("What happened"));
}

#[test]
fn vacuous_and_undecided_runs_say_so() {
    let mut run = sample::holding(50);
    run.verdict.verdict = Outcome::Vacuous;
    assert!(page::run(&run).contains("Nothing shown: no fault changed anything"));
    run.verdict.verdict = Outcome::Undecided;
    run.verdict.checks[2].verdict = Outcome::Undecided;
    assert!(page::run(&run).contains("Nothing broken, but 1 of 7 promises undecided"));
}

#[test]
fn hostile_names_are_only_text() {
    const HOSTILE: &str = "<script>alert('x')</script>\" onload=\"y\u{0}";
    let mut run: RunFolder = sample::violated(50);
    run.history = sample::operations::text(&[sample::operations::keyed_family(HOSTILE, HOSTILE, 50)]);
    for node in &mut run.plan.nodes {
        (node.name, node.role) = (HOSTILE.into(), HOSTILE.into());
    }
    (run.plan.name, run.verdict.digest) = (HOSTILE.into(), HOSTILE.into());
    run.plan.scenario = serde_json::json!({HOSTILE: HOSTILE});
    for check in &mut run.verdict.checks {
        (check.name, check.detail, check.family) = (HOSTILE.into(), HOSTILE.into(), Some(HOSTILE.into()));
        if let Some(violation) = &mut check.explanation {
            (violation.explanation, violation.key) = (HOSTILE.into(), Some(HOSTILE.into()));
        }
    }
    let html = page::run(&run);
    check("hostile", &html);
    assert!(!html.contains("onload=\""));
}

#[test]
fn soak_counts_what_broke_and_gives_a_command_for_each() {
    let (violated, holding) = (sample::violated(50).verdict, sample::holding(50).verdict);
    let html = page::soak(&sample::soak::soak(&violated, &holding));
    check("soak", &html);
    assert!(html.contains("25 of 2,000 runs broke a promise"), "{}", &html[..12_000]);
    assert!(html.contains("counterclock run dist-counter --seed 28 --variant naive"));
}

#[test]
fn judged_files_show_their_counter_examples() {
    let run = sample::violated(300);
    let violation = run.verdict.checks[0].explanation.clone().unwrap();
    let html = page::checks(&sample::soak::checked(&violation));
    check("checks", &html);
    assert!(html.contains("1 of 3 histories violated") && html.contains("The smallest failing part"));
}

#[test]
fn clocks_alone_have_a_page() {
    let html = page::clocks(&sample::clocks());
    check("clocks", &html);
    assert!(html.contains("1 of 18 clocks left the bound claimed"));
    check("no-clocks", &page::clocks(&[]));
}

#[test]
fn numbers_from_anywhere_do_not_stop_a_page() {
    let mut run = sample::violated(60);
    let at_the_end_of_time = format!("\"at\":{}", u64::MAX);
    run.history = run.history.replacen("\"at\":0", &at_the_end_of_time, 9);
    for (index, sample) in run.clocks.iter_mut().enumerate() {
        sample.at_ns = [u64::MAX, 0, 7][index % 3];
        (sample.error_ns, sample.bound_ns) = ([i64::MIN, i64::MAX][index % 2], u64::MAX);
    }
    for record in &mut run.switches {
        match record {
            SwitchRecord::Version { published_at_ns, start_at_ns, .. } => {
                (*published_at_ns, *start_at_ns) = (u64::MAX, i64::MIN);
            }
            SwitchRecord::Switch { at_ns, local_ns, .. } => (*at_ns, *local_ns) = (u64::MAX, i64::MIN),
        }
    }
    for line in &mut run.verdict.ledger {
        (line.planned, line.fired, line.affected) = (u64::MAX, u64::MAX, u64::MAX);
    }
    for (chaos_ends_ns, ends_ns) in [(0, 0), (u64::MAX, 0), (1, u64::MAX), (u64::MAX, u64::MAX)] {
        (run.plan.chaos_ends_ns, run.plan.ends_ns) = (chaos_ends_ns, ends_ns);
        run.verdict.simulated_ns = ends_ns;
        check("extreme", &page::run(&run));
    }
    check("extreme-clocks", &page::clocks(&run.clocks));
}
