//! A level that only rises, one at a time: which operation makes which step of it?
//!
//! ```text
//!   level   1      2      3      4      5         known from an answer: fixed
//!          [fixed][ ?  ][fixed][ ?  ][  ?  ]      the others: the earliest deadline first
//!                    ▲              ▲
//!          those that may be here: invoked before any later level was seen
//! ```
//!
//! What shows the level (a fixed rise, a find) is in order, so that real time gives every other rise
//! a first and a last level. It is unit tasks with release times and deadlines on one machine, where
//! up to the highest level that was seen no slot may stay empty; an unknown rise may be left out.
//! Source: J. R. Jackson, "Scheduling a production line to minimize maximum tardiness", Research
//! Report 43, University of California, Los Angeles (1955): the earliest deadline first is best.

pub(crate) mod conflict;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use crate::engine::shortcut::{Seen, View};

/// What an operation does to the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Raises it, to whatever that is.
    Rise,
    /// Raises it to this.
    RiseTo(usize),
    /// Finds it at this.
    Find(usize),
    /// Finds it at this or above.
    FindAtLeast(usize),
    /// Finds it at this or below.
    FindAtMost(usize),
}

/// Why there is no legal order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// The operation at `place` knows of a level that no number of rises reaches.
    Unreachable { place: usize },
    /// Two rise to one level.
    Twice { level: usize },
    /// What was invoked at `invoked` belongs before what had returned at `returned`.
    Backwards { invoked: u64, returned: u64 },
    /// Nothing is left that could rise to `level` before `deadline`.
    Missing { level: usize, deadline: u64 },
    /// `place` rises between a return and an invocation that leave no level between them.
    Squeezed { place: usize, returned: u64, invoked: u64 },
    /// `place` has to rise by `level`, before what is invoked at `invoked`, and there is no room.
    Late { place: usize, level: usize, invoked: u64 },
}

/// Who finds a level, or says that it rises to it.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// When the one that says it rises to it is invoked; `u64::MAX` if there is none.
    rise_invoked: u64,
    /// When it returns.
    rise_returned: u64,
    /// The last invocation of those that find the level, or less; 0 if there is none.
    invoked_max: u64,
    /// The first return of those that find it, or more; then of all that come after its rise.
    returned_min: u64,
}

impl Level {
    const UNSEEN: Self =
        Self { rise_invoked: u64::MAX, rise_returned: u64::MAX, invoked_max: 0, returned_min: u64::MAX };

    fn is_fixed(&self) -> bool {
        self.rise_invoked < u64::MAX
    }

    /// The first return of the rise, if that is fixed, and of all that comes after it.
    fn deadline(&self) -> u64 {
        self.returned_min.min(self.rise_returned)
    }
}

/// All levels that are known of.
pub(crate) struct Levels {
    levels: Vec<Level>,
    /// The highest that was certainly reached.
    top: usize,
}

impl Levels {
    /// What is known of each level, if `rise_count` operations may rise. The defect if two claim one
    /// level, or one a level that is too high.
    pub(crate) fn of(view: &impl View<Move>, rise_count: usize) -> Result<Self, Defect> {
        let mut levels = Self { levels: vec![Level::UNSEEN; rise_count + 1], top: 0 };
        for place in 0..view.count() {
            let seen = view.at(place);
            match seen.step {
                None | Some(Move::Rise) => {}
                Some(Move::RiseTo(level)) => levels.fix(place, level, &seen)?,
                Some(_) if seen.is_unknown() => {}
                Some(Move::FindAtMost(level)) => {
                    if let Some(level) = levels.levels.get_mut(level) {
                        level.invoked_max = level.invoked_max.max(seen.invoked);
                    }
                }
                Some(Move::FindAtLeast(level)) => {
                    let known = levels.reach(place, level)?;
                    known.returned_min = known.returned_min.min(seen.returned);
                }
                Some(Move::Find(level)) => {
                    let known = levels.reach(place, level)?;
                    known.invoked_max = known.invoked_max.max(seen.invoked);
                    known.returned_min = known.returned_min.min(seen.returned);
                }
            }
        }
        levels.look_ahead();
        Ok(levels)
    }

    fn fix(&mut self, place: usize, level: usize, seen: &Seen<Move>) -> Result<(), Defect> {
        if level == 0 {
            return Err(Defect::Unreachable { place });
        }
        let known = self.reach(place, level)?;
        if known.is_fixed() {
            return Err(Defect::Twice { level });
        }
        (known.rise_invoked, known.rise_returned) = (seen.invoked, seen.returned);
        Ok(())
    }

    fn reach(&mut self, place: usize, level: usize) -> Result<&mut Level, Defect> {
        let known = self.levels.get_mut(level).ok_or(Defect::Unreachable { place })?;
        self.top = self.top.max(level);
        Ok(known)
    }

    /// From now on `returned_min` counts all that comes after the rise to the level.
    fn look_ahead(&mut self) {
        let mut least = u64::MAX;
        for level in self.levels[..=self.top].iter_mut().rev() {
            level.returned_min = level.returned_min.min(least);
            least = level.deadline();
        }
    }
}

/// Gives every level its rise. Tells `note` the level and place of each that was not fixed.
pub(crate) fn defect(
    levels: &Levels,
    view: &impl View<Move>,
    note: &mut impl FnMut(usize, usize),
) -> Option<Defect> {
    let mut sweep = Sweep { levels, view, open: BinaryHeap::new(), next: 0, invoked_max: 0, deadline: 0 };
    for level in 0..=levels.top {
        if let Err(defect) = sweep.rise(level, note).and_then(|()| sweep.find(level)) {
            return Some(defect);
        }
    }
    sweep.finish(note).err()
}

