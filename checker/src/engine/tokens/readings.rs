//! What gets found: for the beginning and for each put, which parts follow it.

use std::sync::Arc;

use super::parts::{Kind, Part, Parts};
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

impl Longest {
    /// What is known: the text up to the last end.
    fn bytes(&self) -> &[u8] {
        let end = self.ends.last().map_or(0, |(end, _)| *end);
        &self.text.as_bytes()[..end]
    }
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

    /// The state that a get found, which is noted there. Else the gets that cannot all be right, unless
    /// some parts are alike: then other operations might have made what they found.
    pub(super) fn read(&mut self, get: &Get) -> Result<u32, Conflict> {
        let (first, end) = self.first(get).ok_or_else(|| unmade(get))?;
        let known = self.longest[first as usize].get_or_insert_with(|| Longest {
            text: get.text.clone(),
            ends: vec![(end, first)],
            shown_by: get.place,
        });
        let (text, before) = (get.text.as_bytes(), known.bytes());
        let state = if before.starts_with(text) {
            let index = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end);
            index.map(|index| known.ends[index].1).map_err(|_| unmade(get))?
        } else if text.starts_with(before) {
            self.extend(first, get)?
        } else if self.parts.are_added(text, end) {
            let reason =
                "both found what follows one put, or the beginning, but neither begins with the other";
            return Err(both(known.shown_by, get, reason.to_owned()));
        } else {
            return Err(unmade(get));
        };
        self.states[state as usize].zone.add(get.invoked, get.returned);
        Ok(state)
    }

    /// The state in which the string began that was got, and where the text of that ends.
    fn first(&self, get: &Get) -> Option<(u32, usize)> {
        let text = get.text.as_bytes();
        if text.is_empty() {
            return self.is_empty_first.then_some((0, 0));
        }
        let alike = self.parts.leading(text);
        let over = alike.iter().filter(|part| part.kind == Kind::Whole && part.returned < get.invoked);
        let overwritten_before = over.map(|part| part.invoked).max().unwrap_or(0);
        let candidates = alike.iter().filter_map(|part| match part.kind {
            Kind::Whole => Some((part.state, part.text.len(), (part.invoked, part.returned))),
            Kind::Added => self.is_empty_first.then_some((0, 0, (0, 0))),
        });
        // Where there are several it is likely the last, unless more is known of another.
        let likely = candidates.max_by_key(|&(state, _, (invoked, returned))| {
            let may_last = returned >= overwritten_before && invoked < get.returned;
            (may_last, self.continues(state, text), invoked)
        });
        likely.map(|(state, end, _)| (state, end))
    }

    /// Whether something is known to follow a put, or the beginning, that also follows in `text`.
    fn continues(&self, first: u32, text: &[u8]) -> bool {
        let known = self.longest[first as usize].as_ref();
        known.is_some_and(|known| {
            let next = known.ends.get(1).map(|(end, _)| &known.text.as_bytes()[..*end]);
            next.is_some_and(|next| text.starts_with(next))
        })
    }

    /// The get found more than was known to follow `first`.
    fn extend(&mut self, first: u32, get: &Get) -> Result<u32, Conflict> {
        let text = get.text.as_bytes();
        let Some(known) = &mut self.longest[first as usize] else { return Ok(first) };
        let (mut end, mut before) = known.ends.last().copied().unwrap_or((0, first));
        while end < text.len() {
            let alike = self.parts.leading(&text[end..]).iter().filter(|part| part.kind == Kind::Added);
            // Where there are several it is likely the one that must be somewhere first.
            let likely = alike.min_by_key(|part| {
                let is_found = self.states[part.state as usize].before != NONE;
                (is_found, part.invoked >= get.returned, part.returned)
            });
            let part = likely.ok_or_else(|| unmade(get))?;
            let made = &mut self.states[part.state as usize];
            if made.before != NONE {
                return Err(self.twice(first, part, get));
            }
            made.before = before;
            before = part.state;
            end += part.text.len();
            known.ends.push((end, before));
        }
        known.text = get.text.clone();
        known.shown_by = get.place;
        Ok(before)
    }

    /// An appended part follows `first`, but had been found already.
    fn twice(&self, first: u32, part: &Part, get: &Get) -> Conflict {
        let reason = format!("{} was appended once, but found twice", shown(&part.text));
        let mut other = part.state;
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
