//! Three nodes on the bench: what is decided, answered, kept and compacted, and what waits for a disk.

use sim::time::Span;

use super::super::Member;
use super::super::message::{Answer, Call, Command, Message};
use super::super::plain::PlainLog;
use super::super::rules::Rules;
use super::*;
use crate::client::{Ask, Reply};
use crate::ids::{Offset, RequestKey};
use crate::probe::{Done, Probe};
use crate::rules::Decisions as _;

const CLIENT: NodeId = NodeId(7);
const NODES: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];

/// Whether syncs are done at once or not at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disks {
    Work,
    Stall,
}

struct Bench {
    rules: Rules,
    nodes: Vec<(Replica<PlainLog>, Probe<Member>)>,
    /// What each disk has.
    disks: Vec<Vec<Record<Command>>>,
    letters: Vec<(NodeId, NodeId, Message)>,
    answers: Vec<(RequestKey, Answer)>,
}

fn replica(rules: Rules, me: NodeId) -> Replica<PlainLog> {
    let durable_before_send = rules.durable_before_send;
    let (nodes, pace) = (Arc::new(NODES), Pace::between(Span::ZERO, Span::ZERO));
    let setup = ReplicaSetup { me, nodes, snapshot_every: 8, pace, durable_before_send };
    Replica::new(PlainLog::new(rules, 40), setup)
}

/// Three nodes that have agreed on a leader: the last one.
fn elected(rules: Rules) -> Bench {
    let node = |me| (replica(rules, me), Probe::new(Span::ZERO));
    let nodes = NODES.map(node).into_iter().collect();
    let mut bench =
        Bench { rules, nodes, disks: vec![Vec::new(); 3], letters: Vec::new(), answers: Vec::new() };
    for index in 0..3 {
        bench.start(index, Disks::Work);
    }
    bench.pass(40);
    bench
}

impl Bench {
    fn start(&mut self, index: usize, disks: Disks) {
        let found = self.disks[index].clone();
        self.act(index, disks, |replica, context, fx| replica.start(&found, context, fx));
    }

    /// The node loses its memory and begins with what its disk has.
    fn restart(&mut self, index: usize) {
        self.nodes[index].0 = replica(self.rules, NODES[index]);
        self.start(index, Disks::Work);
    }

    fn act(
        &mut self,
        index: usize,
        disks: Disks,
        action: impl FnOnce(&mut Replica<PlainLog>, &mut Context<'_>, &mut Fx<PlainLog>),
    ) {
        let (replica, probe) = &mut self.nodes[index];
        probe.ask(|context, fx| action(replica, context, fx));
        let mut done = probe.done();
        loop {
            let synced = done.synced.clone();
            self.take(index, done);
            if disks == Disks::Stall || synced.is_empty() {
                return;
            }
            let (replica, probe) = &mut self.nodes[index];
            synced.iter().for_each(|token| probe.ask(|_, fx| replica.synced(*token, fx)));
            done = probe.done();
        }
    }

    fn take(&mut self, index: usize, done: Done<Member>) {
        if let Some(records) = done.rewritten {
            self.disks[index] = records;
        } else {
            self.disks[index].extend(done.written);
        }
        for (to, message) in done.sent {
            match message {
                Message::Peer(_) => self.letters.push((NODES[index], to, message)),
                Message::Answer(Reply { request, answer }) => self.answers.push((request, answer)),
                Message::Ask(_) => panic!("a node asks nothing"),
            }
        }
    }

    /// Lets so many ticks pass, with everything delivered in between.
    fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            for index in 0..3 {
                self.act(index, Disks::Work, |replica, _, fx| replica.timer(TICK, fx));
            }
            self.deliver();
        }
    }

    fn deliver(&mut self) {
        while !self.letters.is_empty() {
            for (from, to, message) in core::mem::take(&mut self.letters) {
                self.act(to.index(), Disks::Work, |replica, _, fx| replica.message(from, message, fx));
            }
        }
    }

    fn ask(&mut self, index: usize, request: u64, call: Call) {
        self.ask_with(Disks::Work, index, request, call);
    }

    fn ask_with(&mut self, disks: Disks, index: usize, request: u64, call: Call) {
        let ask = Ask { request: RequestKey(request), call, mark: () };
        self.act(index, disks, |replica, _, fx| replica.message(CLIENT, Message::Ask(ask), fx));
    }

    /// The only answer since this was last asked.
    fn answer(&mut self) -> Answer {
        let answers = core::mem::take(&mut self.answers);
        let [(_, answer)] = answers[..] else { panic!("expected one answer, found {answers:?}") };
        answer
    }

    fn log(&self, index: usize) -> Vec<u64> {
        self.nodes[index].0.application.state.entries().iter().map(|key| key.0).collect()
    }
}

