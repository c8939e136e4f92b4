//! How much was judged, in words.

use crate::keyed::KeyedHistory;
use crate::replication::LogHistory;
use crate::spec::Spec;
use crate::verdict::Verdict;

/// A number with its thousands set apart: `5,012`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn count_of<S: Spec>(history: &KeyedHistory<S>) -> String {
    let operations = grouped(history.len() as u64);
    match history.parts().len() {
        0 | 1 => format!("{operations} operations"),
        objects => format!("{operations} operations on {} objects", grouped(objects as u64)),
    }
}

pub(super) fn count_of_log(history: &LogHistory) -> String {
    let deliveries: usize = history.readers.iter().map(|reader| reader.deliveries.len()).sum();
    format!(
        "{} entries, {} deliveries to {} readers",
        grouped(history.appends.len() as u64),
        grouped(deliveries as u64),
        grouped(history.readers.len() as u64)
    )
}

/// What was judged, or the violation's own sentence.
pub(super) fn detail(verdict: &Verdict, judged: &str) -> String {
    match verdict {
        Verdict::Holds => judged.to_owned(),
        Verdict::Violated(violation) => violation.explanation.clone(),
        Verdict::Undecided(undecided) => format!(
            "{judged}: no answer within {} steps, {} operations open",
            grouped(undecided.steps),
            grouped(undecided.open.len() as u64)
        ),
    }
}
