//! An erasure on its way: the blocks from the first one concerned on are mined anew, without what is to be erased.
//!
//! ```text
//!   before   0 ◄─ 1 ◄─ 2 ◄─ 3 ◄─ 4        2 speaks of the subject
//!   after    0 ◄─ 1 ◄─ 2'◄─ 3'◄─ 4'       as many proofs of work as there are blocks from 2 on
//! ```
//!
//! It takes time, in which blocks become final behind those that are mined anew: they are mined anew, too, until none is
//! left. So it must be faster than the miners together. In that time somebody may have written to what is kept: only
//! blocks that are as agreed are mined anew, however soon the others are found and come back as they were.

use std::sync::Arc;

use sim::node::NodeId;

use super::block::{Block, Hash, Mining, Subject};
use super::ledger::erased;
use super::message::{Blocks, Erasure};

/// How many times as fast as a miner an erasure works.
const FASTER: u32 = 16;

/// The blocks mined anew so far.
#[derive(Clone, Debug)]
pub struct Remining {
    erasure: Erasure,
    subject: Subject,
    me: NodeId,
    blocks: Vec<Arc<Block>>,
    mining: Option<Mining>,
    /// Hashes tried.
    tries: u64,
}

impl Remining {
    /// Begins, with nothing done.
    #[must_use]
    pub const fn begin(erasure: Erasure, subject: Subject, me: NodeId) -> Self {
        Self { erasure, subject, me, blocks: Vec::new(), mining: None, tries: 0 }
    }

