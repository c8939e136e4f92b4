//! The three readings of mutual exclusion, each kept and each broken.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::history::OperationIndex;

fn section(holder: u64, from_ns: u64, until_ns: impl Into<Option<u64>>) -> LockRecord {
    LockRecord::Section(Section { lock: 1, holder, from_ns, until_ns: until_ns.into() })
}

fn grant(token: u64, holder: u64, at_ns: u64) -> LockRecord {
    LockRecord::Grant(Grant { lock: 1, token, holder, at_ns })
}

/// Accepted by resource 0.
fn access(token: u64, holder: u64, at_ns: u64) -> LockRecord {
    LockRecord::Access(Access { lock: 1, resource: 0, token, holder, at_ns, is_accepted: true })
}

fn of_lock(lock: u64, record: LockRecord) -> LockRecord {
    match record {
        LockRecord::Section(section) => LockRecord::Section(Section { lock, ..section }),
        LockRecord::Grant(grant) => LockRecord::Grant(Grant { lock, ..grant }),
        LockRecord::Access(access) => LockRecord::Access(Access { lock, ..access }),
    }
}

fn at_resource(resource: u32, record: LockRecord) -> LockRecord {
    match record {
        LockRecord::Access(access) => LockRecord::Access(Access { resource, ..access }),
        LockRecord::Section(_) | LockRecord::Grant(_) => record,
    }
}

fn refused(record: LockRecord) -> LockRecord {
    match record {
        LockRecord::Access(access) => LockRecord::Access(Access { is_accepted: false, ..access }),
        LockRecord::Section(_) | LockRecord::Grant(_) => record,
    }
}

