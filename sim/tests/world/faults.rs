//! What dies, what survives, and what disks do.

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::disk_profile::DiskProfile;
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::network_profile::NetworkProfile;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::WorldSetup;
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{A, Act, B, C, Probe, Script, check, run, run_setup, seen, setup};

const LENGTH: Span = Span::from_ms(100);

fn write(at: u64, records: &[u64], token: Option<u64>) -> (u64, NodeId, Vec<Act>) {
    let writes = records.iter().map(|record| Act::Write(*record));
    (at, A, writes.chain(token.map(Act::Sync)).collect())
}

/// What A starts with after these faults, once for each different outcome over many seeds.
fn survivors(faults: &[(u64, Fault)], requests: &[(u64, NodeId, Vec<Act>)]) -> Vec<String> {
    let mut found: Vec<String> = Seed::range(0..60)
        .filter_map(|seed| {
            let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
            let world = run_setup(WorldSetup { seed, ..setup(&script) }, 1_000);
            seen(&world).into_iter().find_map(|line| Some(line.split_once("starts ")?.1.to_owned()))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn down_and_up(down: Fault) -> Vec<(u64, Fault)> {
    vec![(50, down), (60, Fault::Restart { node: A })]
}

#[test]
fn a_crash_keeps_what_was_written_and_a_power_loss_only_what_was_synced() {
    let writes = [write(10, &[1, 2], Some(1)), write(20, &[3, 4], None)];
    assert_eq!(survivors(&down_and_up(Fault::Crash { node: A }), &writes), ["[1, 2, 3, 4]"]);
    assert_eq!(survivors(&down_and_up(Fault::Stop { node: A }), &writes), ["[1, 2, 3, 4]"]);
    let lost = survivors(&down_and_up(Fault::PowerLoss { node: A }), &writes);
    assert_eq!(lost, ["[1, 2, 3, 4]", "[1, 2, 3]", "[1, 2]"]);
}

#[test]
fn a_lying_disk_says_synced_and_forgets_unless_a_later_sync_is_honest() {
    let lie = (5, Fault::DiskLie { node: A, length: Span::from_ms(10) });
    let with_lie = || [vec![lie.clone()], down_and_up(Fault::PowerLoss { node: A })].concat();
    let lied = [write(10, &[1], Some(1))];
    assert_eq!(survivors(&with_lie(), &lied), ["[1]", "[]"]);
    let made_good = [write(10, &[1], Some(1)), write(20, &[], Some(2))];
    assert_eq!(survivors(&with_lie(), &made_good), ["[1]"]);
    check(&[lie], &lied, &["10 ms n0 synced 1"]);
}

#[test]
fn a_rewrite_survives_whole_or_not_at_all() {
    let requests = [write(10, &[1, 2], Some(1)), (20, A, vec![Act::Rewrite(vec![7, 8, 9])])];
    assert_eq!(survivors(&down_and_up(Fault::PowerLoss { node: A }), &requests), ["[1, 2]", "[7, 8, 9]"]);
    assert_eq!(survivors(&down_and_up(Fault::Crash { node: A }), &requests), ["[7, 8, 9]"]);
}

#[test]
fn a_stalled_disk_ends_its_syncs_with_the_stall_and_a_broken_one_refuses_them() {
    check(
        &[
            (5, Fault::DiskStall { node: A, length: LENGTH }),
            (200, Fault::DiskError { node: A, length: LENGTH }),
        ],
        &[
            write(10, &[1], Some(1)),
            write(20, &[2], Some(2)),
            write(210, &[3], Some(3)),
            write(310, &[], Some(4)),
        ],
        &["105 ms n0 synced 1", "105 ms n0 synced 2", "210 ms n0 refused 3", "310 ms n0 synced 4"],
    );
}

#[test]
fn a_sync_takes_its_time_and_one_of_an_earlier_life_is_never_heard_of() {
    let faults = down_and_up(Fault::Crash { node: A });
    let requests = vec![write(10, &[1], Some(1)), write(45, &[2], Some(2)), write(70, &[3], Some(3))];
    let mut setup = setup(&Script { faults, requests });
    setup.nodes[0].disk = DiskProfile::of(Span::from_ms(20), Span::from_ms(20));
    let seen = seen(&run_setup(setup, 1_000));
    assert_eq!(seen, ["30 ms n0 synced 1", "60 ms n0 starts [1, 2]", "90 ms n0 synced 3"]);
}

#[test]
fn a_node_that_starts_again_remembers_nothing() {
    let script = Script {
        faults: down_and_up(Fault::Crash { node: A }),
        requests: (10..40).map(|at| (at, A, vec![])).collect(),
    };
    let world = run(&script, 1_000);
    assert_eq!(world.node(A).inputs, 1, "its start is all it knows");
    assert!(world.is_up(A));
}

#[test]
fn nothing_reaches_a_node_that_is_down() {
    let send = |at| (at, B, vec![Act::Send(A, at)]);
    check(
        &down_and_up(Fault::Crash { node: A }),
        &[send(39), send(41), send(50), (55, A, vec![Act::ReadWall])],
        &["49 ms n0 gets 39 from n1", "60 ms n0 starts []", "60 ms n0 gets 50 from n1"],
    );
}

#[test]
fn a_node_that_halts_is_down_and_what_it_did_after_does_not_happen() {
    let halt = (10, A, vec![Act::Write(1), Act::Halt, Act::Write(2), Act::Send(B, 1)]);
    let mut world = run(&Script { faults: vec![], requests: vec![halt] }, 1_000);
    assert!(!world.is_up(A));
    assert_eq!((world.records(A), seen(&world)), ([1].as_slice(), vec![]));
    world.end_all_faults();
    assert!(world.is_up(A));
    assert_eq!(seen(&world), ["1 s n0 starts [1]"]);
}

#[test]
fn a_polite_stop_lets_the_last_effects_out() {
    let chatty =
        Script { faults: vec![(50, Fault::Stop { node: A })], requests: vec![(10, A, vec![Act::Chatter])] };
    let world = run(&chatty, 1_000);
    assert_eq!(seen(&world)[0], "50 ms n0 stops");
    assert!(!world.is_up(A));
}

#[test]
fn the_end_of_all_faults_ends_all_faults() {
    let links = vec![(A, B), (B, A)];
    let (loss, duplication) = (Ratio::ALWAYS, Ratio::NEVER);
    let long = Span::from_seconds(60);
    let noise = Fault::Noise { links: vec![], loss, duplication, delay_max: long, length: long };
    let faults = vec![
        (1, Fault::Crash { node: C }),
        (2, Fault::Cut { links, length: long }),
        (3, noise),
        (4, Fault::DiskStall { node: A, length: long }),
        (5, Fault::ClockLie { node: A, bound: Span::ZERO, length: long }),
        (6, Fault::ClockDrift { node: A, drift_ppb: 1_000_000 }),
        (7, Fault::ClockStep { node: B, by_ns: 1_000_000 }),
        (9, Fault::Slow { node: A, extra: long, length: long }),
        (10, Fault::Pause { node: B, length: long }),
        (200, Fault::Crash { node: B }),
    ];
    let requests = vec![
        (8, A, vec![Act::Write(1), Act::Sync(1)]),
        (20, B, vec![Act::ReadWall]),
        (150, A, vec![Act::Send(B, 2)]),
        (150, B, vec![Act::Send(C, 3)]),
    ];
    let mut world = World::new(setup(&Script { faults, requests })).unwrap();
    world.run_until(TrueTime::ZERO + LENGTH);
    assert_eq!(seen(&world), Vec::<String>::new());
    world.end_all_faults();
    assert_eq!((world.clock(A).drift_ppb(), world.clock(B).error_ns(world.now())), (0, 1_000_000));
    assert!(world.clock(A).bound(world.now()) > Span::ZERO, "it is honest again");
    world.run_until(TrueTime::ZERO + Span::from_seconds(1));
    let want = [
        "100 ms n0 synced 1",
        "100 ms n1 wall 101000000",
        "100 ms n2 starts []",
        "160 ms n1 gets 2 from n0",
        "160 ms n2 gets 3 from n1",
    ];
    assert_eq!(seen(&world), want);
    assert!(world.is_up(B), "the rest of the plan does not happen");
}

#[test]
fn nodes_start_in_order_before_anything_else_happens() {
    let script = Script {
        faults: vec![(0, Fault::Crash { node: A })],
        requests: vec![(0, A, vec![Act::ReadWall]), (0, B, vec![Act::Send(C, 1)])],
    };
    let mut setup: WorldSetup<Probe> = setup(&script);
    setup.network = NetworkProfile::perfect(Span::ZERO);
    let world = run_setup(setup, 1);
    let order: Vec<(NodeId, &str)> =
        world.observations().iter().map(|seen| (seen.node, seen.observation.0.as_str())).collect();
    assert_eq!(order, [(A, "starts []"), (B, "starts []"), (C, "starts []"), (C, "gets 1 from n1")]);
}
