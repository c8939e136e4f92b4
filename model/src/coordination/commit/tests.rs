//! Every decision of two-phase commit, the hardened side beside the mutant.

use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions;

const TIMEOUT: Span = Span::from_ms(200);
const TICK: sim::node::TimerKey = sim::node::TimerKey(0);
const COORDINATOR: u32 = 0;
const CLIENT: u32 = 5;
const T: RequestKey = RequestKey(7);

/// A member on the bench, whose syncs are done at once if the test does not take them.
struct Bench {
    member: Member,
    probe: Probe<Member>,
}

impl Bench {
    fn coordinator(rules: Rules) -> Self {
        let participants = (1..=2).map(NodeId).collect();
        Self::of(Member::Coordinator(Coordinator::new(rules, participants, 3, TIMEOUT)))
    }

    fn participant(rules: Rules) -> Self {
        Self::of(Member::Participant(Participant::new(rules, TIMEOUT)))
    }

    fn of(member: Member) -> Self {
        Self { member, probe: Probe::new(Span::ZERO) }
    }

    /// What one input does, before any sync is done.
    fn input(&mut self, input: InputOf<Member>) -> Done<Member> {
        self.probe.ask(|context, fx| self.member.handle(input, context, fx));
        self.probe.done()
    }

    /// What one input does, all syncs included.
    fn all(&mut self, input: InputOf<Member>) -> Done<Member> {
        let mut done = self.input(input);
        while let Some(token) = done.synced.pop() {
            let next = self.input(Input::Synced(token));
            done.sent.extend(next.sent);
            done.observed.extend(next.observed);
            done.written.extend(next.written);
            done.synced.extend(next.synced);
        }
        done
    }

    fn tell(&mut self, from: u32, message: Message) -> Done<Member> {
        self.all(Input::Message { from: NodeId(from), message })
    }

    fn start(&mut self, disk: Vec<Record>) -> Done<Member> {
        self.all(Input::Start { disk })
    }

    fn tick(&mut self) -> Done<Member> {
        self.probe.wait(TIMEOUT);
        self.all(Input::Timer(TICK))
    }

    fn ask(&mut self, key: u32, participants: &[u32]) -> Done<Member> {
        let call = Transaction { key, participants: participants.to_vec() };
        self.tell(CLIENT, Message::Ask(Ask { request: T, call, mark: () }))
    }
}

/// What was decided about the transaction, by whoever says so.
fn fates(done: &Done<Member>) -> Vec<Fate> {
    let fate = |(_, message): &(NodeId, Message)| match message {
        Message::Decided { fate, .. } => Some(*fate),
        Message::Answer(Reply { answer: Answer::Ended(fate), .. }) => Some(*fate),
        _ => None,
    };
    done.sent.iter().filter_map(fate).collect()
}

const fn prepare(transaction: u64) -> Message {
    Message::Prepare { transaction: RequestKey(transaction), key: 0 }
}

const fn decided(transaction: u64, fate: Fate) -> Message {
    Message::Decided { transaction: RequestKey(transaction), fate }
}

#[test]
fn all_yes_is_a_commit_and_one_no_an_abort() {
    for (second, fate) in
        [(Message::Yes { transaction: T }, Fate::Commit), (Message::No { transaction: T }, Fate::Abort)]
    {
        let mut bench = Bench::coordinator(Rules::hardened());
        assert_eq!(bench.ask(0, &[0, 1]).names(), ["prepare", "prepare"]);
        assert!(bench.tell(1, Message::Yes { transaction: T }).sent.is_empty());
        assert_eq!(fates(&bench.tell(2, second)), [fate; 3]);
        assert_eq!(fates(&bench.ask(0, &[0, 1])), [fate], "a repeated question gets the first answer");
    }
}

#[test]
fn silence_is_no_consent() {
    for (rules, fate) in
        [(Rules::hardened(), Fate::Abort), (Rules::mutant("silence-is-consent"), Fate::Commit)]
    {
        let mut bench = Bench::coordinator(rules);
        bench.ask(0, &[0, 1]);
        bench.tell(1, Message::Yes { transaction: T });
        assert_eq!(fates(&bench.tick()), [fate; 3]);
    }
}

