//! Values that hold a key: `[k v]`, as `jepsen.independent` writes them.
//!
//! ```text
//!   :write [k 1]    :read [k nil]    :cas [k [1 2]]  or  [k 1 2]      one key
//!   :write [k [l 1]]    :read [k [l nil]]    :cas [k [l [1 2]]]       a key within a key
//! ```

use std::borrow::Cow;

use crate::format::edn::{Edn, Event, Word};
use crate::format::micro::is_micro_operations;

/// What the value of a question shows of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many keys for certain.
    Keyed(usize),
    /// So many keys, or a vector as the value.
    MaybeKeyed(usize),
    /// No key.
    Plain,
    /// Nothing.
    Unknown,
}

impl Shape {
    /// What the value of a question shows.
    pub(super) fn of(event: &Event) -> Self {
        if event.key.is_some() {
            return Self::Plain;
        }
        let value = &event.value;
        let (keys, inner) = nested(value);
        let is_tagged = matches!(value, Edn::Pair(_));
        match event.word {
            Word::Txn if is_micro_operations(value) || *value == Edn::List(Vec::new()) => Self::Plain,
            Word::Txn if keys > 0 && is_micro_operations(inner) => Self::Keyed(keys),
            Word::Cas => match (keys, inner.list(), value.list()) {
                // A pair that begins with nil, which is no key.
                (1.., Some([_, _]), _) => Self::Keyed(keys),
                // The innermost pair is that of the two values.
                (2.., ..) => Self::Keyed(keys - 1),
                (1, ..) if is_tagged => Self::Keyed(1),
                (1, ..) | (0, Some([_, _]), _) => Self::Plain,
                (_, _, Some([_, _, _])) => Self::Keyed(1),
                _ => Self::Unknown,
            },
            Word::Read | Word::Get | Word::Acquire | Word::Release => match (keys, inner) {
                (0, Edn::Nil) => Self::Plain,
                (1.., Edn::Nil) => Self::Keyed(keys),
                (1.., _) if is_tagged => Self::Keyed(keys),
                _ => Self::Unknown,
            },
            _ if keys == 0 && value.list().is_none() && *value != Edn::Nil => Self::Plain,
            _ if keys == 0 => Self::Unknown,
            _ if is_tagged => Self::Keyed(keys),
            _ => Self::MaybeKeyed(keys),
        }
    }
}

/// How many keys stand around a value at most, and the value.
fn nested(mut value: &Edn) -> (usize, &Edn) {
    let mut keys = 0;
    while let Some([key, inner]) = value.list()
        && key_text(key).is_some()
    {
        value = inner;
        keys += 1;
    }
    (keys, value)
}

/// The key as text: a name, or a vector of names.
pub(super) fn key_text(key: &Edn) -> Option<String> {
    match key {
        Edn::List(parts) | Edn::Pair(parts) => {
            let names: Option<Vec<String>> = parts.iter().map(Edn::name).collect();
            names.filter(|names| !names.is_empty()).map(|names| format!("[{}]", names.join(" ")))
        }
        Edn::Nil
        | Edn::Truth(_)
        | Edn::Integer(_)
        | Edn::Text(_)
        | Edn::Keyword(_)
        | Edn::Map(_)
        | Edn::Set(_)
        | Edn::Other(_) => key.name(),
    }
}

/// The key and the value of an event whose value begins with so many keys; none if it does not.
pub(super) fn split(event: &Event, keys: usize) -> Option<(String, Cow<'_, Edn>)> {
    let mut names = Vec::new();
    let mut value = &event.value;
    while names.len() < keys {
        match value.list()? {
            [key, inner] => {
                names.push(key_text(key)?);
                value = inner;
            }
            [key, expected, new] if event.word == Word::Cas => {
                names.push(key_text(key)?);
                let pair = Edn::List(vec![expected.clone(), new.clone()]);
                return (names.len() == keys).then(|| (joined(names), Cow::Owned(pair)));
            }
            _ => return None,
        }
    }
    (keys > 0).then(|| (joined(names), Cow::Borrowed(value)))
}

/// One name of several.
fn joined(mut names: Vec<String>) -> String {
    if names.len() == 1 { names.swap_remove(0) } else { format!("[{}]", names.join(" ")) }
}
