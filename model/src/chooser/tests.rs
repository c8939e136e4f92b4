//! What the chooser answers, from when on, and what it makes of a journal that was there before it.

use std::sync::Arc;

use super::*;
use crate::capacity::Member;
use crate::client::Reply;
use crate::counter::kinds::Units;
use crate::ids::{Offset, OrderId, RequestKey, Sequence, SlotId, Version, ZoneId};
use crate::message::{Choice, Entry, Event, Ground};
use crate::probe::Probe;
use crate::rules::Decisions as _;
use sim::chance::Seed;

const LOG: NodeId = NodeId(1);
const CLIENT: NodeId = NodeId(12);
const AFTER: Span = Span::from_ms(200);

/// A chooser on the bench, as that version of its program.
struct Bench {
    chooser: Chooser,
    probe: Probe<Member>,
}

impl Bench {
    fn started(rules: Rules, version: u32) -> Self {
        let setup = ChooserSetup { after: AFTER, slot_count: 4, kinds: Kinds::new(&[100, 50], 0) };
        let chooser = Chooser::new(rules, LogNodes::new(Arc::new([LOG]), NodeId(9)), setup);
        let mut bench = Self { chooser, probe: Probe::new(Span::ZERO).booted(version, Vec::new()) };
        bench.probe.ask(|context, fx| bench.chooser.start(context, fx));
        bench
    }

    /// Started, and past the instant at which it begins.
    fn begun(rules: Rules, version: u32) -> Self {
        let mut bench = Self::started(rules, version);
        bench.tick(AFTER);
        assert_eq!(bench.probe.done().names(), ["follow"]);
        bench
    }

    fn tick(&mut self, after: Span) {
        let Self { chooser, probe } = self;
        probe.wait(after).ask(|context, fx| chooser.timer(context, fx));
    }

    /// The log sends `journal[from..until]` in answer to the first question, and names its tail.
    fn deliver(&mut self, journal: &[Entry], from: usize, until: usize) {
        let entries: Arc<[Entry]> = journal[from..until].into();
        let (from, tail) = (Offset(from as u64), Offset(journal.len() as u64));
        let nonce = self.chooser.following.nonce();
        let Self { chooser, probe } = self;
        let message = Message::Entries { from, entries, tail, nonce };
        probe.wait(TICK_EVERY).ask(|context, fx| chooser.message(LOG, &message, context, fx));
    }

    /// What a client is told who needs room for one unit of the first kind.
    fn chosen(&mut self) -> Answer {
        self.probe.done();
        let call = Call::Choose { kind: 0, units: 1 };
        let message = Message::Forward { client: CLIENT, request: RequestKey(5), call };
        let Self { chooser, probe } = self;
        probe.ask(|context, fx| chooser.message(NodeId(3), &message, context, fx));
        match &self.probe.done().sent[..] {
            [(CLIENT, Message::Answer(Reply { request: RequestKey(5), answer }))] => *answer,
            other => panic!("expected an answer, found {other:?}"),
        }
    }
}

fn entry(slot: u32, call: Call, answer: Answer) -> Entry {
    let event = Event { request: RequestKey(0), call, answer };
    Entry { slot: SlotId(slot), sequence: Sequence(0), event }
}

/// Entries by which slots come to hold something, and some of them give it back.
fn journal(seed: Seed, count: u64) -> Vec<Entry> {
    let mut chance = seed.stream("journal", 0);
    let ground = Ground { limit: 100, version: Version(1) };
    let mut one = |number| {
        let slot = u32::try_from(chance.below(4)).unwrap();
        let id = SlotId(slot);
        if chance.below(3) == 0 {
            let order = OrderId(chance.below(number + 1));
            return entry(slot, Call::Release { slot: id, order }, Answer::Released);
        }
        let units = Units([1, 2, 0]);
        let call = Call::ReserveKinds { slot: id, order: OrderId(number), units, zone: ZoneId(0) };
        entry(slot, call, Answer::Accepted(ground))
    };
    (0..count).map(&mut one).collect()
}

