//! Lines to families.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::model::{Ending, Lined};
use super::record::{DeliveryLine, Event, Head, Kind, Order, ReadLine, ReaderLine};
use super::records::grow_records;
use super::{Declaration, FORMAT, Header, KeyValues, Model, Shares, VERSION};
use crate::admission::LimitSchedule;
use crate::format::source::Source;
use crate::format::text::Line;
use crate::format::{FormatError, Found, Options, Place, options};
use crate::history::{ClientId, OperationIndex, SourcePlace};
use crate::judge::{Family, FamilyKind, Records};
use crate::keyed::KeyedBuilder;
use crate::replication::{Delivery, LogHistory, Reader};
use crate::session::Read;
use crate::spec::Spec;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::kinds::Kinds;
use crate::spec::log::Log as AppendLog;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::revisions::Revisions;
use crate::spec::text::Text;
use crate::switch_timing::{Promise, SwitchHistory};

/// Reads what [`write`](super::write) wrote.
///
/// # Errors
/// If a line is not JSON of this format, or the events are no history.
pub fn read(mut bytes: &[u8]) -> Result<Vec<Family>, FormatError> {
    read_source(&mut Source::new(&mut bytes), &Options::default())
}

/// The same, as it comes; what is given as initial value replaces that of the header.
pub(in crate::format) fn read_source(
    source: &mut Source<'_>,
    options: &Options,
) -> Result<Vec<Family>, FormatError> {
    let mut families: Option<Vec<Growing>> = None;
    while let Some(line) = source.line()? {
        if line.text.trim_ascii().is_empty() {
            continue;
        }
        match &mut families {
            None => families = Some(header(line)?),
            Some(families) => record(families, line)?,
        }
    }
    match families {
        Some(families) => with_initial(families.into_iter().map(Growing::finish).collect(), options),
        None => Err(no_header(Place::START, Found::EndOfLine)),
    }
}

/// The same families, but for what their objects hold at first. At least one must be of such a model.
fn with_initial(mut families: Vec<Family>, options: &Options) -> Result<Vec<Family>, FormatError> {
    if options.initial.is_none() {
        return Ok(families);
    }
    let mut is_taken = false;
    for family in &mut families {
        match &mut family.kind {
            FamilyKind::Register { spec, .. } => {
                spec.initial = options.register(None, options::Model::RegisterCas)?;
            }
            FamilyKind::KeyValue { spec, .. } => spec.initial = options.register(None, options::Model::Kv)?,
            FamilyKind::Text { spec, .. } => spec.initial = options.text()?,
            FamilyKind::MultiRegister { spec, .. } => {
                spec.initial = options.register(None, options::Model::MultiRegister)?;
            }
            FamilyKind::Counter { .. }
            | FamilyKind::Tally { .. }
            | FamilyKind::AppendLog { .. }
            | FamilyKind::Mutex { .. }
            | FamilyKind::Table { .. }
            | FamilyKind::Revisions { .. }
            | FamilyKind::Capacity { .. }
            | FamilyKind::Kinds { .. }
            | FamilyKind::Switch { .. }
            | FamilyKind::Log(_)
            | FamilyKind::Reads(_)
            | FamilyKind::Records(_) => continue,
        }
        is_taken = true;
    }
    match families.first() {
        Some(family) if !is_taken => {
            Err(FormatError::FixedStart { place: Place::START, model: family.kind.model() })
        }
        Some(_) | None => Ok(families),
    }
}

fn header(line: Line<'_>) -> Result<Vec<Growing>, FormatError> {
    if !super::is_header(line.text) {
        return Err(no_header(line.place(0), Found::text(line.text)));
    }
    let header: Header = json(line)?;
    if header.format != FORMAT {
        return Err(no_header(place_of(line, "format"), Found::text(&header.format)));
    }
    if header.version != VERSION {
        let found = Found::text(&header.version.to_string());
        return Err(FormatError::Unexpected {
            place: place_of(line, "version"),
            found,
            expected: "version 1",
        });
    }
    let mut families: Vec<Growing> = Vec::new();
    for declaration in header.families {
        let name = &declaration.name;
        if families.iter().any(|family| family.name == *name) {
            return Err(FormatError::DeclaredTwice { place: line.place(0), name: name.clone() });
        }
        families.push(Growing::new(declaration));
    }
    Ok(families)
}

