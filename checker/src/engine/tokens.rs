//! A string whose parts are all different: whoever gets it sees what was appended, and in which order.
//!
//! ```text
//!   put "ab ", append "c ", append "d "        get "ab d " = after put "ab ", directly append "d "
//! ```
//!
//! No part begins with another, so that every string is made of parts in at most one way. Each put, and
//! each append with all before it, is a state; the states up to what a get found are a chain, and
//! an append that nobody saw is a state on its own, which fits wherever nobody looks before the next
//! put. A part may be appended several times if real time tells which time is which.

mod parts;
mod readings;
mod repeats;

use std::sync::Arc;

use parts::{Made, Parts};
use readings::{Readings, Unread};

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::weaken::{shrunk, weakened};
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
    let finding = match flaw(initial, view)? {
        None => Finding::Legal,
        Some(Flawed { conflict, is_concluded: false }) => Finding::Illegal(conflict),
        Some(Flawed { conflict, is_concluded: true }) => Finding::Illegal(smaller(initial, view, conflict)),
    };
    Some(Decision { algorithm: TOKENS, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Vec<usize>> {
    let texts = Texts::of(initial, view).ok()?;
    let mut chains = Chains::of(&texts.states);
    if chains.flaw(view).is_some() {
        return None;
    }
    let gets = (0..view.count()).filter(|place| texts.found[*place] != NONE);
    let gets = gets.map(|place| (texts.found[place], place)).collect();
    Some(laid_out(&chains.order(), &texts.states, gets))
}

/// What rules out every order.
struct Flawed {
    conflict: Conflict,
    /// Whether more operations than those were needed to find it.
    is_concluded: bool,
}

/// Why there is no legal order, if so. None if the algorithm does not apply.
fn flaw(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Option<Flawed>> {
    let texts = match Texts::of(initial, view) {
        Err((Unread::Ambiguous, _)) => return None,
        Err((Unread::Illegal(conflict), is_concluded)) => {
            return Some(Some(Flawed { conflict, is_concluded }));
        }
        Ok(texts) => texts,
    };
    let mut chains = Chains::of(&texts.states);
    let is_concluded = texts.is_concluded;
    let flaw = chains.flaw(view);
    Some(flaw.map(|flaw| Flawed { conflict: conflict(&chains, flaw, view, &texts), is_concluded }))
}

/// A conflict with all that it was concluded from, but not much more.
fn smaller(initial: &Arc<str>, view: &impl View<TextStep>, conflict: Conflict) -> Conflict {
    let unanswered = |step: TextStep| match step {
        TextStep::Get(_) => None,
        TextStep::Put(_) | TextStep::Append(_) => Some(step),
    };
    let keeps = (0..view.count()).map(|place| !view.at(place).is_unknown()).collect();
    let keeps = shrunk(view, keeps, unanswered, |weaker| matches!(flaw(initial, weaker), Some(Some(_))));
    let places = (0..keeps.len()).filter(|place| keeps[*place]).collect();
    match flaw(initial, &weakened(view, &keeps, unanswered)) {
        Some(Some(flawed)) => Conflict { places, reason: flawed.conflict.reason },
        Some(None) | None => conflict,
    }
}

/// All that is known of a string.
struct Texts {
    /// State 0 is the beginning, the others are one for each put and append.
    states: Vec<State>,
    made: Vec<Made>,
    /// The state that an operation makes; none for a get.
    made_by: Vec<u32>,
    /// The state that a get found.
    found: Vec<u32>,
    is_concluded: bool,
}

impl Texts {
    /// The error says whether it was concluded from several operations.
    fn of(initial: &Arc<str>, view: &impl View<TextStep>) -> Result<Self, (Unread, bool)> {
        if u32::try_from(view.count()).is_ok_and(|count| count < INITIAL) {
            let mut texts = Self::without_gets(initial, view);
            let parts = Parts::of(&texts.made).ok_or((Unread::Ambiguous, false))?;
            texts.read(&parts, view, initial.is_empty())?;
            return Ok(texts);
        }
        Err((Unread::Ambiguous, false))
    }

    fn without_gets(initial: &Arc<str>, view: &impl View<TextStep>) -> Self {
        let mut texts = Self {
            states: vec![State::FIRST],
            made: vec![Made { text: initial.clone(), is_append: false }],
            made_by: vec![NONE; view.count()],
            found: vec![NONE; view.count()],
            is_concluded: false,
        };
        for place in 0..view.count() {
            let Seen { step, invoked, returned } = view.at(place);
            let made = match step {
                Some(TextStep::Put(text)) => Made { text, is_append: false },
                Some(TextStep::Append(text)) => Made { text, is_append: true },
                Some(TextStep::Get(_)) | None => continue,
            };
            texts.made_by[place] = texts.states.len() as u32;
            texts.made.push(made);
            let mut state = State { maker: place as u32, ..State::UNSEEN };
            state.zone.add(invoked, returned);
            texts.states.push(state);
        }
        texts
    }

    fn read(
        &mut self,
        parts: &Parts,
        view: &impl View<TextStep>,
        is_empty_first: bool,
    ) -> Result<(), (Unread, bool)> {
        let mut readings = Readings::none(parts, &self.states, view.count(), is_empty_first);
        let all = readings.read_all(view);
        let all = all.and_then(|()| repeats::assign(&mut readings, parts, &self.states, view));
        self.is_concluded = readings.is_concluded;
        all.map_err(|unread| (unread, self.is_concluded))?;
        let Readings { occurrences, found, .. } = readings;
        for (place, occurrence) in found.into_iter().enumerate().filter(|(_, found)| *found != NONE) {
            self.found[place] = occurrences[occurrence as usize].state;
        }
        for occurrence in &occurrences {
            let state = &mut self.states[occurrence.state as usize];
            state.zone.join(occurrence.zone);
            if let Some(before) = occurrences.get(occurrence.before as usize) {
                state.before = before.state;
            }
        }
        Ok(())
    }
}

impl Naming for Texts {
    fn state_of(&self, place: usize) -> Option<u32> {
        let made = self.made_by[place];
        let state = if made == NONE { self.found[place] } else { made };
        (state != NONE).then_some(state)
    }

    /// An append shows where it stands only if nobody saw it.
    fn shows(&self, place: usize) -> bool {
        let made = self.made_by[place];
        made == NONE || self.states[made as usize].before == NONE
    }

    fn name(&self, state: u32) -> String {
        if state == 0 {
            return "the initial text".to_owned();
        }
        format!("the text after {}", shown(&self.made[state as usize].text))
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
