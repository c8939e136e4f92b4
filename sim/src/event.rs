//! What can stand in the event queue.

use crate::disk::SyncMark;
use crate::link::CutNumber;
use crate::network::LinkIndex;
use crate::node::{NodeId, SyncToken, TimerKey};
use crate::windows::FaultIndex;

/// A life of a node: what an earlier one scheduled means nothing to a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Incarnation(pub(crate) u32);

/// A sync that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingSync {
    pub(crate) token: SyncToken,
    pub(crate) mark: SyncMark,
    pub(crate) incarnation: Incarnation,
    /// Whether a write before it found the disk full.
    pub(crate) is_incomplete: bool,
}

/// One entry of the event queue.
#[derive(Clone, Debug)]
pub(crate) enum Event<M> {
    /// A node starts for the first time.
    Start(NodeId),
    /// A message arrives, unless its link was cut since `sent`.
    Message { to: NodeId, from: NodeId, link: LinkIndex, sent: CutNumber, message: M },
    /// A message of a node to itself arrives, if that node still lives.
    MessageToSelf { node: NodeId, incarnation: Incarnation, message: M },
    /// A timer may have run out.
    Timer { node: NodeId, key: TimerKey },
    /// A sync ends.
    SyncEnd { node: NodeId, sync: PendingSync },
    /// The next request is due.
    Request,
    /// A node is done with an input.
    ServiceEnd { node: NodeId, incarnation: Incarnation },
    /// The next fault of the plan begins.
    FaultBegin(FaultIndex),
    /// A fault ends, if it has not ended before.
    FaultEnd(FaultIndex),
    /// An oscillator wanders, and its clock is disciplined.
    Wander(NodeId),
    /// All clocks are sampled.
    Sample,
}
