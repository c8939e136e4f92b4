//! A consumer: fetches entries, works on them, counts them into its state, and remembers how far it is.

use std::sync::Arc;

use sim::node::{Context, SyncToken, TimerKey};

use super::{Counted, Entry, Fx, Message, Observation, Record, Rules, SOURCE, Shape};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::Offset;

/// What waits for the disk: what is to be shown.
#[derive(Clone, Debug)]
enum Waiting {
    Began(Arc<[Counted]>),
    Counted(Arc<[Counted]>),
}

/// The consumer node. It uses the timers 0 to 3.
#[derive(Clone, Debug)]
pub struct Consumer {
    rules: Rules,
    partition: u32,
    shape: Shape,
    /// What has been counted, all amounts together.
    sum: u64,
    /// The place of the entry to be counted next.
    next: Offset,
    /// What it works on.
    batch: Arc<[Entry]>,
    log: DiskLog<Record, Waiting>,
}

const FETCH: TimerKey = TimerKey(0);
const WORK: TimerKey = TimerKey(1);
const COMMIT: TimerKey = TimerKey(2);
const DISK: TimerKey = TimerKey(3);

impl Consumer {
    /// A consumer that has counted nothing.
    #[must_use]
    pub fn new(rules: Rules, partition: u32, shape: Shape) -> Self {
        let (sum, next, batch) = (0, Offset(0), Arc::new([]));
        Self { rules, partition, shape, sum, next, batch, log: DiskLog::new(DISK) }
    }

    /// Begins with the state and the offset that survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        let mut state = Vec::new();
        for record in self.log.records() {
            match record {
                Record::Counted { from, entries, next } => {
                    state.extend(places(*from, entries));
                    self.sum += sum(entries);
                    self.next = next.unwrap_or(self.next);
                }
                Record::Next(next) => self.next = *next,
                Record::Entry { .. } | Record::Format(_) => {}
            }
        }
        self.show_when_durable(Waiting::Began(state.into()), fx);
        fx.set_timer(COMMIT, self.shape.commit_every);
        self.fetch(fx);
    }

    /// Reacts to a message.
    pub fn message(&mut self, message: Message, fx: &mut Fx) {
        match message {
            Message::Batch { from, entries } => self.received(from, entries, fx),
            Message::Ask(_) | Message::Answer(_) | Message::Fetch { .. } => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        match key {
            FETCH => self.fetch(fx),
            WORK => self.count(fx),
            COMMIT => self.commit(fx),
            _ => self.log.timer(fx),
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            show(waiting, fx);
        }
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.log.sync_failed(token, fx);
    }

    fn fetch(&self, fx: &mut Fx) {
        fx.send(SOURCE, Message::Fetch { partition: self.partition, from: self.next });
        fx.set_timer(FETCH, self.shape.poll_every);
    }

    /// Entries that it has asked for, and not yet got: the first answer counts.
    fn received(&mut self, from: Offset, entries: Arc<[Entry]>, fx: &mut Fx) {
        let is_expected = from == self.next && self.batch.is_empty();
        if !is_expected || entries.is_empty() {
            return;
        }
        if self.rules.one_transaction.is_taken() && !self.rules.offset_with_state.is_taken() {
            self.log.append(Record::Next(Offset(from.0 + entries.len() as u64)), fx);
        }
        self.batch = entries;
        fx.cancel_timer(FETCH);
        fx.set_timer(WORK, self.shape.work);
    }

    /// The work is done: the state changes, and with it the offset.
    fn count(&mut self, fx: &mut Fx) {
        let (from, entries) = (self.next, core::mem::replace(&mut self.batch, Arc::new([])));
        assert!(!entries.is_empty(), "there is work only on what was received");
        self.next = Offset(from.0 + entries.len() as u64);
        self.sum += sum(&entries);
        let is_one = self.rules.one_transaction.is_taken() && self.rules.offset_with_state.is_taken();
        let next = is_one.then_some(self.next);
        let counted = places(from, &entries).collect();
        self.log.append(Record::Counted { from, entries, next }, fx);
        self.show_when_durable(Waiting::Counted(counted), fx);
        self.fetch(fx);
    }

    /// Where the offset is apart from the state, it is written from time to time.
    fn commit(&mut self, fx: &mut Fx) {
        if !self.rules.one_transaction.is_taken() {
            self.log.append(Record::Next(self.next), fx);
            fx.set_timer(COMMIT, self.shape.commit_every);
        }
    }

    fn show_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            show(waiting, fx);
        }
    }
}

fn places(from: Offset, entries: &[Entry]) -> impl Iterator<Item = Counted> {
    (from.0..).map(Offset).zip(entries.iter().map(|entry| entry.request))
}

fn sum(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| u64::from(entry.amount)).sum()
}

fn show(waiting: Waiting, fx: &mut Fx) {
    fx.observe(match waiting {
        Waiting::Began(state) => Observation::Began(state),
        Waiting::Counted(counted) => Observation::Counted(counted),
    });
}

#[cfg(test)]
impl Consumer {
    /// What has been counted.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }
}
