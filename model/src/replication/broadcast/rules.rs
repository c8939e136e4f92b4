//! The decisions of the replicated channels.

crate::decisions! {
    /// Every decision, by name.
    pub struct Rules {
        /// A message reaches nodes only through the log, which gives it its place; otherwise the broker passes it to the nodes
        /// and to the log alike, and everybody has an order of their own.
        log_first = "nodes-beside-log",
        /// The log writes to disk; otherwise it is in memory.
        durable_log = "channels-in-memory",
        /// The log acknowledges and shows only what is synced.
        sync_before_answer = "shown-before-sync",
        /// The node acknowledges once the log has; otherwise as soon as it has passed the message on.
        log_before_answer = "ack-on-forwarding",
        /// The log stores a message once, however often it is asked to.
        request_key = "message-stored-twice",
        /// A node is connected before it reads the backlog; otherwise it misses what comes in between.
        connected_first,
        /// A node takes a message only right after its predecessor.
        gap_detection = "reader-skips-gap",
        /// A node asks the log from time to time, so that a lost last message heals.
        resync = "reader-never-asks-again",
        /// A read waits until the node has what the session has read elsewhere.
        offset_carried = "fail-over-goes-back",
        /// A read waits until the node has what the session has written.
        own_offset_awaited = "own-message-late",
    }
}
