//! A counter of units that may not exceed a limit: model `bcounter`.
//!
//! Reservations name an order, or none (then units have no names either). The limit may change over
//! time: an answer then carries the limit and the configuration version it was decided under, which
//! replaces the fixed capacity for that operation; versions of decided operations never decrease.

mod relevance;

use crate::engine::open::{Open, Slot, SlotSet};
use crate::engine::shortcut::Seen;
use crate::spec::Spec;
use crate::spec::orders::{Naming, OrderStep, Orders, forced_orders, forget_lone_orders};

/// Limits up to which every number of units counts as one that may be in use.
const STARTS_LIMIT_MAX: u64 = 256;

/// A bounded counter; without a capacity, only the limits in the answers bound it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// The fixed capacity, if there is one.
    pub capacity: Option<u64>,
}

/// What may be asked of a bounded counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapacityCall {
    /// Room for these units.
    Reserve {
        /// The name of the reservation; each is reserved once.
        order: Option<u64>,
        /// How many.
        units: u64,
    },
    /// To free what the order holds; without an order, these units.
    Release {
        /// The name of the reservation.
        order: Option<u64>,
        /// How many; with an order its own units count, not these.
        units: u64,
    },
    /// How many units are in use.
    Read,
}

/// Under what a reservation was decided, as far as the answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The limit.
    pub limit: Option<u64>,
    /// The version of the configuration that set it.
    pub version: Option<u64>,
}

/// What a bounded counter answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapacityAnswer {
    /// Reserved.
    Accepted(Terms),
    /// No room: an observation, without effect.
    Rejected(Terms),
    /// Freed.
    Released,
    /// The order holds nothing (any more): refused, without effect.
    NotHeld,
    /// So many units are in use.
    Use(u64),
}

/// What an operation does to a bounded counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CapacityStep {
    /// Takes units.
    Accept {
        /// For whom, if anybody asks later.
        order: Option<u64>,
        /// How many.
        units: u64,
        /// Under what.
        terms: Terms,
    },
    /// Finds no room.
    Reject {
        /// For how many.
        units: u64,
        /// Under what.
        terms: Terms,
    },
    /// Frees all that the order holds.
    Release {
        /// Whose.
        order: u64,
    },
    /// Frees nameless units.
    ReleaseUnits {
        /// How many.
        units: u64,
    },
    /// Finds that the order holds nothing.
    NotHeld {
        /// Whose.
        order: u64,
    },
    /// Is illegal everywhere: no nameless release is refused.
    Impossible,
    /// Finds so many units in use.
    Use(u64),
}

/// What a bounded counter remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapacityState {
    /// Units in use.
    pub used: u64,
    /// The latest version under which something was decided.
    pub version: u64,
    /// What named orders hold.
    pub orders: Orders<u64>,
}

impl Spec for Capacity {
    type State = CapacityState;
    type Call = CapacityCall;
    type Answer = CapacityAnswer;
    type Step = CapacityStep;

    fn initial(&self) -> CapacityState {
        CapacityState::default()
    }

    fn fits(call: &CapacityCall, answer: &CapacityAnswer) -> bool {
        match answer {
            CapacityAnswer::Accepted(_) | CapacityAnswer::Rejected(_) => {
                matches!(call, CapacityCall::Reserve { .. })
            }
            CapacityAnswer::Released | CapacityAnswer::NotHeld => {
                matches!(call, CapacityCall::Release { .. })
            }
            CapacityAnswer::Use(_) => matches!(call, CapacityCall::Read),
        }
    }

    fn is_refusal(answer: &CapacityAnswer) -> bool {
        matches!(answer, CapacityAnswer::Rejected(_) | CapacityAnswer::NotHeld)
    }

    /// A reservation without any limit is always granted, unless its order is reserved twice.
    fn observes(&self, call: &CapacityCall, answer: &CapacityAnswer) -> bool {
        match (call, answer) {
            (CapacityCall::Reserve { order, .. }, CapacityAnswer::Accepted(terms)) => {
                let Terms { limit, version } = self.bound(*terms);
                order.is_some() || limit.is_some() || version.is_some()
            }
            (CapacityCall::Reserve { .. } | CapacityCall::Release { .. } | CapacityCall::Read, _) => true,
        }
    }

