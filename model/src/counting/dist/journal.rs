//! A node's log of increments: numbered, durable before they are acknowledged, kept until the store has applied them.
//!
//! ```text
//!   base ──────────── durable_end ──────── end
//!    │ may be flushed      │ not yet        │
//! ```
//!
//! An entry keeps its number across restarts. A log that was cut at damage is a new log: the numbers behind the cut would
//! otherwise be given to other entries, which the store would take for applied.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use sim::node::{Context, SyncToken, TimerKey};

use crate::counting::{Asked, CounterKey, Fx, Increment, Record};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::RequestKey;

/// Entries of a log that wait for the store; beyond, a node refuses increments.
pub const ENTRIES_MAX: usize = 100_000;
/// So many records of applied entries are taken off the disk at once.
const APPLIED_MAX: usize = 256;

/// An increment in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Under which request key.
    pub request: RequestKey,
    /// What is to be added.
    pub increment: Increment,
}

/// Where the entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// On disk: acknowledged once durable.
    Disk,
    /// In memory only: acknowledged at once, gone with the process.
    Memory,
}

/// What waits for a sync.
#[derive(Clone, Debug)]
struct Held {
    /// The number behind the last entry that the sync makes durable.
    end: i64,
    asked: Option<Asked>,
}

/// The log of one node. It owns the node's disk and one timer.
#[derive(Clone, Debug)]
pub struct Journal {
    medium: Medium,
    log: u64,
    base: i64,
    entries: VecDeque<Entry>,
    /// What is asked under each request key of the entries.
    requests: BTreeMap<RequestKey, Increment>,
    durable_end: i64,
    disk: DiskLog<Record, Held>,
}

/// What came of handing in an increment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is acknowledged later, with the sync.
    Waits,
    /// It can be acknowledged at once.
    Now(Asked),
    /// The request key is that of another increment.
    KeyReused(Asked),
    /// There is no room.
    Full(Asked),
}

impl Journal {
    /// An empty log that uses the timer `retry`.
    #[must_use]
    pub const fn new(medium: Medium, retry: TimerKey) -> Self {
        Self {
            medium,
            log: 0,
            base: 0,
            entries: VecDeque::new(),
            requests: BTreeMap::new(),
            durable_end: 0,
            disk: DiskLog::new(retry),
        }
    }

    /// Begins with what survived, or with a new log.
    pub fn start(&mut self, disk: &[Record], context: &mut Context<'_>, fx: &mut Fx) {
        if self.disk.start(disk, context, fx) == Begin::Never {
            return;
        }
        let found = self.disk.records().to_vec();
        for record in found {
            match record {
                Record::Began { log, from } => (self.log, self.base) = (log, from),
                Record::Entry(entry) => self.keep(entry),
                Record::Redo(_) | Record::Format(_) => {}
            }
        }
        let is_new = self.disk.records().is_empty() || !context.damaged().is_empty();
        if is_new {
            self.log = context.chance().next_u64();
            self.base = 0;
        }
        self.durable_end = self.base;
        if self.medium == Medium::Memory {
            return;
        }
        if is_new {
            self.rewrite(fx);
        }
        let held = Held { end: self.end(), asked: None };
        if self.disk.hold(held).is_some() {
            self.durable_end = self.end();
        }
    }

    /// Which log it is.
    #[must_use]
    pub const fn log(&self) -> u64 {
        self.log
    }

    /// The number of the first entry that is not applied, as far as is known.
    #[must_use]
    pub const fn base(&self) -> i64 {
        self.base
    }

    /// The first entries that may be flushed, at most `count_max`.
    pub fn range(&self, end: Until, count_max: usize) -> impl Iterator<Item = &Entry> {
        let end = match end {
            Until::Durable => self.durable_end,
            Until::End => self.end(),
        };
        let count = usize::try_from(end - self.base).unwrap_or(0).min(count_max);
        self.entries.iter().take(count)
    }

    /// Of how many counters there are increments.
    #[must_use]
    pub fn key_count(&self) -> usize {
        let keys: BTreeSet<&CounterKey> = self.entries.iter().map(|entry| &entry.increment.key).collect();
        keys.len()
    }

    /// Takes an increment in. One that is here already under its request key is not taken twice, where `repeats` says so.
    pub fn take(&mut self, asked: Asked, increment: &Increment, repeats: Repeats, fx: &mut Fx) -> Taken {
        match self.requests.get(&asked.request) {
            Some(known) if repeats == Repeats::Recognised && known != increment => {
                return Taken::KeyReused(asked);
            }
            Some(_) if repeats == Repeats::Recognised => return self.hold(asked),
            Some(_) | None => {}
        }
        if self.entries.len() >= ENTRIES_MAX {
            return Taken::Full(asked);
        }
        let entry = Entry { request: asked.request, increment: increment.clone() };
        if self.medium == Medium::Disk {
            self.disk.append(Record::Entry(entry.clone()), fx);
        }
        self.keep(entry);
        self.hold(asked)
    }

    /// The store has applied the entries before `number`: they are forgotten.
    pub fn applied(&mut self, number: i64, fx: &mut Fx) {
        let count = usize::try_from(number - self.base).unwrap_or(0).min(self.entries.len());
        for entry in self.entries.drain(..count) {
            self.requests.remove(&entry.request);
        }
        self.base += i64::try_from(count).expect("a log is shorter than 2^63");
        self.durable_end = self.durable_end.max(self.base);
        let applied_count = self.disk.records().len().saturating_sub(self.entries.len() + 1);
        if self.medium == Medium::Disk && applied_count >= APPLIED_MAX {
            self.rewrite(fx);
        }
    }

    /// A sync is done: whose increments can be acknowledged.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) -> Vec<Asked> {
        let released = self.disk.synced(token, fx);
        let end = released.iter().map(|held| held.end).max();
        self.durable_end = self.durable_end.max(end.unwrap_or(0));
        assert!(self.durable_end <= self.end(), "no more is durable than there is");
        released.into_iter().filter_map(|held| held.asked).collect()
    }

    /// A sync was refused.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        self.disk.sync_failed(token, fx);
    }

    /// The timer ran out.
    pub fn timer(&mut self, fx: &mut Fx) {
        self.disk.timer(fx);
    }

    fn end(&self) -> i64 {
        self.base + i64::try_from(self.entries.len()).expect("a log is shorter than 2^63")
    }

    fn keep(&mut self, entry: Entry) {
        self.requests.insert(entry.request, entry.increment.clone());
        self.entries.push_back(entry);
    }

    fn hold(&mut self, asked: Asked) -> Taken {
        if self.medium == Medium::Memory {
            self.durable_end = self.end();
            return Taken::Now(asked);
        }
        let held = Held { end: self.end(), asked: Some(asked) };
        match self.disk.hold(held) {
            Some(Held { asked: Some(asked), .. }) => Taken::Now(asked),
            Some(Held { asked: None, .. }) | None => Taken::Waits,
        }
    }

    /// Writes the log anew, without what is applied.
    fn rewrite(&mut self, fx: &mut Fx) {
        let began = Record::Began { log: self.log, from: self.base };
        let entries = self.entries.iter().cloned().map(Record::Entry);
        self.disk.replace(core::iter::once(began).chain(entries).collect(), fx);
    }
}

/// How far a flush goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Up to what is durable.
    Durable,
    /// Up to the last entry.
    End,
}

/// What a request key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// A repeat is found by it.
    Recognised,
    /// Nothing: a repeat counts again.
    Counted,
}
