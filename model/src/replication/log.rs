//! The journal: one durable log that accepts an append only from a slot's newest owner, at the expected sequence.
//!
//! ```text
//!   append ──► condition holds? ──► entries, disk ──► sync ──► acknowledged, sent to followers
//!                   │ no
//!                   └──► refused
//! ```
//!
//! One sync covers everything written before it, so that load makes batches larger, not the queue longer. What is
//! not synced is shown to nobody: neither to the owner nor to a follower.
//!
//! After a refused sync nobody knows what of the writes before it is there: a full disk took none of them. So a bare
//! sync asks whether the disk works again, and once it does everything is written anew, in one atomic step; only the
//! sync of that is believed. A start that finds a damaged record ends the log there and writes the rest anew, too: it
//! was never acknowledged, unless the disk lied or rotted, and then nobody but a replica could help.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::durable;
use crate::ids::{AppendNumber, Epoch, Offset, Sequence, SlotId, Version};
use crate::message::{Answer, Entry, Event, Message, Observation, Record};

const TICK: TimerKey = TimerKey(0);
/// How often followers are told the tail, so that a lost last update heals.
const TICK_EVERY: Span = Span::from_ms(500);
/// A refused sync is tried again after that long.
const SYNC_RETRY: TimerKey = TimerKey(1);
const SYNC_RETRY_AFTER: Span = Span::from_ms(20);
/// Entries in one answer to a follower.
const CHUNK_MAX: usize = 512;

/// The end of one slot's events.
#[derive(Clone, Debug, Default)]
struct Head {
    epoch: Epoch,
    /// The question that opened the epoch.
    nonce: u64,
    version: Version,
    events: Vec<Event>,
}

/// An answer that waits for a sync.
#[derive(Clone, Debug)]
struct Waiting {
    /// How many records must be durable first.
    records: u64,
    to: NodeId,
    message: Message,
}

