//! The same nodes under another scheduler and another network: what each family of faults does to them there.

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::Observed;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::{RunOptions, WorldSetup};
use counterclock_sim::substrate::{self, Evidence, Phases, Substrate};
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{A, Act, B, C, Probe, Script, Seen, chatter, setup};

type Faults<'a> = &'a [(u64, Fault)];
type Requests<'a> = &'a [(u64, NodeId, Vec<Act>)];

fn at(ms: u64) -> TrueTime {
    TrueTime::ZERO + Span::from_ms(ms)
}

fn run(setup: WorldSetup<Probe>, end_ms: u64) -> Evidence<Seen> {
    let phases = Phases { faults_end: None, end: at(end_ms) };
    substrate::run(Substrate::Turmoil, setup, phases).unwrap()
}

fn lines(evidence: &Evidence<Seen>) -> Vec<String> {
    let line = |observed: &Observed<Seen>| {
        let at = Span::from_ns(observed.at.as_ns());
        format!("{at} {} {}", observed.node, observed.observation.0)
    };
    evidence.observations.iter().skip(3).map(line).collect()
}

/// What three probes see within a second, 10 ms from one another, besides their first start.
#[track_caller]
fn check(faults: Faults<'_>, requests: Requests<'_>, want: &[&str]) -> Evidence<Seen> {
    let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
    let evidence = run(setup(&script), 1_000);
    assert_eq!(lines(&evidence), want);
    for line in evidence.ledger.lines() {
        assert_eq!(line.fired, line.planned, "{}", line.fault);
        assert!(line.affected > 0, "{} changed nothing", line.fault);
    }
    evidence
}

/// The number and when it arrives: 10 ms to dial, 10 ms to travel, as soon as it is known that there is something.
fn send(ms: u64, from: NodeId, to: NodeId, number: u64) -> (u64, NodeId, Vec<Act>) {
    (ms, from, vec![Act::Send(to, number)])
}

#[test]
fn a_message_takes_the_time_of_dialling_and_travelling_and_the_next_only_that_of_travelling() {
    let evidence = check(
        &[],
        &[send(10, A, B, 1), send(100, A, B, 2), send(200, B, A, 3)],
        &["31 ms n1 gets 1 from n0", "110 ms n1 gets 2 from n0", "220 ms n0 gets 3 from n1"],
    );
    assert_eq!((evidence.messages.sent, evidence.messages.delivered), (3, 3));
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let digest = |seed| {
        let mut setup = chatter(seed);
        setup.options = RunOptions { keep_trace: true, clock_sample_every: Some(Span::from_ms(5)) };
        let evidence = run(setup, 150);
        assert!(evidence.messages.delivered > 50, "{:?}", evidence.messages);
        (evidence.digest, evidence.observations, evidence.trace, evidence.clock_samples)
    };
    let mut digests = Vec::new();
    for seed in Seed::range(0..10) {
        let found = digest(seed);
        assert_eq!(digest(seed), found, "seed {seed}");
        assert!(!digests.contains(&found.0), "seed {seed}");
        digests.push(found.0);
    }
}

#[test]
fn observations_stand_in_the_order_in_which_they_left_the_nodes() {
    for seed in Seed::range(0..10) {
        let evidence = run(chatter(seed), 150);
        assert!(evidence.observations.is_sorted_by_key(|observed| observed.released_at), "seed {seed}");
    }
}

#[test]
fn a_node_that_crashes_hears_nothing_and_starts_with_its_disk() {
    check(
        &[(50, Fault::Crash { node: B }), (300, Fault::Restart { node: B })],
        &[(10, B, vec![Act::Write(7)]), send(20, A, B, 1), send(100, A, B, 2), send(400, A, B, 3)],
        &["41 ms n1 gets 1 from n0", "300 ms n1 starts [7]", "421 ms n1 gets 3 from n0"],
    );
}

/// What the kernel shows, for whom no message is on the way.
fn on_the_kernel(faults: Faults<'_>, requests: Requests<'_>) -> Vec<String> {
    let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
    let phases = Phases { faults_end: None, end: at(1_000) };
    lines(&substrate::run(Substrate::Kernel, setup(&script), phases).unwrap())
}

