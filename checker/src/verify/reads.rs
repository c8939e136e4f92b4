//! Reads and writes: who reads from which write, in O(n x sessions).
//!
//! An answer is right if of all writes that it sees, the one it reads from is the last in arbitration.
//! What a client sees is kept as how many writes of each client it sees, where the level makes that a
//! prefix, and as the last write of each object.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::{Refusal, Rules, Whole};
use crate::spec::{Access, Spec};

/// A history of reads and writes, and from which write each read reads.
pub(super) struct Reads<'a, S: Spec> {
    whole: &'a Whole<'a, S>,
    order: &'a [usize],
    /// Place in arbitration, from 1; 0 of what is not in it.
    rank: Vec<usize>,
    source: HashMap<usize, usize, FxBuildHasher>,
    /// Of each client, its operations, and those in arbitration.
    acts: Vec<Vec<usize>>,
    writes: Vec<Vec<usize>>,
}

/// What clients see, while each goes through its operations.
struct Seen {
    rules: Rules,
    /// Of each client: how many writes of each other.
    clocks: Vec<Vec<usize>>,
    /// Clocks of writes, for those who read them.
    kept: HashMap<usize, Vec<usize>, FxBuildHasher>,
    /// By client and object: the rank of the last write.
    latest: HashMap<(usize, usize), usize, FxBuildHasher>,
    /// By client: the rank of the last write of all, and of its own last one.
    top: Vec<usize>,
    own: Vec<usize>,
}

/// The history as reads and writes; none if there is something else, or a read sees more than one write.
pub(super) fn reads<'a, S: Spec>(
    whole: &'a Whole<'a, S>,
    order: &'a [usize],
    given: &BTreeMap<usize, BTreeSet<usize>>,
) -> Option<Reads<'a, S>> {
    let mut reads = Reads {
        whole,
        order,
        rank: vec![0; whole.acts.len()],
        source: HashMap::default(),
        acts: vec![Vec::new(); whole.client_count],
        writes: vec![Vec::new(); whole.client_count],
    };
    order.iter().enumerate().for_each(|(at, place)| reads.rank[*place] = at + 1);
    for (place, act) in whole.acts.iter().enumerate() {
        let Some(step) = &act.step else { continue };
        reads.acts[act.client].push(place);
        let seen = given.get(&place).filter(|seen| !seen.is_empty());
        match whole.spec.access(step)? {
            Access::Write(_) if seen.is_none() => {
                reads.writes[act.client].extend(Some(place).filter(|place| reads.rank[*place] > 0));
            }
            Access::Read(_) if seen.is_none_or(|seen| seen.len() == 1) => {
                reads.source.extend(seen.and_then(|seen| Some((place, *seen.first()?))));
            }
            Access::Read(_) | Access::Write(_) => return None,
        }
    }
    Some(reads)
}

impl<S: Spec> Reads<'_, S> {
    pub(super) fn accept(&self, rules: Rules) -> Result<(), Refusal> {
        let count = self.acts.len();
        let mut seen = Seen {
            rules,
            clocks: vec![Vec::new(); count],
            kept: HashMap::default(),
            latest: HashMap::default(),
            top: vec![0; count],
            own: vec![0; count],
        };
        let mut next = vec![0; count];
        if rules.prefix && rules.cause {
            // What a write's client saw is known before others see the write.
            for &write in self.order {
                let client = self.whole.acts[write].client;
                while next[client] < self.acts[client].len() && self.acts[client][next[client]] <= write {
                    self.visit(self.acts[client][next[client]], &mut seen)?;
                    next[client] += 1;
                }
            }
        }
        for (acts, next) in self.acts.iter().zip(next) {
            acts[next..].iter().try_for_each(|place| self.visit(*place, &mut seen))?;
        }
        Ok(())
    }

    fn visit(&self, place: usize, seen: &mut Seen) -> Result<(), Refusal> {
        let act = &self.whole.acts[place];
        let refused = |why| Err(Refusal::Misplaced(act.number(), why));
        let (rank, client, rules) = (self.rank[place], act.client, seen.rules);
        let last = |seen: &Seen| seen.latest.get(&(client, act.object)).copied().unwrap_or(0);
        match self.whole.spec.access(act.step()) {
            Some(Access::Write(_)) if rank > 0 => {
                if rules.prefix && std::mem::replace(&mut seen.own[client], rank) > rank {
                    return refused("comes before an earlier one of its client");
                }
                if rules.cause && seen.top[client] > rank {
                    return refused("comes before what its client had seen");
                }
                if rules.own {
                    self.see(place, client, seen);
                }
                if rules.prefix && rules.cause {
                    seen.kept.insert(place, seen.clocks[client].clone());
                }
            }
            Some(Access::Read(value)) => match self.source.get(&place) {
                None if last(seen) > 0 || value != self.whole.spec.initial() => {
                    return refused("does not read the initial value, or sees a write");
                }
                None => {}
                Some(&source) => {
                    let write = &self.whole.acts[source];
                    let is_written = self.whole.spec.access(write.step()) == Some(Access::Write(value));
                    let is_later = client == write.client && place < source;
                    if !is_written || is_later || self.rank[source] == 0 || write.object != act.object {
                        return refused("does not read what that operation wrote");
                    }
                    let is_told = rules.prefix && rules.cause && client != write.client;
                    if is_told && !seen.kept.contains_key(&source) {
                        return refused("reads from a write that follows from it");
                    }
                    if rules.again {
                        self.see(source, client, seen);
                    }
                    seen.top[client] = seen.top[client].max(self.rank[source]);
                    if last(seen) > self.rank[source] {
                        return refused("sees a later write than the one it reads from");
                    }
                }
            },
            Some(Access::Write(_)) | None => {}
        }
        Ok(())
    }

    /// The client sees this write, and what the level shows with it.
    fn see(&self, write: usize, client: usize, seen: &mut Seen) {
        let writer = self.whole.acts[write].client;
        if !seen.rules.prefix {
            return self.note(write, client, seen);
        }
        let count = self.writes[writer].partition_point(|other| *other <= write);
        self.see_first(writer, count, client, seen);
        if seen.rules.cause
            && writer != client
            && let Some(clock) = seen.kept.remove(&write)
        {
            clock.iter().enumerate().for_each(|(other, count)| self.see_first(other, *count, client, seen));
            seen.kept.insert(write, clock);
        }
    }

    /// The client sees the first writes of another one.
    fn see_first(&self, writer: usize, count: usize, client: usize, seen: &mut Seen) {
        let clock = &mut seen.clocks[client];
        if clock.len() <= writer {
            clock.resize(writer + 1, 0);
        }
        let known = clock[writer];
        if count > known {
            clock[writer] = count;
            self.writes[writer][known..count].iter().for_each(|write| self.note(*write, client, seen));
        }
    }

    fn note(&self, write: usize, client: usize, seen: &mut Seen) {
        let latest = seen.latest.entry((client, self.whole.acts[write].object)).or_insert(0);
        *latest = (*latest).max(self.rank[write]);
        seen.top[client] = seen.top[client].max(self.rank[write]);
    }
}