/// The verdict, as the places of the records that break the promise; none if it holds.
#[track_caller]
fn check(records: &[LockRecord], promise: Exclusion, places: &[u32], words: &str) {
    let verdict = mutual_exclusion(records, promise);
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

const ALL: [Exclusion; 3] = [Exclusion::Sections, Exclusion::Fencing, Exclusion::Epochs];

#[test]
fn without_records_or_with_one_everything_holds() {
    for promise in ALL {
        check(&[], promise, &[], "holds");
        check(&[section(1, 5, 9)], promise, &[], "holds");
        check(&[grant(1, 1, 5)], promise, &[], "holds");
        check(&[access(1, 1, 5)], promise, &[], "holds");
    }
}

#[test]
fn the_next_may_enter_at_the_instant_at_which_the_last_leaves() {
    check(&[section(1, 5, 9), section(2, 9, 12)], Exclusion::Sections, &[], "holds");
    check(&[section(2, 9, 12), section(1, 5, 9)], Exclusion::Sections, &[], "holds");
    let overlap = "holder 1 was inside lock 1 from 5 ns to 9 ns (record 0) when holder 2 entered it at 8 ns, 1 ns before that (record 1)";
    check(&[section(1, 5, 9), section(2, 8, 12)], Exclusion::Sections, &[0, 1], overlap);
    check(&[section(1, 5, 9), section(2, 5, 9)], Exclusion::Sections, &[0, 1], "entered it at 5 ns");
}

#[test]
fn a_visit_of_no_duration_inside_another_section_is_an_overlap() {
    check(&[section(1, 5, 9), section(2, 7, 7)], Exclusion::Sections, &[0, 1], "at 7 ns");
    check(&[section(1, 5, 9), section(2, 5, 5), section(2, 9, 9)], Exclusion::Sections, &[], "holds");
}

#[test]
fn one_holder_may_be_inside_twice_and_two_locks_have_nothing_to_do_with_each_other() {
    check(&[section(1, 5, 20), section(1, 6, 8)], Exclusion::Sections, &[], "holds");
    check(&[section(1, 5, 9), of_lock(2, section(2, 5, 9))], Exclusion::Sections, &[], "holds");
    check(
        &[section(1, 5, 20), section(1, 6, 8), section(2, 10, 11)],
        Exclusion::Sections,
        &[0, 2],
        "at 10 ns",
    );
}

#[test]
fn a_shorter_section_of_another_holder_is_not_forgotten_for_a_longer_one() {
    let long_ago = [section(2, 0, 10), section(1, 10, 30), section(1, 12, 40), section(1, 35, 50)];
    check(&long_ago, Exclusion::Sections, &[], "holds");
    let nested = [section(1, 0, 9), section(2, 9, 20), section(2, 10, 30), section(1, 19, 25)];
    check(&nested, Exclusion::Sections, &[2, 3], "at 19 ns");
}

#[test]
fn a_section_of_unknown_end_is_in_the_way_only_at_its_beginning() {
    check(&[section(1, 5, None), section(2, 6, 9)], Exclusion::Sections, &[], "holds");
    check(&[section(1, 5, 9), section(2, 6, None)], Exclusion::Sections, &[0, 1], "at 6 ns");
}

#[test]
fn instants_at_the_end_of_time_and_ends_before_beginnings_do_no_harm() {
    check(&[section(1, u64::MAX, u64::MAX), section(2, 0, u64::MAX)], Exclusion::Sections, &[], "holds");
    check(&[section(1, 5, 0), section(2, 6, 7)], Exclusion::Sections, &[], "holds");
    check(&[section(1, 0, u64::MAX), section(2, u64::MAX - 1, 0)], Exclusion::Sections, &[0, 1], "entered");
}

#[test]
fn a_fenced_lock_may_have_overlapping_sections_while_the_resource_refuses_the_old_holder() {
    let records = [
        grant(1, 1, 0),
        section(1, 0, 30),
        grant(2, 2, 10),
        section(2, 10, 40),
        access(2, 2, 20),
        refused(access(1, 1, 25)),
    ];
    check(&records, Exclusion::Fencing, &[], "holds");
    check(&records, Exclusion::Sections, &[1, 3], "at 10 ns");
}

#[test]
fn a_resource_accepts_no_token_older_than_one_it_accepted() {
    let granted = [grant(1, 1, 0), grant(2, 2, 1)];
    let late = [&granted[..], &[access(1, 1, 5), access(2, 2, 6), access(1, 1, 7)]].concat();
    let sentence = "resource 0 accepted token 1 of lock 1 from holder 1, record 4 at 7 ns, after token 2 from holder 2, record 3 at 6 ns";
    check(&late, Exclusion::Fencing, &[3, 4], sentence);
    let elsewhere = [&granted[..], &[access(2, 2, 6), at_resource(1, access(1, 1, 7))]].concat();
    check(&elsewhere, Exclusion::Fencing, &[], "holds");
    // The resource knows its own order even where the instants are equal.
    let at_once = [&granted[..], &[access(2, 2, 6), access(1, 1, 6)]].concat();
    check(&at_once, Exclusion::Fencing, &[2, 3], "after token 2");
}

#[test]
fn a_token_unseen_by_the_resource_fences_nobody_out() {
    check(
        &[grant(1, 1, 0), grant(2, 2, 1), access(1, 1, 5), access(2, 2, 9)],
        Exclusion::Fencing,
        &[],
        "holds",
    );
}

#[test]
fn tokens_are_granted_in_increasing_order_each_to_one_holder() {
    check(&[grant(2, 1, 0), grant(1, 2, 1)], Exclusion::Fencing, &[0, 1], "token 1 at 1 ns");
    check(&[grant(2, 1, 0), grant(1, 2, 0)], Exclusion::Fencing, &[], "holds");
    check(&[grant(2, 1, 0), grant(2, 2, 1)], Exclusion::Fencing, &[0, 1], "to two");
    check(&[grant(2, 1, 0), grant(2, 1, 1)], Exclusion::Fencing, &[], "holds");
    check(&[grant(2, 1, 0), of_lock(2, grant(1, 2, 1))], Exclusion::Fencing, &[], "holds");
}

#[test]
fn an_epoch_has_one_leader_but_the_news_of_elections_may_cross() {
    check(&[grant(2, 1, 0), grant(1, 2, 1)], Exclusion::Epochs, &[], "holds");
    check(&[grant(2, 1, 0), grant(3, 3, 1), grant(2, 2, 1)], Exclusion::Epochs, &[0, 2], "epoch 2 to two");
    let old = [grant(1, 1, 0), grant(2, 2, 1), access(2, 2, 5), access(1, 1, 6)];
    check(&old, Exclusion::Epochs, &[2, 3], "epoch 1 of election 1 from leader 1");
}

#[test]
fn a_resource_accepts_a_token_only_from_whom_it_was_granted_to_and_not_before() {
    check(&[grant(1, 1, 5), access(1, 1, 5)], Exclusion::Fencing, &[], "holds");
    check(
        &[grant(1, 1, 5), access(1, 1, 4)],
        Exclusion::Fencing,
        &[0, 1],
        "granted to holder 1, record 0 at 5 ns",
    );
    check(&[grant(1, 1, 5), access(1, 2, 6)], Exclusion::Fencing, &[0, 1], "granted to holder 1");
    check(&[grant(1, 1, 5), access(2, 1, 6)], Exclusion::Fencing, &[1], "never granted");
    check(&[grant(1, 1, 5), grant(1, 1, 2), access(1, 1, 4)], Exclusion::Fencing, &[], "holds");
    check(&[grant(1, 1, 5), refused(access(7, 2, 6))], Exclusion::Fencing, &[], "holds");
}

#[test]
fn without_grants_on_record_two_users_of_one_token_still_show() {
    check(
        &[access(1, 1, 5), access(1, 2, 6)],
        Exclusion::Fencing,
        &[0, 1],
        "had accepted the same from holder 1",
    );
    check(&[access(1, 1, 5), at_resource(1, access(1, 2, 6))], Exclusion::Epochs, &[0, 1], "resource 0");
    check(&[access(1, 1, 5), refused(access(1, 2, 6))], Exclusion::Fencing, &[], "holds");
}

#[test]
fn a_hundred_thousand_records_of_one_lock_are_judged_in_near_linear_time() {
    let turns = 0..50_000u64;
    let records: Vec<LockRecord> = turns
        .flat_map(|turn| {
            [
                grant(turn, turn, turn * 10),
                section(turn, turn * 10, turn * 10 + 10),
                access(turn, turn, turn * 10),
            ]
        })
        .collect();
    for promise in ALL {
        check(&records, promise, &[], "holds");
    }
}

/// The readings once more, from their definitions, pair by pair.
mod naive {
    use super::*;

    fn overlap(one: &Section, other: &Section) -> bool {
        let inside =
            |section: &Section| (section.from_ns, section.until_ns.unwrap_or(0).max(section.from_ns));
        let ((from, until), (other_from, other_until)) = (inside(one), inside(other));
        // Neither can have left before the other came.
        one.lock == other.lock && one.holder != other.holder && until > other_from && other_until > from
    }

    fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
        (0..all.len()).flat_map(move |place| all[place + 1..].iter().map(move |later| (&all[place], later)))
    }

    pub(super) fn is_kept(records: &[LockRecord], promise: Exclusion) -> bool {
        let (mut sections, mut grants, mut accepted) = (Vec::new(), Vec::new(), Vec::new());
        for record in records {
            match record {
                LockRecord::Section(section) => sections.push(*section),
                LockRecord::Grant(grant) => grants.push(*grant),
                LockRecord::Access(access) if access.is_accepted => accepted.push(*access),
                LockRecord::Access(_) => {}
            }
        }
        if promise == Exclusion::Sections {
            return !pairs(&sections).any(|(one, other)| overlap(one, other));
        }
        let crosses = |one: &Grant, other: &Grant| {
            one.lock == other.lock && one.at_ns < other.at_ns && one.token > other.token
        };
        let is_ordered = !pairs(&grants).any(|(one, other)| crosses(one, other) || crosses(other, one));
        let has_one_holder = !pairs(&grants).any(|(one, other)| {
            (one.lock, one.token) == (other.lock, other.token) && one.holder != other.holder
        });
        let is_obeyed = !pairs(&accepted).any(|(earlier, later)| {
            (earlier.lock, earlier.resource) == (later.lock, later.resource) && earlier.token > later.token
        });
        let has_one_user = !pairs(&accepted).any(|(earlier, later)| {
            (earlier.lock, earlier.token) == (later.lock, later.token) && earlier.holder != later.holder
        });
        let is_granted = |access: &Access| {
            let mut of_lock = grants.iter().filter(|grant| grant.lock == access.lock).peekable();
            of_lock.peek().is_none()
                || of_lock.any(|grant| {
                    (grant.token, grant.holder) == (access.token, access.holder)
                        && grant.at_ns <= access.at_ns
                })
        };
        let is_fenced = has_one_holder && is_obeyed && has_one_user && accepted.iter().all(is_granted);
        is_fenced && (is_ordered || promise == Exclusion::Epochs)
    }

    /// Mostly small and lawful, so that both verdicts are common.
    fn records() -> impl Strategy<Value = Vec<LockRecord>> {
        let one = (0..8u8, 1..3u64, 0..3u64, 0..12u64, 0..4u64, 0..6u8);
        proptest::collection::vec(one, 0..7).prop_map(|drawn| {
            let record = |(kind, lock, who, at_ns, long, rare): (u8, u64, u64, u64, u64, u8)| {
                let holder = if rare == 0 { 1 } else { who };
                let resource = u32::from(rare == 1);
                let lock = if rare > 3 { 1 } else { lock };
                match kind {
                    0..3 => {
                        let until_ns =
                            (rare != 2).then_some((at_ns + long).saturating_sub(u64::from(rare == 3)));
                        LockRecord::Section(Section { lock, holder, from_ns: at_ns, until_ns })
                    }
                    3..5 => LockRecord::Grant(Grant { lock, token: who, holder, at_ns }),
                    _ => {
                        let is_accepted = rare != 2;
                        LockRecord::Access(Access { lock, resource, token: who, holder, at_ns, is_accepted })
                    }
                }
            };
            drawn.into_iter().map(record).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 20_000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn any_small_history_is_judged_as_by_the_definitions(records in records()) {
            for promise in ALL {
                let verdict = mutual_exclusion(&records, promise);
                prop_assert_eq!(verdict.holds(), is_kept(&records, promise), "{:?} {}", promise, verdict);
                let Verdict::Violated(violation) = verdict else { continue };
                let named: Vec<LockRecord> = (0..).zip(&records)
                    .filter(|(place, record)| {
                        // Without any grant a token is nobody's: the others of the lock show that it has grants.
                        violation.operations.contains(&OperationIndex(*place))
                            || matches!(record, LockRecord::Grant(_))
                    })
                    .map(|(_, record)| *record)
                    .collect();
                prop_assert!(!is_kept(&named, promise), "{:?} shows nothing: {}", promise, violation.explanation);
            }
        }
    }
}
