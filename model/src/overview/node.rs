//! A node: the slots it owns, on its disk, and its view of everybody's.

use std::collections::{BTreeMap, BTreeSet};

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::view::{Heard, View};
use super::{Answer, Call, Entry, Feed, Fx, Message, Observation, Place, Record, Rules, Shape};
use crate::client::{Ask, Reply};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::{RequestKey, SlotId};

const BEAT: TimerKey = TimerKey(0);
const GOSSIP: TimerKey = TimerKey(1);
const RETRY: TimerKey = TimerKey(2);
const BEAT_EVERY: Span = Span::from_ms(200);
/// A peer not heard for this long counts as dead.
const SILENCE_MAX: Span = Span::from_ms(1_000);
/// A view is shown after so many heartbeats.
const BEATS_PER_SHOW: u64 = 10;

/// What waits until it is durable.
#[derive(Clone, Copy, Debug)]
enum Waiting {
    /// The life has begun.
    Begun,
    /// A change, and who asked for it.
    Set { slot: SlotId, entry: Entry, client: NodeId, request: RequestKey },
}

/// A node that owns slots, and has a view of all.
#[derive(Clone, Debug)]
pub struct Viewer {
    rules: Rules,
    me: NodeId,
    shape: Shape,
    disk: DiskLog<Record, Waiting>,
    /// What it has written of its own slots, durable or not.
    own: BTreeMap<SlotId, Entry>,
    /// Its own stream; life 0 until the life is durable.
    place: Place,
    life: u64,
    view: View,
    /// The changes that were asked for: a repeated one changes nothing.
    answered: BTreeSet<RequestKey>,
    heard: Vec<Option<MonotonicTime>>,
    beats: u64,
    /// When the next round of gossip is due, once there was one.
    gossip_due: Option<MonotonicTime>,
}

impl Viewer {
    /// A node that has not begun yet.
    #[must_use]
    pub fn new(rules: Rules, me: NodeId, shape: Shape) -> Self {
        Self {
            rules,
            me,
            shape,
            disk: DiskLog::new(RETRY),
            own: BTreeMap::new(),
            place: Place::default(),
            life: 0,
            view: View::new(rules, shape),
            answered: BTreeSet::new(),
            heard: vec![None; shape.node_count as usize],
            beats: 0,
            gossip_due: None,
        }
    }

