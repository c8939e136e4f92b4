//! What lies over a wall clock for a while and leaves no trace: a strobe, and a leap second that is not smeared.
//!
//! Both are functions of true time alone, so that they cost no event and are gone, to the nanosecond, when they end.

use crate::limits::PPB;
use crate::time::{Span, TrueTime};

/// Over how long a leap second is smeared, its instant in the middle: a day. Each second is longer by 1/86400, which
/// is 11.6 ppm.
const SMEAR: Span = Span::from_seconds(86_400);

/// A wall clock that jumps to and fro, as Jepsen's clock nemesis makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strobe {
    /// When it jumps first.
    pub(crate) begun_at: TrueTime,
    /// By how much it jumps; the next jump is back. Unit: ns.
    pub(crate) by_ns: i64,
    /// From one jump to the next. Not zero.
    pub(crate) period: Span,
}

impl Strobe {
    /// How far the wall clock is moved at `now`: by all of it in the first period, by nothing in the second, and so on.
    fn shift_ns(&self, now: TrueTime) -> i64 {
        let jumps_after_first = now.since(self.begun_at).as_ns() / self.period.as_ns();
        if jumps_after_first.is_multiple_of(2) { self.by_ns } else { 0 }
    }
}

/// What lies over one wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClockOverlay {
    pub(crate) strobe: Option<Strobe>,
    /// The leap second, if this clock's source steps it.
    pub(crate) leap_at: Option<TrueTime>,
}

impl ClockOverlay {
    /// Whether nothing lies over the clock.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.strobe.is_none() && self.leap_at.is_none()
    }

    /// How far a strobe moves the wall clock at `now`. Unit: ns.
    pub(crate) fn strobe_ns(&self, now: TrueTime) -> i64 {
        self.strobe.map_or(0, |strobe| strobe.shift_ns(now))
    }

    /// How far a clock that steps a leap second is ahead of one that smears it; true time smears. Unit: ns.
    ///
    /// From 0 half a day before to half a second at the leap, where the clock steps back by a second; then from minus
    /// half a second to 0 half a day later. `(now - begin) / 86400`, rounded down, minus a second after the leap.
    pub(crate) fn leap_ns(&self, now: TrueTime) -> i64 {
        let Some(leap_at) = self.leap_at else { return 0 };
        let signed =
            |instant: TrueTime| i64::try_from(instant.as_ns()).expect("a run is shorter than 292 years");
        let half_ns = SMEAR.as_signed_ns() / 2;
        let since_leap_ns = signed(now) - signed(leap_at);
        if !(-half_ns..half_ns).contains(&since_leap_ns) {
            return 0;
        }
        let smeared_ns = (since_leap_ns + half_ns) / (SMEAR.as_signed_ns() / PPB);
        if since_leap_ns < 0 { smeared_ns } else { smeared_ns - PPB }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAP_S: u64 = 100_000;

    #[track_caller]
    fn check(now_ns: u64, want_ns: i64) {
        let leap_at = Some(TrueTime::ZERO + Span::from_seconds(LEAP_S));
        let overlay = ClockOverlay { strobe: None, leap_at };
        assert_eq!(overlay.leap_ns(TrueTime::from_ns(now_ns)), want_ns, "at {now_ns} ns");
    }

    #[test]
    fn a_stepped_leap_second_is_half_a_second_off_on_both_sides_of_the_leap() {
        let second = 1_000_000_000;
        check((LEAP_S - 43_200) * second - 1, 0);
        check((LEAP_S - 43_200) * second, 0);
        check((LEAP_S - 21_600) * second, 250_000_000);
        check(LEAP_S * second - 1, 499_999_999);
        check(LEAP_S * second, -500_000_000);
        check((LEAP_S + 21_600) * second, -250_000_000);
        check((LEAP_S + 43_200) * second - 1, -1);
        check((LEAP_S + 43_200) * second, 0);
    }

    #[test]
    fn a_leap_second_gains_11_6_ppm_all_day_long() {
        let overlay =
            ClockOverlay { strobe: None, leap_at: Some(TrueTime::ZERO + Span::from_seconds(LEAP_S)) };
        for hour in 17..39 {
            let from = TrueTime::ZERO + Span::from_seconds(hour * 3_600);
            let gained_ns = overlay.leap_ns(from + Span::from_seconds(600)) - overlay.leap_ns(from);
            let is_leap =
                (from.as_ns()..from.as_ns() + 600 * 1_000_000_000).contains(&(LEAP_S * 1_000_000_000));
            let gained_ppb = (gained_ns + if is_leap { PPB } else { 0 }) / 600;
            assert!((11_573..=11_575).contains(&gained_ppb), "{gained_ppb} ppb in hour {hour}");
        }
    }

    #[test]
    fn a_strobe_jumps_there_and_back() {
        let strobe = Strobe { begun_at: TrueTime::from_ns(10), by_ns: -7, period: Span::from_ns(3) };
        let overlay = ClockOverlay { strobe: Some(strobe), leap_at: None };
        let shifts: Vec<i64> = (10..22).map(|ns| overlay.strobe_ns(TrueTime::from_ns(ns))).collect();
        assert_eq!(shifts, [-7, -7, -7, 0, 0, 0, -7, -7, -7, 0, 0, 0]);
    }
}
