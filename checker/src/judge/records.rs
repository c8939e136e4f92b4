//! Families whose records are no operations, but judged by one promise of their own.

use std::collections::BTreeSet;

use crate::atomic_commit::{CommitRecord, atomic_commit, commit_report};
use crate::chain_audit::{ChainRecord, ChainRules, chain_audit, split_view};
use crate::conservation::{AccountRecord, End, conservation};
use crate::mutual_exclusion::{Exclusion, LockRecord, mutual_exclusion};
use crate::verdict::Verdict;

use super::grouped;

/// Records in the order in which they were made, with what was promised about them.
#[derive(Clone, Debug, PartialEq)]
pub enum Records {
    /// Locks or elections, and what was done under them.
    Locks {
        /// What happened.
        records: Vec<LockRecord>,
        /// What was promised.
        promise: Exclusion,
    },
    /// Transactions of several participants.
    Commits(Vec<CommitRecord>),
    /// Accounts, and the workflows between them.
    Accounts {
        /// What happened.
        records: Vec<AccountRecord>,
        /// How the run ended.
        end: End,
    },
    /// The chains of replicas, as kept and as shown.
    Chain {
        /// What is kept and was shown.
        records: Vec<ChainRecord>,
        /// What was promised.
        rules: ChainRules,
    },
}

impl Records {
    /// The name of their model.
    pub fn model(&self) -> &'static str {
        match self {
            Self::Locks { .. } => "locks",
            Self::Commits(_) => "commits",
            Self::Accounts { .. } => "accounts",
            Self::Chain { .. } => "chain",
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Locks { records, .. } => records.len(),
            Self::Commits(records) => records.len(),
            Self::Accounts { records, .. } => records.len(),
            Self::Chain { records, .. } => records.len(),
        }
    }

    /// How many holders, participants, readers or replicas they are about.
    pub fn parties(&self) -> usize {
        let parties: BTreeSet<u64> = match self {
            Self::Locks { records, .. } => records.iter().map(LockRecord::holder).collect(),
            Self::Commits(records) => records.iter().filter_map(CommitRecord::participant).collect(),
            Self::Accounts { records, .. } => records.iter().filter_map(AccountRecord::reader).collect(),
            Self::Chain { records, .. } => records.iter().map(|record| u64::from(record.replica())).collect(),
        };
        parties.len()
    }

    /// Of how many nobody knows whether they happened, or when they ended.
    pub fn unknown(&self) -> usize {
        match self {
            Self::Locks { records, .. } => records.iter().filter(|record| record.is_unknown()).count(),
            Self::Accounts { records, .. } => records.iter().filter(|record| record.is_unknown()).count(),
            Self::Commits(_) | Self::Chain { .. } => 0,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of the checks that fit.
    pub(crate) fn checks(&self) -> &'static [&'static str] {
        match self {
            Self::Locks { .. } => &["mutual-exclusion"],
            Self::Commits(_) => &["atomic-commit"],
            Self::Accounts { .. } => &["conservation"],
            Self::Chain { .. } => &["chain", "split-view"],
        }
    }

    /// The verdict of one of those checks.
    pub(crate) fn judged(&self, check: &str) -> Verdict {
        match self {
            Self::Locks { records, promise } => mutual_exclusion(records, *promise),
            Self::Commits(records) => atomic_commit(records),
            Self::Accounts { records, end } => conservation(records, *end),
            Self::Chain { records, rules } if check == "chain" => chain_audit(records, rules),
            Self::Chain { records, rules } => split_view(records, rules),
        }
    }

    /// What was judged, for a table.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Locks { records, .. } => count_of_locks(records),
            Self::Commits(records) => {
                let report = commit_report(records);
                counted(&[
                    (report.committed_count, "committed"),
                    (report.aborted_count, "aborted"),
                    (report.undecided_count, "undecided"),
                    (report.in_doubt.len(), "participants in doubt"),
                ]) + &format!(", a yes waited {} ms at most", grouped(report.blocked_ns_max / 1_000_000))
            }
            Self::Accounts { records, .. } => count_of_accounts(records),
            Self::Chain { records, .. } => {
                let count =
                    |is_meant: fn(&ChainRecord) -> bool| records.iter().filter(|one| is_meant(one)).count();
                counted(&[
                    (count(|one| matches!(one, ChainRecord::Block(_))), "blocks"),
                    (count(|one| matches!(one, ChainRecord::Head(_))), "heads"),
                    (count(|one| matches!(one, ChainRecord::Erasure(_))), "erasures"),
                    (count(|one| matches!(one, ChainRecord::Snapshot(_))), "snapshots"),
                ])
            }
        }
    }
}

