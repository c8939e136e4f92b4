//! Inputs and outputs: what was asked, and what was answered.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::format::FormatError;
use crate::format::json_objects::Object;

const OPERATION: &str = "an input with `op`: get, put, append or cas; Go writes no field whose name begins with a \
                         small letter, as those of Porcupine's own tests do";
const READ_OUTPUT: &str = "what was read: a value, or an object with `value`";

/// A line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(alias = "ClientId", alias = "clientId", alias = "client_id", alias = "Client")]
    client: Option<u64>,
    #[serde(alias = "Input")]
    input: Value,
    #[serde(alias = "Call")]
    call: i64,
    #[serde(default, alias = "Output")]
    output: Value,
    #[serde(rename = "return", alias = "Return")]
    returned: Option<i64>,
    /// What Porcupine shows beside an operation.
    #[serde(rename = "metadata", alias = "Metadata")]
    _metadata: Option<serde::de::IgnoredAny>,
}

/// An operation of whatever model.
pub(super) struct Operation {
    pub(super) client: Option<u64>,
    pub(super) key: Option<String>,
    pub(super) asked: Asked,
    pub(super) answered: Answered,
    pub(super) called: i64,
    pub(super) returned: Option<i64>,
}

/// What was asked.
pub(super) enum Asked {
    Read,
    Write(Scalar),
    Append(String),
    Swap(Scalar, Scalar),
}

/// What was answered.
pub(super) enum Answered {
    Found(Scalar),
    Done,
    Refused,
    Unknown,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Nil,
    Number(i64),
    Text(String),
}

impl Scalar {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Nil),
            Value::Number(number) => number.as_i64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Operation {
    /// The operation that an object says.
    ///
    /// # Errors
    /// If it says none.
    pub(super) fn of(object: &Object) -> Result<Self, FormatError> {
        let Line { client, input, call: called, output, returned, .. } = object.read()?;
        let Value::Object(input) = &input else {
            return Err(object.unexpected(&input.to_string(), OPERATION));
        };
        let input = Fields(input);
        let key = match input.get(&["key"]) {
            None | Some(Value::Null) => None,
            Some(Value::String(key)) => Some(key.clone()),
            Some(Value::Number(key)) => Some(key.to_string()),
            Some(other) => return Err(object.unexpected(&other.to_string(), "a key: a string or a number")),
        };
        let asked = asked(&input, key.is_some(), object)?;
        let answered = match returned {
            None => Answered::Unknown,
            Some(_) => answered(&asked, &output, object)?,
        };
        Ok(Self { client, key, asked, answered, called, returned })
    }

    /// The values that it names.
    pub(super) fn values(&self) -> impl Iterator<Item = Scalar> {
        let asked = match &self.asked {
            Asked::Read => [None, None],
            Asked::Write(new) => [Some(new.clone()), None],
            Asked::Append(text) => [Some(Scalar::Text(text.clone())), None],
            Asked::Swap(expected, new) => [Some(expected.clone()), Some(new.clone())],
        };
        let found = match &self.answered {
            Answered::Found(found) => Some(found.clone()),
            Answered::Done | Answered::Refused | Answered::Unknown => None,
        };
        asked.into_iter().flatten().chain(found)
    }
}

/// The fields of an object, whose names count without regard to capitals.
struct Fields<'o>(&'o Map<String, Value>);

impl<'o> Fields<'o> {
    /// The first of these fields that is there.
    fn get(&self, names: &[&str]) -> Option<&'o Value> {
        let is_named = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        self.0.iter().find(|(name, _)| is_named(name)).map(|(_, value)| value)
    }
}

/// An operation by its name or its number.
#[derive(Clone, Copy)]
enum Named {
    Read,
    Write,
    Append,
    Swap,
}

