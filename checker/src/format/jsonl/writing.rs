//! Families to lines.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

use serde::Serialize;

use super::model::{Ending, Lined};
use super::record::{DeliveryLine, Event, Kind, Order, ReadLine, ReaderLine};
use super::records::{records_declared, write_records};
use super::{Declaration, FORMAT, Header, KeyValues, Model, Shares, VERSION};
use crate::format::LINE_BYTES_MAX;
use crate::history::{Dropped, OperationIndex, OperationOf, Outcome};
use crate::judge::{Family, FamilyKind};
use crate::keyed::KeyedHistory;
use crate::replication::{Delivery, LogHistory, Reader};
use crate::spec::Spec;
use crate::spec::counter::CounterKind;
use crate::switch_timing::SwitchHistory;

/// Numbers in one line of an order or of deliveries.
const NUMBERS_MAX: usize = 1_000;

/// Writes `families` so that [`read`](super::read) gives them again.
///
/// # Errors
/// If `output` fails; if two families have one name, or a name does not fit a line.
pub fn write(families: &[Family], mut output: impl io::Write) -> io::Result<()> {
    let names: BTreeSet<&str> = families.iter().map(|family| family.name.as_str()).collect();
    if names.len() < families.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "two families have one name"));
    }
    if let Some(family) = families.iter().find(|family| matches!(family.kind, FamilyKind::Table { .. })) {
        let told = format!("{}: operations of a model file have no words in this format", family.name);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, told));
    }
    let mut lines = Lines::default();
    lines.push(0, &header_of(families))?;
    for family in families {
        lines.family(family)?;
    }
    lines.finish(&mut output)
}

/// The first line of these families: their models, with all parameters.
pub(in crate::format) fn header(families: &[Family]) -> String {
    serde_json::to_string(&header_of(families)).expect("a header is made of text and numbers")
}

fn header_of(families: &[Family]) -> Header {
    let families = families.iter().map(declaration).collect();
    Header { format: FORMAT.to_owned(), version: VERSION, families }
}

fn declaration(family: &Family) -> Declaration {
    let model = match &family.kind {
        FamilyKind::Register { spec, .. } => Model::RegisterCas { init: spec.initial },
        FamilyKind::Capacity { spec, schedule, uncertainty_ns, .. } => Model::Capacity {
            capacity: spec.capacity,
            uncertainty_ns: *uncertainty_ns,
            schedule: schedule.as_ref().map(|schedule| schedule.steps.clone()),
        },
        FamilyKind::Kinds { spec, schedule, uncertainty_ns, .. } => Model::Kinds {
            kinds: Shares(spec.shares),
            capacity: spec.capacity,
            uncertainty_ns: *uncertainty_ns,
            schedule: schedule.as_ref().map(|schedule| schedule.steps.clone()),
        },
        FamilyKind::Switch { history, promise } => {
            let SwitchHistory { healed_ns, ended_ns, load, .. } = *history;
            Model::Switch { promise: *promise, healed_ns, ended_ns, load }
        }
        FamilyKind::KeyValue { spec, .. } => Model::Kv(KeyValues::Numbers { init: spec.initial }),
        FamilyKind::Text { spec, .. } => {
            Model::Kv(KeyValues::Text { init: spec.initial.as_ref().to_owned() })
        }
        FamilyKind::Tally { settled_ns, .. } => Model::Tally { settled_ns: *settled_ns },
        FamilyKind::Counter { spec, .. } => match spec.kind {
            CounterKind::Increment => Model::CounterInc,
            CounterKind::AddAndRead => Model::CounterRw,
        },
        FamilyKind::AppendLog { .. } => Model::AppendLog,
        FamilyKind::Mutex { .. } => Model::Mutex,
        FamilyKind::MultiRegister { spec, .. } => Model::MultiRegister { init: spec.initial },
        FamilyKind::Table { spec, .. } => Model::Table { text: spec.text().to_owned() },
        FamilyKind::Revisions { .. } => Model::KvRevisions,
        FamilyKind::Log(_) => Model::Log,
        FamilyKind::Reads(_) => Model::Reads,
        FamilyKind::Records(records) => records_declared(records),
    };
    Declaration { name: family.name.clone(), model }
}

