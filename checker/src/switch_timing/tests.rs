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
        load: None,
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
    assert_eq!((report.excursions_count, report.wrong_count), (1, 1));
    assert_eq!(report.clock_error_ns_max, 100);
    check(&history(&[off_by(-50, task(1099, 1))]), &WITHIN_50, &["a"]);
}

#[test]
fn an_interval_without_true_time_excuses_from_all_but_going_back_and_running_what_nobody_committed() {
    let lying = |task: Task| Task { earliest_ns: task.local_ns + 1, latest_ns: task.local_ns + 2, ..task };
    let mut history = history(&[in_batch(1, 900, lying(task(1000, 1)))]);
    history.store_reads.clear();
    let report = check(&history, &STRICT, &[]);
    assert_eq!((report.excursions_count, report.wrong_count), (1, 1));
    history.tasks = vec![lying(task(999, 2)), lying(task(1000, 1))];
    check(&history, &STRICT, &["b"]);
    history.publications[0].start_ns = 1000;
    check(&history, &STRICT, &["b"]);
    history.publications[0].committed_ns = 1001;
    check(&history, &STRICT, &["b", "d"]);
    history.publications.clear();
    check(&history, &STRICT, &["b", "d"]);
}

#[test]
fn the_ends_of_an_honest_interval_belong_to_it() {
    let late = task(1000, 1);
    check(&history(&[Task { earliest_ns: 990, ..late }]), &STRICT, &["a"]);
    check(&history(&[Task { latest_ns: 1010, ..late }]), &STRICT, &["a"]);
    check(&history(&[Task { latest_ns: 999, earliest_ns: 990, ..late }]), &STRICT, &[]);
}

#[test]
fn without_publications_every_task_is_unconfigured() {
    let mut empty = history(&[]);
    empty.publications.clear();
    check(&empty, &STRICT, &[]);
    empty.tasks.push(task(10, 1));
    check(&empty, &STRICT, &["a", "d"]);
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
    check(&uncommitted, &STRICT, &["d"]);
    check(&history(&[task(1000, 7)]), &STRICT, &["a", "d"]);
}

#[test]
fn a_refusal_breaks_nothing_and_is_counted() {
    let mut refused = task(2500, 1);
    refused.used = Use::Refused;
    let report = check(&history(&[refused, task(1000, 2)]), &STRICT, &[]);
    assert_eq!((report.refused_count, report.tasks_count), (1, 1));
}

/// Healed at 2000, so that nodes must have converged at 2100.
fn healed(tasks: &[Task]) -> SwitchHistory {
    let mut healed = history(tasks);
    healed.healed_ns = Some(2000);
    let reads_of_1 = |tick: u64| StoreRead { node: 1, at_ns: tick * 100 };
    healed.store_reads.extend((0..30).map(reads_of_1));
    healed
}

#[test]
fn after_healing_every_node_works_on_the_newest_version() {
    let before = [task(999, 1), of_node(1, task(1500, 2))];
    check(&healed(&[before[0], before[1], task(2101, 2), of_node(1, task(2101, 2))]), &STRICT, &[]);
    check(&healed(&[before[0], before[1], task(2101, 2)]), &STRICT, &["e"]);
    check(&healed(&[before[0], before[1], task(2101, 2), of_node(1, task(2100, 2))]), &STRICT, &["e"]);
    check(&healed(&[task(2101, 1)]), &STRICT, &["a", "e"]);
    check(&healed(&[task(2100, 1)]), &STRICT, &["a"]);
}

#[test]
fn a_node_that_only_refuses_after_healing_has_not_converged() {
    let refused = |task| Task { used: Use::Refused, ..task };
    check(&healed(&[task(2200, 2), of_node(1, refused(task(2300, 2)))]), &STRICT, &["e"]);
    check(&healed(&[refused(task(50, 1)), task(2300, 2)]), &STRICT, &[]);
    let mut unconfigured = healed(&[refused(task(2300, 2))]);
    unconfigured.publications.clear();
    check(&unconfigured, &STRICT, &[]);
}

