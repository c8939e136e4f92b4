//! Configuration by pull: the process reads the store again and again, directly or through a cache.
//!
//! ```text
//!   read sent at stamp ──► store answers ──► verified until stamp + lead
//!   cache asked ──► hit: verified until the stamp of the store read that it keeps + lead
//!              └──► miss, or silence: the store, and what it says is set in the cache
//! ```
//!
//! The stamp is the earliest that the sending can have been, so the store answered no sooner; what it did not show
//! starts after `stamp + lead` (see [`crate::store`]). The clocks of all processes hold true time in their intervals, so a
//! stamp means the same to whoever finds it in a cache.

use sim::node::{Context, Effects, NodeId};
use sim::time::{LocalTime, MonotonicTime, Span};

use crate::cache::{CacheKey, CacheMessage};
use crate::config::message::{Host, Message, Observation, Question, Reading};
use crate::config::rules::Rules;
use crate::config::switch::Switch;

/// How a process gets its configuration.
#[derive(Clone, Copy, Debug)]
pub struct PullSetup {
    /// Where the versions are.
    pub store: NodeId,
    /// The cache between, if there is one.
    pub cache: Option<CacheSetup>,
    /// Every version is published at least that long before its start.
    pub lead: Span,
    /// How long the process keeps what it read before it reads again.
    pub poll_every: Span,
}

/// Which cache is asked.
#[derive(Clone, Copy, Debug)]
pub struct CacheSetup {
    /// Where answers are set.
    pub primary: NodeId,
    /// Where they are read: the primary, or its replica.
    pub reads: NodeId,
    /// How long they are kept there.
    pub ttl: Span,
}

/// The one thing that is cached.
pub const VERSIONS: CacheKey = CacheKey(0);

/// A cache that is silent for so long is passed by.
const CACHE_TIMEOUT: Span = Span::from_ms(200);

/// A question to the cache on its way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: MonotonicTime,
    stamp: LocalTime,
}

/// The part of a process that pulls the configuration.
#[derive(Clone, Debug)]
pub struct Puller {
    rules: Rules,
    setup: PullSetup,
    pub(super) switch: Switch,
    polled_at: Option<MonotonicTime>,
    asked: Option<Asked>,
    reads: u64,
}

impl Puller {
    /// A process without any configuration yet.
    #[must_use]
    pub const fn new(rules: Rules, setup: PullSetup) -> Self {
        Self { rules, setup, switch: Switch::new(rules), polled_at: None, asked: None, reads: 0 }
    }

