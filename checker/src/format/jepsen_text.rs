//! Operations as lines of text: Jepsen's `history.txt`, and the log of a run.
//!
//! ```text
//!   3    :invoke    :cas    [1 2]                                              history.txt, with tabs
//!   INFO  jepsen.util - 3    :fail    :cas    [1 2]                            jepsen.log: up to 2016,
//!   INFO [2017-07-14 07:00:58,463] jepsen worker 3 - jepsen.util 3  :ok  :read  2    on the console,
//!   2022-07-28 07:53:00,100{GMT}  INFO  [jepsen worker 4] jepsen.util: 4  :info  :write  1  :timeout    since
//!   :nemesis    :info    :start    [:isolated {"n1" #{"n2"}}]
//! ```
//!
//! A line of the log is one of an operation if a process and a type follow each other in it, whatever stands
//! in front of them; what follows the value is why it ended so. Other lines, those of exceptions for example,
//! are counted. In a `history.txt` every line is one of an operation. The models are those of `jepsen-edn`;
//! registers start at nil, and a read of nil found that. A failed compare-and-set found another value unless
//! the line says why it failed.
//!
//! Source: `op->str`, `prn-op` and `log-op` in `jepsen.util`.

mod head;

use super::contents::{Parsed, Reason};
use super::edn::{Edn, Field, Fields, Given, Item, Problem, Scanner, Stop, shortened};
use super::operations::{self, Declared, Items, Rules};
use super::source::Source;
use super::text::Line;
use super::{FormatError, Found, NemesisEvent, Options, Place};
use head::Head;

const OPERATION: &str = "an operation: process, type, name and value";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    History,
    Log,
}

/// Reads the objects of a file.
///
/// # Errors
/// If a line of an operation is not as above, or the lines are no history.
pub(super) fn read(source: &mut Source<'_>, form: Form, options: &Options) -> Result<Parsed, FormatError> {
    let mut lines = Lines { source, form, others: 0, first_ns: None };
    let rules = Rules::of_text(options.nil);
    let mut parsed = operations::read(&mut lines, None, rules, &Declared::default(), options)?;
    parsed.left_out.add_many(Reason::OtherLine, lines.others);
    Ok(parsed)
}

/// Whether the line is one of an operation in a history, good or bad.
pub(super) fn is_history_line(text: &str) -> bool {
    Head::of(text).is_some_and(|head| head.start == 0)
}

/// Whether the line is one of an operation in a log, good or bad.
pub(super) fn is_log_line(text: &str) -> bool {
    Head::of(text).is_some() || head::broken(text).is_some()
}

/// Whether a logger of Jepsen wrote the line.
pub(super) fn is_logger_line(text: &str) -> bool {
    let is_logger = |word: &str| word.starts_with("jepsen.");
    let is_level = |word: &str| matches!(word, "INFO" | "WARN" | "DEBUG" | "ERROR");
    let words = || text.split_ascii_whitespace().take(head::PREFIX_WORDS_MAX);
    words().any(is_level) && words().any(is_logger)
}

/// The lines of a file.
struct Lines<'s, 'a> {
    source: &'s mut Source<'a>,
    form: Form,
    /// How many lines are of no operation.
    others: u64,
    /// When the first operation was logged.
    first_ns: Option<u64>,
}

impl Items for Lines<'_, '_> {
    fn item(&mut self) -> Result<Option<Item>, FormatError> {
        while let Some(line) = self.source.line()? {
            if let Some(head) = Head::of(line.text).filter(|head| self.form == Form::Log || head.start == 0) {
                let at_ns = head.at_ns.map(|at| at.saturating_sub(*self.first_ns.get_or_insert(at)));
                return item(line, &head, at_ns).map(Some);
            }
            if let Some((part, expected)) = head::broken(line.text).filter(|_| self.form == Form::Log) {
                return Err(unexpected(line, part, expected));
            }
            match self.form {
                Form::History if line.text.trim().is_empty() => {}
                Form::History => return Err(unexpected(line, line.text.trim_start(), OPERATION)),
                Form::Log => self.others += 1,
            }
        }
        Ok(None)
    }
}

