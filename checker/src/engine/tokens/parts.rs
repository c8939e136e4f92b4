//! The different texts that are put and appended, and how a string is made of them.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::zones::chains::NONE;

/// A text that is put or appended, or with which the string began.
pub(super) struct Part {
    pub(super) text: Arc<str>,
    /// The state in which the string is this text and nothing else, by a put or from the beginning.
    pub(super) first: u32,
    /// The states that appends of it make: their range in the list of all.
    appends: Range<usize>,
}

/// All parts, no two of which can be taken for one another.
pub(super) struct Parts {
    /// Sorted by text.
    parts: Vec<Part>,
    /// The states that appends make, by part.
    appends: Vec<u32>,
}

/// How one state is made.
pub(super) struct Made {
    pub(super) text: Arc<str>,
    pub(super) is_append: bool,
}

impl Parts {
    /// The parts of all states, where the first is the beginning. None if two puts are alike, if a part
    /// begins with another, or if one is empty: only in the beginning the string may be.
    pub(super) fn of(made: &[Made]) -> Option<Self> {
        let mut order: Vec<u32> = (0..made.len() as u32).collect();
        let made_of = |state: u32| &made[state as usize];
        order.sort_unstable_by(|one, other| {
            made_of(*one).text.cmp(&made_of(*other).text).then(one.cmp(other))
        });
        let mut parts = Self { parts: Vec::with_capacity(made.len()), appends: Vec::new() };
        for state in order {
            let Made { text, is_append } = made_of(state);
            let is_new = parts.parts.last().is_none_or(|last| last.text != *text);
            if is_new {
                let appends = parts.appends.len()..parts.appends.len();
                parts.parts.push(Part { text: text.clone(), first: NONE, appends });
            }
            let part = parts.parts.last_mut()?;
            if *is_append {
                parts.appends.push(state);
                part.appends.end = parts.appends.len();
            } else if part.first == NONE {
                part.first = state;
            } else {
                return None;
            }
            if text.is_empty() && state != 0 {
                return None;
            }
        }
        (parts.appends.is_empty() || parts.are_apart()).then_some(parts)
    }

    /// No part begins with another.
    fn are_apart(&self) -> bool {
        let is_empty = self.parts.first().is_some_and(|first| first.text.is_empty());
        let parts = &self.parts[usize::from(is_empty)..];
        let begins_with = |pair: &[Part]| pair[1].text.as_bytes().starts_with(pair[0].text.as_bytes());
        !parts.windows(2).any(begins_with)
    }

    pub(super) fn part(&self, index: u32) -> &Part {
        &self.parts[index as usize]
    }

    /// The states that appends of a part make.
    pub(super) fn appends(&self, part: &Part) -> &[u32] {
        &self.appends[part.appends.clone()]
    }

    pub(super) fn count(&self) -> usize {
        self.parts.len()
    }

    /// The one part that a string begins with, or is, if nothing is ever appended.
    pub(super) fn leading(&self, text: &[u8]) -> Option<u32> {
        if self.appends.is_empty() || text.is_empty() {
            return self
                .parts
                .binary_search_by(|part| part.text.as_bytes().cmp(text))
                .ok()
                .map(|index| index as u32);
        }
        let after = self.parts.partition_point(|part| part.text.as_bytes() <= text);
        let index = after.checked_sub(1)?;
        let part = &self.parts[index];
        (!part.text.is_empty() && text.starts_with(part.text.as_bytes())).then_some(index as u32)
    }

    /// The appended parts of a string from a byte on, each with its end.
    pub(super) fn parse(&self, text: &[u8], from: usize) -> Option<Vec<(usize, u32)>> {
        let mut ends = Vec::new();
        let mut end = from;
        while end < text.len() {
            let index = self.leading(&text[end..])?;
            let part = self.part(index);
            if self.appends(part).is_empty() {
                return None;
            }
            end += part.text.len();
            ends.push((end, index));
        }
        Some(ends)
    }
}
