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
mod tests;
