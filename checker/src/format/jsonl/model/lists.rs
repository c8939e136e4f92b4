//! Logs and transactions as values of a line: lists.

use super::{Ending, Lined, Value};
use crate::format::jsonl::record;
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};

const NOT_REFUSED: &str = "an end that is not refused, for this question cannot be";

impl Lined for Log {
    const CALLS: &'static str = "append of a number, or read or read-at of an offset";

    fn asked(call: &LogCall) -> (&'static str, Value) {
        match *call {
            LogCall::Append(entry) => ("append", Value::Signed(entry)),
            LogCall::ReadFrom(0) => ("read", Value::Absent),
            LogCall::ReadFrom(offset) => ("read", Value::Unsigned(offset)),
            LogCall::ReadAt(offset) => ("read-at", Value::Unsigned(offset)),
        }
    }

    fn call(f: &str, value: Value) -> Option<LogCall> {
        match (f, value) {
            ("append", value) => value.number().map(LogCall::Append),
            ("read", Value::Absent | Value::Nil) => Some(LogCall::ReadFrom(0)),
            ("read", value) => value.count().map(LogCall::ReadFrom),
            ("read-at", value) => value.count().map(LogCall::ReadAt),
            _ => None,
        }
    }

    fn answered(answer: &LogAnswer) -> (Ending, Value) {
        let value = match answer {
            LogAnswer::Appended => Value::Absent,
            LogAnswer::AppendedAt(offset) => Value::Unsigned(*offset),
            LogAnswer::Entries(entries) => Value::Numbers(entries.to_vec()),
            LogAnswer::Entry(entry) => (*entry).into(),
        };
        (Ending::Ok, value)
    }

    fn answer(call: &LogCall, ending: Ending, value: Value) -> Result<LogAnswer, &'static str> {
        match (call, ending) {
            (LogCall::Append(_), Ending::Ok) if value == Value::Absent => Ok(LogAnswer::Appended),
            (LogCall::Append(_), Ending::Ok) => {
                value.count().map(LogAnswer::AppendedAt).ok_or("an offset, or nothing")
            }
            (LogCall::ReadFrom(_), Ending::Ok) => value
                .numbers()
                .map(|entries| LogAnswer::Entries(entries.into()))
                .ok_or("the entries, a list of numbers"),
            (LogCall::ReadAt(_), Ending::Ok) => {
                value.register().map(LogAnswer::Entry).ok_or("the entry, or null")
            }
            (_, Ending::Refused) => Err(NOT_REFUSED),
        }
    }
}

impl Lined for MultiRegister {
    const CALLS: &'static str = "txn of a list of [\"r\",name] and [\"w\",name,value]";

    fn asked(call: &Transaction) -> (&'static str, Value) {
        let parts = call.0.iter().map(|part| match part {
            Part::Read { name } => record::Part::Read(record::Read::Read, name.as_ref().to_owned()),
            Part::Write { name, value } => {
                record::Part::Write(record::Write::Write, name.as_ref().to_owned(), *value)
            }
        });
        ("txn", Value::Parts(parts.collect()))
    }

    fn call(f: &str, value: Value) -> Option<Transaction> {
        let parts = value.parts().filter(|_| f == "txn")?;
        let parts = parts.into_iter().map(|part| match part {
            record::Part::Read(_, name) => Part::Read { name: name.into() },
            record::Part::Write(_, name, value) => Part::Write { name: name.into(), value },
        });
        Some(Transaction(parts.collect()))
    }

    fn answered(answer: &Reads) -> (Ending, Value) {
        let found = answer.0.iter().map(|found| match found {
            Some(value) => record::Found::Value(*value),
            None => record::Found::Unknown(record::Unknown::Unknown),
        });
        (Ending::Ok, Value::Found(found.collect()))
    }

    fn answer(call: &Transaction, ending: Ending, value: Value) -> Result<Reads, &'static str> {
        let read_count = call.0.iter().filter(|part| matches!(part, Part::Read { .. })).count();
        match ending {
            Ending::Ok => match value.found() {
                Some(found) if found.len() == read_count => Ok(Reads(found.into())),
                Some(_) | None => Err("a list of what each read found"),
            },
            Ending::Refused => Err(NOT_REFUSED),
        }
    }
}
