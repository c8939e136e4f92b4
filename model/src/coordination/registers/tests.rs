//! Every decision of the replicas, the hardened side beside the mutant.

use std::collections::BTreeSet;

use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions;
use sim::node::TimerKey;

const CLIENT: u32 = 5;
const GOSSIP: TimerKey = TimerKey(0);

const fn shape(order: Order) -> Shape {
    Shape {
        order,
        replica_count: 2,
        client_count: 1,
        register_count: 2,
        record_count: 2,
        gossip_every: Span::from_ms(100),
        ahead_max: Span::from_seconds(10),
        patience: Patience {
            timeout: Span::from_ms(200),
            backoff: Span::from_ms(50),
            deadline: Span::from_ms(3_000),
        },
    }
}

/// A replica on the bench, with the mark of its only session.
struct Bench {
    replica: Replica,
    probe: Probe<Member>,
    mark: Mark,
    asked: u64,
    disk: Vec<Record>,
}

impl Bench {
    fn new(rules: Rules, order: Order, me: u32) -> Self {
        let replicas = Arc::new([NodeId(0), NodeId(1)]);
        let mut bench = Self {
            replica: Replica::new(rules, NodeId(me), replicas, shape(order)),
            probe: Probe::new(Span::ZERO),
            mark: Mark::default(),
            asked: u64::from(me) * 100,
            disk: Vec::new(),
        };
        bench.probe.wait(Span::from_seconds(60));
        bench
    }

    /// What was done, all syncs included.
    fn done(&mut self) -> Done<Member> {
        let mut done = self.probe.done();
        self.disk.extend(done.written.iter().cloned());
        while let Some(token) = done.synced.pop() {
            self.probe.ask(|_, fx| self.replica.synced(token, fx));
            let next = self.probe.done();
            self.disk.extend(next.written);
            done.sent.extend(next.sent);
            done.synced.extend(next.synced);
            done.observed.extend(next.observed);
        }
        done
    }

    fn tell(&mut self, message: Message) -> Done<Member> {
        self.probe.ask(|context, fx| self.replica.message(NodeId(CLIENT), message, context, fx));
        self.done()
    }

    /// The answer to a new question of the session.
    fn ask(&mut self, call: Call) -> Answer {
        self.asked += 1;
        self.ask_again(call)
    }

    fn ask_again(&mut self, call: Call) -> Answer {
        let ask = Ask { request: RequestKey(self.asked), call, mark: self.mark.clone() };
        let done = self.tell(Message::Ask(ask));
        let [(_, Message::Answer(reply))] = &done.sent[..] else { panic!("{:?}", done.sent) };
        call.remember(&reply.answer, &mut self.mark);
        reply.answer.clone()
    }

    #[track_caller]
    fn check_holds(&mut self, want: &[u64]) {
        let answer = self.ask(Call::Read { register: 0 });
        assert!(
            matches!(&answer, Answer::Values { values, .. } if values[..] == *want),
            "{want:?}: {answer:?}"
        );
    }

    /// Passes all it has on to another replica.
    fn tell_all(&mut self, other: &mut Self) -> Done<Member> {
        self.probe.ask(|_, fx| self.replica.timer(GOSSIP, fx));
        let (_, gossip) = self.done().sent.pop().expect("there is one other replica");
        other.tell(gossip)
    }
}

const WRITE: Call = Call::Write { register: 0 };

/// A writes by a clock that is a second ahead; B, who has seen that, writes after it.
fn write_and_overwrite(rules: Rules, order: Order) -> [Bench; 2] {
    let (mut a, mut b) = (Bench::new(rules, order, 0), Bench::new(rules, order, 1));
    a.probe.step(1_000_000_000);
    a.ask(WRITE);
    a.tell_all(&mut b);
    b.ask(Call::Read { register: 0 });
    b.ask(WRITE);
    b.tell_all(&mut a);
    [a, b]
}

#[test]
fn a_write_does_not_lose_to_one_that_it_had_seen() {
    for (rules, want) in [(Rules::hardened(), 102), (Rules::mutant("bare-timestamps"), 1)] {
        for mut replica in write_and_overwrite(rules, Order::HybridClock) {
            replica.check_holds(&[want]);
        }
    }
}

