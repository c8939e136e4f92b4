//! The store of configuration versions: who reads it knows every version that starts within the lead time.
//!
//! Why that holds: a version is accepted only if it starts at least the lead time after the latest instant it can be
//! (by the clock's interval), and from then until it is durable no read is answered. So a read answered at instant
//! `t` misses only versions accepted after `t`, and those start after `t + lead`.

use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken};
use sim::time::{LocalTime, Span};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::durable;
use crate::ids::Version;
use crate::message::{ConfigVersion, Message, Observation, Record};

/// Versions that are not durable yet, and who waits for them.
#[derive(Clone, Debug)]
struct Pending {
    versions: Vec<ConfigVersion>,
    /// Nobody, if they are those that a restart found on disk.
    publisher: Option<NodeId>,
}

/// The store node.
#[derive(Clone, Debug)]
pub struct Store {
    rules: Rules,
    lead: Span,
    /// Committed versions, numbers and starts increasing.
    versions: Arc<[ConfigVersion]>,
    pending: Option<Pending>,
    /// Reads that wait until the pending version is durable.
    waiting: Vec<(NodeId, LocalTime)>,
    syncs: u64,
    /// The last sync that began after a refused one and before everything was written again: it only asks whether the
    /// disk works again.
    asking: Option<SyncToken>,
    /// In which the records are written: the version of the program.
    format: u32,
}

/// A wait longer than this is a bug: every process reads once per poll.
const WAITING_MAX: usize = 4096;

impl Store {
    /// A store that has `versions` from the beginning.
    #[must_use]
    pub fn new(rules: Rules, lead: Span, versions: &[ConfigVersion]) -> Self {
        Self {
            rules,
            lead,
            versions: versions.into(),
            pending: None,
            waiting: Vec::new(),
            syncs: 0,
            asking: None,
            format: 0,
        }
    }

