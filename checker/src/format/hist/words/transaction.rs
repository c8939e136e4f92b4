//! Words for transactions on several registers.

use super::Words;
use crate::format::FormatError;
use crate::format::hist::ASKED;
use crate::format::text::{Token, Tokens};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::register::Value;

impl Words for MultiRegister {
    type Model = Self;
    const NAMES: (&'static [&'static str], &'static str) = (&["txn"], "txn");

    fn call(_name: Token<'_>, words: &mut Tokens<'_>) -> Result<Transaction, FormatError> {
        let mut parts = Vec::new();
        while !words.peek().text.is_empty() {
            let kind = words.next();
            let name = words.next().filled("the name of a register")?.text.into();
            parts.push(match kind.text {
                "r" => Part::Read { name },
                "w" => Part::Write { name, value: words.next().value()? },
                _ => return Err(kind.unexpected("r or w, and the name of a register")),
            });
        }
        Ok(Transaction(parts.into()))
    }

    fn name(_call: &Transaction) -> &'static str {
        "txn"
    }

    fn is_answered_by_value(_call: &Transaction) -> bool {
        true
    }

    /// Each read is followed by what it found; nothing at all means that it is not known.
    fn answer(asked: &Transaction, _name: Token<'_>, words: &mut Tokens<'_>) -> Result<Reads, FormatError> {
        let is_silent = words.peek().text.is_empty();
        let mut found = Vec::new();
        for part in asked.0.iter() {
            match part {
                Part::Read { .. } if is_silent => found.push(None),
                Part::Write { .. } if is_silent => {}
                Part::Read { name } => {
                    same(words, "r", name)?;
                    found.push(value_or_unknown(words.next())?);
                }
                Part::Write { name, value } => {
                    same(words, "w", name)?;
                    let again = words.next();
                    if again.value()? != *value {
                        return Err(again.unexpected(ASKED));
                    }
                }
            }
        }
        words.end()?;
        Ok(Reads(found.into()))
    }
}

fn same(words: &mut Tokens<'_>, kind: &str, name: &str) -> Result<(), FormatError> {
    for expected in [kind, name] {
        let word = words.next();
        if word.text != expected {
            return Err(word.unexpected(ASKED));
        }
    }
    Ok(())
}

fn value_or_unknown(word: Token<'_>) -> Result<Option<Value>, FormatError> {
    if word.text == "?" { Ok(None) } else { word.value().map(Some) }
}
