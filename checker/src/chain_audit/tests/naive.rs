//! The rules once more, from their definitions, block by block and pair by pair.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Hashes of small chains: few enough to meet by chance.
fn digest(number: u8) -> Digest {
    let mut digest = Digest::default();
    digest.0[0] = number;
    digest
}

fn all<T>(records: &[ChainRecord], pick: impl Fn(&ChainRecord) -> Option<T>) -> Vec<T> {
    records.iter().filter_map(pick).collect()
}

fn blocks(records: &[ChainRecord], replica: u32) -> Vec<Block> {
    all(records, |record| match record {
        ChainRecord::Block(block) if block.replica == replica => Some(*block),
        _ => None,
    })
}

fn heads(records: &[ChainRecord]) -> Vec<Head> {
    all(records, |record| match record {
        ChainRecord::Head(head) => Some(*head),
        _ => None,
    })
}

fn erasures(records: &[ChainRecord], replica: u32) -> Vec<Erasure> {
    all(records, |record| match record {
        ChainRecord::Erasure(erasure) if erasure.replica == replica => Some(*erasure),
        _ => None,
    })
}

fn is_untouched(records: &[ChainRecord], replica: u32, rules: &ChainRules) -> bool {
    let blocks = blocks(records, replica);
    let Some(tip) = blocks.len().checked_sub(1).map(|tip| tip as u64) else { return true };
    let is_in_order = (0..).zip(&blocks).all(|(index, block)| {
        let builds = index == 0 || block.previous == blocks[index as usize - 1].hash;
        let is_worked = index == 0 || block.hash.leading_zero_bits() >= rules.difficulty_bits;
        block.index == index && block.hash == block.computed && builds && is_worked
    });
    let is_excused = |at_ns: u64, index: u64| {
        erasures(records, replica)
            .iter()
            .any(|erasure| erasure.witness.is_some() && erasure.at_ns >= at_ns && erasure.first <= index)
    };
    let is_there = |head: &Head| {
        let was_final = head.depth >= rules.finality_depth && !is_excused(head.at_ns, head.index);
        let is_same = blocks.get(head.index as usize).is_none_or(|block| block.hash == head.hash);
        let is_long = match (head.index + head.depth).checked_sub(rules.finality_depth) {
            Some(last) => last <= tip || is_excused(head.at_ns, last),
            None => true,
        };
        (is_same || !was_final) && is_long
    };
    let snapshots = all(records, |record| match record {
        ChainRecord::Snapshot(snapshot) if snapshot.replica == replica => Some(*snapshot),
        _ => None,
    });
    let follows = |snapshot: &Snapshot| {
        let is_final = snapshot.index + rules.finality_depth <= tip;
        let hangs = !is_final || blocks[snapshot.index as usize].hash == snapshot.block;
        hangs
            && snapshot.state == snapshot.computed
            && snapshot.derived.is_none_or(|derived| derived == snapshot.state)
    };
    is_in_order
        && heads(records).iter().filter(|head| head.replica == replica).all(is_there)
        && erasures(records, replica).iter().all(|erasure| erasure.witness.is_some())
        && snapshots.iter().all(follows)
}

/// The last witnessed erasure of a block before an instant, or until it.
fn era(records: &[ChainRecord], replica: u32, index: u64, is_before: impl Fn(u64) -> bool) -> Option<u64> {
    let mut erasures = erasures(records, replica);
    erasures
        .retain(|erasure| erasure.witness.is_some() && erasure.first <= index && is_before(erasure.at_ns));
    erasures.sort_by_key(|erasure| erasure.at_ns);
    erasures.last().map(|erasure| erasure.erasure)
}

/// (number, era, hash, replica, whether it was shown) of every final block that somebody has.
fn views(records: &[ChainRecord], rules: &ChainRules) -> Vec<(u64, Option<u64>, Digest, u32, bool)> {
    let mut views = Vec::new();
    for replica in 0..3 {
        let blocks = blocks(records, replica);
        for block in blocks.iter().filter(|block| block.index + rules.finality_depth < blocks.len() as u64) {
            let era = era(records, replica, block.index, |_| true);
            views.push((block.index, era, block.hash, replica, false));
        }
    }
    for head in heads(records).iter().filter(|head| head.depth >= rules.finality_depth) {
        let before = era(records, head.replica, head.index, |at_ns| at_ns < head.at_ns);
        if before == era(records, head.replica, head.index, |at_ns| at_ns <= head.at_ns) {
            views.push((head.index, before, head.hash, head.replica, true));
        }
    }
    views
}

fn is_one_view(records: &[ChainRecord], rules: &ChainRules) -> bool {
    let views = views(records, rules);
    views.iter().all(|one| {
        views.iter().all(|other| {
            let is_of_one = (one.0, one.1) == (other.0, other.1) && one.2 != other.2;
            let is_tampering = one.3 == other.3 && one.4 != other.4;
            !is_of_one || is_tampering
        })
    })
}

