//! Words for counters, with a bound and without.

use super::{Words, repeated};
use crate::format::FormatError;
use crate::format::text::{Token, Tokens};
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};

const UNITS: &str = "a number of units";
const NUMBER: &str = "a whole number";

/// The word of a counter that returns the new value: `inc`.
pub(in crate::format::hist) struct Increment;

/// The words of a counter that is added to and read: `add`, `read`.
pub(in crate::format::hist) struct AddAndRead;

impl Words for Increment {
    type Model = Counter;
    const NAMES: (&'static [&'static str], &'static str) = (&["inc"], "inc");

    fn call(_name: Token<'_>, _words: &mut Tokens<'_>) -> Result<CounterCall, FormatError> {
        Ok(CounterCall::Increment)
    }

    fn name(_call: &CounterCall) -> &'static str {
        "inc"
    }

    fn is_answered_by_value(_call: &CounterCall) -> bool {
        true
    }

    fn answer(
        _asked: &CounterCall,
        _name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<CounterAnswer, FormatError> {
        value(words)
    }
}

impl Words for AddAndRead {
    type Model = Counter;
    const NAMES: (&'static [&'static str], &'static str) = (&["add", "read"], "add or read");

    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<CounterCall, FormatError> {
        match name.text {
            "add" => Ok(CounterCall::Add(words.next().number(NUMBER)?)),
            _ => Ok(CounterCall::Read),
        }
    }

    fn name(call: &CounterCall) -> &'static str {
        match call {
            CounterCall::Add(_) => "add",
            CounterCall::Read | CounterCall::Increment => "read",
        }
    }

    fn is_answered_by_value(call: &CounterCall) -> bool {
        matches!(call, CounterCall::Read)
    }

    fn answer(
        asked: &CounterCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<CounterAnswer, FormatError> {
        if Self::is_answered_by_value(asked) {
            return value(words);
        }
        repeated::<Self>(asked, name, words)?;
        Ok(CounterAnswer::Done)
    }
}

fn value(words: &mut Tokens<'_>) -> Result<CounterAnswer, FormatError> {
    let value = words.next().number(NUMBER)?;
    words.end()?;
    Ok(CounterAnswer::Value(value))
}

impl Words for Capacity {
    type Model = Self;
    const NAMES: (&'static [&'static str], &'static str) = (&["res", "rel", "read"], "res, rel or read");

    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<CapacityCall, FormatError> {
        let mut units = || words.next().number(UNITS);
        match name.text {
            "res" => Ok(CapacityCall::Reserve { order: None, units: units()? }),
            "rel" => Ok(CapacityCall::Release { order: None, units: units()? }),
            _ => Ok(CapacityCall::Read),
        }
    }

    fn name(call: &CapacityCall) -> &'static str {
        match call {
            CapacityCall::Reserve { .. } => "res",
            CapacityCall::Release { .. } => "rel",
            CapacityCall::Read => "read",
        }
    }

    fn is_answered_by_value(call: &CapacityCall) -> bool {
        matches!(call, CapacityCall::Read)
    }

    fn answer(
        asked: &CapacityCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<CapacityAnswer, FormatError> {
        match asked {
            CapacityCall::Read => {
                let used = words.next().number(UNITS)?;
                words.end()?;
                Ok(CapacityAnswer::Use(used))
            }
            CapacityCall::Reserve { .. } => {
                repeated::<Self>(asked, name, words)?;
                Ok(CapacityAnswer::Accepted(Terms::default()))
            }
            CapacityCall::Release { .. } => {
                repeated::<Self>(asked, name, words)?;
                Ok(CapacityAnswer::Released)
            }
        }
    }

    fn refused(asked: &CapacityCall) -> Option<CapacityAnswer> {
        matches!(asked, CapacityCall::Reserve { .. }).then(|| CapacityAnswer::Rejected(Terms::default()))
    }
}
