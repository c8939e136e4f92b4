//! Questions and answers of a model as the values of maps.

use std::sync::Arc;

use super::Rules;
use crate::format::edn::{Edn, Event, Extra, Word};
use crate::format::{FormatError, NilReads, Reason};
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall, CounterKind};
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};
use crate::spec::text::{Text, TextAnswer, TextCall};

const NUMBER: &str = "a whole number";
const VALUE: &str = "nil, or a number, string or keyword";
const OFFSET_VALUE: &str = "nil or a whole number";
const STRING: &str = "a string";
const UNITS: &str = "a number of units";
pub(super) const ASKED: &str = "what the process asked";

/// A model whose operations can be maps.
pub(in crate::format) trait Mapped: Spec {
    /// Whether it has an operation of this name.
    fn takes(&self, word: Word) -> bool;

    /// The question of an event; its value may be a part of the event's own.
    fn call(&self, event: &Event, value: &Edn) -> Result<Self::Call, FormatError>;

    /// The name of a question, plain.
    fn word(call: &Self::Call) -> Word;

    /// Whether this is the name of the question.
    fn is_asked(&self, word: Word, asked: &Self::Call) -> bool {
        word.plain() == Self::word(asked)
    }

    /// The answer on an `:ok`; none if it does not say what was found.
    fn answer(
        &self,
        asked: &Self::Call,
        event: &Event,
        value: &Edn,
        rules: Rules,
    ) -> Result<Option<Self::Answer>, FormatError>;

    /// Whether its operations have values.
    const HAS_VALUES: bool = true;

    /// Why an `:ok` is left out that does not say what was found.
    const UNTOLD: Reason = Reason::UntoldRead;

    /// The answer on a `:fail`, if it is one; else the operation did not happen.
    fn refused(_asked: &Self::Call, _event: &Event, _rules: Rules) -> Option<Self::Answer> {
        None
    }
}

/// Whether a key of our own says yes.
fn is_said(event: &Event, extra: Extra) -> bool {
    event.extra(extra) == Some(&Edn::Truth(true))
}

/// An end may repeat what was asked; then it must be the same.
fn repeated<S: Mapped>(spec: &S, asked: &S::Call, event: &Event, value: &Edn) -> Result<(), FormatError> {
    if *value == Edn::Nil || spec.call(event, value)? == *asked {
        return Ok(());
    }
    Err(event.unexpected_value(ASKED))
}

impl Mapped for Register {
    const UNTOLD: Reason = Reason::NilRead;

