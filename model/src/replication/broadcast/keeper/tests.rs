//! When the log acknowledges, shows and forgets, and what it refuses.

use super::super::Member;
use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const ONE: ChannelId = ChannelId(0);

struct Bench {
    log: Keeper,
    probe: Probe<Member>,
}

fn setup() -> KeeperSetup {
    KeeperSetup { broker: NodeId(0), channel_count: 2, messages_max: 3 }
}

fn started(rules: Rules, disk: &[Record]) -> Bench {
    let (mut log, mut probe) = (Keeper::new(rules, setup()), Probe::new(Span::ZERO));
    probe.ask(|context, fx| log.start(disk, context, fx));
    Bench { log, probe }
}

fn kept(requests: &[u64]) -> Vec<Record> {
    requests.iter().map(|key| Record::Message { channel: ONE, request: RequestKey(*key) }).collect()
}

impl Bench {
    fn tell(&mut self, message: Message) -> Done<Member> {
        self.probe.ask(|_, fx| self.log.message(NodeId(5), message, fx));
        self.probe.done()
    }

    fn store(&mut self, request: u64, channel: u32) -> Done<Member> {
        let (node, client) = (NodeId(5), NodeId(7));
        let post = Post { node, client, request: RequestKey(request), channel: ChannelId(channel) };
        self.tell(Message::Store(post))
    }

    fn sync(&mut self, done: &Done<Member>) -> Done<Member> {
        self.probe.ask(|_, fx| self.log.synced(done.synced[0], fx));
        self.probe.done()
    }

    /// What a node is given that asks from `from` on: the messages and the tail.
    fn fetch(&mut self, from: u64) -> Option<(Vec<u64>, u64)> {
        let done = self.tell(Message::Fetch { channel: ONE, from: Offset(from) });
        done.sent.into_iter().find_map(|(_, message)| match message {
            Message::Fetched { entries, tail, .. } => {
                Some((entries.iter().map(|key| key.0).collect(), tail.0))
            }
            _ => None,
        })
    }
}

/// The positions at which messages are acknowledged.
fn positions(done: &Done<Member>) -> Vec<Option<u64>> {
    let position = |(_, message): &(NodeId, Message)| match message {
        Message::Stored { position, .. } => Some(position.map(|offset| offset.0)),
        _ => None,
    };
    done.sent.iter().filter_map(position).collect()
}

#[test]
fn a_message_is_acknowledged_and_published_once_it_is_durable() {
    let mut bench = started(Rules::hardened(), &[]);
    let asked = bench.store(1, 0);
    assert_eq!((asked.written.len(), asked.names()), (1, vec![]));
    assert_eq!(bench.fetch(0), Some((vec![], 0)));
    let done = bench.sync(&asked);
    assert_eq!((done.names(), positions(&done)), (vec!["stored", "publish"], vec![Some(1)]));
    assert_eq!(bench.fetch(0), Some((vec![1], 1)));
    let mut mutant = started(Rules::mutant("shown-before-sync"), &[]);
    assert_eq!(positions(&mutant.store(1, 0)), [Some(1)]);
}

#[test]
fn a_log_in_memory_writes_nothing() {
    let mut mutant = started(Rules::mutant("channels-in-memory"), &[]);
    let done = mutant.store(1, 0);
    assert_eq!((done.written.len(), positions(&done)), (0, vec![Some(1)]));
}

#[test]
fn a_repeated_message_keeps_its_place() {
    let mut bench = started(Rules::hardened(), &[]);
    let asked = bench.store(1, 0);
    assert!(bench.store(1, 0).written.is_empty());
    assert_eq!(positions(&bench.sync(&asked)), [Some(1), Some(1)]);
    let mut mutant = started(Rules::mutant("message-stored-twice"), &[]);
    let asked = mutant.store(1, 0);
    mutant.store(1, 0);
    assert_eq!(mutant.sync(&asked).written.len(), 1);
}

#[test]
fn a_repeat_is_known_after_a_restart_and_shown_only_once_durable() {
    let mut bench = started(Rules::hardened(), &kept(&[1, 2]));
    let begun = bench.probe.done();
    assert_eq!(bench.fetch(0), None);
    assert_eq!(positions(&bench.store(2, 0)), []);
    assert_eq!(positions(&bench.sync(&begun)), [Some(2)]);
    assert_eq!(bench.fetch(1), Some((vec![2], 2)));
}

#[test]
fn what_comes_while_a_restart_is_made_durable_is_shown_only_once_it_is_durable_itself() {
    let mut bench = started(Rules::hardened(), &kept(&[1]));
    let begun = bench.probe.done();
    bench.store(2, 0);
    let next = bench.sync(&begun);
    assert_eq!(bench.fetch(0), Some((vec![1], 1)));
    assert_eq!(positions(&bench.sync(&next)), [Some(2)]);
    assert_eq!(bench.fetch(0), Some((vec![1, 2], 2)));
}

#[test]
fn a_full_channel_refuses_and_another_does_not() {
    let mut bench = started(Rules::hardened(), &kept(&[1, 2, 3]));
    let begun = bench.probe.done();
    bench.sync(&begun);
    assert_eq!(positions(&bench.store(4, 0)), [None]);
    assert_eq!(bench.store(4, 1).written.len(), 1);
}

#[test]
fn a_channel_that_does_not_exist_and_an_offset_behind_the_end_do_no_harm() {
    let mut bench = started(Rules::hardened(), &[]);
    bench.probe.done();
    let done = bench.store(1, 9);
    assert!(done.sent.is_empty() && done.written.is_empty());
    assert!(bench.tell(Message::Fetch { channel: ChannelId(9), from: Offset(0) }).sent.is_empty());
    assert_eq!(bench.fetch(u64::MAX), Some((vec![], 0)));
}

#[test]
fn a_log_beside_the_nodes_listens_to_the_broker_and_publishes_nothing() {
    let mut mutant = started(Rules::mutant("nodes-beside-log"), &[]);
    assert_eq!(mutant.probe.done().names(), ["subscribe", "subscribe"]);
    let post = Post { node: NodeId(5), client: NodeId(7), request: RequestKey(1), channel: ONE };
    let asked = mutant.tell(Message::Published(Published { topic: ONE, content: Notice::Post(post) }));
    assert_eq!(mutant.sync(&asked).names(), ["stored"]);
}
