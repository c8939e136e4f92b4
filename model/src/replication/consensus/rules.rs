//! The decisions of the log on several nodes.

crate::decisions! {
    /// Every decision, by name.
    pub struct Rules {
        /// A message leaves once everything written before it is durable; otherwise the sync comes when it comes.
        durable_before_send = "sent-before-durable",
        /// An entry is acknowledged once it is decided; otherwise as soon as it is proposed.
        decided_first = "answered-before-decision",
        /// A read takes its place in the log; otherwise any node answers it from what it has.
        read_decided = "follower-read",
        /// An entry is known by its request, and a repeat gets its first place.
        session_key = "retry-appended-twice",
    }
}
