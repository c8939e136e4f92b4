//! What comes out of each named clock profile, in figures, against what its source saw.

use counterclock_sim::chance::Seed;
use counterclock_sim::clock::NodeClock;
use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::discipline::ClockStatus;
use counterclock_sim::fault::Family;
use counterclock_sim::time::{Span, TrueTime};

/// Every name of a profile.
pub(crate) fn names() -> Vec<&'static str> {
    vec![
        "perfect",
        "ptp",
        "cloud-ntp",
        "lan-chrony",
        "internet-ntp",
        "truetime",
        "free-run",
        "ntp-step",
        "leap-smear",
        "vm-pause",
        "db-limit",
        "hostile",
    ]
}

/// The profile that a file means by this name.
pub(crate) fn named(name: &str) -> ClockProfile {
    serde_json::from_str(&format!("{name:?}")).unwrap()
}

/// How far a clock is off, and how far it says it may be, four times between two polls. Unit: ns.
#[derive(Default)]
struct Seen {
    errors: Vec<u64>,
    bounds: Vec<u64>,
}

impl Seen {
    /// The value below which so many percent of `values` lie; the largest for 100.
    fn percentile(values: &[u64], percent: usize) -> u64 {
        let mut values = values.to_vec();
        values.sort_unstable();
        values[(values.len() - 1) * percent / 100]
    }

    fn error(&self, percent: usize) -> u64 {
        Self::percentile(&self.errors, percent)
    }

    fn bound(&self, percent: usize) -> u64 {
        Self::percentile(&self.bounds, percent)
    }

    fn bound_mean(&self) -> u64 {
        self.bounds.iter().sum::<u64>() / self.bounds.len() as u64
    }
}

/// Twenty clocks of that profile over so many polls; `change` may do something to each after its first ten.
#[track_caller]
fn check(name: &str, polls: u64, change: impl Fn(&mut NodeClock, TrueTime)) -> Seen {
    let profile = named(name);
    let mut seen = Seen::default();
    for seed in Seed::range(0..20) {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(profile.clone(), &mut chance);
        let mut now = TrueTime::ZERO;
        for poll in 0..polls {
            if poll == 10 {
                change(&mut clock, now);
            }
            for _ in 0..4 {
                seen.errors.push(clock.error_ns(now).unsigned_abs());
                seen.bounds.push(clock.bound(now).as_ns());
                now += Span::from_ns(profile.wander_every.as_ns() / 4);
            }
            clock.wander(&mut chance, now);
        }
    }
    for (error, bound) in seen.errors.iter().zip(&seen.bounds) {
        assert!(error <= bound, "{name}: {error} ns, claims {bound} ns");
    }
    seen
}

#[test]
fn ptp_is_seen_within_5_us_and_claims_some_40_us() {
    let seen = check("ptp", 20_000, |_, _| {});
    assert!(seen.error(100) <= 5_000, "{} ns", seen.error(100));
    assert!(seen.error(50) >= 200, "{} ns", seen.error(50));
    assert!(
        seen.bound(0) >= 40_000 && seen.bound(100) <= 50_000,
        "{} to {} ns",
        seen.bound(0),
        seen.bound(100)
    );
}

#[test]
fn ptp_corrects_a_frequency_of_up_to_6_6_ppm() {
    let mut worst_ppb = 0;
    for seed in Seed::range(0..200) {
        let clock = NodeClock::new(named("ptp"), &mut seed.stream("clock", 0));
        assert_eq!(clock.learned_ppb(), -clock.drift_ppb());
        worst_ppb = worst_ppb.max(clock.learned_ppb().abs());
    }
    assert!((6_000..=6_600).contains(&worst_ppb), "{worst_ppb} ppb");
}

#[test]
fn cloud_ntp_is_seen_within_98_us_and_claims_half_a_ms_to_2_ms() {
    let seen = check("cloud-ntp", 10_000, |_, _| {});
    assert!((60_000..=98_000).contains(&seen.error(100)), "{} ns", seen.error(100));
    assert!(
        seen.bound(0) >= 500_000 && seen.bound(100) <= 2_000_000,
        "{} to {}",
        seen.bound(0),
        seen.bound(100)
    );
}

