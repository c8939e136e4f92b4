//! Faults of clocks on every substrate: nodes read what they read on the kernel.

use counterclock_sim::clock_profile::ClockProfile;
use counterclock_sim::fault::{Fault, Thaw};
use counterclock_sim::time::Span;

use super::{check_as_on_the_kernel, script};
use crate::probe::{A, Act, B, C};

const LENGTH: Span = Span::from_ms(100);

#[test]
fn clocks_step_drift_and_lie() {
    let by_ns = -3_000_000;
    let faults = [
        (10, Fault::ClockStep { node: A, by_ns }),
        (20, Fault::ClockDrift { node: B, drift_ppb: 100_000_000 }),
        (30, Fault::ClockLie { node: C, bound: Span::from_ms(2), length: LENGTH }),
    ];
    let requests =
        [(40, A, vec![Act::ReadWall]), (40, B, vec![Act::Arm(1, 11)]), (41, C, vec![Act::ReadInterval])];
    let seen = check_as_on_the_kernel(&script(&faults, &requests), 1_000);
    assert_eq!(seen, ["40 ms n0 wall 37000000", "41 ms n2 width 4000000", "50 ms n1 timer 1"]);
}

#[test]
fn clocks_stand_still_and_strobe() {
    let strobe =
        Fault::ClockStrobe { node: B, by_ns: -40_000_000, period: Span::from_ms(30), length: LENGTH };
    let faults = [(10, Fault::ClockFreeze { node: A, length: LENGTH, thaw: Thaw::Behind }), (100, strobe)];
    let requests = [
        (50, A, vec![Act::ReadWall]),
        (111, A, vec![Act::ReadWall]),
        (129, B, vec![Act::ReadWall]),
        (130, B, vec![Act::ReadWall]),
    ];
    let seen = check_as_on_the_kernel(&script(&faults, &requests), 1_000);
    let want = [
        "50 ms n0 wall 10000000",
        "111 ms n0 wall 11000000",
        "129 ms n1 wall 89000000",
        "130 ms n1 wall 130000000",
    ];
    assert_eq!(seen, want);
}

#[test]
fn a_clock_that_does_not_hear_its_source_claims_a_wider_bound() {
    let loss = Fault::ClockSyncLoss { node: A, length: Span::from_seconds(3) };
    let requests: Vec<_> = (0..6).map(|second| (second * 1_000 + 900, A, vec![Act::ReadInterval])).collect();
    let mut setup = script(&[(1_500, loss)], &requests);
    for node in &mut setup.nodes {
        node.clock = ClockProfile::ptp();
    }
    let seen = check_as_on_the_kernel(&setup, 6_000);
    let widths: Vec<u64> =
        seen.iter().map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect();
    assert!(widths[1] < widths[2] && widths[2] < widths[3] && widths[3] > widths[4], "{widths:?}");
}
