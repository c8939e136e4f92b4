//! A node's own records on its disk: durable in the order in which they were appended, whatever the disk refuses on the way.
//!
//! ```text
//!   append ─► written ─► sync (one at a time) ─┬─► done: what waited for it is released, what came meanwhile is written
//!                                              └─► refused: a bare sync asks whether the disk works again,
//!                                                  then everything is written anew in one step
//! ```
//!
//! A refused sync is not made good by a sync alone: a full disk took none of the writes. So nothing is written while a sync
//! is on its way: behind writes that were refused it would survive a crash without them. A log ends at its first damaged
//! record and is cut there. What a restart finds may still be lost to a power loss, so it is synced before it counts as
//! durable. A program older than the one that wrote a record does not begin.

use core::fmt::Debug;
use std::collections::VecDeque;

use sim::node::{Context, Effects, Node, SyncToken, TimerKey};
use sim::time::Span;

use crate::durable::{self, Formatted};

const RETRY_AFTER: Span = Span::from_ms(100);

/// One sync on its way.
#[derive(Clone, Copy, Debug)]
struct Syncing {
    token: SyncToken,
    /// How many appends it makes durable.
    written: u64,
    trust: Trust,
}

/// Whether everything written will be on the disk with the next sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// It will.
    Full,
    /// A sync was refused: some of it may be missing, and is to be written again.
    Shaken,
}

/// What the disk was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// So many of the records, from the first on.
    First(usize),
    /// Others: all are to be written anew.
    Others,
}

/// Whether a node can begin with what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It can.
    Now,
    /// A newer program wrote it: this one must not guess, and has stopped itself.
    Never,
}

/// The records `R` of a node that has no others, and what waits `W` until they are durable. It owns every sync of its node,
/// and one timer.
#[derive(Clone, Debug)]
pub struct DiskLog<R, W> {
    retry: TimerKey,
    records: Vec<R>,
    given: Given,
    /// Appends, and one for what a start found.
    written: u64,
    durable: u64,
    waiting: VecDeque<(u64, W)>,
    syncing: Option<Syncing>,
    trust: Trust,
    /// In which the records are written: the version of the program.
    format: u32,
    syncs: u64,
}

impl<R: Formatted + Clone + Debug, W> DiskLog<R, W> {
    /// An empty log that uses the timer `retry`.
    #[must_use]
    pub const fn new(retry: TimerKey) -> Self {
        Self {
            retry,
            records: Vec::new(),
            given: Given::First(0),
            written: 0,
            durable: 0,
            waiting: VecDeque::new(),
            syncing: None,
            trust: Trust::Full,
            format: 0,
            syncs: 0,
        }
    }

    /// Begins with what survived on disk, up to the first damaged record, and makes it durable.
    pub fn start<N: Node<Record = R>>(
        &mut self,
        disk: &[R],
        context: &Context<'_>,
        fx: &mut Effects<N>,
    ) -> Begin {
        self.format = context.version();
        let Some((records, format)) = durable::log(disk, context) else {
            fx.halt();
            return Begin::Never;
        };
        self.records = records.iter().filter(|record| record.format().is_none()).cloned().collect();
        self.given = Given::First(self.records.len());
        if !context.damaged().is_empty() {
            self.rewrite(fx);
        } else if format < self.format {
            fx.write(R::of_format(self.format));
        }
        if !disk.is_empty() || self.format > 0 {
            self.written += 1;
            self.sync(fx);
        }
        Begin::Now
    }

    /// All records, durable or not, in order.
    #[must_use]
    pub fn records(&self) -> &[R] {
        &self.records
    }

    /// Whether everything is durable: after a start, whether what was found may be shown.
    #[must_use]
    pub const fn is_durable(&self) -> bool {
        self.durable == self.written
    }

    /// Appends a record; it is durable once what is [held](Self::hold) after it is released.
    pub fn append<N: Node<Record = R>>(&mut self, record: R, fx: &mut Effects<N>) {
        self.records.push(record);
        self.changed(fx);
    }

    /// Replaces all records in one step: a compaction.
    pub fn replace<N: Node<Record = R>>(&mut self, records: Vec<R>, fx: &mut Effects<N>) {
        self.records = records;
        self.given = Given::Others;
        self.changed(fx);
    }

    /// Keeps `waiting` until everything appended so far is durable; gives it back if it is.
    #[must_use]
    pub fn hold(&mut self, waiting: W) -> Option<W> {
        if self.is_durable() {
            return Some(waiting);
        }
        self.waiting.push_back((self.written, waiting));
        None
    }

