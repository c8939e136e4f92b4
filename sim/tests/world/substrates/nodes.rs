//! Faults of whole nodes on every substrate: they die, come back, stand still, take their time.

use counterclock_sim::fault::Fault;
use counterclock_sim::time::Span;

use super::links::send;
use super::{check, check_as_on_the_kernel, lines_as_wanted, others, run, script};
use crate::probe::{A, Act, B, C};

#[test]
fn a_node_that_crashes_hears_nothing_and_starts_with_its_disk() {
    let found = check(
        &[(50, Fault::Crash { node: B }), (300, Fault::Restart { node: B })],
        &[(10, B, vec![Act::Write(7)]), send(20, A, B, 1), send(100, A, B, 2), send(400, A, B, 3)],
        &["20+ n1 gets 1 from n0", "300 ms n1 starts [7]", "400+ n1 gets 3 from n0"],
    );
    for evidence in found {
        assert_eq!(evidence.messages.unheard, 1);
    }
}

#[test]
fn what_a_node_sent_before_it_died_arrives_and_what_was_on_its_way_to_it_does_not() {
    let found = check(
        &[(105, Fault::Crash { node: A })],
        &[send(10, A, B, 1), send(20, B, A, 2), send(100, A, B, 3), send(100, B, A, 4)],
        &["10+ n1 gets 1 from n0", "20+ n0 gets 2 from n1", "100+ n1 gets 3 from n0"],
    );
    for evidence in found {
        assert_eq!(evidence.messages.unheard, 1);
    }
}

#[test]
fn what_is_sent_to_a_node_that_is_down_does_not_wait_for_it() {
    let faults = [(5, Fault::Crash { node: B }), (300, Fault::Restart { node: B })];
    // The first one ever to go there, and one more behind it.
    let requests = [send(100, A, B, 1), send(110, A, B, 2), send(400, A, B, 3)];
    for evidence in check(&faults, &requests, &["300 ms n1 starts []", "400+ n1 gets 3 from n0"]) {
        assert_eq!(evidence.messages.unheard, 2);
    }
}

#[test]
fn a_power_loss_takes_of_what_was_not_synced_what_it_takes_on_the_kernel() {
    let faults = [(50, Fault::PowerLoss { node: B }), (300, Fault::Restart { node: B })];
    let unsynced = (8..40).map(Act::Write).collect();
    let requests = [(10, B, vec![Act::Write(7), Act::Sync(1)]), (49, B, unsynced)];
    let seen = check_as_on_the_kernel(&script(&faults, &requests), 1_000);
    assert!(!seen[1].ends_with("39]"), "something is lost: {seen:?}");
}

#[test]
fn a_torn_write_leaves_the_damage_that_it_leaves_on_the_kernel() {
    let faults = [(50, Fault::TornWrite { node: B }), (300, Fault::Restart { node: B })];
    let unsynced = (8..40).map(Act::Write).collect();
    let requests =
        [(10, B, vec![Act::Write(7), Act::Sync(1)]), (49, B, unsynced), (400, B, vec![Act::ReadBoot])];
    let seen = check_as_on_the_kernel(&script(&faults, &requests), 1_000);
    assert!(!seen[2].ends_with("damaged []"), "something is damaged: {seen:?}");
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
fn a_node_begins_again_as_another_version_and_is_heard() {
    check(
        &[(50, Fault::Stop { node: B }), (100, Fault::RestartAs { node: B, version: 3 })],
        &[(200, B, vec![Act::ReadBoot]), send(300, B, A, 1)],
        &[
            "50 ms n1 stops",
            "100 ms n1 starts []",
            "200 ms n1 version 3, damaged []",
            "300+ n0 gets 1 from n1",
        ],
    );
}

#[test]
fn a_node_that_dies_and_comes_back_at_one_instant_has_a_new_host() {
    let faults = [(50, Fault::Crash { node: B }), (50, Fault::Restart { node: B })];
    for substrate in others() {
        let evidence = run(substrate, script(&faults, &[send(20, A, B, 1), send(100, A, B, 2)]), 1_000);
        let want = ["20+ n1 gets 1 from n0", "50 ms n1 starts []", "100+ n1 gets 2 from n0"];
        assert_eq!(lines_as_wanted(&evidence, &want), want, "{substrate}");
    }
}

#[test]
fn a_pause_defers_and_a_pause_midway_holds_effects() {
    let length = Span::from_ms(100);
    check(
        &[(100, Fault::Pause { node: B, length }), (300, Fault::PauseMidway { node: A, length })],
        &[send(90, A, B, 1), send(310, A, C, 2)],
        &["200 ms n1 gets 1 from n0", "410+ n2 gets 2 from n0"],
    );
}

#[test]
fn a_slow_node_takes_its_time() {
    let slow = Fault::Slow { node: A, extra: Span::from_ms(5), length: Span::from_ms(100) };
    check(&[(1, slow)], &[send(10, A, B, 1)], &["15+ n1 gets 1 from n0"]);
}
