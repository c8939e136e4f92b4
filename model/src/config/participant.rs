//! Configuration in two phases, at a process: it agrees first, and is told the outcome afterwards.
//!
//! ```text
//!   start ─► read the store ─► joined: nothing is committed without this process
//!   prepare(round, start) ─► prepared ─► decided: the version is there, or never will be
//!                               └─ no decision by the start: nothing runs until it is known
//! ```
//!
//! No lease is needed: who has joined and has agreed to nothing knows every version that there can be. What it has agreed to
//! may start at any time from its start on. A process that begins again has forgotten what it agreed to, and reads it at the
//! store. Source: Gray, "Notes on Data Base Operating Systems", 1978, section 5.8.3; presumed abort as in Mohan, Lindsay and
//! Obermarck, "Transaction Management in the R* Distributed Database Management System", TODS 11 (1986).

use std::collections::BTreeMap;

use sim::node::{Context, Effects, NodeId};
use sim::time::{LocalTime, MonotonicTime, Span};

use crate::config::message::{Host, Message, Observation, Outcome, Proposal, Question};
use crate::config::rules::Rules;
use crate::config::switch::Switch;

/// How a process takes part.
#[derive(Clone, Copy, Debug)]
pub struct ParticipantSetup {
    /// Where rounds are led and versions are kept.
    pub store: NodeId,
    /// How often the store is asked for what was missed.
    pub ask_every: Span,
}

/// Undecided rounds at once; the store leads one at a time, so that there are more only where decisions were lost.
const PROPOSALS_MAX: usize = 64;

/// The part of a process that agrees to versions.
#[derive(Clone, Debug)]
pub struct Participant {
    rules: Rules,
    setup: ParticipantSetup,
    pub(super) switch: Switch,
    /// The read that joins; none once it was answered.
    joining: Option<Question>,
    /// Agreed to and not decided, by round.
    proposals: BTreeMap<u64, Proposal>,
    asked_at: Option<MonotonicTime>,
}

impl Participant {
    /// A process that has not joined.
    #[must_use]
    pub const fn new(rules: Rules, setup: ParticipantSetup) -> Self {
        let switch = Switch::new(rules);
        Self { rules, setup, switch, joining: None, proposals: BTreeMap::new(), asked_at: None }
    }

    /// Begins with what survived on disk, and joins.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.switch.start(disk, context, fx);
        if self.rules.joiners_read.is_taken() {
            // The nonce is drawn: an answer to a question from before the restart may know of less.
            let stamp = self.switch.interval(context).earliest;
            self.joining = Some(Question { stamp, nonce: context.chance().next_u64() });
        }
        self.verify();
        self.ask(context, fx);
    }

    /// Asks for what was missed.
    pub fn tick<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        let now = context.monotonic();
        if self.asked_at.is_none_or(|asked| now.since(asked) >= self.setup.ask_every) {
            self.ask(context, fx);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &Context<'_>, fx: &mut Effects<N>) {
        match message {
            Message::Versions { question, versions, proposed } if self.joining == Some(*question) => {
                self.joining = None;
                self.switch.learn(versions);
                proposed.iter().for_each(|proposal| self.agree(proposal));
                fx.observe(Observation::Learned { of: context.id(), question: *question });
            }
            Message::Prepare { proposal }
                if self.proposals.len() < PROPOSALS_MAX || self.proposals.contains_key(&proposal.round) =>
            {
                self.agree(proposal);
                fx.send(self.setup.store, Message::Prepared { round: proposal.round });
            }
            Message::Decided { proposal, outcome } => self.decide(proposal, *outcome),
            _ => {}
        }
        self.verify();
    }

    fn agree(&mut self, proposal: &Proposal) {
        self.proposals.insert(proposal.round, *proposal);
        if !self.rules.decision_awaited.is_taken() {
            self.switch.learn(&[proposal.version]);
        }
    }

    fn decide(&mut self, proposal: &Proposal, outcome: Outcome) {
        self.proposals.remove(&proposal.round);
        match outcome {
            Outcome::Committed => self.switch.learn(&[proposal.version]),
            Outcome::Aborted if !self.rules.decision_awaited.is_taken() => {
                self.switch.forget(&proposal.version);
            }
            Outcome::Aborted => {}
        }
    }

    /// Until the earliest start that may or may not have been committed, everything is known.
    fn verify(&mut self) {
        let undecided = self.proposals.values().map(|proposal| proposal.version.start_at).min();
        let until = match undecided {
            Some(start_at) if self.rules.decision_awaited.is_taken() => start_at,
            Some(_) | None => LocalTime::from_ns(i64::MAX),
        };
        self.switch.set_verified(self.joining.is_none().then_some(until));
    }

    fn ask<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        self.asked_at = Some(context.monotonic());
        if let Some(question) = self.joining {
            fx.send(self.setup.store, Message::ReadVersions { question });
        }
        for proposal in self.proposals.values() {
            fx.send(self.setup.store, Message::AskDecision { proposal: *proposal });
        }
    }
}

#[cfg(test)]
mod tests;
