//! What the journal answers, and what it makes of its disk.

use super::*;
use crate::capacity::Member;
use crate::counter::slot::{Program, Slot};
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
        (OWNER, Message::Open { slot: SLOT, nonce: 7, form: 0 }, &["opened"]),
        (OWNER, append(1, 0, &[event(1, 1)]), &["appended"]),
        (OTHER, Message::Open { slot: SLOT, nonce: 8, form: 0 }, &["opened"]),
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
            (OWNER, Message::Open { slot: SLOT, nonce: 7, form: 0 }, &["opened"]),
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
            (OWNER, Message::Open { slot: SLOT, nonce: 7, form: 0 }, &["opened"]),
            (OWNER, append(1, 0, &[event(1, 2)]), &["appended"]),
            (OWNER, append(1, 1, &[event(2, 1)]), &["refused"]),
        ],
    );
}

#[test]
fn commands_of_a_stream_are_taken_from_anybody_and_as_often_as_they_come() {
    let queue = |request| {
        let commands = [event(request, 1)].into();
        Message::Queue { slot: SLOT, number: AppendNumber(4), commands }
    };
    let conversation: [(NodeId, Message, &[&str]); 4] = [
        (OWNER, queue(1), &["queued"]),
        (OTHER, queue(2), &["queued"]),
        (OWNER, queue(1), &["queued"]),
        (OTHER, Message::Follow { from: Offset(2), nonce: 1 }, &["entries"]),
    ];
    check(Rules::hardened(), &conversation);
    let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO));
    for (from, message, _) in &conversation[..3] {
        probe.ask(|_, fx| log.message(*from, message, fx));
    }
    let done = probe.done();
    assert!(done.sent.is_empty(), "not before it is durable: {done:?}");
    assert_eq!(log.length(), 3);
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
    probe.ask(|_, fx| log.message(OWNER, &Message::Open { slot: SLOT, nonce: 7, form: 0 }, fx));
    let opened = probe.done();
    probe.ask(|_, fx| log.message(OWNER, &append(1, 0, &[event(1, 1)]), fx));
    assert!(probe.done().written.is_empty(), "behind a refused record it would survive a crash alone");
    probe.ask(|_, fx| log.synced(opened.synced[0], fx));
    assert_eq!(probe.done().written.len(), 1);
}

/// What an owner of a program of version 1 tells about the first `count` events of the slot.
fn snapshot(epoch: u32, count: u64) -> (Message, Record) {
    let events: Vec<_> = (0..count).map(|request| entry(request).event).collect();
    let program = Program { version: 1, ..Program::default() };
    let rules = Rules::hardened();
    let image = Arc::new(Slot::of(&events, program, &rules).unwrap().image(&rules));
    let record = Record::Snapshot { slot: SLOT, image: Arc::clone(&image) };
    (Message::Snapshot { slot: SLOT, epoch: Epoch(epoch), image }, record)
}

/// Of how many events the image is that an owner gets who reads up to that form, and how many it gets behind it.
fn opened(log: &mut Log, probe: &mut Probe<Member>, form: u32) -> (u32, usize) {
    probe.ask(|_, fx| log.message(OTHER, &Message::Open { slot: SLOT, nonce: 99, form }, fx));
    let mut done = probe.done();
    for token in core::mem::take(&mut done.synced) {
        probe.ask(|_, fx| log.synced(token, fx));
        done.sent.extend(probe.done().sent);
    }
    match &done.sent[..] {
        [(_, Message::Opened { image, events, .. })] => {
            (image.as_ref().map_or(0, |image| image.sequence().0), events.len())
        }
        other => panic!("expected one answer, found {other:?}"),
    }
}

/// A log that has three events on disk, in the first epoch, and what else stands there.
fn with_three(behind: &[Record], damaged: Vec<usize>) -> (Log, Probe<Member>) {
    let mut disk = vec![Record::Opened { slot: SLOT, epoch: Epoch(1) }];
    disk.extend([0, 1, 2].map(|request| Record::Entry(entry(request))));
    disk.extend_from_slice(behind);
    let (mut log, mut probe) = (Log::new(Rules::hardened()), Probe::new(Span::ZERO).booted(0, damaged));
    probe.ask(|context, fx| log.start(&disk, context, fx));
    for token in probe.done().synced {
        probe.ask(|_, fx| log.synced(token, fx));
    }
    probe.done();
    (log, probe)
}

