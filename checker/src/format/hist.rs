//! Compact text: a header, then an event a line.
//!
//! ```text
//!   # model=register-cas init=nil          # model=bcounter cap=10
//!   0 i w 1        process 0 asks          0 i res 3
//!   1 i r                                  1 i read
//!   0 o w          it is done              0 f res       no room: an observation
//!   1 o r 1        the answer              1 o read 7
//!   2 u c 1 2      outcome unknown         2 f rel 3     did not happen
//! ```
//!
//! An end may repeat what was asked; then it must be the same.

use super::text::{Lines, Token, Tokens};
use super::{FormatError, Value};
use crate::history::{Builder, ClientId, History, HistoryError};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

const SUPPORTED: &str = "register-cas, bcounter";
const ASKED: &str = "what the process asked";
const EVENTS: [&str; 4] = ["i", "o", "f", "u"];
const OPERATIONS: [&str; 11] = ["r", "w", "c", "get", "put", "cas", "inc", "add", "read", "res", "rel"];

/// Reads the object of a file; `initial` replaces what the header says.
///
/// # Errors
/// If the model is not supported, a line is not as above, or the events are no history.
pub fn read(bytes: &[u8], initial: Option<Value>) -> Result<Vec<Family>, FormatError> {
    let mut header = Header::default();
    let mut lines = Lines::new(bytes);
    while let Some(line) = lines.next() {
        let line = line?;
        let mut words = line.tokens();
        let first = words.next();
        if let Some(field) = first.without_start('#') {
            header.line(field, words)?;
        } else if !first.text.is_empty() {
            return header.object(first, initial)?.read(Lines::from(line, lines));
        }
    }
    Ok(Vec::new())
}

/// Whether the line is a header or an event, of whatever model.
pub(super) fn is_line(text: &str) -> bool {
    if text.starts_with('#') {
        return text.contains('=');
    }
    let mut words = text.split_whitespace();
    let is_process = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    is_process
        && words.next().is_some_and(|word| EVENTS.contains(&word))
        && words.next().is_some_and(|word| OPERATIONS.contains(&word))
}

/// What the lines that begin with `#` say.
#[derive(Default)]
struct Header<'a> {
    model: Option<Token<'a>>,
    initial: Option<Token<'a>>,
    capacity: Option<Token<'a>>,
}

/// The object of a file.
enum Object {
    Register(Register),
    Capacity(Capacity),
}

impl<'a> Header<'a> {
    /// Fields of other names are free, and so is text.
    fn line(&mut self, first: Token<'a>, mut words: Tokens<'a>) -> Result<(), FormatError> {
        let mut field = first;
        loop {
            for (name, place) in
                [("model=", &mut self.model), ("init=", &mut self.initial), ("cap=", &mut self.capacity)]
            {
                if let Some(value) = field.without_word(name) {
                    if place.is_some() {
                        return Err(field.unexpected("each field of the header once"));
                    }
                    *place = Some(value);
                }
            }
            field = words.next();
            if field.text.is_empty() {
                return Ok(());
            }
        }
    }

    fn object(&self, first: Token<'_>, initial: Option<Value>) -> Result<Object, FormatError> {
        let Some(model) = self.model else {
            return Err(first.unexpected("a header `# model=…` before the first operation"));
        };
        match model.text {
            "register-cas" => {
                let own = self.initial.map(|value| value.value()).transpose()?;
                Ok(Object::Register(Register { initial: initial.or(own).unwrap_or_default() }))
            }
            "bcounter" => {
                let own = self.initial.map(|value| value.value()).transpose()?;
                if !matches!(initial.or(own), None | Some(Some(0))) {
                    return Err(FormatError::FixedStart { place: model.place(), model: "bcounter" });
                }
                let Some(capacity) = self.capacity else {
                    return Err(model.unexpected("cap=… in the header beside it"));
                };
                Ok(Object::Capacity(Capacity { capacity: Some(capacity.number("a number of units")?) }))
            }
            _ => Err(FormatError::UnknownModel {
                place: model.place(),
                model: model.text.to_owned(),
                supported: SUPPORTED,
            }),
        }
    }
}

impl Object {
    fn read(self, lines: Lines<'_>) -> Result<Vec<Family>, FormatError> {
        let (name, kind) = match self {
            Self::Register(spec) => {
                let history = KeyedHistory::single("register", events(lines)?);
                ("register", FamilyKind::Register { spec, history })
            }
            Self::Capacity(spec) => {
                let history = KeyedHistory::single("counter", events(lines)?);
                let witness = std::collections::BTreeMap::new();
                let kind = FamilyKind::Capacity { spec, history, witness, schedule: None, uncertainty_ns: 0 };
                ("counter", kind)
            }
        };
        Ok(vec![Family { name: name.to_owned(), kind }])
    }
}

fn events<S: Worded>(lines: Lines<'_>) -> Result<History<S>, FormatError> {
    let mut builder = Builder::default();
    for line in lines {
        let mut words = line?.tokens();
        let process = words.next();
        if !process.text.is_empty() && !process.text.starts_with('#') {
            event(&mut builder, process, words)?;
        }
    }
    Ok(builder.finish())
}

