//! Loads: what the service goals promise without faults, and where the gossip of views falls apart.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use checker::drawing::Drawable;
use checker::judge::{FamilyKind, OperationsVisitor};
use checker::keyed::KeyedHistory;
use reports::run_folder::Outcome;
use scenarios::plan::Build;
use scenarios::runner::Run;
use scenarios::{runner, scenario};

fn run(name: &str, settings: &[&str]) -> Run {
    let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
    let scenario = Arc::new(scenario::load(name, &settings).unwrap());
    runner::run(runner::plan_for(&scenario, 1, Build::default()), false).unwrap()
}

/// The promises that a calm run with these settings breaks.
fn broken(name: &str, settings: &[&str]) -> Vec<String> {
    let run = run(name, &[&["faults=[]"], settings].concat());
    let violated = run.verdict.checks.into_iter().filter(|check| check.verdict == Outcome::Violated);
    violated.map(|check| check.name).collect()
}

/// How long operations of a family took, in ns, shortest first.
struct Durations;

impl OperationsVisitor for Durations {
    type Output = Vec<u64>;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> Vec<u64> {
        let operations = history.parts().values().flat_map(|part| part.operations());
        let spans = operations.filter_map(|operation| Some(operation.returned_at? - operation.invoked_at));
        let mut durations: Vec<_> = spans.collect();
        durations.sort_unstable();
        durations
    }
}

/// The goal at ten times the load: 1,000 requests a second for two minutes over 500 slots.
#[test]
fn at_ten_times_the_load_99_of_100_operations_take_less_than_100_ms() {
    let whole =
        ["timing.chaos-s=111", "timing.heal-s=9", "shape.clients=50", "workload.requests-per-s=1_000"];
    let run = run("counter-sharded", &[&["faults=[]"], &whole[..]].concat());
    assert_eq!(run.verdict.verdict, Outcome::Holds);
    let slots: &FamilyKind = &run.families[0].kind;
    let durations = slots.visit(Durations).unwrap();
    assert!(durations.len() > 100_000, "{}", durations.len());
    let p99 = durations[durations.len() * 99 / 100];
    assert!(p99 < 100_000_000, "{p99} ns");
}

#[test]
fn one_hot_slot_and_all_at_once_break_nothing() {
    for load in ["workload.spread=hot", "workload.arrival=all-in"] {
        assert_eq!(broken("counter-sharded", &["shape.clients=100", load]), [""; 0], "{load}");
    }
    let both = ["shape.clients=100", "workload.spread=hot", "workload.arrival=all-in"];
    assert_eq!(broken("counter-sharded", &both), [""; 0]);
}

/// Of every system, if its clients are asked that often.
#[test]
fn a_load_that_no_client_could_keep_open_is_refused() {
    for (name, requests_per_s) in [
        ("capacity", 10_000),
        ("counter-sharded", 20_000),
        ("counter-sync", 10_000),
        ("counter-dist", 10_000),
        ("counter-rollup", 10_000),
        ("overview", 10_000),
        ("replication", 10_000),
        ("commit", 10_000),
        ("election", 10_000),
        ("workflow", 10_000),
        ("stream", 10_000),
        ("lww-records", 10_000),
        ("chain", 2_000),
    ] {
        let settings = [format!("workload.requests-per-s={requests_per_s}")];
        let error = scenario::load(name, &settings).unwrap_err().to_string();
        assert!(
            error.contains("`workload.requests-per-s`") && error.contains("operations open at once"),
            "{name}: {error}"
        );
    }
}

#[test]
fn a_load_beyond_all_counting_is_refused() {
    let settings = ["workload.requests-per-s=1_000_000", "timing.chaos-s=86_400", "timing.heal-s=86_400"];
    let settings = settings.map(str::to_owned);
    let error = scenario::load("capacity", &settings).unwrap_err().to_string();
    assert!(error.contains("requests in one run, expected at most 2000000"), "{error}");
}

/// Gossip sends nodes times slots; its messages and the heartbeats share one inbox.
#[test]
fn gossip_falls_apart_where_broadcast_does_not_notice() {
    let gossip = ["shape.feed=gossip", "shape.service-us=200"];
    assert_eq!(broken("overview", &[&gossip[..], &["shape.slots=500"]].concat()), [""; 0]);
    let many = broken("overview", &[&gossip[..], &["shape.slots=5_000"]].concat());
    assert!(many.contains(&"progress".to_owned()), "{many:?}");
    assert_eq!(broken("overview", &["shape.service-us=200", "shape.slots=30_000"]), [""; 0]);
}
