//! Faults of clocks in a world: what nodes read meanwhile and afterwards, and what the ledger says about it.

use counterclock_sim::chance::Seed;
use counterclock_sim::clock_faults;
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::discipline::ClockStatus;
use counterclock_sim::fault::{Family, Fault, FaultPlan, Thaw};
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{A, Act, B, Probe, Script, run_setup, seen, setup};

const LENGTH: Span = Span::from_ms(100);

fn freeze(thaw: Thaw) -> Fault {
    Fault::ClockFreeze { node: A, length: LENGTH, thaw }
}

/// What A's wall clock shows at each of these ms, in ms, under these faults.
#[track_caller]
fn check(faults: &[(u64, Fault)], instants: &[u64], want: &[i64]) {
    let requests = instants.iter().map(|&ms| (ms, A, vec![Act::ReadWall])).collect();
    let world = run_setup(setup(&Script { faults: faults.to_vec(), requests }), 1_000);
    let shown = seen(&world).into_iter().map(|line| {
        let (_, ns) = line.rsplit_once(' ').unwrap();
        ns.parse::<i64>().unwrap() / 1_000_000
    });
    assert_eq!(shown.collect::<Vec<_>>(), want);
}

#[test]
fn a_frozen_wall_clock_stands_still_and_is_behind_afterwards() {
    check(&[(10, freeze(Thaw::Behind))], &[5, 10, 50, 109, 110, 111, 500], &[5, 10, 10, 10, 10, 11, 400]);
}

#[test]
fn a_frozen_wall_clock_that_jumps_shows_afterwards_what_it_would_have_shown() {
    check(&[(10, freeze(Thaw::Jumps))], &[5, 50, 109, 110, 500], &[5, 10, 10, 110, 500]);
    let step = Fault::ClockStep { node: A, by_ns: 7_000_000 };
    check(&[(10, freeze(Thaw::Jumps)), (20, step)], &[15, 50, 500], &[10, 17, 507]);
}

#[test]
fn timers_run_out_while_the_wall_clock_stands_still() {
    let requests = vec![(5, A, vec![Act::Arm(1, 50)]), (60, A, vec![Act::ReadMonotonic])];
    let world = run_setup(setup(&Script { faults: vec![(10, freeze(Thaw::Behind))], requests }), 1_000);
    assert_eq!(seen(&world), ["55 ms n0 timer 1", "60 ms n0 monotonic 60000000"]);
}

#[test]
fn a_strobe_jumps_there_and_back_until_it_ends() {
    let strobe =
        Fault::ClockStrobe { node: A, by_ns: -40_000_000, period: Span::from_ms(30), length: LENGTH };
    check(
        &[(100, strobe)],
        &[99, 100, 129, 130, 159, 160, 190, 199, 200],
        &[99, 60, 89, 130, 159, 120, 190, 199, 200],
    );
}

#[test]
fn ending_all_faults_lets_clocks_go_on() {
    let long = Span::from_seconds(100);
    let faults = vec![
        (10, Fault::ClockFreeze { node: A, length: long, thaw: Thaw::Jumps }),
        (20, Fault::ClockStrobe { node: B, by_ns: 5, period: Span::from_ms(1), length: long }),
        (30, Fault::ClockSyncLoss { node: B, length: long }),
    ];
    let mut world = run_setup(setup(&Script { faults, requests: vec![] }), 50);
    world.end_all_faults();
    world.run_until(TrueTime::ZERO + Span::from_ms(75));
    for node in [A, B] {
        assert_eq!(world.clock(node).error_ns(world.now()), 0);
    }
}

#[test]
fn a_frozen_machine_wakes_with_a_stale_clock_that_jumps() {
    let pause = Fault::Pause { node: A, length: Span::from_ms(60) };
    // Asked while it stands still, it answers when it goes on: its clock is stale until 110 ms.
    check(&[(10, freeze(Thaw::Jumps)), (10, pause)], &[5, 40, 90, 110, 120], &[5, 10, 10, 110, 120]);
}

#[test]
fn a_paused_process_sees_its_wall_clock_jump_on_waking() {
    let pause = Fault::Pause { node: A, length: LENGTH };
    check(&[(10, pause)], &[9, 40, 200], &[9, 110, 200]);
}

/// A world of three nodes with such clocks, each asked for its wall clock every second.
fn steered(profile: &ClockProfile, faults: &[(u64, Fault)], seconds: u64) -> World<Probe> {
    let requests = (0..seconds).map(|second| (second * 1_000 + 1, A, vec![Act::ReadWall])).collect();
    let mut setup = setup(&Script { faults: faults.to_vec(), requests });
    for node in &mut setup.nodes {
        node.clock = profile.clone();
    }
    run_setup(setup, seconds * 1_000)
}

