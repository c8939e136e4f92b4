//! Events of a generator as text, written as they come: formats `hist` and `kv`.

use std::io::{self, Write};

use counterclock_checker::history::ClientId;
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall};
use counterclock_checker::spec::counter::{Counter, CounterAnswer, CounterCall};
use counterclock_checker::spec::log::{Log, LogAnswer, LogCall};
use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use counterclock_checker::spec::text::{Text, TextAnswer, TextCall};

use super::recorder::{Question, Recorder};

/// Writes events to an output; the first error is kept for [`finish`](Self::finish).
pub(crate) struct Written<W> {
    output: W,
    keys: Keys,
    state: io::Result<()>,
}

/// Whether operations name their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    Named,
    Unnamed,
}

impl<W: Write> Written<W> {
    /// Begins with a header; none if it is empty.
    pub(crate) fn new(mut output: W, header: &str, keys: Keys) -> Self {
        let state = if header.is_empty() { Ok(()) } else { writeln!(output, "{header}") };
        Self { output, keys, state }
    }

    /// The output, if everything was written.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.state?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn line(&mut self, line: &str) {
        if self.state.is_ok() {
            self.state = writeln!(self.output, "{line}");
        }
    }
}

/// A model whose events can be written.
pub(crate) trait Lines: Spec {
    /// The line of an event; none if the format has none for it.
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, Self::Answer>,
        keys: Keys,
    ) -> Option<String>;
}

/// What the event is.
pub(crate) enum End<'a, A> {
    /// The question.
    Invoked,
    /// The answer.
    Answered(&'a A),
    /// That there is none.
    Unknown,
}

impl<S: Lines, W: Write> Recorder<S> for Written<W> {
    fn invoke(&mut self, client: ClientId, question: &Question<'_, S>) {
        self.event(client, question, End::Invoked);
    }

    fn answer(&mut self, client: ClientId, question: &Question<'_, S>, answer: &S::Answer) {
        self.event(client, question, End::Answered(answer));
    }

    fn unknown(&mut self, client: ClientId, question: &Question<'_, S>) {
        self.event(client, question, End::Unknown);
    }
}

impl<W: Write> Written<W> {
    fn event<S: Lines>(&mut self, client: ClientId, question: &Question<'_, S>, end: End<'_, S::Answer>) {
        if let Some(line) = S::line(client, question, end, self.keys) {
            self.line(&line);
        }
    }
}

fn shown(value: Value) -> String {
    value.map_or_else(|| "nil".to_owned(), |value| value.to_string())
}

fn mark<A>(end: &End<'_, A>, is_refusal: impl Fn(&A) -> bool) -> char {
    match end {
        End::Invoked => 'i',
        End::Answered(answer) if is_refusal(answer) => 'f',
        End::Answered(_) => 'o',
        End::Unknown => 'u',
    }
}

impl Lines for Register {
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, RegisterAnswer>,
        keys: Keys,
    ) -> Option<String> {
        let (names, key) = match keys {
            Keys::Named => (["get", "put", "cas"], format!(" {}", question.key)),
            Keys::Unnamed => (["r", "w", "c"], String::new()),
        };
        let mark = mark(&end, Self::is_refusal);
        Some(match (question.call, end) {
            (RegisterCall::Read, End::Answered(RegisterAnswer::Value(value))) => {
                format!("{client} {mark} {}{key} {}", names[0], shown(*value))
            }
            (RegisterCall::Read, _) => format!("{client} {mark} {}{key}", names[0]),
            (RegisterCall::Write(value), _) => {
                format!("{client} {mark} {}{key} {}", names[1], shown(*value))
            }
            (RegisterCall::CompareAndSet { expected, new }, _) => {
                format!("{client} {mark} {}{key} {} {}", names[2], shown(*expected), shown(*new))
            }
        })
    }
}

impl Lines for Counter {
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, CounterAnswer>,
        keys: Keys,
    ) -> Option<String> {
        assert!(keys == Keys::Unnamed, "the format has one counter a file");
        let mark = mark(&end, Self::is_refusal);
        let value = match end {
            End::Answered(CounterAnswer::Value(value)) => format!(" {value}"),
            End::Answered(CounterAnswer::Done) | End::Invoked | End::Unknown => String::new(),
        };
        Some(match question.call {
            CounterCall::Increment => format!("{client} {mark} inc{value}"),
            CounterCall::Add(delta) => format!("{client} {mark} add {delta}"),
            CounterCall::Read => format!("{client} {mark} read{value}"),
        })
    }
}

impl Lines for Capacity {
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, CapacityAnswer>,
        keys: Keys,
    ) -> Option<String> {
        assert!(keys == Keys::Unnamed, "the format has one counter a file");
        let mark = mark(&end, Self::is_refusal);
        Some(match (question.call, end) {
            (CapacityCall::Reserve { units, .. }, _) => format!("{client} {mark} res {units}"),
            (CapacityCall::Release { units, .. }, _) => format!("{client} {mark} rel {units}"),
            (CapacityCall::Read, End::Answered(CapacityAnswer::Use(used))) => {
                format!("{client} {mark} read {used}")
            }
            (CapacityCall::Read, _) => format!("{client} {mark} read"),
        })
    }
}

impl Lines for Log {
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, LogAnswer>,
        keys: Keys,
    ) -> Option<String> {
        assert!(keys == Keys::Unnamed, "the generators have one log");
        let mark = mark(&end, Self::is_refusal);
        let asked = match question.call {
            LogCall::Append(entry) => format!("append {entry}"),
            LogCall::ReadFrom(offset) => format!("read @{offset}.."),
            LogCall::ReadAt(offset) => format!("read @{offset}"),
        };
        let answer: String = match end {
            End::Answered(LogAnswer::AppendedAt(offset)) => format!(" @{offset}"),
            End::Answered(LogAnswer::Entries(entries)) => {
                entries.iter().map(|entry| format!(" {entry}")).collect()
            }
            End::Answered(LogAnswer::Entry(entry)) => format!(" {}", shown(*entry)),
            End::Answered(LogAnswer::Appended) | End::Invoked | End::Unknown => String::new(),
        };
        Some(format!("{client} {mark} {asked}{answer}"))
    }
}

/// Strings have a format of their own, `kv`, which has no line for an unknown outcome.
impl Lines for Text {
    fn line(
        client: ClientId,
        question: &Question<'_, Self>,
        end: End<'_, TextAnswer>,
        _keys: Keys,
    ) -> Option<String> {
        let kind = match &end {
            End::Invoked => ":invoke",
            End::Answered(_) => ":ok",
            End::Unknown => return None,
        };
        let (name, value) = match (question.call, end) {
            (TextCall::Get, End::Answered(TextAnswer::Found(text))) => (":get", format!("{text:?}")),
            (TextCall::Get, _) => (":get", "nil".to_owned()),
            (TextCall::Put(text), _) => (":put", format!("{text:?}")),
            (TextCall::Append(text), _) => (":append", format!("{text:?}")),
        };
        let key = question.key;
        Some(format!("{{:process {client}, :type {kind}, :f {name}, :key {key:?}, :value {value}}}"))
    }
}
