//! What the systems of a configuration promise, ask and show.

use std::sync::Arc;

use checker::judge::FamilyKind;
use model::config::message::Used;
use model::rules::Defect;
use sim::fault::FaultPlan;

use super::deliveries::Pull;
use super::*;
use crate::plan::{Build, Plan};
use crate::scenario::load;
use crate::system::observed;

fn plan(scenario: &str, settings: &[String], build: Build) -> Plan {
    let scenario = Arc::new(load(scenario, settings).unwrap());
    Plan { faults: FaultPlan::default(), ..Plan::new(scenario, Seed(1), build) }
}

/// The tasks' versions of a run without any faults.
fn versions_used(scenario: &str, settings: &[String]) -> Vec<u32> {
    let tasks = observed::<Config<Pull>>(&plan(scenario, settings, Build::default()));
    let mut used: Vec<_> = tasks
        .iter()
        .filter_map(|seen| match seen.observation {
            Observation::Task { used: Used::One(version), .. } => Some(version.0),
            _ => None,
        })
        .collect();
    used.dedup();
    used
}

#[test]
fn a_lead_time_that_cannot_do_publishes_nothing_and_where_nothing_is_configured_nothing_runs() {
    assert!(versions_used("config-switch", &[]).contains(&3));
    let too_short = ["shape.delivery-ms=4_000".to_owned()];
    assert_eq!(versions_used("config-switch", &too_short), [0; 0]);
    assert_eq!(versions_used("clock-steps", &too_short), [1]);
}

#[test]
fn only_the_naive_variant_promises_no_more_than_its_clock() {
    let scenario = load("config-switch", &[]).unwrap();
    let kind = |variant, defect| {
        let build = Build { variant, defect, ..Build::default() };
        let run = crate::runner::run(Plan::new(Arc::new(scenario.clone()), Seed(1), build), false).unwrap();
        match &run.families[0].kind {
            FamilyKind::Switch { promise, .. } => promise.kind,
            other => panic!("{other:?}"),
        }
    };
    let epsilon_ns = Span::from_ms(20).as_ns();
    assert_eq!(kind(Variant::Naive, None), PromiseKind::Epsilon { epsilon_ns });
    assert_eq!(kind(Variant::Hardened, None), PromiseKind::Strict);
    assert_eq!(kind(Variant::Hardened, Some(Defect("no-clock-margin"))), PromiseKind::Strict);
}

#[test]
fn a_plan_is_refused_that_asks_a_node_for_what_it_does_not_do_or_for_a_start_beyond_all_bounds() {
    let scenario = load("config-push", &[]).unwrap();
    let plan = Plan::new(Arc::new(scenario), Seed(1), Build::default());
    let payload = Payload { limit: 1, delay: Span::from_ms(1), include_mood: false };
    for (request, node, want) in [
        (Request::Publish { payload, slack: Span::from_seconds(1) }, 1, None),
        (Request::Publish { payload, slack: Span::from_ns(u64::MAX) }, 1, Some("is none")),
        (Request::Publish { payload, slack: Span::ZERO }, 3, Some("asks a worker for a publication")),
        (Request::Batch { tasks: 0 }, 3, None),
        (Request::Batch { tasks: 1 }, 0, Some("asks a store for a batch")),
    ] {
        let planned = serde_json::to_value((TrueTime::ZERO, NodeId(node), request)).unwrap();
        let read = plan.scenario.system.work_from(Variant::Hardened, None, &[planned]);
        let found = read.err().map(|(_, found)| found.to_string());
        assert_eq!(found.is_some(), want.is_some(), "{found:?}");
        assert!(want.is_none_or(|want| found.unwrap().contains(want)));
    }
}
