//! Planted defects, and the check that must find each.

use model::rules::Defect;

pub use crate::system::Mutant;
use crate::systems;

/// The defect that every run must show: whoever looks for mutants and does not find this one sees nothing.
pub const CANARY: &str = "canary";

/// Every mutant, system by system, the canary first.
pub fn all() -> impl Iterator<Item = &'static Mutant> {
    systems::ALL.iter().flat_map(|system| system.mutants())
}

/// The defect of that name.
#[must_use]
pub fn find(name: &str) -> Option<Defect> {
    all().find(|mutant| mutant.defect.0 == name).map(|mutant| mutant.defect)
}
