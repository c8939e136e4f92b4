//! Planted defects, and the check that must find each.

use model::rules::Defect;

/// A mutant: where it lives, and what gives it away.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The defect.
    pub defect: Defect,
    /// The scenario that shows it.
    pub scenario: &'static str,
    /// The check that must find it.
    pub check: &'static str,
}

/// Every mutant.
pub const MUTANTS: [Mutant; 15] = [
    mutant(Defect::UnconditionalAppend, "counters-partition", "linearizable"),
    mutant(Defect::AckOfAnother, "capacity", "no-loss"),
    mutant(Defect::AckBeforeSync, "disk-trouble", "no-loss"),
    mutant(Defect::SyncAloneRetried, "disk-trouble", "no-loss"),
    mutant(Defect::DamageLeft, "disk-trouble", "no-loss"),
    mutant(Defect::AckBeforeJournal, "counters-partition", "no-loss"),
    mutant(Defect::RetryWithoutKey, "counters-partition", "exactly-once"),
    mutant(Defect::MinorityGoesOn, "counters-partition", "linearizable"),
    mutant(Defect::ReplicaSkipsGap, "capacity", "convergence"),
    mutant(Defect::ReplicaServesEarly, "rolling-restart", "monotonic-reads"),
    mutant(Defect::NoClockMargin, "clock-steps", "switch-a"),
    mutant(Defect::LeaseIgnored, "config-switch", "switch-c"),
    mutant(Defect::SwitchUndone, "clock-steps", "switch-b"),
    mutant(Defect::LatePublication, "config-switch", "switch-a"),
    mutant(Defect::BatchKeepsVersion, "config-switch", "switch-f"),
];

const fn mutant(defect: Defect, scenario: &'static str, check: &'static str) -> Mutant {
    Mutant { defect, scenario, check }
}

impl Mutant {
    /// Its name, as `--mutant` takes it.
    ///
    /// # Panics
    /// Never: a defect is written as its name.
    #[must_use]
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self.defect).expect("a defect is plain data");
        value.as_str().expect("a defect is written as its name").to_owned()
    }
}

/// The defect of that name.
#[must_use]
pub fn find(name: &str) -> Option<Defect> {
    MUTANTS.iter().find(|mutant| mutant.name() == name).map(|mutant| mutant.defect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_has_a_mutant_and_a_name_that_finds_it() {
        for defect in Defect::ALL {
            let mutant = MUTANTS.iter().find(|mutant| mutant.defect == defect);
            let mutant = mutant.unwrap_or_else(|| panic!("{defect:?} has no mutant"));
            assert_eq!(find(&mutant.name()), Some(defect));
        }
    }
}
