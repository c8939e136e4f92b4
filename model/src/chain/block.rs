//! A block: what it says, how it hashes, and the work that it takes to make one.
//!
//! ```text
//!   index │ previous │ miner │ nonce │ entries ──sha-256──► hash, with so many zero bits in front
//! ```
//!
//! Source: S. Haber, W. S. Stornetta, "How to time-stamp a digital document", Journal of Cryptology 3 (1991); proof of
//! work as in A. Back, "Hashcash", 2002. The salted commitment is sha-256 over a secret salt and the event: binding, and
//! hiding as long as the salt is kept; once salt and event are deleted it says nothing any more.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sim::node::NodeId;

use crate::ids::RequestKey;

/// A hash value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// With how many zero bits it begins.
    #[must_use]
    pub fn leading_zero_bits(self) -> u32 {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        let rest = self.0.get(zeros).map_or(0, |byte| byte.leading_zeros());
        u32::try_from(zeros).expect("at most 32 bytes") * 8 + rest
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A person, account or whatever else events are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(pub u32);

/// What happened to a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// To whom.
    pub subject: Subject,
    /// How much was added.
    pub amount: u32,
}

/// An event with its secret salt, beside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// What happened.
    pub event: Event,
    /// Drawn for this event alone.
    pub salt: u64,
}

impl Secret {
    /// What stands on the chain for it.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.salt.to_be_bytes());
        hasher.update(self.event.subject.0.to_be_bytes());
        hasher.update(self.event.amount.to_be_bytes());
        Hash(hasher.finalize().into())
    }
}

/// What a block says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Content {
    /// All of it.
    Plain(Event),
    /// Only that there is one, which cannot be exchanged for another.
    Committed(Hash),
    /// There was one, and it was erased.
    Erased,
}

/// An event in a block, known by the request that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// Which request.
    pub request: RequestKey,
    /// What the block says.
    pub content: Content,
}

impl Entry {
    fn feed(&self, hasher: &mut Sha256) {
        hasher.update(self.request.0.to_be_bytes());
        match self.content {
            Content::Plain(event) => {
                hasher.update([0]);
                hasher.update(event.subject.0.to_be_bytes());
                hasher.update(event.amount.to_be_bytes());
            }
            Content::Committed(commitment) => {
                hasher.update([1]);
                hasher.update(commitment.0);
            }
            Content::Erased => hasher.update([2]),
        }
    }
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its number, from 0.
    pub index: u64,
    /// The hash of the block before it.
    pub previous: Hash,
    /// Who mined it.
    pub miner: NodeId,
    /// What gives it its work.
    pub nonce: u64,
    /// The events.
    pub entries: Arc<[Entry]>,
    /// Its hash, as it says itself.
    pub hash: Hash,
}

impl Block {
    /// The block before all others, the same for everybody; it needs no work.
    #[must_use]
    pub fn first() -> Self {
        Self::after(None, NodeId(0), 0, Arc::new([]))
    }

    /// The block behind `previous` with that nonce.
    #[must_use]
    pub fn after(previous: Option<&Self>, miner: NodeId, nonce: u64, entries: Arc<[Entry]>) -> Self {
        let index = previous.map_or(0, |block| block.index + 1);
        let hash_before = previous.map_or(Hash::default(), |block| block.hash);
        let mut block = Self { index, previous: hash_before, miner, nonce, entries, hash: Hash::default() };
        block.hash = block.computed();
        block
    }

    /// What it hashes to.
    #[must_use]
    pub fn computed(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.index.to_be_bytes());
        hasher.update(self.previous.0);
        hasher.update(self.miner.0.to_be_bytes());
        hasher.update(self.nonce.to_be_bytes());
        self.entries.iter().for_each(|entry| entry.feed(&mut hasher));
        Hash(hasher.finalize().into())
    }

    /// Whether it is what its hash says, has its work, and stands right behind `previous`.
    #[must_use]
    pub fn follows(&self, previous: Option<&Self>, difficulty_bits: u32) -> bool {
        let Some(previous) = previous else { return *self == Self::first() };
        let has_place = self.index == previous.index + 1 && self.previous == previous.hash;
        has_place && self.hash.leading_zero_bits() >= difficulty_bits && self.hash == self.computed()
    }
}