#[test]
fn by_vectors_a_write_adds_to_what_it_had_seen() {
    for (rules, want) in [(Rules::hardened(), &[1, 102][..]), (Rules::mutant("bare-timestamps"), &[1])] {
        for mut replica in write_and_overwrite(rules, Order::VersionVector) {
            replica.check_holds(want);
        }
    }
}

#[test]
fn of_several_writes_that_come_together_none_is_taken_for_seen() {
    for order in [Order::HybridClock, Order::VersionVector] {
        let (mut a, mut b) =
            (Bench::new(Rules::hardened(), order, 0), Bench::new(Rules::hardened(), order, 1));
        // The first register is written last, and passed on first.
        a.ask(Call::Write { register: 1 });
        a.ask(Call::Write { register: 0 });
        a.tell_all(&mut b);
        b.check_holds(&[2]);
        let answer = b.ask(Call::Read { register: 1 });
        assert!(matches!(&answer, Answer::Values { values, .. } if values[..] == [1]), "{answer:?}");
        // A crash in the middle of taking them in does not make it forget the others.
        let mut again = Bench::new(Rules::hardened(), order, 1);
        let first: Vec<_> = b.disk[..1].to_vec();
        again.probe.ask(|context, fx| again.replica.start(&first, context, fx));
        again.done();
        let taken = a.tell_all(&mut again);
        let answer = again.ask(Call::Read { register: 1 });
        assert!(matches!(&answer, Answer::Values { values, .. } if values[..] == [1]), "{answer:?}");
        // What it had and did not remember is there once, and counts as no loss.
        let is_drop = |seen: &Observation| matches!(seen, Observation::Dropped { .. });
        assert!(!taken.observed.iter().any(is_drop), "{:?}", taken.observed);
        again.probe.ask(|_, fx| again.replica.timer(GOSSIP, fx));
        let sent = again.done().sent;
        let [(_, Message::Gossip { versions, .. })] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(versions.len(), 2);
    }
}

/// Both write before they hear of one another; how many drops were counted.
fn write_at_once(rules: Rules, order: Order) -> ([Bench; 2], usize) {
    let (mut a, mut b) = (Bench::new(rules, order, 0), Bench::new(rules, order, 1));
    a.ask(WRITE);
    b.probe.wait(Span::from_ms(1));
    b.ask(WRITE);
    let observed = [a.tell_all(&mut b), b.tell_all(&mut a)].map(|done| done.observed).concat();
    let dropped = observed.iter().filter(|one| matches!(one, Observation::Dropped { .. }));
    let dropped_count = dropped.count();
    ([a, b], dropped_count)
}

#[test]
fn of_two_concurrent_writes_a_clock_drops_the_same_everywhere_and_counts_it() {
    let (replicas, dropped) = write_at_once(Rules::hardened(), Order::HybridClock);
    for mut replica in replicas {
        replica.check_holds(&[101]);
    }
    assert_eq!(dropped, 2, "once at each replica");
}

#[test]
fn of_two_concurrent_writes_vectors_keep_both_and_the_next_write_joins_them() {
    for (rules, want) in [(Rules::hardened(), &[1, 101][..]), (Rules::mutant("sibling-dropped"), &[101])] {
        let ([mut a, mut b], _) = write_at_once(rules, Order::VersionVector);
        b.check_holds(want);
        a.check_holds(want);
        a.ask(WRITE);
        let joined: Vec<u64> =
            want.iter().chain(&[a.asked]).copied().collect::<BTreeSet<_>>().into_iter().collect();
        a.check_holds(&joined);
    }
}

#[test]
fn a_stamp_too_far_ahead_is_refused() {
    for (rules, want) in [(Rules::hardened(), &[][..]), (Rules::of(crate::rules::Variant::Naive), &[1])] {
        let (mut a, mut b) =
            (Bench::new(rules, Order::HybridClock, 0), Bench::new(rules, Order::HybridClock, 1));
        a.probe.step(11_000_000_000);
        a.ask(WRITE);
        a.tell_all(&mut b);
        b.check_holds(want);
        b.probe.wait(Span::from_seconds(2));
        a.tell_all(&mut b);
        b.check_holds(&[1]);
    }
}

