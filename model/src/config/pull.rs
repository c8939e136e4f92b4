//! Configuration by pull: the process reads the store again and again, and works only while it can be sure.
//!
//! ```text
//!   read sent at stamp ──► store answers ──► verified until stamp + lead
//!   interval [earliest, latest] against start_at:
//!       latest < start_at    the version before
//!       earliest >= start_at the version itself, once its mark is durable
//!       in between           both are possible: the stricter, or nothing
//! ```
//!
//! The stamp is the earliest that the sending can have been, so the store answered no sooner; what it did not show
//! starts after `stamp + lead` (see [`crate::store`]). A process works while the latest it can be lies before that.

use std::collections::BTreeMap;

use sim::node::{ClockInterval, Context, NodeId, SyncToken};
use sim::time::{LocalTime, MonotonicTime, Span};

use crate::capacity::Fx;
use crate::ids::Version;
use crate::message::{ConfigVersion, Message, Observation, Record, Used};
use crate::rules::Rules;

/// How a process gets its configuration.
#[derive(Clone, Copy, Debug)]
pub struct PullSetup {
    /// Where the versions are.
    pub store: NodeId,
    /// Every version is published at least that long before its start.
    pub lead: Span,
    /// How often the store is read.
    pub poll_every: Span,
}

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

/// The part of a process that knows the configuration.
#[derive(Clone, Debug)]
pub struct Puller {
    rules: Rules,
    setup: PullSetup,
    versions: BTreeMap<Version, ConfigVersion>,
    verified_until: Option<LocalTime>,
    polled_at: Option<MonotonicTime>,
    /// The newest version ever used, durable.
    mark: Version,
    /// A mark on its way to the disk.
    marking: Option<(Version, SyncToken)>,
    marks: u64,
    /// The version that the last work ran under, for the recorder.
    adopted: Version,
}

impl Puller {
    /// A process without any configuration yet.
    #[must_use]
    pub const fn new(rules: Rules, setup: PullSetup) -> Self {
        Self {
            rules,
            setup,
            versions: BTreeMap::new(),
            verified_until: None,
            polled_at: None,
            mark: Version(0),
            marking: None,
            marks: 0,
            adopted: Version(0),
        }
    }

