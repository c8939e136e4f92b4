//! A model of one's own: a state machine as a table, in a file in TOML.
//!
//! ```toml
//! name = "pool"
//! states = ["open", "closed"]              # the first one is where it starts
//! transitions = [
//!   { from = "open", operation = "acquire", when = "held < 3", set = "held = held + 1" },
//!   { from = "open", operation = "acquire", when = "held = 3", refused = true },
//!   { operation = "release", when = "held > 0", set = "held = held - 1" },
//!   { operation = "count", answer = "{held}" },
//!   { from = "open", operation = "close", to = "closed" },
//! ]
//!
//! [variables]
//! held = { min = 0, max = 3 }              # starts at min; or ["nil", 1, 2]: starts at the first
//! ```
//!
//! | key | says |
//! |---|---|
//! | `name` | what results call it |
//! | `keyed` | whether each key has an object of its own; false if it is not there |
//! | `states`, `initial` | names, and where it starts: the first, if it is not said |
//! | `variables` | numbers from `min` to `max`, or a list of values; `initial` says where it starts |
//! | `transitions` | what can happen; see below |
//! | `aliases` | what histories call it = what this file calls it, for operations and values |
//!
//! | key of a transition | says |
//! |---|---|
//! | `operation` | its name and its arguments: `write {v}`, `switch on`, `cas {a} {b}`; `{_}` takes anything |
//! | `from`, `to` | one state or several, any if it is not there; one state, the same if it is not there |
//! | `when` | one condition or several: `held < 3`, `value = {a}`, `state != closed` |
//! | `set` | one change or several: `held = held + 1`, `value = {v}` |
//! | `answer` | what comes back: `{held}`, `{value + 1}`, `full`; `{_}` may be anything |
//! | `refused` | whether the answer is a definite no, which is an observation and changes nothing |
//!
//! All names in a transition mean the values before it. A `set` that would leave the values of its
//! variable does not apply, and neither does its transition. An answer that no transition gives at its
//! state is wrong. Without `answer`, an operation comes back with nothing, or with what was asked.
//! Two transitions that apply to one state, question and answer and do not end in one state are an error.

mod rows;
mod terms;
mod tree;
mod variables;

use super::Place;
use crate::spec::table::Table;
use crate::spec::table::definition::{Definition, NIL, Row};
use crate::spec::table::survey::{Clash, Survey, survey};
use rows::Places;
use tree::Tree;
use variables::Names;

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFileError {
    /// It is no TOML.
    #[error("{place}: {found}")]
    Toml {
        /// Where.
        place: Place,
        /// What the reader of TOML says.
        found: String,
    },
    /// Something else should stand here.
    #[error("{place}: found {found}, expected {expected}")]
    Unexpected {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// Two transitions apply, and do not agree.
    #[error(
        "{place}: {case}, this transition and the one at {other} both apply and end in two states; \
         expected one to exclude the other, by `from`, `when` or `answer`"
    )]
    Ambiguous {
        /// Where the second one stands.
        place: Place,
        /// Where the first one stands.
        other: Place,
        /// An operation and a state.
        case: String,
    },
}

/// What is odd about a table that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableWarning {
    /// Where.
    pub place: Place,
    /// What.
    pub found: String,
}

/// Reads a table, and what is odd about it.
///
/// # Errors
/// If the text is none. The first error is told.
pub fn read(text: &str) -> Result<(Table, Vec<TableWarning>), TableFileError> {
    let parsed = toml::de::DeTable::parse(text).map_err(|error| {
        let place = tree::place(text, error.span().map_or(0, |span| span.start));
        TableFileError::Toml { place, found: error.message().lines().collect::<Vec<_>>().join(" ") }
    })?;
    let root = Tree::root(text, &parsed);
    let keys = ["name", "keyed", "states", "initial", "variables", "transitions", "aliases"];
    root.check_keys("a model", &keys)?;
    let name = match root.get("name") {
        Some(name) => name.filled("the name of the model")?.to_owned(),
        None => "table".to_owned(),
    };
    let is_keyed = root.get("keyed").map_or(Ok(false), |keyed| keyed.truth())?;
    let mut names = Names::read(&root)?;
    let (operations, places) = rows::read(&root, &mut names)?;
    let aliases = rows::aliases(&root, &names, &operations)?;
    let Names { words, variables, has_states, .. } = names;
    assert!(words.first().is_some_and(|word| word.as_ref() == NIL), "nil is the first word");
    let mut definition = Definition { name, is_keyed, has_states, words, aliases, variables, operations };
    let seen = survey(&definition);
    if let Some(clash) = &seen.ambiguous {
        return Err(ambiguous(&definition, &places, clash));
    }
    for (index, operation) in definition.operations.iter_mut().enumerate() {
        let is_told = operation.rows.iter().any(Row::is_told_by_answer);
        operation.needs_answer = is_told || seen.undetermined.contains_key(&index);
    }
    let warnings = warnings(&root, &definition, &places, &seen);
    Ok((Table::new(text, definition, seen.few_states()), warnings))
}

fn ambiguous(definition: &Definition, places: &Places, clash: &Clash) -> TableFileError {
    let Clash { operation, rows: (first, second), state, arguments } = clash;
    let asked: Vec<String> = std::iter::once(definition.operations[*operation].name.as_ref().to_owned())
        .chain(arguments.iter().map(|argument| definition.shown(*argument)))
        .collect();
    let place = |row: &usize| places.transitions[*operation][*row];
    let case = format!("on `{}` where {}", asked.join(" "), definition.in_words(state));
    TableFileError::Ambiguous { place: place(second), other: place(first), case }
}

/// States that cannot be reached, and transitions that apply nowhere.
fn warnings(root: &Tree<'_>, definition: &Definition, places: &Places, seen: &Survey) -> Vec<TableWarning> {
    let Some(reached) = &seen.states else { return Vec::new() };
    let mut warnings = Vec::new();
    let states = root.get("states").and_then(|states| states.items("").ok()).unwrap_or_default();
    for state in states {
        let code = state.text().and_then(|name| definition.code(name));
        if code.is_some_and(|code| reached.iter().all(|reached| reached.0[0] != code)) {
            let name = state.text().unwrap_or_default();
            let found = format!(
                "state `{name}` cannot be reached: no transition leads to it from where the model starts"
            );
            warnings.push(TableWarning { place: state.place(), found });
        }
    }
    for (operation, row) in &seen.idle {
        let found = format!(
            "this transition of `{}` applies in no state that can be reached",
            definition.operations[*operation].name
        );
        warnings.push(TableWarning { place: places.transitions[*operation][*row], found });
    }
    warnings.sort_by_key(|warning| warning.place);
    warnings
}

#[cfg(test)]
mod tests;