fn no_header(place: Place, found: Found) -> FormatError {
    let expected = "a header {\"format\":\"counterclock-history\",\"version\":1,\"families\":[…]}";
    FormatError::Unexpected { place, found, expected }
}

/// A family while it is read.
struct Growing {
    name: String,
    kind: GrowingKind,
}

enum GrowingKind {
    Register { spec: Register, builder: KeyedBuilder<Register> },
    KeyValue { spec: Register, builder: KeyedBuilder<Register> },
    Text { spec: Text, builder: KeyedBuilder<Text> },
    Counter { spec: Counter, builder: KeyedBuilder<Counter> },
    Tally { builder: KeyedBuilder<Counter>, settled_ns: u64 },
    AppendLog(KeyedBuilder<AppendLog>),
    Mutex(KeyedBuilder<Mutex>),
    Revisions(KeyedBuilder<Revisions>),
    MultiRegister { spec: MultiRegister, builder: KeyedBuilder<MultiRegister> },
    Capacity(GrowingCapacity<Capacity>),
    Kinds(GrowingCapacity<Kinds>),
    Switch { history: SwitchHistory, promise: Promise },
    Log(LogHistory),
    Reads(Vec<Read>),
    Records(Records),
}

struct GrowingCapacity<S: Spec> {
    spec: S,
    builder: KeyedBuilder<S>,
    witness: BTreeMap<String, Vec<OperationIndex>>,
    schedule: Option<LimitSchedule>,
    uncertainty_ns: u64,
}

impl<S: Spec> GrowingCapacity<S> {
    fn new(spec: S, schedule: Option<Vec<(u64, u64)>>, uncertainty_ns: u64) -> Self {
        let schedule = schedule.map(|steps| LimitSchedule { steps });
        Self { spec, builder: KeyedBuilder::default(), witness: BTreeMap::new(), schedule, uncertainty_ns }
    }
}

impl GrowingKind {
    fn counter(kind: CounterKind) -> Self {
        Self::Counter { spec: Counter { kind }, builder: KeyedBuilder::default() }
    }
}

impl Growing {
    fn new(declaration: Declaration) -> Self {
        let kind = match declaration.model {
            Model::RegisterCas { init } => {
                GrowingKind::Register { spec: Register { initial: init }, builder: KeyedBuilder::default() }
            }
            Model::Kv(KeyValues::Numbers { init }) => {
                GrowingKind::KeyValue { spec: Register { initial: init }, builder: KeyedBuilder::default() }
            }
            Model::Kv(KeyValues::Text { init }) => {
                GrowingKind::Text { spec: Text { initial: init.into() }, builder: KeyedBuilder::default() }
            }
            Model::CounterInc => GrowingKind::counter(CounterKind::Increment),
            Model::CounterRw => GrowingKind::counter(CounterKind::AddAndRead),
            Model::Tally { settled_ns } => {
                GrowingKind::Tally { builder: KeyedBuilder::default(), settled_ns }
            }
            Model::AppendLog => GrowingKind::AppendLog(KeyedBuilder::default()),
            Model::Mutex => GrowingKind::Mutex(KeyedBuilder::default()),
            Model::KvRevisions => GrowingKind::Revisions(KeyedBuilder::default()),
            Model::MultiRegister { init } => GrowingKind::MultiRegister {
                spec: MultiRegister { initial: init },
                builder: KeyedBuilder::default(),
            },
            Model::Capacity { capacity, uncertainty_ns, schedule } => {
                GrowingKind::Capacity(GrowingCapacity::new(Capacity { capacity }, schedule, uncertainty_ns))
            }
            Model::Kinds { kinds: Shares(shares), capacity, uncertainty_ns, schedule } => {
                let spec = Kinds { shares, capacity };
                GrowingKind::Kinds(GrowingCapacity::new(spec, schedule, uncertainty_ns))
            }
            Model::Switch { promise, healed_ns, ended_ns, load } => {
                let history = SwitchHistory { healed_ns, ended_ns, load, ..SwitchHistory::default() };
                GrowingKind::Switch { history, promise }
            }
            Model::Log => GrowingKind::Log(LogHistory::default()),
            Model::Reads => GrowingKind::Reads(Vec::new()),
            Model::Locks { promise } => GrowingKind::Records(Records::Locks { records: Vec::new(), promise }),
            Model::Commits => GrowingKind::Records(Records::Commits(Vec::new())),
            Model::Accounts { end } => GrowingKind::Records(Records::Accounts { records: Vec::new(), end }),
            Model::Table { .. } => unreachable!("a declaration of a table is not deserialized"),
            Model::Chain { rules } => GrowingKind::Records(Records::Chain { records: Vec::new(), rules }),
        };
        Self { name: declaration.name, kind }
    }