    /// Begins: what survived on disk, up to the first damaged record, is committed once it is surely durable. A program
    /// older than the one that wrote it stops at once.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        self.format = context.version();
        let Some((records, format)) = durable::log(disk, context) else { return fx.halt() };
        let versions: Vec<_> = records.iter().filter_map(version_of).collect();
        if !context.damaged().is_empty() && self.rules.damage_cut.is_taken() {
            self.rewrite(&versions, fx);
        } else if format < self.format {
            fx.write(Record::Format(self.format));
        }
        if !versions.is_empty() {
            self.prepare(Pending { versions, publisher: None }, fx);
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        match message {
            Message::ReadVersions { stamp } => self.read(from, *stamp, fx),
            Message::Publish { version } => self.publish(from, *version, context, fx),
            _ => {}
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        if token.0 != self.syncs {
            return;
        }
        if self.asking.take() == Some(token) {
            let pending = self.pending.iter().flat_map(|pending| pending.versions.clone());
            let versions: Vec<_> = pending.collect();
            self.rewrite(&versions, fx);
            self.sync(fx);
            return;
        }
        let Some(Pending { versions, publisher }) = self.pending.take() else { return };
        for version in versions {
            self.commit(version, fx);
            if let Some(publisher) = publisher {
                fx.send(publisher, Message::Published { version: version.version });
            }
        }
        for (reader, stamp) in core::mem::take(&mut self.waiting) {
            self.serve(reader, stamp, fx);
        }
    }

    /// A sync was refused: try again, and once the disk works again write everything again.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        if token.0 == self.syncs && self.pending.is_some() {
            self.sync(fx);
            self.asking = self.rules.refused_rewritten.is_taken().then_some(SyncToken(self.syncs));
        }
    }

    fn read(&mut self, from: NodeId, stamp: LocalTime, fx: &mut Fx) {
        if self.pending.is_some() && self.rules.reads_wait_for_commit.is_taken() {
            if self.waiting.len() < WAITING_MAX {
                self.waiting.push((from, stamp));
            }
        } else {
            self.serve(from, stamp, fx);
        }
    }

    fn serve(&self, to: NodeId, stamp: LocalTime, fx: &mut Fx) {
        fx.observe(Observation::Served { to });
        fx.send(to, Message::Versions { stamp, versions: Arc::clone(&self.versions) });
    }

    fn publish(&mut self, publisher: NodeId, version: ConfigVersion, context: &Context<'_>, fx: &mut Fx) {
        if self.versions.contains(&version) {
            fx.send(publisher, Message::Published { version: version.version });
            return;
        }
        if self.pending.as_ref().is_some_and(|pending| pending.versions.contains(&version)) {
            return;
        }
        if self.pending.is_some() || !self.is_acceptable(&version, context) {
            let last = self.versions.last().map_or(Version(0), |last| last.version);
            fx.send(publisher, Message::PublishRefused { version: version.version, last });
            return;
        }
        fx.write(Record::Version(version));
        self.prepare(Pending { versions: vec![version], publisher: Some(publisher) }, fx);
    }

    fn prepare(&mut self, pending: Pending, fx: &mut Fx) {
        self.pending = Some(pending);
        self.sync(fx);
        if !self.rules.reads_wait_for_commit.is_taken() {
            // The naive store shows and acknowledges what a power loss can still take.
            self.synced(SyncToken(self.syncs), fx);
        }
    }

    fn is_acceptable(&self, version: &ConfigVersion, context: &Context<'_>) -> bool {
        let follows = self
            .versions
            .last()
            .is_none_or(|last| version.version == last.version.next() && version.start_at > last.start_at);
        let is_first_or_next = follows && (!self.versions.is_empty() || version.version == Version(1));
        let is_early_enough =
            !self.rules.lead_checked.is_taken() || version.start_at >= context.interval().latest + self.lead;
        is_first_or_next && is_early_enough
    }

    fn commit(&mut self, version: ConfigVersion, fx: &mut Fx) {
        if self.versions.last().is_some_and(|last| version.version <= last.version) {
            return;
        }
        self.versions = self.versions.iter().copied().chain([version]).collect();
        fx.observe(Observation::Committed { version });
        assert!(
            self.versions.is_sorted_by_key(|version| (version.version, version.start_at)),
            "versions and their starts increase together"
        );
    }

    /// Writes the committed versions and these anew, in one step.
    fn rewrite(&self, pending: &[ConfigVersion], fx: &mut Fx) {
        let format = (self.format > 0).then_some(Record::Format(self.format));
        let is_news =
            |version: &&ConfigVersion| self.versions.last().is_none_or(|last| version.version > last.version);
        let news = pending.iter().filter(is_news);
        let versions = self.versions.iter().chain(news).copied().map(Record::Version);
        fx.rewrite(format.into_iter().chain(versions).collect());
    }

    fn sync(&mut self, fx: &mut Fx) {
        self.syncs += 1;
        fx.sync(SyncToken(self.syncs));
    }
}

