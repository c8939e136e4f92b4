//! What a service node answers, what it waits for, and what it makes of messages that are late, lost or doubled.

use super::super::Member;
use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const ONE: ChannelId = ChannelId(0);
const CLIENT: NodeId = NodeId(7);

struct Bench {
    reader: Reader,
    probe: Probe<Member>,
}

fn started(rules: Rules) -> Bench {
    let setup = ReaderSetup { me: NodeId(3), log: NodeId(1), broker: NodeId(0), channel_count: 2 };
    Bench { reader: Reader::new(rules, setup), probe: Probe::new(Span::ZERO) }
}

/// A node that has read the backlog: `count` messages.
fn subscribed(rules: Rules, count: u64) -> Bench {
    let mut bench = started(rules);
    bench.ask(1, Call::Read { channel: ONE }, &Mark::default());
    bench.fetched(0, 0..count, count);
    bench
}

impl Bench {
    fn tell(&mut self, message: Message) -> Done<Member> {
        self.probe.ask(|context, fx| self.reader.message(CLIENT, message, context, fx));
        self.probe.done()
    }

    fn ask(&mut self, request: u64, call: Call, mark: &Mark) -> Done<Member> {
        self.tell(Message::Ask(Ask { request: RequestKey(request), call, mark: mark.clone() }))
    }

    fn read(&mut self, mark: &Mark) -> Vec<Answer> {
        answers(&self.ask(9, Call::Read { channel: ONE }, mark))
    }

    fn fetched(&mut self, from: u64, keys: core::ops::Range<u64>, tail: u64) -> Done<Member> {
        let (entries, from, tail) = (keys.map(RequestKey).collect(), Offset(from), Offset(tail));
        self.tell(Message::Fetched { channel: ONE, from, entries, tail })
    }

    fn published(&mut self, from: u64, key: u64) -> Done<Member> {
        let (from, tail) = (Offset(from), Offset(from + 1));
        let content = Notice::Entries { from, entries: Arc::new([RequestKey(key)]), tail };
        self.tell(Message::Published(Published { topic: ONE, content }))
    }
}

fn answers(done: &Done<Member>) -> Vec<Answer> {
    let answer = |(_, message): &(NodeId, Message)| match message {
        Message::Answer(reply) => Some(reply.answer),
        _ => None,
    };
    done.sent.iter().filter_map(answer).collect()
}

fn applied(done: &Done<Member>) -> Vec<u64> {
    let keys = |observation: &Observation| match observation {
        Observation::Applied { entries, .. } => entries.iter().map(|key| key.0).collect(),
        _ => Vec::new(),
    };
    done.observed.iter().flat_map(keys).collect()
}

const fn messages(position: u64) -> Answer {
    Answer::Messages { position: Offset(position) }
}

fn mark(read: u64, written: u64) -> Mark {
    Mark { read: [(ONE, Offset(read))].into(), written: [(ONE, Offset(written))].into() }
}

#[test]
fn the_first_read_subscribes_and_is_answered_when_the_backlog_is_here() {
    let mut bench = started(Rules::hardened());
    let asked = bench.ask(1, Call::Read { channel: ONE }, &Mark::default());
    assert_eq!(asked.names(), ["subscribe", "fetch"]);
    let half = bench.fetched(0, 0..2, 3);
    assert_eq!((answers(&half), applied(&half)), (vec![], vec![0, 1]));
    assert_eq!(answers(&bench.fetched(2, 2..3, 3)), [messages(3)]);
    assert_eq!(bench.read(&Mark::default()), [messages(3)]);
}

#[test]
fn who_reads_the_backlog_first_connects_afterwards() {
    let mut naive = started(Rules::of(crate::rules::Variant::Naive));
    assert_eq!(naive.ask(1, Call::Read { channel: ONE }, &Mark::default()).names(), ["fetch"]);
    assert_eq!(naive.fetched(0, 0..2, 2).names(), ["subscribe", "answer"]);
}

#[test]
fn a_gap_is_asked_about_and_not_skipped() {
    let mut bench = subscribed(Rules::hardened(), 1);
    bench.probe.wait(GAP_ASK_EVERY);
    let done = bench.published(2, 2);
    assert_eq!((applied(&done), done.names()), (vec![], vec!["fetch"]));
    assert_eq!(applied(&bench.fetched(1, 1..3, 3)), [1, 2]);
    let mut mutant = subscribed(Rules::mutant("reader-skips-gap"), 1);
    assert_eq!(applied(&mutant.published(2, 2)), [2]);
}

