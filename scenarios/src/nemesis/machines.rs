//! Nodes that go down and come back: one, several, one after the other, twice.

use sim::compound::{CrashDuringRecovery, Down, RollingRestart, ZoneFailure, zones};
use sim::fault::{Fault, PlannedFault};
use sim::node::NodeId;
use sim::time::Span;

use super::calendar::{Busy, UP_MIN};
use super::{Occasion, Planner};
use crate::grammar::{Nemesis, NemesisKind, Whom};

/// Nodes are spread over so many zones, in turn.
const ZONES: usize = 3;

/// How nodes go down on one occasion.
#[derive(Clone, Copy)]
pub(super) enum Outage {
    /// The victims, all at once.
    Together(Down),
    /// One after the other, to come back as that version: all nodes of the roles, or the victims.
    Rolling { version: Option<u32>, takes_all: bool },
    /// The victims, twice, with so little time to recover in between.
    Twice { recovery: Span },
    /// The victims, so many of whose records go bad while they are down: only a start finds out.
    Rotten { count: u32 },
    /// A zone, to come back one after the other: the first victim's, or the victims if they are several.
    Zone { gap: Span },
}

/// The outage of this occasion, if the kind is one.
pub(super) fn outage(nemesis: &Nemesis, occasion: &Occasion) -> Option<Outage> {
    let amount = occasion.amount;
    Some(match nemesis.kind {
        NemesisKind::Crash => Outage::Together(Down::Crash),
        NemesisKind::PowerLoss => Outage::Together(Down::PowerLoss),
        NemesisKind::TornWrite => Outage::Together(Down::TornWrite),
        NemesisKind::Stop => Outage::Together(Down::Stop),
        NemesisKind::RollingRestart => Outage::Rolling { version: None, takes_all: true },
        NemesisKind::RestartAs => {
            let version = Some(u32::try_from(amount).expect("amounts come from ranges of 32 bits"));
            Outage::Rolling { version, takes_all: nemesis.whom == Whom::Random }
        }
        NemesisKind::CrashDuringRecovery => Outage::Twice { recovery: Span::from_us(amount) },
        NemesisKind::BitRot => {
            Outage::Rotten { count: u32::try_from(amount).expect("amounts come from ranges of 32 bits") }
        }
        NemesisKind::ZoneFailure => Outage::Zone { gap: Span::from_ms(amount) },
        _ => return None,
    })
}

impl Planner {
    pub(super) fn add_outage(&mut self, outage: Outage, occasion: &Occasion, targets: &[NodeId]) {
        let Occasion { at, length: down, ref victims, .. } = *occasion;
        match outage {
            Outage::Together(how) => {
                for &node in victims {
                    let together = ZoneFailure { at, how, down, gap: Span::ZERO };
                    self.take_down(node, together.faults(&[node]));
                }
            }
            Outage::Rolling { version, takes_all } => {
                let gap = UP_MIN + UP_MIN;
                let nodes = if takes_all { targets } else { victims };
                let faults = RollingRestart { at, down, gap, version }.faults(nodes);
                for (pair, &node) in faults.chunks(2).zip(nodes) {
                    self.take_down(node, pair.to_vec());
                }
            }
            Outage::Twice { recovery } => {
                let twice = CrashDuringRecovery { at, how: Down::Crash, down, recovery };
                for &node in victims {
                    self.take_down(node, twice.faults(node));
                }
            }
            Outage::Rotten { count } => {
                for &node in victims {
                    let faults = RollingRestart { at, down, gap: Span::ZERO, version: None }.faults(&[node]);
                    let rot = PlannedFault { at, fault: Fault::BitRot { node, count } };
                    self.take_down(node, [&faults[..1], &[rot][..], &faults[1..]].concat());
                }
            }
            Outage::Zone { gap } => {
                let zone = zone(victims, targets);
                let faults = ZoneFailure { at, how: Down::PowerLoss, down, gap }.faults(&zone);
                let (down, up) = faults.split_at(zone.len());
                for ((&node, down), up) in zone.iter().zip(down).zip(up) {
                    self.take_down(node, vec![down.clone(), up.clone()]);
                }
            }
        }
    }

    /// Takes the node down and up again by these faults, earliest first, unless it is down then anyway or would not be
    /// up again before the faults end.
    fn take_down(&mut self, node: NodeId, faults: Vec<PlannedFault>) {
        let instants = || faults.iter().map(|planned| planned.at);
        let (Some(at), Some(until)) = (instants().min(), instants().max()) else { return };
        if until < self.end && self.calendar.take(node, Busy::Down, (at, until)) {
            self.faults.extend(faults);
        }
    }
}

/// Who fails together: the zone of a single victim, or several victims as they are.
fn zone(victims: &[NodeId], targets: &[NodeId]) -> Vec<NodeId> {
    match victims {
        [one] => zones(targets, ZONES).into_iter().find(|zone| zone.contains(one)).unwrap_or_default(),
        several => several.to_vec(),
    }
}