/// Levels from the lowest to the highest.
struct Sweep<'a, V> {
    levels: &'a Levels,
    view: &'a V,
    /// Rises that may come next, by return and place.
    open: BinaryHeap<Reverse<(u64, u32)>>,
    /// The first operation that was not looked at.
    next: usize,
    /// The last invocation of what the present level comes after.
    invoked_max: u64,
    /// The first return of what came after the level before.
    deadline: u64,
}

impl<V: View<Move>> Sweep<'_, V> {
    fn rise(&mut self, level: usize, note: &mut impl FnMut(usize, usize)) -> Result<(), Defect> {
        let known = &self.levels.levels[level];
        let deadline = known.deadline();
        self.admit(deadline)?;
        if known.is_fixed() {
            let (invoked, returned) = (known.rise_invoked, known.returned_min);
            if returned < invoked {
                return Err(Defect::Backwards { invoked, returned });
            }
            self.invoked_max = self.invoked_max.max(invoked);
            return self.expect_none_late(level - 1);
        }
        if level > 0 {
            let Reverse((_, place)) = self.open.pop().ok_or(Defect::Missing { level, deadline })?;
            note(level, place as usize);
        }
        Ok(())
    }

    fn find(&mut self, level: usize) -> Result<(), Defect> {
        let invoked = self.levels.levels[level].invoked_max;
        if level < self.levels.top {
            let returned = self.levels.levels[level + 1].deadline();
            if returned < invoked {
                return Err(Defect::Backwards { invoked, returned });
            }
        }
        self.invoked_max = self.invoked_max.max(invoked);
        self.expect_none_late(level)
    }

    /// Lets in the rises that were invoked before `deadline`.
    fn admit(&mut self, deadline: u64) -> Result<(), Defect> {
        while self.next < self.view.count() {
            let seen = self.view.at(self.next);
            if seen.invoked > deadline {
                break;
            }
            if seen.step == Some(Move::Rise) {
                if seen.returned < self.invoked_max {
                    let (returned, invoked) = (self.deadline, self.invoked_max);
                    return Err(Defect::Squeezed { place: self.next, returned, invoked });
                }
                self.open.push(Reverse((seen.returned, self.next as u32)));
            }
            self.next += 1;
        }
        self.deadline = deadline;
        Ok(())
    }

    fn expect_none_late(&self, level: usize) -> Result<(), Defect> {
        match self.open.peek() {
            Some(Reverse((returned, place))) if *returned < self.invoked_max => {
                Err(Defect::Late { place: *place as usize, level, invoked: self.invoked_max })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Above the highest level that was seen, rises follow in the order of their deadlines.
    fn finish(&mut self, note: &mut impl FnMut(usize, usize)) -> Result<(), Defect> {
        self.admit(u64::MAX)?;
        for level in self.levels.top + 1..self.levels.levels.len() {
            match self.open.pop() {
                Some(Reverse((returned, place))) if returned < u64::MAX => note(level, place as usize),
                Some(_) | None => break,
            }
            self.find(level)?;
        }
        Ok(())
    }
}

/// A legal order, as places, once there is no defect. Unknown rises stand in it if they are needed.
pub(crate) fn order(levels: &Levels, view: &impl View<Move>) -> Option<Vec<usize>> {
    let mut rises: Vec<(usize, usize)> = Vec::new();
    if defect(levels, view, &mut |level, place| rises.push((level, place))).is_some() {
        return None;
    }
    rises.extend(fixed(view, 1..=levels.top));
    let mut order: Vec<(usize, bool, usize)> = finds(view, &rises);
    order.extend(rises.into_iter().map(|(level, place)| (level, false, place)));
    order.sort_unstable();
    Some(order.into_iter().map(|(_, _, place)| place).collect())
}

/// The operations that say they rise to one of these levels, with the level.
fn fixed(view: &impl View<Move>, levels: RangeInclusive<usize>) -> impl Iterator<Item = (usize, usize)> {
    (0..view.count()).filter_map(move |place| match view.at(place).step {
        Some(Move::RiseTo(level)) if levels.contains(&level) => Some((level, place)),
        Some(_) | None => None,
    })
}

/// Each answered find with its level: the lowest that it may have.
fn finds(view: &impl View<Move>, rises: &[(usize, usize)]) -> Vec<(usize, bool, usize)> {
    let mut level_of = vec![0; view.count()];
    for &(level, place) in rises {
        level_of[place] = level;
    }
    let answered = (0..view.count()).filter(|place| !view.at(*place).is_unknown());
    let mut returns: Vec<(u64, usize)> = answered.map(|place| (view.at(place).returned, place)).collect();
    returns.sort_unstable();
    let mut returns = returns.into_iter().peekable();
    let mut found = Vec::new();
    let mut reached = 0;
    for place in 0..view.count() {
        let seen = view.at(place);
        while let Some((_, before)) = returns.next_if(|(returned, _)| *returned < seen.invoked) {
            reached = reached.max(level_of[before]);
        }
        let lowest = match seen.step {
            Some(Move::Find(level) | Move::FindAtLeast(level)) if !seen.is_unknown() => level,
            Some(Move::FindAtMost(_)) if !seen.is_unknown() => 0,
            Some(_) | None => continue,
        };
        level_of[place] = reached.max(lowest);
        found.push((level_of[place], true, place));
    }
    found
}

#[cfg(test)]
mod tests;
