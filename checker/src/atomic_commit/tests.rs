//! The rules of atomic commitment, each kept and each broken.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::history::OperationIndex;

use Ballot::{No, Yes};
use Fate::{Abort, Commit};

/// Transaction 7 with participants 1 and 2, begun at 0.
fn begun() -> CommitRecord {
    CommitRecord::Begun(Begun { transaction: 7, participants: vec![1, 2], at_ns: 0 })
}

fn vote(participant: u32, vote: Ballot, at_ns: u64) -> CommitRecord {
    CommitRecord::Vote(Vote { transaction: 7, participant, vote, at_ns })
}

fn decision(participant: impl Into<Option<u32>>, fate: Fate, at_ns: u64) -> CommitRecord {
    CommitRecord::Decision(Decision { transaction: 7, participant: participant.into(), fate, at_ns })
}

fn told(fate: Fate, at_ns: u64) -> CommitRecord {
    CommitRecord::Told(Told { transaction: 7, fate, at_ns })
}

/// Begun, both voted yes at 1 and 2, and then these: they have the places from 3 on.
fn agreed(records: &[CommitRecord]) -> Vec<CommitRecord> {
    [&[begun(), vote(1, Yes, 1), vote(2, Yes, 2)], records].concat()
}

/// The verdict, as the places of the records that break the promise; none if it holds.
#[track_caller]
fn check(records: &[CommitRecord], places: &[u32], words: &str) {
    let verdict = atomic_commit(records);
    let found = match &verdict {
        Verdict::Violated(violation) => violation.operations.clone(),
        Verdict::Holds | Verdict::Undecided(_) => Vec::new(),
    };
    assert_eq!(
        found,
        places.iter().copied().map(OperationIndex).collect::<Vec<_>>(),
        "{records:?} {verdict}"
    );
    assert!(verdict.to_string().contains(words), "{verdict}");
}

#[test]
fn without_records_or_with_one_every_transaction_is_atomic_but_a_commit_without_votes() {
    check(&[], &[], "holds");
    check(&[begun()], &[], "holds");
    check(&[decision(None, Commit, 5)], &[], "holds");
    check(&[decision(1, Abort, 5)], &[], "holds");
    check(
        &[begun(), decision(None, Commit, 5)],
        &[1],
        "commit at 5 ns (record 1), but participant 1 never voted yes",
    );
}

#[test]
fn all_who_decide_decide_alike() {
    check(
        &agreed(&[decision(None, Commit, 3), decision(1, Commit, 4), decision(2, Commit, 9)]),
        &[],
        "holds",
    );
    let sentence = "transaction 7: the coordinator decided commit at 3 ns (record 3), but participant 2 decided abort at 4 ns (record 4)";
    check(&agreed(&[decision(None, Commit, 3), decision(2, Abort, 4)]), &[3, 4], sentence);
    check(
        &agreed(&[decision(1, Abort, 9), decision(2, Commit, 5)]),
        &[3, 4],
        "participant 2 decided commit at 5 ns",
    );
    check(
        &agreed(&[decision(1, Abort, 5), decision(2, Commit, 5)]),
        &[3, 4],
        "participant 1 decided abort at 5 ns",
    );
}

#[test]
fn a_decision_never_changes() {
    let changed = agreed(&[decision(None, Commit, 3), decision(2, Commit, 4), decision(2, Abort, 8)]);
    check(
        &changed,
        &[4, 5],
        "participant 2 decided commit at 4 ns (record 4), but participant 2 decided abort at 8 ns",
    );
    check(&agreed(&[decision(2, Commit, 4), decision(2, Commit, 8)]), &[], "holds");
}

#[test]
fn the_client_is_told_what_was_decided() {
    check(&agreed(&[decision(1, Commit, 3), told(Commit, 2)]), &[], "holds");
    check(
        &agreed(&[decision(1, Commit, 3), told(Abort, 6)]),
        &[3, 4],
        "the client was told abort at 6 ns (record 4)",
    );
    check(
        &agreed(&[told(Abort, 3), told(Commit, 6)]),
        &[3, 4],
        "told abort at 3 ns (record 3), but the client was told commit",
    );
    check(
        &[begun(), told(Commit, 6)],
        &[1],
        "the client was told commit at 6 ns (record 1), but participant 1 never",
    );
}

#[test]
fn nobody_commits_before_all_have_voted_yes() {
    check(&agreed(&[decision(None, Commit, 2)]), &[], "holds");
    check(&agreed(&[decision(None, Commit, 1)]), &[2, 3], "participant 2 voted yes only at 2 ns (record 2)");
    check(&[begun(), vote(1, Yes, 1), decision(2, Commit, 3)], &[2], "participant 2 never voted yes");
    check(&[begun(), vote(1, Yes, 1), vote(2, No, 1), decision(None, Abort, 3)], &[], "holds");
}

#[test]
fn the_first_of_several_yes_counts() {
    check(&agreed(&[vote(2, Yes, 9), decision(None, Commit, 3)]), &[], "holds");
}

