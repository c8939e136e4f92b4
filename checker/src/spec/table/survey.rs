//! All states that a table can reach, and what its rows leave open there.
//!
//! Breadth first from the initial state, with every argument and answer that the table can tell apart. A
//! table of many states is looked at in part only: then nothing is said about what was not reached.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::definition::{Definition, Domain, Expected, Operation, Pattern, Row};
use super::value::{Bindings, Code, Expression, Operand, TableState};

/// States up to which all are visited.
const STATES_MAX: usize = 2_000;
/// Rows that are tried in all.
const TRIED_MAX: usize = 1_000_000;
/// Numbers of one range that are tried as arguments; of a larger one, those at its ends.
const RANGE_COUNT_MAX: i64 = 40;
/// Ways to apply that each one is compared with, at one state.
const COMPARED_MAX: usize = 200;
/// States up to which steps are compared over all of them.
const FEW_STATES: usize = 256;

/// Two rows of an operation that both apply and do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// Index of the operation.
    pub(crate) operation: usize,
    /// Indexes of the rows.
    pub(crate) rows: (usize, usize),
    /// Where they do.
    pub(crate) state: TableState,
    /// With these arguments.
    pub(crate) arguments: Vec<Code>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// All states that can be reached, in the order in which they were; none if these are many.
    pub(crate) states: Option<Vec<TableState>>,
    /// Equal question, equal answer, two states after it.
    pub(crate) ambiguous: Option<Clash>,
    /// By operation: two answers after which the object is changed in two ways.
    pub(crate) undetermined: BTreeMap<usize, Clash>,
    /// Operation and row of those that apply nowhere; empty where not all was seen.
    pub(crate) idle: Vec<(usize, usize)>,
}

impl Survey {
    /// The states, if they are few enough to compare steps over all of them.
    pub(crate) fn few_states(&self) -> Vec<TableState> {
        self.states.clone().filter(|states| states.len() <= FEW_STATES).unwrap_or_default()
    }
}

/// Visits what can be reached.
pub(crate) fn survey(definition: &Definition) -> Survey {
    let (candidates, is_every_value) = candidates(definition);
    let mut visit = Visit {
        definition,
        candidates,
        survey: Survey::default(),
        used: BTreeSet::new(),
        waiting: VecDeque::from([definition.initial()]),
        seen: BTreeSet::from([definition.initial()]),
        reached: Vec::new(),
        tried: 0,
        is_whole: is_every_value,
    };
    while let Some(state) = visit.waiting.pop_front() {
        visit.reached.push(state);
        for (index, operation) in definition.operations.iter().enumerate() {
            visit.operation(index, operation, &state);
        }
    }
    visit.finish()
}

/// The values that arguments are tried with, and whether these are all that the table can tell apart.
///
/// Beside what variables can hold: differences of the numbers of a range, for sums, and a word that the
/// table does not know.
fn candidates(definition: &Definition) -> (Vec<Code>, bool) {
    let mut values: BTreeSet<Code> =
        definition.words.iter().filter_map(|word| definition.code(word)).collect();
    values.insert(Code::word(u32::MAX));
    let mut is_every_value = true;
    let mut numbers: BTreeSet<i64> = BTreeSet::new();
    for variable in &definition.variables {
        match &variable.domain {
            Domain::Values(listed) => values.extend(listed),
            Domain::Range { min, max } => {
                let reach = max - min;
                let near = reach.min(RANGE_COUNT_MAX / 2);
                is_every_value &= near == reach;
                numbers.extend(-near..=near);
                numbers.extend((*min..=min + near).chain(max - near..=*max));
            }
        }
    }
    for operand in definition.operations.iter().flat_map(|operation| &operation.rows).flat_map(operands) {
        if let Operand::Literal(value) = operand {
            values.insert(value);
            numbers.extend(value.as_number().into_iter().flat_map(|number| number - 1..=number + 1));
        }
    }
    values.extend(numbers.into_iter().filter_map(Code::number));
    (values.into_iter().collect(), is_every_value)
}

fn operands(row: &Row) -> impl Iterator<Item = Operand> {
    let answers: &[Pattern] = match &row.answer {
        Expected::Values(patterns) => patterns,
        Expected::Done | Expected::Refused => &[],
    };
    let patterns = row.arguments.iter().chain(answers).filter_map(|pattern| match pattern {
        Pattern::Value(expression) => Some(expression),
        Pattern::Placeholder(_) | Pattern::Anything => None,
    });
    let conditions = row.conditions.iter().flat_map(|condition| [&condition.left, &condition.right]);
    let sets = row.sets.iter().map(|(_, expression)| expression);
    patterns.chain(conditions).chain(sets).flat_map(Expression::operands)
}

struct Visit<'a> {
    definition: &'a Definition,
    candidates: Vec<Code>,
    survey: Survey,
    /// Operation and row of those that applied.
    used: BTreeSet<(usize, usize)>,
    waiting: VecDeque<TableState>,
    seen: BTreeSet<TableState>,
    reached: Vec<TableState>,
    tried: usize,
    is_whole: bool,
}

