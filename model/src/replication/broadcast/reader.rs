//! A service node: passes messages on to the log, holds all messages of the channels that are asked for, and serves reads.
//!
//! ```text
//!   post ──► log ──► stored ──► acknowledged
//!   read ──► subscribed? ──no──► connect, fetch the backlog
//!               └─yes──► as far as the session has been? ──no──► wait, ask the log
//!                              └─yes──► answered from the copy
//! ```
//!
//! The copy is in memory: who starts again begins again. A node subscribes to a channel when it is first asked for it,
//! and drops it when it is told to; then the channel begins anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::{Context, NodeId, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::Fx;
use super::message::{Answer, Call, Mark, Message, Notice, Observation, Post, Request};
use super::rules::Rules;
use crate::broker::{Published, ToBroker};
use crate::client::{Ask, Reply};
use crate::ids::{ChannelId, Offset, RequestKey};
use crate::replication::follower::{Follower, Taken};

const TICK: TimerKey = TimerKey(0);
/// How often subscriptions are renewed at the broker, and the log is asked for what may be missing.
const TICK_EVERY: Span = Span::from_ms(400);
/// A gap is asked about at most this often.
const GAP_ASK_EVERY: Span = Span::from_ms(20);
/// Reads that may wait on one channel.
const WAITING_MAX: usize = 1024;

/// Where a service node finds the others.
#[derive(Clone, Copy, Debug)]
pub struct ReaderSetup {
    /// This node.
    pub me: NodeId,
    /// The log.
    pub log: NodeId,
    /// The broker.
    pub broker: NodeId,
    /// Channels are numbered below this.
    pub channel_count: u32,
}

/// Whether a node serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Serving,
    Left,
}

/// How far a subscription is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backlog {
    /// The log has yet to say what there was.
    Missing,
    /// All of that is here.
    Read,
}

/// One channel's copy.
#[derive(Clone, Debug)]
struct Copy {
    follower: Follower,
    backlog: Backlog,
    /// Reads that wait until the copy is that long; at most [`WAITING_MAX`].
    waiting: BTreeMap<(NodeId, RequestKey), Offset>,
}

/// Messages of a channel from the log.
#[derive(Clone, Copy, Debug)]
struct Batch<'a> {
    channel: ChannelId,
    from: Offset,
    entries: &'a Arc<[RequestKey]>,
    tail: Offset,
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Reader {
    rules: Rules,
    setup: ReaderSetup,
    standing: Standing,
    /// At most `channel_count`.
    copies: BTreeMap<ChannelId, Copy>,
}

impl Reader {
    /// A node that is subscribed to nothing.
    #[must_use]
    pub const fn new(rules: Rules, setup: ReaderSetup) -> Self {
        Self { rules, setup, standing: Standing::Serving, copies: BTreeMap::new() }
    }

    /// Begins.
    pub fn start(&self, fx: &mut Fx) {
        fx.observe(Observation::Started);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &Context<'_>, fx: &mut Fx) {
        let now = context.monotonic();
        match message {
            Message::Ask(ask) => self.ask(from, &ask, now, fx),
            Message::Stored { post, position } => {
                let answer = position.map_or(Answer::Full, |at| Answer::Posted { position: Some(at) });
                if self.rules.log_before_answer.is_taken() {
                    answer_to(post.client, post.request, answer, fx);
                }
            }
            Message::Fetched { channel, from, entries, tail } => {
                let batch = Batch { channel, from, entries: &entries, tail };
                self.entries(&batch, now, fx);
                self.backlog_read(&batch, fx);
            }
            Message::Published(Published { topic, content }) => match content {
                Notice::Entries { from, entries, tail } => {
                    self.entries(&Batch { channel: topic, from, entries: &entries, tail }, now, fx);
                }
                Notice::Post(post) => self.unplaced(topic, post.request, fx),
            },
            Message::Answer(_) | Message::Store(_) | Message::Fetch { .. } | Message::Broker(_) => {}
        }
    }

