//! When a process goes over to a version, and when it may work at all, however it got the versions.
//!
//! ```text
//!   interval [earliest, latest] against start_at:
//!       latest < start_at    the version before
//!       earliest >= start_at the version itself, once its mark is durable
//!       in between           both are possible: the stricter, or nothing
//!   latest >= verified until nothing
//! ```
//!
//! The deliveries ([`super::pull`], [`super::watch`], [`super::participant`]) say which versions there are and until when
//! no other can have started. Source: clock intervals as in Corbett et al., "Spanner: Google's Globally-Distributed
//! Database", OSDI 2012, section 3; leases as in Gray and Cheriton, SOSP 1989.

use std::collections::BTreeMap;

use sim::node::{ClockInterval, Context, Effects, SyncToken};
use sim::time::LocalTime;

use crate::config::message::{ConfigVersion, Host, Kept, Observation, Record, Used};
use crate::config::rules::Rules;
use crate::durable::{self, Formatted};
use crate::ids::Version;

/// What a process may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Work under this version.
    Use(ConfigVersion),
    /// The clock cannot tell the two apart: work only if the stricter of both allows it.
    Stricter {
        /// The older.
        older: ConfigVersion,
        /// The newer.
        newer: ConfigVersion,
    },
    /// Wait for the mark of a switch to become durable, a moment.
    Switching,
    /// Nothing has started: `MissingConfiguration`.
    Missing,
    /// Whether the known versions are the latest cannot be verified.
    Unverified,
    /// The clock went back behind a switch: neither version until it passes again.
    Undone,
}

impl Ruling {
    /// The version or versions that the work runs under.
    #[must_use]
    pub const fn used(self) -> Used {
        match self {
            Self::Use(version) => Used::One(version.version),
            Self::Stricter { older, newer } => Used::Stricter { older: older.version, newer: newer.version },
            Self::Switching | Self::Missing | Self::Unverified | Self::Undone => Used::None,
        }
    }
}

/// A mark on its way to the disk.
#[derive(Clone, Copy, Debug)]
struct Marking {
    version: Version,
    token: SyncToken,
    /// The format of the disk's last record once it is there.
    format: u32,
}

/// The part of a process that knows the configuration. It owns every sync of its node.
#[derive(Clone, Debug)]
pub struct Switch {
    rules: Rules,
    versions: BTreeMap<Version, ConfigVersion>,
    verified_until: Option<LocalTime>,
    /// The newest version ever used, durable.
    mark: Version,
    /// Whether there may have been a newer mark that cannot be read.
    is_mark_unknown: bool,
    /// The format that the disk's last record is surely in, and the one to write in: the version of the program.
    format_on_disk: u32,
    format: u32,
    /// A mark on its way to the disk.
    marking: Option<Marking>,
    marks: u64,
    /// The version that the last work ran under, for the recorder.
    adopted: Version,
}

