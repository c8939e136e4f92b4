//! What the journal decides: it takes an append only from a slot's newest owner, at the expected sequence.
//!
//! ```text
//!   open ────► next epoch of the slot, its image and the events behind it
//!   queue ───► entries
//!   append ──► condition holds? ──► entries
//!                   │ no      └──► they are there already: a repeat
//!                   └──► refused
//!   snapshot ──► of the newest owner, newer than the last? ──► image
//! ```
//!
//! A state machine without a disk and without anybody to answer: one durable node has it, or several that decide by
//! majority in which order it is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::counter::slot::image::Image;
use crate::ids::{AppendNumber, Epoch, Offset, Sequence, SlotId, Version};
use crate::message::{Answer, Entry, Event, Message};

/// Entries in one answer to a follower.
const CHUNK_MAX: usize = 512;

/// The end of one slot's events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    epoch: Epoch,
    /// The question that opened the epoch.
    nonce: u64,
    version: Version,
    events: Vec<Event>,
    /// What the slot held as of one of these events, as the owner said last.
    image: Option<Arc<Image>>,
}

/// Where an append is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// To which slot.
    pub slot: SlotId,
    /// Of which epoch its owner is.
    pub epoch: Epoch,
    /// Which append of that owner it is.
    pub number: AppendNumber,
    /// Behind how many events of the slot.
    pub expected: Sequence,
}

impl Place {
    /// What its owner is told when the events are in the journal.
    #[must_use]
    pub const fn appended(self) -> Message {
        let Self { slot, epoch, number, expected } = self;
        Message::Appended { slot, epoch, number, expected }
    }

    /// What its owner is told when they are not.
    #[must_use]
    pub const fn refused(self) -> Message {
        Message::Refused { slot: self.slot, epoch: self.epoch }
    }
}

/// Of whom an append is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// Of the newest owner, at the expected sequence.
    NewestOwner,
    /// Of anybody, wherever the slot ends.
    None,
}

/// What an append came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The events are in the journal now, behind all others.
    Taken,
    /// They were there already.
    Repeated,
    /// They are not: somebody else owns the slot, or the sequence is another.
    Refused,
}

/// The journal: all entries, and how each slot ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    entries: Vec<Entry>,
    heads: BTreeMap<SlotId, Head>,
}

