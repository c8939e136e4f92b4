//! Reads and writes of unique values, reduced to numbers: who read from which write.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::history::{ClientId, OperationOf};
use crate::keyed::KeyedHistory;
use crate::spec::{Access, Spec};

/// Why reads do not tell from which write they read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsuited {
    /// A value is written twice to one object, or is the one it has at first.
    RepeatedValues,
    /// Some operations are neither reads nor writes.
    OtherSteps,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Writes.
    Write,
    /// Reads what this item wrote.
    Read(u32),
    /// Reads what the object holds at first.
    ReadInitial,
    /// Reads what nobody wrote.
    ReadNothing,
}

/// One read or write. Items stand client by client, each client's in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) session: u32,
    pub(crate) key: u32,
    pub(crate) kind: Kind,
    /// Which operation it is, counted by invocation.
    pub(crate) tag: u32,
}

/// All reads and writes of a history.
#[derive(Clone, Debug)]
pub(crate) struct Accesses {
    items: Vec<Item>,
    /// Where each client's items begin, and the end.
    starts: Vec<u32>,
    key_count: usize,
}

impl Accesses {
    /// The reads and writes of a history.
    ///
    /// # Errors
    /// If there are other operations, or values repeat.
    pub(crate) fn of<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> Result<Self, Unsuited> {
        let reading = Reading::<S>::of(spec, history)?;
        let mut items = Vec::with_capacity(reading.items.len());
        let mut starts = vec![0];
        // Where each item of `reading` went.
        let mut places = vec![0; reading.items.len()];
        for session in 0..reading.by_session.len() {
            for &at in &reading.by_session[session] {
                places[at as usize] = number(items.len());
                items.push(reading.items[at as usize]);
            }
            starts.push(number(items.len()));
        }
        for item in &mut items {
            if let Kind::Read(source) = &mut item.kind {
                *source = places[*source as usize];
            }
        }
        Ok(Self { items, starts, key_count: history.parts().len() })
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    pub(crate) fn item(&self, item: u32) -> Item {
        self.items[item as usize]
    }

    pub(crate) fn key_count(&self) -> usize {
        self.key_count
    }

    pub(crate) fn session_count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The items of one client.
    pub(crate) fn session(&self, session: usize) -> std::ops::Range<u32> {
        self.starts[session]..self.starts[session + 1]
    }

    pub(crate) fn is_write(&self, item: u32) -> bool {
        self.items[item as usize].kind == Kind::Write
    }

    /// What is left if only these items, sorted, were answered: beside them the writes they read.
    ///
    /// Clients and keys get new numbers, so that a small part costs little. A write of unknown outcome
    /// that nobody reads need not be visible to anyone.
    pub(crate) fn part(&self, answered: &[u32]) -> Self {
        let mut kept: Vec<u32> = answered.to_vec();
        kept.extend(answered.iter().filter_map(|item| match self.item(*item).kind {
            Kind::Read(source) => Some(source),
            Kind::Write | Kind::ReadInitial | Kind::ReadNothing => None,
        }));
        kept.sort_unstable();
        kept.dedup();
        let mut keys = BTreeMap::new();
        let (mut items, mut starts) = (Vec::new(), Vec::new());
        let mut session = None;
        for &old in &kept {
            let item = self.item(old);
            if session != Some(item.session) {
                session = Some(item.session);
                starts.push(number(items.len()));
            }
            let next = number(keys.len());
            let key = *keys.entry(item.key).or_insert(next);
            let kind = match item.kind {
                Kind::Read(source) => Kind::Read(number(kept.partition_point(|other| *other < source))),
                Kind::Write | Kind::ReadInitial | Kind::ReadNothing => item.kind,
            };
            items.push(Item { session: number(starts.len() - 1), key, kind, tag: item.tag });
        }
        starts.push(number(items.len()));
        Self { items, starts, key_count: keys.len() }
    }
}

/// The accesses by invocation, before they are put client by client.
struct Reading<S: Spec> {
    items: Vec<Item>,
    by_session: Vec<Vec<u32>>,
    values: Vec<S::State>,
    writes: HashMap<(u32, S::State), u32, FxBuildHasher>,
}

impl<S: Spec> Reading<S> {
    fn of(spec: &S, history: &KeyedHistory<S>) -> Result<Self, Unsuited> {
        let mut reading = Self {
            items: Vec::new(),
            by_session: Vec::new(),
            values: Vec::new(),
            writes: HashMap::default(),
        };
        let mut sessions: HashMap<ClientId, usize, FxBuildHasher> = HashMap::default();
        for (tag, (key, operation)) in by_invocation(history).into_iter().enumerate() {
            let Some(access) = access(spec, operation)? else { continue };
            let next = sessions.len();
            let session = *sessions.entry(operation.client).or_insert(next);
            if session == reading.by_session.len() {
                reading.by_session.push(Vec::new());
            }
            let item = number(reading.items.len());
            reading.by_session[session].push(item);
            let kind = match access {
                Access::Read(value) => {
                    reading.values.push(value);
                    Kind::Read(number(reading.values.len() - 1))
                }
                Access::Write(value) => {
                    if reading.writes.insert((key, value), item).is_some() {
                        return Err(Unsuited::RepeatedValues);
                    }
                    Kind::Write
                }
            };
            reading.items.push(Item { session: number(session), key, kind, tag: number(tag) });
        }
        reading.resolve(spec, history.parts().len())?;
        Ok(reading)
    }

    /// Finds the source of each read, whose kind holds the number of its value until then.
    fn resolve(&mut self, spec: &S, key_count: usize) -> Result<(), Unsuited> {
        let initial = spec.initial();
        if (0..key_count).any(|key| self.writes.contains_key(&(number(key), initial.clone()))) {
            return Err(Unsuited::RepeatedValues);
        }
        let mut values = std::mem::take(&mut self.values).into_iter();
        for item in &mut self.items {
            if let Kind::Read(_) = item.kind {
                let value = values.next().expect("every read brought its value");
                item.kind = match self.writes.get(&(item.key, value.clone())) {
                    Some(&source) => Kind::Read(source),
                    None if value == initial => Kind::ReadInitial,
                    None => Kind::ReadNothing,
                };
            }
        }
        Ok(())
    }
}

/// All operations with the index of their key, by invocation.
fn by_invocation<S: Spec>(history: &KeyedHistory<S>) -> Vec<(u32, &OperationOf<S>)> {
    let parts = history.parts().values().enumerate();
    let mut all: Vec<_> = parts
        .flat_map(|(key, part)| part.operations().iter().map(move |operation| (number(key), operation)))
        .collect();
    // Each part is in order already: there are runs to merge.
    all.sort_by_key(|(_, operation)| operation.number);
    all
}

fn access<S: Spec>(spec: &S, operation: &OperationOf<S>) -> Result<Option<Access<S::State>>, Unsuited> {
    match spec.step(&operation.call, operation.answer()) {
        None => Ok(None),
        Some(step) => spec.access(&step).map(Some).ok_or(Unsuited::OtherSteps),
    }
}

/// An index as it is kept; a history of 2^32 operations does not fit memory.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a history of 2^32 operations does not fit memory")
}
