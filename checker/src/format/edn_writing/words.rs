//! Questions and answers of a model in EDN.

use super::{Spec, Value};
use crate::format::edn::quoted as string;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::counter::{Counter, CounterAnswer, CounterCall};
use crate::spec::log::{Log, LogAnswer, LogCall};
use crate::spec::multi_register::{MultiRegister, Part, Reads, Transaction};
use crate::spec::mutex::{Mutex, MutexAnswer, MutexCall};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, written};
use crate::spec::text::{Text, TextAnswer, TextCall};

/// What a map says of an operation beside who and when.
pub(super) struct Said {
    /// What `:f` says, without its colon.
    pub(super) f: &'static str,
    pub(super) value: String,
    /// Further keys and values, each after a comma.
    pub(super) extras: String,
}

/// A model whose operations can be written as maps.
pub(super) trait Worded: Spec {
    /// What is asked.
    fn asked(call: &Self::Call) -> Said;

    /// What is answered; a refusal says so.
    fn answered(call: &Self::Call, answer: &Self::Answer) -> Said;
}

impl Said {
    fn new(f: &'static str, value: impl ToString) -> Self {
        Self { f, value: value.to_string(), extras: String::new() }
    }

    fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.extras += &format!(", :{key} {}", value.to_string());
        self
    }

    fn with_some(self, key: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn refused(self) -> Self {
        self.with("refused", true)
    }

    /// With what was found; that it is nil is said twice, for `nil` alone says nothing.
    fn found(mut self, found: Value) -> Self {
        self.value = written(found);
        if found.is_none() { self.with("absent", true) } else { self }
    }
}

impl Worded for Register {
    fn asked(call: &RegisterCall) -> Said {
        match *call {
            RegisterCall::Read => Said::new("read", "nil"),
            RegisterCall::Write(new) => Said::new("write", written(new)),
            RegisterCall::CompareAndSet { expected, new } => {
                Said::new("cas", format!("[{} {}]", written(expected), written(new)))
            }
        }
    }

    fn answered(call: &RegisterCall, answer: &RegisterAnswer) -> Said {
        match answer {
            RegisterAnswer::Value(found) => Self::asked(call).found(*found),
            RegisterAnswer::Done => Self::asked(call),
            RegisterAnswer::Mismatch => Self::asked(call).refused(),
        }
    }
}

impl Worded for Text {
    fn asked(call: &TextCall) -> Said {
        match call {
            TextCall::Get => Said::new("get", "nil"),
            TextCall::Put(text) => Said::new("put", string(text)),
            TextCall::Append(text) => Said::new("append", string(text)),
        }
    }

    fn answered(call: &TextCall, answer: &TextAnswer) -> Said {
        match answer {
            TextAnswer::Found(text) => Said::new("get", string(text)),
            TextAnswer::Done => Self::asked(call),
        }
    }
}

impl Worded for Counter {
    fn asked(call: &CounterCall) -> Said {
        match call {
            CounterCall::Increment => Said::new("increment", "nil"),
            CounterCall::Add(delta) => Said::new("add", delta),
            CounterCall::Read => Said::new("read", "nil"),
        }
    }

    fn answered(call: &CounterCall, answer: &CounterAnswer) -> Said {
        match answer {
            CounterAnswer::Value(value) => Said { value: value.to_string(), ..Self::asked(call) },
            CounterAnswer::Done => Self::asked(call),
        }
    }
}

impl Worded for Capacity {
    fn asked(call: &CapacityCall) -> Said {
        match *call {
            CapacityCall::Reserve { order, units } => Said::new("reserve", units).with_some("order", order),
            CapacityCall::Release { order, units } => Said::new("release", units).with_some("order", order),
            CapacityCall::Read => Said::new("read", "nil"),
        }
    }

    fn answered(call: &CapacityCall, answer: &CapacityAnswer) -> Said {
        let asked = Self::asked(call);
        let under = |said: Said, terms: &Terms| {
            said.with_some("limit", terms.limit).with_some("version", terms.version)
        };
        match answer {
            CapacityAnswer::Accepted(terms) => under(asked, terms),
            CapacityAnswer::Rejected(terms) => under(asked, terms).refused(),
            CapacityAnswer::Released => asked,
            CapacityAnswer::NotHeld => asked.refused(),
            CapacityAnswer::Use(used) => Said { value: used.to_string(), ..asked },
        }
    }
}

impl Worded for Log {
    fn asked(call: &LogCall) -> Said {
        match *call {
            LogCall::Append(entry) => Said::new("append", entry),
            LogCall::ReadFrom(0) => Said::new("read", "nil"),
            LogCall::ReadFrom(offset) => Said::new("read", "nil").with("offset", offset),
            LogCall::ReadAt(offset) => Said::new("read-at", "nil").with("offset", offset),
        }
    }

    fn answered(call: &LogCall, answer: &LogAnswer) -> Said {
        let asked = Self::asked(call);
        match answer {
            LogAnswer::Appended => asked,
            LogAnswer::AppendedAt(offset) => asked.with("offset", offset),
            LogAnswer::Entries(entries) => {
                let entries: Vec<String> = entries.iter().map(i64::to_string).collect();
                Said { value: format!("[{}]", entries.join(" ")), ..asked }
            }
            LogAnswer::Entry(entry) => asked.found(*entry),
        }
    }
}

impl Worded for Mutex {
    fn asked(call: &MutexCall) -> Said {
        match call {
            MutexCall::Acquire => Said::new("acquire", "nil"),
            MutexCall::Release => Said::new("release", "nil"),
        }
    }

    fn answered(call: &MutexCall, answer: &MutexAnswer) -> Said {
        match answer {
            MutexAnswer::Done => Self::asked(call),
        }
    }
}

impl Worded for MultiRegister {
    fn asked(call: &Transaction) -> Said {
        Said::new("txn", parts(call, &[]))
    }

    fn answered(call: &Transaction, answer: &Reads) -> Said {
        let reads = (0..).zip(call.0.iter()).filter(|(_, part)| matches!(part, Part::Read { .. }));
        let absent: Vec<String> = reads
            .zip(answer.0.iter())
            .filter(|(_, found)| **found == Some(None))
            .map(|((place, _), _): ((u32, _), _)| place.to_string())
            .collect();
        let said = Said::new("txn", parts(call, &answer.0));
        if absent.is_empty() { said } else { said.with("absent", format!("[{}]", absent.join(" "))) }
    }
}

/// The parts of a transaction; each read with what it found. An answer that does not tell it has no value
/// there, for nil would be one.
fn parts(call: &Transaction, found: &[Option<Value>]) -> String {
    let mut found = found.iter();
    let mut parts = Vec::new();
    for part in call.0.iter() {
        parts.push(match part {
            Part::Read { name } => match found.next() {
                Some(None) => format!("[:read {}]", string(name)),
                told => format!("[:read {} {}]", string(name), written(told.copied().flatten().flatten())),
            },
            Part::Write { name, value: new } => format!("[:write {} {}]", string(name), written(*new)),
        });
    }
    format!("[{}]", parts.join(" "))
}
