//! The journal on one durable node: what it decides is acknowledged and shown once it is on the disk.
//!
//! ```text
//!   append, queue ──► journal ──► entries, disk ──► sync ──► acknowledged, sent to followers
//!                        └──► refused
//! ```
//!
//! One sync covers everything written before it, so that load makes batches larger, not the queue longer. What is
//! not synced is shown to nobody: neither to the owner nor to a follower.
//!
//! After a refused sync nobody knows what of the writes before it is there: a full disk took none of them. So a bare
//! sync asks whether the disk works again, and once it does everything is written anew, in one atomic step; only the
//! sync of that is believed. A start that finds a damaged record ends the log there and writes the rest anew, too: it
//! was never acknowledged, unless the disk lied or rotted, and then nobody but a replica could help.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sim::node::{Context, NodeId, SyncToken, TimerKey};
use sim::time::Span;

use crate::capacity::Fx;
use crate::capacity::rules::Rules;
use crate::counter::slot::image::Image;
use crate::durable;
use crate::ids::{Epoch, Offset, SlotId};
use crate::message::{Event, Message, Observation, Record};
use crate::replication::followers::Followers;
use crate::replication::journal::{Condition, Journal, Outcome, Place};

const TICK: TimerKey = TimerKey(0);
/// How often followers are told the tail, so that a lost last update heals.
const TICK_EVERY: Span = Span::from_ms(500);
/// A refused sync is tried again after that long.
const SYNC_RETRY: TimerKey = TimerKey(1);
const SYNC_RETRY_AFTER: Span = Span::from_ms(20);

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
    journal: Journal,
    followers: Followers,
    waiting: VecDeque<Waiting>,
    /// Records written since the start, with those found by it.
    written: u64,
    /// Those of them that the disk was not given yet.
    unwritten: Vec<Record>,
    /// Images for the disk, with the next sync. Nobody waits for them, and they count in none of these figures.
    images: BTreeMap<SlotId, Arc<Image>>,
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
            journal: Journal::new(),
            followers: Followers::new(),
            waiting: VecDeque::new(),
            written: 0,
            unwritten: Vec::new(),
            images: BTreeMap::new(),
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
                Record::Entry(entry) => self.journal.restore(*entry),
                Record::Opened { slot, epoch } => self.journal.restore_epoch(*slot, *epoch),
                Record::Snapshot { slot, image } => self.journal.restore_image(*slot, image),
                Record::Announced | Record::Config(_) | Record::Decided(_) | Record::Format(_) => {}
            }
        }
        fx.observe(Observation::Started);
        self.written = records.len() as u64;
        self.recovered_entries = self.length();
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
            self.show(0, self.length(), fx);
        }
        fx.set_timer(TICK, TICK_EVERY);
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, fx: &mut Fx) {
        match message {
            Message::Open { slot, nonce, form } => {
                self.open(*slot, *nonce);
                self.answer(from, self.journal.opened(*slot, *nonce, *form), fx);
            }
            Message::Read { slot, nonce } => self.answer(from, self.journal.read(*slot, *nonce), fx),
            Message::Append { slot, epoch, number, expected, events } => {
                let place = Place { slot: *slot, epoch: *epoch, number: *number, expected: *expected };
                self.append(from, place, events, fx);
            }
            Message::Queue { slot, number, commands } => {
                let before = self.length();
                self.journal.queue(*slot, commands);
                self.keep_from(before, fx);
                self.answer(from, Message::Queued { slot: *slot, number: *number }, fx);
            }
            Message::Follow { from: offset, nonce } => self.follow(from, *offset, *nonce, fx),
            Message::Snapshot { slot, epoch, image } => self.keep_image(*slot, *epoch, image),
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
            self.followers.tell(Offset(self.visible() as u64), fx);
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

    /// The disk has it with the next sync, whoever that is for.
    fn keep_image(&mut self, slot: SlotId, epoch: Epoch, image: &Arc<Image>) {
        if self.journal.keep_image(slot, epoch, image, self.visible()) == Outcome::Taken {
            self.images.insert(slot, Arc::clone(image));
        }
    }

    fn open(&mut self, slot: SlotId, nonce: u64) {
        if let Some(epoch) = self.journal.open(slot, nonce) {
            self.keep(Record::Opened { slot, epoch });
        }
    }

    fn append(&mut self, from: NodeId, place: Place, events: &[Event], fx: &mut Fx) {
        let is_conditional = self.rules.conditional_append.is_taken();
        let condition = if is_conditional { Condition::NewestOwner } else { Condition::None };
        let before = self.length();
        match self.journal.append(place, events, condition) {
            Outcome::Refused => return fx.send(from, place.refused()),
            Outcome::Repeated => {}
            Outcome::Taken => self.keep_from(before, fx),
        }
        self.answer(from, place.appended(), fx);
    }

    /// The entries from there on are new.
    fn keep_from(&mut self, before: usize, fx: &mut Fx) {
        let records: Vec<_> = self.journal.entries()[before..].iter().copied().map(Record::Entry).collect();
        records.into_iter().for_each(|record| self.keep(record));
        if !self.rules.sync_before_answer.is_taken() {
            self.show(before, self.length(), fx);
            self.push(before, self.length(), fx);
        }
    }

    fn follow(&mut self, from: NodeId, offset: Offset, nonce: u64, fx: &mut Fx) {
        self.followers.add(from);
        let visible = self.visible();
        if visible >= self.recovered_entries {
            fx.send(from, self.journal.chunk(offset, visible, nonce));
        }
    }

    fn length(&self) -> usize {
        self.journal.entries().len()
    }

    /// How many entries may be shown.
    fn visible(&self) -> usize {
        if self.rules.sync_before_answer.is_taken() { self.durable_entries } else { self.length() }
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
        self.followers.push(self.journal.entries(), before, after, fx);
    }

    fn show(&self, before: usize, after: usize, fx: &mut Fx) {
        if before < after {
            let entries = self.journal.entries()[before..after].into();
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
            let images = core::mem::take(&mut self.images).into_iter();
            images.flat_map(announced).for_each(|record| fx.write(record));
        }
        self.syncs += 1;
        let token = SyncToken(self.syncs);
        let (records, entries, trust) = (self.written, self.length(), self.trust);
        self.syncing = Some(Syncing { token, records, entries, trust });
        fx.sync(token);
    }

    /// Writes everything anew, in one step.
    fn rewrite(&mut self, fx: &mut Fx) {
        let format = (self.format > 0).then_some(Record::Format(self.format));
        let opened = self.journal.epochs().map(|(slot, epoch)| Record::Opened { slot, epoch });
        let entries = self.journal.entries().iter().map(|entry| Record::Entry(*entry));
        let images = self.journal.images();
        let images = images.flat_map(|(slot, image)| announced((slot, Arc::clone(image))));
        fx.rewrite(format.into_iter().chain(opened).chain(entries).chain(images).collect());
        self.unwritten.clear();
        self.images.clear();
        self.written += 1;
        self.trust = Trust::Full;
    }
}

/// An image for the disk, behind what says that the log can do without it.
fn announced((slot, image): (SlotId, Arc<Image>)) -> [Record; 2] {
    [Record::Announced, Record::Snapshot { slot, image }]
}

#[cfg(test)]
mod tests;
