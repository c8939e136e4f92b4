//! Every planned fault accounted for: planned, fired, affected something.

use serde::{Deserialize, Serialize};

use crate::fault::Family;
use crate::windows::FaultIndex;

/// What became of the planned faults of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// The family.
    pub fault: Family,
    /// How many were planned.
    pub planned: u64,
    /// How many began.
    pub fired: u64,
    /// How many things they changed: messages lost, doubled or delayed, inputs deferred or slowed, syncs delayed,
    /// refused or lied about, writes not made, records lost or found damaged, readings of a changed clock, nodes that
    /// went down or up or saw a reset. `docs/faults.md` says which for each family.
    pub affected: u64,
}

/// Whether a run with these lines proves nothing about faults: some were planned, and none changed anything.
#[must_use]
pub fn is_vacuous(lines: &[LedgerLine]) -> bool {
    !lines.is_empty() && lines.iter().all(|line| line.affected == 0)
}

#[derive(Clone, Debug)]
struct Entry {
    family: Family,
    is_fired: bool,
    affected: u64,
}

/// The account of a plan, fault by fault.
#[derive(Clone, Debug)]
pub struct Ledger {
    entries: Vec<Entry>,
}

impl Ledger {
    /// An account of planned faults, in the order of the plan.
    pub(crate) fn new(families: impl Iterator<Item = Family>) -> Self {
        let entries = families.map(|family| Entry { family, is_fired: false, affected: 0 });
        Self { entries: entries.collect() }
    }

    /// A fault begins.
    pub(crate) fn fire(&mut self, fault: FaultIndex) {
        self.entries[fault.0 as usize].is_fired = true;
    }

    /// A fault changed that many things.
    pub(crate) fn affect(&mut self, fault: FaultIndex, count: u64) {
        let entry = &mut self.entries[fault.0 as usize];
        assert!(entry.is_fired || count == 0, "fault {fault:?} changed something before it began");
        entry.affected += count;
    }

    /// How many things one fault changed, by its place in the plan.
    ///
    /// # Panics
    /// If there is no such fault.
    #[must_use]
    pub fn affected(&self, index: usize) -> u64 {
        self.entries[index].affected
    }

    /// Whether one fault began, by its place in the plan.
    ///
    /// # Panics
    /// If there is no such fault.
    #[must_use]
    pub fn is_fired(&self, index: usize) -> bool {
        self.entries[index].is_fired
    }

    /// A line for each family that was planned, in the order of [`Family`].
    #[must_use]
    pub fn lines(&self) -> Vec<LedgerLine> {
        let mut lines: Vec<LedgerLine> = Vec::new();
        for entry in &self.entries {
            let place = match lines.binary_search_by_key(&entry.family, |line| line.fault) {
                Ok(place) => place,
                Err(place) => {
                    lines
                        .insert(place, LedgerLine { fault: entry.family, planned: 0, fired: 0, affected: 0 });
                    place
                }
            };
            let line = &mut lines[place];
            line.planned += 1;
            line.fired += u64::from(entry.is_fired);
            line.affected += entry.affected;
        }
        lines
    }

    /// Whether some faults were planned and none changed anything.
    #[must_use]
    pub fn is_vacuous(&self) -> bool {
        is_vacuous(&self.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(families: &[Family], fired: &[(u32, u64)], want: &[(Family, u64, u64, u64)]) -> Ledger {
        let mut ledger = Ledger::new(families.iter().copied());
        for &(index, affected) in fired {
            ledger.fire(FaultIndex(index));
            ledger.affect(FaultIndex(index), affected);
        }
        let found =
            ledger.lines().into_iter().map(|line| (line.fault, line.planned, line.fired, line.affected));
        assert_eq!(found.collect::<Vec<_>>(), want);
        ledger
    }

    #[test]
    fn faults_add_up_by_family_in_the_order_of_families() {
        let ledger = check(
            &[Family::Cut, Family::Crash, Family::Cut, Family::Noise],
            &[(0, 3), (1, 1), (2, 4)],
            &[(Family::Crash, 1, 1, 1), (Family::Cut, 2, 2, 7), (Family::Noise, 1, 0, 0)],
        );
        assert!(!ledger.is_vacuous());
        assert_eq!((ledger.affected(2), ledger.is_fired(3)), (4, false));
    }

    #[test]
    fn a_run_whose_faults_changed_nothing_is_vacuous_and_one_without_faults_is_not() {
        assert!(check(&[Family::Cut], &[(0, 0)], &[(Family::Cut, 1, 1, 0)]).is_vacuous());
        assert!(!check(&[], &[], &[]).is_vacuous());
    }

    #[test]
    #[should_panic(expected = "before it began")]
    fn a_fault_that_did_not_begin_changes_nothing() {
        Ledger::new([Family::Cut].into_iter()).affect(FaultIndex(0), 1);
    }
}
