//! What replicas keep and what they showed, side by side: one final block for each number?

use super::blocks::Chain;
use super::{ChainRules, Digest, Erasure, Replica};
use crate::instants::seconds;
use crate::verdict::Verdict;

/// A final block that somebody has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct View {
    index: u64,
    /// The last erasure before it at its replica that touched the block.
    era: Option<u64>,
    hash: Digest,
    replica: u32,
    shown: Option<Shown>,
    place: usize,
}

/// To whom a block was shown and when; a block that a replica keeps was shown to nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shown {
    at_ns: u64,
    witness: u32,
}

/// Whether any two have different final blocks of one number.
///
/// What a replica showed is not held against what it keeps itself: that is the audit's to find.
pub(super) fn split<'a>(replicas: impl Iterator<Item = &'a Replica<'a>>, rules: &ChainRules) -> Verdict {
    let mut views = Vec::new();
    for replica in replicas {
        of_replica(replica, rules, &mut views);
    }
    views.sort_unstable();
    let conflict =
        views.chunk_by(|one, other| (one.index, one.era) == (other.index, other.era)).find_map(conflict);
    match conflict {
        None => Verdict::Holds,
        Some((one, other)) => {
            let explanation = format!(
                "two final blocks have number {}: {}, and {}",
                one.index,
                one.in_words(),
                other.in_words()
            );
            let mut places = [one.place, other.place];
            places.sort_unstable();
            Verdict::by_records(&places, explanation)
        }
    }
}

fn of_replica(replica: &Replica<'_>, rules: &ChainRules, views: &mut Vec<View>) {
    let mut erasures: Vec<&Erasure> = replica.erasures.iter().map(|(_, erasure)| *erasure).collect();
    erasures.retain(|erasure| erasure.witness.is_some());
    erasures.sort_by_key(|erasure| erasure.at_ns);
    let mut heads: Vec<_> =
        replica.heads.iter().filter(|(_, head)| head.depth >= rules.finality_depth).collect();
    heads.sort_by_key(|(_, head)| head.at_ns);
    let mut eras = Eras::default();
    let mut next = erasures.iter().peekable();
    for at_once in heads.chunk_by(|(_, one), (_, other)| one.at_ns == other.at_ns) {
        let at_ns = at_once[0].1.at_ns;
        while let Some(erasure) = next.next_if(|erasure| erasure.at_ns < at_ns) {
            eras.add(erasure);
        }
        let before: Vec<Option<u64>> = at_once.iter().map(|(_, head)| eras.of(head.index)).collect();
        while let Some(erasure) = next.next_if(|erasure| erasure.at_ns == at_ns) {
            eras.add(erasure);
        }
        for ((place, head), era) in at_once.iter().zip(before) {
            // Shown at the very instant of an erasure, it may be of either era.
            if era == eras.of(head.index) {
                let shown = Some(Shown { at_ns, witness: head.witness });
                let (index, hash, replica) = (head.index, head.hash, head.replica);
                views.push(View { index, era, hash, replica, shown, place: *place });
            }
        }
    }
    next.for_each(|erasure| eras.add(erasure));
    let chain = Chain::of(replica);
    let final_index = chain.tip().and_then(|tip| tip.checked_sub(rules.finality_depth));
    let is_final = |index: u64| final_index.is_some_and(|last| index <= last);
    views.extend(chain.blocks().filter(|(_, block)| is_final(block.index)).map(|(place, block)| View {
        index: block.index,
        era: eras.of(block.index),
        hash: block.hash,
        replica: block.replica,
        shown: None,
        place,
    }));
}

/// The erasures so far that are the last ones for some block: first blocks increase, and so do times.
#[derive(Default)]
struct Eras {
    last: Vec<(u64, u64)>,
}

impl Eras {
    fn add(&mut self, erasure: &Erasure) {
        while self.last.pop_if(|(first, _)| *first >= erasure.first).is_some() {}
        self.last.push((erasure.first, erasure.erasure));
    }

    /// The last erasure that touched a block.
    fn of(&self, index: u64) -> Option<u64> {
        let count = self.last.partition_point(|(first, _)| *first <= index);
        self.last[..count].last().map(|(_, erasure)| *erasure)
    }
}

/// Two views of one number and era, sorted by hash, that cannot both be right.
fn conflict(views: &[View]) -> Option<(View, View)> {
    let (first, last) = (views.first()?, views.last()?);
    if first.hash == last.hash {
        return None;
    }
    // Two that are kept, or two that were shown; else all that are kept are the same, and so are all shown.
    let other_of = |one: &View| {
        let is_other = |other: &&View| other.shown.is_some() == one.shown.is_some() && other.hash != one.hash;
        views.iter().find(is_other).copied()
    };
    let kept = views.iter().find(|view| view.shown.is_none());
    let shown = views.iter().find(|view| view.shown.is_some());
    let alike = [kept, shown].into_iter().flatten().find_map(|one| Some((*one, other_of(one)?)));
    alike.or_else(|| {
        let (kept, shown) = (kept?, shown?);
        let another = |is_shown: bool, replica: u32| {
            let is_meant = |view: &&View| view.shown.is_some() == is_shown && view.replica != replica;
            views.iter().find(is_meant).copied()
        };
        let crosswise = another(true, kept.replica).map(|shown| (*kept, shown));
        crosswise.or_else(|| another(false, shown.replica).map(|kept| (kept, *shown)))
    })
}

impl View {
    fn in_words(&self) -> String {
        let View { hash, replica, place, .. } = self;
        let hash = hash.short();
        match self.shown {
            None => format!("replica {replica} keeps {hash} (record {place})"),
            Some(Shown { at_ns, witness }) => {
                let at = seconds(at_ns);
                format!("replica {replica} showed witness {witness} {hash} at {at} (record {place})")
            }
        }
    }
}
