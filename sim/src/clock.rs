//! A node's clocks: an oscillator, the wall and monotonic clocks that it drives, and the bound that the node claims.
//!
//! ```text
//!   oscillator (drift_ppb, piecewise constant) ──┬──► monotonic   rate only, 0 at the node's start
//!                                                └──► wall        offset, steps, slewing ──► interval = wall +- bound
//! ```
//!
//! This is the one place where [`TrueTime`] turns into a node's readings and back.

use core::cell::Cell;

use crate::chance::Stream;
use crate::clock_profile::ClockProfile;
use crate::limits::{DRIFT_PPB_MAX, PPB, SLEW_NS_MAX, SLEW_PPB_MAX, STEP_NS_MAX};
use crate::node::ClockInterval;
use crate::time::{LocalTime, MonotonicTime, Span, TrueTime};

/// An honest bound covers the error rounded up to this, and once more. Unit: ns.
const BOUND_STEP_NS: u64 = 1_000;

/// The true instant that a scheduled wall clock time means: the one with the same number; zero if that lies before
/// the run.
#[must_use]
pub fn scheduled_true_time(scheduled: LocalTime) -> TrueTime {
    TrueTime::from_ns(u64::try_from(scheduled.as_ns()).unwrap_or(0))
}

/// What an oscillator gains in `elapsed` at a frequency error of `rate_ppb`: `elapsed * rate_ppb / 10^9`, rounded
/// towards minus infinity, so that a slow clock never shows more than its exact reading.
fn gained_ns(elapsed_ns: u64, rate_ppb: i64) -> i64 {
    if rate_ppb == 0 {
        return 0;
    }
    let product = i64::try_from(elapsed_ns).ok().and_then(|elapsed| elapsed.checked_mul(rate_ppb));
    match product {
        Some(product) => product.div_euclid(PPB),
        None => {
            let exact = (i128::from(elapsed_ns) * i128::from(rate_ppb)).div_euclid(i128::from(PPB));
            i64::try_from(exact).expect("a run of ten years gains less than 292")
        }
    }
}

/// The shortest true span in which an oscillator of `rate_ppb` shows at least `shown_ns`:
/// `ceil(shown * 10^9 / (10^9 + rate))`, the exact inverse of `elapsed + gained`.
fn elapsed_for(shown_ns: u64, rate_ppb: i64) -> u64 {
    if rate_ppb == 0 {
        return shown_ns;
    }
    let (second, rate) = (PPB.unsigned_abs(), (PPB + rate_ppb).unsigned_abs());
    match shown_ns.checked_mul(second) {
        Some(scaled) => scaled.div_ceil(rate),
        None => {
            let exact = (u128::from(shown_ns) * u128::from(second)).div_ceil(u128::from(rate));
            u64::try_from(exact).unwrap_or(u64::MAX)
        }
    }
}

/// How often the node looked at its clocks: a fault of a clock that nobody reads affects nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// Of the wall clock, intervals included.
    pub wall: u64,
    /// Of the interval.
    pub interval: u64,
    /// Of the monotonic clock, armed timers included.
    pub monotonic: u64,
}

/// The clocks of one node.
#[derive(Clone, Debug)]
pub struct NodeClock {
    profile: ClockProfile,
    /// Since when both rates hold; never in the future of a reading.
    anchor_at: TrueTime,
    anchor_wall_ns: i64,
    anchor_monotonic_ns: u64,
    /// The oscillator's frequency error: of a fault if there is one, else of the profile.
    drift_ppb: i64,
    natural_drift_ppb: i64,
    is_drift_forced: bool,
    /// What the discipline adds to the wall clock's rate. Within +-[`SLEW_PPB_MAX`].
    slew_ppb: i64,
    /// Since when the claimed bound has been growing.
    disciplined_at: TrueTime,
    lie: Option<Span>,
    readings: Cell<Readings>,
}

impl NodeClock {
    /// A clock at the beginning of a run, its offset and rate drawn within the profile.
    ///
    /// # Panics
    /// If the profile is not valid.
    #[must_use]
    pub fn new(profile: ClockProfile, chance: &mut Stream) -> Self {
        profile.validate().expect("a clock is made from a valid profile");
        let drift_ppb = chance.within(profile.drift_ppb_max);
        Self {
            anchor_at: TrueTime::ZERO,
            anchor_wall_ns: chance.within(profile.offset_ns_max),
            anchor_monotonic_ns: 0,
            drift_ppb,
            natural_drift_ppb: drift_ppb,
            is_drift_forced: false,
            slew_ppb: 0,
            disciplined_at: TrueTime::ZERO,
            lie: None,
            readings: Cell::default(),
            profile,
        }
    }

