//! The words for the operations of each model.

mod counter;
mod kinds;
mod log;
mod multi_register;
mod mutex;
mod revisions;
mod table;
mod text;

use super::Drawable;
use crate::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use crate::spec::register::{Register, RegisterAnswer, RegisterCall, Value, written};

impl Drawable for Register {
    fn read_word(word: &str) -> Option<(RegisterCall, Option<RegisterAnswer>)> {
        let (kind, rest) = word.split_at_checked(1)?;
        match kind {
            "r" if rest.is_empty() => Some((RegisterCall::Read, None)),
            "r" => Some((RegisterCall::Read, Some(RegisterAnswer::Value(read_value(rest)?)))),
            "w" => Some((RegisterCall::Write(read_value(rest)?), Some(RegisterAnswer::Done))),
            "c" => {
                let (values, answer) = match rest.strip_suffix('!') {
                    Some(values) => (values, RegisterAnswer::Mismatch),
                    None => (rest, RegisterAnswer::Done),
                };
                let (expected, new) = values.split_once('>')?;
                let call =
                    RegisterCall::CompareAndSet { expected: read_value(expected)?, new: read_value(new)? };
                Some((call, Some(answer)))
            }
            _ => None,
        }
    }

    fn word(call: &RegisterCall, answer: Option<&RegisterAnswer>) -> String {
        match (call, answer) {
            (RegisterCall::Read, Some(RegisterAnswer::Value(found))) => format!("r{}", value(*found)),
            (RegisterCall::Read, _) => "r".to_owned(),
            (RegisterCall::Write(new), _) => format!("w{}", value(*new)),
            (RegisterCall::CompareAndSet { expected, new }, answer) => {
                let refused = if answer == Some(&RegisterAnswer::Mismatch) { "!" } else { "" };
                format!("c{}>{}{refused}", value(*expected), value(*new))
            }
        }
    }
}

fn read_value(text: &str) -> Option<Value> {
    if text == "n" { Some(None) } else { text.parse().ok().map(Some) }
}

fn value(value: Value) -> String {
    value.map_or("n".to_owned(), |_| written(value))
}

impl Drawable for Capacity {
    fn read_word(word: &str) -> Option<(CapacityCall, Option<CapacityAnswer>)> {
        let (kind, rest) = word.split_at_checked(1)?;
        let (rest, terms) = read_terms(rest)?;
        let (order, units) = read_order(rest)?;
        let reserve = |answer| Some((CapacityCall::Reserve { order, units: units? }, Some(answer)));
        let release = CapacityCall::Release { order, units: units.unwrap_or(0) };
        match kind {
            "+" => reserve(CapacityAnswer::Accepted(terms)),
            "!" => reserve(CapacityAnswer::Rejected(terms)),
            "-" => Some((release, Some(CapacityAnswer::Released))),
            "~" => Some((release, Some(CapacityAnswer::NotHeld))),
            "=" => Some((CapacityCall::Read, units.map(CapacityAnswer::Use))),
            _ => None,
        }
    }

    fn word(call: &CapacityCall, answer: Option<&CapacityAnswer>) -> String {
        match (call, answer) {
            (CapacityCall::Reserve { order, units }, Some(CapacityAnswer::Rejected(terms))) => {
                format!("!{}{units}{}", name(*order), terms_word(*terms))
            }
            (CapacityCall::Reserve { order, units }, Some(CapacityAnswer::Accepted(terms))) => {
                format!("+{}{units}{}", name(*order), terms_word(*terms))
            }
            (CapacityCall::Reserve { order, units }, _) => format!("+{}{units}", name(*order)),
            (CapacityCall::Release { order, units }, answer) => {
                let kind = if answer == Some(&CapacityAnswer::NotHeld) { '~' } else { '-' };
                let units = if order.is_some() { String::new() } else { units.to_string() };
                format!("{kind}{}{units}", name(*order))
            }
            (CapacityCall::Read, Some(CapacityAnswer::Use(used))) => format!("={used}"),
            (CapacityCall::Read, _) => "=".to_owned(),
        }
    }
}

/// A letter at the beginning is an order, or its number in brackets; the rest is units.
fn read_order(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (order, units) = match text.as_bytes().first() {
        Some(letter @ b'a'..=b'z') => (Some(u64::from(letter - b'a')), &text[1..]),
        Some(b'(') => {
            let (order, units) = text[1..].split_once(')')?;
            (Some(order.parse().ok()?), units)
        }
        _ => (None, text),
    };
    let units = if units.is_empty() { None } else { Some(units.parse().ok()?) };
    Some((order, units))
}

fn read_terms(text: &str) -> Option<(&str, Terms)> {
    let (text, version) = split_number(text, '@')?;
    let (text, limit) = split_number(text, '/')?;
    Some((text, Terms { limit, version }))
}

fn split_number(text: &str, mark: char) -> Option<(&str, Option<u64>)> {
    match text.split_once(mark) {
        Some((text, number)) => Some((text, Some(number.parse().ok()?))),
        None => Some((text, None)),
    }
}

fn name(order: Option<u64>) -> String {
    match order {
        None => String::new(),
        Some(order @ 0..26) => char::from(b'a' + order as u8).to_string(),
        Some(order) => format!("({order})"),
    }
}

fn terms_word(terms: Terms) -> String {
    let limit = terms.limit.map(|limit| format!("/{limit}")).unwrap_or_default();
    let version = terms.version.map(|version| format!("@{version}")).unwrap_or_default();
    limit + &version
}