    fn finish(self) -> Family {
        let kind = match self.kind {
            GrowingKind::Register { spec, builder } => {
                FamilyKind::Register { spec, history: builder.finish() }
            }
            GrowingKind::KeyValue { spec, builder } => {
                FamilyKind::KeyValue { spec, history: builder.finish() }
            }
            GrowingKind::Text { spec, builder } => FamilyKind::Text { spec, history: builder.finish() },
            GrowingKind::Counter { spec, builder } => FamilyKind::Counter { spec, history: builder.finish() },
            GrowingKind::Tally { builder, settled_ns } => {
                FamilyKind::Tally { history: builder.finish(), settled_ns }
            }
            GrowingKind::AppendLog(builder) => {
                FamilyKind::AppendLog { spec: AppendLog, history: builder.finish() }
            }
            GrowingKind::Mutex(builder) => FamilyKind::Mutex { spec: Mutex, history: builder.finish() },
            GrowingKind::Revisions(builder) => {
                FamilyKind::Revisions { spec: Revisions, history: builder.finish() }
            }
            GrowingKind::MultiRegister { spec, builder } => {
                FamilyKind::MultiRegister { spec, history: builder.finish() }
            }
            GrowingKind::Capacity(capacity) => FamilyKind::Capacity {
                spec: capacity.spec,
                history: capacity.builder.finish(),
                witness: capacity.witness,
                schedule: capacity.schedule,
                uncertainty_ns: capacity.uncertainty_ns,
            },
            GrowingKind::Kinds(kinds) => FamilyKind::Kinds {
                spec: kinds.spec,
                history: kinds.builder.finish(),
                witness: kinds.witness,
                schedule: kinds.schedule,
                uncertainty_ns: kinds.uncertainty_ns,
            },
            GrowingKind::Switch { history, promise } => FamilyKind::Switch { history, promise },
            GrowingKind::Log(history) => FamilyKind::Log(history),
            GrowingKind::Reads(reads) => FamilyKind::Reads(reads),
            GrowingKind::Records(records) => FamilyKind::Records(records),
        };
        Family { name: self.name, kind }
    }
}

