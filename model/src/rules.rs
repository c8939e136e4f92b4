//! The lines in which a naive system, a hardened one and a mutant differ.
//!
//! A field is one decision; `hardened` takes the sound side of each, `naive` the usual one, a mutant is the hardened
//! system with one decision taken the wrong way.

use serde::{Deserialize, Serialize};

/// How a system is built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// As such systems are commonly built.
    Naive,
    /// Built to hold its promise.
    #[default]
    Hardened,
}

/// Whether a protocol takes a precaution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precaution {
    /// It does.
    Taken,
    /// It does not.
    Skipped,
}

impl Precaution {
    /// Whether it is taken.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Taken)
    }
}

/// Every decision, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The journal accepts an append only from the newest owner, at the expected sequence.
    pub conditional_append: Precaution,
    /// An owner tells the acknowledgement of one append from that of another by its number.
    pub numbered_appends: Precaution,
    /// The log acknowledges, and shows to followers, only what is synced.
    pub sync_before_answer: Precaution,
    /// The owner answers only once the journal has acknowledged.
    pub journal_before_answer: Precaution,
    /// A refused sync is tried again; otherwise the log stops until somebody restarts it.
    pub sync_retried: Precaution,
    /// What a refused sync covered is written again, whole, before a sync is believed; otherwise the sync alone is tried
    /// again, and what a full disk did not take is missing for ever.
    pub refused_rewritten: Precaution,
    /// A log that ends at a damaged record is cut there; otherwise it goes on behind it, and ends there the next time.
    pub damage_cut: Precaution,
    /// A repeated request gets its first answer.
    pub request_key: Precaution,
    /// The quorum is a majority of all service nodes; otherwise the cluster has outgrown it.
    pub majority_quorum: Precaution,
    /// A node that hears no quorum stops; otherwise it goes on from memory.
    pub minority_stops: Precaution,
    /// A replica applies an entry only right after its predecessor.
    pub gap_detection: Precaution,
    /// A replica asks again from time to time, so that a lost last update heals.
    pub resync: Precaution,
    /// A replica that starts serves reads only once it has caught up with the log.
    pub catch_up_first: Precaution,
    /// Start instants are compared with the clock's interval, not with its bare reading.
    pub clock_margin: Precaution,
    /// Work stops when the version in use cannot be verified as the latest.
    pub lease: Precaution,
    /// The store is read often enough to keep the lease; otherwise on a schedule of its own.
    pub poll_within_lead: Precaution,
    /// A node that switched never goes back: the mark is durable, a step of the clock does not undo it.
    pub switch_mark: Precaution,
    /// The store refuses a version that starts sooner than the lead time.
    pub lead_checked: Precaution,
    /// Reads of the store wait while a version is being made durable.
    pub reads_wait_for_commit: Precaution,
    /// Every entry of a batch chooses its own version.
    pub version_per_entry: Precaution,
}

/// A planted defect: one decision of the hardened system taken the wrong way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// The journal accepts appends from two owners.
    UnconditionalAppend,
    /// The late acknowledgement of one append counts for the next.
    AckOfAnother,
    /// The log acknowledges what a power loss can still take.
    AckBeforeSync,
    /// A refused sync is tried again without writing anything again.
    SyncAloneRetried,
    /// The log goes on writing behind a damaged record.
    DamageLeft,
    /// The owner answers before the journal has the event.
    AckBeforeJournal,
    /// A retry is decided again.
    RetryWithoutKey,
    /// The smaller side of a partition goes on, from memory.
    MinorityGoesOn,
    /// A replica skips what it missed.
    ReplicaSkipsGap,
    /// A restarted replica serves what it has so far.
    ReplicaServesEarly,
    /// The local clock is taken for the time, without its error bound.
    NoClockMargin,
    /// Work goes on when the version cannot be verified.
    LeaseIgnored,
    /// A backward step of the clock undoes the switch.
    SwitchUndone,
    /// A version may start sooner than everybody can have heard of it.
    LatePublication,
    /// A batch keeps the version it began with.
    BatchKeepsVersion,
}

impl Defect {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 15] = [
        Self::UnconditionalAppend,
        Self::AckOfAnother,
        Self::AckBeforeSync,
        Self::SyncAloneRetried,
        Self::DamageLeft,
        Self::AckBeforeJournal,
        Self::RetryWithoutKey,
        Self::MinorityGoesOn,
        Self::ReplicaSkipsGap,
        Self::ReplicaServesEarly,
        Self::NoClockMargin,
        Self::LeaseIgnored,
        Self::SwitchUndone,
        Self::LatePublication,
        Self::BatchKeepsVersion,
    ];
}

impl Rules {
    /// Every precaution taken.
    #[must_use]
    pub const fn hardened() -> Self {
        Self::all(Precaution::Taken)
    }

    /// Every precaution skipped, as in a system whose weaknesses nobody has met yet.
    #[must_use]
    pub const fn naive() -> Self {
        Self::all(Precaution::Skipped)
    }

    /// The rules of `variant`.
    #[must_use]
    pub const fn of(variant: Variant) -> Self {
        match variant {
            Variant::Naive => Self::naive(),
            Variant::Hardened => Self::hardened(),
        }
    }

    /// These rules with one defect planted.
    #[must_use]
    pub const fn with(mut self, defect: Defect) -> Self {
        let decision = match defect {
            Defect::UnconditionalAppend => &mut self.conditional_append,
            Defect::AckOfAnother => &mut self.numbered_appends,
            Defect::AckBeforeSync => &mut self.sync_before_answer,
            Defect::SyncAloneRetried => &mut self.refused_rewritten,
            Defect::DamageLeft => &mut self.damage_cut,
            Defect::AckBeforeJournal => &mut self.journal_before_answer,
            Defect::RetryWithoutKey => &mut self.request_key,
            Defect::MinorityGoesOn => &mut self.minority_stops,
            Defect::ReplicaSkipsGap => &mut self.gap_detection,
            Defect::ReplicaServesEarly => &mut self.catch_up_first,
            Defect::NoClockMargin => &mut self.clock_margin,
            Defect::LeaseIgnored => &mut self.lease,
            Defect::SwitchUndone => &mut self.switch_mark,
            Defect::LatePublication => &mut self.lead_checked,
            Defect::BatchKeepsVersion => &mut self.version_per_entry,
        };
        *decision = Precaution::Skipped;
        self
    }

    const fn all(precaution: Precaution) -> Self {
        Self {
            conditional_append: precaution,
            numbered_appends: precaution,
            sync_before_answer: precaution,
            journal_before_answer: precaution,
            sync_retried: precaution,
            refused_rewritten: precaution,
            damage_cut: precaution,
            request_key: precaution,
            majority_quorum: precaution,
            minority_stops: precaution,
            gap_detection: precaution,
            resync: precaution,
            catch_up_first: precaution,
            clock_margin: precaution,
            lease: precaution,
            poll_within_lead: precaution,
            switch_mark: precaution,
            lead_checked: precaution,
            reads_wait_for_commit: precaution,
            version_per_entry: precaution,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_changes_the_hardened_rules_in_its_own_way() {
        let rules: Vec<_> = Defect::ALL.iter().map(|&defect| Rules::hardened().with(defect)).collect();
        for (index, one) in rules.iter().enumerate() {
            assert_ne!(*one, Rules::hardened(), "{:?} changes nothing", Defect::ALL[index]);
            assert!(!rules[..index].contains(one), "{:?} repeats an earlier defect", Defect::ALL[index]);
        }
    }
}
