//! A history that can be shown to others: keys, values and names replaced one to one, its verdict the same.
//!
//! | model | replaced | kept, for it has a meaning |
//! |---|---|---|
//! | registers, `kv` of numbers, transactions | keys, values | nil, the initial value |
//! | `kv` of strings | keys, each character by another | the length, which characters are equal |
//! | logs | keys, entries | offsets |
//! | counters | keys | amounts, values |
//! | bounded counters | keys, orders | units, limits, versions |
//! | stores with revisions | keys and ends of ranges in their order, values, leases | revisions, versions, limits |
//! | locks | keys | |
//!
//! Clients, times and the order of events stay: they are what is judged. So do numbers of operations, for an
//! explanation of the one to be read with the other.

mod models;

use std::collections::BTreeMap;

use crate::history::{History, Outcome};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use models::{Numbers, Orders, Redacted, Store, Strings};

/// A family whose numbers and names mean something: records of a promise, objects of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: records of model {model} cannot be redacted; expected --family with another one")]
pub struct NoOperations {
    /// Its name.
    pub name: String,
    /// Its model.
    pub model: &'static str,
}

/// The same families with other keys, values and names.
///
/// # Errors
/// If a family holds records, or objects of a table.
pub fn redacted(families: Vec<Family>) -> Result<Vec<Family>, NoOperations> {
    let number = |(index, family): (usize, Family)| {
        let kind = match family.kind {
            // What the words of a table mean is said in its own file.
            FamilyKind::Table { .. }
            | FamilyKind::Switch { .. }
            | FamilyKind::Log(_)
            | FamilyKind::Reads(_)
            | FamilyKind::Records(_) => {
                return Err(NoOperations { model: family.kind.model(), name: family.name });
            }
            kind => kind_redacted(kind),
        };
        Ok(Family { name: format!("family-{}", index + 1), kind })
    };
    families.into_iter().enumerate().map(number).collect()
}

fn kind_redacted(kind: FamilyKind) -> FamilyKind {
    match kind {
        FamilyKind::Register { spec, history } => {
            let (history, _) = replaced(history, Numbers::of_registers(spec.initial));
            FamilyKind::Register { spec, history }
        }
        FamilyKind::KeyValue { spec, history } => {
            let (history, _) = replaced(history, Numbers::of_registers(spec.initial));
            FamilyKind::KeyValue { spec, history }
        }
        FamilyKind::Text { mut spec, history } => {
            let mut strings = Strings::default();
            spec.initial = strings.replace(&spec.initial);
            let (history, _) = replaced(history, strings);
            FamilyKind::Text { spec, history }
        }
        FamilyKind::Counter { spec, history } => {
            let (history, _) = replaced(history, models::Nothing);
            FamilyKind::Counter { spec, history }
        }
        FamilyKind::Tally { history, settled_ns } => {
            let (history, _) = replaced(history, models::Nothing);
            FamilyKind::Tally { history, settled_ns }
        }
        FamilyKind::AppendLog { spec, history } => {
            let (history, _) = replaced(history, Numbers::default());
            FamilyKind::AppendLog { spec, history }
        }
        FamilyKind::Mutex { spec, history } => {
            let (history, _) = replaced(history, models::Nothing);
            FamilyKind::Mutex { spec, history }
        }
        FamilyKind::MultiRegister { spec, history } => {
            let (history, _) = replaced(history, Numbers::of_registers(spec.initial));
            FamilyKind::MultiRegister { spec, history }
        }
        FamilyKind::Revisions { spec, history } => {
            let store = Store::of(&history);
            let (history, _) = replaced(history, store);
            FamilyKind::Revisions { spec, history }
        }
        FamilyKind::Capacity { spec, history, witness, schedule, uncertainty_ns } => {
            let (history, keys) = replaced(history, Orders::default());
            let witness = renamed(witness, &keys);
            FamilyKind::Capacity { spec, history, witness, schedule, uncertainty_ns }
        }
        FamilyKind::Kinds { spec, history, witness, schedule, uncertainty_ns } => {
            let (history, keys) = replaced(history, Orders::default());
            let witness = renamed(witness, &keys);
            FamilyKind::Kinds { spec, history, witness, schedule, uncertainty_ns }
        }
        FamilyKind::Table { .. }
        | FamilyKind::Switch { .. }
        | FamilyKind::Log(_)
        | FamilyKind::Reads(_)
        | FamilyKind::Records(_) => kind,
    }
}

/// The history with other keys and values, and the new name of each key.
fn replaced<S: Spec, R: Redacted<S>>(
    mut history: KeyedHistory<S>,
    mut replacing: R,
) -> (KeyedHistory<S>, BTreeMap<String, String>) {
    // In the order of the operations, so that a later key has a higher number whatever its name is.
    let mut first: Vec<(u32, String)> = Vec::new();
    for (key, part) in history.parts() {
        let dropped = part.dropped().iter().map(|dropped| dropped.number.0);
        let number = part.operations().iter().map(|operation| operation.number.0).chain(dropped).min();
        first.push((number.unwrap_or(u32::MAX), key.clone()));
    }
    first.sort_unstable();
    let numbered = (1..).zip(first).map(|(number, (_, key)): (u32, _)| (key, format!("key-{number:05}")));
    let keys: BTreeMap<String, String> = numbered.collect();
    // By invocation over all objects: what came first gets the lowest number.
    let mut order: Vec<(u32, String, usize)> = Vec::new();
    for (key, part) in history.parts() {
        let numbers = part.operations().iter().enumerate();
        order.extend(numbers.map(|(place, operation)| (operation.number.0, key.clone(), place)));
    }
    order.sort_unstable();
    for (_, key, place) in order {
        let part = history.parts.get_mut(&key).expect("the key was just taken from the history");
        let operation = &mut part.operations[place];
        operation.call = replacing.call(&operation.call);
        if let Outcome::Answered(answer) = &mut operation.outcome {
            *answer = replacing.answer(answer);
        }
    }
    for part in history.parts.values_mut() {
        drop_replaced(part, &mut replacing);
    }
    let parts = std::mem::take(&mut history.parts);
    history.parts = parts.into_iter().map(|(key, part)| (keys[&key].clone(), part)).collect();
    (history, keys)
}

fn drop_replaced<S: Spec, R: Redacted<S>>(part: &mut History<S>, replacing: &mut R) {
    for dropped in &mut part.dropped {
        dropped.call = replacing.call(&dropped.call);
    }
}

fn renamed<T>(by_key: BTreeMap<String, T>, keys: &BTreeMap<String, String>) -> BTreeMap<String, T> {
    let new = |(key, value): (String, T)| Some((keys.get(&key)?.clone(), value));
    by_key.into_iter().filter_map(new).collect()
}

#[cfg(test)]
mod tests;
