//! A log whose entries are known by their offsets: from answers to appends, or because a read shows them.
//!
//! ```text
//!   append 7 ─► at 0        the length rises to 1 here
//!   append 8 ─► done        wherever a length is left over
//!   read ─────► [7, 9]      9 stands at 1: its append, which may be of unknown outcome, rises to 2
//! ```
//!
//! The length of the log is a level that rises one at a time (see [`slots`](super::slots)).

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::slots::conflict::{Naming, conflict};
use crate::engine::slots::{self, Levels, Move};
use crate::spec::log::LogStep;

/// The algorithm.
pub(crate) const OFFSETS: &str = "offsets";

/// Whether a log has a legal order. None if a read shows an entry that several appends could have made.
pub(crate) fn decide(view: &impl View<LogStep>) -> Option<Decision> {
    let finding = match Offsets::of(view)? {
        Err(conflict) => Finding::Illegal(conflict),
        Ok(offsets) => offsets.finding()?,
    };
    Some(Decision { algorithm: OFFSETS, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(view: &impl View<LogStep>) -> Option<Vec<usize>> {
    let offsets = Offsets::of(view)?.ok()?;
    slots::order(&Levels::of(&offsets, offsets.append_count).ok()?, &offsets)
}

/// An entry at an offset, and the operation whose answer says so.
#[derive(Clone, Copy)]
struct Known {
    entry: i64,
    shown_by: u32,
}

/// No operation.
const NONE: u32 = u32::MAX;

/// A log as a level: its length.
struct Offsets<'a, V> {
    view: &'a V,
    append_count: usize,
    /// What each operation does to the length.
    moves: Vec<Option<Move>>,
    /// What stands at each offset, if that is known.
    known: Vec<Option<Known>>,
}

impl<'a, V: View<LogStep>> Offsets<'a, V> {
    /// None if the algorithm does not apply.
    fn of(view: &'a V) -> Option<Result<Self, Conflict>> {
        u32::try_from(view.count()).ok().filter(|count| *count < NONE)?;
        let is_append = |place: &usize| matches!(view.at(*place).step, Some(LogStep::Append(..)));
        let append_count = (0..view.count()).filter(is_append).count();
        let moves = vec![None; view.count()];
        let mut offsets = Self { view, append_count, moves, known: vec![None; append_count] };
        for place in 0..view.count() {
            if let Err(conflict) = offsets.learn(place) {
                return Some(Err(conflict));
            }
        }
        match offsets.match_entries()? {
            Err(conflict) => Some(Err(conflict)),
            Ok(()) => Some(Ok(offsets)),
        }
    }

    /// What one operation shows.
    fn learn(&mut self, place: usize) -> Result<(), Conflict> {
        let Seen { step, returned, .. } = self.view.at(place);
        let Some(step) = step else { return Ok(()) };
        let is_answered = returned < u64::MAX;
        self.moves[place] = match step {
            LogStep::Append(entry, Some(offset)) if is_answered => {
                Some(Move::RiseTo(self.learn_entries(place, offset, &[entry])?))
            }
            LogStep::Append(..) => Some(Move::Rise),
            _ if !is_answered => None,
            LogStep::Entries(from, entries) if entries.is_empty() => {
                Some(Move::FindAtMost(usize::try_from(from).unwrap_or(usize::MAX)))
            }
            LogStep::Entries(from, entries) => Some(Move::Find(self.learn_entries(place, from, &entries)?)),
            LogStep::Entry(offset, None) => {
                Some(Move::FindAtMost(usize::try_from(offset).unwrap_or(usize::MAX)))
            }
            LogStep::Entry(offset, Some(entry)) => {
                Some(Move::FindAtLeast(self.learn_entries(place, offset, &[entry])?))
            }
        };
        Ok(())
    }

    /// These entries stand from an offset on. The offset after them.
    fn learn_entries(&mut self, place: usize, from: u64, entries: &[i64]) -> Result<usize, Conflict> {
        let out_of_reach = || {
            let reason = "the log cannot be that long, if all appends took effect".to_owned();
            Conflict { places: vec![place], reason }
        };
        let from = usize::try_from(from).map_err(|_| out_of_reach())?;
        let end = from.checked_add(entries.len()).ok_or_else(out_of_reach)?;
        let known = self.known.get_mut(from..end).ok_or_else(out_of_reach)?;
        for (index, (known, entry)) in known.iter_mut().zip(entries).enumerate() {
            let before = known.get_or_insert(Known { entry: *entry, shown_by: place as u32 });
            if before.entry != *entry {
                let reason = format!("{} and {entry} cannot both stand at {}", before.entry, from + index);
                return Err(Conflict { places: vec![before.shown_by as usize, place], reason });
            }
        }
        Ok(end)
    }

    /// Finds the append of every entry that a read shows at an offset of which no append says that it
    /// is its own. None if there may be several.
    fn match_entries(&mut self) -> Option<Result<(), Conflict>> {
        let mut is_own = vec![false; self.known.len()];
        for step in self.moves.iter().flatten() {
            if let Move::RiseTo(length) = step {
                is_own[length - 1] = true;
            }
        }
        let shown: Vec<(usize, Known)> = (0..self.known.len())
            .filter(|offset| !is_own[*offset])
            .filter_map(|offset| Some((offset, self.known[offset]?)))
            .collect();
        let mut appends: HashMap<i64, Appends, FxBuildHasher> = HashMap::default();
        for (_, known) in &shown {
            appends.insert(known.entry, Appends { count: 0, last: NONE, stands_at: None });
        }
        self.count_appends(&mut appends);
        for (offset, known) in shown {
            let Some(append) = appends.get_mut(&known.entry) else { continue };
            if append.count > 1 {
                return None;
            }
            if let Some(conflict) = self.misplaced(*append, known, offset) {
                return Some(Err(conflict));
            }
            append.stands_at = Some(offset);
            self.moves[append.last as usize] = Some(Move::RiseTo(offset + 1));
        }
        Some(Ok(()))
    }

    fn count_appends(&self, appends: &mut HashMap<i64, Appends, FxBuildHasher>) {
        if appends.is_empty() {
            return;
        }
        for place in 0..self.view.count() {
            if let Some(LogStep::Append(entry, _)) = self.view.at(place).step
                && let Some(appends) = appends.get_mut(&entry)
            {
                appends.count += 1;
                appends.last = place as u32;
            }
        }
    }

    /// Why the only append of an entry, if there is one, cannot stand at `offset`.
    fn misplaced(&self, append: Appends, known: Known, offset: usize) -> Option<Conflict> {
        let Known { entry, shown_by } = known;
        if append.count == 0 {
            let reason = format!("{entry} stands at {offset}, but no operation appends it");
            return Some(Conflict { places: vec![shown_by as usize], reason });
        }
        let (other, shown_at) = match (append.stands_at, self.moves[append.last as usize]) {
            (Some(other), _) => (self.known[other]?.shown_by, other),
            (None, Some(Move::RiseTo(length))) => (append.last, length - 1),
            (None, _) => return None,
        };
        let mut places = vec![other as usize, shown_by as usize];
        places.sort_unstable();
        places.dedup();
        let reason = format!("{entry} is appended once, but stands at {shown_at} and at {offset}");
        Some(Conflict { places, reason })
    }

    fn finding(&self) -> Option<Finding> {
        let (levels, defect) = match Levels::of(self, self.append_count) {
            Err(defect) => (None, defect),
            Ok(levels) => match slots::defect(&levels, self, &mut |_, _| {}) {
                None => return Some(Finding::Legal),
                Some(defect) => (Some(levels), defect),
            },
        };
        Some(Finding::Illegal(conflict(levels.as_ref(), defect, self, self)?))
    }
}

/// The appends of one entry.
#[derive(Clone, Copy)]
struct Appends {
    count: usize,
    /// The place of the last.
    last: u32,
    /// Where reads say that it stands.
    stands_at: Option<usize>,
}

impl<V: View<LogStep>> View<Move> for Offsets<'_, V> {
    fn count(&self) -> usize {
        self.moves.len()
    }

    fn at(&self, place: usize) -> Seen<Move> {
        let Seen { invoked, returned, .. } = self.view.at(place);
        Seen { step: self.moves[place], invoked, returned }
    }
}

impl<V: View<LogStep>> Naming for Offsets<'_, V> {
    fn shown_by(&self, place: usize) -> usize {
        let seen = self.view.at(place);
        let is_own = matches!(seen.step, Some(LogStep::Append(_, Some(_)))) && !seen.is_unknown();
        match self.moves[place] {
            Some(Move::RiseTo(length)) if !is_own => {
                self.known[length - 1].map_or(place, |known| known.shown_by as usize)
            }
            Some(_) | None => place,
        }
    }

    fn name(&self, level: usize) -> String {
        format!("length {level}")
    }
}

#[cfg(test)]
mod tests;
