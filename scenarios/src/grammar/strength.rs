//! How hard the faults of each kind are: what `amount` means, its unit, its default, its bounds.

use super::{Nemesis, NemesisKind, RANGE_MAX, Range};

/// What a kind makes of `amount`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// What it is, with its unit.
    pub meaning: &'static str,
    /// What it is if none is given.
    pub default: Range,
    /// The smallest and the largest that it may be.
    pub bounds: Range,
}

/// An amount within `bounds`, and within `default` if none is given.
const fn amount(meaning: &'static str, bounds: [u32; 2], default: [u32; 2]) -> Amount {
    let [bounds, default] = [range(bounds), range(default)];
    assert!(bounds.min <= default.min && default.max <= bounds.max, "a default lies within its bounds");
    Amount { meaning, default, bounds }
}

const fn range([min, max]: [u32; 2]) -> Range {
    assert!(min <= max && max <= RANGE_MAX, "a range goes up");
    Range { min, max }
}

/// Largest forced drift: a tenth, as the world allows. Unit: ppm.
const DRIFT_PPM_MAX: u32 = 100_000;
const _: () = assert!(DRIFT_PPM_MAX as i64 * 1_000 == sim::limits::DRIFT_PPB_MAX);
/// Versions that a restart may name.
const VERSION_MAX: u32 = 1_000;
const RECORDS_MAX: u32 = 1 << 20;
const _: () = assert!(RECORDS_MAX as usize == sim::limits::RECORDS_MAX);
/// An extra or a distance that may be nothing.
const ANY: [u32; 2] = [0, RANGE_MAX];
/// An extra or a distance that does something.
const SOME: [u32; 2] = [1, RANGE_MAX];
const USUAL: [u32; 2] = [1, 1_000];

impl NemesisKind {
    /// What `amount` means to it; nothing to most, which pass over it.
    #[must_use]
    pub const fn amount(self) -> Option<Amount> {
        Some(match self {
            Self::Slow => amount("extra service time, us", ANY, USUAL),
            Self::Noise => amount("extra delay at most, ms", ANY, USUAL),
            Self::ClockStep => amount("step forwards or back, ms", ANY, USUAL),
            Self::ClockDrift => amount("frequency error of either sign, ppm", [0, DRIFT_PPM_MAX], USUAL),
            Self::ClockLie => amount("claimed bound, us", ANY, USUAL),
            Self::Burst => amount("mean length of a burst, messages", [1, 10_000], [2, 20]),
            Self::Reordering => amount("delay at most, ms", SOME, USUAL),
            Self::SlowLink => amount("extra latency, ms", SOME, USUAL),
            Self::Throttle => amount("bandwidth, kB/s, with half a second waiting at most", SOME, USUAL),
            Self::RestartAs => amount("version", [0, VERSION_MAX], [0, 2]),
            Self::DiskSlow => amount("extra latency of a sync, ms", SOME, USUAL),
            Self::DiskFull => amount("room, records", [0, RECORDS_MAX], [0, 100]),
            Self::BitRot => amount("records", [1, RECORDS_MAX], [1, 3]),
            Self::ClockStrobe => amount("jump forwards or back, ms", SOME, USUAL),
            Self::Flapping => {
                amount("length of each cut, and of the time between two, ms", SOME, [50, 1_000])
            }
            Self::CrashDuringRecovery => amount("time up in between, us", ANY, [0, 20_000]),
            Self::ZoneFailure => amount("time between two restarts, ms", ANY, [0, 1_000]),
            Self::MachineFreeze => amount("time the clock is stale afterwards, ms", SOME, [1, 500]),
            Self::Crash
            | Self::PowerLoss
            | Self::Stop
            | Self::RollingRestart
            | Self::Pause
            | Self::PauseMidway
            | Self::Isolate
            | Self::Split
            | Self::SplitPeers
            | Self::DiskStall
            | Self::DiskError
            | Self::DiskLie
            | Self::Corruption
            | Self::Reset
            | Self::TornWrite
            | Self::ClockFreeze
            | Self::ClockSyncLoss
            | Self::OneWay
            | Self::Partial
            | Self::Bridge
            | Self::Ring => return None,
        })
    }
}

impl Nemesis {
    /// How hard each of its faults is, in the unit of its kind.
    #[must_use]
    pub fn strength(&self) -> Range {
        let default = self.kind.amount().map_or(range(USUAL), |amount| amount.default);
        self.amount.unwrap_or(default)
    }
}