fn count_of_locks(records: &[LockRecord]) -> String {
    let count = |is_meant: fn(&LockRecord) -> bool| records.iter().filter(|one| is_meant(one)).count();
    counted(&[
        (count(|one| matches!(one, LockRecord::Section(_))), "sections"),
        (count(|one| matches!(one, LockRecord::Grant(_))), "grants"),
        (count(|one| matches!(one, LockRecord::Access(access) if access.is_accepted)), "accesses accepted"),
        (count(|one| matches!(one, LockRecord::Access(access) if !access.is_accepted)), "refused"),
    ])
}

fn count_of_accounts(records: &[AccountRecord]) -> String {
    let count = |is_meant: fn(&AccountRecord) -> bool| records.iter().filter(|one| is_meant(one)).count();
    counted(&[
        (count(|one| matches!(one, AccountRecord::Workflow(_))), "workflows"),
        (count(|one| matches!(one, AccountRecord::Effect(_))), "effects"),
        (count(|one| matches!(one, AccountRecord::Status(_))), "statuses"),
        (count(|one| matches!(one, AccountRecord::Balances(_))), "reads of balances"),
    ])
}

fn counted(counts: &[(usize, &str)]) -> String {
    let words: Vec<String> =
        counts.iter().map(|(count, what)| format!("{} {what}", grouped(*count as u64))).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::chain_audit::{Block, Digest, Head};
    use crate::judge::{CHECK_NAMES, Family, FamilyKind, judge};
    use crate::mutual_exclusion::{Access, Grant, Section};

    /// What comes of each check that fits: name, verdict and line for the table.
    fn judged(records: Records, wanted: &[&str]) -> Vec<(&'static str, &'static str, String)> {
        let families = [Family { name: "x".to_owned(), kind: FamilyKind::Records(records) }];
        let checks = judge(&families, wanted, Budget { steps_max: 1 });
        checks.into_iter().map(|check| (check.name, check.verdict.word(), check.detail)).collect()
    }

    #[test]
    fn every_family_is_asked_what_fits_and_says_what_was_judged() {
        let grant = Grant { lock: 1, token: 1, holder: 1, at_ns: 0 };
        let access = Access { lock: 1, resource: 0, token: 1, holder: 1, at_ns: 1, is_accepted: false };
        let section = Section { lock: 1, holder: 1, from_ns: 0, until_ns: None };
        let records =
            vec![LockRecord::Grant(grant), LockRecord::Access(access), LockRecord::Section(section)];
        let all = Records::Locks { records: records.clone(), promise: Exclusion::Epochs };
        assert_eq!((all.len(), all.parties(), all.unknown()), (3, 1, 1));
        let locks = judged(Records::Locks { records, promise: Exclusion::Fencing }, &[]);
        let line = "1 sections, 1 grants, 0 accesses accepted, 1 refused";
        assert_eq!(locks, [("mutual-exclusion", "holds", line.to_owned())]);
        let commits = judged(Records::Commits(Vec::new()), &[]);
        let line = "0 committed, 0 aborted, 0 undecided, 0 participants in doubt, a yes waited 0 ms at most";
        assert_eq!(commits, [("atomic-commit", "holds", line.to_owned())]);
        let accounts = judged(Records::Accounts { records: Vec::new(), end: End::Settled }, &[]);
        let line = "0 workflows, 0 effects, 0 statuses, 0 reads of balances";
        assert_eq!(accounts, [("conservation", "holds", line.to_owned())]);
    }

    #[test]
    fn the_two_checks_of_a_chain_are_asked_apart() {
        let digest = |byte| Digest([byte; 32]);
        let block = Block {
            replica: 0,
            index: 0,
            hash: digest(1),
            previous: digest(0),
            computed: digest(2),
            at_ns: 0,
        };
        let head = Head { replica: 1, witness: 1, index: 0, hash: digest(3), depth: 0, at_ns: 0 };
        let records = vec![ChainRecord::Block(block), ChainRecord::Head(head)];
        let chain = Records::Chain { records, rules: ChainRules::default() };
        let names = |wanted: &[&str]| {
            judged(chain.clone(), wanted).into_iter().map(|(name, word, _)| (name, word)).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), [("chain", "violated"), ("split-view", "violated")]);
        assert_eq!(names(&["split-view"]), [("split-view", "violated")]);
        assert_eq!(names(&["linearizable"]), []);
    }

    #[test]
    fn every_check_of_records_is_one_of_the_names() {
        let all = [
            Records::Locks { records: Vec::new(), promise: Exclusion::Sections },
            Records::Commits(Vec::new()),
            Records::Accounts { records: Vec::new(), end: End::CutOff },
            Records::Chain { records: Vec::new(), rules: ChainRules::default() },
        ];
        for records in all {
            assert_eq!((records.is_empty(), records.parties(), records.unknown()), (true, 0, 0));
            assert!(records.checks().iter().all(|name| CHECK_NAMES.contains(name)), "{}", records.model());
        }
    }
}
