//! The operations open at one moment of a history, each in one of 128 slots.
//!
//! Operations of unknown outcome that do the same are copies of one another and share a slot.

/// The place of an open operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u8);

/// A set of slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotSet(u128);

impl SlotSet {
    /// Most operations open at once, those of unknown outcome included.
    pub const COUNT: usize = 128;

    /// No slot.
    pub const EMPTY: Self = Self(0);

    /// One slot.
    pub fn only(slot: Slot) -> Self {
        Self(1 << slot.0)
    }

    /// Whether the slot is in the set.
    pub fn contains(self, slot: Slot) -> bool {
        self.0 >> slot.0 & 1 == 1
    }

    /// The set with the slot.
    #[must_use]
    pub fn with(self, slot: Slot) -> Self {
        Self(self.0 | 1 << slot.0)
    }

    /// The set without the slot.
    #[must_use]
    pub fn without(self, slot: Slot) -> Self {
        Self(self.0 & !(1 << slot.0))
    }

    /// What is in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is here and not there.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of this is also there.
    pub fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many there are.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The lowest slot that is not in the set, if any.
    pub fn first_free(self) -> Option<Slot> {
        let index = self.0.trailing_ones();
        (index < 128).then_some(Slot(index as u8))
    }
}

impl IntoIterator for SlotSet {
    type Item = Slot;
    type IntoIter = Slots;

    fn into_iter(self) -> Slots {
        Slots(self.0)
    }
}

/// The slots of a set, lowest first.
#[derive(Clone, Debug)]
pub struct Slots(u128);

impl Iterator for Slots {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        if self.0 == 0 {
            return None;
        }
        let index = self.0.trailing_zeros() as u8;
        self.0 &= self.0 - 1;
        Some(Slot(index))
    }
}

/// How many copies were taken of what is in a slot, where it is of unknown outcome: by slot, not 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Used(Vec<(Slot, u32)>);

impl Used {
    /// Nothing was used.
    pub const NONE: &'static Self = &Self(Vec::new());

    /// How many copies were taken of what is in this slot.
    pub fn count(&self, slot: Slot) -> u32 {
        self.0.iter().find(|(other, _)| *other == slot).map_or(0, |(_, count)| *count)
    }

    /// How many were taken of all.
    pub(crate) fn total(&self) -> u32 {
        self.0.iter().map(|(_, count)| *count).sum()
    }

    /// How much memory it takes beside itself, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// Takes one more copy; says how many that makes.
    pub(crate) fn add(&mut self, slot: Slot) -> u32 {
        let place = self.0.partition_point(|(other, _)| *other < slot);
        match self.0.get_mut(place) {
            Some((other, count)) if *other == slot => {
                *count += 1;
                *count
            }
            Some(_) | None => {
                self.0.insert(place, (slot, 1));
                1
            }
        }
    }

    /// Forgets how many were taken.
    pub(crate) fn clear(&mut self, slot: Slot) {
        self.0.retain(|(other, _)| *other != slot);
    }

    /// Whether no more copies were used here than there.
    pub(crate) fn is_at_most(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len() && self.0.iter().all(|(slot, count)| *count <= other.count(*slot))
    }
}

/// What is open, seen from one configuration.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a, T> {
    pub(crate) table: &'a OpenTable<T>,
    pub(crate) taken: SlotSet,
    pub(crate) absorbable: SlotSet,
    pub(crate) used: &'a Used,
}

impl<'a, T> Open<'a, T> {
    /// Open operations not yet taken.
    pub fn untaken(&self) -> SlotSet {
        self.table.occupied.minus(self.taken)
    }

    /// Untaken operations that were answered: each must be taken before it returns.
    pub fn untaken_answered(&self) -> SlotSet {
        self.untaken().minus(self.table.unknown)
    }

    /// Untaken operations of unknown outcome: each may be taken once or never.
    pub fn untaken_unknown(&self) -> SlotSet {
        self.untaken().intersection(self.table.unknown)
    }

    /// Untaken operations that may be considered taken without any effect on the state.
    pub fn absorbable(&self) -> SlotSet {
        self.absorbable
    }

    /// How many untaken operations are in an occupied slot: copies, if they are of unknown outcome.
    pub fn copies(&self, slot: Slot) -> u32 {
        self.table.copies(slot) - self.used.count(slot)
    }