    /// The workload asks.
    pub fn request(&mut self, request: Request, fx: &mut Fx) {
        match request {
            Request::Unsubscribe { channel } => self.unsubscribe(channel, fx),
            Request::Leave => {
                self.standing = Standing::Left;
                let channels: Vec<_> = self.copies.keys().copied().collect();
                channels.into_iter().for_each(|channel| self.unsubscribe(channel, fx));
            }
            Request::Join => self.standing = Standing::Serving,
            Request::Operation(_) => {}
        }
    }

    /// The timer ran out: subscriptions are renewed, what may be missing is asked for.
    pub fn timer(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let channels: Vec<_> = self.copies.keys().copied().collect();
        for channel in channels {
            let backlog = self.copies[&channel].backlog;
            if self.rules.connected_first.is_taken() || backlog == Backlog::Read {
                self.tell_broker(ToBroker::Subscribe(channel), fx);
            }
            if self.rules.resync.is_taken() || backlog == Backlog::Missing {
                self.fetch(channel, context.monotonic(), fx);
            }
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    fn ask(&mut self, client: NodeId, ask: &Ask<Call>, now: MonotonicTime, fx: &mut Fx) {
        let Ask { request, call, mark } = ask;
        let (request, channel) = (*request, call.channel());
        if channel.0 >= self.setup.channel_count {
            return answer_to(client, request, Answer::UnknownChannel, fx);
        }
        if self.standing == Standing::Left {
            return answer_to(client, request, Answer::Unavailable, fx);
        }
        match call {
            Call::Post { .. } => self.post(client, request, channel, fx),
            Call::Read { .. } => {
                let seen = self.floor(channel, mark);
                self.subscribe(channel, now, fx);
                self.read(channel, (client, request), seen, fx);
                self.ask_if_behind(channel, seen, now, fx);
            }
        }
    }

    fn post(&self, client: NodeId, request: RequestKey, channel: ChannelId, fx: &mut Fx) {
        let post = Post { node: self.setup.me, client, request, channel };
        if self.rules.log_first.is_taken() {
            fx.send(self.setup.log, Message::Store(post));
        } else {
            let published = Published { topic: channel, content: Notice::Post(post) };
            self.tell_broker(ToBroker::Publish(published), fx);
        }
        if !self.rules.log_before_answer.is_taken() {
            answer_to(client, request, Answer::Posted { position: None }, fx);
        }
    }

    /// How far the copy must be before this session may read it.
    fn floor(&self, channel: ChannelId, mark: &Mark) -> Offset {
        let of = |marks: &BTreeMap<ChannelId, Offset>| marks.get(&channel).copied().unwrap_or_default();
        let read = if self.rules.offset_carried.is_taken() { of(&mark.read) } else { Offset(0) };
        let written = if self.rules.own_offset_awaited.is_taken() { of(&mark.written) } else { Offset(0) };
        read.max(written)
    }

    /// Answers from the copy, or lets the read wait.
    fn read(
        &mut self,
        channel: ChannelId,
        (client, request): (NodeId, RequestKey),
        seen: Offset,
        fx: &mut Fx,
    ) {
        let Some(copy) = self.copies.get_mut(&channel) else { return };
        let position = copy.follower.applied();
        if copy.backlog == Backlog::Read && position >= seen {
            answer_to(client, request, Answer::Messages { position }, fx);
        } else if copy.waiting.len() < WAITING_MAX {
            copy.waiting.insert((client, request), seen);
        } else {
            answer_to(client, request, Answer::Unavailable, fx);
        }
    }

    fn subscribe(&mut self, channel: ChannelId, now: MonotonicTime, fx: &mut Fx) {
        if self.copies.contains_key(&channel) {
            return;
        }
        fx.observe(Observation::Subscribed { channel });
        let (follower, waiting) = (Follower::default(), BTreeMap::new());
        self.copies.insert(channel, Copy { follower, backlog: Backlog::Missing, waiting });
        if self.rules.connected_first.is_taken() {
            self.tell_broker(ToBroker::Subscribe(channel), fx);
        }
        self.fetch(channel, now, fx);
    }

    fn unsubscribe(&mut self, channel: ChannelId, fx: &mut Fx) {
        let Some(copy) = self.copies.remove(&channel) else { return };
        fx.observe(Observation::Unsubscribed { channel });
        self.tell_broker(ToBroker::Unsubscribe(channel), fx);
        for (client, request) in copy.waiting.into_keys() {
            answer_to(client, request, Answer::Unavailable, fx);
        }
    }

    /// Messages with their places.
    fn entries(&mut self, batch: &Batch<'_>, now: MonotonicTime, fx: &mut Fx) {
        let Batch { channel, from, entries, tail } = *batch;
        let Some(copy) = self.copies.get_mut(&channel) else { return };
        match copy.follower.take(from, entries.len(), self.rules.gap_detection) {
            Taken::Gap | Taken::Nothing => {}
            Taken::News { from, known } => {
                let entries = if known == 0 { Arc::clone(entries) } else { entries[known..].into() };
                fx.observe(Observation::Applied { channel, from, entries });
                self.serve_waiting(channel, fx);
            }
        }
        self.ask_if_behind(channel, tail, now, fx);
    }

    /// A message without a place goes behind those that are here.
    fn unplaced(&mut self, channel: ChannelId, request: RequestKey, fx: &mut Fx) {
        let Some(copy) = self.copies.get_mut(&channel) else { return };
        let from = copy.follower.applied();
        copy.follower.take(from, 1, self.rules.gap_detection);
        fx.observe(Observation::Applied { channel, from, entries: Arc::new([request]) });
        self.serve_waiting(channel, fx);
    }

    /// The log has said what there is: once all of it is here, the copy may be read.
    fn backlog_read(&mut self, batch: &Batch<'_>, fx: &mut Fx) {
        let Some(copy) = self.copies.get_mut(&batch.channel) else { return };
        if copy.backlog == Backlog::Missing && copy.follower.applied() >= batch.tail {
            copy.backlog = Backlog::Read;
            if !self.rules.connected_first.is_taken() {
                self.tell_broker(ToBroker::Subscribe(batch.channel), fx);
            }
            self.serve_waiting(batch.channel, fx);
        }
    }

    fn serve_waiting(&mut self, channel: ChannelId, fx: &mut Fx) {
        let Some(copy) = self.copies.get_mut(&channel) else { return };
        let position = copy.follower.applied();
        if copy.backlog == Backlog::Missing {
            return;
        }
        copy.waiting.retain(|(client, request), seen| {
            if position >= *seen {
                answer_to(*client, *request, Answer::Messages { position }, fx);
            }
            position < *seen
        });
    }

    fn ask_if_behind(&mut self, channel: ChannelId, tail: Offset, now: MonotonicTime, fx: &mut Fx) {
        let Some(copy) = self.copies.get(&channel) else { return };
        let is_behind = tail > copy.follower.applied() && copy.follower.is_due(GAP_ASK_EVERY, now);
        let asks = self.rules.gap_detection.is_taken() || copy.backlog == Backlog::Missing;
        if is_behind && asks {
            self.fetch(channel, now, fx);
        }
    }

    fn fetch(&mut self, channel: ChannelId, now: MonotonicTime, fx: &mut Fx) {
        let Some(copy) = self.copies.get_mut(&channel) else { return };
        copy.follower.asks(now);
        fx.send(self.setup.log, Message::Fetch { channel, from: copy.follower.applied() });
    }

    fn tell_broker(&self, told: ToBroker<ChannelId, Notice>, fx: &mut Fx) {
        fx.send(self.setup.broker, Message::Broker(told));
    }
}

fn answer_to(client: NodeId, request: RequestKey, answer: Answer, fx: &mut Fx) {
    fx.send(client, Message::Answer(Reply { request, answer }));
}

#[cfg(test)]
mod tests;
