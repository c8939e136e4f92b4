//! Requests to a store with revisions and its responses as values of a line: objects.

use super::{Ending, Lined, Value};
use crate::format::jsonl::record::Store;
use crate::spec::Spec;
use crate::spec::revisions::{Revisions, StoreAnswer, StoreCall};

impl Lined for Revisions {
    const CALLS: &'static str = "request of what is asked";

    fn asked(call: &StoreCall) -> (&'static str, Value) {
        ("request", Value::Store(Box::new(Store::Asked(call.clone()))))
    }

    fn call(f: &str, value: Value) -> Option<StoreCall> {
        match value {
            Value::Store(store) if f == "request" => match *store {
                Store::Asked(call) => Some(call),
                Store::Told(_) => None,
            },
            _ => None,
        }
    }

    fn answered(answer: &StoreAnswer) -> (Ending, Value) {
        let ending = if Self::is_refusal(answer) { Ending::Refused } else { Ending::Ok };
        (ending, Value::Store(Box::new(Store::Told(answer.clone()))))
    }

    fn answer(call: &StoreCall, ending: Ending, value: Value) -> Result<StoreAnswer, &'static str> {
        const TOLD: &str = "a response that fits the request";
        let Value::Store(store) = value else { return Err(TOLD) };
        match *store {
            Store::Told(answer)
                if Self::fits(call, &answer) && (ending == Ending::Refused) == Self::is_refusal(&answer) =>
            {
                Ok(answer)
            }
            Store::Told(_) | Store::Asked(_) => Err(TOLD),
        }
    }
}
