//! The decisions of the capacity service.

use crate::config::rules as config;
use crate::rules::Decisions as _;

crate::decisions! {
    /// Every decision, by name.
    pub struct Rules {
        /// The journal accepts an append only from the newest owner, at the expected sequence.
        conditional_append = "unconditional-append",
        /// An owner tells the acknowledgement of one append from that of another by its number.
        numbered_appends = "ack-of-another",
        /// The log acknowledges, and shows to followers, only what is synced.
        sync_before_answer = "ack-before-sync",
        /// The owner answers only once the journal has acknowledged.
        journal_before_answer = "ack-before-journal",
        /// A refused sync is tried again; otherwise the log stops until somebody restarts it.
        sync_retried,
        /// What a refused sync covered is written again, whole, before a sync is believed; otherwise the sync alone is tried
        /// again, and what a full disk did not take is missing for ever.
        refused_rewritten = "sync-alone-retried",
        /// A log that ends at a damaged record is cut there; otherwise it goes on behind it, and ends there the next time.
        damage_cut = "damage-left",
        /// A repeated request gets its first answer.
        request_key = "retry-without-key",
        /// A command of a stream is decided under what it says itself; otherwise under what the node that reads it would work
        /// under, so that no two need agree.
        ground_in_command = "ground-of-the-reader",
        /// The address rule is checked by who decides, whoever was asked; otherwise what another node has passed on counts
        /// as checked.
        zone_checked = "zone-unchecked",
        /// What is in a newer form than this program reads is refused; otherwise it takes the fields that it knows.
        newer_form_refused = "newer-form-misread",
        /// An image of a slot has what was answered before; otherwise only what decides about the next question.
        snapshot_keys = "snapshot-without-keys",
        /// The quorum is a majority of all service nodes; otherwise the cluster has outgrown it.
        majority_quorum,
        /// A node that hears no quorum stops; otherwise it goes on from memory.
        minority_stops = "minority-goes-on",
        /// A replica applies an entry only right after its predecessor.
        gap_detection = "replica-skips-gap",
        /// A replica asks again from time to time, so that a lost last update heals.
        resync,
        /// A replica that starts serves reads only once it has caught up with the log.
        catch_up_first = "replica-serves-early",
        /// Start instants are compared with the clock's interval, not with its bare reading.
        clock_margin = "no-clock-margin",
        /// Work stops when the version in use cannot be verified as the latest.
        lease = "lease-ignored",
        /// The store is read often enough to keep the lease; otherwise on a schedule of its own.
        poll_within_lead,
        /// A node that switched never goes back: the mark is durable, a step of the clock does not undo it.
        switch_mark = "switch-undone",
        /// The store refuses a version that starts sooner than the lead time.
        lead_checked = "late-publication",
        /// Reads of the store wait while a version is being made durable.
        reads_wait_for_commit,
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
        /// A prepared node that missed the decision refuses until it learns it; otherwise it guesses that it was to commit.
        decision_awaited = "decision-guessed",
        /// One absent service node aborts; otherwise those that answered are enough.
        absent_aborts = "absent-ignored",
        /// A node that joins reads the store first; otherwise it waits for the next version.
        joiners_read = "joiner-waits",
        /// A log on several nodes acknowledges an append once it is decided; otherwise as soon as it is proposed.
        log_decided_first = "append-before-decision",
        /// What a reader must not miss takes its place in a log on several nodes; otherwise the node that is asked answers
        /// from its own copy.
        log_reads_decided = "read-of-a-copy",
        /// A projection that is built late begins at the journal's first entry; otherwise at its end, as a subscription does
        /// that nobody gave an offset.
        chooser_from_start = "chooser-from-tail",
        /// The chooser takes what was given back for free; otherwise it counts reservations only.
        chooser_counts_releases = "chooser-forgets-releases",
        /// A read says what is in use; otherwise one unit more. The canary: every run must show it, or the judge sleeps.
        reads_are_true = "canary" in every variant,
    }
}

impl Rules {
    /// The decisions about the configuration of limits; in the others there is nothing to choose.
    #[must_use]
    pub fn config(self) -> config::Rules {
        config::Rules {
            clock_margin: self.clock_margin,
            lease: self.lease,
            switch_mark: self.switch_mark,
            poll_within_lead: self.poll_within_lead,
            lead_checked: self.lead_checked,
            reads_wait_for_commit: self.reads_wait_for_commit,
            commit_synced: self.reads_wait_for_commit,
            cached_stamp: self.cached_stamp,
            cache_within_lead: self.cache_within_lead,
            resume_from_revision: self.resume_from_revision,
            heartbeat_compared: self.heartbeat_compared,
            silence_unproven: self.silence_unproven,
            compaction_read: self.compaction_read,
            decision_awaited: self.decision_awaited,
            absent_aborts: self.absent_aborts,
            joiners_read: self.joiners_read,
            ..config::Rules::hardened()
        }
    }
}
