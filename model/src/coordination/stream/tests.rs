//! Every decision of the stream, the hardened side beside the mutant.

use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions;
use sim::node::TimerKey;

const CLIENT: u32 = 5;
const WORK: TimerKey = TimerKey(1);
const COMMIT: TimerKey = TimerKey(2);
const SHAPE: Shape = Shape {
    consumer_count: 1,
    client_count: 1,
    poll_every: Span::from_ms(100),
    work: Span::from_ms(10),
    commit_every: Span::from_ms(500),
    patience: Patience {
        timeout: Span::from_ms(200),
        backoff: Span::from_ms(50),
        deadline: Span::from_ms(3_000),
    },
};

struct Bench {
    member: Member,
    probe: Probe<Member>,
    disk: Vec<Record>,
}

impl Bench {
    fn source(rules: Rules) -> Self {
        Self::of(Member::Source(Source::new(rules, 2)))
    }

    fn consumer(rules: Rules, disk: &[Record]) -> Self {
        let mut bench = Self::of(Member::Consumer(Consumer::new(rules, 0, SHAPE)));
        bench.all(Input::Start { disk: disk.to_vec() });
        bench.disk = disk.to_vec();
        bench
    }

    fn of(member: Member) -> Self {
        Self { member, probe: Probe::new(Span::ZERO), disk: Vec::new() }
    }

    fn input(&mut self, input: InputOf<Member>) -> Done<Member> {
        self.probe.ask(|context, fx| self.member.handle(input, context, fx));
        let done = self.probe.done();
        self.disk.extend(done.written.iter().cloned());
        done
    }

    /// What one input does, all syncs included.
    fn all(&mut self, input: InputOf<Member>) -> Done<Member> {
        let mut done = self.input(input);
        while let Some(token) = done.synced.pop() {
            let next = self.input(Input::Synced(token));
            done.sent.extend(next.sent);
            done.observed.extend(next.observed);
            done.synced.extend(next.synced);
        }
        done
    }

    fn tell(&mut self, from: u32, message: Message) -> Done<Member> {
        self.all(Input::Message { from: NodeId(from), message })
    }

    fn produce(&mut self, request: u64, partition: u32) -> Vec<Answer> {
        let call = Produce { partition, amount: 1 };
        let done = self.tell(CLIENT, Message::Ask(Ask { request: RequestKey(request), call, mark: () }));
        let answer = |(_, message): &(NodeId, Message)| match message {
            Message::Answer(reply) => Some(reply.answer),
            _ => None,
        };
        done.sent.iter().filter_map(answer).collect()
    }

    /// The requests behind the entries from there on.
    fn fetch(&mut self, from: u64) -> Vec<u64> {
        let done = self.tell(1, Message::Fetch { partition: 0, from: Offset(from) });
        let [(_, Message::Batch { entries, .. })] = &done.sent[..] else { panic!("{:?}", done.sent) };
        entries.iter().map(|entry| entry.request.0).collect()
    }

    fn receive(&mut self, from: u64, count: u64) {
        let entry = |request| Entry { request: RequestKey(request), amount: 2 };
        let entries = (from..from + count).map(entry).collect();
        self.tell(0, Message::Batch { from: Offset(from), entries });
    }

    fn sum(&self) -> u64 {
        match &self.member {
            Member::Consumer(consumer) => consumer.sum(),
            other => panic!("{other:?} counts nothing"),
        }
    }
}

const fn produced(offset: u64) -> Answer {
    Answer::Produced { offset: Offset(offset) }
}

#[test]
fn a_repeated_question_is_one_entry() {
    for (rules, again) in [(Rules::hardened(), 0), (Rules::mutant("produced-twice"), 1)] {
        let mut bench = Bench::source(rules);
        assert_eq!(bench.produce(7, 0), [produced(0)]);
        assert_eq!(bench.produce(7, 0), [produced(again)]);
        assert_eq!(bench.fetch(0).len() as u64, 1 + again);
    }
}

