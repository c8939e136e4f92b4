//! A string whose parts are all different: whoever gets it sees what was appended, and in which order.
//!
//! ```text
//!   put "ab ", append "c ", append "d "        get "ab d " = after put "ab ", directly append "d "
//! ```
//!
//! No part begins with another, so that every string is made of parts in at most one way. Each put, and
//! each append with all before it, is a state; the states up to what a get found are a chain, and
//! an append that nobody saw is a state on its own, which fits wherever nobody looks before the next put.

use std::sync::Arc;

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::zones::chains::{Chains, INITIAL, NONE, State};
use crate::engine::zones::conflict::{Naming, conflict};
use crate::engine::zones::values::laid_out;
use crate::spec::text::TextStep;

/// The algorithm.
pub(crate) const TOKENS: &str = "tokens";

/// Characters of a part that are shown.
const SHOWN_COUNT_MAX: usize = 32;

/// Whether a string has a legal order. None if it might be made of its parts in two ways.
pub(crate) fn decide(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Decision> {
    let finding = match Texts::of(initial, view)? {
        Err(conflict) => Finding::Illegal(conflict),
        Ok(texts) => {
            let mut chains = Chains::of(&texts.states);
            match chains.flaw(view) {
                None => Finding::Legal,
                Some(flaw) => Finding::Illegal(conflict(&chains, flaw, view, &texts)),
            }
        }
    };
    Some(Decision { algorithm: TOKENS, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Vec<usize>> {
    let texts = Texts::of(initial, view)?.ok()?;
    let mut chains = Chains::of(&texts.states);
    if chains.flaw(view).is_some() {
        return None;
    }
    let is_get = |place: &usize| texts.part_of[*place] == NONE;
    let gets = (0..view.count()).filter(is_get).filter_map(|place| Some((texts.state_of(place)?, place)));
    Some(laid_out(&chains.order(), &texts.states, gets.collect()))
}

/// What is put or appended, or was there in the beginning.
struct Part {
    text: Arc<str>,
    /// The state when it has been put or appended.
    state: u32,
    is_append: bool,
}

/// What is known to follow a put, or the beginning.
struct Chain {
    /// The longest string found.
    longest: Arc<str>,
    /// Where its parts end, and the state with the part.
    ends: Vec<(usize, u32)>,
    /// The operation that found it.
    shown_by: u32,
}

/// A string that cannot come about: who found it, perhaps who found another that forbids it, and why.
struct Contradiction {
    places: Vec<usize>,
    reason: String,
}

/// All that is known of a string.
struct Texts {
    initial: Arc<str>,
    /// Sorted by text. Those of puts and the initial one can only stand first.
    parts: Vec<Part>,
    /// State 0 is the beginning, the others are one for each put and append.
    states: Vec<State>,
    /// The text of every state's part, by state.
    text_of: Vec<Arc<str>>,
    /// The state that an operation makes; none for a get.
    part_of: Vec<u32>,
    /// The state that a get found.
    found: Vec<u32>,
    /// By first state.
    chains: Vec<Option<Chain>>,
    /// For each state the first state of its chain, if that is known.
    chain_of: Vec<u32>,
    has_appends: bool,
}

impl Texts {
    /// None if the algorithm does not apply.
    fn of(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Result<Self, Conflict>> {
        u32::try_from(view.count()).ok().filter(|count| *count < INITIAL)?;
        let mut texts = Self::without_gets(initial, view);
        if !texts.is_unambiguous() {
            return None;
        }
        for place in 0..view.count() {
            let Seen { step, invoked, returned } = view.at(place);
            if let Some(TextStep::Get(text)) = step
                && returned < u64::MAX
            {
                match texts.read(&text, place) {
                    Ok(state) => {
                        texts.found[place] = state;
                        texts.states[state as usize].zone.add(invoked, returned);
                    }
                    Err(Contradiction { mut places, reason }) => {
                        places.sort_unstable();
                        return Some(Err(Conflict { places, reason }));
                    }
                }
            }
        }
        Some(Ok(texts))
    }

    fn without_gets(initial: &Arc<str>, view: &impl View<TextStep>) -> Self {
        let mut texts = Self {
            initial: initial.clone(),
            parts: vec![Part { text: initial.clone(), state: 0, is_append: false }],
            states: vec![State::FIRST],
            text_of: vec![initial.clone()],
            part_of: vec![NONE; view.count()],
            found: vec![NONE; view.count()],
            chains: Vec::new(),
            chain_of: Vec::new(),
            has_appends: false,
        };
        for place in 0..view.count() {
            let Seen { step, invoked, returned } = view.at(place);
            let (text, is_append) = match step {
                Some(TextStep::Put(text)) => (text, false),
                Some(TextStep::Append(text)) => (text, true),
                Some(TextStep::Get(_)) | None => continue,
            };
            texts.has_appends |= is_append;
            let state = texts.states.len() as u32;
            texts.part_of[place] = state;
            texts.text_of.push(text.clone());
            texts.parts.push(Part { text, state, is_append });
            let mut made = State { maker: place as u32, ..State::UNSEEN };
            made.zone.add(invoked, returned);
            texts.states.push(made);
        }
        texts.parts.sort_unstable_by(|one, other| one.text.cmp(&other.text));
        texts.chains.resize_with(texts.states.len(), || None);
        texts.chain_of = vec![NONE; texts.states.len()];
        texts
    }

    /// Whether all parts differ, and, if any is appended, none begins with another or is empty. Only in
    /// the beginning the string may be empty: then any part may stand first.
    fn is_unambiguous(&self) -> bool {
        let parts = match self.parts.first() {
            Some(first) if first.text.is_empty() && first.state == 0 => &self.parts[1..],
            Some(_) | None => &self.parts[..],
        };
        let is_empty = parts.iter().any(|part| part.text.is_empty());
        let is_alike = |pair: &[Part]| {
            if self.has_appends {
                pair[1].text.as_bytes().starts_with(pair[0].text.as_bytes())
            } else {
                pair[1].text == pair[0].text
            }
        };
        !is_empty && !parts.windows(2).any(is_alike)
    }

    /// The state that a get found.
    fn read(&mut self, text: &Arc<str>, place: usize) -> Result<u32, Contradiction> {
        let first = self.first(text).ok_or_else(|| self.unmade(place))?;
        let length = self.text_of[first as usize].len();
        let known = self.chains[first as usize].get_or_insert_with(|| Chain {
            longest: self.text_of[first as usize].clone(),
            ends: vec![(length, first)],
            shown_by: place as u32,
        });
        if known.longest.as_bytes().starts_with(text.as_bytes()) {
            let end = known.ends.binary_search_by_key(&text.len(), |(end, _)| *end);
            return match end {
                Ok(end) => Ok(known.ends[end].1),
                Err(_) => Err(self.unmade(place)),
            };
        }
        let (longest, other) = (known.longest.clone(), known.shown_by as usize);
        if !text.as_bytes().starts_with(longest.as_bytes()) {
            self.parse(text, length).ok_or_else(|| self.unmade(place))?;
            let reason =
                "both found what follows one put, or the beginning, but neither begins with the other";
            return Err(Contradiction { places: vec![other, place], reason: reason.to_owned() });
        }
        let more = self.parse(text, longest.len()).ok_or_else(|| self.unmade(place))?;
        self.extend(first, text, &more, place)
    }

    /// The state in which the string begins as `text` does.
    fn first(&self, text: &str) -> Option<u32> {
        if !self.has_appends {
            let index = self.parts.binary_search_by(|part| (*part.text).cmp(text)).ok()?;
            return Some(self.parts[index].state);
        }
        match self.part(text.as_bytes()) {
            Some(part) if !part.is_append => Some(part.state),
            Some(_) => self.initial.is_empty().then_some(0),
            None => (text.is_empty() && self.initial.is_empty()).then_some(0),
        }
    }

    /// The one part, not empty, with which a string begins.
    fn part(&self, text: &[u8]) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.text.as_bytes() <= text);
        let part = &self.parts[after.checked_sub(1)?];
        (!part.text.is_empty() && text.starts_with(part.text.as_bytes())).then_some(part)
    }

    /// The appended parts of a string from a place on, each with its end.
    fn parse(&self, text: &str, from: usize) -> Option<Vec<(usize, u32)>> {
        let mut ends = Vec::new();
        let mut end = from;
        while end < text.len() {
            let part = self.part(&text.as_bytes()[end..])?;
            if !part.is_append {
                return None;
            }
            end += part.text.len();
            ends.push((end, part.state));
        }
        Some(ends)
    }

    /// A chain is longer than was known. The state at its end.
    fn extend(
        &mut self,
        first: u32,
        text: &Arc<str>,
        more: &[(usize, u32)],
        place: usize,
    ) -> Result<u32, Contradiction> {
        let known = self.chains[first as usize].as_ref();
        let mut last = known.and_then(|chain| chain.ends.last()).map_or(first, |(_, state)| *state);
        for &(_, state) in more {
            let other = self.chain_of[state as usize];
            if other != NONE {
                let shown_by = self.chains[other as usize].as_ref().map(|chain| chain.shown_by as usize);
                let elsewhere = shown_by.filter(|_| other != first);
                let reason =
                    format!("{} was appended once, but found twice", shown(&self.text_of[state as usize]));
                let places = elsewhere.into_iter().chain([place]).collect();
                return Err(Contradiction { places, reason });
            }
            self.chain_of[state as usize] = first;
            self.states[state as usize].before = last;
            last = state;
        }
        if let Some(known) = &mut self.chains[first as usize] {
            known.longest = text.clone();
            known.ends.extend(more);
            known.shown_by = place as u32;
        }
        Ok(last)
    }

    fn unmade(&self, place: usize) -> Contradiction {
        let reason = "it found what no put, or the beginning, and appends after it make".to_owned();
        Contradiction { places: vec![place], reason }
    }
}

impl Naming for Texts {
    fn state_of(&self, place: usize) -> Option<u32> {
        let made = self.part_of[place];
        let state = if made == NONE { self.found[place] } else { made };
        (state != NONE).then_some(state)
    }

    /// An append shows where it stands only if nobody saw it.
    fn shows(&self, place: usize) -> bool {
        self.part_of[place] == NONE || self.states[self.part_of[place] as usize].before == NONE
    }

    fn name(&self, state: u32) -> String {
        if state == 0 {
            return "the initial text".to_owned();
        }
        format!("the text after {}", shown(&self.text_of[state as usize]))
    }
}

/// A part in words.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_COUNT_MAX) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests;
