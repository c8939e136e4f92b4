//! States of which some come directly after another: chains of them lie together in one block.
//!
//! ```text
//!   w1 ─ r1 ─ c1>2 ─ r2 r2 ─ c2>3      one block: nothing fits between
//! ```
//!
//! Inside a block the order is known, but for observations of one state. What is left is to put the
//! blocks in order: their zones decide (see [`zones`](super)).

use super::{Zone, cut, in_order, shifted};
use crate::engine::shortcut::View;

/// No state, or no operation.
pub(crate) const NONE: u32 = u32::MAX;
/// Stands for the operation that makes the initial state.
pub(crate) const INITIAL: u32 = u32::MAX - 1;

/// A state that is entered at most once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// The zone of the operation that makes it and of those that find it.
    pub(crate) zone: Zone,
    /// Place of the operation that makes it, or [`INITIAL`], or [`NONE`] if nothing does.
    pub(crate) maker: u32,
    /// The state from which alone it can be made; [`NONE`] if from any.
    pub(crate) before: u32,
}

impl State {
    /// A state of which nothing is known yet.
    pub(crate) const UNSEEN: Self = Self { zone: Zone::EMPTY, maker: NONE, before: NONE };
    /// The state before the first operation.
    pub(crate) const FIRST: Self = Self { zone: Zone::BEGINNING, maker: INITIAL, before: NONE };

    /// Whether an answer shows that the object was in this state.
    pub(super) fn is_seen(&self) -> bool {
        if self.maker == INITIAL { self.zone.last_invoked > 0 } else { self.zone.first_returned < u64::MAX }
    }
}

/// Why states cannot be put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing makes this state, but it was seen.
    Unmade(u32),
    /// It was seen by an operation that returned before the one that makes it was invoked.
    TooEarly(u32),
    /// Two states come directly after one.
    Fork(u32, u32),
    /// It can only be made after itself.
    Circle(u32),
    /// The first comes before the second, but not in real time.
    Backwards(u32, u32),
    /// The zones of the blocks of these states cut one another.
    Cut(u32, u32),
}

/// States, each with its place in the order.
pub(crate) struct Chains<'a> {
    pub(crate) states: &'a [State],
    /// Whether a state must come about.
    pub(crate) is_needed: Vec<bool>,
    /// The needed state directly after each.
    pub(crate) after: Vec<u32>,
    /// The first state of the block of each needed state, and its index there.
    pub(crate) block: Vec<(u32, u32)>,
    /// The zone of each block, with its first state.
    pub(crate) zones: Vec<(u32, Zone)>,
}

impl<'a> Chains<'a> {
    /// Links the states.
    pub(crate) fn of(states: &'a [State]) -> Self {
        let mut is_needed: Vec<bool> = states.iter().map(|_| false).collect();
        for start in (0..states.len()).filter(|state| states[*state].is_seen()) {
            let mut state = start;
            while !is_needed[state] {
                is_needed[state] = true;
                if states[state].before != NONE {
                    state = states[state].before as usize;
                }
            }
        }
        let mut after = vec![NONE; states.len()];
        for (state, needed) in is_needed.iter().enumerate() {
            let before = states[state].before;
            if *needed && before != NONE && after[before as usize] == NONE {
                after[before as usize] = state as u32;
            }
        }
        let block = vec![(NONE, 0); states.len()];
        Self { states, is_needed, after, block, zones: Vec::new() }
    }

    /// What forbids every order; none if there is one.
    pub(crate) fn flaw<T>(&mut self, view: &impl View<T>) -> Option<Flaw> {
        self.flaw_of_links().or_else(|| self.flaw_of_blocks(view)).or_else(|| {
            let (first, second) = cut(self.zones.iter().copied())?;
            Some(Flaw::Cut(first, second))
        })
    }

    /// The needed states in a legal order, once there is no flaw.
    pub(crate) fn order(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.states.len());
        for first in in_order(self.zones.iter().copied()) {
            order.extend(self.chain(first));
        }
        order
    }

    /// A state and those directly after it, one after the other.
    pub(crate) fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(first), |state| {
            Some(self.after[*state as usize]).filter(|after| *after != NONE)
        })
    }

    fn needed(&self) -> impl Iterator<Item = (u32, &'a State)> {
        let states = self.states.iter().enumerate().filter(|(state, _)| self.is_needed[*state]);
        states.map(|(number, state)| (number as u32, state))
    }

    fn flaw_of_links(&self) -> Option<Flaw> {
        self.needed().find_map(|(number, state)| {
            if state.maker == NONE {
                return Some(Flaw::Unmade(number));
            }
            let sibling = if state.before == NONE { number } else { self.after[state.before as usize] };
            (sibling != number).then_some(Flaw::Fork(sibling, number))
        })
    }

    /// Puts every state in its block; what is in none comes after itself.
    fn flaw_of_blocks<T>(&mut self, view: &impl View<T>) -> Option<Flaw> {
        let firsts: Vec<u32> =
            self.needed().filter(|(_, state)| state.before == NONE).map(|(number, _)| number).collect();
        for first in firsts {
            let chain: Vec<u32> = self.chain(first).collect();
            let mut zone = Zone::EMPTY;
            for (index, state) in chain.iter().enumerate() {
                self.block[*state as usize] = (first, index as u32);
                zone.join(self.states[*state as usize].zone);
            }
            self.zones.push((first, zone));
            if zone.is_forward()
                && let Some(flaw) = flaw_of_chain(self.states, &chain, view)
            {
                return Some(flaw);
            }
        }
        let mut needed = self.needed().map(|(number, _)| number);
        needed.find(|number| self.block[*number as usize].0 == NONE).map(Flaw::Circle)
    }
}

/// Whether the order of a chain is against real time. It cannot be where the zone is backward.
fn flaw_of_chain<T>(states: &[State], chain: &[u32], view: &impl View<T>) -> Option<Flaw> {
    let mut first_returned = (u64::MAX, NONE);
    for &number in chain.iter().rev() {
        let state = &states[number as usize];
        if first_returned.0 < state.zone.last_invoked {
            return Some(Flaw::Backwards(number, first_returned.1));
        }
        if is_too_early(state, view) {
            return Some(Flaw::TooEarly(number));
        }
        first_returned = first_returned.min((state.zone.first_returned, number));
    }
    None
}

/// Whether an operation that finds a state returned before the one that makes it was invoked.
pub(crate) fn is_too_early<T>(state: &State, view: &impl View<T>) -> bool {
    state.maker < INITIAL && state.zone.first_returned < shifted(view.at(state.maker as usize).invoked)
}