fn event<S: Worded>(
    builder: &mut Builder<S>,
    process: Token<'_>,
    mut words: Tokens<'_>,
) -> Result<(), FormatError> {
    let client = ClientId(process.number("the number of a process")?);
    let history = |error: HistoryError| FormatError::History { place: process.place(), error };
    let kind = words.next();
    if !EVENTS.contains(&kind.text) {
        return Err(kind.unexpected("i, o, f or u"));
    }
    let name = words.next();
    if kind.text == "i" {
        let call = S::call(name, &mut words)?;
        words.end()?;
        return builder.invoke(client, call, 0).map(|_| ()).map_err(history);
    }
    let asked = builder.open_call(client).map_err(history)?;
    if name.text != S::name(asked) {
        return Err(name.unexpected(ASKED));
    }
    let answer = match kind.text {
        "o" => Some(S::done(asked, name, &mut words)?),
        _ => {
            repeated::<S>(asked, name, &mut words)?;
            S::refused(asked).filter(|_| kind.text == "f")
        }
    };
    match answer {
        Some(answer) => builder.answer(client, answer, 0),
        None if kind.text == "f" => builder.did_not_happen(client, 0),
        None => builder.unknown(client),
    }
    .map_err(history)
}

/// What follows an end: nothing, or the question again. Whatever follows a read is passed over.
fn repeated<S: Worded>(asked: &S::Call, name: Token<'_>, words: &mut Tokens<'_>) -> Result<(), FormatError> {
    let first = { *words }.next();
    if first.text.is_empty() || S::is_read(asked) {
        return Ok(());
    }
    let again = S::call(name, words)?;
    if again == *asked { words.end() } else { Err(first.unexpected(ASKED)) }
}

/// A model whose operations have words in this format.
trait Worded: Spec {
    /// The question that `name` and the words after it ask.
    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<Self::Call, FormatError>;

    /// The word for a question.
    fn name(call: &Self::Call) -> &'static str;

    /// Whether its answer is a value.
    fn is_read(call: &Self::Call) -> bool;

    /// The answer on an `o` line.
    fn done(asked: &Self::Call, name: Token<'_>, words: &mut Tokens<'_>)
    -> Result<Self::Answer, FormatError>;

    /// The answer on an `f` line, if that is one; else the operation did not happen.
    fn refused(asked: &Self::Call) -> Option<Self::Answer>;
}

impl Worded for Register {
    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<RegisterCall, FormatError> {
        match name.text {
            "r" => Ok(RegisterCall::Read),
            "w" => Ok(RegisterCall::Write(words.next().value()?)),
            "c" => {
                let expected = words.next().value()?;
                Ok(RegisterCall::CompareAndSet { expected, new: words.next().value()? })
            }
            _ => Err(name.unexpected("r, w or c")),
        }
    }

    fn name(call: &RegisterCall) -> &'static str {
        match call {
            RegisterCall::Read => "r",
            RegisterCall::Write(_) => "w",
            RegisterCall::CompareAndSet { .. } => "c",
        }
    }

    fn is_read(call: &RegisterCall) -> bool {
        matches!(call, RegisterCall::Read)
    }

    fn done(
        asked: &RegisterCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<RegisterAnswer, FormatError> {
        if Self::is_read(asked) {
            let value = words.next().value()?;
            words.end()?;
            return Ok(RegisterAnswer::Value(value));
        }
        repeated::<Self>(asked, name, words)?;
        Ok(RegisterAnswer::Done)
    }

    fn refused(asked: &RegisterCall) -> Option<RegisterAnswer> {
        matches!(asked, RegisterCall::CompareAndSet { .. }).then_some(RegisterAnswer::Mismatch)
    }
}

impl Worded for Capacity {
    fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<CapacityCall, FormatError> {
        let mut units = || words.next().number("a number of units");
        match name.text {
            "res" => Ok(CapacityCall::Reserve { order: None, units: units()? }),
            "rel" => Ok(CapacityCall::Release { order: None, units: units()? }),
            "read" => Ok(CapacityCall::Read),
            _ => Err(name.unexpected("res, rel or read")),
        }
    }

    fn name(call: &CapacityCall) -> &'static str {
        match call {
            CapacityCall::Reserve { .. } => "res",
            CapacityCall::Release { .. } => "rel",
            CapacityCall::Read => "read",
        }
    }

    fn is_read(call: &CapacityCall) -> bool {
        matches!(call, CapacityCall::Read)
    }

    fn done(
        asked: &CapacityCall,
        name: Token<'_>,
        words: &mut Tokens<'_>,
    ) -> Result<CapacityAnswer, FormatError> {
        match asked {
            CapacityCall::Read => {
                let used = words.next().number("a number of units")?;
                words.end()?;
                Ok(CapacityAnswer::Use(used))
            }
            CapacityCall::Reserve { .. } => {
                repeated::<Self>(asked, name, words)?;
                Ok(CapacityAnswer::Accepted(Terms::default()))
            }
            CapacityCall::Release { .. } => {
                repeated::<Self>(asked, name, words)?;
                Ok(CapacityAnswer::Released)
            }
        }
    }

    fn refused(asked: &CapacityCall) -> Option<CapacityAnswer> {
        matches!(asked, CapacityCall::Reserve { .. }).then(|| CapacityAnswer::Rejected(Terms::default()))
    }
}
