//! The blocks that a replica keeps: which chain it prefers, what is in it, and where it stops being one.
//!
//! ```text
//!   kept    0 ◄─ 1 ◄─ 2 ◄─ 3 ◄─ 4        the longer chain wins; of two equally long ones that whose last hash is smaller
//!   other             └─ 3'◄─ 4'◄─ 5'
//! ```
//!
//! Source of the longest-chain rule: S. Nakamoto, "Bitcoin: A Peer-to-Peer Electronic Cash System", 2008. The tie is
//! broken by the hash, so that replicas agree as soon as nobody mines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::block::{Block, Content, Entry, Hash, Subject};
use crate::ids::RequestKey;
use crate::rules::Precaution;

/// The chain of one replica. The first block is always there.
#[derive(Clone, Debug)]
pub struct Ledger {
    difficulty_bits: u32,
    /// Blocks with an event that an earlier one has are not taken.
    once: Precaution,
    blocks: Vec<Arc<Block>>,
    /// The block that each event stands in.
    places: BTreeMap<RequestKey, u64>,
}

/// What came of another replica's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offered {
    /// They are no better than what is here, or no chain that anybody should have.
    Ignored,
    /// They do not build upon anything that is here: their beginning is missing.
    Unattached,
    /// They are the chain now.
    Adopted,
}

impl Ledger {
    /// The first block alone; all others need that many zero bits, and events that come once.
    #[must_use]
    pub fn new(difficulty_bits: u32, once: Precaution) -> Self {
        Self { difficulty_bits, once, blocks: vec![Arc::new(Block::first())], places: BTreeMap::new() }
    }

    /// All blocks, in the order in which they are kept.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// The last block.
    #[must_use]
    pub fn tip(&self) -> &Arc<Block> {
        self.blocks.last().expect("the first block is never cut off")
    }

    /// The blocks from a number on, at most so many.
    #[must_use]
    pub fn from(&self, index: u64, count_max: usize) -> Arc<[Arc<Block>]> {
        let first = usize::try_from(index).unwrap_or(usize::MAX).min(self.blocks.len());
        self.blocks[first..].iter().take(count_max).cloned().collect()
    }

    /// The block that an event stands in.
    #[must_use]
    pub fn place(&self, request: RequestKey) -> Option<u64> {
        self.places.get(&request).copied()
    }

    /// Whether an event of a block from that number on is there: it has yet to become final.
    #[must_use]
    pub fn has_events_from(&self, index: u64) -> bool {
        let first = usize::try_from(index).unwrap_or(usize::MAX).min(self.blocks.len());
        self.blocks[first..].iter().any(|block| !block.entries.is_empty())
    }

    /// Takes `blocks` instead of what is here from their first number on, if the chain is then the better one and still has
    /// its first `fixed` blocks.
    pub fn offer(&mut self, blocks: &[Arc<Block>], fixed: usize) -> Offered {
        let Some(skipped) = blocks.iter().position(|block| !self.has(block)) else { return Offered::Ignored };
        let (news, last) = (&blocks[skipped..], &blocks[blocks.len() - 1]);
        let is_better = (last.index, core::cmp::Reverse(last.hash))
            > (self.tip().index, core::cmp::Reverse(self.tip().hash));
        let first = usize::try_from(news[0].index).unwrap_or(usize::MAX);
        if !is_better || first < fixed {
            return Offered::Ignored;
        }
        self.replace(first, news)
    }

    /// Takes `blocks` instead of what is here from `first` on, whatever is longer.
    pub fn replace(&mut self, first: usize, blocks: &[Arc<Block>]) -> Offered {
        let before = first.checked_sub(1).and_then(|last| self.blocks.get(last));
        if first > 0 && before.is_none() {
            return Offered::Unattached;
        }
        let mut previous = before;
        for block in blocks {
            if !block.follows(previous.map(Arc::as_ref), self.difficulty_bits) {
                return Offered::Unattached;
            }
            previous = Some(block);
        }
        let has_place = |request: RequestKey| self.place(request).is_some_and(|place| place < first as u64);
        if self.once.is_taken() && does_repeat(blocks, has_place) {
            return Offered::Ignored;
        }
        self.blocks.truncate(first);
        self.blocks.extend_from_slice(blocks);
        self.settle();
        Offered::Adopted
    }

