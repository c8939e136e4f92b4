//! In how many ways a string is divided into parts, where a part may begin with another one.
//!
//! ```text
//!   parts v1, v12, v2      "v1v12v2"     ways up to each byte:   1 . 1 . . 1 . 1
//! ```
//!
//! Counted from the beginning on, up to two: so a string that begins with one that was counted goes on
//! where that one ended.

use super::parts::{Kind, Parts};

/// No part.
const NONE: u32 = u32::MAX;

/// The ways to divide one string.
#[derive(Clone, Default)]
pub(super) struct Ways {
    /// Up to each byte: none, one, or several.
    counts: Vec<u8>,
    /// A part that ends there.
    last: Vec<u32>,
    /// The furthest byte up to which there is one.
    reached: usize,
}

impl Ways {
    /// Those of a string whose first part ends at `end`.
    pub(super) fn of(parts: &Parts, text: &[u8], end: usize) -> Self {
        let length = text.len() + 1;
        let mut ways = Self { counts: vec![0; length], last: vec![NONE; length], reached: end };
        ways.counts[end] = 1;
        ways.divide(parts, text, end);
        ways
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// In how many ways it is divided up to a byte: none, one, or two for several.
    pub(super) fn count(&self, end: usize) -> u8 {
        self.counts[end]
    }

    /// Goes on to the end of a string that begins with the one that was counted, after its first part.
    pub(super) fn extend(&mut self, parts: &Parts, text: &[u8], end: usize) {
        let known = self.counts.len() - 1;
        self.counts.resize(text.len() + 1, 0);
        self.last.resize(text.len() + 1, NONE);
        // A part may begin before the end of the other string and end after it.
        let first = known.saturating_sub(parts.longest_length()).max(end);
        for at in first..known {
            self.step(parts, text, at, known);
        }
        self.divide(parts, text, known);
    }

    /// Takes back what was counted after so many bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.counts.truncate(length + 1);
        self.last.truncate(length + 1);
        self.reached = self.reached.min(length);
    }

    fn divide(&mut self, parts: &Parts, text: &[u8], from: usize) {
        let mut at = from;
        while at <= self.reached && at < text.len() {
            self.step(parts, text, at, 0);
            at += 1;
        }
    }

    /// Goes on from one byte, with parts that end after `over`.
    fn step(&mut self, parts: &Parts, text: &[u8], at: usize, over: usize) {
        let count = self.counts[at];
        if count == 0 {
            return;
        }
        for (index, part) in parts.beginnings(&text[at..]) {
            let end = at + part.text.len();
            if part.kind == Kind::Added && end > over {
                self.counts[end] = (self.counts[end] + count).min(2);
                self.last[end] = index;
                self.reached = self.reached.max(end);
            }
        }
    }

    /// The parts from `start` to `end`, if it is divided at `start`.
    pub(super) fn back_to(&self, parts: &Parts, end: usize, start: usize) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        let mut at = end;
        while at > start {
            let index = self.last.get(at).copied().filter(|index| *index != NONE)?;
            found.push(index);
            at -= parts.at(index).text.len();
        }
        found.reverse();
        (at == start).then_some(found)
    }
}