#[test]
fn what_comes_twice_is_there_once() {
    let mut bench = subscribed(Rules::hardened(), 1);
    assert_eq!(applied(&bench.published(1, 1)), [1]);
    assert_eq!(applied(&bench.published(1, 1)), []);
}

#[test]
fn the_log_is_asked_again_from_time_to_time() {
    let asks = |rules| {
        let mut bench = subscribed(rules, 1);
        bench.probe.ask(|context, fx| bench.reader.timer(context, fx));
        bench.probe.done().names()
    };
    assert_eq!(asks(Rules::hardened()), ["subscribe", "fetch"]);
    assert_eq!(asks(Rules::mutant("reader-never-asks-again")), ["subscribe"]);
}

#[test]
fn a_session_waits_for_what_it_has_read_and_written_elsewhere() {
    for (defect, mark) in [("fail-over-goes-back", mark(2, 0)), ("own-message-late", mark(0, 2))] {
        let mut bench = subscribed(Rules::hardened(), 1);
        assert_eq!(bench.read(&mark), []);
        assert_eq!(answers(&bench.published(1, 1)), [messages(2)]);
        assert_eq!(subscribed(Rules::mutant(defect), 1).read(&mark), [messages(1)]);
    }
}

#[test]
fn a_message_is_acknowledged_when_the_log_has_it_or_as_soon_as_it_is_passed_on() {
    let post = Call::Post { channel: ONE };
    let mut bench = started(Rules::hardened());
    let done = bench.ask(1, post, &Mark::default());
    let [(_, Message::Store(post_of))] = done.sent[..] else { panic!("{:?}", done.sent) };
    let stored = |position| Message::Stored { post: post_of, position };
    let position = Some(Offset(4));
    assert_eq!(answers(&bench.tell(stored(position))), [Answer::Posted { position }]);
    assert_eq!(answers(&bench.tell(stored(None))), [Answer::Full]);
    let mut mutant = started(Rules::mutant("ack-on-forwarding"));
    assert_eq!(mutant.ask(1, post, &Mark::default()).names(), ["store", "answer"]);
    let mut mutant = started(Rules::mutant("nodes-beside-log"));
    assert_eq!(mutant.ask(1, post, &Mark::default()).names(), ["publish"]);
}

#[test]
fn a_message_without_a_place_goes_behind_what_is_here() {
    let mut mutant = subscribed(Rules::mutant("nodes-beside-log"), 1);
    let post = Post { node: NodeId(3), client: CLIENT, request: RequestKey(8), channel: ONE };
    let done = mutant.tell(Message::Published(Published { topic: ONE, content: Notice::Post(post) }));
    assert_eq!(applied(&done), [8]);
    assert_eq!(mutant.read(&Mark::default()), [messages(2)]);
}

#[test]
fn unsubscribing_drops_the_channel_and_sends_who_waits_elsewhere() {
    let mut bench = subscribed(Rules::hardened(), 1);
    bench.read(&mark(2, 0));
    bench.probe.ask(|_, fx| bench.reader.request(Request::Unsubscribe { channel: ONE }, fx));
    assert_eq!(answers(&bench.probe.done()), [Answer::Unavailable]);
    assert_eq!(applied(&bench.published(1, 1)), []);
    assert_eq!(bench.ask(2, Call::Read { channel: ONE }, &Mark::default()).names(), ["subscribe", "fetch"]);
    assert_eq!(applied(&bench.fetched(0, 0..2, 2)), [0, 1]);
}

#[test]
fn who_has_left_sends_users_elsewhere_until_it_joins_again() {
    let mut bench = subscribed(Rules::hardened(), 1);
    bench.probe.ask(|_, fx| bench.reader.request(Request::Leave, fx));
    bench.probe.done();
    assert_eq!(bench.read(&Mark::default()), [Answer::Unavailable]);
    bench.probe.ask(|_, fx| bench.reader.request(Request::Join, fx));
    assert_eq!(bench.read(&Mark::default()), []);
}

#[test]
fn a_channel_that_does_not_exist_is_refused() {
    let mut bench = started(Rules::hardened());
    for call in [Call::Post { channel: ChannelId(2) }, Call::Read { channel: ChannelId(2) }] {
        assert_eq!(answers(&bench.ask(1, call, &Mark::default())), [Answer::UnknownChannel]);
    }
}
