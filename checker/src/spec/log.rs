//! An append-only log, with or without offsets: model `log`.

mod known;

use std::sync::Arc;

use crate::budget::Budget;
use crate::engine::offsets;
use crate::engine::program_slots::{self, Moves, SLOTS, Words};
use crate::engine::programs::{Programs, Ruling};
use crate::engine::shortcut::{Decision, View};
use crate::spec::Spec;

/// A log that is empty at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log;

/// What may be asked of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogCall {
    /// To hold this entry after all that it holds.
    Append(i64),
    /// All entries from this offset to the end.
    ReadFrom(u64),
    /// The entry at this offset.
    ReadAt(u64),
}

/// What a log answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAnswer {
    /// It was appended.
    Appended,
    /// It was appended and stands at this offset.
    AppendedAt(u64),
    /// These entries, up to the present end.
    Entries(Arc<[i64]>),
    /// This entry, or that there is none yet.
    Entry(Option<i64>),
}

/// What an operation does to a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogStep {
    /// Appends; the offset at which it must then stand, if the answer says.
    Append(i64, Option<u64>),
    /// Finds these entries from this offset to the end.
    Entries(u64, Arc<[i64]>),
    /// Finds this at this offset.
    Entry(u64, Option<i64>),
}

impl Spec for Log {
    type State = Vec<i64>;
    type Call = LogCall;
    type Answer = LogAnswer;
    type Step = LogStep;

    fn initial(&self) -> Vec<i64> {
        Vec::new()
    }

    fn fits(call: &LogCall, answer: &LogAnswer) -> bool {
        match answer {
            LogAnswer::Appended | LogAnswer::AppendedAt(_) => matches!(call, LogCall::Append(_)),
            LogAnswer::Entries(_) => matches!(call, LogCall::ReadFrom(_)),
            LogAnswer::Entry(_) => matches!(call, LogCall::ReadAt(_)),
        }
    }

    fn is_refusal(_answer: &LogAnswer) -> bool {
        false
    }

    fn observes(&self, _call: &LogCall, answer: &LogAnswer) -> bool {
        !matches!(answer, LogAnswer::Appended)
    }

    fn step(&self, call: &LogCall, answer: Option<&LogAnswer>) -> Option<LogStep> {
        match (*call, answer) {
            (LogCall::Append(entry), Some(LogAnswer::AppendedAt(offset))) => {
                Some(LogStep::Append(entry, Some(*offset)))
            }
            (LogCall::Append(entry), _) => Some(LogStep::Append(entry, None)),
            (LogCall::ReadFrom(offset), Some(LogAnswer::Entries(entries))) => {
                Some(LogStep::Entries(offset, entries.clone()))
            }
            (LogCall::ReadAt(offset), Some(LogAnswer::Entry(entry))) => Some(LogStep::Entry(offset, *entry)),
            (LogCall::ReadFrom(_) | LogCall::ReadAt(_), _) => None,
        }
    }

    fn apply(&self, state: &Vec<i64>, step: &LogStep) -> Option<Vec<i64>> {
        if !self.is_legal(state, step) {
            return None;
        }
        let mut next = state.clone();
        if let LogStep::Append(entry, _) = step {
            next.push(*entry);
        }
        Some(next)
    }

    fn is_legal(&self, state: &Vec<i64>, step: &LogStep) -> bool {
        match step {
            LogStep::Append(_, offset) => offset.is_none_or(|offset| offset == state.len() as u64),
            LogStep::Entries(from, entries) => **entries == *tail(state, *from),
            LogStep::Entry(offset, entry) => tail(state, *offset).first() == entry.as_ref(),
        }
    }

    fn advance(&self, state: &mut Vec<i64>, step: &LogStep) -> bool {
        let is_legal = self.is_legal(state, step);
        if let LogStep::Append(entry, _) = step {
            state.push(*entry);
        }
        is_legal
    }

    fn finds(&self, step: &LogStep) -> Option<Vec<i64>> {
        if let LogStep::Entries(0, entries) = step { Some(entries.to_vec()) } else { None }
    }

