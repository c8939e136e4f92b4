//! Requests, responses and states of a store in words.

use std::fmt::Write as _;

use super::state::{Entry, StoreState};
use super::{
    ActionResult, Condition, Expected, FoundRange, KeyRange, StoreAction, StoreAnswer, StoreCall, StoreTxn,
    StoreValue,
};

/// How many entries of a state or a range are named.
const NAMED_MAX: usize = 6;

/// What was asked and answered.
pub(super) fn described(call: &StoreCall, answer: Option<&StoreAnswer>) -> String {
    let asked = match call {
        StoreCall::Range(range) => format!("get {}", keys(range)),
        StoreCall::RangeAt { range, revision } => format!("get {} at revision {revision}", keys(range)),
        StoreCall::Txn(txn) => transaction(txn),
        StoreCall::GrantLease(lease) => format!("grant lease {lease}"),
        StoreCall::RevokeLease(lease) => format!("revoke lease {lease}"),
        StoreCall::Compact(revision) => format!("compact to revision {revision}"),
        StoreCall::Defragment => "defragment".to_owned(),
    };
    match answer {
        None => format!("{asked} (outcome unknown)"),
        Some(answer) => format!("{asked}{}", answered(call, answer)),
    }
}

/// What a store holds.
pub(super) fn state(state: &StoreState) -> String {
    let entry = |(key, entry): &(std::sync::Arc<str>, Entry)| {
        format!("{key} = {} (revision {}, version {})", value(&entry.value), entry.modified, entry.version)
    };
    let held = listed(state.entries().iter().map(entry));
    let held = if held.is_empty() { "no key".to_owned() } else { held };
    format!("it is at revision {} and holds {held}", state.revision())
}

fn keys(range: &KeyRange) -> String {
    let mut text = match &*range.end {
        "" => range.start.to_string(),
        "\0" => format!("all keys from {}", range.start),
        end => format!("keys from {} to before {end}", range.start),
    };
    if range.limit > 0 {
        write!(text, ", at most {}", range.limit).expect("writing to a string does not fail");
    }
    text
}

fn transaction(txn: &StoreTxn) -> String {
    let actions = |actions: &[StoreAction]| {
        let parts = listed(actions.iter().map(action));
        if parts.is_empty() { "nothing".to_owned() } else { parts }
    };
    if txn.conditions.is_empty() && txn.on_failure.is_empty() {
        return actions(&txn.on_success);
    }
    let conditions = listed(txn.conditions.iter().map(condition));
    let mut text = format!("if {conditions} then {}", actions(&txn.on_success));
    if !txn.on_failure.is_empty() {
        write!(text, " else {}", actions(&txn.on_failure)).expect("writing to a string does not fail");
    }
    text
}

fn condition(condition: &Condition) -> String {
    match condition.expected {
        Expected::Revision(0) => format!("{} is absent", condition.key),
        Expected::Revision(revision) => format!("{} is of revision {revision}", condition.key),
        Expected::Version(version) => format!("{} is of version {version}", condition.key),
    }
}

fn action(action: &StoreAction) -> String {
    match action {
        StoreAction::Range(range) => format!("get {}", keys(range)),
        StoreAction::Put { key, value: put, lease: 0 } => format!("put {key} = {}", value(put)),
        StoreAction::Put { key, value: put, lease } => {
            format!("put {key} = {} under lease {lease}", value(put))
        }
        StoreAction::Delete { key } => format!("delete {key}"),
    }
}

fn value(value: &StoreValue) -> String {
    match value {
        StoreValue::Text(text) => format!("{text:?}"),
        StoreValue::Hash(hash) => format!("a text of hash {hash}"),
    }
}

fn answered(call: &StoreCall, answer: &StoreAnswer) -> String {
    let at = |revision: &Option<i64>| match revision {
        Some(revision) => format!(" at revision {revision}"),
        None => String::new(),
    };
    match answer {
        StoreAnswer::Range { found, revision } => format!(" -> {}{}", range(found), at(revision)),
        StoreAnswer::Txn { is_failed, results, revision } => {
            let StoreCall::Txn(txn) = call else { return at(revision) };
            let failed = if *is_failed { ", which failed" } else { "" };
            let told = txn.actions(*is_failed).iter().zip(results.iter()).filter_map(result);
            let told = listed(told);
            let told = if told.is_empty() { String::new() } else { format!(" -> {told}") };
            format!("{failed}{told}{}", at(revision))
        }
        StoreAnswer::Persisted { revision } => at(revision),
        StoreAnswer::Compacted => " (refused: compacted)".to_owned(),
        StoreAnswer::FutureRevision => " (refused: a future revision)".to_owned(),
    }
}

fn result((action, result): (&StoreAction, &ActionResult)) -> Option<String> {
    match action {
        StoreAction::Range(_) => Some(range(&result.found)),
        StoreAction::Put { .. } => None,
        StoreAction::Delete { .. } => Some(format!("{} deleted", result.deleted)),
    }
}

fn range(found: &FoundRange) -> String {
    let entries = found.entries.iter().map(|entry| {
        let revision = entry.modified.map(|modified| format!(" (revision {modified})")).unwrap_or_default();
        format!("{} = {}{revision}", entry.key, value(&entry.value))
    });
    let text = listed(entries);
    let hidden = found.count.saturating_sub(found.entries.len() as u64);
    match (text.is_empty(), hidden) {
        (true, 0) => "no key".to_owned(),
        (true, _) => format!("{} keys", found.count),
        (false, 0) => text,
        (false, _) => format!("{text}, of {} keys", found.count),
    }
}

/// The first of them, and how many more there are.
fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    let more = items.len().saturating_sub(NAMED_MAX);
    let shown = items[..items.len() - more].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