    /// What the wall clock shows to the node at true time `now`.
    ///
    /// `wall = anchor_wall + elapsed + elapsed * (drift_ppb + slew_ppb) / 10^9`, rounded towards minus infinity.
    ///
    /// # Panics
    /// If `now` lies before the last change of rate: a world does not run backwards. So do all readings.
    #[must_use]
    pub fn wall(&self, now: TrueTime) -> LocalTime {
        self.count(|readings| readings.wall += 1);
        self.peek_wall(now)
    }

    /// What the monotonic clock shows to the node at true time `now`.
    #[must_use]
    pub fn monotonic(&self, now: TrueTime) -> MonotonicTime {
        self.count(|readings| readings.monotonic += 1);
        self.peek_monotonic(now)
    }

    /// The interval in which, as the node is told, true time lies: `wall +- bound`.
    #[must_use]
    pub fn interval(&self, now: TrueTime) -> ClockInterval {
        self.count(|readings| {
            readings.wall += 1;
            readings.interval += 1;
        });
        let (wall, bound) = (self.peek_wall(now), self.bound(now));
        ClockInterval { earliest: wall - bound, latest: wall + bound }
    }

    /// The wall clock as [`NodeClock::wall`], but not as a reading of the node.
    #[must_use]
    pub fn peek_wall(&self, now: TrueTime) -> LocalTime {
        let elapsed_ns = now.since(self.anchor_at).as_ns();
        let gained = gained_ns(elapsed_ns, self.drift_ppb + self.slew_ppb);
        LocalTime::from_ns(self.anchor_wall_ns + Span::from_ns(elapsed_ns).as_signed_ns() + gained)
    }

    /// The monotonic clock as [`NodeClock::monotonic`], but not as a reading of the node.
    #[must_use]
    pub fn peek_monotonic(&self, now: TrueTime) -> MonotonicTime {
        let elapsed_ns = now.since(self.anchor_at).as_ns();
        let shown = self.anchor_monotonic_ns + elapsed_ns;
        let gained = gained_ns(elapsed_ns, self.drift_ppb);
        MonotonicTime::from_ns(shown.checked_add_signed(gained).expect("a clock never runs backwards"))
    }

    /// How far the wall clock is ahead of true time. Unit: ns.
    #[must_use]
    pub fn error_ns(&self, now: TrueTime) -> i64 {
        self.peek_wall(now).minus(LocalTime::ZERO + now.since(TrueTime::ZERO))
    }

    /// The error bound that the clock claims at `now`.
    ///
    /// As ClockBound's: a floor that grows by `drift_ppb_max` since the clock was last disciplined. Where the error is
    /// larger all the same, as after a step, the bound is the error rounded up to a microsecond plus one more: an
    /// honest bound is never smaller than the error. A lie replaces all of that.
    #[must_use]
    pub fn bound(&self, now: TrueTime) -> Span {
        if let Some(bound) = self.lie {
            return bound;
        }
        let drift_ppb_max = i64::try_from(self.profile.drift_ppb_max).expect("a valid profile");
        let grown = gained_ns(now.since(self.disciplined_at).as_ns(), drift_ppb_max).unsigned_abs();
        let claimed = self.profile.bound_floor_ns + grown;
        let error = self.error_ns(now).unsigned_abs();
        if error <= claimed {
            return Span::from_ns(claimed);
        }
        Span::from_ns((error.div_ceil(BOUND_STEP_NS) + 1) * BOUND_STEP_NS)
    }

    /// The first true instant, not before `now`, at which the monotonic clock shows `target` or more, if its rate
    /// stays as it is.
    #[must_use]
    pub fn reaches(&self, target: MonotonicTime, now: TrueTime) -> TrueTime {
        let Some(ahead_ns) = target.as_ns().checked_sub(self.anchor_monotonic_ns) else { return now };
        let at = self.anchor_at.as_ns().saturating_add(elapsed_for(ahead_ns, self.drift_ppb));
        TrueTime::from_ns(at).max(now)
    }

    /// What the monotonic clock will show when a timer of length `after`, armed now, runs out. It counts as a reading.
    #[must_use]
    pub fn timer_target(&self, after: Span, now: TrueTime) -> MonotonicTime {
        MonotonicTime::from_ns(self.monotonic(now).as_ns().saturating_add(after.as_ns()))
    }

