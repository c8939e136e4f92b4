//! What faults are aimed at, against what the run shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::chance::Seed;
use sim::fault::{FaultPlan, PlannedFault};
use sim::time::{Span, TrueTime};

use super::*;
use crate::plan::{Build, Plan};
use crate::system::observed;

/// The plans of a few seeds with that nemesis alone.
fn planned(nemesis: &str) -> Vec<(Plan, Vec<PlannedFault>)> {
    let scenario = crate::scenario::load("capacity", &[format!("faults=[{nemesis}]")]).unwrap();
    let scenario = Arc::new(scenario);
    let plans = Seed::range(0..10).map(|seed| Plan::new(Arc::clone(&scenario), seed, Build::default()));
    plans.map(|plan| (plan.clone(), plan.faults.faults)).collect()
}

#[test]
fn the_owner_of_the_hot_key_is_who_answers_for_the_slot_most_often_asked_for() {
    let (plan, faults) =
        planned(r#"{ kind = "slow", on = ["service"], whom = "hot-key-owner", every-ms = 2_000 }"#).remove(0);
    let plan = Plan { faults: FaultPlan::default(), ..plan };
    let mut counts = BTreeMap::new();
    let (mut asked, mut servers) = (BTreeMap::new(), BTreeMap::new());
    for seen in observed::<CapacityService>(&plan) {
        match operation(&seen.observation) {
            Some(Operation::Invoked { request, call, .. }) => {
                if let Some(slot) = call.slot() {
                    asked.insert(*request, slot);
                    *counts.entry(slot).or_insert(0) += 1;
                }
            }
            Some(Operation::Returned { request, answer: Some((server, _)), .. }) => {
                if let Some(slot) = asked.get(request) {
                    servers.insert(*slot, *server);
                }
            }
            Some(Operation::Returned { answer: None, .. }) | None => {}
        }
    }
    let most = counts.values().max().unwrap();
    let (hot, _) = counts.iter().find(|(_, count)| *count == most).unwrap();
    assert!(!faults.is_empty());
    assert!(faults.iter().all(|planned| planned.fault.node() == Some(servers[hot])), "{hot:?}");
}

#[test]
fn faults_around_switches_stand_near_the_start_of_each_version() {
    let nemesis = r#"{ kind = "slow", on = ["service"], around-switches-ms = 300 }"#;
    for (plan, faults) in planned(nemesis) {
        let requests = plan.work.requests().into_iter();
        let mut starts: Vec<TrueTime> = requests
            .map(|request| serde_json::from_value::<Planned<CapacityService>>(request).unwrap())
            .filter_map(|(at, _, request)| match request {
                Request::Publish { slack, .. } => Some(at + Span::from_ms(5_000) + slack),
                Request::Operation(_) => None,
            })
            .collect();
        starts.retain(|start| *start + Span::from_ms(300) < TrueTime::ZERO + Span::from_seconds(60));
        assert_eq!(faults.len(), starts.len());
        for (planned, start) in faults.iter().zip(&starts) {
            assert!(planned.at.as_ns().abs_diff(start.as_ns()) <= 300_000_000, "{planned:?}");
        }
    }
}

/// Whether a plan of `capacity` with that shape may ask for `units` from `zone`.
fn may_ask(settings: &[&str], units: [u32; 3], zone: u8) -> bool {
    use model::counter::kinds::Units;
    use model::ids::{OrderId, SlotId, ZoneId};

    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    let scenario = crate::scenario::load("capacity", &settings).unwrap();
    let system: &dyn core::any::Any = &*scenario.system;
    let parameters: &Parameters<CapacityService> = system.downcast_ref().unwrap();
    let (slot, order, units, zone) = (SlotId(0), OrderId(1), Units(units), ZoneId(zone));
    let request = Request::Operation(Call::ReserveKinds { slot, order, units, zone });
    accept(parameters, "client", &request).is_ok()
}

#[test]
fn a_plan_may_ask_only_for_kinds_and_from_zones_that_there_are() {
    assert!(!may_ask(&[], [1, 0, 0], 0));
    let kinds = ["shape.kinds=[100, 50]"];
    assert!(may_ask(&kinds, [1, 2, 0], 0));
    assert!(!may_ask(&kinds, [1, 2, 3], 0));
    assert!(!may_ask(&kinds, [1, 2, 0], 1));
    let zones = ["shape.zones=3"];
    assert!(may_ask(&zones, [1, 0, 0], 2));
    assert!(!may_ask(&zones, [1, 0, 0], 3));
    assert!(!may_ask(&zones, [1, 1, 0], 2));
}

#[test]
fn the_room_of_slots_is_asked_of_a_chooser_that_there_is_and_has_begun() {
    assert!(!may_choose("capacity", 0));
    assert!(may_choose("capacity-chooser", 2));
    assert!(!may_choose("capacity-chooser", 3));
    let scenario = Arc::new(crate::scenario::load("capacity-chooser", &[]).unwrap());
    let plan = Plan::new(scenario, Seed(1), Build::default());
    let requests = plan.work.requests().into_iter();
    let requests = requests.map(|one| serde_json::from_value::<Planned<CapacityService>>(one).unwrap());
    let is_choice = |call: &Request| matches!(call, Request::Operation(Call::Choose { .. }));
    let choices: Vec<_> = requests.filter(|(_, _, call)| is_choice(call)).map(|(at, ..)| at).collect();
    assert!(choices.len() > 100 && choices.iter().all(|at| *at >= TrueTime::ZERO + Span::from_ms(8_000)));
}

/// Whether a plan of that scenario may ask where there is room of a kind.
fn may_choose(scenario: &str, kind: u8) -> bool {
    let scenario = crate::scenario::load(scenario, &[]).unwrap();
    let system: &dyn core::any::Any = &*scenario.system;
    let parameters: &Parameters<CapacityService> = system.downcast_ref().unwrap();
    accept(parameters, "client", &Request::Operation(Call::Choose { kind, units: 1 })).is_ok()
}

/// How many events owners were given when they opened slots in a few runs, and how many they would have been given without
/// images.
fn read_at_openings(scenario: &str, snapshot_every: u32) -> (u64, u64) {
    let every = format!("shape.snapshot-every={snapshot_every}");
    let scenario = Arc::new(crate::scenario::load(scenario, &[every]).unwrap());
    let plans = Seed::range(0..5).map(|seed| Plan::new(Arc::clone(&scenario), seed, Build::default()));
    let seen = plans.flat_map(|plan| observed::<CapacityService>(&plan));
    seen.fold((0, 0), |(read, all), seen| match seen.observation {
        Observation::Opened { imaged, replayed, .. } => {
            let replayed = u64::from(replayed);
            (read + replayed, all + replayed + u64::from(imaged.0))
        }
        _ => (read, all),
    })
}

#[test]
fn with_snapshots_an_owner_reads_a_fraction_of_the_events() {
    for scenario in ["rolling-restart", "capacity-consensus"] {
        let (read, all) = read_at_openings(scenario, 4);
        assert!(read > 0 && read * 2 < all, "{scenario}: {read} of {all}");
    }
}
