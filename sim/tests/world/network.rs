//! Who reaches whom, and that a message's fate is its own.

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::fault::Fault;
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::NodeId;
use counterclock_sim::time::Span;

use crate::probe::{A, Act, B, C, Script, check, run_setup, seen, setup};

fn send(at: u64, from: NodeId, to: NodeId) -> (u64, NodeId, Vec<Act>) {
    (at, from, vec![Act::Send(to, at)])
}

fn cut(links: &[(NodeId, NodeId)], length_ms: u64) -> Fault {
    Fault::Cut { links: links.to_vec(), length: Span::from_ms(length_ms) }
}

#[test]
fn a_cut_stops_one_way_only_and_ends() {
    check(
        &[(5, cut(&[(A, B)], 20))],
        &[send(10, A, B), send(10, B, A), send(10, A, C), send(24, A, B), send(25, A, B)],
        &["20 ms n0 gets 10 from n1", "20 ms n2 gets 10 from n0", "35 ms n1 gets 25 from n0"],
    );
}

#[test]
fn a_message_in_flight_is_lost_with_its_link_even_if_the_cut_is_over_when_it_arrives() {
    check(
        &[(15, cut(&[(A, B)], 1))],
        &[send(10, A, B), send(10, B, A), send(16, A, B)],
        &["20 ms n0 gets 10 from n1", "26 ms n1 gets 16 from n0"],
    );
}

#[test]
fn cuts_that_overlap_add_up() {
    check(
        &[(10, cut(&[(A, B), (B, A)], 30)), (20, cut(&[(A, B)], 5))],
        &[send(30, A, B), send(40, A, B)],
        &["50 ms n1 gets 40 from n0"],
    );
}

#[test]
fn a_node_reaches_itself_whatever_the_network_does() {
    let noise = Fault::Noise {
        links: vec![],
        loss: Ratio::ALWAYS,
        duplication: Ratio::NEVER,
        delay_max: Span::ZERO,
        length: Span::from_ms(100),
    };
    check(&[(5, noise)], &[send(10, A, A), send(10, A, B)], &["10.001 ms n0 gets 10 from n0"]);
}

#[test]
fn noise_loses_doubles_and_delays_while_it_lasts() {
    let noise = |loss, duplication, delay_ms| Fault::Noise {
        links: vec![(A, B)],
        loss,
        duplication,
        delay_max: Span::from_ms(delay_ms),
        length: Span::from_ms(10),
    };
    check(
        &[(0, noise(Ratio::ALWAYS, Ratio::NEVER, 0)), (20, noise(Ratio::NEVER, Ratio::ALWAYS, 0))],
        &[send(5, A, B), send(15, A, B), send(25, A, B), send(35, A, B)],
        &[
            "25 ms n1 gets 15 from n0",
            "35 ms n1 gets 25 from n0",
            "35 ms n1 gets 25 from n0",
            "45 ms n1 gets 35 from n0",
        ],
    );
}

#[test]
fn messages_are_counted_by_what_became_of_them() {
    let faults = vec![(0, cut(&[(A, C)], 900)), (50, Fault::Crash { node: B })];
    let requests = vec![send(10, A, B), send(10, A, C), send(45, A, B)];
    let counts = run_setup(setup(&Script { faults, requests }), 1_000).messages();
    assert_eq!((counts.sent, counts.delivered, counts.cut, counts.unheard), (3, 1, 1, 1));
    assert_eq!((counts.lost, counts.doubled, counts.overflowed), (0, 0, 0));
}

/// What B gets from A over a bad network, with these faults and this traffic besides.
fn from_a_to_b(seed: Seed, faults: Vec<(u64, Fault)>, besides: &[(u64, NodeId, Vec<Act>)]) -> Vec<String> {
    let mut requests: Vec<_> = (0..200).map(|at| send(at, A, B)).collect();
    requests.extend_from_slice(besides);
    requests.sort_by_key(|(at, ..)| *at);
    let mut setup = setup(&Script { faults, requests });
    setup.seed = seed;
    setup.network = NetworkProfile {
        loss: Ratio::new(1, 5),
        duplication: Ratio::new(1, 5),
        ..NetworkProfile::cross_az()
    };
    let seen = seen(&run_setup(setup, 1_000));
    seen.into_iter().filter(|line| line.contains("n1 gets") && line.ends_with("from n0")).collect()
}

#[test]
fn a_messages_fate_depends_on_no_other_link_and_no_other_fault() {
    for seed in Seed::range(0..20) {
        let alone = from_a_to_b(seed, vec![], &[]);
        assert!((130..230).contains(&alone.len()), "seed {seed}: {} of 200", alone.len());
        let traffic: Vec<_> =
            (0..200).flat_map(|at| [send(at, B, A), send(at, C, B), send(at, A, C)]).collect();
        assert_eq!(from_a_to_b(seed, vec![], &traffic), alone, "seed {seed}");
        let elsewhere = vec![
            (10, cut(&[(B, A), (C, B)], 100)),
            (20, Fault::Crash { node: C }),
            (30, Fault::ClockStep { node: C, by_ns: 5 }),
        ];
        assert_eq!(from_a_to_b(seed, elsewhere, &[]), alone, "seed {seed}");
        // A cut of this very link takes its messages and leaves the later ones as they were.
        let cut_off = from_a_to_b(seed, vec![(50, cut(&[(A, B)], 50))], &[]);
        let number = |line: &String| line.split(' ').nth(4).unwrap().parse::<u64>().unwrap();
        let late =
            |lines: &[String]| lines.iter().filter(|line| number(line) >= 100).cloned().collect::<Vec<_>>();
        assert_eq!(late(&cut_off), late(&alone), "seed {seed}");
        assert!(cut_off.len() < alone.len(), "seed {seed}");
    }
}
