//! A world in which only one node lives: its machine is the kernel's, its network is somebody else's.
//!
//! Clock, timers, disk, service time and the faults of the node are those of the kernel, to the line. What the node
//! sends to others is taken out by whoever drives the world, and what others sent is handed in.

use crate::kernel::World;
use crate::node::{Input, Node, NodeId};
use crate::outward::Outward;
use crate::setup::{SetupError, WorldSetup};
use crate::time::TrueTime;

impl<N: Node> World<N> {
    /// A world in which only `node` lives. Requests and faults must be that node's.
    ///
    /// # Errors
    /// If the setup does not make sense; see [`SetupError`].
    pub(super) fn of_one(setup: WorldSetup<N>, node: NodeId) -> Result<Self, SetupError> {
        assert!(setup.requests.iter().all(|(_, to, _)| *to == node), "a request is for a node elsewhere");
        let is_own = |fault: &crate::fault::PlannedFault| fault.fault.node() == Some(node);
        assert!(setup.plan.faults.iter().all(is_own), "a fault is not that of {node}");
        Self::with_outward(setup, Some(Outward { node, messages: Vec::new() }))
    }

    /// When the next event is due, if any is.
    pub(super) fn next_at(&self) -> Option<TrueTime> {
        self.queue.next_at()
    }

    /// A message from elsewhere reaches the one node, now.
    pub(super) fn hear(&mut self, from: NodeId, message: N::Message) {
        let node = self.outward.as_ref().expect("only a world of one hears from elsewhere").node;
        self.events += 1;
        self.arrive(node, Input::Message { from, message });
    }

    /// Takes out what the one node has sent to others since the last time.
    pub(super) fn take_outward(&mut self) -> Vec<(NodeId, N::Message)> {
        self.outward.as_mut().map(|outward| core::mem::take(&mut outward.messages)).unwrap_or_default()
    }
}
