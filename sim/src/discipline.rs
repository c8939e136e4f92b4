//! Who steers a wall clock, and what is known about it: an NTP daemon's polls, its slews and steps, and the error
//! bound that follows from them.
//!
//! ```text
//!   measured (true offset + misreading)
//!      │  beyond 128 ms ── for longer than the step-out time ──► step: the wall clock jumps
//!      │                └─ not yet ────────────────────────────► nothing: it may be a spike
//!      └─ within ──► slew: gone by the next poll, at 500 ppm or less; the frequency is learned
//! ```
//!
//! Thresholds as ntpd's: D. L. Mills et al., RFC 5905 (2010). Simpler: there is one source and no choice among several,
//! the poll interval is fixed, and the loop's gain is an eighth of the offset a poll. The bound is ClockBound's:
//! `|offset| + root dispersion + root delay / 2`, growing at an assumed rate since the last answer.

use crate::clock_profile::ClockProfile;
use crate::limits::{LEARNED_PPB_MAX, POLLS_MISSED_MAX, PPB, SLEW_NS_MAX, SLEW_PPB_MAX};
use crate::time::{Span, TrueTime};

/// What share of an offset, as a rate over the poll interval, goes into the learned frequency: one in so many.
///
/// The offset follows `z^2 - z + 1/8 = 0`, with roots 0.85 and 0.15: it dies out without swinging.
const LEARNING_SHARE: i128 = 8;

/// What a node's clock daemon says about its clock, as ClockBound does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockStatus {
    /// It hears its source.
    Synchronised,
    /// It has heard nothing for eight polls, the length of NTP's reach register, or nobody steers it: the bound grows
    /// for as long as that lasts.
    FreeRunning,
    /// The clock stood still or stands still, and was not steered since: nothing is known.
    Disrupted,
}

/// What came of one look at the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// There was none: nobody steers the clock, or it stands still.
    Skipped,
    /// The source answered.
    Answered,
    /// The source did not answer.
    Missed,
}

/// The daemon of one node.
#[derive(Clone, Debug)]
pub(crate) struct Discipline {
    /// What it adds to the wall clock's rate until the next poll. Within +-[`SLEW_PPB_MAX`].
    slew_ppb: i64,
    /// What it adds for good: its estimate of the oscillator's error, negated. Within +-[`LEARNED_PPB_MAX`].
    learned_ppb: i64,
    /// The last answer, since when the bound grows.
    heard_at: TrueTime,
    /// How far off the clock was found and left then.
    offset_ns: u64,
    /// Since when every answer has been beyond the step threshold.
    beyond_since: Option<TrueTime>,
    missed_count: u32,
    is_disrupted: bool,
}

impl Discipline {
    /// A daemon that has run for long when the run begins: it knows the oscillator's rate, if it learns, and has the
    /// clock within its profile's offset.
    pub(crate) fn new(profile: &ClockProfile, rate_ppb: i64) -> Self {
        let learned_ppb = if profile.is_disciplined && profile.is_learning { -rate_ppb } else { 0 };
        Self {
            slew_ppb: 0,
            learned_ppb: learned_ppb.clamp(-LEARNED_PPB_MAX, LEARNED_PPB_MAX),
            heard_at: TrueTime::ZERO,
            offset_ns: profile.offset_ns_max,
            beyond_since: None,
            missed_count: 0,
            is_disrupted: false,
        }
    }

    /// What it adds to the wall clock's rate.
    #[inline]
    pub(crate) const fn rate_ppb(&self) -> i64 {
        self.slew_ppb + self.learned_ppb
    }

    /// What it adds to the wall clock's rate for good.
    pub(crate) const fn learned_ppb(&self) -> i64 {
        self.learned_ppb
    }

    /// Its source says that the clock is ahead by `measured_ns`; by how much the wall clock is to jump at once.
    pub(crate) fn hear(&mut self, profile: &ClockProfile, measured_ns: i64, now: TrueTime) -> i64 {
        self.heard_at = now;
        self.offset_ns = measured_ns.unsigned_abs();
        self.missed_count = 0;
        self.is_disrupted = false;
        self.slew_ppb = 0;
        if measured_ns.abs() <= SLEW_NS_MAX {
            self.beyond_since = None;
            self.slew(profile, measured_ns);
            return 0;
        }
        let since = *self.beyond_since.get_or_insert(now);
        if now.since(since) < profile.step_out {
            return 0;
        }
        self.beyond_since = None;
        self.offset_ns = 0;
        -measured_ns
    }

