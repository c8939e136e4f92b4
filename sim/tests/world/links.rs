//! What disturbs links: each fault fires, does what it says, and counts what it did.

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::{Bandwidth, BurstProfile, NetworkProfile};
use counterclock_sim::node::NodeId;
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{A, Act, B, Probe, Script, check as check_seen, run, run_setup, seen, setup};

const LENGTH: Span = Span::from_seconds(60);
const COUNT: u64 = 10_000;

/// A sends B that many messages at 10 ms, all at once, under that fault.
fn burst_of(fault: Option<Fault>, count: u64) -> World<Probe> {
    let sends = (0..count).map(|number| Act::Send(B, number)).collect();
    let faults = fault.map(|fault| (5, fault)).into_iter().collect();
    run(&Script { faults, requests: vec![(10, A, sends)] }, 1_000)
}

/// The numbers that B got, in the order it got them.
fn numbers(world: &World<Probe>) -> Vec<u64> {
    let number = |line: String| line.split(' ').nth(4).unwrap().parse().unwrap();
    seen(world).into_iter().filter(|line| line.contains("n1 gets")).map(number).collect()
}

/// How many of 10,000 messages are lost under a fault, and that its ledger says so.
#[track_caller]
fn check(fault: Fault, want: core::ops::Range<u64>) -> World<Probe> {
    let world = burst_of(Some(fault), COUNT);
    let lost = COUNT - numbers(&world).len() as u64;
    assert!(want.contains(&lost), "{lost} lost");
    assert!(world.ledger().is_fired(0));
    assert_eq!(world.ledger().affected(0), lost);
    world
}

fn burst(links: Vec<(NodeId, NodeId)>) -> Fault {
    let (enter, leave, loss) = (Ratio::new(1, 50), Ratio::new(1, 10), Ratio::ALWAYS);
    Fault::Burst { links, enter, leave, loss, length: LENGTH }
}

/// How many messages are lost in a row, on average, in hundredths.
fn mean_run(numbers: &[u64]) -> u64 {
    let gaps: Vec<u64> =
        numbers.windows(2).map(|pair| pair[1] - pair[0] - 1).filter(|&gap| gap > 0).collect();
    gaps.iter().sum::<u64>() * 100 / gaps.len() as u64
}

#[test]
fn bursts_lose_their_share_and_several_in_a_row() {
    // In the long run 1/50 / (1/50 + 1/10) = 1/6 meet the bad state, and it lasts ten messages.
    for links in [vec![(A, B)], vec![]] {
        let world = check(burst(links), 1_350..2_000);
        let run = mean_run(&numbers(&world));
        assert!((800..1_200).contains(&run), "{run} hundredths in a row");
        assert_eq!(world.messages().lost, world.ledger().affected(0));
    }
    let loss = Ratio::new(1, 6);
    let noise = Fault::Noise {
        links: vec![],
        loss,
        duplication: Ratio::NEVER,
        delay_max: Span::ZERO,
        length: LENGTH,
    };
    let run = mean_run(&numbers(&check(noise, 1_500..1_800)));
    assert!((100..150).contains(&run), "noise of the same loss: {run} hundredths in a row");
}

#[test]
fn a_burst_leaves_other_links_alone_and_later_messages_as_they_were() {
    check(burst(vec![(B, A)]), 0..1);
    let lossy = |faults| {
        let requests = (0..400).map(|at| (at, A, vec![Act::Send(B, at)])).collect();
        let mut setup = setup(&Script { faults, requests });
        setup.network.loss = Ratio::new(1, 4);
        numbers(&run_setup(setup, 1_000)).into_iter().filter(|&number| number >= 300).collect::<Vec<_>>()
    };
    let short = |at| {
        let (links, loss) = (vec![], Ratio::new(1, 2));
        let (enter, leave, length) = (Ratio::ALWAYS, Ratio::NEVER, Span::from_ms(50));
        (at, Fault::Burst { links, enter, leave, loss, length })
    };
    let alone = lossy(vec![short(300)]);
    assert_eq!(lossy(vec![short(100), short(300)]), alone, "its words have places of their own");
    assert!(alone.len() < lossy(vec![]).len());
}

