//! Where what one node sends leaves a world in which only that node lives.

use crate::node::NodeId;

/// What the one node has sent and nobody has taken yet.
#[derive(Clone, Debug)]
pub(crate) struct Outward<M> {
    /// The node that lives here.
    pub(crate) node: NodeId,
    /// To whom, and what, in the order of sending.
    pub(crate) messages: Vec<(NodeId, M)>,
}

/// Whether a node lives in a world with that way out: all do, if there is none.
pub(crate) fn lives_here<M>(outward: Option<&Outward<M>>, node: NodeId) -> bool {
    outward.is_none_or(|outward| outward.node == node)
}