#[test]
fn lan_chrony_is_off_by_tens_of_us() {
    let seen = check("lan-chrony", 10_000, |_, _| {});
    assert!((5_000..=20_000).contains(&seen.error(50)), "{} ns", seen.error(50));
    assert!((20_000..=100_000).contains(&seen.error(100)), "{} ns", seen.error(100));
}

#[test]
fn internet_ntp_is_off_by_a_few_ms_and_by_10_to_50_ms_at_worst() {
    let seen = check("internet-ntp", 10_000, |_, _| {});
    assert!((2_000_000..=9_000_000).contains(&seen.error(50)), "{} ns", seen.error(50));
    assert!((10_000_000..=50_000_000).contains(&seen.error(100)), "{} ns", seen.error(100));
}

#[test]
fn truetimes_uncertainty_is_a_sawtooth_from_1_to_7_ms_with_a_mean_of_4_ms() {
    let clock = NodeClock::new(named("truetime"), &mut Seed(1).stream("clock", 0));
    assert_eq!(clock.profile().wander_every, Span::from_seconds(30));
    let mut chance = Seed(1).stream("clock", 0);
    let mut clock = NodeClock::new(named("truetime"), &mut chance);
    let mut sum_ns = 0;
    for second in 0..3_000 {
        let now = TrueTime::ZERO + Span::from_seconds(second);
        if second % 30 == 0 {
            let before_ns = clock.bound(now).as_ns();
            assert_eq!(
                before_ns,
                if second == 0 { 1_000_000 } else { 7_000_000 },
                "before the poll at {second} s"
            );
            clock.wander(&mut chance, now);
        }
        let bound_ns = clock.bound(now).as_ns();
        assert_eq!(bound_ns, 1_000_000 + second % 30 * 200_000, "at {second} s");
        let half_later = clock.bound(now + Span::from_ms(500)).as_ns();
        sum_ns += half_later;
    }
    assert_eq!(sum_ns / 3_000, 4_000_000);
    let seen = check("truetime", 5_000, |_, _| {});
    assert!(seen.error(100) <= 1_000_000, "{} ns", seen.error(100));
    assert!((3_000_000..=4_500_000).contains(&seen.bound_mean()));
}

/// The frequency errors of 20,000 free oscillators after so many hours, smallest first. Unit: ppb.
fn free_rates(hours: u64) -> Vec<u64> {
    let rate = |seed: Seed| {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(named("free-run"), &mut chance);
        clock.wander(&mut chance, TrueTime::ZERO + Span::from_seconds(hours * 3_600));
        clock.drift_ppb().unsigned_abs()
    };
    let mut rates: Vec<u64> = Seed::range(0..20_000).map(rate).collect();
    rates.sort_unstable();
    rates
}

#[test]
fn the_median_of_20_000_free_oscillators_is_78_ppm_and_some_are_beyond_500_ppm() {
    let rates = free_rates(24);
    let median_ppb = rates[rates.len() / 2];
    assert!((76_000..=80_000).contains(&median_ppb), "{median_ppb} ppb");
    let beyond = rates.iter().filter(|rate| **rate > 500_000).count();
    assert!((300..=500).contains(&beyond), "{beyond} of 20000");
}

#[test]
fn a_free_oscillator_warms_up_by_11_ppm_and_swings_by_5_ppm_a_day() {
    for seed in Seed::range(0..50) {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(ClockProfile { wander_ppb: 0, ..named("free-run") }, &mut chance);
        let cold_ppb = clock.drift_ppb();
        let mut rates = Vec::new();
        for minute in 1..=2 * 24 * 60 {
            clock.wander(&mut chance, TrueTime::ZERO + Span::from_seconds(60 * minute));
            rates.push(clock.drift_ppb());
        }
        let is_cut_off = rates.iter().chain([&cold_ppb]).any(|rate| rate.abs() == 1_000_000);
        let second_day = &rates[24 * 60..];
        let (low, high) = (second_day.iter().min().unwrap(), second_day.iter().max().unwrap());
        assert!(is_cut_off || (9_980..=10_000).contains(&(high - low)), "seed {seed}: {low} to {high} ppb");
        // A day later the wave is where it was, and the warm-up is gone.
        let warmed_ppb = cold_ppb - rates[24 * 60 - 1];
        assert!(is_cut_off || (10_995..=11_000).contains(&warmed_ppb), "seed {seed}: {warmed_ppb} ppb");
    }
}

