//! What views make of what they hear, and owners of what they are asked.

use super::*;
use crate::ids::RequestKey;
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const SHAPE: Shape = Shape {
    node_count: 3,
    client_count: 1,
    slot_count: 6,
    feed: Feed::Broadcast,
    gossip_every: Span::from_ms(1_000),
    patience: Patience {
        timeout: Span::from_ms(100),
        backoff: Span::from_ms(10),
        deadline: Span::from_ms(250),
    },
};
const ME: NodeId = NodeId(0);
const PEER: NodeId = NodeId(1);
const CLIENT: NodeId = NodeId(9);
/// A slot of [`ME`] and one of [`PEER`].
const MINE: SlotId = SlotId(3);
const THEIRS: SlotId = SlotId(4);

type Bench = (Viewer, Probe<Member>);

fn begun(rules: Rules, disk: &[Record]) -> (Bench, Done<Member>) {
    let (mut viewer, mut probe) = (Viewer::new(rules, ME, SHAPE), Probe::new(Span::ZERO));
    probe.ask(|context, fx| viewer.start(disk, context, fx));
    while let Some(token) = probe.done().synced.first() {
        probe.ask(|_, fx| viewer.synced(*token, fx));
    }
    probe
        .ask(|context, fx| viewer.message(PEER, Message::Heartbeat { place: Place::default() }, context, fx));
    let done = probe.done();
    ((viewer, probe), done)
}

fn hear((viewer, probe): &mut Bench, from: NodeId, message: Message) -> Done<Member> {
    probe.ask(|context, fx| viewer.message(from, message, context, fx));
    probe.done()
}

fn ask(bench: &mut Bench, request: u64, call: Call) -> Done<Member> {
    hear(bench, CLIENT, Message::Ask(Ask { request: RequestKey(request), call, mark: () }))
}

const fn update(number: u64, version: u64) -> Message {
    let entry = Entry { version, value: 100 + version };
    Message::Update { place: Place { life: 1, number }, slot: THEIRS, entry }
}

fn whole(number: u64, version: u64) -> Message {
    let entry = Entry { version, value: 100 + version };
    Message::Whole { place: Place { life: 1, number }, entries: Arc::new([(THEIRS, entry)]) }
}

/// The version that reads of [`THEIRS`] show; none if they are put off.
fn read(bench: &mut Bench) -> Option<u64> {
    match ask(bench, 7, Call::Read { slot: THEIRS }).sent[..] {
        [(CLIENT, Message::Answer(Reply { answer: Answer::Known(entry), .. }))] => Some(entry.version),
        _ => None,
    }
}

/// What a view shows after it heard these messages of [`PEER`], and how often it asked for a resync.
#[track_caller]
fn check(rules: Rules, messages: &[Message], want: (Option<u64>, usize)) {
    let (mut bench, _) = begun(rules, &[]);
    let mut asked = 0;
    for message in messages {
        let done = hear(&mut bench, PEER, message.clone());
        asked += done.names().iter().filter(|name| **name == "resync").count();
    }
    assert_eq!((read(&mut bench), asked), want, "{rules:?} {messages:?}");
}

#[test]
fn a_view_serves_an_owners_slots_once_it_has_had_all_of_them() {
    check(Rules::hardened(), &[], (None, 0));
    check(Rules::hardened(), &[whole(0, 2)], (Some(2), 0));
    check(Rules::mutant("view-served-early"), &[], (Some(0), 0));
}

#[test]
fn an_update_behind_a_gap_waits_for_the_whole() {
    let (first, third) = (update(1, 3), update(3, 5));
    check(Rules::hardened(), &[whole(0, 2), first.clone(), third.clone()], (Some(3), 1));
    check(Rules::hardened(), &[whole(0, 2), first.clone(), third.clone(), whole(3, 5)], (Some(5), 1));
    check(Rules::mutant("gap-ignored"), &[whole(0, 2), first, third], (Some(5), 0));
}

#[test]
fn a_view_never_goes_back() {
    check(Rules::hardened(), &[whole(2, 4), whole(1, 3), update(1, 3)], (Some(4), 0));
    check(Rules::mutant("older-taken"), &[whole(2, 4), whole(1, 3)], (Some(3), 0));
}

#[test]
fn a_heartbeat_shows_that_the_last_update_was_lost() {
    let beat = Message::Heartbeat { place: Place { life: 1, number: 1 } };
    check(Rules::hardened(), &[whole(0, 2), beat.clone()], (Some(2), 1));
    check(Rules::mutant("last-update-lost"), &[whole(0, 2), beat], (Some(2), 0));
}

#[test]
fn a_change_is_told_once_it_is_durable_and_a_repeated_one_changes_nothing() {
    let change = Call::Change { slot: MINE, value: 5 };
    let (mut bench, _) = begun(Rules::hardened(), &[]);
    let done = ask(&mut bench, 1, change);
    assert!(done.sent.is_empty(), "{:?}", done.sent);
    bench.1.ask(|_, fx| bench.0.synced(done.synced[0], fx));
    assert_eq!(bench.1.done().names(), ["update", "update", "answer"]);
    assert_eq!(ask(&mut bench, 1, change).names(), ["answer"]);
    let (mut bench, _) = begun(Rules::mutant("told-before-sync"), &[]);
    assert_eq!(ask(&mut bench, 1, change).names(), ["update", "update", "answer"]);
}

#[test]
fn a_new_life_begins_a_new_stream_with_the_slots_of_the_old_one() {
    let entry = Entry { version: 4, value: 40 };
    let disk = [Record::Life(1), Record::Set(MINE, entry, RequestKey(1))];
    let (mut bench, _) = begun(Rules::hardened(), &disk);
    let done = hear(&mut bench, PEER, Message::Resync);
    let [(PEER, Message::Whole { place, entries })] = &done.sent[..] else { panic!("{:?}", done.sent) };
    assert_eq!(*place, Place { life: 2, number: 0 });
    assert!(entries.contains(&(MINE, entry)), "{entries:?}");
    assert_eq!(ask(&mut bench, 1, Call::Change { slot: MINE, value: 40 }).names(), ["answer"]);
}

#[test]
fn what_makes_no_sense_and_what_cannot_be_now_have_answers_of_their_own() {
    let (mut bench, _) = begun(Rules::hardened(), &[]);
    let answer = |done: Done<Member>| match done.sent[..] {
        [(CLIENT, Message::Answer(Reply { answer, .. }))] => answer,
        ref other => panic!("{other:?}"),
    };
    assert_eq!(answer(ask(&mut bench, 1, Call::Read { slot: SlotId(6) })), Answer::UnknownSlot);
    bench.1.wait(Span::from_ms(1_001));
    assert_eq!(answer(ask(&mut bench, 2, Call::Change { slot: MINE, value: 1 })), Answer::Unavailable);
}
