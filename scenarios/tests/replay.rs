//! A run folder run again: the same bytes, or the first event that differs by name.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use model::rules::Variant;
use reports::run_folder::{CHECKPOINTS, RunFolder, TRACE};
use scenarios::folder::folder;
use scenarios::plan::{Build, Plan};
use scenarios::replay::{Departure, replay};
use scenarios::{runner, scenario};
use sim::substrate::Substrate;

/// A run of 7 s.
const SHORT: [&str; 4] = ["timing.chaos-s=3", "timing.heal-s=2", "timing.quiet-s=2", "timing.recover-s=1"];

fn plan() -> Plan {
    let scenario = scenario::load("capacity", &SHORT.map(str::to_owned)).unwrap();
    runner::plan_for(&Arc::new(scenario), 5, Build::default())
}

fn recorded(keeps_trace: bool) -> RunFolder {
    folder(&runner::run(plan(), keeps_trace).unwrap())
}

/// In what a run with a request that comes a little later is not the recorded one; when it came first.
fn check(recorded: &RunFolder) -> (Departure, u64) {
    let mut file = plan().to_file();
    let place = file.requests.len() / 2;
    let at_ns = |place: usize| file.requests[place][0].as_u64().unwrap();
    let (at_ns, next_at_ns) = (at_ns(place), at_ns(place + 1));
    file.requests[place][0] = (at_ns + 1).min(next_at_ns).into();
    let plan = Plan::from_file(&file).unwrap();
    (replay(recorded, &plan).unwrap().expect("another request is another run"), at_ns)
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    for keeps_trace in [false, true] {
        assert_eq!(replay(&recorded(keeps_trace), &plan()).unwrap(), None);
    }
}

#[test]
fn with_a_trace_the_first_event_that_differs_is_named() {
    let (departure, at_ns) = check(&recorded(true));
    let Departure::Other { lines: Some(lines), .. } = &departure else { panic!("{departure}") };
    assert_eq!(lines.file, TRACE);
    let line = format!("{{\"at_ns\":{at_ns},");
    assert!(lines.recorded.as_ref().unwrap().starts_with(&line), "{departure}");
    assert!(departure.to_string().contains("is the first that differs"), "{departure}");
}

#[test]
fn without_a_trace_the_events_among_which_it_is_are_named() {
    let recorded = recorded(false);
    let (departure, at_ns) = check(&recorded);
    let Departure::Other { window: Some(window), .. } = &departure else { panic!("{departure}") };
    let trace = runner::simulate(&plan(), true).unwrap().evidence.trace;
    let place = trace.iter().position(|event| event.at_ns == at_ns).unwrap() as u64;
    assert!(window.events.contains(&place), "{place}: {departure}");
    assert!(window.first.is_some(), "{departure}");
}

#[test]
fn a_digest_that_was_changed_by_hand_is_told_beside_that_of_now() {
    let mut recorded = recorded(false);
    let digest = core::mem::replace(&mut recorded.verdict.digest, "0".repeat(32));
    let departure = replay(&recorded, &plan()).unwrap().expect("the digests differ").to_string();
    assert!(departure.contains(&digest) && departure.contains(&recorded.verdict.digest), "{departure}");
}

#[test]
fn checkpoints_that_are_not_those_of_the_run_are_told() {
    let mut recorded = recorded(false);
    let other =
        runner::simulate(&Plan { seed: sim::chance::Seed(6), ..plan() }, false).unwrap().evidence.checkpoints;
    recorded.checkpoints = Some(other);
    let departure = replay(&recorded, &plan()).unwrap().expect("they are those of another run");
    let Departure::Other { lines: Some(lines), window: Some(_), .. } = &departure else {
        panic!("{departure}")
    };
    assert_eq!(lines.file, CHECKPOINTS);
}

/// The plan of a run of any scenario, as short as the scenario allows.
fn short(name: &str, build: Build) -> Plan {
    let longer = [SHORT[0], "timing.heal-s=10", SHORT[2], SHORT[3]];
    let timings = [&SHORT[..], &longer[..], &[]].map(|timing| timing.iter().map(|one| (*one).to_owned()));
    let scenario =
        timings.into_iter().find_map(|timing| scenario::load(name, &timing.collect::<Vec<_>>()).ok());
    runner::plan_for(&Arc::new(scenario.unwrap()), 5, build)
}

/// A run folder that was written down and read again gives the same bytes.
#[track_caller]
fn check_replay(name: &str, build: Build, keeps_trace: bool) {
    let recorded = folder(&runner::run(short(name, build), keeps_trace).unwrap());
    let text = serde_json::to_string(&recorded.plan).unwrap();
    let plan = Plan::from_file(&serde_json::from_str(&text).unwrap());
    let plan = plan.unwrap_or_else(|error| panic!("{name}, {build:?}: {error}"));
    let departure = replay(&recorded, &plan).unwrap();
    assert!(departure.is_none(), "{name}, {build:?}: {}", departure.unwrap());
}

#[test]
fn every_scenario_is_replayed_in_both_variants_with_and_without_a_trace() {
    for (index, name) in scenarios::catalog::names().enumerate() {
        for (place, variant) in [Variant::Hardened, Variant::Naive].into_iter().enumerate() {
            let build = Build { variant, ..Build::default() };
            check_replay(name, build, (index + place) % 2 == 0);
        }
    }
}

#[test]
fn runs_of_every_system_are_replayed_on_every_substrate() {
    let mut systems = BTreeSet::new();
    for name in scenarios::catalog::names() {
        let is_new = systems.insert(scenario::load(name, &[]).unwrap().system.name().to_owned());
        for substrate in Substrate::ALL.into_iter().filter(|substrate| is_new && substrate.is_built()) {
            check_replay(name, Build { substrate, ..Build::default() }, false);
        }
    }
}

#[test]
fn a_request_after_its_end_is_refused_by_place_and_instant() {
    let chain = short("chain", Build::default());
    let whole_ns = chain.scenario.timing.whole().as_ns();
    let workload_ns = chain.scenario.timing.workload().as_ns();
    let requests = chain.to_file().requests;
    let is_audit = |request: &serde_json::Value| request[2] == "audit";
    let place = |wanted: bool| requests.iter().rposition(|request| is_audit(request) == wanted).unwrap();
    for (place, end_ns) in [(place(true), whole_ns), (place(false), workload_ns)] {
        let mut file = chain.to_file();
        file.requests[place][0] = end_ns.into();
        let error = Plan::from_file(&file).err().unwrap().to_string();
        let found = format!("`requests[{place}]` is due at {end_ns} ns, expected before {end_ns} ns");
        assert!(error.contains(&found), "{error}");
    }
}
