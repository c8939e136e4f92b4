//! What clocks show, and what they claim about it.

use counterclock_sim::chance::Seed;
use counterclock_sim::clock::{NodeClock, scheduled_true_time};
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::time::{LocalTime, MonotonicTime, Span, TrueTime};
use proptest::prelude::*;

use crate::probe::{A, B, Script, run_setup, setup};

fn at(ns: u64) -> TrueTime {
    TrueTime::from_ns(ns)
}

/// What a perfect oscillator made to drift shows after `elapsed_ns`, against the exact reading.
#[track_caller]
fn check(drift_ppb: i64, elapsed_ns: u64) {
    let mut clock = NodeClock::new(ClockProfile::perfect(), &mut Seed(1).stream("clock", 0));
    clock.force_drift(drift_ppb, TrueTime::ZERO);
    let exact =
        i128::from(elapsed_ns) + (i128::from(elapsed_ns) * i128::from(drift_ppb)).div_euclid(1_000_000_000);
    assert_eq!(i128::from(clock.peek_wall(at(elapsed_ns)).as_ns()), exact, "{drift_ppb} {elapsed_ns}");
    assert_eq!(i128::from(clock.peek_monotonic(at(elapsed_ns)).as_ns()), exact);
}

#[test]
fn readings_are_exact_and_rounded_towards_minus_infinity() {
    for drift_ppb in [0, 1, -1, 50_000, -50_000, 100_000_000, -100_000_000] {
        for elapsed_ns in [0, 1, 999_999_999, 1_000_000_001, 86_400_000_000_000, 300_000_000_000_000_000] {
            check(drift_ppb, elapsed_ns);
        }
    }
}

proptest! {
    #[test]
    fn a_clock_reaches_its_target_at_the_first_instant_that_shows_it(
        drift_ppb in -100_000_000_i64..=100_000_000,
        started_ns in 0..10_000_000_000_u64,
        target_ns in prop_oneof![0..1_000_000_u64, 0..100_000_000_000_000_000_u64],
    ) {
        let mut clock = NodeClock::new(ClockProfile::perfect(), &mut Seed(1).stream("clock", 0));
        clock.force_drift(drift_ppb, at(started_ns));
        let target = MonotonicTime::from_ns(started_ns + target_ns);
        let reached = clock.reaches(target, at(started_ns));
        prop_assert!(clock.peek_monotonic(reached) >= target);
        if target_ns > 0 {
            let before = at(reached.as_ns() - 1);
            prop_assert!(clock.peek_monotonic(before) < target);
        }
    }
}

#[test]
fn a_lie_does_not_cover_the_error() {
    let mut clock = NodeClock::new(ClockProfile::ptp(), &mut Seed(1).stream("clock", 0));
    clock.step(5_000_000, at(10));
    clock.lie(Some(Span::from_us(1)));
    assert_eq!(clock.bound(at(10)), Span::from_us(1));
    assert!(clock.error_ns(at(10)).unsigned_abs() > clock.bound(at(10)).as_ns());
    clock.lie(None);
    assert!(clock.error_ns(at(10)).unsigned_abs() <= clock.bound(at(10)).as_ns());
}

#[test]
fn a_bound_grows_until_the_clock_is_disciplined() {
    let mut chance = Seed(1).stream("clock", 0);
    let mut clock = NodeClock::new(ClockProfile::ptp(), &mut chance);
    assert_eq!(clock.bound(at(0)), Span::from_ns(40_000));
    assert_eq!(clock.bound(at(10_000_000_000)), Span::from_ns(106_000));
    clock.wander(&mut chance, at(10_000_000_000));
    assert_eq!(clock.bound(at(10_000_000_000)), Span::from_ns(40_000));
}