    /// A sync is done: what waited for it, in order.
    pub fn synced<N: Node<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>) -> Vec<W> {
        let Some(Syncing { written, trust, .. }) = self.syncing.filter(|sync| sync.token == token) else {
            return Vec::new();
        };
        self.syncing = None;
        if trust == Trust::Shaken {
            self.rewrite(fx);
            self.sync(fx);
            return Vec::new();
        }
        assert!(written >= self.durable, "what is durable stays so: {written} after {}", self.durable);
        self.durable = written;
        let count = self.waiting.iter().take_while(|(until, _)| *until <= written).count();
        let released = self.waiting.drain(..count).map(|(_, waiting)| waiting).collect();
        if self.written > self.durable {
            self.write(fx);
            self.sync(fx);
        }
        released
    }

    /// A sync was refused: it will be tried again.
    pub fn sync_failed<N: Node<Record = R>>(&mut self, token: SyncToken, fx: &mut Effects<N>) {
        if self.syncing.take_if(|sync| sync.token == token).is_some() {
            self.trust = Trust::Shaken;
            fx.set_timer(self.retry, RETRY_AFTER);
        }
    }

    /// The timer ran out.
    pub fn timer<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        if self.syncing.is_none() && self.written > self.durable {
            self.sync(fx);
        }
    }

    fn changed<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        self.written += 1;
        // After a refusal the timer asks: one sync at a time, or the refusal of an overtaken one would be overlooked.
        if self.syncing.is_none() && self.trust == Trust::Full {
            self.write(fx);
            self.sync(fx);
        }
    }

    /// Gives the disk what it was not given yet.
    fn write<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        match self.given {
            Given::First(count) => self.records[count..].iter().for_each(|record| fx.write(record.clone())),
            Given::Others => self.rewrite(fx),
        }
        self.given = Given::First(self.records.len());
    }

    fn sync<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        self.syncs += 1;
        let token = SyncToken(self.syncs);
        self.syncing = Some(Syncing { token, written: self.written, trust: self.trust });
        fx.sync(token);
    }

    /// Writes everything anew, in one step.
    fn rewrite<N: Node<Record = R>>(&mut self, fx: &mut Effects<N>) {
        let format = (self.format > 0).then(|| R::of_format(self.format));
        fx.rewrite(format.into_iter().chain(self.records.iter().cloned()).collect());
        (self.trust, self.given) = (Trust::Full, Given::First(self.records.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Member;
    use crate::config::message::Record;
    use crate::ids::Version;
    use crate::probe::{Done, Probe};

    type Bench = (DiskLog<Record, char>, Probe<Member>);

    const fn mark(version: u32) -> Record {
        Record::Mark(Version(version))
    }

    fn started(disk: &[Record], version: u32, damaged: Vec<usize>) -> (Bench, Begin, Done<Member>) {
        let mut log = DiskLog::new(TimerKey(0));
        let mut probe = Probe::new(Span::ZERO).booted(version, damaged);
        let begin = probe.ask(|context, fx| log.start(disk, context, fx));
        let done = probe.done();
        ((log, probe), begin, done)
    }

    fn append((log, probe): &mut Bench, version: u32, waiting: char) -> Done<Member> {
        probe.ask(|_, fx| log.append(mark(version), fx));
        assert_eq!(log.hold(waiting), None);
        probe.done()
    }

    fn synced((log, probe): &mut Bench, done: &Done<Member>) -> (Vec<char>, Done<Member>) {
        let released = probe.ask(|_, fx| log.synced(done.synced[0], fx));
        (released, probe.done())
    }

    #[test]
    fn what_waits_is_released_by_the_sync_that_covers_it_and_no_sooner() {
        let (mut bench, _, done) = started(&[], 0, vec![]);
        assert!(done.synced.is_empty() && bench.0.is_durable());
        let first = append(&mut bench, 1, 'a');
        let second = append(&mut bench, 2, 'b');
        assert!(second.synced.is_empty() && second.written.is_empty(), "one sync at a time, one write");
        let (released, next) = synced(&mut bench, &first);
        assert_eq!((released, next.written.clone()), (vec!['a'], vec![mark(2)]));
        let (released, _) = synced(&mut bench, &next);
        assert_eq!((released, bench.0.is_durable()), (vec!['b'], true));
        assert_eq!(bench.0.hold('c'), Some('c'));
    }

    #[test]
    fn after_a_refusal_everything_is_written_anew_before_a_sync_is_believed() {
        let (mut bench, ..) = started(&[], 0, vec![]);
        let first = append(&mut bench, 1, 'a');
        bench.1.ask(|_, fx| bench.0.sync_failed(first.synced[0], fx));
        let second = append(&mut bench, 2, 'b');
        assert!(second.synced.is_empty(), "the timer asks, nobody else");
        assert!(second.written.is_empty(), "a crash now would keep it, and not the first");
        bench.1.ask(|_, fx| bench.0.timer(fx));
        let asking = bench.1.done();
        let (released, again) = synced(&mut bench, &asking);
        assert_eq!((released, again.rewritten.clone()), (vec![], Some(vec![mark(1), mark(2)])));
        assert_eq!(synced(&mut bench, &again).0, ['a', 'b']);
    }

    #[test]
    fn what_a_restart_finds_is_durable_only_once_synced() {
        let (mut bench, begin, done) = started(&[mark(1)], 0, vec![]);
        assert_eq!((begin, bench.0.is_durable(), bench.0.records()), (Begin::Now, false, &[mark(1)][..]));
        synced(&mut bench, &done);
        assert!(bench.0.is_durable());
    }

    #[test]
    fn a_log_is_cut_at_its_first_damaged_record() {
        let (bench, _, done) = started(&[mark(1), mark(3)], 0, vec![1]);
        assert_eq!((bench.0.records(), done.rewritten), (&[mark(1)][..], Some(vec![mark(1)])));
    }

    #[test]
    fn a_newer_program_says_so_and_an_older_one_does_not_begin() {
        let (_, begin, done) = started(&[mark(1)], 2, vec![]);
        assert_eq!((begin, done.written), (Begin::Now, vec![Record::Format(2)]));
        let (_, begin, done) = started(&[Record::Format(2), mark(1)], 1, vec![]);
        assert_eq!((begin, done.has_halted), (Begin::Never, true));
    }
}
