//! What clocks keep to over long runs and under any faults: they run forwards, timers are exact, honest bounds cover.

use counterclock_sim::chance::{Ratio, Seed, Stream};
use counterclock_sim::clock::{NodeClock, Source};
use counterclock_sim::clock_profile::{BoundKind, ClockProfile, Leap};
use counterclock_sim::discipline::Poll;
use counterclock_sim::fault::Thaw;
use counterclock_sim::time::{LocalTime, MonotonicTime, Span, TrueTime};
use proptest::prelude::*;

use crate::clock_profiles::{named, names};

/// What can happen to a clock.
#[derive(Clone, Copy, Debug)]
enum Change {
    Wander,
    Step(i64),
    ForceDrift(i64),
    ReleaseDrift,
    Freeze,
    Thaw(Thaw),
    Strobe(i64, u64),
    EndStrobe,
    Source(Source),
}

impl Change {
    fn apply(self, clock: &mut NodeClock, chance: &mut Stream, now: TrueTime) {
        match self {
            Self::Wander => _ = clock.wander(chance, now),
            Self::Step(by_ns) => clock.step(by_ns, now),
            Self::ForceDrift(drift_ppb) => clock.force_drift(drift_ppb, now),
            Self::ReleaseDrift => clock.release_drift(now),
            Self::Freeze => clock.freeze(now),
            Self::Thaw(thaw) => clock.thaw(thaw, now),
            Self::Strobe(by_ns, period_ns) => clock.strobe(by_ns, Span::from_ns(period_ns), now),
            Self::EndStrobe => clock.end_strobe(),
            Self::Source(source) => clock.set_source(source),
        }
    }

    /// Whether the wall clock may jump by it, and by how much at least if it does.
    fn jump_ns_min(self) -> Option<i64> {
        match self {
            Self::Step(_) | Self::Thaw(Thaw::Jumps) | Self::Strobe(..) | Self::EndStrobe => Some(0),
            // The daemon steps what it measures beyond 128 ms.
            Self::Wander => Some(128_000_000),
            Self::ForceDrift(_)
            | Self::ReleaseDrift
            | Self::Freeze
            | Self::Thaw(Thaw::Behind)
            | Self::Source(_) => None,
        }
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    let second = 1_000_000_000_i64;
    prop_oneof![
        4 => Just(Change::Wander),
        1 => (-second..=second).prop_map(Change::Step),
        1 => (-100_000_000_i64..=100_000_000).prop_map(Change::ForceDrift),
        1 => Just(Change::ReleaseDrift),
        1 => Just(Change::Freeze),
        1 => prop_oneof![Just(Thaw::Behind), Just(Thaw::Jumps)].prop_map(Change::Thaw),
        1 => (-second..=second, 1..2_000_000_000_u64).prop_map(|(by, period)| Change::Strobe(by, period)),
        1 => Just(Change::EndStrobe),
        1 => prop_oneof![Just(Source::Heard), Just(Source::Lost)].prop_map(Change::Source),
    ]
}

fn any_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(names())
}

/// Changes, each with how long it is to the next. Unit: ns.
fn any_life() -> impl Strategy<Value = Vec<(Change, u64)>> {
    let wait = prop_oneof![0..1_000_u64, 0..100_000_000_000_u64, 0..1_000_000_000_000_000_u64];
    prop::collection::vec((any_change(), wait), 0..40)
}

/// Lives a clock's life: `look` sees it before and after each change, and before the next.
fn live(
    name: &str,
    seed: u64,
    life: &[(Change, u64)],
    mut look: impl FnMut(&NodeClock, &NodeClock, Change, (TrueTime, TrueTime)),
) {
    let mut chance = Seed(seed).stream("clock", 0);
    let mut clock = NodeClock::new(named(name), &mut chance);
    let mut now = TrueTime::ZERO;
    for &(change, wait_ns) in life {
        let before = clock.clone();
        change.apply(&mut clock, &mut chance, now);
        let next = now + Span::from_ns(wait_ns);
        look(&before, &clock, change, (now, next));
        now = next;
    }
}

/// Instants from one to another, both included.
fn between((from, to): (TrueTime, TrueTime)) -> impl Iterator<Item = TrueTime> {
    let length_ns = to.since(from).as_ns();
    (0..=8).map(move |part| from + Span::from_ns(length_ns / 8 * part)).chain([to])
}

fn truth(now: TrueTime) -> LocalTime {
    LocalTime::ZERO + now.since(TrueTime::ZERO)
}

