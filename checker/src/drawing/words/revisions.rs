//! Words for a store with revisions: `pk=v@5` is a put of v that raised the store to revision 5.

use std::sync::Arc;

use crate::drawing::Drawable;
use crate::spec::revisions::{
    ActionResult, Condition, Expected, FoundEntry, FoundRange, KeyRange, Revisions, StoreAction, StoreAnswer,
    StoreCall, StoreTxn, StoreValue,
};

impl Drawable for Revisions {
    fn read_word(word: &str) -> Option<(StoreCall, Option<StoreAnswer>)> {
        let (asked, revision) = match word.split_once('@') {
            Some((asked, revision)) => (asked, Some(revision.parse().ok()?)),
            None => (word, None),
        };
        let is_refused = asked.ends_with('!');
        let asked = asked.trim_end_matches('!');
        let (kind, rest) = asked.split_at_checked(1)?;
        let (key, value) = match rest.split_once('=') {
            Some((key, value)) => (key, Some(StoreValue::Text(value.into()))),
            None => (rest, None),
        };
        let (key, modified): (Arc<str>, Option<i64>) = match key.split_once('~') {
            Some((key, modified)) => (Arc::from(key), Some(modified.parse::<i64>().ok()?)),
            None => (Arc::from(key), None),
        };
        let put = |value| StoreAction::Put { key: key.clone(), value, lease: 0 };
        let txn = |txn| StoreCall::Txn(Arc::new(txn));
        let (call, deleted) = match (kind, value) {
            ("g", value) => {
                let call = StoreCall::Range(KeyRange::key(key.clone()));
                let entry = value.map(|value| FoundEntry { key, value, modified, version: None });
                let count = u64::from(entry.is_some());
                let found = FoundRange { entries: entry.into_iter().collect(), count };
                return Some((call, revision.map(|_| StoreAnswer::Range { found, revision })));
            }
            ("p", Some(value)) => (txn(StoreTxn::only(put(value))), 0),
            ("d", None) => (txn(StoreTxn::only(StoreAction::Delete { key })), u64::from(!is_refused)),
            ("c", Some(value)) => {
                let expected = Expected::Revision(modified?);
                let conditions = vec![Condition { key: key.clone(), expected }];
                let on_success = vec![put(value)];
                (txn(StoreTxn { conditions, on_success, on_failure: Vec::new() }), 0)
            }
            _ => return None,
        };
        let is_failed = is_refused && kind == "c";
        let result = ActionResult { found: FoundRange::default(), deleted };
        let results = if is_failed { Vec::new() } else { vec![result] };
        let answer = StoreAnswer::Txn { is_failed, results: results.into(), revision };
        Some((call, revision.map(|_| answer)))
    }

    fn word(call: &StoreCall, answer: Option<&StoreAnswer>) -> String {
        let mut word = match call {
            StoreCall::Range(range) | StoreCall::RangeAt { range, .. } => format!("g{}", range.start),
            StoreCall::Txn(txn) => txn_word(txn),
            StoreCall::GrantLease(lease) => format!("lease{lease}"),
            StoreCall::RevokeLease(lease) => format!("revoke{lease}"),
            StoreCall::Compact(revision) => format!("compact{revision}"),
            StoreCall::Defragment => "defragment".to_owned(),
        };
        match answer {
            Some(StoreAnswer::Range { found, .. }) => {
                if let [FoundEntry { value: StoreValue::Text(text), modified, .. }] = &*found.entries {
                    let modified = modified.map(|modified| format!("~{modified}")).unwrap_or_default();
                    word = format!("{word}{modified}={text}");
                }
            }
            Some(StoreAnswer::Txn { is_failed, results, .. }) => {
                let is_deletion = matches!(call, StoreCall::Txn(txn) if is_delete(txn));
                let is_nothing = is_deletion && results.iter().all(|result| result.deleted == 0);
                word.push_str(if *is_failed || is_nothing { "!" } else { "" });
            }
            Some(StoreAnswer::Compacted | StoreAnswer::FutureRevision) => word.push('!'),
            Some(StoreAnswer::Persisted { .. }) | None => {}
        }
        match answer.and_then(StoreAnswer::revision) {
            Some(revision) => format!("{word}@{revision}"),
            None => word,
        }
    }
}

fn is_delete(txn: &StoreTxn) -> bool {
    txn.conditions.is_empty() && matches!(txn.on_success[..], [StoreAction::Delete { .. }])
}

fn txn_word(txn: &StoreTxn) -> String {
    match (&txn.conditions[..], &txn.on_success[..]) {
        ([], [StoreAction::Put { key, value: StoreValue::Text(text), .. }]) => format!("p{key}={text}"),
        ([], [StoreAction::Delete { key }]) => format!("d{key}"),
        (
            [Condition { key, expected: Expected::Revision(revision) }],
            [StoreAction::Put { key: other, value: StoreValue::Text(text), .. }],
        ) if key == other => format!("c{key}~{revision}={text}"),
        _ => "txn".to_owned(),
    }
}
