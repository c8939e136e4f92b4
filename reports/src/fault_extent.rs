//! When each planned fault begins and ends, and on which nodes it stands.

use std::collections::BTreeMap;

use sim::fault::{Family, Fault, FaultPlan};

use crate::run_folder::Plan;

/// The lane of faults that are about every link.
pub(crate) const EVERY_LINK: u32 = u32::MAX;
/// How many lanes one fault of links may stand on; a wider one stands on `every link`.
const LANES_OF_FAULT_MAX: usize = 8;

/// A fault with its interval in ns; without an end if it has no length.
pub(crate) struct Timed<'a> {
    /// What it is.
    pub(crate) fault: &'a Fault,
    /// When it begins.
    pub(crate) from_ns: u64,
    /// When it ends.
    pub(crate) to_ns: Option<u64>,
}

/// Every fault but the restarts, which end others, with its interval.
pub(crate) fn timed<'a>(faults: &'a FaultPlan, plan: &Plan) -> Vec<Timed<'a>> {
    let list = &faults.faults;
    let is_drawn = |fault: &Fault| ending(fault.family()) != Family::Restart;
    let drawn = list.iter().enumerate().filter(|(_, planned)| is_drawn(&planned.fault));
    drawn
        .map(|(index, planned)| {
            let from_ns = planned.at.as_ns();
            let ender = ender(planned.fault.family());
            let end = list[index + 1..].iter().find(|later| {
                Some(ending(later.fault.family())) == ender && later.fault.node() == planned.fault.node()
            });
            let open_end_ns = if ender == Some(Family::Restart) { plan.chaos_ends_ns } else { plan.ends_ns };
            let to_ns = match (planned.fault.length(), ender) {
                (Some(length), _) => Some(from_ns.saturating_add(length.as_ns())),
                (None, Some(_)) => Some(end.map_or(open_end_ns, |end| end.at.as_ns()).max(from_ns)),
                (None, None) => None,
            };
            Timed { fault: &planned.fault, from_ns, to_ns }
        })
        .collect()
}

/// The family as which it ends others: every restart is one.
fn ending(family: Family) -> Family {
    if family == Family::RestartAs { Family::Restart } else { family }
}

/// Which family ends a fault that does not end by itself.
const fn ender(family: Family) -> Option<Family> {
    match family {
        Family::Crash | Family::PowerLoss | Family::TornWrite | Family::Stop => Some(Family::Restart),
        Family::ClockDrift => Some(Family::ClockDrift),
        Family::Restart
        | Family::Pause
        | Family::PauseMidway
        | Family::Slow
        | Family::Cut
        | Family::Noise
        | Family::ClockStep
        | Family::ClockLie
        | Family::ClockFreeze
        | Family::ClockStrobe
        | Family::ClockSyncLoss
        | Family::DiskStall
        | Family::DiskError
        | Family::DiskLie
        | Family::Burst
        | Family::Corruption
        | Family::Reordering
        | Family::SlowLink
        | Family::Throttle
        | Family::Reset
        | Family::RestartAs
        | Family::DiskSlow
        | Family::DiskFull
        | Family::BitRot => None,
    }
}

/// The lanes on which a fault stands.
pub(crate) fn lanes_of(fault: &Fault) -> Vec<u32> {
    if let Some(node) = fault.node() {
        return vec![node.0];
    }
    let links = fault.links();
    let mut left: Vec<_> = links.iter().map(|(from, to)| (from.0, to.0)).collect();
    let mut lanes = Vec::new();
    while !left.is_empty() && lanes.len() < LANES_OF_FAULT_MAX {
        let mut ends: BTreeMap<u32, usize> = BTreeMap::new();
        for (from, to) in &left {
            *ends.entry(*from).or_default() += 1;
            *ends.entry(*to).or_default() += 1;
        }
        let busiest = ends.into_iter().max_by_key(|(node, count)| (*count, *node)).map(|(node, _)| node);
        lanes.extend(busiest);
        left.retain(|(from, to)| Some(*from) != busiest && Some(*to) != busiest);
    }
    if left.is_empty() && !lanes.is_empty() { lanes } else { vec![EVERY_LINK] }
}
