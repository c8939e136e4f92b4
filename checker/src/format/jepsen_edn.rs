//! The history of a Jepsen run: a vector or list of maps in EDN, or maps one after another.
//!
//! ```text
//!   [{:process 0, :type :invoke, :f :cas, :value [1 2], :time 17}
//!    {:process 0, :type :fail,   :f :cas, :value [1 2]}             did not happen
//!    {:process :nemesis, :type :info, :f :start}                    passed over
//!    {:process 1, :type :info,   :f :read, :error :timed-out}]      unknown; 1 never comes again
//! ```
//!
//! Keys come in any order; those that mean nothing here are passed over with their values. A read that
//! ends in nil found something that is not told: it is dropped. The model is the one that is asked for,
//! else the first one of which an operation is that no other has:
//!
//! | `:f` | model | objects start |
//! |---|---|---|
//! | `:read`, `:write v`, `:cas [a b]` | `register-cas` | at 0 |
//! | `:get`, `:put`, `:append` of strings under `:key` | `kv` | empty |
//! | `:get`, `:put`, `:cas` of numbers under `:key` | `kv` | at nil |
//! | `:increment` (`:inc`), its answer the new value | `counter-inc` | at 0 |
//! | `:add d`, `:read` | `counter-rw` | at 0 |
//! | `:acquire`, `:release` | `mutex` | free |
//! | `:txn [[:read :x nil] [:write :y 1]]` (`:r`, `:w`) | `multi-register` | at 0 |
//! | `:append v`, `:read` of a vector, `:read-at` with `:offset` | `log` | empty |
//! | `:reserve n`, `:release n`, `:read`, with `:order` or without | `bcounter` | unused |
//!
//! If there are reads only, it is `register-cas`. When `kv` is asked for, `:read` and `:write` serve as
//! well, and a value `[key value]` without `:key` is split, as `jepsen.independent` writes it.
//!
//! Jepsen has no words for some answers. Our own files say them so that others, who pass over keys they
//! do not know, see less and nothing wrong: `:type :fail, :refused true` is an answer, a refusal (a
//! compare-and-set that found another value, no room for a reservation); `:value nil, :absent true` is
//! a read that found nil (in `:txn`, `:absent` lists the places of such reads); `:offset` is where an
//! entry was appended, or where a read begins; `:limit` and `:version` are the terms of a reservation.
//! A first comment `; counterclock-history model=… init=… cap=…` says the rest.

mod growing;
mod models;
mod transaction;

pub(super) use growing::Growing;

use super::edn::{Edn, Elements, Event, Header, Word};
use super::source::Source;
use super::{FormatError, Initial, Model, Options};
use crate::judge::Family;

/// The first word of a comment that is ours.
pub(super) const OURS: &str = "counterclock-history";

/// A model, and what its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Strings under keys.
    Text,
    /// Numbers under keys.
    KeyValue,
    /// Any other.
    Model(Model),
}

/// Reads the objects of a file.
///
/// # Errors
/// If a map is not as above, or the events are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Vec<Family>, FormatError> {
    let mut elements = Elements::new(source);
    let mut options = options.clone();
    let mut capacity = None;
    // Events that do not tell the model yet.
    let mut waiting: Vec<Box<Event>> = Vec::new();
    while let Some(event) = elements.event()? {
        if waiting.is_empty() {
            capacity = ours(elements.header(), &mut options);
        }
        let choice = chosen(options.model, &event);
        waiting.push(event);
        if let Some(choice) = choice {
            let mut growing = Growing::new(choice, &options)?;
            growing.set_capacity(capacity);
            waiting.drain(..).try_for_each(|event| growing.event(&event))?;
            while let Some(event) = elements.event()? {
                growing.event(&event)?;
            }
            return Ok(vec![growing.finish()]);
        }
    }
    let choice = match options.model {
        Some(Model::Kv) => Choice::KeyValue,
        Some(model) => Choice::Model(model),
        None => Choice::Model(Model::RegisterCas),
    };
    let mut growing = Growing::new(choice, &options)?;
    waiting.drain(..).try_for_each(|event| growing.event(&event))?;
    Ok(vec![growing.finish()])
}

/// Whether the line can be the first one of such a file.
pub(super) fn is_line(line: &str) -> bool {
    let is_map = |text: &str| text.starts_with("{:") || text.starts_with("#_");
    let is_first = |text: &str| text.is_empty() || text.starts_with([';', ']', ')']) || is_map(text);
    is_map(line)
        || line.strip_prefix(['[', '(']).is_some_and(|inside| is_first(inside.trim_start()))
        || line.strip_prefix('#').is_some_and(|tag| tag.contains("{:"))
}

/// What the comments before the first map say, if they are ours: the capacity is returned.
fn ours(header: &Header, options: &mut Options) -> Option<u64> {
    if header.first().map(String::as_str) != Some(OURS) {
        return None;
    }
    let field = |name: &str| header.iter().find_map(|word| word.strip_prefix(name));
    options.model = options.model.or_else(|| field("model=").and_then(Model::named));
    if options.initial.is_none() {
        options.initial = field("init=").map(|initial| Initial(initial.to_owned()));
    }
    field("cap=").and_then(|capacity| capacity.parse().ok())
}

/// Which model the event is of, if that is asked for or can be told.
fn chosen(asked: Option<Model>, event: &Event) -> Option<Choice> {
    let model = match asked {
        Some(Model::Kv) => return keyed(&event.value),
        Some(model) => model,
        None => match event.word {
            Word::Get | Word::Put => return keyed(&event.value),
            Word::Append if matches!(event.value, Edn::Text(_)) => return Some(Choice::Text),
            Word::Append | Word::ReadAt => Model::Log,
            Word::Read => return list_read(&event.value),
            Word::Write | Word::Cas => Model::RegisterCas,
            Word::Increment => Model::CounterInc,
            Word::Add => Model::CounterRw,
            Word::Reserve => Model::Bcounter,
            Word::Acquire => Model::Mutex,
            Word::Txn => Model::MultiRegister,
            Word::Unknown => Model::RegisterCas,
            Word::Release => return None,
        },
    };
    Some(Choice::Model(model))
}

/// What a value under a key shows: strings or numbers.
fn keyed(value: &Edn) -> Option<Choice> {
    match value {
        Edn::Text(_) => Some(Choice::Text),
        Edn::Integer(_) => Some(Choice::KeyValue),
        Edn::List(items) => items.last().and_then(|last| match last {
            Edn::Text(_) => Some(Choice::Text),
            Edn::Integer(_) | Edn::List(_) => Some(Choice::KeyValue),
            Edn::Nil | Edn::Truth(_) | Edn::Keyword(_) | Edn::Other(_) => None,
        }),
        Edn::Nil | Edn::Truth(_) | Edn::Keyword(_) | Edn::Other(_) => None,
    }
}

/// A read tells the model only by a vector that it found.
fn list_read(value: &Edn) -> Option<Choice> {
    matches!(value, Edn::List(_)).then_some(Choice::Model(Model::Log))
}