    fn step(&self, call: &CapacityCall, answer: Option<&CapacityAnswer>) -> Option<CapacityStep> {
        match *call {
            CapacityCall::Reserve { order, units } => Some(match answer {
                Some(CapacityAnswer::Rejected(terms)) => {
                    CapacityStep::Reject { units, terms: self.bound(*terms) }
                }
                Some(CapacityAnswer::Accepted(terms)) => {
                    CapacityStep::Accept { order, units, terms: self.bound(*terms) }
                }
                _ => CapacityStep::Accept { order, units, terms: self.bound(Terms::default()) },
            }),
            CapacityCall::Release { order: Some(order), .. } => Some(match answer {
                Some(CapacityAnswer::NotHeld) => CapacityStep::NotHeld { order },
                _ => CapacityStep::Release { order },
            }),
            CapacityCall::Release { order: None, units } => Some(match answer {
                Some(CapacityAnswer::NotHeld) => CapacityStep::Impossible,
                _ => CapacityStep::ReleaseUnits { units },
            }),
            CapacityCall::Read => match answer {
                Some(CapacityAnswer::Use(used)) => Some(CapacityStep::Use(*used)),
                _ => None,
            },
        }
    }

    fn apply(&self, state: &CapacityState, step: &CapacityStep) -> Option<CapacityState> {
        state.allows(step).then(|| {
            let mut next = state.clone();
            next.change(step);
            next
        })
    }

    fn advance(&self, state: &mut CapacityState, step: &CapacityStep) -> bool {
        let is_legal = state.allows(step);
        if is_legal {
            state.change(step);
        }
        is_legal
    }

    fn is_legal(&self, state: &CapacityState, step: &CapacityStep) -> bool {
        state.allows(step)
    }

    fn only_observes(&self, state: &CapacityState, step: &CapacityStep) -> bool {
        match step {
            // Legal later only under the same version, for versions never decrease.
            CapacityStep::Reject { terms, .. } => {
                terms.version.is_none_or(|version| version == state.version)
            }
            CapacityStep::NotHeld { .. } | CapacityStep::Use(_) => true,
            CapacityStep::Accept { .. }
            | CapacityStep::Release { .. }
            | CapacityStep::ReleaseUnits { .. }
            | CapacityStep::Impossible => false,
        }
    }

    fn describe(call: &CapacityCall, answer: Option<&CapacityAnswer>) -> String {
        let named = |order: Option<u64>| order.map(|order| format!(" for order {order}")).unwrap_or_default();
        let asked = match call {
            CapacityCall::Reserve { order, units } => format!("reserve {units}{}", named(*order)),
            CapacityCall::Release { order: Some(order), .. } => format!("release order {order}"),
            CapacityCall::Release { order: None, units } => format!("release {units}"),
            CapacityCall::Read => "read".to_owned(),
        };
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(CapacityAnswer::Accepted(terms)) => format!("{asked} (accepted{})", terms.describe()),
            Some(CapacityAnswer::Rejected(terms)) => format!("{asked} (rejected{})", terms.describe()),
            Some(CapacityAnswer::Released) => asked,
            Some(CapacityAnswer::NotHeld) => format!("{asked} (refused: not held)"),
            Some(CapacityAnswer::Use(used)) => format!("{asked} -> {used} in use"),
        }
    }

    /// Any number of units may be in use, up to the limit; where orders or versions count, too much may be.
    fn states_at(
        &self,
        _position: u64,
        begun: &[Seen<&CapacityStep>],
        later: &[Option<CapacityStep>],
    ) -> Option<Vec<CapacityState>> {
        let steps = begun.iter().filter_map(|seen| seen.step);
        let mut limit_max = 0;
        for step in steps.chain(later.iter().flatten()) {
            match *step {
                CapacityStep::Accept {
                    order: None,
                    terms: Terms { limit: Some(limit), version: None },
                    ..
                } => {
                    limit_max = limit_max.max(limit);
                }
                CapacityStep::Reject { terms: Terms { version: None, .. }, .. }
                | CapacityStep::ReleaseUnits { .. }
                | CapacityStep::Use(_)
                | CapacityStep::Impossible => {}
                CapacityStep::Accept { .. }
                | CapacityStep::Reject { .. }
                | CapacityStep::Release { .. }
                | CapacityStep::NotHeld { .. } => return None,
            }
        }
        let used = |used| CapacityState { used, ..CapacityState::default() };
        (limit_max <= STARTS_LIMIT_MAX).then(|| (0..=limit_max).map(used).collect())
    }

    fn state_in_words(&self, state: &CapacityState) -> String {
        match self.capacity {
            Some(capacity) => format!("{} of {capacity} units are in use", state.used),
            None => format!("{} units are in use", state.used),
        }
    }

    fn state_bytes(&self, state: &CapacityState) -> usize {
        state.orders.bytes()
    }

    fn simplify(&self, steps: &mut [Option<CapacityStep>], _is_unknown: &dyn Fn(usize) -> bool) {
        // Unless there are nameless releases: they would free its units.
        if !steps.iter().flatten().any(|step| matches!(step, CapacityStep::ReleaseUnits { .. })) {
            forget_lone_orders(steps);
        }
    }

    fn relevant(&self, state: &CapacityState, open: &Open<'_, CapacityStep>, goal: Slot) -> SlotSet {
        relevance::relevant(state, open, goal)
    }

    fn leads_towards(&self, state: &CapacityState, step: &CapacityStep, goal: &CapacityStep) -> bool {
        relevance::leads_towards(state, step, goal)
    }

    fn entangled(&self, state: &CapacityState, open: &Open<'_, CapacityStep>, goal: Slot) -> Option<SlotSet> {
        Some(relevance::relevant(state, open, goal))
    }

    fn forced(&self, steps: &[Option<CapacityStep>]) -> Vec<(usize, usize)> {
        forced_orders(steps)
    }
}