/// The error that a part of the line should be something else.
fn unexpected(line: Line<'_>, part: &str, expected: &'static str) -> FormatError {
    if part.is_empty() {
        let place = line.place(line.text.len());
        return FormatError::Unexpected { place, found: Found::EndOfLine, expected };
    }
    // It is a part of the text in memory, too.
    let offset = part.as_ptr().addr() - line.text.as_ptr().addr();
    FormatError::Unexpected { place: line.place(offset), found: Found::text(part), expected }
}

/// The operation of a line.
fn item(line: Line<'_>, head: &Head<'_>, at_ns: Option<u64>) -> Result<Item, FormatError> {
    let rest = head::without_thread(&line.text[head.end..]);
    let problem = |stop: Stop| problem(line, head.end, rest, stop);
    let mut scanner = Scanner::new(rest.as_bytes(), true);
    let word = scanner.next_value().map_err(problem)?;
    let Some((word, word_at)) = word else {
        let place = line.place(head.end + rest.len());
        return Err(FormatError::Unexpected { place, found: Found::EndOfLine, expected: "a name, as :read" });
    };
    if head.process == ":nemesis" {
        return Ok(Item::Nemesis(NemesisEvent {
            at_ns,
            position: 0,
            line: line.number,
            word: word.word().unwrap_or_default().to_owned(),
            value: shortened(rest[scanner.at()..].trim()),
        }));
    }
    let is_lenient = matches!(head.kind, ":fail" | ":info");
    let (value, value_at) = match scanner.next_value() {
        Ok(Some(found)) => found,
        Ok(None) if head.kind == ":ok" && is_read(&word) => {
            let place = line.place(head.end + rest.len());
            return Err(FormatError::Unexpected { place, found: Found::EndOfLine, expected: "a value" });
        }
        Ok(None) => (Edn::Nil, rest.len()),
        // Why it failed may stand in place of the value.
        Err(_) if is_lenient => (Edn::Nil, scanner.at()),
        Err(stop) => return Err(problem(stop)),
    };
    let after = rest.get(scanner.at()..).unwrap_or_default().trim();
    if head.kind == ":invoke" && !after.is_empty() {
        return Err(unexpected(line, after, "the end of the line"));
    }
    let given = |field, value, offset| Given { field, value, place: line.place(offset) };
    let process = head.process.parse().map_or_else(|_| Edn::Other(head.process.to_owned()), Edn::Integer);
    let kind = Edn::Keyword(head.kind.trim_start_matches(':').to_owned().into());
    let mut fields = vec![
        given(Field::Process, process, head.start),
        given(Field::Kind, kind, head.kind_at),
        given(Field::Word, word, head.end + word_at),
        given(Field::Value, value, head.end + value_at),
    ];
    fields.extend(at_ns.map(|at_ns| given(Field::Time, Edn::Integer(at_ns.into()), 0)));
    if !after.is_empty() {
        fields.push(given(Field::Error, Edn::Truth(true), head.end));
    }
    Fields { place: line.place(head.start), given: fields }.item()
}

fn is_read(word: &Edn) -> bool {
    matches!(word.word(), Some("read" | "get" | "r"))
}

/// The error of a value in the `rest` of a line, which begins at `from`.
fn problem(line: Line<'_>, from: usize, rest: &str, stop: Stop) -> FormatError {
    let Problem { from: start, to, expected } = match stop {
        Stop::Problem(problem) => problem,
        Stop::Incomplete => Problem { from: rest.len(), to: rest.len(), expected: Some("a value") },
    };
    let place: Place = line.place(from + start);
    match expected {
        None => FormatError::Deep { place, depth_max: super::edn::DEPTH_MAX },
        Some(expected) => {
            let text = rest.get(start..to).unwrap_or_default();
            let found = if text.is_empty() { Found::EndOfLine } else { Found::text(text) };
            FormatError::Unexpected { place, found, expected }
        }
    }
}
