//! A register whose values are all written once: each value is a state.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::chains::{Chains, Flaw, INITIAL, NONE, State, is_too_early};
use super::conflict::{Naming, conflict};
use super::{cut, in_order};
use crate::engine::shortcut::{Decision, Finding, Seen, View};
use crate::spec::register::{RegisterStep, Value, written};

/// The algorithm.
pub(crate) const ZONES: &str = "zones";

/// Whether a register has a legal order. None if a value is written twice, or if some operation found
/// only which value it does *not* hold.
pub(crate) fn decide(initial: Value, view: &impl View<RegisterStep>) -> Option<Decision> {
    let values = Values::of(initial, view)?;
    let flaw = if values.has_links {
        Chains::of(&values.states).flaw(view)
    } else {
        flaw_of_unlinked(&values.states, view)
    };
    let finding = match flaw {
        None => Finding::Legal,
        Some(_) => values.illegal(view)?,
    };
    Some(Decision { algorithm: ZONES, finding })
}

/// A legal order, as places, where [`decide`] says that there is one.
pub(crate) fn order(initial: Value, view: &impl View<RegisterStep>) -> Option<Vec<usize>> {
    let values = Values::of(initial, view)?;
    let states = if values.has_links {
        let mut chains = Chains::of(&values.states);
        if chains.flaw(view).is_some() {
            return None;
        }
        chains.order()
    } else {
        in_order(seen(&values.states))
    };
    let reads = (0..view.count()).filter_map(|place| match view.at(place) {
        Seen { step: Some(RegisterStep::Read(value)), returned, .. } if returned < u64::MAX => {
            Some((values.find(value)?, place))
        }
        _ => None,
    });
    Some(laid_out(&states, &values.states, reads.collect()))
}

/// Every state's maker, then who finds it, given by invocation.
pub(crate) fn laid_out(order: &[u32], states: &[State], found: Vec<(u32, usize)>) -> Vec<usize> {
    let mut rank = vec![NONE; states.len()];
    for (index, state) in order.iter().enumerate() {
        rank[*state as usize] = index as u32;
    }
    let mut finds: Vec<(u32, usize)> =
        found.into_iter().map(|(state, place)| (rank[state as usize], place)).collect();
    finds.sort_unstable();
    let mut finds = finds.into_iter().peekable();
    let mut places = Vec::with_capacity(order.len() + finds.len());
    for (index, state) in order.iter().enumerate() {
        let maker = states[*state as usize].maker;
        if maker < INITIAL {
            places.push(maker as usize);
        }
        while let Some((_, place)) = finds.next_if(|(rank, _)| *rank == index as u32) {
            places.push(place);
        }
    }
    places
}

/// The states of a register, where none comes directly after another by a compare-and-set.
fn flaw_of_unlinked(states: &[State], view: &impl View<RegisterStep>) -> Option<Flaw> {
    for (number, zone) in seen(states) {
        let state = &states[number as usize];
        if state.maker == NONE {
            return Some(Flaw::Unmade(number));
        }
        if zone.first_returned < zone.last_invoked && is_too_early(state, view) {
            return Some(Flaw::TooEarly(number));
        }
    }
    cut(seen(states)).map(|(first, second)| Flaw::Cut(first, second))
}

fn seen(states: &[State]) -> impl Iterator<Item = (u32, super::Zone)> + Clone {
    let seen = states.iter().enumerate().filter(|(_, state)| state.is_seen());
    seen.map(|(number, state)| (number as u32, state.zone))
}

/// The values of a register as states.
struct Values {
    initial: Value,
    states: Vec<State>,
    /// For small values that are not negative their states, or none.
    near: Vec<u32>,
    far: HashMap<i64, u32, FxBuildHasher>,
    nil: u32,
    /// Values below this are kept in `near`.
    near_max: usize,
    /// Whether there is a compare-and-set.
    has_links: bool,
}

