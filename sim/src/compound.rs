//! Faults made of others: what goes wrong together, or one after the other.
//!
//! ```text
//!   rolling restart          stop n0 ─ restart ─ stop n1 ─ restart ─ ...
//!   crash during recovery    crash ─ restart ─ crash ─ restart, the second before the node has recovered
//!   failure of a zone        power loss of all its nodes at one instant, restarts one after the other
//!   freeze of a machine      pause, and the wall clock stands still for a little longer ─ it jumps
//! ```
//!
//! Each gives planned faults, earliest first. [`FaultPlan::of`] puts several into one plan; whether that contradicts
//! itself is [`FaultPlan::validate`]'s to say.

use crate::fault::{Fault, FaultPlan, PlannedFault, Thaw};
use crate::node::NodeId;
use crate::time::{Span, TrueTime};

impl FaultPlan {
    /// The plan of these faults, in whichever order they come; those of one instant stay in theirs.
    #[must_use]
    pub fn of(faults: impl IntoIterator<Item = PlannedFault>) -> Self {
        let mut faults: Vec<PlannedFault> = faults.into_iter().collect();
        faults.sort_by_key(|planned| planned.at);
        Self { faults }
    }
}

/// An instant so long after another; the end of time, which no plan allows, if there is none.
const fn after(at: TrueTime, span: Span) -> TrueTime {
    TrueTime::from_ns(at.as_ns().saturating_add(span.as_ns()))
}

/// How a node goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// Its process dies.
    Crash,
    /// Its machine dies.
    PowerLoss,
    /// Its machine dies while it writes.
    TornWrite,
    /// It is asked to stop.
    Stop,
}

impl Down {
    /// The fault that takes `node` down.
    #[must_use]
    pub const fn fault(self, node: NodeId) -> Fault {
        match self {
            Self::Crash => Fault::Crash { node },
            Self::PowerLoss => Fault::PowerLoss { node },
            Self::TornWrite => Fault::TornWrite { node },
            Self::Stop => Fault::Stop { node },
        }
    }
}

/// Nodes that stop in order and begin again, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingRestart {
    /// When the first stops.
    pub at: TrueTime,
    /// How long each is down.
    pub down: Span,
    /// How long after one is up the next stops.
    pub gap: Span,
    /// As which version each begins again; as the one that it was, if none is given. A rolling upgrade, or a way back.
    pub version: Option<u32>,
}

impl RollingRestart {
    /// The faults.
    #[must_use]
    pub fn faults(&self, nodes: &[NodeId]) -> Vec<PlannedFault> {
        let mut at = self.at;
        let mut faults = Vec::new();
        for &node in nodes {
            let up_at = after(at, self.down);
            let up = match self.version {
                Some(version) => Fault::RestartAs { node, version },
                None => Fault::Restart { node },
            };
            faults.push(PlannedFault { at, fault: Fault::Stop { node } });
            faults.push(PlannedFault { at: up_at, fault: up });
            at = after(up_at, self.gap);
        }
        faults
    }
}

/// A node that goes down again before it has recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashDuringRecovery {
    /// When it goes down first.
    pub at: TrueTime,
    /// How, both times.
    pub how: Down,
    /// How long it is down, both times.
    pub down: Span,
    /// How long it may recover in between. Shorter than a sync or a service time, and it has not.
    pub recovery: Span,
}

impl CrashDuringRecovery {
    /// The faults.
    #[must_use]
    pub fn faults(&self, node: NodeId) -> Vec<PlannedFault> {
        let up_at = after(self.at, self.down);
        let again_at = after(up_at, self.recovery);
        let down = self.how.fault(node);
        vec![
            PlannedFault { at: self.at, fault: down.clone() },
            PlannedFault { at: up_at, fault: Fault::Restart { node } },
            PlannedFault { at: again_at, fault: down },
            PlannedFault { at: after(again_at, self.down), fault: Fault::Restart { node } },
        ]
    }
}

/// All nodes of a zone that fail together: one rack, one power supply, one data centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneFailure {
    /// When they go down, all at once.
    pub at: TrueTime,
    /// How.
    pub how: Down,
    /// How long the first is down.
    pub down: Span,
    /// How long after one is up the next is: machines do not come back all at once.
    pub gap: Span,
}

impl ZoneFailure {
    /// The faults.
    #[must_use]
    pub fn faults(&self, zone: &[NodeId]) -> Vec<PlannedFault> {
        let down = zone.iter().map(|&node| PlannedFault { at: self.at, fault: self.how.fault(node) });
        let mut up_at = after(self.at, self.down);
        let up = zone.iter().map(|&node| {
            let at = up_at;
            up_at = after(up_at, self.gap);
            PlannedFault { at, fault: Fault::Restart { node } }
        });
        down.chain(up).collect()
    }
}

