//! The capacity service of every choice of parts: each keeps all promises, and each has a weakness of its own that is seen.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use checker::judge::FamilyKind;
use checker::replication::Append;
use model::rules::Variant;
use reports::run_folder::{Outcome, RunVerdict};
use scenarios::plan::{Build, Plan};
use scenarios::runner::Run;
use scenarios::{mutants, runner, scenario};
use sim::fault::{Fault, FaultPlan, PlannedFault};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

const COUNTERS: [&str; 4] =
    ["counter=sharded", "counter=singleton", "counter=compare-and-set", "counter=stream"];
const CONFIGS: [&str; 4] = ["config=pull", "config=cached", "config=push", "config=two-phase"];

/// A run of half a minute, with all of the scenario's faults.
const SHORT: [&str; 4] = ["timing.chaos-s=16", "timing.heal-s=11", "timing.quiet-s=3", "timing.recover-s=9"];

fn plan(parts: &[&str], seed: u64, build: Build) -> Plan {
    let settings: Vec<_> = SHORT.iter().chain(parts).map(|setting| (*setting).to_owned()).collect();
    runner::plan_for(&Arc::new(scenario::load("capacity", &settings).unwrap()), seed, build)
}

fn run(parts: &[&str], seed: u64, build: Build) -> Run {
    runner::run(plan(parts, seed, build), false).unwrap()
}

/// The promises that a run breaks.
fn broken(verdict: &RunVerdict) -> Vec<&str> {
    let violated = verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated);
    violated.map(|check| check.name.as_str()).collect()
}

#[track_caller]
fn holds(parts: &[&str]) {
    for seed in 0..2 {
        let verdict = run(parts, seed, Build::default()).verdict;
        assert_eq!(verdict.verdict, Outcome::Holds, "{parts:?}, seed {seed}: {:?}", broken(&verdict));
    }
}

/// The service with one defect planted, or without any precaution, breaks that promise within a few seeds.
#[track_caller]
fn breaks(parts: &[&str], defect: Option<&str>, check: &str) {
    let variant = if defect.is_some() { Variant::Hardened } else { Variant::Naive };
    let defect = defect.map(|name| mutants::find(name).unwrap());
    let build = Build { variant, defect, ..Build::default() };
    let found = (0..40).find(|seed| broken(&run(parts, *seed, build).verdict).contains(&check));
    assert!(found.is_some(), "{parts:?} with {defect:?} never breaks {check}");
}

#[test]
fn every_choice_of_parts_keeps_every_promise() {
    for config in CONFIGS {
        for counter in COUNTERS {
            holds(&[config, counter]);
        }
    }
    for counter in COUNTERS {
        holds(&["log=consensus", counter]);
    }
    holds(&["log=consensus", "shape.log-nodes=5", "config=push"]);
}

#[test]
fn each_way_of_the_limits_has_a_weakness_of_its_own() {
    breaks(&["config=cached"], Some("cache-renews-lease"), "switch-c");
    breaks(&["config=push"], Some("watch-skips-revision"), "switch-a");
    breaks(&["config=two-phase"], Some("absent-ignored"), "switch-a");
    for config in CONFIGS {
        breaks(&[config], None, "switch-c");
    }
}

#[test]
fn each_way_of_deciding_has_a_weakness_of_its_own() {
    let calm = "faults=[]";
    breaks(
        &["counter=compare-and-set", "workload.spread=hot", calm],
        Some("unconditional-append"),
        "linearizable",
    );
    breaks(&["counter=singleton"], Some("minority-goes-on"), "linearizable");
    breaks(&["counter=compare-and-set"], Some("retry-without-key"), "exactly-once");
    breaks(&["counter=stream"], Some("retry-without-key"), "exactly-once");
    breaks(&["counter=stream"], Some("ground-of-the-reader"), "convergence");
    breaks(&["counter=stream"], Some("ack-before-journal"), "linearizable");
    for counter in COUNTERS {
        breaks(&[counter], None, "linearizable");
    }
}

#[test]
fn a_journal_on_several_nodes_has_weaknesses_of_its_own() {
    breaks(&["log=consensus"], Some("append-before-decision"), "no-loss");
    breaks(&["log=consensus", "counter=compare-and-set"], Some("read-of-a-copy"), "linearizable");
    breaks(&["log=consensus"], None, "linearizable");
}

/// The share of the reservations and releases that were acknowledged, in percent, in a run in which nothing goes wrong but that
/// these nodes are down from its third second until it heals.
fn acknowledged(parts: &[&str], down: &[NodeId]) -> usize {
    let at = TrueTime::ZERO + Span::from_seconds(3);
    let crash = |node: &NodeId| PlannedFault { at, fault: Fault::Crash { node: *node } };
    let plan = Plan {
        faults: FaultPlan { faults: down.iter().map(crash).collect() },
        ..plan(parts, 1, Build::default())
    };
    let run = runner::run(plan, false).unwrap();
    assert_eq!(run.verdict.verdict, Outcome::Holds, "{parts:?}, {down:?}: {:?}", broken(&run.verdict));
    let appends = run.families.iter().find_map(|family| match &family.kind {
        FamilyKind::Log(history) => Some(&history.appends),
        _ => None,
    });
    let is_meanwhile = |append: &&Append| (4_000_000_000..12_000_000_000).contains(&append.invoked_ns);
    let asked: Vec<_> = appends.unwrap().iter().filter(is_meanwhile).collect();
    let done =
        asked.iter().filter(|append| append.acknowledged_ns.is_some_and(|at_ns| at_ns < 16_000_000_000));
    100 * done.count() / asked.len()
}

