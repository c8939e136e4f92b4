//! The objects of a file while it is read, whatever their model.

use std::collections::BTreeMap;

use super::keys::split;
use super::models::Mapped;
use super::{Choice, ObjectKind, Rules};
use crate::format::contents::Parsed;
use crate::format::edn::{Edn, Event, Item, Kind};
use crate::format::{FormatError, Found, LeftOut, Model, NemesisEvent, Options, Reason};
use crate::history::{HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::keyed::{KeyedBuilder, KeyedHistory};
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

/// The objects of a specification.
pub(in crate::format) struct Objects<S: Spec> {
    spec: S,
    builder: KeyedBuilder<S>,
    setting: Setting,
    left_out: LeftOut,
    nemesis: Vec<NemesisEvent>,
}

/// How operations are understood, whatever their specification.
#[derive(Clone, Copy)]
struct Setting {
    rules: Rules,
    /// How many keys stand in each value.
    keys: usize,
    /// The key of an object that has none.
    name: &'static str,
    /// The operations, as an error names them.
    words: &'static str,
}

impl Growing {
    /// None yet, of the model that was chosen.
    ///
    /// # Errors
    /// If they cannot start as the options say.
    pub(in crate::format) fn new(
        choice: Choice,
        rules: Rules,
        options: &Options,
    ) -> Result<Self, FormatError> {
        let objects = |name, words| Setting { rules, keys: choice.keys, name, words };
        let model = match choice.objects {
            ObjectKind::Text => {
                let spec = Text { initial: options.text()? };
                return Ok(Self::Text(Objects::new(spec, objects("kv", ":get, :put or :append"))));
            }
            ObjectKind::KeyValue => {
                let spec = Register { initial: options.register(None, Model::Kv)? };
                return Ok(Self::KeyValue(Objects::new(spec, objects("kv", ":get, :put or :cas"))));
            }
            ObjectKind::Model(model) => model,
        };
        options.check_start(model)?;
        Ok(match model {
            Model::RegisterCas | Model::Kv => {
                let spec = Register { initial: options.register(rules.initial, model)? };
                Self::Register(Objects::new(spec, objects("register", ":read, :write or :cas")))
            }
            Model::CounterInc => {
                let spec = Counter { kind: CounterKind::Increment };
                Self::Counter(Objects::new(spec, objects("counter", ":increment")))
            }
            Model::CounterRw => {
                let spec = Counter { kind: CounterKind::AddAndRead };
                Self::Counter(Objects::new(spec, objects("counter", ":add or :read")))
            }
            Model::Bcounter => Self::Capacity(Objects::new(
                Capacity::default(),
                objects("counter", ":reserve, :release or :read"),
            )),
            Model::Log => Self::Log(Objects::new(Log, objects("log", ":append, :read or :read-at"))),
            Model::Mutex => Self::Mutex(Objects::new(Mutex, objects("mutex", ":acquire or :release"))),
            Model::MultiRegister => {
                let initial = options.register(rules.initial_in_transactions, model)?;
                let spec = MultiRegister { initial };
                Self::MultiRegister(Objects::new(spec, objects("registers", ":txn")))
            }
        })
    }

    /// Bounds counters by this, if they are bounded ones.
    pub(in crate::format) fn set_capacity(&mut self, capacity: Option<u64>) {
        if let Self::Capacity(objects) = self {
            objects.spec.capacity = capacity;
        }
    }

    /// One element more.
    ///
    /// # Errors
    /// If it is none of the model, or contradicts those before it.
    pub(in crate::format) fn item(&mut self, item: Item) -> Result<(), FormatError> {
        match self {
            Self::Register(objects) => objects.item(item),
            Self::KeyValue(objects) => objects.item(item),
            Self::Text(objects) => objects.item(item),
            Self::Counter(objects) => objects.item(item),
            Self::Capacity(objects) => objects.item(item),
            Self::Log(objects) => objects.item(item),
            Self::Mutex(objects) => objects.item(item),
            Self::MultiRegister(objects) => objects.item(item),
        }
    }

    /// The family that they are, and what is not in it.
    pub(in crate::format) fn finish(self) -> Parsed {
        match self {
            Self::Register(objects) => objects.finish(|spec, history| FamilyKind::Register { spec, history }),
            Self::KeyValue(objects) => objects.finish(|spec, history| FamilyKind::KeyValue { spec, history }),
            Self::Text(objects) => objects.finish(|spec, history| FamilyKind::Text { spec, history }),
            Self::Counter(objects) => objects.finish(|spec, history| FamilyKind::Counter { spec, history }),
            Self::Capacity(objects) => objects.finish(|spec, history| {
                let witness = BTreeMap::new();
                FamilyKind::Capacity { spec, history, witness, schedule: None, uncertainty_ns: 0 }
            }),
            Self::Log(objects) => objects.finish(|spec, history| FamilyKind::AppendLog { spec, history }),
            Self::Mutex(objects) => objects.finish(|spec, history| FamilyKind::Mutex { spec, history }),
            Self::MultiRegister(objects) => {
                objects.finish(|spec, history| FamilyKind::MultiRegister { spec, history })
            }
        }
    }
}

impl<S: Mapped> Objects<S> {
    fn new(spec: S, setting: Setting) -> Self {
        let builder = KeyedBuilder::default();
        Self { spec, builder, setting, left_out: LeftOut::default(), nemesis: Vec::new() }
    }

    fn item(&mut self, item: Item) -> Result<(), FormatError> {
        match item {
            Item::Event(event) => self.event(&event),
            Item::Nemesis(event) => {
                self.nemesis(event);
                Ok(())
            }
        }
    }

    fn nemesis(&mut self, event: NemesisEvent) {
        self.left_out.add(Reason::Nemesis);
        self.nemesis.push(NemesisEvent { position: self.builder.position(), ..event });
    }

    fn finish(self, kind: impl FnOnce(S, KeyedHistory<S>) -> FamilyKind) -> Parsed {
        let Self { spec, builder, setting, left_out, nemesis } = self;
        let families = vec![Family { name: setting.name.to_owned(), kind: kind(spec, builder.finish()) }];
        Parsed { families, left_out, nemesis }
    }

    fn event(&mut self, event: &Event) -> Result<(), FormatError> {
        match split(event, self.setting.keys) {
            Some((key, value)) => self.keyed_event(event, &key, &value, true),
            None => {
                let key = event.key.as_deref().unwrap_or(self.setting.name);
                self.keyed_event(event, key, &event.value, event.key.is_some())
            }
        }
    }

    fn keyed_event(
        &mut self,
        event: &Event,
        key: &str,
        value: &Edn,
        is_key_known: bool,
    ) -> Result<(), FormatError> {
        let client = event.client()?;
        let at_ns = event.time.unwrap_or(0);
        let history = |error: HistoryError| FormatError::History { place: event.process_place, error };
        self.builder.at(SourcePlace::at_line(event.place.line).with_index(event.index));
        if event.kind == Kind::Invoke {
            if !self.spec.takes(event.word) {
                return Err(event.unexpected_word(self.setting.words));
            }
            let call = self.spec.call(event, value)?;
            if !S::HAS_VALUES && *value != Edn::Nil {
                self.left_out.add(Reason::IgnoredValue);
            }
            return self.builder.invoke(client, key, call, at_ns).map(|_| ()).map_err(history);
        }
        let asked = self.builder.open_call(client).map_err(history)?;
        if !self.spec.is_asked(event.word, asked) {
            return Err(event.unexpected_word(ASKED));
        }
        if is_key_known && !self.builder.is_open_on(client, key) {
            let found = Found::text(key);
            return Err(FormatError::Unexpected { place: event.place, found, expected: ASKED });
        }
        let rules = self.setting.rules;
        let answer = match event.kind {
            Kind::Info => return self.builder.unknown(client).map_err(history),
            Kind::Fail => S::refused(asked, event, rules),
            Kind::Ok | Kind::Invoke => self.spec.answer(asked, event, value, rules)?,
        };
        if !S::HAS_VALUES && *value != Edn::Nil {
            self.left_out.add(Reason::IgnoredValue);
        }
        match answer {
            Some(answer) => self.builder.answer(client, answer, at_ns),
            None => {
                self.left_out.add(match event.kind {
                    Kind::Fail => Reason::DidNotHappen,
                    Kind::Ok | Kind::Info | Kind::Invoke => S::UNTOLD,
                });
                self.builder.did_not_happen(client, at_ns)
            }
        }
        .map_err(history)
    }
}