fn named(input: &Fields<'_>, is_keyed: bool) -> Option<Named> {
    let op = input.get(&["op", "f", "type", "kind"])?;
    let has_arguments = input.get(&["arg1"]).is_some();
    match op {
        Value::String(name) => match name.to_ascii_lowercase().as_str() {
            "get" | "read" | "r" => Some(Named::Read),
            "put" | "write" | "set" | "w" => Some(Named::Write),
            "append" => Some(Named::Append),
            "cas" | "compare-and-set" | "compareandset" | "compare-and-swap" => Some(Named::Swap),
            _ => None,
        },
        Value::Bool(is_read) => Some(if *is_read { Named::Read } else { Named::Write }),
        Value::Number(number) => match (number.as_u64()?, is_keyed, has_arguments) {
            (0, ..) if is_keyed || has_arguments => Some(Named::Read),
            (1, ..) if is_keyed || has_arguments => Some(Named::Write),
            (2, true, _) => Some(Named::Append),
            (2, false, true) => Some(Named::Swap),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn asked(input: &Fields<'_>, is_keyed: bool, object: &Object) -> Result<Asked, FormatError> {
    let shown = || Value::Object(input.0.clone()).to_string();
    let operation = named(input, is_keyed).ok_or_else(|| object.unexpected(&shown(), OPERATION))?;
    let scalar = |names: &[&str], expected| {
        input.get(names).and_then(Scalar::of).ok_or_else(|| object.unexpected(&shown(), expected))
    };
    match operation {
        Named::Read => Ok(Asked::Read),
        Named::Write => {
            scalar(&["value", "v", "arg1"], "a `value`: a whole number, a string or null").map(Asked::Write)
        }
        Named::Append => match scalar(&["value", "v", "arg"], "a `value`: a string")? {
            Scalar::Text(text) => Ok(Asked::Append(text)),
            Scalar::Nil | Scalar::Number(_) => Err(object.unexpected(&shown(), "a `value`: a string")),
        },
        Named::Swap => {
            const BOTH: &str = "`from` and `to`, or a `value` of both";
            if let Some(Value::Array(pair)) = input.get(&["value"]) {
                let pair: Option<Vec<Scalar>> = pair.iter().map(Scalar::of).collect();
                return match pair.as_deref() {
                    Some([from, to]) => Ok(Asked::Swap(from.clone(), to.clone())),
                    Some(_) | None => Err(object.unexpected(&shown(), BOTH)),
                };
            }
            let from = scalar(&["from", "old", "expected", "arg1"], BOTH)?;
            let to = scalar(&["to", "new", "arg2"], BOTH)?;
            Ok(Asked::Swap(from, to))
        }
    }
}

fn answered(asked: &Asked, output: &Value, object: &Object) -> Result<Answered, FormatError> {
    let fields = match output {
        Value::Object(fields) => Some(Fields(fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    };
    let flag = |names: &[&str]| fields.as_ref().and_then(|fields| fields.get(names)).and_then(Value::as_bool);
    let error =
        fields.as_ref().and_then(|fields| fields.get(&["err", "error"])).filter(|error| is_error(error));
    let is_absent =
        error.is_some_and(|error| *error == "ErrNoKey") || flag(&["exists", "found"]) == Some(false);
    if flag(&["unknown"]) == Some(true) || error.is_some() && !is_absent {
        return Ok(Answered::Unknown);
    }
    let done = flag(&["ok", "success", "swapped"]).or_else(|| output.as_bool());
    match asked {
        Asked::Read if is_absent || done == Some(false) => Ok(Answered::Found(Scalar::Nil)),
        Asked::Read => {
            let value = match &fields {
                Some(fields) => fields.get(&["value", "v"]).and_then(Scalar::of),
                None => Scalar::of(output),
            };
            value.map(Answered::Found).ok_or_else(|| object.unexpected(&output.to_string(), READ_OUTPUT))
        }
        Asked::Swap(..) => match done {
            Some(true) => Ok(Answered::Done),
            Some(false) => Ok(Answered::Refused),
            None => Err(object.unexpected(&output.to_string(), "whether it was set: true, false or `ok`")),
        },
        Asked::Write(_) | Asked::Append(_) if done == Some(false) => {
            Err(object.unexpected(&output.to_string(), "a write that was done, or `unknown`"))
        }
        Asked::Write(_) | Asked::Append(_) => Ok(Answered::Done),
    }
}

/// Whether a field `err` or `error` says that something went wrong.
fn is_error(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty() && text != "OK",
        Value::Bool(is_error) => *is_error,
        Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
    }
}
