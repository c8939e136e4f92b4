//! What a node that owns nothing asks of the journal, and when it answers.

use std::sync::Arc;

use sim::node::NodeId;
use sim::time::Span;

use super::*;
use crate::capacity::Member;
use crate::client::Reply;
use crate::counter::batch::Limit;
use crate::ids::{OrderId, RequestKey, Sequence, Version};
use crate::message::{Call, Ground};
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const SLOT: SlotId = SlotId(0);
const LOG: NodeId = NodeId(1);
const GROUND: Ground = Ground { limit: 10, version: Version(1) };

struct Always;

impl Limits for Always {
    fn ground(&mut self, _: Version, _: &Context<'_>, _: &mut Fx) -> Limit {
        Limit::InForce(GROUND)
    }
}

fn reserve(order: u64, units: u32) -> Call {
    Call::Reserve { slot: SLOT, order: OrderId(order), units }
}

fn accepted(request: u64, units: u32) -> Event {
    Event { request: RequestKey(request), call: reserve(request, units), answer: Answer::Accepted(GROUND) }
}

/// A node on the bench, and what it has asked last.
struct Bench {
    part: CompareAndSet,
    probe: Probe<Member>,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        let (mut part, mut probe) = (
            CompareAndSet::new(rules, LogNodes::new(Arc::new([LOG]), NodeId(9)), Kinds::default()),
            Probe::new(Span::ZERO),
        );
        probe.ask(|context, _| part.start(context));
        Self { part, probe }
    }

    fn step(&mut self, action: impl FnOnce(&mut CompareAndSet, &Context<'_>, &mut Fx)) -> Done<Member> {
        let part = &mut self.part;
        self.probe.ask(|context, fx| {
            action(part, context, fx);
            part.pump_slot(SLOT, &mut Always, context, fx);
        });
        self.probe.done()
    }

    fn ask(&mut self, request: u64, call: Call) -> Done<Member> {
        let question = Question { client: NodeId(8), request: RequestKey(request), call };
        self.step(|part, context, fx| part.ask(SLOT, question, context, fx))
    }

    /// The journal answers the read of `done` with `events`.
    fn show(&mut self, done: &Done<Member>, events: &[Event]) -> Done<Member> {
        let [(LOG, Message::Read { nonce, .. })] = done.sent.as_slice() else { panic!("no read: {done:?}") };
        self.step(|part, context, fx| part.events(&Found { slot: SLOT, nonce: *nonce, events }, context, fx))
    }

    fn acknowledge(&mut self, number: AppendNumber, expected: u32) -> Done<Member> {
        let done = Appended { slot: SLOT, epoch: EPOCH, number, expected: Sequence(expected) };
        self.step(|part, _, fx| part.appended(done, fx))
    }
}

/// The append that was asked for: its number, where it is to begin, and how many events it has.
#[track_caller]
fn append(done: &Done<Member>) -> (AppendNumber, Sequence, usize) {
    match done.sent.as_slice() {
        [(LOG, Message::Append { number, expected, events, .. })] => (*number, *expected, events.len()),
        _ => panic!("no append: {done:?}"),
    }
}

fn answers(done: &Done<Member>) -> Vec<Answer> {
    let answer = |(_, message): &(NodeId, Message)| match message {
        Message::Answer(Reply { answer, .. }) => Some(*answer),
        _ => None,
    };
    done.sent.iter().filter_map(answer).collect()
}

#[test]
fn a_decision_is_told_once_the_journal_has_it_right_behind_what_was_read() {
    let mut bench = Bench::new(Rules::hardened());
    let read = bench.ask(1, reserve(1, 4));
    let appended = bench.show(&read, &[accepted(7, 3)]);
    let (number, expected, count) = append(&appended);
    assert_eq!((expected, count), (Sequence(1), 1));
    assert_eq!(answers(&bench.acknowledge(number, 1)), [Answer::Accepted(GROUND)]);
    assert!(bench.part.attempts.is_empty(), "nothing is kept");
}

#[test]
fn who_was_slower_reads_and_decides_again() {
    let mut bench = Bench::new(Rules::hardened());
    let read = bench.ask(1, reserve(1, 4));
    append(&bench.show(&read, &[]));
    let again = bench.step(|part, _, fx| part.refused(SLOT, fx));
    assert_eq!(answers(&again), []);
    let appended = bench.show(&again, &[accepted(7, 8)]);
    let (number, expected, _) = append(&appended);
    assert_eq!(answers(&bench.acknowledge(number, expected.0)), [Answer::Rejected(GROUND)]);
}

#[test]
fn after_a_lost_acknowledgement_the_first_answer_is_found_in_the_journal() {
    let mut bench = Bench::new(Rules::hardened());
    let read = bench.ask(1, reserve(1, 4));
    append(&bench.show(&read, &[]));
    let again = bench.step(|part, _, fx| part.refused(SLOT, fx));
    let done = bench.show(&again, &[accepted(1, 4), accepted(7, 6)]);
    assert_eq!(answers(&done), [Answer::Accepted(GROUND)]);
}

#[test]
fn a_read_answers_only_what_was_asked_before_it() {
    let mut bench = Bench::new(Rules::hardened());
    let first = bench.ask(1, Call::Use { slot: SLOT });
    assert_eq!(bench.ask(2, Call::Use { slot: SLOT }).names(), [""; 0]);
    let done = bench.show(&first, &[accepted(7, 3)]);
    assert_eq!(answers(&done), [Answer::InUse { units: 3, sequence: Sequence(1) }]);
    assert_eq!(done.names(), ["answer", "read"]);
}

#[test]
fn the_acknowledgement_of_another_append_is_not_believed() {
    for (rules, want) in [
        (Rules::hardened(), 0),
        (Rules::mutant("ack-of-another"), 1),
        (Rules::of(crate::rules::Variant::Naive), 1),
    ] {
        let mut bench = Bench::new(rules);
        let read = bench.ask(1, reserve(1, 4));
        let appended = bench.show(&read, &[]);
        let answered = answers(&appended).len();
        let number = match appended.sent.last() {
            Some((_, Message::Append { number, .. })) => AppendNumber(number.0 - 1),
            other => panic!("{other:?}"),
        };
        let acknowledged = answers(&bench.acknowledge(number, 0)).len();
        assert_eq!(answered + acknowledged, want, "{rules:?}");
    }
}

#[test]
fn a_journal_that_stays_silent_is_asked_again_and_given_up_after_three_seconds() {
    let mut bench = Bench::new(Rules::hardened());
    bench.ask(1, reserve(1, 4));
    for _ in 0..TRIES_MAX {
        bench.probe.wait(RESEND_EVERY);
        let Bench { part, probe } = &mut bench;
        probe.ask(|context, fx| part.tick(context, fx));
        assert_eq!(probe.done().names(), ["read"]);
    }
    bench.probe.wait(RESEND_EVERY);
    let done = bench.step(|part, context, fx| part.tick(context, fx));
    assert_eq!(answers(&done), [Answer::Unavailable]);
}
