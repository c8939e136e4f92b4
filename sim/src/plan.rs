//! Whether a fault plan makes sense for a world: checked before the first event.

use crate::chance::Ratio;
use crate::fault::{Fault, FaultPlan, PlannedFault};
use crate::limits::{
    BYTES_PER_S_MAX, DRIFT_PPB_MAX, FAULTS_MAX, QUEUE_BYTES_MAX, RECORDS_MAX, RUN_NS_MAX, SPAN_MAX,
    STEP_NS_MAX,
};
use crate::network_profile::Bandwidth;
use crate::node::NodeId;
use crate::time::{Span, TrueTime};

/// Why a list of faults is no plan. Every `index` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There are too many.
    #[error("{count} faults are planned, at most {FAULTS_MAX} are allowed")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// It begins before its predecessor.
    #[error("fault {index} begins at {} ns, before its predecessor: faults stand in order", at.as_ns())]
    OutOfOrder {
        /// Which fault.
        index: usize,
        /// When it begins.
        at: TrueTime,
    },
    /// It begins or ends after the longest run.
    #[error("fault {index} lasts until {end_ns} ns, after the end of the longest run")]
    TooLate {
        /// Which fault.
        index: usize,
        /// When it ends.
        end_ns: u64,
    },
    /// Its node does not exist.
    #[error("fault {index} is about {node}, which does not exist")]
    UnknownNode {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// It is about a node's link to itself, which goes over no network.
    #[error("fault {index} is about the link of {node} to itself, which cannot break")]
    LinkToSelf {
        /// Which fault.
        index: usize,
        /// Whom it names twice.
        node: NodeId,
    },
    /// It cuts nothing.
    #[error("fault {index} cuts no link")]
    NoLinks {
        /// Which fault.
        index: usize,
    },
    /// It lasts no time.
    #[error("fault {index} has no length")]
    NoLength {
        /// Which fault.
        index: usize,
    },
    /// A length, delay or bound is too long.
    #[error("fault {index} has a span of {span}, longer than {SPAN_MAX}")]
    SpanTooLong {
        /// Which fault.
        index: usize,
        /// The span.
        span: Span,
    },
    /// A step is zero or too large.
    #[error("fault {index} steps by {by_ns} ns: expected up to {STEP_NS_MAX} ns, and not zero")]
    Step {
        /// Which fault.
        index: usize,
        /// The step.
        by_ns: i64,
    },
    /// A strobe jumps all the time.
    #[error("fault {index} is a strobe without a period")]
    NoPeriod {
        /// Which fault.
        index: usize,
    },
    /// A frequency error is too large.
    #[error("fault {index} drifts by {drift_ppb} ppb: expected up to {DRIFT_PPB_MAX} ppb")]
    Drift {
        /// Which fault.
        index: usize,
        /// The frequency error.
        drift_ppb: i64,
    },
    /// A figure is zero, so that it would do nothing.
    #[error("fault {index} has a {figure} of zero: it would do nothing")]
    NoEffect {
        /// Which fault.
        index: usize,
        /// Which figure.
        figure: &'static str,
    },
    /// A bandwidth or the queue before it is out of range.
    #[error(
        "fault {index} leaves {bytes_per_s} bytes a second with {queue_bytes} waiting: expected 1 to {BYTES_PER_S_MAX}, \
         and at most {QUEUE_BYTES_MAX} waiting for no longer than {SPAN_MAX}"
    )]
    Bandwidth {
        /// Which fault.
        index: usize,
        /// What it leaves.
        bytes_per_s: u64,
        /// What may wait.
        queue_bytes: u64,
    },
    /// It is about more records than a disk has.
    #[error("fault {index} is about {count} records, a disk has at most {RECORDS_MAX}")]
    TooManyRecords {
        /// Which fault.
        index: usize,
        /// How many.
        count: u32,
    },
    /// It restarts a node that is up.
    #[error("fault {index} restarts {node}, expected it to be down by then")]
    RestartsNodeThatIsUp {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// It takes down a node that is down.
    #[error("fault {index} takes {node} down, expected it to be up by then")]
    TakesDownNodeThatIsDown {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// It freezes a clock that stands still.
    #[error("fault {index} freezes the clock of {node}, expected the freeze before it to be over")]
    OverlappingFreeze {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// It strobes a clock that is strobed.
    #[error("fault {index} strobes the clock of {node}, expected the strobe before it to be over")]
    OverlappingStrobe {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
    /// It pauses a node that is paused.
    #[error("fault {index} pauses {node}, expected the pause before it to be over")]
    OverlappingPause {
        /// Which fault.
        index: usize,
        /// Whom it names.
        node: NodeId,
    },
}

/// What a plan has done to a node so far.
#[derive(Clone, Copy, Default)]
struct Expected {
    is_down: bool,
    paused_until: TrueTime,
    /// A fault that ends at an instant still stands when another begins at it.
    frozen_until: Option<TrueTime>,
    strobed_until: Option<TrueTime>,
}

impl FaultPlan {
    /// Whether the plan fits a world of `node_count` nodes and does not contradict itself. A plan with a contradiction
    /// is refused, since its ledger could not tell what had happened.
    ///
    /// # Errors
    /// Names the first fault that does not fit.
    pub fn validate(&self, node_count: usize) -> Result<(), PlanError> {
        if self.faults.len() > FAULTS_MAX {
            return Err(PlanError::TooMany { count: self.faults.len() });
        }
        let mut expected = vec![Expected::default(); node_count];
        let mut previous = TrueTime::ZERO;
        for (index, planned) in self.faults.iter().enumerate() {
            if planned.at < previous {
                return Err(PlanError::OutOfOrder { index, at: planned.at });
            }
            previous = planned.at;
            validate_places(index, &planned.fault, node_count)?;
            validate_figures(index, planned)?;
            validate_order(index, planned, &mut expected)?;
        }
        Ok(())
    }
}

fn validate_places(index: usize, fault: &Fault, node_count: usize) -> Result<(), PlanError> {
    let exists = |node: NodeId| {
        if node.index() < node_count { Ok(()) } else { Err(PlanError::UnknownNode { index, node }) }
    };
    for &(from, to) in fault.links() {
        exists(from)?;
        exists(to)?;
        if from == to {
            return Err(PlanError::LinkToSelf { index, node: from });
        }
    }
    match fault {
        Fault::Cut { links, .. } if links.is_empty() => Err(PlanError::NoLinks { index }),
        Fault::Reset { node, peer } if node == peer => Err(PlanError::LinkToSelf { index, node: *node }),
        Fault::Reset { node, peer } => exists(*node).and_then(|()| exists(*peer)),
        fault => fault.node().map_or(Ok(()), exists),
    }
}

fn validate_figures(index: usize, planned: &PlannedFault) -> Result<(), PlanError> {
    if planned.fault.length() == Some(Span::ZERO) {
        return Err(PlanError::NoLength { index });
    }
    let length = planned.fault.length().unwrap_or(Span::ZERO);
    if let Fault::ClockStep { by_ns, .. } | Fault::ClockStrobe { by_ns, .. } = planned.fault
        && (by_ns == 0 || by_ns.unsigned_abs() > STEP_NS_MAX.unsigned_abs())
    {
        return Err(PlanError::Step { index, by_ns });
    }
    if let Fault::ClockDrift { drift_ppb, .. } = planned.fault
        && drift_ppb.unsigned_abs() > DRIFT_PPB_MAX.unsigned_abs()
    {
        return Err(PlanError::Drift { index, drift_ppb });
    }
    if matches!(planned.fault, Fault::ClockStrobe { period: Span::ZERO, .. }) {
        return Err(PlanError::NoPeriod { index });
    }
    validate_strength(index, &planned.fault)?;
    let span = length.max(planned.fault.strength());
    if span > SPAN_MAX {
        return Err(PlanError::SpanTooLong { index, span });
    }
    let end_ns = planned.at.as_ns().saturating_add(length.as_ns());
    if end_ns > RUN_NS_MAX {
        return Err(PlanError::TooLate { index, end_ns });
    }
    Ok(())
}

/// Whether the faults that do something by degrees do something, and no more than there is.
fn validate_strength(index: usize, fault: &Fault) -> Result<(), PlanError> {
    let none = |figure| Err(PlanError::NoEffect { index, figure });
    match *fault {
        Fault::Burst { enter, .. } if enter == Ratio::NEVER => none("chance to enter"),
        Fault::Burst { loss, .. } if loss == Ratio::NEVER => none("loss"),
        Fault::Corruption { chance, .. } | Fault::Reordering { chance, .. } if chance == Ratio::NEVER => {
            none("chance")
        }
        Fault::Reordering { delay_max, .. } if delay_max == Span::ZERO => none("delay"),
        Fault::SlowLink { extra, .. } | Fault::DiskSlow { extra, .. } if extra == Span::ZERO => {
            none("latency")
        }
        Fault::BitRot { count: 0, .. } => none("count"),
        Fault::BitRot { count, .. } | Fault::DiskFull { room: count, .. } if count as usize > RECORDS_MAX => {
            Err(PlanError::TooManyRecords { index, count })
        }
        Fault::Throttle { bytes_per_s, queue_bytes, .. }
            if !(Bandwidth { bytes_per_s, queue_bytes }).is_sound() =>
        {
            Err(PlanError::Bandwidth { index, bytes_per_s, queue_bytes })
        }
        _ => Ok(()),
    }
}

fn validate_order(index: usize, planned: &PlannedFault, expected: &mut [Expected]) -> Result<(), PlanError> {
    match planned.fault {
        Fault::Crash { node }
        | Fault::PowerLoss { node }
        | Fault::TornWrite { node }
        | Fault::Stop { node } => {
            if expected[node.index()].is_down {
                return Err(PlanError::TakesDownNodeThatIsDown { index, node });
            }
            expected[node.index()].is_down = true;
            expected[node.index()].paused_until = planned.at;
        }
        Fault::Restart { node } | Fault::RestartAs { node, .. } => {
            if !expected[node.index()].is_down {
                return Err(PlanError::RestartsNodeThatIsUp { index, node });
            }
            expected[node.index()].is_down = false;
        }
        Fault::Pause { node, length } | Fault::PauseMidway { node, length } => {
            if planned.at < expected[node.index()].paused_until {
                return Err(PlanError::OverlappingPause { index, node });
            }
            expected[node.index()].paused_until = planned.at + length;
        }
        Fault::ClockFreeze { node, length, .. } => {
            let until = &mut expected[node.index()].frozen_until;
            if until.is_some_and(|until| planned.at <= until) {
                return Err(PlanError::OverlappingFreeze { index, node });
            }
            *until = Some(planned.at + length);
        }
        Fault::ClockStrobe { node, length, .. } => {
            let until = &mut expected[node.index()].strobed_until;
            if until.is_some_and(|until| planned.at <= until) {
                return Err(PlanError::OverlappingStrobe { index, node });
            }
            *until = Some(planned.at + length);
        }
        Fault::Slow { .. }
        | Fault::Cut { .. }
        | Fault::Noise { .. }
        | Fault::ClockStep { .. }
        | Fault::ClockDrift { .. }
        | Fault::ClockLie { .. }
        | Fault::ClockSyncLoss { .. }
        | Fault::DiskStall { .. }
        | Fault::DiskError { .. }
        | Fault::DiskLie { .. }
        | Fault::Burst { .. }
        | Fault::Corruption { .. }
        | Fault::Reordering { .. }
        | Fault::SlowLink { .. }
        | Fault::Throttle { .. }
        | Fault::Reset { .. }
        | Fault::DiskSlow { .. }
        | Fault::DiskFull { .. }
        | Fault::BitRot { .. } => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            plan(vec![at(2), at(1)]),
            Err(PlanError::OutOfOrder { index: 1, at: TrueTime::from_ns(1) })
        );
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
}
