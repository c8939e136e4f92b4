//! The blocks that a replica keeps: do they form one chain, in order?

use super::{Block, ChainRules, Digest, Replica, Tampering, TamperingKind};

/// The chain of a replica: of all blocks kept, those that the last one builds upon.
pub(super) struct Chain<'a> {
    replica: u32,
    /// All blocks in the order in which they are kept, with their places in the list of records.
    kept: &'a [(usize, &'a Block)],
    /// Positions in `kept`: numbers increase.
    spine: Vec<usize>,
    /// Positions in `kept` of the blocks that are not in the spine.
    beside: Vec<usize>,
    /// Where a block of the spine does not build upon the one before it.
    breaks: Vec<Break>,
}

/// Positions in `kept`: a block, and the one before it in the spine, if there is any.
struct Break {
    after: Option<usize>,
    block: usize,
}

/// A block, to be found by number and hash; among equal ones, first those that hash to what they say.
type Key = (u64, Digest, bool, usize);

impl<'a> Chain<'a> {
    pub(super) fn of(replica: &'a Replica<'a>) -> Self {
        let kept = replica.blocks.as_slice();
        let mut keys: Vec<Key> = (0..)
            .zip(kept)
            .map(|(position, (_, block))| (block.index, block.hash, block.hash != block.computed, position))
            .collect();
        keys.sort_unstable();
        let mut chain =
            Self { replica: replica.number, kept, spine: Vec::new(), beside: Vec::new(), breaks: Vec::new() };
        chain.walk(&keys);
        chain
    }

    /// From the last block to the first, by hash where there is one, else by number.
    fn walk(&mut self, keys: &[Key]) {
        let mut is_in_spine = vec![false; self.kept.len()];
        let mut next = self.highest_before(keys, None);
        while let Some(position) = next {
            self.spine.push(position);
            is_in_spine[position] = true;
            next = self.predecessor(keys, position);
            if next.is_none() {
                next = self.highest_before(keys, Some(self.kept[position].1.index));
                if next.is_some() || self.kept[position].1.index > 0 {
                    self.breaks.push(Break { after: next, block: position });
                }
            }
        }
        self.spine.reverse();
        self.beside = (0..self.kept.len()).filter(|position| !is_in_spine[*position]).collect();
    }

    /// The block that another one names as the one before it; of several copies, the nearest before it.
    fn predecessor(&self, keys: &[Key], position: usize) -> Option<usize> {
        let block = self.kept[position].1;
        let named = (block.index.checked_sub(1)?, block.previous);
        let is_named = |key: &&Key| (key.0, key.1) == named;
        let end = keys.partition_point(|key| *key < (named.0, named.1, false, position));
        let nearest = keys[..end].last().filter(is_named);
        nearest.or_else(|| keys.get(end).filter(is_named)).map(|key| key.3)
    }

    /// Of the blocks with the highest number below a bound, one that builds upon another if there is any.
    fn highest_before(&self, keys: &[Key], bound: Option<u64>) -> Option<usize> {
        let end = bound.map_or(keys.len(), |bound| keys.partition_point(|key| key.0 < bound));
        let index = keys[..end].last()?.0;
        let first = keys.partition_point(|key| key.0 < index);
        let candidates = || keys[first..end].iter().map(|key| key.3);
        let linked = candidates().filter(|position| self.predecessor(keys, *position).is_some()).max();
        linked.or_else(|| candidates().max())
    }

    /// The number of the last block; none if there are no blocks.
    pub(super) fn tip(&self) -> Option<u64> {
        self.spine.last().map(|position| self.kept[*position].1.index)
    }