/// A sync under way, and what there was when it began.
#[derive(Clone, Copy, Debug)]
struct Syncing {
    token: SyncToken,
    records: u64,
    entries: usize,
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

/// The log node.
#[derive(Clone, Debug)]
pub struct Log {
    rules: Rules,
    entries: Vec<Entry>,
    heads: BTreeMap<SlotId, Head>,
    followers: BTreeSet<NodeId>,
    waiting: VecDeque<Waiting>,
    /// Records written since the start, with those found by it.
    written: u64,
    /// Those of them that the disk was not given yet.
    unwritten: Vec<Record>,
    syncing: Option<Syncing>,
    trust: Trust,
    /// In which the records are written: the version of the program.
    format: u32,
    syncs: u64,
    durable_records: u64,
    durable_entries: usize,
    /// How many of the entries a restart found: until they are durable, the log knows no tail it could name.
    recovered_entries: usize,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: Vec::new(),
            heads: BTreeMap::new(),
            followers: BTreeSet::new(),
            waiting: VecDeque::new(),
            written: 0,
            unwritten: Vec::new(),
            syncing: None,
            trust: Trust::Full,
            format: 0,
            syncs: 0,
            durable_records: 0,
            durable_entries: 0,
            recovered_entries: 0,
        }
    }

    /// Begins with what survived on disk, up to the first damaged record. It may not be durable yet, so it is synced
    /// before anybody sees it. A program older than the one that wrote it stops at once.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        self.format = context.version();
        let Some((records, format)) = durable::log(disk, context) else { return fx.halt() };
        for record in records {
            match record {
                Record::Entry(entry) => self.take(*entry),
                Record::Opened { slot, epoch } => self.heads.entry(*slot).or_default().epoch = *epoch,
                Record::Config(_) | Record::Format(_) => {}
            }
        }
        fx.observe(Observation::Started);
        self.written = records.len() as u64;
        self.recovered_entries = self.entries.len();
        if !context.damaged().is_empty() && self.rules.damage_cut.is_taken() {
            self.rewrite(fx);
        } else if format < self.format {
            fx.write(Record::Format(self.format));
            self.written += 1;
        }
        if self.written > 0 {
            self.sync(fx);
        }
        if !self.rules.sync_before_answer.is_taken() {
            self.show(0, self.entries.len(), fx);
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, fx: &mut Fx) {
        match message {
            Message::Open { slot, nonce } => self.open(from, *slot, *nonce, fx),
            Message::Read { slot, nonce } => self.read(from, *slot, *nonce, fx),
            Message::Append { slot, epoch, number, expected, events } => {
                let place = Place { slot: *slot, epoch: *epoch, number: *number, expected: *expected };
                self.append(from, place, events, fx);
            }
            Message::Follow { from: offset, nonce } => self.follow(from, *offset, *nonce, fx),
            _ => {}
        }
    }

    /// A timer ran out.
    pub fn timer(&mut self, key: TimerKey, fx: &mut Fx) {
        if key == SYNC_RETRY {
            // An append may have begun one since. One at a time: the refusal of an overtaken one would be overlooked.
            if self.syncing.is_none() {
                self.sync(fx);
            }
            return;
        }
        if self.rules.resync.is_taken() && self.visible() >= self.recovered_entries {
            let tail = Offset(self.visible() as u64);
            for follower in &self.followers {
                let entries = Arc::new([]);
                fx.send(*follower, Message::Entries { from: tail, entries, tail, nonce: 0 });
            }
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// A sync is done: what it covers is acknowledged and shown.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        let Some(Syncing { records, entries, trust, .. }) = self.syncing.filter(|sync| sync.token == token)
        else {
            return;
        };
        self.syncing = None;
        if trust == Trust::Shaken {
            self.rewrite(fx);
            self.sync(fx);
            return;
        }
        let before = self.durable_entries;
        self.durable_records = records;
        self.durable_entries = entries;
        if self.rules.sync_before_answer.is_taken() {
            self.show(before, entries, fx);
            self.push(before, entries, fx);
            self.acknowledge(records, fx);
        }
        if self.written > self.durable_records {
            self.sync(fx);
        }
    }

    /// A sync was refused: the records are still to be made durable.
    pub fn sync_failed(&mut self, token: SyncToken, fx: &mut Fx) {
        if self.syncing.is_none_or(|sync| sync.token != token) {
            return;
        }
        self.syncing = None;
        if self.rules.refused_rewritten.is_taken() {
            self.trust = Trust::Shaken;
        }
        if self.rules.sync_retried.is_taken() {
            fx.set_timer(SYNC_RETRY, SYNC_RETRY_AFTER);
        } else {
            fx.halt();
        }
    }

    fn open(&mut self, from: NodeId, slot: SlotId, nonce: u64, fx: &mut Fx) {
        let head = self.heads.entry(slot).or_default();
        if head.nonce != nonce {
            head.nonce = nonce;
            head.epoch = head.epoch.next();
            let record = Record::Opened { slot, epoch: head.epoch };
            self.keep(record);
        }
        let head = &self.heads[&slot];
        let opened =
            Message::Opened { slot, nonce, epoch: head.epoch, events: head.events.as_slice().into() };
        self.answer(from, opened, fx);
    }

    /// Nobody becomes the owner by that.
    fn read(&mut self, from: NodeId, slot: SlotId, nonce: u64, fx: &mut Fx) {
        let events = self.heads.get(&slot).map_or(&[][..], |head| &head.events).into();
        self.answer(from, Message::Events { slot, nonce, events }, fx);
    }

    fn append(&mut self, from: NodeId, place: Place, events: &[Event], fx: &mut Fx) {
        let Place { slot, epoch, number, expected } = place;
        let appended = Message::Appended { slot, epoch, number, expected };
        let head = self.heads.entry(slot).or_default();
        let is_conditional = self.rules.conditional_append.is_taken();
        if is_conditional && (epoch != head.epoch || versions_fall(head.version, events)) {
            fx.send(from, Message::Refused { slot, epoch });
            return;
        }
        let next = head.events.len();
        let is_repeat = has_events_at(&head.events, expected, events);
        if is_repeat && next != expected.0 as usize {
            self.answer(from, appended, fx);
            return;
        }
        if is_conditional && next != expected.0 as usize {
            fx.send(from, Message::Refused { slot, epoch });
            return;
        }
        let before = self.entries.len();
        for (sequence, event) in (next..).zip(events) {
            let sequence = Sequence(u32::try_from(sequence).expect("a slot's events fit 32 bits"));
            let entry = Entry { slot, sequence, event: *event };
            self.keep(Record::Entry(entry));
            self.take(entry);
        }
        if !self.rules.sync_before_answer.is_taken() {
            self.show(before, self.entries.len(), fx);
            self.push(before, self.entries.len(), fx);
        }
        self.answer(from, appended, fx);
    }

    fn take(&mut self, entry: Entry) {
        let head = self.heads.entry(entry.slot).or_default();
        if let Answer::Accepted(ground) | Answer::Rejected(ground) = entry.event.answer {
            head.version = head.version.max(ground.version);
        }
        head.events.push(entry.event);
        self.entries.push(entry);
    }

    fn follow(&mut self, from: NodeId, offset: Offset, nonce: u64, fx: &mut Fx) {
        self.followers.insert(from);
        if self.visible() < self.recovered_entries {
            return;
        }
        let visible = self.visible();
        let first = usize::try_from(offset.0).map_or(visible, |first| first.min(visible));
        let last = visible.min(first + CHUNK_MAX);
        let entries = self.entries[first..last].into();
        let tail = Offset(visible as u64);
        fx.send(from, Message::Entries { from: Offset(first as u64), entries, tail, nonce });
    }

    /// How many entries may be shown.
    const fn visible(&self) -> usize {
        if self.rules.sync_before_answer.is_taken() { self.durable_entries } else { self.entries.len() }
    }

    /// Sends `message` once everything written so far is durable.
    fn answer(&mut self, to: NodeId, message: Message, fx: &mut Fx) {
        if self.durable_records >= self.written || !self.rules.sync_before_answer.is_taken() {
            fx.send(to, message);
        } else {
            self.waiting.push_back(Waiting { records: self.written, to, message });
        }
        if self.syncing.is_none() && self.written > self.durable_records {
            self.sync(fx);
        }
    }

    fn acknowledge(&mut self, records: u64, fx: &mut Fx) {
        while self.waiting.front().is_some_and(|waiting| waiting.records <= records) {
            let Some(waiting) = self.waiting.pop_front() else { return };
            fx.send(waiting.to, waiting.message);
        }
    }

    fn push(&self, before: usize, after: usize, fx: &mut Fx) {
        if before == after {
            return;
        }
        let entries: Arc<[Entry]> = self.entries[before..after].into();
        let (from, tail) = (Offset(before as u64), Offset(after as u64));
        for follower in &self.followers {
            fx.send(*follower, Message::Entries { from, entries: Arc::clone(&entries), tail, nonce: 0 });
        }
    }

    fn show(&self, before: usize, after: usize, fx: &mut Fx) {
        if before < after {
            let entries = self.entries[before..after].into();
            fx.observe(Observation::Journalled { from: Offset(before as u64), entries });
        }
    }

    /// A record for the disk, with the next sync: behind writes that a full disk refused it would survive a crash without
    /// them.
    fn keep(&mut self, record: Record) {
        self.unwritten.push(record);
        self.written += 1;
    }

    fn sync(&mut self, fx: &mut Fx) {
        if self.trust == Trust::Full {
            self.unwritten.drain(..).for_each(|record| fx.write(record));
        }
        self.syncs += 1;
        let token = SyncToken(self.syncs);
        let (records, entries, trust) = (self.written, self.entries.len(), self.trust);
        self.syncing = Some(Syncing { token, records, entries, trust });
        fx.sync(token);
    }

    /// Writes everything anew, in one step.
    fn rewrite(&mut self, fx: &mut Fx) {
        let format = (self.format > 0).then_some(Record::Format(self.format));
        let is_opened = |(_, head): &(&SlotId, &Head)| head.epoch > Epoch(0);
        let opened = self.heads.iter().filter(is_opened);
        let opened = opened.map(|(slot, head)| Record::Opened { slot: *slot, epoch: head.epoch });
        let entries = self.entries.iter().map(|entry| Record::Entry(*entry));
        fx.rewrite(format.into_iter().chain(opened).chain(entries).collect());
        self.unwritten.clear();
        self.written += 1;
        self.trust = Trust::Full;
    }
}

/// Where an append is to go.
#[derive(Clone, Copy, Debug)]
struct Place {
    slot: SlotId,
    epoch: Epoch,
    number: AppendNumber,
    expected: Sequence,
}

/// Whether `events` stand in `known` from `expected` on already: the append is a repeat whose answer was lost.
///
/// An empty append is never a repeat: it asks whether `expected` is still the end.
fn has_events_at(known: &[Event], expected: Sequence, events: &[Event]) -> bool {
    !events.is_empty() && known.get(expected.0 as usize..).is_some_and(|rest| rest.starts_with(events))
}

/// Whether an event was decided under an older version than one before it.
fn versions_fall(newest: Version, events: &[Event]) -> bool {
    let versions = events.iter().filter_map(|event| match event.answer {
        Answer::Accepted(ground) | Answer::Rejected(ground) => Some(ground.version),
        _ => None,
    });
    versions.min().is_some_and(|oldest| oldest < newest)
}

#[cfg(test)]
mod tests;