#[test]
fn a_repeated_question_is_written_once_also_after_a_restart() {
    let order = Order::VersionVector;
    let mut a = Bench::new(Rules::hardened(), order, 0);
    a.ask(WRITE);
    a.ask_again(WRITE);
    assert_eq!(a.disk.len(), 1);
    let mut again = Bench::new(Rules::hardened(), order, 0);
    again.probe.ask(|context, fx| again.replica.start(&a.disk, context, fx));
    again.done();
    again.asked = a.asked;
    again.ask_again(WRITE);
    assert!(again.disk.is_empty());
    again.check_holds(&[1]);
}

#[test]
fn answers_wait_for_the_disk() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("written-before-sync"), 1)] {
        let mut a = Bench::new(rules, Order::HybridClock, 0);
        let ask = Ask { request: RequestKey(1), call: WRITE, mark: Mark::default() };
        a.probe.ask(|context, fx| a.replica.message(NodeId(CLIENT), Message::Ask(ask), context, fx));
        assert_eq!(a.probe.done().sent.len(), want);
    }
}

#[test]
fn what_is_not_durable_is_not_passed_on() {
    let mut a = Bench::new(Rules::hardened(), Order::HybridClock, 0);
    let ask = Ask { request: RequestKey(1), call: WRITE, mark: Mark::default() };
    a.probe.ask(|context, fx| a.replica.message(NodeId(CLIENT), Message::Ask(ask), context, fx));
    let syncing = a.probe.done().synced[0];
    a.probe.ask(|_, fx| a.replica.timer(GOSSIP, fx));
    assert!(a.probe.done().sent.is_empty());
    a.probe.ask(|_, fx| a.replica.synced(syncing, fx));
    a.done();
    a.probe.ask(|_, fx| a.replica.timer(GOSSIP, fx));
    assert_eq!(a.done().names(), ["gossip"]);
}

#[test]
fn a_record_is_replaced_only_if_it_holds_what_the_session_found() {
    let mut a = Bench::new(Rules::hardened(), Order::HybridClock, 0);
    let replace = Call::Replace { record: 0 };
    assert_eq!(a.ask(replace), Answer::Replaced { record: 0, value: 1 });
    assert_eq!(a.ask_again(replace), Answer::Replaced { record: 0, value: 1 });
    a.mark = Mark::default();
    assert_eq!(a.ask(replace), Answer::Mismatch);
    assert_eq!(a.ask(Call::Look { record: 0 }), Answer::Found { record: 0, value: Some(1) });
    assert_eq!(a.ask(replace), Answer::Replaced { record: 0, value: 4 });
}

#[test]
fn compare_and_apply_are_one_step() {
    for (rules, second) in [(Rules::hardened(), false), (Rules::mutant("compare-then-apply"), true)] {
        let mut a = Bench::new(rules, Order::HybridClock, 0);
        for request in [1, 2] {
            let call = Call::Replace { record: 0 };
            let ask = Ask { request: RequestKey(request), call, mark: Mark::default() };
            a.probe.ask(|context, fx| a.replica.message(NodeId(CLIENT), Message::Ask(ask), context, fx));
        }
        let done = a.done();
        let replaced = |(_, message): &&(NodeId, Message)| {
            matches!(message, Message::Answer(Reply { answer: Answer::Replaced { .. }, .. }))
        };
        assert_eq!(done.sent.iter().filter(replaced).count(), 1 + usize::from(second));
    }
}

#[test]
fn what_is_not_there_has_a_definite_answer() {
    let mut a = Bench::new(Rules::hardened(), Order::HybridClock, 0);
    let elsewhere = Call::Look { record: 1 };
    for call in
        [Call::Read { register: 2 }, Call::Write { register: 2 }, Call::Replace { record: 2 }, elsewhere]
    {
        assert_eq!(a.ask(call), Answer::NotFound);
    }
}
