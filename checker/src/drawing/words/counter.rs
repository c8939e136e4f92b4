//! Words for counters.

use crate::drawing::Drawable;
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};

impl Drawable for Counter {
    fn read_word(word: &str) -> Option<(CounterCall, Option<CounterAnswer>)> {
        let (kind, rest) = word.split_at_checked(1)?;
        let value = || -> Option<Option<CounterAnswer>> {
            if rest.is_empty() { Some(None) } else { Some(Some(CounterAnswer::Value(rest.parse().ok()?))) }
        };
        match kind {
            "i" => Some((CounterCall::Increment, value()?)),
            "+" => Some((CounterCall::Add(rest.parse().ok()?), Some(CounterAnswer::Done))),
            "=" => Some((CounterCall::Read, value()?)),
            _ => None,
        }
    }

    fn word(call: &CounterCall, answer: Option<&CounterAnswer>) -> String {
        let value = match answer {
            Some(CounterAnswer::Value(value)) => value.to_string(),
            Some(CounterAnswer::Done) | None => String::new(),
        };
        match call {
            CounterCall::Increment => format!("i{value}"),
            CounterCall::Add(delta) => format!("+{delta}"),
            CounterCall::Read => format!("={value}"),
        }
    }
}