    /// Begins: a new life, with the own slots as they are on disk.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.disk.records() {
            match record {
                Record::Life(life) => self.life = *life,
                Record::Set(slot, entry, request) => {
                    self.own.insert(*slot, *entry);
                    self.answered.insert(*request);
                }
                Record::Format(_) => {}
            }
        }
        self.life += 1;
        self.disk.append(Record::Life(self.life), fx);
        self.hold(Waiting::Begun, fx);
        fx.set_timer(BEAT, BEAT_EVERY);
        if self.shape.feed == Feed::Gossip {
            fx.set_timer(GOSSIP, self.shape.gossip_every);
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &Context<'_>, fx: &mut Fx) {
        if let Some(heard) = self.heard.get_mut(from.index()) {
            *heard = Some(context.monotonic());
        }
        match message {
            Message::Ask(ask) => self.ask(from, ask, context, fx),
            Message::Forward { client, ask } => self.change(client, ask, context, fx),
            Message::Heartbeat { place } => {
                if self.rules.stream_compared.is_taken()
                    && self.is_broadcast()
                    && self.view.is_behind(from, place)
                {
                    fx.send(from, Message::Resync);
                }
            }
            Message::Update { place, slot, entry } => {
                if self.view.update(from, place, (slot, entry), fx) == Heard::Gap {
                    fx.send(from, Message::Resync);
                }
            }
            Message::Resync if self.place.life > 0 => {
                let own = self.view.iter().filter(|(slot, _)| self.shape.owner(*slot) == self.me);
                fx.send(from, Message::Whole { place: self.place, entries: own.collect() });
            }
            Message::Whole { place, entries } => self.view.whole(from, place, &entries, fx),
            Message::Gossip { slot, entry } => self.view.take(slot, entry, fx),
            Message::Round { life } => self.view.whole(from, Place { life, number: 0 }, &[], fx),
            Message::Resync | Message::Answer(_) => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Fx) {
        match key {
            RETRY => self.disk.timer(fx),
            GOSSIP => self.gossip(context, fx),
            _ => self.beat(fx),
        }
    }

    /// A sync is done: what waited for it is told.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.disk.synced(token, fx) {
            self.settle(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.disk.sync_failed(token, fx);
    }

    fn is_broadcast(&self) -> bool {
        self.shape.feed == Feed::Broadcast
    }

    fn peers(&self) -> impl Iterator<Item = NodeId> + use<> {
        let me = self.me;
        (0..self.shape.node_count).map(NodeId).filter(move |node| *node != me)
    }

    fn ask(&mut self, client: NodeId, ask: Ask<Call>, context: &Context<'_>, fx: &mut Fx) {
        let slot = ask.call.slot();
        let answer = match ask.call {
            _ if slot.0 >= self.shape.slot_count => Answer::UnknownSlot,
            _ if !self.has_quorum(context) => Answer::Unavailable,
            Call::Change { .. } if self.shape.owner(slot) == self.me => {
                return self.change(client, ask, context, fx);
            }
            Call::Change { .. } => return fx.send(self.shape.owner(slot), Message::Forward { client, ask }),
            Call::Read { .. } => self.view.get(slot).map_or(Answer::Unavailable, Answer::Known),
        };
        fx.send(client, Message::Answer(Reply { request: ask.request, answer }));
    }

    /// Whether it hears most of the nodes: an inbox that is too long makes it deaf, too.
    fn has_quorum(&self, context: &Context<'_>) -> bool {
        let is_heard = |heard: &&Option<MonotonicTime>| {
            heard.is_some_and(|at| context.monotonic().since(at) < SILENCE_MAX)
        };
        let others = self.heard.iter().filter(is_heard).count();
        others + 1 > self.shape.node_count as usize / 2
    }

    fn change(&mut self, client: NodeId, ask: Ask<Call>, context: &Context<'_>, fx: &mut Fx) {
        let (request, Call::Change { slot, value }) = (ask.request, ask.call) else { return };
        if self.place.life == 0 || !self.has_quorum(context) {
            return fx.send(client, Message::Answer(Reply { request, answer: Answer::Unavailable }));
        }
        if !self.answered.insert(request) {
            if self.disk.is_durable() {
                fx.send(client, Message::Answer(Reply { request, answer: Answer::Changed }));
            }
            return;
        }
        let version = self.own.get(&slot).map_or(0, |entry| entry.version) + 1;
        let entry = Entry { version, value };
        self.own.insert(slot, entry);
        self.disk.append(Record::Set(slot, entry, request), fx);
        self.hold(Waiting::Set { slot, entry, client, request }, fx);
    }

    /// Keeps `waiting` until everything written is durable.
    fn hold(&mut self, waiting: Waiting, fx: &mut Fx) {
        if self.rules.durable_first.is_taken() {
            if let Some(waiting) = self.disk.hold(waiting) {
                self.settle(waiting, fx);
            }
        } else {
            self.settle(waiting, fx);
        }
    }

    fn settle(&mut self, waiting: Waiting, fx: &mut Fx) {
        match waiting {
            Waiting::Begun => {
                self.place = Place { life: self.life, number: 0 };
                let own: Vec<_> = self.own.iter().map(|(slot, entry)| (*slot, *entry)).collect();
                for (slot, entry) in own.iter().copied() {
                    // The crash may have come between durable and told.
                    fx.observe(Observation::Set { slot, entry });
                }
                self.view.whole(self.me, self.place, &own, fx);
            }
            Waiting::Set { slot, entry, client, request } => {
                fx.observe(Observation::Set { slot, entry });
                self.place.number += 1;
                self.view.whole(self.me, self.place, &[(slot, entry)], fx);
                if self.is_broadcast() {
                    for peer in self.peers() {
                        fx.send(peer, Message::Update { place: self.place, slot, entry });
                    }
                }
                fx.send(client, Message::Answer(Reply { request, answer: Answer::Changed }));
            }
        }
    }

    fn beat(&mut self, fx: &mut Fx) {
        self.beats += 1;
        for peer in self.peers() {
            fx.send(peer, Message::Heartbeat { place: self.place });
        }
        if self.beats.is_multiple_of(BEATS_PER_SHOW) {
            let entries =
                self.view.iter().filter(|(slot, entry)| entry.version > 0 && self.view.get(*slot).is_some());
            fx.observe(Observation::Shows { entries: entries.collect() });
        }
        fx.set_timer(BEAT, BEAT_EVERY);
    }

    /// Sends all it knows. The rounds keep their rate however late this one is: an overloaded node does not slow down.
    fn gossip(&mut self, context: &Context<'_>, fx: &mut Fx) {
        for peer in self.peers() {
            for (slot, entry) in self.view.iter() {
                fx.send(peer, Message::Gossip { slot, entry });
            }
            if self.place.life > 0 {
                fx.send(peer, Message::Round { life: self.place.life });
            }
        }
        let due = self.gossip_due.unwrap_or(context.monotonic()) + self.shape.gossip_every;
        self.gossip_due = Some(due);
        let now = context.monotonic();
        fx.set_timer(GOSSIP, if due > now { due.since(now) } else { Span::ZERO });
    }
}
