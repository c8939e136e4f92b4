//! A bounded counter under load: reservations, many of them rejected, and releases.

use counterclock_checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};

use super::Load;
use super::chance::Chance;
use super::clients::{Asked, Fate, Workload, record};
use super::recorder::Recorder;

/// How many units there are.
pub(crate) const CAPACITY: u64 = 40;
/// The most that is asked for at once.
const UNITS_MAX: usize = 6;

/// Reservations of nameless units and their releases.
pub(crate) fn reservations(load: &Load, recorder: &mut impl Recorder<Capacity>) {
    let held = vec![Vec::new(); load.clients];
    let workload = Reservations { used: 0, held, adrift: Vec::new(), sure: 0, is_any_given_up: false };
    record(load, 6, workload, recorder);
}

struct Reservations {
    used: u64,
    /// By client, the reservations that it can release.
    held: Vec<Vec<u64>>,
    /// Reservations in use of which no client knows: anybody releases them.
    adrift: Vec<u64>,
    /// Units in use whatever happened: reserved and answered, and not even asked to be released.
    sure: i64,
    is_any_given_up: bool,
}

impl Reservations {
    fn signed(units: u64) -> i64 {
        i64::try_from(units).expect("units are few")
    }
}

impl Workload for Reservations {
    type Model = Capacity;

    fn ask(&mut self, client: usize, chance: &mut Chance) -> Asked<Capacity> {
        let wanted = 1 + chance.below(UNITS_MAX) as u64;
        let released = if chance.one_in(2) { self.held[client].pop().or(self.adrift.pop()) } else { None };
        let call = match released {
            Some(units) => {
                self.sure -= Self::signed(units);
                CapacityCall::Release { order: None, units }
            }
            None => CapacityCall::Reserve { order: None, units: wanted },
        };
        Asked { key: 0, call }
    }

    fn take_effect(&mut self, asked: &Asked<Capacity>) -> CapacityAnswer {
        match asked.call {
            CapacityCall::Reserve { units, .. } if self.used + units <= CAPACITY => {
                self.used += units;
                CapacityAnswer::Accepted(Terms::default())
            }
            CapacityCall::Reserve { .. } => CapacityAnswer::Rejected(Terms::default()),
            CapacityCall::Release { units, .. } => {
                self.used -= units;
                CapacityAnswer::Released
            }
            CapacityCall::Read => CapacityAnswer::Use(self.used),
        }
    }

    fn answered(&mut self, client: usize, asked: &Asked<Capacity>, answer: &CapacityAnswer) {
        if let (CapacityCall::Reserve { units, .. }, CapacityAnswer::Accepted(_)) = (asked.call, answer) {
            self.sure += Self::signed(units);
            self.held[client].push(units);
        }
    }

    fn given_up(&mut self, asked: &Asked<Capacity>, fate: Fate) {
        self.is_any_given_up = true;
        if let (CapacityCall::Release { units, .. }, Fate::Never) = (asked.call, fate) {
            self.adrift.push(units);
        }
    }

    fn take_effect_unseen(&mut self, asked: &Asked<Capacity>) {
        let answer = self.take_effect(asked);
        if let (CapacityCall::Reserve { units, .. }, CapacityAnswer::Accepted(_)) = (asked.call, answer) {
            self.adrift.push(units);
        }
    }

    /// A reservation of one unit more than there can be room for.
    fn violation(&mut self, _chance: &mut Chance) -> Vec<(Asked<Capacity>, CapacityAnswer)> {
        let sure = self.sure.max(0).unsigned_abs();
        if sure < CAPACITY / 2 && !self.is_any_given_up {
            return Vec::new();
        }
        let asked = Asked { key: 0, call: CapacityCall::Reserve { order: None, units: CAPACITY - sure + 1 } };
        vec![(asked, CapacityAnswer::Accepted(Terms::default()))]
    }
}
