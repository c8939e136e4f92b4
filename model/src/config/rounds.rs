//! The store's side of two phases: one round at a time, in which every participant agrees or the version is aborted.
//!
//! ```text
//!   begin ─► prepare, again and again ─┬─ all prepared in time ─► ready: the store commits
//!                                      └─ one is absent ────────► aborted
//! ```
//!
//! Participants are fixed when a round begins. Rounds are in memory only: one that a restart forgot was aborted, as
//! the store then knows of no such version. That is presumed abort, see [`super::participant`].

use std::collections::BTreeSet;
use std::sync::Arc;

use sim::node::{Context, Effects, NodeId, TimerKey};
use sim::time::{MonotonicTime, Span};

use crate::config::message::{ConfigVersion, Host, Message, Outcome, Proposal};

/// Who takes part, and how long it may take them.
#[derive(Clone, Debug)]
pub struct RoundsSetup {
    /// Everybody that works under the configuration.
    pub participants: Arc<[NodeId]>,
    /// After that a round is aborted.
    pub prepare_within: Span,
}

/// How often those that have not answered are asked again.
const PREPARE_EVERY: Span = Span::from_ms(100);

/// The round under way.
#[derive(Clone, Debug)]
pub struct Round {
    /// What it is about.
    pub proposal: Proposal,
    /// Who wants it.
    pub publisher: NodeId,
    began: MonotonicTime,
    prepared: BTreeSet<NodeId>,
}

/// What is to be done about the round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// Everybody has agreed.
    Commit,
    /// Somebody is absent.
    GiveUp,
}

/// Rounds, one after the other.
#[derive(Clone, Debug)]
pub struct Rounds {
    setup: RoundsSetup,
    timer: TimerKey,
    current: Option<Round>,
}

impl Rounds {
    /// None yet.
    #[must_use]
    pub const fn new(setup: RoundsSetup, timer: TimerKey) -> Self {
        Self { setup, timer, current: None }
    }

    /// The round under way, from its beginning until its outcome is durable.
    #[must_use]
    pub const fn current(&self) -> Option<&Round> {
        self.current.as_ref()
    }

    /// Asks everybody to agree to `version`.
    pub fn begin<N: Host>(
        &mut self,
        version: ConfigVersion,
        publisher: NodeId,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) {
        assert!(self.current.is_none(), "one round at a time");
        // Drawn, so that no answer to an earlier round counts, not even to one before a restart.
        let proposal = Proposal { round: context.chance().next_u64(), version };
        self.current =
            Some(Round { proposal, publisher, began: context.monotonic(), prepared: BTreeSet::new() });
        self.ask(fx);
    }

    /// A participant has agreed.
    pub fn prepared(&mut self, from: NodeId, round: u64) -> Step {
        let Some(current) = self.current.as_mut().filter(|current| current.proposal.round == round) else {
            return Step::Wait;
        };
        let is_news = self.setup.participants.contains(&from) && current.prepared.insert(from);
        let is_complete = current.prepared.len() == self.setup.participants.len();
        if is_news && is_complete { Step::Commit } else { Step::Wait }
    }

    /// The timer ran out: asks again those that have not answered, as long as there is time.
    pub fn timer<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) -> Step {
        let Some(current) = &self.current else { return Step::Wait };
        if current.prepared.len() == self.setup.participants.len() {
            return Step::Wait;
        }
        if context.monotonic().since(current.began) >= self.setup.prepare_within {
            return Step::GiveUp;
        }
        self.ask(fx);
        Step::Wait
    }

    /// Everybody hears the outcome; who misses it asks.
    pub fn end<N: Host>(&mut self, outcome: Outcome, fx: &mut Effects<N>) -> Option<Round> {
        let round = self.current.take()?;
        for participant in self.setup.participants.iter() {
            fx.send(*participant, Message::Decided { proposal: round.proposal, outcome });
        }
        Some(round)
    }

    fn ask<N: Host>(&self, fx: &mut Effects<N>) {
        let Some(current) = &self.current else { return };
        for participant in self.setup.participants.iter().filter(|one| !current.prepared.contains(one)) {
            fx.send(*participant, Message::Prepare { proposal: current.proposal });
        }
        fx.set_timer(self.timer, PREPARE_EVERY);
    }
}