/// The nodes of each zone, if nodes are spread over zones in turn, as a careful operator spreads replicas.
///
/// # Panics
/// If there is no zone.
#[must_use]
pub fn zones(nodes: &[NodeId], zone_count: usize) -> Vec<Vec<NodeId>> {
    assert!(zone_count > 0, "nodes stand in a zone");
    let of = |zone: usize| nodes.iter().skip(zone).step_by(zone_count).copied().collect();
    (0..zone_count).map(of).collect()
}

/// A virtual machine that its host stops and lets go on: the process stands still, and the wall clock too.
///
/// On waking the wall clock still shows the time of the freeze; `stale` later, its daemon finds out and puts it right.
/// The monotonic clock counts the freeze, as `CLOCK_BOOTTIME` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineFreeze {
    /// When it stops.
    pub at: TrueTime,
    /// How long it stands still.
    pub length: Span,
    /// How long its wall clock is late afterwards.
    pub stale: Span,
}

impl MachineFreeze {
    /// The faults.
    #[must_use]
    pub fn faults(&self, node: NodeId) -> [PlannedFault; 2] {
        let frozen = self.length.saturating_add(self.stale);
        let freeze = Fault::ClockFreeze { node, length: frozen, thaw: Thaw::Jumps };
        let pause = Fault::Pause { node, length: self.length };
        [freeze, pause].map(|fault| PlannedFault { at: self.at, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Span {
        Span::from_ms(count)
    }

    /// The faults as `10 crash n0`, in ms, and that they make a plan for four nodes.
    #[track_caller]
    fn check(faults: Vec<PlannedFault>, want: &[&str]) {
        let line = |planned: &PlannedFault| {
            let node = planned.fault.node().expect("all of these are about nodes");
            format!("{} {} {node}", planned.at.as_ns() / 1_000_000, planned.fault.family())
        };
        assert_eq!(faults.iter().map(line).collect::<Vec<_>>(), want);
        assert_eq!(FaultPlan::of(faults).validate(4), Ok(()));
    }

    const AT: TrueTime = TrueTime::from_ns(10_000_000);

    #[test]
    fn a_rolling_restart_takes_one_node_at_a_time() {
        let rolling = RollingRestart { at: AT, down: ms(5), gap: ms(2), version: None };
        let nodes = [NodeId(2), NodeId(0)];
        check(rolling.faults(&nodes), &["10 stop n2", "15 restart n2", "17 stop n0", "22 restart n0"]);
        let upgrade = RollingRestart { version: Some(2), ..rolling };
        check(upgrade.faults(&nodes[..1]), &["10 stop n2", "15 restart-as n2"]);
    }

    #[test]
    fn a_crash_during_recovery_comes_soon_after_the_restart() {
        let twice = CrashDuringRecovery { at: AT, how: Down::PowerLoss, down: ms(5), recovery: ms(1) };
        check(
            twice.faults(NodeId(1)),
            &["10 power-loss n1", "15 restart n1", "16 power-loss n1", "21 restart n1"],
        );
    }

    #[test]
    fn a_zone_fails_at_one_instant_and_comes_back_by_and_by() {
        let nodes: Vec<NodeId> = (0..4).map(NodeId).collect();
        let zones = zones(&nodes, 3);
        assert_eq!(zones, [vec![NodeId(0), NodeId(3)], vec![NodeId(1)], vec![NodeId(2)]]);
        let failure = ZoneFailure { at: AT, how: Down::TornWrite, down: ms(5), gap: ms(3) };
        check(
            failure.faults(&zones[0]),
            &["10 torn-write n0", "10 torn-write n3", "15 restart n0", "18 restart n3"],
        );
    }

    #[test]
    fn a_frozen_machine_wakes_with_a_late_clock() {
        let freeze = MachineFreeze { at: AT, length: ms(30), stale: ms(7) };
        check(freeze.faults(NodeId(0)).to_vec(), &["10 clock-freeze n0", "10 pause n0"]);
    }

    #[test]
    fn figures_that_no_plan_allows_are_refused_with_the_plan() {
        let long = Span::from_ns(u64::MAX);
        let freeze = MachineFreeze { at: AT, length: long, stale: long };
        let rolling = RollingRestart { at: AT, down: long, gap: long, version: None };
        for faults in [freeze.faults(NodeId(0)).to_vec(), rolling.faults(&[NodeId(0), NodeId(1)])] {
            assert!(FaultPlan::of(faults).validate(4).is_err());
        }
    }
}
