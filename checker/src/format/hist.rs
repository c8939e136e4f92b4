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
//! | model | operations | answers |
//! |---|---|---|
//! | `register-cas` | `r`, `w v`, `c a b` | `o r v`; `f c`: another value was found |
//! | `kv` | `get k`, `put k v`, `cas k a b` | `o get k v`; `f cas k`: another value was found |
//! | `counter-inc` | `inc` | `o inc v`, the new value |
//! | `counter-rw` | `add d`, `read` | `o read v` |
//! | `bcounter` | `res n`, `rel n`, `read` | `o read n`; `f res`: no room |
//! | `mutex` | `acquire`, `release` | |
//! | `log` | `append v`, `read`, `read @n..`, `read @n` | `o append`, at offset n: `o append @n`; `o read v v …`, `o read @n v` or nil |
//! | `multi-register` | `txn` and its parts: `r x`, `w x v` | `o txn`, each read with its value, `?` if not known |
//!
//! A value is a whole number or `nil`; `init=` in the header is what registers and keys hold at first
//! (nil by default; 0 for `multi-register`). All else starts at 0, empty or free. `f` means that the
//! operation did not happen, but for the two refusals above. An end may repeat what was asked; then
//! it must be the same.

mod table;
mod words;

use super::options::Model;
use super::sink::Sink;
use super::source::Source;
use super::text::{Token, Tokens};
use super::{FormatError, Found, Options, Place};
use crate::history::{Builder, ClientId, HistoryError, SourcePlace};
use crate::judge::{Family, FamilyKind};
use crate::keyed::{KeyedBuilder, KeyedHistory};
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::{Register, Value};
use words::{AddAndRead, CallOf, HistoryOf, Increment, Keys, Registers, Words};

const SUPPORTED: &str = "register-cas, kv, counter-inc, counter-rw, bcounter, log, mutex, multi-register";
const ASKED: &str = "what the process asked";
const EVENTS: [&str; 4] = ["i", "o", "f", "u"];
const OPERATIONS: [&str; 15] = [
    "r", "w", "c", "get", "put", "cas", "inc", "add", "read", "res", "rel", "acquire", "release", "append",
    "txn",
];

/// Reads the objects of a file.
///
/// # Errors
/// If the model is not supported, a line is not as above, or the events are no history.
pub(super) fn read(source: &mut Source<'_>, options: &Options) -> Result<Vec<Family>, FormatError> {
    let mut header = Header::default();
    while let Some(line) = source.line()? {
        let mut words = line.tokens();
        let first = words.next();
        if let Some(field) = first.without_start('#') {
            header.line(field, words)?;
        } else if !first.text.is_empty() {
            if let Some(table) = &options.table {
                source.again();
                return table::read(source, table);
            }
            let model = header.model(first)?;
            source.again();
            return header.read(model, source, options);
        }
    }
    Ok(Vec::new())
}

pub(super) use table::is_line as is_line_of_table;

/// Whether the line is a header or an event, of whatever model.
pub(super) fn is_line(text: &str) -> bool {
    if let Some(header) = text.strip_prefix('#') {
        // A tag or a discard of EDN is no header.
        let word = header.split_ascii_whitespace().next().unwrap_or_default();
        return header.contains('=') && !header.starts_with('_') && !word.contains('{');
    }
    let mut words = text.split_ascii_whitespace();
    let is_process = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    is_process
        && words.next().is_some_and(|word| EVENTS.contains(&word))
        && words.next().is_some_and(|word| OPERATIONS.contains(&word))
}

/// What the lines that begin with `#` say.
#[derive(Default)]
struct Header {
    model: Option<Field>,
    initial: Option<Field>,
    capacity: Option<Field>,
}

/// The value of a field, and its place.
struct Field {
    text: String,
    place: Place,
}

impl Field {
    fn unexpected(&self, expected: &'static str) -> FormatError {
        FormatError::Unexpected { place: self.place, found: Found::text(&self.text), expected }
    }
}

impl Header {
    /// Fields of other names are free, and so is text.
    fn line(&mut self, first: Token<'_>, mut words: Tokens<'_>) -> Result<(), FormatError> {
        let mut field = first;
        loop {
            for (name, known) in
                [("model=", &mut self.model), ("init=", &mut self.initial), ("cap=", &mut self.capacity)]
            {
                if let Some(value) = field.without_word(name) {
                    if known.is_some() {
                        return Err(field.unexpected("each field of the header once"));
                    }
                    *known = Some(Field { text: value.text.to_owned(), place: value.place() });
                }
            }
            field = words.next();
            if field.text.is_empty() {
                return Ok(());
            }
        }
    }

    fn model(&self, first: Token<'_>) -> Result<Model, FormatError> {
        let Some(Field { text, place }) = &self.model else {
            return Err(first.unexpected("a header `# model=…` before the first operation"));
        };
        Model::named(text).ok_or_else(|| FormatError::UnknownModel {
            place: *place,
            model: text.clone(),
            supported: SUPPORTED,
        })
    }