#[test]
fn a_power_loss_takes_of_what_was_not_synced_what_it_takes_on_the_kernel() {
    let faults = [(50, Fault::PowerLoss { node: B }), (300, Fault::Restart { node: B })];
    let unsynced = (8..40).map(Act::Write).collect();
    let requests = [(10, B, vec![Act::Write(7), Act::Sync(1)]), (49, B, unsynced)];
    let want = on_the_kernel(&faults, &requests);
    assert!(!want[1].ends_with("39]"), "something is lost: {want:?}");
    check(&faults, &requests, &want.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_stop_is_seen_and_takes_the_node_down() {
    check(
        &[(50, Fault::Stop { node: B }), (300, Fault::Restart { node: B })],
        &[send(100, A, B, 2)],
        &["50 ms n1 stops", "300 ms n1 starts []"],
    );
}

#[test]
fn a_node_that_dies_and_comes_back_within_one_tick_has_a_new_host() {
    let restart = Fault::Restart { node: B };
    let script = Script {
        faults: vec![(50, Fault::Crash { node: B }), (50, restart)],
        requests: vec![send(20, A, B, 1), send(100, A, B, 2)],
    };
    let evidence = run(setup(&script), 1_000);
    let want = ["41 ms n1 gets 1 from n0", "50 ms n1 starts []", "121 ms n1 gets 2 from n0"];
    assert_eq!(lines(&evidence), want);
}

#[test]
fn a_cut_stops_one_way_and_what_is_sent_after_it_arrives() {
    let cut = Fault::Cut { links: vec![(A, B)], length: Span::from_ms(100) };
    let evidence = check(
        &[(100, cut)],
        &[send(10, A, B, 1), send(95, A, B, 2), send(150, A, B, 3), send(160, B, A, 4), send(300, A, B, 5)],
        &["31 ms n1 gets 1 from n0", "180 ms n0 gets 4 from n1", "321 ms n1 gets 5 from n0"],
    );
    assert_eq!(evidence.ledger.affected(0), 2, "one in flight, one on sending");
    assert_eq!(evidence.messages.cut, 2);
}

#[test]
fn a_pause_defers_and_a_pause_midway_holds_effects() {
    let length = Span::from_ms(100);
    check(
        &[(100, Fault::Pause { node: B, length }), (300, Fault::PauseMidway { node: A, length })],
        &[send(90, A, B, 1), send(310, A, C, 2)],
        &["200 ms n1 gets 1 from n0", "431 ms n2 gets 2 from n0"],
    );
}

#[test]
fn a_slow_node_takes_its_time() {
    let slow = Fault::Slow { node: A, extra: Span::from_ms(5), length: Span::from_ms(100) };
    check(&[(1, slow)], &[send(10, A, B, 1)], &["36 ms n1 gets 1 from n0"]);
}

#[test]
fn clocks_step_drift_and_lie_as_they_do_on_the_kernel() {
    let by_ns = -3_000_000;
    check(
        &[
            (10, Fault::ClockStep { node: A, by_ns }),
            (20, Fault::ClockDrift { node: B, drift_ppb: 100_000_000 }),
            (30, Fault::ClockLie { node: C, bound: Span::from_ms(2), length: Span::from_ms(100) }),
        ],
        &[(40, A, vec![Act::ReadWall]), (40, B, vec![Act::Arm(1, 11)]), (41, C, vec![Act::ReadInterval])],
        &["40 ms n0 wall 37000000", "41 ms n2 width 4000000", "50 ms n1 timer 1"],
    );
}

#[test]
fn disks_stall_refuse_and_lie() {
    let length = Span::from_ms(100);
    let faults = [
        (10, Fault::DiskStall { node: A, length }),
        (10, Fault::DiskError { node: B, length }),
        (10, Fault::DiskLie { node: C, length }),
        (150, Fault::PowerLoss { node: C }),
        (200, Fault::Restart { node: C }),
    ];
    let mut unsynced: Vec<_> = (0..32).map(Act::Write).collect();
    unsynced.push(Act::Sync(3));
    let requests = [(20, A, vec![Act::Sync(1)]), (20, B, vec![Act::Sync(2)]), (20, C, unsynced)];
    let want = on_the_kernel(&faults, &requests);
    assert_eq!(want[..3], ["20 ms n1 refused 2", "20 ms n2 synced 3", "110 ms n0 synced 1"]);
    assert!(!want[3].ends_with("31]"), "a lie is found out: {want:?}");
    check(&faults, &requests, &want.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn when_faults_end_nodes_come_back_and_links_pass_again() {
    let cut = Fault::Cut { links: vec![(A, C)], length: Span::from_seconds(60) };
    let late = Fault::Crash { node: A };
    let script = Script {
        faults: vec![(10, Fault::Crash { node: B }), (20, cut), (500, late)],
        requests: vec![send(300, A, C, 1), send(320, A, B, 2)],
    };
    let phases = Phases { faults_end: Some(at(200)), end: at(1_000) };
    let evidence = substrate::run(Substrate::Turmoil, setup(&script), phases).unwrap();
    let want = ["200 ms n1 starts []", "321 ms n2 gets 1 from n0", "341 ms n1 gets 2 from n0"];
    assert_eq!(lines(&evidence), want);
}

#[test]
fn a_plan_that_the_substrate_cannot_express_is_refused_by_place_and_reason() {
    let noise = Fault::Noise {
        links: Vec::new(),
        loss: Ratio::ALWAYS,
        duplication: Ratio::NEVER,
        delay_max: Span::ZERO,
        length: Span::from_ms(1),
    };
    let script = Script { faults: vec![(10, Fault::Crash { node: B }), (20, noise)], requests: vec![] };
    let phases = Phases { faults_end: None, end: at(100) };
    let error = substrate::run(Substrate::Turmoil, setup(&script), phases).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fault 1 of the plan (noise at 20 ms): turmoil cannot do this: a stream neither loses nor doubles messages, \
         and delays none alone"
    );
    assert!(substrate::run(Substrate::Kernel, setup(&script), phases).is_ok());
}

#[test]
fn the_kernel_as_a_substrate_is_the_kernel() {
    let evidence =
        substrate::kernel::run(chatter(Seed(1)), Phases { faults_end: None, end: at(150) }).unwrap();
    assert_eq!(evidence.digest, crate::probe::run_setup(chatter(Seed(1)), 150).digest());
}
