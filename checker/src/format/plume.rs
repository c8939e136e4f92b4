//! Transactions of sessions without times: the text forms of Plume and AWDIT.
//!
//! ```text
//!   r(1,7,0,3)       Plume: key, value, session, transaction;      w 1 7      AWDIT: key and value,
//!   w(2,8,0,-1)      transaction -1 was aborted                    r 2 8
//!                                                                  -----      the next transaction,
//!                                                                  =====      the next session
//! ```
//!
//! A session's transactions are in the order of their first lines. Sessions are clients. Nothing is said of
//! real time, so only levels that need none can be asked. The order of the file is taken as the order of
//! events; it is one of many.
//!
//! Initial values: 0 in Plume's form, as Plume has it; nil in AWDIT's, which knows no initial value.
//!
//! Sources: S. Liu et al., "Plume: efficient and complete black-box checking of weak isolation levels",
//! OOPSLA 2024; L. Møldrup and A. Pavlogiannis, "AWDIT: an optimal weak database isolation tester", PLDI 2025.

use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::sink::Sink;
use super::source::Source;
use super::text::{Line, Token};
use super::{FormatError, Found, Model, Options, Place};
use crate::history::{Builder, ClientId, HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::register::{Value, symbol};

const KIND: &str = "r or w";
const PLUME_LINE: &str = "r(key,value,session,transaction) or w(…), as in the lines before";
const AWDIT_LINE: &str = "r KEY VALUE, w KEY VALUE, ----- or =====, as in the lines before";
const VALUE: &str = "a whole number of at most 63 bits";
/// The transaction number of what was aborted.
const ABORTED: i64 = -1;

/// Reads the registers of a file.
///
/// # Errors
/// If a line is of neither form or not of that of the lines before it, or if the options do not suit.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Vec<Family>, FormatError> {
    let mut sessions = Sessions::default();
    let mut form = None;
    while let Some(line) = source.line()? {
        if line.text.trim().is_empty() {
            continue;
        }
        match *form.get_or_insert_with(|| Form::of(line.text)) {
            Form::Plume => plume_line(line, &mut sessions)?,
            Form::Awdit => awdit_line(line, &mut sessions)?,
        }
    }
    let default = match form {
        Some(Form::Plume) | None => Some(0),
        Some(Form::Awdit) => None,
    };
    let spec = MultiRegister { initial: options.register(default, Model::MultiRegister)? };
    let history = Sink::finish(sessions.into_history()?, "registers");
    Ok(vec![Family { name: "registers".to_owned(), kind: FamilyKind::MultiRegister { spec, history } }])
}

/// Whether the line is an operation of one of the two forms.
pub(super) fn is_line(text: &str) -> bool {
    let text = text.trim();
    match Form::of(text) {
        Form::Plume => {
            let inner = text.get(1..).and_then(|rest| rest.trim_start().strip_prefix('('));
            inner.is_some_and(|inner| inner.trim_start().starts_with(is_digit_or_minus))
        }
        Form::Awdit => {
            let mut words = text.split_ascii_whitespace();
            let is_kind = words.next().is_some_and(|word| matches!(word, "r" | "w"));
            let is_number = |word: &str| word.parse::<i64>().is_ok();
            is_kind && words.next().is_some_and(is_number) && words.next().is_some_and(is_number)
        }
    }
}

fn is_digit_or_minus(mark: char) -> bool {
    mark == '-' || mark.is_ascii_digit()
}

/// How the lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plume,
    Awdit,
}

impl Form {
    fn of(text: &str) -> Self {
        if text.contains('(') { Self::Plume } else { Self::Awdit }
    }
}

/// What a line says beside whose it is.
#[derive(Clone, Copy)]
struct Said {
    access: Access,
    key: i64,
    value: i64,
    place: Place,
}

/// A read or a write of a transaction.
#[derive(Clone, Copy)]
enum Access {
    Read,
    Write,
}

impl Access {
    fn of(token: &Token<'_>) -> Result<Self, FormatError> {
        match token.text {
            "r" => Ok(Self::Read),
            "w" => Ok(Self::Write),
            _ => Err(token.unexpected(KIND)),
        }
    }
}

fn plume_line(line: Line<'_>, sessions: &mut Sessions) -> Result<(), FormatError> {
    let mut fields = Fields { line, at: 0 };
    let kind = fields.until('(', PLUME_LINE)?;
    let access = Access::of(&kind)?;
    let key = fields.until(',', "a key and a comma")?.number(VALUE)?;
    let value = fields.until(',', "a value and a comma")?.number(VALUE)?;
    let session = fields.until(',', "a session and a comma")?.number("the number of a session")?;
    let transaction = fields.until(')', "a transaction and )")?.number("the number of a transaction")?;
    fields.end()?;
    let said = Said { access, key, value, place: kind.place() };
    if transaction == ABORTED {
        sessions.aborted(session, said);
    } else {
        sessions.add(session, transaction, said);
    }
    Ok(())
}