    /// The blocks of the chain, in order, with their places.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, &'a Block)> {
        self.spine.iter().map(|position| self.kept[*position])
    }

    /// The block of a number.
    pub(super) fn block(&self, index: u64) -> Option<(usize, &'a Block)> {
        let found = self.spine.binary_search_by_key(&index, |position| self.kept[*position].1.index);
        found.ok().map(|at| self.kept[self.spine[at]])
    }

    /// All that is wrong with the blocks among themselves.
    pub(super) fn find(&self, rules: &ChainRules, found: &mut Vec<Tampering>) {
        self.changed(found);
        self.broken(found);
        self.inserted(found);
        self.reordered(found);
        self.unworked(rules, found);
    }

    /// Blocks that do not hash to what is written in them; those next to one another are one finding.
    fn changed(&self, found: &mut Vec<Tampering>) {
        let changed: Vec<(usize, &Block)> =
            self.blocks().filter(|(_, block)| block.hash != block.computed).collect();
        for run in changed.chunk_by(|(_, one), (_, next)| one.index + 1 == next.index) {
            let (place, first) = run[0];
            let sentence = format!(
                "{} kept by replica {} not what the hash says: the contents of block {} hash to {}, but it says {} (record {place})",
                blocks(first.index, run[run.len() - 1].1.index),
                self.replica,
                first.index,
                first.computed.short(),
                first.hash.short()
            );
            let span = (first.index, run[run.len() - 1].1.index);
            found.push(self.tampering(TamperingKind::Changed, span, vec![place], sentence));
        }
    }

    /// Blocks that are missing, or are not those that the next one builds upon.
    fn broken(&self, found: &mut Vec<Tampering>) {
        for &Break { after, block } in &self.breaks {
            let (place, block) = self.kept[block];
            let missing =
                (after.map_or(0, |after| self.kept[after].1.index + 1), block.index.saturating_sub(1));
            let names =
                format!("block {} (record {place}) builds upon {}", block.index, block.previous.short());
            match after.map(|after| self.kept[after]) {
                Some((other_place, other)) if missing.0 > missing.1 => {
                    // If either is changed, that is why.
                    if block.hash == block.computed && other.hash == other.computed {
                        let sentence = format!(
                            "{names} at replica {}, but block {} there is {} (record {other_place})",
                            self.replica,
                            other.index,
                            other.hash.short()
                        );
                        let span = (other.index, other.index);
                        found.push(self.tampering(
                            TamperingKind::Changed,
                            span,
                            vec![other_place, place],
                            sentence,
                        ));
                    }
                }
                before => {
                    let places = before.into_iter().map(|(place, _)| place).chain([place]).collect();
                    let sentence = format!(
                        "{names} at replica {}, but {} missing",
                        self.replica,
                        blocks(missing.0, missing.1)
                    );
                    found.push(self.tampering(TamperingKind::Removed, missing, places, sentence));
                }
            }
        }
    }

    fn inserted(&self, found: &mut Vec<Tampering>) {
        for &position in &self.beside {
            let (place, block) = self.kept[position];
            let sentence = format!(
                "replica {} keeps a block {} as {} (record {place}) that no later block builds upon",
                self.replica,
                block.index,
                block.hash.short()
            );
            found.push(self.tampering(
                TamperingKind::Inserted,
                (block.index, block.index),
                vec![place],
                sentence,
            ));
        }
    }

    fn reordered(&self, found: &mut Vec<Tampering>) {
        for pair in self.spine.windows(2).filter(|pair| pair[0] > pair[1]) {
            let ((place, block), (next_place, next)) = (self.kept[pair[0]], self.kept[pair[1]]);
            let sentence = format!(
                "replica {} keeps block {} (record {next_place}) before block {} (record {place})",
                self.replica, next.index, block.index
            );
            let span = (block.index, next.index);
            found.push(self.tampering(TamperingKind::Reordered, span, vec![next_place, place], sentence));
        }
    }

    fn unworked(&self, rules: &ChainRules, found: &mut Vec<Tampering>) {
        let is_light =
            |block: &Block| block.index > 0 && block.hash.leading_zero_bits() < rules.difficulty_bits;
        for (place, block) in self.blocks().filter(|(_, block)| is_light(block)) {
            let sentence = format!(
                "block {} of replica {}, {} (record {place}), begins with fewer than {} zero bits",
                block.index,
                self.replica,
                block.hash.short(),
                rules.difficulty_bits
            );
            found.push(self.tampering(
                TamperingKind::Unworked,
                (block.index, block.index),
                vec![place],
                sentence,
            ));
        }
    }

    fn tampering(
        &self,
        kind: TamperingKind,
        (from, to): (u64, u64),
        places: Vec<usize>,
        sentence: String,
    ) -> Tampering {
        Tampering { replica: self.replica, from, to, kind, places, sentence }
    }
}

/// A span of blocks with its verb.
pub(super) fn blocks(from: u64, to: u64) -> String {
    if from == to { format!("block {from} is") } else { format!("blocks {from} to {to} are") }
}
