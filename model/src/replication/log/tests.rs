//! What the journal answers, and what it makes of its disk.

use super::*;
use crate::capacity::Member;
use crate::ids::{AppendNumber, Epoch, OrderId, RequestKey, Sequence, Version};
use crate::message::{Answer, Call, Entry, Ground};
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const SLOT: SlotId = SlotId(0);
const OWNER: NodeId = NodeId(3);
const OTHER: NodeId = NodeId(4);

fn event(request: u64, version: u32) -> Event {
    let call = Call::Reserve { slot: SLOT, order: OrderId(request), units: 1 };
    let ground = Ground { limit: 10, version: Version(version) };
    Event { request: RequestKey(request), call, answer: Answer::Accepted(ground) }
}

fn append(epoch: u32, expected: u32, events: &[Event]) -> Message {
    Message::Append {
        slot: SLOT,
        epoch: Epoch(epoch),
        number: AppendNumber(0),
        expected: Sequence(expected),
        events: events.into(),
    }
}

/// Sends one message after the other, syncs after each, and checks the answers.
#[track_caller]
fn check(rules: Rules, conversation: &[(NodeId, Message, &[&str])]) {
    let (mut log, mut probe) = (Log::new(rules), Probe::new(Span::ZERO));
    for (from, message, want) in conversation {
        probe.ask(|_, fx| log.message(*from, message, fx));
        let done = probe.done();
        for token in &done.synced {
            probe.ask(|_, fx| log.synced(*token, fx));
        }
        let names: Vec<_> = done.names().into_iter().chain(probe.done().names()).collect();
        assert_eq!(names, *want, "{message:?}");
    }
}

