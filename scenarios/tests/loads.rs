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

#[test]
fn a_load_that_no_client_could_keep_open_is_refused() {
    let settings = ["workload.requests-per-s=20_000".to_owned()];
    let error = scenario::load("counter-sharded", &settings).unwrap_err().to_string();
    assert!(error.contains("operations open at once"), "{error}");
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
