//! A plan with figures that make no sense is refused before the run, with its place and the reason.

use counterclock_sim::chance::Ratio;
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::World;
use counterclock_sim::node::NodeId;
use counterclock_sim::time::Span;

use crate::probe::{A, B, Script, setup};

const LENGTH: Span = Span::from_ms(100);
const HALF: Ratio = Ratio::new(1, 2);

/// Why a plan is refused whose second fault is this one.
#[track_caller]
fn check(fault: Fault, want: &str) {
    let slow = Fault::SlowLink { links: vec![(A, B)], extra: LENGTH, length: LENGTH };
    let script = Script { faults: vec![(1, slow), (2, fault)], requests: vec![] };
    let error = World::new(setup(&script)).unwrap_err();
    assert_eq!(error.to_string(), format!("the fault plan: fault 1 {want}"));
}

#[test]
fn links_that_do_not_exist_are_refused() {
    let stranger = NodeId(9);
    let wrong = [
        (vec![(A, stranger)], "is about n9, which does not exist"),
        (vec![(B, B)], "is about the link of n1 to itself, which cannot break"),
    ];
    for (links, want) in wrong {
        let links = || links.clone();
        let (enter, leave, loss, length) = (HALF, HALF, HALF, LENGTH);
        check(Fault::Burst { links: links(), enter, leave, loss, length }, want);
        check(Fault::Corruption { links: links(), chance: HALF, length }, want);
        check(Fault::Reordering { links: links(), chance: HALF, delay_max: LENGTH, length }, want);
        check(Fault::SlowLink { links: links(), extra: LENGTH, length }, want);
        check(Fault::Throttle { links: links(), bytes_per_s: 1, queue_bytes: 1, length }, want);
    }
    check(Fault::Reset { node: A, peer: stranger }, "is about n9, which does not exist");
    check(Fault::Reset { node: A, peer: A }, "is about the link of n0 to itself, which cannot break");
}

#[test]
fn nodes_that_do_not_exist_are_refused() {
    let node = NodeId(3);
    let want = "is about n3, which does not exist";
    check(Fault::RestartAs { node, version: 1 }, want);
    check(Fault::TornWrite { node }, want);
    check(Fault::DiskSlow { node, extra: LENGTH, length: LENGTH }, want);
    check(Fault::DiskFull { node, room: 0, length: LENGTH }, want);
    check(Fault::BitRot { node, count: 1 }, want);
}

#[test]
fn faults_without_an_effect_a_length_or_an_end_are_refused() {
    let none = "has no length";
    check(Fault::DiskFull { node: A, room: 0, length: Span::ZERO }, none);
    check(Fault::Corruption { links: vec![], chance: HALF, length: Span::ZERO }, none);
    let nothing = |figure: &str| format!("has a {figure} of zero: it would do nothing");
    check(Fault::SlowLink { links: vec![], extra: Span::ZERO, length: LENGTH }, &nothing("latency"));
    check(Fault::BitRot { node: A, count: 0 }, &nothing("count"));
    let long = Span::from_ns(u64::MAX);
    let want = format!("has a span of {long}, longer than 31622400 s");
    check(Fault::DiskSlow { node: A, extra: long, length: LENGTH }, &want);
    check(Fault::SlowLink { links: vec![], extra: long, length: LENGTH }, &want);
}

#[test]
fn bandwidths_out_of_range_are_refused() {
    let throttle = Fault::Throttle { links: vec![], bytes_per_s: 0, queue_bytes: 7, length: LENGTH };
    let want = "leaves 0 bytes a second with 7 waiting: expected 1 to 1000000000000, and at most 1099511627776 \
                waiting for no longer than 31622400 s";
    check(throttle, want);
}

#[test]
fn a_node_that_is_up_is_not_begun_again_as_another_version() {
    check(Fault::RestartAs { node: A, version: 1 }, "restarts n0, expected it to be down by then");
}

#[test]
fn a_plan_in_a_file_with_a_wrong_chance_or_an_unknown_figure_is_refused() {
    let refused = [
        r#"{"kind":"corruption","links":[],"chance":"3/2","length":1}"#,
        r#"{"kind":"burst","links":[],"enter":"1/2","leave":"1/2","loss":"one","length":1}"#,
        r#"{"kind":"bit-rot","node":0,"count":-1}"#,
        r#"{"kind":"disk-full","node":0,"room":1,"length":1,"rooms":2}"#,
    ];
    for text in refused {
        assert!(serde_json::from_str::<Fault>(text).is_err(), "{text}");
    }
    let text = r#"{"kind":"restart-as","node":0,"version":2}"#;
    assert_eq!(serde_json::from_str::<Fault>(text).unwrap(), Fault::RestartAs { node: A, version: 2 });
}
