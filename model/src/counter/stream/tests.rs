//! What a node asks of the stream, how it decides what it reads there, and whom it answers.

use std::sync::Arc;

use sim::node::NodeId;
use sim::time::Span;

use super::*;
use crate::capacity::Member;
use crate::client::Reply;
use crate::counter::kinds::Units;
use crate::ids::{Offset, OrderId, Sequence, Version, ZoneId};
use crate::message::Call;
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const SLOT: SlotId = SlotId(0);
const LOG: NodeId = NodeId(1);
const CLIENT: NodeId = NodeId(8);
const GROUND: Ground = Ground { limit: 10, version: Version(1) };

/// The same answer to whoever asks for the limit.
struct Told(Limit);

impl Limits for Told {
    fn ground(&mut self, _: Version, _: &Context<'_>, _: &mut Fx) -> Limit {
        self.0
    }
}

fn reserve(order: u64, units: u32) -> Call {
    Call::Reserve { slot: SLOT, order: OrderId(order), units }
}

fn command(request: u64, call: Call) -> Event {
    Event { request: RequestKey(request), call, answer: Answer::Queued(GROUND) }
}

/// A node on the bench, and under what it may work.
struct Bench {
    part: Stream,
    probe: Probe<Member>,
    limits: Told,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        let logs = LogNodes::new(Arc::new([LOG]), NodeId(9));
        let (mut part, mut probe) =
            (Stream::new(rules, logs, Kinds::new(&[100, 50], 3)), Probe::new(Span::ZERO));
        probe.ask(|context, _| part.start(context));
        Self { part, probe, limits: Told(Limit::InForce(GROUND)) }
    }

    fn ask(&mut self, request: u64, call: Call) -> Done<Member> {
        let question = Question { client: CLIENT, request: RequestKey(request), call };
        let Self { part, probe, limits } = self;
        probe.ask(|context, fx| {
            part.ask(SLOT, question, fx);
            part.pump_slot(SLOT, limits, context, fx);
        });
        probe.done()
    }

    /// The stream goes on with `commands`: what the node does, and what it decides.
    fn read(&mut self, commands: &[Event]) -> (Done<Member>, Decisions) {
        let entries: Vec<_> =
            commands.iter().map(|event| Entry { slot: SLOT, sequence: Sequence(0), event: *event }).collect();
        let Self { part, probe, limits } = self;
        let decisions = probe.ask(|context, fx| part.read(&entries, limits, context, fx));
        (probe.done(), decisions)
    }

    /// The journal stays silent for as long as a node waits before it sends again.
    fn tick(&mut self) -> Done<Member> {
        self.probe.wait(RESEND_EVERY);
        let Self { part, probe, .. } = self;
        probe.ask(|context, fx| part.tick(context, fx));
        probe.done()
    }
}

/// The command that was sent, with its number.
#[track_caller]
fn sent(done: &Done<Member>) -> (AppendNumber, Event) {
    match done.sent.as_slice() {
        [(LOG, Message::Queue { slot: SLOT, number, commands })] => (*number, commands[0]),
        _ => panic!("no command: {done:?}"),
    }
}

fn answers(done: &Done<Member>) -> Vec<Answer> {
    let answer = |(to, message): &(NodeId, Message)| match message {
        Message::Answer(Reply { answer, .. }) if *to == CLIENT => Some(*answer),
        _ => None,
    };
    done.sent.iter().filter_map(answer).collect()
}

#[test]
fn a_question_is_decided_where_it_stands_and_answered_by_who_was_asked() {
    let mut bench = Bench::new(Rules::hardened());
    let (number, mine) = sent(&bench.ask(1, reserve(1, 4)));
    assert_eq!(mine, command(1, reserve(1, 4)));
    bench.part.queued(SLOT, number);
    let (done, decisions) = bench.read(&[command(7, reserve(7, 8)), mine, command(8, reserve(8, 1))]);
    assert_eq!(answers(&done), [Answer::Rejected(GROUND)]);
    assert_eq!((decisions.from, decisions.entries.len()), (Offset(0), 3));
    assert!(bench.part.lines.is_empty(), "nobody waits any more");
}

#[test]
fn a_read_takes_its_place_too_and_says_what_is_decided_before_it() {
    let mut bench = Bench::new(Rules::hardened());
    let (_, read) = sent(&bench.ask(1, Call::Use { slot: SLOT }));
    let (done, decisions) = bench.read(&[command(7, reserve(7, 3)), read, command(8, reserve(8, 2))]);
    assert_eq!(answers(&done), [Answer::InUse { units: 3, sequence: Sequence(1) }]);
    assert_eq!(decisions.entries.len(), 2, "it is no decision");
}

#[test]
fn a_retry_that_came_through_another_node_is_answered_by_what_the_first_command_came_to() {
    for (rules, want, count) in [
        (Rules::hardened(), Answer::Accepted(GROUND), 1),
        (Rules::mutant("retry-without-key"), Answer::Rejected(GROUND), 2),
    ] {
        let mut bench = Bench::new(rules);
        let before = bench.read(&[command(1, reserve(1, 7))]).1;
        let (_, mine) = sent(&bench.ask(1, reserve(1, 7)));
        let (done, decisions) = bench.read(&[mine]);
        assert_eq!(answers(&done), [want], "{rules:?}");
        assert_eq!(before.entries.len() + decisions.entries.len(), count);
    }
}

