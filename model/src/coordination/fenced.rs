//! A resource that is written to under a lock or by a leader, and that may refuse who is that no longer.
//!
//! ```text
//!   old holder, token 3 ───────── (late) ────────┐
//!   new holder, token 4 ─► written, newest is 4 ─┴► 3 < 4: refused
//! ```
//!
//! Source: M. Burrows, "The Chubby lock service for loosely-coupled distributed systems", OSDI 2006, where the tokens are
//! called sequencers.

use core::fmt::Debug;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sim::node::{Context, Effects, Node, NodeId, SyncToken, TimerKey};

use crate::disk_log::{Begin, DiskLog};
use crate::durable::Formatted;
use crate::rules::Precaution;

/// Asks a resource to write in the name of a lock or a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedWrite {
    /// The lock that protects what is written, or the election.
    pub lock: u32,
    /// The token of the grant, or the epoch of the leader.
    pub token: u64,
    /// The how-many-th write under that token, from 1: the same however often it is asked for. Writes of one token that
    /// are on their way together may be done in any order.
    pub number: u32,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is done and durable.
    Written,
    /// It was refused: somebody with a larger token has written.
    Fenced,
}

/// A resource answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FencedReply {
    /// Which write.
    pub write: FencedWrite,
    /// What became of it.
    pub fate: Fate,
}

/// What a resource shows to the recorder: a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Accessed {
    /// About which write.
    pub write: FencedWrite,
    /// Of whom.
    pub holder: NodeId,
    /// The decision.
    pub fate: Fate,
}

/// What a resource's disk keeps, some of it writes.
pub trait KeepsWrites: Formatted + From<FencedWrite> + Clone + Debug {
    /// The write, if it is one.
    fn written(&self) -> Option<FencedWrite>;
}

/// How careful a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Care {
    /// It refuses a token smaller than the largest it has seen.
    pub fencing: Precaution,
    /// A write counts once it is durable, and the token with it.
    pub durable_first: Precaution,
}

/// Somebody waits for a write to be durable.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    holder: NodeId,
    write: FencedWrite,
}

/// The resource node. It uses timer 0.
#[derive(Clone, Debug)]
pub struct Resource<R> {
    care: Care,
    /// The last write under each lock.
    last: BTreeMap<u32, FencedWrite>,
    log: DiskLog<R, Waiting>,
    waiting_count: usize,
}

/// Records on disk before all but the last write of each lock are dropped.
const RECORDS_MAX: usize = 512;
/// Writes that may wait for the disk; what comes then is not answered, and asked again.
const WAITING_MAX: usize = 1_024;

impl<R: KeepsWrites> Resource<R> {
    /// A resource that nobody has written to.
    #[must_use]
    pub const fn new(care: Care) -> Self {
        Self { care, last: BTreeMap::new(), log: DiskLog::new(TimerKey(0)), waiting_count: 0 }
    }

    /// Begins with the writes that survived.
    pub fn start<N: Node<Record = R>>(&mut self, disk: &[R], context: &Context<'_>, fx: &mut Effects<N>) {
        if self.log.start(disk, context, fx) == Begin::Now {
            let writes = self.log.records().iter().filter_map(R::written);
            self.last = writes.map(|write| (write.lock, write)).collect();
        }
    }

    /// Somebody wants to write.
    pub fn write<N: Node<Record = R>>(&mut self, holder: NodeId, write: FencedWrite, fx: &mut Effects<N>)
    where
        N::Message: From<FencedReply>,
        N::Observation: From<Accessed>,
    {
        let last = self.last.get(&write.lock).copied();
        let is_old = last.is_some_and(|last| write.token < last.token);
        if is_old && self.care.fencing.is_taken() {
            return decide(Waiting { holder, write }, Fate::Fenced, fx);
        }
        if self.waiting_count == WAITING_MAX {
            return;
        }
        if last != Some(write) {
            self.last.insert(write.lock, write);
            self.append(write, fx);
        }
        let waiting = Waiting { holder, write };
        if !self.care.durable_first.is_taken() {
            return decide(waiting, Fate::Written, fx);
        }
        match self.log.hold(waiting) {
            Some(waiting) => decide(waiting, Fate::Written, fx),
            None => self.waiting_count += 1,
        }
    }

