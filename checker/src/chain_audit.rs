//! Is the chain of blocks still what its witnesses saw, and did all see the same one?
//!
//! ```text
//!   replica 0    0 ◄─ 1 ◄─ 2 ◄─ 3 ◄─ 4 ◄─ 5 ◄─ 6            each names the hash of the one before it
//!   witness 7              └ shown 2 as a1…   └ shown 5 as b2…
//!   audited      0 ◄─ 1 ◄─ 2 ◄─ 3'◄─ 4'◄─ 5'◄─ 6'           re-mined: 5' is not b2…, so from 3 on
//! ```
//!
//! Hash and proof of work alone show a block that was changed, inserted, removed or moved without
//! mining all after it anew. Who does mine anew, or cuts the end off, is exposed only by heads that
//! others hold. So the rules are, for each replica:
//! - Its blocks stand in order from number 0 on, each hashes to what is written in it, names the hash of
//!   the one before it, and has work enough; the first needs none.
//! - Every head that was final when it was shown (so many blocks upon it as the [rules](ChainRules) say)
//!   is there, and so are as many blocks as were final then. What was not final may be replaced.
//! - An erasure mines anew from some block on. With a witness it is no tampering, and what was shown of
//!   those blocks before it binds no more. Without one it is.
//! - A snapshot hashes to what is written in it, hangs off a block of the chain if that block is final, and
//!   is what a replay up to that block yields, where one was made.
//!
//! And for the *split view*, over all replicas and witnesses: no two have different final blocks of
//! one number, unless an erasure lies between them.
//!
//! Assumes:
//! - The recorder computed the hashes of contents itself, over everything in a block but its hash, and it
//!   did the replays. The hash function has no collisions.
//! - Blocks are those of each replica's one chain at the time of the audit, in the order in which they are
//!   kept. Heads, erasures and snapshots come before that. A replica without any block was not audited.
//! - Witnesses tell the truth about what they were shown and when, in true time. A head shown at the
//!   very instant of an erasure may be of the chain before it or after it.
//! - What else was slipped in under the cover of a witnessed erasure shows only by heads shown later.
//!
//! Source of chains under witnessed heads: S. Haber and W. S. Stornetta, "How to time-stamp a digital
//! document", Journal of Cryptology 3 (1991).

mod blocks;
mod digest;
mod heads;
mod views;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use digest::Digest;

use crate::verdict::Verdict;

/// Something kept or shown of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ChainRecord {
    /// A replica keeps a block.
    Block(Block),
    /// A witness was shown a block.
    Head(Head),
    /// A replica mined anew, to erase something.
    Erasure(Erasure),
    /// A replica keeps what a projection made of the chain.
    Snapshot(Snapshot),
}

/// A block, as a replica keeps it at the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Which replica.
    pub replica: u32,
    /// Its number, from 0.
    pub index: u64,
    /// Its hash, as written in it.
    pub hash: Digest,
    /// The hash of the block before it, as written in it.
    pub previous: Digest,
    /// What its contents hash to.
    pub computed: Digest,
    /// True time at which the replica got it, in ns.
    pub at_ns: u64,
}

/// A block that a witness was shown and holds on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The replica that showed it.
    pub replica: u32,
    /// The witness.
    pub witness: u32,
    /// Its number.
    pub index: u64,
    /// Its hash.
    pub hash: Digest,
    /// How many blocks already lay upon it.
    pub depth: u64,
    /// True time, in ns.
    pub at_ns: u64,
}

/// A replica mined blocks anew, to erase something from the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Which erasure: the same number at every replica that carries it out.
    pub erasure: u64,
    /// Which replica.
    pub replica: u32,
    /// The first block that was mined anew, as were all after it.
    pub first: u64,
    /// Who witnessed it, if anybody.
    pub witness: Option<u32>,
    /// True time, in ns.
    pub at_ns: u64,
}

/// The state of a projection after a block, as a replica keeps it at the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which replica.
    pub replica: u32,
    /// Which projection.
    pub projection: u32,
    /// The number of the block it hangs off.
    pub index: u64,
    /// The hash of that block, as written in the snapshot.
    pub block: Digest,
    /// The hash of the state, as written in the snapshot.
    pub state: Digest,
    /// What the state hashes to.
    pub computed: Digest,
    /// What the state hashes to that a replay up to the block yields; none if it was not replayed.
    pub derived: Option<Digest>,
    /// True time at which it was made, in ns.
    pub at_ns: u64,
}

