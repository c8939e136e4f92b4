//! The source of a stream: partitions of entries, durable before anybody sees them.

use std::collections::BTreeMap;

use sim::node::{Context, NodeId, SyncToken, TimerKey};

use super::{Answer, Entry, Fx, Message, Produce, Record, Rules};
use crate::client::{Ask, Reply};
use crate::disk_log::{Begin, DiskLog};
use crate::ids::{Offset, RequestKey};

/// What waits for the disk: an entry's place can be told and shown.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    partition: u32,
    offset: Offset,
    /// Whom to tell; nobody of what a start has found.
    client: Option<(NodeId, RequestKey)>,
}

#[derive(Clone, Debug, Default)]
struct Partition {
    entries: Vec<Entry>,
    /// How many of them can be shown.
    shown: usize,
}

/// The source node. It uses timer 0.
#[derive(Clone, Debug)]
pub struct Source {
    rules: Rules,
    partitions: Vec<Partition>,
    /// Where each question's entry is.
    places: BTreeMap<RequestKey, (u32, Offset)>,
    log: DiskLog<Record, Waiting>,
}

/// Entries of a partition; more are refused.
const ENTRIES_MAX: usize = 200_000;
/// Entries sent at once.
const BATCH_MAX: usize = 50;

impl Source {
    /// A source with that many empty partitions.
    #[must_use]
    pub fn new(rules: Rules, partition_count: u32) -> Self {
        let partitions = (0..partition_count).map(|_| Partition::default()).collect();
        Self { rules, partitions, places: BTreeMap::new(), log: DiskLog::new(TimerKey(0)) }
    }

    /// Begins with the entries that survived.
    pub fn start(&mut self, disk: &[Record], context: &Context<'_>, fx: &mut Fx) {
        if self.log.start(disk, context, fx) == Begin::Never {
            return;
        }
        for record in self.log.records().to_vec() {
            if let Record::Entry { partition, entry } = record {
                let offset = self.insert(partition, entry);
                self.show_when_durable(Waiting { partition, offset, client: None }, fx);
            }
        }
    }

    /// Reacts to a message.
    pub fn message(&mut self, from: NodeId, message: &Message, fx: &mut Fx) {
        match message {
            Message::Ask(ask) => self.ask(from, ask, fx),
            Message::Fetch { partition, from: first } => self.fetch(from, *partition, *first, fx),
            Message::Answer(_) | Message::Batch { .. } => {}
        }
    }

    /// A sync is done.
    pub fn synced(&mut self, token: SyncToken, fx: &mut Fx) {
        for waiting in self.log.synced(token, fx) {
            self.show(waiting, fx);
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

    fn ask(&mut self, client: NodeId, ask: &Ask<Produce>, fx: &mut Fx) {
        let Ask { request, call: Produce { partition, amount }, .. } = *ask;
        let client = Some((client, request));
        let Some(found) = self.partitions.get(partition as usize) else {
            return reply(client, Answer::NoSuchPartition, fx);
        };
        let known = self.places.get(&request).filter(|_| self.rules.producer_keys.is_taken());
        if let Some(&(partition, offset)) = known {
            return self.show_when_durable(Waiting { partition, offset, client }, fx);
        }
        if found.entries.len() == ENTRIES_MAX {
            return reply(client, Answer::Full, fx);
        }
        let entry = Entry { request, amount };
        let offset = self.insert(partition, entry);
        self.log.append(Record::Entry { partition, entry }, fx);
        let waiting = Waiting { partition, offset, client };
        if self.rules.durable_first.is_taken() {
            self.show_when_durable(waiting, fx);
        } else {
            self.show(waiting, fx);
        }
    }

    fn insert(&mut self, partition: u32, entry: Entry) -> Offset {
        let entries = &mut self.partitions[partition as usize].entries;
        let offset = Offset(entries.len() as u64);
        entries.push(entry);
        self.places.insert(entry.request, (partition, offset));
        offset
    }

    fn show_when_durable(&mut self, waiting: Waiting, fx: &mut Fx) {
        if let Some(waiting) = self.log.hold(waiting) {
            self.show(waiting, fx);
        }
    }

    fn show(&mut self, waiting: Waiting, fx: &mut Fx) {
        let Waiting { partition, offset, client } = waiting;
        let partition = &mut self.partitions[partition as usize];
        partition.shown = partition.shown.max(usize::try_from(offset.0).expect("entries fit memory") + 1);
        reply(client, Answer::Produced { offset }, fx);
    }

    fn fetch(&self, consumer: NodeId, partition: u32, from: Offset, fx: &mut Fx) {
        let Some(partition) = self.partitions.get(partition as usize) else { return };
        let first = usize::try_from(from.0).unwrap_or(usize::MAX).min(partition.shown);
        let end = partition.shown.min(first.saturating_add(BATCH_MAX));
        fx.send(consumer, Message::Batch { from, entries: partition.entries[first..end].into() });
    }
}

fn reply(client: Option<(NodeId, RequestKey)>, answer: Answer, fx: &mut Fx) {
    if let Some((client, request)) = client {
        fx.send(client, Message::Answer(Reply { request, answer }));
    }
}
