//! How fast a node's disk is: how long a write and a sync take.
//!
//! Sources: orders of magnitude of a local flash drive, a network volume and a rotating disk (one or two turns).

use serde::{Deserialize, Serialize};

use crate::limits::{LATENCY_MAX, SPAN_MAX};
use crate::profile::{Profile, serde_profile};
use crate::time::Span;

/// The figures of one node's disk; in files a name (`instant`, `nvme`, `cloud`, `rotating`) or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct DiskProfile {
    /// No sync is faster.
    #[serde(rename = "sync_min_ns")]
    pub sync_min: Span,
    /// No sync is slower, unless the disk stalls; in between, every latency is as likely as any other.
    #[serde(rename = "sync_max_ns")]
    pub sync_max: Span,
    /// Each record written makes the sync after it that much longer: a write goes into memory at once, and to the disk
    /// with the sync.
    #[serde(rename = "write_ns", default, skip_serializing_if = "is_zero")]
    pub write: Span,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(span: &Span) -> bool {
    span.as_ns() == 0
}

serde_profile!(DiskProfile);

/// Which figure of a disk profile is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskProfileError {
    /// The latencies are not in order.
    #[error("a sync takes from {min} to {max}: that is no range")]
    SyncOrder {
        /// The smallest.
        min: Span,
        /// The largest.
        max: Span,
    },
    /// The largest latency.
    #[error("a sync of {max} is longer than {SPAN_MAX}")]
    Sync {
        /// What was given.
        max: Span,
    },
    /// The latency of a write.
    #[error("a write of {write} is longer than {LATENCY_MAX}")]
    Write {
        /// What was given.
        write: Span,
    },
}

impl DiskProfile {
    /// A disk that takes time for syncs alone.
    #[must_use]
    pub const fn of(sync_min: Span, sync_max: Span) -> Self {
        Self { sync_min, sync_max, write: Span::ZERO }
    }

    /// A sync takes no time.
    #[must_use]
    pub const fn instant() -> Self {
        Self::of(Span::ZERO, Span::ZERO)
    }

    /// A local flash drive.
    #[must_use]
    pub const fn nvme() -> Self {
        Self::of(Span::from_us(20), Span::from_us(200))
    }

    /// A volume on the network.
    #[must_use]
    pub const fn cloud() -> Self {
        Self::of(Span::from_us(500), Span::from_ms(4))
    }

    /// A rotating disk.
    #[must_use]
    pub const fn rotating() -> Self {
        Self::of(Span::from_ms(2), Span::from_ms(17))
    }

    /// Whether every figure is in range.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn validate(&self) -> Result<(), DiskProfileError> {
        if self.sync_min > self.sync_max {
            return Err(DiskProfileError::SyncOrder { min: self.sync_min, max: self.sync_max });
        }
        if self.sync_max > SPAN_MAX {
            return Err(DiskProfileError::Sync { max: self.sync_max });
        }
        if self.write > LATENCY_MAX {
            return Err(DiskProfileError::Write { write: self.write });
        }
        Ok(())
    }
}

impl Profile for DiskProfile {
    const NAMES: &'static [&'static str] = &["instant", "nvme", "cloud", "rotating"];

    fn named(name: &str) -> Option<Self> {
        match name {
            "instant" => Some(Self::instant()),
            "nvme" => Some(Self::nvme()),
            "cloud" => Some(Self::cloud()),
            "rotating" => Some(Self::rotating()),
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
    fn check(json: &str, want: Option<DiskProfile>) {
        assert_eq!(serde_json::from_str(json).ok(), want, "{json}");
    }

    #[test]
    fn every_name_reads_as_a_valid_profile_and_writes_as_its_table() {
        for name in DiskProfile::NAMES {
            let profile = DiskProfile::named(name).unwrap();
            assert_eq!(profile.validate(), Ok(()), "{name}");
            check(&format!("{name:?}"), Some(profile.clone()));
            check(&serde_json::to_string(&profile).unwrap(), Some(profile));
        }
        check(r#""tape""#, None);
    }

    #[test]
    fn figures_out_of_range_are_named() {
        let profile = |min, max| DiskProfile::of(Span::from_ns(min), Span::from_ns(max));
        assert!(matches!(profile(2, 1).validate(), Err(DiskProfileError::SyncOrder { .. })));
        assert!(matches!(profile(0, u64::MAX).validate(), Err(DiskProfileError::Sync { .. })));
        let write = Span::from_ns(u64::MAX);
        let slow = DiskProfile { write, ..DiskProfile::instant() };
        assert_eq!(slow.validate(), Err(DiskProfileError::Write { write }));
    }
}
