//! Every kind of tampering at every place of a chain, and everything that only looks like one.

use super::*;
use crate::history::OperationIndex;

mod naive;

use TamperingKind::{Changed, CutTail, Erased, Inserted, Remined, Removed, Reordered, Unworked};

/// Blocks of the chains here: numbers 0 to 6.
const LENGTH: u64 = 7;

const RULES: ChainRules = ChainRules { finality_depth: 2, difficulty_bits: 4 };

/// A block with its contents.
#[derive(Clone, Copy)]
struct Mined {
    index: u64,
    previous: Digest,
    payload: u64,
    nonce: u64,
    hash: Digest,
}

impl Mined {
    /// A block with work enough.
    fn new(index: u64, previous: Digest, payload: u64) -> Self {
        let block = Self { index, previous, payload, nonce: 0, hash: Digest::default() };
        let mut nonces = (0..).map(|nonce| Self { nonce, ..block }.sealed());
        nonces.find(|block| block.hash.leading_zero_bits() >= RULES.difficulty_bits).unwrap()
    }

    fn sealed(self) -> Self {
        Self { hash: self.computed(), ..self }
    }

    /// Not a good hash function, but different for all that is hashed here.
    fn computed(&self) -> Digest {
        let mut digest = Digest::default();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = self.previous.0.chunks(8).map(|word| u64::from_be_bytes(word.try_into().unwrap()));
        for word in words.chain([self.index, self.payload, self.nonce, 1, 2, 3, 4]) {
            state = (state ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
            state ^= state >> 29;
            digest.0.rotate_left(8);
            digest.0[24..].copy_from_slice(&state.to_be_bytes());
        }
        digest
    }
}

/// Blocks built upon one another, with these payloads.
fn mine(base: &[Mined], payloads: impl IntoIterator<Item = u64>) -> Vec<Mined> {
    let mut blocks = base.to_vec();
    for payload in payloads {
        let previous = blocks.last().map_or(Digest::default(), |block| block.hash);
        blocks.push(Mined::new(blocks.len() as u64, previous, payload));
    }
    blocks
}

fn chain() -> Vec<Mined> {
    mine(&[], 100..100 + LENGTH)
}

/// What a replica keeps at the audit.
fn kept(replica: u32, blocks: &[Mined]) -> Vec<ChainRecord> {
    let record = |block: &Mined| {
        let Mined { index, previous, hash, .. } = *block;
        ChainRecord::Block(Block { replica, index, hash, previous, computed: block.computed(), at_ns: index })
    };
    blocks.iter().map(record).collect()
}

/// Replica 0 showed witness 7 a block with so many upon it.
fn head(block: &Mined, depth: u64, at_ns: u64) -> ChainRecord {
    ChainRecord::Head(Head { replica: 0, witness: 7, index: block.index, hash: block.hash, depth, at_ns })
}

fn erasure(first: u64, witness: Option<u32>, at_ns: u64) -> ChainRecord {
    ChainRecord::Erasure(Erasure { erasure: 5, replica: 0, first, witness, at_ns })
}

fn of_replica(replica: u32, record: ChainRecord) -> ChainRecord {
    match record {
        ChainRecord::Block(block) => ChainRecord::Block(Block { replica, ..block }),
        ChainRecord::Head(head) => ChainRecord::Head(Head { replica, witness: 8, ..head }),
        ChainRecord::Erasure(erasure) => ChainRecord::Erasure(Erasure { replica, ..erasure }),
        ChainRecord::Snapshot(snapshot) => ChainRecord::Snapshot(Snapshot { replica, ..snapshot }),
    }
}

/// The findings about replica 0 that keeps these blocks, as kinds with first and last block.
#[track_caller]
fn check(blocks: &[Mined], others: &[ChainRecord], want: &[(TamperingKind, u64, u64)]) {
    let records = [kept(0, blocks), others.to_vec()].concat();
    let found = tamperings(&records, &RULES);
    let kinds: Vec<_> = found.iter().map(|one| (one.kind, one.from, one.to)).collect();
    assert_eq!(kinds, want, "{found:#?}");
    assert_eq!(chain_audit(&records, &RULES).holds(), want.is_empty());
    for one in &found {
        assert!(
            one.from <= one.to
                && !one.places.is_empty()
                && one.places.iter().all(|place| *place < records.len())
        );
    }
}

#[test]
fn a_chain_as_it_was_shown_is_none_the_worse_for_its_length() {
    check(&[], &[], &[]);
    check(&chain()[..1], &[], &[]);
    check(&chain(), &[head(&chain()[2], 2, 50), head(&chain()[4], 2, 60)], &[]);
}

#[test]
fn a_changed_payload_shows_at_its_block() {
    for place in 0..LENGTH {
        let mut blocks = chain();
        blocks[place as usize].payload = 1;
        check(&blocks, &[], &[(Changed, place, place)]);
    }
    let mut blocks = chain();
    blocks[2..5].iter_mut().for_each(|block| block.payload = 1);
    check(&blocks, &[], &[(Changed, 2, 4)]);
    blocks[3] = chain()[3];
    check(&blocks, &[], &[(Changed, 2, 2), (Changed, 4, 4)]);
}

#[test]
fn a_block_sealed_anew_without_its_successors_shows_at_its_place() {
    for place in 1..LENGTH - 1 {
        let mut blocks = chain();
        let place_before = place as usize - 1;
        blocks[place as usize] = Mined::new(place, blocks[place_before].hash, 1);
        check(&blocks, &[], &[(Changed, place, place)]);
    }
}

#[test]
fn a_changed_hash_or_link_shows_once_at_its_block() {
    for place in 1..LENGTH {
        let mut blocks = chain();
        blocks[place as usize].hash.0[31] ^= 1;
        check(&blocks, &[], &[(Changed, place, place)]);
        let mut blocks = chain();
        blocks[place as usize].previous.0[31] ^= 1;
        check(&blocks, &[], &[(Changed, place, place)]);
    }
}

#[test]
fn too_little_work_shows_but_the_first_block_needs_none() {
    let with = |index, previous, nonce| {
        Mined { index, previous, payload: 1, nonce, hash: Digest::default() }.sealed()
    };
    let light = |index, previous| {
        let is_light = |block: &Mined| block.hash.leading_zero_bits() == RULES.difficulty_bits - 1;
        (0..).map(|nonce| with(index, previous, nonce)).find(is_light).unwrap()
    };
    let blocks = mine(&[light(0, Digest::default())], [2, 3]);
    check(&blocks, &[], &[]);
    check(&mine(&[&blocks[..], &[light(3, blocks[2].hash)]].concat(), [5]), &[], &[(Unworked, 3, 3)]);
}

#[test]
fn removed_blocks_show_between_those_that_are_left() {
    for from in 0..LENGTH - 1 {
        for to in from..LENGTH - 1 {
            let left: Vec<Mined> =
                chain().into_iter().filter(|block| block.index < from || block.index > to).collect();
            check(&left, &[], &[(Removed, from, to)]);
        }
    }
}

#[test]
fn inserted_blocks_show_even_with_work_and_link() {
    for place in 1..LENGTH {
        let mut blocks = chain();
        let inserted = Mined::new(place, blocks[place as usize - 1].hash, 1);
        blocks.insert(place as usize, inserted);
        // The last block is not known from one that was put beside it: either may be the inserted one.
        check(&blocks, &[], &[(Inserted, place, place)]);
        let copy = chain()[place as usize];
        let mut blocks = chain();
        blocks.insert(1, copy);
        check(&blocks, &[], &[(Inserted, place, place)]);
    }
    for place in [3, 4] {
        let mut blocks = chain();
        blocks.insert(place, Mined { payload: 1, ..blocks[3] });
        check(&blocks, &[], &[(Inserted, 3, 3)]);
    }
    let unlinked = Mined::new(LENGTH - 1, Digest([7; 32]), 1);
    check(&[&chain()[..], &[unlinked]].concat(), &[], &[(Inserted, LENGTH - 1, LENGTH - 1)]);
}

#[test]
fn blocks_out_of_order_show() {
    for one in 0..LENGTH as usize {
        for other in one + 1..LENGTH as usize {
            let mut blocks = chain();
            blocks.swap(one, other);
            let (first, last) = (one as u64, other as u64);
            let want = [(Reordered, first, first + 1), (Reordered, last - 1, last)];
            check(&blocks, &[], if first + 1 == last { &want[..1] } else { &want });
        }
    }
}

#[test]
fn a_cut_tail_shows_as_far_as_it_was_final_when_it_was_shown() {
    for length in 1..LENGTH as usize {
        let shown = chain();
        let want = [(CutTail, length as u64, 4)];
        let want = if length > 4 { &want[..0] } else { &want[..] };
        check(&shown[..length], &[head(&shown[4], 2, 50), head(&shown[2], 2, 40)], want);
        check(&shown[..length], &[head(&shown[6], 0, 50)], want);
        check(&shown[..length], &[head(&shown[0], 6, 50)], want);
    }
    check(&chain()[..1], &[head(&chain()[1], 1, 50)], &[]);
}

#[test]
fn a_suffix_mined_anew_shows_between_the_last_head_that_is_right_and_the_first_that_is_not() {
    let shown = chain();
    let heads = [head(&shown[4], 2, 60), head(&shown[2], 2, 50)];
    for place in 0..LENGTH as usize {
        let payloads =
            (place as u64..LENGTH).map(|index| if index == place as u64 { 1 } else { 100 + index });
        let blocks = mine(&shown[..place], payloads);
        let want = match place {
            0..3 => &[(Remined, 0, 4)][..],
            3..5 => &[(Remined, 3, 4)],
            _ => &[],
        };
        check(&blocks, &heads, want);
    }
}

#[test]
fn whatever_is_inserted_removed_or_moved_and_mined_anew_shows_against_the_heads() {
    let shown = chain();
    let heads = [head(&shown[1], 5, 50), head(&shown[4], 2, 60)];
    for payloads in
        [[1, 102, 103, 104, 105, 106], [103, 104, 105, 106, 107, 108], [103, 102, 104, 105, 106, 107]]
    {
        check(&mine(&shown[..2], payloads), &heads, &[(Remined, 2, 4)]);
    }
}

#[test]
fn several_tamperings_are_all_found() {
    let shown = chain();
    let mut blocks = shown.clone();
    blocks[1].payload = 1;
    blocks.swap(4, 5);
    blocks.remove(3);
    let heads = [head(&shown[6], 2, 60)];
    check(&blocks, &heads, &[(Changed, 1, 1), (Removed, 3, 3), (Reordered, 4, 5)]);
    let records = [kept(0, &blocks), heads.to_vec()].concat();
    let Verdict::Violated(violation) = chain_audit(&records, &RULES) else {
        panic!("three tamperings passed")
    };
    assert_eq!(violation.operations, [OperationIndex(1)]);
    assert!(violation.explanation.ends_with("(record 1) (and 2 more findings)"), "{}", violation.explanation);
}

#[test]
fn a_block_that_was_not_final_may_be_replaced() {
    let shown = chain();
    let fork = mine(&shown[..5], [1, 2, 3]);
    check(&fork, &[head(&shown[5], 1, 50), head(&shown[6], 0, 50), head(&shown[4], 2, 50)], &[]);
    check(&fork, &[head(&shown[5], 2, 50)], &[(Remined, 0, 5)]);
}

#[test]
fn a_head_that_is_wrong_between_two_that_are_right_shows_where_it_is() {
    let (shown, other) = (chain(), mine(&chain()[..3], [1]));
    let heads = [head(&shown[2], 2, 50), head(&other[3], 2, 55), head(&shown[4], 2, 60)];
    check(&shown, &heads, &[(Remined, 3, 3)]);
}

#[test]
fn a_witnessed_erasure_mines_anew_and_later_heads_bind_again() {
    let shown = chain();
    let erased = mine(&shown[..3], [0, 104, 105, 106]);
    let heads = [head(&shown[2], 2, 40), head(&shown[4], 2, 50), head(&erased[4], 2, 70)];
    check(&erased, &[&heads[..], &[erasure(3, Some(7), 60)]].concat(), &[]);
    check(&erased, &[&heads[..], &[erasure(3, Some(7), 50)]].concat(), &[]);
    check(&erased, &[&heads[..], &[erasure(5, Some(7), 60), erasure(3, Some(7), 55)]].concat(), &[]);
    let unwitnessed = [(Erased, 3, 6), (Remined, 3, 4)];
    let without = [&heads[..2], &[erasure(3, None, 60)]].concat();
    check(&erased, &without, &[unwitnessed[1], unwitnessed[0]]);
    let earlier = [&heads[..2], &[erasure(3, Some(7), 49)]].concat();
    check(&erased, &earlier, &[(Remined, 3, 4)]);
    let later_block = [&heads[..2], &[erasure(5, Some(7), 60)]].concat();
    check(&erased, &later_block, &[(Remined, 3, 4)]);
}

#[test]
fn an_erasure_does_not_cover_what_is_shown_after_it() {
    let shown = chain();
    let erased = mine(&shown[..3], [0, 104, 105, 106]);
    let again = mine(&shown[..3], [1, 104, 105, 106]);
    check(&again, &[erasure(3, Some(7), 60), head(&erased[4], 2, 70)], &[(Remined, 0, 4)]);
    check(&erased[..4], &[erasure(3, Some(7), 60), head(&erased[4], 2, 70)], &[(CutTail, 4, 4)]);
    check(&erased[..4], &[head(&shown[4], 2, 50), erasure(3, Some(7), 60)], &[]);
}

#[test]
fn a_snapshot_is_intact_hangs_off_its_block_and_follows_from_it() {
    let digest = |byte| Digest([byte; 32]);
    let blocks = chain();
    let whole = Snapshot {
        replica: 0,
        projection: 1,
        index: 4,
        block: blocks[4].hash,
        state: digest(1),
        computed: digest(1),
        derived: Some(digest(1)),
        at_ns: 50,
    };
    let judged = |snapshot: Snapshot, want: &[(TamperingKind, u64, u64)]| {
        check(&blocks, &[ChainRecord::Snapshot(snapshot)], want);
    };
    let wrong = [(TamperingKind::Snapshot, 4, 4)];
    judged(whole, &[]);
    judged(Snapshot { derived: None, ..whole }, &[]);
    judged(Snapshot { computed: digest(2), ..whole }, &wrong);
    judged(Snapshot { derived: Some(digest(2)), ..whole }, &wrong);
    judged(Snapshot { block: blocks[3].hash, ..whole }, &wrong);
    // Of a block that was not final yet, the chain may keep another one now.
    judged(Snapshot { index: 5, ..whole }, &[]);
    judged(Snapshot { index: u64::MAX, ..whole }, &[]);
    judged(Snapshot { index: 5, derived: Some(digest(2)), ..whole }, &[(TamperingKind::Snapshot, 5, 5)]);
}

#[test]
fn a_replica_without_blocks_was_not_audited() {
    check(&[], &[head(&chain()[4], 2, 50)], &[]);
}

#[test]
fn sentences_name_replica_witness_blocks_and_time() {
    let shown = chain();
    let records =
        [kept(0, &mine(&shown[..3], [1, 2, 3, 4])), vec![head(&shown[2], 2, 50), head(&shown[4], 2, 60)]]
            .concat();
    let wanted = format!(
        "replica 0 showed witness 7 block 4 as {} at 60 ns (record 8), final, and now keeps {}; block 2 is still as shown",
        shown[4].hash.short(),
        mine(&shown[..3], [1, 2])[4].hash.short()
    );
    assert_eq!(tamperings(&records, &RULES)[0].sentence, wanted);
    let records = [kept(0, &shown[..3]), vec![head(&shown[4], 2, 60)]].concat();
    let wanted = "replica 0 ends with block 2, but showed witness 7 block 4 with 2 upon it at 60 ns (record 3): blocks 3 to 4 are gone";
    assert_eq!(tamperings(&records, &RULES)[0].sentence, wanted);
}

/// The places of the two records that show a split view; none if there is none.
#[track_caller]
fn check_split(records: &[ChainRecord], places: &[u32], words: &str) {
    let verdict = split_view(records, &RULES);
    let found = match &verdict {
        Verdict::Violated(violation) => violation.operations.clone(),
        Verdict::Holds | Verdict::Undecided(_) => Vec::new(),
    };
    assert_eq!(found, places.iter().copied().map(OperationIndex).collect::<Vec<_>>(), "{verdict}");
    assert!(verdict.to_string().contains(words), "{verdict}");
}

#[test]
fn replicas_agree_on_what_is_final_whatever_they_have_beyond() {
    let one = chain();
    check_split(&[], &[], "holds");
    check_split(&[kept(0, &one), kept(1, &one[..3])].concat(), &[], "holds");
    check_split(&[kept(0, &one), kept(1, &mine(&one[..5], [1, 2]))].concat(), &[], "holds");
    let split = [kept(0, &one), kept(1, &mine(&one[..3], [1, 2, 3, 4]))].concat();
    check_split(&split, &[3, 10], "two final blocks have number 3: ");
    check_split(&[kept(0, &one), kept(1, &mine(&one[..3], [1, 2]))].concat(), &[], "holds");
}

#[test]
fn two_witnesses_who_were_shown_different_final_blocks_see_a_split_view() {
    let (one, other) = (chain(), mine(&chain()[..3], [1, 2, 3, 4]));
    check_split(&[head(&one[4], 2, 50), of_replica(1, head(&other[4], 2, 60))], &[0, 1], "showed witness 8");
    check_split(&[head(&one[4], 2, 50), head(&other[4], 2, 60)], &[0, 1], "at 60 ns (record 1)");
    check_split(&[head(&one[4], 2, 50), head(&other[4], 1, 60)], &[], "holds");
    check_split(&[head(&one[4], 2, 50), head(&other[3], 2, 60)], &[], "holds");
}

#[test]
fn what_one_replica_showed_is_held_against_what_another_keeps() {
    let (one, other) = (chain(), mine(&chain()[..3], [1, 2, 3, 4]));
    let shown = of_replica(1, head(&other[4], 2, 50));
    check_split(&[kept(0, &one), vec![shown]].concat(), &[4, 7], "replica 1 showed witness 8");
    // The same replica has tampered, which is not for this check to find.
    check_split(&[kept(1, &one), vec![shown]].concat(), &[], "holds");
    let both = [kept(1, &one), vec![shown], kept(0, &one[..4]), kept(2, &one)].concat();
    check_split(&both, &[7, 16], "number 4");
    let others = [kept(1, &one), vec![shown, of_replica(2, shown)]].concat();
    check_split(&others, &[4, 8], "replica 2 showed");
}

#[test]
fn an_erasure_that_not_all_have_carried_out_is_no_split_view() {
    let (old, new) = (chain(), mine(&chain()[..3], [0, 104, 105, 106]));
    let erased = [kept(0, &new), vec![erasure(3, Some(7), 60), head(&old[4], 2, 50)], kept(1, &old)].concat();
    check_split(&erased, &[], "holds");
    let unwitnessed = [kept(0, &new), vec![erasure(3, None, 60)], kept(1, &old)].concat();
    check_split(&unwitnessed, &[3, 11], "number 3");
    let differently = mine(&chain()[..3], [1, 104, 105, 106]);
    let both = [kept(0, &new), vec![erasure(3, Some(7), 60)], kept(1, &differently)].concat();
    check_split(&both, &[], "holds");
    let both = [both, vec![of_replica(1, erasure(3, Some(7), 61))]].concat();
    check_split(&both, &[3, 11], "number 3");
    let at_once = [vec![erasure(3, Some(7), 50), head(&old[4], 2, 50)], kept(1, &new)].concat();
    check_split(&at_once, &[], "holds");
    // Of blocks before the erasure, all have the same.
    let before = [kept(0, &new), vec![erasure(5, Some(7), 60)], kept(1, &old)].concat();
    check_split(&before, &[3, 11], "number 3");
}

#[test]
fn the_largest_numbers_do_no_harm() {
    let last = Block {
        replica: 0,
        index: u64::MAX,
        hash: Digest([1; 32]),
        previous: Digest([1; 32]),
        computed: Digest([1; 32]),
        at_ns: u64::MAX,
    };
    let head =
        Head { replica: 0, witness: 1, index: u64::MAX, hash: last.hash, depth: u64::MAX, at_ns: u64::MAX };
    let erasure =
        Erasure { erasure: u64::MAX, replica: 0, first: u64::MAX, witness: Some(0), at_ns: u64::MAX };
    let records = [
        ChainRecord::Block(last),
        ChainRecord::Head(head),
        ChainRecord::Erasure(erasure),
        ChainRecord::Block(last),
    ];
    for finality_depth in [0, u64::MAX] {
        let rules = ChainRules { finality_depth, difficulty_bits: u32::MAX };
        let kinds: Vec<_> = tamperings(&records, &rules).iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Removed, Inserted, Unworked]);
        assert_eq!(split_view(&records, &rules), Verdict::Holds);
    }
    let first = ChainRecord::Block(Block { index: 0, ..last });
    let cut = tamperings(&[first, ChainRecord::Head(head)], &ChainRules::default());
    assert_eq!((cut[0].kind, cut[0].from, cut[0].to), (CutTail, 1, u64::MAX));
}

#[test]
fn a_hundred_thousand_blocks_and_heads_are_judged_in_near_linear_time() {
    let digest = |index: u64| {
        let mut digest = Digest::default();
        digest.0[8..16].copy_from_slice(&index.to_be_bytes());
        digest
    };
    let records: Vec<ChainRecord> = (0..50_000_u64)
        .flat_map(|index| {
            let (hash, previous) = (digest(index + 1), digest(index));
            let block = Block { replica: 0, index, hash, previous, computed: hash, at_ns: index };
            let head = Head { replica: 0, witness: 1, index, hash, depth: 2, at_ns: index };
            // None of the blocks shown before it was touched.
            let erasure =
                Erasure { erasure: index, replica: 0, first: index + 1, witness: Some(1), at_ns: index };
            [ChainRecord::Block(block), ChainRecord::Head(head), ChainRecord::Erasure(erasure)]
        })
        .collect();
    for finality_depth in [0, 2] {
        let rules = ChainRules { finality_depth, difficulty_bits: 0 };
        assert_eq!(chain_audit(&records, &rules), Verdict::Holds);
        assert_eq!(split_view(&records, &rules), Verdict::Holds);
    }
}
