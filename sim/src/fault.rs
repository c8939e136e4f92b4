//! What the world does to nodes on purpose, as data.

use serde::{Deserialize, Serialize};

use crate::chance::Ratio;
use crate::node::NodeId;
use crate::time::{Span, TrueTime};

pub use crate::family::Family;

/// One kind of fault, without the when.
///
/// Faults with a length end by themselves; the others last until another fault (a [`Fault::Restart`]) ends them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// The process dies: memory is lost, written records survive. Its peers are told nothing.
    Crash {
        /// Who.
        node: NodeId,
    },
    /// The machine dies: memory and unsynced records are lost. Its peers are told nothing.
    PowerLoss {
        /// Who.
        node: NodeId,
    },
    /// The process is asked to stop in order, then is down; what it wrote survives.
    Stop {
        /// Who.
        node: NodeId,
    },
    /// A node that is down begins again.
    Restart {
        /// Who.
        node: NodeId,
    },
    /// The process stands still; its clocks go on; its inputs wait.
    Pause {
        /// Who.
        node: NodeId,
        /// How long.
        length: Span,
    },
    /// As [`Fault::Pause`], but it falls between the next input and the release of that input's effects.
    PauseMidway {
        /// Who.
        node: NodeId,
        /// How long, from the input on.
        length: Span,
    },
    /// Every input takes that much longer.
    Slow {
        /// Who.
        node: NodeId,
        /// Added to the service time of each input.
        extra: Span,
        /// How long.
        length: Span,
    },
    /// Nothing passes on these links, each one way; messages in flight on them are lost too.
    Cut {
        /// (sender, receiver) pairs.
        links: Vec<(NodeId, NodeId)>,
        /// How long.
        length: Span,
    },
    /// These links lose, double and delay more than usual.
    Noise {
        /// (sender, receiver) pairs; empty means every link.
        links: Vec<(NodeId, NodeId)>,
        /// Chance of each message to be lost.
        loss: Ratio,
        /// Chance of each message to arrive twice.
        duplication: Ratio,
        /// Up to that much is added to each message's latency, evenly: a reordering.
        delay_max: Span,
        /// How long.
        length: Span,
    },
    /// The wall clock jumps.
    ClockStep {
        /// Whose.
        node: NodeId,
        /// By how much, forwards or backwards. Unit: ns.
        by_ns: i64,
    },
    /// The oscillator runs at another rate from now on.
    ClockDrift {
        /// Whose.
        node: NodeId,
        /// Its frequency error. Unit: parts per billion.
        drift_ppb: i64,
    },
    /// The clock's claimed error bound is this, whatever its error is: it may lie.
    ClockLie {
        /// Whose.
        node: NodeId,
        /// The bound it claims.
        bound: Span,
        /// How long.
        length: Span,
    },
    /// The wall clock stands still; the monotonic clock goes on.
    ClockFreeze {
        /// Whose.
        node: NodeId,
        /// How long.
        length: Span,
        /// Where the wall clock goes on from.
        #[serde(default)]
        thaw: Thaw,
    },
    /// The wall clock jumps there and back again and again.
    ClockStrobe {
        /// Whose.
        node: NodeId,
        /// By how much, first forwards or first backwards. Unit: ns.
        by_ns: i64,
        /// From one jump to the next.
        period: Span,
        /// How long; then it is where it would be without the strobe.
        length: Span,
    },
    /// The clock's daemon does not hear its source: the clock runs free, and its bound grows.
    ClockSyncLoss {
        /// Whose.
        node: NodeId,
        /// How long.
        length: Span,
    },
    /// No sync ends before the stall does.
    DiskStall {
        /// Whose.
        node: NodeId,
        /// How long.
        length: Span,
    },
    /// Every sync is refused.
    DiskError {
        /// Whose.
        node: NodeId,
        /// How long.
        length: Span,
    },
    /// Syncs are acknowledged without being done: a lying disk.
    DiskLie {
        /// Whose.
        node: NodeId,
        /// How long.
        length: Span,
    },
    /// Losses in bursts (E. N. Gilbert, "Capacity of a burst-noise channel", 1960): each link is in a good state or a bad
    /// one, and loses messages only in the bad one. It may change its state with each message, before that message.
    Burst {
        /// (sender, receiver) pairs; empty means every link, each with a state of its own.
        links: Vec<(NodeId, NodeId)>,
        /// Chance to fall from the good state into the bad one; it begins in the good one.
        enter: Ratio,
        /// Chance to come back.
        leave: Ratio,
        /// Chance of a message to be lost in the bad state.
        loss: Ratio,
        /// How long.
        length: Span,
    },
    /// These links damage messages. Framing finds each of them by its checksum and drops it.
    Corruption {
        /// (sender, receiver) pairs; empty means every link.
        links: Vec<(NodeId, NodeId)>,
        /// Chance of each message to be damaged.
        chance: Ratio,
        /// How long.
        length: Span,
    },
    /// These links hold some messages back, so that later ones overtake them.
    Reordering {
        /// (sender, receiver) pairs; empty means every link.
        links: Vec<(NodeId, NodeId)>,
        /// Chance of each message to be held back.
        chance: Ratio,
        /// For how long at most; every shorter time is as likely.
        delay_max: Span,
        /// How long.
        length: Span,
    },
    /// Every message on these links takes that much longer.
    SlowLink {
        /// (sender, receiver) pairs; empty means every link.
        links: Vec<(NodeId, NodeId)>,
        /// Added to the latency of each message.
        extra: Span,
        /// How long.
        length: Span,
    },
    /// These links carry less than usual: messages queue before them, one queue a link.
    Throttle {
        /// (sender, receiver) pairs; empty means every link.
        links: Vec<(NodeId, NodeId)>,
        /// What each carries.
        bytes_per_s: u64,
        /// A message that finds more than that before it is dropped.
        queue_bytes: u64,
        /// How long.
        length: Span,
    },
    /// A node sees its connection to a peer reset, and the peer does not: what the peer had sent is lost, what the node
    /// had sent arrives.
    Reset {
        /// Who sees it.
        node: NodeId,
        /// Whose connection it is.
        peer: NodeId,
    },
    /// A node that is down begins again, as another version of its program.
    RestartAs {
        /// Who.
        node: NodeId,
        /// Which version, older or newer: [`crate::node::Context::version`] tells it.
        version: u32,
    },
    /// As [`Fault::PowerLoss`], but unsynced records survive each on its own, in any selection; one before a survivor
    /// that does not, and one that was just being written, are damaged.
    TornWrite {
        /// Who.
        node: NodeId,
    },
    /// Every sync takes that much longer.
    DiskSlow {
        /// Whose.
        node: NodeId,
        /// Added to the latency of each sync.
        extra: Span,
        /// How long.
        length: Span,
    },
    /// The disk has room for so many records more. A write beyond is not made, and the next sync is refused.
    DiskFull {
        /// Whose.
        node: NodeId,
        /// How many records still fit.
        room: u32,
        /// How long.
        length: Span,
    },
    /// Durable records go bad. Their checksums tell when the node starts again.
    BitRot {
        /// Whose.
        node: NodeId,
        /// How many records; all, if there are fewer.
        count: u32,
    },
}

