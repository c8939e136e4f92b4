//! Plans that make sense, and each way in which one does not.

use super::*;
use crate::chance::Ratio;
use crate::fault::Thaw;

const A: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const LENGTH: Span = Span::from_seconds(2);

/// The plan with a fault at each second.
#[track_caller]
fn check(faults: &[Fault], want: Result<(), PlanError>) {
    let planned = faults.iter().zip(0..).map(|(fault, second)| PlannedFault {
        at: TrueTime::ZERO + Span::from_seconds(second),
        fault: fault.clone(),
    });
    assert_eq!(FaultPlan { faults: planned.collect() }.validate(2), want);
}

#[test]
fn a_plan_without_contradiction_is_accepted() {
    check(&[], Ok(()));
    let crash = Fault::Crash { node: A };
    let restart = Fault::Restart { node: A };
    check(&[crash.clone(), restart.clone(), Fault::Stop { node: A }, restart, crash], Ok(()));
    let pause = |node| Fault::Pause { node, length: LENGTH };
    check(&[pause(A), pause(B), Fault::PauseMidway { node: A, length: LENGTH }], Ok(()));
}

#[test]
fn a_node_goes_down_only_when_up_and_up_only_when_down() {
    let up = PlanError::RestartsNodeThatIsUp { index: 0, node: A };
    check(&[Fault::Restart { node: A }], Err(up));
    let down = PlanError::TakesDownNodeThatIsDown { index: 1, node: A };
    check(&[Fault::PowerLoss { node: A }, Fault::Crash { node: A }], Err(down.clone()));
    check(&[Fault::Stop { node: A }, Fault::Stop { node: A }], Err(down));
}

#[test]
fn pauses_of_one_node_do_not_overlap_unless_it_died_in_between() {
    let pause = Fault::Pause { node: A, length: LENGTH };
    check(
        &[pause.clone(), Fault::PauseMidway { node: A, length: LENGTH }],
        Err(PlanError::OverlappingPause { index: 1, node: A }),
    );
    let length = Span::from_seconds(60);
    let (crash, restart) = (Fault::Crash { node: A }, Fault::Restart { node: A });
    check(&[Fault::Pause { node: A, length }, crash, restart, pause], Ok(()));
}

#[test]
fn freezes_of_one_clock_do_not_overlap_and_neither_do_strobes() {
    let freeze = |node| Fault::ClockFreeze { node, length: LENGTH, thaw: Thaw::Behind };
    let strobe = |node| Fault::ClockStrobe { node, by_ns: 5, period: LENGTH, length: LENGTH };
    let loss = Fault::ClockSyncLoss { node: A, length: LENGTH };
    check(&[freeze(A), freeze(B), loss.clone(), freeze(A), loss.clone(), loss], Ok(()));
    check(&[strobe(A), strobe(B), freeze(A), strobe(A)], Ok(()));
    // The first ends at the instant at which the third begins.
    let frozen = PlanError::OverlappingFreeze { index: 2, node: A };
    check(&[freeze(A), freeze(B), freeze(A)], Err(frozen));
    let strobed = PlanError::OverlappingStrobe { index: 1, node: A };
    check(&[strobe(A), strobe(A)], Err(strobed));
}

#[test]
fn faults_of_clocks_have_a_node_a_length_and_a_period() {
    let (zero, long, stranger) = (Span::ZERO, Span::from_ns(u64::MAX), NodeId(2));
    for (node, length, want) in [
        (stranger, LENGTH, PlanError::UnknownNode { index: 0, node: stranger }),
        (A, zero, PlanError::NoLength { index: 0 }),
        (A, long, PlanError::SpanTooLong { index: 0, span: long }),
    ] {
        check(&[Fault::ClockFreeze { node, length, thaw: Thaw::Jumps }], Err(want.clone()));
        check(&[Fault::ClockSyncLoss { node, length }], Err(want.clone()));
        check(&[Fault::ClockStrobe { node, by_ns: 5, period: LENGTH, length }], Err(want));
    }
    let strobe = |period| Fault::ClockStrobe { node: A, by_ns: 5, period, length: LENGTH };
    check(&[strobe(zero)], Err(PlanError::NoPeriod { index: 0 }));
    check(&[strobe(long)], Err(PlanError::SpanTooLong { index: 0, span: long }));
}

#[test]
fn faults_stand_in_order_and_within_the_longest_run() {
    let at = |ns| PlannedFault { at: TrueTime::from_ns(ns), fault: Fault::Crash { node: A } };
    let plan = |faults| FaultPlan { faults }.validate(2);
    assert_eq!(plan(vec![at(2), at(1)]), Err(PlanError::OutOfOrder { index: 1, at: TrueTime::from_ns(1) }));
    assert_eq!(plan(vec![at(u64::MAX)]), Err(PlanError::TooLate { index: 0, end_ns: u64::MAX }));
    assert_eq!(plan(vec![at(1); FAULTS_MAX + 1]), Err(PlanError::TooMany { count: FAULTS_MAX + 1 }));
}

#[test]
fn nodes_and_links_exist() {
    let stranger = NodeId(2);
    let unknown = PlanError::UnknownNode { index: 0, node: stranger };
    check(&[Fault::Crash { node: stranger }], Err(unknown.clone()));
    let cut = |links: &[_]| Fault::Cut { links: links.to_vec(), length: LENGTH };
    check(&[cut(&[(A, stranger)])], Err(unknown));
    check(&[cut(&[(A, A)])], Err(PlanError::LinkToSelf { index: 0, node: A }));
    check(&[cut(&[])], Err(PlanError::NoLinks { index: 0 }));
    check(&[cut(&[(A, B)])], Ok(()));
}