    fn takes(&self, word: Word) -> bool {
        matches!(word.plain(), Word::Read | Word::Write | Word::Cas)
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<RegisterCall, FormatError> {
        match event.word.plain() {
            Word::Write => {
                value.register().map(RegisterCall::Write).ok_or_else(|| event.unexpected_value(VALUE))
            }
            Word::Cas => {
                let pair = match value.list() {
                    Some([expected, new]) => expected.register().zip(new.register()),
                    Some(_) | None => None,
                };
                let (expected, new) = pair.ok_or_else(|| event.unexpected_value("a vector of two values"))?;
                Ok(RegisterCall::CompareAndSet { expected, new })
            }
            _ => Ok(RegisterCall::Read),
        }
    }

    fn word(call: &RegisterCall) -> Word {
        match call {
            RegisterCall::Read => Word::Read,
            RegisterCall::Write(_) => Word::Write,
            RegisterCall::CompareAndSet { .. } => Word::Cas,
        }
    }

    fn answer(
        &self,
        asked: &RegisterCall,
        event: &Event,
        value: &Edn,
        rules: Rules,
    ) -> Result<Option<RegisterAnswer>, FormatError> {
        if *asked != RegisterCall::Read {
            repeated(self, asked, event, value)?;
            return Ok(Some(RegisterAnswer::Done));
        }
        let found = value.register().ok_or_else(|| event.unexpected_value(VALUE))?;
        let is_told = found.is_some() || rules.nil == NilReads::Observed || is_said(event, Extra::Absent);
        Ok(is_told.then_some(RegisterAnswer::Value(found)))
    }

    /// A failed compare-and-set with an error may not have come so far as to compare.
    fn refused(asked: &RegisterCall, event: &Event, rules: Rules) -> Option<RegisterAnswer> {
        let is_cas = matches!(asked, RegisterCall::CompareAndSet { .. });
        let is_told = is_said(event, Extra::Refused) || rules.is_failed_cas_told && !event.has_error;
        (is_cas && is_told).then_some(RegisterAnswer::Mismatch)
    }
}

impl Mapped for Text {
    fn takes(&self, word: Word) -> bool {
        matches!(word.plain(), Word::Read | Word::Write | Word::Append)
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<TextCall, FormatError> {
        match event.word.plain() {
            Word::Read => Ok(TextCall::Get),
            Word::Write => Ok(TextCall::Put(string(event, value)?)),
            _ => Ok(TextCall::Append(string(event, value)?)),
        }
    }

    fn word(call: &TextCall) -> Word {
        match call {
            TextCall::Get => Word::Read,
            TextCall::Put(_) => Word::Write,
            TextCall::Append(_) => Word::Append,
        }
    }

    fn answer(
        &self,
        asked: &TextCall,
        event: &Event,
        value: &Edn,
        _rules: Rules,
    ) -> Result<Option<TextAnswer>, FormatError> {
        match asked {
            TextCall::Get if *value == Edn::Nil => Ok(None),
            TextCall::Get => Ok(Some(TextAnswer::Found(string(event, value)?))),
            TextCall::Put(_) | TextCall::Append(_) => {
                repeated(self, asked, event, value)?;
                Ok(Some(TextAnswer::Done))
            }
        }
    }
}

fn string(event: &Event, value: &Edn) -> Result<Arc<str>, FormatError> {
    match value {
        Edn::Text(text) => Ok(text.as_str().into()),
        Edn::Nil
        | Edn::Truth(_)
        | Edn::Integer(_)
        | Edn::Keyword(_)
        | Edn::List(_)
        | Edn::Pair(_)
        | Edn::Map(_)
        | Edn::Set(_)
        | Edn::Other(_) => Err(event.unexpected_value(STRING)),
    }
}

impl Mapped for Counter {
    fn takes(&self, word: Word) -> bool {
        match self.kind {
            CounterKind::Increment => word == Word::Increment,
            CounterKind::AddAndRead => {
                matches!(word, Word::Add | Word::Read | Word::Increment | Word::Decrement)
            }
        }
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<CounterCall, FormatError> {
        // What is added where nothing is said, and nothing else where the increment is answered.
        let units = || match value {
            Edn::Nil => Ok(1),
            value => value.integer().ok_or_else(|| event.unexpected_value(NUMBER)),
        };
        match event.word {
            Word::Increment if self.kind == CounterKind::Increment => Ok(CounterCall::Increment),
            Word::Increment => units().map(CounterCall::Add),
            Word::Decrement => {
                let negative = units()?.checked_neg().ok_or_else(|| event.unexpected_value(NUMBER))?;
                Ok(CounterCall::Add(negative))
            }
            Word::Add => value.integer().map(CounterCall::Add).ok_or_else(|| event.unexpected_value(NUMBER)),
            _ => Ok(CounterCall::Read),
        }
    }

    fn is_asked(&self, word: Word, asked: &CounterCall) -> bool {
        let is_added = matches!(word, Word::Add | Word::Increment | Word::Decrement);
        word == Self::word(asked) || matches!(asked, CounterCall::Add(_)) && is_added
    }

    fn word(call: &CounterCall) -> Word {
        match call {
            CounterCall::Increment => Word::Increment,
            CounterCall::Add(_) => Word::Add,
            CounterCall::Read => Word::Read,
        }
    }

    fn answer(
        &self,
        asked: &CounterCall,
        event: &Event,
        value: &Edn,
        _rules: Rules,
    ) -> Result<Option<CounterAnswer>, FormatError> {
        match asked {
            CounterCall::Add(_) => {
                repeated(self, asked, event, value)?;
                Ok(Some(CounterAnswer::Done))
            }
            CounterCall::Read if *value == Edn::Nil => Ok(None),
            CounterCall::Read | CounterCall::Increment => {
                let value = value.integer().ok_or_else(|| event.unexpected_value(NUMBER))?;
                Ok(Some(CounterAnswer::Value(value)))
            }
        }
    }
}

impl Mapped for Capacity {
    fn takes(&self, word: Word) -> bool {
        matches!(word, Word::Reserve | Word::Release | Word::Read)
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<CapacityCall, FormatError> {
        let order = event.count(Extra::Order);
        let units = || value.count().ok_or_else(|| event.unexpected_value(UNITS));
        match event.word {
            Word::Reserve => Ok(CapacityCall::Reserve { order, units: units()? }),
            Word::Release if order.is_some() && *value == Edn::Nil => {
                Ok(CapacityCall::Release { order, units: 0 })
            }
            Word::Release => Ok(CapacityCall::Release { order, units: units()? }),
            _ => Ok(CapacityCall::Read),
        }
    }

    fn word(call: &CapacityCall) -> Word {
        match call {
            CapacityCall::Reserve { .. } => Word::Reserve,
            CapacityCall::Release { .. } => Word::Release,
            CapacityCall::Read => Word::Read,
        }
    }

    fn answer(
        &self,
        asked: &CapacityCall,
        event: &Event,
        value: &Edn,
        _rules: Rules,
    ) -> Result<Option<CapacityAnswer>, FormatError> {
        match asked {
            CapacityCall::Read if *value == Edn::Nil => Ok(None),
            CapacityCall::Read => {
                let used = value.count().ok_or_else(|| event.unexpected_value(UNITS))?;
                Ok(Some(CapacityAnswer::Use(used)))
            }
            CapacityCall::Reserve { units, .. } | CapacityCall::Release { units, .. } => {
                if *value != Edn::Nil && value.count() != Some(*units) {
                    return Err(event.unexpected_value(ASKED));
                }
                Ok(Some(match asked {
                    CapacityCall::Release { .. } => CapacityAnswer::Released,
                    CapacityCall::Reserve { .. } | CapacityCall::Read => {
                        CapacityAnswer::Accepted(terms(event))
                    }
                }))
            }
        }
    }

    fn refused(asked: &CapacityCall, event: &Event, _rules: Rules) -> Option<CapacityAnswer> {
        let answer = match asked {
            CapacityCall::Reserve { .. } => CapacityAnswer::Rejected(terms(event)),
            CapacityCall::Release { .. } => CapacityAnswer::NotHeld,
            CapacityCall::Read => return None,
        };
        is_said(event, Extra::Refused).then_some(answer)
    }
}

fn terms(event: &Event) -> Terms {
    Terms { limit: event.count(Extra::Limit), version: event.count(Extra::Version) }
}

impl Mapped for Log {
    fn takes(&self, word: Word) -> bool {
        matches!(word, Word::Append | Word::Read | Word::ReadAt)
    }