    /// Begins with what survived on disk, and asks.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &Context<'_>, fx: &mut Effects<N>) {
        self.switch.start(disk, context, fx);
        self.poll(context, fx);
    }

    /// Asks again if it is time, and the store if the cache is silent.
    pub fn tick<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        let has_passed = |since: MonotonicTime, span: Span| context.monotonic().since(since) >= span;
        if self.polled_at.is_none_or(|polled| has_passed(polled, self.setup.poll_every)) {
            self.poll(context, fx);
        } else if self.asked.is_some_and(|asked| has_passed(asked.at, CACHE_TIMEOUT)) {
            self.read(context, fx);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &Context<'_>, fx: &mut Effects<N>) {
        match message {
            Message::Versions { question, versions, .. } => {
                let reading =
                    Reading { reader: context.id(), question: *question, versions: versions.clone() };
                self.learn(&reading, question.stamp, fx);
                if let Some(CacheSetup { primary, ttl, .. }) = self.setup.cache {
                    let set = CacheMessage::Set { key: VERSIONS, value: reading, ttl };
                    fx.send(primary, Message::Cache(set));
                }
            }
            Message::Cache(CacheMessage::Got { value: Some(reading), .. }) => {
                let asked = self.asked.take();
                let stamp = if self.rules.cached_stamp.is_taken() {
                    reading.question.stamp
                } else {
                    asked.map_or_else(|| self.switch.interval(context).earliest, |asked| asked.stamp)
                };
                self.learn(reading, stamp, fx);
            }
            Message::Cache(CacheMessage::Got { value: None, .. }) => self.read(context, fx),
            _ => {}
        }
    }

    /// The store said so to a question that was sent at `stamp` or later.
    fn learn<N: Host>(&mut self, reading: &Reading, stamp: LocalTime, fx: &mut Effects<N>) {
        self.switch.learn(&reading.versions);
        self.switch.verify_until(stamp + self.setup.lead);
        fx.observe(Observation::Learned { of: reading.reader, question: reading.question });
    }

    fn poll<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        self.polled_at = Some(context.monotonic());
        let Some(cache) = self.setup.cache else { return self.read(context, fx) };
        self.asked = Some(Asked { at: context.monotonic(), stamp: self.switch.interval(context).earliest });
        fx.send(cache.reads, Message::Cache(CacheMessage::Get { key: VERSIONS }));
    }

    fn read<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        self.asked = None;
        self.reads += 1;
        let question = Question { stamp: self.switch.interval(context).earliest, nonce: self.reads };
        fx.send(self.setup.store, Message::ReadVersions { question });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sim::node::SyncToken;

    use super::*;
    use crate::config::Member;
    use crate::config::message::{ConfigVersion, Payload, Record};
    use crate::config::switch::Ruling;
    use crate::ids::Version;
    use crate::probe::Probe;
    use crate::rules::Decisions as _;

    const LEAD: Span = Span::from_seconds(5);
    const STORE: NodeId = NodeId(0);
    const PRIMARY: NodeId = NodeId(3);
    const REPLICA: NodeId = NodeId(4);

    fn one_version() -> Arc<[ConfigVersion]> {
        let payload = Payload { limit: 1, delay: Span::ZERO, include_mood: false };
        [ConfigVersion { version: Version(1), start_at: LocalTime::ZERO, payload }].into()
    }

    fn started(rules: Rules, cache: bool) -> (Puller, Probe<Member>) {
        let ttl = Span::from_seconds(1);
        let cache = cache.then_some(CacheSetup { primary: PRIMARY, reads: REPLICA, ttl });
        let setup = PullSetup { store: STORE, cache, lead: LEAD, poll_every: ttl };
        let (mut puller, mut probe) = (Puller::new(rules, setup), Probe::new(Span::from_ms(10)));
        probe.wait(Span::from_seconds(2));
        probe.ask(|context, fx| puller.start(&[], context, fx));
        (puller, probe)
    }

    fn sent(probe: &mut Probe<Member>) -> Vec<(NodeId, &'static str)> {
        let done = probe.done();
        done.sent.iter().map(|(to, message)| (*to, sim::node::Message::name(message))).collect()
    }

    /// Whether the process may still work so long after the start, when the store read was that of 1 s, and cached.
    fn is_verified_after(rules: Rules, span: Span) -> bool {
        let (mut puller, mut probe) = started(rules, true);
        let question = Question { stamp: LocalTime::ZERO + Span::from_seconds(1), nonce: 1 };
        let reading = Reading { reader: NodeId(8), question, versions: one_version() };
        let got = Message::Cache(CacheMessage::Got { key: VERSIONS, value: Some(reading) });
        probe.ask(|context, fx| puller.message(&got, context, fx));
        probe.wait(span);
        probe.ask(|context, fx| puller.switch.rule(context, fx)) != Ruling::Unverified
    }

    #[test]
    fn a_cached_answer_keeps_the_time_of_its_store_read() {
        for (rules, want) in [(Rules::hardened(), false), (Rules::mutant("cache-renews-lease"), true)] {
            assert!(is_verified_after(rules, Span::from_ms(3_989)));
            assert_eq!(is_verified_after(rules, Span::from_ms(3_990)), want);
        }
    }

    #[test]
    fn a_miss_is_read_at_the_store_and_set_in_the_primary() {
        let (mut puller, mut probe) = started(Rules::hardened(), true);
        assert_eq!(sent(&mut probe), [(REPLICA, "get")]);
        let miss = Message::Cache(CacheMessage::Got { key: VERSIONS, value: None });
        probe.ask(|context, fx| puller.message(&miss, context, fx));
        let done = probe.done();
        let [(STORE, Message::ReadVersions { question })] = done.sent.as_slice() else {
            panic!("{:?}", done.sent)
        };
        let answer = Message::Versions { question: *question, versions: one_version(), proposed: None };
        probe.ask(|context, fx| puller.message(&answer, context, fx));
        assert_eq!(sent(&mut probe), [(PRIMARY, "set")]);
    }

    #[test]
    fn a_silent_cache_is_passed_by() {
        let (mut puller, mut probe) = started(Rules::hardened(), true);
        sent(&mut probe);
        probe.wait(CACHE_TIMEOUT);
        for want in [vec![(STORE, "read-versions")], vec![]] {
            probe.ask(|context, fx| puller.tick(context, fx));
            assert_eq!(sent(&mut probe), want);
        }
    }

    #[test]
    fn without_a_cache_the_store_is_read_as_often_as_the_process_keeps_what_it_read() {
        let (mut puller, mut probe) = started(Rules::hardened(), false);
        assert_eq!(sent(&mut probe), [(STORE, "read-versions")]);
        for (wait, want) in [(999, vec![]), (1, vec![(STORE, "read-versions")])] {
            probe.wait(Span::from_ms(wait));
            probe.ask(|context, fx| puller.tick(context, fx));
            assert_eq!(sent(&mut probe), want);
        }
    }

    #[test]
    fn a_mark_is_told_from_other_syncs() {
        let (mut puller, mut probe) = started(Rules::hardened(), false);
        probe.ask(|context, fx| puller.start(&[Record::Mark(Version(1))], context, fx));
        let token = probe.done().synced[0];
        assert!(!puller.switch.synced(SyncToken(99)));
        assert!(puller.switch.synced(token));
    }
}