#[test]
fn a_version_that_starts_during_convergence_need_not_be_used_at_once() {
    let mut healed = healed(&[task(2150, 1)]);
    healed.publications[1].start_ns = 2101;
    check(&healed, &STRICT, &["a"]);
    healed.publications[1].start_ns = 2100;
    check(&healed, &STRICT, &["a", "e"]);
}

#[test]
fn without_tasks_after_the_bound_nothing_shows_a_lack_of_convergence() {
    check(&healed(&[task(2050, 2)]), &STRICT, &[]);
    let mut short = healed(&[task(2050, 2), of_node(1, task(2060, 2))]);
    short.ended_ns = 2090;
    check(&short, &STRICT, &[]);
}

#[test]
fn each_entry_of_a_batch_is_judged_by_its_own_instant() {
    let first = in_batch(0, 990, task(990, 1));
    check(&history(&[first, in_batch(1, 990, task(1010, 2))]), &STRICT, &[]);
    check(&history(&[first, in_batch(1, 990, task(1010, 1))]), &STRICT, &["a", "f"]);
    check(&history(&[in_batch(1, 1000, task(1010, 1))]), &STRICT, &["a"]);
    check(&history(&[in_batch(0, 1010, task(1010, 1)), in_batch(1, 1010, task(1020, 1))]), &STRICT, &["a"]);
}

#[test]
fn the_report_shows_switches_skew_and_the_mixed_window() {
    let mut switched = history(&[task(1000, 2), of_node(1, task(1030, 1)), task(1100, 2)]);
    let adoption = |node, at_ns, local_ns| Adoption { node, version: 2, at_ns, local_ns };
    switched.adoptions = vec![adoption(1, 1060, 1010), adoption(0, 1000, 1001), adoption(0, 2000, 2000)];
    let report = switch_timing(&switched, &STRICT).report;
    let moment = |at_ns, local_ns| Some(Moment { at_ns, local_ns });
    let wanted = [
        NodeSwitch {
            version: 1,
            node: 1,
            adopted: None,
            first_task: moment(1030, 1030),
            after_start_ns: 1030,
        },
        NodeSwitch {
            version: 2,
            node: 0,
            adopted: moment(1000, 1001),
            first_task: moment(1000, 1000),
            after_start_ns: 0,
        },
        NodeSwitch { version: 2, node: 1, adopted: moment(1060, 1010), first_task: None, after_start_ns: 60 },
    ];
    assert_eq!(report.switches, wanted);
    let window = report.windows[1];
    assert_eq!((window.first_new_ns, window.last_old_ns), (Some(1000), Some(1030)));
    assert_eq!((window.mixed_ns, window.skew_ns, window.propagation_ns), (30, 60, Some(1060)));
    assert_eq!(report.windows[0].propagation_ns, None);
    assert_eq!(report.windows[0].mixed_ns, 0);
}

#[test]
fn a_kept_promise_within_epsilon_leaves_no_mixed_window_beyond_twice_epsilon() {
    let instants = || (940..=1060).step_by(5);
    for (new_at, old_at) in instants().flat_map(|new_at| instants().map(move |old_at| (new_at, old_at))) {
        let judgement = switch_timing(&history(&[task(new_at, 2), of_node(1, task(old_at, 1))]), &WITHIN_50);
        let mixed_ns = judgement.report.windows[1].mixed_ns;
        assert!(judgement.rules[0].1.is_violated() || mixed_ns <= 100, "{new_at} {old_at}: {mixed_ns}");
    }
}

#[test]
fn a_violation_names_node_version_instant_start_and_local_reading() {
    let early = of_node(7, off_by(3, Task { latest_ns: 1002, ..task(999, 2) }));
    let Verdict::Violated(violation) = &switch_timing(&history(&[early]), &STRICT).rules[0].1 else {
        panic!("an early task passed")
    };
    let wanted = "node 7 ran task 0 under version 2 at 999 ns (its clock was 3 ns ahead) when version 1 was in \
                  force, from the beginning; version 2 starts at 1 µs";
    assert_eq!(violation.explanation, wanted);
}

