//! How fast a node's oscillator runs: a frequency error of its own, wander, temperature and warm-up, all in parts per
//! billion and piecewise constant.
//!
//! ```text
//!   rate = clamp(steady + swing(now) + warm-up(now), +- drift_ppb_max)       recomputed at each wander
//!          steady: drawn once, then a random walk    swing: a slow triangle wave    warm-up: halves again and again
//! ```

use serde::{Deserialize, Serialize};

use crate::chance::Stream;
use crate::clock_profile::ClockProfile;
use crate::limits::PPB;
use crate::time::{Span, TrueTime};

/// The survey's quantiles: of 1,000 hosts, how many have a frequency error of at most so many ppb.
///
/// The median of 78 ppm and that some are off by more than 500 ppm are D. L. Mills' survey of some 20,000 hosts; the
/// places between, and that the tail is two in a hundred and ends at 1,000 ppm, are ours.
const SURVEY: [(u64, u64); 5] = [(0, 0), (500, 78_000), (900, 250_000), (980, 500_000), (1_000, 1_000_000)];

/// How the frequency errors of many oscillators of one profile spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RateSpread {
    /// Evenly within plus or minus `drift_ppb_max`.
    #[default]
    Even,
    /// As in a survey of hosts: half of them within 78 ppm, a few beyond 500 ppm; cut off at `drift_ppb_max`.
    Surveyed,
}

impl RateSpread {
    /// A frequency error: always two draws. Unit: ppb.
    fn draw(self, drift_ppb_max: u64, chance: &mut Stream) -> i64 {
        let even_ppb = chance.within(drift_ppb_max);
        let millionth = chance.within(1_000_000);
        match self {
            Self::Even => even_ppb,
            Self::Surveyed => {
                let rate_ppb = surveyed_ppb(millionth.unsigned_abs()).min(drift_ppb_max);
                i64::try_from(rate_ppb).expect("a surveyed rate is small") * millionth.signum()
            }
        }
    }
}

/// The survey's quantile at that many millionths, straight lines between its places.
fn surveyed_ppb(millionth: u64) -> u64 {
    let places = SURVEY.iter().zip(&SURVEY[1..]);
    for (&(from, low_ppb), &(to, high_ppb)) in places {
        let (from, to) = (from * 1_000, to * 1_000);
        if millionth <= to {
            return low_ppb + (high_ppb - low_ppb) * (millionth - from) / (to - from);
        }
    }
    SURVEY[SURVEY.len() - 1].1
}

/// What temperature does to an oscillator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heat {
    /// How far the slow wave of a room's temperature moves the rate, up and down: about 1 ppm for each degree. Unit:
    /// ppb.
    pub swing_ppb: u64,
    /// Length of that wave, as of a day. Its phase is drawn.
    #[serde(rename = "swing_every_ns")]
    pub swing_every: Span,
    /// How much too fast an oscillator runs that was just switched on. Unit: ppb.
    pub warm_up_ppb: u64,
    /// After how long half of that is gone.
    #[serde(rename = "warm_up_half_ns")]
    pub warm_up_half: Span,
}

impl Heat {
    /// A temperature that never changes.
    pub const NONE: Self =
        Self { swing_ppb: 0, swing_every: Span::ZERO, warm_up_ppb: 0, warm_up_half: Span::ZERO };

    /// An oscillator without housing of its own: 5 degrees up and down each day at 1 ppm a degree, and 11 ppm of
    /// warm-up, half of it gone in ten minutes. The rate a degree and the warm-up are those of the NTP FAQ; the degrees
    /// and the ten minutes are ours.
    pub const ROOM: Self = Self {
        swing_ppb: 5_000,
        swing_every: Span::from_seconds(86_400),
        warm_up_ppb: 11_000,
        warm_up_half: Span::from_seconds(600),
    };

    /// What it adds to the rate at `now`, for a wave that began `phase_ns` before the run. Unit: ppb.
    fn rate_ppb(&self, phase_ns: u64, now: TrueTime) -> i64 {
        let warm_up_ppb = halved(self.warm_up_ppb, now.as_ns(), self.warm_up_half.as_ns());
        self.wave_ppb(phase_ns + now.as_ns()) + i64::try_from(warm_up_ppb).expect("a valid profile")
    }

    /// A triangle: from the bottom up for half of `swing_every`, then down.
    fn wave_ppb(&self, at_ns: u64) -> i64 {
        let every_ns = self.swing_every.as_ns();
        if every_ns == 0 {
            return 0;
        }
        let place = i128::from(at_ns % every_ns);
        let (every, swing) = (i128::from(every_ns), i128::from(self.swing_ppb));
        let way = if 2 * place < every { place } else { every - place };
        i64::try_from(way * 4 * swing / every - swing).expect("no larger than the swing")
    }
}

/// `amount / 2^(elapsed / half)`, straight lines between the halvings, rounded down; all of it if `half` is zero.
fn halved(amount: u64, elapsed_ns: u64, half_ns: u64) -> u64 {
    if half_ns == 0 {
        return amount;
    }
    let halvings = u32::try_from((elapsed_ns / half_ns).min(63)).expect("at most 63");
    let whole = amount >> halvings;
    let gone = u128::from(whole) * u128::from(elapsed_ns % half_ns) / u128::from(half_ns) / 2;
    whole - u64::try_from(gone).expect("at most half of it")
}

