//! The different texts that are put and appended, and how a string is made of them.

use std::cmp::Ordering;
use std::sync::Arc;

/// How often a text may come.
const REPEATED_COUNT_MAX: usize = 4;

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
    /// When the operation that makes the state was invoked and returned.
    pub(super) invoked: u64,
    pub(super) returned: u64,
}

/// All parts, of which only those that are alike can be taken for one another.
pub(super) struct Parts {
    /// Sorted by text.
    parts: Vec<Part>,
    /// Whether anything is appended: else a string is one part.
    has_appends: bool,
    /// Whether two parts are alike.
    pub(super) has_repeats: bool,
    /// Where something is appended and a part begins with another one: by part, the longest such other
    /// one, or [`NONE`]. Empty if there is no such part.
    shorter: Vec<u32>,
    /// The length of the longest part.
    length_max: usize,
}

/// No part.
const NONE: u32 = u32::MAX;

impl Part {
    /// The text with which the string began.
    pub(super) fn initial(text: Arc<str>) -> Self {
        Self { head: head(text.as_bytes()), text, state: 0, kind: Kind::Whole, invoked: 0, returned: 0 }
    }

    /// A text that an operation puts or appends; `state` and `at`: what it makes, and when.
    pub(super) fn new(text: Arc<str>, kind: Kind, state: u32, at: (u64, u64)) -> Self {
        Self { head: head(text.as_bytes()), text, state, kind, invoked: at.0, returned: at.1 }
    }

    fn order(&self, head: u64, text: &[u8]) -> Ordering {
        self.head.cmp(&head).then_with(|| self.text.as_bytes().cmp(text))
    }
}

impl Parts {
    /// The parts sorted. None if one is empty, if a text comes too often, or if something is appended, a
    /// part begins with a shorter one and some are alike.
    pub(super) fn of(mut parts: Vec<Part>) -> Option<Self> {
        let has_appends = parts.iter().any(|part| part.kind == Kind::Added);
        parts.sort_unstable_by(|one, other| one.order(other.head, other.text.as_bytes()));
        let mut alike_count = 1;
        let (mut has_repeats, mut is_nested) = (false, false);
        // If one part begins with another, so do all that stand between them.
        for pair in parts.windows(2) {
            let (one, other) = (pair[0].text.as_bytes(), pair[1].text.as_bytes());
            let is_alike = one == other;
            alike_count = if is_alike { alike_count + 1 } else { 1 };
            has_repeats |= is_alike;
            is_nested |= has_appends && !is_alike && other.starts_with(one);
            if alike_count > REPEATED_COUNT_MAX || is_nested && has_repeats {
                return None;
            }
        }
        let is_clear = parts.first().is_none_or(|first| !first.text.is_empty());
        let shorter = if is_nested { shorter(&parts) } else { Vec::new() };
        let length_max = parts.iter().map(|part| part.text.len()).max().unwrap_or(0);
        is_clear.then_some(Self { parts, has_appends, has_repeats, shorter, length_max })
    }

    /// Whether a part begins with another one, so that a string may be divided in several ways.
    pub(super) fn are_nested(&self) -> bool {
        !self.shorter.is_empty()
    }

    /// Where parts are nested: those with which a string begins, longest first, with their indexes.
    pub(super) fn beginnings<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (u32, &'a Part)> {
        let head = head(text);
        let end = self.parts.partition_point(|part| part.order(head, text).is_le());
        // All parts between one with which the string begins and the string begin with that one, too.
        let last = end.checked_sub(1).map(|last| last as u32);
        let nested = std::iter::successors(last, |index| {
            self.shorter.get(*index as usize).copied().filter(|shorter| *shorter != NONE)
        });
        let part = |index: u32| (index, &self.parts[index as usize]);
        nested.map(part).filter(|(_, part)| text.starts_with(part.text.as_bytes()))
    }

    /// The length of the longest part.
    pub(super) fn longest_length(&self) -> usize {
        self.length_max
    }

    /// The part with that index.
    pub(super) fn at(&self, index: u32) -> &Part {
        &self.parts[index as usize]
    }

    /// The part that makes a state.
    pub(super) fn of_state(&self, state: u32) -> Option<&Part> {
        self.parts.iter().find(|part| part.state == state)
    }

    /// The parts that a string begins with, or is, if nothing is ever appended: all are alike.
    pub(super) fn leading(&self, text: &[u8]) -> &[Part] {
        let head = head(text);
        let end = self.parts.partition_point(|part| part.order(head, text).is_le());
        // A later part up to `text` would begin with this one.
        let Some(last) = self.parts[..end].last().map(|part| part.text.as_bytes()) else { return &[] };
        let leads = if self.has_appends { text.starts_with(last) } else { text == last };
        if !leads {
            return &[];
        }
        let before = &self.parts[..end - 1];
        let alike = before.iter().rev().take_while(|part| part.text.as_bytes() == last).count();
        &self.parts[end - 1 - alike..end]
    }

    /// Whether a string is made of appended parts from a byte on.
    pub(super) fn are_added(&self, text: &[u8], from: usize) -> bool {
        let mut end = from;
        while end < text.len() {
            let alike = self.leading(&text[end..]);
            let Some(part) = alike.iter().find(|part| part.kind == Kind::Added) else { return false };
            end += part.text.len();
        }
        true
    }
}

/// For each of sorted parts, the longest other one with which it begins.
fn shorter(parts: &[Part]) -> Vec<u32> {
    let mut open: Vec<u32> = Vec::new();
    let mut shorter = Vec::with_capacity(parts.len());
    for (index, part) in (0..).zip(parts) {
        let begins_with = |other: &u32| part.text.starts_with(&*parts[*other as usize].text);
        while open.last().is_some_and(|other| !begins_with(other)) {
            open.pop();
        }
        shorter.push(open.last().copied().unwrap_or(NONE));
        open.push(index);
    }
    shorter
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