/// Tasks, publications and instants on a small grid, each rule read once more from its definition.
mod naive {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn tasks() -> impl Strategy<Value = Vec<Task>> {
        let task = (0u32..2, 0u64..12, -2i64..3, 1u64..4, 0u64..2, any::<bool>(), 0u64..6);
        let task = task.prop_map(|(node, at_ns, error_ns, oldest, more, is_entry, before)| {
            let local_ns = i64::try_from(at_ns).unwrap() + error_ns;
            let used = Use::Version { oldest, newest: oldest + more };
            let began_ns = at_ns.saturating_sub(before);
            let batch = is_entry.then_some(BatchEntry { batch: 1, entry: 1, began_ns });
            Task { node, at_ns, local_ns, earliest_ns: local_ns - 1, latest_ns: local_ns + 1, used, batch }
        });
        proptest::collection::vec(task, 0..6).prop_map(|mut tasks| {
            tasks.sort_by_key(|task| task.at_ns);
            tasks
        })
    }

    fn starts() -> impl Strategy<Value = Vec<i64>> {
        proptest::collection::btree_set(0i64..12, 0..4).prop_map(|starts| starts.into_iter().collect())
    }

    fn is_wrong(task: &Task, starts: &[i64], tolerance: i64) -> bool {
        let Use::Version { oldest, newest } = task.used else { return false };
        let at = i64::try_from(task.at_ns).unwrap();
        let versions = || (1..).zip(starts.iter().copied());
        let may_run = |version| versions().any(|(other, start)| other == version && start <= at + tolerance);
        let is_replaced =
            |version| versions().any(|(other, start): (u64, i64)| other > version && start <= at - tolerance);
        !may_run(oldest) || is_replaced(newest)
    }

    fn goes_back(tasks: &[Task]) -> bool {
        tasks.iter().enumerate().any(|(place, later)| {
            tasks[..place].iter().any(|earlier| match (earlier.used, later.used) {
                (Use::Version { oldest, .. }, Use::Version { newest, .. }) => {
                    earlier.node == later.node && newest < oldest
                }
                (Use::Refused, _) | (_, Use::Refused) => false,
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 2000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn rules_a_b_and_f_agree_with_their_definitions(
            tasks in tasks(),
            starts in starts(),
            epsilon_ns in proptest::option::of(0u64..3),
        ) {
            let published = |(version, &start_ns)| Publication { version, start_ns, committed_ns: 0 };
            let history = SwitchHistory {
                publications: (1..).zip(&starts).map(published).collect(),
                tasks: tasks.clone(),
                ended_ns: 20,
                ..SwitchHistory::default()
            };
            let (kind, tolerance) = match epsilon_ns {
                Some(epsilon_ns) => (PromiseKind::Epsilon { epsilon_ns }, i64::try_from(epsilon_ns).unwrap()),
                None => (PromiseKind::Strict, 0),
            };
            let is_trusted = |task: &&Task| task.clock_error_ns() <= epsilon_ns.unwrap_or(1);
            let wrong: Vec<&Task> =
                tasks.iter().filter(is_trusted).filter(|task| is_wrong(task, &starts, tolerance)).collect();
            let crosses = |task: &&Task| task.batch.is_some_and(|batch| {
                let began_ns = i64::try_from(batch.began_ns).unwrap();
                starts.iter().any(|start| began_ns < *start && *start <= i64::try_from(task.at_ns).unwrap())
            });
            let promise = Promise { kind, lead_ns: 5, converge_within_ns: 5 };
            let rules = switch_timing(&history, &promise).rules;
            prop_assert_eq!(rules[0].1.is_violated(), !wrong.is_empty());
            prop_assert_eq!(rules[1].1.is_violated(), goes_back(&tasks));
            prop_assert_eq!(rules[5].1.is_violated(), wrong.iter().copied().any(|task| crosses(&task)));
        }
    }
}
