//! What gets found: for the beginning and for each put, which parts follow it.

use std::sync::Arc;

use super::parts::{Kind, Parts};
use super::{Get, shown};
use crate::engine::shortcut::Conflict;
use crate::engine::zones::chains::{NONE, State};

/// The longest string that is known to follow a put, or the beginning.
struct Longest {
    text: Arc<str>,
    /// The ends of its parts, each with the state there.
    ends: Vec<(usize, u32)>,
    /// A get that found it.
    shown_by: usize,
}

/// What all gets found so far.
pub(super) struct Readings<'a> {
    parts: &'a Parts,
    states: &'a mut [State],
    /// Whether the string is empty in the beginning.
    is_empty_first: bool,
    /// By the state after the put, or in the beginning: what follows it.
    longest: Vec<Option<Longest>>,
}

impl<'a> Readings<'a> {
    /// Before any get is read.
    pub(super) fn none(parts: &'a Parts, states: &'a mut [State], is_empty_first: bool) -> Self {
        let mut longest = Vec::new();
        longest.resize_with(states.len(), || None);
        Self { parts, states, is_empty_first, longest }
    }

    /// The state that a get found, which is noted there. Else the gets that cannot all be right.
    pub(super) fn read(&mut self, get: &Get) -> Result<u32, Conflict> {
        let (first, end) = self.first(&get.text).ok_or_else(|| unmade(get))?;
        let known = self.longest[first as usize].get_or_insert_with(|| Longest {
            text: get.text.clone(),
            ends: vec![(end, first)],
            shown_by: get.place,
        });
        let (text, before) = (get.text.as_bytes(), known.text.as_bytes());
        let known_end = known.ends.last().map_or(end, |(end, _)| *end);
        let state = if text.len() <= known_end && before.starts_with(text) {
            let index = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end);
            index.map(|index| known.ends[index].1).map_err(|_| unmade(get))?
        } else if text.starts_with(&before[..known_end]) {
            self.extend(first, known_end, get)?
        } else {
            self.parts.added(text, end).ok_or_else(|| unmade(get))?;
            let reason =
                "both found what follows one put, or the beginning, but neither begins with the other";
            return Err(both(known.shown_by, get, reason.to_owned()));
        };
        self.states[state as usize].zone.add(get.invoked, get.returned);
        Ok(state)
    }

    /// The state in which the string began that was got, and where the text of that ends.
    fn first(&self, text: &str) -> Option<(u32, usize)> {
        let begins_empty = self.is_empty_first.then_some((0, 0));
        if text.is_empty() {
            return begins_empty;
        }
        let part = self.parts.leading(text.as_bytes())?;
        match part.kind {
            Kind::Whole => Some((part.state, part.text.len())),
            Kind::Added => begins_empty,
        }
    }

    /// The get found more than was known to follow `first`.
    fn extend(&mut self, first: u32, from: usize, get: &Get) -> Result<u32, Conflict> {
        let more = self.parts.added(get.text.as_bytes(), from).ok_or_else(|| unmade(get))?;
        let Some(known) = &mut self.longest[first as usize] else { return Ok(first) };
        let mut before = known.ends.last().map_or(first, |(_, state)| *state);
        for (_, state) in &more {
            let made = &mut self.states[*state as usize];
            if made.before != NONE {
                return Err(self.twice(first, *state, get));
            }
            made.before = before;
            before = *state;
        }
        known.text = get.text.clone();
        known.ends.extend(more);
        known.shown_by = get.place;
        Ok(before)
    }

    /// The appended part of a state follows `first`, but had been found already.
    fn twice(&self, first: u32, state: u32, get: &Get) -> Conflict {
        let text = self.parts.of_state(state).map_or_else(String::new, |part| shown(&part.text));
        let reason = format!("{text} was appended once, but found twice");
        let mut other = state;
        while self.states[other as usize].before != NONE {
            other = self.states[other as usize].before;
        }
        match &self.longest[other as usize] {
            Some(known) if other != first => both(known.shown_by, get, reason),
            Some(_) | None => Conflict { places: vec![get.place], reason },
        }
    }
}

fn both(other: usize, get: &Get, reason: String) -> Conflict {
    Conflict { places: vec![other.min(get.place), other.max(get.place)], reason }
}

fn unmade(get: &Get) -> Conflict {
    let reason = "it found what no put, or the beginning, and appends after it make".to_owned();
    Conflict { places: vec![get.place], reason }
}
