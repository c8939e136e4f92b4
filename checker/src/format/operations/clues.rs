//! What the events of a file show of its model, and of the workload that made it.

use std::collections::BTreeSet;

use super::keys::Shape;
use super::workload::Workload;
use super::{Choice, ObjectKind};
use crate::format::Model;
use crate::format::edn::{Edn, Event, Item, Kind, Word};
use crate::format::micro::{counts, finds_lists, foreign_words, has_word, is_micro_operations};

/// How many unknown words are kept.
const UNKNOWN_MAX: usize = 16;

/// Everything that was seen.
#[derive(Default)]
pub(super) struct Clues {
    words: BTreeSet<Word>,
    seen: BTreeSet<Seen>,
    unknown: BTreeSet<String>,
    /// How many keys stand in values.
    keys: usize,
    maybe_keys: usize,
}

/// Something that a value shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Plain,
    Appends,
    Text,
    /// A value that is neither nil nor in brackets, beside its key.
    Single,
    List,
    Map,
    Set,
    /// An increment that was told the new value.
    Incremented,
    /// An increment that says by how much.
    Units,
    /// A transaction that reads several registers and writes none.
    GroupRead,
    /// A transaction that does anything else but to write one register.
    Mixed,
}

impl Clues {
    /// One element more.
    pub(super) fn note(&mut self, item: &Item) {
        let Item::Event(event) = item else { return };
        if self.words.insert(event.word) || event.word == Word::Unknown {
            self.note_word(event);
        }
        match event.kind {
            Kind::Invoke => self.note_question(event),
            Kind::Ok => self.note_answer(event),
            Kind::Fail | Kind::Info => {}
        }
    }

    fn note_word(&mut self, event: &Event) {
        if event.word == Word::Unknown && self.unknown.len() < UNKNOWN_MAX {
            self.unknown.insert(event.word_text().to_owned());
        }
    }

    fn note_question(&mut self, event: &Event) {
        match Shape::of(event) {
            Shape::Keyed(keys) if self.keys == 0 => self.keys = keys,
            Shape::MaybeKeyed(keys) => self.maybe_keys = self.maybe_keys.max(keys),
            Shape::Plain => self.see(Seen::Plain),
            Shape::Keyed(_) | Shape::Unknown => {}
        }
        if event.word == Word::Increment && event.value != Edn::Nil {
            self.see(Seen::Units);
        }
        self.note_value(event);
    }

    fn note_answer(&mut self, event: &Event) {
        let is_found = matches!(event.word, Word::Read | Word::Get);
        match &event.value {
            Edn::Map(_) if is_found => self.see(Seen::Map),
            Edn::Set(_) if is_found => self.see(Seen::Set),
            Edn::List(items) if is_found && self.keys == 0 && self.maybe_keys == 0 => {
                self.see(if items.iter().any(|item| matches!(item, Edn::Map(_))) {
                    Seen::Map
                } else {
                    Seen::List
                });
            }
            // Not the key and what was found, as it was asked.
            Edn::List(items) if is_found && items.len() != 2 => self.see(Seen::List),
            Edn::List(items) if is_found => match items.last() {
                Some(Edn::List(_)) => self.see(Seen::List),
                Some(Edn::Set(_)) => self.see(Seen::Set),
                Some(Edn::Map(_)) => self.see(Seen::Map),
                _ => {}
            },
            Edn::Integer(_) if event.word == Word::Increment => self.see(Seen::Incremented),
            _ => {}
        }
        self.note_value(event);
    }

    /// What a value is, beside its key.
    fn note_value(&mut self, event: &Event) {
        if is_micro_operations(&event.value)
            && (has_word(&event.value, "append") || finds_lists(&event.value))
        {
            self.see(Seen::Appends);
        }
        if event.word == Word::Txn && event.kind == Kind::Invoke {
            match counts(&event.value) {
                (2.., 0) => self.see(Seen::GroupRead),
                (0, 1) => {}
                _ => self.see(Seen::Mixed),
            }
        }
        if event.word == Word::Txn && self.unknown.len() < UNKNOWN_MAX {
            self.unknown.extend(foreign_words(&event.value).map(str::to_owned));
        }
        let mut value = &event.value;
        while let Some([.., last]) = value.list() {
            value = last;
        }
        match value {
            Edn::Text(_) => {
                self.see(Seen::Text);
                self.see(Seen::Single);
            }
            Edn::Truth(_) | Edn::Integer(_) | Edn::Keyword(_) | Edn::Other(_) => self.see(Seen::Single),
            Edn::Nil | Edn::List(_) | Edn::Pair(_) | Edn::Map(_) | Edn::Set(_) => {}
        }
    }

    fn see(&mut self, seen: Seen) {
        self.seen.insert(seen);
    }

    fn has(&self, word: Word) -> bool {
        self.words.contains(&word)
    }