impl Journal {
    /// An empty journal.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new(), heads: BTreeMap::new() }
    }

    /// All entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The epoch of each slot that was opened.
    pub fn epochs(&self) -> impl Iterator<Item = (SlotId, Epoch)> + '_ {
        let epochs = self.heads.iter().map(|(slot, head)| (*slot, head.epoch));
        epochs.filter(|(_, epoch)| *epoch > Epoch(0))
    }

    /// A slot is in that epoch again, as a disk says.
    pub fn restore_epoch(&mut self, slot: SlotId, epoch: Epoch) {
        self.heads.entry(slot).or_default().epoch = epoch;
    }

    /// An entry is there again, behind those before it.
    pub fn restore(&mut self, entry: Entry) {
        self.take(entry);
    }

    /// An image is there again, behind the events that it is made of; one of more events than there are is passed over.
    pub fn restore_image(&mut self, slot: SlotId, image: &Arc<Image>) {
        let visible = self.entries.len();
        let epoch = self.heads.get(&slot).map_or(Epoch(0), |head| head.epoch);
        let _ = self.keep_image(slot, epoch, image, visible);
    }

    /// The newest image of each slot that has one.
    pub fn images(&self) -> impl Iterator<Item = (SlotId, &Arc<Image>)> + '_ {
        self.heads.iter().filter_map(|(slot, head)| Some((*slot, head.image.as_ref()?)))
    }

    /// Keeps what the newest owner says the slot holds, instead of an older image. It must be of no more events of the slot
    /// than the first `visible` entries have.
    pub fn keep_image(&mut self, slot: SlotId, epoch: Epoch, image: &Arc<Image>, visible: usize) -> Outcome {
        let Some(head) = self.heads.get_mut(&slot) else { return Outcome::Refused };
        let hidden = self.entries[visible..].iter().filter(|entry| entry.slot == slot).count();
        let sequence = image.sequence().0 as usize;
        if epoch != head.epoch || sequence > head.events.len() - hidden {
            return Outcome::Refused;
        }
        if head.image.as_ref().is_some_and(|known| known.sequence() >= image.sequence()) {
            return Outcome::Repeated;
        }
        head.image = Some(Arc::clone(image));
        Outcome::Taken
    }

    /// Hands the slot over to who asks with that nonce; its epoch, if it is a new one.
    pub fn open(&mut self, slot: SlotId, nonce: u64) -> Option<Epoch> {
        let head = self.heads.entry(slot).or_default();
        if head.nonce == nonce {
            return None;
        }
        head.nonce = nonce;
        head.epoch = head.epoch.next();
        Some(head.epoch)
    }

    /// What the newest owner of a slot is told, who reads images of up to that `form`.
    #[must_use]
    pub fn opened(&self, slot: SlotId, nonce: u64, form: u32) -> Message {
        let Some(head) = self.heads.get(&slot) else {
            return Message::Opened { slot, nonce, epoch: Epoch(0), image: None, events: [].into() };
        };
        let image = head.image.as_ref().filter(|image| image.form() <= form).cloned();
        let first = image.as_ref().map_or(0, |image| image.sequence().0 as usize);
        Message::Opened { slot, nonce, epoch: head.epoch, image, events: head.events[first..].into() }
    }

    /// What a reader of a slot is told. Nobody becomes the owner by that.
    #[must_use]
    pub fn read(&self, slot: SlotId, nonce: u64) -> Message {
        Message::Events { slot, nonce, events: self.events(slot) }
    }

    fn events(&self, slot: SlotId) -> Arc<[Event]> {
        self.heads.get(&slot).map_or(&[][..], |head| &head.events).into()
    }

    /// Appends, if the condition holds; new entries are the last ones then. At another than the expected sequence it may be a
    /// repeat whose answer was lost: that is acknowledged again.
    pub fn append(&mut self, place: Place, events: &[Event], condition: Condition) -> Outcome {
        let Place { slot, epoch, expected, .. } = place;
        let head = self.heads.entry(slot).or_default();
        let is_conditional = condition == Condition::NewestOwner;
        if is_conditional && (epoch != head.epoch || versions_fall(head.version, events)) {
            return Outcome::Refused;
        }
        let next = head.events.len();
        if next != expected.0 as usize {
            if has_events_at(&head.events, expected, events) {
                return Outcome::Repeated;
            }
            if is_conditional {
                return Outcome::Refused;
            }
        }
        self.queue(slot, events);
        Outcome::Taken
    }

    /// Appends without a condition, wherever the slot ends; new entries are the last ones then.
    pub fn queue(&mut self, slot: SlotId, events: &[Event]) {
        let next = self.heads.get(&slot).map_or(0, |head| head.events.len());
        for (sequence, event) in (next..).zip(events) {
            let sequence = Sequence(u32::try_from(sequence).expect("a slot's events fit 32 bits"));
            self.take(Entry { slot, sequence, event: *event });
        }
    }

    fn take(&mut self, entry: Entry) {
        let head = self.heads.entry(entry.slot).or_default();
        if let Answer::Accepted(ground) | Answer::Rejected(ground) = entry.event.answer {
            head.version = head.version.max(ground.version);
        }
        head.events.push(entry.event);
        self.entries.push(entry);
    }

    /// Entries from that offset on, as many as one answer holds, of the first `visible`.
    #[must_use]
    pub fn chunk(&self, offset: Offset, visible: usize, nonce: u64) -> Message {
        let first = usize::try_from(offset.0).map_or(visible, |first| first.min(visible));
        let last = visible.min(first + CHUNK_MAX);
        let (from, tail) = (Offset(first as u64), Offset(visible as u64));
        Message::Entries { from, entries: self.entries[first..last].into(), tail, nonce }
    }
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
