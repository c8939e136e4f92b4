//! Each family of faults counts what it changed, and nothing if nothing was there to be changed.

use counterclock_sim::chance::Ratio;
use counterclock_sim::fault::{Family, Fault, Thaw};
use counterclock_sim::node::NodeId;
use counterclock_sim::time::Span;

use crate::probe::{A, Act, B, Script, run};

const LENGTH: Span = Span::from_ms(100);

fn request(at: u64, acts: &[Act]) -> (u64, NodeId, Vec<Act>) {
    (at, A, acts.to_vec())
}

/// The ledger's line of the last fault of a script, with these requests of A and with none.
#[track_caller]
fn check(faults: &[(u64, Fault)], requests: &[(u64, NodeId, Vec<Act>)], want: u64) {
    let affected = |requests: &[_]| {
        let script = Script { faults: faults.to_vec(), requests: requests.to_vec() };
        let ledger = run(&script, 1_000).ledger();
        let last = faults.len() - 1;
        assert!(ledger.is_fired(last));
        assert_eq!(ledger.lines().iter().map(|line| line.planned).sum::<u64>(), faults.len() as u64);
        ledger.affected(last)
    };
    assert_eq!(affected(requests), want);
    assert_eq!(affected(&[]), 0, "nothing was there to be changed");
}

#[test]
fn going_down_and_up_counts_if_the_node_was_up_or_down() {
    let halt = [request(5, &[Act::Write(1), Act::Halt])];
    for down in [Fault::Crash { node: A }, Fault::Stop { node: A }, Fault::PowerLoss { node: A }] {
        let script = |requests| Script { faults: vec![(10, down.clone())], requests };
        let affected = |requests| run(&script(requests), 100).ledger().affected(0);
        assert_eq!(affected(vec![]), 1, "{down:?}");
        // The node is down already: only its unsynced record, if it is gone, counts.
        assert!(affected(halt.to_vec()) <= u64::from(down.family() == Family::PowerLoss), "{down:?}");
    }
    let up = vec![(10, Fault::Crash { node: A }), (20, Fault::Restart { node: A })];
    assert_eq!(run(&Script { faults: up, requests: vec![] }, 100).ledger().affected(1), 1);
}

#[test]
fn a_power_loss_counts_the_records_it_took() {
    let writes: Vec<Act> = (0..40).map(Act::Write).collect();
    let script =
        Script { faults: vec![(10, Fault::PowerLoss { node: A })], requests: vec![request(5, &writes)] };
    let world = run(&script, 100);
    let lost = 40 - world.records(A).len() as u64;
    assert!(lost > 0);
    assert_eq!(world.ledger().affected(0), lost + 1);
}

#[test]
fn pauses_count_inputs_deferred_and_effects_held() {
    let send = Act::Send(B, 1);
    let requests = [request(10, std::slice::from_ref(&send)), request(20, &[send])];
    check(&[(5, Fault::Pause { node: A, length: LENGTH })], &requests, 2);
    check(&[(5, Fault::PauseMidway { node: A, length: LENGTH })], &requests, 2);
}

#[test]
fn a_slow_node_counts_its_inputs() {
    let slow = Fault::Slow { node: A, extra: Span::from_ms(1), length: LENGTH };
    check(&[(5, slow)], &[request(10, &[]), request(20, &[]), request(200, &[])], 2);
}

#[test]
fn cuts_and_noise_count_the_messages_they_touched() {
    let send = Act::Send(B, 1);
    let requests = [request(10, std::slice::from_ref(&send)), request(18, &[send])];
    // One is in flight when the cut begins, the other is sent while it lasts.
    check(&[(15, Fault::Cut { links: vec![(A, B)], length: LENGTH })], &requests, 2);
    let noise = |loss, duplication| Fault::Noise {
        links: vec![(A, B)],
        loss,
        duplication,
        delay_max: Span::ZERO,
        length: LENGTH,
    };
    check(&[(5, noise(Ratio::ALWAYS, Ratio::NEVER))], &requests, 2);
    check(&[(5, noise(Ratio::NEVER, Ratio::ALWAYS))], &requests, 2);
    check(&[(15, noise(Ratio::NEVER, Ratio::ALWAYS))], &requests, 1);
}

#[test]
fn faults_of_clocks_count_the_readings_after_them() {
    let requests = [
        request(5, &[Act::ReadWall, Act::ReadInterval, Act::ReadMonotonic]),
        request(20, &[Act::ReadWall, Act::ReadInterval, Act::ReadMonotonic]),
        request(200, &[Act::ReadWall, Act::ReadInterval, Act::ReadMonotonic]),
    ];
    check(&[(10, Fault::ClockStep { node: A, by_ns: 5 })], &requests, 4);
    check(&[(10, Fault::ClockDrift { node: A, drift_ppb: 5 })], &requests, 6);
    check(&[(10, Fault::ClockLie { node: A, bound: Span::ZERO, length: LENGTH })], &requests, 1);
    for thaw in [Thaw::Behind, Thaw::Jumps] {
        check(&[(10, Fault::ClockFreeze { node: A, length: LENGTH, thaw })], &requests, 2);
    }
    let period = Span::from_ms(1);
    check(&[(10, Fault::ClockStrobe { node: A, by_ns: 5, period, length: LENGTH })], &requests, 2);
    // Nobody steers this clock, so no poll is missed.
    check(&[(10, Fault::ClockSyncLoss { node: A, length: LENGTH })], &requests, 0);
}

#[test]
fn a_drift_counts_the_timers_it_moved_and_ends_with_the_next() {
    let requests = [request(5, &[Act::Arm(1, 900)]), request(50, &[Act::ReadMonotonic])];
    check(&[(10, Fault::ClockDrift { node: A, drift_ppb: 5 })], &requests, 2);
    let drift = Fault::ClockDrift { node: A, drift_ppb: 5 };
    let script = Script { faults: vec![(10, drift.clone()), (20, drift)], requests: requests.to_vec() };
    let ledger = run(&script, 1_000).ledger();
    assert_eq!((ledger.affected(0), ledger.affected(1)), (1, 2), "the reading is the second's");
}

#[test]
fn faults_of_disks_count_the_syncs_they_touched() {
    let sync = |at| request(at, &[Act::Write(1), Act::Sync(1)]);
    let requests = [sync(10), sync(20), sync(200)];
    check(&[(5, Fault::DiskStall { node: A, length: LENGTH })], &requests, 2);
    check(&[(5, Fault::DiskError { node: A, length: LENGTH })], &requests, 2);
    check(&[(5, Fault::DiskLie { node: A, length: LENGTH })], &requests, 2);
}

#[test]
fn a_run_in_which_no_fault_changed_anything_is_vacuous() {
    let pause = vec![(5, Fault::Pause { node: A, length: LENGTH })];
    let vacuous = |requests| run(&Script { faults: pause.clone(), requests }, 1_000).ledger().is_vacuous();
    assert!(vacuous(vec![]));
    assert!(!vacuous(vec![request(10, &[])]));
}

#[test]
fn a_fault_that_was_planned_too_late_did_not_fire() {
    let faults = vec![(50, Fault::Crash { node: A }), (5_000, Fault::Crash { node: B })];
    let lines = run(&Script { faults, requests: vec![] }, 1_000).ledger().lines();
    let line = lines[0];
    assert_eq!((line.fault, line.planned, line.fired, line.affected), (Family::Crash, 2, 1, 1));
}
