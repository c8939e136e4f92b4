//! Every decision of the lock, the hardened side beside the mutant.

use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions;

const LEASE: Span = Span::from_ms(1_000);
const RESOURCE: NodeId = NodeId(1);
const PATIENCE: Patience =
    Patience { timeout: Span::from_ms(200), backoff: Span::from_ms(50), deadline: Span::from_ms(3_000) };
const SHAPE: Shape = Shape {
    holder_count: 2,
    resource_count: 1,
    lock_count: 1,
    lease: LEASE,
    write_every: Span::from_ms(100),
    patience: PATIENCE,
};

struct Bench {
    server: Server,
    probe: Probe<Member>,
    /// Records on its disk.
    disk_len: usize,
}

impl Bench {
    fn new(rules: Rules) -> Self {
        Self { server: Server::new(rules, 1, LEASE), probe: Probe::new(Span::ZERO), disk_len: 0 }
    }

    /// What the server does with a message, its syncs being done at once.
    #[track_caller]
    fn check(&mut self, from: u32, message: &Message, want: &[Message]) {
        self.probe.ask(|context, fx| self.server.message(NodeId(from), message, context, fx));
        let mut done = self.probe.done();
        self.disk_len = done.rewritten.as_ref().map_or(self.disk_len + done.written.len(), Vec::len);
        while let Some(token) = done.synced.pop() {
            self.probe.ask(|_, fx| self.server.synced(token, fx));
            done.sent.extend(self.probe.done().sent);
        }
        let sent = done.sent.iter().map(|(_, message)| format!("{message:?}"));
        assert!(sent.eq(want.iter().map(|message| format!("{message:?}"))), "{:?}", done.sent);
    }
}

const fn acquire(request: u64) -> Message {
    Message::Acquire { request: RequestKey(request), lock: 0 }
}

const fn granted(request: u64, token: u64) -> Message {
    Message::Granted { request: RequestKey(request), token }
}

const fn held(request: u64) -> Message {
    Message::Held { request: RequestKey(request) }
}

#[test]
fn one_holds_the_lock_until_its_lease_ends_and_who_asks_again_is_told_again() {
    let mut bench = Bench::new(Rules::hardened());
    bench.check(5, &acquire(1), &[granted(1, 1)]);
    bench.check(6, &acquire(2), &[held(2)]);
    bench.check(5, &acquire(1), &[granted(1, 1)]);
    bench.probe.wait(LEASE);
    bench.check(6, &acquire(2), &[granted(2, 2)]);
}

#[test]
fn a_released_lock_is_granted_with_a_new_token_and_an_old_release_releases_nothing() {
    for (rules, second) in [(Rules::hardened(), 2), (Rules::mutant("token-reused"), 1)] {
        let mut bench = Bench::new(rules);
        bench.check(5, &acquire(1), &[granted(1, 1)]);
        bench.check(5, &Message::Release { lock: 0, token: 1 }, &[]);
        bench.check(6, &acquire(2), &[granted(2, second)]);
    }
    let mut bench = Bench::new(Rules::hardened());
    bench.check(5, &acquire(1), &[granted(1, 1)]);
    bench.probe.wait(LEASE);
    bench.check(6, &acquire(2), &[granted(2, 2)]);
    bench.check(5, &Message::Release { lock: 0, token: 1 }, &[]);
    bench.check(5, &acquire(3), &[held(3)]);
}

#[test]
fn a_grant_is_told_once_it_is_durable() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("grant-before-sync"), 1)] {
        let mut bench = Bench::new(rules);
        bench.probe.ask(|context, fx| bench.server.message(NodeId(5), &acquire(1), context, fx));
        assert_eq!(bench.probe.done().sent.len(), want);
    }
}

#[test]
fn a_lock_found_on_disk_is_held_for_a_whole_lease() {
    let mut bench = Bench::new(Rules::hardened());
    let grant = Grant { lock: 0, token: 4, holder: NodeId(5), request: RequestKey(1) };
    bench.probe.ask(|context, fx| bench.server.start(&[Record::Granted(grant)], context, fx));
    let token = bench.probe.done().synced[0];
    bench.probe.ask(|_, fx| bench.server.synced(token, fx));
    bench.check(6, &acquire(2), &[held(2)]);
    bench.probe.wait(LEASE);
    bench.check(6, &acquire(2), &[granted(2, 5)]);
}