    /// Reads the events that follow the header.
    fn read(
        &self,
        model: Model,
        source: &mut Source<'_>,
        options: &Options,
    ) -> Result<Vec<Family>, FormatError> {
        self.check_start(model, options)?;
        let (name, kind) = match model {
            Model::RegisterCas => {
                let spec = Register { initial: self.register(None, model, options)? };
                ("register", FamilyKind::Register { spec, history: alone::<Registers>(source, "register")? })
            }
            Model::Kv => {
                let spec = Register { initial: self.register(None, model, options)? };
                ("kv", FamilyKind::KeyValue { spec, history: keyed::<Keys>(source)? })
            }
            Model::CounterInc => {
                let spec = Counter { kind: CounterKind::Increment };
                ("counter", FamilyKind::Counter { spec, history: alone::<Increment>(source, "counter")? })
            }
            Model::CounterRw => {
                let spec = Counter { kind: CounterKind::AddAndRead };
                ("counter", FamilyKind::Counter { spec, history: alone::<AddAndRead>(source, "counter")? })
            }
            Model::Bcounter => ("counter", self.capacity(source)?),
            Model::Log => ("log", FamilyKind::AppendLog { spec: Log, history: alone::<Log>(source, "log")? }),
            Model::Mutex => {
                ("mutex", FamilyKind::Mutex { spec: Mutex, history: alone::<Mutex>(source, "mutex")? })
            }
            Model::MultiRegister => {
                let default = MultiRegister::default().initial;
                let spec = MultiRegister { initial: self.register(default, model, options)? };
                let history = alone::<MultiRegister>(source, "registers")?;
                ("registers", FamilyKind::MultiRegister { spec, history })
            }
        };
        Ok(vec![Family { name: name.to_owned(), kind }])
    }

    /// A fixed start may be said in the header, but not be another.
    fn check_start(&self, model: Model, options: &Options) -> Result<(), FormatError> {
        options.check_start(model)?;
        match &self.initial {
            Some(Field { text, .. }) if !model.has_initial() && text != "0" => {
                let place = self.model.as_ref().map_or(Place::START, |field| field.place);
                Err(FormatError::FixedStart { place, model: model.name() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What registers hold at first.
    fn register(&self, default: Value, model: Model, options: &Options) -> Result<Value, FormatError> {
        let own = match &self.initial {
            None => default,
            Some(Field { text, .. }) if text == "nil" => None,
            Some(Field { text, place }) => {
                let wrong = || FormatError::WrongStart {
                    place: *place,
                    initial: text.clone(),
                    model: model.name(),
                    expected: "nil or a whole number",
                };
                Some(text.parse().map_err(|_| wrong())?)
            }
        };
        options.register(own, model)
    }

    fn capacity(&self, source: &mut Source<'_>) -> Result<FamilyKind, FormatError> {
        let model = self.model.as_ref().expect("the model was read from this header");
        let Some(field) = &self.capacity else {
            return Err(model.unexpected("cap=… in the header beside it"));
        };
        let capacity = field.text.parse().map_err(|_| field.unexpected("a number of units"))?;
        Ok(FamilyKind::Capacity {
            spec: Capacity { capacity: Some(capacity) },
            history: alone::<Capacity>(source, "counter")?,
            witness: std::collections::BTreeMap::new(),
            schedule: None,
            uncertainty_ns: 0,
        })
    }
}

/// The events on the one object there is.
fn alone<W: Words>(source: &mut Source<'_>, name: &str) -> Result<HistoryOf<W>, FormatError> {
    events::<W, Builder<W::Model>>(source, name)
}

/// The events on objects under keys.
fn keyed<W: Words>(source: &mut Source<'_>) -> Result<HistoryOf<W>, FormatError> {
    events::<W, KeyedBuilder<W::Model>>(source, "")
}

fn events<W: Words, B: Sink<W::Model>>(
    source: &mut Source<'_>,
    name: &str,
) -> Result<KeyedHistory<W::Model>, FormatError> {
    let mut sink = B::default();
    while let Some(line) = source.line()? {
        let mut words = line.tokens();
        let process = words.next();
        if !process.text.is_empty() && !process.text.starts_with('#') {
            sink.at(SourcePlace::at_line(line.number));
            event::<W, B>(&mut sink, process, words)?;
        }
    }
    Ok(sink.finish(name))
}

fn event<W: Words, B: Sink<W::Model>>(
    sink: &mut B,
    process: Token<'_>,
    mut words: Tokens<'_>,
) -> Result<(), FormatError> {
    let client = ClientId(process.number("the number of a process")?);
    let history = |error: HistoryError| FormatError::History { place: process.place(), error };
    let kind = words.next();
    match kind.text {
        "i" => {
            let name = words.next();
            W::check_name(name)?;
            let key = if W::IS_KEYED { words.next().filled("a key")?.text } else { "" };
            let call = W::call(name, &mut words)?;
            words.end()?;
            sink.invoke(client, key, call, 0).map_err(history)
        }
        "o" | "f" | "u" => {
            let asked = sink.open_call(client).map_err(history)?;
            let name = words.next();
            if name.text != W::name(asked) {
                return Err(name.unexpected(ASKED));
            }
            let key = words.peek();
            if W::IS_KEYED && !key.text.is_empty() {
                words.next();
                if !sink.is_open_on(client, key.text) {
                    return Err(key.unexpected(ASKED));
                }
            }
            let answer = match kind.text {
                "o" => Some(W::answer(asked, name, &mut words)?),
                _ => {
                    gave_up::<W>(asked, name, &mut words)?;
                    W::refused(asked).filter(|_| kind.text == "f")
                }
            };
            match answer {
                Some(answer) => sink.answer(client, answer, 0),
                None if kind.text == "f" => sink.did_not_happen(client, 0),
                None => sink.unknown(client),
            }
            .map_err(history)
        }
        _ => Err(kind.unexpected("i, o, f or u")),
    }
}

/// What follows an end without an answer: nothing, or the question again; after a read, anything.
fn gave_up<W: Words>(asked: &CallOf<W>, name: Token<'_>, words: &mut Tokens<'_>) -> Result<(), FormatError> {
    if W::is_answered_by_value(asked) { Ok(()) } else { words::repeated::<W>(asked, name, words) }
}
