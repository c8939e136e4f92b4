//! What gets found: for the beginning and for each put, which parts follow it.

use std::sync::Arc;

use super::nested::Ways;
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
    /// Where parts are nested: in how many ways it is divided up to each byte.
    ways: Ways,
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
    pub(super) fn read(&mut self, get: &Get) -> Result<u32, Unread> {
        let state = if self.parts.are_nested() { self.read_nested(get)? } else { self.read_plain(get)? };
        self.states[state as usize].zone.add(get.invoked, get.returned);
        Ok(state)
    }

    fn read_plain(&mut self, get: &Get) -> Result<u32, Conflict> {
        let (first, end) = self.first(get).ok_or_else(|| unmade(get))?;
        let known = self.longest[first as usize].get_or_insert_with(|| Longest {
            text: get.text.clone(),
            ends: vec![(end, first)],
            shown_by: get.place,
            ways: Ways::default(),
        });
        let (text, before) = (get.text.as_bytes(), known.bytes());
        let state = if before.starts_with(text) {
            let index = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end);
            index.map(|index| known.ends[index].1).map_err(|_| unmade(get))?
        } else if text.starts_with(before) {
            self.extend(first, get)?
        } else if self.parts.are_added(text, end) {
            return Err(apart(known.shown_by, get));
        } else {
            return Err(unmade(get));
        };
        Ok(state)
    }

    /// The same where parts are nested: if what was got is divided in one way only.
    fn read_nested(&mut self, get: &Get) -> Result<u32, Unread> {
        let text = get.text.as_bytes();
        let wholes = self.parts.beginnings(text).filter(|(_, part)| part.kind == Kind::Whole);
        let mut firsts: Vec<(u32, usize)> = wholes.map(|(_, part)| (part.state, part.text.len())).collect();
        if self.is_empty_first {
            firsts.push((0, 0));
        }
        let mut read = None;
        for (first, end) in firsts {
            let count = self.ways(first, text, end);
            if count > 1 || count == 1 && read.is_some() {
                return Err(Unread::Ambiguous);
            }
            if count == 1 {
                read = Some((first, end));
            }
        }
        let (first, end) = read.ok_or_else(|| unmade(get))?;
        let known = self.longest[first as usize].get_or_insert_with(|| Longest {
            text: get.text.clone(),
            ends: vec![(end, first)],
            shown_by: get.place,
            ways: Ways::of(self.parts, text, end),
        });
        let last = known.ends.last().map_or(0, |(end, _)| *end);
        if text.len() <= last {
            let is_begun = known.bytes().starts_with(text);
            let index = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end).ok();
            let index = index.filter(|_| is_begun).ok_or_else(|| apart(known.shown_by, get))?;
            return Ok(known.ends[index].1);
        }
        // Divided as what was known is, up to its end.
        let added = text.starts_with(known.bytes()).then(|| known.ways.back_to(self.parts, text.len(), last));
        let added = added.flatten().ok_or_else(|| apart(known.shown_by, get))?;
        Ok(self.extend_by(first, get, added.into_iter())?)
    }

    /// In how many ways a text is divided whose first part, of the state `first`, ends at `end`.
    fn ways(&mut self, first: u32, text: &[u8], end: usize) -> u8 {
        let known = self.longest[first as usize].as_mut().filter(|known| !known.ways.is_empty());
        match known {
            Some(known) if known.bytes().starts_with(text) => known.ways.count(text.len()),
            Some(known) if text.starts_with(known.bytes()) => {
                let length = known.bytes().len();
                known.ways.extend(self.parts, text, end);
                let count = known.ways.count(text.len());
                if count == 0 {
                    known.ways.truncate(length);
                }
                count
            }
            Some(_) | None => Ways::of(self.parts, text, end).count(text.len()),
        }
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

    /// The same, with the parts that are added.
    fn extend_by(
        &mut self,
        first: u32,
        get: &Get,
        added: impl Iterator<Item = u32>,
    ) -> Result<u32, Conflict> {
        let Some(known) = &mut self.longest[first as usize] else { return Ok(first) };
        let (mut end, mut before) = known.ends.last().copied().unwrap_or((0, first));
        for index in added {
            let part = self.parts.at(index);
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

/// Why a get is not read.
pub(super) enum Unread {
    /// What it found is made in several ways.
    Ambiguous,
    /// It contradicts others, or itself.
    Conflict(Conflict),
}

impl From<Conflict> for Unread {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

fn apart(other: usize, get: &Get) -> Conflict {
    let reason = "both found what follows one put, or the beginning, but neither begins with the other";
    both(other, get, reason.to_owned())
}

fn both(other: usize, get: &Get, reason: String) -> Conflict {
    Conflict { places: vec![other.min(get.place), other.max(get.place)], reason }
}

fn unmade(get: &Get) -> Conflict {
    let reason = "it found what no put, or the beginning, and appends after it make".to_owned();
    Conflict { places: vec![get.place], reason }
}
