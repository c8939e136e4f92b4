//! Every decision of the voters, the hardened side beside the mutant.

use super::*;
use crate::coordination::fenced::Fate;
use crate::ids::RequestKey;
use crate::probe::{Done, Probe};
use crate::rules::{Decisions, Variant};

const TIMEOUT: Span = Span::from_ms(300);
const RESOURCE: NodeId = NodeId(7);
const CLIENT: NodeId = NodeId(8);
const ELECTION: sim::node::TimerKey = sim::node::TimerKey(0);

struct Bench {
    voter: Voter,
    probe: Probe<Member>,
}

impl Bench {
    /// One of five voters: number 9, the others being 1 to 4.
    fn new(rules: Rules, disk: &[Record]) -> Self {
        let others = (1..=4).map(NodeId).collect();
        let mut voter = Voter::new(rules, others, Arc::new([RESOURCE]), TIMEOUT);
        let mut probe = Probe::new(Span::ZERO);
        probe.ask(|context, fx| voter.start(disk, context, fx));
        let mut bench = Self { voter, probe };
        bench.done();
        bench
    }

    /// What was done since this was last asked, every sync being done at once.
    fn done(&mut self) -> Done<Member> {
        let mut done = self.probe.done();
        while let Some(token) = done.synced.pop() {
            self.probe.ask(|context, fx| self.voter.synced(token, context, fx));
            let next = self.probe.done();
            done.sent.extend(next.sent);
            done.observed.extend(next.observed);
            done.synced.extend(next.synced);
        }
        done
    }

    fn tell(&mut self, from: u32, message: Message) -> Done<Member> {
        self.probe.ask(|context, fx| self.voter.message(NodeId(from), message, context, fx));
        self.done()
    }

    fn time_out(&mut self) -> Done<Member> {
        self.probe.ask(|context, fx| self.voter.timer(ELECTION, context, fx));
        self.done()
    }

    /// Leads epoch 1.
    fn leading(rules: Rules) -> Self {
        let mut bench = Self::new(rules, &[]);
        bench.time_out();
        for voter in [1, 2] {
            bench.tell(voter, Message::Vote { epoch: 1 });
        }
        assert!(bench.voter.is_leader());
        bench
    }

    fn ask(&mut self, request: u64, resource: u32) -> Done<Member> {
        let ask = Ask { request: RequestKey(request), call: Write { resource }, mark: () };
        self.tell(CLIENT.0, Message::Ask(ask))
    }
}

fn answers(done: &Done<Member>) -> Vec<Answer> {
    let answer = |(to, message): &(NodeId, Message)| match message {
        Message::Answer(reply) if *to == CLIENT => Some(reply.answer),
        _ => None,
    };
    done.sent.iter().filter_map(answer).collect()
}

#[test]
fn a_leader_has_the_votes_of_a_majority_of_all() {
    for (rules, needed) in [(Rules::hardened(), 2), (Rules::mutant("outgrown-quorum"), 1)] {
        let mut bench = Bench::new(rules, &[]);
        assert_eq!(bench.time_out().names(), ["stand"; 4]);
        for (count, voter) in (1..=needed).zip(1..) {
            assert!(!bench.voter.is_leader());
            // The same vote twice is one.
            bench.tell(voter, Message::Vote { epoch: 1 });
            let done = bench.tell(voter, Message::Vote { epoch: 1 });
            assert_eq!((bench.voter.is_leader(), done.sent.len()), (count == needed, 0));
        }
    }
}

#[test]
fn one_vote_an_epoch_also_after_a_restart() {
    let mut bench = Bench::new(Rules::hardened(), &[]);
    assert_eq!(bench.tell(1, Message::Stand { epoch: 3 }).names(), ["vote"]);
    assert!(bench.tell(2, Message::Stand { epoch: 3 }).names().is_empty());
    assert_eq!(bench.tell(1, Message::Stand { epoch: 3 }).names(), ["vote"]);
    let disk = [Record::Vote { epoch: 3, candidate: Some(NodeId(1)) }];
    let mut bench = Bench::new(Rules::hardened(), &disk);
    assert!(bench.tell(2, Message::Stand { epoch: 3 }).names().is_empty());
    assert_eq!(bench.tell(2, Message::Stand { epoch: 4 }).names(), ["vote"]);
    assert_eq!(bench.tell(1, Message::Stand { epoch: 3 }).names(), ["follow"]);
}

#[test]
fn a_vote_is_given_once_it_is_durable() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("vote-in-memory"), 1)] {
        let mut bench = Bench::new(rules, &[]);
        let stand = Message::Stand { epoch: 1 };
        bench.probe.ask(|context, fx| bench.voter.message(NodeId(1), stand, context, fx));
        assert_eq!(bench.probe.done().sent.len(), want);
    }
}

#[test]
fn a_leader_that_hears_no_majority_steps_down() {
    for (rules, is_leader) in [(Rules::hardened(), false), (Rules::of(Variant::Naive), true)] {
        let mut bench = Bench::leading(rules);
        bench.probe.wait(TIMEOUT);
        bench.tell(1, Message::Follow { epoch: 1 });
        bench.time_out();
        assert_eq!(bench.voter.is_leader(), is_leader);
    }
}

#[test]
fn who_hears_of_a_newer_epoch_follows() {
    for message in [Message::Lead { epoch: 2 }, Message::Follow { epoch: 2 }, Message::Stand { epoch: 2 }] {
        let mut bench = Bench::leading(Rules::hardened());
        bench.tell(1, message);
        assert!(!bench.voter.is_leader());
    }
}

#[test]
fn a_leader_writes_in_its_epoch_and_a_repeated_question_is_the_same_write() {
    let mut bench = Bench::leading(Rules::hardened());
    let write = FencedWrite { lock: 0, token: 1, number: 1 };
    for _ in 0..2 {
        let done = bench.ask(5, 0);
        assert!(matches!(done.sent[..], [(RESOURCE, Message::Write(found))] if found == write));
    }
    let done = bench.tell(RESOURCE.0, Message::Wrote(FencedReply { write, fate: Fate::Written }));
    assert_eq!(answers(&done), [Answer::Written { epoch: 1 }]);
}

#[test]
fn a_fenced_leader_steps_down_and_says_that_nothing_was_done() {
    let mut bench = Bench::leading(Rules::hardened());
    bench.ask(5, 0);
    let write = FencedWrite { lock: 0, token: 1, number: 1 };
    let done = bench.tell(RESOURCE.0, Message::Wrote(FencedReply { write, fate: Fate::Fenced }));
    assert_eq!((answers(&done), bench.voter.is_leader()), (vec![Answer::NotLeader], false));
}

#[test]
fn a_follower_and_an_unknown_resource_have_definite_answers() {
    let mut bench = Bench::new(Rules::hardened(), &[]);
    assert_eq!(answers(&bench.ask(5, 0)), [Answer::NotLeader]);
    assert_eq!(answers(&bench.ask(6, 1)), [Answer::NoSuchResource]);
}

#[test]
fn the_disk_keeps_a_bounded_number_of_votes() {
    let (mut bench, mut count) = (Bench::new(Rules::hardened(), &[]), 0);
    for epoch in 1..1_000 {
        let done = bench.tell(1, Message::Stand { epoch });
        count = done.rewritten.as_ref().map_or(count + done.written.len(), Vec::len);
        assert!(count <= 256, "{count}");
    }
}