    fn may_leave(&self, step: &LogStep, state: &Vec<i64>) -> bool {
        match step {
            LogStep::Append(entry, offset) => {
                let is_there = offset.is_none_or(|offset| offset.checked_add(1) == Some(state.len() as u64));
                is_there && state.last() == Some(entry)
            }
            LogStep::Entries(..) | LogStep::Entry(..) => true,
        }
    }

    fn finds_before(&self, step: &LogStep, after: &Vec<i64>) -> Option<Vec<i64>> {
        match step {
            LogStep::Append(..) => after.split_last().map(|(_, before)| before.to_vec()),
            LogStep::Entries(..) | LogStep::Entry(..) => self.finds(step),
        }
    }

    fn only_observes(&self, _state: &Vec<i64>, step: &LogStep) -> bool {
        match step {
            LogStep::Append(..) => false,
            LogStep::Entries(..) | LogStep::Entry(..) => true,
        }
    }

    fn describe(call: &LogCall, answer: Option<&LogAnswer>) -> String {
        let asked = match call {
            LogCall::Append(entry) => format!("append {entry}"),
            LogCall::ReadFrom(0) => "read".to_owned(),
            LogCall::ReadFrom(offset) => format!("read from {offset}"),
            LogCall::ReadAt(offset) => format!("read at {offset}"),
        };
        match answer {
            None => format!("{asked} (outcome unknown)"),
            Some(LogAnswer::Appended) => asked,
            Some(LogAnswer::AppendedAt(offset)) => format!("{asked} at {offset}"),
            Some(LogAnswer::Entries(entries)) => format!("{asked} -> {entries:?}"),
            Some(LogAnswer::Entry(Some(entry))) => format!("{asked} -> {entry}"),
            Some(LogAnswer::Entry(None)) => format!("{asked} -> nothing yet"),
        }
    }

    fn needed_in_words(&self, step: &LogStep) -> Option<String> {
        Some(match step {
            LogStep::Append(_, None) => return None,
            LogStep::Append(_, Some(offset)) => format!("have {offset} entries"),
            LogStep::Entries(0, entries) => format!("hold {entries:?}"),
            LogStep::Entries(from, entries) => format!("hold {entries:?} from offset {from} on"),
            LogStep::Entry(offset, Some(entry)) => format!("hold {entry} at offset {offset}"),
            LogStep::Entry(offset, None) => format!("have at most {offset} entries"),
        })
    }

    fn is_source(&self, source: &LogStep, found: &LogStep) -> Option<&'static str> {
        let LogStep::Append(entry, _) = source else { return None };
        let is_found = match found {
            LogStep::Entries(_, entries) => entries.last() == Some(entry),
            LogStep::Entry(_, found) => *found == Some(*entry),
            LogStep::Append(..) => false,
        };
        is_found.then_some("appended the last entry of")
    }

    fn shortcut(&self, operations: &impl View<LogStep>) -> Option<Decision> {
        offsets::decide(operations)
    }

    fn shortcut_order(&self, operations: &impl View<LogStep>) -> Option<Vec<usize>> {
        offsets::order(operations)
    }

    fn state_bytes(&self, state: &Vec<i64>) -> usize {
        size_of_val(state.as_slice())
    }

    fn sequential_shortcut(&self, programs: &Programs<LogStep>, budget: Budget) -> Option<Ruling> {
        let words = Words { state: "length", by: "by length", moves: "appends" };
        match known::known(programs) {
            Ok(known) => {
                let told_by = |place| known.told_by.get(&place).copied();
                program_slots::decide(
                    programs,
                    Moves { moves: &known.moves, told_by: &told_by, words },
                    budget,
                )
            }
            Err(unknown) => unknown.ruling(SLOTS),
        }
    }
}

/// The entries from an offset on: none if the log is not that long.
fn tail(state: &[i64], from: u64) -> &[i64] {
    usize::try_from(from).ok().and_then(|from| state.get(from..)).unwrap_or_default()
}