    /// Keeps the first `count` blocks, at least one.
    pub fn cut(&mut self, count: usize) {
        self.blocks.truncate(count.max(1));
        self.settle();
    }

    /// The first block, by its place, that does not follow the one before it.
    #[must_use]
    pub fn first_fault(&self) -> Option<usize> {
        let mut previous = None;
        self.blocks.iter().position(|block| {
            let is_fault = !block.follows(previous, self.difficulty_bits);
            previous = Some(block.as_ref());
            is_fault
        })
    }

    /// The first place at which the chain has not the block of that hash.
    #[must_use]
    pub fn first_difference(&self, hashes: &[Hash]) -> Option<usize> {
        (0..hashes.len())
            .find(|place| self.blocks.get(*place).is_none_or(|block| block.hash != hashes[*place]))
    }

    /// The first block that says something of a subject.
    #[must_use]
    pub fn first_about(&self, subject: Subject) -> Option<usize> {
        let is_about =
            |entry: &Entry| matches!(entry.content, Content::Plain(event) if event.subject == subject);
        self.blocks.iter().position(|block| block.entries.iter().any(is_about))
    }

    /// Whoever has the disk may write to it whatever they like.
    pub fn overwrite(&mut self, blocks: Vec<Arc<Block>>) {
        assert!(!blocks.is_empty(), "the first block is never cut off");
        self.blocks = blocks;
        self.settle();
    }

    fn has(&self, block: &Block) -> bool {
        let place = usize::try_from(block.index).unwrap_or(usize::MAX);
        self.blocks.get(place).is_some_and(|kept| kept.hash == block.hash)
    }

    fn settle(&mut self) {
        self.places.clear();
        for block in &self.blocks {
            for entry in block.entries.iter() {
                self.places.entry(entry.request).or_insert(block.index);
            }
        }
    }
}

/// Whether an event stands in these blocks twice, or once where it `has_place` already.
///
/// Whoever wrote to what a miner keeps can make it forget that an event has its place, and mine it again.
pub fn does_repeat(blocks: &[Arc<Block>], has_place: impl Fn(RequestKey) -> bool) -> bool {
    let mut seen = BTreeSet::new();
    let mut requests = blocks.iter().flat_map(|block| block.entries.iter()).map(|entry| entry.request);
    requests.any(|request| has_place(request) || !seen.insert(request))
}

