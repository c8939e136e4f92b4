//! The few operations that rule out every order of rises, and why in words.

use super::{Defect, Levels, Move, defect, fixed};
use crate::engine::shortcut::{Conflict, Seen, View};

/// What the levels are to the object.
pub(crate) trait Naming {
    /// The answered operation that shows which level the one at `place` rises to.
    fn shown_by(&self, place: usize) -> usize;

    /// A level in words.
    fn name(&self, level: usize) -> String;
}

/// Operations that have no legal order, whatever the others answered, because of this defect.
pub(crate) fn conflict(
    levels: Option<&Levels>,
    found: Defect,
    view: &impl View<Move>,
    naming: &impl Naming,
) -> Option<Conflict> {
    let mut case = Case { view, naming, places: Vec::new() };
    let reason = match found {
        Defect::Unreachable { place } => {
            case.add_rise_or_find(place);
            let name = naming.name(case.level(place)?);
            format!("{name} is out of reach for all operations together")
        }
        Defect::Twice { level } => {
            for (_, place) in fixed(view, level..=level).take(2) {
                case.add_rise_or_find(place);
            }
            format!("{} is reached twice", naming.name(level))
        }
        Defect::Backwards { invoked, returned } => case.backwards(invoked, returned)?,
        Defect::Missing { level, deadline } => case.missing(level, deadline)?,
        Defect::Squeezed { place, returned, invoked } => {
            let before = case.add_returned(returned)?;
            case.places.push(place);
            let after = case.add_invoked(invoked)?;
            case.squeezed((before, returned), (after, invoked))
        }
        Defect::Late { place, level, invoked } => case.late(levels?, Late { place, level, invoked })?,
    };
    case.places.sort_unstable();
    case.places.dedup();
    Some(Conflict { places: case.places, reason })
}

/// The operation at `place` must rise by `level`, before `invoked`.
struct Late {
    place: usize,
    level: usize,
    invoked: u64,
}

/// A conflict in the making.
struct Case<'a, V, N> {
    view: &'a V,
    naming: &'a N,
    places: Vec<usize>,
}

impl<V: View<Move>, N: Naming> Case<'_, V, N> {
    fn backwards(&mut self, invoked: u64, returned: u64) -> Option<String> {
        let later = self.add_returned(returned)?;
        let earlier = self.add_invoked(invoked)?;
        let (later, earlier) = (self.naming.name(later), self.naming.name(earlier));
        Some(if later == earlier {
            format!("{later} is found by event {returned}, but reached only from event {invoked} on")
        } else {
            format!(
                "{later} is there by event {returned}, but {earlier} is reached or found after event {invoked}"
            )
        })
    }

    /// By the deadline a level was seen for which too few had been invoked. Those that are fixed above
    /// it could have been below it if their answers were different: some of them count.
    fn missing(&mut self, level: usize, deadline: u64) -> Option<String> {
        let shown = self.add_returned(deadline)?;
        let is_before = |place: &usize| self.view.at(*place).invoked < deadline;
        let mut above: Vec<usize> = Vec::new();
        let mut within = level.checked_sub(1)?;
        for place in (0..self.view.count()).filter(is_before) {
            match self.view.at(place).step {
                Some(Move::RiseTo(fixed)) if fixed > shown => above.push(place),
                Some(Move::RiseTo(fixed)) if fixed > level => within += 1,
                Some(_) | None => {}
            }
        }
        let spare_count = shown.checked_sub(within + 1)?;
        for place in above.into_iter().skip(spare_count) {
            self.add_rise_or_find(place);
        }
        Some(format!(
            "{} is there by event {deadline}, but too few operations that lead up to it were invoked before",
            self.naming.name(shown),
        ))
    }

    fn squeezed(&self, (before, returned): (usize, u64), (after, invoked): (usize, u64)) -> String {
        let (before, after) = (self.naming.name(before), self.naming.name(after));
        format!(
            "more takes effect between events {returned} and {invoked} than leads from {before} to {after}"
        )
    }

    /// The rises that had to come before the late one: all that rose since the last one that could
    /// have waited. When that one rose the others had not been invoked, for else they had come first.
    fn late(&mut self, levels: &Levels, late: Late) -> Option<String> {
        let mut rises: Vec<(usize, usize)> = Vec::new();
        defect(levels, self.view, &mut |level, place| rises.push((level, place)));
        let could_wait = |place: usize| self.view.at(place).returned > late.invoked;
        let urgent_from = rises.iter().rposition(|(_, place)| could_wait(*place));
        let urgent = &rises[urgent_from.map_or(0, |index| index + 1)..];
        let (mut floor, mut since) = (0, None);
        if let Some(index) = urgent_from {
            let returned = levels.levels[rises[index].0].deadline();
            floor = self.add_returned(returned)?;
            since = Some(returned);
        }
        let mut room = late.level.saturating_sub(floor);
        for (_, place) in fixed(self.view, floor + 1..=late.level) {
            self.add_rise_or_find(place);
            room -= 1;
        }
        self.places.push(late.place);
        self.places.extend(urgent.iter().rev().take(room).map(|(_, place)| *place));
        let after = self.add_invoked(late.invoked)?;
        Some(match since {
            Some(since) => self.squeezed((floor, since), (after, late.invoked)),
            None => {
                let name = self.naming.name(after);
                format!("more takes effect before event {} than leads to {name}", late.invoked)
            }
        })
    }

    /// Adds the operation that returned there. Its level, at least.
    fn add_returned(&mut self, returned: u64) -> Option<usize> {
        let place = self.find(|seen| seen.returned == returned && !seen.is_unknown())?;
        self.places.push(place);
        self.add_rise_or_find(place);
        self.level(place)
    }

    /// Adds what shows the level of the operation that was invoked there. Its level, at most.
    fn add_invoked(&mut self, invoked: u64) -> Option<usize> {
        let place = self.find(|seen| seen.invoked == invoked)?;
        self.add_rise_or_find(place);
        self.level(place)
    }

    fn find(&self, is_asked: impl Fn(Seen<Move>) -> bool) -> Option<usize> {
        (0..self.view.count()).find(|place| is_asked(self.view.at(*place)))
    }

    fn add_rise_or_find(&mut self, place: usize) {
        let is_rise = matches!(self.view.at(place).step, Some(Move::RiseTo(_)));
        self.places.push(if is_rise { self.naming.shown_by(place) } else { place });
    }

    fn level(&self, place: usize) -> Option<usize> {
        match self.view.at(place).step? {
            Move::Rise => None,
            Move::RiseTo(level) | Move::Find(level) | Move::FindAtLeast(level) | Move::FindAtMost(level) => {
                Some(level)
            }
        }
    }
}