/// A line: which family, which type, and the rest.
#[derive(Serialize)]
struct Line<'a, T> {
    family: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(flatten)]
    record: T,
}

/// Lines made one list after another, written by time.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// The latest instant in the present list: an earlier one after it does not overtake it.
    latest_ns: u64,
}

struct Span {
    at_ns: u64,
    start: usize,
    end: usize,
}

impl Lines {
    /// Lines of a new list may be written between those of the lists before it.
    fn begin(&mut self) {
        self.latest_ns = 0;
    }

    fn push(&mut self, at_ns: u64, line: &impl Serialize) -> io::Result<()> {
        let start = self.bytes.len();
        serde_json::to_writer(&mut self.bytes, line)?;
        if self.bytes.len() - start > LINE_BYTES_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a name or a schedule is too long for a line",
            ));
        }
        self.bytes.push(b'\n');
        self.latest_ns = self.latest_ns.max(at_ns);
        self.spans.push(Span { at_ns: self.latest_ns, start, end: self.bytes.len() });
        Ok(())
    }

    /// Writes all lines; the order of each list is kept.
    fn finish(mut self, output: &mut impl io::Write) -> io::Result<()> {
        self.spans.sort_by_key(|span| span.at_ns);
        let mut output = io::BufWriter::new(output);
        for span in &self.spans {
            output.write_all(&self.bytes[span.start..span.end])?;
        }
        output.flush()
    }

    fn family(&mut self, family: &Family) -> io::Result<()> {
        let name = family.name.as_str();
        self.begin();
        match &family.kind {
            FamilyKind::Register { history, .. } | FamilyKind::KeyValue { history, .. } => {
                self.operations(name, history)
            }
            FamilyKind::Text { history, .. } => self.operations(name, history),
            FamilyKind::Counter { history, .. } | FamilyKind::Tally { history, .. } => {
                self.operations(name, history)
            }
            FamilyKind::AppendLog { history, .. } => self.operations(name, history),
            FamilyKind::Mutex { history, .. } => self.operations(name, history),
            FamilyKind::MultiRegister { history, .. } => self.operations(name, history),
            FamilyKind::Table { .. } => unreachable!("tables are refused before they are written"),
            FamilyKind::Revisions { history, .. } => self.operations(name, history),
            FamilyKind::Capacity { history, witness, .. } => {
                self.operations(name, history)?;
                self.orders(name, witness)
            }
            FamilyKind::Kinds { history, witness, .. } => {
                self.operations(name, history)?;
                self.orders(name, witness)
            }
            FamilyKind::Switch { history, .. } => self.switches(name, history),
            FamilyKind::Log(history) => self.log(name, history),
            FamilyKind::Reads(reads) => reads.iter().try_for_each(|read| {
                let &crate::session::Read { client, server, at_ns: at, position, access } = read;
                let record = ReadLine { client, server, at, position, access };
                self.push(at, &Line { family: name, kind: Kind::Read, record })
            }),
            FamilyKind::Records(records) => {
                write_records(records, name, |at_ns, line| self.push(at_ns, line))
            }
        }
    }

    fn operations<S: Lined>(&mut self, family: &str, history: &KeyedHistory<S>) -> io::Result<()> {
        let mut events = Vec::new();
        for (key, part) in history.parts() {
            part.operations().iter().for_each(|operation| operation_events::<S>(key, operation, &mut events));
            part.dropped().iter().for_each(|dropped| dropped_events::<S>(key, dropped, &mut events));
        }
        events.sort_unstable_by_key(|(position, ..)| *position);
        for (_, kind, record) in events {
            self.push(record.at, &Line { family, kind, record })?;
        }
        Ok(())
    }

    /// Orders stand at the end: they refer to operations.
    fn orders(&mut self, family: &str, witness: &BTreeMap<String, Vec<OperationIndex>>) -> io::Result<()> {
        for (key, order) in witness {
            let numbers: Vec<u32> = order.iter().map(|number| number.0).collect();
            // An empty order is one empty line, not none.
            let mut chunks: Vec<&[u32]> = numbers.chunks(NUMBERS_MAX).collect();
            if chunks.is_empty() {
                chunks.push(&[]);
            }
            for chunk in chunks {
                let record = Order { key: Cow::Borrowed(key), value: Cow::Borrowed(chunk) };
                self.push(u64::MAX, &Line { family, kind: Kind::Order, record })?;
            }
        }
        Ok(())
    }

    fn switches(&mut self, family: &str, history: &SwitchHistory) -> io::Result<()> {
        for record in &history.publications {
            self.push(record.committed_ns, &Line { family, kind: Kind::Publication, record })?;
        }
        self.begin();
        for record in &history.tasks {
            self.push(record.at_ns, &Line { family, kind: Kind::Task, record })?;
        }
        self.begin();
        for record in &history.adoptions {
            self.push(record.at_ns, &Line { family, kind: Kind::Adoption, record })?;
        }
        self.begin();
        for record in &history.store_reads {
            self.push(record.at_ns, &Line { family, kind: Kind::StoreRead, record })?;
        }
        Ok(())
    }

    fn log(&mut self, family: &str, history: &LogHistory) -> io::Result<()> {
        for record in &history.appends {
            self.push(record.invoked_ns, &Line { family, kind: Kind::Append, record })?;
        }
        for (index, reader) in history.readers.iter().enumerate() {
            self.begin();
            self.reader(family, index, reader)?;
        }
        Ok(())
    }

    fn reader(&mut self, family: &str, index: usize, reader: &Reader) -> io::Result<()> {
        let record = ReaderLine {
            reader: index,
            name: Cow::Borrowed(&reader.name),
            node: reader.node,
            is_complete: reader.is_complete,
        };
        self.push(0, &Line { family, kind: Kind::Reader, record })?;
        let together = |one: &Delivery, next: &Delivery| {
            one.at_ns == next.at_ns && one.offset.checked_add(1) == Some(next.offset)
        };
        for run in reader.deliveries.chunk_by(together).flat_map(|run| run.chunks(NUMBERS_MAX)) {
            let Delivery { offset, at_ns: at, .. } = run[0];
            let entries = run.iter().map(|delivery| delivery.entry).collect();
            let record = DeliveryLine { reader: index, offset, at, entries };
            self.push(at, &Line { family, kind: Kind::Delivery, record })?;
        }
        Ok(())
    }
}

