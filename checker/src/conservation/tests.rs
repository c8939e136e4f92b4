//! The rules of conservation, each kept and each broken.

use super::*;
use crate::history::OperationIndex;

mod naive;

use Direction::{Compensation, Forward};
use State::{Compensated, Completed, InProgress};

/// A read from its question to its answer: what the accounts held.
type Seen<'a> = ([u64; 2], &'a [(u64, i64)]);

/// Accounts 1 and 2 with 10 each; workflow 3 moves 4 from 1 to 2. These are records 0 to 2.
fn moving(records: &[AccountRecord]) -> Vec<AccountRecord> {
    let opened = |account| AccountRecord::Opened(Opened { account, balance: 10 });
    let workflow = Workflow { workflow: 3, steps: vec![(1, -4), (2, 4)], at_ns: 0 };
    [&[opened(1), opened(2), AccountRecord::Workflow(workflow)], records].concat()
}

/// Step 0 or 1 of workflow 3 as planned, by the two instants; the second may be unknown.
fn done(step: u32, invoked_ns: u64, returned_ns: impl Into<Option<u64>>) -> AccountRecord {
    let account = u64::from(step) + 1;
    let amount = if step == 0 { -4 } else { 4 };
    let returned_ns = returned_ns.into();
    let direction = Forward;
    AccountRecord::Effect(Effect { workflow: 3, step, direction, account, amount, invoked_ns, returned_ns })
}

fn undone(step: u32, invoked_ns: u64, returned_ns: impl Into<Option<u64>>) -> AccountRecord {
    change(done(step, invoked_ns, returned_ns), |effect| {
        effect.direction = Compensation;
        effect.amount = -effect.amount;
    })
}

fn change(record: AccountRecord, how: impl Fn(&mut Effect)) -> AccountRecord {
    let AccountRecord::Effect(mut effect) = record else { return record };
    how(&mut effect);
    AccountRecord::Effect(effect)
}

fn shown(state: State, at_ns: u64) -> AccountRecord {
    AccountRecord::Status(Status { workflow: 3, state, at_ns })
}

fn read(([invoked_ns, returned_ns], balances): Seen<'_>) -> AccountRecord {
    AccountRecord::Balances(Balances { reader: 9, invoked_ns, returned_ns, balances: balances.to_vec() })
}

