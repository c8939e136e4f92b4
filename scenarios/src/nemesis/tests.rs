//! Plans that never contradict themselves, faults aimed at what matters, and old seeds that draw what they drew.

use std::sync::Arc;

use sim::clock_profile::ClockProfile;

use super::*;
use crate::grammar::Whom;
use crate::grammar::validity::Ground;
use crate::plan::{Build, Plan};
use crate::runner;

/// The name of every kind, as scenario files have it.
const KINDS: [NemesisKind; 39] = [
    NemesisKind::Crash,
    NemesisKind::PowerLoss,
    NemesisKind::Stop,
    NemesisKind::RollingRestart,
    NemesisKind::Pause,
    NemesisKind::PauseMidway,
    NemesisKind::Slow,
    NemesisKind::Isolate,
    NemesisKind::Split,
    NemesisKind::SplitPeers,
    NemesisKind::Noise,
    NemesisKind::ClockStep,
    NemesisKind::ClockDrift,
    NemesisKind::ClockLie,
    NemesisKind::DiskStall,
    NemesisKind::DiskError,
    NemesisKind::DiskLie,
    NemesisKind::Burst,
    NemesisKind::Corruption,
    NemesisKind::Reordering,
    NemesisKind::SlowLink,
    NemesisKind::Throttle,
    NemesisKind::Reset,
    NemesisKind::RestartAs,
    NemesisKind::TornWrite,
    NemesisKind::DiskSlow,
    NemesisKind::DiskFull,
    NemesisKind::BitRot,
    NemesisKind::ClockFreeze,
    NemesisKind::ClockStrobe,
    NemesisKind::ClockSyncLoss,
    NemesisKind::OneWay,
    NemesisKind::Partial,
    NemesisKind::Bridge,
    NemesisKind::Ring,
    NemesisKind::Flapping,
    NemesisKind::CrashDuringRecovery,
    NemesisKind::ZoneFailure,
    NemesisKind::MachineFreeze,
];

/// A scenario of the catalog with these faults instead of its own.
fn scenario(name: &str, faults: &str) -> Arc<Scenario> {
    Arc::new(crate::scenario::load(name, &[format!("faults={faults}")]).unwrap())
}

fn plan_of(scenario: &Arc<Scenario>, seed: Seed) -> Plan {
    let plan = Plan::new(Arc::clone(scenario), seed, Build::default());
    let node_count = plan.work.faces().len();
    assert_eq!(plan.faults.validate(node_count), Ok(()), "seed {seed}");
    plan
}

/// How many faults of that family the plans of a few seeds contain, with clocks of that profile.
#[track_caller]
fn check(clock: ClockProfile, family: Family) -> usize {
    let mut scenario = crate::scenario::load("clock-steps", &[]).unwrap();
    scenario.clock = clock;
    let scenario = Arc::new(scenario);
    let plans = Seed::range(0..20).map(|seed| plan_of(&scenario, seed).faults.faults);
    plans.flatten().filter(|planned| planned.fault.family() == family).count()
}

#[test]
fn the_faults_of_a_clock_profile_stand_in_the_plan() {
    for (clock, family) in [
        (ClockProfile::hostile(), Family::ClockStrobe),
        (ClockProfile::vm_pause(), Family::ClockFreeze),
        (ClockProfile::vm_pause(), Family::Pause),
    ] {
        let planned = check(clock, family);
        assert!(planned > check(ClockProfile::cloud_ntp(), family) + 50, "{family}: {planned}");
    }
}