fn record(families: &mut [Growing], line: Line<'_>) -> Result<(), FormatError> {
    let head: Head<'_> = json(line)?;
    let Some(family) = families.iter_mut().find(|family| family.name == head.family) else {
        return Err(undeclared(line, "this line", &head));
    };
    if head.kind == Kind::Invoke || is_end(head.kind) {
        return family.operation(line, head.kind).unwrap_or_else(|| undeclared_type(line, &head));
    }
    match (&mut family.kind, head.kind) {
        (GrowingKind::Capacity(capacity), Kind::Order) => order(&mut capacity.witness, line),
        (GrowingKind::Kinds(kinds), Kind::Order) => order(&mut kinds.witness, line),
        (GrowingKind::Switch { history, .. }, Kind::Publication) => grow(&mut history.publications, line),
        (GrowingKind::Switch { history, .. }, Kind::Task) => grow(&mut history.tasks, line),
        (GrowingKind::Switch { history, .. }, Kind::Adoption) => grow(&mut history.adoptions, line),
        (GrowingKind::Switch { history, .. }, Kind::StoreRead) => grow(&mut history.store_reads, line),
        (GrowingKind::Log(history), Kind::Append) => grow(&mut history.appends, line),
        (GrowingKind::Log(history), Kind::Reader) => reader(&mut history.readers, line),
        (GrowingKind::Log(history), Kind::Delivery) => delivery(&mut history.readers, line),
        (GrowingKind::Reads(reads), Kind::Read) => {
            let ReadLine { client, server, at: at_ns, position, access } = json(line)?;
            reads.push(Read { client, server, at_ns, position, access });
            Ok(())
        }
        (GrowingKind::Records(records), kind) => {
            grow_records(records, kind, line).unwrap_or_else(|| undeclared_type(line, &head))
        }
        _ => undeclared_type(line, &head),
    }
}

fn undeclared_type(line: Line<'_>, head: &Head<'_>) -> Result<(), FormatError> {
    Err(undeclared(line, "a line of this type", head))
}

impl Growing {
    /// The line as an event of an operation; none if the family has no operations.
    fn operation(&mut self, line: Line<'_>, kind: Kind) -> Option<Result<(), FormatError>> {
        Some(match &mut self.kind {
            GrowingKind::Register { builder, .. } | GrowingKind::KeyValue { builder, .. } => {
                operation(builder, line, kind)
            }
            GrowingKind::Text { builder, .. } => operation(builder, line, kind),
            GrowingKind::Counter { builder, .. } | GrowingKind::Tally { builder, .. } => {
                operation(builder, line, kind)
            }
            GrowingKind::AppendLog(builder) => operation(builder, line, kind),
            GrowingKind::Mutex(builder) => operation(builder, line, kind),
            GrowingKind::Revisions(builder) => operation(builder, line, kind),
            GrowingKind::MultiRegister { builder, .. } => operation(builder, line, kind),
            GrowingKind::Capacity(capacity) => operation(&mut capacity.builder, line, kind),
            GrowingKind::Kinds(kinds) => operation(&mut kinds.builder, line, kind),
            GrowingKind::Switch { .. }
            | GrowingKind::Log(_)
            | GrowingKind::Reads(_)
            | GrowingKind::Records(_) => return None,
        })
    }
}

fn operation<S: Lined>(builder: &mut KeyedBuilder<S>, line: Line<'_>, kind: Kind) -> Result<(), FormatError> {
    builder.at(SourcePlace::at_line(line.number));
    if kind == Kind::Invoke { invoke(builder, line) } else { end(builder, line, kind) }
}

fn is_end(kind: Kind) -> bool {
    matches!(kind, Kind::Ok | Kind::Refused | Kind::Fail | Kind::Info)
}

fn invoke<S: Lined>(builder: &mut KeyedBuilder<S>, line: Line<'_>) -> Result<(), FormatError> {
    let event: Event<'_> = json(line)?;
    let Some(call) = S::call(&event.f, event.value) else {
        let found = Found::text(&event.f);
        return Err(FormatError::Unexpected { place: place_of(line, "f"), found, expected: S::CALLS });
    };
    let invoked = builder.invoke(ClientId(event.process), &event.key, call, event.at);
    invoked.map(|_| ()).map_err(|error| FormatError::History { place: place_of(line, "process"), error })
}

