//! Strings under keys: maps in EDN, one after another.
//!
//! ```text
//!   {:process 0, :type :invoke, :f :append, :key "k", :value "x 0 0 y"}
//!   {:process 0, :type :ok,     :f :append, :key "k", :value "x 0 0 y"}
//!   {:process 1, :type :invoke, :f :get,    :key "k", :value nil}
//!   {:process 1, :type :ok,     :f :get,    :key "k", :value "x 0 0 y"}
//! ```
//!
//! Every key is the empty string at first. `:put` replaces it, `:append` adds to its end. `:fail` and
//! `:info` mean what they do in `jepsen-edn`; a `get` that found nil is no string and refused.

use super::contents::Parsed;
use super::edn::{Dialect, Edn, Elements, Event, Item, Kind, Word};
use super::operations::{Choice, Growing, ObjectKind, Rules};
use super::source::Source;
use super::{FormatError, Options};

/// Reads the strings of a file.
///
/// # Errors
/// If a map is not as above, or the events are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    let mut growing = Growing::new(Choice::plain(ObjectKind::Text), Rules::of_maps(options.nil), options)?;
    let mut elements = Elements::new(source, Dialect::Edn);
    while let Some(item) = elements.item()? {
        if let Item::Event(event) = &item {
            check(event)?;
        }
        growing.item(item)?;
    }
    Ok(growing.finish())
}

/// Refuses what no string under a key can be.
fn check(event: &Event) -> Result<(), FormatError> {
    if event.key.is_none() {
        let found = super::Found::text("a map without :key");
        return Err(FormatError::Unexpected { place: event.place, found, expected: ":key" });
    }
    if event.kind == Kind::Ok && event.word == Word::Get && event.value == Edn::Nil {
        return Err(event.unexpected_value("a string"));
    }
    Ok(())
}

/// Whether the line is an operation on a string under a key.
pub(super) fn is_line(line: &str) -> bool {
    let has_any = |words: &[&str]| words.iter().any(|word| line.contains(word));
    line.starts_with('{')
        && line.contains(":key ")
        && has_any(&[":get", ":put", ":append"])
        && has_any(&[":value nil", ":value \""])
}
