//! How good a node's clock is: figures for one node, some of them with a name.
//!
//! Sources: `ptp`: AWS Time Sync reports of +-40 us and a corrected rate of 6.6 ppm. `cloud-ntp`: the ClockBound README,
//! 0.5-2 ms and at most 50 ppm. `internet-ntp`: the chrony and NTP pages, up to +-10-50 ms; the rate of a free
//! oscillator. `free-run`: D. L. Mills, a median of 78 ppm over some 20,000 hosts, which an even choice within +-156 ppm
//! has too, and about 1 ppm of wander per degree.

use serde::{Deserialize, Serialize};

use crate::limits::{DRIFT_PPB_MAX, SPAN_MAX, STEP_NS_MAX};
use crate::profile::{Profile, serde_profile};
use crate::time::Span;

/// The figures of one node's clock; in files a name (`ptp`, `cloud-ntp`, `internet-ntp`, `free-run`, `perfect`) or a
/// table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct ClockProfile {
    /// The offset at first lies within plus or minus this; a disciplined clock is steered back under it.
    pub offset_ns_max: u64,
    /// The oscillator's frequency error lies within plus or minus this.
    pub drift_ppb_max: u64,
    /// How often the oscillator wanders and the discipline steers; zero is never.
    #[serde(rename = "wander_every_ns")]
    pub wander_every: Span,
    /// By up to how much the frequency error moves each time.
    pub wander_ppb: u64,
    /// The smallest error bound that the clock claims.
    pub bound_floor_ns: u64,
    /// Whether a daemon steers the wall clock.
    #[serde(rename = "disciplined")]
    pub is_disciplined: bool,
}

serde_profile!(ClockProfile);

/// Which figure of a clock profile is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockProfileError {
    /// The offset.
    #[error("an offset of {offset_ns_max} ns is larger than {STEP_NS_MAX} ns")]
    Offset {
        /// What was given.
        offset_ns_max: u64,
    },
    /// The frequency error or its wander.
    #[error("a frequency error of {drift_ppb} ppb is larger than {DRIFT_PPB_MAX} ppb")]
    Drift {
        /// What was given.
        drift_ppb: u64,
    },
    /// The bound's floor or the wander's interval.
    #[error("{span} is longer than {SPAN_MAX}")]
    Span {
        /// What was given.
        span: Span,
    },
    /// A daemon that never looks at the clock.
    #[error("a disciplined clock needs `wander_every_ns` above 0: that is when it is steered")]
    NeverSteered,
}

impl ClockProfile {
    /// A clock that shows true time and says so.
    #[must_use]
    pub const fn perfect() -> Self {
        Self {
            offset_ns_max: 0,
            drift_ppb_max: 0,
            wander_every: Span::ZERO,
            wander_ppb: 0,
            bound_floor_ns: 0,
            is_disciplined: false,
        }
    }

    /// A hardware clock fed by the precision time protocol.
    #[must_use]
    pub const fn ptp() -> Self {
        Self {
            offset_ns_max: 40_000,
            drift_ppb_max: 6_600,
            wander_every: Span::from_seconds(1),
            wander_ppb: 500,
            bound_floor_ns: 40_000,
            is_disciplined: true,
        }
    }

    /// NTP against a server in the same data centre.
    #[must_use]
    pub const fn cloud_ntp() -> Self {
        Self {
            offset_ns_max: 2_000_000,
            drift_ppb_max: 50_000,
            wander_every: Span::from_seconds(16),
            wander_ppb: 1_000,
            bound_floor_ns: 500_000,
            is_disciplined: true,
        }
    }

    /// NTP against servers across the internet.
    #[must_use]
    pub const fn internet_ntp() -> Self {
        Self {
            offset_ns_max: 50_000_000,
            drift_ppb_max: 156_000,
            wander_every: Span::from_seconds(64),
            wander_ppb: 1_000,
            bound_floor_ns: 10_000_000,
            is_disciplined: true,
        }
    }

    /// An oscillator that nobody looks after.
    #[must_use]
    pub const fn free_run() -> Self {
        Self {
            offset_ns_max: 128_000_000,
            drift_ppb_max: 156_000,
            wander_every: Span::from_seconds(60),
            wander_ppb: 1_000,
            bound_floor_ns: 128_000_000,
            is_disciplined: false,
        }
    }

    /// Whether every figure is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), ClockProfileError> {
        if self.offset_ns_max > STEP_NS_MAX.unsigned_abs() {
            return Err(ClockProfileError::Offset { offset_ns_max: self.offset_ns_max });
        }
        let drift_ppb = self.drift_ppb_max.max(self.wander_ppb);
        if drift_ppb > DRIFT_PPB_MAX.unsigned_abs() {
            return Err(ClockProfileError::Drift { drift_ppb });
        }
        let span = Span::from_ns(self.bound_floor_ns).max(self.wander_every);
        if span > SPAN_MAX {
            return Err(ClockProfileError::Span { span });
        }
        if self.is_disciplined && self.wander_every == Span::ZERO {
            return Err(ClockProfileError::NeverSteered);
        }
        Ok(())
    }

    /// Whether its rate or its offset ever changes by itself, and how often.
    #[must_use]
    pub fn changes_every(&self) -> Option<Span> {
        let is_changing = self.is_disciplined || self.wander_ppb > 0;
        (is_changing && self.wander_every > Span::ZERO).then_some(self.wander_every)
    }
}

impl Profile for ClockProfile {
    const NAMES: &'static [&'static str] = &["perfect", "ptp", "cloud-ntp", "internet-ntp", "free-run"];

    fn named(name: &str) -> Option<Self> {
        match name {
            "perfect" => Some(Self::perfect()),
            "ptp" => Some(Self::ptp()),
            "cloud-ntp" => Some(Self::cloud_ntp()),
            "internet-ntp" => Some(Self::internet_ntp()),
            "free-run" => Some(Self::free_run()),
            _ => None,
        }
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
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        check(r#""sundial""#, Err("`perfect`, `ptp`, `cloud-ntp`, `internet-ntp`, `free-run`"));
        check("7", Err("one of perfect, ptp, cloud-ntp"));
        check(r#"{"offset_ns_max": 1}"#, Err("missing field"));
    }

    #[test]
    fn figures_out_of_range_are_named() {
        let with = |change: fn(&mut ClockProfile)| {
            let mut profile = ClockProfile::ptp();
            change(&mut profile);
            profile.validate()
        };
        assert!(matches!(with(|p| p.offset_ns_max = u64::MAX), Err(ClockProfileError::Offset { .. })));
        assert!(matches!(with(|p| p.wander_ppb = u64::MAX), Err(ClockProfileError::Drift { .. })));
        assert!(matches!(with(|p| p.bound_floor_ns = u64::MAX), Err(ClockProfileError::Span { .. })));
        assert_eq!(with(|p| p.wander_every = Span::ZERO), Err(ClockProfileError::NeverSteered));
    }

    #[test]
    fn a_disciplined_clock_drifts_less_in_an_interval_than_its_offset_allows() {
        for name in ClockProfile::NAMES {
            let profile = ClockProfile::named(name).unwrap();
            let drifted_ns = profile.wander_every.as_ns() * profile.drift_ppb_max / 1_000_000_000;
            let allowed_ns = profile.offset_ns_max - profile.offset_ns_max / 4;
            assert!(!profile.is_disciplined || drifted_ns <= allowed_ns, "{name}: {drifted_ns} ns");
        }
    }
}
