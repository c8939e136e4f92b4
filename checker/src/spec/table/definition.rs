//! What the file of a table says: variables, and the rows of each operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::value::{Bindings, Code, Condition, Expression, Operand, TableState, VARIABLES_MAX};

/// The word that stands for no value; always the first of the words.
pub(crate) const NIL: &str = "nil";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// Whether each key has an object of its own.
    pub(crate) is_keyed: bool,
    /// Whether the first variable is the one that `states` lists.
    pub(crate) has_states: bool,
    pub(crate) words: Vec<Arc<str>>,
    /// Words of histories, and what the table calls them.
    pub(crate) aliases: BTreeMap<String, Arc<str>>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) operations: Vec<Operation>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) domain: Domain,
    pub(crate) initial: Code,
}

/// What a variable can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Whole numbers, both ends included.
    Range {
        min: i64,
        max: i64,
    },
    Values(Vec<Code>),
}

/// An operation, and the rows that say what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) name: Arc<str>,
    pub(crate) argument_count: usize,
    pub(crate) rows: Vec<Row>,
    /// What it does depends on its answer: without one nothing can be said.
    pub(crate) needs_answer: bool,
}

/// One way in which an operation can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) arguments: Vec<Pattern>,
    /// States in which it applies; any if there is none.
    pub(crate) from: Vec<Code>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) sets: Vec<(u8, Expression)>,
    pub(crate) answer: Expected,
}

/// What an argument, or a part of an answer, must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Value(Expression),
    /// Gives the placeholder its value.
    Placeholder(u8),
    Anything,
}

/// The answer of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// No answer, or a repetition of what was asked.
    Done,
    Refused,
    Values(Vec<Pattern>),
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Done,
    Refused,
    Values(Vec<Code>),
}

impl Definition {
    pub(crate) fn initial(&self) -> TableState {
        let mut state = TableState([Code::UNUSED; VARIABLES_MAX]);
        for (value, variable) in state.0.iter_mut().zip(&self.variables) {
            *value = variable.initial;
        }
        state
    }

    pub(crate) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name.as_ref() == name)
    }

    /// The value that is written so, if the table knows it.
    pub(crate) fn code(&self, text: &str) -> Option<Code> {
        if let Some(number) = number(text) {
            return Some(number);
        }
        let index = self.words.iter().position(|word| word.as_ref() == text)?;
        u32::try_from(index).ok().map(Code::word)
    }

    /// A value as it is written.
    pub(crate) fn shown(&self, value: Code) -> String {
        match (value.as_number(), value.as_word().and_then(|index| self.words.get(index))) {
            (Some(number), _) => number.to_string(),
            (None, Some(word)) => word.as_ref().to_owned(),
            (None, None) => "?".to_owned(),
        }
    }

    /// All that the object remembers, in words.
    pub(crate) fn in_words(&self, state: &TableState) -> String {
        let named = self.variables.iter().zip(state.0).skip(usize::from(self.has_states));
        let named: Vec<String> =
            named.map(|(variable, value)| format!("{} = {}", variable.name, self.shown(value))).collect();
        match (self.has_states, named.is_empty()) {
            (true, true) => format!("it is {}", self.shown(state.0[0])),
            (true, false) => format!("it is {} with {}", self.shown(state.0[0]), named.join(", ")),
            (false, false) => format!("it has {}", named.join(", ")),
            (false, true) => "it has no variables".to_owned(),
        }
    }
}

/// The number that is written so: `7`, but neither `07` nor `+7`.
pub(crate) fn number(text: &str) -> Option<Code> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" && text == "0" || !digits.is_empty() && !digits.starts_with('0'));
    if is_plain { text.parse().ok().and_then(Code::number) } else { None }
}

impl Domain {
    pub(crate) fn contains(&self, value: Code) -> bool {
        match self {
            Self::Range { min, max } => {
                value.as_number().is_some_and(|number| (*min..=*max).contains(&number))
            }
            Self::Values(values) => values.contains(&value),
        }
    }
}

impl Operation {
    /// Whether one of its rows gives an answer that is a value.
    pub(crate) fn is_answered_by_value(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.answer, Expected::Values(_)))
    }

    /// The most parts that an answer of it has; none if it has no such answer.
    pub(crate) fn answer_count(&self) -> usize {
        let count = |row: &Row| match &row.answer {
            Expected::Values(patterns) => patterns.len(),
            Expected::Done | Expected::Refused => 0,
        };
        self.rows.iter().map(count).max().unwrap_or(0)
    }

    /// Whether one of its rows is a definite no.
    pub(crate) fn can_be_refused(&self) -> bool {
        self.rows.iter().any(|row| row.answer == Expected::Refused)
    }
}

impl Row {
    /// The state after it, if it applies to these arguments and this answer.
    ///
    /// Without an answer, rows that refuse do not apply, and all others may have come about.
    pub(crate) fn apply(
        &self,
        definition: &Definition,
        state: &TableState,
        arguments: &[Code],
        answer: Option<&Answered>,
    ) -> Option<TableState> {
        let mut bound = Bindings::default();
        if !self.takes(arguments, state, &mut bound) || !self.agrees(answer, arguments, state, &mut bound) {
            return None;
        }
        self.after(definition, state, &bound)
    }

    /// Whether it is asked with these arguments, which then are the values of its placeholders.
    pub(crate) fn takes(&self, arguments: &[Code], state: &TableState, bound: &mut Bindings) -> bool {
        arguments.len() == self.arguments.len()
            && self
                .arguments
                .iter()
                .zip(arguments)
                .all(|(pattern, value)| pattern.takes(*value, state, bound))
    }