proptest! {
    #[test]
    fn an_honest_bound_covers_the_error_whatever_happens(
        name in any_name(), seed in 0..1_000_u64, life in any_life(),
    ) {
        prop_assume!(named(name).bound == BoundKind::Covering);
        live(name, seed, &life, |_, clock, change, window| {
            for now in between(window) {
                let interval = clock.interval(now);
                assert!(
                    interval.earliest <= truth(now) && truth(now) <= interval.latest,
                    "{name} after {change:?} at {now:?}: {clock:?}"
                );
            }
        });
    }

    #[test]
    fn a_wall_clock_runs_backwards_only_by_a_step_and_a_monotonic_one_never(
        name in any_name(), seed in 0..1_000_u64, life in any_life(),
    ) {
        let mut is_strobed = false;
        live(name, seed, &life, |before, after, change, window| {
            let (now, _) = window;
            assert_eq!(before.peek_monotonic(now), after.peek_monotonic(now), "{change:?}");
            let jumped_ns = after.peek_wall(now).minus(before.peek_wall(now)).abs();
            match change.jump_ns_min() {
                None if named(name).leap.is_none() => assert_eq!(jumped_ns, 0, "{change:?}"),
                None => {}
                Some(jump_ns_min) => assert!(jumped_ns == 0 || jumped_ns >= jump_ns_min, "{change:?}: {jumped_ns}"),
            }
            is_strobed = matches!(change, Change::Strobe(..)) || is_strobed && !matches!(change, Change::EndStrobe);
            let instants: Vec<TrueTime> = between(window).collect();
            assert!(instants.iter().map(|&now| after.peek_monotonic(now)).is_sorted());
            if !is_strobed && named(name).leap.is_none() {
                assert!(instants.iter().map(|&now| after.peek_wall(now)).is_sorted(), "{after:?}");
            }
        });
    }

    #[test]
    fn a_clock_that_jumps_on_thawing_shows_what_it_would_have_shown(
        name in any_name(), seed in 0..1_000_u64, frozen_ns in 0..1_000_000_000_000_u64,
    ) {
        let mut chance = Seed(seed).stream("clock", 0);
        let never = NodeClock::new(named(name), &mut chance);
        let mut clock = never.clone();
        let (frozen_at, thawed_at) = (TrueTime::from_ns(500), TrueTime::from_ns(500 + frozen_ns));
        clock.freeze(frozen_at);
        assert_eq!(clock.peek_wall(thawed_at), never.peek_wall(frozen_at), "it stands still");
        clock.thaw(Thaw::Jumps, thawed_at);
        for now in between((thawed_at, thawed_at + Span::from_seconds(1_000))) {
            // Rounded down at both ends of the freeze, a nanosecond each.
            let behind_ns = never.peek_wall(now).minus(clock.peek_wall(now));
            assert!((0..=2).contains(&behind_ns), "{behind_ns} ns");
        }
    }

    #[test]
    fn a_timer_runs_out_at_the_first_instant_that_shows_its_target_whatever_happened_before(
        name in any_name(), seed in 0..1_000_u64, life in any_life(), ahead_ns in 1..1_000_000_000_000_u64,
    ) {
        live(name, seed, &life, |_, clock, _, (now, _)| {
            let target = MonotonicTime::from_ns(clock.peek_monotonic(now).as_ns() + ahead_ns);
            let reached = clock.reaches(target, now);
            assert!(clock.peek_monotonic(reached) >= target, "{clock:?}");
            assert!(clock.peek_monotonic(TrueTime::from_ns(reached.as_ns() - 1)) < target, "{clock:?}");
        });
    }
}

/// A profile whose bound is only what its daemon can know, hearing one time only.
fn estimated(name: &str) -> ClockProfile {
    let mut profile = named(name);
    profile.bound = BoundKind::Estimated;
    profile.leap = profile.leap.map(|leap| Leap { smeared: Ratio::ALWAYS, ..leap });
    profile
}

/// Lets a clock run for some polls, every second stretch of 20 of them without a source if `source` says so.
#[track_caller]
fn check_known(name: &str, source: Source, polls: u64) {
    let profile = estimated(name);
    let every = if profile.wander_every > Span::ZERO { profile.wander_every } else { Span::from_seconds(60) };
    for seed in Seed::range(0..10) {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(profile.clone(), &mut chance);
        let mut now = TrueTime::ZERO;
        for poll in 0..polls {
            if poll % 20 == 0 && source == Source::Lost {
                clock.set_source(if poll % 40 == 20 { Source::Lost } else { Source::Heard });
            }
            for instant in between((now, now + every)) {
                let (error_ns, bound) = (clock.error_ns(instant).unsigned_abs(), clock.bound(instant));
                assert!(
                    error_ns <= bound.as_ns(),
                    "{name}, seed {seed}, poll {poll}: {error_ns} ns, claims {bound}"
                );
            }
            now += every;
            let want = if !profile.is_disciplined {
                Poll::Skipped
            } else if source == Source::Lost && poll % 40 >= 20 {
                Poll::Missed
            } else {
                Poll::Answered
            };
            assert_eq!(clock.wander(&mut chance, now), want);
        }
    }
}

#[test]
fn what_a_daemon_can_know_covers_the_error_of_every_profile_as_long_as_nobody_else_touches_the_clock() {
    for name in names() {
        check_known(name, Source::Heard, 3_000);
    }
}

#[test]
fn what_a_daemon_can_know_covers_the_error_while_its_source_is_lost_too() {
    for name in names() {
        check_known(name, Source::Lost, 3_000);
    }
}

#[test]
fn readings_of_ten_years_are_exact() {
    let decade = TrueTime::from_ns(counterclock_sim::limits::RUN_NS_MAX);
    for name in names() {
        let mut clock = NodeClock::new(named(name), &mut Seed(1).stream("clock", 0));
        for drift_ppb in [-100_000_000, 100_000_000] {
            clock.force_drift(drift_ppb, TrueTime::ZERO);
            let exact_ns = i128::from(decade.as_ns())
                + (i128::from(decade.as_ns()) * i128::from(drift_ppb)).div_euclid(1_000_000_000);
            assert_eq!(i128::from(clock.peek_monotonic(decade).as_ns()), exact_ns, "{name}");
            assert_eq!(clock.reaches(clock.peek_monotonic(decade), TrueTime::ZERO), decade, "{name}");
            assert!(clock.bound(decade).as_ns() > 0 || named(name).bound == BoundKind::Estimated, "{name}");
        }
    }
}
