//! What a store commits, when, and what it tells to whom.

use sim::time::LocalTime;

use super::*;
use crate::config::Member;
use crate::config::message::Payload;
use crate::config::rounds::RoundsSetup;
use crate::config::watchers::WatchersSetup;
use crate::probe::Probe;
use crate::rules::Decisions as _;

const LEAD: Span = Span::from_seconds(5);
const PUBLISHER: NodeId = NodeId(2);
const READER: NodeId = NodeId(3);
const OTHER: NodeId = NodeId(4);
const STANDBY_NODE: NodeId = NodeId(5);

type Bench = (Store<Record>, Probe<Member>);

fn version(number: u32, start_at: Span) -> ConfigVersion {
    let payload = Payload { limit: 1, delay: Span::ZERO, include_mood: false };
    ConfigVersion { version: Version(number), start_at: LocalTime::ZERO + start_at, payload }
}

fn setup(initial: Vec<ConfigVersion>) -> StoreSetup {
    let lead = LeadTime { lead: LEAD, ttl_sum: Span::ZERO, delivery: Span::ZERO, clock_bound: Span::ZERO };
    StoreSetup { lead, initial, watchers: None, rounds: None, standby: None }
}

fn bench(rules: Rules, setup: StoreSetup, bound: Span) -> Bench {
    (Store::new(rules, setup), Probe::new(bound))
}

fn tell((store, probe): &mut Bench, from: NodeId, message: &Message) {
    probe.ask(|context, fx| store.message(from, message, context, fx));
}

fn timer((store, probe): &mut Bench, key: TimerKey) {
    probe.ask(|context, fx| store.timer(key, context, fx));
}

/// Every sync so far is done, and those that it leads to; the names of all messages sent since the last look.
fn settle((store, probe): &mut Bench) -> Vec<&'static str> {
    let mut names = Vec::new();
    loop {
        let done = probe.done();
        names.extend(done.names());
        for token in &done.synced {
            probe.ask(|context, fx| store.synced(*token, context, fx));
        }
        if done.synced.is_empty() {
            return names;
        }
    }
}

fn publish(bench: &mut Bench, version: ConfigVersion) -> Vec<&'static str> {
    tell(bench, PUBLISHER, &Message::Publish { version });
    settle(bench)
}

fn read(nonce: u64) -> Message {
    Message::ReadVersions { question: Question { stamp: LocalTime::ZERO, nonce } }
}

/// Why the last publication was refused.
fn refusal(bench: &mut Bench, version: ConfigVersion) -> Option<Refusal> {
    tell(bench, PUBLISHER, &Message::Publish { version });
    let sent = bench.1.done().sent;
    sent.iter().find_map(|(_, message)| match message {
        Message::PublishRefused { why, .. } => Some(*why),
        _ => None,
    })
}

#[test]
fn a_version_that_starts_within_the_lead_time_is_refused() {
    let mut bench = bench(Rules::hardened(), setup(vec![]), Span::from_ms(1));
    assert_eq!(refusal(&mut bench, version(1, LEAD)), Some(Refusal::TooSoon));
    assert_eq!(publish(&mut bench, version(1, LEAD + Span::from_ms(1))), ["published"]);
    let mut naive = self::bench(Rules::mutant("late-publication"), setup(vec![]), Span::from_ms(1));
    assert_eq!(publish(&mut naive, version(1, Span::ZERO)), ["published"]);
}

#[test]
fn a_lead_time_shorter_than_what_is_kept_on_the_way_publishes_nothing() {
    let second = Span::from_seconds(1);
    for (ttl_sum, want) in [(2, None), (3, Some(Refusal::LeadTooShort))] {
        let lead =
            LeadTime { lead: LEAD, ttl_sum: second.times(ttl_sum), delivery: second, clock_bound: second };
        let mut bench = bench(Rules::hardened(), StoreSetup { lead, ..setup(vec![]) }, Span::ZERO);
        assert_eq!(refusal(&mut bench, version(1, LEAD + LEAD)), want);
    }
}

#[test]
fn only_the_next_number_with_a_later_start_is_accepted_and_a_repeat_is_acknowledged_again() {
    let mut bench = bench(Rules::hardened(), setup(vec![version(1, Span::ZERO)]), Span::ZERO);
    assert_eq!(refusal(&mut bench, version(3, LEAD)), Some(Refusal::NotNext));
    assert_eq!(publish(&mut bench, version(2, LEAD)), ["published"]);
    assert_eq!(publish(&mut bench, version(2, LEAD)), ["published"]);
    assert_eq!(refusal(&mut bench, version(3, LEAD)), Some(Refusal::NotNext));
}

