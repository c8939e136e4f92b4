//! Words for append-only logs.

use super::Words;
use crate::format::FormatError;
use crate::format::hist::ASKED;
use crate::format::text::{Token, Tokens};
use crate::spec::log::{Log, LogAnswer, LogCall};

const ENTRY: &str = "an entry, a whole number";
const OFFSET: &str = "an offset, @ and a number";

impl Words for Log {
    type Model = Self;
    const NAMES: (&'static [&'static str], &'static str) = (&["append", "read"], "append or read");

    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<LogCall, FormatError> {
        if name.text == "append" {
            return Ok(LogCall::Append(words.next().number(ENTRY)?));
        }
        let place = words.next();
        if place.text.is_empty() {
            return Ok(LogCall::ReadFrom(0));
        }
        let offset = place.without_start('@').ok_or_else(|| place.unexpected(OFFSET))?;
        match offset.without_end('.').and_then(|offset| offset.without_end('.')) {
            Some(offset) => Ok(LogCall::ReadFrom(offset.number(OFFSET)?)),
            None => Ok(LogCall::ReadAt(offset.number(OFFSET)?)),
        }
    }

    fn name(call: &LogCall) -> &'static str {
        match call {
            LogCall::Append(_) => "append",
            LogCall::ReadFrom(_) | LogCall::ReadAt(_) => "read",
        }
    }

    fn is_answered_by_value(call: &LogCall) -> bool {
        !matches!(call, LogCall::Append(_))
    }

    fn answer(asked: &LogCall, name: Token<'_>, words: &mut Tokens<'_>) -> Result<LogAnswer, FormatError> {
        match asked {
            LogCall::Append(entry) => appended(*entry, words),
            LogCall::ReadFrom(_) => {
                again(asked, name, words)?;
                let mut entries = Vec::new();
                while !words.peek().text.is_empty() {
                    entries.push(words.next().number(ENTRY)?);
                }
                Ok(LogAnswer::Entries(entries.into()))
            }
            LogCall::ReadAt(_) => {
                again(asked, name, words)?;
                let entry = words.next().value()?;
                words.end()?;
                Ok(LogAnswer::Entry(entry))
            }
        }
    }
}

/// What follows `o append`: the entry or nothing, then the offset or nothing.
fn appended(entry: i64, words: &mut Tokens<'_>) -> Result<LogAnswer, FormatError> {
    let first = words.peek();
    if !first.text.is_empty() && !first.text.starts_with('@') {
        let again: i64 = words.next().number(ENTRY)?;
        if again != entry {
            return Err(first.unexpected(ASKED));
        }
    }
    let place = words.next();
    if place.text.is_empty() {
        return Ok(LogAnswer::Appended);
    }
    words.end()?;
    let offset = place.without_start('@').ok_or_else(|| place.unexpected(OFFSET))?;
    Ok(LogAnswer::AppendedAt(offset.number(OFFSET)?))
}

/// The offset may be repeated before what was read.
fn again(asked: &LogCall, name: Token<'_>, words: &mut Tokens<'_>) -> Result<(), FormatError> {
    let first = words.peek();
    if first.text.starts_with('@') && Log::call(name, words)? != *asked {
        return Err(first.unexpected(ASKED));
    }
    Ok(())
}
