//! What is decided about the journal, and what commands made of it: the snapshot that nodes send one another.

use std::sync::Arc;

use omnipaxos::storage::{Entry, Snapshot};
use serde::{Deserialize, Serialize};
use sim::node::NodeId;

use crate::capacity::rules::Rules;
use crate::counter::slot::image::Image as SlotImage;
use crate::ids::{AppendNumber, Epoch, Offset, SlotId};
use crate::message::{Event, Message};
use crate::replication::consensus::record::Parts;
use crate::replication::journal::{Condition, Journal, Outcome, Place};

/// Who proposed it: that life of that node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The node.
    pub node: NodeId,
    /// Its how-many-th life, from 1.
    pub life: u64,
}

/// What is asked of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named for what they hold, as in the messages of the same names")]
pub enum Question {
    /// The asker takes a slot over, and reads images of up to that form.
    Open { slot: SlotId, nonce: u64, form: u32 },
    /// It appends.
    Append { place: Place, events: Arc<[Event]>, condition: Condition },
    /// It wants all events of a slot.
    Read { slot: SlotId, nonce: u64 },
    /// It wants the entries from there on, and to know how many there are.
    Follow { from: Offset, nonce: u64 },
    /// It tells what a slot of its own holds, and needs no answer.
    Snapshot { slot: SlotId, epoch: Epoch, image: Arc<SlotImage> },
    /// It puts commands into a slot's stream.
    Queue { slot: SlotId, number: AppendNumber, commands: Arc<[Event]> },
}

impl Question {
    /// Whether it is answered only once it is decided. A replica that has caught up once asks without a nonce, and is told
    /// what this node has.
    #[must_use]
    pub const fn needs_decision(&self, rules: &Rules) -> bool {
        match self {
            Self::Open { .. } | Self::Append { .. } | Self::Snapshot { .. } | Self::Queue { .. } => true,
            Self::Read { .. } => rules.log_reads_decided.is_taken(),
            Self::Follow { nonce, .. } => *nonce != 0 && rules.log_reads_decided.is_taken(),
        }
    }

    /// What says that it was taken, if it adds to the journal and the asker waits for that.
    #[must_use]
    pub const fn acknowledgement(&self) -> Option<Message> {
        match self {
            Self::Append { place, .. } => Some(place.appended()),
            Self::Queue { slot, number, .. } => Some(Message::Queued { slot: *slot, number: *number }),
            Self::Open { .. } | Self::Read { .. } | Self::Follow { .. } | Self::Snapshot { .. } => None,
        }
    }

    /// Does it.
    pub fn apply(&self, journal: &mut Journal) -> Outcome {
        match self {
            Self::Open { slot, nonce, .. } => {
                let _ = journal.open(*slot, *nonce);
                Outcome::Taken
            }
            Self::Append { place, events, condition } => journal.append(*place, events, *condition),
            Self::Snapshot { slot, epoch, image } => {
                let visible = journal.entries().len();
                journal.keep_image(*slot, *epoch, image, visible)
            }
            Self::Queue { slot, commands, .. } => {
                journal.queue(*slot, commands);
                Outcome::Taken
            }
            Self::Read { .. } | Self::Follow { .. } => Outcome::Taken,
        }
    }
}

/// What is decided, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Who answers.
    pub via: Via,
    /// Whom.
    pub asker: NodeId,
    /// What is asked.
    pub question: Question,
}

impl Entry for Command {
    type Snapshot = Image;
}

/// What commands made of an empty journal, or, of one that only the receiver has, will make.
///
/// Whether an append is taken depends on what came before. So a part of the commands has no other snapshot than themselves;
/// the library puts it behind one that begins at the beginning, and the storage says how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    journal: Journal,
    /// How many commands the journal is made of.
    done: usize,
    /// To be done to it; some of the first of them may have been, as long as nobody has said how many there are in all.
    commands: Vec<Command>,
}

impl Image {
    /// The journal, if the image begins at the beginning.
    #[must_use]
    pub fn into_journal(mut self) -> Journal {
        self.settle();
        self.journal
    }

    fn settle(&mut self) {
        self.done += self.commands.len();
        for command in self.commands.drain(..) {
            command.question.apply(&mut self.journal);
        }
    }
}

impl Parts for Image {
    /// Commands that are missing, because a disk has forgotten what its node had said, stay so: others know better, and the
    /// journals differ.
    fn settle_at(&mut self, index: usize) {
        let more = self.commands.len();
        let known = (self.done + more).saturating_sub(index).min(more);
        self.commands.drain(..known);
        self.settle();
        self.done = index;
    }
}

impl Snapshot<Command> for Image {
    fn create(commands: &[Command]) -> Self {
        Self { journal: Journal::new(), done: 0, commands: commands.to_vec() }
    }

    fn merge(&mut self, delta: Self) {
        assert_eq!(delta.done, 0, "what is put behind others is commands only");
        self.settle();
        self.commands = delta.commands;
    }

    fn use_snapshots() -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