    /// The state after it, if it applies to these values of its placeholders.
    pub(crate) fn after(
        &self,
        definition: &Definition,
        state: &TableState,
        bound: &Bindings,
    ) -> Option<TableState> {
        let is_from = self.from.is_empty() || self.from.contains(&state.0[0]);
        if !is_from || !self.conditions.iter().all(|condition| condition.holds(state, bound)) {
            return None;
        }
        let mut next = *state;
        for (variable, expression) in &self.sets {
            let (index, value) = (usize::from(*variable), expression.value(state, bound)?);
            if !definition.variables[index].domain.contains(value) {
                return None;
            }
            next.0[index] = value;
        }
        Some(next)
    }

    /// Whether each part of its answer has a value: the sum of a word has none.
    pub(crate) fn can_answer(&self, state: &TableState, bound: &Bindings) -> bool {
        match &self.answer {
            Expected::Done | Expected::Refused => true,
            Expected::Values(patterns) => patterns
                .iter()
                .all(|pattern| *pattern == Pattern::Anything || pattern.value(state, bound).is_some()),
        }
    }

    fn agrees(
        &self,
        answer: Option<&Answered>,
        arguments: &[Code],
        state: &TableState,
        bound: &mut Bindings,
    ) -> bool {
        match (&self.answer, answer) {
            (Expected::Refused, answer) => answer == Some(&Answered::Refused),
            (_, Some(Answered::Refused)) => false,
            (_, None) => true,
            (Expected::Done, Some(Answered::Done)) => true,
            (Expected::Done, Some(Answered::Values(values))) => {
                values.as_slice() == arguments || values.as_slice() == [Code::word(0)]
            }
            (Expected::Values(_), Some(Answered::Done)) => false,
            (Expected::Values(patterns), Some(Answered::Values(values))) => {
                patterns.len() == values.len()
                    && patterns.iter().zip(values).all(|(pattern, value)| pattern.takes(*value, state, bound))
            }
        }
    }

    /// Whether it can be what came about, as far as literals tell.
    pub(crate) fn may_be(&self, arguments: &[Code], answer: Option<&Answered>) -> bool {
        let may_be = |patterns: &[Pattern], values: &[Code]| {
            patterns.len() == values.len()
                && patterns.iter().zip(values).all(|(pattern, value)| pattern.may_take(*value))
        };
        may_be(&self.arguments, arguments)
            && match (&self.answer, answer) {
                (Expected::Refused, answer) => answer == Some(&Answered::Refused),
                (Expected::Done | Expected::Values(_), None) => true,
                (Expected::Done | Expected::Values(_), Some(Answered::Refused)) => false,
                (Expected::Done, Some(Answered::Done | Answered::Values(_))) => true,
                (Expected::Values(_), Some(Answered::Done)) => false,
                (Expected::Values(patterns), Some(Answered::Values(values))) => may_be(patterns, values),
            }
    }

    /// Whether the change that it makes depends on its answer.
    pub(crate) fn is_told_by_answer(&self) -> bool {
        let Expected::Values(patterns) = &self.answer else { return false };
        self.may_change() && patterns.iter().any(|pattern| matches!(pattern, Pattern::Placeholder(_)))
    }

    /// Whether it may leave the object as another one.
    pub(crate) fn may_change(&self) -> bool {
        !self.sets.is_empty()
    }

    /// Whether some state may have it take these arguments: what they are stored into can hold them.
    pub(crate) fn may_take(&self, definition: &Definition, arguments: &[Code]) -> bool {
        let mut bound = Bindings::default();
        let nowhere = definition.initial();
        let is_taken = |pattern: &Pattern, value: Code, bound: &mut Bindings| match pattern {
            Pattern::Value(_) | Pattern::Anything => pattern.may_take(value),
            Pattern::Placeholder(slot) => bound.bind(*slot, value),
        };
        let is_asked = self.arguments.len() == arguments.len()
            && self
                .arguments
                .iter()
                .zip(arguments)
                .all(|(pattern, value)| is_taken(pattern, *value, &mut bound));
        is_asked
            && self.sets.iter().all(|(variable, expression)| match (expression.first, expression.second) {
                (Operand::Placeholder(slot), None) if bound.has(slot) => {
                    let value = expression.value(&nowhere, &bound);
                    value.is_some_and(|value| {
                        definition.variables[usize::from(*variable)].domain.contains(value)
                    })
                }
                _ => true,
            })
    }
}

impl Pattern {
    /// Whether some state has it take this value, as far as literals tell.
    fn may_take(&self, value: Code) -> bool {
        match self {
            Self::Value(Expression { first: Operand::Literal(literal), second: None }) => *literal == value,
            Self::Value(_) | Self::Placeholder(_) | Self::Anything => true,
        }
    }

    /// What it must be; none if it may be anything.
    pub(crate) fn value(&self, state: &TableState, bound: &Bindings) -> Option<Code> {
        match self {
            Self::Value(expression) => expression.value(state, bound),
            Self::Placeholder(slot) => Expression::of(Operand::Placeholder(*slot)).value(state, bound),
            Self::Anything => None,
        }
    }

    fn takes(&self, value: Code, state: &TableState, bound: &mut Bindings) -> bool {
        match self {
            Self::Value(expression) => expression.value(state, bound) == Some(value),
            Self::Placeholder(slot) => bound.bind(*slot, value),
            Self::Anything => true,
        }
    }
}
