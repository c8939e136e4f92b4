//! A part of a file in TOML, and where it stands.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::TableFileError;
use crate::format::{Found, Place};

/// A value, its text and its place.
#[derive(Clone, Copy)]
pub(super) struct Tree<'a> {
    text: &'a str,
    offset: usize,
    end: usize,
    value: Value<'a>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Table(&'a DeTable<'a>),
    Any(&'a DeValue<'a>),
}

/// Line and column of a byte, from 1; columns are characters.
pub(super) fn place(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Place { line, column }
}

impl<'a> Tree<'a> {
    pub(super) fn root(text: &'a str, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self { text, offset: 0, end: text.len(), value: Value::Table(table.get_ref()) }
    }

    fn of(text: &'a str, value: &'a Spanned<DeValue<'a>>) -> Self {
        let span = value.span();
        Self { text, offset: span.start, end: span.end, value: Value::Any(value.get_ref()) }
    }

    pub(super) fn place(&self) -> Place {
        place(self.text, self.offset)
    }

    /// The place of a byte of a string. That of the string, if it is not written as it is.
    pub(super) fn place_within(&self, offset: usize) -> Place {
        let written = self.text.get(self.offset..self.end).unwrap_or_default();
        let is_plain = self.text().is_some_and(|content| {
            written.len() == content.len() + 2 && written.get(1..=content.len()) == Some(content)
        });
        place(self.text, if is_plain { self.offset + 1 + offset } else { self.offset })
    }

    fn table(&self) -> Option<&'a DeTable<'a>> {
        match self.value {
            Value::Table(table) | Value::Any(DeValue::Table(table)) => Some(table),
            Value::Any(_) => None,
        }
    }

    /// What stands under a key of a table.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.table()?.get(key).map(|value| Self::of(self.text, value))
    }

    /// The keys of a table and what stands under them, in the order of the file; none of anything else.
    pub(super) fn entries(&self) -> Vec<(&'a str, Place, Self)> {
        let mut entries: Vec<(&Spanned<DeString<'a>>, &Spanned<DeValue<'a>>)> =
            self.table().into_iter().flat_map(|table| table.iter()).collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entry = |(key, value): (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            (key.get_ref().as_ref(), place(self.text, key.span().start), Self::of(self.text, value))
        };
        entries.into_iter().map(entry).collect()
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Any(DeValue::String(text)) => Some(text.as_ref()),
            Value::Any(_) | Value::Table(_) => None,
        }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self.value {
            Value::Any(DeValue::Integer(number)) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            Value::Any(_) | Value::Table(_) => None,
        }
    }

    pub(super) fn is_table(&self) -> bool {
        self.table().is_some()
    }

    pub(super) fn is_array(&self) -> bool {
        matches!(self.value, Value::Any(DeValue::Array(_)))
    }

    /// A value as a word: a string, a whole number, or a truth.
    pub(super) fn word(&self, expected: &str) -> Result<String, TableFileError> {
        let truth = match self.value {
            Value::Any(DeValue::Boolean(truth)) => Some(truth.to_string()),
            Value::Any(_) | Value::Table(_) => None,
        };
        let number = || self.integer().map(|number| number.to_string());
        let word = self.text().map(str::to_owned).or(truth).or_else(number);
        let word = word.ok_or_else(|| self.unexpected(expected))?;
        let is_sign = matches!(word.as_str(), "+" | "-" | "=" | "==" | "!=" | "<" | "<=" | ">" | ">=");
        let is_one =
            !word.is_empty() && !word.contains(|mark: char| mark.is_whitespace() || "{}".contains(mark));
        if is_one && !is_sign { Ok(word) } else { Err(self.unexpected("a word without blanks and braces")) }
    }

    pub(super) fn string(&self, expected: &str) -> Result<&'a str, TableFileError> {
        self.text().ok_or_else(|| self.unexpected(expected))
    }

    pub(super) fn filled(&self, expected: &str) -> Result<&'a str, TableFileError> {
        match self.string(expected)? {
            blank if blank.trim().is_empty() => Err(self.unexpected(expected)),
            text => Ok(text),
        }
    }

    pub(super) fn number(&self, expected: &str) -> Result<i64, TableFileError> {
        self.integer().ok_or_else(|| self.unexpected(expected))
    }

    pub(super) fn truth(&self) -> Result<bool, TableFileError> {
        match self.value {
            Value::Any(DeValue::Boolean(truth)) => Ok(*truth),
            Value::Any(_) | Value::Table(_) => Err(self.unexpected("true or false")),
        }
    }

    /// The items of an array.
    pub(super) fn items(&self, expected: &str) -> Result<Vec<Self>, TableFileError> {
        match self.value {
            Value::Any(DeValue::Array(items)) => {
                Ok(items.iter().map(|item| Self::of(self.text, item)).collect())
            }
            Value::Any(_) | Value::Table(_) => Err(self.unexpected(expected)),
        }
    }

    /// The items of an array, or the one that stands alone.
    pub(super) fn one_or_several(&self) -> Vec<Self> {
        match self.items("") {
            Ok(items) => items,
            Err(_) => vec![*self],
        }
    }

    /// Refuses keys that mean nothing here.
    pub(super) fn check_keys(&self, of: &str, known: &[&str]) -> Result<(), TableFileError> {
        match self.entries().into_iter().find(|(key, ..)| !known.contains(key)) {
            None => Ok(()),
            Some((key, place, _)) => {
                let found = format!("key `{}`", shortened(key));
                let expected = format!("a key of {of}: {}", listed(known));
                Err(TableFileError::Unexpected { place, found, expected })
            }
        }
    }

    /// The error that this should be something else.
    pub(super) fn unexpected(&self, expected: &str) -> TableFileError {
        TableFileError::Unexpected { place: self.place(), found: self.shown(), expected: expected.to_owned() }
    }

    /// As an error shows it.
    pub(super) fn shown(&self) -> String {
        match self.value {
            Value::Table(_) | Value::Any(DeValue::Table(_)) => "a table".to_owned(),
            Value::Any(DeValue::Array(_)) => "an array".to_owned(),
            Value::Any(DeValue::String(text)) => format!("\"{}\"", shortened(text)),
            Value::Any(DeValue::Integer(number)) => number.to_string(),
            Value::Any(DeValue::Float(number)) => number.to_string(),
            Value::Any(DeValue::Boolean(truth)) => truth.to_string(),
            Value::Any(DeValue::Datetime(time)) => time.to_string(),
        }
    }
}

/// The beginning of a long text.
pub(super) fn shortened(text: &str) -> String {
    match Found::text(text) {
        Found::Text(shown) => shown,
        Found::EndOfLine | Found::EndOfFile => String::new(),
    }
}

/// Names as an error lists them.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
