//! What clients asked of slots that have several kinds of resource or serve zones, as the checker takes it.
//!
//! Which zones a slot serves is computed here anew, from the rule as it is documented: the checker is told only whether a
//! reservation's zone is served.

use checker::spec::kinds::{self as spec, Kinds, KindsAnswer, KindsCall, Zone};
use model::counter::kinds::{self, KINDS_MAX, Units};
use model::ids::{SlotId, ZoneId};
use model::message::{Answer, Call};
use serde::{Deserialize, Serialize};

use super::Shape;
use super::slots::{key, terms};
use crate::bounded::Bounded;
use crate::recorder::{Known, Reading};

/// What share of the limit each kind of resource has, in percent: from one kind to three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Bounded<1, 100>>", into = "Vec<Bounded<1, 100>>")]
pub struct Shares(Vec<Bounded<1, 100>>);

/// One kind, which has all of it.
impl Default for Shares {
    fn default() -> Self {
        Self(vec![Bounded::new(100)])
    }
}

impl TryFrom<Vec<Bounded<1, 100>>> for Shares {
    type Error = String;

    fn try_from(shares: Vec<Bounded<1, 100>>) -> Result<Self, String> {
        match shares.len() {
            1..=KINDS_MAX => Ok(Self(shares)),
            count => Err(format!("{count} kinds; expected a share in percent for each of 1 to {KINDS_MAX}")),
        }
    }
}

impl From<Shares> for Vec<Bounded<1, 100>> {
    fn from(shares: Shares) -> Self {
        shares.0
    }
}

impl Shares {
    /// How many kinds there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// The shares in percent.
    fn percent(&self) -> Vec<u32> {
        self.0.iter().map(|share| share.get_u32()).collect()
    }
}

impl Shape {
    /// Whether reservations take the newer form: there are several kinds, or zones.
    #[must_use]
    pub const fn has_kinds(&self) -> bool {
        self.kinds.count() > 1 || self.zones.get() > 0
    }

    /// What the model makes of it.
    pub(super) fn model_kinds(&self) -> kinds::Kinds {
        let zones = u8::try_from(self.zones.get()).expect("the range of zones fits 8 bits");
        kinds::Kinds::new(&self.kinds.percent(), zones)
    }

    /// What the checker makes of it.
    pub(super) fn spec(&self) -> Kinds {
        let mut shares = [0; spec::KINDS_MAX];
        shares.iter_mut().zip(self.kinds.percent()).for_each(|(share, percent)| *share = percent);
        Kinds { shares, capacity: None }
    }
}

/// Questions about single slots as those of bounded counters of several kinds.
pub(super) struct KindSlots {
    /// How many zones there are; 0 is no rule.
    pub(super) zones: u32,
}

impl Reading<Call, Kinds> for KindSlots {
    fn question(&self, call: &Call) -> Option<(String, KindsCall)> {
        let slot = call.slot()?;
        Some((key(slot), self.asked(slot, *call)?))
    }

    fn answer(&self, _: &Call, answer: &Answer) -> Known<KindsAnswer> {
        outcome(*answer).map_or(Known::NotDone, Known::Told)
    }
}

impl KindSlots {
    fn asked(&self, slot: SlotId, call: Call) -> Option<KindsCall> {
        Some(match call {
            Call::Reserve { order, units, .. } => {
                let units = [u64::from(units), 0, 0];
                KindsCall::Reserve { order: order.0, units, zone: Zone::Served }
            }
            Call::ReserveKinds { order, units, zone, .. } => {
                KindsCall::Reserve { order: order.0, units: wide(units), zone: self.zone(slot, zone) }
            }
            Call::Release { order, .. } => KindsCall::Release { order: order.0 },
            Call::Use { .. } => KindsCall::Read,
            Call::Overview | Call::Choose { .. } => return None,
        })
    }

    /// A slot serves every zone but one, whose number is the slot's modulo the number of zones.
    const fn zone(&self, slot: SlotId, zone: ZoneId) -> Zone {
        match slot.0.checked_rem(self.zones) {
            Some(unserved) if unserved == zone.0 as u32 => Zone::Unserved,
            Some(_) | None => Zone::Served,
        }
    }
}

fn wide(units: Units) -> spec::Units {
    units.0.map(u64::from)
}

/// What an answer says about the slot; nothing where nothing happened.
fn outcome(answer: Answer) -> Option<KindsAnswer> {
    match answer {
        Answer::Accepted(ground) => Some(KindsAnswer::Accepted(terms(ground))),
        Answer::Rejected(ground) => Some(KindsAnswer::Rejected(terms(ground))),
        Answer::NotServed => Some(KindsAnswer::NotServed),
        Answer::Released => Some(KindsAnswer::Released),
        Answer::NotHeld => Some(KindsAnswer::NotHeld),
        Answer::InUse { units, .. } => Some(KindsAnswer::Use([units, 0, 0])),
        Answer::InUseKinds { units, .. } => Some(KindsAnswer::Use(wide(units))),
        Answer::Changed
        | Answer::UnknownSlot
        | Answer::Overview { .. }
        | Answer::Chosen { .. }
        | Answer::Unavailable
        | Answer::Queued(_) => None,
    }
}