/// A chain of so many blocks, the last ones of a fork.
fn kept(replica: u32, length: u8, forked: u8) -> Vec<ChainRecord> {
    let hash = |index: u8| digest(if index >= forked { 20 + index } else { 1 + index });
    let block = |index: u8| {
        let previous = index.checked_sub(1).map_or(digest(0), hash);
        Block {
            replica,
            index: u64::from(index),
            hash: hash(index),
            previous,
            computed: hash(index),
            at_ns: 0,
        }
    };
    (0..length).map(|index| ChainRecord::Block(block(index))).collect()
}

fn other() -> impl Strategy<Value = ChainRecord> {
    (0..9u8, 0..2u32, 0..6u8, 0..6u64, 0..12u8, 0..8u64).prop_map(
        |(kind, replica, index, depth, rare, at_ns)| {
            let hash = digest(if rare == 0 { 20 + index } else { 1 + index });
            let index = u64::from(index);
            match kind {
                0..6 => {
                    ChainRecord::Head(Head { replica, witness: u32::from(rare), index, hash, depth, at_ns })
                }
                6..8 => {
                    let witness = (rare > 0).then_some(1);
                    ChainRecord::Erasure(Erasure {
                        erasure: u64::from(rare % 3),
                        replica,
                        first: depth,
                        witness,
                        at_ns,
                    })
                }
                _ => {
                    let state = digest(rare);
                    let computed = if rare == 1 { digest(0) } else { state };
                    let derived = (rare > 5).then_some(if rare == 6 { digest(0) } else { state });
                    ChainRecord::Snapshot(Snapshot {
                        replica,
                        projection: 0,
                        index,
                        block: hash,
                        state,
                        computed,
                        derived,
                        at_ns,
                    })
                }
            }
        },
    )
}

/// One thing done to the blocks of a replica.
fn tamper(records: &mut Vec<ChainRecord>, how: u8, place: usize, other: usize) {
    if records.is_empty() {
        return;
    }
    let (place, other) = (place % records.len(), other % records.len());
    let ChainRecord::Block(mut block) = records[place] else { return };
    match how {
        0 => drop(records.remove(place)),
        1 => records.swap(place, other),
        2 => records.insert(other, records[place]),
        3 => block.hash = digest(3),
        4 => block.computed = digest(3),
        5 => block.previous = digest(3),
        6 => block.index = other as u64,
        7 => records.truncate(place),
        _ => {}
    }
    if (3..7).contains(&how) {
        records[place] = ChainRecord::Block(block);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_small_chain_is_untouched_exactly_if_it_is_by_the_definitions(
        (length, forked) in (0..6u8, 2..12u8),
        tampered in proptest::collection::vec((0..16u8, 0..6usize, 0..6usize), 0..3),
        others in proptest::collection::vec(other(), 0..5),
        (finality_depth, difficulty_bits) in (0..4u64, 0..6u32),
    ) {
        let rules = ChainRules { finality_depth, difficulty_bits: if difficulty_bits > 4 { 4 } else { 0 } };
        let mut records = kept(0, length, forked);
        for (how, place, other) in tampered {
            tamper(&mut records, how, place, other);
        }
        records.extend(others);
        let found = tamperings(&records, &rules);
        prop_assert_eq!(found.is_empty(), is_untouched(&records, 0, &rules), "{:?}\n{:#?}", found, records);
        for one in &found {
            prop_assert!(one.from <= one.to && !one.places.is_empty(), "{:?}", one);
            prop_assert!(one.places.iter().all(|place| records[*place].replica() == 0));
        }
    }

    #[test]
    fn small_chains_are_one_view_exactly_if_they_are_by_the_definitions(
        chains in [(0..6u8, 2..12u8), (0..6u8, 2..12), (0..6u8, 2..12)],
        others in proptest::collection::vec(other(), 0..5),
        finality_depth in 0..4u64,
    ) {
        let rules = ChainRules { finality_depth, difficulty_bits: 0 };
        let mut records: Vec<ChainRecord> =
            (0..).zip(chains).flat_map(|(replica, (length, forked))| kept(replica, length, forked)).collect();
        records.extend(others);
        let verdict = split_view(&records, &rules);
        prop_assert_eq!(verdict.holds(), is_one_view(&records, &rules), "{}\n{:#?}", verdict, records);
        let Verdict::Violated(violation) = verdict else { return Ok(()) };
        let is_named = |(place, record): &(u32, &ChainRecord)| {
            let is_erasure = matches!(record, ChainRecord::Erasure(_));
            is_erasure || violation.operations.contains(&OperationIndex(*place))
        };
        let named: Vec<ChainRecord> = (0..).zip(&records).filter(is_named).map(|(_, record)| *record).collect();
        let now = ChainRules { finality_depth: 0, ..rules };
        prop_assert!(split_view(&named, &now).is_violated(), "shows nothing: {}", violation.explanation);
    }
}