/// An event with its position among all events of the family.
type Placed<'a> = (u64, Kind, Event<'a>);

fn operation_events<'a, S: Lined>(key: &'a str, operation: &OperationOf<S>, events: &mut Vec<Placed<'a>>) {
    let (f, asked) = S::asked(&operation.call);
    let event = |at, value| Event {
        at,
        process: operation.client.0,
        f: Cow::Borrowed(f),
        key: Cow::Borrowed(key),
        value,
    };
    events.push((operation.invoked, Kind::Invoke, event(operation.invoked_at, asked)));
    if let (Outcome::Answered(answer), Some(position), Some(at)) =
        (&operation.outcome, operation.returned, operation.returned_at)
    {
        let (ending, value) = S::answered(answer);
        let kind = match ending {
            Ending::Ok => Kind::Ok,
            Ending::Refused => Kind::Refused,
        };
        events.push((position, kind, event(at, value)));
    }
}

fn dropped_events<'a, S: Lined>(
    key: &'a str,
    dropped: &Dropped<<S as Spec>::Call>,
    events: &mut Vec<Placed<'a>>,
) {
    let (f, asked) = S::asked(&dropped.call);
    let event = |at, value| Event {
        at,
        process: dropped.client.0,
        f: Cow::Borrowed(f),
        key: Cow::Borrowed(key),
        value,
    };
    events.push((dropped.positions.0, Kind::Invoke, event(dropped.instants.0, asked)));
    events.push((dropped.positions.1, Kind::Fail, event(dropped.instants.1, super::record::Value::Absent)));
}
