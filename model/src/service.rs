//! A service node: who decides about slots, its configuration, and a replica for reads.

use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::client::Ask;
use crate::config::delivery::Delivery;
use crate::config::message::{Observation as ConfigSeen, Used};
use crate::config::switch::Ruling;
use crate::counter::batch::{Limit, Limits, Question};
use crate::counter::decider::{Decider, Deciding};
use crate::counter::form;
use crate::counter::kinds::Kinds;
use crate::ids::{SlotId, Version};
use crate::message::{Answer, Call, Entry, Ground, Message, Observation, Record};
use crate::replication::following::Batch;
use crate::replication::log_nodes::LogNodes;
use crate::replication::replica::Replica;

const TICK: TimerKey = TimerKey(0);
const TICK_EVERY: Span = Span::from_ms(50);

/// Where a service node finds the others, and what it is made of.
#[derive(Clone, Debug)]
pub struct ServiceSetup {
    /// This node.
    pub me: NodeId,
    /// All service nodes, in order.
    pub services: Arc<[NodeId]>,
    /// The nodes of the journal.
    pub logs: Arc<[NodeId]>,
    /// How many slots there are.
    pub slot_count: u32,
    /// What each of them has, and whom it serves.
    pub kinds: Kinds,
    /// Who decides about them.
    pub deciding: Deciding,
    /// An owner tells the journal what a slot holds after so many durable events; 0 is never.
    pub snapshot_every: u32,
    /// Who knows where there is room, if anybody does.
    pub chooser: Option<NodeId>,
}

impl ServiceSetup {
    /// The journal as this node sees it.
    #[must_use]
    pub fn logs(&self) -> LogNodes {
        LogNodes::new(Arc::clone(&self.logs), self.me)
    }
}

/// The service node.
#[derive(Clone, Debug)]
pub struct Service {
    rules: Rules,
    slot_count: u32,
    chooser: Option<NodeId>,
    decider: Decider,
    delivery: Delivery,
    replica: Replica,
}

/// The configuration as the source of limits.
impl Limits for Delivery {
    fn ground(&mut self, seen: Version, context: &Context<'_>, fx: &mut Fx) -> Limit {
        let ruling = self.switch().rule(context, fx);
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
        let (local, interval) = (context.wall(), context.interval());
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
            chooser: setup.chooser,
            decider: Decider::new(rules, setup),
            delivery,
            replica: Replica::new(rules, setup.logs()),
        }
    }

    /// Begins.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        self.delivery.start(disk, context, fx);
        self.replica.start(context, fx);
        self.decider.start(context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, sender: NodeId, message: Message, context: &mut Context<'_>, fx: &mut Fx) {
        let Some(message) = form::message(sender, message, &self.rules, context, fx) else { return };
        match message {
            Message::Ask(Ask { request, call, .. }) => {
                self.ask(Question { client: sender, request, call }, context, fx);
            }
            Message::Entries { from, entries, tail, nonce } => {
                let batch = Batch { log: sender, from, entries: &entries, tail, nonce };
                let Self { replica, decider, delivery, .. } = self;
                let decide = |news: &[Entry], fx: &mut Fx| decider.read(news, delivery, context, fx);
                replica.entries(&batch, context.monotonic(), decide, fx);
            }
            Message::Config(message) => self.delivery.message(&message, context, fx),
            other => {
                let slot = self.decider.message(sender, other, context, fx);
                self.decide(slot, context, fx);
            }
        }
    }

    /// The one timer ran out: everything that is due.
    pub fn timer(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.decider.keep_up(context, fx);
        self.delivery.tick(context, fx);
        self.replica.tick(context.monotonic(), fx);
        self.decider.tick(context, fx);
        self.decider.pump(&mut self.delivery, context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: the switch it marks may be used.
    pub fn synced(&mut self, token: SyncToken, context: &Context<'_>, fx: &mut Fx) {
        if self.delivery.switch().synced(token) {
            self.decider.pump(&mut self.delivery, context, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken) {
        self.delivery.switch().sync_failed(token);
    }

    fn ask(&mut self, question: Question, context: &mut Context<'_>, fx: &mut Fx) {
        match question.call.slot() {
            None if matches!(question.call, Call::Choose { .. }) => self.pass_on(question, fx),
            None => question.answer(self.replica.overview(), fx),
            Some(slot) if slot.0 >= self.slot_count => question.answer(Answer::UnknownSlot, fx),
            Some(slot) => {
                let slot = self.decider.ask(slot, question, context, fx);
                self.decide(slot, context, fx);
            }
        }
    }

    /// The chooser answers the client itself.
    fn pass_on(&self, question: Question, fx: &mut Fx) {
        let Question { client, request, call } = question;
        match self.chooser {
            Some(chooser) => fx.send(chooser, Message::Forward { client, request, call }),
            None => question.answer(Answer::Unavailable, fx),
        }
    }

    fn decide(&mut self, slot: Option<SlotId>, context: &Context<'_>, fx: &mut Fx) {
        if let Some(slot) = slot {
            self.decider.pump_slot(slot, &mut self.delivery, context, fx);
        }
    }
}