/// The verdict, as the places of the records that break the promise; none if it holds.
#[track_caller]
fn check(records: &[AccountRecord], end: End, places: &[u32], words: &str) {
    let verdict = conservation(records, end);
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

/// After both steps or their attempts, of a run that was cut off.
#[track_caller]
fn check_moving(records: &[AccountRecord], places: &[u32], words: &str) {
    check(&moving(records), End::CutOff, places, words);
}

#[track_caller]
fn check_settled(records: &[AccountRecord], places: &[u32], words: &str) {
    check(&moving(records), End::Settled, places, words);
}

#[test]
fn without_records_or_with_one_nothing_is_lost() {
    check(&[], End::Settled, &[], "holds");
    check_settled(&[], &[], "holds");
    check(&[read(([1, 2], &[(5, 0)]))], End::Settled, &[], "holds");
    check(&[read(([1, 2], &[(5, 1)]))], End::Settled, &[0], "found 1 on account 5, where 0 must have been");
}

#[test]
fn effects_are_as_planned() {
    check_moving(&[done(0, 5, 5), done(1, 6, 6)], &[], "holds");
    let wrong = |how: fn(&mut Effect)| change(done(1, 5, None), how);
    let sentence = "record 3 did step 1 of workflow 3, which is +4 on account 2, by +3 on account 2 at 5 ns";
    check_moving(&[wrong(|effect| effect.amount = 3)], &[2, 3], sentence);
    check_moving(&[wrong(|effect| effect.account = 1)], &[2, 3], "by +4 on account 1");
    check_moving(&[wrong(|effect| effect.step = 2)], &[2, 3], "which it has not");
    check_moving(&[wrong(|effect| effect.workflow = 4)], &[3], "which nobody began");
    check_moving(&[change(undone(1, 5, None), |effect| effect.amount = 4)], &[2, 3], "took back step 1");
    check_moving(
        &[change(undone(1, 5, None), |effect| effect.amount = i64::MIN)],
        &[2, 3],
        "took back step 1",
    );
}

#[test]
fn a_step_takes_effect_once_and_is_taken_back_once() {
    let sentence =
        "step 1 of workflow 3 (+4 on account 2) took effect twice: by 6 ns (record 3) and by 9 ns (record 4)";
    check_moving(&[done(1, 5, 6), done(1, 8, 9)], &[3, 4], sentence);
    check_moving(&[done(1, 5, None), done(1, 8, 9), done(1, 8, None)], &[], "holds");
    let twice = [done(1, 5, 6), undone(1, 7, 7), undone(1, 8, 8)];
    check_moving(&twice, &[4, 5], "was taken back twice: by 7 ns");
}

#[test]
fn only_what_may_have_happened_is_taken_back() {
    check_moving(&[undone(1, 7, 7)], &[3], "was taken back by 7 ns (record 3), though it never took effect");
    check_moving(&[undone(1, 7, None)], &[], "holds");
    check_moving(&[done(1, 5, None), undone(1, 7, 7)], &[], "holds");
    check_moving(&[undone(1, 7, 7), done(1, 8, 9)], &[], "holds");
}

#[test]
fn completed_is_shown_only_when_every_step_is_in_effect() {
    check_moving(&[done(0, 5, 5), done(1, 6, 9), shown(Completed, 6)], &[], "holds");
    check_moving(&[done(0, 5, 5), done(1, 6, None), shown(Completed, 6)], &[], "holds");
    let sentence = "workflow 3 was shown as completed at 5 ns (record 5), but step 1 of workflow 3 (+4 on account 2) was asked for only at 6 ns (record 4)";
    check_moving(&[done(0, 5, 5), done(1, 6, 9), shown(Completed, 5)], &[4, 5], sentence);
    check_moving(&[done(0, 5, 5), shown(Completed, 9)], &[2, 4], "never took effect");
    check_moving(&[done(0, 5, 5), shown(InProgress, 9)], &[], "holds");
}

#[test]
fn what_is_completed_is_not_taken_back() {
    let both = [done(0, 5, 5), done(1, 6, 6)];
    let later = |undo: AccountRecord| [&both[..], &[shown(Completed, 7), undo]].concat();
    check_moving(&later(undone(0, 9, 9)), &[5, 6], "was taken back by 9 ns");
    check_moving(&later(undone(0, 9, None)), &[], "holds");
}

#[test]
fn compensated_is_shown_only_when_no_step_is_in_effect() {
    let back = |undo: AccountRecord| [done(0, 5, 6), undo, shown(Compensated, 9)];
    check_moving(&back(undone(0, 7, 8)), &[], "holds");
    check_moving(&back(undone(0, 9, 12)), &[], "holds");
    check_moving(&back(undone(0, 9, None)), &[], "holds");
    let sentence = "step 0 of workflow 3 (-4 on account 1) was in effect since 6 ns at the latest (record 3) and taken back only from 10 ns on";
    check_moving(&back(undone(0, 10, 12)), &[3, 5], sentence);
    check_moving(&[done(0, 5, 6), shown(Compensated, 9)], &[3, 4], "stayed in effect since 6 ns");
    check_moving(&[done(0, 5, None), shown(Compensated, 9)], &[], "holds");
    check_moving(&[done(0, 9, 9), undone(0, 10, 12), shown(Compensated, 9)], &[], "holds");
    check_moving(&[done(0, 12, 13), shown(Compensated, 9)], &[3, 4], "stayed in effect");
    check_moving(&[shown(Compensated, 9)], &[], "holds");
}

#[test]
fn one_workflow_is_not_both_completed_and_compensated() {
    let both = [done(0, 5, 5), done(1, 6, 6), undone(0, 7, None), undone(1, 7, None), shown(Completed, 8)];
    let shown_both = [&both[..], &[shown(InProgress, 8), shown(Compensated, 9)]].concat();
    check_moving(
        &shown_both,
        &[7, 9],
        "was shown as completed at 8 ns (record 7) and as compensated at 9 ns",
    );
    check_moving(&both, &[], "holds");
}

#[test]
fn a_settled_run_leaves_no_workflow_half_done() {
    check_settled(&[done(0, 5, 5), done(1, 6, 6)], &[], "holds");
    check_settled(&[done(0, 5, 5), done(1, 6, None)], &[], "holds");
    check_settled(&[done(0, 5, 5), undone(0, 6, None)], &[], "holds");
    check_settled(&[done(0, 5, None)], &[], "holds");
    let sentence = "step 0 of workflow 3 (-4 on account 1) took effect by 5 ns (record 3) and stayed so, while step 1 never took effect";
    check_settled(&[done(0, 5, 5)], &[2, 3], sentence);
    check_moving(&[done(0, 5, 5)], &[], "holds");
    let half_back = [done(0, 5, 5), done(1, 6, 6), undone(1, 7, 7)];
    check_settled(&half_back, &[3, 5], "step 1 was taken back (record 5)");
    let three = Workflow { workflow: 3, steps: vec![(1, -4), (2, 4), (5, 0)], at_ns: 0 };
    let three = [AccountRecord::Workflow(three), done(0, 5, None), done(1, 6, 6)];
    check(&three, End::Settled, &[0, 2], "step 1 of workflow 3 (+4 on account 2) took effect by 6 ns");
}

#[test]
fn a_read_finds_what_had_taken_effect_by_then_and_may_find_what_was_under_way() {
    let with = |seen: Seen<'_>| [done(0, 5, 8), done(1, 9, 12), read(seen)];
    check_moving(&with(([0, 4], &[(1, 10), (2, 10)])), &[], "holds");
    check_moving(&with(([0, 5], &[(1, 6), (2, 10)])), &[], "holds");
    check_moving(&with(([8, 8], &[(1, 10), (2, 10)])), &[], "holds");
    check_moving(&with(([9, 9], &[(1, 6), (2, 14)])), &[], "holds");
    let sentence = "reader 9, 0 ns to 4 ns (record 5), found 6 on account 1, where 10 must have been";
    check_moving(&with(([0, 4], &[(1, 6)])), &[5], sentence);
    check_moving(&with(([9, 20], &[(1, 10)])), &[5], "found 10 on account 1, where 6 must have been");
    check_moving(
        &with(([9, 20], &[(2, 15)])),
        &[5],
        "found 15 on account 2, where from 10 to 14 can have been",
    );
}

#[test]
fn an_unknown_effect_may_show_at_any_later_time_or_never() {
    for balance in [10, 6] {
        check_moving(&[done(0, 5, None), read(([900, 901], &[(1, balance)]))], &[], "holds");
    }
    check_moving(&[done(0, 5, None), read(([4, 4], &[(1, 6)]))], &[4], "10 must have been");
    check_moving(&[done(0, 5, None), done(0, 6, None), read(([9, 9], &[(1, 2)]))], &[5], "from 6 to 10");
}

#[test]
fn an_attempt_of_unknown_outcome_may_be_the_one_that_its_repetition_confirms() {
    let repeated = |balance| [done(0, 5, None), done(0, 20, 25), read(([10, 11], &[(1, balance)]))];
    check_moving(&repeated(6), &[], "holds");
    check_moving(&repeated(10), &[], "holds");
}

#[test]
fn a_read_of_several_accounts_is_of_one_instant() {
    let torn = |seen: Seen<'_>| [done(0, 5, 6), done(1, 9, 10), read(seen)];
    check_moving(&torn(([0, 20], &[(1, 6), (2, 10)])), &[], "holds");
    let sentence = "found balances that were not all there at any one instant: 10 can have been on account 1 until 6 ns, 14 on account 2 only from 9 ns on, 3 ns later";
    check_moving(&torn(([0, 20], &[(1, 10), (2, 14)])), &[5], sentence);
    check_moving(&torn(([0, 20], &[(2, 14), (1, 10)])), &[5], "10 can have been on account 1 until 6 ns");
    let touching = |seen: Seen<'_>| [done(0, 5, 9), done(1, 9, 10), read(seen)];
    check_moving(&touching(([0, 20], &[(1, 10), (2, 14)])), &[], "holds");
}

#[test]
fn a_balance_that_was_there_twice_does_not_explain_a_torn_read_by_one_of_its_times() {
    let gone = [
        done(0, 5, 5),
        undone(0, 9, 9),
        done(1, 7, 7),
        undone(1, 8, 8),
        read(([0, 20], &[(1, 10), (2, 14)])),
    ];
    let words = "(record 7), found balances that were not all there at any one instant";
    check_moving(&gone, &[7], words);
    assert!(conservation(&moving(&gone), End::CutOff).to_string().ends_with(words));
}

#[test]
fn what_began_with_the_read_is_counted_once() {
    let torn = [done(0, 5, 5), undone(0, 9, 9), done(1, 12, 12), read(([5, 20], &[(1, 6), (2, 14)]))];
    check_moving(
        &torn,
        &[6],
        "6 can have been on account 1 until 9 ns, 14 on account 2 only from 12 ns on, 3 ns later",
    );
}

#[test]
fn money_that_comes_and_goes_is_there_in_between() {
    let there = [done(1, 5, 5), undone(1, 9, 9)];
    let with = |seen: Seen<'_>| [&there[..], &[read(seen)]].concat();
    check_moving(&with(([0, 20], &[(2, 14), (1, 10)])), &[], "holds");
    check_moving(&with(([10, 20], &[(2, 14)])), &[5], "10 must have been");
}

#[test]
fn the_largest_numbers_do_no_harm() {
    let opened = |balance| AccountRecord::Opened(Opened { account: 1, balance });
    let workflow = AccountRecord::Workflow(Workflow { workflow: 3, steps: vec![(1, i64::MIN)], at_ns: 0 });
    let effect = |returned_ns| change(done(0, u64::MAX, returned_ns), |effect| effect.amount = i64::MIN);
    let all = |found| {
        [
            opened(i64::MAX),
            opened(i64::MAX),
            workflow.clone(),
            effect(Some(0)),
            read(([0, u64::MAX], &[(1, found)])),
        ]
    };
    check(&all(i64::MAX - 1), End::Settled, &[], "holds");
    check(&[opened(3), opened(4), read(([9, 2], &[(1, 7)]))], End::Settled, &[], "holds");
    check_moving(&[done(0, 5, 5), read(([9, 2], &[(1, 6)]))], &[], "holds");
    check(&all(i64::MIN), End::Settled, &[4], "found");
}

#[test]
fn a_hundred_thousand_records_of_two_accounts_are_judged_in_near_linear_time() {
    let mut records = vec![AccountRecord::Opened(Opened { account: 1, balance: 10 })];
    for number in 0..30_000 {
        let at_ns = number * 10;
        let shift = |record, workflow| {
            change(record, |effect| {
                effect.workflow = workflow;
                effect.invoked_ns += at_ns;
                effect.returned_ns = effect.returned_ns.map(|returned_ns| returned_ns + at_ns);
            })
        };
        let workflow = Workflow { workflow: number, steps: vec![(1, -4), (2, 4)], at_ns };
        let paid = -4 * i64::try_from(number).unwrap();
        records.extend([
            AccountRecord::Workflow(workflow),
            shift(done(0, 2, 5), number),
            shift(done(1, 6, 9), number),
            read(([at_ns, at_ns + 1], &[(1, 10 + paid), (2, -paid)])),
            read(([0, u64::MAX], &[(1, 10), (2, 0)])),
        ]);
    }
    check(&records, End::Settled, &[], "holds");
}