#[test]
fn an_unknown_lock_is_a_definite_answer() {
    let ask = Message::Acquire { request: RequestKey(1), lock: 7 };
    Bench::new(Rules::hardened()).check(5, &ask, &[Message::NoSuchLock { request: RequestKey(1) }]);
}

#[test]
fn the_server_keeps_a_bounded_number_of_records() {
    let mut bench = Bench::new(Rules::hardened());
    for round in 1..2_000 {
        bench.check(5, &acquire(round), &[granted(round, round)]);
        bench.check(5, &Message::Release { lock: 0, token: round }, &[]);
    }
    assert!(bench.disk_len <= 513, "{}", bench.disk_len);
}

/// A holder that was granted its lock `after` it had asked.
fn granted_after(rules: Rules, after: Span) -> (Holder, Probe<Member>, Done<Member>) {
    let resources: Arc<[NodeId]> = Arc::new([RESOURCE]);
    let mut holder = Holder::new(rules, NodeId(0), resources, SHAPE);
    let mut probe = Probe::new(Span::ZERO);
    probe.ask(|context, fx| holder.request(Task { lock: 0, writes: 2 }, context, fx));
    let asked = probe.done();
    let [(_, Message::Acquire { request, .. })] = asked.sent[..] else { panic!("{:?}", asked.sent) };
    probe.wait(after);
    probe.ask(|context, fx| holder.message(&Message::Granted { request, token: 3 }, context, fx));
    let done = probe.done();
    (holder, probe, done)
}

#[test]
fn a_holder_writes_under_its_token_and_gives_the_lock_back() {
    let (mut holder, mut probe, done) = granted_after(Rules::hardened(), Span::ZERO);
    assert_eq!(done.names(), ["write"]);
    for (number, want) in [(1, "write"), (2, "release")] {
        let write = FencedWrite { lock: 0, token: 3, number };
        let reply = FencedReply { write, fate: crate::coordination::fenced::Fate::Written };
        probe.ask(|context, fx| holder.message(&Message::Wrote(reply), context, fx));
        probe.wait(SHAPE.write_every).ask(|context, fx| holder.timer(context, fx));
        assert_eq!(probe.done().names(), [want]);
    }
}

#[test]
fn a_lease_counts_from_the_question_and_not_from_the_answer() {
    for (rules, want) in [(Rules::hardened(), "release"), (Rules::of(crate::rules::Variant::Naive), "write")]
    {
        let (_, _, done) = granted_after(rules, LEASE);
        assert_eq!(done.names(), [want]);
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_lengthen_a_lease() {
    for (rules, want) in [(Rules::hardened(), "release"), (Rules::of(crate::rules::Variant::Naive), "write")]
    {
        let (mut holder, mut probe, _) = granted_after(rules, Span::ZERO);
        probe.wait(LEASE).step(-500_000_000).ask(|context, fx| holder.timer(context, fx));
        assert_eq!(probe.done().names(), [want]);
    }
}

#[test]
fn a_fenced_holder_knows_that_it_has_lost_the_lock() {
    let (mut holder, mut probe, _) = granted_after(Rules::hardened(), Span::ZERO);
    let write = FencedWrite { lock: 0, token: 3, number: 1 };
    let reply = FencedReply { write, fate: crate::coordination::fenced::Fate::Fenced };
    probe.ask(|context, fx| holder.message(&Message::Wrote(reply), context, fx));
    let done = probe.done();
    let lost = |one: &Observation| {
        matches!(
            one,
            Observation::Task(Operation::Returned { answer: Some((_, Ending::Lost { writes: 0 })), .. })
        )
    };
    assert!(done.observed.iter().any(lost), "{:?}", done.observed);
}

#[test]
fn a_holder_refuses_what_it_has_no_room_for() {
    let (mut holder, mut probe, _) = granted_after(Rules::hardened(), Span::ZERO);
    let mut refused = 0;
    for _ in 0..100 {
        probe.ask(|context, fx| holder.request(Task { lock: 0, writes: 1 }, context, fx));
        refused += probe.done().observed.len() - 1;
    }
    assert_eq!(refused, 36);
}
