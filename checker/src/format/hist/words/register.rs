//! Words for registers, alone and under keys.

use super::{Words, repeated};
use crate::format::FormatError;
use crate::format::text::{Token, Tokens};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

/// The words for a register: `r`, `w`, `c`.
pub(in crate::format::hist) struct Registers;

/// The words for registers under keys: `get`, `put`, `cas`.
pub(in crate::format::hist) struct Keys;

impl Words for Registers {
    type Model = Register;
    const NAMES: (&'static [&'static str], &'static str) = (&["r", "w", "c"], "r, w or c");

    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<RegisterCall, FormatError> {
        match name.text {
            "r" => Ok(RegisterCall::Read),
            "w" => Ok(RegisterCall::Write(words.next().value()?)),
            _ => compare_and_set(words),
        }
    }

    fn name(call: &RegisterCall) -> &'static str {
        match call {
            RegisterCall::Read => "r",
            RegisterCall::Write(_) => "w",
            RegisterCall::CompareAndSet { .. } => "c",
        }
    }

    fn is_answered_by_value(call: &RegisterCall) -> bool {
        matches!(call, RegisterCall::Read)
    }

    fn answer(
        asked: &RegisterCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<RegisterAnswer, FormatError> {
        answer::<Self>(asked, name, words)
    }

    fn refused(asked: &RegisterCall) -> Option<RegisterAnswer> {
        refused(asked)
    }
}

impl Words for Keys {
    type Model = Register;
    const IS_KEYED: bool = true;
    const NAMES: (&'static [&'static str], &'static str) = (&["get", "put", "cas"], "get, put or cas");

    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<RegisterCall, FormatError> {
        match name.text {
            "get" => Ok(RegisterCall::Read),
            "put" => Ok(RegisterCall::Write(words.next().value()?)),
            _ => compare_and_set(words),
        }
    }

    fn name(call: &RegisterCall) -> &'static str {
        match call {
            RegisterCall::Read => "get",
            RegisterCall::Write(_) => "put",
            RegisterCall::CompareAndSet { .. } => "cas",
        }
    }

    fn is_answered_by_value(call: &RegisterCall) -> bool {
        matches!(call, RegisterCall::Read)
    }

    fn answer(
        asked: &RegisterCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<RegisterAnswer, FormatError> {
        answer::<Self>(asked, name, words)
    }

    fn refused(asked: &RegisterCall) -> Option<RegisterAnswer> {
        refused(asked)
    }
}

fn compare_and_set(words: &mut Tokens<'_>) -> Result<RegisterCall, FormatError> {
    let expected = words.next().value()?;
    Ok(RegisterCall::CompareAndSet { expected, new: words.next().value()? })
}

fn answer<W: Words<Model = Register>>(
    asked: &RegisterCall,
    name: Token<'_>,
    words: &mut Tokens<'_>,
) -> Result<RegisterAnswer, FormatError> {
    if W::is_answered_by_value(asked) {
        let value = words.next().value()?;
        words.end()?;
        return Ok(RegisterAnswer::Value(value));
    }
    repeated::<W>(asked, name, words)?;
    Ok(RegisterAnswer::Done)
}

/// A compare-and-set that failed found another value.
fn refused(asked: &RegisterCall) -> Option<RegisterAnswer> {
    matches!(asked, RegisterCall::CompareAndSet { .. }).then_some(RegisterAnswer::Mismatch)
}
