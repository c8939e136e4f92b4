//! Service times, inboxes and pauses: when a node comes to its inputs and its effects leave it.

use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::WorldSetup;
use counterclock_sim::time::Span;

use crate::probe::{A, Act, B, Probe, Script, check as check_perfect, run_setup, seen, setup};

const LENGTH: Span = Span::from_ms(100);

fn send(at: u64, from: NodeId, to: NodeId) -> (u64, NodeId, Vec<Act>) {
    (at, from, vec![Act::Send(to, at)])
}

/// What happens if A takes 4 ms for each input.
fn check(faults: &[(u64, Fault)], requests: &[(u64, NodeId, Vec<Act>)], want: &[&str]) -> World<Probe> {
    let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
    let mut setup: WorldSetup<Probe> = setup(&script);
    setup.nodes[0].service = Span::from_ms(4);
    let world = run_setup(setup, 1_000);
    assert_eq!(seen(&world), want);
    world
}

#[test]
fn a_busy_node_takes_its_inputs_one_after_the_other_and_its_effects_leave_at_the_end() {
    // Starts and requests take 4 ms each; what A sends at 10 leaves at 14 and arrives at 24.
    let read = |at| (at, A, vec![Act::ReadWall, Act::Send(B, at)]);
    let world = check(
        &[],
        &[read(10), read(11)],
        &[
            "10 ms n0 wall 10000000",
            "14 ms n0 wall 14000000",
            "24 ms n1 gets 10 from n0",
            "28 ms n1 gets 11 from n0",
        ],
    );
    let late: Vec<u64> = world.observations()[3..5].iter().map(|seen| seen.released_at.as_ns()).collect();
    assert_eq!(late, [14_000_000, 18_000_000], "each left when its service ended");
}

#[test]
fn a_timer_that_waits_for_a_busy_node_can_still_be_cancelled() {
    check(
        &[],
        &[(10, A, vec![Act::Arm(1, 4), Act::Arm(2, 4)]), (15, A, vec![]), (16, A, vec![Act::Cancel(2)])],
        &["23 ms n0 timer 1"],
    );
}

#[test]
fn a_crash_takes_the_inbox_and_the_effects_that_had_not_left() {
    let world = check(
        &[(12, Fault::Crash { node: A }), (20, Fault::Restart { node: A })],
        &[send(10, A, B), send(11, A, B), send(50, A, B)],
        &["20 ms n0 starts []", "64 ms n1 gets 50 from n0"],
    );
    assert_eq!(world.messages().sent, 1);
}

#[test]
fn a_stop_waits_its_turn() {
    let world = check(
        &[(11, Fault::Stop { node: A })],
        &[send(10, A, B), (12, A, vec![Act::ReadWall])],
        &["14 ms n0 stops", "24 ms n1 gets 10 from n0"],
    );
    assert!(!world.is_up(A));
}

#[test]
fn a_slow_node_takes_longer_while_it_is_slow() {
    let slow = Fault::Slow { node: A, extra: Span::from_ms(5), length: LENGTH };
    check_perfect(
        &[(5, slow)],
        &[send(10, A, B), send(110, A, B)],
        &["25 ms n1 gets 10 from n0", "120 ms n1 gets 110 from n0"],
    );
}

#[test]
fn inputs_wait_for_a_pause_to_end_and_clocks_do_not() {
    check_perfect(
        &[(20, Fault::Pause { node: A, length: LENGTH })],
        &[(10, A, vec![Act::Arm(1, 50)]), send(15, B, A), (30, A, vec![Act::ReadWall])],
        &["120 ms n0 gets 15 from n1", "120 ms n0 wall 120000000", "120 ms n0 timer 1"],
    );
}

#[test]
fn a_pause_midway_holds_the_effects_of_the_next_input_but_not_its_readings() {
    let script = Script {
        faults: vec![(5, Fault::PauseMidway { node: A, length: LENGTH })],
        requests: vec![
            (10, A, vec![Act::ReadWall, Act::Send(B, 1)]),
            (20, A, vec![Act::ReadWall]),
            (150, A, vec![Act::Send(B, 2)]),
        ],
    };
    let world = run_setup(setup(&script), 1_000);
    let want = [
        "10 ms n0 wall 10000000",
        "110 ms n0 wall 110000000",
        "120 ms n1 gets 1 from n0",
        "160 ms n1 gets 2 from n0",
    ];
    assert_eq!(seen(&world), want);
    let first = &world.observations()[3];
    assert_eq!((first.at.as_ns(), first.local.as_ns()), (10_000_000, 10_000_000));
    assert_eq!(first.released_at.as_ns(), 110_000_000);
}

#[test]
fn a_crash_ends_a_pause_and_what_it_held() {
    check_perfect(
        &[
            (5, Fault::PauseMidway { node: A, length: LENGTH }),
            (20, Fault::Crash { node: A }),
            (30, Fault::Restart { node: A }),
        ],
        &[send(10, A, B), send(15, A, B), send(40, A, B)],
        &["30 ms n0 starts []", "50 ms n1 gets 40 from n0"],
    );
}

#[test]
fn a_pause_that_no_input_began_is_gone_with_its_process() {
    check_perfect(
        &[
            (5, Fault::PauseMidway { node: A, length: LENGTH }),
            (20, Fault::Crash { node: A }),
            (30, Fault::Restart { node: A }),
        ],
        &[send(40, A, B)],
        &["30 ms n0 starts []", "50 ms n1 gets 40 from n0"],
    );
}

#[test]
fn a_pause_during_a_service_keeps_the_effects_in() {
    check(
        &[(12, Fault::Pause { node: A, length: LENGTH })],
        &[send(10, A, B), send(11, A, B)],
        &["122 ms n1 gets 10 from n0", "126 ms n1 gets 11 from n0"],
    );
}

#[test]
fn an_inbox_that_is_full_drops_messages_and_counts_them() {
    let burst = |at| (at, B, (0..1_000).map(|number| Act::Send(A, number)).collect());
    let script = Script {
        faults: vec![(5, Fault::Pause { node: A, length: Span::from_seconds(5) })],
        requests: (10..80).map(burst).collect(),
    };
    let counts = run_setup(setup(&script), 1_000).messages();
    assert_eq!((counts.sent, counts.overflowed), (70_000, 70_000 - 65_536));
}
