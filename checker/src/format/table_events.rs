//! Histories of objects of a table: what events say, in the words of its file.
//!
//! `:f` or the name of the operation chooses it, values are its arguments and answers; `aliases` of the file
//! translate both. A `:fail` is a refusal where the table has one for the operation, else it did not happen.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::contents::Parsed;
use super::edn::{Edn, Event, Item, Kind};
use super::{FormatError, Found, LeftOut, NemesisEvent, Place, Reason};
use crate::history::{ClientId, HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedBuilder;
use crate::spec::table::definition::{NIL, Operation};
use crate::spec::table::value::Code;
use crate::spec::table::{Table, TableAnswer, TableCall};

/// Objects of a table while their file is read.
pub(super) struct TableObjects<'t> {
    table: &'t Table,
    builder: KeyedBuilder<Table>,
    /// Each question and each answer, once.
    phrases: BTreeMap<Vec<String>, Arc<[Arc<str>]>>,
    /// What a client asked last of an operation that tells nothing without its answer, and where.
    unanswered: BTreeMap<u64, (Place, Arc<str>)>,
    left_out: LeftOut,
    nemesis: Vec<NemesisEvent>,
}

/// An event in words.
pub(super) struct Told<'e> {
    pub(super) process: u64,
    pub(super) process_place: Place,
    pub(super) name: &'e str,
    pub(super) name_place: Place,
    pub(super) key: Option<&'e str>,
    pub(super) values: Vec<String>,
    pub(super) values_place: Place,
    pub(super) at_ns: u64,
}

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Ok,
    Fail,
    Info,
}