impl Capacity {
    /// The terms that an answer leaves out: without a limit of its own, the fixed capacity.
    fn bound(&self, terms: Terms) -> Terms {
        Terms { limit: terms.limit.or(self.capacity), version: terms.version }
    }
}

impl CapacityStep {
    /// The version it was decided under, if it says.
    pub(crate) fn version(&self) -> Option<u64> {
        match self {
            Self::Accept { terms, .. } | Self::Reject { terms, .. } => terms.version,
            Self::Release { .. }
            | Self::ReleaseUnits { .. }
            | Self::NotHeld { .. }
            | Self::Use(_)
            | Self::Impossible => None,
        }
    }
}

impl OrderStep for CapacityStep {
    fn naming(&self) -> Option<Naming> {
        match *self {
            Self::Accept { order, .. } => order.map(Naming::Reserves),
            Self::Release { order } => Some(Naming::Frees(order)),
            Self::NotHeld { order } => Some(Naming::Misses(order)),
            Self::Reject { .. } | Self::ReleaseUnits { .. } | Self::Use(_) | Self::Impossible => None,
        }
    }

    fn forget_order(&mut self) {
        if let Self::Accept { order, .. } = self {
            *order = None;
        }
    }
}

impl CapacityState {
    /// What a legal step does.
    fn change(&mut self, step: &CapacityStep) {
        match *step {
            CapacityStep::Accept { order, units, terms } => {
                self.used += units;
                self.decide(terms);
                if let Some(order) = order {
                    self.orders.hold(order, units);
                }
            }
            CapacityStep::Reject { terms, .. } => self.decide(terms),
            CapacityStep::Release { order } => self.used -= self.orders.free(order).unwrap_or(0),
            CapacityStep::ReleaseUnits { units } => self.used -= units,
            CapacityStep::NotHeld { .. } | CapacityStep::Use(_) | CapacityStep::Impossible => {}
        }
    }

    /// Whether the specification allows `step` here.
    pub(crate) fn allows(&self, step: &CapacityStep) -> bool {
        if step.version().is_some_and(|version| version < self.version) {
            return false;
        }
        match *step {
            CapacityStep::Accept { order, units, terms } => {
                let fits = self
                    .used
                    .checked_add(units)
                    .is_some_and(|sum| terms.limit.is_none_or(|limit| sum <= limit));
                fits && order.is_none_or(|order| self.orders.holding(order).is_none())
            }
            CapacityStep::Reject { units, terms } => {
                terms.limit.is_none_or(|limit| self.used.saturating_add(units) > limit)
            }
            CapacityStep::Release { order } => matches!(self.orders.holding(order), Some(Some(_))),
            CapacityStep::ReleaseUnits { units } => self.nameless() >= units,
            CapacityStep::NotHeld { order } => !matches!(self.orders.holding(order), Some(Some(_))),
            CapacityStep::Use(used) => self.used == used,
            CapacityStep::Impossible => false,
        }
    }

    /// Units in use that belong to no order.
    fn nameless(&self) -> u64 {
        let named: u64 = self.orders.held().sum();
        assert!(named <= self.used, "orders hold {named} of {} units in use", self.used);
        self.used - named
    }

    fn decide(&mut self, terms: Terms) {
        self.version = self.version.max(terms.version.unwrap_or(0));
    }
}

impl Terms {
    pub(super) fn describe(&self) -> String {
        let limit = self.limit.map(|limit| format!(" under limit {limit}")).unwrap_or_default();
        let version = self.version.map(|version| format!(" of version {version}")).unwrap_or_default();
        format!("{limit}{version}")
    }
}
