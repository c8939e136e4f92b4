//! A copy of the log that serves reads: every entry once, in order, without a gap.
//!
//! Where the log is a stream of commands, it holds what they came to instead, and counts decisions, not commands.
//!
//! A replica that starts again has nothing. It serves reads only after it has caught up, so that a client never sees it go
//! back.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim::node::Context;
use sim::time::MonotonicTime;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::form;
use crate::ids::{Offset, OrderId, SlotId};
use crate::message::{Answer, Call, Entry, Observation};
use crate::replication::following::{Batch, Begin, Following};
use crate::replication::log_nodes::LogNodes;

/// The read side of one service node.
#[derive(Clone, Debug)]
pub struct Replica {
    rules: Rules,
    following: Following,
    /// Units in use over all slots, of all kinds together.
    units: u64,
    held: BTreeMap<(SlotId, OrderId), u64>,
    /// The version of the program, and whether an entry was in a form that it cannot read: then it knows no sum.
    version: u32,
    is_lost: bool,
}

impl Replica {
    /// An empty replica of what those nodes have.
    #[must_use]
    pub fn new(rules: Rules, logs: LogNodes) -> Self {
        let following = Following::new(rules, logs, Begin::AtFirst);
        Self { rules, following, units: 0, held: BTreeMap::new(), version: 0, is_lost: false }
    }

    /// Begins: asks for everything.
    pub fn start(&mut self, context: &mut Context<'_>, fx: &mut Fx) {
        self.version = context.version();
        self.following.start(context, fx);
    }

    /// Asks again from time to time: until the first answer in any case, then only if it resyncs.
    pub fn tick(&mut self, now: MonotonicTime, fx: &mut Fx) {
        self.following.tick(now, fx);
    }

    /// Entries from the log. Where they are commands of a stream, `decide` says what the new ones come to.
    pub fn entries(
        &mut self,
        batch: &Batch<'_>,
        now: MonotonicTime,
        decide: impl FnOnce(&[Entry], &mut Fx) -> Option<Decisions>,
        fx: &mut Fx,
    ) {
        let Some((from, news)) = self.following.take(batch, now, fx) else { return };
        match decide(&news, fx) {
            Some(Decisions { from, entries, is_lost }) => {
                self.is_lost |= is_lost;
                self.keep(from, entries, fx);
            }
            None => self.keep(from, news, fx),
        }
        self.following.ask_if_behind(batch.tail, now, fx);
    }

    /// What a client is told.
    #[must_use]
    pub fn overview(&self) -> Answer {
        if !self.is_lost && self.following.may_serve() {
            Answer::Overview { position: self.following.applied(), units: self.units }
        } else {
            Answer::Unavailable
        }
    }

    fn keep(&mut self, from: Offset, entries: Arc<[Entry]>, fx: &mut Fx) {
        entries.iter().for_each(|entry| self.apply(entry));
        if !entries.is_empty() {
            fx.observe(Observation::Applied { from, entries });
        }
    }

    fn apply(&mut self, entry: &Entry) {
        let Some(event) = form::event(&entry.event, self.version, &self.rules) else {
            self.is_lost = true;
            return;
        };
        match (event.call, event.answer) {
            (call @ (Call::Reserve { .. } | Call::ReserveKinds { .. }), Answer::Accepted(_)) => {
                let Some(demand) = call.demand() else { return };
                self.units += demand.units.total();
                *self.held.entry((entry.slot, demand.order)).or_default() += demand.units.total();
            }
            (Call::Release { slot, order }, Answer::Released) => {
                self.units -= self.held.remove(&(slot, order)).unwrap_or_default();
            }
            _ => {}
        }
    }
}

/// What commands of a stream came to.
#[derive(Clone, Debug)]
pub struct Decisions {
    /// How many decisions there were before these.
    pub from: Offset,
    /// The decisions.
    pub entries: Arc<[Entry]>,
    /// Whether one of the commands cannot be read here, so that nothing behind it is decided.
    pub is_lost: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::Member;
    use crate::ids::{RequestKey, Sequence};
    use crate::message::{Event, Ground, Message};
    use crate::probe::Probe;
    use crate::replication::following::{GAP_ASK_EVERY, RESYNC_EVERY};
    use crate::rules::Decisions as _;
    use sim::node::NodeId;
    use sim::time::Span;

    const LOG: NodeId = NodeId(1);

