//! Kinds of faults by name, as scenario files and ledgers speak of them.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A kind of fault, as scenario files and ledgers name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// [`crate::fault::Fault::Crash`].
    Crash,
    /// [`crate::fault::Fault::PowerLoss`].
    PowerLoss,
    /// [`crate::fault::Fault::Stop`].
    Stop,
    /// [`crate::fault::Fault::Restart`].
    Restart,
    /// [`crate::fault::Fault::Pause`].
    Pause,
    /// [`crate::fault::Fault::PauseMidway`].
    PauseMidway,
    /// [`crate::fault::Fault::Slow`].
    Slow,
    /// [`crate::fault::Fault::Cut`].
    Cut,
    /// [`crate::fault::Fault::Noise`].
    Noise,
    /// [`crate::fault::Fault::ClockStep`].
    ClockStep,
    /// [`crate::fault::Fault::ClockDrift`].
    ClockDrift,
    /// [`crate::fault::Fault::ClockLie`].
    ClockLie,
    /// [`crate::fault::Fault::ClockFreeze`].
    ClockFreeze,
    /// [`crate::fault::Fault::ClockStrobe`].
    ClockStrobe,
    /// [`crate::fault::Fault::ClockSyncLoss`].
    ClockSyncLoss,
    /// [`crate::fault::Fault::DiskStall`].
    DiskStall,
    /// [`crate::fault::Fault::DiskError`].
    DiskError,
    /// [`crate::fault::Fault::DiskLie`].
    DiskLie,
    /// [`crate::fault::Fault::Burst`].
    Burst,
    /// [`crate::fault::Fault::Corruption`].
    Corruption,
    /// [`crate::fault::Fault::Reordering`].
    Reordering,
    /// [`crate::fault::Fault::SlowLink`].
    SlowLink,
    /// [`crate::fault::Fault::Throttle`].
    Throttle,
    /// [`crate::fault::Fault::Reset`].
    Reset,
    /// [`crate::fault::Fault::RestartAs`].
    RestartAs,
    /// [`crate::fault::Fault::TornWrite`].
    TornWrite,
    /// [`crate::fault::Fault::DiskSlow`].
    DiskSlow,
    /// [`crate::fault::Fault::DiskFull`].
    DiskFull,
    /// [`crate::fault::Fault::BitRot`].
    BitRot,
}

impl Family {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::PowerLoss => "power-loss",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::PauseMidway => "pause-midway",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::Noise => "noise",
            Self::ClockStep => "clock-step",
            Self::ClockDrift => "clock-drift",
            Self::ClockLie => "clock-lie",
            Self::ClockFreeze => "clock-freeze",
            Self::ClockStrobe => "clock-strobe",
            Self::ClockSyncLoss => "clock-sync-loss",
            Self::DiskStall => "disk-stall",
            Self::DiskError => "disk-error",
            Self::DiskLie => "disk-lie",
            Self::Burst => "burst",
            Self::Corruption => "corruption",
            Self::Reordering => "reordering",
            Self::SlowLink => "slow-link",
            Self::Throttle => "throttle",
            Self::Reset => "reset",
            Self::RestartAs => "restart-as",
            Self::TornWrite => "torn-write",
            Self::DiskSlow => "disk-slow",
            Self::DiskFull => "disk-full",
            Self::BitRot => "bit-rot",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