#[test]
fn whichever_command_of_a_question_comes_first_answers_it() {
    let mut bench = Bench::new(Rules::hardened());
    let (_, mine) = sent(&bench.ask(1, reserve(1, 4)));
    assert_eq!(answers(&bench.read(&[command(1, reserve(1, 4))]).0), [Answer::Accepted(GROUND)]);
    let (done, decisions) = bench.read(&[mine]);
    assert_eq!((answers(&done).len(), decisions.entries.len()), (0, 0));
}

#[test]
fn every_node_decides_under_what_the_command_says_unless_the_precaution_is_skipped() {
    let newer = Ground { limit: 3, version: Version(2) };
    for (rules, want) in [
        (Rules::hardened(), Answer::Accepted(GROUND)),
        (Rules::mutant("ground-of-the-reader"), Answer::Rejected(newer)),
    ] {
        let mut bench = Bench::new(rules);
        bench.limits = Told(Limit::InForce(newer));
        let (_, decisions) = bench.read(&[command(7, reserve(7, 4))]);
        assert_eq!(decisions.entries[0].event.answer, want, "{rules:?}");
    }
}

#[test]
fn nothing_is_answered_before_it_stands_in_the_stream_unless_the_precaution_is_skipped() {
    let (mut bench, mut mutant) =
        (Bench::new(Rules::hardened()), Bench::new(Rules::mutant("ack-before-journal")));
    assert_eq!(bench.ask(1, reserve(1, 4)).names(), ["queue"]);
    assert_eq!(mutant.ask(1, reserve(1, 4)).names(), ["queue", "answer"]);
    assert_eq!(mutant.tick().names(), [""; 0], "and then forgotten");
}

#[test]
fn who_may_not_work_sends_nothing() {
    let mut bench = Bench::new(Rules::hardened());
    for call in [reserve(1, 4), Call::Release { slot: SLOT, order: OrderId(1) }, Call::Use { slot: SLOT }] {
        bench.limits = Told(Limit::None);
        assert_eq!(answers(&bench.ask(1, call)), [Answer::Unavailable], "{call:?}");
        bench.limits = Told(Limit::Soon);
        assert_eq!(bench.ask(1, call).names(), [""; 0], "{call:?}");
        bench.limits = Told(Limit::InForce(GROUND));
        let Bench { part, probe, limits } = &mut bench;
        probe.ask(|context, fx| part.pump(limits, context, fx));
        sent(&probe.done());
        bench.read(&[command(1, call)]);
    }
}

#[test]
fn who_is_not_served_is_told_so_without_a_command() {
    let mut bench = Bench::new(Rules::hardened());
    let (order, units, zone) = (OrderId(1), Units([1, 1, 0]), ZoneId(0));
    let call = Call::ReserveKinds { slot: SLOT, order, units, zone };
    assert_eq!(answers(&bench.ask(1, call)), [Answer::NotServed]);
}

#[test]
fn a_program_that_cannot_read_the_stream_decides_and_takes_nothing_more() {
    let mut bench = Bench::new(Rules::hardened());
    let (order, units, zone) = (OrderId(5), Units([1, 1, 0]), ZoneId(1));
    let newer = command(5, Call::ReserveKinds { slot: SLOT, order, units, zone });
    let (done, decisions) = bench.read(&[command(4, reserve(4, 1)), newer, command(6, reserve(6, 1))]);
    assert_eq!((decisions.entries.len(), decisions.is_lost), (1, true));
    assert!(matches!(done.observed[..], [Observation::NewerForm { form: 1 }]), "{done:?}");
    assert!(bench.read(&[command(7, reserve(7, 1))]).0.observed.is_empty(), "it says so once");
    assert_eq!(answers(&bench.ask(1, reserve(1, 4))), [Answer::Unavailable]);
}

#[test]
fn a_journal_that_stays_silent_is_asked_again_and_then_nobody_knows() {
    let mut bench = Bench::new(Rules::hardened());
    let first = sent(&bench.ask(1, reserve(1, 4)));
    assert_eq!(bench.ask(1, reserve(1, 4)).names(), [""; 0], "it is under way already");
    for _ in 0..TRIES_MAX {
        assert_eq!(sent(&bench.tick()), first);
    }
    assert_eq!(bench.tick().names(), [""; 0]);
    assert!(bench.part.lines.is_empty());
}

#[test]
fn what_the_journal_has_is_not_sent_again_and_forgotten_if_it_never_comes() {
    let mut bench = Bench::new(Rules::hardened());
    let (number, _) = sent(&bench.ask(1, reserve(1, 4)));
    bench.part.queued(SLOT, AppendNumber(number.0 - 1));
    assert_eq!(bench.tick().names(), ["queue"], "that was another one");
    bench.part.queued(SLOT, number);
    for _ in 0..TRIES_MAX {
        assert_eq!(bench.tick().names(), [""; 0]);
    }
    assert!(bench.part.lines.is_empty());
}

#[test]
fn more_questions_than_a_slot_may_have_are_refused_at_once() {
    let mut bench = Bench::new(Rules::hardened());
    for request in 0..QUEUE_MAX as u64 {
        assert_eq!(bench.ask(request, reserve(request, 1)).names(), ["queue"]);
    }
    assert_eq!(answers(&bench.ask(1_000, reserve(1_000, 1))), [Answer::Unavailable]);
}