    /// Its source does not answer: a slew ends when it should have, what was learned stays.
    pub(crate) fn miss(&mut self) {
        self.slew_ppb = 0;
        self.missed_count = self.missed_count.saturating_add(1);
    }

    /// The clock stands still or did so: nothing is known until the next answer.
    pub(crate) fn disrupt(&mut self) {
        self.slew_ppb = 0;
        self.is_disrupted = true;
    }

    /// What the daemon says about the clock.
    pub(crate) const fn status(&self, profile: &ClockProfile) -> ClockStatus {
        if self.is_disrupted {
            ClockStatus::Disrupted
        } else if profile.is_disciplined && self.missed_count < POLLS_MISSED_MAX {
            ClockStatus::Synchronised
        } else {
            ClockStatus::FreeRunning
        }
    }

    /// The error bound that follows from what the daemon knows: `max(floor, |offset| + root) + elapsed * assumed`.
    ///
    /// `root` is `root dispersion + root delay / 2`, and never less than how much the source can misread; `elapsed` is
    /// since the last answer; `assumed` is `assumed_ppb`, or where that is not given `drift_ppb_max + |learned|`, which
    /// the rate of the steered clock cannot exceed. Rounded up. Unit: ns.
    pub(crate) fn claimed_ns(&self, profile: &ClockProfile, now: TrueTime) -> u64 {
        let assumed_ppb =
            profile.assumed_ppb.unwrap_or(profile.drift_ppb_max + self.learned_ppb.unsigned_abs());
        let offset_ns =
            if profile.is_disciplined { self.offset_ns + profile.root_ns() } else { self.offset_ns };
        offset_ns.max(profile.bound_floor_ns) + grown_ns(now.since(self.heard_at), assumed_ppb)
    }

    fn slew(&mut self, profile: &ClockProfile, measured_ns: i64) {
        let every_ns = i128::from(profile.wander_every.as_ns());
        let wanted_ppb = i128::from(-measured_ns) * i128::from(PPB) / every_ns;
        self.slew_ppb = clamped(wanted_ppb, SLEW_PPB_MAX);
        // An offset that cannot be gone by the next poll came from a step, which says nothing about the frequency.
        if profile.is_learning && wanted_ppb.abs() <= i128::from(SLEW_PPB_MAX) {
            let learned_ppb = i128::from(self.learned_ppb) + wanted_ppb / LEARNING_SHARE;
            self.learned_ppb = clamped(learned_ppb, LEARNED_PPB_MAX);
        }
    }
}

fn clamped(rate_ppb: i128, limit_ppb: i64) -> i64 {
    let limit = i128::from(limit_ppb);
    i64::try_from(rate_ppb.clamp(-limit, limit)).expect("a clamped rate fits")
}

