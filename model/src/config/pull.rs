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
use crate::capacity::rules::Rules;
use crate::durable;
use crate::ids::Version;
use crate::message::{ConfigVersion, Message, Observation, Record, Used};

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

/// A mark on its way to the disk.
#[derive(Clone, Copy, Debug)]
struct Marking {
    version: Version,
    token: SyncToken,
    /// The format of the disk's last record once it is there.
    format: u32,
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
            is_mark_unknown: false,
            format_on_disk: 0,
            format: 0,
            marking: None,
            marks: 0,
            adopted: Version(0),
        }
    }

    /// Begins with what survived on disk, which may not be durable yet, and reads the store.
    ///
    /// If there are records that cannot be read, damaged or of a newer format, the newest mark is unknown.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        self.format = context.version();
        self.format_on_disk = durable::last_format(disk);
        let is_unreadable = durable::newest_format(disk) > self.format || !context.damaged().is_empty();
        self.is_mark_unknown = is_unreadable && self.rules.switch_mark.is_taken();
        let marks = durable::known(disk, self.format).filter_map(|record| match record {
            Record::Mark(version) => Some(*version),
            Record::Entry(_) | Record::Opened { .. } | Record::Version(_) | Record::Format(_) => None,
        });
        if let Some(version) = marks.max()
            && self.rules.switch_mark.is_taken()
        {
            self.sync_mark(version, self.format_on_disk, fx);
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
            _ if self.mark >= possibly.version || self.is_mark_unknown => Ruling::Undone,
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
                fx.write(Record::Format(self.format));
            }
            fx.write(Record::Mark(version.version));
            self.sync_mark(version.version, self.format, fx);
        }
        Ruling::Switching
    }

    fn sync_mark(&mut self, version: Version, format: u32, fx: &mut Fx) {
        self.marks += 1;
        let token = SyncToken(self.marks);
        fx.sync(token);
        self.marking = Some(Marking { version, token, format });
    }

    fn poll(&mut self, context: &Context<'_>, fx: &mut Fx) {
        self.polled_at = Some(context.monotonic());
        fx.send(self.setup.store, Message::ReadVersions { stamp: self.interval(context).earliest });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Member;
    use crate::message::Payload;
    use crate::probe::Probe;
    use crate::rules::Decisions as _;

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
    fn process(rules: Rules) -> (Puller, Probe<Member>) {
        let setup = PullSetup { store: NodeId(0), lead: LEAD, poll_every: Span::from_seconds(1) };
        let (mut puller, mut probe) = (Puller::new(rules, setup), Probe::new(BOUND));
        probe.wait(Span::from_seconds(1));
        let stamp = probe.ask(|context, _| context.interval().earliest);
        puller.learn(stamp, &two_versions());
        (puller, probe)
    }

    /// The ruling now, once every mark on its way is durable.
    fn rule(puller: &mut Puller, probe: &mut Probe<Member>) -> Ruling {
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
        for (rules, want) in
            [(Rules::hardened(), Ruling::Undone), (Rules::mutant("switch-undone"), Ruling::Use(older))]
        {
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

    /// The ruling of a restarted process that found these marks and cannot tell which of two versions applies.
    #[track_caller]
    fn check_unsure(found: &[Record], program: u32, damaged: &[usize], want: Ruling) {
        let (mut puller, probe) = process(Rules::hardened());
        let mut probe = probe.booted(program, damaged.to_vec());
        probe.ask(|context, fx| puller.start(found, context, fx));
        for token in probe.done().synced {
            puller.synced(token);
        }
        probe.wait(Span::from_seconds(2));
        assert_eq!(rule(&mut puller, &mut probe), want, "{found:?} read by {program}");
        let [_, newer] = two_versions();
        probe.wait(BOUND).wait(BOUND);
        assert_eq!(rule(&mut puller, &mut probe), Ruling::Use(newer), "once it is sure, it goes on");
    }

    #[test]
    fn a_process_whose_mark_cannot_be_read_waits_until_its_clock_is_sure() {
        let [older, newer] = two_versions();
        let unsure = Ruling::Stricter { older, newer };
        let (first, second) = (Record::Mark(Version(1)), Record::Mark(Version(2)));
        check_unsure(&[first], 0, &[], unsure);
        check_unsure(&[first, second], 0, &[], Ruling::Undone);
        check_unsure(&[first], 0, &[1], Ruling::Undone);
        check_unsure(&[first, Record::Format(1), second], 0, &[], Ruling::Undone);
        check_unsure(&[first, Record::Format(1), second], 1, &[], Ruling::Undone);
        check_unsure(&[Record::Format(1), first], 2, &[], unsure);
    }

    #[test]
    fn a_mark_says_which_format_it_is_in_if_that_is_another_than_before() {
        for (found, program, want) in [
            (vec![], 0, vec![Record::Mark(Version(1))]),
            (vec![], 2, vec![Record::Format(2), Record::Mark(Version(1))]),
            (vec![Record::Format(2)], 2, vec![Record::Mark(Version(1))]),
            (vec![Record::Format(2)], 0, vec![Record::Format(0), Record::Mark(Version(1))]),
        ] {
            let (mut puller, probe) = process(Rules::hardened());
            let mut probe = probe.booted(program, vec![]);
            probe.ask(|context, fx| puller.start(&found, context, fx));
            probe.ask(|context, fx| puller.rule(context, fx));
            assert_eq!(probe.done().written, want, "{found:?} by {program}");
        }
    }
}