#[test]
fn a_decision_is_told_once_it_is_durable_and_told_until_all_have_heard() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("decision-not-logged"), 2)] {
        let mut bench = Bench::coordinator(rules);
        bench.ask(0, &[0]);
        let yes = Message::Yes { transaction: T };
        let done = bench.input(Input::Message { from: NodeId(1), message: yes });
        assert_eq!(fates(&done).len(), want);
        if let Some(token) = done.synced.first() {
            bench.all(Input::Synced(*token));
        }
        assert_eq!(fates(&bench.tick()), [Fate::Commit]);
        bench.tell(1, Message::Heard { transaction: T });
        assert!(bench.tick().sent.is_empty());
    }
}

#[test]
fn what_was_begun_and_not_decided_is_aborted_after_a_crash_and_what_was_decided_is_told() {
    let begun = Record::Begun { transaction: T, participants: Arc::new([NodeId(1)]) };
    let commit = Record::Decided { transaction: T, fate: Fate::Commit };
    let finished = Record::Finished { transaction: T };
    for (disk, want) in [
        (vec![begun.clone()], vec![Fate::Abort]),
        (vec![begun.clone(), commit.clone()], vec![Fate::Commit]),
        (vec![begun, commit, finished], vec![]),
    ] {
        let mut bench = Bench::coordinator(Rules::hardened());
        assert_eq!(fates(&bench.start(disk)), want);
        assert_eq!(fates(&bench.tell(1, Message::Inquire { transaction: T })).len(), 1);
    }
}

#[test]
fn what_names_nobody_somebody_twice_or_what_does_not_exist_is_refused() {
    for (key, participants) in [(0, &[][..]), (0, &[1, 1]), (0, &[2]), (3, &[0])] {
        let done = Bench::coordinator(Rules::hardened()).ask(key, participants);
        let is_invalid =
            |message: &Message| matches!(message, Message::Answer(Reply { answer: Answer::Invalid, .. }));
        assert!(matches!(&done.sent[..], [(_, message)] if is_invalid(message)), "{:?}", done.sent);
    }
}

#[test]
fn a_locked_key_is_a_no_that_stays_one() {
    let mut bench = Bench::participant(Rules::hardened());
    assert_eq!(bench.tell(COORDINATOR, prepare(1)).names(), ["yes"]);
    assert_eq!(bench.tell(COORDINATOR, prepare(2)).names(), ["no"]);
    assert_eq!(bench.tell(COORDINATOR, decided(1, Fate::Commit)).names(), ["heard"]);
    assert!(bench.tell(COORDINATOR, prepare(2)).sent.is_empty(), "a doubled question finds the key free");
    assert_eq!(bench.tell(COORDINATOR, prepare(3)).names(), ["yes"]);
}

#[test]
fn a_vote_is_on_disk_before_it_is_given() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("vote-not-logged"), 1)] {
        let mut bench = Bench::participant(rules);
        let done = bench.input(Input::Message { from: NodeId(COORDINATOR), message: prepare(7) });
        assert_eq!((done.sent.len(), done.written.len()), (want, 1 - want));
    }
}

#[test]
fn who_forgot_its_vote_aborts_what_others_commit() {
    for (disk, fate) in [
        (vec![Record::Prepared { transaction: T, key: 0, coordinator: NodeId(COORDINATOR) }], Fate::Commit),
        (vec![], Fate::Abort),
    ] {
        let mut bench = Bench::participant(Rules::hardened());
        bench.start(disk);
        let done = bench.tell(COORDINATOR, decided(T.0, Fate::Commit));
        let want = format!("{:?}", Observation::Acted { transaction: T, fate });
        assert_eq!(format!("{:?}", done.observed[0]), want);
    }
}

#[test]
fn who_is_in_doubt_asks_and_waits() {
    for (rules, want) in [(Rules::hardened(), "inquire"), (Rules::mutant("aborts-alone"), "heard")] {
        let mut bench = Bench::participant(rules);
        bench.tell(COORDINATOR, prepare(7));
        assert_eq!(bench.tick().names(), ["inquire"]);
        bench.probe.wait(Span::from_seconds(60));
        assert_eq!(bench.tick().names(), [want]);
    }
}
