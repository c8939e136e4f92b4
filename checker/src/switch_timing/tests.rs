//! Each rule of a switch, kept and broken.

use super::*;
use crate::history::OperationIndex;

/// Version 1 starts at 0 and version 2 at 1000, both committed at 0. One node reads the store all
/// the time. The lead is 500, convergence takes 100.
fn history(tasks: &[Task]) -> SwitchHistory {
    let publication = |version, start_ns| Publication { version, start_ns, committed_ns: 0 };
    SwitchHistory {
        publications: vec![publication(1, 0), publication(2, 1000)],
        tasks: tasks.to_vec(),
        adoptions: Vec::new(),
        store_reads: (0..30).map(|tick| StoreRead { node: 0, at_ns: tick * 100 }).collect(),
        healed_ns: None,
        ended_ns: 3000,
    }
}

/// A task of node 0 under one version, with a perfect clock.
fn task(at_ns: u64, version: u64) -> Task {
    straddling(at_ns, version, version)
}

fn straddling(at_ns: u64, oldest: u64, newest: u64) -> Task {
    let local_ns = i64::try_from(at_ns).unwrap();
    let used = Use::Version { oldest, newest };
    Task { node: 0, at_ns, local_ns, earliest_ns: local_ns, latest_ns: local_ns, used, batch: None }
}

/// A task whose clock is off by so much.
fn off_by(error_ns: i64, task: Task) -> Task {
    Task { local_ns: task.local_ns + error_ns, ..task }
}

fn of_node(node: u32, task: Task) -> Task {
    Task { node, ..task }
}

fn in_batch(entry: u32, began_ns: u64, task: Task) -> Task {
    Task { batch: Some(BatchEntry { batch: 1, entry, began_ns }), ..task }
}

const STRICT: Promise = Promise { kind: PromiseKind::Strict, lead_ns: 500, converge_within_ns: 100 };
const WITHIN_50: Promise =
    Promise { kind: PromiseKind::Epsilon { epsilon_ns: 50 }, lead_ns: 500, converge_within_ns: 100 };

/// The names of the rules that are broken; none may be undecided.
#[track_caller]
fn check(history: &SwitchHistory, promise: &Promise, broken: &[&str]) -> SwitchReport {
    let judgement = switch_timing(history, promise);
    for (name, verdict) in &judgement.rules {
        let rule = name.strip_prefix("switch-").unwrap();
        assert_eq!(verdict.is_violated(), broken.contains(&rule), "{name}: {verdict}");
        assert_eq!(verdict.holds(), !broken.contains(&rule), "{name}: {verdict}");
    }
    judgement.report
}

#[test]
fn each_version_runs_from_its_start_on() {
    check(&history(&[task(0, 1), task(999, 1), task(1000, 2)]), &STRICT, &[]);
}

#[test]
fn a_task_is_neither_early_nor_late() {
    check(&history(&[task(999, 2)]), &STRICT, &["a"]);
    let report = check(&history(&[task(1000, 1), task(1001, 1)]), &STRICT, &["a"]);
    assert_eq!(report.wrong_count, 2);
}

#[test]
fn a_straddling_task_obeys_the_right_version_among_others() {
    check(&history(&[straddling(990, 1, 2), straddling(1010, 1, 2)]), &STRICT, &[]);
    let mut three = history(&[straddling(1500, 2, 3), straddling(2100, 1, 2)]);
    three.publications.push(Publication { version: 3, start_ns: 2000, committed_ns: 0 });
    check(&three, &STRICT, &["a"]);
}

#[test]
fn within_epsilon_of_the_start_either_version_is_right() {
    check(&history(&[task(951, 2)]), &WITHIN_50, &[]);
    check(&history(&[task(1049, 1)]), &WITHIN_50, &[]);
    check(&history(&[task(949, 2)]), &WITHIN_50, &["a"]);
    check(&history(&[task(1050, 1)]), &WITHIN_50, &["a"]);
}

#[test]
fn a_clock_off_by_more_than_epsilon_breaks_the_assumption_not_the_rule() {
    let report = check(&history(&[off_by(-100, task(1099, 1))]), &WITHIN_50, &[]);
    assert_eq!((report.excursions_count, report.wrong_count), (1, 0));
    assert_eq!(report.clock_error_ns_max, 100);
    check(&history(&[off_by(-50, task(1099, 1))]), &WITHIN_50, &["a"]);
}

#[test]
fn a_version_committed_late_is_in_force_from_its_commit() {
    let mut late = history(&[task(1100, 1), task(1200, 2)]);
    late.publications[1].committed_ns = 1150;
    check(&late, &STRICT, &[]);
}

