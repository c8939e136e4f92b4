//! One node's view of all slots: how far it has got in each owner's stream, and what it makes of what it hears.

use sim::node::NodeId;

use super::{Entry, Fx, Observation, Place, Rules, Shape};
use crate::ids::SlotId;

/// What a view makes of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is the next one, or an old one.
    InOrder,
    /// Some before it are missing.
    Gap,
}

/// What a node knows of all slots.
#[derive(Clone, Debug)]
pub struct View {
    rules: Rules,
    shape: Shape,
    entries: Vec<Entry>,
    /// How far it has got in each owner's stream; none before it has had all of the owner's slots.
    places: Vec<Option<Place>>,
}

impl View {
    /// A view that has heard nothing yet.
    #[must_use]
    pub fn new(rules: Rules, shape: Shape) -> Self {
        let entries = vec![Entry::default(); shape.slot_count as usize];
        Self { rules, shape, entries, places: vec![None; shape.node_count as usize] }
    }

    /// What it knows of a slot; none if it has not had all of its owner's slots since it began.
    #[must_use]
    pub fn get(&self, slot: SlotId) -> Option<Entry> {
        let is_served =
            self.places[self.shape.owner(slot).index()].is_some() || !self.rules.whole_first.is_taken();
        is_served.then(|| self.entries[slot.0 as usize])
    }

    /// All that it knows, slot by slot.
    pub fn iter(&self) -> impl Iterator<Item = (SlotId, Entry)> + '_ {
        (0..).map(SlotId).zip(self.entries.iter().copied())
    }

    /// An owner tells of one change.
    pub fn update(
        &mut self,
        owner: NodeId,
        place: Place,
        (slot, entry): (SlotId, Entry),
        fx: &mut Fx,
    ) -> Heard {
        let before = self.places[owner.index()];
        let is_next =
            before.is_some_and(|before| before.life == place.life && before.number + 1 >= place.number);
        if !is_next && self.rules.gap_asked.is_taken() {
            return if before.is_some_and(|before| place <= before) { Heard::InOrder } else { Heard::Gap };
        }
        self.take(slot, entry, fx);
        self.places[owner.index()] = before.max(Some(place));
        Heard::InOrder
    }

    /// An owner tells of all its slots.
    pub fn whole(&mut self, owner: NodeId, place: Place, entries: &[(SlotId, Entry)], fx: &mut Fx) {
        for (slot, entry) in entries {
            self.take(*slot, *entry, fx);
        }
        self.places[owner.index()] = self.places[owner.index()].max(Some(place));
    }

    /// Whether an owner's stream is further than the view has got in it.
    #[must_use]
    pub fn is_behind(&self, owner: NodeId, place: Place) -> bool {
        self.places[owner.index()].is_none_or(|before| before < place)
    }

    /// Takes an entry, if it is newer than what is known of the slot.
    pub fn take(&mut self, slot: SlotId, entry: Entry, fx: &mut Fx) {
        let Some(known) = self.entries.get_mut(slot.0 as usize) else { return };
        if entry.version > known.version || (!self.rules.newer_only.is_taken() && entry != *known) {
            *known = entry;
            fx.observe(Observation::Taken { slot, entry });
        }
    }
}
