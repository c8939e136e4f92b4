//! Why reads of unique values have no visibility and arbitration: the pattern, made small, in words.
//!
//! The patterns are the bad patterns of A. Bouajjani, C. Enea, R. Guerraoui and J. Hamza, "On verifying
//! causal consistency", POPL 2017: a read from nowhere, a read of the initial value though a write is
//! visible, and a cycle (of causes, or of causes and arbitration).

use std::collections::{BTreeSet, VecDeque};

use super::accesses::{Accesses, Kind};
use super::{Guarantee, WeakLevel, find};
use crate::budget::{Budget, Spending};
use crate::engine::visibility_graph::{Edge, Reason};
use crate::explain;
use crate::history::{OperationIndex, OperationOf};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::Violation;

/// Steps of one re-check.
const RECHECK_STEPS_MAX: u64 = 1_000_000;
/// Items looked at in all re-checks together, while a counter-example is made smaller.
const RECHECK_ITEMS_MAX: u64 = 2_000_000;
/// Operations times clients looked at, while the longest explained prefix is found.
const PREFIX_WORK_MAX: usize = 20_000_000;
/// Items looked at to learn why reads see what they see.
const PATH_ITEMS_MAX: usize = 20_000_000;

/// Why there is no visibility and arbitration. Numbers are items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Anomaly {
    /// It reads what nobody wrote.
    ReadNothing { reader: u32 },
    /// It reads what its own client writes only later.
    OwnLater { reader: u32 },
    /// It reads what the object held at first though it sees a write.
    InitialThoughWritten { reader: u32, write: u32 },
    /// Each comes before the next and the last before the first.
    Cycle(Vec<Edge>),
}

/// A read from nowhere, or from its client's own future: no level allows that.
pub(crate) fn impossible_source(accesses: &Accesses) -> Option<Anomaly> {
    (0..).zip(accesses.items()).find_map(|(reader, item)| match item.kind {
        Kind::ReadNothing => Some(Anomaly::ReadNothing { reader }),
        Kind::Read(source) => {
            let is_own = accesses.item(source).session == item.session;
            (is_own && source > reader).then_some(Anomaly::OwnLater { reader })
        }
        Kind::Write | Kind::ReadInitial => None,
    })
}

/// The violation: the smallest failing part, and the pattern that it shows.
pub(crate) fn violation<S: Spec>(
    level: WeakLevel,
    history: &KeyedHistory<S>,
    accesses: &Accesses,
    anomaly: &Anomaly,
) -> Violation {
    let core = smallest(level, accesses, involved(level, accesses, anomaly));
    let part = accesses.part(&core);
    let shown = anomaly_of(level, &part);
    let words = Words::<S> {
        history,
        operations: history.by_invocation(),
        is_keyed: history.parts().len() > 1,
        level,
    };
    let explanation = match &shown {
        Some(shown) => words.pattern(&part, shown),
        None => words.pattern(accesses, anomaly),
    };
    let named: Vec<(&str, OperationIndex)> = core
        .iter()
        .map(|item| words.operations[accesses.item(*item).tag as usize])
        .map(|(key, operation)| (key, operation.number))
        .collect();
    let mut operations: Vec<OperationIndex> = named.iter().map(|(_, number)| *number).collect();
    operations.sort_unstable();
    let (legal_prefix_count, stuck) = match legal_prefix::<S>(level, accesses, &words.operations) {
        Some((count, stuck)) => (Some(count), Some(stuck)),
        None => (None, None),
    };
    let key = named.first().map(|(key, _)| *key).filter(|key| named.iter().all(|(other, _)| other == key));
    Violation {
        key: key.map(str::to_owned),
        operations,
        not_smallest: false,
        legal_prefix_count,
        stuck,
        explanation,
        ..Violation::default()
    }
}

