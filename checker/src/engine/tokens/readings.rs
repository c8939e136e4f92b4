//! What gets found: for the beginning and for each put, which parts follow it.

use std::sync::Arc;

use super::parts::Parts;
use crate::engine::shortcut::{Conflict, Seen, View};
use crate::engine::zones::Zone;
use crate::engine::zones::chains::{NONE, State};
use crate::spec::text::TextStep;

/// A part where it stands: after a put, or the beginning, and other parts.
#[derive(Clone, Copy)]
pub(super) struct Occurrence {
    /// The part; none for the put or the beginning.
    pub(super) part: u32,
    /// The occurrence before it; none for the put or the beginning.
    pub(super) before: u32,
    /// The state that is reached, once that is known.
    pub(super) state: u32,
    /// The zone of the gets that found the string to end here.
    pub(super) zone: Zone,
    /// A get that found it.
    pub(super) shown_by: u32,
}

/// The longest string that is known to follow a put, or the beginning.
struct Longest {
    text: Arc<str>,
    /// The ends of its parts, each with the occurrence.
    ends: Vec<(usize, u32)>,
    shown_by: u32,
}

/// Why the gets could not be read.
pub(super) enum Unread {
    /// It is not certain what a get found.
    Ambiguous,
    /// There is no legal order.
    Illegal(Conflict),
}

/// What all gets found.
pub(super) struct Readings<'a> {
    parts: &'a Parts,
    states: &'a [State],
    is_empty_first: bool,
    /// By state: what follows it.
    longest: Vec<Option<Longest>>,
    pub(super) occurrences: Vec<Occurrence>,
    /// For each operation the occurrence that it found.
    pub(super) found: Vec<u32>,
    /// Whether what some get found was concluded from other gets.
    pub(super) is_concluded: bool,
}

impl<'a> Readings<'a> {
    /// Before any get is read. `is_empty_first`: in the beginning the string is empty.
    pub(super) fn none(parts: &'a Parts, states: &'a [State], count: usize, is_empty_first: bool) -> Self {
        let mut longest = Vec::new();
        longest.resize_with(states.len(), || None);
        let (occurrences, found) = (Vec::new(), vec![NONE; count]);
        Self { parts, states, is_empty_first, longest, occurrences, found, is_concluded: false }
    }

    /// Reads all gets. First those of which it is certain where they begin: they may show what stands
    /// first in the beginning.
    pub(super) fn read_all(&mut self, view: &impl View<TextStep>) -> Result<(), Unread> {
        let mut first_part = None;
        let mut others = Vec::new();
        for place in 0..view.count() {
            let Some((text, seen)) = got(view, place) else { continue };
            match self.first(&text, &seen, view) {
                First::State(state) => {
                    if state == 0 && self.is_empty_first {
                        first_part = first_part.or(self.parts.leading(text.as_bytes()));
                    }
                    self.read(state, &text, (place, &seen))?;
                }
                First::Nothing => return Err(unmade(place)),
                First::Either(state) => others.push((place, text, seen, state)),
            }
        }
        self.is_concluded = !others.is_empty();
        for (place, text, seen, state) in others {
            if first_part.is_none() || first_part == self.parts.leading(text.as_bytes()) {
                return Err(Unread::Ambiguous);
            }
            self.read(state, &text, (place, &seen))?;
        }
        Ok(())
    }

    /// The state in which the string begins as `text` does.
    fn first(&self, text: &str, get: &Seen<()>, view: &impl View<TextStep>) -> First {
        let Some(index) = self.parts.leading(text.as_bytes()) else { return First::Nothing };
        let part = self.parts.part(index);
        let appends = self.parts.appends(part);
        if !self.is_empty_first || text.is_empty() || appends.is_empty() {
            return if part.first == NONE { First::Nothing } else { First::State(part.first) };
        }
        if part.first == NONE {
            return First::State(0);
        }
        let is_in_time =
            |state: &u32| view.at(self.states[*state as usize].maker as usize).invoked < get.returned;
        match (is_in_time(&part.first), appends.iter().any(is_in_time)) {
            (true, true) => First::Either(part.first),
            (false, true) => First::State(0),
            (_, false) => First::State(part.first),
        }
    }

