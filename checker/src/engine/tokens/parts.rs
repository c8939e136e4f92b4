//! The different texts that are put and appended, and how a string is made of them.

use std::cmp::Ordering;
use std::sync::Arc;

/// What becomes of the string when a text comes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is this text and nothing else: after a put, or in the beginning.
    Whole,
    /// It ends in this text.
    Added,
}

/// A text that is put or appended, or with which the string began.
pub(super) struct Part {
    /// Its first bytes as a number: most texts differ there already.
    head: u64,
    pub(super) text: Arc<str>,
    /// The state that is reached with it.
    pub(super) state: u32,
    pub(super) kind: Kind,
}

/// All parts, no two of which can be taken for one another.
pub(super) struct Parts {
    /// Sorted by text.
    parts: Vec<Part>,
    /// Whether anything is appended: else a string is one part.
    has_appends: bool,
}

impl Part {
    pub(super) fn new(text: Arc<str>, state: u32, kind: Kind) -> Self {
        Self { head: head(text.as_bytes()), text, state, kind }
    }

    fn order(&self, head: u64, text: &[u8]) -> Ordering {
        self.head.cmp(&head).then_with(|| self.text.as_bytes().cmp(text))
    }
}

impl Parts {
    /// The parts sorted. None if two are alike, if one is empty, or if something is appended and a part
    /// begins with another: then a string may be made in two ways.
    pub(super) fn of(mut parts: Vec<Part>) -> Option<Self> {
        let has_appends = parts.iter().any(|part| part.kind == Kind::Added);
        parts.sort_unstable_by(|one, other| one.order(other.head, other.text.as_bytes()));
        // If one part begins with another, so do all that stand between them.
        let are_alike = |pair: &[Part]| {
            let (one, other) = (pair[0].text.as_bytes(), pair[1].text.as_bytes());
            if has_appends { other.starts_with(one) } else { one == other }
        };
        let is_clear = parts.iter().all(|part| !part.text.is_empty()) && !parts.windows(2).any(are_alike);
        is_clear.then_some(Self { parts, has_appends })
    }

    /// The part that makes a state.
    pub(super) fn of_state(&self, state: u32) -> Option<&Part> {
        self.parts.iter().find(|part| part.state == state)
    }

    /// The one part that a string begins with, or is, if nothing is ever appended.
    pub(super) fn leading(&self, text: &[u8]) -> Option<&Part> {
        let head = head(text);
        let after = self.parts.partition_point(|part| part.order(head, text).is_le());
        // A later part up to `text` would begin with this one.
        let part = &self.parts[after.checked_sub(1)?];
        let leads = if self.has_appends {
            text.starts_with(part.text.as_bytes())
        } else {
            text == part.text.as_bytes()
        };
        leads.then_some(part)
    }

    /// The appended parts of a string from a byte on, each with its end; none if it is not made of such.
    pub(super) fn added(&self, text: &[u8], from: usize) -> Option<Vec<(usize, u32)>> {
        let mut ends = Vec::new();
        let mut end = from;
        while end < text.len() {
            let part = self.leading(&text[end..]).filter(|part| part.kind == Kind::Added)?;
            end += part.text.len();
            ends.push((end, part.state));
        }
        Some(ends)
    }
}

/// The first bytes as a number; where these differ they are in the order of the texts.
fn head(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..text.len()].copy_from_slice(text);
            u64::from_be_bytes(first)
        }
    }
}