#[test]
fn a_node_does_not_go_back_but_another_may_be_behind() {
    check(&history(&[task(1000, 2), task(1010, 1)]), &STRICT, &["a", "b"]);
    check(&history(&[straddling(1000, 1, 2), task(999, 1)]), &STRICT, &[]);
    let mut two = history(&[task(1000, 2), of_node(1, task(990, 1))]);
    two.store_reads.push(StoreRead { node: 1, at_ns: 900 });
    check(&two, &STRICT, &[]);
    let Verdict::Violated(violation) =
        &switch_timing(&history(&[task(1010, 1), task(1000, 2)]), &STRICT).rules[1].1
    else {
        panic!("a step back passed")
    };
    assert_eq!(violation.operations, [OperationIndex(1), OperationIndex(0)]);
}

#[test]
fn a_task_needs_a_read_of_the_store_less_than_the_lead_ago() {
    let mut seldom = history(&[task(899, 1)]);
    seldom.store_reads = vec![StoreRead { node: 0, at_ns: 400 }, StoreRead { node: 1, at_ns: 800 }];
    check(&seldom, &STRICT, &[]);
    seldom.tasks = vec![task(900, 1)];
    check(&seldom, &STRICT, &["c"]);
    seldom.store_reads = vec![StoreRead { node: 0, at_ns: 901 }];
    check(&seldom, &STRICT, &["c"]);
}

#[test]
fn nothing_runs_before_the_first_start_or_uncommitted() {
    let mut later = history(&[task(60, 1)]);
    later.publications[0].start_ns = 100;
    check(&later, &STRICT, &["a", "d"]);
    check(&later, &WITHIN_50, &[]);
    let mut uncommitted = history(&[task(1000, 2)]);
    uncommitted.publications[1].committed_ns = 1001;
    check(&uncommitted, &STRICT, &["a", "d"]);
    check(&history(&[task(1000, 7)]), &STRICT, &["a", "d"]);
}

#[test]
fn a_refusal_breaks_nothing_and_is_counted() {
    let mut refused = task(2500, 1);
    refused.used = Use::Refused;
    let report = check(&history(&[refused, task(1000, 2)]), &STRICT, &[]);
    assert_eq!((report.refused_count, report.tasks_count), (1, 1));
}

#[test]
fn after_healing_every_node_works_on_the_newest_version() {
    let mut healed = history(&[task(2050, 2)]);
    healed.healed_ns = Some(2000);
    check(&healed, &STRICT, &[]);
    healed.store_reads.push(StoreRead { node: 1, at_ns: 2000 });
    check(&healed, &STRICT, &["e"]);
    healed.tasks.push(of_node(1, task(2050, 2)));
    check(&healed, &STRICT, &[]);
    healed.tasks.push(of_node(1, Task { used: Use::Refused, ..task(2300, 2) }));
    check(&healed, &STRICT, &[]);
    healed.store_reads.push(StoreRead { node: 1, at_ns: 2300 });
    healed.tasks.push(of_node(1, task(2310, 1)));
    check(&healed, &STRICT, &["a", "b", "e"]);
}

#[test]
fn a_run_that_ends_before_the_bound_leaves_convergence_undecided() {
    let mut short = history(&[task(2950, 2)]);
    short.healed_ns = Some(2950);
    let rules = switch_timing(&short, &STRICT).rules;
    assert!(matches!(rules[4].1, Verdict::Undecided(_)), "{}", rules[4].1);
}

#[test]
fn each_entry_of_a_batch_is_judged_by_its_own_instant() {
    let first = in_batch(0, 990, task(990, 1));
    check(&history(&[first, in_batch(1, 990, task(1010, 2))]), &STRICT, &[]);
    check(&history(&[first, in_batch(1, 990, task(1010, 1))]), &STRICT, &["a", "f"]);
    check(&history(&[in_batch(0, 1010, task(1010, 1)), in_batch(1, 1010, task(1020, 1))]), &STRICT, &["a"]);
}

#[test]
fn the_report_shows_switches_skew_and_the_mixed_window() {
    let mut switched = history(&[task(1000, 2), of_node(1, task(1030, 1)), task(1100, 2)]);
    let adoption = |node, at_ns, local_ns| Adoption { node, version: 2, at_ns, local_ns };
    switched.adoptions = vec![adoption(1, 1060, 1010), adoption(0, 1000, 1001), adoption(0, 2000, 2000)];
    let report = switch_timing(&switched, &STRICT).report;
    let of_node_1 = NodeSwitch { version: 2, node: 1, at_ns: 1060, local_ns: 1010, after_start_ns: 60 };
    assert_eq!(report.switches[1], of_node_1);
    assert_eq!(report.switches.len(), 2);
    let window = report.windows[1];
    assert_eq!((window.first_new_ns, window.last_old_ns), (Some(1000), Some(1030)));
    assert_eq!((window.mixed_ns, window.skew_ns), (30, 60));
    assert_eq!(report.windows[0].mixed_ns, 0);
}
