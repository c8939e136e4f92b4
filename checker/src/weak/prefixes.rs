//! PRAM and causal consistency on unique values: of each client, a reader sees a prefix of its writes.
//!
//! How long the prefixes are is a vector clock. A read makes visible what it reads and the writes of
//! that client before it; under causal consistency also all that the writer had seen. O(n * clients).

use super::Arbitration;
use super::accesses::{Accesses, Kind, number};
use super::anomaly::Anomaly;
use super::overwrites::Overwrites;
use crate::budget::{Exhausted, Spending};
use crate::engine::visibility_graph::{Edge, Reason, order};

/// Numbers of a clock that count as one step.
const STEP_NUMBERS: usize = 16;

/// What a read makes visible beside the earlier writes of the same client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing more.
    Directly,
    /// What the writer had seen.
    Transitively,
}

/// An arbitration, or why there is none.
pub(super) fn find(
    accesses: &Accesses,
    seen: Seen,
    spending: &mut Spending,
) -> Result<Arbitration, Exhausted> {
    let item_count = accesses.items().len();
    let mut edges = match seen {
        Seen::Directly => writes_in_order(accesses),
        Seen::Transitively => causes(accesses),
    };
    let items = match seen {
        Seen::Directly => (0..number(item_count)).collect(),
        Seen::Transitively => match order(item_count, &edges) {
            Ok(order) => nearly_by_invocation(accesses, order),
            Err(cycle) => return Ok(Err(Anomaly::Cycle(cycle))),
        },
    };
    let mut clocks = Clocks::of(accesses, seen, spending)?;
    for item in items {
        if let Err(write) = clocks.take(item, spending)? {
            return Ok(Err(Anomaly::InitialThoughWritten { reader: item, write }));
        }
    }
    edges.extend(clocks.overwrites.into_edges());
    Ok(order(item_count, &edges).map_err(Anomaly::Cycle))
}

/// Consecutive writes of each client.
pub(super) fn writes_in_order(accesses: &Accesses) -> Vec<Edge> {
    let mut edges = Vec::new();
    for session in 0..accesses.session_count() {
        let mut last = None;
        for after in accesses.session(session).filter(|item| accesses.is_write(*item)) {
            edges.extend(last.map(|before| Edge { before, after, reason: Reason::Program }));
            last = Some(after);
        }
    }
    edges
}

/// Consecutive items of each client, and every write with its readers.
fn causes(accesses: &Accesses) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(2 * accesses.items().len());
    for session in 0..accesses.session_count() {
        let items = accesses.session(session);
        edges.extend(items.skip(1).map(|after| Edge { before: after - 1, after, reason: Reason::Program }));
    }
    for (after, item) in (0..).zip(accesses.items()) {
        if let Kind::Read(before) = item.kind {
            edges.push(Edge { before, after, reason: Reason::ReadsFrom });
        }
    }
    edges
}

/// An order of the items along all causes, as near to that of invocation as can be: so few clocks have
/// to be kept at a time.
fn nearly_by_invocation(accesses: &Accesses, order: Vec<u32>) -> Vec<u32> {
    let mut due = vec![0; order.len()];
    for &item in &order {
        let access = accesses.item(item);
        let is_first = accesses.session(access.session as usize).start == item;
        let mut after = if is_first { 0 } else { due[item as usize - 1] };
        if let Kind::Read(source) = access.kind {
            after = after.max(due[source as usize]);
        }
        due[item as usize] = after.max(access.tag);
    }
    let mut items = order;
    // The sort is stable: where two are due together, the cause stays first.
    items.sort_by_key(|item| due[*item as usize]);
    items
}

/// How far every client sees every other, while each goes through its items.
struct Clocks<'a> {
    accesses: &'a Accesses,
    seen: Seen,
    overwrites: Overwrites,
    /// Shape: clients x clients, row = reader, column = writer.
    rows: Vec<u32>,
    width: usize,
    kept: Kept,
}

impl<'a> Clocks<'a> {
    fn of(accesses: &'a Accesses, seen: Seen, spending: &mut Spending) -> Result<Self, Exhausted> {
        let width = accesses.session_count();
        spending.spend((width * width / STEP_NUMBERS) as u64)?;
        let kept = match seen {
            Seen::Directly => Kept::default(),
            Seen::Transitively => Kept::of(accesses),
        };
        let rows = vec![0; width * width];
        Ok(Self { accesses, seen, overwrites: Overwrites::of(accesses), rows, width, kept })
    }

    /// Its client comes to this item: a visible write, if it reads that nothing was written.
    fn take(&mut self, item: u32, spending: &mut Spending) -> Result<Result<(), u32>, Exhausted> {
        let access = self.accesses.item(item);
        let session = access.session as usize;
        let row = &mut self.rows[session * self.width..][..self.width];
        match access.kind {
            Kind::Write => {
                row[session] += 1;
                if self.seen == Seen::Transitively {
                    self.kept.keep(item, row, spending)?;
                }
                return Ok(Ok(()));
            }
            Kind::Read(source) => {
                let writer = self.accesses.item(source).session as usize;
                if writer != session {
                    match self.seen {
                        Seen::Directly => row[writer] = row[writer].max(self.overwrites.rank(source)),
                        Seen::Transitively => self.kept.join(source, row),
                    }
                }
            }
            Kind::ReadInitial | Kind::ReadNothing => {}
        }
        Ok(self.overwrites.read(self.accesses, item, row))
    }
}

/// Clocks of writes that other clients are still going to read.
#[derive(Default)]
struct Kept {
    /// How many reads by others are left, by item.
    readers: Vec<u32>,
    /// The place of each item's clock, while it is kept.
    places: Vec<u32>,
    clocks: Vec<u32>,
    free: Vec<u32>,
}

impl Kept {
    fn of(accesses: &Accesses) -> Self {
        let mut readers = vec![0; accesses.items().len()];
        for item in accesses.items() {
            if let Kind::Read(source) = item.kind
                && accesses.item(source).session != item.session
            {
                readers[source as usize] += 1;
            }
        }
        Self { places: vec![0; readers.len()], readers, clocks: Vec::new(), free: Vec::new() }
    }

    fn keep(&mut self, write: u32, row: &[u32], spending: &mut Spending) -> Result<(), Exhausted> {
        if self.readers[write as usize] == 0 {
            return Ok(());
        }
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                spending.spend((1 + row.len() / STEP_NUMBERS) as u64)?;
                self.clocks.resize(self.clocks.len() + row.len(), 0);
                number(self.clocks.len() / row.len() - 1)
            }
        };
        self.clocks[place as usize * row.len()..][..row.len()].copy_from_slice(row);
        self.places[write as usize] = place;
        Ok(())
    }

    fn join(&mut self, write: u32, row: &mut [u32]) {
        let place = self.places[write as usize];
        let clock = &self.clocks[place as usize * row.len()..][..row.len()];
        for (seen, more) in row.iter_mut().zip(clock) {
            *seen = (*seen).max(*more);
        }
        self.readers[write as usize] -= 1;
        if self.readers[write as usize] == 0 {
            self.free.push(place);
        }
    }
}