    fn call(&self, event: &Event, value: &Edn) -> Result<LogCall, FormatError> {
        let offset = event.count(Extra::Offset);
        match event.word {
            Word::Append => {
                value.integer().map(LogCall::Append).ok_or_else(|| event.unexpected_value(NUMBER))
            }
            Word::ReadAt => offset
                .map(LogCall::ReadAt)
                .ok_or_else(|| event.unexpected_word(":offset with a number beside it")),
            _ => Ok(LogCall::ReadFrom(offset.unwrap_or(0))),
        }
    }

    fn word(call: &LogCall) -> Word {
        match call {
            LogCall::Append(_) => Word::Append,
            LogCall::ReadFrom(_) => Word::Read,
            LogCall::ReadAt(_) => Word::ReadAt,
        }
    }

    fn answer(
        &self,
        asked: &LogCall,
        event: &Event,
        value: &Edn,
        _rules: Rules,
    ) -> Result<Option<LogAnswer>, FormatError> {
        match asked {
            LogCall::Append(_) => {
                repeated(self, asked, event, value)?;
                let offset = event.count(Extra::Offset);
                Ok(Some(offset.map_or(LogAnswer::Appended, LogAnswer::AppendedAt)))
            }
            LogCall::ReadFrom(_) if *value == Edn::Nil => Ok(None),
            LogCall::ReadFrom(_) => {
                let entries: Option<Vec<i64>> =
                    value.list().and_then(|items| items.iter().map(Edn::integer).collect());
                let entries = entries.ok_or_else(|| event.unexpected_value("a vector of whole numbers"))?;
                Ok(Some(LogAnswer::Entries(entries.into())))
            }
            LogCall::ReadAt(_) => {
                let is_nil = *value == Edn::Nil;
                let entry = if is_nil { Some(None) } else { value.integer().map(Some) };
                let entry = entry.ok_or_else(|| event.unexpected_value(OFFSET_VALUE))?;
                let is_told = entry.is_some() || is_said(event, Extra::Absent);
                Ok(is_told.then_some(LogAnswer::Entry(entry)))
            }
        }
    }
}

impl Mapped for Mutex {
    const HAS_VALUES: bool = false;

    fn takes(&self, word: Word) -> bool {
        matches!(word, Word::Acquire | Word::Release)
    }

    fn call(&self, event: &Event, _value: &Edn) -> Result<MutexCall, FormatError> {
        Ok(if event.word == Word::Acquire { MutexCall::Acquire } else { MutexCall::Release })
    }

    fn word(call: &MutexCall) -> Word {
        match call {
            MutexCall::Acquire => Word::Acquire,
            MutexCall::Release => Word::Release,
        }
    }

    fn answer(
        &self,
        _asked: &MutexCall,
        _event: &Event,
        _value: &Edn,
        _rules: Rules,
    ) -> Result<Option<MutexAnswer>, FormatError> {
        Ok(Some(MutexAnswer::Done))
    }
}
