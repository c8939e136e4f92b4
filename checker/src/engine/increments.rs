//! A counter whose additions are all alike: increments that return the new value, or adds and reads.

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::slots::conflict::{Naming, conflict};
use crate::engine::slots::{self, Defect, Levels, Move};
use crate::spec::counter::CounterStep;

/// The algorithm where increments return the new value.
pub(crate) const INCREMENTS: &str = "increments";
/// The algorithm where additions return nothing.
pub(crate) const SLOTS: &str = "slots";

/// Whether a counter has a legal order. None if not all additions are of the same amount.
pub(crate) fn decide(view: &impl View<CounterStep>) -> Option<Decision> {
    let alike = Alike::of(view)?;
    let algorithm = if alike.has_increments { INCREMENTS } else { SLOTS };
    let finding = match alike.odd {
        Some(place) => alike.no_multiple(place)?,
        None => alike.finding()?,
    };
    Some(Decision { algorithm, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(view: &impl View<CounterStep>) -> Option<Vec<usize>> {
    let alike = Alike::of(view)?;
    if alike.odd.is_some() {
        return None;
    }
    slots::order(&Levels::of(&alike, alike.rise_count).ok()?, &alike)
}

/// A counter as a level that rises by one amount.
struct Alike<'a, V> {
    view: &'a V,
    amount: i64,
    rise_count: usize,
    has_increments: bool,
    /// The first operation that found what is no multiple of the amount.
    odd: Option<usize>,
}

impl<'a, V: View<CounterStep>> Alike<'a, V> {
    fn of(view: &'a V) -> Option<Self> {
        u32::try_from(view.count()).ok().filter(|count| *count < u32::MAX)?;
        let (mut amount, mut rise_count, mut has_increments) = (None, 0, false);
        for place in 0..view.count() {
            let rise = match view.at(place).step {
                Some(CounterStep::IncrementTo(_)) => {
                    has_increments = true;
                    1
                }
                Some(CounterStep::Add(rise)) => rise,
                Some(CounterStep::Read(_)) | None => continue,
            };
            if rise == 0 || *amount.get_or_insert(rise) != rise {
                return None;
            }
            rise_count += 1;
        }
        let mut alike = Self { view, amount: amount.unwrap_or(1), rise_count, has_increments, odd: None };
        alike.amount.checked_mul(i64::try_from(rise_count).ok()?)?;
        let is_odd = |place: &usize| match view.at(*place) {
            Seen { step: Some(CounterStep::Read(value) | CounterStep::IncrementTo(value)), .. } => {
                alike.level(value).is_none()
            }
            Seen { .. } => false,
        };
        alike.odd = (0..view.count()).find(is_odd);
        Some(alike)
    }

    fn level(&self, value: i64) -> Option<usize> {
        if self.amount == 1 {
            return usize::try_from(value).ok();
        }
        if value.checked_rem(self.amount)? != 0 {
            return None;
        }
        usize::try_from(value.checked_div(self.amount)?).ok()
    }

    fn finding(&self) -> Option<Finding> {
        let illegal = |levels: Option<&Levels>, defect: Defect| {
            Some(Finding::Illegal(conflict(levels, defect, self, self)?))
        };
        match Levels::of(self, self.rise_count) {
            Err(defect) => illegal(None, defect),
            Ok(levels) => match slots::defect(&levels, self, &mut |_, _| {}) {
                Some(defect) => illegal(Some(&levels), defect),
                None => Some(Finding::Legal),
            },
        }
    }

    /// A single operation that found what no number of additions makes.
    fn no_multiple(&self, place: usize) -> Option<Finding> {
        let Some(CounterStep::Read(value) | CounterStep::IncrementTo(value)) = self.view.at(place).step
        else {
            return None;
        };
        let reason =
            format!("the counter is never {value}: it starts at 0 and every addition is {}", self.amount);
        Some(Finding::Illegal(Conflict { places: vec![place], reason }))
    }
}

impl<V: View<CounterStep>> View<Move> for Alike<'_, V> {
    fn count(&self) -> usize {
        self.view.count()
    }

    fn at(&self, place: usize) -> Seen<Move> {
        let Seen { step, invoked, returned } = self.view.at(place);
        let step = match step {
            None => None,
            Some(CounterStep::Add(_)) => Some(Move::Rise),
            Some(CounterStep::IncrementTo(value)) => self.level(value).map(Move::RiseTo),
            Some(CounterStep::Read(value)) => self.level(value).map(Move::Find),
        };
        Seen { step, invoked, returned }
    }
}

impl<V: View<CounterStep>> Naming for Alike<'_, V> {
    fn shown_by(&self, place: usize) -> usize {
        place
    }

    fn name(&self, level: usize) -> String {
        let value = i64::try_from(level).ok().and_then(|level| level.checked_mul(self.amount));
        value.map_or_else(|| "a value".to_owned(), |value| format!("the value {value}"))
    }
}