/// How many operations had returned while all of them could still be explained, and which one could not.
/// None if that is too much work to find out.
fn legal_prefix<S: Spec>(
    level: WeakLevel,
    accesses: &Accesses,
    operations: &[(&str, &OperationOf<S>)],
) -> Option<(usize, OperationIndex)> {
    let operation = |item: u32| operations[accesses.item(item).tag as usize].1;
    let mut returned: Vec<(u64, u32)> = (0..)
        .take(accesses.items().len())
        .filter_map(|item| Some((operation(item).returned?, item)))
        .collect();
    returned.sort_unstable();
    let rounds = returned.len().checked_ilog2()? as usize + 1;
    if rounds * returned.len() * accesses.session_count() > PREFIX_WORK_MAX {
        return None;
    }
    // What is known only grows: once there is no explanation, there is none ever after.
    let (mut legal, mut illegal) = (0, returned.len());
    while legal + 1 < illegal {
        let count = legal.midpoint(illegal);
        let mut answered: Vec<u32> = returned[..count].iter().map(|(_, item)| *item).collect();
        answered.sort_unstable();
        let is_illegal = anomaly_of(level, &accesses.part(&answered)).is_some();
        *(if is_illegal { &mut illegal } else { &mut legal }) = count;
    }
    Some((legal, operation(returned[legal].1).number))
}

/// Why a part does not have the level; none also if that is too much work to find out.
fn anomaly_of(level: WeakLevel, part: &Accesses) -> Option<Anomaly> {
    find(level, part, &mut Spending::new(Budget { steps_max: RECHECK_STEPS_MAX })).ok()?.err()
}

/// The items that make up the pattern: if too far apart to tell, all.
fn involved(level: WeakLevel, accesses: &Accesses, anomaly: &Anomaly) -> Vec<u32> {
    let mut involved = BTreeSet::new();
    match anomaly {
        Anomaly::ReadNothing { reader } => involved.extend([*reader]),
        Anomaly::OwnLater { reader } => involved.extend([*reader]),
        Anomaly::InitialThoughWritten { reader, write } => {
            involved.extend([*reader, *write]);
            involved.extend(seen_through(level, accesses, *reader, *write));
        }
        Anomaly::Cycle(edges) => {
            let item_count = accesses.items().len();
            if edges.len().saturating_mul(item_count) > PATH_ITEMS_MAX {
                return (0..).take(item_count).collect();
            }
            for edge in edges {
                let ends = [edge.before, edge.after].into_iter();
                involved.extend(ends.filter(|node| (*node as usize) < item_count));
            }
            for edge in between_items(accesses, edges) {
                if let Reason::Overwritten(reader) = edge.reason {
                    involved.insert(reader);
                    involved.extend(seen_through(level, accesses, reader, edge.before));
                }
            }
        }
    }
    involved.into_iter().collect()
}

/// The edges of a cycle without nodes that only stand for several items.
fn between_items(accesses: &Accesses, edges: &[Edge]) -> Vec<Edge> {
    let is_item = |node: u32| (node as usize) < accesses.items().len();
    let first = edges.iter().position(|edge| is_item(edge.before)).unwrap_or(0);
    let mut joined: Vec<Edge> = Vec::new();
    for edge in edges.iter().cycle().skip(first).take(edges.len()) {
        match joined.last_mut().filter(|_| !is_item(edge.before)) {
            // The last reader sees all that those before it saw.
            Some(last) => (last.after, last.reason) = (edge.after, edge.reason),
            None => joined.push(*edge),
        }
    }
    joined
}

/// Whether the reader sees the write because its own client wrote it earlier.
fn sees_as_own(level: WeakLevel, accesses: &Accesses, reader: u32, write: u32) -> bool {
    level.guarantees().contains(&Guarantee::ReadYourWrites)
        && accesses.item(reader).session == accesses.item(write).session
}

/// The items through which the reader sees the write, latest first: both left out.
fn seen_through(level: WeakLevel, accesses: &Accesses, reader: u32, write: u32) -> Vec<u32> {
    let session = accesses.item(reader).session;
    let start = accesses.session(session as usize).start;
    if sees_as_own(level, accesses, reader, write) {
        return Vec::new();
    }
    match level {
        WeakLevel::Causal => causes(accesses, reader, write),
        WeakLevel::Pram | WeakLevel::Only(_) => {
            let shows = |item: &u32| match accesses.item(*item).kind {
                Kind::Read(source) => {
                    let is_later = source >= write
                        && accesses.item(source).session == accesses.item(write).session
                        && level == WeakLevel::Pram;
                    source == write || is_later
                }
                Kind::Write | Kind::ReadInitial | Kind::ReadNothing => false,
            };
            let Some(shown) = (start..=reader).find(shows) else { return Vec::new() };
            let mut through: Vec<u32> = Some(shown).into_iter().filter(|shown| *shown != reader).collect();
            if let Kind::Read(source) = accesses.item(shown).kind {
                through.extend(Some(source).filter(|source| *source != write));
            }
            through
        }
    }
}

