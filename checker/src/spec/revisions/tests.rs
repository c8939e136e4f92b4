//! What a store answers, and its order against every order and the search.

use std::sync::Arc;

use super::*;
use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::engine::shortcut_trials::{Play, every, exchange_answers, seeds, spoilt};
use crate::history::History;
use crate::linearizable::linearizable;
use crate::test_histories::Shape;
use crate::test_histories::full_size::Chance;

const WORDS: [&str; 11] = [
    "pk=a@2",
    "pk=b@3",
    "gk@1",
    "gk~2=a@2",
    "gk~3=b@3",
    "dk@3",
    "dk!@1",
    "ck~2=b@3",
    "ck~0=b!@2",
    "ck~0=a@2",
    "gl@2",
];

#[track_caller]
fn check(drawing: &str, want: &str) {
    let history = History::<Revisions>::draw(drawing).unwrap();
    let verdict = linearizable(&Revisions, &history, Budget { steps_max: 100_000 }).verdict;
    assert_eq!(verdict.word(), want, "{drawing}");
}

#[test]
fn a_put_raises_the_revision_and_a_delete_of_nothing_does_not() {
    check("a: [pk=v@2] [pk=w@3] [gk~3=w@3] [dk@4] [dk!@4] [gk@4] [pk=x@5]", "holds");
    check("a: [pk=v@2] [pk=w@2]", "violated");
    check("a: [dk!@2]", "violated");
    check("a: [dk@2]", "violated");
}

#[test]
fn a_put_on_condition_is_done_at_that_revision_only() {
    check("a: [ck~0=v@2] [ck~0=w!@2] [ck~2=w@3] [gk~3=w@3]", "holds");
    check("a: [pk=v@2] [ck~0=w@3]", "violated");
    check("a: [pk=v@2] [ck~2=w!@2]", "violated");
}

#[test]
fn a_stale_read_is_found_by_its_revision_and_by_its_entry() {
    check("a: [pk=v@2] [pk=w@3]\nb:                  [gk~2=v@2]", "violated");
    check("a: [pk=v@2] [pk=w@3]\nb:                  [gk~2=v@3]", "violated");
    check("a: [pk=v@2] [pk=w@3]\nb:         [gk~2=v@2]", "holds");
}

#[test]
fn a_revision_that_nobody_was_told_is_that_of_an_operation_of_unknown_outcome() {
    check("a: [pk=v\nb:      [pk=w@2] [gk~2=w@2]", "holds");
    check("a: [pk=v\nb:      [pl=w@3] [gk~2=v@3]", "holds");
    check("a: [pk=v\nb:      [pl=w@3] [gk@3]", "violated");
    check("b: [pl=w@3]\na:         [pk=v", "violated");
}

/// The answer that is right in a state, found without the code under test.
fn right(state: &StoreState, call: &StoreCall) -> Option<StoreAnswer> {
    let StoreCall::Txn(txn) = call else {
        let StoreCall::Range(range) = call else { return Some(StoreAnswer::Persisted { revision: None }) };
        let entry = state.entries().iter().find(|(key, _)| *key == range.start);
        let entries: Arc<[FoundEntry]> = entry
            .map(|(key, entry)| FoundEntry {
                key: key.clone(),
                value: entry.value.clone(),
                modified: Some(entry.modified),
                version: Some(entry.version),
            })
            .into_iter()
            .collect();
        let found = FoundRange { count: entries.len() as u64, entries };
        return Some(StoreAnswer::Range { found, revision: Some(state.revision()) });
    };
    let modified = |key: &Arc<str>| {
        state.entries().iter().find(|(other, _)| other == key).map_or(0, |(_, entry)| entry.modified)
    };
    let is_failed = txn.conditions.iter().any(|condition| match condition.expected {
        Expected::Revision(revision) => modified(&condition.key) != revision,
        Expected::Version(_) => panic!("not asked here"),
    });
    let mut is_raised = false;
    let mut results = Vec::new();
    for action in txn.actions(is_failed) {
        let deleted = match action {
            StoreAction::Delete { key } => u64::from(modified(key) > 0),
            StoreAction::Put { .. } | StoreAction::Range(_) => 0,
        };
        is_raised |= deleted > 0 || matches!(action, StoreAction::Put { .. });
        results.push(ActionResult { found: FoundRange::default(), deleted });
    }
    let revision = Some(state.revision() + i64::from(is_raised));
    Some(StoreAnswer::Txn { is_failed, results: results.into(), revision })
}

fn questions(chance: &mut Chance) -> Vec<StoreCall> {
    let count = 2 + chance.below(8);
    let mut calls = Vec::new();
    for number in 0..count {
        let key = ["k", "l"][chance.below(2)];
        let word = match chance.below(5) {
            0 => format!("d{key}"),
            1 => format!("c{key}~{}={number}", chance.below(4)),
            2 => format!("p{key}={number}"),
            _ => format!("g{key}"),
        };
        calls.push(Revisions::read_word(&word).unwrap().0);
    }
    calls
}

const PLAY: Play<Revisions> = Play { calls: questions, answer: right };

#[test]
fn the_order_of_revisions_agrees_with_every_order_of_every_small_history() {
    every(&Revisions, &WORDS, Shape { operations: 3, clients: 2 }).assert_decides(100);
}

#[test]
fn the_order_of_revisions_agrees_with_the_search() {
    let tally = seeds(&Revisions, &PLAY, 3, 1_500);
    tally.assert_decides(40);
    assert!(tally.refused < 400, "{tally:?}");
}

#[test]
fn a_revision_told_wrong_is_found_as_by_the_search() {
    let spoil = |history: &mut History<Revisions>, chance: &mut Chance| {
        exchange_answers(history, chance);
        let at = chance.below(history.operations.len());
        let operation = &mut history.operations[at];
        if let crate::history::Outcome::Answered(
            StoreAnswer::Txn { revision: Some(revision), .. }
            | StoreAnswer::Range { revision: Some(revision), .. },
        ) = &mut operation.outcome
        {
            *revision += chance.below(3) as i64 - 1;
        }
    };
    spoilt(&Revisions, &PLAY, (3, 1_500), spoil).assert_decides(40);
}