#[test]
fn reads_wait_until_a_version_is_durable_and_so_does_another_publication() {
    for (rules, at_once) in
        [(Rules::hardened(), vec![]), (Rules::mutant("checked-before-stall"), vec!["versions"])]
    {
        let mut bench = bench(rules, setup(vec![]), Span::ZERO);
        tell(&mut bench, PUBLISHER, &Message::Publish { version: version(1, LEAD) });
        tell(&mut bench, READER, &read(1));
        let done = bench.1.done();
        assert_eq!(done.names(), at_once);
        assert_eq!(refusal(&mut bench, version(2, LEAD + LEAD)), Some(Refusal::Busy));
        bench.1.ask(|context, fx| bench.0.synced(done.synced[0], context, fx));
        let after = bench.1.done().names();
        assert!(after.starts_with(&["published"]) && after.len() + at_once.len() == 2, "{after:?}");
    }
}

#[test]
fn a_version_that_the_disk_took_too_long_for_is_withdrawn_unless_the_lead_was_checked_before() {
    for (rules, want) in [
        (Rules::hardened(), vec!["publish-refused"]),
        (Rules::mutant("checked-before-stall"), vec!["published"]),
    ] {
        let mut bench = bench(rules, setup(vec![]), Span::ZERO);
        tell(&mut bench, PUBLISHER, &Message::Publish { version: version(1, LEAD) });
        bench.1.wait(Span::from_ms(1));
        assert_eq!(settle(&mut bench), want);
        let is_committed = want == ["published"];
        assert_eq!(bench.0.last(), Version(u32::from(is_committed)));
    }
}

#[test]
fn a_restart_finds_what_was_committed_and_not_what_was_withdrawn() {
    let one = Record::Version(version(1, LEAD));
    let two = Record::Version(version(2, LEAD + LEAD));
    for (found, want) in [
        (vec![one, two], 2),
        (vec![one, two, Record::Withdrawn(Version(2))], 1),
        (vec![one, two, Record::Withdrawn(Version(2)), two], 2),
    ] {
        let mut bench = bench(Rules::hardened(), setup(vec![]), Span::ZERO);
        bench.1.ask(|context, fx| bench.0.start(&found, context, fx));
        tell(&mut bench, READER, &read(1));
        assert_eq!(bench.0.last(), Version(0), "not shown before it is surely durable");
        assert_eq!(settle(&mut bench), ["versions"]);
        assert_eq!(bench.0.last(), Version(want));
    }
}

#[test]
fn a_store_does_not_begin_on_what_a_newer_one_wrote() {
    let mut bench = bench(Rules::hardened(), setup(vec![]), Span::ZERO);
    bench.1.ask(|context, fx| bench.0.start(&[Record::Format(1)], context, fx));
    assert!(bench.1.done().has_halted);
}

#[test]
fn a_fail_over_forgets_what_the_standby_has_not_heard_of() {
    let found = [Record::Version(version(1, LEAD)), Record::Version(version(2, LEAD + LEAD))];
    for (rules, first, want) in
        [(Rules::hardened(), "replicate", 2), (Rules::mutant("failover-forgets"), "take-over", 1)]
    {
        let setup = StoreSetup { standby: Some(STANDBY_NODE), ..setup(vec![]) };
        let mut bench = bench(rules, setup, Span::ZERO);
        bench.1.ask(|context, fx| bench.0.start(&found, context, fx));
        assert_eq!(settle(&mut bench), [first]);
        let versions = [version(1, LEAD)].into();
        tell(&mut bench, STANDBY_NODE, &Message::TakenOver { versions });
        settle(&mut bench);
        assert_eq!(bench.0.last(), Version(want));
    }
}

fn watched(rules: Rules, kept_count: usize) -> Bench {
    let watchers = Some(WatchersSetup { beat_every: Span::from_seconds(1), kept_count });
    let initial =
        vec![version(1, Span::ZERO), version(2, Span::from_seconds(1)), version(3, Span::from_seconds(2))];
    bench(rules, StoreSetup { watchers, ..setup(initial) }, Span::ZERO)
}

