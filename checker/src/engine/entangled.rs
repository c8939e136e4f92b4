//! Which clients have to be tried next, so that one of them gets on in the end.
//!
//! A closed set of operations, in the manner of stubborn sets (A. Valmari, "Stubborn sets for reduced
//! state space generation", Advances in Petri Nets 1990). It contains the next operation of the
//! client; with any member all that is [entangled](Spec::entangled) with it on its object; and with a
//! member that is not yet next for its client, the one that is. Of any legal continuation, the first
//! member could as well have been taken at once: what comes before it is independent of it.

use crate::engine::open::{Certainty, Entry, Open, OpenTable, Slot, SlotSet, Used};
use crate::engine::program_order::Item;
use crate::spec::Spec;

/// For each object, where its operations stand in the programs: (client, index).
pub(crate) struct ByObject(Vec<Vec<(usize, usize)>>);

impl ByObject {
    pub(crate) fn of<T>(programs: &[Vec<Item<T>>], object_count: usize) -> Self {
        let mut by_object = vec![Vec::new(); object_count];
        for (client, program) in programs.iter().enumerate() {
            for (index, item) in program.iter().enumerate() {
                by_object[item.object].push((client, index));
            }
        }
        Self(by_object)
    }
}

/// How far all clients have got, and what they still have to do.
pub(crate) struct Entanglement<'a, S: Spec> {
    pub(crate) spec: &'a S,
    pub(crate) programs: &'a [Vec<Item<S::Step>>],
    pub(crate) by_object: &'a ByObject,
    /// How many operations of each client are done.
    pub(crate) done: &'a [u32],
}

/// What is left to do on one object.
struct Left<T> {
    object: usize,
    table: OpenTable<T>,
    /// Where the operation in each slot stands.
    places: Vec<(usize, usize)>,
    closed: SlotSet,
}

impl<S: Spec> Entanglement<'_, S> {
    /// The clients that have a member of the closed set next. None if all have to be tried: the
    /// specification says so, or an object has too many operations left.
    pub(crate) fn clients<'s>(
        &self,
        first: usize,
        state: impl Fn(usize) -> &'s S::State,
    ) -> Option<Vec<usize>>
    where
        S::State: 's,
    {
        let mut lefts: Vec<Left<S::Step>> = Vec::new();
        let mut clients = Vec::new();
        let mut waiting = vec![first];
        while let Some(client) = waiting.pop() {
            let next = self.next(client);
            let object = self.programs[client][next].object;
            let left = self.left(object, &mut lefts)?;
            let goal = left.slot_of((client, next));
            let (taken, absorbable) = (SlotSet::EMPTY, SlotSet::EMPTY);
            let open = Open { table: &left.table, taken, absorbable, used: Used::NONE };
            let entangled = self.spec.entangled(state(object), &open, goal)?.with(goal);
            for slot in entangled.minus(left.closed) {
                let (other, index) = left.places[usize::from(slot.0)];
                if index == self.next(other) {
                    clients.push(other);
                } else if !waiting.contains(&other) && !clients.contains(&other) {
                    waiting.push(other);
                }
            }
            left.closed = left.closed.union(entangled);
        }
        Some(clients)
    }

    fn next(&self, client: usize) -> usize {
        self.done[client] as usize
    }

    /// What is left on an object, listed once. None if that is too much.
    fn left<'l>(&self, object: usize, lefts: &'l mut Vec<Left<S::Step>>) -> Option<&'l mut Left<S::Step>> {
        if let Some(known) = lefts.iter().position(|left| left.object == object) {
            return Some(&mut lefts[known]);
        }
        let mut left = Left { object, table: OpenTable::new(), places: Vec::new(), closed: SlotSet::EMPTY };
        for &(client, index) in &self.by_object.0[object] {
            if index >= self.next(client) {
                let item = &self.programs[client][index];
                let certainty = if item.is_optional { Certainty::Unknown } else { Certainty::Answered };
                left.table.insert(Entry { step: item.step.clone(), deadline: 0, certainty, copies: 1 })?;
                left.places.push((client, index));
            }
        }
        lefts.push(left);
        lefts.last_mut()
    }
}

impl<T> Left<T> {
    fn slot_of(&self, place: (usize, usize)) -> Slot {
        let slot = self.places.iter().position(|other| *other == place);
        Slot(slot.expect("what is next is left") as u8)
    }
}