/// A block on its way: the nonces that were not tried yet.
#[derive(Clone, Debug)]
pub struct Mining {
    candidate: Block,
}

impl Mining {
    /// Begins a block behind `previous`.
    #[must_use]
    pub fn begin(previous: &Block, miner: NodeId, first_nonce: u64, entries: Arc<[Entry]>) -> Self {
        Self { candidate: Block::after(Some(previous), miner, first_nonce, entries) }
    }

    /// The block that it builds upon.
    #[must_use]
    pub const fn previous(&self) -> Hash {
        self.candidate.previous
    }

    /// Tries so many nonces: the block, if one of them gives it enough work.
    pub fn work(&mut self, tries: u32, difficulty_bits: u32) -> Option<Block> {
        for _ in 0..tries {
            if self.candidate.hash.leading_zero_bits() >= difficulty_bits {
                return Some(self.candidate.clone());
            }
            self.candidate.nonce = self.candidate.nonce.wrapping_add(1);
            self.candidate.hash = self.candidate.computed();
        }
        None
    }
}

/// Mines the block at once, whatever it takes; with the nonces it took.
///
/// Expected tries: `2^difficulty_bits`.
#[must_use]
pub fn mined(previous: &Block, miner: NodeId, entries: Arc<[Entry]>, difficulty_bits: u32) -> (Block, u64) {
    let mut mining = Mining::begin(previous, miner, 0, entries);
    let mut tries = 1;
    loop {
        if let Some(block) = mining.work(1, difficulty_bits) {
            return (block, tries);
        }
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u32 = 6;

    fn entry(key: u64) -> Entry {
        let event = Event { subject: Subject(1), amount: 5 };
        Entry { request: RequestKey(key), content: Content::Plain(event) }
    }

    fn second() -> Block {
        mined(&Block::first(), NodeId(3), Arc::new([entry(1), entry(2)]), BITS).0
    }

    #[test]
    fn a_mined_block_follows_the_one_before_it_and_no_other() {
        let (first, second) = (Block::first(), second());
        assert!(first.follows(None, BITS) && second.follows(Some(&first), BITS));
        assert!(!second.follows(None, BITS) && !second.follows(Some(&second), BITS));
        assert!(!first.follows(Some(&second), BITS));
    }

    #[test]
    fn every_field_is_under_the_hash() {
        let (first, good) = (Block::first(), second());
        let changed = [
            Block { index: 2, ..good.clone() },
            Block { previous: Hash([7; 32]), ..good.clone() },
            Block { miner: NodeId(4), ..good.clone() },
            Block { nonce: good.nonce + 1, ..good.clone() },
            Block { entries: Arc::new([entry(2), entry(1)]), ..good.clone() },
            Block { entries: Arc::new([entry(1)]), ..good.clone() },
        ];
        for block in changed {
            assert_ne!(block.computed(), good.hash, "{block:?}");
            assert!(!block.follows(Some(&first), BITS), "{block:?}");
        }
    }

    #[test]
    fn a_block_without_work_does_not_follow() {
        let first = Block::first();
        let light = (0..).map(|nonce| Block::after(Some(&first), NodeId(3), nonce, Arc::new([])));
        let mut light = light.filter(|block| block.hash.leading_zero_bits() < BITS);
        assert!(!light.next().unwrap().follows(Some(&first), BITS));
    }

    #[test]
    fn mining_in_parts_finds_what_mining_at_once_finds() {
        let first = Block::first();
        let entries: Arc<[Entry]> = Arc::new([entry(1)]);
        let mut mining = Mining::begin(&first, NodeId(3), 0, Arc::clone(&entries));
        let found = core::iter::repeat_with(|| mining.work(3, BITS)).flatten().next();
        assert_eq!(found, Some(mined(&first, NodeId(3), entries, BITS).0));
    }

    #[test]
    fn a_commitment_tells_events_and_salts_apart() {
        let secret = |salt, amount| Secret { event: Event { subject: Subject(1), amount }, salt };
        assert_eq!(secret(1, 5).commitment(), secret(1, 5).commitment());
        assert_ne!(secret(1, 5).commitment(), secret(2, 5).commitment());
        assert_ne!(secret(1, 5).commitment(), secret(1, 6).commitment());
    }
}
