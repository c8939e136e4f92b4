//! The log of all channels: gives every message its place, makes it durable, then tells everybody.
//!
//! ```text
//!   store ──► known key? ──no──► place, disk ──► sync ──► acknowledged, published to who listens
//!                └──yes──────────────────────────┘
//!   fetch ──► what is durable, from an offset on
//! ```
//!
//! One sync covers everything written before it. What is not durable is shown to nobody; what a restart found neither,
//! until it is synced. A message's key is its place in the index for ever, so it outlives every retry and every delayed
//! message. Source: J. Kreps, "The Log", 2013; idempotent producers as in Kafka (KIP-98), by key instead of sequence.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use super::Fx;
use super::message::{Message, Notice, Observation, Post, Record};
use super::rules::Rules;
use crate::broker::{Published, ToBroker};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::{ChannelId, Offset, RequestKey};

const SYNC_RETRY: TimerKey = TimerKey(0);
const TICK: TimerKey = TimerKey(1);
/// How often a log that listens to the broker renews its subscriptions.
const TICK_EVERY: Span = Span::from_ms(500);
/// Messages in one answer to a node.
const CHUNK_MAX: usize = 512;

/// What the log may hold, and who passes its messages on.
#[derive(Clone, Copy, Debug)]
pub struct KeeperSetup {
    /// The broker.
    pub broker: NodeId,
    /// Channels are numbered below this.
    pub channel_count: u32,
    /// Messages of one channel, at most.
    pub messages_max: usize,
}

#[derive(Clone, Debug, Default)]
struct Channel {
    /// At most `messages_max`.
    messages: Vec<RequestKey>,
    /// How many of them are shown: a prefix.
    shown: usize,
    /// How many of them a start found on disk.
    found: usize,
}

/// What waits until it is durable.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// What a restart found.
    Recovered,
    /// A message to be shown.
    Message(ChannelId),
    /// An acknowledgement.
    Answer { post: Post, position: Offset },
}

/// Whether a log may name its tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has yet to make durable what it found.
    Recovering,
    /// Everything it shows is durable.
    Serving,
}

/// The log node.
#[derive(Clone, Debug)]
pub struct Keeper {
    rules: Rules,
    setup: KeeperSetup,
    channels: BTreeMap<ChannelId, Channel>,
    /// Where each message first stood.
    places: BTreeMap<RequestKey, Offset>,
    disk: DiskLog<Record, Waiting>,
    standing: Standing,
}

impl Keeper {
    /// An empty log.
    #[must_use]
    pub const fn new(rules: Rules, setup: KeeperSetup) -> Self {
        Self {
            rules,
            setup,
            channels: BTreeMap::new(),
            places: BTreeMap::new(),
            disk: DiskLog::new(SYNC_RETRY),
            standing: Standing::Recovering,
        }
    }

    /// Begins with what survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        let found: Vec<Record> = self.disk.records().to_vec();
        for record in found {
            match record {
                Record::Message { channel, request } => {
                    self.place(channel, request);
                }
                Record::Format(_) => {}
            }
        }
        self.channels.values_mut().for_each(|channel| channel.found = channel.messages.len());
        self.wait(Waiting::Recovered, fx);
        self.tick(fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, fx: &mut Fx) {
        match message {
            Message::Store(post) => self.store(post, fx),
            Message::Published(Published { content: Notice::Post(post), .. }) => self.store(post, fx),
            Message::Fetch { channel, from: offset } => self.fetch(from, channel, offset, fx),
            Message::Published(Published { content: Notice::Entries { .. }, .. })
            | Message::Ask(_)
            | Message::Answer(_)
            | Message::Stored { .. }
            | Message::Fetched { .. }
            | Message::Broker(_) => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == SYNC_RETRY { self.disk.timer(fx) } else { self.tick(fx) }
    }

    /// A sync is done: what it covers is shown and acknowledged.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        let released = self.disk.synced(token, fx);
        self.release(&released, fx);
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.disk.sync_failed(token, fx);
    }