    /// Entries that each take one unit; the log's tail is `tail`.
    fn deliver(
        replica: &mut Replica,
        probe: &mut Probe<Member>,
        offsets: core::ops::Range<u64>,
        tail: u64,
    ) -> u64 {
        let ground = Ground { limit: 10, version: crate::ids::Version(1) };
        let entries: Arc<[Entry]> = offsets
            .clone()
            .map(|offset| {
                let call = Call::Reserve { slot: SlotId(0), order: OrderId(offset), units: 1 };
                let event = Event { request: RequestKey(offset), call, answer: Answer::Accepted(ground) };
                Entry { slot: SlotId(0), sequence: Sequence(0), event }
            })
            .collect();
        let nonce = replica.following.nonce();
        let batch =
            Batch { log: LOG, from: Offset(offsets.start), entries: &entries, tail: Offset(tail), nonce };
        probe.ask(|context, fx| replica.entries(&batch, context.monotonic(), |_, _| None, fx));
        replica.units
    }

    fn started(rules: Rules) -> (Replica, Probe<Member>) {
        let (mut replica, mut probe) =
            (Replica::new(rules, LogNodes::new(Arc::new([LOG]), NodeId(9))), Probe::new(Span::ZERO));
        probe.ask(|context, fx| replica.start(context, fx));
        assert_eq!(probe.done().names(), ["follow"]);
        (replica, probe)
    }

    #[test]
    fn what_comes_twice_counts_once() {
        let (mut replica, mut probe) = started(Rules::hardened());
        assert_eq!(deliver(&mut replica, &mut probe, 0..3, 3), 3);
        assert_eq!(deliver(&mut replica, &mut probe, 0..3, 3), 3);
        assert_eq!(deliver(&mut replica, &mut probe, 1..5, 5), 5);
    }

    #[test]
    fn a_gap_is_asked_about_and_not_skipped() {
        let (mut replica, mut probe) = started(Rules::hardened());
        probe.wait(GAP_ASK_EVERY);
        assert_eq!(deliver(&mut replica, &mut probe, 2..3, 3), 0);
        assert_eq!(probe.done().names(), ["follow"]);
        let (mut mutant, mut probe) = started(Rules::mutant("replica-skips-gap"));
        assert_eq!(deliver(&mut mutant, &mut probe, 2..3, 3), 1);
    }

    /// Whom a replica of two nodes asks when each tick comes 500 ms after the one before, and with a nonce or without.
    fn asked(replica: &mut Replica, probe: &mut Probe<Member>) -> (NodeId, bool) {
        probe.wait(RESYNC_EVERY).ask(|context, fx| replica.tick(context.monotonic(), fx));
        match &probe.done().sent[..] {
            [(log, Message::Follow { nonce, .. })] => (*log, *nonce != 0),
            other => panic!("expected a question, found {other:?}"),
        }
    }

    #[test]
    fn a_node_that_stays_silent_is_left_for_the_next_and_only_the_first_answer_must_be_decided() {
        let other = NodeId(8);
        let logs = LogNodes::new(Arc::new([LOG, other]), NodeId(4));
        let (mut replica, mut probe) = (Replica::new(Rules::hardened(), logs), Probe::new(Span::ZERO));
        probe.ask(|context, fx| replica.start(context, fx));
        probe.done();
        assert_eq!([0; 2].map(|_| asked(&mut replica, &mut probe)), [(other, true), (LOG, true)]);
        deliver(&mut replica, &mut probe, 0..3, 3);
        assert_eq!(asked(&mut replica, &mut probe), (LOG, false));
        deliver(&mut replica, &mut probe, 0..2, 2);
        assert_eq!(asked(&mut replica, &mut probe), (LOG, false), "it is behind, and alive");
        assert_eq!(asked(&mut replica, &mut probe), (other, false));
        assert_eq!(replica.overview(), Answer::Overview { position: Offset(3), units: 3 });
    }

    #[test]
    fn nothing_is_served_before_the_first_tail_is_reached() {
        let (mut replica, mut probe) = started(Rules::hardened());
        assert_eq!(replica.overview(), Answer::Unavailable);
        deliver(&mut replica, &mut probe, 0..3, 5);
        assert_eq!(replica.overview(), Answer::Unavailable);
        deliver(&mut replica, &mut probe, 3..5, 6);
        assert_eq!(replica.overview(), Answer::Overview { position: Offset(5), units: 5 });
    }
}
