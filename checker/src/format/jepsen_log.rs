//! The log of a Jepsen run: registers with compare-and-set.
//!
//! ```text
//!   INFO  jepsen.util - 3 :invoke :cas [1 2]
//!   INFO  jepsen.util - 3 :fail   :cas [1 2]      the register did not hold 1
//!   INFO  jepsen.util - 4 :info   :write :timed-out   process 4 is never heard of again
//! ```
//!
//! Lines of another shape, of the nemesis for example, are passed over.

use super::contents::Parsed;
use super::sink::Sink;
use super::source::Source;
use super::text::{Line, Token, Tokens};
use super::{FormatError, Model, Options};
use crate::history::{Builder, ClientId, HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall};

/// How many words may stand before the operation: level, time, thread.
const PREFIX_WORDS_MAX: usize = 8;
/// What a completion must be of.
const ASKED: &str = "what the process asked";

/// Reads a register, which starts at nil unless the options say otherwise.
///
/// # Errors
/// If a line of an operation is not as above, or the lines are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Parsed, FormatError> {
    let spec = Register { initial: options.register(None, Model::RegisterCas)? };
    let mut builder = Builder::default();
    while let Some(line) = source.line()? {
        if let Some((process, words)) = operation(line) {
            builder.at(SourcePlace::at_line(line.number));
            event(&mut builder, process, words)?;
        }
    }
    let history = Sink::finish(builder, "register");
    Ok(vec![Family { name: "register".to_owned(), kind: FamilyKind::Register { spec, history } }].into())
}

/// Whether the line is one of an operation, good or bad.
pub(super) fn is_operation(text: &str) -> bool {
    operation(Line { number: 1, text }).is_some()
}

/// The process of an operation, and the words after it.
fn operation(line: Line<'_>) -> Option<(Token<'_>, Tokens<'_>)> {
    if !line.text.contains("jepsen.util") {
        return None;
    }
    let mut words = line.tokens();
    for _ in 0..PREFIX_WORDS_MAX {
        let word = words.next();
        if word.text == "jepsen.util" && words.next().text == "-" {
            let process = words.next();
            let is_process = process.text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            return is_process.then_some((process, words));
        }
    }
    None
}

fn event(
    builder: &mut Builder<Register>,
    process: Token<'_>,
    mut words: Tokens<'_>,
) -> Result<(), FormatError> {
    let client = ClientId(process.number("the number of a process")?);
    let history = |error: HistoryError| FormatError::History { place: process.place(), error };
    let kind = words.next();
    let name = words.next();
    match kind.text {
        ":invoke" => {
            let call = call(name, &mut words)?;
            builder.invoke(client, call, 0).map(|_| ()).map_err(history)
        }
        ":ok" | ":fail" | ":info" => {
            let asked = *builder.open_call(client).map_err(history)?;
            if name.text != name_of(asked) {
                return Err(name.unexpected(ASKED));
            }
            match end(kind, asked, name, &mut words)? {
                End::Answer(answer) => builder.answer(client, answer, 0),
                End::DidNotHappen => builder.did_not_happen(client, 0),
                End::Unknown => builder.unknown(client),
            }
            .map_err(history)
        }
        _ => Err(kind.unexpected(":invoke, :ok, :fail or :info")),
    }
}

fn call(name: Token<'_>, words: &mut Tokens<'_>) -> Result<RegisterCall, FormatError> {
    let call = match name.text {
        ":read" => {
            let nothing = words.next();
            if !matches!(nothing.text, "nil" | "") {
                return Err(nothing.unexpected("nil"));
            }
            RegisterCall::Read
        }
        ":write" => RegisterCall::Write(words.next().value()?),
        ":cas" => {
            let (first, second) = (words.next(), words.next());
            let expected =
                first.without_start('[').ok_or_else(|| first.unexpected("[ and a value"))?.value()?;
            let new = second.without_end(']').ok_or_else(|| second.unexpected("a value and ]"))?.value()?;
            RegisterCall::CompareAndSet { expected, new }
        }
        _ => return Err(name.unexpected(":read, :write or :cas")),
    };
    words.end()?;
    Ok(call)
}

/// How an operation ended.
enum End {
    Answer(RegisterAnswer),
    DidNotHappen,
    Unknown,
}

fn end(
    kind: Token<'_>,
    asked: RegisterCall,
    name: Token<'_>,
    words: &mut Tokens<'_>,
) -> Result<End, FormatError> {
    match (kind.text, asked) {
        (":info", _) => Ok(End::Unknown),
        (":fail", RegisterCall::Read) => Ok(End::DidNotHappen),
        (":fail", RegisterCall::Write(_)) => {
            Err(kind.unexpected(":ok or :info, for a write that failed is not known in this format"))
        }
        (_, RegisterCall::Read) => {
            let value = words.next().value()?;
            words.end()?;
            Ok(End::Answer(RegisterAnswer::Value(value)))
        }
        (kind, RegisterCall::Write(_) | RegisterCall::CompareAndSet { .. }) => {
            let mut again = *words;
            if call(name, words)? != asked {
                return Err(again.next().unexpected(ASKED));
            }
            Ok(End::Answer(if kind == ":fail" { RegisterAnswer::Mismatch } else { RegisterAnswer::Done }))
        }
    }
}

fn name_of(call: RegisterCall) -> &'static str {
    match call {
        RegisterCall::Read => ":read",
        RegisterCall::Write(_) => ":write",
        RegisterCall::CompareAndSet { .. } => ":cas",
    }
}