    fn has_seen(&self, seen: Seen) -> bool {
        self.seen.contains(&seen)
    }

    /// How many keys stand in each value; none while that is open.
    fn key_count(&self, is_end: bool) -> Option<usize> {
        if self.keys > 0 {
            return Some(self.keys);
        }
        if self.has_seen(Seen::Plain) {
            return Some(0);
        }
        is_end.then_some(self.maybe_keys)
    }

    /// Which objects these are operations on, if that is asked for or can be told by now.
    pub(super) fn choice(&self, asked: Option<Model>, is_end: bool) -> Option<Choice> {
        let keys = self.key_count(is_end || self.has(Word::Unknown));
        let objects = match asked {
            Some(Model::Kv) => self.under_keys(is_end)?,
            Some(model) => ObjectKind::Model(model),
            None => self.objects(keys, is_end)?,
        };
        Some(Choice { objects, keys: keys? })
    }

    fn objects(&self, keys: Option<usize>, is_end: bool) -> Option<ObjectKind> {
        let is_counted = self.has(Word::Add) || self.has(Word::Decrement) || self.has_seen(Seen::Units);
        let model = if self.has(Word::Txn) {
            Model::MultiRegister
        } else if self.has(Word::Append) && self.has_seen(Seen::Text) {
            return Some(ObjectKind::Text);
        } else if self.has(Word::Append) && self.has(Word::Get) && !is_end {
            return None;
        } else if self.has(Word::Append) || self.has(Word::ReadAt) {
            Model::Log
        } else if self.has(Word::Reserve) {
            Model::Bcounter
        } else if self.has(Word::Acquire) {
            Model::Mutex
        } else if is_counted || self.has(Word::Increment) && self.has(Word::Read) {
            Model::CounterRw
        } else if self.has_seen(Seen::Incremented) || self.has(Word::Increment) && is_end {
            Model::CounterInc
        } else if self.has(Word::Get) || self.has(Word::Put) {
            return self.under_keys(is_end);
        } else if self.has(Word::Write) || self.has(Word::Cas) || self.has(Word::Unknown) {
            return keys.map(register);
        } else if !is_end {
            return None;
        } else if self.has(Word::Release) {
            Model::Mutex
        } else if self.has_seen(Seen::List) {
            Model::Log
        } else {
            return keys.map(register);
        };
        Some(ObjectKind::Model(model))
    }

    /// Strings, if nothing but what strings can do is done to them, else registers.
    fn under_keys(&self, is_end: bool) -> Option<ObjectKind> {
        if self.has(Word::Cas) || self.has(Word::Write) {
            return Some(ObjectKind::KeyValue);
        }
        if self.has(Word::Append) {
            return Some(ObjectKind::Text);
        }
        if self.has_seen(Seen::Single) && !self.has_seen(Seen::Text) {
            return Some(ObjectKind::KeyValue);
        }
        is_end.then_some(if self.has_seen(Seen::Text) { ObjectKind::Text } else { ObjectKind::KeyValue })
    }

    /// The workload that the words and values are of, if it is known.
    pub(super) fn workload(&self) -> Workload {
        let unknown = |words: &[&str]| words.iter().any(|word| self.unknown.contains(*word));
        let finds_many = self.has_seen(Seen::List) || self.has_seen(Seen::Set);
        let known = |name| Workload::Unsupported(name);
        if unknown(&["send", "poll", "subscribe", "assign", "commit_offsets", "list_committed_offsets"]) {
            known("kafka")
        } else if self.has_seen(Seen::Appends) {
            known("list-append")
        } else if self.has_seen(Seen::GroupRead) && !self.has_seen(Seen::Mixed) {
            known("long-fork")
        } else if unknown(&["enqueue", "dequeue", "drain", "enq", "deq", "offer"]) {
            known("queue")
        } else if unknown(&["push", "pop"]) {
            known("stack")
        } else if unknown(&["generate"]) {
            known("unique-ids")
        } else if unknown(&["transfer"]) || self.has_seen(Seen::Map) && !self.has(Word::Txn) {
            known("bank")
        } else if unknown(&["broadcast"]) {
            known("broadcast")
        } else if unknown(&["echo"]) {
            known("echo")
        } else if self.has(Word::Add) && finds_many {
            known(if self.maybe_keys > 0 || self.keys > 0 { "set-full" } else { "set" })
        } else if unknown(&["insert"]) {
            known("set")
        } else if self.has(Word::Write) && finds_many {
            known(if self.has_seen(Seen::Set) { "comments" } else { "causal-reverse" })
        } else if self.words.iter().all(|word| *word == Word::Unknown) {
            Workload::Unknown
        } else {
            self.choice(None, true).map_or(Workload::Unknown, |choice| Workload::Model(choice.model()))
        }
    }
}

fn register(keys: usize) -> ObjectKind {
    if keys > 0 { ObjectKind::KeyValue } else { ObjectKind::Model(Model::RegisterCas) }
}
