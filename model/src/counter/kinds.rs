//! Kinds of resource and the address rule: what a reservation asks for, what a slot has of it, and whom it serves.
//!
//! The limit of a version is one number; each kind of resource has its share of it. A reservation needs room in every
//! kind that it asks for, and takes units of all of them or of none. The address rule, if there are zones: slot `s`
//! serves every zone but zone `s mod zones`. Who names no zone is served everywhere.

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, SlotId, ZoneId};

/// Kinds of resource that a slot can have.
pub const KINDS_MAX: usize = 3;

/// Units of each kind; 0 of those that a slot does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Units(pub [u32; KINDS_MAX]);

impl Units {
    /// Units of the first kind only.
    #[must_use]
    pub const fn first(units: u32) -> Self {
        Self([units, 0, 0])
    }

    /// Of all kinds together.
    #[must_use]
    pub fn total(self) -> u64 {
        self.0.into_iter().map(u64::from).sum()
    }
}

/// What a reservation asks for, whichever version of it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Demand {
    /// For which order.
    pub order: OrderId,
    /// How many of each kind.
    pub units: Units,
    /// From which zone, if it names one.
    pub zone: Option<ZoneId>,
}

/// Which kinds every slot has, and how many zones there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    shares: [u32; KINDS_MAX],
    zones: u8,
}

/// One kind without a rule.
impl Default for Kinds {
    fn default() -> Self {
        Self::new(&[100], 0)
    }
}

impl Kinds {
    /// Kinds that have these shares of the limit, in percent, and `zones` zones; 0 is no rule.
    ///
    /// # Panics
    /// If there are no shares, or more than [`KINDS_MAX`].
    #[must_use]
    pub fn new(shares: &[u32], zones: u8) -> Self {
        assert!((1..=KINDS_MAX).contains(&shares.len()), "a slot has one to three kinds");
        let mut padded = [0; KINDS_MAX];
        padded[..shares.len()].copy_from_slice(shares);
        Self { shares: padded, zones }
    }

    /// How many kinds there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shares.iter().filter(|share| **share > 0).count()
    }

    /// Whether there is but one kind.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.shares[1] == 0
    }

    /// The limit of a kind where the whole limit is `limit`: its share, rounded down.
    #[must_use]
    pub fn limit(&self, kind: usize, limit: u32) -> u64 {
        u64::from(limit) * u64::from(self.shares[kind]) / 100
    }

    /// Whether every kind that is asked for has room. A kind that is not asked for needs none, though its use may stand
    /// above a limit that was lowered.
    #[must_use]
    pub fn has_room(&self, used: &[u64; KINDS_MAX], units: Units, limit: u32) -> bool {
        let mut kinds = used.iter().zip(units.0).enumerate();
        kinds.all(|(kind, (used, units))| units == 0 || used + u64::from(units) <= self.limit(kind, limit))
    }

    /// Whether `slot` serves `zone`.
    #[must_use]
    pub fn serves(&self, slot: SlotId, zone: Option<ZoneId>) -> bool {
        let zones = u32::from(self.zones);
        zones == 0 || zone.is_none_or(|zone| slot.0 % zones != u32::from(zone.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_fits_only_if_every_kind_that_it_asks_for_has_room() {
        let kinds = Kinds::new(&[100, 50], 0);
        let fits = |units| kinds.has_room(&[4, 4, 0], Units(units), 10);
        assert!(fits([6, 1, 0]));
        assert!(!fits([7, 1, 0]), "the first kind has 10");
        assert!(!fits([1, 2, 0]), "the second has half of it");
        assert!(!fits([1, 1, 1]), "there is no third");
    }

    #[test]
    fn a_kind_that_is_not_asked_for_needs_no_room() {
        assert!(Kinds::new(&[100, 50], 0).has_room(&[1, 9, 0], Units([2, 0, 0]), 10));
    }

    #[test]
    fn a_slot_serves_all_zones_but_one_and_whoever_names_none() {
        let kinds = Kinds::new(&[100], 3);
        let served = |slot| (0..3).filter(|zone| kinds.serves(SlotId(slot), Some(ZoneId(*zone)))).count();
        assert_eq!((0..6).map(served).collect::<Vec<_>>(), [2; 6]);
        assert!(!kinds.serves(SlotId(4), Some(ZoneId(1))) && kinds.serves(SlotId(4), None));
        assert!(Kinds::default().serves(SlotId(0), Some(ZoneId(0))));
    }
}