#[test]
fn a_lost_source_makes_a_clock_run_free_and_its_bound_grow_until_it_is_heard_again() {
    let profile = ClockProfile::cloud_ntp();
    let loss = Fault::ClockSyncLoss { node: A, length: Span::from_seconds(900) };
    let at = |seconds| {
        let world = steered(&profile, &[(100_000, loss.clone())], seconds);
        let clock = world.clock(A);
        let others = world.clock(B).status();
        assert_eq!(others, ClockStatus::Synchronised);
        (clock.status(), clock.bound(world.now()).as_ns() / 1_000_000)
    };
    assert_eq!(at(99), (ClockStatus::Synchronised, 0));
    let (status, bound_ms) = at(990);
    assert_eq!(status, ClockStatus::FreeRunning);
    assert!((44..=46).contains(&bound_ms), "{bound_ms} ms: some 890 s at 50 us/s");
    assert_eq!(at(1_020).0, ClockStatus::Synchronised);
    assert!(at(1_020).1 <= 1);
}

#[test]
fn a_lost_source_counts_the_readings_from_the_first_missed_poll_on() {
    let profile = ClockProfile::cloud_ntp();
    let loss = |length| Fault::ClockSyncLoss { node: A, length: Span::from_seconds(length) };
    let affected = |faults: &[(u64, Fault)]| {
        let ledger = steered(&profile, faults, 300).ledger();
        (0..faults.len()).map(|index| ledger.affected(index)).collect::<Vec<_>>()
    };
    let found = affected(&[(100_000, loss(60))]);
    assert!((44..=60).contains(&found[0]), "{found:?}: one reading a second, but not before a poll is due");
    // Both are over when the first has long ended: the source is lost until the second ends.
    let both = affected(&[(100_000, loss(60)), (150_000, loss(60))]);
    assert!(both[0] + both[1] >= 94 && both[1] >= 44, "{both:?}");
    // A loss between two polls changes nothing.
    let mut short = ClockProfile::cloud_ntp();
    short.wander_every = Span::from_seconds(299);
    let ledger =
        steered(&short, &[(100, Fault::ClockSyncLoss { node: A, length: Span::from_ms(1) })], 20).ledger();
    assert_eq!((ledger.is_fired(0), ledger.affected(0)), (true, 0));
}

#[test]
fn a_clock_that_stood_still_is_disrupted_until_it_is_steered() {
    let length = Span::from_seconds(3);
    let freeze = Fault::ClockFreeze { node: A, length, thaw: Thaw::Jumps };
    let status = |seconds| {
        steered(&ClockProfile::cloud_ntp(), &[(100_000, freeze.clone())], seconds).clock(A).status()
    };
    assert_eq!(status(99), ClockStatus::Synchronised);
    assert_eq!(status(102), ClockStatus::Disrupted);
    assert_eq!(status(120), ClockStatus::Synchronised);
}

#[test]
fn a_node_may_ask_whether_its_clock_is_good_enough_to_go_on() {
    let ask = |second: u64| (second * 1_000, A, vec![Act::ReadHealth]);
    let lie = Fault::ClockLie { node: A, bound: Span::from_ms(1), length: Span::from_seconds(20) };
    let requests = vec![ask(1), ask(299), ask(300), ask(310), ask(330)];
    let mut setup = setup(&Script { faults: vec![(305_000, lie)], requests });
    setup.nodes[A.index()].clock = ClockProfile::db_limit();
    let world = run_setup(setup, 400_000);
    let want = [
        "1 s n0 FreeRunning, go on",
        "299 s n0 FreeRunning, go on",
        "300 s n0 FreeRunning, stop",
        "310 s n0 FreeRunning, go on",
        "330 s n0 FreeRunning, stop",
    ];
    assert_eq!(seen(&world), want);
    assert_eq!(world.ledger().affected(0), 1, "asking is a reading of the interval");
}

/// The ledger of an hour of three nodes under the faults that belong to their profile.
#[track_caller]
fn check_generated(profile: &ClockProfile, want: &[Family]) {
    let seconds = 3_600;
    let end = TrueTime::ZERO + Span::from_seconds(seconds);
    let profiles = [profile, profile, profile];
    let requests =
        (0..seconds).map(|second| (second * 1_000 + 1, NodeId((second % 3) as u32), vec![Act::ReadWall]));
    let mut setup = setup(&Script { faults: vec![], requests: requests.collect() });
    setup.plan = FaultPlan { faults: clock_faults::planned(Seed(1), profiles, end) };
    for node in &mut setup.nodes {
        node.clock = profile.clone();
    }
    let mut world = World::new(setup).unwrap();
    let mut now = TrueTime::ZERO;
    while now < end {
        now += Span::from_seconds(1);
        world.run_until(now);
        for node in [A, B] {
            let (error_ns, bound) = (world.clock(node).error_ns(now), world.clock(node).bound(now));
            assert!(error_ns.unsigned_abs() <= bound.as_ns(), "{node}: {error_ns} ns, claims {bound}");
        }
    }
    let lines = world.ledger().lines();
    assert_eq!(lines.iter().map(|line| line.fault).collect::<Vec<_>>(), want);
    for line in lines {
        assert!(line.planned == line.fired && line.affected > 0, "{line:?}");
    }
}

#[test]
fn the_faults_of_hostile_clocks_fire_and_are_read() {
    check_generated(&ClockProfile::hostile(), &[Family::ClockStep, Family::ClockStrobe]);
}

#[test]
fn the_faults_of_paused_virtual_machines_fire_and_are_read() {
    check_generated(&ClockProfile::vm_pause(), &[Family::Pause, Family::ClockFreeze]);
}
