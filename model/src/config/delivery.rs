//! How a process gets its configuration: one of three parts, which the worker does not tell apart.

use sim::node::{Context, Effects};

use crate::config::message::{Host, Message};
use crate::config::participant::Participant;
use crate::config::pull::Puller;
use crate::config::switch::Switch;
use crate::config::watch::Watcher;

/// A delivery, at a process.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// It reads the store, or a cache.
    Pull(Puller),
    /// It watches the store.
    Push(Watcher),
    /// It agrees to each version.
    TwoPhase(Participant),
}

impl Delivery {
    /// Begins with what survived on disk.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &mut Context<'_>, fx: &mut Effects<N>) {
        match self {
            Self::Pull(puller) => puller.start(disk, context, fx),
            Self::Push(watcher) => watcher.start(disk, context, fx),
            Self::TwoPhase(participant) => participant.start(disk, context, fx),
        }
    }

    /// Does what is due.
    pub fn tick<N: Host>(&mut self, context: &mut Context<'_>, fx: &mut Effects<N>) {
        match self {
            Self::Pull(puller) => puller.tick(context, fx),
            Self::Push(watcher) => watcher.tick(context, fx),
            Self::TwoPhase(participant) => participant.tick(context, fx),
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &mut Context<'_>, fx: &mut Effects<N>) {
        match self {
            Self::Pull(puller) => puller.message(message, context, fx),
            Self::Push(watcher) => watcher.message(message, context, fx),
            Self::TwoPhase(participant) => participant.message(message, context, fx),
        }
    }

    /// The part that they share: what is known, and what may be done.
    pub const fn switch(&mut self) -> &mut Switch {
        match self {
            Self::Pull(puller) => &mut puller.switch,
            Self::Push(watcher) => &mut watcher.switch,
            Self::TwoPhase(participant) => &mut participant.switch,
        }
    }
}