impl<'t> TableObjects<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self {
            table,
            builder: KeyedBuilder::default(),
            phrases: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            left_out: LeftOut::default(),
            nemesis: Vec::new(),
        }
    }

    /// The events that follow are recorded here in the file.
    pub(super) fn at(&mut self, place: SourcePlace) {
        self.builder.at(place);
    }

    /// One element more.
    ///
    /// # Errors
    /// If the table has no such operation, or the event contradicts those before it.
    pub(super) fn item(&mut self, item: Item) -> Result<(), FormatError> {
        match item {
            Item::Event(event) => self.event(&event),
            Item::Nemesis(event) => {
                self.left_out.add(Reason::Nemesis);
                self.nemesis.push(NemesisEvent { position: self.builder.position(), ..event });
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &Event) -> Result<(), FormatError> {
        let client = event.client()?;
        let name = event.word_name().unwrap_or_default();
        let (split, value) = self.split(event);
        let told = Told {
            process: client.0,
            process_place: event.process_place,
            name,
            name_place: event.word_place,
            key: event.key.as_deref().or(split.as_deref()),
            values: self.values(name, value),
            values_place: event.value_place,
            at_ns: event.time.unwrap_or(0),
        };
        self.builder.at(SourcePlace::at_line(event.place.line).with_index(event.index));
        match event.kind {
            Kind::Invoke => self.invoke(&told),
            Kind::Ok => self.end(&told, End::Ok),
            Kind::Fail => self.end(&told, End::Fail),
            Kind::Info => self.end(&told, End::Info),
        }
    }

    /// The key and the value of an event whose value holds both, where the table is one of keys.
    fn split<'e>(&self, event: &'e Event) -> (Option<String>, &'e Edn) {
        let is_keyed = self.table.definition().is_keyed && event.key.is_none();
        match event.value.list() {
            Some([key, value]) if is_keyed && key.name().is_some() => (key.name(), value),
            _ => (None, &event.value),
        }
    }

    /// A value as words: those of a vector, where the operation has so many arguments or parts of an answer.
    fn values(&self, name: &str, value: &Edn) -> Vec<String> {
        let counts =
            self.operation(name).map(|operation| (operation.argument_count, operation.answer_count()));
        match value {
            Edn::Nil => Vec::new(),
            Edn::List(items) | Edn::Pair(items)
                if items.len() == 1
                    || counts.is_some_and(|(asked, told)| [asked, told].contains(&items.len())) =>
            {
                items.iter().map(word).collect()
            }
            other => vec![word(other)],
        }
    }

    fn operation(&self, name: &str) -> Option<&'t Operation> {
        let definition = self.table.definition();
        let meant = definition.aliases.get(name).map_or(name, |meant| meant.as_ref());
        definition.operation(meant)
    }

    fn operation_of(&self, told: &Told<'_>) -> Result<&'t Operation, FormatError> {
        self.operation(told.name).ok_or_else(|| {
            let definition = self.table.definition();
            let known: Vec<&str> = definition.operations.iter().map(|known| known.name.as_ref()).collect();
            let expected = format!(
                "an operation of model {}: {}; `aliases` in its file say what histories call them",
                definition.name,
                known.join(", ")
            );
            let found = if told.name.is_empty() { Found::EndOfLine } else { Found::text(told.name) };
            FormatError::Table { place: told.name_place, found, expected }
        })
    }

    /// The object that is meant.
    fn key<'e>(&'e self, told: &'e Told<'_>) -> Result<&'e str, FormatError> {
        let definition = self.table.definition();
        match told.key {
            Some(key) => Ok(key),
            None if !definition.is_keyed => Ok(&definition.name),
            None => Err(FormatError::Table {
                place: told.values_place,
                found: found(&told.values),
                expected: format!(
                    "a key, for model {} is keyed: :key beside it, or [key value]",
                    definition.name
                ),
            }),
        }
    }

    /// A process asks.
    pub(super) fn invoke(&mut self, told: &Told<'_>) -> Result<(), FormatError> {
        let operation = self.operation_of(told)?;
        let key = self.key(told)?.to_owned();
        let values = self.arguments(operation, told)?;
        if operation.needs_answer {
            self.unanswered.insert(told.process, (told.name_place, operation.name.clone()));
        }
        let mut words = vec![operation.name.as_ref().to_owned()];
        words.extend(values);
        let call = TableCall(self.phrase(words));
        let history = |error| FormatError::History { place: told.process_place, error };
        self.builder.invoke(ClientId(told.process), &key, call, told.at_ns).map(|_| ()).map_err(history)
    }

    /// The arguments of a question, which some transition must take.
    fn arguments(&self, operation: &Operation, told: &Told<'_>) -> Result<Vec<String>, FormatError> {
        let definition = self.table.definition();
        let mut values = self.translated(&told.values);
        if values.is_empty() && operation.argument_count == 1 {
            values.push(NIL.to_owned());
        }
        let wrong = |expected| {
            Err(FormatError::Table { place: told.values_place, found: found(&told.values), expected })
        };
        if values.len() != operation.argument_count {
            let hint = if operation.argument_count == 0 { "; `{_}` in its file takes anything" } else { "" };
            let expected = format!(
                "{} for `{}` of model {}{hint}",
                match operation.argument_count {
                    0 => "no argument".to_owned(),
                    1 => "one argument".to_owned(),
                    count => format!("{count} arguments"),
                },
                operation.name,
                definition.name
            );
            return wrong(expected);
        }
        let codes: Vec<Code> =
            values.iter().map(|word| definition.code(word).unwrap_or(Code::word(u32::MAX))).collect();
        if operation.rows.iter().any(|row| row.may_take(definition, &codes)) {
            Ok(values)
        } else {
            wrong(format!(
                "what some transition of `{}` of model {} takes: its file says which values there are",
                operation.name, definition.name
            ))
        }
    }

    /// What a process asked comes to an end.
    pub(super) fn end(&mut self, told: &Told<'_>, end: End) -> Result<(), FormatError> {
        let client = ClientId(told.process);
        let history = |error: HistoryError| FormatError::History { place: told.process_place, error };
        let asked = self.builder.open_call(client).map_err(history)?.clone();
        let operation = self.operation_of(told)?;
        let asks = || format!("the end of what process {} asked: {}", told.process, asked.in_words_asked());
        if operation.name.as_ref() != asked.operation() {
            let found = Found::text(told.name);
            return Err(FormatError::Table { place: told.name_place, found, expected: asks() });
        }
        if let Some(key) = told.key.filter(|key| !self.builder.is_open_on(client, key)) {
            let found = Found::text(key);
            return Err(FormatError::Table { place: told.values_place, found, expected: asks() });
        }
        let answer = match end {
            End::Info => return self.builder.unknown(client).map_err(history),
            End::Fail if operation.can_be_refused() => TableAnswer::Refused,
            End::Fail => {
                self.unanswered.remove(&told.process);
                self.left_out.add(Reason::DidNotHappen);
                return self.builder.did_not_happen(client, told.at_ns).map_err(history);
            }
            End::Ok => self.answer(operation, &asked, told)?,
        };
        self.unanswered.remove(&told.process);
        self.builder.answer(client, answer, told.at_ns).map_err(history)
    }

    fn answer(
        &mut self,
        operation: &Operation,
        asked: &TableCall,
        told: &Told<'_>,
    ) -> Result<TableAnswer, FormatError> {
        let values = self.translated(&told.values);
        let is_repeated = values.iter().map(String::as_str).eq(asked.arguments().iter().map(AsRef::as_ref));
        if !operation.is_answered_by_value() {
            if values.is_empty() || is_repeated || values == [NIL] {
                return Ok(TableAnswer::Done);
            }
            return Err(FormatError::Table {
                place: told.values_place,
                found: found(&told.values),
                expected: format!(
                    "nothing, or what was asked: no transition of `{}` of model {} has an `answer`",
                    operation.name,
                    self.table.name()
                ),
            });
        }
        let values = if values.is_empty() { vec![NIL.to_owned()] } else { values };
        Ok(TableAnswer::Values(self.phrase(values)))
    }

    /// Words as the table has them.
    fn translated(&self, words: &[String]) -> Vec<String> {
        let aliases = &self.table.definition().aliases;
        let meant =
            |word: &String| aliases.get(word).map_or_else(|| word.clone(), |meant| meant.as_ref().to_owned());
        words.iter().map(meant).collect()
    }

    fn phrase(&mut self, words: Vec<String>) -> Arc<[Arc<str>]> {
        if let Some(known) = self.phrases.get(&words) {
            return known.clone();
        }
        let phrase: Arc<[Arc<str>]> = words.iter().map(|word| Arc::from(word.as_str())).collect();
        self.phrases.insert(words, phrase.clone());
        phrase
    }

    /// The family that they are, and what is not in it.
    ///
    /// # Errors
    /// If an operation has no answer, and only that would tell what it does.
    pub(super) fn finish(self) -> Result<Parsed, FormatError> {
        if let Some((place, name)) = self.unanswered.into_values().min() {
            let found = Found::text(&name);
            let expected = format!(
                "an answer to it later: without one, model {} does not say what `{name}` does; \
                 have `set` tell it, as in set = \"token = token + 1\" with answer = \"{{token + 1}}\"",
                self.table.name()
            );
            return Err(FormatError::Table { place, found, expected });
        }
        let kind = FamilyKind::Table { spec: self.table.clone(), history: self.builder.finish() };
        let families = vec![Family { name: self.table.name().to_owned(), kind }];
        Ok(Parsed { families, left_out: self.left_out, nemesis: self.nemesis })
    }
}