/// The oscillator of one node.
#[derive(Clone, Debug)]
pub(crate) struct Oscillator {
    /// The part of its rate that only wanders. Within +-`drift_ppb_max`.
    steady_ppb: i64,
    phase_ns: u64,
    /// What it would run at if no fault had a say.
    natural_ppb: i64,
    forced_ppb: Option<i64>,
}

impl Oscillator {
    /// An oscillator at the beginning of a run: three draws.
    pub(crate) fn new(profile: &ClockProfile, chance: &mut Stream) -> Self {
        let steady_ppb = profile.spread.draw(profile.drift_ppb_max, chance);
        let phase_ns = chance.below(profile.heat.swing_every.as_ns().max(1));
        let mut oscillator = Self { steady_ppb, phase_ns, natural_ppb: 0, forced_ppb: None };
        oscillator.settle(profile, TrueTime::ZERO);
        oscillator
    }

    /// Its frequency error at present: of a fault if there is one, else of its own.
    #[inline]
    pub(crate) fn rate_ppb(&self) -> i64 {
        self.forced_ppb.unwrap_or(self.natural_ppb)
    }

    /// Lets it wander by `moved_ppb`, and warm up or cool down.
    pub(crate) fn wander(&mut self, profile: &ClockProfile, moved_ppb: i64, now: TrueTime) {
        let drift_ppb_max = drift_ppb_max(profile);
        self.steady_ppb = (self.steady_ppb + moved_ppb).clamp(-drift_ppb_max, drift_ppb_max);
        self.settle(profile, now);
    }

    /// Makes it run at that rate, or by itself again.
    pub(crate) fn force(&mut self, rate_ppb: Option<i64>) {
        self.forced_ppb = rate_ppb;
    }

    fn settle(&mut self, profile: &ClockProfile, now: TrueTime) {
        let drift_ppb_max = drift_ppb_max(profile);
        let rate_ppb = self.steady_ppb + profile.heat.rate_ppb(self.phase_ns, now);
        self.natural_ppb = rate_ppb.clamp(-drift_ppb_max, drift_ppb_max);
    }
}

fn drift_ppb_max(profile: &ClockProfile) -> i64 {
    i64::try_from(profile.drift_ppb_max).expect("a valid profile")
}

/// What an oscillator gains in `elapsed` at a frequency error of `rate_ppb`: `elapsed * rate_ppb / 10^9`, rounded
/// towards minus infinity, so that a slow clock never shows more than its exact reading.
pub(crate) fn gained_ns(elapsed_ns: u64, rate_ppb: i64) -> i64 {
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
pub(crate) fn elapsed_for(shown_ns: u64, rate_ppb: i64) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Seed;

    #[track_caller]
    fn check(heat: Heat, seconds: u64, want_ppb: i64) {
        let now = TrueTime::ZERO + Span::from_seconds(seconds);
        assert_eq!(heat.rate_ppb(0, now), want_ppb, "{heat:?} after {seconds} s");
    }

    #[test]
    fn a_day_swings_by_5_ppm_each_way() {
        let heat = Heat { warm_up_ppb: 0, ..Heat::ROOM };
        for (hours, want_ppb) in [(0, -5_000), (6, 0), (12, 5_000), (18, 0), (24, -5_000), (27, -2_500)] {
            check(heat, hours * 3_600, want_ppb);
        }
    }

    #[test]
    fn half_of_the_warm_up_is_gone_in_ten_minutes() {
        let heat = Heat { swing_every: Span::ZERO, ..Heat::ROOM };
        for (seconds, want_ppb) in [(0, 11_000), (300, 8_250), (600, 5_500), (1_200, 2_750), (36_000, 0)] {
            check(heat, seconds, want_ppb);
        }
        check(Heat::NONE, 5, 0);
    }

    #[test]
    fn the_survey_is_met_at_its_places_and_on_straight_lines_between() {
        let check = |millionth, want_ppb| assert_eq!(surveyed_ppb(millionth), want_ppb, "{millionth}");
        check(0, 0);
        check(250_000, 39_000);
        check(500_000, 78_000);
        check(940_000, 375_000);
        check(1_000_000, 1_000_000);
    }

    #[test]
    fn a_rate_never_leaves_the_profiles_range_however_it_wanders() {
        let profile = ClockProfile { drift_ppb_max: 9_000, wander_ppb: 500, ..ClockProfile::free_run() };
        let mut chance = Seed(3).stream("clock", 0);
        let mut oscillator = Oscillator::new(&profile, &mut chance);
        let mut now = TrueTime::ZERO;
        let mut rates = Vec::new();
        for _ in 0..10_000 {
            rates.push(oscillator.rate_ppb());
            now += profile.wander_every;
            oscillator.wander(&profile, chance.within(profile.wander_ppb), now);
        }
        assert_eq!((rates.iter().max(), rates.iter().min()), (Some(&9_000), Some(&-9_000)));
    }
}
