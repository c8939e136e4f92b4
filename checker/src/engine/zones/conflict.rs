//! The few operations that rule out every order of states, and why in words.

use std::marker::PhantomData;

use super::chains::{Chains, Flaw, NONE, State};
use super::{Zone, shifted};
use crate::engine::shortcut::{Conflict, View};

/// What the states are to the object.
pub(crate) trait Naming {
    /// The state that an operation makes or finds, if it is in the order.
    fn state_of(&self, place: usize) -> Option<u32>;

    /// Whether the answer of the operation is enough to know that its state comes where it does.
    fn shows(&self, place: usize) -> bool;

    /// A state in words.
    fn name(&self, state: u32) -> String;
}

/// Operations that have no legal order, whatever the others answered, because of this flaw.
pub(crate) fn conflict<T>(
    chains: &Chains<'_>,
    flaw: Flaw,
    view: &impl View<T>,
    naming: &impl Naming,
) -> Conflict {
    let mut case = Case { chains, view, naming, proofs: Vec::new(), places: Vec::new(), marker: PhantomData };
    case.find_proofs();
    let reason = case.reason(flaw);
    case.places.sort_unstable();
    case.places.dedup();
    Conflict { places: case.places, reason }
}

/// A conflict in the making.
struct Case<'a, T, V: View<T>, N: Naming> {
    chains: &'a Chains<'a>,
    view: &'a V,
    naming: &'a N,
    /// For each state the first answered operation that shows it.
    proofs: Vec<u32>,
    places: Vec<usize>,
    marker: PhantomData<T>,
}

/// The places of the two operations that bound a zone, with their states.
struct Bounds {
    first_returned: Option<(usize, u32)>,
    last_invoked: Option<(usize, u32)>,
}

