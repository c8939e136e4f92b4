//! The server of a leased lock: one holder at a time by its own clock, and every grant on disk.

use std::collections::BTreeMap;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::{MonotonicTime, Span};

use super::{Fx, Grant, Message, Observation, Record, Rules};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// A lock that was granted once.
#[derive(Clone, Copy, Debug)]
struct Lock {
    last: Grant,
    lease: Lease,
}

/// A question for a lock.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    lock: u32,
    holder: NodeId,
    request: RequestKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lease {
    /// Nobody holds it.
    Free,
    /// Held for the length of a lease from this instant on.
    Since(MonotonicTime),
}

/// The server node. It uses timer 0.
#[derive(Clone, Debug)]
pub struct Server {
    rules: Rules,
    lock_count: u32,
    lease: Span,
    locks: BTreeMap<u32, Lock>,
    log: DiskLog<Record, Grant>,
}

/// Records on disk before all but the last grants are dropped.
const RECORDS_MAX: usize = 512;

impl Server {
    /// A server that has granted nothing.
    #[must_use]
    pub const fn new(rules: Rules, lock_count: u32, lease: Span) -> Self {
        Self { rules, lock_count, lease, locks: BTreeMap::new(), log: DiskLog::new(TimerKey(0)) }
    }

    /// Begins with the grants that survived: for how long nobody knows, so each lease begins anew.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.log.records() {
            let (last, lease) = match record {
                Record::Granted(grant) => (*grant, Lease::Since(context.monotonic())),
                Record::Released(grant) => (*grant, Lease::Free),
                Record::Written(_) | Record::Format(_) => continue,
            };
            self.locks.insert(last.lock, Lock { last, lease });
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, context: &Context<'_>, fx: &mut Fx) {
        match message {
            Message::Acquire { request, lock } => {
                self.acquire(Wanted { lock: *lock, holder: from, request: *request }, context, fx);
            }
            Message::Release { lock, token } => self.release(*lock, *token, fx),
            Message::Granted { .. }
            | Message::Held { .. }
            | Message::NoSuchLock { .. }
            | Message::Write(_)
            | Message::Wrote(_) => {}
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for grant in self.log.synced(token, fx) {
            answer(grant, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    /// The timer ran out.
    pub fn timer(&mut self, fx: &mut Fx) {
        self.log.timer(fx);
    }

    fn acquire(&mut self, wanted: Wanted, context: &Context<'_>, fx: &mut Fx) {
        let Wanted { lock, holder, request } = wanted;
        if lock >= self.lock_count {
            return fx.send(holder, Message::NoSuchLock { request });
        }
        let known = self.locks.get(&lock).copied();
        if let Some(Lock { last, lease: Lease::Since(since) }) = known
            && context.monotonic().since(since) < self.lease
        {
            // Asked again, since the answer was lost or is still to come.
            let is_its_own = last.request == request && self.log.is_durable();
            return if is_its_own { answer(last, fx) } else { fx.send(holder, Message::Held { request }) };
        }
        let token = self.next_token(known);
        let grant = Grant { lock, token, holder, request };
        self.locks.insert(lock, Lock { last: grant, lease: Lease::Since(context.monotonic()) });
        self.append(Record::Granted(grant), fx);
        let now = if self.rules.grant_durable.is_taken() { self.log.hold(grant) } else { Some(grant) };
        if let Some(grant) = now {
            answer(grant, fx);
        }
    }

    fn next_token(&self, known: Option<Lock>) -> u64 {
        match known {
            None => 1,
            Some(Lock { last, lease: Lease::Free }) if !self.rules.new_token.is_taken() => last.token,
            Some(Lock { last, .. }) => last.token + 1,
        }
    }

    /// Only whoever holds the lock can give it back.
    fn release(&mut self, lock: u32, token: u64, fx: &mut Fx) {
        let Some(known) = self.locks.get_mut(&lock) else { return };
        if known.last.token == token && known.lease != Lease::Free {
            known.lease = Lease::Free;
            let released = Record::Released(known.last);
            self.append(released, fx);
        }
    }

    fn append(&mut self, record: Record, fx: &mut Fx) {
        if self.log.records().len() < RECORDS_MAX + self.locks.len() {
            return self.log.append(record, fx);
        }
        let newest = self.locks.values().map(|lock| match lock.lease {
            Lease::Free => Record::Released(lock.last),
            Lease::Since(_) => Record::Granted(lock.last),
        });
        self.log.replace(newest.collect(), fx);
    }
}

fn answer(grant: Grant, fx: &mut Fx) {
    fx.observe(Observation::Granted(grant));
    fx.send(grant.holder, Message::Granted { request: grant.request, token: grant.token });
}
