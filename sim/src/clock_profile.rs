//! How good a node's clock is: figures for one node, some of them with a name.
//!
//! The names and their sources stand in `clock_profile/named.rs`; what the figures do, in [`crate::clock`],
//! [`crate::discipline`] and [`crate::oscillator`].

use serde::{Deserialize, Serialize};

use crate::chance::{Ratio, Stream};
use crate::limits::{DRIFT_PPB_MAX, RUN_NS_MAX, SPAN_MAX, STEP_NS_MAX};
use crate::oscillator::{Heat, RateSpread};
use crate::profile::{Profile, serde_profile};
use crate::time::{Span, TrueTime};

mod named;

/// What a clock's honest bound is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundKind {
    /// It covers the error whatever happens to the clock, as if the daemon heard of every fault at once.
    #[default]
    Covering,
    /// It is what a daemon can know: a step by another hand, a strobe, a forced drift or a source that is wrong itself
    /// make it smaller than the error until the next poll, or for longer.
    Estimated,
}

/// A leap second that some sources smear and others step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leap {
    /// When the clocks that step it do so: the middle of the day over which the others smear it.
    #[serde(rename = "at_ns")]
    pub at: TrueTime,
    /// How likely a node's source smears it.
    pub smeared: Ratio,
}

/// A bound with which a node should not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorLimit {
    /// The error up to which the system's promises hold.
    #[serde(rename = "bound_max_ns")]
    pub bound_max: Span,
    /// At how much of it a node should end itself. Unit: percent.
    pub exit_percent: u8,
}

impl ErrorLimit {
    /// Whether a node that claims `bound` should end itself.
    #[must_use]
    pub fn is_reached_by(&self, bound: Span) -> bool {
        u128::from(bound.as_ns()) * 100 >= u128::from(self.bound_max.as_ns()) * u128::from(self.exit_percent)
    }
}

/// Which faults the plan of a world with such clocks contains; [`crate::clock_faults`] draws them. The kernel itself
/// injects nothing that is not in the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockFaults {
    /// None.
    #[default]
    None,
    /// The machine is frozen now and then: the process stands still, the wall clock too and a little longer, then it
    /// jumps.
    VmPause,
    /// Steps and strobes as of Jepsen's clock nemesis.
    Hostile,
}

/// The figures of one node's clock; in files a name (`ptp`, `cloud-ntp`, `free-run`, `perfect`, ...) or a table. A table
/// may leave out all but the first six.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ClockProfile {
    /// The offset at first lies within plus or minus this; a disciplined clock is steered back under it.
    pub offset_ns_max: u64,
    /// The oscillator's frequency error lies within plus or minus this.
    pub drift_ppb_max: u64,
    /// How often the oscillator's rate changes and the daemon polls its source; zero is never.
    #[serde(rename = "wander_every_ns")]
    pub wander_every: Span,
    /// By up to how much the frequency error moves each time.
    pub wander_ppb: u64,
    /// The smallest error bound that the clock claims.
    pub bound_floor_ns: u64,
    /// Whether a daemon steers the wall clock.
    #[serde(rename = "disciplined")]
    pub is_disciplined: bool,
    /// How the frequency errors of many hosts spread.
    #[serde(default)]
    pub spread: RateSpread,
    /// What temperature does to the rate.
    #[serde(default)]
    pub heat: Heat,
    /// By up to how much the source is misread at each poll; a quarter of `offset_ns_max` if left out.
    #[serde(default)]
    pub misread_ns_max: Option<u64>,
    /// The round trip to the source: half of it is part of the claimed bound.
    #[serde(default)]
    pub root_delay_ns: u64,
    /// How far the source itself may be off: part of the claimed bound.
    #[serde(default)]
    pub root_dispersion_ns: u64,
    /// How fast the claimed bound grows between answers; what the steered clock can drift at most if left out.
    #[serde(default)]
    pub assumed_ppb: Option<u64>,
    /// For how long an offset must stay beyond 128 ms before it is stepped.
    #[serde(default, rename = "step_out_ns")]
    pub step_out: Span,
    /// Whether the daemon learns the oscillator's frequency error and takes it out of the wall clock's rate.
    #[serde(default, rename = "learning")]
    pub is_learning: bool,
    /// What an honest bound is worth.
    #[serde(default)]
    pub bound: BoundKind,
    /// A leap second.
    #[serde(default)]
    pub leap: Option<Leap>,
    /// The bound with which a node should not go on.
    #[serde(default)]
    pub limit: Option<ErrorLimit>,
    /// The faults that belong to such clocks.
    #[serde(default)]
    pub faults: ClockFaults,
}