#[test]
fn entries_are_acknowledged_and_shown_once_they_are_durable() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("counted-before-sync"), 1)] {
        let mut bench = Bench::source(rules);
        let call = Produce { partition: 0, amount: 1 };
        let message = Message::Ask(Ask { request: RequestKey(7), call, mark: () });
        let done = bench.input(Input::Message { from: NodeId(CLIENT), message });
        assert_eq!((done.sent.len(), bench.fetch(0).len()), (want, want));
        bench.all(Input::Synced(done.synced[0]));
        assert_eq!(bench.fetch(0), [7]);
    }
}

#[test]
fn entries_have_their_places_again_after_a_restart() {
    let mut bench = Bench::source(Rules::hardened());
    for request in [7, 8, 9] {
        bench.produce(request, 0);
    }
    let disk = bench.disk;
    let mut bench = Bench::source(Rules::hardened());
    bench.all(Input::Start { disk });
    assert_eq!((bench.fetch(1), bench.produce(8, 0)), (vec![8, 9], vec![produced(1)]));
}

#[test]
fn what_is_not_there_has_a_definite_answer() {
    let mut bench = Bench::source(Rules::hardened());
    assert_eq!(bench.produce(7, 2), [Answer::NoSuchPartition]);
    assert!(bench.fetch(1_000).is_empty());
    assert!(bench.tell(1, Message::Fetch { partition: 9, from: Offset(0) }).sent.is_empty());
}

#[test]
fn entries_that_come_twice_or_too_late_are_counted_once() {
    let mut bench = Bench::consumer(Rules::hardened(), &[]);
    bench.receive(0, 3);
    bench.receive(0, 3);
    bench.all(Input::Timer(WORK));
    bench.receive(0, 3);
    bench.receive(5, 1);
    assert_eq!(bench.sum(), 6);
    bench.receive(3, 1);
    bench.all(Input::Timer(WORK));
    assert_eq!(bench.sum(), 8);
}

/// Where a consumer goes on, and with which sum, after a crash that came `after` it had got three entries.
fn after_crash(rules: Rules, after: &[TimerKey]) -> (u64, u64) {
    let mut bench = Bench::consumer(rules, &[]);
    bench.receive(0, 3);
    for timer in after {
        bench.all(Input::Timer(*timer));
    }
    let disk = bench.disk;
    let mut bench = Bench::of(Member::Consumer(Consumer::new(rules, 0, SHAPE)));
    let done = bench.all(Input::Start { disk });
    let Some((_, Message::Fetch { from, .. })) = done.sent.first() else { panic!("{:?}", done.sent) };
    (from.0, bench.sum())
}

#[test]
fn state_and_offset_agree_after_any_crash() {
    let hardened = Rules::hardened();
    assert_eq!(after_crash(hardened, &[]), (0, 0));
    assert_eq!(after_crash(hardened, &[WORK]), (3, 6));
}

#[test]
fn an_offset_that_follows_the_state_counts_twice() {
    let late = Rules::mutant("offset-after-state");
    assert_eq!(after_crash(late, &[WORK]), (0, 6));
    assert_eq!(after_crash(late, &[WORK, COMMIT]), (3, 6));
}

#[test]
fn an_offset_that_runs_ahead_of_the_state_loses() {
    let early = Rules::mutant("offset-before-state");
    assert_eq!(after_crash(early, &[]), (3, 0));
    assert_eq!(after_crash(early, &[WORK]), (3, 6));
}

#[test]
fn a_state_is_shown_once_it_is_durable() {
    let mut bench = Bench::consumer(Rules::hardened(), &[]);
    bench.receive(0, 1);
    let done = bench.input(Input::Timer(WORK));
    assert!(done.observed.is_empty());
    let done = bench.all(Input::Synced(done.synced[0]));
    assert!(matches!(&done.observed[..], [Observation::Counted(counted)] if counted.len() == 1));
}
