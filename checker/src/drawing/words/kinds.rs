//! Words for bounded counters of several kinds.

use super::{name, read_order, read_terms, terms_word};
use crate::drawing::Drawable;
use crate::spec::kinds::{KINDS_MAX, Kinds, KindsAnswer, KindsCall, Units, Zone};

impl Drawable for Kinds {
    fn read_word(word: &str) -> Option<(KindsCall, Option<KindsAnswer>)> {
        let (kind, rest) = word.split_at_checked(1)?;
        let (rest, zone) = match rest.strip_suffix('#') {
            Some(rest) => (rest, Zone::Unserved),
            None => (rest, Zone::Served),
        };
        if kind == "=" {
            let used = if rest.is_empty() { None } else { Some(KindsAnswer::Use(read_units(rest)?)) };
            return Some((KindsCall::Read, used));
        }
        let (rest, terms) = read_terms(rest)?;
        let (first, others) =
            rest.split_once(',').map_or((rest, None), |(first, others)| (first, Some(others)));
        let (order, first) = read_order(first)?;
        let order = order?;
        let reserve = |answer| {
            let mut units = others.map_or(Some(Units::default()), read_units)?;
            units.rotate_right(1);
            units[0] = first?;
            Some((KindsCall::Reserve { order, units, zone }, Some(answer)))
        };
        match kind {
            "+" => reserve(KindsAnswer::Accepted(terms)),
            "!" => reserve(KindsAnswer::Rejected(terms)),
            "?" => reserve(KindsAnswer::NotServed),
            "-" => Some((KindsCall::Release { order }, Some(KindsAnswer::Released))),
            "~" => Some((KindsCall::Release { order }, Some(KindsAnswer::NotHeld))),
            _ => None,
        }
    }

    fn word(call: &KindsCall, answer: Option<&KindsAnswer>) -> String {
        match (call, answer) {
            (KindsCall::Reserve { order, units, zone }, answer) => {
                let (kind, terms) = match answer {
                    Some(KindsAnswer::Rejected(terms)) => ('!', terms_word(*terms)),
                    Some(KindsAnswer::Accepted(terms)) => ('+', terms_word(*terms)),
                    Some(KindsAnswer::NotServed) => ('?', String::new()),
                    _ => ('+', String::new()),
                };
                let zone = if *zone == Zone::Unserved { "#" } else { "" };
                format!("{kind}{}{}{terms}{zone}", name(Some(*order)), units_word(units))
            }
            (KindsCall::Release { order }, answer) => {
                let kind = if answer == Some(&KindsAnswer::NotHeld) { '~' } else { '-' };
                format!("{kind}{}", name(Some(*order)))
            }
            (KindsCall::Read, Some(KindsAnswer::Use(used))) => format!("={}", units_word(used)),
            (KindsCall::Read, _) => "=".to_owned(),
        }
    }
}

/// Numbers of each kind, with commas between; those left out are 0.
fn read_units(text: &str) -> Option<Units> {
    let mut units = Units::default();
    for (index, number) in text.split(',').enumerate() {
        *units.get_mut(index)? = number.parse().ok()?;
    }
    Some(units)
}

fn units_word(units: &Units) -> String {
    let count = units.iter().rposition(|units| *units > 0).map_or(1, |last| last + 1);
    let numbers: Vec<String> = units.iter().take(count.min(KINDS_MAX)).map(u64::to_string).collect();
    numbers.join(",")
}