#[test]
fn a_free_oscillator_is_steered_by_nobody_and_its_error_grows() {
    let mut grown = 0;
    for seed in Seed::range(0..100) {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(named("free-run"), &mut chance);
        let first_ns = clock.error_ns(TrueTime::ZERO);
        let mut now = TrueTime::ZERO;
        for _ in 0..24 * 60 {
            now += Span::from_seconds(60);
            clock.wander(&mut chance, now);
        }
        assert_eq!(clock.status(), ClockStatus::FreeRunning);
        grown += u64::from((clock.error_ns(now) - first_ns).abs() > 1_000_000_000);
    }
    assert!(grown > 90, "{grown} of 100 are off by more than a second after a day");
}

/// The errors of a clock that was stepped by `by_ms` after ten polls, at each of the polls from then on. Unit: ms.
fn after_step(by_ms: i64, polls: u64) -> Vec<i64> {
    let profile = named("ntp-step");
    let mut chance = Seed(5).stream("clock", 0);
    let mut clock = NodeClock::new(profile.clone(), &mut chance);
    let mut now = TrueTime::ZERO;
    let mut errors = Vec::new();
    for poll in 0..polls + 10 {
        now += profile.wander_every;
        if poll == 10 {
            clock.step(by_ms * 1_000_000, now);
        }
        if poll >= 10 {
            errors.push(clock.error_ns(now) / 1_000_000);
        }
        clock.wander(&mut chance, now);
    }
    errors
}

#[test]
fn ntp_steps_an_offset_beyond_128_ms_after_900_s_and_not_before() {
    let errors = after_step(400, 20);
    let steps: Vec<usize> =
        (1..errors.len()).filter(|&at| (errors[at] - errors[at - 1]).abs() > 100).collect();
    // 15 polls of 64 s are the first that make up 900 s; the step shows at the next.
    assert_eq!(steps, [16], "{errors:?}");
    assert!(errors[..16].iter().all(|error| (380..420).contains(error)), "{errors:?}");
    assert!(errors[16..].iter().all(|error| error.abs() < 10), "{errors:?}");
}

#[test]
fn ntp_slews_an_offset_of_100_ms_at_half_a_ms_a_second() {
    let errors = after_step(100, 20);
    for (before, after) in errors.iter().zip(&errors[1..]).take(2) {
        assert!(
            (28..=36).contains(&(before - after)),
            "{errors:?}: 64 s are 32 ms, and a little that it learns"
        );
    }
    assert!(errors[12..].iter().all(|error| error.abs() < 20), "{errors:?}");
}

#[test]
fn ntp_step_is_off_by_some_ms_when_nothing_happens() {
    let seen = check("ntp-step", 5_000, |_, _| {});
    assert!(seen.error(100) <= 20_000_000, "{} ns", seen.error(100));
}

/// Thirty clocks of that profile at one instant: how far they are off, and what they claim. Unit: ns.
fn leap_clocks(at: Span) -> Vec<(i64, u64)> {
    let now = TrueTime::ZERO + at;
    let look = |seed: Seed| {
        let profile = named("leap-smear");
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(profile.clone(), &mut chance);
        let mut polled = TrueTime::ZERO + profile.wander_every;
        while polled <= now {
            clock.wander(&mut chance, polled);
            polled += profile.wander_every;
        }
        (clock.error_ns(now), clock.bound(now).as_ns())
    };
    Seed::range(0..30).map(look).collect()
}

fn leap_errors(at: Span) -> Vec<i64> {
    leap_clocks(at).into_iter().map(|(error_ns, _)| error_ns).collect()
}

