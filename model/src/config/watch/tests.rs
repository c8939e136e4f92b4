//! What a watcher takes for proof, and what it does about gaps.

use sim::time::LocalTime;

use super::*;
use crate::config::Member;
use crate::config::message::Payload;
use crate::config::switch::Ruling;
use crate::probe::Probe;
use crate::rules::Decisions as _;

const STORE: NodeId = NodeId(0);
const LEAD: Span = Span::from_seconds(5);
const BEAT: Span = Span::from_seconds(1);

type Bench = (Watcher, Probe<Member>);

fn version(number: u32) -> ConfigVersion {
    let payload = Payload { limit: 1, delay: Span::ZERO, include_mood: false };
    ConfigVersion { version: Version(number), start_at: LocalTime::from_ns(i64::from(number)), payload }
}

fn started(rules: Rules) -> Bench {
    let setup = WatchSetup { store: STORE, lead: LEAD, beat_every: BEAT };
    let (mut watcher, mut probe) = (Watcher::new(rules, setup), Probe::new(Span::ZERO));
    probe.ask(|context, fx| watcher.start(&[], context, fx));
    (watcher, probe)
}

fn tell((watcher, probe): &mut Bench, message: &Message) {
    probe.ask(|context, fx| watcher.message(message, context, fx));
}

fn changed(bench: &mut Bench, after: u32, numbers: &[u32]) {
    let versions = numbers.iter().copied().map(version).collect();
    let watch = bench.0.watch;
    tell(bench, &Message::Changed { watch, after: Version(after), versions });
}

fn alive(bench: &mut Bench, revision: u32) {
    let stamp = bench.1.ask(|context, _| context.wall());
    let watch = bench.0.watch;
    tell(bench, &Message::Alive { watch, revision: Version(revision), beat: Question { stamp, nonce: 1 } });
}

/// What it asked the store for.
fn asked(bench: &mut Bench) -> Vec<String> {
    let one = |(to, message): &(NodeId, Message)| {
        assert_eq!(*to, STORE);
        match message {
            Message::Watch { from, .. } => format!("watch {:?}", from.map(|from| from.0)),
            other => sim::node::Message::name(other).to_owned(),
        }
    };
    bench.1.done().sent.iter().map(one).collect()
}

fn is_verified((watcher, probe): &mut Bench) -> bool {
    probe.ask(|context, fx| watcher.switch.rule(context, fx)) != Ruling::Unverified
}

#[test]
fn only_a_heartbeat_that_names_nothing_newer_than_is_known_extends_the_lease() {
    for (rules, want) in [(Rules::hardened(), false), (Rules::mutant("heartbeat-unread"), true)] {
        let mut bench = started(rules);
        changed(&mut bench, 0, &[1, 2]);
        assert!(!is_verified(&mut bench), "a change is no heartbeat");
        alive(&mut bench, 3);
        assert_eq!(is_verified(&mut bench), want);
    }
    let mut bench = started(Rules::hardened());
    changed(&mut bench, 0, &[1, 2]);
    alive(&mut bench, 2);
    assert!(is_verified(&mut bench));
    bench.1.wait(LEAD);
    assert!(!is_verified(&mut bench));
}

#[test]
fn silence_proves_nothing_unless_it_is_taken_for_proof() {
    for (rules, want) in [(Rules::hardened(), false), (Rules::mutant("silence-extends"), true)] {
        let mut bench = started(rules);
        changed(&mut bench, 0, &[1]);
        alive(&mut bench, 1);
        bench.1.wait(LEAD);
        bench.1.ask(|context, fx| bench.0.tick(context, fx));
        assert_eq!(is_verified(&mut bench), want);
    }
}

#[test]
fn a_gap_begins_the_watch_anew_from_what_is_known() {
    let mut bench = started(Rules::hardened());
    assert_eq!(asked(&mut bench), ["watch Some(0)"]);
    changed(&mut bench, 0, &[1]);
    assert!(asked(&mut bench).is_empty());
    changed(&mut bench, 2, &[3]);
    assert_eq!(asked(&mut bench), ["watch Some(1)"]);
    alive(&mut bench, 2);
    assert_eq!(asked(&mut bench), ["watch Some(1)"]);
}

#[test]
fn a_watch_that_resumes_from_now_on_skips_what_it_missed() {
    let mut bench = started(Rules::mutant("watch-skips-revision"));
    assert_eq!(asked(&mut bench), ["read-versions"]);
    let question = bench.0.reading.unwrap();
    tell(&mut bench, &Message::Versions { question, versions: [version(1)].into(), proposed: None });
    assert_eq!(asked(&mut bench), ["watch None"]);
    changed(&mut bench, 3, &[]);
    alive(&mut bench, 3);
    assert!(asked(&mut bench).is_empty() && is_verified(&mut bench), "version 2 and 3 are never asked for");
}

#[test]
fn a_compacted_revision_is_read_in_full_unless_what_is_left_is_enough() {
    let mut bench = started(Rules::hardened());
    asked(&mut bench);
    let compacted = |bench: &Bench| Message::Compacted { watch: bench.0.watch, after: Version(4) };
    let message = compacted(&bench);
    tell(&mut bench, &message);
    assert_eq!(asked(&mut bench), ["read-versions"]);
    let question = bench.0.reading.unwrap();
    tell(&mut bench, &Message::Versions { question, versions: [version(5)].into(), proposed: None });
    assert_eq!(asked(&mut bench), ["watch Some(5)"]);
    let mut bench = started(Rules::mutant("compaction-ignored"));
    asked(&mut bench);
    let message = compacted(&bench);
    tell(&mut bench, &message);
    assert_eq!(asked(&mut bench), ["watch Some(4)"]);
}

#[test]
fn after_three_missing_heartbeats_the_watch_is_begun_anew_and_the_old_one_means_nothing() {
    let mut bench = started(Rules::hardened());
    asked(&mut bench);
    let old = bench.0.watch;
    bench.1.wait(BEAT.times(3));
    bench.1.ask(|context, fx| bench.0.tick(context, fx));
    assert_eq!(asked(&mut bench), ["watch Some(0)"]);
    let beat = Question { stamp: LocalTime::ZERO, nonce: 1 };
    tell(&mut bench, &Message::Alive { watch: old, revision: Version(0), beat });
    assert!(!is_verified(&mut bench));
}
