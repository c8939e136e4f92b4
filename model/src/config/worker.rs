//! A process that runs tasks in batches, each under the configuration in force when it starts.
//!
//! A naive worker fetches the version once for the whole batch; a hardened one asks for each entry, and refuses the
//! entry when its clock cannot tell which version applies.

use std::collections::VecDeque;

use sim::node::{Context, Effects, SyncToken, TimerKey};
use sim::time::Span;

use crate::config::delivery::Delivery;
use crate::config::message::{BatchEntry, Host, Message, Observation, Used};
use crate::config::rules::Rules;
use crate::config::switch::Ruling;

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
    delivery: Delivery,
    queue: VecDeque<u32>,
    running: Option<Running>,
    batches: u32,
}

impl Worker {
    /// An idle worker.
    #[must_use]
    pub const fn new(rules: Rules, delivery: Delivery) -> Self {
        Self { rules, delivery, queue: VecDeque::new(), running: None, batches: 0 }
    }

    /// Begins.
    pub fn start<N: Host>(&mut self, disk: &[N::Record], context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.delivery.start(disk, context, fx);
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message<N: Host>(&mut self, message: &Message, context: &mut Context<'_>, fx: &mut Effects<N>) {
        self.delivery.message(message, context, fx);
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken) {
        let _ = self.delivery.switch().synced(token);
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken) {
        self.delivery.switch().sync_failed(token);
    }

    /// The workload asks for a batch of so many tasks.
    pub fn request<N: Host>(&mut self, tasks: u32, context: &Context<'_>, fx: &mut Effects<N>) {
        if self.queue.len() < BATCHES_MAX {
            self.queue.push_back(tasks);
        }
        if self.running.is_none() {
            self.next_entry(context, fx);
        }
    }

    /// A timer ran out.
    pub fn timer<N: Host>(&mut self, key: TimerKey, context: &mut Context<'_>, fx: &mut Effects<N>) {
        if key == TICK {
            self.delivery.tick(context, fx);
            fx.set_timer(TICK, TICK_EVERY);
        } else {
            self.next_entry(context, fx);
        }
    }

    fn next_entry<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) {
        let Some(running) = self.advance(context, fx) else { return };
        let ruling = if self.rules.version_per_entry.is_taken() {
            self.delivery.switch().rule(context, fx)
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
    fn advance<N: Host>(&mut self, context: &Context<'_>, fx: &mut Effects<N>) -> Option<Running> {
        let next = match self.running {
            Some(running) if running.entry.entry + 1 < running.tasks => {
                let entry = BatchEntry { entry: running.entry.entry + 1, ..running.entry };
                Some(Running { entry, ..running })
            }
            _ => self.queue.pop_front().map(|tasks| {
                let entry = BatchEntry { batch: self.batches, entry: 0 };
                self.batches += 1;
                Running { entry, tasks, began_with: self.delivery.switch().rule(context, fx) }
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
    use crate::config::Member;
    use crate::config::message::{ConfigVersion, Payload, Question};
    use crate::config::pull::{PullSetup, Puller};
    use crate::ids::Version;
    use crate::probe::Probe;
    use crate::rules::Decisions as _;

    fn version(number: u32, start_at: Span) -> ConfigVersion {
        let payload = Payload { limit: 1, delay: Span::from_seconds(1), include_mood: false };
        ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
    }

    /// The versions of a batch of three tasks at 1, 2 and 3 s, with a switch at 2.5 s.
    fn versions_used(rules: Rules) -> Vec<Used> {
        let (lead, poll_every) = (Span::from_seconds(9), Span::from_seconds(1));
        let puller = Puller::new(rules, PullSetup { store: NodeId(0), cache: None, lead, poll_every });
        let mut worker = Worker::new(rules, Delivery::Pull(puller));
        let mut probe = Probe::<Member>::new(Span::ZERO);
        let versions = [version(1, Span::ZERO), version(2, Span::from_ms(2_500))].into();
        let question = Question { stamp: LocalTime::ZERO, nonce: 1 };
        let answer = Message::Versions { question, versions, proposed: None };
        probe.ask(|context, fx| worker.message(&answer, context, fx));
        let mut used = Vec::new();
        for entry in 0..3 {
            probe.wait(Span::from_seconds(1));
            // Asked first without running anything, so that the switch's mark is durable by then.
            probe.ask(|context, fx| worker.delivery.switch().rule(context, fx));
            for token in probe.done().synced {
                worker.synced(token);
            }
            probe.ask(|context, fx| match entry {
                0 => worker.request(3, context, fx),
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