/// A value as one word.
fn word(value: &Edn) -> String {
    let all = |items: &[Edn]| items.iter().map(inner_word).collect::<Vec<_>>().join(" ");
    match value {
        Edn::Nil => NIL.to_owned(),
        Edn::List(items) | Edn::Pair(items) => format!("[{}]", all(items)),
        Edn::Map(items) => format!("{{{}}}", all(items)),
        Edn::Set(items) => format!("#{{{}}}", all(items)),
        Edn::Text(_) | Edn::Keyword(_) => value.word().unwrap_or_default().to_owned(),
        Edn::Truth(_) | Edn::Integer(_) | Edn::Other(_) => value.name().unwrap_or_default(),
    }
}

/// A value inside of another one; of brackets there only that there are some.
fn inner_word(value: &Edn) -> String {
    match value {
        Edn::List(_) | Edn::Pair(_) => "[…]".to_owned(),
        Edn::Map(_) | Edn::Set(_) => "{…}".to_owned(),
        Edn::Nil | Edn::Truth(_) | Edn::Integer(_) | Edn::Text(_) | Edn::Keyword(_) | Edn::Other(_) => {
            word(value)
        }
    }
}

fn found(values: &[String]) -> Found {
    if values.is_empty() { Found::text(NIL) } else { Found::text(&values.join(" ")) }
}