#[test]
fn damaged_messages_are_found_by_framing_and_counted() {
    let fault = Fault::Corruption { links: vec![(A, B)], chance: Ratio::new(1, 4), length: LENGTH };
    let counts = check(fault, 2_350..2_650).messages();
    assert_eq!((counts.lost, counts.corrupted + counts.delivered), (0, COUNT));
}

#[test]
fn some_messages_are_held_back_and_overtaken() {
    let (chance, delay_max) = (Ratio::new(1, 2), Span::from_ms(5));
    let fault = Fault::Reordering { links: vec![(A, B)], chance, delay_max, length: LENGTH };
    let requests = (10..510).map(|at| (at, A, vec![Act::Send(B, at)])).collect();
    let world = run(&Script { faults: vec![(5, fault)], requests }, 1_000);
    let numbers = numbers(&world);
    assert!(numbers.len() == 500 && !numbers.is_sorted());
    let late = |observed: &&counterclock_sim::kernel::Observed<crate::probe::Seen>| {
        let (_, number) = observed.observation.0.split_once("gets ")?;
        let sent_ms: u64 = number.split(' ').next()?.parse().ok()?;
        let extra = observed.at.since(TrueTime::ZERO + Span::from_ms(sent_ms + 10));
        assert!(extra <= delay_max, "{extra}");
        (extra > Span::ZERO).then_some(())
    };
    let late_count = world.observations().iter().filter(|seen| late(seen).is_some()).count() as u64;
    assert!((200..300).contains(&late_count), "{late_count} of 500");
    assert_eq!(world.ledger().affected(0), late_count);
}

#[test]
fn a_slow_link_takes_longer_while_it_is_slow() {
    let (links, extra) = (vec![(A, B)], Span::from_ms(7));
    let fault = Fault::SlowLink { links, extra, length: Span::from_ms(15) };
    let send = |at, from, to| (at, from, vec![Act::Send(to, at)]);
    let requests = [send(10, A, B), send(11, B, A), send(20, A, B)];
    check_seen(
        &[(5, fault.clone())],
        &requests,
        &["21 ms n0 gets 11 from n1", "27 ms n1 gets 10 from n0", "30 ms n1 gets 20 from n0"],
    );
    let script = Script { faults: vec![(5, fault)], requests: requests.to_vec() };
    assert_eq!(run(&script, 1_000).ledger().affected(0), 1);
}

/// 100 messages a second, as each has 128 bytes; two may wait.
const NARROW: Bandwidth = Bandwidth { bytes_per_s: 12_800, queue_bytes: 256 };

#[test]
fn messages_queue_before_a_narrow_link_and_those_beyond_the_queue_are_dropped() {
    let Bandwidth { bytes_per_s, queue_bytes } = NARROW;
    let fault = Fault::Throttle { links: vec![], bytes_per_s, queue_bytes, length: LENGTH };
    let want = ["30 ms n1 gets 0 from n0", "40 ms n1 gets 1 from n0", "50 ms n1 gets 2 from n0"];
    let world = burst_of(Some(fault), 4);
    assert_eq!(seen(&world), want);
    assert_eq!((world.messages().congested, world.ledger().affected(0)), (1, 4));
}

#[test]
fn the_narrowest_of_several_throttles_counts_and_a_queue_drains() {
    let throttle = |bytes_per_s| Fault::Throttle {
        links: vec![(A, B)],
        bytes_per_s,
        queue_bytes: 1_000,
        length: LENGTH,
    };
    let faults = vec![(1, throttle(12_800)), (2, throttle(25_600)), (3, throttle(1_000_000))];
    let requests = vec![(10, A, vec![Act::Send(B, 1), Act::Send(B, 2)]), (60, A, vec![Act::Send(B, 3)])];
    let world = run(&Script { faults, requests }, 1_000);
    let want = ["30 ms n1 gets 1 from n0", "40 ms n1 gets 2 from n0", "80 ms n1 gets 3 from n0"];
    assert_eq!(seen(&world), want);
    let ledger = world.ledger();
    assert_eq!([0, 1, 2].map(|index| ledger.affected(index)), [3, 0, 0]);
}