#[test]
fn a_participant_that_lost_its_vote_and_refuses_spoils_a_commit_but_no_abort() {
    let lost = agreed(&[decision(None, Commit, 3), vote(2, No, 6)]);
    let sentence = "participant 2 voted no at 6 ns (record 4), though it had voted yes at 2 ns (record 2)";
    check(&lost, &[3, 4], sentence);
    check(&agreed(&[vote(2, No, 6), decision(None, Abort, 7)]), &[], "holds");
    check(&agreed(&[vote(2, No, 6)]), &[], "holds");
    assert_eq!(commit_report(&lost).lost_votes_count, 1);
    let again = [begun(), vote(1, Yes, 1), vote(2, No, 1), vote(2, Yes, 2), decision(None, Commit, 3)];
    check(&again, &[2, 4], "participant 2 voted no at 1 ns (record 2)");
    assert_eq!(commit_report(&again).lost_votes_count, 0);
}

#[test]
fn a_no_after_its_own_commit_only_says_that_a_participant_has_forgotten() {
    let forgot = |no_ns| agreed(&[decision(None, Commit, 3), decision(2, Commit, 5), vote(2, No, no_ns)]);
    check(&forgot(6), &[], "holds");
    check(&forgot(5), &[], "holds");
    check(&forgot(4), &[3, 5], "participant 2 voted no at 4 ns");
}

#[test]
fn who_is_in_doubt_is_counted_and_breaks_nothing() {
    let blocked = agreed(&[decision(1, Commit, 5)]);
    check(&blocked, &[], "holds");
    let report = commit_report(&blocked);
    assert_eq!(report.in_doubt, [InDoubt { transaction: 7, participant: 2, since_ns: 2 }]);
    assert_eq!((report.committed_count, report.aborted_count, report.undecided_count), (1, 0, 0));
    let undecided = commit_report(&agreed(&[]));
    assert_eq!((undecided.in_doubt.len(), undecided.undecided_count), (2, 1));
    let refused = commit_report(&[begun(), vote(1, No, 1), decision(None, Abort, 2)]);
    assert_eq!((refused.in_doubt.len(), refused.aborted_count), (0, 1));
}

#[test]
fn transactions_have_nothing_to_do_with_each_other() {
    let other =
        CommitRecord::Decision(Decision { transaction: 8, participant: Some(1), fate: Abort, at_ns: 4 });
    check(&agreed(&[decision(1, Commit, 3), other]), &[], "holds");
}

#[test]
fn instants_at_the_end_of_time_do_no_harm() {
    check(&agreed(&[decision(None, Commit, u64::MAX), vote(1, No, u64::MAX)]), &[3, 4], "voted no");
    check(
        &[begun(), vote(1, Yes, u64::MAX), vote(2, Yes, u64::MAX), decision(None, Commit, 0)],
        &[1, 3],
        "only at",
    );
}

#[test]
fn a_hundred_thousand_records_of_many_transactions_or_of_one_are_judged_in_near_linear_time() {
    let record = |transaction, participant, at_ns| {
        [
            CommitRecord::Begun(Begun { transaction, participants: vec![participant], at_ns }),
            CommitRecord::Vote(Vote { transaction, participant, vote: Yes, at_ns }),
            CommitRecord::Decision(Decision {
                transaction,
                participant: Some(participant),
                fate: Commit,
                at_ns: u64::from(u32::MAX),
            }),
        ]
    };
    let many: Vec<_> = (0..40_000_u32).flat_map(|number| record(u64::from(number), 1, 5)).collect();
    let one: Vec<_> = (0..40_000).flat_map(|number| record(1, number, 5)).collect();
    for records in [many, one] {
        check(&records, &[], "holds");
        assert!(commit_report(&records).in_doubt.is_empty());
    }
}

/// The rules once more, from their definitions, record by record.
mod naive {
    use super::*;

    type Fated = (Option<Option<u32>>, Fate, u64);

    /// Every fate with who spoke of it (none: the client) and when.
    fn fates(records: &[CommitRecord]) -> Vec<Fated> {
        let fate = |record: &CommitRecord| match record {
            CommitRecord::Decision(decision) => {
                Some((Some(decision.participant), decision.fate, decision.at_ns))
            }
            CommitRecord::Told(told) => Some((None, told.fate, told.at_ns)),
            CommitRecord::Begun(_) | CommitRecord::Vote(_) => None,
        };
        records.iter().filter_map(fate).collect()
    }

    fn votes(records: &[CommitRecord], ballot: Ballot) -> impl Iterator<Item = &Vote> {
        records.iter().filter_map(move |record| match record {
            CommitRecord::Vote(vote) if vote.vote == ballot => Some(vote),
            _ => None,
        })
    }