    /// The same erasure from its beginning, with what it has cost already.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { tries: self.tries, ..Self::begin(self.erasure, self.subject, self.me) }
    }

    /// Which erasure it is.
    #[must_use]
    pub const fn erasure(&self) -> Erasure {
        self.erasure
    }

    /// The blocks mined anew.
    #[must_use]
    pub fn blocks(&self) -> Blocks {
        self.blocks.as_slice().into()
    }

    /// How many blocks it has mined, and how many hashes it has tried.
    #[must_use]
    pub fn cost(&self) -> (u64, u64) {
        (self.blocks.len() as u64, self.tries)
    }

    /// The erasure with its blocks, if they are as many as are final from its first on.
    #[must_use]
    pub fn proposal(&self, final_count: usize) -> Option<(Erasure, Blocks)> {
        let first = usize::try_from(self.erasure.first).unwrap_or(usize::MAX);
        let is_whole = !self.blocks.is_empty() && first.checked_add(self.blocks.len()) == Some(final_count);
        is_whole.then(|| (self.erasure, self.blocks()))
    }

    /// Works at what is to be replaced, which ends with `kept`; whether nothing is left.
    ///
    /// Blocks that are not as `agreed` are not worked at; beyond its end, all are.
    pub fn work(
        &mut self,
        kept: &[Arc<Block>],
        agreed: &[Hash],
        (tries, difficulty_bits): (u32, u32),
    ) -> bool {
        let first = usize::try_from(self.erasure.first).unwrap_or(usize::MAX);
        for _ in 0..FASTER {
            let Some(place) = first.checked_add(self.blocks.len()) else { return false };
            if place >= kept.len() {
                return true;
            }
            if self.mining.is_none() {
                self.mining = self.next(place, kept, agreed);
            }
            let Some(mining) = &mut self.mining else { return false };
            self.tries += u64::from(tries);
            if let Some(block) = mining.work(tries, difficulty_bits) {
                self.mining = None;
                self.blocks.push(Arc::new(block));
            }
        }
        false
    }

    /// The block to be mined in that place, if what it is made of is as agreed.
    fn next(&self, place: usize, kept: &[Arc<Block>], agreed: &[Hash]) -> Option<Mining> {
        let as_agreed = |place: usize| {
            let is_agreed = |hash: &Hash| kept[place].hash == *hash && kept[place].computed() == *hash;
            agreed.get(place).is_none_or(is_agreed).then(|| &kept[place])
        };
        let (before, source) = (place.checked_sub(1)?, as_agreed(place)?);
        let previous = match self.blocks.last() {
            Some(mined) => mined,
            None => as_agreed(before)?,
        };
        Some(Mining::begin(previous, self.me, self.tries, erased(&source.entries, self.subject)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::block::{Content, Entry, Event, mined};
    use crate::chain::ledger::Ledger;
    use crate::ids::RequestKey;
    use crate::rules::Precaution;

    const BITS: u32 = 4;
    const ME: NodeId = NodeId(3);

    /// Blocks with one event each, of these subjects.
    fn chain(subjects: &[u32]) -> Vec<Arc<Block>> {
        let mut blocks = vec![Arc::new(Block::first())];
        for (key, subject) in (0..).zip(subjects) {
            let event = Event { subject: Subject(*subject), amount: 1 };
            let entry = Entry { request: RequestKey(key), content: Content::Plain(event) };
            let last = blocks.last().unwrap();
            blocks.push(Arc::new(mined(last, NodeId(1), Arc::new([entry]), BITS).0));
        }
        blocks
    }

    #[test]
    fn later_blocks_are_mined_anew_and_follow_those_that_stay() {
        let kept = chain(&[1, 2, 3, 2]);
        let mut remining = Remining::begin(Erasure { id: 7, first: 2 }, Subject(2), ME);
        while !remining.work(&kept, &[], (1, BITS)) {}
        let (erasure, blocks) = remining.proposal(kept.len()).unwrap();
        assert_eq!((erasure.id, blocks.len(), remining.proposal(kept.len() + 1)), (7, 3, None));
        let mut ledger = Ledger::new(BITS, Precaution::Taken);
        ledger.replace(1, &[&kept[1..2], &blocks[..]].concat());
        assert_eq!((ledger.first_fault(), ledger.blocks().len()), (None, 5));
        assert_eq!((ledger.first_about(Subject(2)), ledger.first_about(Subject(3))), (None, Some(3)));
        let (count, tries) = remining.cost();
        assert_eq!(count, 3);
        assert!(tries >= 3, "each block takes a try");
    }

    #[test]
    fn what_becomes_final_in_the_meantime_is_mined_anew_too() {
        let kept = chain(&[1, 2, 3]);
        let mut remining = Remining::begin(Erasure { id: 7, first: 1 }, Subject(1), ME);
        while !remining.work(&kept[..2], &[], (1, BITS)) {}
        assert!(remining.proposal(2).is_some() && remining.proposal(4).is_none());
        while !remining.work(&kept, &[], (1, BITS)) {}
        assert_eq!(remining.proposal(4).unwrap().1.len(), 3);
        assert_eq!(remining.anew().cost().0, 0);
    }

    #[test]
    fn what_somebody_has_written_over_is_not_mined_anew() {
        let (kept, other) = (chain(&[1, 2, 3]), chain(&[1, 9, 9]));
        let agreed: Vec<Hash> = kept.iter().map(|block| block.hash).collect();
        let changed = Arc::new(Block { entries: Arc::clone(&other[2].entries), ..(*kept[2]).clone() });
        for (place, written) in [(1, &other[2]), (2, &other[2]), (2, &changed), (3, &other[3])] {
            let mut touched = kept.clone();
            touched[place] = Arc::clone(written);
            let mut remining = Remining::begin(Erasure { id: 7, first: 2 }, Subject(2), ME);
            for _ in 0..1_000 {
                assert!(!remining.work(&touched, &agreed, (1, BITS)), "place {place}");
            }
            assert!(remining.proposal(kept.len()).is_none());
            while !remining.work(&kept, &agreed, (1, BITS)) {}
            let mined = remining.proposal(kept.len()).unwrap().1;
            assert!(mined[0].follows(Some(&kept[1]), BITS), "place {place}");
            let subjects = mined.iter().flat_map(|block| block.entries.iter()).map(|entry| entry.request.0);
            assert_eq!(subjects.collect::<Vec<_>>(), [1, 2], "place {place}");
        }
    }
}
