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
//! | `:get`, `:put`, `:append` of strings under `:key` | `kv` | empty |
//! | `:get`, `:put`, `:cas` of numbers under `:key` | `kv` | at nil |
//! | `:increment` (`:inc`), its answer the new value | `counter-inc` | at 0 |
//! | `:add d`, `:read` | `counter-rw` | at 0 |
//! | `:acquire`, `:release` | `mutex` | free |
//! | `:txn [[:read :x nil] [:write :y 1]]` (`:r`, `:w`) | `multi-register` | at nil |
//! | `:append v`, `:read` of a vector, `:read-at` with `:offset` | `log` | empty |
//! | `:reserve n`, `:release n`, `:read`, with `:order` or without | `bcounter` | unused |
//!
//! If there are reads only, it is `register-cas`. When `kv` is asked for, `:read` and `:write` serve as
//! well, and a value `[key value]` without `:key` is split, as `jepsen.independent` writes it.
//!
//! Jepsen has no words for some answers. Our own files say them so that others, who pass over keys they
//! do not know, see less and nothing wrong: `:type :fail, :refused true` is an answer, a refusal (a
//! compare-and-set that found another value, no room for a reservation); `:value nil, :absent true` is
//! a read that found nil (in `:txn`, `:absent` lists the places of such reads, and other reads of nil
//! tell nothing); `:offset` is where an
//! entry was appended, or where a read begins; `:limit` and `:version` are the terms of a reservation.
//! A first comment `; counterclock-history model=… init=… cap=…` says the rest.

mod growing;
mod models;
mod transaction;

pub(super) use growing::Growing;

use super::contents::Parsed;
use super::edn::{Edn, Elements, Header, Item, Word};
use super::source::Source;
use super::{FormatError, Initial, Model, NilReads, Options};
use crate::spec::register::Value;

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
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    let mut elements = Elements::new(source);
    // What does not tell the model yet.
    let mut waiting: Vec<Item> = Vec::new();
    waiting.extend(elements.item()?);
    let ours = Ours::of(elements.header());
    let model = options.model.or(ours.model);
    let mut told = ours.values.filter(|_| model == Some(Model::Kv));
    told = told.or_else(|| waiting.first().and_then(|item| chosen(model, item)));
    while told.is_none() {
        let Some(item) = elements.item()? else { break };
        told = chosen(model, &item);
        waiting.push(item);
    }
    let choice = told.unwrap_or(match model {
        Some(Model::Kv) => Choice::KeyValue,
        model => Choice::Model(model.unwrap_or(Model::RegisterCas)),
    });
    let initial = options.initial.clone().or(ours.initial);
    let rules = if ours.is_ours { Rules::OURS } else { Rules::of_edn(options.nil) };
    let mut growing = Growing::new(choice, rules, &Options { initial, ..*options })?;
    growing.set_capacity(ours.capacity);
    waiting.drain(..).try_for_each(|item| growing.item(item))?;
    while let Some(item) = elements.item()? {
        growing.item(item)?;
    }
    Ok(growing.finish())
}

/// What a file's way of writing means, beside the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    /// What a register tells that is found to hold nil.
    pub(super) nil: NilReads,
    /// What a part of a transaction tells that found nil.
    pub(super) nil_in_transactions: NilReads,
    /// What a register holds at first.
    pub(super) initial: Value,
    /// What the registers of transactions hold at first.
    pub(super) initial_in_transactions: Value,
}

impl Rules {
    /// Our own files say where nil was found.
    const OURS: Self = Self {
        nil: NilReads::Wildcard,
        nil_in_transactions: NilReads::Wildcard,
        initial: Some(0),
        initial_in_transactions: Some(0),
    };

    /// Jepsen's EDN: a register that is found to hold nil tells nothing, for Knossos' sake, unless that is
    /// asked for; in a transaction nil is the value of what was never written, as it is for Elle.
    pub(super) fn of_edn(nil: Option<NilReads>) -> Self {
        let single = nil.unwrap_or(NilReads::Wildcard);
        Self {
            nil: single,
            nil_in_transactions: nil.unwrap_or(NilReads::Observed),
            initial: if single == NilReads::Observed { None } else { Some(0) },
            initial_in_transactions: None,
        }
    }
}

/// Whether the line can be the first one of such a file.
pub(super) fn is_line(line: &str) -> bool {
    let is_map = |text: &str| text.starts_with("{:") || text.starts_with("#_");
    let is_first = |text: &str| text.is_empty() || text.starts_with([';', ']', ')']) || is_map(text);
    is_map(line)
        || line.strip_prefix(['[', '(']).is_some_and(|inside| is_first(inside.trim_start()))
        || line.strip_prefix('#').is_some_and(|tag| tag.contains("{:"))
}

/// What the comments before the first map say, if they are ours.
#[derive(Default)]
struct Ours {
    is_ours: bool,
    model: Option<Model>,
    values: Option<Choice>,
    initial: Option<Initial>,
    capacity: Option<u64>,
}

impl Ours {
    fn of(header: &Header) -> Self {
        if header.first().map(String::as_str) != Some(OURS) {
            return Self::default();
        }
        let field = |name: &str| header.iter().find_map(|word| word.strip_prefix(name));
        let initial = |word: &str| Edn::string(word).unwrap_or_else(|| word.to_owned());
        Self {
            is_ours: true,
            model: field("model=").and_then(Model::named),
            values: field("values=").and_then(|values| match values {
                "text" => Some(Choice::Text),
                "numbers" => Some(Choice::KeyValue),
                _ => None,
            }),
            initial: field("init=").map(|word| Initial(initial(word))),
            capacity: field("cap=").and_then(|capacity| capacity.parse().ok()),
        }
    }
}

/// Which model the element is of, if that is asked for or can be told.
fn chosen(asked: Option<Model>, item: &Item) -> Option<Choice> {
    let Item::Event(event) = item else { return None };
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
