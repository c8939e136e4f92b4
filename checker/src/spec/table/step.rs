//! What operations of a table do; each kept once, with what is known of it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::definition::{Answered, Definition, Row};
use super::phrase::{TableAnswer, TableCall};
use super::value::{Code, TableState};
use crate::spec::Access;

/// What an operation does: its question, and its answer if it has one.
///
/// Steps of one table are equal if their words are.
#[derive(Clone)]
pub struct TableStep(Arc<Known>);

struct Known {
    /// Which step of its table it is.
    index: u32,
    /// Index among the operations; none for one that the table does not have.
    operation: Option<usize>,
    arguments: Vec<Code>,
    answer: Option<Answered>,
    only_observes: bool,
    /// Legal in every state that can be reached.
    is_total: bool,
    access: Option<Access<TableState>>,
    /// The only state at which it is legal.
    finds: Option<TableState>,
}

/// Each step of a table.
#[derive(Default)]
pub(super) struct Steps {
    steps: HashMap<(TableCall, Option<TableAnswer>), Option<TableStep>, FxBuildHasher>,
    /// Words that the table does not name: numbered after those that it does.
    foreign: HashMap<Arc<str>, u32, FxBuildHasher>,
}

impl Steps {
    /// What an operation does; none if it has no answer and cannot have changed anything.
    pub(super) fn step(
        &mut self,
        definition: &Definition,
        states: &[TableState],
        call: &TableCall,
        answer: Option<&TableAnswer>,
    ) -> Option<TableStep> {
        let key = (call.clone(), answer.cloned());
        if let Some(known) = self.steps.get(&key) {
            return known.clone();
        }
        let step = self.made(definition, states, call, answer);
        self.steps.insert(key, step.clone());
        step
    }

    fn made(
        &mut self,
        definition: &Definition,
        states: &[TableState],
        call: &TableCall,
        answer: Option<&TableAnswer>,
    ) -> Option<TableStep> {
        let index =
            u32::try_from(self.steps.len()).expect("a history of 2^32 operations does not fit memory");
        let operation =
            definition.operations.iter().position(|other| other.name.as_ref() == call.operation());
        let arguments = self.codes(definition, call.arguments());
        let answer = answer.map(|answer| match answer {
            TableAnswer::Done => Answered::Done,
            TableAnswer::Refused => Answered::Refused,
            TableAnswer::Values(words) => Answered::Values(self.codes(definition, words)),
        });
        let rows = operation.iter().flat_map(|operation| &definition.operations[*operation].rows);
        let mut possible = rows.filter(|row| row.may_be(&arguments, answer.as_ref()));
        let only_observes = !possible.any(Row::may_change);
        if answer.is_none() && only_observes {
            return None;
        }
        let plain = Known {
            index,
            operation,
            arguments,
            answer,
            only_observes,
            is_total: false,
            access: None,
            finds: None,
        };
        let (is_total, access, finds) = plain.over(definition, states);
        Some(TableStep(Arc::new(Known { is_total, access, finds, ..plain })))
    }

    fn codes(&mut self, definition: &Definition, words: &[Arc<str>]) -> Vec<Code> {
        let known_count = definition.words.len();
        let code = |word: &Arc<str>| {
            definition.code(word).unwrap_or_else(|| {
                let next = known_count + self.foreign.len();
                let next = u32::try_from(next).expect("a history of 2^32 words does not fit memory");
                Code::word(*self.foreign.entry(word.clone()).or_insert(next))
            })
        };
        words.iter().map(code).collect()
    }
}

impl Known {
    /// The state after it: by the first row that applies; without an answer, by the first that changes it.
    fn apply(&self, definition: &Definition, state: &TableState) -> Option<TableState> {
        let rows = &definition.operations[self.operation?].rows;
        let mut after =
            rows.iter().filter_map(|row| row.apply(definition, state, &self.arguments, self.answer.as_ref()));
        let first = after.next()?;
        if self.answer.is_some() || first != *state {
            return Some(first);
        }
        Some(after.find(|next| next != state).unwrap_or(first))
    }

    /// What it does over all states: whether it is legal in each, what it reads or writes, what it finds.
    fn over(
        &self,
        definition: &Definition,
        states: &[TableState],
    ) -> (bool, Option<Access<TableState>>, Option<TableState>) {
        let all: Vec<(TableState, Option<TableState>)> =
            states.iter().map(|state| (*state, self.apply(definition, state))).collect();
        let legal: Vec<(TableState, TableState)> =
            all.iter().filter_map(|(state, next)| Some((*state, (*next)?))).collect();
        let is_total = !all.is_empty() && legal.len() == all.len();
        let access = match legal.first() {
            Some((state, _)) if legal.len() == 1 && self.only_observes => Some(Access::Read(*state)),
            Some((_, first)) if is_total && legal.iter().all(|(_, next)| next == first) => {
                Some(Access::Write(*first))
            }
            Some(_) | None => None,
        };
        let finds = legal.first().map(|(state, _)| *state).filter(|_| legal.len() == 1);
        (is_total, access, finds)
    }
}

impl TableStep {
    pub(super) fn apply(&self, definition: &Definition, state: &TableState) -> Option<TableState> {
        self.0.apply(definition, state)
    }

    pub(super) fn only_observes(&self) -> bool {
        self.0.only_observes
    }

    pub(super) fn is_total(&self) -> bool {
        self.0.is_total
    }

    pub(super) fn is_write(&self) -> bool {
        matches!(self.0.access, Some(Access::Write(_)))
    }

    pub(super) fn finds(&self) -> Option<TableState> {
        self.0.finds
    }

    pub(super) fn access(&self) -> Option<Access<TableState>> {
        self.0.access.clone()
    }
}

impl PartialEq for TableStep {
    fn eq(&self, other: &Self) -> bool {
        self.0.index == other.0.index
    }
}

impl Eq for TableStep {}

impl Hash for TableStep {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.index.hash(state);
    }
}

impl fmt::Debug for TableStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Known { operation, arguments, answer, .. } = self.0.as_ref();
        formatter.debug_tuple("TableStep").field(operation).field(arguments).field(answer).finish()
    }
}
