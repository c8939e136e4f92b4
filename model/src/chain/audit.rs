//! Whether snapshots follow from their chain: by one replay of it, from one snapshot to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::Block;
use super::projection::{Projection, Snapshot, State, hash_of, replay};

/// The snapshots that are not what their hash says, hang off no block, or are not what a replay yields.
///
/// The replay goes on from the state of the last block that was looked at, so that each block is replayed once for each
/// projection.
#[must_use]
pub fn wrong_snapshots(
    snapshots: &BTreeMap<(Projection, u64), Snapshot>,
    blocks: &[Arc<Block>],
) -> Vec<(Projection, u64)> {
    let mut wrong = Vec::new();
    for projection in Projection::ALL {
        let (mut state, mut replayed) = (State::new(), 0);
        for (key, snapshot) in snapshots.range((projection, 0)..=(projection, u64::MAX)) {
            let end = usize::try_from(snapshot.index).map_or(usize::MAX, |index| index.saturating_add(1));
            let Some(part) = blocks.get(replayed..end) else {
                wrong.push(*key);
                continue;
            };
            for (subject, amount) in replay(projection, part) {
                *state.entry(subject).or_default() += amount;
            }
            replayed = end;
            let hangs = blocks.get(end - 1).is_some_and(|block| block.hash == snapshot.block);
            if !hangs || snapshot.hash != hash_of(&snapshot.state) || snapshot.state != state {
                wrong.push(*key);
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::block::{Content, Entry, Event, Hash, Subject, mined};
    use crate::ids::RequestKey;
    use sim::node::NodeId;

    fn blocks() -> Vec<Arc<Block>> {
        let mut blocks = vec![Arc::new(Block::first())];
        for key in 0..6 {
            let event = Event { subject: Subject(key % 2), amount: key };
            let entry = Entry { request: RequestKey(u64::from(key)), content: Content::Plain(event) };
            let last = blocks.last().unwrap();
            blocks.push(Arc::new(mined(last, NodeId(1), Arc::new([entry]), 0).0));
        }
        blocks
    }

    /// The snapshots found wrong after blocks 2 and 4, of which the later one of amounts was changed.
    fn check(change: impl FnOnce(&mut Snapshot), want: &[u64]) {
        let blocks = blocks();
        let mut snapshots = BTreeMap::new();
        for projection in Projection::ALL {
            for index in [2, 4] {
                let snapshot = Snapshot::of(projection, &blocks[..=index]).unwrap();
                snapshots.insert((projection, index as u64), snapshot);
            }
        }
        change(snapshots.get_mut(&(Projection::Amounts, 4)).unwrap());
        let wrong = wrong_snapshots(&snapshots, &blocks);
        assert_eq!(wrong.iter().map(|key| key.1).collect::<Vec<_>>(), want);
    }

    #[test]
    fn a_snapshot_is_wrong_by_its_state_its_hash_or_its_block() {
        check(|_| {}, &[]);
        check(|snapshot| snapshot.hash = Hash::default(), &[4]);
        check(|snapshot| snapshot.block = Hash::default(), &[4]);
        check(|snapshot| snapshot.index = 9, &[4]);
        let forge = |snapshot: &mut Snapshot| {
            snapshot.state.insert(Subject(9), 1);
            snapshot.hash = hash_of(&snapshot.state);
        };
        check(forge, &[4]);
    }
}