#[test]
fn only_the_newest_owner_appends() {
    let conversation: [(NodeId, Message, &[&str]); 4] = [
        (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
        (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
        (OTHER, Message::Open { slot: SLOT, nonce: 8 }, &["opened"]),
        (OWNER, append(1, 1, &[event(2, 1)]), &["refused"]),
    ];
    check(Rules::hardened(), &conversation);
    let mut mutant = conversation;
    mutant[3].2 = &["appended"];
    check(Rules::mutant("unconditional-append"), &mutant);
}

#[test]
fn a_repeated_append_is_acknowledged_again_and_an_overtaken_one_refused() {
    check(
        Rules::hardened(),
        &[
            (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
            (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
            (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
            (OWNER, append(1, 0, &[event(2, 1)]), &["refused"]),
            (OWNER, append(1, 0, &[]), &["refused"]),
            (OWNER, append(1, 1, &[]), &["appended"]),
        ],
    );
}

#[test]
fn versions_of_one_slot_never_fall() {
    check(
        Rules::hardened(),
        &[
            (OWNER, Message::Open { slot: SLOT, nonce: 7 }, &["opened"]),
            (OWNER, append(1, 0, &[event(1, 2)]), &["appended"]),
            (OWNER, append(1, 1, &[event(2, 1)]), &["refused"]),
        ],
    );
}

#[test]
fn nothing_is_answered_or_shown_before_it_is_durable() {
    let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
    probe.ask(|_, fx| log.message(OTHER, &Message::Follow { from: Offset(0), nonce: 1 }, fx));
    probe.done();
    probe.ask(|_, fx| log.message(OWNER, &append(0, 0, &[event(1, 1)]), fx));
    let done = probe.done();
    assert!(done.sent.is_empty() && done.observed.is_empty(), "{done:?}");
    probe.ask(|_, fx| log.synced(done.synced[0], fx));
    assert_eq!(probe.done().names(), ["entries", "appended"]);
}

#[test]
fn what_a_restart_finds_is_synced_before_anybody_sees_it() {
    let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
    let entry = Entry { slot: SLOT, sequence: Sequence(0), event: event(1, 1) };
    probe.ask(|context, fx| log.start(&[Record::Entry(entry)], context, fx));
    let token = probe.done().synced[0];
    let follow = Message::Follow { from: Offset(0), nonce: 1 };
    let tail_of = |log: &mut Log, probe: &mut Probe<Member>| {
        probe.ask(|_, fx| log.message(OTHER, &follow, fx));
        match &probe.done().sent[..] {
            [(_, Message::Entries { tail, .. })] => Some(*tail),
            [] => None,
            other => panic!("expected entries or nothing, found {other:?}"),
        }
    };
    assert_eq!(tail_of(&mut log, &mut probe), None, "a tail of 0 would let a replica go back");
    probe.ask(|_, fx| log.synced(token, fx));
    probe.done();
    assert_eq!(tail_of(&mut log, &mut probe), Some(Offset(1)));
}

const fn entry(request: u64) -> Entry {
    let call = Call::Reserve { slot: SLOT, order: OrderId(request), units: 1 };
    let answer = Answer::Accepted(Ground { limit: 10, version: Version(1) });
    let event = Event { request: RequestKey(request), call, answer };
    Entry { slot: SLOT, sequence: Sequence(request as u32), event }
}

/// An append whose sync is refused, and a bare sync that is not: what the log does then.
fn after_a_refusal(rules: Rules) -> (Log, Probe<Member>, Done<Member>) {
    let (mut log, mut probe) = (Log::new(rules), Probe::new(Span::ZERO));
    probe.ask(|_, fx| log.message(OWNER, &append(0, 0, &[event(0, 1)]), fx));
    let refused = probe.done().synced[0];
    probe.ask(|_, fx| log.sync_failed(refused, fx));
    probe.ask(|_, fx| log.timer(SYNC_RETRY, fx));
    let asking = probe.done().synced[0];
    probe.ask(|_, fx| log.synced(asking, fx));
    let done = probe.done();
    (log, probe, done)
}

#[test]
fn after_a_refusal_nothing_is_acknowledged_before_everything_is_written_again() {
    let (mut log, mut probe, done) = after_a_refusal(Rules::hardened());
    assert_eq!(done.rewritten, Some(vec![Record::Entry(entry(0))]));
    assert!(done.sent.is_empty() && done.observed.is_empty(), "{done:?}");
    probe.ask(|_, fx| log.timer(SYNC_RETRY, fx));
    assert!(probe.done().synced.is_empty(), "no sync overtakes another, whose refusal it would hide");
    probe.ask(|_, fx| log.synced(done.synced[0], fx));
    assert_eq!(probe.done().names(), ["appended"]);
    let (_, _, done) = after_a_refusal(Rules::mutant("sync-alone-retried"));
    assert_eq!((done.rewritten.clone(), done.names()), (None, vec!["appended"]));
}

#[test]
fn a_log_ends_at_a_damaged_record_and_is_cut_there() {
    let found =
        [Record::Opened { slot: SLOT, epoch: Epoch(3) }, Record::Entry(entry(0)), Record::Entry(entry(2))];
    for (rules, want) in
        [(Rules::hardened(), Some(found[..2].to_vec())), (Rules::mutant("damage-left"), None)]
    {
        let (mut log, mut probe) = (Log::new(rules), Probe::new(Span::ZERO).booted(0, vec![2]));
        probe.ask(|context, fx| log.start(&found, context, fx));
        assert_eq!(probe.done().rewritten, want);
        assert_eq!(log.journal.entries(), [entry(0)]);
    }
}

#[test]
fn an_older_log_does_not_begin_on_what_a_newer_one_wrote() {
    let newer = [Record::Format(1), Record::Entry(entry(0))];
    for (version, found, has_halted, written) in [
        (0, &newer[..], true, vec![]),
        (1, &newer[..], false, vec![]),
        (2, &newer[..], false, vec![Record::Format(2)]),
        (0, &newer[1..], false, vec![]),
    ] {
        let (mut log, mut probe) =
            (Log::new(Rules::hardened()), Probe::new(Span::ZERO).booted(version, vec![]));
        probe.ask(|context, fx| log.start(found, context, fx));
        let done = probe.done();
        assert_eq!((done.has_halted, done.written), (has_halted, written), "version {version}");
    }
}

#[test]
fn while_a_sync_is_on_its_way_nothing_is_written() {
    let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
    probe.ask(|_, fx| log.message(OWNER, &Message::Open { slot: SLOT, nonce: 7 }, fx));
    let opened = probe.done();
    probe.ask(|_, fx| log.message(OWNER, &append(1, 0, &[event(1, 1)]), fx));
    assert!(probe.done().written.is_empty(), "behind a refused record it would survive a crash alone");
    probe.ask(|_, fx| log.synced(opened.synced[0], fx));
    assert_eq!(probe.done().written.len(), 1);
}