const fn at(offset: u64) -> Answer {
    Answer::Appended { offset: Some(Offset(offset)) }
}

const fn end(length: u64, last: u64) -> Answer {
    Answer::End { length: Offset(length), last: Some(RequestKey(last)) }
}

#[test]
fn letters_leave_once_what_was_written_before_them_is_durable() {
    let letters = |rules, disks| {
        let mut bench = elected(rules);
        bench.ask_with(disks, 2, 5, Call::Append);
        bench.letters.len()
    };
    assert_eq!(letters(Rules::hardened(), Disks::Work), 2);
    assert_eq!(letters(Rules::hardened(), Disks::Stall), 0);
    assert_eq!(letters(Rules::mutant("sent-before-durable"), Disks::Stall), 2);
}

#[test]
fn a_node_says_nothing_before_the_number_of_its_life_is_durable() {
    let mut bench = elected(Rules::mutant("sent-before-durable"));
    for (disks, is_silent) in [(Disks::Stall, true), (Disks::Work, false)] {
        bench.nodes[0].0 = replica(bench.rules, NODES[0]);
        bench.start(0, disks);
        bench.ask_with(disks, 0, 5, Call::Append);
        assert_eq!(bench.letters.is_empty() && bench.answers.is_empty(), is_silent);
    }
    let mut lives = bench.disks[0].iter().filter(|record| matches!(record, Record::Life(_)));
    assert_eq!(lives.next_back(), Some(&Record::Life(2)), "the life that said nothing has left nothing");
}

#[test]
fn an_entry_is_answered_when_it_is_decided_and_stands_at_one_place_everywhere() {
    for asked in 0..3 {
        let mut bench = elected(Rules::hardened());
        bench.ask(asked, 5, Call::Append);
        assert!(bench.answers.is_empty(), "nobody has voted yet");
        bench.pass(3);
        assert_eq!(bench.answer(), at(0));
        assert_eq!([0, 1, 2].map(|index| bench.log(index)), [[5], [5], [5]]);
    }
    let mut mutant = elected(Rules::mutant("answered-before-decision"));
    mutant.ask(0, 5, Call::Append);
    assert_eq!(mutant.answer(), Answer::Appended { offset: None });
}

#[test]
fn a_read_takes_its_place_in_the_log_or_is_answered_at_once() {
    let mut bench = elected(Rules::hardened());
    bench.ask(0, 5, Call::Append);
    bench.pass(3);
    bench.answers.clear();
    bench.ask(1, 6, Call::Read);
    assert!(bench.answers.is_empty());
    bench.pass(3);
    assert_eq!(bench.answer(), end(1, 5));
    let mut mutant = elected(Rules::mutant("follower-read"));
    mutant.ask(1, 6, Call::Read);
    assert_eq!(mutant.answer(), Answer::End { length: Offset(0), last: None });
}

#[test]
fn a_repeat_gets_the_first_place_wherever_it_is_asked() {
    let mut bench = elected(Rules::hardened());
    bench.ask(0, 5, Call::Append);
    bench.ask(1, 5, Call::Append);
    bench.pass(3);
    bench.ask(2, 5, Call::Append);
    let answers: Vec<_> = bench.answers.iter().map(|(_, answer)| *answer).collect();
    assert_eq!(answers, [at(0); 3]);
    assert_eq!(bench.log(0), [5]);
    let mut mutant = elected(Rules::mutant("retry-appended-twice"));
    mutant.ask(0, 5, Call::Append);
    mutant.ask(1, 5, Call::Append);
    mutant.pass(3);
    assert_eq!(mutant.log(0), [5, 5]);
}

