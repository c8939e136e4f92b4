//! All operations of all objects, client by client.

use std::collections::BTreeSet;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::engine::forced_order;
use crate::engine::program_order::Item;
use crate::engine::programs::{Planned, Programs, Rest};
use crate::explain;
use crate::history::{ClientId, OperationOf};
use crate::keyed::KeyedHistory;
use crate::linearizable::steps;
use crate::spec::Spec;
use crate::verdict::Violation;

/// No operation.
const NONE: u32 = u32::MAX;

/// All operations of all objects: which client, which object, what they do.
pub(super) struct Whole<'a, S: Spec> {
    history: &'a KeyedHistory<S>,
    pub(super) operations: Vec<&'a OperationOf<S>>,
    pub(super) keys: Vec<&'a str>,
    pub(super) objects: Vec<u32>,
    /// What each operation does; none if it cannot matter.
    pub(super) steps: Vec<Option<S::Step>>,
    /// Per client, by its number, its operations in order.
    programs: Vec<Vec<u32>>,
    /// Which program each operation belongs to.
    program_of: Vec<u32>,
    /// All operations by invocation.
    by_invocation: Vec<u32>,
}

impl<'a, S: Spec> Whole<'a, S> {
    pub(super) fn of(spec: &S, history: &'a KeyedHistory<S>) -> Self {
        let count = history.len();
        let mut whole = Self {
            history,
            operations: Vec::with_capacity(count),
            keys: history.parts().keys().map(String::as_str).collect(),
            objects: Vec::with_capacity(count),
            steps: Vec::with_capacity(count),
            programs: Vec::new(),
            program_of: Vec::with_capacity(count),
            by_invocation: Vec::new(),
        };
        let mut clients: HashMap<ClientId, u32, FxBuildHasher> = HashMap::default();
        let mut names: Vec<ClientId> = Vec::new();
        for (object, part) in (0..).zip(history.parts().values()) {
            for (operation, step) in part.operations().iter().zip(steps(spec, part)) {
                let client = *clients.entry(operation.client).or_insert_with(|| {
                    names.push(operation.client);
                    names.len() as u32 - 1
                });
                whole.operations.push(operation);
                whole.objects.push(object);
                whole.steps.push(step);
                whole.program_of.push(client);
            }
        }
        whole.sort_programs(&names);
        whole
    }

    /// Numbers the programs by client, and lists what belongs to each.
    fn sort_programs(&mut self, names: &[ClientId]) {
        let mut by_name: Vec<u32> = (0..names.len() as u32).collect();
        by_name.sort_unstable_by_key(|client| names[*client as usize]);
        let mut number = vec![0; names.len()];
        for (at, client) in by_name.iter().enumerate() {
            number[*client as usize] = at as u32;
        }
        for program in &mut self.program_of {
            *program = number[*program as usize];
        }
        self.by_invocation = self.sorted();
        let mut counts = vec![0; names.len()];
        self.program_of.iter().for_each(|program| counts[*program as usize] += 1);
        self.programs = counts.into_iter().map(Vec::with_capacity).collect();
        for &index in &self.by_invocation {
            self.programs[self.program_of[index as usize] as usize].push(index);
        }
    }

    /// The indexes of all operations by invocation.
    fn sorted(&self) -> Vec<u32> {
        let count = u32::try_from(self.operations.len()).expect("operations are numbered with 32 bits");
        if self.keys.len() <= 1 {
            return (0..count).collect();
        }
        // Positions count events, so that a list of all is at most a few times as long.
        let end = self.operations.iter().map(|operation| operation.invoked as usize + 1).max().unwrap_or(0);
        let mut begun_at = vec![NONE; end];
        for (index, operation) in (0..count).zip(&self.operations) {
            begun_at[operation.invoked as usize] = index;
        }
        begun_at.retain(|index| *index != NONE);
        begun_at
    }

    /// The programs of all clients, on all objects or on one.
    pub(super) fn items(&self, only: Option<usize>) -> Vec<Vec<Item<S::Step>>> {
        let item = |&tag: &u32| {
            let tag = tag as usize;
            let object = self.objects[tag] as usize;
            let is_wanted = only.is_none_or(|only| only == object);
            let step = self.steps[tag].clone().filter(|_| is_wanted)?;
            let operation = self.operations[tag];
            let is_optional = operation.returned.is_none();
            Some(Item { step, object, is_optional, invoked: operation.invoked, tag })
        };
        self.programs.iter().map(|program| program.iter().filter_map(item).collect()).collect()
    }

