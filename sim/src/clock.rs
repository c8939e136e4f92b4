//! A node's clocks: an oscillator, the wall and monotonic clocks that it drives, and the bound that the node claims.
//!
//! ```text
//!   oscillator (piecewise constant rate) ──┬──► monotonic   rate only, 0 at the node's start
//!                                          └──► wall        + learned rate, slew, steps; may stand still
//!                                                 + overlay (strobe, leap second) ──► interval = wall +- bound
//! ```
//!
//! This is the one place where [`TrueTime`] turns into a node's readings and back. What steers the wall clock stands in
//! [`crate::discipline`], what drives it in [`crate::oscillator`]. The monotonic clock is the bare oscillator, as
//! Linux's `CLOCK_MONOTONIC_RAW`: no daemon steers it and no fault but a drift moves it, so that timers stay exact.

use core::cell::Cell;

use crate::chance::Stream;
use crate::clock_overlay::{ClockOverlay, Strobe};
use crate::clock_profile::{BoundKind, ClockProfile};
use crate::discipline::{ClockStatus, Discipline, Poll};
use crate::fault::Thaw;
use crate::limits::{DRIFT_PPB_MAX, STEP_NS_MAX};
use crate::node::ClockInterval;
use crate::oscillator::{Oscillator, elapsed_for, gained_ns};
use crate::time::{LocalTime, MonotonicTime, Span, TrueTime};

/// An honest bound covers the error rounded up to this, and once more. Unit: ns.
const BOUND_STEP_NS: u64 = 1_000;

/// The true instant that a scheduled wall clock time means: the one with the same number; zero if that lies before
/// the run.
#[must_use]
pub fn scheduled_true_time(scheduled: LocalTime) -> TrueTime {
    TrueTime::from_ns(u64::try_from(scheduled.as_ns()).unwrap_or(0))
}

/// Whether a daemon hears its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Each poll is answered.
    Heard,
    /// No poll is answered.
    Lost,
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
    /// Since when all rates hold; never in the future of a reading.
    anchor_at: TrueTime,
    /// What the wall clock showed then, without its overlay.
    anchor_wall_ns: i64,
    anchor_monotonic_ns: u64,
    oscillator: Oscillator,
    discipline: Discipline,
    overlay: ClockOverlay,
    /// Since when the wall clock stands still, if it does.
    frozen_at: Option<TrueTime>,
    /// Whether the daemon's source can be heard.
    is_cut_off: bool,
    lie: Option<Span>,
    readings: Cell<Readings>,
}

impl NodeClock {
    /// A clock at the beginning of a run, its rate and offset drawn within the profile, and whether its source smears a
    /// leap second.
    ///
    /// # Panics
    /// If the profile is not valid.
    #[must_use]
    pub fn new(profile: ClockProfile, chance: &mut Stream) -> Self {
        profile.validate().expect("a clock is made from a valid profile");
        let oscillator = Oscillator::new(&profile, chance);
        let anchor_wall_ns = chance.within(profile.offset_ns_max);
        Self {
            anchor_at: TrueTime::ZERO,
            anchor_wall_ns,
            anchor_monotonic_ns: 0,
            discipline: Discipline::new(&profile, oscillator.rate_ppb()),
            oscillator,
            overlay: ClockOverlay { strobe: None, leap_at: profile.draw_stepped_leap(chance) },
            frozen_at: None,
            is_cut_off: false,
            lie: None,
            readings: Cell::default(),
            profile,
        }
    }

    /// When the oscillator's rate changes first and the daemon polls first, if ever: each node at a time of its own, as
    /// daemons do not poll in step. One draw if ever, else none.
    pub(crate) fn first_change(&self, chance: &mut Stream) -> Option<TrueTime> {
        let every = self.profile.changes_every()?;
        Some(TrueTime::ZERO + chance.span_between(Span::from_ns(1), every))
    }