fn position(answer: Answer) -> Option<u64> {
    if let Answer::Chosen { position, .. } = answer { Some(position.0) } else { None }
}

#[test]
fn before_its_time_it_asks_nobody_and_takes_nothing() {
    let mut bench = Bench::started(Rules::hardened(), 1);
    let journal = journal(Seed(1), 3);
    bench.deliver(&journal, 0, 3);
    bench.tick(TICK_EVERY);
    let done = bench.probe.done();
    assert!(done.sent.is_empty() && done.observed.len() == 1, "{done:?}");
    assert_eq!(bench.chosen(), Answer::Unavailable);
    bench.tick(AFTER);
    assert_eq!(bench.probe.done().names(), ["follow"]);
}

#[test]
fn it_answers_once_it_has_caught_up_as_of_what_it_has_applied() {
    let mut bench = Bench::begun(Rules::hardened(), 1);
    let journal = journal(Seed(1), 6);
    bench.deliver(&journal, 0, 4);
    assert_eq!(bench.chosen(), Answer::Unavailable);
    bench.deliver(&journal, 4, 6);
    assert_eq!(position(bench.chosen()), Some(6));
    let mut early = Bench::begun(Rules::mutant("replica-serves-early"), 1);
    early.deliver(&journal, 0, 4);
    assert_eq!(position(early.chosen()), Some(4));
}

/// However late it begins, and in whatever batches it catches up.
#[test]
fn who_is_built_late_has_what_one_has_that_followed_from_the_beginning() {
    for seed in Seed::range(0..20) {
        let journal = journal(seed, 90);
        let mut early = Bench::begun(Rules::hardened(), 1);
        for end in 1..=journal.len() {
            early.deliver(&journal[..end], end - 1, end);
        }
        let mut late = Bench::begun(Rules::hardened(), 1);
        for (from, until) in [(0, 40), (20, 60), (70, 80), (60, 90)] {
            late.deliver(&journal, from, until);
        }
        assert_eq!(late.chooser.index, early.chooser.index, "{seed}");
        assert_eq!(late.chosen(), early.chosen(), "{seed}");
        assert_eq!(position(late.chosen()), Some(90));
    }
}

#[test]
fn the_mutant_begins_at_the_tail_and_misses_what_came_before() {
    let journal = journal(Seed(1), 6);
    let mut mutant = Bench::begun(Rules::mutant("chooser-from-tail"), 1);
    mutant.deliver(&journal[..4], 0, 4);
    mutant.deliver(&journal, 4, 6);
    assert_eq!(position(mutant.chosen()), Some(6));
    let shown = |bench: &mut Bench| bench.probe.done().observed.len();
    let mut bench = Bench::begun(Rules::hardened(), 1);
    bench.deliver(&journal[..4], 0, 4);
    assert_eq!((shown(&mut bench), shown(&mut mutant)), (1, 0));
    bench.deliver(&journal, 4, 6);
    assert_ne!(bench.chooser.index, mutant.chooser.index);
}

#[test]
fn an_entry_that_its_program_cannot_read_leaves_it_without_an_answer() {
    let journal = journal(Seed(1), 6);
    let mut older = Bench::begun(Rules::hardened(), 0);
    older.deliver(&journal, 0, 6);
    assert_eq!(older.chosen(), Answer::Unavailable);
    let mut mutant = Bench::begun(Rules::mutant("newer-form-misread"), 0);
    mutant.deliver(&journal, 0, 6);
    assert_eq!(position(mutant.chosen()), Some(6));
}

#[test]
fn a_choice_names_the_slot_and_its_room() {
    let mut bench = Bench::begun(Rules::hardened(), 1);
    let ground = Ground { limit: 10, version: Version(1) };
    let call = Call::Reserve { slot: SlotId(0), order: OrderId(1), units: 3 };
    bench.deliver(&[entry(0, call, Answer::Accepted(ground))], 0, 1);
    let choice = Some(Choice { slot: SlotId(1), room: 10 });
    assert_eq!(bench.chosen(), Answer::Chosen { choice, position: Offset(1) });
}