serde_profile!(ClockProfile);

/// Which figure of a clock profile is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockProfileError {
    /// The offset, or how far the source is misread or off.
    #[error("an offset of {offset_ns_max} ns is larger than {STEP_NS_MAX} ns")]
    Offset {
        /// What was given.
        offset_ns_max: u64,
    },
    /// A frequency error, its wander, what temperature adds to it, or what is assumed of it.
    #[error("a frequency error of {drift_ppb} ppb is larger than {DRIFT_PPB_MAX} ppb")]
    Drift {
        /// What was given.
        drift_ppb: u64,
    },
    /// The bound's floor or limit, the wander's interval, the step-out time or a time of the temperature.
    #[error("{span} is longer than {SPAN_MAX}")]
    Span {
        /// What was given.
        span: Span,
    },
    /// A daemon that never looks at the clock.
    #[error("a disciplined clock needs `wander_every_ns` above 0: that is when it is steered")]
    NeverSteered,
    /// A temperature that changes, but at no instant or in no time.
    #[error("a `heat` that moves the rate needs `wander_every_ns` and its own times above 0")]
    HeatWithoutTime,
    /// A leap second after the longest run.
    #[error("a leap second at {} ns lies after the end of the longest run", at.as_ns())]
    LeapTooLate {
        /// What was given.
        at: TrueTime,
    },
    /// A limit that is always reached or never in time.
    #[error("a `limit` of {bound_max} with an exit at {exit_percent} %: expected more than 0 and 1 to 100 %")]
    Limit {
        /// The error that it allows.
        bound_max: Span,
        /// The share at which to exit.
        exit_percent: u8,
    },
}