/// The fields of a line of Plume's form.
struct Fields<'a> {
    line: Line<'a>,
    /// Where the rest begins.
    at: usize,
}

impl<'a> Fields<'a> {
    /// The word before the next `mark`, without blanks around it.
    fn until(&mut self, mark: char, expected: &'static str) -> Result<Token<'a>, FormatError> {
        let rest = &self.line.text[self.at..];
        let Some(length) = rest.find(mark) else {
            let offset = self.line.text.trim_end().len();
            let found = if rest.trim().is_empty() { Found::EndOfLine } else { Found::text(rest.trim()) };
            let offset = if found == Found::EndOfLine { offset } else { self.blanks_after(self.at) };
            return Err(FormatError::Unexpected { place: self.line.place(offset), found, expected });
        };
        let offset = self.blanks_after(self.at);
        let text = rest[..length].trim();
        self.at += length + mark.len_utf8();
        Ok(Token { line: self.line, offset, text })
    }

    /// Where the next word begins.
    fn blanks_after(&self, at: usize) -> usize {
        let rest = &self.line.text[at..];
        at + (rest.len() - rest.trim_start().len())
    }

    fn end(&self) -> Result<(), FormatError> {
        let rest = self.line.text[self.at..].trim();
        if rest.is_empty() {
            return Ok(());
        }
        let place = self.line.place(self.blanks_after(self.at));
        Err(FormatError::Unexpected { place, found: Found::text(rest), expected: "the end of the line" })
    }
}

fn awdit_line(line: Line<'_>, sessions: &mut Sessions) -> Result<(), FormatError> {
    let text = line.text.trim();
    let is_all = |mark| text.bytes().all(|byte| byte == mark);
    if is_all(b'-') {
        sessions.transaction += 1;
        return Ok(());
    }
    if is_all(b'=') {
        sessions.session += 1;
        sessions.transaction = 0;
        return Ok(());
    }
    let mut words = line.tokens();
    let kind = words.next();
    let access = Access::of(&kind).map_err(|_| kind.unexpected(AWDIT_LINE))?;
    let key = words.next().number(VALUE)?;
    let value = words.next().number(VALUE)?;
    words.end()?;
    let (session, transaction) = (sessions.session, sessions.transaction);
    sessions.add(session, transaction, Said { access, key, value, place: kind.place() });
    Ok(())
}

/// The transactions of a file, by their first lines.
#[derive(Default)]
struct Sessions {
    transactions: Vec<Gathered>,
    by_number: HashMap<(u64, i64), usize, FxBuildHasher>,
    names: HashMap<i64, Arc<str>, FxBuildHasher>,
    /// Where AWDIT's form is: it counts separators.
    session: u64,
    transaction: i64,
}

/// A transaction while it is read.
struct Gathered {
    session: u64,
    parts: Vec<Part>,
    found: Vec<Option<Value>>,
    place: Place,
    is_aborted: bool,
}

impl Sessions {
    fn add(&mut self, session: u64, number: i64, said: Said) {
        let next = self.transactions.len();
        let at = *self.by_number.entry((session, number)).or_insert(next);
        if at == next {
            self.begin(session, said.place, false);
        }
        self.push(at, said);
    }

    /// Each aborted line is a transaction of its own: the form does not say which belong together.
    fn aborted(&mut self, session: u64, said: Said) {
        let at = self.transactions.len();
        self.begin(session, said.place, true);
        self.push(at, said);
    }

    fn begin(&mut self, session: u64, place: Place, is_aborted: bool) {
        self.transactions.push(Gathered { session, parts: Vec::new(), found: Vec::new(), place, is_aborted });
    }

    fn push(&mut self, at: usize, Said { access, key, value, .. }: Said) {
        let name = self.names.entry(key).or_insert_with(|| key.to_string().into()).clone();
        let value = if symbol::is_reserved(value) { symbol::of(&value.to_string()) } else { value };
        let transaction = &mut self.transactions[at];
        transaction.parts.push(match access {
            Access::Read => {
                transaction.found.push(Some(Some(value)));
                Part::Read { name }
            }
            Access::Write => Part::Write { name, value: Some(value) },
        });
    }

    fn into_history(self) -> Result<Builder<MultiRegister>, FormatError> {
        let mut builder = Builder::default();
        for Gathered { session, parts, found, place, is_aborted } in self.transactions {
            let client = ClientId(session);
            builder.at(SourcePlace::at_line(place.line));
            let history = |error: HistoryError| FormatError::History { place, error };
            builder.invoke(client, Transaction(parts.into()), 0).map_err(history)?;
            if is_aborted {
                builder.did_not_happen(client, 0).map_err(history)?;
            } else {
                builder.answer(client, Reads(found.into()), 0).map_err(history)?;
            }
        }
        Ok(builder)
    }
}

#[cfg(test)]
mod tests;
