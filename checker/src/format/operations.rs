//! Operations of a Jepsen run, however they are written: their model, and the objects they are asked of.
//!
//! ```text
//!   Items ──► waiting, until their words and values tell the model ──► Growing ──► Parsed
//!     │            └ Clues
//!     └ maps of EDN or JSON, lines of text
//! ```
//!
//! At most [`WAITING_MAX`] elements wait. What is refused is refused with the workload that the file seems
//! to be of, for which elements after the bad one are looked at, too.

mod clues;
mod growing;
mod keys;
mod models;
mod transaction;
mod workload;

pub(super) use growing::Growing;
pub use workload::Workload;

use super::contents::Parsed;
use super::edn::{Elements, Item};
use super::table_events::TableObjects;
use super::{FormatError, Initial, Model, NilReads, Options};
use crate::spec::register::Value;
use crate::spec::table::Table;
use clues::Clues;

/// How many elements are looked at before the model is chosen.
const WAITING_MAX: usize = 10_000;

/// Where operations come from.
pub(super) trait Items {
    /// The next element, if there is one.
    ///
    /// # Errors
    /// If it is none.
    fn item(&mut self) -> Result<Option<Item>, FormatError>;
}

impl Items for Elements<'_, '_> {
    fn item(&mut self) -> Result<Option<Item>, FormatError> {
        Elements::item(self)
    }
}

/// Which objects a file has, and how many keys stand in the value of each operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) objects: ObjectKind,
    pub(super) keys: usize,
}

/// A model, and what its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    /// Strings under keys.
    Text,
    /// Registers under keys.
    KeyValue,
    /// Any other.
    Model(Model),
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
    /// Whether a failed compare-and-set without an error found another value.
    pub(super) is_failed_cas_told: bool,
}

/// What a file says of its model before its operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) model: Option<Model>,
    pub(super) objects: Option<ObjectKind>,
    pub(super) initial: Option<Initial>,
    pub(super) capacity: Option<u64>,
}

impl Choice {
    /// One whose values have no keys in them.
    pub(super) const fn plain(objects: ObjectKind) -> Self {
        Self { objects, keys: 0 }
    }

    fn model(self) -> Model {
        match self.objects {
            ObjectKind::Text | ObjectKind::KeyValue => Model::Kv,
            ObjectKind::Model(model) => model,
        }
    }
}

impl Rules {
    /// Our own files say where nil was found.
    pub(super) const OURS: Self = Self {
        nil: NilReads::Wildcard,
        nil_in_transactions: NilReads::Wildcard,
        initial: Some(0),
        initial_in_transactions: Some(0),
        is_failed_cas_told: false,
    };

    /// Jepsen's maps: a register that is found to hold nil tells nothing, as for Knossos, unless that is
    /// asked for; in a transaction nil is the value of what was never written, as for Elle.
    pub(super) fn of_maps(nil: Option<NilReads>) -> Self {
        let single = nil.unwrap_or(NilReads::Wildcard);
        Self {
            nil: single,
            nil_in_transactions: nil.unwrap_or(NilReads::Observed),
            initial: if single == NilReads::Observed { None } else { Some(0) },
            initial_in_transactions: None,
            is_failed_cas_told: false,
        }
    }

    /// Jepsen's lines of text: nil is what is there at first, and a failed compare-and-set found another value.
    pub(super) fn of_text(nil: Option<NilReads>) -> Self {
        let nil = nil.unwrap_or(NilReads::Observed);
        Self {
            nil,
            nil_in_transactions: nil,
            initial: None,
            initial_in_transactions: None,
            is_failed_cas_told: true,
        }
    }
}

/// Reads the objects of a file.
///
/// # Errors
/// If an element is none, or the elements are no history of a model.
pub(super) fn read(
    items: &mut dyn Items,
    first: Option<Item>,
    rules: Rules,
    declared: &Declared,
    options: &Options,
) -> Result<Parsed, FormatError> {
    if let Some(table) = &options.table {
        return of_table(table, items, first);
    }
    let model = options.model.or(declared.model);
    let mut clues = Clues::default();
    let mut waiting: Vec<Item> = Vec::new();
    let mut told = declared.objects.filter(|_| model == Some(Model::Kv)).map(Choice::plain);
    let mut next = first;
    while told.is_none() && waiting.len() < WAITING_MAX {
        let Some(item) = next.take().map_or_else(|| items.item(), |item| Ok(Some(item)))? else { break };
        clues.note(&item);
        waiting.push(item);
        told = clues.choice(model, false);
    }
    waiting.extend(next);
    let told = told.or_else(|| clues.choice(model, true));
    let choice = told.unwrap_or(Choice::plain(ObjectKind::Model(Model::RegisterCas)));
    let initial = options.initial.clone().or_else(|| declared.initial.clone());
    let mut growing = Growing::new(choice, rules, &Options { initial, ..options.clone() })?;
    growing.set_capacity(declared.capacity);
    let mut waiting = waiting.into_iter();
    loop {
        let (item, is_new) = match waiting.next() {
            Some(item) => (item, false),
            None => match items.item()? {
                Some(item) => (item, true),
                None => return Ok(growing.finish()),
            },
        };
        if is_new {
            clues.note(&item);
        }
        if let Err(error) = growing.item(item) {
            return Err(refused(error, items, clues, options.model));
        }
    }
}

/// Reads the objects of a file in the words of a table.
fn of_table(table: &Table, items: &mut dyn Items, first: Option<Item>) -> Result<Parsed, FormatError> {
    let mut objects = TableObjects::new(table);
    let mut next = first;
    while let Some(item) = next.take().map_or_else(|| items.item(), |item| Ok(Some(item)))? {
        objects.item(item)?;
    }
    objects.finish()
}

/// The error with the workload that the file seems to be of.
fn refused(error: FormatError, items: &mut dyn Items, mut clues: Clues, asked: Option<Model>) -> FormatError {
    for _ in 0..WAITING_MAX {
        let Ok(Some(item)) = items.item() else { break };
        clues.note(&item);
    }
    clues.workload().explain(error, asked)
}
