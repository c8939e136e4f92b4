//! Who wants to be told what is new in the journal.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim::node::NodeId;

use crate::capacity::Fx;
use crate::ids::Offset;
use crate::message::{Entry, Message};

/// The replicas that have asked.
#[derive(Clone, Debug, Default)]
pub struct Followers(BTreeSet<NodeId>);

impl Followers {
    /// Nobody yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeSet::new())
    }

    /// One more, if it is none yet.
    pub fn add(&mut self, follower: NodeId) {
        self.0.insert(follower);
    }

    /// They are told of the entries from `before` up to `after`.
    pub fn push(&self, entries: &[Entry], before: usize, after: usize, fx: &mut Fx) {
        if before == after {
            return;
        }
        let entries: Arc<[Entry]> = entries[before..after].into();
        let (from, tail) = (Offset(before as u64), Offset(after as u64));
        for follower in &self.0 {
            fx.send(*follower, Message::Entries { from, entries: Arc::clone(&entries), tail, nonce: 0 });
        }
    }

    /// They are told where the journal ends, so that a lost last update heals.
    pub fn tell(&self, tail: Offset, fx: &mut Fx) {
        for follower in &self.0 {
            let entries = Arc::new([]);
            fx.send(*follower, Message::Entries { from: tail, entries, tail, nonce: 0 });
        }
    }
}
