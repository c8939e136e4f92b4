//! Planted defects, and the check that must find each.

use model::rules::Defect;

pub use crate::system::Mutant;
use crate::systems;

/// Every mutant, system by system.
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    systems::ALL.iter().flat_map(|system| system.mutants())
}

/// The defect of that name.
#[must_use]
pub fn find(name: &str) -> Option<Defect> {
    all().find(|mutant| mutant.defect.0 == name).map(|mutant| mutant.defect)
}
