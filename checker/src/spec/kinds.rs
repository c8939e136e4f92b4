//! A bounded counter of several kinds of resource, behind an address rule: model `bcounter-kinds`.
//!
//! A reservation takes units of each kind, all or none. It needs room in every kind that it asks for; the limit of a
//! kind is a share of the limit that the answer names, or else of the fixed capacity. A reservation from a zone that
//! the object does not serve is refused as such, whatever is in use, and without effect. Versions of decided
//! operations never decrease, as with one kind ([`capacity`](super::capacity)).

mod relevance;

use crate::engine::open::{Open, Slot, SlotSet};
use crate::spec::Spec;
use crate::spec::capacity::Terms;
use crate::spec::orders::{Naming, OrderStep, Orders, forced_orders, forget_lone_orders};

/// Kinds of resource that an object can have.
pub const KINDS_MAX: usize = 3;

/// Units of each kind; 0 of those that the object does not have.
pub type Units = [u64; KINDS_MAX];

/// A bounded counter of several kinds; without a capacity, only the limits in the answers bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds {
    /// The share of the limit that each kind has, in percent; 0 of a kind that the object does not have.
    pub shares: [u32; KINDS_MAX],
    /// The fixed capacity, if there is one.
    pub capacity: Option<u64>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { shares: [100, 0, 0], capacity: None }
    }
}

