//! What a node's effects do to the world, one after the other.

use crate::event::{Event, PendingSync};
use crate::host::Held;
use crate::kernel::{Observed, World};
use crate::limits::{LATENCY_TO_SELF, OBSERVATIONS_MAX};
use crate::network::Fate;
use crate::node::{Effect, Effects, Node, NodeId, SyncToken, TimerKey};
use crate::queue::Due;
use crate::time::Span;

impl<N: Node> World<N> {
    /// Does what a node wants done. `held` is the input, if it was not taken just now.
    #[inline]
    pub(crate) fn apply(&mut self, node: NodeId, held: Option<Held>, effects: &mut Effects<N>) {
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, message } => self.send(node, to, message),
                Effect::SetTimer { key, after } => self.arm_timer(node, key, after),
                Effect::CancelTimer(key) => self.hosts[node.index()].timers.cancel(key),
                Effect::Write(record) => self.hosts[node.index()].drive.disk.write(record),
                Effect::Rewrite(records) => self.hosts[node.index()].drive.disk.rewrite(records),
                Effect::Sync(token) => self.begin_sync(node, token),
                Effect::Observe(observation) => self.observe(node, held, observation),
                Effect::Halt => {
                    // Effects after its end are not those of a node.
                    self.take_down(node);
                    break;
                }
            }
        }
    }

    #[inline]
    fn send(&mut self, from: NodeId, to: NodeId, message: N::Message) {
        self.counts.sent += 1;
        if from == to {
            let incarnation = self.hosts[from.index()].incarnation;
            self.queue
                .push(self.now + LATENCY_TO_SELF, Event::MessageToSelf { node: from, incarnation, message });
            return;
        }
        if let Some(outward) = &mut self.outward {
            outward.messages.push((to, message));
            return;
        }
        let link = self.network.link(from, to);
        match self.network.fate(link, &mut self.ledger) {
            Fate::Lost(cause) => {
                self.lose(to, from, &message, cause);
            }
            Fate::Travels { after, copy_after } => {
                let sent = self.network.cuts_begun();
                if let Some(copy_after) = copy_after {
                    self.counts.doubled += 1;
                    let message = message.clone();
                    let event = Event::Message { to, from, link, sent, message };
                    self.queue.push(self.now + copy_after, event);
                }
                self.queue.push(self.now + after, Event::Message { to, from, link, sent, message });
            }
        }
    }

    fn arm_timer(&mut self, node: NodeId, key: TimerKey, after: Span) {
        let host = &mut self.hosts[node.index()];
        let target = host.clock.timer_target(after, self.now);
        let due = Due { at: host.clock.reaches(target, self.now), sequence: self.queue.next_sequence() };
        if let Some(due) = host.timers.arm(key, target, due) {
            self.queue.push_due(due, Event::Timer { node, key });
        }
    }

    fn begin_sync(&mut self, node: NodeId, token: SyncToken) {
        let host = &mut self.hosts[node.index()];
        let profile = &host.drive.profile;
        let latency = host.drive.chance.span_between(profile.sync_min, profile.sync_max);
        let sync = PendingSync { token, mark: host.drive.disk.mark(), incarnation: host.incarnation };
        self.queue.push(self.now + latency, Event::SyncEnd { node, sync });
    }

    fn observe(&mut self, node: NodeId, held: Option<Held>, observation: N::Observation) {
        assert!(self.observations.len() < OBSERVATIONS_MAX, "take observations out now and then");
        self.trace.observation(self.now, node, &observation);
        let (at, local) = match held {
            Some(held) => (held.at, held.local),
            None => (self.now, self.hosts[node.index()].clock.peek_wall(self.now)),
        };
        self.observations.push(Observed { at, released_at: self.now, node, local, observation });
    }
}
