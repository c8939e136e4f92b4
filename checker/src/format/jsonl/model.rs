//! Questions and answers of a model as values of a line, and back.

mod kinds;
mod lists;
mod plain;
mod store;

use super::record::{Fields, Value};
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

/// A model whose operations can be lines.
pub(super) trait Lined: Spec {
    /// What a question of this model must be.
    const CALLS: &'static str;

    /// The `f` and the value of a question.
    fn asked(call: &Self::Call) -> (&'static str, Value);

    /// The question of an `f` and a value.
    fn call(f: &str, value: Value) -> Option<Self::Call>;

    /// The type and the value of an answer.
    fn answered(answer: &Self::Answer) -> (Ending, Value);

    /// The answer to a question; or what should stand there.
    fn answer(call: &Self::Call, ending: Ending, value: Value) -> Result<Self::Answer, &'static str>;
}

/// The two types of line that are answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Ok,
    Refused,
}

impl Lined for Register {
    const CALLS: &'static str = "read, write of null or a number, or cas of a pair of those";

    fn asked(call: &RegisterCall) -> (&'static str, Value) {
        match *call {
            RegisterCall::Read => ("read", Value::Absent),
            RegisterCall::Write(value) => ("write", value.into()),
            RegisterCall::CompareAndSet { expected, new } => ("cas", Value::Pair(expected, new)),
        }
    }

    fn call(f: &str, value: Value) -> Option<RegisterCall> {
        match (f, value) {
            ("read", Value::Absent | Value::Nil) => Some(RegisterCall::Read),
            ("write", value) => value.register().map(RegisterCall::Write),
            ("cas", Value::Pair(expected, new)) => Some(RegisterCall::CompareAndSet { expected, new }),
            _ => None,
        }
    }

    fn answered(answer: &RegisterAnswer) -> (Ending, Value) {
        match *answer {
            RegisterAnswer::Value(value) => (Ending::Ok, value.into()),
            RegisterAnswer::Done => (Ending::Ok, Value::Absent),
            RegisterAnswer::Mismatch => (Ending::Refused, Value::Absent),
        }
    }

    fn answer(call: &RegisterCall, ending: Ending, value: Value) -> Result<RegisterAnswer, &'static str> {
        match (call, ending) {
            (RegisterCall::Read, Ending::Ok) => {
                value.register().map(RegisterAnswer::Value).ok_or("the value read: null or a number")
            }
            (RegisterCall::Write(_) | RegisterCall::CompareAndSet { .. }, Ending::Ok) => {
                Ok(RegisterAnswer::Done)
            }
            (RegisterCall::CompareAndSet { .. }, Ending::Refused) => Ok(RegisterAnswer::Mismatch),
            (RegisterCall::Read | RegisterCall::Write(_), Ending::Refused) => {
                Err("an end that is not refused, for only a cas can be")
            }
        }
    }
}

impl Lined for Capacity {
    const CALLS: &'static str = "read, or reserve or release of {\"order\":…,\"units\":…}";

    fn asked(call: &CapacityCall) -> (&'static str, Value) {
        match *call {
            CapacityCall::Read => ("read", Value::Absent),
            CapacityCall::Reserve { order, units } => ("reserve", order_and_units(order, units)),
            CapacityCall::Release { order, units } => ("release", order_and_units(order, units)),
        }
    }

    fn call(f: &str, value: Value) -> Option<CapacityCall> {
        match (f, value) {
            ("read", Value::Absent | Value::Nil) => Some(CapacityCall::Read),
            ("reserve", Value::Fields(Fields { order, units: Some(units), .. })) => {
                Some(CapacityCall::Reserve { order, units })
            }
            ("release", Value::Fields(Fields { order, units, .. })) if order.or(units).is_some() => {
                Some(CapacityCall::Release { order, units: units.unwrap_or(0) })
            }
            _ => None,
        }
    }

    fn answered(answer: &CapacityAnswer) -> (Ending, Value) {
        match *answer {
            CapacityAnswer::Accepted(terms) => (Ending::Ok, limit_and_version(terms)),
            CapacityAnswer::Rejected(terms) => (Ending::Refused, limit_and_version(terms)),
            CapacityAnswer::Released => (Ending::Ok, Value::Absent),
            CapacityAnswer::NotHeld => (Ending::Refused, Value::Absent),
            CapacityAnswer::Use(used) => (Ending::Ok, Value::Unsigned(used)),
        }
    }

    fn answer(call: &CapacityCall, ending: Ending, value: Value) -> Result<CapacityAnswer, &'static str> {
        match (call, ending) {
            (CapacityCall::Reserve { .. }, ending) => {
                let Fields { limit, version, .. } =
                    value.fields().ok_or("{\"limit\":…,\"version\":…} or nothing")?;
                let terms = Terms { limit, version };
                Ok(match ending {
                    Ending::Ok => CapacityAnswer::Accepted(terms),
                    Ending::Refused => CapacityAnswer::Rejected(terms),
                })
            }
            (CapacityCall::Release { .. }, Ending::Ok) => Ok(CapacityAnswer::Released),
            (CapacityCall::Release { .. }, Ending::Refused) => Ok(CapacityAnswer::NotHeld),
            (CapacityCall::Read, Ending::Ok) => {
                value.count().map(CapacityAnswer::Use).ok_or("the units in use, a number")
            }
            (CapacityCall::Read, Ending::Refused) => Err("an end that is not refused, for a read cannot be"),
        }
    }
}

fn order_and_units(order: Option<u64>, units: u64) -> Value {
    Value::Fields(Fields { order, units: Some(units), ..Fields::default() })
}

fn limit_and_version(terms: Terms) -> Value {
    match terms {
        Terms { limit: None, version: None } => Value::Absent,
        Terms { limit, version } => Value::Fields(Fields { limit, version, ..Fields::default() }),
    }
}