/// Whether the object serves the zone that a reservation comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zone {
    /// It does, or there is no rule.
    #[default]
    Served,
    /// It does not.
    Unserved,
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindsCall {
    /// Room for these units, all or none.
    Reserve {
        /// The name of the reservation; each is reserved once.
        order: u64,
        /// How many of each kind.
        units: Units,
        /// Where from.
        zone: Zone,
    },
    /// To free what the order holds.
    Release {
        /// The name of the reservation.
        order: u64,
    },
    /// How many units of each kind are in use.
    Read,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindsAnswer {
    /// Reserved.
    Accepted(Terms),
    /// No room in one kind at least: an observation, without effect.
    Rejected(Terms),
    /// The object does not serve that zone: an observation, without effect.
    NotServed,
    /// Freed.
    Released,
    /// The order holds nothing (any more): refused, without effect.
    NotHeld,
    /// So many units of each kind are in use.
    Use(Units),
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KindsStep {
    /// Takes units.
    Accept {
        /// For whom, if anybody asks later.
        order: Option<u64>,
        /// How many of each kind.
        units: Units,
        /// Under what.
        terms: Terms,
    },
    /// Finds no room.
    Reject {
        /// For how many.
        units: Units,
        /// Under what.
        terms: Terms,
    },
    /// Finds that it is not served, which is so at any time.
    NotServed,
    /// Frees all that the order holds.
    Release {
        /// Whose.
        order: u64,
    },
    /// Finds that the order holds nothing.
    NotHeld {
        /// Whose.
        order: u64,
    },
    /// Is illegal everywhere: what was said of the zone is not so.
    Impossible,
    /// Finds so many units of each kind in use.
    Use(Units),
}

/// What such a counter remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindsState {
    /// Units of each kind in use.
    pub used: Units,
    /// The latest version under which something was decided.
    pub version: u64,
    /// What named orders hold.
    pub orders: Orders<Units>,
}

impl Spec for Kinds {
    type State = KindsState;
    type Call = KindsCall;
    type Answer = KindsAnswer;
    type Step = KindsStep;

    fn initial(&self) -> KindsState {
        KindsState::default()
    }

    fn fits(call: &KindsCall, answer: &KindsAnswer) -> bool {
        match answer {
            KindsAnswer::Accepted(_) | KindsAnswer::Rejected(_) | KindsAnswer::NotServed => {
                matches!(call, KindsCall::Reserve { .. })
            }
            KindsAnswer::Released | KindsAnswer::NotHeld => matches!(call, KindsCall::Release { .. }),
            KindsAnswer::Use(_) => matches!(call, KindsCall::Read),
        }
    }

    fn is_refusal(answer: &KindsAnswer) -> bool {
        matches!(answer, KindsAnswer::Rejected(_) | KindsAnswer::NotServed | KindsAnswer::NotHeld)
    }

    fn step(&self, call: &KindsCall, answer: Option<&KindsAnswer>) -> Option<KindsStep> {
        match *call {
            KindsCall::Reserve { order, units, zone } => self.reserve(order, units, zone, answer),
            KindsCall::Release { order } => Some(match answer {
                Some(KindsAnswer::NotHeld) => KindsStep::NotHeld { order },
                _ => KindsStep::Release { order },
            }),
            KindsCall::Read => match answer {
                Some(KindsAnswer::Use(used)) => Some(KindsStep::Use(*used)),
                _ => None,
            },
        }
    }

    fn apply(&self, state: &KindsState, step: &KindsStep) -> Option<KindsState> {
        self.is_legal(state, step).then(|| {
            let mut next = state.clone();
            next.change(step);
            next
        })
    }

    fn advance(&self, state: &mut KindsState, step: &KindsStep) -> bool {
        let is_legal = self.is_legal(state, step);
        if is_legal {
            state.change(step);
        }
        is_legal
    }

    fn is_legal(&self, state: &KindsState, step: &KindsStep) -> bool {
        if step.version().is_some_and(|version| version < state.version) {
            return false;
        }
        match *step {
            KindsStep::Accept { order, units, terms } => {
                let is_new = order.is_none_or(|order| state.orders.holding(order).is_none());
                is_new && self.has_room(&state.used, &units, terms.limit)
            }
            KindsStep::Reject { units, terms } => {
                terms.limit.is_none() || !self.has_room(&state.used, &units, terms.limit)
            }
            KindsStep::NotServed => true,
            KindsStep::Release { order } => matches!(state.orders.holding(order), Some(Some(_))),
            KindsStep::NotHeld { order } => !matches!(state.orders.holding(order), Some(Some(_))),
            KindsStep::Use(used) => state.used == used,
            KindsStep::Impossible => false,
        }
    }

    fn only_observes(&self, state: &KindsState, step: &KindsStep) -> bool {
        match step {
            // Legal later only under the same version, for versions never decrease.
            KindsStep::Reject { terms, .. } => terms.version.is_none_or(|version| version == state.version),
            KindsStep::NotServed | KindsStep::NotHeld { .. } | KindsStep::Use(_) => true,
            KindsStep::Accept { .. } | KindsStep::Release { .. } | KindsStep::Impossible => false,
        }
    }

    fn describe(call: &KindsCall, answer: Option<&KindsAnswer>) -> String {
        let asked = match call {
            KindsCall::Reserve { order, units, zone } => {
                let zone = if *zone == Zone::Unserved { " from a zone that is not served" } else { "" };
                format!("reserve {units:?} for order {order}{zone}")
            }
            KindsCall::Release { order } => format!("release order {order}"),
            KindsCall::Read => "read".to_owned(),
        };
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(KindsAnswer::Accepted(terms)) => format!("{asked} (accepted{})", terms.describe()),
            Some(KindsAnswer::Rejected(terms)) => format!("{asked} (rejected{})", terms.describe()),
            Some(KindsAnswer::NotServed) => format!("{asked} (refused: not served)"),
            Some(KindsAnswer::Released) => asked,
            Some(KindsAnswer::NotHeld) => format!("{asked} (refused: not held)"),
            Some(KindsAnswer::Use(used)) => format!("{asked} -> {used:?} in use"),
        }
    }

    fn state_in_words(&self, state: &KindsState) -> String {
        match self.capacity {
            Some(capacity) => {
                let limits = [0, 1, 2].map(|kind| self.limit(kind, capacity));
                format!("{:?} of {limits:?} units are in use", state.used)
            }
            None => format!("{:?} units are in use", state.used),
        }
    }

    fn state_bytes(&self, state: &KindsState) -> usize {
        state.orders.bytes()
    }

    fn simplify(&self, steps: &mut [Option<KindsStep>], _is_unknown: &dyn Fn(usize) -> bool) {
        forget_lone_orders(steps);
    }

    fn relevant(&self, state: &KindsState, open: &Open<'_, KindsStep>, goal: Slot) -> SlotSet {
        relevance::relevant(self, state, open, goal)
    }

    fn leads_towards(&self, state: &KindsState, step: &KindsStep, goal: &KindsStep) -> bool {
        relevance::leads_towards(state, step, goal)
    }

    fn entangled(&self, state: &KindsState, open: &Open<'_, KindsStep>, goal: Slot) -> Option<SlotSet> {
        Some(relevance::relevant(self, state, open, goal))
    }

    fn forced(&self, steps: &[Option<KindsStep>]) -> Vec<(usize, usize)> {
        forced_orders(steps)
    }
}