#[test]
fn a_journal_on_several_nodes_goes_on_while_a_majority_is_up_and_one_node_alone_does_not() {
    // Behind five services and ten clients; the first of the log has the place of the only one.
    let [first, second, third, fourth, fifth] = [1, 18, 19, 20, 21].map(NodeId);
    assert_eq!(acknowledged(&["log=single"], &[first]), 0);
    for node in [first, second, third] {
        assert!(acknowledged(&["log=consensus"], &[node]) > 95, "without {node}");
    }
    assert_eq!(acknowledged(&["log=consensus"], &[first, third]), 0);
    let five = ["log=consensus", "shape.log-nodes=5"];
    assert!(acknowledged(&five, &[first, fifth]) > 95);
    assert_eq!(acknowledged(&five, &[first, fourth, fifth]), 0);
}

#[test]
fn snapshots_of_slots_change_no_promise_on_any_journal() {
    for log in ["log=single", "log=consensus"] {
        holds(&[log, "shape.snapshot-every=1"]);
        holds(&[log, "counter=singleton", "shape.snapshot-every=4"]);
    }
}

/// With a chooser, on top of the parts.
const CHOOSER: [&str; 2] = ["shape.chooser-after-ms=5000", "workload.mix.choose=10"];

#[test]
fn a_chooser_that_is_built_late_keeps_every_promise_on_any_journal() {
    for parts in [["log=single", "counter=sharded"], ["log=consensus", "counter=compare-and-set"]] {
        holds(&[parts, CHOOSER].concat());
    }
    breaks(&CHOOSER, Some("chooser-from-tail"), "no-loss");
    breaks(&[&["log=consensus"], &CHOOSER[..]].concat(), Some("chooser-from-tail"), "no-loss");
}

#[test]
fn a_chooser_is_there_before_somebody_asks_and_while_there_are_faults() {
    let refused = |setting: &str| scenario::load("capacity", &[setting.to_owned()]).unwrap_err().to_string();
    let found = refused(CHOOSER[1]);
    assert!(found.contains("workload.mix.choose") && found.contains("chooser-after-ms"), "{found}");
    let found = refused("shape.chooser-after-ms=90000");
    assert!(found.contains("shape.chooser-after-ms") && found.contains("chaos-s"), "{found}");
    let of_a_stream = ["counter=stream".to_owned(), CHOOSER[0].to_owned()];
    let found = scenario::load("capacity", &of_a_stream).unwrap_err().to_string();
    assert!(found.contains("shape.chooser-after-ms") && found.contains("stream"), "{found}");
}

#[test]
fn programs_that_cannot_read_a_stream_to_its_end_break_no_promise() {
    let scenario = Arc::new(scenario::load("capacity-versions", &["counter=stream".to_owned()]).unwrap());
    for seed in 0..3 {
        let verdict =
            runner::run(runner::plan_for(&scenario, seed, Build::default()), false).unwrap().verdict;
        assert_eq!(verdict.verdict, Outcome::Holds, "seed {seed}: {:?}", broken(&verdict));
    }
}

#[test]
fn a_journal_has_one_node_or_three_or_five() {
    let refused =
        |count| scenario::load("capacity", &[format!("shape.log-nodes={count}")]).unwrap_err().to_string();
    for count in [2, 4, 6] {
        assert!(refused(count).contains("shape.log-nodes"), "{}", refused(count));
    }
}

/// Versions that the store committed in a calm run, with the one that is there from the beginning.
fn publications(parts: &[&str]) -> usize {
    let run = run(&[&["faults=[]"], parts].concat(), 1, Build::default());
    let publications = run.families.iter().find_map(|family| match &family.kind {
        FamilyKind::Switch { history, .. } => Some(history.publications.len()),
        _ => None,
    });
    publications.unwrap()
}

#[test]
fn a_lead_time_that_is_too_short_for_the_way_publishes_nothing() {
    let poll = "shape.poll-ms=2_600";
    assert_eq!(publications(&["config=pull", poll]), 3);
    assert_eq!(publications(&["config=cached", poll]), 1, "node and cache keep an answer for 5.2 s together");
    assert_eq!(publications(&["config=push", poll]), 1, "three missed heartbeats are 7.8 s");
    assert_eq!(publications(&["config=two-phase", poll]), 3);
}

#[test]
fn a_part_that_there_is_not_is_refused_with_those_that_there_are() {
    let refused = |setting: &str| scenario::load("capacity", &[setting.to_owned()]).unwrap_err().to_string();
    let found = refused("log=paper");
    assert!(found.contains("unknown variant `paper`, expected `single`"), "{found}");
    let found = refused("counter=abacus");
    assert!(found.contains("`sharded`, `singleton`, `compare-and-set`, `stream`"), "{found}");
    let found = refused("config=pigeon");
    assert!(found.contains("`pull`, `cached`, `push`, `two-phase`"), "{found}");
    let elsewhere = scenario::load("commit", &["config=push".to_owned()]).unwrap_err().to_string();
    assert!(elsewhere.contains("unknown field `config`"), "{elsewhere}");
}

#[test]
fn the_short_form_of_a_part_is_that_key_of_the_shape() {
    let short = plan(&["config=push"], 1, Build::default()).to_file();
    let long = plan(&["shape.config=push"], 1, Build::default()).to_file();
    assert_eq!(short.scenario, long.scenario);
}

#[test]
fn a_plan_from_before_there_was_a_choice_is_that_of_the_defaults() {
    let plan = plan(&[], 1, Build::default());
    let mut file = plan.to_file();
    let shape = file.scenario["shape"].as_object_mut().unwrap();
    for part in ["config", "counter", "log", "log-nodes", "snapshot-every", "chooser-after-ms"] {
        assert!(shape.remove(part).is_some(), "{part}");
    }
    let again = Plan::from_file(&file).unwrap();
    assert_eq!(again.to_file().scenario, plan.to_file().scenario);
}