    /// Begins with what survived on disk, which may not be durable yet, and reads the store.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        let marks = disk.iter().filter_map(|record| match record {
            Record::Mark(version) => Some(*version),
            Record::Entry(_) | Record::Opened { .. } | Record::Version(_) => None,
        });
        if let Some(version) = marks.max()
            && self.rules.switch_mark.is_taken()
        {
            self.sync_mark(version, fx);
        }
        self.poll(context, fx);
    }

    /// Reads the store again if it is time.
    pub fn tick(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let is_due =
            self.polled_at.is_none_or(|polled| context.monotonic().since(polled) >= self.setup.poll_every);
        if is_due {
            self.poll(context, fx);
        }
    }

    /// The store answered a read that was sent at `stamp` or later.
    pub fn learn(&mut self, stamp: LocalTime, versions: &[ConfigVersion]) {
        self.versions.extend(versions.iter().map(|version| (version.version, *version)));
        let until = stamp + self.setup.lead;
        self.verified_until = Some(self.verified_until.map_or(until, |before| before.max(until)));
    }

    /// A sync is done; whether it was a mark of this part.
    pub fn synced(&mut self, token: SyncToken) -> bool {
        let Some((version, awaited)) = self.marking else { return false };
        if token != awaited {
            return false;
        }
        self.mark = self.mark.max(version);
        self.marking = None;
        true
    }

    /// A sync was refused: the mark will be written again when it is next needed.
    pub fn sync_failed(&mut self, token: SyncToken) {
        if self.marking.is_some_and(|(_, awaited)| awaited == token) {
            self.marking = None;
        }
    }

    /// What the process may do at this instant of its own clock.
    pub fn rule(&mut self, context: &Context<'_>, fx: &mut Fx) -> Ruling {
        let ruling = self.judge(context, fx);
        if let Ruling::Use(version) = ruling
            && version.version != self.adopted
        {
            self.adopted = version.version;
            fx.observe(Observation::Adopted { version: version.version, local: context.wall() });
        }
        ruling
    }

    fn judge(&mut self, context: &Context<'_>, fx: &mut Fx) -> Ruling {
        let interval = self.interval(context);
        if self.marking.is_some() {
            return Ruling::Switching;
        }
        let is_verified = self.verified_until.is_some_and(|until| interval.latest < until);
        if self.rules.lease.is_taken() && !is_verified {
            return Ruling::Unverified;
        }
        let surely = self.started_by(interval.earliest);
        let Some(possibly) = self.started_by(interval.latest) else { return Ruling::Missing };
        match surely {
            Some(version) if version == possibly => self.settle(version, fx),
            _ if self.has_lost_its_mark(possibly.version) => {
                // It believes its wall clock, which a step has taken back behind the switch.
                self.started_by(context.wall()).map_or(Ruling::Missing, Ruling::Use)
            }
            _ if self.mark >= possibly.version => Ruling::Undone,
            Some(older) if older.version.next() == possibly.version => {
                Ruling::Stricter { older, newer: possibly }
            }
            _ => Ruling::Missing,
        }
    }

    fn has_lost_its_mark(&self, version: Version) -> bool {
        !self.rules.switch_mark.is_taken() && self.adopted >= version
    }

    fn interval(&self, context: &Context<'_>) -> ClockInterval {
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
    fn settle(&mut self, version: ConfigVersion, fx: &mut Fx) -> Ruling {
        if !self.rules.switch_mark.is_taken() || version.version == self.mark {
            return Ruling::Use(version);
        }
        if version.version < self.mark {
            return Ruling::Undone;
        }
        if self.marking.is_none() {
            fx.write(Record::Mark(version.version));
            self.sync_mark(version.version, fx);
        }
        Ruling::Switching
    }

    fn sync_mark(&mut self, version: Version, fx: &mut Fx) {
        self.marks += 1;
        let token = SyncToken(self.marks);
        fx.sync(token);
        self.marking = Some((version, token));
    }

    fn poll(&mut self, context: &Context<'_>, fx: &mut Fx) {
        self.polled_at = Some(context.monotonic());
        fx.send(self.setup.store, Message::ReadVersions { stamp: self.interval(context).earliest });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Payload;
    use crate::probe::Probe;
    use crate::rules::Defect;

    const LEAD: Span = Span::from_seconds(5);
    const BOUND: Span = Span::from_ms(10);

    fn version(number: u32, start_at: Span) -> ConfigVersion {
        let payload = Payload { limit: 10 * number, delay: Span::ZERO };
        ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
    }

    fn two_versions() -> [ConfigVersion; 2] {
        [version(1, Span::ZERO), version(2, Span::from_seconds(3))]
    }

    /// A process at 1 s that has read two versions: one started, one starts at 3 s.
    fn process(rules: Rules) -> (Puller, Probe) {
        let setup = PullSetup { store: NodeId(0), lead: LEAD, poll_every: Span::from_seconds(1) };
        let (mut puller, mut probe) = (Puller::new(rules, setup), Probe::new(BOUND));
        probe.wait(Span::from_seconds(1));
        let stamp = probe.ask(|context, _| context.interval().earliest);
        puller.learn(stamp, &two_versions());
        (puller, probe)
    }

    /// The ruling now, once every mark on its way is durable.
    fn rule(puller: &mut Puller, probe: &mut Probe) -> Ruling {
        let first = probe.ask(|context, fx| puller.rule(context, fx));
        for token in probe.done().synced {
            assert!(puller.synced(token));
        }
        if first == Ruling::Switching { probe.ask(|context, fx| puller.rule(context, fx)) } else { first }
    }

    #[test]
    fn inside_its_uncertainty_a_process_has_two_versions_and_after_it_the_newer() {
        let (mut puller, mut probe) = process(Rules::hardened());
        let [older, newer] = two_versions();
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Use(older));
        probe.wait(Span::from_ms(1_989));
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Use(older));
        probe.wait(Span::from_ms(1));
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Stricter { older, newer });
        probe.wait(Span::from_ms(20));
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Use(newer));
    }

    #[test]
    fn a_lease_ends_the_lead_time_after_the_earliest_sending_of_the_read() {
        let (mut puller, mut probe) = process(Rules::hardened());
        probe.wait(LEAD.saturating_sub(Span::from_ms(21)));
        assert_ne!(rule(&mut puller, &mut probe), Ruling::Unverified);
        probe.wait(Span::from_ms(1));
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Unverified);
    }

    #[test]
    fn a_switch_is_used_only_once_its_mark_is_durable() {
        let (mut puller, mut probe) = process(Rules::hardened());
        assert_eq!(probe.ask(|context, fx| puller.rule(context, fx)), Ruling::Switching);
        assert_eq!(probe.ask(|context, fx| puller.rule(context, fx)), Ruling::Switching);
        let done = probe.done();
        assert_eq!(done.written, [Record::Mark(Version(1))]);
        assert_eq!(done.synced.len(), 1, "one mark is written once");
    }

    #[test]
    fn a_step_back_behind_a_switch_stops_a_process_and_undoes_a_markless_one() {
        let [older, newer] = two_versions();
        for (rules, want) in [
            (Rules::hardened(), Ruling::Undone),
            (Rules::hardened().with(Defect::SwitchUndone), Ruling::Use(older)),
        ] {
            let (mut puller, mut probe) = process(rules);
            probe.wait(Span::from_ms(2_100));
            assert_eq!(rule(&mut puller, &mut probe), Ruling::Use(newer));
            probe.step(-500_000_000);
            assert_eq!(rule(&mut puller, &mut probe), want);
        }
    }

    #[test]
    fn a_process_without_any_version_says_so() {
        let setup = PullSetup { store: NodeId(0), lead: LEAD, poll_every: Span::from_seconds(1) };
        let (mut puller, mut probe) = (Puller::new(Rules::hardened(), setup), Probe::new(BOUND));
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Unverified);
        puller.learn(LocalTime::ZERO, &[]);
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Missing);
    }
}