impl ClockProfile {
    /// Whether every figure is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), ClockProfileError> {
        let offset_ns_max = self.offset_ns_max.max(self.misread_ns());
        let offset_ns_max = offset_ns_max.max(self.root_delay_ns).max(self.root_dispersion_ns);
        if offset_ns_max > STEP_NS_MAX.unsigned_abs() {
            return Err(ClockProfileError::Offset { offset_ns_max });
        }
        let drift_ppb = self.drift_ppb_max.max(self.wander_ppb).max(self.assumed_ppb.unwrap_or(0));
        let drift_ppb = drift_ppb.max(self.heat.swing_ppb).max(self.heat.warm_up_ppb);
        if drift_ppb > DRIFT_PPB_MAX.unsigned_abs() {
            return Err(ClockProfileError::Drift { drift_ppb });
        }
        let limit = self.limit.map_or(Span::ZERO, |limit| limit.bound_max);
        let span = Span::from_ns(self.bound_floor_ns).max(self.wander_every).max(self.step_out).max(limit);
        let span = span.max(self.heat.swing_every).max(self.heat.warm_up_half);
        if span > SPAN_MAX {
            return Err(ClockProfileError::Span { span });
        }
        self.validate_relations()
    }

    fn validate_relations(&self) -> Result<(), ClockProfileError> {
        if self.is_disciplined && self.wander_every == Span::ZERO {
            return Err(ClockProfileError::NeverSteered);
        }
        let Heat { swing_ppb, swing_every, warm_up_ppb, warm_up_half } = self.heat;
        let is_timeless = (swing_ppb > 0 && swing_every == Span::ZERO)
            || (warm_up_ppb > 0 && warm_up_half == Span::ZERO)
            || (swing_ppb + warm_up_ppb > 0 && self.wander_every == Span::ZERO);
        if is_timeless {
            return Err(ClockProfileError::HeatWithoutTime);
        }
        if let Some(Leap { at, .. }) = self.leap
            && at.as_ns() > RUN_NS_MAX
        {
            return Err(ClockProfileError::LeapTooLate { at });
        }
        if let Some(ErrorLimit { bound_max, exit_percent }) = self.limit
            && (bound_max == Span::ZERO || !(1..=100).contains(&exit_percent))
        {
            return Err(ClockProfileError::Limit { bound_max, exit_percent });
        }
        Ok(())
    }

    /// Whether its rate or its offset ever changes by itself, and how often.
    #[must_use]
    pub fn changes_every(&self) -> Option<Span> {
        let is_warming = self.heat.swing_ppb + self.heat.warm_up_ppb > 0;
        let is_changing = self.is_disciplined || self.wander_ppb > 0 || is_warming;
        (is_changing && self.wander_every > Span::ZERO).then_some(self.wander_every)
    }

    /// By up to how much the source is misread at each poll. Unit: ns.
    #[must_use]
    pub fn misread_ns(&self) -> u64 {
        self.misread_ns_max.unwrap_or(self.offset_ns_max / 4)
    }

    /// The part of the claimed bound that comes from the source: root dispersion and half of the root delay, but never
    /// less than what it can be misread by. Unit: ns.
    #[must_use]
    pub fn root_ns(&self) -> u64 {
        (self.root_dispersion_ns + self.root_delay_ns.div_ceil(2)).max(self.misread_ns())
    }

    /// The leap second, if a node's source steps it: always one draw.
    pub(crate) fn draw_stepped_leap(&self, chance: &mut Stream) -> Option<TrueTime> {
        let is_smeared = chance.hits(self.leap.map_or(Ratio::ALWAYS, |leap| leap.smeared));
        self.leap.filter(|_| !is_smeared).map(|leap| leap.at)
    }
}