impl<T, V: View<T>, N: Naming> Case<'_, T, V, N> {
    fn find_proofs(&mut self) {
        self.proofs = vec![NONE; self.chains.states.len()];
        for place in (0..self.view.count()).rev() {
            if let Some(state) = self.naming.state_of(place)
                && !self.view.at(place).is_unknown()
                && self.naming.shows(place)
            {
                self.proofs[state as usize] = place as u32;
            }
        }
    }

    fn reason(&mut self, flaw: Flaw) -> String {
        let name = |state: u32| self.naming.name(state);
        match flaw {
            Flaw::Unmade(state) => {
                let reason = format!("{} is found, but no operation makes it", name(state));
                self.add_proof(state);
                reason
            }
            Flaw::Circle(state) => {
                let reason = format!("{} could only come about after itself", name(state));
                self.add_proof(state);
                reason
            }
            Flaw::TooEarly(state) => self.too_early(state),
            Flaw::Fork(first, second) => {
                let before = name(self.state(first).before);
                let reason =
                    format!("{} and {} both come directly after {before}", name(first), name(second));
                self.add_proof(first);
                self.add_proof(second);
                reason
            }
            Flaw::Backwards(earlier, later) => self.backwards(earlier, later),
            Flaw::Cut(first, second) => {
                let (outer, inner) = (self.stay(first), self.stay(second));
                format!("{outer}, but {inner}")
            }
        }
    }

    fn too_early(&mut self, state: u32) -> String {
        let State { zone, maker, .. } = *self.state(state);
        let bounds = self.bounds(zone, |other| other == state);
        self.add_returned(&bounds);
        format!(
            "{} is found by event {}, but made only from event {} on",
            self.naming.name(state),
            zone.first_returned - 1,
            self.view.at(maker as usize).invoked,
        )
    }

    fn backwards(&mut self, earlier: u32, later: u32) -> String {
        let (before, after) = (self.state(earlier).zone, self.state(later).zone);
        let bounds = self.bounds(after, |state| state == later);
        self.add_returned(&bounds);
        let bounds = self.bounds(before, |state| state == earlier);
        self.add_invoked(&bounds);
        format!(
            "{} comes before {}, which is there by event {}, but an operation invoked at event {} belongs to it",
            self.naming.name(earlier),
            self.naming.name(later),
            after.first_returned - 1,
            before.last_invoked - 1,
        )
    }

    /// Adds what bounds the zone of a block and says how long the block lasts.
    fn stay(&mut self, first: u32) -> String {
        let zone = self.chains.zones.iter().find(|(number, _)| *number == first).map(|(_, zone)| *zone);
        let zone = zone.unwrap_or(self.state(first).zone);
        let block = self.chains.block[first as usize].0;
        let bounds = self.bounds(zone, |state| self.chains.block[state as usize].0 == block);
        self.add_returned(&bounds);
        self.add_invoked(&bounds);
        let last = [bounds.first_returned, bounds.last_invoked].into_iter().flatten();
        let last = last.map(|(_, state)| state).max_by_key(|state| self.chains.block[*state as usize].1);
        let name = self.span(first, last.unwrap_or(first));
        lasting(&name, zone)
    }

    fn span(&self, first: u32, last: u32) -> String {
        let name = self.naming.name(first);
        if first == last { name } else { format!("the chain from {name} to {}", self.naming.name(last)) }
    }

    /// Finds the two operations among those of the states that are asked for.
    fn bounds(&self, zone: Zone, is_asked: impl Fn(u32) -> bool) -> Bounds {
        let mut bounds = Bounds { first_returned: None, last_invoked: None };
        for place in 0..self.view.count() {
            let seen = self.view.at(place);
            let Some(state) = self.naming.state_of(place).filter(|state| is_asked(*state)) else { continue };
            if !seen.is_unknown() && shifted(seen.returned) == zone.first_returned {
                bounds.first_returned = Some((place, state));
            }
            if shifted(seen.invoked) == zone.last_invoked {
                bounds.last_invoked = Some((place, state));
            }
        }
        bounds
    }

    /// Adds the operation that returns first.
    fn add_returned(&mut self, bounds: &Bounds) {
        if let Some((place, state)) = bounds.first_returned {
            self.places.push(place);
            if !self.naming.shows(place) {
                self.add_proof(state);
            }
        }
    }

    /// Adds the operation that is invoked last. The one that makes a state need not be added, its
    /// answer is of no importance: whoever shows the state will do.
    fn add_invoked(&mut self, bounds: &Bounds) {
        let Some((place, state)) = bounds.last_invoked else { return };
        if self.state(state).maker as usize != place {
            self.places.push(place);
        } else if !self.places.iter().any(|chosen| self.implies(*chosen, state)) {
            self.add_proof(state);
        }
    }

    /// Whether the answer of an operation shows that the state came about.
    fn implies(&self, place: usize, state: u32) -> bool {
        let Some(shown) = self.naming.state_of(place) else { return false };
        let block = &self.chains.block;
        let (shown, asked) = (block[shown as usize], block[state as usize]);
        self.naming.shows(place) && shown.0 == asked.0 && shown.1 >= asked.1
    }

    /// Adds an operation that shows that the state came about: its own, or of one that follows it.
    fn add_proof(&mut self, state: u32) {
        let length = self.chains.states.len();
        let mut chain = self.chains.chain(state).take(length);
        if let Some(state) = chain.find(|state| self.proofs[*state as usize] != NONE) {
            self.places.push(self.proofs[state as usize] as usize);
        }
    }

    fn state(&self, state: u32) -> &State {
        &self.chains.states[state as usize]
    }
}

/// How long the object stays in some states, in words.
fn lasting(name: &str, zone: Zone) -> String {
    match (zone.first_returned.checked_sub(1), zone.last_invoked.saturating_sub(1)) {
        (None, last) => format!("{name} lasts from the beginning to event {last}"),
        (Some(first), last) if first < last => format!("{name} lasts from event {first} to event {last}"),
        (Some(first), last) => format!("{name} comes and goes between events {last} and {first}"),
    }
}
