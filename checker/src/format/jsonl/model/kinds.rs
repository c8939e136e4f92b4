//! Bounded counters of several kinds as values of a line.

use super::{Ending, Lined, Value, limit_and_version};
use crate::format::jsonl::record::{Fields, KindFields};
use crate::spec::capacity::Terms;
use crate::spec::kinds::{KINDS_MAX, Kinds, KindsAnswer, KindsCall, Units, Zone};

impl Lined for Kinds {
    const CALLS: &'static str =
        "read, or reserve of {\"order\":…,\"units\":[…]} with up to three kinds, or release of {\"order\":…}";

    fn asked(call: &KindsCall) -> (&'static str, Value) {
        match *call {
            KindsCall::Read => ("read", Value::Absent),
            KindsCall::Reserve { order, units, zone } => {
                let served = (zone == Zone::Unserved).then_some(false);
                let fields = KindFields { order: Some(order), units: listed(&units), served };
                ("reserve", Value::Kinds(fields))
            }
            KindsCall::Release { order } => {
                ("release", Value::Fields(Fields { order: Some(order), ..Fields::default() }))
            }
        }
    }

    fn call(f: &str, value: Value) -> Option<KindsCall> {
        match (f, value) {
            ("read", Value::Absent | Value::Nil) => Some(KindsCall::Read),
            ("reserve", Value::Kinds(KindFields { order: Some(order), units, served })) => {
                let zone = if served == Some(false) { Zone::Unserved } else { Zone::Served };
                Some(KindsCall::Reserve { order, units: units_of(&units)?, zone })
            }
            ("release", Value::Fields(Fields { order: Some(order), .. })) => {
                Some(KindsCall::Release { order })
            }
            _ => None,
        }
    }

    fn answered(answer: &KindsAnswer) -> (Ending, Value) {
        match answer {
            KindsAnswer::Accepted(terms) => (Ending::Ok, limit_and_version(*terms)),
            KindsAnswer::Rejected(terms) => (Ending::Refused, limit_and_version(*terms)),
            KindsAnswer::NotServed => {
                (Ending::Refused, Value::Kinds(KindFields { served: Some(false), ..KindFields::default() }))
            }
            KindsAnswer::Released => (Ending::Ok, Value::Absent),
            KindsAnswer::NotHeld => (Ending::Refused, Value::Absent),
            KindsAnswer::Use(used) => {
                (Ending::Ok, Value::Kinds(KindFields { units: listed(used), ..KindFields::default() }))
            }
        }
    }

    fn answer(call: &KindsCall, ending: Ending, value: Value) -> Result<KindsAnswer, &'static str> {
        match (call, ending, value) {
            (
                KindsCall::Reserve { .. },
                Ending::Refused,
                Value::Kinds(KindFields { served: Some(false), .. }),
            ) => Ok(KindsAnswer::NotServed),
            (KindsCall::Reserve { .. }, ending, value) => {
                let Fields { limit, version, .. } = value
                    .fields()
                    .ok_or("{\"limit\":…,\"version\":…}, or nothing, or {\"served\":false} if refused")?;
                let terms = Terms { limit, version };
                Ok(match ending {
                    Ending::Ok => KindsAnswer::Accepted(terms),
                    Ending::Refused => KindsAnswer::Rejected(terms),
                })
            }
            (KindsCall::Release { .. }, Ending::Ok, _) => Ok(KindsAnswer::Released),
            (KindsCall::Release { .. }, Ending::Refused, _) => Ok(KindsAnswer::NotHeld),
            (KindsCall::Read, Ending::Ok, Value::Kinds(KindFields { units, .. })) => {
                units_of(&units).map(KindsAnswer::Use).ok_or(USE)
            }
            (KindsCall::Read, Ending::Ok, _) => Err(USE),
            (KindsCall::Read, Ending::Refused, _) => Err("an end that is not refused, for a read cannot be"),
        }
    }
}

const USE: &str = "the units in use, {\"units\":[…]} with up to three kinds";

/// At least one number; of the others, those behind which there are only zeros are left out.
fn listed(units: &Units) -> Vec<u64> {
    let count = units.iter().rposition(|units| *units > 0).map_or(1, |last| last + 1);
    units[..count].to_vec()
}

fn units_of(listed: &[u64]) -> Option<Units> {
    let mut units = Units::default();
    let is_good = (1..=KINDS_MAX).contains(&listed.len());
    is_good.then(|| units[..listed.len()].copy_from_slice(listed))?;
    Some(units)
}
