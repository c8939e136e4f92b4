//! Every decision of the workflow, the hardened side beside the mutant.

use super::*;
use crate::probe::{Done, Probe};
use crate::rules::Decisions;

const RETRY: Span = Span::from_ms(200);
const TICK: sim::node::TimerKey = sim::node::TimerKey(0);
const CLIENT: u32 = 5;
const W: RequestKey = RequestKey(7);
const TRANSFER: Transfer = Transfer { from: 0, to: 1, amount: 30 };

struct Bench {
    member: Member,
    probe: Probe<Member>,
}

impl Bench {
    fn orchestrator(rules: Rules) -> Self {
        let keepers = Arc::new([NodeId(1), NodeId(2)]);
        Self::of(Member::Orchestrator(Orchestrator::new(rules, keepers, 4, RETRY)))
    }

    fn accounts(rules: Rules) -> Self {
        Self::of(Member::Accounts(Accounts::new(rules, 100)))
    }

    fn of(member: Member) -> Self {
        Self { member, probe: Probe::new(Span::ZERO) }
    }

    /// What one input does, all syncs included.
    fn all(&mut self, input: InputOf<Member>) -> Done<Member> {
        self.probe.ask(|context, fx| self.member.handle(input, context, fx));
        let mut done = self.probe.done();
        while let Some(token) = done.synced.pop() {
            self.probe.ask(|context, fx| self.member.handle(Input::Synced(token), context, fx));
            let next = self.probe.done();
            done.sent.extend(next.sent);
            done.observed.extend(next.observed);
            done.synced.extend(next.synced);
        }
        done
    }

    fn tell(&mut self, from: u32, message: Message) -> Done<Member> {
        self.all(Input::Message { from: NodeId(from), message })
    }

    fn ask(&mut self, request: u64, call: Call) -> Done<Member> {
        self.tell(CLIENT, Message::Ask(Ask { request: RequestKey(request), call, mark: () }))
    }

    #[track_caller]
    fn check_status(&mut self, want: Answer) {
        let done = self.ask(99, Call::Status { workflow: W });
        assert!(
            matches!(done.sent[..], [(_, Message::Answer(Reply { answer, .. }))] if answer == want),
            "{want:?}: {:?}",
            done.sent
        );
    }

    /// Something came of a step; what is asked for next, of whom.
    fn stepped(&mut self, step: u32, direction: Direction, outcome: Outcome) -> Vec<(u32, i64)> {
        asked(&self.tell(1, Message::Applied { key: key(step, direction), outcome }))
    }

    fn apply(&mut self, step: u32, direction: Direction, amount: i64) -> Vec<Outcome> {
        let apply = Message::Apply { key: key(step, direction), account: 0, amount };
        let outcome = |(_, message): &(NodeId, Message)| match message {
            Message::Applied { outcome, .. } => Some(*outcome),
            _ => None,
        };
        self.tell(0, apply).sent.iter().filter_map(outcome).collect()
    }
}

const fn key(step: u32, direction: Direction) -> StepKey {
    StepKey { workflow: W, step, direction }
}

fn asked(done: &Done<Member>) -> Vec<(u32, i64)> {
    let step = |(_, message): &(NodeId, Message)| match message {
        Message::Apply { account, amount, .. } => Some((*account, *amount)),
        _ => None,
    };
    done.sent.iter().filter_map(step).collect()
}

#[test]
fn a_transfer_is_in_progress_and_then_completed() {
    let mut bench = Bench::orchestrator(Rules::hardened());
    bench.check_status(Answer::NotFound);
    assert_eq!(asked(&bench.ask(W.0, Call::Transfer(TRANSFER))), [(0, -30)]);
    assert_eq!(bench.stepped(0, Direction::Forward, Outcome::Done), [(1, 30)]);
    bench.check_status(Answer::Known(State::InProgress));
    assert_eq!(bench.stepped(1, Direction::Forward, Outcome::Done), []);
    bench.check_status(Answer::Known(State::Completed));
    assert_eq!(bench.stepped(0, Direction::Forward, Outcome::Done), [], "an old answer changes nothing");
}

#[test]
fn a_refused_credit_takes_the_debit_back_and_a_refused_debit_nothing() {
    let mut bench = Bench::orchestrator(Rules::hardened());
    bench.ask(W.0, Call::Transfer(TRANSFER));
    bench.stepped(0, Direction::Forward, Outcome::Done);
    assert_eq!(bench.stepped(1, Direction::Forward, Outcome::Refused), [(0, 30)]);
    bench.check_status(Answer::Known(State::InProgress));
    assert_eq!(bench.stepped(0, Direction::Back, Outcome::Done), []);
    bench.check_status(Answer::Known(State::Compensated));
    let mut bench = Bench::orchestrator(Rules::hardened());
    bench.ask(W.0, Call::Transfer(TRANSFER));
    assert_eq!(bench.stepped(0, Direction::Forward, Outcome::Refused), []);
    bench.check_status(Answer::Known(State::Compensated));
}

