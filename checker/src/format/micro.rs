//! Micro-operations: the parts of a transaction, `[:r :x 1]` and `[:w :y 2]`.

use super::edn::Edn;

/// The words of parts that Jepsen's transactions have.
const WORDS: [&str; 5] = ["r", "w", "append", "read", "write"];

/// Whether the value is a list of such parts, not empty.
pub(super) fn is_micro_operations(value: &Edn) -> bool {
    let Edn::List(parts) = value else { return false };
    let is_part = |part: &Edn| head(part).is_some();
    let is_known = |part: &Edn| head(part).is_some_and(|head| WORDS.contains(&head));
    parts.iter().all(is_part) && parts.iter().any(is_known)
}

/// Whether one of the parts has this word.
pub(super) fn has_word(value: &Edn, word: &str) -> bool {
    value.list().is_some_and(|parts| parts.iter().any(|part| head(part) == Some(word)))
}

/// How many parts read, and how many do something else.
pub(super) fn counts(value: &Edn) -> (usize, usize) {
    let parts = value.list().unwrap_or_default();
    let reads = parts.iter().filter(|part| matches!(head(part), Some("r" | "read"))).count();
    (reads, parts.len() - reads)
}

/// Whether a part has found a list, which registers do not hold.
pub(super) fn finds_lists(value: &Edn) -> bool {
    let is_list = |part: &Edn| matches!(part.list(), Some([_, _, Edn::List(_)]));
    value.list().is_some_and(|parts| parts.iter().any(is_list))
}

/// The words of parts that are none of these.
pub(super) fn foreign_words(value: &Edn) -> impl Iterator<Item = &str> {
    let heads = value.list().unwrap_or_default().iter().filter_map(head);
    heads.filter(|head| !WORDS.contains(head))
}

/// The word of a part.
pub(super) fn head(part: &Edn) -> Option<&str> {
    match part {
        Edn::List(items) => items.first()?.word(),
        Edn::Nil
        | Edn::Truth(_)
        | Edn::Integer(_)
        | Edn::Text(_)
        | Edn::Keyword(_)
        | Edn::Pair(_)
        | Edn::Map(_)
        | Edn::Set(_)
        | Edn::Other(_) => None,
    }
}
