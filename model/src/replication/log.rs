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

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sim::node::{NodeId, SyncToken, TimerKey};
use sim::time::Span;

use crate::capacity::Fx;
use crate::ids::{AppendNumber, Epoch, Offset, Sequence, SlotId, Version};
use crate::message::{Answer, Entry, Event, Message, Observation, Record};
use crate::rules::Rules;

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

/// The log node.
#[derive(Clone, Debug)]
pub struct Log {
    rules: Rules,
    entries: Vec<Entry>,
    heads: BTreeMap<SlotId, Head>,
    followers: BTreeSet<NodeId>,
    waiting: VecDeque<Waiting>,
    /// Records written since the start, and entries among all, when each sync began.
    written: u64,
    syncing: Option<(SyncToken, u64, usize)>,
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
            syncing: None,
            syncs: 0,
            durable_records: 0,
            durable_entries: 0,
            recovered_entries: 0,
        }
    }

    /// Begins with what survived on disk. It may not be durable yet, so it is synced before anybody sees it.
    pub fn start(&mut self, disk: &[Record], fx: &mut Fx) {
        for record in disk {
            match record {
                Record::Entry(entry) => self.take(*entry),
                Record::Opened { slot, epoch } => self.heads.entry(*slot).or_default().epoch = *epoch,
                Record::Version(_) | Record::Mark(_) => {}
            }
        }
        fx.observe(Observation::Started);
        self.written = disk.len() as u64;
        self.recovered_entries = self.entries.len();
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
            self.sync(fx);
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
        let Some((awaited, records, entries)) = self.syncing else { return };
        if token != awaited {
            return;
        }
        self.syncing = None;
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
        if self.syncing.is_none_or(|(awaited, ..)| awaited != token) {
            return;
        }
        self.syncing = None;
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
            fx.write(record);
            self.written += 1;
        }
        let opened =
            Message::Opened { slot, nonce, epoch: head.epoch, events: head.events.as_slice().into() };
        self.answer(from, opened, fx);
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
            fx.write(Record::Entry(entry));
            self.written += 1;
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

    fn sync(&mut self, fx: &mut Fx) {
        self.syncs += 1;
        let token = SyncToken(self.syncs);
        self.syncing = Some((token, self.written, self.entries.len()));
        fx.sync(token);
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
mod tests {
    use super::*;
    use crate::ids::{OrderId, RequestKey};
    use crate::message::{Call, Ground};
    use crate::probe::Probe;
    use crate::rules::Defect;

    const SLOT: SlotId = SlotId(0);
    const OWNER: NodeId = NodeId(3);
    const OTHER: NodeId = NodeId(4);

    fn event(request: u64, version: u32) -> Event {
        let call = Call::Reserve { slot: SLOT, order: OrderId(request), units: 1 };
        let ground = Ground { limit: 10, version: Version(version) };
        Event { request: RequestKey(request), call, answer: Answer::Accepted(ground) }
    }

    fn append(epoch: u32, expected: u32, events: &[Event]) -> Message {
        Message::Append {
            slot: SLOT,
            epoch: Epoch(epoch),
            number: AppendNumber(0),
            expected: Sequence(expected),
            events: events.into(),
        }
    }

    /// Sends one message after the other, syncs after each, and checks the answers.
    #[track_caller]
    fn check(rules: Rules, conversation: &[(NodeId, Message, &[&str])]) {
        let (mut log, mut probe) = (Log::new(rules), Probe::new(Span::ZERO));
        for (from, message, want) in conversation {
            probe.ask(|_, fx| log.message(*from, message, fx));
            let done = probe.done();
            for token in &done.synced {
                probe.ask(|_, fx| log.synced(*token, fx));
            }
            let names: Vec<_> = done.names().into_iter().chain(probe.done().names()).collect();
            assert_eq!(names, *want, "{message:?}");
        }
    }

    #[test]
    fn only_the_newest_owner_appends() {
        let conversation: [(NodeId, Message, &[&str]); 4] = [
            (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
            (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
            (OTHER, Message::Open { slot: SLOT, nonce: 8 }, &["opened"]),
            (OWNER, append(1, 1, &[event(2, 1)]), &["refused"]),
        ];
        check(Rules::hardened(), &conversation);
        let mut mutant = conversation;
        mutant[3].2 = &["appended"];
        check(Rules::hardened().with(Defect::UnconditionalAppend), &mutant);
    }

    #[test]
    fn a_repeated_append_is_acknowledged_again_and_an_overtaken_one_refused() {
        check(
            Rules::hardened(),
            &[
                (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
                (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
                (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
                (OWNER, append(1, 0, &[event(2, 1)]), &["refused"]),
                (OWNER, append(1, 0, &[]), &["refused"]),
                (OWNER, append(1, 1, &[]), &["appended"]),
            ],
        );
    }

    #[test]
    fn versions_of_one_slot_never_fall() {
        check(
            Rules::hardened(),
            &[
                (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
                (OWNER, append(1, 0, &[event(1, 2)]), &["appended"]),
                (OWNER, append(1, 1, &[event(2, 1)]), &["refused"]),
            ],
        );
    }

    #[test]
    fn nothing_is_answered_or_shown_before_it_is_durable() {
        let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
        probe.ask(|_, fx| log.message(OTHER, &Message::Follow { from: Offset(0), nonce: 1 }, fx));
        probe.done();
        probe.ask(|_, fx| log.message(OWNER, &append(0, 0, &[event(1, 1)]), fx));
        let done = probe.done();
        assert!(done.sent.is_empty() && done.observed.is_empty(), "{done:?}");
        probe.ask(|_, fx| log.synced(done.synced[0], fx));
        assert_eq!(probe.done().names(), ["entries", "appended"]);
    }

    #[test]
    fn what_a_restart_finds_is_synced_before_anybody_sees_it() {
        let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
        let entry = Entry { slot: SLOT, sequence: Sequence(0), event: event(1, 1) };
        probe.ask(|_, fx| log.start(&[Record::Entry(entry)], fx));
        let token = probe.done().synced[0];
        let follow = Message::Follow { from: Offset(0), nonce: 1 };
        let tail_of = |log: &mut Log, probe: &mut Probe| {
            probe.ask(|_, fx| log.message(OTHER, &follow, fx));
            match &probe.done().sent[..] {
                [(_, Message::Entries { tail, .. })] => Some(*tail),
                [] => None,
                other => panic!("expected entries or nothing, found {other:?}"),
            }
        };
        assert_eq!(tail_of(&mut log, &mut probe), None, "a tail of 0 would let a replica go back");
        probe.ask(|_, fx| log.synced(token, fx));
        probe.done();
        assert_eq!(tail_of(&mut log, &mut probe), Some(Offset(1)));
    }
}
