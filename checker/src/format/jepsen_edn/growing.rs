//! The objects of a file while it is read, whatever their model.

use std::collections::BTreeMap;

use super::Choice;
use super::models::Mapped;
use crate::format::edn::{Edn, Event, Kind};
use crate::format::{FormatError, Found, Model, Options};
use crate::history::{ClientId, HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedBuilder;
use crate::spec::Spec;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::text::Text;

const ASKED: &str = "what the process asked";

/// The objects of one model.
pub(in crate::format) enum Growing {
    Register(Objects<Register>),
    KeyValue(Objects<Register>),
    Text(Objects<Text>),
    Counter(Objects<Counter>),
    Capacity(Objects<Capacity>),
    Log(Objects<Log>),
    Mutex(Objects<Mutex>),
    MultiRegister(Objects<MultiRegister>),
}

/// The objects of a specification, and the key of one that has none.
pub(in crate::format) struct Objects<S: Spec> {
    spec: S,
    builder: KeyedBuilder<S>,
    name: &'static str,
    words: &'static str,
}

impl Growing {
    /// None yet, of the model that was chosen.
    ///
    /// # Errors
    /// If they cannot start as the options say.
    pub(in crate::format) fn new(choice: Choice, options: &Options) -> Result<Self, FormatError> {
        let model = match choice {
            Choice::Text => {
                let spec = Text { initial: options.text()? };
                return Ok(Self::Text(Objects::new(spec, "kv", ":get, :put or :append")));
            }
            Choice::KeyValue => {
                let spec = Register { initial: options.register(None, Model::Kv)? };
                return Ok(Self::KeyValue(Objects::new(spec, "kv", ":get, :put or :cas")));
            }
            Choice::Model(model) => model,
        };
        options.check_start(model)?;
        Ok(match model {
            Model::RegisterCas | Model::Kv => {
                let spec = Register { initial: options.register(Some(0), model)? };
                Self::Register(Objects::new(spec, "register", ":read, :write or :cas"))
            }
            Model::CounterInc => {
                let spec = Counter { kind: CounterKind::Increment };
                Self::Counter(Objects::new(spec, "counter", ":increment"))
            }
            Model::CounterRw => {
                let spec = Counter { kind: CounterKind::AddAndRead };
                Self::Counter(Objects::new(spec, "counter", ":add or :read"))
            }
            Model::Bcounter => {
                Self::Capacity(Objects::new(Capacity::default(), "counter", ":reserve, :release or :read"))
            }
            Model::Log => Self::Log(Objects::new(Log, "log", ":append, :read or :read-at")),
            Model::Mutex => Self::Mutex(Objects::new(Mutex, "mutex", ":acquire or :release")),
            Model::MultiRegister => {
                let default = MultiRegister::default().initial;
                let spec = MultiRegister { initial: options.register(default, model)? };
                Self::MultiRegister(Objects::new(spec, "registers", ":txn"))
            }
        })
    }

    /// Bounds counters by this, if they are bounded ones.
    pub(in crate::format) fn set_capacity(&mut self, capacity: Option<u64>) {
        if let Self::Capacity(objects) = self {
            objects.spec.capacity = capacity;
        }
    }

    /// One event more.
    ///
    /// # Errors
    /// If it is none of the model, or contradicts those before it.
    pub(in crate::format) fn event(&mut self, event: &Event) -> Result<(), FormatError> {
        match self {
            Self::Register(objects) => objects.event(event),
            Self::KeyValue(objects) => match split(event) {
                Some((key, value)) => objects.keyed_event(event, &key, &value),
                None => objects.event(event),
            },
            Self::Text(objects) => match split(event) {
                Some((key, value)) => objects.keyed_event(event, &key, &value),
                None => objects.event(event),
            },
            Self::Counter(objects) => objects.event(event),
            Self::Capacity(objects) => objects.event(event),
            Self::Log(objects) => objects.event(event),
            Self::Mutex(objects) => objects.event(event),
            Self::MultiRegister(objects) => objects.event(event),
        }
    }

    /// The family that they are.
    pub(in crate::format) fn finish(self) -> Family {
        let (name, kind) = match self {
            Self::Register(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::Register { spec, history: builder.finish() })
            }
            Self::KeyValue(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::KeyValue { spec, history: builder.finish() })
            }
            Self::Text(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::Text { spec, history: builder.finish() })
            }
            Self::Counter(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::Counter { spec, history: builder.finish() })
            }
            Self::Capacity(Objects { spec, builder, name, .. }) => {
                let (history, witness) = (builder.finish(), BTreeMap::new());
                (name, FamilyKind::Capacity { spec, history, witness, schedule: None, uncertainty_ns: 0 })
            }
            Self::Log(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::AppendLog { spec, history: builder.finish() })
            }
            Self::Mutex(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::Mutex { spec, history: builder.finish() })
            }
            Self::MultiRegister(Objects { spec, builder, name, .. }) => {
                (name, FamilyKind::MultiRegister { spec, history: builder.finish() })
            }
        };
        Family { name: name.to_owned(), kind }
    }
}

/// The key and the value of an event whose value holds both.
fn split(event: &Event) -> Option<(String, Edn)> {
    match event.value.list() {
        Some([key, value]) if event.key.is_none() => Some((key.name()?, value.clone())),
        _ => None,
    }
}

impl<S: Mapped> Objects<S> {
    fn new(spec: S, name: &'static str, words: &'static str) -> Self {
        Self { spec, builder: KeyedBuilder::default(), name, words }
    }

    fn event(&mut self, event: &Event) -> Result<(), FormatError> {
        let key = event.key.as_deref().unwrap_or(self.name);
        self.keyed_event(event, key, &event.value)
    }

    fn keyed_event(&mut self, event: &Event, key: &str, value: &Edn) -> Result<(), FormatError> {
        let client = ClientId(event.process);
        let history = |error: HistoryError| FormatError::History { place: event.process_place, error };
        self.builder.at(SourcePlace::at_line(event.place.line).with_index(event.index));
        if event.kind == Kind::Invoke {
            if !self.spec.takes(event.word) {
                return Err(event.unexpected_word(self.words));
            }
            let call = S::call(event, value)?;
            return self.builder.invoke(client, key, call, event.time).map(|_| ()).map_err(history);
        }
        let asked = self.builder.open_call(client).map_err(history)?;
        if event.word.plain() != S::word(asked) {
            return Err(event.unexpected_word(ASKED));
        }
        let is_key_known = event.key.is_some() || value != &event.value;
        if is_key_known && !self.builder.is_open_on(client, key) {
            let found = Found::text(key);
            return Err(FormatError::Unexpected { place: event.place, found, expected: ASKED });
        }
        let answer = match event.kind {
            Kind::Info => return self.builder.unknown(client).map_err(history),
            Kind::Fail => S::refused(asked, event),
            Kind::Ok | Kind::Invoke => S::answer(asked, event, value)?,
        };
        match answer {
            Some(answer) => self.builder.answer(client, answer, event.time),
            None => self.builder.did_not_happen(client, event.time),
        }
        .map_err(history)
    }
}