#[test]
fn a_replayed_log_goes_on_with_the_step_whose_end_it_does_not_know() {
    let begun = Record::Begun { workflow: W, transfer: TRANSFER };
    let done = Record::Stepped { key: key(0, Direction::Forward), outcome: Outcome::Done };
    for (disk, want) in [(vec![begun], (0, -30)), (vec![begun, done], (1, 30))] {
        let mut bench = Bench::orchestrator(Rules::hardened());
        assert_eq!(asked(&bench.all(Input::Start { disk })), [want]);
        bench.check_status(Answer::Known(State::InProgress));
    }
}

#[test]
fn progress_is_logged_before_it_is_shown() {
    for (rules, want) in [(Rules::hardened(), 0), (Rules::mutant("progress-in-memory"), 2)] {
        let mut bench = Bench::orchestrator(rules);
        let ask = Ask { request: W, call: Call::Transfer(TRANSFER), mark: () };
        let input = Input::Message { from: NodeId(CLIENT), message: Message::Ask(ask) };
        bench.probe.ask(|context, fx| bench.member.handle(input, context, fx));
        assert_eq!(bench.probe.done().sent.len(), want);
    }
}

#[test]
fn no_step_is_asked_for_before_what_it_follows_from_is_durable() {
    let mut bench = Bench::orchestrator(Rules::hardened());
    bench.all(Input::Start { disk: Vec::new() });
    let message = Message::Ask(Ask { request: W, call: Call::Transfer(TRANSFER), mark: () });
    let begin = Input::Message { from: NodeId(CLIENT), message };
    for input in [begin, Input::Timer(TICK)] {
        bench.probe.ask(|context, fx| bench.member.handle(input, context, fx));
    }
    assert!(asked(&bench.probe.done()).is_empty());
}

#[test]
fn a_silent_step_is_asked_for_again_and_not_taken_for_done() {
    for (rules, want) in [
        (Rules::hardened(), Answer::Known(State::InProgress)),
        (Rules::mutant("completes-on-timeout"), Answer::Known(State::Completed)),
    ] {
        let mut bench = Bench::orchestrator(rules);
        bench.ask(W.0, Call::Transfer(TRANSFER));
        for _ in 0..10 {
            bench.probe.wait(RETRY);
            bench.all(Input::Timer(TICK));
        }
        bench.check_status(want);
    }
}

#[test]
fn a_transfer_to_nowhere_to_itself_or_of_nothing_is_refused() {
    for transfer in [
        Transfer { to: 4, ..TRANSFER },
        Transfer { from: 9, ..TRANSFER },
        Transfer { to: 0, ..TRANSFER },
        Transfer { amount: 0, ..TRANSFER },
    ] {
        let done = Bench::orchestrator(Rules::hardened()).ask(W.0, Call::Transfer(transfer));
        assert!(
            matches!(done.sent[..], [(_, Message::Answer(Reply { answer: Answer::Invalid, .. }))]),
            "{:?}",
            done.sent
        );
    }
}

#[test]
fn a_step_is_done_once_however_often_it_is_asked_for() {
    for (rules, third) in
        [(Rules::hardened(), Outcome::Done), (Rules::mutant("no-step-keys"), Outcome::Refused)]
    {
        let mut bench = Bench::accounts(rules);
        let outcomes: Vec<_> = (0..3).flat_map(|_| bench.apply(0, Direction::Forward, -40)).collect();
        // Three times 40 is more than there is.
        assert_eq!(outcomes, [Outcome::Done, Outcome::Done, third]);
    }
}

#[test]
fn a_refusal_stands_also_when_there_would_be_room_later() {
    for (rules, want) in
        [(Rules::hardened(), Outcome::Refused), (Rules::mutant("refusal-forgotten"), Outcome::Done)]
    {
        let mut bench = Bench::accounts(rules);
        assert_eq!(bench.apply(0, Direction::Forward, -130), [Outcome::Refused]);
        assert_eq!(bench.apply(1, Direction::Forward, 60), [Outcome::Done]);
        assert_eq!(bench.apply(0, Direction::Forward, -130), [want]);
    }
}

#[test]
fn taking_back_is_never_refused() {
    let mut bench = Bench::accounts(Rules::hardened());
    assert_eq!(bench.apply(1, Direction::Forward, 100), [Outcome::Done]);
    assert_eq!(bench.apply(0, Direction::Forward, 1), [Outcome::Refused]);
    assert_eq!(bench.apply(0, Direction::Back, 1), [Outcome::Done]);
}

#[test]
fn steps_and_their_keys_survive_a_restart_and_are_shown_again_once_durable() {
    let applied = Applied {
        serial: 3,
        key: key(0, Direction::Forward),
        account: 0,
        amount: -90,
        outcome: Outcome::Done,
    };
    let mut bench = Bench::accounts(Rules::hardened());
    let done = bench.all(Input::Start { disk: vec![Record::Applied(applied)] });
    assert!(matches!(done.observed[..], [Observation::Applied(found)] if found == applied));
    assert_eq!(bench.apply(0, Direction::Forward, -90), [Outcome::Done]);
    assert_eq!(bench.apply(1, Direction::Forward, -20), [Outcome::Refused]);
}