    /// What the wall clock shows to the node at true time `now`.
    ///
    /// `wall = anchor_wall + elapsed + elapsed * (drift + learned + slew) / 10^9 + overlay`, rounded towards minus
    /// infinity; `anchor_wall + overlay` while it stands still.
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
        let shift_ns = if self.overlay.is_empty() { 0 } else { self.overlay_ns(now) };
        LocalTime::from_ns(self.steady_wall_ns(now) + shift_ns)
    }

    /// The monotonic clock as [`NodeClock::monotonic`], but not as a reading of the node.
    #[must_use]
    pub fn peek_monotonic(&self, now: TrueTime) -> MonotonicTime {
        let elapsed_ns = now.since(self.anchor_at).as_ns();
        let shown = self.anchor_monotonic_ns + elapsed_ns;
        let gained = gained_ns(elapsed_ns, self.oscillator.rate_ppb());
        MonotonicTime::from_ns(shown.checked_add_signed(gained).expect("a clock never runs backwards"))
    }

    /// How far the wall clock is ahead of true time. Unit: ns.
    #[must_use]
    pub fn error_ns(&self, now: TrueTime) -> i64 {
        self.peek_wall(now).minus(LocalTime::ZERO + now.since(TrueTime::ZERO))
    }

    /// The error bound that the clock claims at `now`.
    ///
    /// What its daemon knows, as ClockBound's (`Discipline::claimed_ns`). Where the profile's bound is
    /// [`BoundKind::Covering`] and the error is larger all the same, as after a step by another hand, the bound is the
    /// error rounded up to a microsecond plus one more: an honest bound is never smaller than the error. A lie replaces
    /// all of that.
    #[must_use]
    pub fn bound(&self, now: TrueTime) -> Span {
        if let Some(bound) = self.lie {
            return bound;
        }
        let claimed = self.discipline.claimed_ns(&self.profile, now);
        let error = self.error_ns(now).unsigned_abs();
        if error <= claimed || self.profile.bound == BoundKind::Estimated {
            return Span::from_ns(claimed);
        }
        Span::from_ns((error.div_ceil(BOUND_STEP_NS) + 1) * BOUND_STEP_NS)
    }

    /// What the node's clock daemon says about the clock.
    #[must_use]
    pub const fn status(&self) -> ClockStatus {
        self.discipline.status(&self.profile)
    }

    /// Whether the claimed bound has come to the profile's limit, from which on the node should not go on. It counts as
    /// a reading of the interval.
    #[must_use]
    pub fn is_beyond_limit(&self, now: TrueTime) -> bool {
        self.count(|readings| readings.interval += 1);
        self.profile.limit.is_some_and(|limit| limit.is_reached_by(self.bound(now)))
    }

    /// The first true instant, not before `now`, at which the monotonic clock shows `target` or more, if its rate
    /// stays as it is.
    #[must_use]
    pub fn reaches(&self, target: MonotonicTime, now: TrueTime) -> TrueTime {
        let Some(ahead_ns) = target.as_ns().checked_sub(self.anchor_monotonic_ns) else { return now };
        let at = self.anchor_at.as_ns().saturating_add(elapsed_for(ahead_ns, self.oscillator.rate_ppb()));
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
    pub fn drift_ppb(&self) -> i64 {
        self.oscillator.rate_ppb()
    }

    /// What the daemon has learned to add to the wall clock's rate. Unit: ppb.
    #[must_use]
    pub const fn learned_ppb(&self) -> i64 {
        self.discipline.learned_ppb()
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
        self.oscillator.force(Some(drift_ppb));
    }

    /// Lets the oscillator run as its profile says again.
    pub fn release_drift(&mut self, now: TrueTime) {
        self.anchor(now);
        self.oscillator.force(None);
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

    /// Makes the wall clock stand still; the monotonic clock goes on. A second freeze changes nothing.
    pub fn freeze(&mut self, now: TrueTime) {
        self.anchor(now);
        self.discipline.disrupt();
        self.frozen_at.get_or_insert(now);
    }

    /// Lets the wall clock go on, from where it stood or from where it would be by now.
    pub fn thaw(&mut self, thaw: Thaw, now: TrueTime) {
        self.anchor(now);
        let Some(frozen_at) = self.frozen_at.take() else { return };
        if thaw == Thaw::Jumps {
            let lost = now.since(frozen_at);
            self.anchor_wall_ns += lost.as_signed_ns() + gained_ns(lost.as_ns(), self.wall_rate_ppb());
        }
    }

    /// Makes the wall clock jump by `by_ns` now, back after a `period`, there again after another, and so on, until
    /// [`NodeClock::end_strobe`].
    ///
    /// # Panics
    /// If the jump is larger than [`STEP_NS_MAX`], or the period is zero.
    pub fn strobe(&mut self, by_ns: i64, period: Span, now: TrueTime) {
        assert!(by_ns.unsigned_abs() <= STEP_NS_MAX.unsigned_abs(), "a jump of {by_ns} ns is too large");
        assert!(period > Span::ZERO, "a strobe needs a period");
        self.overlay.strobe = Some(Strobe { begun_at: now, by_ns, period });
    }

    /// Lets the wall clock jump no more; it is where it would be without the strobe.
    pub fn end_strobe(&mut self) {
        self.overlay.strobe = None;
    }

    /// Lets the clock's daemon hear its source or not.
    pub fn set_source(&mut self, source: Source) {
        self.is_cut_off = source == Source::Lost;
    }

    /// Lets the oscillator wander, and the daemon, where there is one, steer the wall clock. Two draws, always.
    pub fn wander(&mut self, chance: &mut Stream, now: TrueTime) -> Poll {
        let moved_ppb = chance.within(self.profile.wander_ppb);
        let misread_ns = chance.within(self.profile.misread_ns());
        self.anchor(now);
        self.oscillator.wander(&self.profile, moved_ppb, now);
        if !self.profile.is_disciplined || self.frozen_at.is_some() {
            return Poll::Skipped;
        }
        if self.is_cut_off {
            self.discipline.miss();
            return Poll::Missed;
        }
        let measured_ns = self.error_ns(now) - self.overlay.leap_ns(now) + misread_ns;
        self.anchor_wall_ns += self.discipline.hear(&self.profile, measured_ns, now);
        Poll::Answered
    }

    /// The wall clock without its overlay. Unit: ns.
    #[inline]
    fn steady_wall_ns(&self, now: TrueTime) -> i64 {
        if self.frozen_at.is_some() {
            return self.anchor_wall_ns;
        }
        let elapsed_ns = now.since(self.anchor_at).as_ns();
        let gained = gained_ns(elapsed_ns, self.wall_rate_ppb());
        self.anchor_wall_ns + Span::from_ns(elapsed_ns).as_signed_ns() + gained
    }

    /// What lies over the wall clock. A leap second cannot move a clock that stands still; a strobe can: somebody sets it.
    fn overlay_ns(&self, now: TrueTime) -> i64 {
        self.overlay.strobe_ns(now) + self.overlay.leap_ns(self.frozen_at.unwrap_or(now))
    }

    #[inline]
    fn wall_rate_ppb(&self) -> i64 {
        self.oscillator.rate_ppb() + self.discipline.rate_ppb()
    }

    /// Makes `now` the anchor: what the clocks show does not change.
    fn anchor(&mut self, now: TrueTime) {
        let (wall_ns, monotonic) = (self.steady_wall_ns(now), self.peek_monotonic(now));
        self.anchor_at = now;
        self.anchor_wall_ns = wall_ns;
        self.anchor_monotonic_ns = monotonic.as_ns();
    }

    fn count(&self, add: impl FnOnce(&mut Readings)) {
        let mut readings = self.readings.get();
        add(&mut readings);
        self.readings.set(readings);
    }
}