impl Kinds {
    /// The limit of one kind where the whole limit is `limit`: `limit * share / 100`, rounded down.
    ///
    /// Never falls where the limit rises.
    pub fn limit(&self, kind: usize, limit: u64) -> u64 {
        let exact = u128::from(limit) * u128::from(self.shares[kind]) / 100;
        u64::try_from(exact).unwrap_or(u64::MAX)
    }

    /// Whether every kind that is asked for has room. A kind that is not asked for needs none, though its use may
    /// stand above a limit that was lowered.
    fn has_room(&self, used: &Units, units: &Units, limit: Option<u64>) -> bool {
        (0..KINDS_MAX).all(|kind| match used[kind].checked_add(units[kind]) {
            Some(sum) => units[kind] == 0 || limit.is_none_or(|limit| sum <= self.limit(kind, limit)),
            None => false,
        })
    }

    fn reserve(
        &self,
        order: u64,
        units: Units,
        zone: Zone,
        answer: Option<&KindsAnswer>,
    ) -> Option<KindsStep> {
        let accepted = |terms| KindsStep::Accept { order: Some(order), units, terms: self.bound(terms) };
        Some(match (zone, answer) {
            (Zone::Served, Some(KindsAnswer::Accepted(terms))) => accepted(*terms),
            (Zone::Served, Some(KindsAnswer::Rejected(terms))) => {
                KindsStep::Reject { units, terms: self.bound(*terms) }
            }
            (Zone::Served, None) => accepted(Terms::default()),
            (Zone::Unserved, Some(KindsAnswer::NotServed)) => KindsStep::NotServed,
            (Zone::Unserved, None) => return None,
            (Zone::Served | Zone::Unserved, Some(_)) => KindsStep::Impossible,
        })
    }

    /// The terms that an answer leaves out: without a limit of its own, the fixed capacity.
    fn bound(&self, terms: Terms) -> Terms {
        Terms { limit: terms.limit.or(self.capacity), version: terms.version }
    }
}

impl KindsStep {
    /// The version it was decided under, if it says.
    fn version(&self) -> Option<u64> {
        match self {
            Self::Accept { terms, .. } | Self::Reject { terms, .. } => terms.version,
            Self::NotServed
            | Self::Release { .. }
            | Self::NotHeld { .. }
            | Self::Use(_)
            | Self::Impossible => None,
        }
    }
}

impl OrderStep for KindsStep {
    fn naming(&self) -> Option<Naming> {
        match *self {
            Self::Accept { order, .. } => order.map(Naming::Reserves),
            Self::Release { order } => Some(Naming::Frees(order)),
            Self::NotHeld { order } => Some(Naming::Misses(order)),
            Self::Reject { .. } | Self::NotServed | Self::Use(_) | Self::Impossible => None,
        }
    }

    fn forget_order(&mut self) {
        if let Self::Accept { order, .. } = self {
            *order = None;
        }
    }
}

impl KindsState {
    /// What a legal step does.
    fn change(&mut self, step: &KindsStep) {
        match *step {
            KindsStep::Accept { order, units, terms } => self.take(order, units, terms),
            KindsStep::Reject { terms, .. } => self.decide(terms),
            KindsStep::Release { order } => self.free(order),
            KindsStep::NotServed | KindsStep::NotHeld { .. } | KindsStep::Use(_) | KindsStep::Impossible => {}
        }
    }

    fn take(&mut self, order: Option<u64>, units: Units, terms: Terms) {
        for (used, units) in self.used.iter_mut().zip(units) {
            *used += units;
        }
        self.decide(terms);
        if let Some(order) = order {
            self.orders.hold(order, units);
        }
    }

    fn free(&mut self, order: u64) {
        if let Some(units) = self.orders.free(order) {
            for (used, units) in self.used.iter_mut().zip(units) {
                *used -= units;
            }
        }
    }

    fn decide(&mut self, terms: Terms) {
        self.version = self.version.max(terms.version.unwrap_or(0));
    }
}
