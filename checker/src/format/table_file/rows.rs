//! The transitions of a table, by operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::TableFileError;
use super::terms::{Placeholders, Terms};
use super::tree::{Tree, listed, shortened};
use super::variables::Names;
use crate::format::Place;
use crate::spec::table::definition::{Expected, Operation, Row};
use crate::spec::table::value::{Code, Expression, Operand};

const KEYS: [&str; 7] = ["operation", "from", "to", "when", "set", "answer", "refused"];

/// Where transitions stand: by operation, by row.
pub(super) struct Places {
    pub(super) transitions: Vec<Vec<Place>>,
}

/// Reads `transitions`.
pub(super) fn read(root: &Tree<'_>, names: &mut Names) -> Result<(Vec<Operation>, Places), TableFileError> {
    const EXPECTED: &str =
        "transitions, as in transitions = [{ from = \"free\", operation = \"lock\", to = \"held\" }]";
    let Some(transitions) = root.get("transitions") else {
        let found = "a model without `transitions`".to_owned();
        return Err(TableFileError::Unexpected { place: root.place(), found, expected: EXPECTED.to_owned() });
    };
    let mut operations: Vec<Operation> = Vec::new();
    let mut places = Places { transitions: Vec::new() };
    for tree in transitions.items(EXPECTED)? {
        if !tree.is_table() {
            return Err(tree.unexpected(EXPECTED));
        }
        let (name, row) = row(&tree, names)?;
        let known = operations.iter().position(|operation| operation.name.as_ref() == name);
        let index = known.unwrap_or_else(|| {
            operations.push(Operation {
                name: name.into(),
                argument_count: row.arguments.len(),
                rows: Vec::new(),
                needs_answer: false,
            });
            places.transitions.push(Vec::new());
            operations.len() - 1
        });
        let operation = &mut operations[index];
        if operation.argument_count != row.arguments.len() {
            let count = |count: usize| {
                if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
            };
            let found = format!("`{name}` with {}", count(row.arguments.len()));
            let first = places.transitions[index][0];
            let expected =
                format!("{}, as at {first}; `{{_}}` takes anything", count(operation.argument_count));
            let place = tree.get("operation").map_or(tree.place(), |operation| operation.place());
            return Err(TableFileError::Unexpected { place, found, expected });
        }
        operation.rows.push(row);
        places.transitions[index].push(tree.place());
    }
    if operations.is_empty() {
        return Err(transitions.unexpected(EXPECTED));
    }
    Ok((operations, places))
}

fn row<'a>(tree: &Tree<'a>, names: &mut Names) -> Result<(&'a str, Row), TableFileError> {
    tree.check_keys("a transition", &KEYS)?;
    let mut terms = Terms { names, placeholders: Placeholders::default() };
    let Some(operation) = tree.get("operation") else {
        let found = "a transition without `operation`".to_owned();
        let expected = "the operation that it belongs to, as in operation = \"write {v}\"".to_owned();
        return Err(TableFileError::Unexpected { place: tree.place(), found, expected });
    };
    let (name, arguments) = terms.operation(&operation)?;
    let refused = tree.get("refused");
    let is_refused = refused.map_or(Ok(false), |refused| refused.truth())?;
    // What the answer tells is known to conditions and changes.
    let answer = match tree.get("answer") {
        Some(answer) if is_refused => {
            return Err(answer.unexpected("no `answer` beside `refused`: a refusal is the answer"));
        }
        Some(answer) => Expected::Values(terms.answer(&answer)?),
        None if is_refused => Expected::Refused,
        None => Expected::Done,
    };
    let mut conditions = Vec::new();
    for condition in tree.get("when").into_iter().flat_map(|when| when.one_or_several()) {
        conditions.push(terms.condition(&condition)?);
    }
    let mut sets: Vec<(u8, Expression)> = Vec::new();
    if let Some(to) = tree.get("to") {
        sets.push((0, Expression::of(Operand::Literal(state(&to, terms.names)?))));
    }
    for change in tree.get("set").into_iter().flat_map(|set| set.one_or_several()) {
        let (variable, value) = terms.change(&change)?;
        if sets.iter().any(|(known, _)| *known == variable) {
            return Err(change.unexpected("each variable to be set once; `to` sets `state`"));
        }
        sets.push((variable, value));
    }
    terms.placeholders.check()?;
    if let Some(change) = tree.get("to").or(tree.get("set")).filter(|_| is_refused) {
        return Err(change.unexpected("neither `to` nor `set` beside `refused`: a refusal changes nothing"));
    }
    let mut from = Vec::new();
    for name in tree.get("from").into_iter().flat_map(|from| from.one_or_several()) {
        from.push(state(&name, terms.names)?);
    }
    Ok((name, Row { arguments, from, conditions, sets, answer }))
}

/// One of the states.
fn state(tree: &Tree<'_>, names: &mut Names) -> Result<Code, TableFileError> {
    if !names.has_states {
        return Err(tree.unexpected("`states` at the head of the file, of which this is one"));
    }
    let value = names.intern(&tree.word("the name of a state")?);
    let domain = &names.variables[0].domain;
    if domain.contains(value) {
        Ok(value)
    } else {
        Err(tree.unexpected(&format!("{}, as `states` lists them", names.listed(domain))))
    }
}

/// Reads `aliases`: what histories call it, and what the file does.
pub(super) fn aliases(
    root: &Tree<'_>,
    names: &Names,
    operations: &[Operation],
) -> Result<BTreeMap<String, Arc<str>>, TableFileError> {
    let mut aliases = BTreeMap::new();
    let Some(tree) = root.get("aliases") else { return Ok(aliases) };
    if !tree.is_table() {
        return Err(tree.unexpected("a table, as in [aliases] and then lock = \"acquire\""));
    }
    let operation_names: Vec<&str> = operations.iter().map(|operation| operation.name.as_ref()).collect();
    let is_known = |word: &str| {
        operation_names.contains(&word)
            || names.words.iter().any(|known| known.as_ref() == word)
            || word.parse::<i64>().is_ok()
    };
    for (word, place, meaning) in tree.entries() {
        let target = meaning.word("an operation or a value of this file")?;
        if !is_known(&target) {
            let expected = format!("an operation ({}) or a value of this file", listed(&operation_names));
            return Err(meaning.unexpected(&expected));
        }
        if operation_names.contains(&word) || names.words.iter().skip(1).any(|known| known.as_ref() == word) {
            let found = format!("`{}` on the left, which the file uses itself", shortened(word));
            let expected =
                "what histories call it on the left, what this file calls it on the right".to_owned();
            return Err(TableFileError::Unexpected { place, found, expected });
        }
        aliases.insert(word.to_owned(), target.into());
    }
    Ok(aliases)
}
