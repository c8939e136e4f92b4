//! What a node's effects do to the world, one after the other.

use crate::disturbance::Parcel;
use crate::event::Event;
use crate::host::Held;
use crate::kernel::{Observed, World};
use crate::limits::{LATENCY_TO_SELF, OBSERVATIONS_MAX, RUN_NS_MAX};
use crate::network::Fate;
use crate::node::{Effect, Effects, Message, Node, NodeId, SyncToken, TimerKey};
use crate::queue::Due;
use crate::time::Span;
use crate::windows::FaultIndex;

impl<N: Node> World<N> {
    /// Does what a node wants done. `held` is the input, if it was not taken just now.
    #[inline]
    pub(crate) fn apply(&mut self, node: NodeId, held: Option<Held>, effects: &mut Effects<N>) {
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, message } => self.send(node, to, message),
                Effect::SetTimer { key, after } => self.arm_timer(node, key, after),
                Effect::CancelTimer(key) => self.hosts[node.index()].timers.cancel(key),
                Effect::Write(record) => {
                    let refused_by = self.hosts[node.index()].drive.write(record);
                    self.count_refusal(refused_by);
                }
                Effect::Rewrite(records) => {
                    let refused_by = self.hosts[node.index()].drive.rewrite(records);
                    self.count_refusal(refused_by);
                }
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
        let fate = if self.network.is_troubled(link) {
            let parcel = Parcel { now: self.now, bytes: message.wire_bytes() };
            self.network.troubled_fate(link, parcel, &mut self.ledger)
        } else {
            self.network.fate(link)
        };
        match fate {
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
        let (sync, mut latency) = host.drive.begin_sync(token, host.incarnation);
        for (fault, extra) in host.drive.slows.iter() {
            self.ledger.affect(fault, 1);
            latency = latency.saturating_add(extra).min(Span::from_ns(RUN_NS_MAX));
        }
        self.queue.push(self.now + latency, Event::SyncEnd { node, sync });
    }

    #[inline]
    fn count_refusal(&mut self, refused_by: Option<FaultIndex>) {
        if let Some(fault) = refused_by {
            self.ledger.affect(fault, 1);
        }
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
