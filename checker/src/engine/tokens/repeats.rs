//! Which append made which occurrence of a part.

use super::parts::Parts;
use super::readings::{Occurrence, Readings, Unread};
use crate::engine::shortcut::{Conflict, View};
use crate::engine::zones::chains::{NONE, State};
use crate::engine::zones::shifted;
use crate::spec::text::TextStep;

/// How many appends are tried for the occurrences of repeated parts.
const TRIED_COUNT_MAX: usize = 100_000;

/// Gives each occurrence the state that one append makes.
///
/// Where a part is appended once there is no choice. Where it is appended several times, the append
/// must have been invoked before a get that found it returned, and must not have returned before
/// something that stands earlier was invoked; where that leaves one append, it is no other's.
pub(super) fn assign(
    readings: &mut Readings<'_>,
    parts: &Parts,
    states: &[State],
    view: &impl View<TextStep>,
) -> Result<(), Unread> {
    let mut owner = vec![NONE; parts.count()];
    let mut repeated = Vec::new();
    for number in 0..readings.occurrences.len() {
        let Occurrence { part, shown_by, .. } = readings.occurrences[number];
        if part == NONE {
            continue;
        }
        let appends = parts.appends(parts.part(part));
        if appends.len() > 1 {
            repeated.push(number);
            continue;
        }
        let other = std::mem::replace(&mut owner[part as usize], number as u32);
        if other != NONE {
            return Err(twice(
                readings.occurrences[other as usize].shown_by,
                shown_by,
                &parts.part(part).text,
            ));
        }
        readings.occurrences[number].state = appends[0];
    }
    if repeated.is_empty() {
        return Ok(());
    }
    readings.is_concluded = true;
    Repeats { parts, states, view }.resolve(&mut readings.occurrences, repeated)
}

fn twice(one: u32, other: u32, text: &str) -> Unread {
    let mut places = vec![one.min(other) as usize, one.max(other) as usize];
    places.dedup();
    Unread::Illegal(Conflict {
        places,
        reason: format!("{} was appended once, but found twice", super::shown(text)),
    })
}

struct Repeats<'a, V> {
    parts: &'a Parts,
    states: &'a [State],
    view: &'a V,
}

/// When the operation that makes an occurrence can take effect, in shifted positions.
#[derive(Clone, Copy)]
struct Window {
    invoked_before: u64,
    returned_after: u64,
}

impl<V: View<TextStep>> Repeats<'_, V> {
    fn resolve(&self, occurrences: &mut [Occurrence], mut open: Vec<usize>) -> Result<(), Unread> {
        let windows = self.windows(occurrences);
        let mut is_taken = vec![false; self.states.len()];
        let mut tried_count = 0;
        while !open.is_empty() {
            let count = open.len();
            let appends =
                |number: &usize| self.parts.appends(self.parts.part(occurrences[*number].part)).len();
            tried_count += open.iter().map(appends).sum::<usize>();
            if tried_count > TRIED_COUNT_MAX {
                return Err(Unread::Ambiguous);
            }
            let mut failed = None;
            open.retain(|&number| {
                let part = self.parts.part(occurrences[number].part);
                let mut fitting = self
                    .parts
                    .appends(part)
                    .iter()
                    .filter(|state| !is_taken[**state as usize] && self.fits(**state, windows[number]));
                match (fitting.next(), fitting.next()) {
                    (None, _) => failed = Some(number),
                    (Some(state), None) => {
                        is_taken[*state as usize] = true;
                        occurrences[number].state = *state;
                        return false;
                    }
                    (Some(_), Some(_)) => {}
                }
                true
            });
            if let Some(number) = failed {
                let Occurrence { part, shown_by, .. } = occurrences[number];
                return Err(nobody(shown_by, &self.parts.part(part).text));
            }
            if open.len() == count {
                return Err(Unread::Ambiguous);
            }
        }
        Ok(())
    }

    fn fits(&self, state: u32, window: Window) -> bool {
        let append = self.view.at(self.states[state as usize].maker as usize);
        shifted(append.invoked) < window.invoked_before && shifted(append.returned) > window.returned_after
    }

    /// An occurrence comes after the one before it, so its number is higher.
    fn windows(&self, occurrences: &[Occurrence]) -> Vec<Window> {
        let states = self.states;
        let mut windows: Vec<Window> = occurrences
            .iter()
            .map(|occurrence| Window { invoked_before: occurrence.zone.first_returned, returned_after: 0 })
            .collect();
        for (number, occurrence) in occurrences.iter().enumerate().rev() {
            if occurrence.before != NONE {
                let made = states.get(occurrence.state as usize);
                let made = made.map_or(u64::MAX, |state| state.zone.first_returned);
                let after = made.min(windows[number].invoked_before);
                let before = &mut windows[occurrence.before as usize];
                before.invoked_before = before.invoked_before.min(after);
            }
        }
        for (number, occurrence) in occurrences.iter().enumerate() {
            if let Some(before) = occurrences.get(occurrence.before as usize) {
                let made = states.get(before.state as usize).map_or(0, |state| state.zone.last_invoked);
                let after = windows[occurrence.before as usize].returned_after;
                windows[number].returned_after = after.max(before.zone.last_invoked).max(made);
            }
        }
        windows
    }
}

fn nobody(shown_by: u32, text: &str) -> Unread {
    let reason = format!("{} is found more often than its appends explain", super::shown(text));
    Unread::Illegal(Conflict { places: vec![shown_by as usize], reason })
}
