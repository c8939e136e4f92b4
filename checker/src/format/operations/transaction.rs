//! Transactions as vectors of their parts: `[[:read :x nil] [:write :y 1]]`.

use std::collections::BTreeSet;

use super::Rules;
use super::keys::key_text;
use super::models::{ASKED, Mapped};
use crate::format::edn::{Edn, Event, Extra, Word};
use crate::format::{FormatError, NilReads};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::register::Value;

const PARTS: &str = "a vector of [:r name value] and [:w name value]";

impl Mapped for MultiRegister {
    fn takes(&self, word: Word) -> bool {
        word == Word::Txn
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<Transaction, FormatError> {
        let parts: Option<Vec<Part>> = value
            .list()
            .and_then(|items| items.iter().map(|item| part(item).map(|(part, _)| part)).collect());
        parts.map(|parts| Transaction(parts.into())).ok_or_else(|| event.unexpected_value(PARTS))
    }

    fn word(_call: &Transaction) -> Word {
        Word::Txn
    }

    /// What a read found is not told if it has no value, or if its value is nil and nil tells nothing,
    /// unless its place is listed as absent.
    fn answer(
        &self,
        asked: &Transaction,
        event: &Event,
        value: &Edn,
        rules: Rules,
    ) -> Result<Option<Reads>, FormatError> {
        if *value == Edn::Nil {
            let untold = asked.0.iter().filter(|part| matches!(part, Part::Read { .. })).map(|_| None);
            return Ok(Some(Reads(untold.collect())));
        }
        if self.call(event, value)? != *asked {
            return Err(event.unexpected_value(ASKED));
        }
        let absent: BTreeSet<u64> = event
            .extra(Extra::Absent)
            .and_then(Edn::list)
            .map(|places| places.iter().filter_map(Edn::count).collect())
            .unwrap_or_default();
        let mut found = Vec::new();
        for (place, item) in (0..).zip(value.list().unwrap_or_default()) {
            if let Some((Part::Read { .. }, read)) = part(item) {
                let is_nil_told = rules.nil_in_transactions == NilReads::Observed && is_valued(item);
                let is_told = read.is_some() || is_nil_told || absent.contains(&place);
                found.push(is_told.then_some(read));
            }
        }
        Ok(Some(Reads(found.into())))
    }
}

/// Whether a part of a transaction has a value.
fn is_valued(item: &Edn) -> bool {
    item.list().is_some_and(|words| words.len() == 3)
}

/// A part of a transaction, with its value.
fn part(item: &Edn) -> Option<(Part, Value)> {
    let (kind, name, value) = match item.list()? {
        [kind, name, value] => (kind, name, value.register()?),
        [kind, name] => (kind, name, None),
        _ => return None,
    };
    let name = key_text(name)?.into();
    match kind.word()? {
        "read" | "r" => Some((Part::Read { name }, value)),
        "write" | "w" => Some((Part::Write { name, value }, value)),
        _ => None,
    }
}