    /// What the operation in an occupied slot does.
    pub fn step(&self, slot: Slot) -> &'a T {
        self.table.step(slot)
    }
}

/// What is open, common to all configurations.
#[derive(Clone, Debug)]
pub(crate) struct OpenTable<T> {
    entries: Vec<Entry<T>>,
    pub(crate) occupied: SlotSet,
    pub(crate) unknown: SlotSet,
}

/// Whether an open operation will be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// It will be: it takes effect before.
    Answered,
    /// It may take effect, or not.
    Unknown,
}

/// One open operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<T> {
    pub(crate) step: T,
    /// The position after which it takes effect no more; `u64::MAX` if there is none.
    pub(crate) deadline: u64,
    pub(crate) certainty: Certainty,
    /// How many operations of unknown outcome share the slot; else 1.
    pub(crate) copies: u32,
}

impl<T> OpenTable<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), occupied: SlotSet::EMPTY, unknown: SlotSet::EMPTY }
    }

    /// Puts an operation into the lowest free slot. None if all are occupied.
    pub(crate) fn insert(&mut self, entry: Entry<T>) -> Option<Slot> {
        let slot = self.occupied.first_free()?;
        self.insert_at(slot, entry);
        Some(slot)
    }

    /// Puts an operation into this slot, which is free, as all slots beyond it are that never were used.
    pub(crate) fn insert_at(&mut self, slot: Slot, entry: Entry<T>) {
        assert!(!self.occupied.contains(slot), "{slot:?} is occupied");
        self.occupied = self.occupied.with(slot);
        if entry.certainty == Certainty::Unknown {
            self.unknown = self.unknown.with(slot);
        }
        let index = usize::from(slot.0);
        assert!(index <= self.entries.len(), "a slot is used for the first time after the one before it");
        if index == self.entries.len() {
            self.entries.push(entry);
        } else {
            self.entries[index] = entry;
        }
    }

    /// One more operation of unknown outcome does what the one in this slot does.
    pub(crate) fn add_copy(&mut self, slot: Slot) {
        assert!(self.unknown.contains(slot), "{slot:?} is not of unknown outcome");
        self.entries[usize::from(slot.0)].copies += 1;
    }

    /// Takes back [`add_copy`](Self::add_copy), or the insertion if there is one copy only.
    pub(crate) fn remove_copy(&mut self, slot: Slot) {
        assert!(self.unknown.contains(slot), "{slot:?} is not of unknown outcome");
        if self.copies(slot) == 1 {
            self.remove(slot);
        } else {
            self.entries[usize::from(slot.0)].copies -= 1;
        }
    }

    pub(crate) fn copies(&self, slot: Slot) -> u32 {
        self.entry(slot).copies
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        assert!(self.occupied.contains(slot), "{slot:?} is not occupied");
        self.occupied = self.occupied.without(slot);
        self.unknown = self.unknown.without(slot);
    }

    pub(crate) fn entry(&self, slot: Slot) -> &Entry<T> {
        &self.entries[usize::from(slot.0)]
    }

    pub(crate) fn step(&self, slot: Slot) -> &T {
        &self.entry(slot).step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slot_can_be_used_and_no_further_one() {
        let mut table = OpenTable::new();
        for _ in 0..SlotSet::COUNT {
            assert!(
                table
                    .insert(Entry { step: (), deadline: u64::MAX, certainty: Certainty::Unknown, copies: 1 })
                    .is_some()
            );
        }
        assert_eq!(
            table.insert(Entry { step: (), deadline: 0, certainty: Certainty::Answered, copies: 1 }),
            None
        );
        table.remove(Slot(127));
        assert_eq!(
            table.insert(Entry { step: (), deadline: 0, certainty: Certainty::Answered, copies: 1 }),
            Some(Slot(127))
        );
        assert!(!table.unknown.contains(Slot(127)));
    }

    #[test]
    fn slots_come_lowest_first() {
        let set = SlotSet::only(Slot(127)).with(Slot(3)).with(Slot(64));
        assert_eq!(set.into_iter().collect::<Vec<_>>(), [Slot(3), Slot(64), Slot(127)]);
        assert_eq!(set.without(Slot(64)).len(), 2);
    }
}
