//! What can be made of a chain, and snapshots of it that hang off their block.
//!
//! ```text
//!   chain      0 ◄─ 1 ◄─ 2 ◄─ 3 ◄─ 4
//!   snapshots            └ amounts, counts: state and its hash, with the hash of block 2
//! ```
//!
//! That a snapshot is whole is seen from its hash, without a replay; that it follows from the chain only by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::block::{Block, Content, Hash, Subject};

/// What is made of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Projection {
    /// The amounts of each subject, as far as blocks say them.
    Amounts,
    /// How many events there were, erased ones and commitments included.
    Counts,
}

impl Projection {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Amounts, Self::Counts];
}

/// What a projection has: for [`Projection::Counts`] all under subject 0.
pub type State = BTreeMap<Subject, u64>;

/// A projection after a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which projection.
    pub projection: Projection,
    /// The number of the block it hangs off.
    pub index: u64,
    /// The hash of that block.
    pub block: Hash,
    /// What it has.
    pub state: State,
    /// The hash of that, as written here.
    pub hash: Hash,
}

impl Snapshot {
    /// The snapshot after the last of these blocks; none if there are none.
    #[must_use]
    pub fn of(projection: Projection, blocks: &[Arc<Block>]) -> Option<Self> {
        let last = blocks.last()?;
        let state = replay(projection, blocks);
        let hash = hash_of(&state);
        Some(Self { projection, index: last.index, block: last.hash, state, hash })
    }
}

/// What the projection has after these blocks.
#[must_use]
pub fn replay(projection: Projection, blocks: &[Arc<Block>]) -> State {
    let mut state = State::new();
    for entry in blocks.iter().flat_map(|block| block.entries.iter()) {
        match (projection, entry.content) {
            (Projection::Amounts, Content::Plain(event)) => {
                *state.entry(event.subject).or_default() += u64::from(event.amount);
            }
            (Projection::Amounts, Content::Committed(_) | Content::Erased) => {}
            (Projection::Counts, _) => *state.entry(Subject(0)).or_default() += 1,
        }
    }
    state
}

/// What a state hashes to.
#[must_use]
pub fn hash_of(state: &State) -> Hash {
    let mut hasher = Sha256::new();
    for (subject, amount) in state {
        hasher.update(subject.0.to_be_bytes());
        hasher.update(amount.to_be_bytes());
    }
    Hash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::block::{Entry, Event, mined};
    use crate::ids::RequestKey;
    use sim::node::NodeId;

    fn blocks(contents: &[Content]) -> Vec<Arc<Block>> {
        let mut blocks = vec![Arc::new(Block::first())];
        for (key, content) in (0..).zip(contents) {
            let entries = Arc::new([Entry { request: RequestKey(key), content: *content }]);
            let last = blocks.last().unwrap();
            blocks.push(Arc::new(mined(last, NodeId(1), entries, 0).0));
        }
        blocks
    }

    fn plain(subject: u32, amount: u32) -> Content {
        Content::Plain(Event { subject: Subject(subject), amount })
    }

    #[test]
    fn amounts_are_those_that_blocks_say_and_counts_are_of_everything() {
        let blocks = blocks(&[plain(1, 5), plain(2, 3), plain(1, 2), Content::Erased]);
        assert_eq!(replay(Projection::Amounts, &blocks), [(Subject(1), 7), (Subject(2), 3)].into());
        assert_eq!(replay(Projection::Counts, &blocks), [(Subject(0), 4)].into());
    }

    #[test]
    fn a_snapshot_names_its_block_and_the_hash_of_its_state() {
        let blocks = blocks(&[plain(1, 5), plain(1, 2)]);
        let snapshot = Snapshot::of(Projection::Amounts, &blocks[..2]).unwrap();
        assert_eq!((snapshot.index, snapshot.block), (1, blocks[1].hash));
        assert_eq!(snapshot.hash, hash_of(&snapshot.state));
        assert_ne!(snapshot.hash, Snapshot::of(Projection::Amounts, &blocks).unwrap().hash);
        assert_eq!(Snapshot::of(Projection::Amounts, &[]), None);
    }
}
