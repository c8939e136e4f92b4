//! The decisions of the event chain.

crate::decisions! {
    /// Every decision, by name.
    pub struct Rules {
        /// A block is final once the notary has it; otherwise once it lies deep enough in the replica's own chain.
        agreed_final = "final-by-depth",
        /// A replica checks from time to time that its blocks follow one another.
        links_checked = "links-unchecked",
        /// A replica checks from time to time that it has the blocks that the notary holds.
        heads_checked = "heads-unchecked",
        /// A replica checks from time to time that its snapshots follow from its chain.
        snapshots_checked = "snapshots-unchecked",
        /// An erasure is put on record by the notary before anybody carries it out.
        erasure_witnessed = "erasure-unwitnessed",
        /// Snapshots of blocks that were mined anew are made anew at once; otherwise they stay until somebody looks at them.
        snapshots_rebuilt,
        /// An event that is in the chain is not put into another block, and a block that has it nevertheless is refused.
        event_once = "event-mined-twice",
    }
}