    /// What every client did.
    pub(super) fn programs(&self) -> Programs<S::Step> {
        let matters = |tag: &&u32| self.steps[**tag as usize].is_some();
        let lengths: Vec<usize> =
            self.programs.iter().map(|program| program.iter().filter(matters).count()).collect();
        // In the order of invocation: memory is then read from one end to the other.
        let operations = self.by_invocation.iter().filter_map(|&tag| {
            let tag = tag as usize;
            let planned = self.planned(tag, self.operations[tag].returned.is_none())?;
            Some((self.program_of[tag] as usize, planned))
        });
        Programs::dealt(self.keys.len(), &lengths, operations)
    }

    /// What every client did of a part.
    pub(super) fn part(&self, part: &Part) -> Programs<S::Step> {
        let mut tags: Vec<usize> = part.known.union(&part.others).copied().collect();
        tags.sort_by_key(|tag| (self.program_of[*tag], self.operations[*tag].invoked));
        let mut programs = Programs::new(self.keys.len(), tags.len()).with_rest(part.rest);
        for program in tags.chunk_by(|one, other| self.program_of[*one] == self.program_of[*other]) {
            let is_optional = |tag: &usize| !part.known.contains(tag);
            programs.push(program.iter().filter_map(|tag| self.planned(*tag, is_optional(tag))));
        }
        programs
    }

    /// The operation, if it can matter.
    fn planned(&self, tag: usize, is_optional: bool) -> Option<Planned<S::Step>> {
        let step = self.steps[tag].clone()?;
        let OperationOf::<S> { invoked, number, .. } = *self.operations[tag];
        let object = self.objects[tag];
        Some(Planned { step, object, is_optional, invoked, number, tag: tag as u32 })
    }

    /// A cycle of orders of which each is forced, among operations that certainly took effect.
    pub(super) fn forced_cycle(&self, spec: &S) -> Option<Violation> {
        let forced = self.forced(spec);
        let is_certain = self.certain(&forced);
        let mut edges = forced;
        for program in &self.programs {
            edges.extend(program.windows(2).map(|pair| (pair[0] as usize, pair[1] as usize)));
        }
        edges.retain(|&(before, after)| is_certain[before] && is_certain[after]);
        let cycle = forced_order::cycle(self.operations.len(), &edges)?;
        let words = cycle.iter().map(|index| self.in_words(*index));
        let claim = "of {} each must come before the next and the last before the first";
        Some(self.violation(&cycle, words, claim, None))
    }

    /// What the specification of each object forces.
    fn forced(&self, spec: &S) -> Vec<(usize, usize)> {
        let mut edges = Vec::new();
        for object in 0..self.keys.len() {
            // Operations were listed object by object, so each has one range of indexes.
            let first = self.objects.partition_point(|other| (*other as usize) < object);
            let end = self.objects.partition_point(|other| *other as usize <= object);
            let forced = spec.forced(&self.steps[first..end]);
            edges.extend(forced.into_iter().map(|(before, after)| (first + before, first + after)));
        }
        edges
    }

    /// What was answered took effect, and what must come before something that did.
    fn certain(&self, forced: &[(usize, usize)]) -> Vec<bool> {
        let is_answered = |operation: &&OperationOf<S>| operation.returned.is_some();
        let mut is_certain: Vec<bool> = self.operations.iter().map(is_answered).collect();
        loop {
            let new = forced.iter().find(|(before, after)| is_certain[*after] && !is_certain[*before]);
            let Some(&(before, _)) = new else { return is_certain };
            is_certain[before] = true;
        }
    }

    pub(super) fn violation(
        &self,
        indexes: &[usize],
        words: impl Iterator<Item = String>,
        claim: &str,
        reason: Option<String>,
    ) -> Violation {
        let numbers = indexes.iter().map(|index| self.operations[*index].number).collect();
        let mut violation = Violation::claimed(numbers, words, claim, reason);
        violation.operations.sort_unstable();
        violation
    }

    pub(super) fn in_words(&self, index: usize) -> String {
        let key = self.keys[self.objects[index] as usize];
        explain::in_words::<S>(self.history, self.operations[index], (self.keys.len() > 1).then_some(key))
    }
}

/// A part of the whole, by index.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What is part of it.
    pub(super) known: BTreeSet<usize>,
    /// Which others may be added.
    pub(super) others: BTreeSet<usize>,
    /// What may be imagined besides.
    pub(super) rest: Rest,
}
