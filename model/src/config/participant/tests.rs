//! What a participant may do between its agreement and the outcome.

use super::*;
use crate::config::Member;
use crate::config::message::{ConfigVersion, Payload};
use crate::config::switch::Ruling;
use crate::ids::Version;
use crate::probe::Probe;
use crate::rules::Decisions as _;

const STORE: NodeId = NodeId(0);
const START: Span = Span::from_seconds(3);

type Bench = (Participant, Probe<Member>);

fn version(number: u32, start_at: Span) -> ConfigVersion {
    let payload = Payload { limit: 1, delay: Span::ZERO, include_mood: false };
    ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
}

fn proposal(round: u64) -> Proposal {
    Proposal { round, version: version(2, START) }
}

fn tell((participant, probe): &mut Bench, message: &Message) {
    probe.ask(|context, fx| participant.message(message, context, fx));
}

/// A participant that has not been answered yet.
fn started(rules: Rules) -> Bench {
    let setup = ParticipantSetup { store: STORE, ask_every: Span::from_seconds(1) };
    let (mut participant, mut probe) = (Participant::new(rules, setup), Probe::new(Span::ZERO));
    probe.ask(|context, fx| participant.start(&[], context, fx));
    (participant, probe)
}

/// A participant that knows version 1, and of a round if there is one.
fn joined(rules: Rules, proposed: Option<Proposal>) -> Bench {
    let mut bench = started(rules);
    let question = bench.0.joining.unwrap();
    tell(&mut bench, &Message::Versions { question, versions: [version(1, Span::ZERO)].into(), proposed });
    bench.1.done();
    bench
}

/// The number of the version that it works under; 0 if it refuses.
fn works_under((participant, probe): &mut Bench) -> u32 {
    loop {
        let ruling = probe.ask(|context, fx| participant.switch.rule(context, fx));
        for token in probe.done().synced {
            participant.switch.synced(token);
        }
        match ruling {
            Ruling::Switching => {}
            Ruling::Use(version) => return version.version.0,
            _ => return 0,
        }
    }
}

#[test]
fn a_prepared_process_that_missed_the_decision_refuses_until_it_learns_it() {
    for (outcome, want) in [(Outcome::Committed, 2), (Outcome::Aborted, 1)] {
        for (rules, unsure) in [(Rules::hardened(), 0), (Rules::mutant("decision-guessed"), 2)] {
            let mut bench = joined(rules, None);
            tell(&mut bench, &Message::Prepare { proposal: proposal(7) });
            assert_eq!(bench.1.done().names(), ["prepared"]);
            assert_eq!(works_under(&mut bench), 1, "nothing has started yet");
            bench.1.wait(START);
            assert_eq!(works_under(&mut bench), unsure);
            bench.1.ask(|context, fx| bench.0.tick(context, fx));
            assert_eq!(bench.1.done().names(), ["ask-decision"]);
            tell(&mut bench, &Message::Decided { proposal: proposal(7), outcome });
            if unsure == 0 {
                assert_eq!(works_under(&mut bench), want);
            }
        }
    }
}

#[test]
fn a_late_outcome_of_another_round_decides_nothing() {
    let mut bench = joined(Rules::hardened(), None);
    tell(&mut bench, &Message::Prepare { proposal: proposal(7) });
    tell(&mut bench, &Message::Prepare { proposal: proposal(8) });
    tell(&mut bench, &Message::Decided { proposal: proposal(7), outcome: Outcome::Aborted });
    bench.1.wait(START);
    assert_eq!(works_under(&mut bench), 0);
}

#[test]
fn who_joins_knows_of_the_round_under_way() {
    let mut bench = joined(Rules::hardened(), Some(proposal(7)));
    assert_eq!(works_under(&mut bench), 1);
    bench.1.wait(START);
    assert_eq!(works_under(&mut bench), 0);
}

#[test]
fn who_has_not_joined_refuses_and_believes_no_answer_to_another_question() {
    let mut bench = started(Rules::hardened());
    assert_eq!(bench.1.done().names(), ["read-versions"]);
    let question = Question { nonce: 0, ..bench.0.joining.unwrap() };
    tell(
        &mut bench,
        &Message::Versions { question, versions: [version(1, Span::ZERO)].into(), proposed: None },
    );
    assert_eq!(works_under(&mut bench), 0);
    bench.1.wait(Span::from_seconds(1));
    bench.1.ask(|context, fx| bench.0.tick(context, fx));
    assert_eq!(bench.1.done().names(), ["read-versions"]);
    let mut careless = started(Rules::mutant("joiner-waits"));
    assert!(careless.1.done().names().is_empty(), "it never asks");
}

#[test]
fn no_more_rounds_are_agreed_to_than_can_be_remembered() {
    let mut bench = joined(Rules::hardened(), None);
    for round in 0..=PROPOSALS_MAX as u64 {
        tell(&mut bench, &Message::Prepare { proposal: proposal(round) });
    }
    assert_eq!(bench.1.done().names().len(), PROPOSALS_MAX);
}