/// A nemesis of that kind, with figures drawn from all that a file may say.
fn drawn(kind: NemesisKind, chance: &mut Stream) -> Nemesis {
    let roles = [Role::Service, Role::Log, Role::Store, Role::Publisher, Role::Client];
    let mut whom = [Whom::Random, Whom::Minority, Whom::HotKeyOwner, Whom::ClockLeader];
    chance.shuffle(&mut whom);
    let bounds = kind.amount().map_or(Range { min: 0, max: 1 }, |amount| amount.bounds);
    // A partition that flaps every other millisecond would be more than a plan may have.
    let amount_min = if kind == NemesisKind::Flapping { 200 } else { bounds.min };
    let mut amounts = [(); 2].map(|()| chance.between(amount_min.into(), bounds.max.min(50_000).into()));
    amounts.sort_unstable();
    let amount = Range { min: amounts[0] as u32, max: amounts[1] as u32 };
    let on = roles[..1 + chance.below(5) as usize].to_vec();
    let is_regular = chance.below(3) > 0;
    let every_ms = is_regular.then(|| serde_json::from_value((300 + chance.below(4_000)).into()).unwrap());
    Nemesis {
        kind,
        on,
        whom: if kind.is_about_all() { Whom::Random } else { whom[0] },
        every_ms,
        around_switches_ms: (!is_regular)
            .then(|| serde_json::from_value(chance.below(3_000).into()).unwrap()),
        from_ms: (chance.below(2) == 0).then(|| serde_json::from_value(chance.below(10_000).into()).unwrap()),
        until_ms: (chance.below(2) == 0)
            .then(|| serde_json::from_value((15_000 + chance.below(50_000)).into()).unwrap()),
        length_ms: Range { min: chance.below(100) as u32, max: 100 + chance.below(9_000) as u32 },
        amount: Some(amount),
        chance: sim::chance::Ratio::new(1 + chance.below(9) as u32, 10),
    }
}

/// Every kind at once, in worlds of all sizes, on both substrates.
#[test]
fn any_mixture_of_all_kinds_makes_a_sound_plan_and_the_same_one_twice() {
    let mut families = std::collections::BTreeSet::new();
    for seed in Seed::range(0..60) {
        let mut chance = seed.stream("test", 0);
        let shape = [format!("shape.services={}", 3 + chance.below(7)), "timing.chaos-s=20".to_owned()];
        let mut scenario = crate::scenario::load("capacity", &shape).unwrap();
        if chance.below(2) == 0 {
            scenario.clock = ClockProfile::vm_pause();
        }
        scenario.faults = KINDS.iter().map(|kind| drawn(*kind, &mut chance)).collect();
        let whole = scenario.clone();
        scenario.faults.retain(|nemesis| nemesis.validate(&Ground::from(&whole)).is_ok());
        let scenario = Arc::new(scenario);
        let plan = plan_of(&scenario, seed);
        assert!(!plan.faults.faults.is_empty(), "seed {seed}");
        assert_eq!(plan.faults, plan_of(&scenario, seed).faults, "seed {seed}");
        families.extend(plan.faults.faults.iter().map(|planned| planned.fault.family()));
        let elsewhere = Build { substrate: Substrate::Turmoil, ..Build::default() };
        let elsewhere = Plan::new(Arc::clone(&scenario), seed, elsewhere);
        assert!(Substrate::Turmoil.accept(&elsewhere.faults).is_ok(), "seed {seed}");
    }
    let every = KINDS.iter().flat_map(|kind| kind.families()).copied().chain([Family::Restart]);
    assert_eq!(families, every.collect::<std::collections::BTreeSet<_>>(), "every family is drawn");
}

#[test]
fn what_a_substrate_lacks_is_named_once_and_in_order() {
    let faults = r#"[{ kind = "throttle", on = ["log"], every-ms = 1 }, { kind = "crash", on = ["log"], every-ms = 1 },
        { kind = "burst", on = ["log"], every-ms = 1 }, { kind = "burst", on = ["store"], every-ms = 1 }]"#;
    let scenario = scenario("capacity", faults);
    assert_eq!(left_out(&scenario, Substrate::Turmoil), [Family::Burst, Family::Throttle]);
    assert_eq!(left_out(&scenario, Substrate::Kernel), []);
}

/// The faults that the only nemesis of a scenario plans over a few seeds.
fn planned(faults: &str) -> Vec<(Plan, Vec<PlannedFault>)> {
    let scenario = scenario("capacity", &format!("[{faults}]"));
    let plans = Seed::range(0..10).map(|seed| plan_of(&scenario, seed));
    plans.map(|plan| (plan.clone(), plan.faults.faults)).collect()
}