impl Switch {
    /// A process without any configuration yet.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            versions: BTreeMap::new(),
            verified_until: None,
            mark: Version(0),
            is_mark_unknown: false,
            format_on_disk: 0,
            format: 0,
            marking: None,
            marks: 0,
            adopted: Version(0),
        }
    }

    /// Begins with what survived on disk, which may not be durable yet.
    ///
    /// If there are records that cannot be read, damaged or of a newer format, the newest mark is unknown.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &Context<'_>, fx: &mut Effects<N>) {
        self.format = context.version();
        self.format_on_disk = durable::last_format(disk);
        let is_unreadable = durable::newest_format(disk) > self.format || !context.damaged().is_empty();
        self.is_mark_unknown = is_unreadable && self.rules.switch_mark.is_taken();
        let marks = durable::known(disk, self.format).filter_map(|record| match record.config()? {
            Record::Mark(version) => Some(version),
            Record::Version(_) | Record::Withdrawn(_) | Record::Format(_) => None,
        });
        if let Some(version) = marks.max()
            && self.rules.switch_mark.is_taken()
        {
            self.sync_mark(version, self.format_on_disk, fx);
        }
    }

    /// There are these versions, too.
    pub fn learn(&mut self, versions: &[ConfigVersion]) {
        self.versions.extend(versions.iter().map(|version| (version.version, *version)));
    }

    /// There is no such version after all.
    pub fn forget(&mut self, version: &ConfigVersion) {
        if self.versions.get(&version.version) == Some(version) {
            self.versions.remove(&version.version);
        }
    }

    /// Before `until` no version can start that is not known here.
    pub fn verify_until(&mut self, until: LocalTime) {
        self.verified_until = Some(self.verified_until.map_or(until, |before| before.max(until)));
    }

    /// Before `until`, and no longer, no version can start that is not known here; none: one may have started already.
    pub const fn set_verified(&mut self, until: Option<LocalTime>) {
        self.verified_until = until;
    }

    /// A sync is done; whether it was a mark of this part.
    pub fn synced(&mut self, token: SyncToken) -> bool {
        let Some(marking) = self.marking.filter(|marking| marking.token == token) else { return false };
        self.mark = self.mark.max(marking.version);
        self.format_on_disk = marking.format;
        self.marking = None;
        true
    }

    /// A sync was refused: the mark will be written again when it is next needed.
    pub fn sync_failed(&mut self, token: SyncToken) {
        if self.marking.is_some_and(|marking| marking.token == token) {
            self.marking = None;
        }
    }

    /// What the process may do at this instant of its own clock.
    pub fn rule<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) -> Ruling {
        let ruling = self.judge(context, fx);
        if let Ruling::Use(version) = ruling
            && version.version != self.adopted
        {
            self.adopted = version.version;
            fx.observe(Observation::Adopted { version: version.version, local: context.wall() });
        }
        ruling
    }

    fn judge<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) -> Ruling {
        let interval = self.interval(context);
        if self.marking.is_some() {
            return Ruling::Switching;
        }
        let is_verified = self.verified_until.is_some_and(|until| interval.latest < until);
        if self.rules.lease.is_taken() && !is_verified {
            return Ruling::Unverified;
        }
        let surely = self.started_by(interval.earliest);
        let Some(possibly) = self.started_by(interval.latest) else { return self.nothing_started() };
        match surely {
            Some(version) if version == possibly => self.settle(version, fx),
            _ if self.has_lost_its_mark(possibly.version) => {
                // It believes its wall clock, which a step has taken back behind the switch.
                self.started_by(context.wall()).map_or(Ruling::Missing, Ruling::Use)
            }
            _ if self.mark >= possibly.version || self.is_mark_unknown => Ruling::Undone,
            Some(older) if older.version.next() == possibly.version => {
                Ruling::Stricter { older, newer: possibly }
            }
            _ => Ruling::Missing,
        }
    }

    fn nothing_started(&self) -> Ruling {
        match self.versions.values().next() {
            Some(first) if !self.rules.missing_refused.is_taken() => Ruling::Use(*first),
            Some(_) | None => Ruling::Missing,
        }
    }

    fn has_lost_its_mark(&self, version: Version) -> bool {
        !self.rules.switch_mark.is_taken() && self.adopted >= version
    }

    /// The clock's interval, as far as this process heeds it.
    #[must_use]
    pub fn interval(&self, context: &Context<'_>) -> ClockInterval {
        if self.rules.clock_margin.is_taken() {
            context.interval()
        } else {
            ClockInterval { earliest: context.wall(), latest: context.wall() }
        }
    }

    fn started_by(&self, instant: LocalTime) -> Option<ConfigVersion> {
        self.versions.values().rev().find(|version| version.start_at <= instant).copied()
    }

    /// The clock is sure of `version`; its use waits for the durable mark.
    fn settle<N: Host>(&mut self, version: ConfigVersion, fx: &mut Effects<N>) -> Ruling {
        // Who was once sure of a version is never sure of an older one, as long as bounds are honest.
        self.is_mark_unknown = false;
        if !self.rules.switch_mark.is_taken() || version.version == self.mark {
            return Ruling::Use(version);
        }
        if version.version < self.mark {
            return Ruling::Undone;
        }
        if self.marking.is_none() {
            if self.format_on_disk != self.format {
                fx.write(N::Record::of_format(self.format));
            }
            fx.write(Record::Mark(version.version));
            self.sync_mark(version.version, self.format, fx);
        }
        Ruling::Switching
    }

    fn sync_mark<N: Host>(&mut self, version: Version, format: u32, fx: &mut Effects<N>) {
        self.marks += 1;
        let token = SyncToken(self.marks);
        fx.sync(token);
        self.marking = Some(Marking { version, token, format });
    }
}

#[cfg(test)]
mod tests;
