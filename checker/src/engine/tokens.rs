//! A string whose parts are all different: whoever gets it sees what was appended, and in which order.
//!
//! ```text
//!   put "ab ", append "c ", append "d "        get "ab d " = after put "ab ", directly append "d "
//! ```
//!
//! Every string that was got is divided into parts in at most one way: no part begins with another, or the
//! ways are counted. If none is put or appended twice either, each is made by one operation. Each put, and each append with all
//! before it, is a state that is entered at most once; the states up to what a get found are a chain,
//! in which nothing fits between, and an append that nobody saw is a state on its own, which fits
//! wherever nobody looks before the next put. Whether this applies depends on what is put and appended
//! alone, so that it still does in every prefix, and with fewer answers.
//!
//! If a few parts come several times, a guess says which operation made which: an order of the states
//! is then as good a proof as any, but that there is none proves nothing, and the search decides.

mod nested;
mod parts;
mod readings;

use std::sync::Arc;

use parts::{Kind, Part, Parts};
use readings::{Readings, Unread};

use crate::engine::shortcut::{Conflict, Decision, Finding, Seen, View};
use crate::engine::zones::chains::{Chains, INITIAL, NONE, State};
use crate::engine::zones::conflict::{Naming, conflict};
use crate::engine::zones::values::laid_out;
use crate::spec::text::TextStep;

/// The algorithm.
pub(crate) const TOKENS: &str = "tokens";

/// Characters of a part that are shown.
const SHOWN_COUNT_MAX: usize = 32;

/// Whether a string has a legal order. None if there may be one of which other operations made what was
/// found.
pub(crate) fn decide(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Decision> {
    let texts = Texts::of(initial, view)?;
    let finding = match texts.flaw(view) {
        None => Finding::Legal,
        Some(_) if texts.parts.has_repeats => return None,
        Some(conflict) => Finding::Illegal(conflict),
    };
    Some(Decision { algorithm: TOKENS, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Vec<usize>> {
    let texts = Texts::of(initial, view)?;
    if texts.contradiction.is_some() {
        return None;
    }
    let mut chains = Chains::of(&texts.states);
    if chains.flaw(view).is_some() {
        return None;
    }
    let gets = (0..view.count()).filter_map(|place| {
        let state = texts.state_of(place)?;
        (!texts.is_maker(state, place)).then_some((state, place))
    });
    Some(laid_out(&chains.order(), &texts.states, gets.collect()))
}

/// All that is known of a string.
struct Texts {
    parts: Parts,
    /// State 0 is the beginning, the others are one for each put and append.
    states: Vec<State>,
    /// The state that an operation makes or found, if it is of interest.
    touched: Vec<u32>,
    /// Gets that found what no operations can make.
    contradiction: Option<Conflict>,
}

/// An answered get.
struct Get {
    place: usize,
    text: Arc<str>,
    invoked: u64,
    returned: u64,
}

impl Texts {
    /// None if the algorithm does not apply.
    fn of(initial: &Arc<str>, view: &impl View<TextStep>) -> Option<Self> {
        let count = view.count();
        u32::try_from(count).ok().filter(|count| *count < INITIAL)?;
        let mut states = Vec::with_capacity(count + 1);
        states.push(State::FIRST);
        let mut touched = Vec::with_capacity(count);
        let mut made = Vec::with_capacity(count + 1);
        if !initial.is_empty() {
            made.push(Part::initial(initial.clone()));
        }
        let mut gets = Vec::with_capacity(count);
        for place in 0..count {
            let Seen { step, invoked, returned } = view.at(place);
            let made_here = match step {
                Some(TextStep::Put(text)) => Some((text, Kind::Whole)),
                Some(TextStep::Append(text)) => Some((text, Kind::Added)),
                Some(TextStep::Get(text)) if returned < u64::MAX => {
                    gets.push(Get { place, text, invoked, returned });
                    None
                }
                Some(TextStep::Get(_)) | None => None,
            };
            let Some((text, kind)) = made_here else {
                touched.push(NONE);
                continue;
            };
            let state = states.len() as u32;
            touched.push(state);
            made.push(Part::new(text, kind, state, (invoked, returned)));
            let mut made_state = State { maker: place as u32, ..State::UNSEEN };
            made_state.zone.add(invoked, returned);
            states.push(made_state);
        }
        let parts = Parts::of(made)?;
        let mut texts = Self { parts, states, touched, contradiction: None };
        texts.contradiction = match texts.read(&gets, initial.is_empty()) {
            Ok(()) => None,
            Err(Unread::Conflict(conflict)) => Some(conflict),
            Err(Unread::Ambiguous) => return None,
        };
        Some(texts)
    }

    /// Notes what the gets found, up to one that contradicts those before it.
    fn read(&mut self, gets: &[Get], is_empty_first: bool) -> Result<(), Unread> {
        let mut readings = Readings::none(&self.parts, &mut self.states, is_empty_first);
        for get in gets {
            self.touched[get.place] = readings.read(get)?;
        }
        Ok(())
    }

    fn flaw(&self, view: &impl View<TextStep>) -> Option<Conflict> {
        if self.contradiction.is_some() {
            return self.contradiction.clone();
        }
        let mut chains = Chains::of(&self.states);
        let flaw = chains.flaw(view)?;
        Some(conflict(&chains, flaw, view, self))
    }

    fn is_maker(&self, state: u32, place: usize) -> bool {
        self.states[state as usize].maker as usize == place
    }
}

impl Naming for Texts {
    fn state_of(&self, place: usize) -> Option<u32> {
        Some(self.touched[place]).filter(|state| *state != NONE)
    }

    /// An append shows where it stands only if nobody saw it.
    fn shows(&self, place: usize) -> bool {
        self.state_of(place)
            .is_some_and(|state| !self.is_maker(state, place) || self.states[state as usize].before == NONE)
    }

    fn name(&self, state: u32) -> String {
        match self.parts.of_state(state).filter(|_| state != 0) {
            None => "the initial text".to_owned(),
            Some(part) => format!("the text after {}", shown(&part.text)),
        }
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
