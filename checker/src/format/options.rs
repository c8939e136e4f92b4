//! What the reader of a file is told beside its content: format, model, initial value.

use std::fmt;
use std::sync::Arc;

use super::edn::Edn;
use super::{Format, FormatError, Found, Place};
use crate::judge::Family;
use crate::spec::register::Value;
use crate::spec::table::Table;

/// How a file is to be read; by default its content tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The format; none: as the content shows.
    pub format: Option<Format>,
    /// The model; chooses where the content does not tell, else the content must be of it.
    pub model: Option<Model>,
    /// What objects hold at first, instead of the format's default.
    pub initial: Option<Initial>,
    /// What an answered read of nil tells, instead of the format's default.
    pub nil: Option<NilReads>,
    /// A table of the user's own, which then is the model.
    pub table: Option<Table>,
}

/// What an answered read tells that found nil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NilReads {
    /// That the object held nil.
    Observed,
    /// Nothing: any value may have been there.
    Wildcard,
}

/// The sequential specification of a foreign history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Registers with compare-and-set.
    RegisterCas,
    /// Registers or strings under keys.
    Kv,
    /// A counter whose increments return the new value.
    CounterInc,
    /// A counter with additions and reads.
    CounterRw,
    /// A counter of units in use, which has a capacity.
    Bcounter,
    /// An append-only log.
    Log,
    /// A lock.
    Mutex,
    /// Registers that are read and written together.
    MultiRegister,
}

/// An initial value as it was given: `nil`, a whole number, or text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Initial(pub String);

impl NilReads {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Wildcard => "wildcard",
        }
    }

    /// What this name says.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Observed, Self::Wildcard].into_iter().find(|nil| nil.name() == name)
    }
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::RegisterCas,
        Self::Kv,
        Self::CounterInc,
        Self::CounterRw,
        Self::Bcounter,
        Self::Log,
        Self::Mutex,
        Self::MultiRegister,
    ];

    /// Its name on the command line and in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::RegisterCas => "register-cas",
            Self::Kv => "kv",
            Self::CounterInc => "counter-inc",
            Self::CounterRw => "counter-rw",
            Self::Bcounter => "bcounter",
            Self::Log => "log",
            Self::Mutex => "mutex",
            Self::MultiRegister => "multi-register",
        }
    }

    /// The model of this name.
    pub fn named(name: &str) -> Option<Self> {
        if name == "rw-register" {
            return Some(Self::MultiRegister);
        }
        Self::ALL.into_iter().find(|model| model.name() == name)
    }

    /// Whether its objects can start with one value or another.
    pub(super) fn has_initial(self) -> bool {
        match self {
            Self::RegisterCas | Self::Kv | Self::MultiRegister => true,
            Self::CounterInc | Self::CounterRw | Self::Bcounter | Self::Log | Self::Mutex => false,
        }
    }
}

impl Options {
    /// What registers hold at first.
    ///
    /// # Errors
    /// If what was given is no such value.
    pub(super) fn register(&self, default: Value, model: Model) -> Result<Value, FormatError> {
        let Some(Initial(given)) = &self.initial else { return Ok(default) };
        if given == "nil" {
            return Ok(None);
        }
        let is_value = given.starts_with(|first: char| "\":+-".contains(first) || first.is_ascii_digit());
        let value = if is_value { Edn::parse(given).and_then(|value| value.register()) } else { None };
        value.ok_or_else(|| FormatError::WrongStart {
            place: Place::START,
            initial: given.clone(),
            model: model.name(),
            expected: "nil, a whole number, or a string or keyword as EDN writes it",
        })
    }

    /// What strings are at first: empty by default.
    ///
    /// # Errors
    /// If what was given is nil: a string cannot be.
    pub(super) fn text(&self) -> Result<Arc<str>, FormatError> {
        match &self.initial {
            None => Ok(Arc::default()),
            Some(Initial(given)) if given == "nil" => Err(FormatError::WrongStart {
                place: Place::START,
                initial: given.clone(),
                model: "kv of strings",
                expected: "a string",
            }),
            Some(Initial(given)) => Ok(given.as_str().into()),
        }
    }

    /// Refuses to take nil as a wildcard where it is always an answer.
    pub(super) fn check_nil(&self, format: Format) -> Result<(), FormatError> {
        let is_fixed = matches!(
            format,
            Format::Hist | Format::Jsonl | Format::Kv | Format::Etcd | Format::Porcupine | Format::Plume
        );
        if is_fixed && self.nil == Some(NilReads::Wildcard) {
            return Err(FormatError::FixedNil { place: Place::START, format });
        }
        Ok(())
    }

    /// Refuses an initial value for a model that has a fixed one.
    pub(super) fn check_start(&self, model: Model) -> Result<(), FormatError> {
        if self.initial.is_some() && !model.has_initial() {
            return Err(FormatError::FixedStart { place: Place::START, model: model.name() });
        }
        Ok(())
    }

    /// Refuses a format whose words are not those of a table, if there is one.
    pub(super) fn check_table(&self, format: Format) -> Result<(), FormatError> {
        let is_told = match format {
            Format::Hist
            | Format::JepsenEdn
            | Format::JepsenLog
            | Format::JepsenTxt
            | Format::Json
            | Format::Kv => true,
            Format::Jsonl | Format::Etcd | Format::Porcupine | Format::Plume | Format::JepsenStore => false,
        };
        if is_told || self.table.is_none() {
            return Ok(());
        }
        let found = Found::text(&format!("a history in {format}"));
        let expected = "one in hist or a form of Jepsen's: others have words of their own".to_owned();
        Err(FormatError::Table { place: Place::START, found, expected })
    }

    /// Refuses families of another model than the one asked for.
    pub(super) fn check_model(&self, families: &[Family]) -> Result<(), FormatError> {
        let Some(expected) = self.model else { return Ok(()) };
        match families.iter().find(|family| family.kind.model() != expected.name()) {
            None => Ok(()),
            Some(family) => {
                let found = family.kind.model();
                Err(FormatError::OtherModel { place: Place::START, found, expected })
            }
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