/// The entries of a block with what they say of a subject erased.
#[must_use]
pub fn erased(entries: &[Entry], subject: Subject) -> Arc<[Entry]> {
    let erase = |entry: &Entry| match entry.content {
        Content::Plain(event) if event.subject == subject => Entry { content: Content::Erased, ..*entry },
        Content::Plain(_) | Content::Committed(_) | Content::Erased => *entry,
    };
    entries.iter().map(erase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::block::{Event, mined};
    use sim::node::NodeId;

    const BITS: u32 = 4;

    fn entry(key: u64) -> Entry {
        let event = Event { subject: Subject(u32::try_from(key).unwrap()), amount: 1 };
        Entry { request: RequestKey(key), content: Content::Plain(event) }
    }

    /// Blocks behind `previous`, each with one event of these.
    fn chain(previous: &Block, keys: &[u64]) -> Vec<Arc<Block>> {
        let mut blocks: Vec<Arc<Block>> = Vec::new();
        for key in keys {
            let last = blocks.last().map_or(previous, Arc::as_ref);
            blocks.push(Arc::new(mined(last, NodeId(1), Arc::new([entry(*key)]), BITS).0));
        }
        blocks
    }

    fn ledger(keys: &[u64]) -> Ledger {
        let mut ledger = Ledger::new(BITS, Precaution::Taken);
        let blocks = chain(&Block::first(), keys);
        assert_eq!(ledger.offer(&blocks, 1), Offered::Adopted);
        ledger
    }

    fn keys(ledger: &Ledger) -> Vec<u64> {
        ledger.blocks().iter().flat_map(|block| block.entries.iter()).map(|entry| entry.request.0).collect()
    }

    #[test]
    fn the_longer_chain_wins_and_what_it_lacks_has_no_place_any_more() {
        let mut kept = ledger(&[1, 2, 3]);
        let other = chain(&kept.blocks()[1].clone(), &[3, 4, 5]);
        assert_eq!(kept.offer(&other, 1), Offered::Adopted);
        assert_eq!((keys(&kept), kept.place(RequestKey(2))), (vec![1, 3, 4, 5], None));
        let shorter = chain(&Block::first(), &[7]);
        assert_eq!(kept.offer(&shorter, 1), Offered::Ignored);
    }

    #[test]
    fn of_two_equally_long_chains_every_replica_takes_the_same() {
        let (one, other) = (ledger(&[1, 2]), ledger(&[1, 3]));
        let (mut first, mut second) = (one.clone(), other.clone());
        first.offer(&other.from(0, 9), 1);
        second.offer(&one.from(0, 9), 1);
        assert_eq!(keys(&first), keys(&second));
    }

    #[test]
    fn fixed_blocks_stay_whatever_is_offered() {
        let mut kept = ledger(&[1, 2, 3]);
        let other = chain(&kept.blocks()[1].clone(), &[3, 4, 5]);
        assert_eq!(kept.offer(&other, 3), Offered::Ignored);
        assert_eq!(kept.offer(&other, 2), Offered::Adopted);
    }

    #[test]
    fn blocks_without_their_beginning_or_without_work_are_not_taken() {
        let mut kept = ledger(&[1]);
        let other = chain(&Block::first(), &[2, 3, 4]);
        assert_eq!(kept.offer(&other[1..], 1), Offered::Unattached);
        let light = Arc::new(Block { hash: Hash([1; 32]), ..(*other[0]).clone() });
        assert_eq!(kept.replace(1, &[light]), Offered::Unattached);
        assert_eq!(keys(&kept), [1]);
    }

    #[test]
    fn a_chain_that_has_an_event_twice_is_not_taken() {
        let mut kept = ledger(&[1, 2]);
        for again in [&[3, 1][..], &[3, 3]] {
            let blocks = chain(kept.tip(), again);
            assert_eq!(kept.offer(&blocks, 1), Offered::Ignored);
            let mut careless = Ledger { once: Precaution::Skipped, ..kept.clone() };
            assert_eq!(careless.offer(&blocks, 1), Offered::Adopted);
        }
        // In place of the block that has it, it comes once.
        let other = chain(&kept.blocks()[1].clone(), &[3, 2]);
        assert_eq!(kept.offer(&other, 1), Offered::Adopted);
    }

    #[test]
    fn faults_and_differences_are_found_at_their_place() {
        let good = ledger(&[1, 2, 3]);
        assert_eq!(good.first_fault(), None);
        let hashes: Vec<Hash> = good.blocks().iter().map(|block| block.hash).collect();
        assert_eq!(good.first_difference(&hashes), None);
        let mut bad = good.clone();
        let mut blocks = bad.blocks().to_vec();
        blocks[2] = Arc::new(Block { entries: Arc::new([entry(9)]), ..(*blocks[2]).clone() });
        bad.overwrite(blocks);
        assert_eq!((bad.first_fault(), bad.first_difference(&hashes)), (Some(2), None));
        bad.cut(2);
        assert_eq!((bad.first_fault(), bad.first_difference(&hashes)), (None, Some(2)));
        let other = ledger(&[1, 2, 4]);
        assert_eq!((other.first_fault(), other.first_difference(&hashes)), (None, Some(3)));
    }

    #[test]
    fn erasing_leaves_that_there_was_something_and_nothing_else() {
        let kept = ledger(&[1, 2]);
        assert_eq!((kept.first_about(Subject(2)), kept.first_about(Subject(7))), (Some(2), None));
        let entries = erased(&kept.blocks()[2].entries, Subject(2));
        assert_eq!(entries[0], Entry { request: RequestKey(2), content: Content::Erased });
        assert_eq!(erased(&kept.blocks()[1].entries, Subject(2))[..], [entry(1)]);
    }
}