#[test]
fn a_fault_that_would_do_nothing_is_refused() {
    let none = |figure| Err(PlanError::NoEffect { index: 0, figure });
    let (links, length, half) = (vec![], LENGTH, Ratio::new(1, 2));
    let burst = |enter, loss| Fault::Burst { links: vec![], enter, leave: half, loss, length };
    check(&[burst(Ratio::NEVER, half)], none("chance to enter"));
    check(&[burst(half, Ratio::NEVER)], none("loss"));
    let corruption = Fault::Corruption { links: links.clone(), chance: Ratio::NEVER, length };
    check(&[corruption], none("chance"));
    let reordering = |chance, delay_max| Fault::Reordering { links: vec![], chance, delay_max, length };
    check(&[reordering(Ratio::NEVER, LENGTH)], none("chance"));
    check(&[reordering(half, Span::ZERO)], none("delay"));
    check(&[Fault::SlowLink { links, extra: Span::ZERO, length }], none("latency"));
    check(&[Fault::DiskSlow { node: A, extra: Span::ZERO, length }], none("latency"));
    check(&[Fault::BitRot { node: A, count: 0 }], none("count"));
}

#[test]
fn bandwidths_and_records_lie_in_their_range() {
    let throttle = |bytes_per_s, queue_bytes| Fault::Throttle {
        links: vec![],
        bytes_per_s,
        queue_bytes,
        length: LENGTH,
    };
    for (bytes_per_s, queue_bytes) in
        [(0, 0), (BYTES_PER_S_MAX + 1, 0), (BYTES_PER_S_MAX, QUEUE_BYTES_MAX + 1), (1, QUEUE_BYTES_MAX)]
    {
        let want = PlanError::Bandwidth { index: 0, bytes_per_s, queue_bytes };
        check(&[throttle(bytes_per_s, queue_bytes)], Err(want));
    }
    check(&[throttle(1, 0), throttle(BYTES_PER_S_MAX, QUEUE_BYTES_MAX)], Ok(()));
    let count = u32::try_from(RECORDS_MAX).unwrap() + 1;
    let too_many = Err(PlanError::TooManyRecords { index: 0, count });
    check(&[Fault::BitRot { node: A, count }], too_many.clone());
    check(&[Fault::DiskFull { node: A, room: count, length: LENGTH }], too_many);
}

#[test]
fn resets_are_between_two_nodes_and_other_versions_start_only_what_is_down() {
    check(&[Fault::Reset { node: A, peer: A }], Err(PlanError::LinkToSelf { index: 0, node: A }));
    let stranger = NodeId(7);
    let unknown = Err(PlanError::UnknownNode { index: 0, node: stranger });
    check(&[Fault::Reset { node: A, peer: stranger }], unknown.clone());
    check(&[Fault::Reset { node: stranger, peer: A }], unknown);
    let again = Fault::RestartAs { node: A, version: 3 };
    check(std::slice::from_ref(&again), Err(PlanError::RestartsNodeThatIsUp { index: 0, node: A }));
    let torn = Fault::TornWrite { node: A };
    check(
        &[torn.clone(), again, torn.clone(), torn],
        Err(PlanError::TakesDownNodeThatIsDown { index: 3, node: A }),
    );
}

#[test]
fn figures_lie_in_their_range() {
    let (long, year) = (Span::from_ns(u64::MAX), SPAN_MAX);
    let too_long = Err(PlanError::SpanTooLong { index: 0, span: long });
    check(&[Fault::Pause { node: A, length: long }], too_long.clone());
    check(&[Fault::Pause { node: A, length: Span::ZERO }], Err(PlanError::NoLength { index: 0 }));
    check(&[Fault::Slow { node: A, extra: long, length: year }], too_long.clone());
    check(&[Fault::DiskSlow { node: A, extra: long, length: year }], too_long.clone());
    check(&[Fault::SlowLink { links: vec![], extra: long, length: year }], too_long.clone());
    let chance = Ratio::ALWAYS;
    let reordering = Fault::Reordering { links: vec![], chance, delay_max: long, length: year };
    check(&[reordering], too_long.clone());
    check(&[Fault::ClockLie { node: A, bound: long, length: year }], too_long.clone());
    let (loss, duplication) = (Ratio::NEVER, Ratio::NEVER);
    let noise = Fault::Noise { links: vec![], loss, duplication, delay_max: long, length: year };
    check(&[noise], too_long);
    for by_ns in [0, STEP_NS_MAX + 1, i64::MIN] {
        check(&[Fault::ClockStep { node: A, by_ns }], Err(PlanError::Step { index: 0, by_ns }));
        let strobe = Fault::ClockStrobe { node: A, by_ns, period: LENGTH, length: LENGTH };
        check(&[strobe], Err(PlanError::Step { index: 0, by_ns }));
    }
    for drift_ppb in [DRIFT_PPB_MAX + 1, i64::MIN] {
        check(&[Fault::ClockDrift { node: A, drift_ppb }], Err(PlanError::Drift { index: 0, drift_ppb }));
    }
}
