//! What the notary makes final, when it says so, and what it refuses.

use super::super::Member;
use super::super::block::{Event, Subject, mined};
use super::*;
use crate::probe::{Done, Probe};
use sim::time::Span;

const BITS: u32 = 4;

struct Bench {
    notary: Notary,
    probe: Probe<Member>,
}

/// A notary for one replica that has made the first block final.
fn started(disk: &[Record]) -> Bench {
    let mut notary = Notary::new(BITS, Precaution::Taken, Arc::new([NodeId(3)]));
    let mut probe = Probe::new(Span::ZERO);
    probe.ask(|context, fx| notary.start(disk, context, fx));
    let mut bench = Bench { notary, probe };
    let begun = bench.probe.done();
    bench.sync(&begun);
    bench
}

fn chain(previous: &Block, count: usize) -> Vec<Arc<Block>> {
    let mut blocks: Vec<Arc<Block>> = Vec::new();
    for _ in 0..count {
        let last = blocks.last().map_or(previous, Arc::as_ref);
        blocks.push(Arc::new(mined(last, NodeId(3), Arc::new([]), BITS).0));
    }
    blocks
}

/// Another chain of as many blocks.
fn other(previous: &Block, count: usize) -> Vec<Arc<Block>> {
    let first = Arc::new(mined(previous, NodeId(4), Arc::new([]), BITS).0);
    let rest = chain(&first, count - 1);
    [first].into_iter().chain(rest).collect()
}

impl Bench {
    fn tell(&mut self, message: Message) -> Done<Member> {
        self.probe.ask(|_, fx| self.notary.message(NodeId(3), message, fx));
        self.probe.done()
    }

    /// Lets the disk do this sync, and those that follow from it: what the last one released.
    fn sync(&mut self, done: &Done<Member>) -> Done<Member> {
        let mut tokens = done.synced.clone();
        loop {
            tokens.iter().for_each(|token| self.probe.ask(|_, fx| self.notary.synced(*token, fx)));
            let done = self.probe.done();
            if done.synced.is_empty() {
                return done;
            }
            tokens.clone_from(&done.synced);
        }
    }

    /// What the replica is told is final: first number, how many, and how many erasures.
    fn propose(&mut self, message: Message) -> Vec<(u64, usize, usize)> {
        let done = self.tell(message);
        let mut told = finals(&done);
        told.extend(finals(&self.sync(&done)));
        told
    }
}

fn finals(done: &Done<Member>) -> Vec<(u64, usize, usize)> {
    let told = |(_, message): &(NodeId, Message)| match message {
        Message::Final { blocks, erasures } => {
            Some((blocks.first().map_or(0, |block| block.index), blocks.len(), erasures.len()))
        }
        _ => None,
    };
    done.sent.iter().filter_map(told).collect()
}

fn propose(blocks: &[Arc<Block>]) -> Message {
    Message::Propose(blocks.into())
}

#[test]
fn blocks_are_final_once_they_are_durable_and_the_same_ones_again_change_nothing() {
    let mut bench = started(&[]);
    let blocks = chain(&Block::first(), 3);
    let asked = bench.tell(propose(&blocks[..2]));
    assert_eq!((asked.written.len(), finals(&asked)), (1, vec![]));
    assert_eq!(finals(&bench.sync(&asked)), [(1, 2, 0)]);
    assert_eq!(bench.propose(propose(&blocks[..2])), []);
    assert_eq!(bench.propose(propose(&blocks)), [(3, 1, 0)]);
}

#[test]
fn another_chain_is_told_what_is_final_where_it_differs() {
    let mut bench = started(&[]);
    bench.propose(propose(&chain(&Block::first(), 3)));
    assert_eq!(bench.propose(propose(&other(&Block::first(), 5))), [(1, 3, 0)]);
    let gap = chain(&Block::first(), 6);
    assert_eq!(bench.propose(propose(&gap[4..])), [(0, 0, 0)]);
}