/// The shortest way back from the reader to the write, along causes.
fn causes(accesses: &Accesses, reader: u32, write: u32) -> Vec<u32> {
    let mut effect_of: Vec<Option<u32>> = vec![None; accesses.items().len()];
    let mut queue = VecDeque::from([reader]);
    while let Some(item) = queue.pop_front() {
        if item == write {
            break;
        }
        let access = accesses.item(item);
        let previous = item.checked_sub(1).filter(|_| item > accesses.session(access.session as usize).start);
        let source = match access.kind {
            Kind::Read(source) => Some(source),
            Kind::Write | Kind::ReadInitial | Kind::ReadNothing => None,
        };
        for cause in source.into_iter().chain(previous) {
            if cause != reader && effect_of[cause as usize].is_none() {
                effect_of[cause as usize] = Some(item);
                queue.push_back(cause);
            }
        }
    }
    let mut through = Vec::new();
    let mut at = effect_of[write as usize];
    while let Some(item) = at.filter(|item| *item != reader) {
        through.push(item);
        at = effect_of[item as usize];
    }
    through.reverse();
    through
}

/// The items that still fail when the answers to all others are unknown, and none can be spared.
fn smallest(level: WeakLevel, accesses: &Accesses, items: Vec<u32>) -> Vec<u32> {
    let mut spending = Spending::new(Budget { steps_max: RECHECK_ITEMS_MAX });
    explain::smallest(items, |fewer| {
        spending.spend(fewer.len() as u64)?;
        Ok(anomaly_of(level, &accesses.part(fewer)).is_some())
    })
}

/// Says what happened.
struct Words<'a, S: Spec> {
    history: &'a KeyedHistory<S>,
    operations: Vec<(&'a str, &'a OperationOf<S>)>,
    is_keyed: bool,
    level: WeakLevel,
}

impl<S: Spec> Words<'_, S> {
    fn pattern(&self, accesses: &Accesses, anomaly: &Anomaly) -> String {
        let name = |item: &u32| self.item(accesses, *item);
        match anomaly {
            Anomaly::ReadNothing { reader } => format!("{} reads what nobody wrote", name(reader)),
            Anomaly::OwnLater { reader } => {
                format!("{} reads what its client wrote only afterwards", name(reader))
            }
            Anomaly::InitialThoughWritten { reader, write } => format!(
                "{} reads what was there before any write, though it sees {}{}",
                name(reader),
                name(write),
                self.why(accesses, *reader, *write)
            ),
            Anomaly::Cycle(edges) => {
                let edges = between_items(accesses, edges);
                let sentences: Vec<String> = edges.iter().map(|edge| self.edge(accesses, edge)).collect();
                format!("these have no order: {}", sentences.join("; "))
            }
        }
    }

    fn edge(&self, accesses: &Accesses, edge: &Edge) -> String {
        let (before, after) = (self.item(accesses, edge.before), self.item(accesses, edge.after));
        match edge.reason {
            Reason::Program => {
                format!("{before} comes before {after}, for their client asked them in this order")
            }
            Reason::ReadsFrom => format!("{before} comes before {after}, which reads what it wrote"),
            Reason::Overwritten(reader) => format!(
                "{before} comes before {after}, for {} reads what the latter wrote though it sees the former{}",
                self.item(accesses, reader),
                self.why(accesses, reader, edge.before)
            ),
        }
    }

    fn why(&self, accesses: &Accesses, reader: u32, write: u32) -> String {
        if sees_as_own(self.level, accesses, reader, write) {
            return ", an earlier write of its client".to_owned();
        }
        let through: Vec<String> = seen_through(self.level, accesses, reader, write)
            .iter()
            .rev()
            .map(|item| self.operation(accesses, *item).1.number.to_string())
            .collect();
        match through.as_slice() {
            [] => String::new(),
            [one] => format!(" through operation {one}"),
            [..] => format!(" through operations {}", through.join(", ")),
        }
    }

    fn item(&self, accesses: &Accesses, item: u32) -> String {
        let (key, operation) = self.operation(accesses, item);
        explain::short::<S>(self.history, operation, self.is_keyed.then_some(key))
    }

    fn operation(&self, accesses: &Accesses, item: u32) -> (&str, &OperationOf<S>) {
        self.operations[accesses.item(item).tag as usize]
    }
}
