//! What one node proposes, answers and shows: decided here by hand, without a library.

use std::sync::Arc;

use super::*;
use crate::counter::slot::Slot;
use crate::ids::{AppendNumber, Epoch, OrderId, RequestKey, Sequence, SlotId, Version};
use crate::message::{Answer, Call, Event, Ground};
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;
use sim::time::Span;

const ME: NodeId = NodeId(1);
const SLOT: SlotId = SlotId(0);
const OWNER: NodeId = NodeId(3);
const REPLICA: NodeId = NodeId(4);

type Bench = (DecidedLog, Probe<Member>);

fn begun(rules: Rules, me: NodeId) -> Bench {
    let mut log = DecidedLog::new(rules, me);
    log.begin(1);
    (log, Probe::new(Span::ZERO))
}

fn append(expected: u32, requests: &[u64]) -> Message {
    let event = |request: &u64| {
        let call = Call::Reserve { slot: SLOT, order: OrderId(*request), units: 1 };
        let answer = Answer::Accepted(Ground { limit: 10, version: Version(1) });
        Event { request: RequestKey(*request), call, answer }
    };
    let events = requests.iter().map(event).collect();
    Message::Append {
        slot: SLOT,
        epoch: Epoch(0),
        number: AppendNumber(2),
        expected: Sequence(expected),
        events,
    }
}

fn queue(request: u64) -> Message {
    let call = Call::Use { slot: SLOT };
    let answer = Answer::Queued(Ground { limit: 10, version: Version(1) });
    let commands = [Event { request: RequestKey(request), call, answer }].into();
    Message::Queue { slot: SLOT, number: AppendNumber(2), commands }
}

/// What is proposed when that comes, and what the node does at once.
fn hear((log, probe): &mut Bench, from: NodeId, message: Message) -> (Option<Command>, Done<Member>) {
    let meaning = probe.ask(|_, fx| log.hear(from, message, fx));
    let proposed = if let Meaning::Propose(command) = meaning { Some(command) } else { None };
    (proposed, probe.done())
}

fn decide((log, probe): &mut Bench, command: &Command) -> Done<Member> {
    probe.ask(|_, fx| {
        log.apply(command.clone(), fx);
        log.show(fx);
    });
    probe.done()
}

#[test]
fn every_question_is_answered_once_it_is_decided_by_the_node_that_was_asked() {
    let questions = [
        (Message::Open { slot: SLOT, nonce: 7, form: 0 }, "opened"),
        (append(0, &[5]), "appended"),
        (append(3, &[5]), "refused"),
        (queue(5), "queued"),
        (queue(5), "queued"),
        (Message::Read { slot: SLOT, nonce: 7 }, "events"),
        (Message::Follow { from: Offset(0), nonce: 7 }, "entries"),
    ];
    for (message, answer) in questions {
        let (mut asked, mut other) = (begun(Rules::hardened(), ME), begun(Rules::hardened(), NodeId(8)));
        let (command, done) = hear(&mut asked, OWNER, message);
        let command = command.expect(answer);
        assert!(done.sent.is_empty(), "{done:?}");
        let done = decide(&mut asked, &command);
        assert_eq!((done.names(), done.sent[0].0), (vec![answer], OWNER));
        assert!(decide(&mut other, &command).sent.is_empty(), "{answer} by who was not asked");
        asked.0.begin(2);
        assert!(decide(&mut asked, &command).sent.is_empty(), "{answer} by who has forgotten");
    }
}

#[test]
fn a_snapshot_is_decided_and_answered_by_nobody() {
    let rules = Rules::hardened();
    let image = Arc::new(Slot::default().image(&rules));
    let mut asked = begun(rules, ME);
    let told = Message::Snapshot { slot: SLOT, epoch: Epoch(1), image };
    let (command, done) = hear(&mut asked, OWNER, told);
    assert!(done.sent.is_empty());
    assert!(decide(&mut asked, &command.unwrap()).sent.is_empty());
}

#[test]
fn mutants_answer_before_anything_is_decided() {
    let mut eager = begun(Rules::mutant("append-before-decision"), ME);
    let (command, done) = hear(&mut eager, OWNER, append(3, &[5]));
    assert_eq!((command.is_some(), done.names()), (true, vec!["appended"]));
    let (command, done) = hear(&mut eager, OWNER, queue(5));
    assert_eq!((command.is_some(), done.names()), (true, vec!["queued"]));
    let mut stale = begun(Rules::mutant("read-of-a-copy"), ME);
    for message in [Message::Read { slot: SLOT, nonce: 7 }, Message::Follow { from: Offset(0), nonce: 7 }] {
        let (command, done) = hear(&mut stale, REPLICA, message);
        assert_eq!((command.is_some(), done.sent.len()), (false, 1));
    }
}

#[test]
fn a_replica_that_has_caught_up_once_is_told_what_the_node_has_and_what_comes() {
    let mut bench = begun(Rules::hardened(), ME);
    let (command, done) = hear(&mut bench, REPLICA, Message::Follow { from: Offset(0), nonce: 0 });
    assert_eq!((command, done.names()), (None, vec!["entries"]));
    let (command, _) = hear(&mut bench, OWNER, append(0, &[5, 6]));
    let done = decide(&mut bench, &command.unwrap());
    assert_eq!(done.names(), ["appended", "entries"]);
    let [Observation::Journalled { from: Offset(0), entries }] = &done.observed[..] else {
        panic!("{done:?}")
    };
    assert_eq!(entries.len(), 2);
}

#[test]
fn who_has_a_snapshot_shows_what_is_new_in_it() {
    let (mut first, mut second) = (begun(Rules::hardened(), ME), begun(Rules::hardened(), NodeId(8)));
    let commands =
        [append(0, &[5]), append(1, &[6])].map(|message| hear(&mut first, OWNER, message).0.unwrap());
    decide(&mut second, &commands[0]);
    let image = omnipaxos::storage::Snapshot::create(&commands);
    second.1.ask(|_, fx| {
        second.0.restore(image, fx);
        second.0.show(fx);
    });
    let done = second.1.done();
    assert!(done.sent.is_empty());
    let [Observation::Journalled { from: Offset(1), entries }] = &done.observed[..] else {
        panic!("{done:?}")
    };
    assert_eq!(entries.len(), 1);
}

#[test]
fn followers_are_told_the_tail_from_time_to_time() {
    let mut bench = begun(Rules::hardened(), ME);
    let _ = hear(&mut bench, REPLICA, Message::Follow { from: Offset(0), nonce: 0 });
    (0..TELL_TICKS * 3).for_each(|_| bench.1.ask(|_, fx| bench.0.tick(fx)));
    assert_eq!(bench.1.done().names(), ["entries"; 3]);
}