#[test]
fn smeared_and_unsmeared_hosts_differ_by_up_to_half_a_second_and_agree_a_day_later() {
    let noon = Span::from_seconds(43_200);
    let spread = |at: Span| {
        let errors = leap_errors(at);
        errors.iter().max().unwrap() - errors.iter().min().unwrap()
    };
    let is_about = |found_ns: i64, want_ms: i64| (found_ns - want_ms * 1_000_000).abs() < 200_000;
    let hours = [(0, 0), (6, 250), (18, 250), (24, 0), (30, 0)];
    for (hour, want_ms) in hours {
        let found_ns = spread(Span::from_seconds(hour * 3_600));
        assert!(is_about(found_ns, want_ms), "{found_ns} ns in hour {hour}");
    }
    let before_ns = spread(Span::from_ns(noon.as_ns() - 1));
    let after_ns = spread(noon);
    assert!(is_about(before_ns, 500) && is_about(after_ns, 500), "{before_ns} and {after_ns} ns");
    let stepped = leap_errors(noon).iter().filter(|error| **error < -400_000_000).count();
    assert!((8..=22).contains(&stepped), "{stepped} of 30 step the leap second");
}

#[test]
fn no_bound_says_that_a_host_steps_a_leap_second() {
    let clocks = leap_clocks(Span::from_seconds(43_200));
    let uncovered = clocks.iter().filter(|(error_ns, bound_ns)| error_ns.unsigned_abs() > *bound_ns).count();
    assert!((8..=22).contains(&uncovered), "{uncovered} of 30");
}

#[test]
fn a_database_node_is_told_to_exit_before_its_clock_is_off_by_the_limit() {
    for seed in Seed::range(0..200) {
        let mut chance = seed.stream("clock", 0);
        let mut clock = NodeClock::new(named("db-limit"), &mut chance);
        let mut now = TrueTime::ZERO;
        while !clock.is_beyond_limit(now) {
            now += Span::from_seconds(1);
            if now.as_ns().is_multiple_of(clock.profile().wander_every.as_ns()) {
                clock.wander(&mut chance, now);
            }
        }
        // From 250 ms at 500 us/s to 80 % of 500 ms.
        assert_eq!(now, TrueTime::ZERO + Span::from_seconds(300), "seed {seed}");
        assert_eq!(clock.bound(now), Span::from_ms(400));
        assert!(clock.error_ns(now).abs() <= 400_000_000, "seed {seed}");
    }
}

#[test]
fn any_two_database_nodes_begin_within_500_ms_of_one_another() {
    let offset =
        |seed: Seed| NodeClock::new(named("db-limit"), &mut seed.stream("clock", 0)).error_ns(TrueTime::ZERO);
    let offsets: Vec<i64> = Seed::range(0..1_000).map(offset).collect();
    let spread_ns = offsets.iter().max().unwrap() - offsets.iter().min().unwrap();
    assert!((450_000_000..=500_000_000).contains(&spread_ns), "{spread_ns} ns");
}

#[test]
fn a_clock_without_a_limit_is_never_beyond_it() {
    let clock = NodeClock::new(named("free-run"), &mut Seed(1).stream("clock", 0));
    assert!(!clock.is_beyond_limit(TrueTime::ZERO + Span::from_seconds(86_400 * 365)));
}

#[test]
fn the_page_on_clocks_names_every_profile_and_every_fault_of_clocks() {
    let page = include_str!("../../../docs/clocks.md");
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name));
    let (faults, others): (Vec<&str>, Vec<&str>) = rows.partition(|row| row.starts_with("clock-"));
    let profiles: Vec<&str> = others.into_iter().filter(|row| names().contains(row)).collect();
    assert_eq!(profiles, names());
    let refusal = serde_json::from_str::<ClockProfile>(r#""sundial""#).unwrap_err().to_string();
    assert_eq!(
        refusal.matches('`').count(),
        2 * (names().len() + 1),
        "{refusal}: and no other profile exists"
    );
    let families = serde_json::from_str::<Family>(r#""clock-""#).unwrap_err().to_string();
    let known = families.split('`').filter(|name| name.starts_with("clock-") && name.len() > 6);
    assert_eq!(faults, known.collect::<Vec<_>>());
}