    /// The figures it was made from.
    #[must_use]
    pub const fn profile(&self) -> &ClockProfile {
        &self.profile
    }

    /// How often the node looked so far.
    #[must_use]
    pub fn readings(&self) -> Readings {
        self.readings.get()
    }

    /// The oscillator's frequency error at present. Unit: ppb.
    #[must_use]
    pub const fn drift_ppb(&self) -> i64 {
        self.drift_ppb
    }

    /// Moves the wall clock by `by_ns` at once; the monotonic clock stays.
    ///
    /// # Panics
    /// If the step is larger than [`STEP_NS_MAX`].
    pub fn step(&mut self, by_ns: i64, now: TrueTime) {
        assert!(by_ns.unsigned_abs() <= STEP_NS_MAX.unsigned_abs(), "a step of {by_ns} ns is too large");
        self.anchor(now);
        self.anchor_wall_ns += by_ns;
    }

    /// Makes the oscillator run at a frequency error of `drift_ppb`; it wanders no more until
    /// [`NodeClock::release_drift`].
    ///
    /// # Panics
    /// If that is larger than [`DRIFT_PPB_MAX`].
    pub fn force_drift(&mut self, drift_ppb: i64, now: TrueTime) {
        assert!(drift_ppb.unsigned_abs() <= DRIFT_PPB_MAX.unsigned_abs(), "{drift_ppb} ppb is too much");
        self.anchor(now);
        self.drift_ppb = drift_ppb;
        self.is_drift_forced = true;
    }

    /// Lets the oscillator run as its profile says again.
    pub fn release_drift(&mut self, now: TrueTime) {
        self.anchor(now);
        self.drift_ppb = self.natural_drift_ppb;
        self.is_drift_forced = false;
    }

    /// Makes the clock claim this bound, or claim honestly again.
    pub fn lie(&mut self, bound: Option<Span>) {
        self.lie = bound;
    }

    /// Sets the monotonic clock to zero: the node starts.
    pub fn restart(&mut self, now: TrueTime) {
        self.anchor(now);
        self.anchor_monotonic_ns = 0;
    }

    /// Lets the oscillator wander, and the discipline, where there is one, steer the wall clock. Two draws, always.
    ///
    /// The discipline measures the offset to a quarter of `offset_ns_max`. It slews so that what it measured would be
    /// gone at the next time, at [`SLEW_PPB_MAX`] or less; it steps what is larger than [`SLEW_NS_MAX`]. Simpler than
    /// ntpd's: there is no step-out time, and the oscillator's rate is not learned, since `drift_ppb_max` is what
    /// remains of it.
    pub fn wander(&mut self, chance: &mut Stream, now: TrueTime) {
        let moved_ppb = chance.within(self.profile.wander_ppb);
        let misread_ns = chance.within(self.profile.offset_ns_max / 4);
        let drift_ppb_max = i64::try_from(self.profile.drift_ppb_max).expect("a valid profile");
        self.anchor(now);
        self.natural_drift_ppb = (self.natural_drift_ppb + moved_ppb).clamp(-drift_ppb_max, drift_ppb_max);
        if !self.is_drift_forced {
            self.drift_ppb = self.natural_drift_ppb;
        }
        if self.profile.is_disciplined {
            self.discipline(self.error_ns(now) + misread_ns, now);
        }
    }

    fn discipline(&mut self, measured_ns: i64, now: TrueTime) {
        self.disciplined_at = now;
        if measured_ns.abs() > SLEW_NS_MAX {
            self.anchor_wall_ns -= measured_ns;
            self.slew_ppb = 0;
        } else {
            let every_ns = self.profile.wander_every.as_signed_ns();
            let wanted_ppb = i128::from(-measured_ns) * i128::from(PPB) / i128::from(every_ns);
            let limit_ppb = i128::from(SLEW_PPB_MAX);
            self.slew_ppb =
                i64::try_from(wanted_ppb.clamp(-limit_ppb, limit_ppb)).expect("a clamped rate fits");
        }
    }

    /// Makes `now` the anchor: what the clocks show does not change.
    fn anchor(&mut self, now: TrueTime) {
        let (wall, monotonic) = (self.peek_wall(now), self.peek_monotonic(now));
        self.anchor_at = now;
        self.anchor_wall_ns = wall.as_ns();
        self.anchor_monotonic_ns = monotonic.as_ns();
    }

    fn count(&self, add: impl FnOnce(&mut Readings)) {
        let mut readings = self.readings.get();
        add(&mut readings);
        self.readings.set(readings);
    }
}