/// What a chain promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRules {
    /// How many blocks lie upon a block when it is final; 0 if every block is final at once.
    pub finality_depth: u64,
    /// With how many zero bits the hash of a block begins, at least.
    pub difficulty_bits: u32,
}

/// A way to tamper with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TamperingKind {
    /// Blocks are there that no later block builds upon.
    Inserted,
    /// Blocks are missing between others or at the beginning.
    Removed,
    /// Blocks are not what their hash, or the next block, says.
    Changed,
    /// Blocks do not stand in the order of their numbers.
    Reordered,
    /// Blocks have too little work.
    Unworked,
    /// Final blocks are missing at the end.
    CutTail,
    /// Blocks are in order among themselves, but not those that a witness was shown.
    Remined,
    /// Blocks were mined anew for an erasure that nobody witnessed.
    Erased,
    /// A snapshot is not that of its block.
    Snapshot,
}

/// A tampering, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tampering {
    /// Whose chain.
    pub replica: u32,
    /// The first block at fault, or from which on one can be.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// How.
    pub kind: TamperingKind,
    /// A few records that show it, by their places in the list.
    pub places: Vec<usize>,
    /// In words.
    pub sentence: String,
}

impl ChainRecord {
    /// True time of what is recorded, in ns.
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Block(block) => block.at_ns,
            Self::Head(head) => head.at_ns,
            Self::Erasure(erasure) => erasure.at_ns,
            Self::Snapshot(snapshot) => snapshot.at_ns,
        }
    }

    /// Whose chain it is about.
    pub fn replica(&self) -> u32 {
        match self {
            Self::Block(block) => block.replica,
            Self::Head(head) => head.replica,
            Self::Erasure(erasure) => erasure.replica,
            Self::Snapshot(snapshot) => snapshot.replica,
        }
    }
}

/// Whether nobody tampered with any replica's chain; a violation names records by their places.
pub fn chain_audit(records: &[ChainRecord], rules: &ChainRules) -> Verdict {
    let found = tamperings(records, rules);
    let Some(first) = found.first() else { return Verdict::Holds };
    let more = match found.len() - 1 {
        0 => String::new(),
        others => format!(" (and {others} more findings)"),
    };
    Verdict::by_records(&first.places, format!("{}{more}", first.sentence))
}

/// Every tampering that shows, by replica and place in the chain.
pub fn tamperings(records: &[ChainRecord], rules: &ChainRules) -> Vec<Tampering> {
    let mut found = Vec::new();
    for replica in by_replica(records).values() {
        let chain = blocks::Chain::of(replica);
        chain.find(rules, &mut found);
        heads::find(replica, &chain, rules, &mut found);
    }
    found.sort_by(|one, other| {
        let key = |tampering: &Tampering| (tampering.replica, tampering.from, tampering.to, tampering.kind);
        key(one).cmp(&key(other))
    });
    found
}

/// Whether all replicas and witnesses have the same final blocks; a violation names two records.
pub fn split_view(records: &[ChainRecord], rules: &ChainRules) -> Verdict {
    views::split(by_replica(records).values(), rules)
}

/// All about one replica's chain, each with its place in the list.
#[derive(Default)]
struct Replica<'a> {
    number: u32,
    blocks: Vec<(usize, &'a Block)>,
    heads: Vec<(usize, &'a Head)>,
    erasures: Vec<(usize, &'a Erasure)>,
    snapshots: Vec<(usize, &'a Snapshot)>,
}

fn by_replica(records: &[ChainRecord]) -> BTreeMap<u32, Replica<'_>> {
    let mut replicas: BTreeMap<u32, Replica<'_>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        let number = record.replica();
        let replica = replicas.entry(number).or_insert_with(|| Replica { number, ..Replica::default() });
        match record {
            ChainRecord::Block(block) => replica.blocks.push((place, block)),
            ChainRecord::Head(head) => replica.heads.push((place, head)),
            ChainRecord::Erasure(erasure) => replica.erasures.push((place, erasure)),
            ChainRecord::Snapshot(snapshot) => replica.snapshots.push((place, snapshot)),
        }
    }
    replicas
}

#[cfg(test)]
mod tests;
