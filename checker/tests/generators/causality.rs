//! Causal consistency from its definition, for a few hundred operations: who can have seen what.
//!
//! The bad patterns of A. Bouajjani, C. Enea, R. Guerraoui and J. Hamza, "On verifying causal
//! consistency", POPL 2017, for weak causal consistency: a cyclic causal order, a read of what nobody
//! wrote, and a read of a value, or of none, that was replaced in the reader's past.

use std::collections::BTreeMap;

use counterclock_checker::history::Outcome;
use counterclock_checker::keyed::KeyedHistory;
use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};

/// A read or a write of a key.
struct Access<'a> {
    key: &'a str,
    value: Value,
    is_write: bool,
}

/// Whether every read is of the latest write in some causal past. Values must be unique.
pub(crate) fn is_causal(history: &KeyedHistory<Register>) -> bool {
    let mut accesses = Vec::new();
    let mut edges = Vec::new();
    let mut last = BTreeMap::new();
    for (key, operation) in history.by_invocation() {
        let (value, is_write) = match (&operation.call, &operation.outcome) {
            (RegisterCall::Write(value), _) => (*value, true),
            (RegisterCall::Read, Outcome::Answered(RegisterAnswer::Value(value))) => (*value, false),
            _ => continue,
        };
        let index = accesses.len();
        edges.extend(last.insert(operation.client, index).map(|before| (before, index)));
        accesses.push(Access { key, value, is_write });
    }
    let writer = |read: &Access<'_>| {
        accesses.iter().position(|write| write.is_write && (write.key, write.value) == (read.key, read.value))
    };
    for (index, read) in accesses.iter().enumerate().filter(|(_, access)| !access.is_write) {
        match (writer(read), read.value) {
            (Some(writer), _) => edges.push((writer, index)),
            (None, None) => {}
            (None, Some(_)) => return false,
        }
    }
    let past = past(accesses.len(), &edges);
    let is_acyclic = (0..accesses.len()).all(|index| !past[index][index]);
    let is_replaced = |index: usize| {
        let read = &accesses[index];
        let writer = writer(read);
        (0..accesses.len()).any(|other| {
            let is_other_write = accesses[other].is_write && accesses[other].key == read.key;
            let is_after = writer.is_none_or(|writer| past[other][writer]);
            is_other_write && past[index][other] && is_after
        })
    };
    is_acyclic && !(0..accesses.len()).any(|index| !accesses[index].is_write && is_replaced(index))
}

/// By operation, which others come before it.
fn past(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<bool>> {
    let mut past = vec![vec![false; count]; count];
    loop {
        let mut is_changed = false;
        for &(before, after) in edges {
            let mut earlier = past[before].clone();
            earlier[before] = true;
            for (known, new) in past[after].iter_mut().zip(earlier) {
                is_changed |= new && !*known;
                *known |= new;
            }
        }
        if !is_changed {
            return past;
        }
    }
}