/// What a watcher is sent, its numbers alone.
fn watch(bench: &mut Bench, from: Option<u32>) -> (&'static str, u32, Vec<u32>) {
    tell(bench, READER, &Message::Watch { watch: 7, from: from.map(Version) });
    match bench.1.done().sent.as_slice() {
        [(READER, Message::Changed { after, versions, .. })] => {
            ("changed", after.0, versions.iter().map(|version| version.version.0).collect())
        }
        [(READER, Message::Compacted { after, .. })] => ("compacted", after.0, vec![]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_watch_resumes_behind_a_version_unless_that_was_compacted_away() {
    let mut bench = watched(Rules::hardened(), 2);
    assert_eq!(watch(&mut bench, Some(3)), ("changed", 3, vec![]));
    assert_eq!(watch(&mut bench, Some(1)), ("changed", 1, vec![2, 3]));
    assert_eq!(watch(&mut bench, None), ("changed", 3, vec![]));
    assert_eq!(watch(&mut bench, Some(0)), ("compacted", 1, vec![]));
}

#[test]
fn watchers_hear_of_a_version_once_it_is_committed_and_of_none_while_it_is_not() {
    let mut bench = watched(Rules::hardened(), 2);
    watch(&mut bench, Some(3));
    timer(&mut bench, BEAT);
    assert_eq!(bench.1.done().names(), ["alive"]);
    tell(&mut bench, PUBLISHER, &Message::Publish { version: version(4, LEAD) });
    timer(&mut bench, BEAT);
    assert_eq!(settle(&mut bench), ["changed", "published"]);
    timer(&mut bench, BEAT);
    assert_eq!(settle(&mut bench), ["alive"]);
}

fn led(rules: Rules) -> Bench {
    let rounds =
        Some(RoundsSetup { participants: [READER, OTHER].into(), prepare_within: Span::from_seconds(1) });
    bench(rules, StoreSetup { rounds, ..setup(vec![]) }, Span::ZERO)
}

/// The round that everybody is asked to agree to.
fn begin(bench: &mut Bench) -> Proposal {
    tell(bench, PUBLISHER, &Message::Publish { version: version(1, LEAD + LEAD) });
    let done = bench.1.done();
    assert_eq!(done.names(), ["prepare", "prepare"]);
    match done.sent.as_slice() {
        [(READER, Message::Prepare { proposal }), (OTHER, _)] => *proposal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_is_committed_once_everybody_has_agreed() {
    let mut bench = led(Rules::hardened());
    let round = begin(&mut bench).round;
    for (from, round, want) in [
        (READER, round, vec![]),
        (READER, round, vec![]),
        (NodeId(99), round, vec![]),
        (OTHER, round + 1, vec![]),
        (OTHER, round, vec!["decided", "decided", "published"]),
        (OTHER, round, vec![]),
    ] {
        tell(&mut bench, from, &Message::Prepared { round });
        assert_eq!(settle(&mut bench), want);
    }
}

#[test]
fn one_absent_participant_aborts_unless_nobody_waits_for_it() {
    for (rules, want) in [
        (Rules::hardened(), vec!["decided", "decided", "publish-refused"]),
        (Rules::mutant("absent-ignored"), vec!["decided", "decided", "published"]),
    ] {
        let mut bench = led(rules);
        let round = begin(&mut bench).round;
        tell(&mut bench, READER, &Message::Prepared { round });
        timer(&mut bench, ROUND);
        assert_eq!(settle(&mut bench), ["prepare"], "who has not answered is asked again");
        bench.1.wait(Span::from_seconds(1));
        timer(&mut bench, ROUND);
        assert_eq!(settle(&mut bench), want);
    }
}

#[test]
fn a_decision_is_told_to_who_missed_it_and_none_while_there_is_none() {
    let mut bench = led(Rules::hardened());
    let current = begin(&mut bench);
    let forgotten = Proposal { round: current.round + 1, ..current };
    let told = |bench: &mut Bench, proposal| {
        tell(bench, READER, &Message::AskDecision { proposal });
        match bench.1.done().sent.as_slice() {
            [(READER, Message::Decided { outcome, .. })] => Some(*outcome),
            [] => None,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&mut bench, current), None);
    assert_eq!(told(&mut bench, forgotten), Some(Outcome::Aborted));
    for from in [READER, OTHER] {
        tell(&mut bench, from, &Message::Prepared { round: current.round });
    }
    settle(&mut bench);
    assert_eq!(told(&mut bench, current), Some(Outcome::Committed));
}

#[test]
fn who_joins_during_a_round_is_told_of_it() {
    let mut bench = led(Rules::hardened());
    let proposal = begin(&mut bench);
    tell(&mut bench, READER, &read(1));
    let sent = bench.1.done().sent;
    let [(READER, Message::Versions { proposed, .. })] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(*proposed, Some(proposal));
}

#[test]
fn a_round_that_lasted_too_long_for_its_start_is_aborted() {
    let mut bench = led(Rules::hardened());
    let round = begin(&mut bench).round;
    bench.1.wait(LEAD + Span::from_ms(1));
    for from in [READER, OTHER] {
        tell(&mut bench, from, &Message::Prepared { round });
    }
    assert_eq!(settle(&mut bench), ["decided", "decided", "publish-refused"]);
}
