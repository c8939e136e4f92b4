//! The systems that scenarios can name: one file each, all of them in one list.

use self::config::Config;
use self::config::deliveries::{Cached, Pull, Push, TwoPhase};
use crate::system::{AnySystem, Of};

pub mod capacity;
pub mod chain;
pub mod commit;
mod common;
pub mod config;
pub mod consensus;
pub mod counter_sharded;
pub mod counting;
pub mod election;
pub mod last_writer_wins;
pub mod lease_lock;
pub mod overview;
pub mod replication;
pub mod stream;
mod switches;
pub mod workflow;

/// Every system, in the order of `list`. One place for all: a constant would be compiled anew, with every system's world, in
/// each crate that names it.
pub static ALL: &[&dyn AnySystem] = &[
    &Of::<capacity::CapacityService>::system(),
    &Of::<counting::sync::CounterSync>::system(),
    &Of::<counting::dist::CounterDist>::system(),
    &Of::<counting::rollup::CounterRollup>::system(),
    &Of::<counter_sharded::CounterSharded>::system(),
    &Of::<overview::Overview>::system(),
    &Of::<Config<Pull>>::system(),
    &Of::<Config<Cached>>::system(),
    &Of::<Config<Push>>::system(),
    &Of::<Config<TwoPhase>>::system(),
    &Of::<replication::Replication>::system(),
    &Of::<consensus::Consensus>::system(),
    &Of::<lease_lock::LeaseLock>::system(),
    &Of::<election::Election>::system(),
    &Of::<commit::Commit>::system(),
    &Of::<last_writer_wins::LastWriterWins>::system(),
    &Of::<workflow::Workflow>::system(),
    &Of::<stream::Stream>::system(),
    &Of::<chain::EventChain>::system(),
];

/// The system of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn AnySystem> {
    ALL.iter().copied().find(|system| system.name() == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_of_systems_and_of_defects_are_unique_and_every_defect_has_a_mutant() {
        let mut names = BTreeSet::new();
        for system in ALL {
            assert!(names.insert(system.name()), "{} twice", system.name());
            for mutant in system.mutants() {
                let is_known = system.defects().contains(&mutant.defect);
                assert!(is_known, "{} has no defect {}", system.name(), mutant.defect);
            }
        }
        let mutants: Vec<_> = ALL.iter().flat_map(|system| system.mutants()).collect();
        let defects: BTreeSet<_> = mutants.iter().map(|mutant| mutant.defect).collect();
        assert_eq!(defects.len(), mutants.len(), "a defect has one mutant");
        for defect in ALL.iter().flat_map(|system| system.defects()) {
            assert!(defects.contains(defect), "{defect} has no mutant");
        }
    }
}