/// A row that applied.
struct Applied {
    row: usize,
    next: TableState,
    /// Its answer; none for a refusal. A part that may be anything is none.
    answer: Option<Vec<Option<Code>>>,
}

impl Visit<'_> {
    /// All that an operation can do at a state.
    fn operation(&mut self, index: usize, operation: &Operation, state: &TableState) {
        let candidates = self.candidates.clone();
        let mut choice = vec![0; operation.argument_count];
        loop {
            let arguments: Vec<Code> = choice.iter().map(|at| candidates[*at]).collect();
            let mut applied = Vec::new();
            for (row_index, row) in operation.rows.iter().enumerate() {
                applied.extend(self.row((row_index, row), state, &arguments));
            }
            self.note(index, state, &arguments, &applied);
            if self.tried > TRIED_MAX {
                self.is_whole = false;
                return;
            }
            if !advance(&mut choice, candidates.len()) {
                return;
            }
        }
    }

    /// All ways in which a row applies: one for each value of what only its answer tells.
    fn row(&mut self, (index, row): (usize, &Row), state: &TableState, arguments: &[Code]) -> Vec<Applied> {
        let mut applied = Vec::new();
        let mut told = Bindings::default();
        self.tried += 1;
        if !row.takes(arguments, state, &mut told) {
            return applied;
        }
        let open: Vec<u8> = match &row.answer {
            Expected::Values(patterns) => patterns
                .iter()
                .filter_map(|pattern| match pattern {
                    Pattern::Placeholder(slot) if !told.has(*slot) => Some(*slot),
                    Pattern::Placeholder(_) | Pattern::Value(_) | Pattern::Anything => None,
                })
                .collect(),
            Expected::Done | Expected::Refused => Vec::new(),
        };
        let mut choice = vec![0; open.len()];
        loop {
            let mut bound = told;
            for (slot, at) in open.iter().zip(&choice) {
                bound.bind(*slot, self.candidates[*at]);
            }
            if let Some(next) = row.after(self.definition, state, &bound) {
                let answer = match &row.answer {
                    Expected::Refused => None,
                    Expected::Done => Some(Vec::new()),
                    Expected::Values(patterns) => {
                        Some(patterns.iter().map(|pattern| pattern.value(state, &bound)).collect())
                    }
                };
                if row.can_answer(state, &bound) {
                    applied.push(Applied { row: index, next, answer });
                }
            }
            self.tried += 1;
            if self.tried > TRIED_MAX || !advance(&mut choice, self.candidates.len()) {
                return applied;
            }
        }
    }

    fn note(&mut self, operation: usize, state: &TableState, arguments: &[Code], applied: &[Applied]) {
        let clash = |first: &Applied, second: &Applied| Clash {
            operation,
            rows: (first.row, second.row),
            state: *state,
            arguments: arguments.to_vec(),
        };
        for (place, second) in applied.iter().enumerate() {
            self.used.insert((operation, second.row));
            if self.seen.len() < STATES_MAX && self.seen.insert(second.next) {
                self.waiting.push_back(second.next);
            } else if !self.seen.contains(&second.next) {
                self.is_whole = false;
            }
            for first in &applied[..place.min(COMPARED_MAX)] {
                if first.next == second.next {
                    continue;
                }
                let both_change = first.next != *state && second.next != *state;
                if first.row != second.row && may_be_equal(first, second) {
                    self.survey.ambiguous.get_or_insert_with(|| clash(first, second));
                } else if both_change {
                    self.survey.undetermined.entry(operation).or_insert_with(|| clash(first, second));
                }
            }
        }
    }

    fn finish(self) -> Survey {
        let Self { definition, mut survey, used, reached, is_whole, .. } = self;
        if is_whole {
            let all = definition
                .operations
                .iter()
                .enumerate()
                .flat_map(|(operation, known)| (0..known.rows.len()).map(move |row| (operation, row)));
            survey.idle = all.filter(|row| !used.contains(row)).collect();
            survey.states = Some(reached);
        }
        survey
    }
}

/// Whether one answer can be that of both.
fn may_be_equal(first: &Applied, second: &Applied) -> bool {
    match (&first.answer, &second.answer) {
        (None, None) => true,
        (Some(first), Some(second)) => {
            let is_equal = |(one, other): (&Option<Code>, &Option<Code>)| {
                one.is_none_or(|one| other.is_none_or(|other| one == other))
            };
            first.len() == second.len() && first.iter().zip(second).all(is_equal)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// The next choice of as many numbers below `count`; false after the last.
fn advance(choice: &mut [usize], count: usize) -> bool {
    for digit in choice {
        *digit += 1;
        if *digit < count {
            return true;
        }
        *digit = 0;
    }
    false
}