impl Profile for ClockProfile {
    const NAMES: &'static [&'static str] = named::NAMES;

    fn named(name: &str) -> Option<Self> {
        named::named(name)
    }

    fn from_table<'de, D: serde::Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        Self::deserialize(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, want: Result<ClockProfile, &str>) {
        let found = serde_json::from_str::<ClockProfile>(json);
        match want {
            Ok(profile) => assert_eq!(found.unwrap(), profile),
            Err(part) => {
                let message = found.unwrap_err().to_string();
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn every_name_reads_as_a_valid_profile_and_writes_as_its_table() {
        for name in ClockProfile::NAMES {
            let profile = ClockProfile::named(name).unwrap();
            assert_eq!(profile.validate(), Ok(()), "{name}");
            check(&format!("{name:?}"), Ok(profile.clone()));
            check(&serde_json::to_string(&profile).unwrap(), Ok(profile));
        }
        assert_eq!(ClockProfile::named("sundial"), None);
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        check(r#""sundial""#, Err("`perfect`, `ptp`, `cloud-ntp`, `lan-chrony`, `internet-ntp`, `truetime`"));
        check("7", Err("one of perfect, ptp, cloud-ntp"));
        check(r#"{"offset_ns_max": 1}"#, Err("missing field"));
    }

    #[test]
    fn a_table_of_the_first_six_figures_is_enough() {
        let table = r#"{"offset_ns_max": 8, "drift_ppb_max": 50000, "wander_every_ns": 16, "wander_ppb": 1000,
            "bound_floor_ns": 500000, "disciplined": true}"#;
        let want = ClockProfile {
            offset_ns_max: 8,
            drift_ppb_max: 50_000,
            wander_every: Span::from_ns(16),
            wander_ppb: 1_000,
            bound_floor_ns: 500_000,
            is_disciplined: true,
            ..ClockProfile::perfect()
        };
        assert_eq!((want.misread_ns(), want.root_ns()), (2, 2));
        check(table, Ok(want));
        let heat = table.replace("true", r#"true, "heat": {"swing_ppb": 1}"#);
        check(&heat, Err("missing field"));
        check(&table.replace("true", r#"true, "mood": 3"#), Err("unknown field `mood`"));
    }

    #[test]
    fn figures_out_of_range_are_named() {
        let with = |change: fn(&mut ClockProfile)| {
            let mut profile = ClockProfile::ptp();
            change(&mut profile);
            profile.validate()
        };
        let offsets: [fn(&mut ClockProfile); 4] = [
            |p| p.offset_ns_max = u64::MAX,
            |p| p.misread_ns_max = Some(u64::MAX),
            |p| p.root_delay_ns = u64::MAX,
            |p| p.root_dispersion_ns = u64::MAX,
        ];
        assert!(offsets.into_iter().all(|c| matches!(with(c), Err(ClockProfileError::Offset { .. }))));
        let drifts: [fn(&mut ClockProfile); 5] = [
            |p| p.drift_ppb_max = u64::MAX,
            |p| p.wander_ppb = u64::MAX,
            |p| p.assumed_ppb = Some(u64::MAX),
            |p| p.heat.swing_ppb = u64::MAX,
            |p| p.heat.warm_up_ppb = u64::MAX,
        ];
        assert!(drifts.into_iter().all(|c| matches!(with(c), Err(ClockProfileError::Drift { .. }))));
        let spans: [fn(&mut ClockProfile); 5] = [
            |p| p.bound_floor_ns = u64::MAX,
            |p| p.step_out = Span::from_ns(u64::MAX),
            |p| p.heat.swing_every = Span::from_ns(u64::MAX),
            |p| p.heat.warm_up_half = Span::from_ns(u64::MAX),
            |p| p.limit = Some(ErrorLimit { bound_max: Span::from_ns(u64::MAX), exit_percent: 1 }),
        ];
        assert!(spans.into_iter().all(|c| matches!(with(c), Err(ClockProfileError::Span { .. }))));
    }

    #[test]
    fn figures_that_do_not_go_together_are_named() {
        let with = |change: fn(&mut ClockProfile)| {
            let mut profile = ClockProfile::free_run();
            change(&mut profile);
            profile.validate()
        };
        assert_eq!(
            with(|p| {
                p.is_disciplined = true;
                p.wander_every = Span::ZERO;
            }),
            Err(ClockProfileError::NeverSteered)
        );
        let timeless: [fn(&mut ClockProfile); 3] = [
            |p| p.wander_every = Span::ZERO,
            |p| p.heat.swing_every = Span::ZERO,
            |p| p.heat.warm_up_half = Span::ZERO,
        ];
        assert!(timeless.into_iter().all(|c| with(c) == Err(ClockProfileError::HeatWithoutTime)));
        let late = with(|p| p.leap = Some(Leap { at: TrueTime::from_ns(u64::MAX), smeared: Ratio::NEVER }));
        assert!(matches!(late, Err(ClockProfileError::LeapTooLate { .. })));
        let limits: [fn(&mut ClockProfile); 3] = [
            |p| p.limit = Some(ErrorLimit { bound_max: Span::ZERO, exit_percent: 80 }),
            |p| p.limit = Some(ErrorLimit { bound_max: Span::from_ms(1), exit_percent: 0 }),
            |p| p.limit = Some(ErrorLimit { bound_max: Span::from_ms(1), exit_percent: 101 }),
        ];
        assert!(limits.into_iter().all(|c| matches!(with(c), Err(ClockProfileError::Limit { .. }))));
    }

    #[test]
    fn a_limit_is_reached_at_its_share() {
        let limit = ErrorLimit { bound_max: Span::from_ms(500), exit_percent: 80 };
        assert!(!limit.is_reached_by(Span::from_ns(399_999_999)));
        assert!(limit.is_reached_by(Span::from_ms(400)));
    }
}
