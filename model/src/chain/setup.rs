//! What a replica of the chain needs to know of its world.

use std::sync::Arc;

use sim::node::NodeId;

/// What becomes of what is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// Events stand on the chain; erasing one mines all later blocks anew.
    Remined,
    /// Only salted commitments do; erasing one deletes its salt, and the chain stays.
    Committed,
}

/// What a replica needs to know of its world.
#[derive(Clone, Debug)]
pub struct ReplicaSetup {
    /// This node.
    pub me: NodeId,
    /// All replicas.
    pub replicas: Arc<[NodeId]>,
    /// Who makes blocks final.
    pub notary: NodeId,
    /// Who is shown the last final block.
    pub witnesses: Arc<[NodeId]>,
    /// Zero bits that every hash but the first begins with.
    pub difficulty_bits: u32,
    /// Blocks upon a final one.
    pub depth: u64,
    /// Nonces tried each tick.
    pub tries: u32,
    /// Blocks of a chain, at most.
    pub blocks_max: usize,
    /// A snapshot is made after so many blocks.
    pub snapshot_every: u64,
    /// How something is erased.
    pub privacy: Privacy,
}
