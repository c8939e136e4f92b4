//! What somebody who may write to a replica's storage can do to its blocks.
//!
//! ```text
//!   insert   0 1 2 + 3        change    0 1'2 3     hash as before
//!   remove   0 1 _ 3          cut tail  0 1
//!   reorder  0 2 1 3          re-mine   0 1'2'3'    hashes and work are right
//! ```

use std::sync::Arc;

use super::block::{Block, Content, Entry, Event, Subject, mined};
use super::message::Tampering;
use crate::ids::RequestKey;

/// Fewer blocks than this are not worth it.
const BLOCKS_MIN: usize = 4;

/// The blocks after the tampering, and the first place at which they differ; none if there is nothing to be done.
///
/// `place` is in thousandths of the way from the first block, which nobody touches, to the last.
#[must_use]
pub fn tampered(
    blocks: &[Arc<Block>],
    how: Tampering,
    place: u16,
    difficulty_bits: u32,
) -> Option<(Vec<Arc<Block>>, usize)> {
    if blocks.len() < BLOCKS_MIN {
        return None;
    }
    let last_inner = blocks.len() - 2;
    let at = (1 + usize::from(place) * last_inner / 1000).min(last_inner);
    let mut blocks = blocks.to_vec();
    match how {
        Tampering::Insert => {
            let forged = forged_entries(&blocks[at].entries);
            let block = mined(&blocks[at - 1], blocks[at].miner, forged, difficulty_bits).0;
            blocks.insert(at, Arc::new(block));
        }
        Tampering::Remove => {
            blocks.remove(at);
        }
        Tampering::Change => {
            let entries = forged_entries(&blocks[at].entries);
            blocks[at] = Arc::new(Block { entries, ..(*blocks[at]).clone() });
        }
        Tampering::Reorder => blocks.swap(at, at + 1),
        Tampering::CutTail => blocks.truncate(at),
        Tampering::Remine => {
            let tail = blocks.split_off(at);
            for (index, block) in tail.iter().enumerate() {
                let forged =
                    if index == 0 { forged_entries(&block.entries) } else { Arc::clone(&block.entries) };
                let last = blocks.last().expect("the first block is never touched");
                blocks.push(Arc::new(mined(last, block.miner, forged, difficulty_bits).0));
            }
        }
        Tampering::Snapshot => return None,
    }
    Some((blocks, at))
}

/// Entries that say something else: the first amount is one more; where there is none, an event that never was.
fn forged_entries(entries: &[Entry]) -> Arc<[Entry]> {
    let mut forged = entries.to_vec();
    let plain = forged.iter_mut().find_map(|entry| match &mut entry.content {
        Content::Plain(event) => Some(event),
        Content::Committed(_) | Content::Erased => None,
    });
    if let Some(event) = plain {
        event.amount = event.amount.wrapping_add(1);
    } else {
        let event = Event { subject: Subject(u32::MAX), amount: 1 };
        forged.push(Entry { request: RequestKey(u64::MAX), content: Content::Plain(event) });
    }
    forged.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::ledger::Ledger;
    use crate::rules::Precaution;
    use sim::node::NodeId;

    const BITS: u32 = 4;

    fn chain(count: usize) -> Ledger {
        let mut blocks = vec![Arc::new(Block::first())];
        for _ in 1..count {
            let last = blocks.last().expect("there is a first");
            blocks.push(Arc::new(mined(last, NodeId(1), Arc::new([]), BITS).0));
        }
        let mut ledger = Ledger::new(BITS, Precaution::Taken);
        ledger.overwrite(blocks);
        ledger
    }

    /// At which place links and heads are at fault after that tampering at the middle of six blocks.
    fn faults(how: Tampering) -> (Option<usize>, Option<usize>) {
        let mut ledger = chain(6);
        let hashes: Vec<_> = ledger.blocks().iter().map(|block| block.hash).collect();
        let (blocks, at) = tampered(ledger.blocks(), how, 500, BITS).expect("there are enough blocks");
        assert_eq!(at, 3);
        ledger.overwrite(blocks);
        (ledger.first_fault(), ledger.first_difference(&hashes))
    }

    #[test]
    fn links_show_what_was_not_mined_anew_and_heads_what_was_or_is_missing() {
        assert_eq!(faults(Tampering::Insert), (Some(4), Some(3)));
        assert_eq!(faults(Tampering::Remove), (Some(3), Some(3)));
        assert_eq!(faults(Tampering::Change), (Some(3), None));
        assert_eq!(faults(Tampering::Reorder), (Some(3), Some(3)));
        assert_eq!(faults(Tampering::CutTail), (None, Some(3)));
        assert_eq!(faults(Tampering::Remine), (None, Some(3)));
    }

    #[test]
    fn every_place_is_inside_and_short_chains_are_left_alone() {
        for place in [0, 1, 999, 1000, u16::MAX] {
            for how in Tampering::ALL {
                let found = tampered(chain(4).blocks(), how, place, BITS);
                assert!(found.is_none_or(|(_, at)| (1..=2).contains(&at)));
                assert_eq!(tampered(chain(3).blocks(), how, place, BITS), None);
            }
        }
    }
}
