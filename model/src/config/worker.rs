//! A process that runs tasks in batches, each under the configuration in force when it starts.
//!
//! A naive worker fetches the version once for the whole batch; a hardened one asks for each entry, and refuses the
//! entry when its clock cannot tell which version applies.

use std::collections::VecDeque;

use sim::node::{Context, SyncToken, TimerKey};
use sim::time::Span;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::config::pull::{PullSetup, Puller, Ruling};
use crate::message::{BatchEntry, Message, Observation, Record, Request, Used};

const TICK: TimerKey = TimerKey(0);
const ENTRY: TimerKey = TimerKey(1);
const TICK_EVERY: Span = Span::from_ms(100);
/// What a refused entry costs before the next one is tried.
const REFUSED_DELAY: Span = Span::from_ms(10);
const BATCHES_MAX: usize = 1024;

/// A batch on its way through.
#[derive(Clone, Copy, Debug)]
struct Running {
    entry: BatchEntry,
    tasks: u32,
    /// What the batch began with, for a worker that does not ask again.
    began_with: Ruling,
}

/// The worker node.
#[derive(Clone, Debug)]
pub struct Worker {
    rules: Rules,
    puller: Puller,
    queue: VecDeque<u32>,
    running: Option<Running>,
    batches: u32,
}

impl Worker {
    /// An idle worker.
    #[must_use]
    pub const fn new(rules: Rules, setup: PullSetup) -> Self {
        let puller = Puller::new(rules, setup);
        Self { rules, puller, queue: VecDeque::new(), running: None, batches: 0 }
    }

    /// Begins.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        fx.observe(Observation::Started);
        self.puller.start(disk, context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, message: &Message) {
        if let Message::Versions { stamp, versions } = message {
            self.puller.learn(*stamp, versions);
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken) {
        let _ = self.puller.synced(token);
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken) {
        self.puller.sync_failed(token);
    }

    /// The workload asks.
    pub fn request(&mut self, request: &Request, context: &Context<'_>, fx: &mut Fx) {
        let Request::Batch { tasks } = request else { return };
        if self.queue.len() < BATCHES_MAX {
            self.queue.push_back(*tasks);
        }
        if self.running.is_none() {
            self.next_entry(context, fx);
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, context: &Context<'_>, fx: &mut Fx) {
        if key == TICK {
            self.puller.tick(context, fx);
            fx.set_timer(TICK, TICK_EVERY);
        } else {
            self.next_entry(context, fx);
        }
    }

    fn next_entry(&mut self, context: &Context<'_>, fx: &mut Fx) {
        let Some(running) = self.advance(context, fx) else { return };
        let ruling = if self.rules.version_per_entry.is_taken() {
            self.puller.rule(context, fx)
        } else {
            running.began_with
        };
        // A task runs under one version: where two are possible, it does not run.
        let (used, delay) = match ruling {
            Ruling::Use(version) => (Used::One(version.version), version.payload.delay),
            Ruling::Stricter { .. }
            | Ruling::Switching
            | Ruling::Missing
            | Ruling::Unverified
            | Ruling::Undone => (Used::None, REFUSED_DELAY),
        };
        let (local, interval) = (context.wall(), context.interval());
        fx.observe(Observation::Task { used, local, interval, batch: Some(running.entry) });
        fx.set_timer(ENTRY, delay);
    }

    /// The entry to run now: the next of the batch, or the first of the next batch.
    fn advance(&mut self, context: &Context<'_>, fx: &mut Fx) -> Option<Running> {
        let next = match self.running {
            Some(running) if running.entry.entry + 1 < running.tasks => {
                let entry = BatchEntry { entry: running.entry.entry + 1, ..running.entry };
                Some(Running { entry, ..running })
            }
            _ => self.queue.pop_front().map(|tasks| {
                let entry = BatchEntry { batch: self.batches, entry: 0 };
                self.batches += 1;
                Running { entry, tasks, began_with: self.puller.rule(context, fx) }
            }),
        };
        self.running = next;
        next
    }
}

#[cfg(test)]
mod tests {
    use sim::node::NodeId;
    use sim::time::LocalTime;

    use super::*;
    use crate::ids::Version;
    use crate::message::{ConfigVersion, Payload};
    use crate::probe::Probe;
    use crate::rules::Decisions as _;

    fn version(number: u32, start_at: Span) -> ConfigVersion {
        let payload = Payload { limit: 1, delay: Span::from_seconds(1) };
        ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
    }

    /// The versions of a batch of three tasks at 1, 2 and 3 s, with a switch at 2.5 s.
    fn versions_used(rules: Rules) -> Vec<Used> {
        let setup =
            PullSetup { store: NodeId(0), lead: Span::from_seconds(9), poll_every: Span::from_seconds(1) };
        let (mut worker, mut probe) = (Worker::new(rules, setup), Probe::new(Span::ZERO));
        let versions = [version(1, Span::ZERO), version(2, Span::from_ms(2_500))].into();
        worker.message(&Message::Versions { stamp: LocalTime::ZERO, versions });
        let mut used = Vec::new();
        for entry in 0..3 {
            probe.wait(Span::from_seconds(1));
            // Asked first without running anything, so that the switch's mark is durable by then.
            probe.ask(|context, fx| worker.puller.rule(context, fx));
            for token in probe.done().synced {
                worker.synced(token);
            }
            probe.ask(|context, fx| match entry {
                0 => worker.request(&Request::Batch { tasks: 3 }, context, fx),
                _ => worker.timer(ENTRY, context, fx),
            });
            used.extend(probe.done().observed.into_iter().filter_map(|observation| match observation {
                Observation::Task { used, .. } => Some(used),
                _ => None,
            }));
        }
        used
    }

    #[test]
    fn every_entry_of_a_batch_chooses_its_own_version() {
        let (one, two) = (Used::One(Version(1)), Used::One(Version(2)));
        assert_eq!(versions_used(Rules::hardened()), [one, one, two]);
        assert_eq!(versions_used(Rules::mutant("batch-keeps-version")), [one, one, one]);
    }
}