    /// A sync is done.
    pub fn synced<N: Node<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>)
    where
        N::Message: From<FencedReply>,
        N::Observation: From<Accessed>,
    {
        for waiting in self.log.synced(token, fx) {
            self.waiting_count -= 1;
            decide(waiting, Fate::Written, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed<N: Node<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>) {
        self.log.sync_failed(token, fx);
    }

    /// The timer ran out.
    pub fn timer<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        self.log.timer(fx);
    }

    fn append<N: Node<Record = R>>(&mut self, write: FencedWrite, fx: &mut Effects<N>) {
        if self.log.records().len() < RECORDS_MAX + self.last.len() {
            self.log.append(write.into(), fx);
        } else {
            self.log.replace(self.last.values().map(|write| (*write).into()).collect(), fx);
        }
    }
}

fn decide<N: Node>(waiting: Waiting, fate: Fate, fx: &mut Effects<N>)
where
    N::Message: From<FencedReply>,
    N::Observation: From<Accessed>,
{
    let Waiting { holder, write } = waiting;
    fx.observe(Accessed { write, holder, fate });
    fx.send(holder, FencedReply { write, fate });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::lease::{Member, Message, Record};
    use crate::probe::Probe;
    use crate::rules::Precaution::{Skipped, Taken};
    use sim::time::Span;

    const CAREFUL: Care = Care { fencing: Taken, durable_first: Taken };

    const fn write(token: u64, number: u32) -> FencedWrite {
        FencedWrite { lock: 0, token, number }
    }

    /// What becomes of each write in turn, every sync being done at once.
    fn fates(resource: &mut Resource<Record>, writes: &[FencedWrite]) -> Vec<Fate> {
        let mut probe = Probe::<Member>::new(Span::ZERO);
        let mut fates = Vec::new();
        for write in writes {
            probe.ask(|_, fx| resource.write(NodeId(1), *write, fx));
            let mut done = probe.done();
            while let Some(token) = done.synced.pop() {
                probe.ask(|_, fx| resource.synced(token, fx));
                done.sent.extend(probe.done().sent);
            }
            fates.extend(done.sent.iter().map(|(_, message)| match message {
                Message::Wrote(reply) => reply.fate,
                other => panic!("expected a reply, found {other:?}"),
            }));
        }
        fates
    }

    #[test]
    fn an_older_token_is_refused_once_a_newer_one_was_seen_and_only_with_fencing() {
        let writes = [write(3, 1), write(4, 1), write(3, 2), write(4, 2)];
        for (fencing, third) in [(Taken, Fate::Fenced), (Skipped, Fate::Written)] {
            let mut resource = Resource::new(Care { fencing, ..CAREFUL });
            assert_eq!(fates(&mut resource, &writes), [Fate::Written, Fate::Written, third, Fate::Written]);
        }
    }

    #[test]
    fn a_write_counts_once_it_is_durable_and_a_repeat_is_written_once() {
        for (durable_first, want) in [(Taken, 0), (Skipped, 1)] {
            let mut probe = Probe::<Member>::new(Span::ZERO);
            let mut resource = Resource::<Record>::new(Care { durable_first, ..CAREFUL });
            probe.ask(|_, fx| resource.write(NodeId(1), write(1, 1), fx));
            let first = probe.done();
            assert_eq!((first.sent.len(), first.observed.len(), first.written.len()), (want, want, 1));
            probe.ask(|_, fx| resource.write(NodeId(1), write(1, 1), fx));
            assert_eq!(probe.done().written.len(), 0);
        }
    }

    #[test]
    fn the_newest_token_survives_a_restart() {
        let mut resource = Resource::<Record>::new(CAREFUL);
        let mut probe = Probe::<Member>::new(Span::ZERO);
        probe.ask(|context, fx| resource.start(&[Record::Written(write(5, 1))], context, fx));
        assert_eq!(fates(&mut resource, &[write(4, 1)]), [Fate::Fenced]);
    }

    #[test]
    fn the_disk_keeps_a_bounded_number_of_writes() {
        let mut resource = Resource::<Record>::new(CAREFUL);
        let writes: Vec<_> = (1..2_000).map(|number| write(1, number)).collect();
        assert_eq!(fates(&mut resource, &writes).len(), writes.len());
        assert!(resource.log.records().len() <= RECORDS_MAX + 1);
    }
}
