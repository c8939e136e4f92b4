//! Messages and cuts on every substrate: what arrives, what does not, and how it is counted.

use counterclock_sim::chance::Seed;
use counterclock_sim::fault::Fault;
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::WorldSetup;
use counterclock_sim::substrate::{self, Phases, Substrate};
use counterclock_sim::time::Span;

use super::{at, check, lines, lines_as_wanted, others, run, script};
use crate::probe::{A, Act, B, C};

pub(super) fn send(ms: u64, from: NodeId, to: NodeId, number: u64) -> (u64, NodeId, Vec<Act>) {
    (ms, from, vec![Act::Send(to, number)])
}

#[test]
fn a_message_takes_the_time_of_travelling_and_the_first_also_that_of_dialling() {
    let requests = [send(10, A, B, 1), send(100, A, B, 2), send(200, B, A, 3)];
    let want = ["10+ n1 gets 1 from n0", "100+ n1 gets 2 from n0", "200+ n0 gets 3 from n1"];
    for evidence in check(&[], &requests, &want) {
        assert_eq!((evidence.messages.sent, evidence.messages.delivered), (3, 3));
        let arrivals: Vec<_> = evidence.observations.iter().skip(3).map(|observed| observed.at).collect();
        let (first, second) = (arrivals[0].since(at(10)), arrivals[1].since(at(100)));
        assert!(first > second + Span::from_ms(1), "{first} and {second}");
        assert!(second < Span::from_ms(11), "{second}");
    }
}

#[test]
fn how_long_messages_take_follows_from_the_seed() {
    for substrate in others() {
        let arrivals = |seed| {
            let requests: Vec<_> = (1..10).map(|number| send(number * 100, A, B, number)).collect();
            let mut setup = WorldSetup { seed, ..script(&[], &requests) };
            setup.network.latency.typical = Span::from_ms(25);
            setup.network.latency.tail = Span::from_ms(50);
            lines(&run(substrate, setup, 1_000))
        };
        let mut found: Vec<_> = Seed::range(0..10).map(arrivals).collect();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 10, "{substrate}: {found:?}");
    }
}

#[test]
fn what_is_done_between_two_milliseconds_leaves_at_once_on_madsim() {
    if !others().contains(&Substrate::Madsim) {
        return;
    }
    let slow = Fault::Slow { node: A, extra: Span::from_us(300), length: Span::from_seconds(1) };
    let evidence =
        run(Substrate::Madsim, script(&[(1, slow)], &[send(10, A, B, 1), send(100, A, B, 2)]), 1_000);
    let travelled = evidence.observations[4].at.since(at(100));
    let want = Span::from_us(10_300)..Span::from_us(10_310);
    assert!(want.contains(&travelled), "{travelled}");
}

#[test]
fn many_messages_at_once_arrive_in_their_order() {
    let burst = (10, A, (0..20).map(|number| Act::Send(B, number)).collect());
    for substrate in others() {
        let evidence = run(substrate, script(&[], core::slice::from_ref(&burst)), 200);
        let seen = evidence.observations.iter().skip(3).map(|observed| observed.observation.0.clone());
        let want: Vec<_> = (0..20).map(|number| format!("gets {number} from n0")).collect();
        assert_eq!(seen.collect::<Vec<_>>(), want, "{substrate}");
    }
}

#[test]
fn a_cut_stops_one_way_and_what_is_sent_after_it_arrives() {
    let cut = Fault::Cut { links: vec![(A, B)], length: Span::from_ms(100) };
    let found = check(
        &[(100, cut)],
        &[send(10, A, B, 1), send(95, A, B, 2), send(150, A, B, 3), send(160, B, A, 4), send(300, A, B, 5)],
        &["10+ n1 gets 1 from n0", "160+ n0 gets 4 from n1", "300+ n1 gets 5 from n0"],
    );
    for evidence in found {
        assert_eq!(evidence.ledger.affected(0), 2, "one in flight, one on sending");
        assert_eq!(evidence.messages.cut, 2);
    }
}

#[test]
fn a_message_right_after_a_long_cut_is_not_held_up_by_it() {
    let cut = |length| Fault::Cut { links: vec![(A, B), (B, A)], length: Span::from_ms(length) };
    for substrate in others() {
        let requests = [send(10, A, B, 1), send(99, A, B, 2), send(6_001, A, B, 3), send(6_050, B, A, 4)];
        let evidence = run(substrate, script(&[(100, cut(5_000)), (5_100, cut(900))], &requests), 7_000);
        let want = ["10+ n1 gets 1 from n0", "6001+ n1 gets 3 from n0", "6050+ n0 gets 4 from n1"];
        assert_eq!(lines_as_wanted(&evidence, &want), want, "{substrate}");
    }
}

#[test]
fn a_cut_counts_each_message_that_is_on_its_way_once() {
    let cut = Fault::Cut { links: vec![(A, B)], length: Span::from_ms(50) };
    // The first dials when the cut begins, the others wait for that.
    let burst = (99, A, (0..5).map(|number| Act::Send(B, number)).collect());
    for evidence in check(&[(100, cut)], &[burst, send(200, A, B, 9)], &["200+ n1 gets 9 from n0"]) {
        assert_eq!((evidence.messages.cut, evidence.ledger.affected(0)), (5, 5));
    }
}

#[test]
fn a_reset_is_seen_by_one_node_and_takes_what_comes_to_it() {
    let reset = Fault::Reset { node: B, peer: A };
    let found = check(
        &[(100, reset)],
        &[send(10, A, B, 1), send(20, B, A, 2), send(95, A, B, 3), send(95, B, A, 4), send(101, A, B, 5)],
        &[
            "10+ n1 gets 1 from n0",
            "20+ n0 gets 2 from n1",
            "100 ms n1 is reset by n0",
            "95+ n0 gets 4 from n1",
            "101+ n1 gets 5 from n0",
        ],
    );
    for evidence in found {
        assert_eq!(
            (evidence.messages.cut, evidence.ledger.affected(0)),
            (1, 2),
            "one message, and one node told"
        );
    }
}