/// Where a wall clock goes on from after it stood still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thaw {
    /// From where it stood: it is behind, until somebody steers it.
    #[default]
    Behind,
    /// From where it would be by now: it jumps.
    Jumps,
}

impl Fault {
    /// Which family it belongs to.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            Self::Crash { .. } => Family::Crash,
            Self::PowerLoss { .. } => Family::PowerLoss,
            Self::Stop { .. } => Family::Stop,
            Self::Restart { .. } => Family::Restart,
            Self::Pause { .. } => Family::Pause,
            Self::PauseMidway { .. } => Family::PauseMidway,
            Self::Slow { .. } => Family::Slow,
            Self::Cut { .. } => Family::Cut,
            Self::Noise { .. } => Family::Noise,
            Self::ClockStep { .. } => Family::ClockStep,
            Self::ClockDrift { .. } => Family::ClockDrift,
            Self::ClockLie { .. } => Family::ClockLie,
            Self::ClockFreeze { .. } => Family::ClockFreeze,
            Self::ClockStrobe { .. } => Family::ClockStrobe,
            Self::ClockSyncLoss { .. } => Family::ClockSyncLoss,
            Self::DiskStall { .. } => Family::DiskStall,
            Self::DiskError { .. } => Family::DiskError,
            Self::DiskLie { .. } => Family::DiskLie,
            Self::Burst { .. } => Family::Burst,
            Self::Corruption { .. } => Family::Corruption,
            Self::Reordering { .. } => Family::Reordering,
            Self::SlowLink { .. } => Family::SlowLink,
            Self::Throttle { .. } => Family::Throttle,
            Self::Reset { .. } => Family::Reset,
            Self::RestartAs { .. } => Family::RestartAs,
            Self::TornWrite { .. } => Family::TornWrite,
            Self::DiskSlow { .. } => Family::DiskSlow,
            Self::DiskFull { .. } => Family::DiskFull,
            Self::BitRot { .. } => Family::BitRot,
        }
    }

    /// How long it lasts, where it ends by itself.
    #[must_use]
    pub const fn length(&self) -> Option<Span> {
        match self {
            Self::Pause { length, .. }
            | Self::PauseMidway { length, .. }
            | Self::Slow { length, .. }
            | Self::Cut { length, .. }
            | Self::Noise { length, .. }
            | Self::Burst { length, .. }
            | Self::Corruption { length, .. }
            | Self::Reordering { length, .. }
            | Self::SlowLink { length, .. }
            | Self::Throttle { length, .. }
            | Self::ClockLie { length, .. }
            | Self::ClockFreeze { length, .. }
            | Self::ClockStrobe { length, .. }
            | Self::ClockSyncLoss { length, .. }
            | Self::DiskStall { length, .. }
            | Self::DiskError { length, .. }
            | Self::DiskLie { length, .. }
            | Self::DiskSlow { length, .. }
            | Self::DiskFull { length, .. } => Some(*length),
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Stop { .. }
            | Self::Restart { .. }
            | Self::ClockStep { .. }
            | Self::ClockDrift { .. }
            | Self::Reset { .. }
            | Self::RestartAs { .. }
            | Self::TornWrite { .. }
            | Self::BitRot { .. } => None,
        }
    }

    /// The one node it is about; none for faults of links.
    #[must_use]
    pub const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Crash { node }
            | Self::PowerLoss { node }
            | Self::Stop { node }
            | Self::Restart { node }
            | Self::Pause { node, .. }
            | Self::PauseMidway { node, .. }
            | Self::Slow { node, .. }
            | Self::ClockStep { node, .. }
            | Self::ClockDrift { node, .. }
            | Self::ClockLie { node, .. }
            | Self::ClockFreeze { node, .. }
            | Self::ClockStrobe { node, .. }
            | Self::ClockSyncLoss { node, .. }
            | Self::DiskStall { node, .. }
            | Self::DiskError { node, .. }
            | Self::DiskLie { node, .. }
            | Self::Reset { node, .. }
            | Self::RestartAs { node, .. }
            | Self::TornWrite { node }
            | Self::DiskSlow { node, .. }
            | Self::DiskFull { node, .. }
            | Self::BitRot { node, .. } => Some(*node),
            Self::Cut { .. }
            | Self::Noise { .. }
            | Self::Burst { .. }
            | Self::Corruption { .. }
            | Self::Reordering { .. }
            | Self::SlowLink { .. }
            | Self::Throttle { .. } => None,
        }
    }

    /// The span it adds or claims, or its period, besides its length; zero for most.
    #[must_use]
    pub const fn strength(&self) -> Span {
        match self {
            Self::Slow { extra, .. } | Self::SlowLink { extra, .. } | Self::DiskSlow { extra, .. } => *extra,
            Self::Noise { delay_max, .. } | Self::Reordering { delay_max, .. } => *delay_max,
            Self::ClockLie { bound, .. } => *bound,
            Self::ClockStrobe { period, .. } => *period,
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Stop { .. }
            | Self::Restart { .. }
            | Self::Pause { .. }
            | Self::PauseMidway { .. }
            | Self::Cut { .. }
            | Self::ClockStep { .. }
            | Self::ClockDrift { .. }
            | Self::ClockFreeze { .. }
            | Self::ClockSyncLoss { .. }
            | Self::DiskStall { .. }
            | Self::DiskError { .. }
            | Self::DiskLie { .. }
            | Self::Burst { .. }
            | Self::Corruption { .. }
            | Self::Throttle { .. }
            | Self::Reset { .. }
            | Self::RestartAs { .. }
            | Self::TornWrite { .. }
            | Self::DiskFull { .. }
            | Self::BitRot { .. } => Span::ZERO,
        }
    }

    /// The links it is about; none for faults of nodes, and for disturbances of every link.
    #[must_use]
    pub fn links(&self) -> &[(NodeId, NodeId)] {
        match self {
            Self::Cut { links, .. }
            | Self::Noise { links, .. }
            | Self::Burst { links, .. }
            | Self::Corruption { links, .. }
            | Self::Reordering { links, .. }
            | Self::SlowLink { links, .. }
            | Self::Throttle { links, .. } => links,
            Self::Crash { .. }
            | Self::PowerLoss { .. }
            | Self::Stop { .. }
            | Self::Restart { .. }
            | Self::Pause { .. }
            | Self::PauseMidway { .. }
            | Self::Slow { .. }
            | Self::ClockStep { .. }
            | Self::ClockDrift { .. }
            | Self::ClockLie { .. }
            | Self::ClockFreeze { .. }
            | Self::ClockStrobe { .. }
            | Self::ClockSyncLoss { .. }
            | Self::DiskStall { .. }
            | Self::DiskError { .. }
            | Self::DiskLie { .. }
            | Self::Reset { .. }
            | Self::RestartAs { .. }
            | Self::TornWrite { .. }
            | Self::DiskSlow { .. }
            | Self::DiskFull { .. }
            | Self::BitRot { .. } => &[],
        }
    }
}

/// A fault and its instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFault {
    /// When it begins.
    #[serde(rename = "at_ns")]
    pub at: TrueTime,
    /// What it is.
    pub fault: Fault,
}

/// Every fault of a run, earliest first; ties in the order they were planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    /// The faults.
    pub faults: Vec<PlannedFault>,
}
