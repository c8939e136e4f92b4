//! Drawn histories, and every small one against the definition.

use super::*;
use crate::history::History;
use crate::test_histories::{Shape, every_history};

/// The verdicts of no loss, exactly once and convergence. In a drawing, columns are instants.
fn judged(drawing: &str, settled_ns: u64) -> [&'static str; 3] {
    let history = KeyedHistory::single("x", History::draw(drawing).unwrap());
    [TallyRule::NoLoss, TallyRule::ExactlyOnce, TallyRule::Convergence]
        .map(|rule| tally(&history, settled_ns, rule).word())
}

#[track_caller]
fn check(drawing: &str, want: [&str; 3]) {
    // Nothing of these drawings begins between column 16 and column 20.
    assert_eq!(judged(drawing, 16), want, "{drawing}");
}

const HOLD: [&str; 3] = ["holds"; 3];

#[test]
fn a_settled_read_finds_all_that_was_acknowledged() {
    check("a: [+2 ] [+3 ]      [=5 ]", HOLD);
    check("a: [+2 ] [+3 ]      [=2 ]", ["violated", "holds", "holds"]);
    check("a: [+2 ] [+3 ]      [=7 ]", ["holds", "violated", "holds"]);
}

#[test]
fn an_early_read_may_be_late_but_never_too_high() {
    check("a: [+2 ] [=0 ]      [=2 ]", HOLD);
    check("a: [+2 ] [=3 ]      [=2 ]", ["holds", "violated", "holds"]);
    check("a: [=2 ] [+2 ]      [=2 ]", ["holds", "violated", "holds"]);
}

#[test]
fn an_unknown_increment_counts_once_or_not_at_all() {
    for value in [2, 7] {
        check(&format!("a: [+2 ]\nb: [+5\nc:                  [={value} ]"), HOLD);
    }
    check("a: [+2 ]\nb: [+5\nc:                  [=4 ]", ["holds", "violated", "holds"]);
    check("a: [+2 ]\nb: [+5\nc:                  [=12 ]", ["holds", "violated", "holds"]);
}

#[test]
fn in_the_end_there_is_one_value() {
    check(
        "a: [+2 ]\nb: [+5\nc:                  [=2 ]\nd:                  [=7 ]",
        ["holds", "holds", "violated"],
    );
    check("a: [+2 ] [=0 ]\nc:       [=2 ]      [=2 ]", HOLD);
}

#[test]
fn what_nobody_looked_for_is_undecided() {
    check("a: [+2 ] [=2 ]", ["undecided", "holds", "undecided"]);
    check("a:       [=0 ]", HOLD);
}

#[test]
fn a_violation_names_the_read_its_counter_and_the_sum() {
    let history = KeyedHistory::single("x", History::draw("a: [+2 ] [+3 ]      [=2 ]").unwrap());
    let Verdict::Violated(violation) = tally(&history, 16, TallyRule::NoLoss) else { panic!("it is lossy") };
    assert_eq!((violation.key.as_deref(), violation.operations.len()), (Some("x"), 1));
    assert!(violation.explanation.contains("2 increments that make at least 5"), "{violation:?}");
    let count = TallyCount { increments: 2, reads: 1, settled_reads: 1, lag_ns_max: 7 };
    assert_eq!(tally_count(&history, 16), count);
}

/// The definition, read choice by choice: does some choice of increments explain the read?
fn is_explained(operations: &[Asked], read: &Asked, settled_ns: u64) -> bool {
    let adds: Vec<_> = operations.iter().filter(|one| delta_of(one).is_some()).collect();
    let is_settled = read.invoked_at >= settled_ns;
    (0..1_u32 << adds.len()).any(|choice| {
        let is_chosen = |place: usize| choice & 1 << place != 0;
        let chosen = (0..adds.len()).filter(|place| is_chosen(*place));
        let sum: i64 = chosen.filter_map(|place| delta_of(adds[place])).sum();
        let fits = |place: usize| {
            let is_needed = adds[place].returned_at.is_some_and(|at| at < settled_ns);
            let is_possible = Some(adds[place].invoked) < read.returned;
            (is_possible || !is_chosen(place)) && (is_chosen(place) || !is_settled || !is_needed)
        };
        (0..adds.len()).all(fits)
            && (found(read) == i128::from(sum) || !is_settled && found(read) < i128::from(sum))
    })
}

/// Every small history against the definition: all reads explained if and only if nothing is lost and nothing counts twice.
#[test]
fn no_loss_and_exactly_once_agree_with_the_definition_on_every_small_history() {
    let words = ["+1", "+2", "=0", "=1", "=3"];
    for operations in 1..=3 {
        for history in every_history::<Counter>(&words, Shape { operations, clients: 3 }) {
            let part = &history.parts()["x"];
            let all = part.operations();
            for settled_ns in [0, 2, 4, u64::MAX] {
                let mut reads = all.iter().filter(|one| found_by(one).is_some());
                let want = reads.all(|read| is_explained(all, read, settled_ns));
                let rules = [TallyRule::NoLoss, TallyRule::ExactlyOnce];
                let found = rules.map(|rule| tally(&history, settled_ns, rule));
                let is_kept = !found.iter().any(Verdict::is_violated);
                assert_eq!(is_kept, want, "{}\nsettled at {settled_ns}: {found:?}", part.drawing());
            }
        }
    }
}
