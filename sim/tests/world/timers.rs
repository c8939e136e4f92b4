//! Timers run on the node's own monotonic clock, and die with it.

use counterclock_sim::fault::Fault;

use crate::probe::{A, Act, B, C, check};

fn drift(drift_ppb: i64) -> Fault {
    Fault::ClockDrift { node: A, drift_ppb }
}

#[test]
fn a_slow_nodes_second_is_longer_and_a_fast_ones_shorter() {
    let arm = (10, A, vec![Act::Arm(1, 90), Act::ReadMonotonic]);
    check(&[], std::slice::from_ref(&arm), &["10 ms n0 monotonic 10000000", "100 ms n0 timer 1"]);
    // A tenth slow: 90 ms on its clock are 100 ms.
    check(
        &[(0, drift(-100_000_000))],
        std::slice::from_ref(&arm),
        &["10 ms n0 monotonic 9000000", "110 ms n0 timer 1"],
    );
    // A tenth fast: 90 ms / 1.1, rounded up to whole ns.
    check(&[(0, drift(100_000_000))], &[arm], &["10 ms n0 monotonic 11000000", "91.818 ms n0 timer 1"]);
}

#[test]
fn a_running_timer_follows_its_clock_through_changes_of_rate() {
    let arm = (10, A, vec![Act::Arm(1, 100)]);
    // 45 ms of 100 are gone after 50 ms at nine tenths; 55 are left at 1.1: 50 ms.
    let faults = [(10, drift(-100_000_000)), (60, drift(100_000_000))];
    check(&faults, std::slice::from_ref(&arm), &["110 ms n0 timer 1"]);
    // 55 ms are gone after 50 ms at 1.1; 45 are left at nine tenths: 50 ms.
    let faults = [(10, drift(100_000_000)), (60, drift(-100_000_000))];
    check(&faults, &[arm], &["110 ms n0 timer 1"]);
}

#[test]
fn a_step_of_the_wall_clock_moves_no_timer_and_no_monotonic_clock() {
    let step = Fault::ClockStep { node: A, by_ns: -3_600_000_000_000 };
    let read = vec![Act::ReadMonotonic, Act::ReadWall];
    check(
        &[(50, step)],
        &[(10, A, vec![Act::Arm(1, 90)]), (60, A, read)],
        &["60 ms n0 monotonic 60000000", "60 ms n0 wall -3599940000000", "100 ms n0 timer 1"],
    );
}

#[test]
fn a_timer_armed_again_runs_out_once_and_a_cancelled_one_not_at_all() {
    check(
        &[],
        &[
            (10, A, vec![Act::Arm(1, 20), Act::Arm(2, 20), Act::Arm(3, 20)]),
            (20, A, vec![Act::Arm(1, 50), Act::Arm(2, 5), Act::Cancel(3)]),
        ],
        &["25 ms n0 timer 2", "70 ms n0 timer 1"],
    );
}

#[test]
fn timers_of_one_instant_run_out_in_the_order_they_were_armed() {
    check(
        &[],
        &[
            (10, A, vec![Act::Arm(1, 30)]),
            (15, B, vec![Act::Arm(2, 25)]),
            (20, C, vec![Act::Arm(3, 20)]),
            (30, A, vec![Act::Arm(1, 10)]),
        ],
        &["40 ms n1 timer 2", "40 ms n2 timer 3", "40 ms n0 timer 1"],
    );
}

#[test]
fn no_timer_of_an_earlier_life_runs_out() {
    let arm = |at, key| (at, A, vec![Act::Arm(key, 100)]);
    for down in [Fault::Crash { node: A }, Fault::PowerLoss { node: A }, Fault::Stop { node: A }] {
        let is_stop = matches!(down, Fault::Stop { .. });
        let faults = [(50, down), (60, Fault::Restart { node: A })];
        let mut want = vec!["60 ms n0 starts []", "170 ms n0 timer 2"];
        if is_stop {
            want.insert(0, "50 ms n0 stops");
        }
        check(&faults, &[arm(10, 1), arm(70, 2)], &want);
    }
}

#[test]
fn the_monotonic_clock_restarts_with_its_node_and_the_wall_clock_does_not() {
    check(
        &[(50, Fault::Crash { node: A }), (60, Fault::Restart { node: A })],
        &[(70, A, vec![Act::ReadMonotonic, Act::ReadWall])],
        &["60 ms n0 starts []", "70 ms n0 monotonic 10000000", "70 ms n0 wall 70000000"],
    );
}