#[test]
fn every_message_is_delivered_or_lost_and_counted_once() {
    let length = Span::from_ms(20);
    let faults = [
        (10, Fault::Crash { node: A }),
        (30, Fault::Restart { node: A }),
        (40, Fault::Cut { links: vec![(B, A), (A, C)], length }),
        (70, Fault::PowerLoss { node: B }),
        (70, Fault::Restart { node: B }),
        (75, Fault::Crash { node: C }),
    ];
    let nodes = [A, B, C];
    let requests: Vec<_> =
        (1..100).flat_map(|ms| nodes.map(|node| send(ms, node, nodes[(ms as usize + 1) % 3], ms))).collect();
    for substrate in others() {
        for seed in Seed::range(0..10) {
            let mut setup = WorldSetup { seed, ..script(&faults, &requests) };
            setup.network = NetworkProfile::cross_az();
            let counts = run(substrate, setup, 300).messages;
            let ended = counts.delivered + counts.cut + counts.unheard + counts.overflowed;
            assert_eq!(counts.sent, ended, "{substrate}, seed {seed}: {counts:?}");
            assert!(counts.cut > 10 && counts.unheard > 10, "{substrate}, seed {seed}: {counts:?}");
        }
    }
}

#[test]
fn when_faults_end_nodes_come_back_and_links_pass_again() {
    let cut = Fault::Cut { links: vec![(A, C)], length: Span::from_seconds(60) };
    let late = Fault::Crash { node: A };
    let faults = [(10, Fault::Crash { node: B }), (20, cut), (500, late)];
    let setup: WorldSetup<_> = script(&faults, &[send(300, A, C, 1), send(320, A, B, 2)]);
    for substrate in others() {
        let phases = Phases { faults_end: Some(at(200)), end: at(1_000) };
        let evidence = substrate::run(substrate, setup.clone(), phases).unwrap();
        let want = ["200 ms n1 starts []", "300+ n2 gets 1 from n0", "320+ n1 gets 2 from n0"];
        assert_eq!(lines_as_wanted(&evidence, &want), want, "{substrate}");
    }
}

/// A burst of messages from A to B is in flight when something happens to B or to the links, at 100 ms; from 900 ms on
/// each later message is heard. Every message is counted once.
#[track_caller]
fn check_burst(substrate: Substrate, count: u64, faults: &[(u64, Fault)]) {
    let burst = (95, A, (0..count).map(|number| Act::Send(B, number)).collect());
    // Messages leave a millisecond apart on madsim.
    let first = 900;
    let later: Vec<_> = (0..20).map(|index| send(first + 10 * index, A, B, 1_000_000 + index)).collect();
    // The connection is there before the burst.
    let requests: Vec<_> = [send(10, A, B, 2_000_000), burst].into_iter().chain(later).collect();
    let evidence = run(substrate, script(faults, &requests), 2_000);
    let what = format!("{count} in flight on {substrate}: {faults:?}");
    let heard: Vec<_> = evidence
        .observations
        .iter()
        .filter(|seen| seen.node == B && seen.at >= at(first))
        .map(|seen| seen.observation.0.clone())
        .collect();
    let want: Vec<_> = (0..20).map(|index| format!("gets {} from n0", 1_000_000 + index)).collect();
    assert_eq!(heard, want, "{what}");
    let counts = evidence.messages;
    assert_eq!(counts.sent, count + 21, "{what}");
    let ended = counts.delivered + counts.cut + counts.unheard + counts.overflowed;
    assert_eq!(counts.sent, ended, "{what}: {counts:?}");
    assert!(counts.cut + counts.unheard > count / 2, "{what}: {counts:?}");
    if let (1, Fault::Cut { .. }) = (faults.len(), &faults[0].1) {
        assert_eq!(evidence.ledger.affected(0), counts.cut, "{what}");
    }
}

/// turmoil's connections take 1,024 messages that nobody has read, and their writers are not woken when nobody ever will.
#[test]
fn a_link_is_heard_again_however_many_messages_were_in_flight() {
    let cut = |links| vec![(100, Fault::Cut { links, length: Span::from_ms(200) })];
    let happenings = [
        vec![(100, Fault::Crash { node: B }), (300, Fault::Restart { node: B })],
        vec![(100, Fault::Crash { node: B }), (100, Fault::Restart { node: B })],
        cut(vec![(A, B)]),
        cut(vec![(A, B), (B, A)]),
        vec![(100, Fault::Reset { node: B, peer: A })],
    ];
    for substrate in others() {
        for faults in &happenings {
            for count in [1, 1_023, 1_024, 1_025, 1_026, 5_000] {
                check_burst(substrate, count, faults);
            }
        }
    }
}

#[test]
fn a_link_whose_way_back_is_cut_carries_any_number_of_messages() {
    let cut = Fault::Cut { links: vec![(B, A)], length: Span::from_seconds(9) };
    let burst: (u64, NodeId, Vec<Act>) = (95, A, (0..5_000).map(|number| Act::Send(B, number)).collect());
    for substrate in others() {
        let requests = [send(10, B, A, 1), burst.clone(), send(120, B, A, 2)];
        let counts = run(substrate, script(&[(100, cut.clone())], &requests), 10_000).messages;
        assert_eq!((counts.sent, counts.delivered, counts.cut), (5_002, 5_001, 1), "{substrate}");
    }
}
