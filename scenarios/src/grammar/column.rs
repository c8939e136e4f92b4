//! Kinds of faults that a matrix asks about together: its columns.

use core::fmt;
use core::str::FromStr;

use serde::Serialize;

use super::NemesisKind;

/// Which faults are on in the runs of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// None at all.
    Calm,
    /// Processes that die or are restarted, and come back with their disks.
    Crash,
    /// Machines that lose power, and what was not synced.
    Power,
    /// Nodes that stand still or are slow.
    Pause,
    /// Partitions of every shape.
    Cuts,
    /// Links that lose, double, reorder, damage, delay or reset.
    Links,
    /// Clocks that step, drift, stand still or lose their servers.
    Clock,
    /// Disks that stall, refuse, are slow, full or rotten.
    Disk,
    /// Restarts as another version of the program.
    Roll,
    /// Disks and clocks that lie: what most systems exclude.
    Lies,
}

impl Column {
    /// All of them, in the order of a matrix.
    pub const ALL: [Self; 10] = [
        Self::Calm,
        Self::Crash,
        Self::Power,
        Self::Pause,
        Self::Cuts,
        Self::Links,
        Self::Clock,
        Self::Disk,
        Self::Roll,
        Self::Lies,
    ];

    /// Its name: at most five letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Crash => "crash",
            Self::Power => "power",
            Self::Pause => "pause",
            Self::Cuts => "cuts",
            Self::Links => "links",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Roll => "roll",
            Self::Lies => "lies",
        }
    }

    /// What goes wrong in it, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Calm => "nothing goes wrong",
            Self::Crash => "processes die and come back with their disks",
            Self::Power => "power losses, torn writes, failures of zones",
            Self::Pause => "nodes stand still or are slow",
            Self::Cuts => "partitions of every shape",
            Self::Links => "loss, doubling, reordering, damage, delay, resets",
            Self::Clock => "clocks step, drift, freeze, lose their servers",
            Self::Disk => "disks stall, refuse, are slow, full or rotten",
            Self::Roll => "restarts as another version of the program",
            Self::Lies => "disks and clocks lie",
        }
    }
}

impl NemesisKind {
    /// The column that asks about it.
    #[must_use]
    pub const fn column(self) -> Column {
        match self {
            Self::Crash | Self::Stop | Self::RollingRestart | Self::CrashDuringRecovery => Column::Crash,
            Self::PowerLoss | Self::TornWrite | Self::ZoneFailure => Column::Power,
            Self::Pause | Self::PauseMidway | Self::Slow | Self::MachineFreeze => Column::Pause,
            Self::Isolate
            | Self::Split
            | Self::SplitPeers
            | Self::OneWay
            | Self::Partial
            | Self::Bridge
            | Self::Ring
            | Self::Flapping => Column::Cuts,
            Self::Noise
            | Self::Burst
            | Self::Corruption
            | Self::Reordering
            | Self::SlowLink
            | Self::Throttle
            | Self::Reset => Column::Links,
            Self::ClockStep
            | Self::ClockDrift
            | Self::ClockFreeze
            | Self::ClockStrobe
            | Self::ClockSyncLoss => Column::Clock,
            Self::DiskStall | Self::DiskError | Self::DiskSlow | Self::DiskFull | Self::BitRot => {
                Column::Disk
            }
            Self::RestartAs => Column::Roll,
            Self::ClockLie | Self::DiskLie => Column::Lies,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a text is no column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no column of the matrix, expected one of {}", Column::ALL.map(Column::name).join(", "))]
pub struct UnknownColumn {
    /// What stood there.
    pub found: String,
}

impl FromStr for Column {
    type Err = UnknownColumn;

    fn from_str(text: &str) -> Result<Self, UnknownColumn> {
        let column = Self::ALL.into_iter().find(|column| column.name() == text);
        column.ok_or_else(|| UnknownColumn { found: text.to_owned() })
    }
}