#[test]
fn an_image_is_taken_only_from_the_newest_owner_and_only_if_it_is_newer() {
    for (told, want) in [
        (&[(1, 2)][..], (2, 1)),
        (&[(1, 3)], (3, 0)),
        (&[(1, 4)], (0, 3)),
        (&[(0, 2)], (0, 3)),
        (&[(2, 2)], (0, 3)),
        (&[(1, 2), (1, 1)], (2, 1)),
        (&[(1, 1), (1, 2)], (2, 1)),
    ] {
        let (mut log, mut probe) = with_three(&[], vec![]);
        for (epoch, count) in told {
            probe.ask(|_, fx| log.message(OWNER, &snapshot(*epoch, *count).0, fx));
            let done = probe.done();
            assert!(done.sent.is_empty() && done.synced.is_empty(), "nobody waits for it: {done:?}");
        }
        assert_eq!(opened(&mut log, &mut probe, 1), want, "{told:?}");
    }
}

#[test]
fn an_image_of_events_that_are_not_durable_is_not_taken() {
    let (mut log, mut probe) = with_three(&[], vec![]);
    probe.ask(|_, fx| log.message(OWNER, &append(1, 3, &[entry(3).event]), fx));
    probe.ask(|_, fx| log.message(OWNER, &snapshot(1, 4).0, fx));
    for token in probe.done().synced {
        probe.ask(|_, fx| log.synced(token, fx));
    }
    probe.done();
    assert_eq!(opened(&mut log, &mut probe, 1), (0, 4));
}

#[test]
fn who_cannot_read_an_image_gets_all_events() {
    let (mut log, mut probe) = with_three(&[snapshot(1, 2).1], vec![]);
    assert_eq!(opened(&mut log, &mut probe, 0), (0, 3));
    assert_eq!(opened(&mut log, &mut probe, 1), (2, 1));
}

#[test]
fn an_image_comes_to_the_disk_with_the_next_sync_and_back_from_it() {
    let (mut log, mut probe) = with_three(&[], vec![]);
    let (message, record) = snapshot(1, 2);
    probe.ask(|_, fx| log.message(OWNER, &message, fx));
    assert!(probe.done().written.is_empty());
    probe.ask(|_, fx| log.message(OWNER, &append(1, 3, &[entry(3).event]), fx));
    assert_eq!(probe.done().written, [Record::Entry(entry(3)), Record::Announced, record.clone()]);
    let (mut log, mut probe) = with_three(&[record], vec![]);
    assert_eq!(opened(&mut log, &mut probe, 1), (2, 1));
}

#[test]
fn a_damaged_image_costs_a_longer_replay_and_nothing_else() {
    let behind = [Record::Announced, Record::Entry(entry(3))];
    let (mut log, mut probe) = with_three(&behind, vec![5]);
    assert_eq!(opened(&mut log, &mut probe, 1), (0, 4));
    let (mut log, mut probe) = with_three(&behind[1..], vec![4]);
    assert_eq!(opened(&mut log, &mut probe, 1), (0, 3), "it may have been an entry");
}

#[test]
fn a_lost_or_torn_image_costs_a_longer_replay_and_nothing_else() {
    for (disk, damaged) in [
        (vec![], vec![]),
        (vec![], vec![4]),
        (vec![snapshot(1, 2).1], vec![5]),
        (vec![snapshot(1, 4).1], vec![]),
    ] {
        let has_older = disk == [snapshot(1, 2).1];
        let (mut log, mut probe) = with_three(&disk, damaged);
        let want = if has_older { (2, 1) } else { (0, 3) };
        assert_eq!(opened(&mut log, &mut probe, 1), want, "{disk:?}");
    }
}

#[test]
fn what_is_written_anew_has_the_newest_images() {
    let (older, newer) = (snapshot(1, 1).1, snapshot(1, 2).1);
    let (mut log, mut probe) = with_three(&[older, newer.clone()], vec![]);
    probe.ask(|_, fx| log.rewrite(fx));
    let rewritten = probe.done().rewritten.unwrap();
    let images: Vec<_> =
        rewritten.iter().filter(|record| matches!(record, Record::Snapshot { .. })).collect();
    assert_eq!(images, [&newer]);
}
