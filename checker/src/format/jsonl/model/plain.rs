//! Strings, counters and locks as values of a line.

use super::{Ending, Lined, Value};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};
use crate::spec::text::{Text, TextAnswer, TextCall};

const NOT_REFUSED: &str = "an end that is not refused, for this question cannot be";

impl Lined for Text {
    const CALLS: &'static str = "get, or put or append of a string";

    fn asked(call: &TextCall) -> (&'static str, Value) {
        match call {
            TextCall::Get => ("get", Value::Absent),
            TextCall::Put(text) => ("put", Value::Text(text.as_ref().to_owned())),
            TextCall::Append(text) => ("append", Value::Text(text.as_ref().to_owned())),
        }
    }

    fn call(f: &str, value: Value) -> Option<TextCall> {
        match (f, value) {
            ("get", Value::Absent | Value::Nil) => Some(TextCall::Get),
            ("put", value) => value.text().map(|text| TextCall::Put(text.into())),
            ("append", value) => value.text().map(|text| TextCall::Append(text.into())),
            _ => None,
        }
    }

    fn answered(answer: &TextAnswer) -> (Ending, Value) {
        match answer {
            TextAnswer::Found(text) => (Ending::Ok, Value::Text(text.as_ref().to_owned())),
            TextAnswer::Done => (Ending::Ok, Value::Absent),
        }
    }

    fn answer(call: &TextCall, ending: Ending, value: Value) -> Result<TextAnswer, &'static str> {
        match (call, ending) {
            (TextCall::Get, Ending::Ok) => {
                value.text().map(|text| TextAnswer::Found(text.into())).ok_or("the string found")
            }
            (TextCall::Put(_) | TextCall::Append(_), Ending::Ok) => Ok(TextAnswer::Done),
            (_, Ending::Refused) => Err(NOT_REFUSED),
        }
    }
}

impl Lined for Counter {
    const CALLS: &'static str = "increment, read, or add of a number";

    fn asked(call: &CounterCall) -> (&'static str, Value) {
        match *call {
            CounterCall::Increment => ("increment", Value::Absent),
            CounterCall::Add(delta) => ("add", Value::Signed(delta)),
            CounterCall::Read => ("read", Value::Absent),
        }
    }

    fn call(f: &str, value: Value) -> Option<CounterCall> {
        match (f, value) {
            ("increment", Value::Absent | Value::Nil) => Some(CounterCall::Increment),
            ("read", Value::Absent | Value::Nil) => Some(CounterCall::Read),
            ("add", value) => value.number().map(CounterCall::Add),
            _ => None,
        }
    }

    fn answered(answer: &CounterAnswer) -> (Ending, Value) {
        match *answer {
            CounterAnswer::Value(value) => (Ending::Ok, Value::Signed(value)),
            CounterAnswer::Done => (Ending::Ok, Value::Absent),
        }
    }

    fn answer(call: &CounterCall, ending: Ending, value: Value) -> Result<CounterAnswer, &'static str> {
        match (call, ending) {
            (CounterCall::Increment | CounterCall::Read, Ending::Ok) => {
                value.number().map(CounterAnswer::Value).ok_or("the value of the counter, a number")
            }
            (CounterCall::Add(_), Ending::Ok) => Ok(CounterAnswer::Done),
            (_, Ending::Refused) => Err(NOT_REFUSED),
        }
    }
}

impl Lined for Mutex {
    const CALLS: &'static str = "acquire or release";

    fn asked(call: &MutexCall) -> (&'static str, Value) {
        match call {
            MutexCall::Acquire => ("acquire", Value::Absent),
            MutexCall::Release => ("release", Value::Absent),
        }
    }

    fn call(f: &str, value: Value) -> Option<MutexCall> {
        match (f, value) {
            ("acquire", Value::Absent | Value::Nil) => Some(MutexCall::Acquire),
            ("release", Value::Absent | Value::Nil) => Some(MutexCall::Release),
            _ => None,
        }
    }

    fn answered(answer: &MutexAnswer) -> (Ending, Value) {
        match answer {
            MutexAnswer::Done => (Ending::Ok, Value::Absent),
        }
    }

    fn answer(_call: &MutexCall, ending: Ending, _value: Value) -> Result<MutexAnswer, &'static str> {
        match ending {
            Ending::Ok => Ok(MutexAnswer::Done),
            Ending::Refused => Err(NOT_REFUSED),
        }
    }
}