impl Values {
    /// None if the algorithm does not apply.
    fn of(initial: Value, view: &impl View<RegisterStep>) -> Option<Self> {
        let count = view.count();
        u32::try_from(count).ok().filter(|count| *count < INITIAL)?;
        let mut values = Self {
            initial,
            states: vec![State::FIRST],
            near: Vec::new(),
            far: HashMap::default(),
            nil: NONE,
            near_max: NEAR_VALUES * (count + 1),
            has_links: false,
        };
        values.enter(initial, 0);
        for place in 0..count {
            let Seen { step, invoked, returned } = view.at(place);
            match step {
                Some(RegisterStep::Read(value)) if returned < u64::MAX => {
                    let state = values.state(value);
                    values.states[state as usize].zone.add(invoked, returned);
                }
                Some(RegisterStep::Mismatch(_)) if returned < u64::MAX => return None,
                Some(RegisterStep::Read(_) | RegisterStep::Mismatch(_)) | None => {}
                Some(RegisterStep::Write(value)) => {
                    values.make(value, place)?.zone.add(invoked, returned);
                }
                Some(RegisterStep::Swap(expected, new)) => {
                    let before = values.state(expected);
                    let state = values.make(new, place)?;
                    state.zone.add(invoked, returned);
                    state.before = before;
                    values.has_links = true;
                }
            }
        }
        Some(values)
    }

    /// The state of a value that is written. None if it was before.
    fn make(&mut self, value: Value, place: usize) -> Option<&mut State> {
        let state = self.state(value);
        let state = &mut self.states[state as usize];
        if state.maker != NONE {
            return None;
        }
        state.maker = place as u32;
        Some(state)
    }

    fn state(&mut self, value: Value) -> u32 {
        if let Some(state) = self.find(value) {
            return state;
        }
        let state = self.states.len() as u32;
        self.states.push(State::UNSEEN);
        self.enter(value, state);
        state
    }

    fn find(&self, value: Value) -> Option<u32> {
        let state = match value {
            None => self.nil,
            Some(value) => match self.near_index(value) {
                Some(index) => self.near.get(index).copied().unwrap_or(NONE),
                None => return self.far.get(&value).copied(),
            },
        };
        (state != NONE).then_some(state)
    }

    fn enter(&mut self, value: Value, state: u32) {
        match value {
            None => self.nil = state,
            Some(value) => match self.near_index(value) {
                Some(index) => {
                    if index >= self.near.len() {
                        let length = (index + 1).next_power_of_two().min(self.near_max);
                        self.near.resize(length, NONE);
                    }
                    self.near[index] = state;
                }
                None => {
                    self.far.insert(value, state);
                }
            },
        }
    }

    fn near_index(&self, value: i64) -> Option<usize> {
        usize::try_from(value).ok().filter(|value| *value < self.near_max)
    }

    fn illegal(&self, view: &impl View<RegisterStep>) -> Option<Finding> {
        let mut chains = Chains::of(&self.states);
        let flaw = chains.flaw(view)?;
        Some(Finding::Illegal(conflict(&chains, flaw, view, &Named { values: self, view })))
    }
}

/// How many values for each operation are found by index.
const NEAR_VALUES: usize = 2;

struct Named<'a, V> {
    values: &'a Values,
    view: &'a V,
}

impl<V: View<RegisterStep>> Naming for Named<'_, V> {
    fn state_of(&self, place: usize) -> Option<u32> {
        match self.view.at(place).step? {
            RegisterStep::Read(value) | RegisterStep::Write(value) | RegisterStep::Swap(_, value) => {
                self.values.find(value)
            }
            RegisterStep::Mismatch(_) => None,
        }
    }

    fn shows(&self, _place: usize) -> bool {
        true
    }

    fn name(&self, state: u32) -> String {
        if state == 0 {
            return format!("the initial value {}", written(self.values.initial));
        }
        let mut values = (0..self.view.count()).filter_map(|place| match self.view.at(place).step? {
            RegisterStep::Read(value) | RegisterStep::Write(value) => Some([value, value]),
            RegisterStep::Swap(expected, value) => Some([expected, value]),
            RegisterStep::Mismatch(_) => None,
        });
        let value =
            values.find_map(|pair| pair.into_iter().find(|value| self.values.find(*value) == Some(state)));
        value.map_or_else(String::new, |value| format!("the value {}", written(value)))
    }
}
