//! A service node: membership, the slots it owns, its configuration, and a replica for reads.

use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::client::Ask;
use crate::config::delivery::Delivery;
use crate::config::message::{Observation as ConfigSeen, Used};
use crate::config::switch::Ruling;
use crate::counter::membership::Membership;
use crate::counter::owner::{Appended, Limit, Limits, Owner, Question};
use crate::ids::{SlotId, Version};
use crate::message::{Answer, Ground, Message, Observation, Record};
use crate::replication::replica::{Batch, Replica};

const TICK: TimerKey = TimerKey(0);
const TICK_EVERY: Span = Span::from_ms(50);
const HEARTBEAT_EVERY: Span = Span::from_ms(200);

/// Where a service node finds the others.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// This node.
    pub me: NodeId,
    /// All service nodes, in order.
    pub services: Arc<[NodeId]>,
    /// The journal.
    pub log: NodeId,
    /// How many slots there are.
    pub slot_count: u32,
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Service {
    rules: Rules,
    slot_count: u32,
    membership: Membership,
    owner: Owner,
    delivery: Delivery,
    replica: Replica,
    beaten_at: Option<MonotonicTime>,
}

/// The configuration as the source of limits, at one instant.
struct ScheduledLimits<'a, 'c> {
    delivery: &'a mut Delivery,
    context: &'a Context<'c>,
}

impl Limits for ScheduledLimits<'_, '_> {
    fn ground(&mut self, seen: Version, fx: &mut Fx) -> Limit {
        let ruling = self.delivery.switch().rule(self.context, fx);
        let limit = match ruling {
            Ruling::Use(version) if version.version >= seen => {
                Limit::InForce(Ground { limit: version.payload.limit, version: version.version })
            }
            // The smaller limit is right under both versions; the slot's versions do not fall.
            Ruling::Stricter { older, newer } if newer.version >= seen => Limit::InForce(Ground {
                limit: older.payload.limit.min(newer.payload.limit),
                version: older.version.max(seen),
            }),
            Ruling::Switching => return Limit::Soon,
            Ruling::Use(_)
            | Ruling::Stricter { .. }
            | Ruling::Missing
            | Ruling::Unverified
            | Ruling::Undone => Limit::None,
        };
        let used = if limit == Limit::None { Used::None } else { ruling.used() };
        let (local, interval) = (self.context.wall(), self.context.interval());
        fx.observe(ConfigSeen::Task { used, local, interval, batch: None });
        limit
    }
}

impl Service {
    /// A service node that knows nobody yet, and gets its limits by `delivery`.
    #[must_use]
    pub fn new(rules: Rules, setup: &ServiceSetup, delivery: Delivery) -> Self {
        Self {
            rules,
            slot_count: setup.slot_count,
            membership: Membership::new(rules, setup.me, Arc::clone(&setup.services)),
            owner: Owner::new(rules, setup.log),
            delivery,
            replica: Replica::new(rules, setup.log),
            beaten_at: None,
        }
    }

    /// Begins.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        self.delivery.start(disk, context, fx);
        self.replica.start(context, fx);
        self.beat(context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: Message, context: &mut Context<'_>, fx: &mut Fx) {
        match message {
            Message::Ask(Ask { request, call, .. }) => {
                self.ask(Question { client: from, request, call }, context, fx);
            }
            Message::Forward { client, request, call } => {
                self.own(Question { client, request, call }, context, fx);
            }
            Message::Heartbeat { placement } => {
                self.membership.hear(from, &placement, context.monotonic());
                self.keep_own(context, fx);
            }
            Message::Opened { slot, nonce, epoch, events } => {
                self.owner.opened(slot, nonce, epoch, &events);
                self.pump_slot(slot, context, fx);
            }
            Message::Appended { slot, epoch, number, expected } => {
                self.owner.appended(Appended { slot, epoch, number, expected }, fx);
                self.pump_slot(slot, context, fx);
            }
            Message::Refused { slot, epoch } => self.owner.refused(slot, epoch, fx),
            Message::Entries { from, entries, tail, nonce } => {
                let batch = Batch { from, entries: &entries, tail, nonce };
                self.replica.entries(&batch, context.monotonic(), fx);
            }
            Message::Config(message) => self.delivery.message(&message, context, fx),
            _ => {}
        }
    }

