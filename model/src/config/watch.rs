//! Configuration by push: the process watches the store's versions in order, from the last one that it has.
//!
//! ```text
//!   watch from 3 ──► store ──► changed: after 3, [4, 5] ──► applied if nothing is missing before them
//!                          ──► alive: newest is 5, at t  ──► has it 5? verified until t + lead
//!                          │                                 else watch again, from what it has
//!                          └─► compacted: after 4 at most ─► full read, then watch again
//! ```
//!
//! Only a heartbeat that names the newest version proves anything; silence does not. Source: etcd documentation, "Interacting
//! with etcd: watch historical changes" and "compacted revisions"; Burrows, "The Chubby lock service", OSDI 2006, section
//! 2.7, for leases extended by a session's heartbeats.

use std::sync::Arc;

use sim::node::{Context, Effects, NodeId};
use sim::time::{MonotonicTime, Span};

use crate::config::message::{ConfigVersion, Host, Message, Observation, Question};
use crate::config::rules::Rules;
use crate::config::switch::Switch;
use crate::ids::Version;

/// How a process watches.
#[derive(Clone, Copy, Debug)]
pub struct WatchSetup {
    /// Where the versions are.
    pub store: NodeId,
    /// Every version is published at least that long before its start.
    pub lead: Span,
    /// How often the store says that it is alive.
    pub beat_every: Span,
}

/// After so many missing heartbeats the watch is begun anew.
pub const BEATS_MISSED_MAX: u64 = 3;

/// The part of a process that watches the configuration.
#[derive(Clone, Debug)]
pub struct Watcher {
    rules: Rules,
    setup: WatchSetup,
    pub(super) switch: Switch,
    /// Which watch is under way: what belongs to another means nothing.
    watch: u64,
    /// Everything up to this version is known.
    revision: Version,
    heard_at: Option<MonotonicTime>,
    /// The full read that the watch waits for.
    reading: Option<Question>,
}

impl Watcher {
    /// A process without any configuration yet.
    #[must_use]
    pub const fn new(rules: Rules, setup: WatchSetup) -> Self {
        let switch = Switch::new(rules);
        Self { rules, setup, switch, watch: 0, revision: Version(0), heard_at: None, reading: None }
    }

    /// Begins with what survived on disk, and watches; one that resumes nowhere reads everything once.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.switch.start(disk, context, fx);
        if self.rules.resume_from_revision.is_taken() {
            self.connect(context, fx);
        } else {
            self.read(context, fx);
        }
    }

    /// Begins the watch anew after too long a silence.
    pub fn tick<N: Host>(&mut self, context: &mut Context<'_>, fx: &mut Effects<N>) {
        let silence_max = self.setup.beat_every.times(BEATS_MISSED_MAX);
        let now = context.monotonic();
        if self.heard_at.is_none_or(|heard| now.since(heard) >= silence_max) {
            if self.reading.is_some() {
                self.read(context, fx);
            } else {
                self.connect(context, fx);
            }
        }
        if !self.rules.silence_unproven.is_taken() && self.revision > Version(0) {
            self.switch.verify_until(self.switch.interval(context).earliest + self.setup.lead);
        }
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &mut Context<'_>, fx: &mut Effects<N>) {
        match message {
            Message::Changed { watch, after, versions } if *watch == self.watch => {
                self.changed(*after, versions, context, fx);
            }
            Message::Alive { watch, revision, beat } if *watch == self.watch => {
                self.alive(*revision, *beat, context, fx);
            }
            Message::Compacted { watch, after } if *watch == self.watch => {
                if self.rules.compaction_read.is_taken() {
                    self.read(context, fx);
                } else {
                    self.revision = *after;
                    self.connect(context, fx);
                }
            }
            Message::Versions { question, versions, .. } if self.reading == Some(*question) => {
                self.reading = None;
                self.apply(versions);
                self.connect(context, fx);
            }
            _ => {}
        }
    }

    fn changed<N: Host>(
        &mut self,
        after: Version,
        versions: &Arc<[ConfigVersion]>,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) {
        self.heard_at = Some(context.monotonic());
        if after > self.revision && self.rules.resume_from_revision.is_taken() {
            self.connect(context, fx);
            return;
        }
        self.revision = self.revision.max(after);
        self.apply(versions);
    }

    fn alive<N: Host>(
        &mut self,
        revision: Version,
        beat: Question,
        context: &mut Context<'_>,
        fx: &mut Effects<N>,
    ) {
        self.heard_at = Some(context.monotonic());
        if revision > self.revision && self.rules.heartbeat_compared.is_taken() {
            self.connect(context, fx);
            return;
        }
        self.switch.verify_until(beat.stamp + self.setup.lead);
        fx.observe(Observation::Learned { of: context.id(), question: beat });
    }

    fn apply(&mut self, versions: &[ConfigVersion]) {
        self.switch.learn(versions);
        self.revision = versions.iter().map(|version| version.version).fold(self.revision, Version::max);
    }

    fn connect<N: Host>(&mut self, context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.heard_at = Some(context.monotonic());
        self.watch = context.chance().next_u64();
        let from = self.rules.resume_from_revision.is_taken().then_some(self.revision);
        fx.send(self.setup.store, Message::Watch { watch: self.watch, from });
    }

    fn read<N: Host>(&mut self, context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.heard_at = Some(context.monotonic());
        let stamp = self.switch.interval(context).earliest;
        let question = Question { stamp, nonce: context.chance().next_u64() };
        self.reading = Some(question);
        fx.send(self.setup.store, Message::ReadVersions { question });
    }
}

#[cfg(test)]
mod tests;
