//! Who decides about slots: one of three parts, which the service node does not tell apart.

use sim::node::{Context, NodeId};

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::batch::{Appended, Limits, Question};
use crate::counter::compare_and_set::{CompareAndSet, Found};
use crate::counter::membership::Placing;
use crate::counter::owner::Opened;
use crate::counter::owners::{Owners, Way};
use crate::counter::stream::Stream;
use crate::ids::SlotId;
use crate::message::{Entry, Message};
use crate::replication::replica::Decisions;
use crate::service::ServiceSetup;

/// How it is decided about slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deciding {
    /// By a slot's owner, placed so.
    Owned(Placing),
    /// By whoever is asked, on condition that nothing came between.
    CompareAndSet,
    /// By everybody alike, in the order in which questions stand in the journal.
    Stream,
}

/// The part of a service node that decides.
#[derive(Clone, Debug)]
pub enum Decider {
    /// A slot's owner does, from memory.
    Owners(Box<Owners>),
    /// Whoever is asked does, from the journal.
    CompareAndSet(CompareAndSet),
    /// Every node does, what it reads in the journal.
    Stream(Box<Stream>),
}

impl Decider {
    /// A node that was asked nothing yet.
    #[must_use]
    pub fn new(rules: Rules, setup: &ServiceSetup) -> Self {
        match setup.deciding {
            Deciding::Owned(placing) => Self::Owners(Box::new(Owners::new(rules, setup, placing))),
            Deciding::CompareAndSet => {
                Self::CompareAndSet(CompareAndSet::new(rules, setup.logs(), setup.kinds))
            }
            Deciding::Stream => Self::Stream(Box::new(Stream::new(rules, setup.logs(), setup.kinds))),
        }
    }

    /// Begins.
    pub fn start(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        match self {
            Self::Owners(owners) => owners.beat(context, fx),
            Self::CompareAndSet(part) => part.start(context),
            Self::Stream(part) => part.start(context),
        }
    }

    /// Takes a question about a slot; the slot for which something may be decided now.
    pub fn ask(
        &mut self,
        slot: SlotId,
        question: Question,
        context: &mut Context<'_>,
        fx: &mut Fx,
    ) -> Option<SlotId> {
        match self {
            Self::Owners(owners) => owners.ask(slot, question, context, fx),
            Self::CompareAndSet(part) => {
                part.ask(slot, question, context, fx);
                Some(slot)
            }
            Self::Stream(part) => {
                part.ask(slot, question, fx);
                Some(slot)
            }
        }
    }

    /// Reacts to a message of another node; the slot for which something may be decided now.
    pub fn message(
        &mut self,
        from: NodeId,
        message: Message,
        context: &mut Context<'_>,
        fx: &mut Fx,
    ) -> Option<SlotId> {
        match (self, message) {
            (Self::Owners(owners), Message::Forward { client, request, call }) => {
                owners.own(Question { client, request, call }, Way::Forwarded, context, fx)
            }
            (Self::Owners(owners), Message::Heartbeat { placement }) => {
                owners.hear(from, &placement, context, fx);
                None
            }
            (Self::Owners(owners), Message::Opened { slot, nonce, epoch, image, events }) => {
                let opened = Opened { slot, nonce, epoch, image: image.as_deref(), events: &events };
                owners.owner.opened(opened, context, fx);
                Some(slot)
            }
            (Self::CompareAndSet(part), Message::Events { slot, nonce, events }) => {
                part.events(&Found { slot, nonce, events: &events }, context, fx);
                Some(slot)
            }
            (part, Message::Appended { slot, epoch, number, expected }) => {
                let done = Appended { slot, epoch, number, expected };
                match part {
                    Self::Owners(owners) => owners.owner.appended(done, fx),
                    Self::CompareAndSet(part) => part.appended(done, fx),
                    Self::Stream(_) => {}
                }
                Some(slot)
            }
            (Self::Owners(owners), Message::Refused { slot, epoch }) => {
                owners.owner.refused(slot, epoch, fx);
                None
            }
            (Self::CompareAndSet(part), Message::Refused { slot, .. }) => {
                part.refused(slot, fx);
                Some(slot)
            }
            (Self::Stream(part), Message::Queued { slot, number }) => {
                part.queued(slot, number);
                None
            }
            _ => None,
        }
    }

    /// Decides what is new in the journal, if it holds questions; nothing if it holds decisions.
    pub fn read(
        &mut self,
        entries: &[Entry],
        limits: &mut impl Limits,
        context: &Context<'_>,
        fx: &mut Fx,
    ) -> Option<Decisions> {
        match self {
            Self::Owners(_) | Self::CompareAndSet(_) => None,
            Self::Stream(part) => Some(part.read(entries, limits, context, fx)),
        }
    }

    /// Does what others must see from time to time.
    pub fn keep_up(&mut self, context: &Context<'_>, fx: &mut Fx) {
        match self {
            Self::Owners(owners) => owners.keep_up(context, fx),
            // Nobody has to know anybody.
            Self::CompareAndSet(_) | Self::Stream(_) => {}
        }
    }

    /// Asks the journal again where it has been silent for long.
    pub fn tick(&mut self, context: &Context<'_>, fx: &mut Fx) {
        match self {
            Self::Owners(owners) => owners.owner.tick(context, fx),
            Self::CompareAndSet(part) => part.tick(context, fx),
            Self::Stream(part) => part.tick(context, fx),
        }
    }

    /// Decides whatever can be decided now.
    pub fn pump(&mut self, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        match self {
            Self::Owners(owners) => owners.pump(limits, context, fx),
            Self::CompareAndSet(part) => part.pump(limits, context, fx),
            Self::Stream(part) => part.pump(limits, context, fx),
        }
    }

    /// Decides whatever can be decided of one slot now.
    pub fn pump_slot(&mut self, slot: SlotId, limits: &mut impl Limits, context: &Context<'_>, fx: &mut Fx) {
        match self {
            Self::Owners(owners) => owners.pump_slot(slot, limits, context, fx),
            Self::CompareAndSet(part) => part.pump_slot(slot, limits, context, fx),
            Self::Stream(part) => part.pump_slot(slot, limits, context, fx),
        }
    }
}