#[test]
fn an_erasure_is_on_record_if_it_goes_to_the_last_final_block_and_is_a_chain() {
    let blocks = chain(&Block::first(), 3);
    let anew = other(&blocks[0], 2);
    let erasure = Erasure { id: 7, first: 2 };
    let ask = |based_on: Hash, blocks: &[Arc<Block>]| Message::ProposeErasure {
        erasure,
        based_on,
        blocks: blocks.into(),
    };
    let mut bench = started(&[]);
    bench.propose(propose(&blocks));
    let last = blocks[2].hash;
    assert_eq!(bench.propose(ask(blocks[1].hash, &anew)), [(2, 2, 0)], "not from the last block");
    assert_eq!(bench.propose(ask(last, &anew[..1])), [(2, 2, 0)], "not to the last block");
    assert_eq!(bench.propose(ask(last, &chain(&Block::first(), 2))), [(2, 2, 0)], "not a chain");
    assert_eq!(bench.propose(ask(last, &anew)), [(2, 2, 1)]);
    assert_eq!(bench.propose(propose(&blocks)), [(2, 2, 1)], "the old chain is gone");
    // Who missed it is told from its first block on.
    let ask = |from, erasures| Message::AskFinal { from, erasures };
    assert_eq!(bench.propose(ask(4, 0)), [(2, 2, 1)]);
    assert_eq!(bench.propose(ask(4, 1)), []);
    assert_eq!(bench.propose(ask(u64::MAX, u64::MAX)), []);
}

fn entry(key: u64, amount: u32) -> Entry {
    let event = Event { subject: Subject(1), amount };
    Entry { request: RequestKey(key), content: Content::Plain(event) }
}

fn with_entries(previous: &Block, entries: &[Entry]) -> Arc<Block> {
    Arc::new(mined(previous, NodeId(3), entries.into(), BITS).0)
}

#[test]
fn no_event_is_made_final_twice() {
    let mut bench = started(&[]);
    let first = with_entries(&Block::first(), &[entry(5, 1), entry(6, 1)]);
    let (again, twice) =
        (with_entries(&first, &[entry(6, 1)]), with_entries(&first, &[entry(7, 1), entry(7, 1)]));
    assert_eq!(
        bench.propose(propose(&[Arc::clone(&first), again])),
        [(0, 0, 0), (1, 1, 0)],
        "the first of both"
    );
    assert_eq!(bench.propose(propose(&[twice])), [(0, 0, 0)]);
    assert_eq!(bench.propose(propose(&[with_entries(&first, &[entry(7, 1)])])), [(2, 1, 0)]);
    bench.notary.once = Precaution::Skipped;
    let last = Arc::clone(&bench.notary.blocks[2]);
    assert_eq!(bench.propose(propose(&[with_entries(&last, &[entry(7, 1)])])), [(3, 1, 0)]);
}

#[test]
fn an_erasure_erases_and_changes_nothing_else() {
    let mut bench = started(&[]);
    let blocks = [with_entries(&Block::first(), &[entry(5, 1), entry(6, 1)])];
    bench.propose(propose(&blocks));
    let gone = Entry { content: Content::Erased, ..entry(5, 1) };
    let mut ask = |entries: &[Entry]| {
        let erasure = Erasure { id: 7, first: 1 };
        let blocks = Arc::new([with_entries(&Block::first(), entries)]);
        bench.propose(Message::ProposeErasure { erasure, based_on: bench.notary.blocks[1].hash, blocks })
    };
    for wrong in [&[gone][..], &[gone, entry(6, 2)], &[entry(6, 1), gone], &[gone, entry(8, 1)], &[]] {
        assert_eq!(ask(wrong), [(1, 1, 0)], "{wrong:?}");
    }
    assert_eq!(ask(&[gone, entry(6, 1)]), [(1, 1, 1)]);
}

#[test]
fn a_restart_has_everything_that_was_final() {
    let mut bench = started(&[]);
    let blocks = chain(&Block::first(), 3);
    let erased = Record::Erased(Erasure { id: 7, first: 3 }, other(&blocks[1], 1).into());
    bench.propose(propose(&blocks));
    let first = Record::Block(Arc::new(Block::first()));
    let kept = blocks.iter().cloned().map(Record::Block);
    let disk: Vec<Record> = [first].into_iter().chain(kept).chain([erased]).collect();
    let mut again = started(&disk);
    assert_eq!(again.propose(Message::AskFinal { from: 0, erasures: 0 }), [(0, 4, 1)]);
}
