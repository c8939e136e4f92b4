//! What stands where in a log, as far as anybody was told; hence where each append stands.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::LogStep;
use crate::engine::program_slots::Move;
use crate::engine::programs::{Contradiction, Others, Programs, Rest, Unknown};

/// What each operation does to the length of its log.
pub(super) struct Known {
    /// By place.
    pub(super) moves: Vec<Move>,
    /// For appends that were not told where they stand, who was told of their entry.
    pub(super) told_by: BTreeMap<usize, usize>,
}

/// An entry and the place of what tells of it.
type Told = Option<(i64, usize)>;

struct Logs<'a> {
    programs: &'a Programs<LogStep>,
    /// For each log, what stands at each offset that it can have.
    contents: Vec<Vec<Told>>,
}

/// Where each append stands.
pub(super) fn known(programs: &Programs<LogStep>) -> Result<Known, Unknown> {
    let mut logs = Logs { programs, contents: Vec::new() };
    logs.read()?;
    logs.owners()
}

impl Logs<'_> {
    /// Gathers what was told.
    fn read(&mut self) -> Result<(), Unknown> {
        let mut counts = vec![0; self.programs.object_count()];
        for operation in self.programs.operations() {
            counts[operation.object()] += match &operation.step {
                LogStep::Append(..) => 1,
                // Elsewhere there may be more appends than are seen here.
                LogStep::Entries(_, entries) if self.programs.rest() == Rest::Anything => entries.len(),
                LogStep::Entries(..) | LogStep::Entry(..) => 0,
            };
        }
        self.contents = counts.into_iter().map(|count| vec![None; count]).collect();
        let told =
            |(_, operation): &(usize, &crate::engine::programs::Planned<LogStep>)| !operation.is_optional;
        for (place, operation) in self.programs.operations().iter().enumerate().filter(told) {
            match &operation.step {
                LogStep::Append(entry, Some(offset)) | LogStep::Entry(offset, Some(entry)) => {
                    self.tell(place, *offset, &[*entry])?;
                }
                LogStep::Entries(from, entries) => self.tell(place, *from, entries)?,
                LogStep::Append(_, None) | LogStep::Entry(_, None) => {}
            }
        }
        Ok(())
    }

    fn tell(&mut self, place: usize, from: u64, entries: &[i64]) -> Result<(), Unknown> {
        let contents = &mut self.contents[self.programs.at(place).object()];
        // Beyond what can have been appended nothing has to be compared: it is not reached.
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(contents.len());
        for (told, entry) in contents[from..].iter_mut().zip(entries) {
            match *told {
                None => *told = Some((*entry, place)),
                Some((other, _)) if other == *entry => {}
                Some((_, other)) => return Err(self.contradicted(other, place)),
            }
        }
        Ok(())
    }

    fn contradicted(&self, first: usize, second: usize) -> Unknown {
        let number = |place: usize| self.programs.at(place).number;
        let reason = format!(
            "operations {} and {} were told of different entries at one offset",
            number(first),
            number(second)
        );
        let places = vec![first, second];
        Unknown::Contradiction(Contradiction { places, others: Others::Settled, reasons: vec![reason] })
    }

    /// Which append made each entry of which somebody was told.
    fn owners(&self) -> Result<Known, Unknown> {
        let is_told = |object: usize, offset: &u64| {
            let offset = usize::try_from(*offset).ok();
            offset.and_then(|offset| self.contents[object].get(offset).copied().flatten()).is_some()
        };
        let mut is_owned: Vec<Vec<bool>> = self.contents.iter().map(|log| vec![false; log.len()]).collect();
        let mut appends: HashMap<(usize, i64), Vec<usize>, FxBuildHasher> = HashMap::default();
        let mut append_counts: HashMap<(usize, i64), usize, FxBuildHasher> = HashMap::default();
        for (place, operation) in self.programs.operations().iter().enumerate() {
            if let LogStep::Append(entry, _) = operation.step {
                *append_counts.entry((operation.object(), entry)).or_default() += 1;
            }
            match &operation.step {
                LogStep::Append(_, Some(offset)) if is_told(operation.object(), offset) => {
                    is_owned[operation.object()][*offset as usize] = true;
                }
                LogStep::Append(entry, None) => {
                    appends.entry((operation.object(), *entry)).or_default().push(place);
                }
                LogStep::Append(_, Some(_)) | LogStep::Entries(..) | LogStep::Entry(..) => {}
            }
        }
        let mut at = BTreeMap::new();
        let mut told_by = BTreeMap::new();
        for (object, log) in self.contents.iter().enumerate() {
            for (offset, told) in log.iter().enumerate() {
                let Some((entry, teller)) = *told else { continue };
                let alike = appends.get(&(object, entry)).map(Vec::as_slice);
                let is_certain = |place: &usize| !self.programs.at(*place).is_optional;
                // Which of them it was would have to be told apart in every part of the history.
                if append_counts.get(&(object, entry)).is_some_and(|count| *count > 1)
                    && alike.is_some_and(|alike| alike.iter().any(is_certain))
                {
                    return Err(Unknown::Ambiguous);
                }
                if is_owned[object][offset] {
                    continue;
                }
                match alike {
                    Some(&[append]) if at.insert(append, offset).is_none() => {
                        told_by.insert(append, teller);
                    }
                    Some(_) => return Err(Unknown::Ambiguous),
                    None if self.programs.rest() == Rest::Anything => {}
                    None => return Err(self.never_appended(teller)),
                }
            }
        }
        let operations = self.programs.operations().iter().enumerate();
        let moves = operations.map(|(place, operation)| as_move(&operation.step, at.get(&place).copied()));
        Ok(Known { moves: moves.collect(), told_by })
    }

    fn never_appended(&self, teller: usize) -> Unknown {
        let number = self.programs.at(teller).number;
        let reasons = vec![format!("operation {number} found an entry that was never appended there")];
        Unknown::Contradiction(Contradiction { places: vec![teller], others: Others::Settled, reasons })
    }
}

fn as_move(step: &LogStep, at: Option<usize>) -> Move {
    match step {
        LogStep::Append(_, offset) => {
            let offset = offset.or(at.map(|at| at as u64));
            offset.map_or(Move::Next, |offset| Move::To(offset.saturating_add(1)))
        }
        LogStep::Entries(from, entries) if entries.is_empty() => Move::Find { first: 0, last: *from },
        LogStep::Entries(from, entries) => {
            let length = from.saturating_add(entries.len() as u64);
            Move::Find { first: length, last: length }
        }
        LogStep::Entry(offset, Some(_)) => Move::Find { first: offset.saturating_add(1), last: u64::MAX },
        LogStep::Entry(offset, None) => Move::Find { first: 0, last: *offset },
    }
}