#[test]
fn who_starts_again_has_the_log_and_the_first_places_also_from_a_snapshot() {
    let mut bench = elected(Rules::hardened());
    for request in 0..20 {
        bench.ask(0, request, Call::Append);
        bench.pass(2);
    }
    for index in 0..3 {
        assert!(bench.disks[index].iter().any(|record| matches!(record, Record::Snapshot(_))));
        bench.restart(index);
        bench.pass(20);
    }
    bench.answers.clear();
    bench.ask(1, 3, Call::Append);
    assert_eq!(bench.answer(), at(3));
    bench.ask(2, 20, Call::Append);
    bench.pass(3);
    assert_eq!(bench.answer(), at(20));
    assert_eq!(bench.log(0), (0..21).collect::<Vec<_>>());
}

/// A node that is away while entries `first..20` are appended, and has those before: its log in the end.
fn caught_up(first: u64) -> Bench {
    let mut bench = elected(Rules::hardened());
    for request in 1..first {
        bench.ask(2, request, Call::Append);
        bench.pass(3);
    }
    // The node of the highest number leads; this one asks, and is cut off.
    bench.ask(0, 0, Call::Append);
    bench.letters.clear();
    for request in (first..20).chain([0]) {
        bench.ask(2, request, Call::Append);
        bench.pass_without_first(12);
    }
    bench.answers.clear();
    bench.pass(30);
    bench
}

impl Bench {
    /// Lets so many ticks pass while the first node neither hears nor is heard.
    fn pass_without_first(&mut self, ticks: u32) {
        for _ in 0..ticks {
            for index in 1..3 {
                self.act(index, Disks::Work, |replica, _, fx| replica.timer(TICK, fx));
            }
            while !self.letters.is_empty() {
                self.letters.retain(|(from, to, _)| from.0 != 0 && to.0 != 0);
                for (from, to, message) in core::mem::take(&mut self.letters) {
                    self.act(to.index(), Disks::Work, |replica, _, fx| replica.message(from, message, fx));
                }
            }
        }
    }
}

#[test]
fn who_was_away_catches_up_whatever_it_had_and_answers_what_came_with_a_snapshot() {
    for first in [1, 4, 7, 12, 17, 19] {
        let bench = caught_up(first);
        let log: Vec<u64> = (1..20).chain([0]).collect();
        assert_eq!([0, 1, 2].map(|index| bench.log(index)), [&log[..]; 3], "away from {first} on");
        assert!(bench.answers.contains(&(RequestKey(0), at(19))), "{first}: {:?}", bench.answers);
    }
}

#[test]
fn a_full_log_refuses_and_still_knows_what_it_has() {
    let mut bench = elected(Rules::hardened());
    for request in 0..40 {
        bench.ask(0, request, Call::Append);
        bench.pass(2);
    }
    bench.answers.clear();
    bench.ask(0, 40, Call::Append);
    assert_eq!(bench.answer(), Answer::Full);
    bench.ask(0, 7, Call::Append);
    assert_eq!(bench.answer(), at(7));
}

#[test]
fn who_is_no_peer_is_not_heard() {
    let mut bench = elected(Rules::hardened());
    (0..5).for_each(|_| bench.act(0, Disks::Work, |replica, _, fx| replica.timer(TICK, fx)));
    let (_, _, heartbeat) = core::mem::take(&mut bench.letters).pop().expect("a heartbeat");
    for (from, answers) in [(CLIENT, 0), (NODES[0], 1)] {
        let heartbeat = heartbeat.clone();
        bench.act(2, Disks::Work, |replica, _, fx| replica.message(from, heartbeat, fx));
        assert_eq!(bench.letters.len(), answers, "from {from}");
    }
}
