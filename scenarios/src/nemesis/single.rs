//! Faults of one node that end by themselves, and resets of its connections.

use sim::chance::Stream;
use sim::compound::MachineFreeze;
use sim::fault::{Fault, Thaw};
use sim::node::NodeId;
use sim::time::Span;

use super::Occasion;
use crate::grammar::NemesisKind;

/// Jepsen's strobes jump every `2^exponent` ms, up to 1,024 ms.
const STROBE_PERIOD_EXPONENTS: u64 = 11;

/// What happens to `node` on this occasion; nothing, if the kind is not about single nodes or the amount is none.
pub(super) fn faults(
    kind: NemesisKind,
    node: NodeId,
    occasion: &Occasion,
    all: &[NodeId],
    chance: &mut Stream,
) -> Vec<Fault> {
    let &Occasion { length, amount, .. } = occasion;
    let count = u32::try_from(amount).expect("amounts come from ranges of 32 bits");
    let signed = occasion.sign * i64::from(count);
    let (us, ms) = (Span::from_us(amount), Span::from_ms(amount));
    let fault = match kind {
        NemesisKind::Pause => Fault::Pause { node, length },
        NemesisKind::PauseMidway => Fault::PauseMidway { node, length },
        NemesisKind::Slow => Fault::Slow { node, extra: us, length },
        NemesisKind::ClockStep if signed == 0 => return Vec::new(),
        NemesisKind::ClockStep => Fault::ClockStep { node, by_ns: signed * 1_000_000 },
        NemesisKind::ClockDrift => Fault::ClockDrift { node, drift_ppb: signed * 1_000 },
        NemesisKind::ClockLie => Fault::ClockLie { node, bound: us, length },
        NemesisKind::ClockFreeze => {
            let thaw = if chance.below(2) == 0 { Thaw::Behind } else { Thaw::Jumps };
            Fault::ClockFreeze { node, length, thaw }
        }
        NemesisKind::ClockStrobe => {
            let period = Span::from_ms(1 << chance.below(STROBE_PERIOD_EXPONENTS));
            Fault::ClockStrobe { node, by_ns: signed * 1_000_000, period, length }
        }
        NemesisKind::ClockSyncLoss => Fault::ClockSyncLoss { node, length },
        NemesisKind::MachineFreeze => {
            let stale = ms.min(occasion.end.since(occasion.at + length));
            let freeze = MachineFreeze { at: occasion.at, length, stale };
            return freeze.faults(node).map(|planned| planned.fault).to_vec();
        }
        NemesisKind::DiskStall => Fault::DiskStall { node, length },
        NemesisKind::DiskError => Fault::DiskError { node, length },
        NemesisKind::DiskLie => Fault::DiskLie { node, length },
        NemesisKind::DiskSlow => Fault::DiskSlow { node, extra: ms, length },
        NemesisKind::DiskFull => Fault::DiskFull { node, room: count, length },
        NemesisKind::Reset => {
            let peers: Vec<_> = all.iter().copied().filter(|peer| *peer != node).collect();
            Fault::Reset { node, peer: *chance.pick(&peers) }
        }
        _ => return Vec::new(),
    };
    vec![fault]
}
