//! From what a search chose to a legal order of all operations.
//!
//! A search takes observations as soon as they are legal and absorbs what another write covers; here
//! both get their place: an observation where it was taken, a covered write just before what covers it.

use crate::engine::configuration::Configuration;
use crate::engine::depth_first::Choice;
use crate::engine::open::{OpenTable, Slot, SlotSet};
use crate::engine::timeline::{Event, EventKind, Timeline};
use crate::spec::Spec;

/// The places of the operations in the legal order that these choices lead to.
///
/// All answered ones are in it, and the unknown ones that were chosen.
pub(crate) fn order<S: Spec>(spec: &S, timeline: &Timeline<'_, S::Step>, choices: &[Choice]) -> Vec<usize> {
    let mut replay = Replay {
        spec,
        table: OpenTable::new(),
        configuration: Configuration::first(spec),
        places: vec![Vec::new(); SlotSet::COUNT],
        absorbed_at: vec![0; SlotSet::COUNT],
        taken_count: 0,
        order: Vec::new(),
    };
    let mut choices = choices.iter().peekable();
    for (index, event) in timeline.events.iter().enumerate() {
        while let Some(choice) = choices.next_if(|choice| choice.event == index) {
            match choice.taken {
                Some(slot) => replay.take(slot),
                None if event.kind == EventKind::Returned => replay.absorb(event.slot),
                None => {}
            }
        }
        timeline.forward(*event, &mut replay.table);
        replay.see(*event);
    }
    replay.order.sort_by_key(|(key, _)| *key);
    replay.order.into_iter().map(|(_, place)| place).collect()
}

struct Replay<'a, S: Spec> {
    spec: &'a S,
    table: OpenTable<S::Step>,
    configuration: Configuration<S::State>,
    /// For each slot, the places of what is in it: of unknown ones, those that were not taken.
    places: Vec<Vec<usize>>,
    /// For each slot, how many had been taken when its operation could be absorbed.
    absorbed_at: Vec<usize>,
    /// How many were taken, rather than absorbed.
    taken_count: usize,
    /// Each operation with its key: even before what was taken, odd for what was taken itself.
    order: Vec<(usize, usize)>,
}

impl<S: Spec> Replay<'_, S> {
    fn see(&mut self, event: Event) {
        let slot = event.slot;
        let before = self.configuration.clone();
        match event.kind {
            EventKind::Invoked | EventKind::Pending => {
                self.places[usize::from(slot.0)].push(event.place as usize);
            }
            EventKind::Expired | EventKind::Returned => {
                self.places[usize::from(slot.0)].clear();
                self.configuration = before.past(event);
                return;
            }
        }
        self.configuration.see(self.spec, &self.table, event);
        if event.kind == EventKind::Invoked {
            self.note(&before, None);
        }
    }

    fn take(&mut self, slot: Slot) {
        let before = self.configuration.clone();
        let next = before.take(self.spec, &self.table, slot);
        self.configuration = next.expect("a search takes what is legal");
        self.push(slot);
        self.note(&Configuration { taken: before.taken.with(slot), ..before }, Some(slot));
    }

    /// Gives a place to each observation that was taken, and notes what became absorbable: just before
    /// what was `taken` if that covers it, else now, for it changes nothing.
    fn note(&mut self, before: &Configuration<S::State>, taken: Option<Slot>) {
        let now = &self.configuration;
        let observed = now.taken.minus(before.taken).minus(self.table.unknown);
        let absorbable = now.absorbable.minus(before.absorbable);
        for slot in absorbable {
            let is_covered = taken
                .is_some_and(|taken| self.spec.overwrites(self.table.step(taken), self.table.step(slot)));
            self.absorbed_at[usize::from(slot.0)] = self.taken_count - usize::from(is_covered);
        }
        observed.into_iter().for_each(|slot| self.push(slot));
    }

    fn push(&mut self, slot: Slot) {
        let place = self.places[usize::from(slot.0)].remove(0);
        self.order.push((2 * self.taken_count + 1, place));
        self.taken_count += 1;
    }

    fn absorb(&mut self, slot: Slot) {
        let place = self.places[usize::from(slot.0)].remove(0);
        self.order.push((2 * self.absorbed_at[usize::from(slot.0)], place));
    }
}
