//! What commands make of the journal, however they are cut into snapshots, and what late and repeated ones come to.

use super::*;
use crate::counter::slot::{Program, Slot};
use crate::ids::{AppendNumber, Epoch, OrderId, RequestKey, Sequence, Version};
use crate::message::{Answer, Call, Ground};
use crate::rules::Decisions as _;

const SLOT: SlotId = SlotId(0);

fn event(request: u64) -> Event {
    let call = Call::Reserve { slot: SLOT, order: OrderId(request), units: 1 };
    let answer = Answer::Accepted(Ground { limit: 10, version: Version(1) });
    Event { request: RequestKey(request), call, answer }
}

const fn open(nonce: u64) -> Question {
    Question::Open { slot: SLOT, nonce, form: 0 }
}

fn append(epoch: u32, expected: u32, requests: &[u64]) -> Question {
    let (epoch, number, expected) = (Epoch(epoch), AppendNumber(0), Sequence(expected));
    let place = Place { slot: SLOT, epoch, number, expected };
    let events = requests.iter().map(|request| event(*request)).collect();
    Question::Append { place, events, condition: Condition::NewestOwner }
}

/// What each question comes to, one after the other; and the requests in the journal then.
#[track_caller]
fn check(questions: &[(Question, Outcome)], want: &[u64]) {
    let mut journal = Journal::new();
    for (question, outcome) in questions {
        assert_eq!(question.apply(&mut journal), *outcome, "{question:?}");
    }
    let found: Vec<_> = journal.entries().iter().map(|entry| entry.event.request.0).collect();
    assert_eq!(found, want);
}

use Outcome::{Refused, Repeated, Taken};

#[test]
fn an_append_that_is_decided_twice_is_there_once() {
    let twice = [(append(1, 0, &[5]), Taken), (append(1, 0, &[5]), Repeated), (append(1, 1, &[6]), Taken)];
    let opened = [(open(7), Taken)];
    check(&[&opened[..], &twice[..], &[(append(1, 0, &[5]), Repeated)]].concat(), &[5, 6]);
}

#[test]
fn an_append_that_is_decided_after_another_owner_took_over_is_refused() {
    let questions =
        [(open(7), Taken), (open(8), Taken), (append(1, 0, &[5]), Refused), (append(2, 0, &[6]), Taken)];
    check(&questions, &[6]);
}

#[test]
fn a_slot_that_is_opened_twice_with_one_nonce_has_one_epoch_unless_another_owner_came_between() {
    check(&[(open(7), Taken), (open(7), Taken), (append(1, 0, &[5]), Taken)], &[5]);
    let late = [(open(7), Taken), (open(8), Taken), (open(7), Taken), (append(2, 0, &[5]), Refused)];
    check(&[&late[..], &[(append(1, 0, &[5]), Refused), (append(3, 0, &[6]), Taken)]].concat(), &[6]);
}

#[test]
fn a_confirmation_that_is_decided_after_a_later_append_confirms_nothing() {
    check(&[(append(0, 0, &[]), Taken), (append(0, 0, &[5]), Taken), (append(0, 0, &[]), Refused)], &[5]);
}

fn queue(request: u64) -> Question {
    Question::Queue { slot: SLOT, number: AppendNumber(0), commands: [event(request)].into() }
}

#[test]
fn a_command_of_a_stream_is_there_as_often_as_it_is_decided_whoever_owns_the_slot() {
    check(&[(queue(5), Taken), (open(7), Taken), (queue(6), Taken), (queue(5), Taken)], &[5, 6, 5]);
}

/// What the owner of that epoch says the first `count` events made.
fn snapshot(epoch: u32, count: u64) -> Question {
    let events: Vec<_> = (5..5 + count).map(event).collect();
    let rules = Rules::hardened();
    let image = Slot::of(&events, Program::default(), &rules).unwrap().image(&rules);
    Question::Snapshot { slot: SLOT, epoch: Epoch(epoch), image: Arc::new(image) }
}

#[test]
fn a_snapshot_is_taken_from_the_newest_owner_and_only_of_what_is_decided() {
    let opened = [(open(7), Taken), (append(1, 0, &[5, 6]), Taken)];
    for (told, outcome) in [
        (snapshot(1, 2), Taken),
        (snapshot(1, 3), Refused),
        (snapshot(0, 2), Refused),
        (snapshot(2, 2), Refused),
    ] {
        check(&[&opened[..], &[(told, outcome)]].concat(), &[5, 6]);
    }
    let again = [(snapshot(1, 2), Taken), (snapshot(1, 1), Repeated), (snapshot(1, 2), Repeated)];
    check(&[&opened[..], &again].concat(), &[5, 6]);
}

fn commands() -> Vec<Command> {
    let via = Via { node: NodeId(1), life: 1 };
    let questions = [
        open(7),
        append(1, 0, &[5, 6]),
        append(1, 0, &[5, 6]),
        open(8),
        append(1, 2, &[7]),
        append(2, 2, &[8]),
        snapshot(2, 2),
        Question::Read { slot: SLOT, nonce: 3 },
        append(2, 2, &[8]),
        queue(9),
        queue(9),
    ];
    questions.map(|question| Command { via, asker: NodeId(3), question }).to_vec()
}

#[test]
fn commands_that_are_put_behind_a_snapshot_which_has_them_are_not_done_again() {
    let commands = commands();
    let whole = Image::create(&commands).into_journal();
    for first in 0..=commands.len() {
        for from in 0..=first {
            let mut image = Image::create(&commands[..first]);
            image.merge(Image::create(&commands[from..]));
            image.settle_at(commands.len());
            assert_eq!(image.into_journal(), whole, "{first} were there, and those from {from} on came");
        }
    }
}

#[test]
fn snapshots_of_the_parts_are_the_snapshot_of_the_whole_wherever_it_is_cut() {
    let commands = commands();
    let whole = Image::create(&commands).into_journal();
    assert_eq!(whole.entries().len(), 5);
    for first in 0..=commands.len() {
        for second in first..=commands.len() {
            let mut image = Image::create(&commands[..first]);
            image.merge(Image::create(&commands[first..second]));
            image.merge(Image::create(&commands[second..]));
            assert_eq!(image.into_journal(), whole, "cut at {first} and {second}");
        }
    }
}