fn end<S: Lined>(builder: &mut KeyedBuilder<S>, line: Line<'_>, kind: Kind) -> Result<(), FormatError> {
    let event: Event<'_> = json(line)?;
    let client = ClientId(event.process);
    let history = |error| FormatError::History { place: place_of(line, "process"), error };
    let call = builder.open_call(client).map_err(history)?;
    if !event.f.is_empty() && S::asked(call).0 != event.f {
        let found = Found::text(&event.f);
        let expected = "what the process asked";
        return Err(FormatError::Unexpected { place: place_of(line, "f"), found, expected });
    }
    let ending = match kind {
        Kind::Fail => return builder.did_not_happen(client, event.at).map_err(history),
        Kind::Info => return builder.unknown(client).map_err(history),
        Kind::Refused => Ending::Refused,
        _ => Ending::Ok,
    };
    let answer = S::answer(call, ending, event.value).map_err(|expected| {
        let field = if line.text.contains("\"value\"") { "value" } else { "type" };
        let offset = offset_of(line, field);
        let found = Found::text(&line.text[offset..]);
        FormatError::Unexpected { place: line.place(offset), found, expected }
    })?;
    builder.answer(client, answer, event.at).map_err(history)
}

fn order(witness: &mut BTreeMap<String, Vec<OperationIndex>>, line: Line<'_>) -> Result<(), FormatError> {
    let order: Order<'_> = json(line)?;
    let numbers = order.value.iter().map(|number| OperationIndex(*number));
    witness.entry(order.key.into_owned()).or_default().extend(numbers);
    Ok(())
}

fn reader(readers: &mut Vec<Reader>, line: Line<'_>) -> Result<(), FormatError> {
    let ReaderLine { reader, name, node, is_complete } = json(line)?;
    if reader != readers.len() {
        let found = Found::text(&reader.to_string());
        let expected = "the readers numbered from 0";
        return Err(FormatError::Unexpected { place: place_of(line, "reader"), found, expected });
    }
    readers.push(Reader { name: name.into_owned(), node, deliveries: Vec::new(), is_complete });
    Ok(())
}

fn delivery(readers: &mut [Reader], line: Line<'_>) -> Result<(), FormatError> {
    let DeliveryLine { reader, offset, at: at_ns, entries } = json(line)?;
    let unexpected = |name, number: u64, expected| {
        let found = Found::text(&number.to_string());
        FormatError::Unexpected { place: place_of(line, name), found, expected }
    };
    let Some(known) = readers.get_mut(reader) else {
        return Err(unexpected("reader", reader as u64, "a reader declared before"));
    };
    if offset.checked_add(entries.len() as u64).is_none() {
        return Err(unexpected("offset", offset, "offsets below 2^64"));
    }
    let deliveries = (offset..).zip(entries);
    known.deliveries.extend(deliveries.map(|(offset, entry)| Delivery { offset, entry, at_ns }));
    Ok(())
}

/// Reads the line as one more record.
pub(super) fn grow<'a, T: Deserialize<'a>>(records: &mut Vec<T>, line: Line<'a>) -> Result<(), FormatError> {
    records.push(json(line)?);
    Ok(())
}

fn json<'a, T: Deserialize<'a>>(line: Line<'a>) -> Result<T, FormatError> {
    serde_json::from_str(line.text).map_err(|error| {
        let place = line.place(error.column().saturating_sub(1));
        let found = error.to_string();
        let found = found.rsplit_once(" at line ").map_or(found.as_str(), |(found, _)| found).to_owned();
        FormatError::Json { place, found }
    })
}

/// Where a field of the line stands; the beginning of the line if it does not.
fn place_of(line: Line<'_>, field: &str) -> Place {
    line.place(offset_of(line, field))
}

fn offset_of(line: Line<'_>, field: &str) -> usize {
    line.text.find(&format!("\"{field}\"")).unwrap_or(0)
}

fn undeclared(line: Line<'_>, what: &'static str, head: &Head<'_>) -> FormatError {
    FormatError::Undeclared { place: place_of(line, "family"), what, name: head.family.clone().into_owned() }
}
