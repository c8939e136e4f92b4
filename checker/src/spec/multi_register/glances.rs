//! Transactions as each register sees them: what rules out every order of one register does so of all.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Part, TransactionStep, Value, written};
use crate::engine::first_sight::{Glance, conflict_of_holder};
use crate::engine::shortcut::{Conflict, Seen, View};

/// What each transaction shows of one register, with its place.
type Glances = Vec<(usize, Glance<Value>)>;

/// The first register, by name, with answers that nothing explains.
pub(super) fn conflict(initial: Value, view: &impl View<TransactionStep>) -> Option<Conflict> {
    let mut registers: BTreeMap<Arc<str>, Glances> = BTreeMap::new();
    for place in 0..view.count() {
        if let Err(conflict) = note(&mut registers, place, view.at(place)) {
            return Some(conflict);
        }
    }
    registers.into_iter().find_map(|(name, glances)| {
        let found = conflict_of_holder(&initial, glances.len(), |index| {
            glances.get(index).map(|(_, one)| one.clone())
        });
        let Conflict { places, reason } = found?;
        let places = places.into_iter().map(|index| glances[index].0).collect();
        Some(Conflict { places, reason: format!("of {name}, {reason}") })
    })
}

/// Notes what one transaction shows. The conflict if it contradicts itself.
fn note(
    registers: &mut BTreeMap<Arc<str>, Glances>,
    place: usize,
    seen: Seen<TransactionStep>,
) -> Result<(), Conflict> {
    let Seen { step, invoked, returned } = seen;
    let Some(step) = step else { return Ok(()) };
    let mut answers = step.found.iter().flat_map(|found| found.iter());
    let mut touched: Vec<(&Arc<str>, Glance<Value>)> = Vec::new();
    for part in step.parts.iter() {
        let (Part::Read { name } | Part::Write { name, .. }) = part;
        let at = touched.iter().position(|(other, _)| *other == name).unwrap_or_else(|| {
            touched.push((name, Glance { made: None, found: None, missed: None, invoked, returned }));
            touched.len() - 1
        });
        let glance = &mut touched[at].1;
        match part {
            Part::Write { value, .. } => glance.made = Some(*value),
            Part::Read { .. } => {
                let Some(value) = answers.next().copied().flatten().filter(|_| returned < u64::MAX) else {
                    continue;
                };
                let held = glance.made.or(glance.found);
                if let Some(held) = held.filter(|held| *held != value) {
                    let reason = format!(
                        "of {name}, it finds {} where it left or found {}",
                        written(value),
                        written(held)
                    );
                    return Err(Conflict { places: vec![place], reason });
                }
                if held.is_none() {
                    glance.found = Some(value);
                }
            }
        }
    }
    for (name, glance) in touched {
        // What it only leaves out of the answer shows nothing.
        if glance.made.is_some() || glance.found.is_some() {
            match registers.get_mut(name) {
                Some(glances) => glances.push((place, glance)),
                None => drop(registers.insert(name.clone(), vec![(place, glance)])),
            }
        }
    }
    Ok(())
}
