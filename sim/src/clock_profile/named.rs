//! The clock profiles that have a name, with their sources.
//!
//! Figures that a source gives are said to be its; the others are ours, chosen so that what the source saw comes out.

use super::{BoundKind, ClockFaults, ClockProfile, ErrorLimit, Leap};
use crate::chance::Ratio;
use crate::oscillator::{Heat, RateSpread};
use crate::time::{Span, TrueTime};

/// Every name, in the order of messages.
pub(super) const NAMES: &[&str] = &[
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
];

/// The profile of that name.
pub(super) fn named(name: &str) -> Option<ClockProfile> {
    match name {
        "perfect" => Some(ClockProfile::perfect()),
        "ptp" => Some(ClockProfile::ptp()),
        "cloud-ntp" => Some(ClockProfile::cloud_ntp()),
        "lan-chrony" => Some(ClockProfile::lan_chrony()),
        "internet-ntp" => Some(ClockProfile::internet_ntp()),
        "truetime" => Some(ClockProfile::truetime()),
        "free-run" => Some(ClockProfile::free_run()),
        "ntp-step" => Some(ClockProfile::ntp_step()),
        "leap-smear" => Some(ClockProfile::leap_smear()),
        "vm-pause" => Some(ClockProfile::vm_pause()),
        "db-limit" => Some(ClockProfile::db_limit()),
        "hostile" => Some(ClockProfile::hostile()),
        _ => None,
    }
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
            spread: RateSpread::Even,
            heat: Heat::NONE,
            misread_ns_max: None,
            root_delay_ns: 0,
            root_dispersion_ns: 0,
            assumed_ppb: None,
            step_out: Span::ZERO,
            is_learning: false,
            bound: BoundKind::Covering,
            leap: None,
            limit: None,
            faults: ClockFaults::None,
        }
    }

    /// A hardware clock fed by the precision time protocol.
    ///
    /// Source: AWS Time Sync reports: +-5 us seen, +-40 us typically claimed, a frequency corrected by 6.6 ppm.
    #[must_use]
    pub const fn ptp() -> Self {
        Self {
            offset_ns_max: 5_000,
            drift_ppb_max: 6_600,
            wander_every: Span::from_seconds(1),
            wander_ppb: 20,
            bound_floor_ns: 40_000,
            is_disciplined: true,
            is_learning: true,
            misread_ns_max: Some(2_000),
            root_delay_ns: 50_000,
            root_dispersion_ns: 5_000,
            assumed_ppb: Some(6_600),
            ..Self::perfect()
        }
    }

    /// NTP against a server in the same data centre.
    ///
    /// Source: the ClockBound README: +-98 us seen, 0.5-2 ms typically claimed, and at most 50 ppm assumed.
    #[must_use]
    pub const fn cloud_ntp() -> Self {
        Self {
            offset_ns_max: 60_000,
            drift_ppb_max: 1_800,
            wander_every: Span::from_seconds(16),
            wander_ppb: 200,
            bound_floor_ns: 500_000,
            is_disciplined: true,
            misread_ns_max: Some(30_000),
            root_delay_ns: 900_000,
            root_dispersion_ns: 100_000,
            assumed_ppb: Some(50_000),
            ..Self::perfect()
        }
    }

    /// chrony against a server on the same local network.
    ///
    /// Source: the chrony README: tens of microseconds.
    #[must_use]
    pub const fn lan_chrony() -> Self {
        Self {
            offset_ns_max: 50_000,
            drift_ppb_max: 50_000,
            wander_every: Span::from_seconds(64),
            wander_ppb: 50,
            bound_floor_ns: 100_000,
            is_disciplined: true,
            is_learning: true,
            heat: Heat { warm_up_ppb: 0, ..Heat::ROOM },
            misread_ns_max: Some(20_000),
            root_delay_ns: 200_000,
            root_dispersion_ns: 50_000,
            assumed_ppb: Some(1_000),
            ..Self::perfect()
        }
    }

    /// NTP against servers across the internet.
    ///
    /// Source: the chrony and NTP pages: a few ms, up to +-10-50 ms.
    #[must_use]
    pub const fn internet_ntp() -> Self {
        Self {
            offset_ns_max: 50_000_000,
            drift_ppb_max: 156_000,
            wander_every: Span::from_seconds(64),
            wander_ppb: 1_000,
            bound_floor_ns: 10_000_000,
            is_disciplined: true,
            is_learning: true,
            heat: Heat::ROOM,
            misread_ns_max: Some(10_000_000),
            root_delay_ns: 30_000_000,
            root_dispersion_ns: 5_000_000,
            ..Self::perfect()
        }
    }

    /// Google's TrueTime.
    ///
    /// Source: J. C. Corbett et al., "Spanner", OSDI 2012: the uncertainty is a sawtooth from 1 to 7 ms, 4 ms in the
    /// mean; a drift of 200 us/s is assumed, and the daemon polls every 30 s.
    #[must_use]
    pub const fn truetime() -> Self {
        Self {
            offset_ns_max: 500_000,
            drift_ppb_max: 5_000,
            wander_every: Span::from_seconds(30),
            wander_ppb: 200,
            bound_floor_ns: 1_000_000,
            is_disciplined: true,
            misread_ns_max: Some(250_000),
            assumed_ppb: Some(200_000),
            ..Self::perfect()
        }
    }

    /// An oscillator that nobody looks after.
    ///
    /// Source: D. L. Mills' survey of some 20,000 hosts, a median of 78 ppm and a tail beyond 500 ppm (43 s a day); the
    /// NTP FAQ: about 1 ppm a degree, and some 11 ppm while it warms up.
    #[must_use]
    pub const fn free_run() -> Self {
        Self {
            offset_ns_max: 128_000_000,
            drift_ppb_max: 1_000_000,
            wander_every: Span::from_seconds(60),
            wander_ppb: 100,
            bound_floor_ns: 128_000_000,
            spread: RateSpread::Surveyed,
            heat: Heat::ROOM,
            ..Self::perfect()
        }
    }

    /// ntpd with its own thresholds.
    ///
    /// Source: the ntpd documentation: an offset beyond 128 ms is stepped once it has lasted 900 s, a smaller one slewed
    /// at 0.5 ms/s; a frequency error up to 500 ppm is tolerated.
    #[must_use]
    pub const fn ntp_step() -> Self {
        Self {
            offset_ns_max: 20_000_000,
            drift_ppb_max: 400_000,
            misread_ns_max: Some(2_000_000),
            root_delay_ns: 10_000_000,
            root_dispersion_ns: 1_000_000,
            spread: RateSpread::Surveyed,
            step_out: Span::from_seconds(900),
            ..Self::internet_ntp()
        }
    }

    /// Hosts that disagree about a leap second in the middle of the first day: half of them have it smeared over 24
    /// hours, which is 11.6 ppm, the others step it; they differ by up to half a second, and no bound says so.
    ///
    /// Source: the AWS documentation: its NTP service smears, its PTP hardware clock does not.
    #[must_use]
    pub const fn leap_smear() -> Self {
        Self {
            leap: Some(Leap {
                at: TrueTime::from_ns(Span::from_seconds(43_200).as_ns()),
                smeared: Ratio::new(1, 2),
            }),
            bound: BoundKind::Estimated,
            ..Self::cloud_ntp()
        }
    }

    /// [`ClockProfile::cloud_ntp`] on a virtual machine that is frozen now and then: plans for it contain
    /// [`ClockFaults::VmPause`].
    #[must_use]
    pub const fn vm_pause() -> Self {
        Self { faults: ClockFaults::VmPause, ..Self::cloud_ntp() }
    }

    /// A clock as bad as a distributed database puts up with: any two hosts are at first within its 500 ms, nobody steers
    /// them, and a node that asks is told to exit when its bound has come to 80 % of the limit.
    ///
    /// Source: the CockroachDB documentation: 500 ms and an exit at 80 %. It measures offsets between nodes; ours is told
    /// by its own bound, which is never smaller. YugabyteDB's 500 ms and TigerBeetle's 10 s are tables with another
    /// `limit`.
    #[must_use]
    pub const fn db_limit() -> Self {
        Self {
            offset_ns_max: 250_000_000,
            drift_ppb_max: 500_000,
            bound_floor_ns: 250_000_000,
            limit: Some(ErrorLimit { bound_max: Span::from_ms(500), exit_percent: 80 }),
            ..Self::free_run()
        }
    }

    /// [`ClockProfile::cloud_ntp`] under Jepsen's clock nemesis: plans for it contain [`ClockFaults::Hostile`].
    #[must_use]
    pub const fn hostile() -> Self {
        Self { faults: ClockFaults::Hostile, ..Self::cloud_ntp() }
    }
}
