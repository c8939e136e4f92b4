//! The decisions of whoever delivers a scheduled configuration, and of whoever works under it.

crate::decisions! {
    /// Every decision, by name.
    pub struct Rules {
        /// Start instants are compared with the clock's interval, not with its bare reading.
        clock_margin = "no-clock-margin",
        /// Work stops when the version in use cannot be verified as the latest.
        lease = "lease-ignored",
        /// A node that switched never goes back: the mark is durable, a step of the clock does not undo it.
        switch_mark = "switch-undone",
        /// Every entry of a batch chooses its own version.
        version_per_entry = "batch-keeps-version",
        /// Where no version has started nothing runs; otherwise the first version that is known serves until one has.
        missing_refused = "default-configuration",
        /// The store is read often enough to keep the lease; otherwise on a schedule of its own.
        poll_within_lead,
        /// The store refuses a version that starts sooner than the lead time.
        lead_checked = "late-publication",
        /// Reads of the store wait while a version is being made durable, and the lead is checked again then; otherwise it
        /// is checked before the stall.
        reads_wait_for_commit = "checked-before-stall",
        /// The store shows and acknowledges only what is durable.
        commit_synced,
        /// A store that comes back goes on from its own disk; otherwise from what its standby has heard of.
        own_disk_first = "failover-forgets",
        /// A cached answer keeps the time of its store read; otherwise it counts from when the cache was asked.
        cached_stamp = "cache-renews-lease",
        /// A cache keeps an answer for less than the lead time; otherwise for a time of its own.
        cache_within_lead,
        /// A watch resumes behind the last version that was seen; otherwise from now on.
        resume_from_revision = "watch-skips-revision",
        /// A heartbeat that names a newer version than is known shows a gap; otherwise it is a sign of life like any other.
        heartbeat_compared = "heartbeat-unread",
        /// Silence on a watch proves nothing; otherwise it proves that nothing has changed.
        silence_unproven = "silence-extends",
        /// What was compacted away is read in full; otherwise the watch goes on with what is left.
        compaction_read = "compaction-ignored",
        /// A prepared process that missed the decision refuses until it learns it; otherwise it guesses that it was to commit.
        decision_awaited = "decision-guessed",
        /// One absent participant aborts; otherwise those that answered are enough.
        absent_aborts = "absent-ignored",
        /// A process that joins reads the store first; otherwise it waits for the next version.
        joiners_read = "joiner-waits",
    }
}