    /// A log beside the nodes hears what they hear, while it is connected.
    fn tick(&self, fx: &mut Fx) {
        if self.rules.log_first.is_taken() {
            return;
        }
        for channel in (0..self.setup.channel_count).map(ChannelId) {
            fx.send(self.setup.broker, Message::Broker(ToBroker::Subscribe(channel)));
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    fn store(&mut self, post: Post, fx: &mut Fx) {
        let Post { channel, request, .. } = post;
        if channel.0 >= self.setup.channel_count {
            return;
        }
        let known = self.places.get(&request).filter(|_| self.rules.request_key.is_taken());
        if let Some(place) = known.copied() {
            return self.wait(Waiting::Answer { post, position: place.next() }, fx);
        }
        let is_full = self.channels.entry(channel).or_default().messages.len() >= self.setup.messages_max;
        if is_full {
            return fx.send(post.node, Message::Stored { post, position: None });
        }
        let place = self.place(channel, request);
        if self.rules.durable_log.is_taken() {
            self.disk.append(Record::Message { channel, request }, fx);
        }
        self.wait(Waiting::Message(channel), fx);
        self.wait(Waiting::Answer { post, position: place.next() }, fx);
    }

    /// Puts a message behind the others of its channel.
    fn place(&mut self, channel: ChannelId, request: RequestKey) -> Offset {
        let messages = &mut self.channels.entry(channel).or_default().messages;
        let place = Offset(messages.len() as u64);
        messages.push(request);
        self.places.entry(request).or_insert(place);
        place
    }

    /// Releases `waiting` once everything so far is durable.
    fn wait(&mut self, waiting: Waiting, fx: &mut Fx) {
        let waits_for_sync = self.rules.sync_before_answer.is_taken();
        let released = if waits_for_sync { self.disk.hold(waiting) } else { Some(waiting) };
        self.release(released.as_slice(), fx);
    }

    fn release(&mut self, released: &[Waiting], fx: &mut Fx) {
        let shown = |channels: &BTreeMap<ChannelId, Channel>| -> Vec<(ChannelId, usize)> {
            channels.iter().map(|(channel, state)| (*channel, state.shown)).collect()
        };
        let before = shown(&self.channels);
        for waiting in released {
            match waiting {
                Waiting::Recovered => {
                    // What came since waits for a sync of its own.
                    self.channels.values_mut().for_each(|channel| channel.shown = channel.found);
                    self.standing = Standing::Serving;
                }
                Waiting::Message(channel) => self.channels.entry(*channel).or_default().shown += 1,
                Waiting::Answer { post, position } => {
                    fx.send(post.node, Message::Stored { post: *post, position: Some(*position) });
                }
            }
        }
        for (channel, before) in before {
            self.publish(channel, before, fx);
        }
    }

    /// Tells everybody of the messages shown since `before`.
    fn publish(&self, id: ChannelId, before: usize, fx: &mut Fx) {
        let Some(channel) = self.channels.get(&id).filter(|channel| channel.shown > before) else { return };
        assert!(channel.shown <= channel.messages.len(), "only what is there is shown");
        let entries: Arc<[RequestKey]> = channel.messages[before..channel.shown].into();
        let (from, tail) = (Offset(before as u64), Offset(channel.shown as u64));
        fx.observe(Observation::Logged { channel: id, from, entries: Arc::clone(&entries) });
        if self.rules.log_first.is_taken() {
            let content = Notice::Entries { from, entries, tail };
            let published = Published { topic: id, content };
            fx.send(self.setup.broker, Message::Broker(ToBroker::Publish(published)));
        }
    }

    fn fetch(&self, to: NodeId, id: ChannelId, offset: Offset, fx: &mut Fx) {
        if self.standing == Standing::Recovering || id.0 >= self.setup.channel_count {
            return;
        }
        let shown = self.channels.get(&id).map_or(&[][..], |channel| &channel.messages[..channel.shown]);
        let first = usize::try_from(offset.0).map_or(shown.len(), |first| first.min(shown.len()));
        let last = shown.len().min(first + CHUNK_MAX);
        let entries = shown[first..last].into();
        let (from, tail) = (Offset(first as u64), Offset(shown.len() as u64));
        fx.send(to, Message::Fetched { channel: id, from, entries, tail });
    }
}

#[cfg(test)]
mod tests;