    /// The one timer ran out: everything that is due.
    pub fn timer(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        let now = context.monotonic();
        if self.beaten_at.is_none_or(|beaten| now.since(beaten) >= HEARTBEAT_EVERY) {
            self.beat(context, fx);
        }
        self.keep_own(context, fx);
        self.delivery.tick(context, fx);
        self.replica.tick(now, fx);
        self.owner.tick(context, fx);
        self.pump_all(context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: the switch it marks may be used.
    pub fn synced(&mut self, token: SyncToken, context: &Context<'_>, fx: &mut Fx) {
        if self.delivery.switch().synced(token) {
            self.pump_all(context, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken) {
        self.delivery.switch().sync_failed(token);
    }

    fn ask(&mut self, question: Question, context: &mut Context<'_>, fx: &mut Fx) {
        let Some(slot) = question.call.slot() else {
            question.answer(self.replica.overview(), fx);
            return;
        };
        match self.membership.owner(slot) {
            _ if slot.0 >= self.slot_count => question.answer(Answer::UnknownSlot, fx),
            Some(owner) if owner != context.id() => {
                let Question { client, request, call } = question;
                fx.send(owner, Message::Forward { client, request, call });
            }
            Some(_) => self.own(question, context, fx),
            None => question.answer(Answer::Unavailable, fx),
        }
    }

    fn own(&mut self, question: Question, context: &mut Context<'_>, fx: &mut Fx) {
        let slot = question.call.slot().filter(|slot| self.may_own(*slot, context));
        if let Some(slot) = slot {
            self.owner.ask(slot, question, context, fx);
            self.pump_slot(slot, context, fx);
        } else {
            question.answer(Answer::Unavailable, fx);
        }
    }

    fn may_own(&self, slot: SlotId, context: &Context<'_>) -> bool {
        self.membership.owner(slot) == Some(context.id()) && self.may_serve(context)
    }

    fn may_serve(&self, context: &Context<'_>) -> bool {
        self.membership.has_quorum(context.monotonic()) || !self.rules.minority_stops.is_taken()
    }

    fn beat(&mut self, context: &Context<'_>, fx: &mut Fx) {
        self.beaten_at = Some(context.monotonic());
        self.membership.place(context.monotonic());
        for peer in self.membership.peers() {
            fx.send(peer, Message::Heartbeat { placement: self.membership.placement().clone() });
        }
    }

    /// Gives up what belongs to others now, or everything in a minority.
    fn keep_own(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let (membership, me) = (&self.membership, context.id());
        let may_serve = self.may_serve(context);
        self.owner.retain(|slot| may_serve && membership.owner(slot) == Some(me), fx);
    }

    fn pump_slot(&mut self, slot: SlotId, context: &Context<'_>, fx: &mut Fx) {
        let mut limits = ScheduledLimits { delivery: &mut self.delivery, context };
        self.owner.pump_slot(slot, &mut limits, context, fx);
        self.go_on(context, fx);
    }

    fn pump_all(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let mut limits = ScheduledLimits { delivery: &mut self.delivery, context };
        self.owner.pump(&mut limits, context, fx);
        self.go_on(context, fx);
    }

    /// In a minority that does not stop, the journal is out of sight: the answers come from memory.
    fn go_on(&mut self, context: &Context<'_>, fx: &mut Fx) {
        if !self.rules.minority_stops.is_taken() && !self.membership.has_quorum(context.monotonic()) {
            self.owner.go_on_from_memory(fx);
        }
    }
}
