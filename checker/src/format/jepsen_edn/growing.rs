//! The objects of a file while it is read, whatever their model.

use std::collections::BTreeMap;

use super::models::Mapped;
use super::{Choice, Rules};
use crate::format::contents::Parsed;
use crate::format::edn::{Edn, Event, Item, Kind};
use crate::format::{FormatError, Found, LeftOut, Model, NemesisEvent, Options, Reason};
use crate::history::{ClientId, HistoryError, SourcePlace};
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

/// The objects of a specification, and the key of one that has none.
pub(in crate::format) struct Objects<S: Spec> {
    spec: S,
    builder: KeyedBuilder<S>,
    name: &'static str,
    words: &'static str,
    rules: Rules,
    left_out: LeftOut,
    nemesis: Vec<NemesisEvent>,
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
        let model = match choice {
            Choice::Text => {
                let spec = Text { initial: options.text()? };
                return Ok(Self::Text(Objects::new(rules, spec, "kv", ":get, :put or :append")));
            }
            Choice::KeyValue => {
                let spec = Register { initial: options.register(None, Model::Kv)? };
                return Ok(Self::KeyValue(Objects::new(rules, spec, "kv", ":get, :put or :cas")));
            }
            Choice::Model(model) => model,
        };
        options.check_start(model)?;
        Ok(match model {
            Model::RegisterCas | Model::Kv => {
                let spec = Register { initial: options.register(rules.initial, model)? };
                Self::Register(Objects::new(rules, spec, "register", ":read, :write or :cas"))
            }
            Model::CounterInc => {
                let spec = Counter { kind: CounterKind::Increment };
                Self::Counter(Objects::new(rules, spec, "counter", ":increment"))
            }
            Model::CounterRw => {
                let spec = Counter { kind: CounterKind::AddAndRead };
                Self::Counter(Objects::new(rules, spec, "counter", ":add or :read"))
            }
            Model::Bcounter => Self::Capacity(Objects::new(
                rules,
                Capacity::default(),
                "counter",
                ":reserve, :release or :read",
            )),
            Model::Log => Self::Log(Objects::new(rules, Log, "log", ":append, :read or :read-at")),
            Model::Mutex => Self::Mutex(Objects::new(rules, Mutex, "mutex", ":acquire or :release")),
            Model::MultiRegister => {
                let initial = options.register(rules.initial_in_transactions, model)?;
                let spec = MultiRegister { initial };
                Self::MultiRegister(Objects::new(rules, spec, "registers", ":txn"))
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
            Self::KeyValue(objects) => objects.split_item(item),
            Self::Text(objects) => objects.split_item(item),
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

/// The key and the value of an event whose value holds both.
fn split(event: &Event) -> Option<(String, Edn)> {
    match event.value.list() {
        Some([key, value]) if event.key.is_none() => Some((key.name()?, value.clone())),
        _ => None,
    }
}

impl<S: Mapped> Objects<S> {
    fn new(rules: Rules, spec: S, name: &'static str, words: &'static str) -> Self {
        Self {
            spec,
            builder: KeyedBuilder::default(),
            name,
            words,
            rules,
            left_out: LeftOut::default(),
            nemesis: Vec::new(),
        }
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

    /// As [`item`](Self::item), where a value may hold a key, too.
    fn split_item(&mut self, item: Item) -> Result<(), FormatError> {
        if let Item::Event(event) = &item
            && let Some((key, value)) = split(event)
        {
            return self.keyed_event(event, &key, &value);
        }
        self.item(item)
    }

    fn nemesis(&mut self, event: NemesisEvent) {
        self.left_out.add(Reason::Nemesis);
        self.nemesis.push(NemesisEvent { position: self.builder.position(), ..event });
    }

    fn finish(self, kind: impl FnOnce(S, KeyedHistory<S>) -> FamilyKind) -> Parsed {
        let Self { spec, builder, name, left_out, nemesis, .. } = self;
        let families = vec![Family { name: name.to_owned(), kind: kind(spec, builder.finish()) }];
        Parsed { families, left_out, nemesis }
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
            Kind::Ok | Kind::Invoke => S::answer(asked, event, value, self.rules)?,
        };
        if answer.is_none() {
            self.left_out.add(match event.kind {
                Kind::Fail => Reason::DidNotHappen,
                Kind::Ok | Kind::Info | Kind::Invoke => S::UNTOLD,
            });
        }
        match answer {
            Some(answer) => self.builder.answer(client, answer, event.time),
            None => self.builder.did_not_happen(client, event.time),
        }
        .map_err(history)
    }
}