const fn version_of(record: &Record) -> Option<ConfigVersion> {
    match record {
        Record::Version(version) => Some(*version),
        Record::Entry(_) | Record::Opened { .. } | Record::Mark(_) | Record::Format(_) => None,
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
    const PUBLISHER: NodeId = NodeId(2);
    const READER: NodeId = NodeId(3);

    fn version(number: u32, start_at: Span) -> ConfigVersion {
        let payload = Payload { limit: 1, delay: Span::ZERO };
        ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
    }

    fn publish(store: &mut Store, probe: &mut Probe<Member>, version: ConfigVersion) -> Vec<&'static str> {
        probe.ask(|context, fx| store.message(PUBLISHER, &Message::Publish { version }, context, fx));
        let done = probe.done();
        for token in &done.synced {
            probe.ask(|_, fx| store.synced(*token, fx));
        }
        done.names().into_iter().chain(probe.done().names()).collect()
    }

    #[test]
    fn a_version_that_starts_within_the_lead_time_is_refused() {
        let mut probe = Probe::new(Span::from_ms(1));
        let mut store = Store::new(Rules::hardened(), LEAD, &[]);
        assert_eq!(publish(&mut store, &mut probe, version(1, LEAD)), ["publish-refused"]);
        assert_eq!(publish(&mut store, &mut probe, version(1, LEAD + Span::from_ms(1))), ["published"]);
    }

    #[test]
    fn only_the_next_number_with_a_later_start_is_accepted_and_a_repeat_is_acknowledged_again() {
        let mut probe = Probe::new(Span::ZERO);
        let mut store = Store::new(Rules::hardened(), LEAD, &[version(1, Span::ZERO)]);
        assert_eq!(publish(&mut store, &mut probe, version(3, LEAD)), ["publish-refused"]);
        assert_eq!(publish(&mut store, &mut probe, version(2, LEAD)), ["published"]);
        assert_eq!(publish(&mut store, &mut probe, version(2, LEAD)), ["published"]);
        assert_eq!(publish(&mut store, &mut probe, version(3, LEAD)), ["publish-refused"]);
    }

    #[test]
    fn reads_wait_until_a_version_is_durable() {
        let mut probe = Probe::new(Span::ZERO);
        let mut store = Store::new(Rules::hardened(), LEAD, &[]);
        let publish = Message::Publish { version: version(1, LEAD) };
        let read = Message::ReadVersions { stamp: LocalTime::ZERO };
        probe.ask(|context, fx| store.message(PUBLISHER, &publish, context, fx));
        probe.ask(|context, fx| store.message(READER, &read, context, fx));
        let done = probe.done();
        assert!(done.sent.is_empty(), "{:?}", done.sent);
        probe.ask(|_, fx| store.synced(done.synced[0], fx));
        assert_eq!(probe.done().names(), ["published", "versions"]);
    }

    #[test]
    fn after_a_refusal_a_version_is_written_again_before_it_is_committed() {
        for (rules, want) in [
            (Rules::hardened(), Some(vec![Record::Version(version(1, LEAD))])),
            (Rules::mutant("sync-alone-retried"), None),
        ] {
            let mut probe = Probe::new(Span::ZERO);
            let mut store = Store::new(rules, LEAD, &[]);
            let publish = Message::Publish { version: version(1, LEAD) };
            probe.ask(|context, fx| store.message(PUBLISHER, &publish, context, fx));
            let refused = probe.done().synced[0];
            probe.ask(|_, fx| store.sync_failed(refused, fx));
            let asking = probe.done().synced[0];
            probe.ask(|_, fx| store.synced(asking, fx));
            let done = probe.done();
            assert_eq!(done.rewritten, want);
            assert_eq!(done.sent.is_empty(), want.is_some(), "{:?}", done.sent);
            if let Some(token) = done.synced.first() {
                probe.ask(|_, fx| store.synced(*token, fx));
                assert_eq!(probe.done().names(), ["published"]);
            }
        }
    }

    #[test]
    fn a_store_ends_at_a_damaged_version_and_does_not_begin_on_what_a_newer_one_wrote() {
        let found = [Record::Version(version(1, LEAD)), Record::Version(version(3, LEAD + LEAD))];
        let mut probe = Probe::new(Span::ZERO).booted(0, vec![1]);
        let mut store = Store::new(Rules::hardened(), LEAD, &[]);
        probe.ask(|context, fx| store.start(&found, context, fx));
        assert_eq!(probe.done().rewritten, Some(found[..1].to_vec()));
        let mut probe = Probe::new(Span::ZERO);
        let mut store = Store::new(Rules::hardened(), LEAD, &[]);
        probe.ask(|context, fx| store.start(&[Record::Format(1), found[0]], context, fx));
        assert!(probe.done().has_halted);
    }
}
