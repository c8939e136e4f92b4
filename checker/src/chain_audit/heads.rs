//! A chain against what its witnesses were shown of it, and its snapshots against the chain.

use super::blocks::{Chain, blocks};
use super::{ChainRules, Erasure, Head, Replica, Snapshot, Tampering, TamperingKind};
use crate::instants::seconds;

/// All that is wrong with a chain in the eyes of its witnesses, and with its snapshots.
pub(super) fn find(replica: &Replica<'_>, chain: &Chain<'_>, rules: &ChainRules, found: &mut Vec<Tampering>) {
    // Without any block the replica was not audited.
    let Some(tip) = chain.tip() else { return };
    let audit = Audit { replica, chain, tip, rules, erased: Erased::of(&replica.erasures) };
    audit.cut(found);
    audit.remined(found);
    audit.erased(found);
    found.extend(replica.snapshots.iter().filter_map(|(place, snapshot)| audit.snapshot(*place, snapshot)));
}

struct Audit<'a> {
    replica: &'a Replica<'a>,
    chain: &'a Chain<'a>,
    tip: u64,
    rules: &'a ChainRules,
    erased: Erased,
}

/// From which block on nothing binds any more that was shown until an instant.
struct Erased {
    /// (instant, first block of this erasure or a later one), by instant.
    firsts: Vec<(u64, u64)>,
}

impl Erased {
    fn of(erasures: &[(usize, &Erasure)]) -> Self {
        let witnessed = erasures.iter().filter(|(_, erasure)| erasure.witness.is_some());
        let mut firsts: Vec<(u64, u64)> =
            witnessed.map(|(_, erasure)| (erasure.at_ns, erasure.first)).collect();
        firsts.sort_unstable();
        let mut lowest = u64::MAX;
        for (_, first) in firsts.iter_mut().rev() {
            lowest = lowest.min(*first);
            *first = lowest;
        }
        Self { firsts }
    }

    /// Whether a block shown at an instant may have been mined anew then or later.
    fn excuses(&self, at_ns: u64, index: u64) -> bool {
        let later = self.firsts.partition_point(|(instant, _)| *instant < at_ns);
        self.firsts.get(later).is_some_and(|(_, first)| *first <= index)
    }
}

impl Audit<'_> {
    /// The last block that was final when a head was shown, if any was.
    fn final_index(&self, head: &Head) -> Option<u64> {
        head.index.saturating_add(head.depth).checked_sub(self.rules.finality_depth)
    }

    /// Final blocks that are not there any more.
    fn cut(&self, found: &mut Vec<Tampering>) {
        let final_heads = self.replica.heads.iter().filter_map(|(place, head)| {
            let index = self.final_index(head).filter(|index| !self.erased.excuses(head.at_ns, *index))?;
            (index > self.tip).then_some((index, *place, head))
        });
        // Of two that show as much, the first.
        let Some((index, place, head)) =
            final_heads.min_by_key(|(index, place, _)| (u64::MAX - index, *place))
        else {
            return;
        };
        let sentence = format!(
            "replica {} ends with block {}, but showed witness {} block {} with {} upon it at {} (record {place}): {} gone",
            self.replica.number,
            self.tip,
            head.witness,
            head.index,
            head.depth,
            seconds(head.at_ns),
            blocks(self.tip + 1, index)
        );
        found.push(self.tampering(TamperingKind::CutTail, (self.tip + 1, index), vec![place], sentence));
    }

    /// Final blocks that were replaced. Those between two heads that are right are one finding.
    fn remined(&self, found: &mut Vec<Tampering>) {
        let mut heads: Vec<(usize, &Head)> = self.replica.heads.clone();
        heads.retain(|(_, head)| {
            head.depth >= self.rules.finality_depth && !self.erased.excuses(head.at_ns, head.index)
        });
        heads.sort_unstable_by_key(|(place, head)| (head.index, *place));
        let mut right = None;
        let mut wrong: Option<(usize, &Head, u64)> = None;
        for (place, head) in heads {
            // A block that is missing is a finding already.
            let Some((_, block)) = self.chain.block(head.index) else { continue };
            if block.hash == head.hash {
                found.extend(wrong.take().map(|wrong| self.replaced(right, wrong)));
                right = Some(head.index);
            } else {
                let (place, first, _) = wrong.unwrap_or((place, head, head.index));
                wrong = Some((place, first, head.index));
            }
        }
        found.extend(wrong.map(|wrong| self.replaced(right, wrong)));
    }

    /// After the last head that is right, up to the last that is wrong.
    fn replaced(&self, right: Option<u64>, (place, head, to): (usize, &Head, u64)) -> Tampering {
        let from = right.map_or(0, |right| right.saturating_add(1)).min(head.index);
        let now = self.chain.block(head.index);
        let (now, now_place) =
            now.map_or((String::new(), None), |(place, block)| (block.hash.short(), Some(place)));
        let since = match right {
            Some(right) => format!("block {right} is still as shown"),
            None => "no earlier block was shown".to_owned(),
        };
        let sentence = format!(
            "replica {} showed witness {} block {} as {} at {} (record {place}), final, and now keeps {now}; {since}",
            self.replica.number,
            head.witness,
            head.index,
            head.hash.short(),
            seconds(head.at_ns)
        );
        let places = [place].into_iter().chain(now_place).collect();
        self.tampering(TamperingKind::Remined, (from, to), places, sentence)
    }

    /// Erasures without a witness.
    fn erased(&self, found: &mut Vec<Tampering>) {
        for (place, erasure) in self.replica.erasures.iter().filter(|(_, erasure)| erasure.witness.is_none())
        {
            let sentence = format!(
                "replica {} mined block {} and all after it again at {} for erasure {} (record {place}), which nobody witnessed",
                self.replica.number,
                erasure.first,
                seconds(erasure.at_ns),
                erasure.erasure
            );
            let span = (erasure.first, erasure.first.max(self.tip));
            found.push(self.tampering(TamperingKind::Erased, span, vec![*place], sentence));
        }
    }

    fn snapshot(&self, place: usize, snapshot: &Snapshot) -> Option<Tampering> {
        let is_final =
            self.tip.checked_sub(snapshot.index).is_some_and(|depth| depth >= self.rules.finality_depth);
        let block = self.chain.block(snapshot.index).filter(|_| is_final);
        let why = match (snapshot.derived, block) {
            _ if snapshot.state != snapshot.computed => {
                format!(
                    "hashes to {}, not to {}, as it says",
                    snapshot.computed.short(),
                    snapshot.state.short()
                )
            }
            (Some(derived), _) if derived != snapshot.state => {
                format!("is {}, but a replay yields {}", snapshot.state.short(), derived.short())
            }
            (_, Some((place, block))) if block.hash != snapshot.block => {
                format!(
                    "hangs off {}, but that block is {} (record {place})",
                    snapshot.block.short(),
                    block.hash.short()
                )
            }
            _ => return None,
        };
        let sentence = format!(
            "the snapshot of projection {} that replica {} made after block {} at {} (record {place}) {why}",
            snapshot.projection,
            self.replica.number,
            snapshot.index,
            seconds(snapshot.at_ns)
        );
        let span = (snapshot.index, snapshot.index);
        Some(self.tampering(TamperingKind::Snapshot, span, vec![place], sentence))
    }

    fn tampering(
        &self,
        kind: TamperingKind,
        (from, to): (u64, u64),
        places: Vec<usize>,
        sentence: String,
    ) -> Tampering {
        Tampering { replica: self.replica.number, from, to, kind, places, sentence }
    }
}
