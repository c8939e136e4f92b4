//! Partitions by their names, in a world of five that all talk to one another.

use counterclock_sim::fault::{Fault, FaultPlan};
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::partition::{Flapping, Pair, Ways, between, bridge, isolated, ring, split};
use counterclock_sim::setup::{NodeSetup, WorldSetup};
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{Act, Probe, Script, run_setup, seen, setup};

fn nodes() -> Vec<NodeId> {
    (0..5).map(NodeId).collect()
}

fn five(script: &Script) -> WorldSetup<Probe> {
    let mut setup = setup(script);
    setup.nodes = vec![NodeSetup::perfect(Probe::default()); 5];
    setup
}

/// At each of these instants, in ms, everybody sends everybody else a message.
fn everybody(at: &[u64]) -> Vec<(u64, NodeId, Vec<Act>)> {
    let to_all = |from: NodeId, at: u64| {
        let others = nodes().into_iter().filter(|to| *to != from);
        (at, from, others.map(|to| Act::Send(to, at)).collect())
    };
    at.iter().flat_map(|&at| nodes().into_iter().map(move |from| to_all(from, at))).collect()
}

/// Who gets what was sent at that instant, as (sender, receiver), sorted.
fn heard(world: &World<Probe>, sent: u64) -> Vec<Pair> {
    let node = |text: &str| NodeId(text[1..].parse().unwrap());
    let pair = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[3] == "gets" && words[4] == sent.to_string()).then(|| (node(words[6]), node(words[2])))
    };
    let mut heard: Vec<Pair> = seen(world).iter().skip(2).filter_map(pair).collect();
    heard.sort_unstable();
    heard
}

/// While these links are cut, exactly the others carry messages; those in flight when the cut begins are lost as well.
#[track_caller]
fn check(links: Vec<Pair>, want_cut: usize) {
    let cut = Fault::Cut { links: links.clone(), length: Span::from_ms(100) };
    let script = Script { faults: vec![(50, cut)], requests: everybody(&[10, 45, 60, 200]) };
    let world = run_setup(five(&script), 1_000);
    assert_eq!(links.len(), want_cut);
    for (sent, is_open) in [(10, true), (45, false), (60, false), (200, true)] {
        let heard = heard(&world, sent);
        assert_eq!(heard.len(), if is_open { 20 } else { 20 - want_cut }, "sent at {sent} ms");
        assert!(is_open || heard.iter().all(|pair| !links.contains(pair)));
    }
    assert_eq!(world.ledger().affected(0), 2 * want_cut as u64);
}

#[test]
fn symmetric_one_way_partial_bridge_and_ring_stop_what_they_say() {
    let nodes = nodes();
    check(split(&nodes, 2), 12);
    check(between(&nodes[..2], &nodes[2..], Ways::Out), 6);
    check(isolated(NodeId(3), &nodes, Ways::In), 4);
    // Partial: two groups lose one another, and both reach the rest.
    check(between(&nodes[..1], &nodes[3..], Ways::Both), 4);
    check(bridge(&nodes), 8);
    check(ring(&nodes, 1), 10);
}

#[test]
fn a_flapping_partition_lets_messages_through_between_its_cuts() {
    let span = Span::from_ms;
    let at = TrueTime::ZERO + span(100);
    let flapping = Flapping { at, cut: span(30), whole: span(20), length: span(150) };
    let links = split(&nodes(), 2);
    let mut setup = five(&Script { faults: vec![], requests: everybody(&[110, 135, 160, 185, 210, 260]) });
    setup.plan = FaultPlan::of(flapping.cuts(&links));
    let world = run_setup(setup, 1_000);
    let counts: Vec<usize> =
        [110, 135, 160, 185, 210, 260].iter().map(|&sent| heard(&world, sent).len()).collect();
    assert_eq!(counts, [8, 20, 8, 20, 8, 20]);
    let ledger = world.ledger();
    assert_eq!([0, 1, 2].map(|index| ledger.affected(index)), [12, 12, 12]);
    assert_eq!(ledger.lines()[0].planned, 3);
}