#[test]
fn a_profile_disturbs_as_faults_do_and_stands_in_no_ledger() {
    let with = |change: &dyn Fn(&mut NetworkProfile)| {
        let sends = (0..COUNT).map(|number| Act::Send(B, number)).collect();
        let mut setup = setup(&Script { faults: vec![], requests: vec![(10, A, sends)] });
        change(&mut setup.network);
        let world = run_setup(setup, 1_000_000);
        assert_eq!(world.ledger().lines(), []);
        world.messages()
    };
    let (enter, leave, loss) = (Ratio::new(1, 50), Ratio::new(1, 10), Ratio::ALWAYS);
    assert_eq!(with(&|_| ()).delivered, COUNT);
    let lost = with(&|network| network.burst = Some(BurstProfile { enter, leave, loss })).lost;
    assert!((1_350..2_000).contains(&lost), "{lost}");
    let corrupted = with(&|network| network.corruption = Ratio::new(1, 4)).corrupted;
    assert!((2_350..2_650).contains(&corrupted), "{corrupted}");
    let narrow = with(&|network| network.bandwidth = Some(NARROW));
    assert_eq!((narrow.delivered, narrow.congested), (3, COUNT - 3));
}

#[test]
fn a_reset_is_seen_by_one_side_and_loses_what_was_on_its_way_to_it() {
    let reset = (15, Fault::Reset { node: A, peer: B });
    let send = |at, from, to| (at, from, vec![Act::Send(to, at)]);
    let requests = [send(10, A, B), send(11, B, A), send(16, B, A)];
    check_seen(
        std::slice::from_ref(&reset),
        &requests,
        &["15 ms n0 is reset by n1", "20 ms n1 gets 10 from n0", "26 ms n0 gets 16 from n1"],
    );
    let world = run(&Script { faults: vec![reset], requests: requests.to_vec() }, 1_000);
    assert_eq!((world.ledger().affected(0), world.messages().cut), (2, 1));
}

#[test]
fn a_reset_waits_for_a_pause_and_a_node_that_is_down_sees_none() {
    let reset = |at| (at, Fault::Reset { node: A, peer: B });
    let pause = (5, Fault::Pause { node: A, length: Span::from_ms(100) });
    check_seen(&[pause, reset(15)], &[], &["105 ms n0 is reset by n1"]);
    let faults = vec![(5, Fault::Crash { node: A }), reset(15)];
    let world = run(&Script { faults, requests: vec![] }, 1_000);
    assert_eq!((seen(&world).len(), world.ledger().affected(1)), (0, 0));
    assert!(world.ledger().is_fired(1));
}

/// Round trips over a network, in us, sorted.
fn round_trips(network: NetworkProfile) -> Vec<u64> {
    let requests = (0..40_000_u64)
        .flat_map(|at| [(at * 20, A, vec![Act::Send(B, at)]), (at * 20, B, vec![Act::Send(A, at)])]);
    let mut setup = setup(&Script { faults: vec![], requests: requests.collect() });
    (setup.seed, setup.network) = (Seed(1), network);
    let world = run_setup(setup, 1_000_000);
    let mut ways = vec![[None; 2]; 40_000];
    for observed in &world.observations()[3..] {
        let number: u64 = observed.observation.0.split(' ').nth(1).unwrap().parse().unwrap();
        let way = observed.at.since(TrueTime::ZERO + Span::from_ms(number * 20)).as_ns() / 1_000;
        ways[usize::try_from(number).unwrap()][observed.node.index()].get_or_insert(way);
    }
    let mut trips: Vec<u64> = ways.iter().filter_map(|[there, back]| Some((*there)? + (*back)?)).collect();
    trips.sort_unstable();
    trips
}

#[test]
fn round_trips_between_zones_are_as_they_were_measured() {
    let trips = round_trips(NetworkProfile::cross_az());
    let count = trips.len();
    assert!(count > 39_900);
    assert!((250..260).contains(&trips[0]), "fastest {} us", trips[0]);
    let mean = trips.iter().sum::<u64>() / count as u64;
    assert!((800..840).contains(&mean), "average {mean} us");
    let usual = trips[count - count / 500];
    assert!((1_500..3_370).contains(&usual), "all but one in 500: {usual} us");
    let (spikes, slowest) = (count - trips.partition_point(|&trip| trip <= 3_370), trips[count - 1]);
    assert!((10..80).contains(&spikes), "{spikes} spikes");
    assert!((11_000..12_400).contains(&slowest), "slowest {slowest} us");
}
