//! State machines that a table says: states, variables, and the rows of each operation.
//!
//! ```text
//!   file in TOML ──format::table_file──► Definition ──survey──► reachable states
//!                                            └──── Table: a Spec
//!   (call, answer) ──step──► TableStep ──apply──► the first row that takes state, arguments and answer
//! ```
//!
//! The language of the file is described in [`format::table_file`](crate::format::table_file).

pub(crate) mod definition;
mod phrase;
mod step;
pub(crate) mod survey;
pub(crate) mod value;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use phrase::{TableAnswer, TableCall};
pub use step::TableStep;
pub use value::TableState;

use crate::spec::{Access, Spec};

use definition::Definition;
use step::Steps;

/// Objects of a table.
#[derive(Clone)]
pub struct Table {
    /// The file that says it.
    text: Arc<str>,
    definition: Arc<Definition>,
    /// All states that can be reached, if these are few.
    states: Arc<[TableState]>,
    /// Each step that was asked for, once.
    steps: Arc<Mutex<Steps>>,
}

impl Table {
    /// Of a definition whose states, if it could be found out and they are few, are these.
    pub(crate) fn new(text: &str, definition: Definition, states: Vec<TableState>) -> Self {
        Self {
            text: text.into(),
            definition: Arc::new(definition),
            states: states.into(),
            steps: Arc::default(),
        }
    }

    /// The file that says it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the file calls it.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    pub(crate) fn definition(&self) -> &Definition {
        &self.definition
    }
}

impl Spec for Table {
    type State = TableState;
    type Call = TableCall;
    type Answer = TableAnswer;
    type Step = TableStep;

    fn initial(&self) -> TableState {
        self.definition.initial()
    }

    /// Any word may be answered: one that no row gives is legal in no state.
    fn fits(_call: &TableCall, _answer: &TableAnswer) -> bool {
        true
    }

    fn is_refusal(answer: &TableAnswer) -> bool {
        *answer == TableAnswer::Refused
    }

    /// What is legal in every state that can be reached tells nothing of the state.
    fn observes(&self, call: &TableCall, answer: &TableAnswer) -> bool {
        self.step(call, Some(answer)).is_none_or(|step| !step.is_total())
    }

    fn step(&self, call: &TableCall, answer: Option<&TableAnswer>) -> Option<TableStep> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.step(&self.definition, &self.states, call, answer)
    }

    fn apply(&self, state: &TableState, step: &TableStep) -> Option<TableState> {
        step.apply(&self.definition, state)
    }

    fn only_observes(&self, _state: &TableState, step: &TableStep) -> bool {
        step.only_observes()
    }

    /// As far as the states are known: a step that is legal in one state and leaves it reads that state; one
    /// that is legal in all and ends in one writes it.
    fn access(&self, step: &TableStep) -> Option<Access<TableState>> {
        step.access()
    }

    fn finds(&self, step: &TableStep) -> Option<TableState> {
        step.finds()
    }

    fn is_idle(&self, state: &TableState, step: &TableStep) -> bool {
        !step.only_observes() && step.apply(&self.definition, state) == Some(*state)
    }

    fn overwrites(&self, later: &TableStep, earlier: &TableStep) -> bool {
        later.is_write() && earlier.is_total()
    }

    fn describe(call: &TableCall, answer: Option<&TableAnswer>) -> String {
        call.in_words(answer)
    }

    fn state_in_words(&self, state: &TableState) -> String {
        self.definition.in_words(state)
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.definition == other.definition
    }
}

impl Eq for Table {}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(formatter)
    }
}

#[cfg(test)]
mod tests;