    /// For records of one transaction.
    fn is_atomic(records: &[CommitRecord]) -> bool {
        let fates = fates(records);
        let commits: Vec<&Fated> = fates.iter().filter(|(_, fate, _)| *fate == Commit).collect();
        if commits.is_empty() {
            return true;
        }
        let required = records.iter().flat_map(|record| match record {
            CommitRecord::Begun(begun) => begun.participants.clone(),
            _ => Vec::new(),
        });
        let had_agreed = |participant: u32, at_ns: u64| {
            votes(records, Yes).any(|vote| vote.participant == participant && vote.at_ns <= at_ns)
        };
        let is_agreed = required
            .clone()
            .all(|participant| commits.iter().all(|(_, _, at_ns)| had_agreed(participant, *at_ns)));
        let is_excused = |no: &Vote| {
            commits.iter().any(|(who, _, at_ns)| *who == Some(Some(no.participant)) && *at_ns <= no.at_ns)
        };
        commits.len() == fates.len() && is_agreed && votes(records, No).all(is_excused)
    }

    pub(super) fn is_kept(records: &[CommitRecord]) -> bool {
        let transactions: BTreeSet<u64> = records.iter().map(CommitRecord::transaction).collect();
        transactions.into_iter().all(|transaction| {
            let of_it = |record: &&CommitRecord| record.transaction() == transaction;
            is_atomic(&records.iter().filter(of_it).cloned().collect::<Vec<_>>())
        })
    }

    fn record() -> impl Strategy<Value = CommitRecord> {
        let drawn = (0..12u8, 0..12u8, 0..4u8, 1..3u32, 0..8u64);
        drawn.prop_map(|(kind, transaction, rare, participant, at_ns)| {
            let transaction = u64::from(transaction == 0);
            let fate = if rare == 0 { Abort } else { Commit };
            match kind {
                0 => CommitRecord::Begun(Begun { transaction, participants: vec![participant], at_ns }),
                1..6 => {
                    let vote = if rare == 0 { No } else { Yes };
                    CommitRecord::Vote(Vote { transaction, participant, vote, at_ns })
                }
                6..10 => {
                    let participant = (rare > 1).then_some(participant);
                    CommitRecord::Decision(Decision { transaction, participant, fate, at_ns })
                }
                _ => CommitRecord::Told(Told { transaction, fate, at_ns }),
            }
        })
    }

    /// One participant of a run that keeps the protocol: its vote, when, and when it learns the decision.
    type Participant = (u8, u64, Option<u64>);

    /// A coordinator that waits until `deadline_ns` for all votes, decides, and tells whom it reaches.
    fn run(participants: &[Participant], deadline_ns: u64, told_after: Option<u64>) -> Vec<CommitRecord> {
        let number = |index: usize| u32::try_from(index).unwrap();
        let all = (0..participants.len()).map(number).collect();
        let mut records = vec![CommitRecord::Begun(Begun { transaction: 7, participants: all, at_ns: 0 })];
        let in_time = |(ballot, voted_ns, _): &Participant| *ballot > 0 && *voted_ns <= deadline_ns;
        let fate = if participants.iter().all(in_time) { Commit } else { Abort };
        let last_ns = participants.iter().map(|(_, voted_ns, _)| *voted_ns).max().unwrap_or(0);
        let decided_ns = last_ns.min(deadline_ns);
        records.push(decision(None, fate, decided_ns));
        for (index, (ballot, voted_ns, learns_after)) in participants.iter().enumerate() {
            let who = number(index);
            records.push(vote(who, if *ballot > 0 { Yes } else { No }, *voted_ns));
            if *ballot == 0 {
                records.push(decision(who, Abort, *voted_ns));
            } else if let Some(after) = learns_after {
                let learned_ns = (decided_ns + after).max(*voted_ns);
                records.push(decision(who, fate, learned_ns));
                // Asked again by a message that was late, it no longer knows of the transaction.
                if after % 3 == 0 && fate == Commit {
                    records.push(vote(who, No, learned_ns + after));
                }
            }
        }
        records.extend(told_after.map(|after| told(fate, decided_ns + after)));
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 20_000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn any_small_history_is_judged_as_by_the_definitions(
            records in proptest::collection::vec(record(), 0..8),
        ) {
            let verdict = atomic_commit(&records);
            prop_assert_eq!(verdict.holds(), is_kept(&records), "{}", verdict);
            let Verdict::Violated(violation) = verdict else { return Ok(()) };
            let is_named = |(place, record): &(u32, &CommitRecord)| {
                violation.operations.contains(&OperationIndex(*place)) || matches!(record, CommitRecord::Begun(_))
            };
            let named: Vec<_> =
                (0..).zip(&records).filter(is_named).map(|(_, record)| record.clone()).collect();
            prop_assert!(!is_kept(&named), "shows nothing: {}", violation.explanation);
        }

        #[test]
        fn no_run_that_keeps_the_protocol_is_accused(
            participants in proptest::collection::vec((0..6u8, 0..20u64, proptest::option::of(0..9u64)), 1..5),
            deadline_ns in 0..30u64,
            told_after in proptest::option::of(0..9u64),
        ) {
            let records = run(&participants, deadline_ns, told_after);
            let verdict = atomic_commit(&records);
            prop_assert!(verdict.holds(), "{}\n{:?}", verdict, records);
            let in_doubt = participants.iter().filter(|(ballot, _, learns)| *ballot > 0 && learns.is_none());
            prop_assert_eq!(commit_report(&records).in_doubt.len(), in_doubt.count());
        }
    }
}