/// `elapsed * rate_ppb / 10^9`, rounded up.
fn grown_ns(elapsed: Span, rate_ppb: u64) -> u64 {
    match elapsed.as_ns().checked_mul(rate_ppb) {
        Some(product) => product.div_ceil(PPB.unsigned_abs()),
        None => {
            let exact =
                (u128::from(elapsed.as_ns()) * u128::from(rate_ppb)).div_ceil(PPB.unsigned_abs().into());
            u64::try_from(exact).expect("a run of ten years gains less than one")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn at(seconds: u64) -> TrueTime {
        TrueTime::ZERO + Span::from_seconds(seconds)
    }

    /// What a daemon makes of one offset after the other, at each of its polls: its jumps, then its slew.
    #[track_caller]
    fn check(profile: &ClockProfile, offsets_ms: &[i64], want_jumps_ms: &[i64], want_slew_ppb: i64) {
        let mut daemon = Discipline::new(profile, 0);
        let mut now = TrueTime::ZERO;
        let mut hear = |offset_ms: &i64| {
            now += profile.wander_every;
            daemon.hear(profile, offset_ms * MS, now) / MS
        };
        let jumps: Vec<i64> = offsets_ms.iter().map(&mut hear).collect();
        assert_eq!((jumps.as_slice(), daemon.slew_ppb), (want_jumps_ms, want_slew_ppb), "{offsets_ms:?}");
    }

    #[test]
    fn an_offset_up_to_128_ms_is_slewed_and_a_larger_one_is_stepped() {
        let profile = ClockProfile { step_out: Span::ZERO, is_learning: false, ..ClockProfile::ntp_step() };
        check(&profile, &[16], &[0], -250_000);
        check(&profile, &[-16], &[0], 250_000);
        check(&profile, &[128], &[0], -500_000);
        check(&profile, &[-128], &[0], 500_000);
        check(&profile, &[129], &[-129], 0);
        check(&profile, &[-129], &[129], 0);
    }

    #[test]
    fn a_step_waits_until_900_s_were_beyond_the_threshold_without_a_break() {
        let profile = ClockProfile { is_learning: false, ..ClockProfile::ntp_step() };
        let mut offsets = vec![200; 16];
        let mut jumps = vec![0; 15];
        check(&profile, &offsets[..15], &jumps, 0);
        jumps.push(-200);
        check(&profile, &offsets, &jumps, 0);
        offsets[8] = 0;
        check(&profile, &offsets, &[0; 16], 0);
    }

    #[test]
    fn the_frequency_is_learned_from_what_is_slewed_and_from_nothing_else() {
        let profile = ClockProfile::ntp_step();
        let mut daemon = Discipline::new(&profile, 0);
        daemon.hear(&profile, 16 * MS, at(64));
        assert_eq!(daemon.learned_ppb, -31_250);
        daemon.hear(&profile, 500 * MS, at(128));
        daemon.miss();
        assert_eq!((daemon.learned_ppb, daemon.slew_ppb), (-31_250, 0));
        for _ in 0..1_000 {
            daemon.hear(&profile, 128 * MS, at(192));
        }
        assert_eq!(daemon.learned_ppb, -31_250, "too large to be gone by the next poll");
        for _ in 0..1_000 {
            daemon.hear(&profile, 32 * MS, at(192));
        }
        assert_eq!(daemon.learned_ppb, -LEARNED_PPB_MAX);
    }

    #[test]
    fn eight_missed_polls_make_a_clock_free_running_and_one_answer_ends_that() {
        let profile = ClockProfile::cloud_ntp();
        let mut daemon = Discipline::new(&profile, 0);
        for missed in 1..=9 {
            daemon.miss();
            let want = if missed < 8 { ClockStatus::Synchronised } else { ClockStatus::FreeRunning };
            assert_eq!(daemon.status(&profile), want, "{missed} missed");
        }
        daemon.disrupt();
        assert_eq!(daemon.status(&profile), ClockStatus::Disrupted);
        daemon.hear(&profile, 0, at(16));
        assert_eq!(daemon.status(&profile), ClockStatus::Synchronised);
        assert_eq!(
            Discipline::new(&ClockProfile::free_run(), 0).status(&ClockProfile::free_run()),
            ClockStatus::FreeRunning
        );
    }

    #[test]
    fn a_bound_is_offset_and_root_and_what_the_assumed_rate_adds() {
        let profile = ClockProfile {
            bound_floor_ns: 0,
            misread_ns_max: Some(0),
            root_delay_ns: 600_000,
            root_dispersion_ns: 50_000,
            assumed_ppb: Some(50_000),
            ..ClockProfile::cloud_ntp()
        };
        let mut daemon = Discipline::new(&profile, 0);
        daemon.hear(&profile, -3 * MS, at(10));
        assert_eq!(daemon.claimed_ns(&profile, at(10)), 3_000_000 + 50_000 + 300_000);
        assert_eq!(daemon.claimed_ns(&profile, at(30)), 3_350_000 + 1_000_000);
        let mut stepped = daemon.clone();
        assert_eq!(stepped.hear(&profile, 200 * MS, at(30)), -200 * MS);
        assert_eq!(stepped.claimed_ns(&profile, at(30)), 350_000, "a step leaves no offset");
        let long = ClockProfile { assumed_ppb: Some(100_000_000), bound_floor_ns: 7_000_000, ..profile };
        let year = 31_536_000;
        assert_eq!(daemon.claimed_ns(&long, at(10 + year)), 7_000_000 + year * 100_000_000);
    }
}