#[test]
fn a_disciplined_clock_comes_back_under_its_offset_and_a_free_one_does_not() {
    for seed in Seed::range(0..30) {
        for (profile, is_back) in [
            (ClockProfile::ptp(), true),
            (ClockProfile::cloud_ntp(), true),
            (ClockProfile::lan_chrony(), true),
            (ClockProfile::truetime(), true),
            (ClockProfile::internet_ntp(), true),
            (ClockProfile::free_run(), false),
        ] {
            let every = profile.wander_every;
            let offset_ns_max = profile.offset_ns_max;
            let mut chance = seed.stream("clock", 0);
            let mut clock = NodeClock::new(profile, &mut chance);
            clock.step(2_000_000_000, TrueTime::ZERO);
            let mut now = TrueTime::ZERO;
            for _ in 0..10 {
                now += every;
                clock.wander(&mut chance, now);
            }
            let error = clock.error_ns(now).unsigned_abs();
            assert_eq!(error <= offset_ns_max, is_back, "seed {seed}: {error} of {offset_ns_max}");
        }
    }
}

#[test]
fn an_offset_is_slewed_below_128_ms_and_the_clock_never_jumps() {
    let mut chance = Seed(2).stream("clock", 0);
    let profile = ClockProfile { offset_ns_max: 1_000_000, ..ClockProfile::cloud_ntp() };
    let mut clock = NodeClock::new(profile, &mut chance);
    clock.step(100_000_000, TrueTime::ZERO);
    let mut now = TrueTime::ZERO;
    let mut before = clock.peek_wall(now);
    for second in 1..=400 {
        now += Span::from_seconds(1);
        if second % 16 == 0 {
            clock.wander(&mut chance, now);
        }
        let shown = clock.peek_wall(now);
        let moved_ns = shown.minus(before) - 1_000_000_000;
        assert!(moved_ns.abs() <= 550_000, "{moved_ns} ns in a second");
        before = shown;
    }
    assert!(clock.error_ns(now).abs() < 2_000_000, "{} ns", clock.error_ns(now));
}

#[test]
fn a_drift_that_is_forced_stays_until_it_is_released() {
    let mut chance = Seed(2).stream("clock", 0);
    let mut clock = NodeClock::new(ClockProfile::free_run(), &mut chance);
    clock.force_drift(50_000_000, TrueTime::ZERO);
    for second in 1..20 {
        clock.wander(&mut chance, TrueTime::ZERO + Span::from_seconds(second));
        assert_eq!(clock.drift_ppb(), 50_000_000);
    }
    clock.release_drift(TrueTime::ZERO + Span::from_seconds(20));
    assert!(clock.drift_ppb().abs() <= 1_000_000);
}

#[test]
fn a_schedule_means_the_true_instant_of_the_same_number() {
    assert_eq!(scheduled_true_time(LocalTime::from_ns(7)), at(7));
    assert_eq!(scheduled_true_time(LocalTime::from_ns(-7)), TrueTime::ZERO);
}

#[test]
fn clocks_are_sampled_as_asked_and_at_each_step() {
    let faults = vec![(25, Fault::ClockStep { node: B, by_ns: 7 })];
    let mut setup = setup(&Script { faults, requests: vec![] });
    setup.options.clock_sample_every = Some(Span::from_ms(10));
    let world = run_setup(setup, 35);
    let samples = world.clock_samples().iter().filter(|sample| sample.node == B);
    let samples: Vec<(u64, i64, u64)> = samples
        .map(|sample| (sample.at.as_ns() / 1_000_000, sample.error_ns, sample.bound.as_ns()))
        .collect();
    assert_eq!(samples, [(0, 0, 0), (10, 0, 0), (20, 0, 0), (25, 7, 2_000), (30, 7, 2_000)]);
    assert_eq!(world.clock_samples().len(), 15, "every clock each time");
}

#[test]
fn clocks_wander_and_are_steered_in_a_world_by_themselves() {
    let mut setup = setup(&Script::default());
    for node in &mut setup.nodes {
        node.clock = ClockProfile::cloud_ntp();
    }
    let mut world = World::new(setup).unwrap();
    let drifts = |world: &World<_>| [A, B, NodeId(2)].map(|node| world.clock(node).drift_ppb());
    let before = drifts(&world);
    for minute in 1..=10 {
        world.run_until(TrueTime::ZERO + Span::from_seconds(60 * minute));
        for node in [A, B] {
            let error_ns = world.clock(node).error_ns(world.now());
            assert!(error_ns.abs() <= 98_000, "{error_ns} ns after {minute} minutes");
        }
    }
    let after = drifts(&world);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{before:?} {after:?}");
    assert_ne!(after[0], after[1], "each oscillator goes its own way");
}