    /// A get found `text`, which begins in the state `first`.
    fn read(&mut self, first: u32, text: &Arc<str>, (place, get): (usize, &Seen<()>)) -> Result<(), Unread> {
        let occurrence = self.occurrence(first, text, place)?;
        self.found[place] = occurrence;
        self.occurrences[occurrence as usize].zone.add(get.invoked, get.returned);
        Ok(())
    }

    fn occurrence(&mut self, first: u32, text: &Arc<str>, place: usize) -> Result<u32, Unread> {
        if self.longest[first as usize].is_none() {
            self.begin(first, text, place);
        }
        let Some(known) = &self.longest[first as usize] else { return Err(Unread::Ambiguous) };
        if known.text.as_bytes().starts_with(text.as_bytes()) {
            let end = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end);
            return end.map(|end| known.ends[end].1).map_err(|_| unmade(place));
        }
        let (from, other) = (known.text.len(), known.shown_by as usize);
        if !text.as_bytes().starts_with(known.text.as_bytes()) {
            self.parts.parse(text.as_bytes(), known.ends[0].0).ok_or_else(|| unmade(place))?;
            let reason =
                "both found what follows one put, or the beginning, but neither begins with the other";
            let places = vec![other.min(place), other.max(place)];
            return Err(Unread::Illegal(Conflict { places, reason: reason.to_owned() }));
        }
        let more = self.parts.parse(text.as_bytes(), from).ok_or_else(|| unmade(place))?;
        Ok(self.extend(first, text, &more, place))
    }

    fn begin(&mut self, first: u32, text: &Arc<str>, place: usize) {
        let is_empty = first == 0 && self.is_empty_first;
        let part = if is_empty { None } else { self.parts.leading(text.as_bytes()) };
        let text: Arc<str> = part.map_or_else(|| "".into(), |part| self.parts.part(part).text.clone());
        let occurrence = self.push(NONE, NONE, place);
        self.occurrences[occurrence as usize].state = first;
        let ends = vec![(text.len(), occurrence)];
        self.longest[first as usize] = Some(Longest { text, ends, shown_by: place as u32 });
    }

    fn extend(&mut self, first: u32, text: &Arc<str>, more: &[(usize, u32)], place: usize) -> u32 {
        let known = self.longest[first as usize].take();
        let mut ends = known.map_or_else(Vec::new, |known| known.ends);
        for &(end, part) in more {
            let before = ends.last().map_or(NONE, |(_, occurrence)| *occurrence);
            ends.push((end, self.push(part, before, place)));
        }
        let last = ends.last().map_or(NONE, |(_, occurrence)| *occurrence);
        self.longest[first as usize] = Some(Longest { text: text.clone(), ends, shown_by: place as u32 });
        last
    }

    fn push(&mut self, part: u32, before: u32, place: usize) -> u32 {
        let shown_by = place as u32;
        self.occurrences.push(Occurrence { part, before, state: NONE, zone: Zone::EMPTY, shown_by });
        self.occurrences.len() as u32 - 1
    }
}

/// In which state a string begins.
enum First {
    State(u32),
    /// In this one, or in the beginning, when it was empty.
    Either(u32),
    Nothing,
}

/// What an answered get found.
fn got(view: &impl View<TextStep>, place: usize) -> Option<(Arc<str>, Seen<()>)> {
    match view.at(place) {
        Seen { step: Some(TextStep::Get(text)), invoked, returned } if returned < u64::MAX => {
            Some((text, Seen { step: None, invoked, returned }))
        }
        Seen { .. } => None,
    }
}

fn unmade(place: usize) -> Unread {
    let reason = "it found what no put, or the beginning, and appends after it make".to_owned();
    Unread::Illegal(Conflict { places: vec![place], reason })
}
