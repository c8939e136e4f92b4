//! Each session guarantee alone on unique values: what little it makes visible, and what that forces.

use std::collections::BTreeMap;

use super::accesses::{Accesses, Kind, number};
use super::anomaly::Anomaly;
use super::{Arbitration, prefixes};
use crate::engine::visibility_graph::{Edge, Reason, order};

/// An operation sees its client's earlier writes and what it reads: the former come before the latter.
pub(super) fn read_your_writes(accesses: &Accesses) -> Arbitration {
    let mut own = OwnWrites { edges: Vec::new(), node_count: number(accesses.items().len()) };
    for session in 0..accesses.session_count() {
        let mut keys: BTreeMap<u32, OfKey> = BTreeMap::new();
        for item in accesses.session(session) {
            let access = accesses.item(item);
            let of_key = keys.entry(access.key).or_default();
            match access.kind {
                Kind::Write => of_key.writes.push(item),
                Kind::Read(source) => own.read(of_key, item, source),
                Kind::ReadInitial => {
                    if let Some(&write) = of_key.writes.last() {
                        return Err(Anomaly::InitialThoughWritten { reader: item, write });
                    }
                }
                Kind::ReadNothing => {}
            }
        }
    }
    order(own.node_count as usize, &own.edges).map_err(Anomaly::Cycle)
}

/// The earlier writes of one client to one key.
#[derive(Default)]
struct OfKey {
    writes: Vec<u32>,
    /// Nodes behind the first so many writes, increasing: what all of them precede, the node does.
    behind: Vec<(usize, u32)>,
    /// The own write that was read last, by which read, and how many writes there were.
    read: Option<OwnRead>,
}

#[derive(Clone, Copy)]
struct OwnRead {
    rank: usize,
    count: usize,
    reader: u32,
}

/// What the reads of own writes force. One node stands for many writes, so there are O(n) edges.
struct OwnWrites {
    edges: Vec<Edge>,
    node_count: u32,
}

impl OwnWrites {
    fn read(&mut self, of_key: &mut OfKey, reader: u32, source: u32) {
        let count = of_key.writes.len();
        let Ok(rank) = of_key.writes.binary_search(&source) else {
            return self.precede(of_key, count, source, reader);
        };
        let last = of_key.read.replace(OwnRead { rank, count, reader });
        let mut done = rank + 1;
        match last {
            // The same again: only what was written meanwhile is new.
            Some(last) if last.rank == rank => done = last.count.max(done),
            // Both are visible to both reads, and each read says that its own is the later one.
            Some(last) if rank < last.count => {
                let other = of_key.writes[last.rank];
                self.edge(source, other, last.reader);
                self.edge(other, source, reader);
                return;
            }
            Some(_) | None => self.precede(of_key, rank, source, reader),
        }
        for place in done..count {
            self.edge(of_key.writes[place], source, reader);
        }
    }

    /// The first `count` writes come before `after`.
    fn precede(&mut self, of_key: &mut OfKey, count: usize, after: u32, reader: u32) {
        let nearest = of_key.behind.partition_point(|(behind, _)| *behind <= count);
        let (done, node) = nearest.checked_sub(1).map_or((0, None), |at| {
            let (behind, node) = of_key.behind[at];
            (behind, Some(node))
        });
        if nearest < of_key.behind.len() || count <= done + 1 {
            for place in done..count {
                self.edge(of_key.writes[place], after, reader);
            }
            if let Some(node) = node {
                self.edge(node, after, reader);
            }
            return;
        }
        let next = self.node_count;
        self.node_count += 1;
        for place in done..count {
            self.edge(of_key.writes[place], next, reader);
        }
        if let Some(node) = node {
            self.edge(node, next, reader);
        }
        of_key.behind.push((count, next));
        self.edge(next, after, reader);
    }

    fn edge(&mut self, before: u32, after: u32, reader: u32) {
        self.edges.push(Edge { before, after, reason: Reason::Overwritten(reader) });
    }
}

/// The writes of each client in its order.
///
/// A write of the same client that is visible too comes earlier, and arbitration says so.
pub(super) fn monotonic_writes(accesses: &Accesses) -> Arbitration {
    order(accesses.items().len(), &prefixes::writes_in_order(accesses)).map_err(Anomaly::Cycle)
}

/// What a client has read, it sees ever after: the value of a key before that which it reads next.
pub(super) fn monotonic_reads(accesses: &Accesses) -> Arbitration {
    let mut edges = Vec::new();
    for session in 0..accesses.session_count() {
        let mut latest: BTreeMap<u32, u32> = BTreeMap::new();
        for reader in accesses.session(session) {
            let access = accesses.item(reader);
            match access.kind {
                Kind::Read(after) => {
                    if let Some(before) = latest.insert(access.key, after).filter(|before| *before != after) {
                        edges.push(Edge { before, after, reason: Reason::Overwritten(reader) });
                    }
                }
                Kind::ReadInitial => {
                    if let Some(&write) = latest.get(&access.key) {
                        return Err(Anomaly::InitialThoughWritten { reader, write });
                    }
                }
                Kind::Write | Kind::ReadNothing => {}
            }
        }
    }
    order(accesses.items().len(), &edges).map_err(Anomaly::Cycle)
}

/// What a client has read comes before what it writes next; a cycle has no order.
///
/// Whoever sees the write sees that too: it comes before the write anyway, so that no read is wrong.
pub(super) fn writes_follow_reads(accesses: &Accesses) -> Arbitration {
    let mut edges = Vec::new();
    for session in 0..accesses.session_count() {
        let mut last_read = None;
        for item in accesses.session(session) {
            let kind = accesses.item(item).kind;
            if kind == Kind::Write || matches!(kind, Kind::Read(_)) {
                edges.extend(last_read.map(|before| Edge { before, after: item, reason: Reason::Program }));
            }
            if let Kind::Read(before) = kind {
                edges.push(Edge { before, after: item, reason: Reason::ReadsFrom });
                last_read = Some(item);
            }
        }
    }
    order(accesses.items().len(), &edges).map_err(Anomaly::Cycle)
}