#[test]
fn a_minority_is_fewer_than_half_of_the_nodes_and_not_always_the_same() {
    let mut groups = std::collections::BTreeMap::new();
    for (plan, faults) in
        planned(r#"{ kind = "slow", on = ["service"], whom = "minority", every-ms = 2_000 }"#)
    {
        for planned in faults {
            let node = planned.fault.node().unwrap();
            assert_eq!(plan.work.faces()[node.index()].role, Role::Service);
            groups.entry((plan.seed, planned.at)).or_insert_with(Vec::new).push(node);
        }
    }
    let mut sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    sizes.sort_unstable();
    sizes.dedup();
    assert_eq!(sizes, [1, 2], "of five");
    let distinct: std::collections::BTreeSet<_> = groups.values().collect();
    assert!(distinct.len() > 10, "{}", distinct.len());
}

#[test]
fn the_clock_leader_is_who_is_furthest_ahead_in_a_run_without_faults() {
    let (plan, faults) =
        planned(r#"{ kind = "slow", on = ["service"], whom = "clock-leader", every-ms = 500 }"#).remove(0);
    let mut scenario = Scenario::clone(&plan.scenario);
    scenario.timing.sample_ms = serde_json::from_value(10.into()).unwrap();
    let faces = plan.work.faces();
    let services = (0..).zip(&faces).filter(|(_, face)| face.role == Role::Service).map(|(id, _)| NodeId(id));
    let plan = Plan { faults: FaultPlan::default(), scenario: Arc::new(scenario), ..plan };
    let samples = runner::simulate(&plan, false).unwrap().evidence.clock_samples;
    let mut leaders = std::collections::BTreeSet::new();
    for planned in faults {
        let error_at = |node: NodeId| {
            let mut before = samples.iter().filter(|sample| sample.node == node && sample.at <= planned.at);
            before.next_back().unwrap().error_ns
        };
        let leader = planned.fault.node().unwrap();
        leaders.insert(leader);
        let furthest = services.clone().map(error_at).max().unwrap();
        // Clocks part by up to 550 ppm of the 10 ms between two samples.
        assert!(error_at(leader) + 6_000 >= furthest, "{planned:?}");
    }
    assert!(leaders.len() > 1, "the lead changes: {leaders:?}");
}

#[test]
fn nothing_begins_outside_its_window() {
    let nemesis = r#"{ kind = "slow", on = ["service"], every-ms = 100, from-ms = 5_000, until-ms = 6_000 }"#;
    for (_, faults) in planned(nemesis) {
        assert!(faults.len() > 5);
        let window = TrueTime::ZERO + Span::from_seconds(5)..TrueTime::ZERO + Span::from_seconds(6);
        assert!(faults.iter().all(|planned| window.contains(&planned.at)));
    }
}

/// The digest was taken before there were other kinds and keys.
#[test]
fn the_kinds_of_version_0_1_draw_what_they_drew() {
    let nemesis = |(index, kind): (usize, &NemesisKind)| {
        let kind = serde_json::to_string(kind).unwrap();
        let every_ms = 3_000 + 500 * index;
        format!(
            r#"{{ kind = {kind}, on = ["service", "log", "store"], every-ms = {every_ms}, length-ms = [100, 3_000],
               amount = [0, 900] }}"#
        )
    };
    let nemeses: Vec<String> = KINDS[..17].iter().enumerate().map(nemesis).collect();
    let scenario = scenario("capacity", &format!("[{}]", nemeses.join(", ")));
    let mut digest = sim::digest::Digest::default();
    for seed in Seed::range(1..7) {
        digest.str(&serde_json::to_string(&plan_of(&scenario, seed).faults).unwrap());
    }
    assert_eq!(digest.finish().to_string(), "5f7fb007ca4be8111278290839cb9938");
}
