//! What a node of a log keeps on its disk: how often it began, and what the library tells its storage to do, in order.

use core::fmt::Debug;
use std::sync::Arc;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::storage::Entry;

use crate::durable::Formatted;

/// What is decided, one after the other; its snapshot is what commands made.
pub trait Decidable: Entry<Snapshot: Parts> {}

impl<C: Entry<Snapshot: Parts>> Decidable for C {}

/// A snapshot that the library puts together of parts.
pub trait Parts {
    /// It is that of the first `index` commands, whatever it was put together of.
    ///
    /// A slip of the library, 0.2.4: a leader that tells a follower twice what was decided since the follower last said what it
    /// has, tells it from the same index on; the second time the follower has all of that, and puts it behind once more. A
    /// snapshot for which it makes a difference leaves out of its last part what it has already.
    fn settle_at(&mut self, index: usize);
}

/// What a node keeps of a log of commands `C`.
#[derive(Clone, Debug, PartialEq)]
pub enum Record<C: Entry> {
    /// It has begun for the how-many-th time, from 1.
    Life(u64),
    /// It has promised to follow no older ballot.
    Promise(Ballot),
    /// The ballot in which it last accepted.
    Accepted(Ballot),
    /// So many commands are decided.
    Decided(usize),
    /// Commands behind the others.
    Append(Vec<C>),
    /// Commands from that index on instead of what stands there.
    Overwrite(usize, Vec<C>),
    /// Commands below that index are only in the snapshot.
    Compacted(usize),
    /// What they made.
    Snapshot(Arc<C::Snapshot>),
    /// All of these, or none.
    Together(Vec<Self>),
    /// What stands behind it is in this format.
    Format(u32),
}

impl<C: Entry> Formatted for Record<C> {
    fn format(&self) -> Option<u32> {
        match self {
            Self::Format(format) => Some(*format),
            Self::Life(_)
            | Self::Promise(_)
            | Self::Accepted(_)
            | Self::Decided(_)
            | Self::Append(_)
            | Self::Overwrite(..)
            | Self::Compacted(_)
            | Self::Snapshot(_)
            | Self::Together(_) => None,
        }
    }

    fn of_format(format: u32) -> Self {
        Self::Format(format)
    }
}

/// A node's records, some of them a log's.
pub trait Keeping<C: Entry>: Formatted + From<Record<C>> + Clone + Debug {
    /// The log's record, if it is one.
    fn kept(&self) -> Option<&Record<C>>;
}

impl<C: Entry> Keeping<C> for Record<C> {
    fn kept(&self) -> Option<&Self> {
        Some(self)
    }
}
