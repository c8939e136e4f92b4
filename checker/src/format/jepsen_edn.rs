//! The history of a Jepsen run: a vector or list of maps in EDN, or maps one after another.
//!
//! ```text
//!   [{:process 0, :type :invoke, :f :cas, :value [1 2], :time 17}
//!    {:process 0, :type :fail,   :f :cas, :value [1 2]}             did not happen
//!    {:process :nemesis, :type :info, :f :start}                    passed over
//!    {:process 1, :type :info,   :f :read, :error :timed-out}]      unknown; 1 never comes again
//! ```
//!
//! Keys come in any order; those that mean nothing here are passed over with their values. A register
//! that was found to hold nil tells nothing, unless `--nil observed` asks for it: the read is dropped
//! and counted. In a transaction nil is the value of a register that was never written. The model is the one that is asked for,
//! else the first one of which an operation is that no other has:
//!
//! | `:f` | model | objects start |
//! |---|---|---|
//! | `:read`, `:write v`, `:cas [a b]` | `register-cas` | at 0 |
//! | the same of `[key v]`, `[key [a b]]`, and `:get`, `:put` | `kv` | at nil |
//! | `:get`, `:put`, `:append` of strings under `:key` | `kv` | empty |
//! | `:increment` (`:inc`), its answer the new value | `counter-inc` | at 0 |
//! | `:add d`, `:increment`, `:decrement`, `:read` | `counter-rw` | at 0 |
//! | `:acquire`, `:release` (`:lock`, `:unlock`) | `mutex` | free |
//! | any, of `[[:r :x nil] [:w :y 1]]` | `multi-register` | at nil |
//! | `:append v`, `:read` of a vector, `:read-at` with `:offset` | `log` | empty |
//! | `:reserve n`, `:release n`, `:read`, with `:order` or without | `bcounter` | unused |
//!
//! If there are reads only, it is `register-cas`, or `log` if they find vectors. Values of registers are
//! numbers, strings, keywords or nil. A key may stand in the value, as `jepsen.independent` writes it, whatever
//! the model.
//!
//! Jepsen has no words for some answers. Our own files say them so that others, who pass over keys they
//! do not know, see less and nothing wrong: `:type :fail, :refused true` is an answer, a refusal (a
//! compare-and-set that found another value, no room for a reservation); `:value nil, :absent true` is
//! a read that found nil (in `:txn`, `:absent` lists the places of such reads, and other reads of nil
//! tell nothing); `:offset` is where an
//! entry was appended, or where a read begins; `:limit` and `:version` are the terms of a reservation.
//! A first comment `; counterclock-history model=… init=… cap=…` says the rest.

use super::contents::Parsed;
use super::edn::{Dialect, Edn, Elements, Header};
use super::operations::{self, Declared, ObjectKind, Rules};
use super::source::Source;
use super::{FormatError, Initial, Model, Options};

/// The first word of a comment that is ours.
pub(super) const OURS: &str = "counterclock-history";

/// Reads the objects of a file.
///
/// # Errors
/// If a map is not as above, or the events are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    let mut elements = Elements::new(source, Dialect::Edn);
    let first = elements.item()?;
    let ours = declared(elements.header());
    let rules = if ours.is_some() { Rules::OURS } else { Rules::of_maps(options.nil) };
    operations::read(&mut elements, first, rules, &ours.unwrap_or_default(), options)
}

/// Whether a file that begins so is a history: a map with keywords, or a bracket and such a map or nothing.
pub(super) fn is_start(text: &str) -> bool {
    let inside = text.strip_prefix(['[', '(']);
    let mut rest = inside.unwrap_or(text).trim_start();
    while let Some(comment) = rest.strip_prefix(';').filter(|_| inside.is_some()) {
        rest = comment.split_once('\n').map_or("", |(_, after)| after.trim_start());
    }
    if inside.is_some() && rest.starts_with([']', ')']) || rest.starts_with("#_") {
        return true;
    }
    let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"#./-_:".contains(&byte);
    let tag = rest.bytes().take_while(|byte| is_tag(*byte)).count();
    let map = if rest.starts_with('#') { &rest[tag..] } else { rest };
    map.strip_prefix('{').is_some_and(|map| map.trim_start().starts_with(':'))
}

/// What the comments before the first map say, if they are ours.
fn declared(header: &Header) -> Option<Declared> {
    if header.first().map(String::as_str) != Some(OURS) {
        return None;
    }
    let field = |name: &str| header.iter().find_map(|word| word.strip_prefix(name));
    let objects = field("values=").and_then(|values| match values {
        "text" => Some(ObjectKind::Text),
        "numbers" => Some(ObjectKind::KeyValue),
        _ => None,
    });
    let initial = |word: &str| match objects {
        Some(ObjectKind::Text) => Edn::string(word).unwrap_or_else(|| word.to_owned()),
        Some(ObjectKind::KeyValue | ObjectKind::Model(_)) | None => word.to_owned(),
    };
    Some(Declared {
        model: field("model=").and_then(Model::named),
        objects,
        initial: field("init=").map(|word| Initial(initial(word))),
        capacity: field("cap=").and_then(|capacity| capacity.parse().ok()),
    })
}
