//! What happens to whole machines: versions, rolling restarts, crashes during recovery, zones, freezes.

use counterclock_sim::compound::{
    CrashDuringRecovery, Down, MachineFreeze, RollingRestart, ZoneFailure, zones,
};
use counterclock_sim::disk_profile::DiskProfile;
use counterclock_sim::fault::{Family, Fault, FaultPlan, PlannedFault};
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{A, Act, B, C, Probe, Script, check as check_seen, run_setup, seen, setup};

const AT: TrueTime = TrueTime::from_ns(50_000_000);

const fn ms(count: u64) -> Span {
    Span::from_ms(count)
}

/// What three probes see under these faults, and that each of them fired and changed something.
#[track_caller]
fn check(
    faults: Vec<PlannedFault>,
    requests: Vec<(u64, NodeId, Vec<Act>)>,
    sync: Span,
    want: &[&str],
) -> World<Probe> {
    let count = faults.len();
    let mut setup = setup(&Script { faults: vec![], requests });
    setup.plan = FaultPlan::of(faults);
    for node in &mut setup.nodes {
        node.disk = DiskProfile::of(sync, sync);
    }
    let world = run_setup(setup, 1_000);
    assert_eq!(seen(&world), want);
    let ledger = world.ledger();
    for index in 0..count {
        assert!(ledger.is_fired(index) && ledger.affected(index) > 0, "fault {index}");
    }
    world
}

#[test]
fn a_node_begins_again_as_another_version_and_stays_it() {
    let read = |at| (at, A, vec![Act::ReadBoot]);
    check_seen(
        &[
            (10, Fault::Stop { node: A }),
            (20, Fault::RestartAs { node: A, version: 3 }),
            (30, Fault::Crash { node: A }),
            (40, Fault::Restart { node: A }),
            (50, Fault::Crash { node: A }),
            (60, Fault::RestartAs { node: A, version: 2 }),
        ],
        &[(5, A, vec![Act::ReadBoot, Act::Write(7)]), read(25), read(45), read(65)],
        &[
            "5 ms n0 version 0, damaged []",
            "10 ms n0 stops",
            "20 ms n0 starts [7]",
            "25 ms n0 version 3, damaged []",
            "40 ms n0 starts [7]",
            "45 ms n0 version 3, damaged []",
            "60 ms n0 starts [7]",
            "65 ms n0 version 2, damaged []",
        ],
    );
}

#[test]
fn a_setup_says_as_which_version_a_node_begins() {
    let mut setup = setup(&Script { faults: vec![], requests: vec![(5, B, vec![Act::ReadBoot])] });
    setup.nodes[1].version = 9;
    assert_eq!(seen(&run_setup(setup, 10)), ["5 ms n1 version 9, damaged []"]);
}

#[test]
fn a_rolling_upgrade_takes_the_nodes_one_by_one() {
    let rolling = RollingRestart { at: AT, down: ms(5), gap: ms(10), version: Some(1) };
    let read = |node| (200, node, vec![Act::ReadBoot]);
    check(
        rolling.faults(&[A, B, C]),
        vec![read(A), read(B), read(C)],
        Span::ZERO,
        &[
            "50 ms n0 stops",
            "55 ms n0 starts []",
            "65 ms n1 stops",
            "70 ms n1 starts []",
            "80 ms n2 stops",
            "85 ms n2 starts []",
            "200 ms n0 version 1, damaged []",
            "200 ms n1 version 1, damaged []",
            "200 ms n2 version 1, damaged []",
        ],
    );
}

#[test]
fn a_crash_during_recovery_takes_the_node_before_its_first_sync_is_done() {
    let twice = CrashDuringRecovery { at: AT, how: Down::Crash, down: ms(10), recovery: ms(5) };
    // What it syncs on coming up at 60 would be done at 80; it dies at 65.
    let recover = |at| (at, A, vec![Act::Write(at), Act::Sync(at)]);
    let world = check(
        twice.faults(A),
        vec![recover(60), recover(75)],
        ms(20),
        &["60 ms n0 starts []", "75 ms n0 starts [60]", "95 ms n0 synced 75"],
    );
    assert_eq!(world.records(A), [60, 75]);
}

#[test]
fn the_nodes_of_a_zone_fail_together() {
    let zone = &zones(&[A, B, C], 2)[0];
    let failure = ZoneFailure { at: AT, how: Down::PowerLoss, down: ms(20), gap: ms(5) };
    let write = |node| (10, node, vec![Act::Write(1), Act::Sync(1), Act::Write(2)]);
    let to_b = (52, B, vec![Act::Send(A, 1), Act::Send(C, 2), Act::Send(B, 3)]);
    let world = check(
        failure.faults(zone),
        vec![write(A), write(B), write(C), to_b],
        Span::ZERO,
        &[
            "10 ms n0 synced 1",
            "10 ms n1 synced 1",
            "10 ms n2 synced 1",
            "52.001 ms n1 gets 3 from n1",
            "70 ms n0 starts [1, 2]",
            "75 ms n2 starts [1, 2]",
        ],
    );
    assert_eq!(world.messages().unheard, 2);
    let line = world.ledger().lines()[0];
    assert_eq!((line.fault, line.planned, line.fired), (Family::PowerLoss, 2, 2));
}

#[test]
fn a_frozen_machine_wakes_with_the_time_of_its_freeze_and_jumps_later() {
    let freeze = MachineFreeze { at: AT, length: ms(100), stale: ms(40) };
    let read = |at| (at, A, vec![Act::ReadWall]);
    let world = check(
        freeze.faults(A).to_vec(),
        vec![read(40), read(60), read(180), read(200)],
        Span::ZERO,
        &[
            "40 ms n0 wall 40000000",
            "150 ms n0 wall 50000000",
            "180 ms n0 wall 50000000",
            "200 ms n0 wall 200000000",
        ],
    );
    assert_eq!(world.ledger().affected(1), 1, "one input waited");
}

#[test]
fn a_stop_that_a_pause_held_up_is_over_with_the_restart_and_not_after_it() {
    let read = |at| (at, A, vec![Act::ReadBoot]);
    for last in [Fault::Restart { node: A }, Fault::RestartAs { node: A, version: 0 }] {
        let faults =
            vec![(10, Fault::Pause { node: A, length: ms(100) }), (20, Fault::Stop { node: A }), (50, last)];
        let world = run_setup(setup(&Script { faults, requests: vec![read(60), read(200)] }), 1_000);
        assert_eq!(
            seen(&world),
            ["50 ms n0 starts []", "60 ms n0 version 0, damaged []", "200 ms n0 version 0, damaged []"]
        );
        assert!(world.is_up(A));
    }
}
