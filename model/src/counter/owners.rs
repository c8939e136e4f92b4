//! Slots that are owned: each by one service node at a time, to which every other one passes questions on.
//!
//! ```text
//!   question ──► who owns the slot? ──► another: forwarded      heartbeats ──► who is alive ──► placement
//!                         └──► this node, in a majority: Owner ◄── gives up what is placed elsewhere ◄──┘
//! ```

use std::sync::Arc;

use sim::node::{Context, NodeId};
use sim::time::{MonotonicTime, Span};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::{Limits, Question};
use crate::counter::kinds::Kinds;
use crate::counter::membership::{Membership, Placing};
use crate::counter::owner::Owner;
use crate::ids::SlotId;
use crate::message::{Answer, Message, Placement};
use crate::service::ServiceSetup;

const HEARTBEAT_EVERY: Span = Span::from_ms(200);

/// How a question came to who owns its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client.
    Asked,
    /// Through another node.
    Forwarded,
}

/// One node's part in owning slots.
#[derive(Clone, Debug)]
pub struct Owners {
    rules: Rules,
    kinds: Kinds,
    membership: Membership,
    pub(super) owner: Owner,
    beaten_at: Option<MonotonicTime>,
}

impl Owners {
    /// A node that knows nobody yet.
    #[must_use]
    pub fn new(rules: Rules, setup: &ServiceSetup, placing: Placing) -> Self {
        let membership = Membership::new(rules, setup.me, Arc::clone(&setup.services), placing);
        let kinds = setup.kinds;
        let owner = Owner::new(rules, setup.logs(), kinds, setup.snapshot_every);
        Self { rules, kinds, membership, owner, beaten_at: None }
    }

    /// Takes a question, or passes it on to who owns the slot; whether something may be decided now.
    pub fn ask(
        &mut self,
        slot: SlotId,
        question: Question,
        context: &mut Context<'_>,
        fx: &mut Fx,
    ) -> Option<SlotId> {
        match self.membership.owner(slot) {
            Some(owner) if owner != context.id() => {
                let Question { client, request, call } = question;
                fx.send(owner, Message::Forward { client, request, call });
                None
            }
            Some(_) => self.own(question, Way::Asked, context, fx),
            None => {
                question.answer(Answer::Unavailable, fx);
                None
            }
        }
    }

    /// Takes a question about a slot of its own; the answer to one from a zone that the slot does not serve follows from
    /// the rule alone.
    pub fn own(
        &mut self,
        question: Question,
        way: Way,
        context: &mut Context<'_>,
        fx: &mut Fx,
    ) -> Option<SlotId> {
        let is_checked = way == Way::Forwarded && !self.rules.zone_checked.is_taken();
        if question.is_unserved(&self.kinds) && !is_checked {
            question.answer(Answer::NotServed, fx);
            return None;
        }
        let slot = question.call.slot().filter(|slot| self.may_own(*slot, context));
        match slot {
            Some(slot) => self.owner.ask(slot, question, context, fx),
            None => question.answer(Answer::Unavailable, fx),
        }
        slot
    }

    /// Another node is alive.
    pub fn hear(&mut self, from: NodeId, placement: &Placement, context: &Context<'_>, fx: &mut Fx) {
        self.membership.hear(from, placement, context.monotonic());
        self.keep_own(context, fx);
    }

    /// Says that it is alive, at once.
    pub fn beat(&mut self, context: &Context<'_>, fx: &mut Fx) {
        self.beaten_at = Some(context.monotonic());
        self.membership.place(context.monotonic());
        for peer in self.membership.peers() {
            fx.send(peer, Message::Heartbeat { placement: self.membership.placement().clone() });
        }
    }

    /// Says so when it is due, and gives up what belongs to others now.
    pub fn keep_up(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let now = context.monotonic();
        if self.beaten_at.is_none_or(|beaten| now.since(beaten) >= HEARTBEAT_EVERY) {
            self.beat(context, fx);
        }
        self.keep_own(context, fx);
    }

    /// Decides whatever can be decided of one slot now.
    pub fn pump_slot(&mut self, slot: SlotId, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        self.owner.pump_slot(slot, limits, context, fx);
        self.go_on(context, fx);
    }

    /// Decides whatever can be decided now.
    pub fn pump(&mut self, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        self.owner.pump(limits, context, fx);
        self.go_on(context, fx);
    }

    fn may_own(&self, slot: SlotId, context: &Context<'_>) -> bool {
        self.membership.owner(slot) == Some(context.id()) && self.may_serve(context)
    }

    fn may_serve(&self, context: &Context<'_>) -> bool {
        self.membership.has_quorum(context.monotonic()) || !self.rules.minority_stops.is_taken()
    }

    /// Gives up what belongs to others now, or everything in a minority.
    fn keep_own(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let (membership, me) = (&self.membership, context.id());
        let may_serve = self.may_serve(context);
        self.owner.retain(|slot| may_serve && membership.owner(slot) == Some(me), fx);
    }

    /// In a minority that does not stop, the journal is out of sight: the answers come from memory.
    fn go_on(&mut self, context: &Context<'_>, fx: &mut Fx) {
        if !self.rules.minority_stops.is_taken() && !self.membership.has_quorum(context.monotonic()) {
            self.owner.go_on_from_memory(fx);
        }
    }
}
