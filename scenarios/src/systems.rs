//! The systems that scenarios can name: one file each, all of them in one list.

use crate::system::{AnySystem, Of};

pub mod capacity;
pub mod config_pull;
pub mod counting;

/// Every system, in the order of `list`.
pub const ALL: &[&dyn AnySystem] = &[
    &Of::<capacity::CapacityService>::system(),
    &Of::<config_pull::ConfigPull>::system(),
    &Of::<counting::sync::CounterSync>::system(),
    &Of::<counting::dist::CounterDist>::system(),
    &Of::<counting::rollup::CounterRollup>::system(),
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
