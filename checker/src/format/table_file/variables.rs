//! What a table remembers: states, variables, and all words that occur.

use std::sync::Arc;

use super::TableFileError;
use super::tree::{Tree, listed};
use crate::spec::table::definition::{Domain, NIL, Variable, number};
use crate::spec::table::value::{Code, NUMBER_MAX, VARIABLES_MAX};

/// The variable that `states` lists.
pub(super) const STATE: &str = "state";

/// What names mean.
pub(super) struct Names {
    pub(super) words: Vec<Arc<str>>,
    pub(super) variables: Vec<Variable>,
    pub(super) has_states: bool,
}

impl Names {
    /// Reads `states`, `initial` and `variables`.
    pub(super) fn read(root: &Tree<'_>) -> Result<Self, TableFileError> {
        let mut names = Self { words: vec![NIL.into()], variables: Vec::new(), has_states: false };
        if let Some(states) = root.get("states") {
            let domain = names.values(&states, "a list of states, as in [\"free\", \"held\"]")?;
            let initial = names.initial(&domain, root.get("initial").as_ref())?;
            names.variables.push(Variable { name: STATE.to_owned(), domain, initial });
            names.has_states = true;
        } else if let Some(initial) = root.get("initial") {
            let expected = "`states` beside it; a variable has its own `initial`";
            return Err(initial.unexpected(expected));
        }
        if let Some(variables) = root.get("variables") {
            if !variables.is_table() {
                return Err(
                    variables.unexpected("a table, as in [variables] and then held = { min = 0, max = 3 }")
                );
            }
            for (name, place, tree) in variables.entries() {
                let wrong = |expected: String| {
                    Err(TableFileError::Unexpected { place, found: format!("variable `{name}`"), expected })
                };
                if names.variables.len() == VARIABLES_MAX {
                    return wrong(format!("no more than {VARIABLES_MAX} variables, `states` included"));
                }
                if name == STATE && names.has_states {
                    return wrong("another name: `state` is what `states` lists".to_owned());
                }
                if number(name).is_some() || !is_name(name) {
                    return wrong("a name of letters, digits, `-` and `_` that is no number".to_owned());
                }
                let variable = names.variable(name, &tree)?;
                names.variables.push(variable);
            }
        }
        names.check_words(root)?;
        Ok(names)
    }

    fn variable(&mut self, name: &str, tree: &Tree<'_>) -> Result<Variable, TableFileError> {
        const EXPECTED: &str = "a list of values, as in [\"nil\", 1, 2], or { min = 0, max = 3 }";
        let name = name.to_owned();
        if tree.is_array() {
            let domain = self.values(tree, EXPECTED)?;
            let initial = self.initial(&domain, None)?;
            return Ok(Variable { name, domain, initial });
        }
        if !tree.is_table() {
            return Err(tree.unexpected(EXPECTED));
        }
        tree.check_keys("a variable", &["min", "max", "values", "initial"])?;
        let domain = match (tree.get("values"), tree.get("min"), tree.get("max")) {
            (Some(values), None, None) => self.values(&values, EXPECTED)?,
            (None, Some(min), Some(max)) => {
                let bound = |tree: &Tree<'_>| {
                    let number = tree.number("a whole number")?;
                    let is_small = (-NUMBER_MAX / 4..=NUMBER_MAX / 4).contains(&number);
                    if is_small { Ok(number) } else { Err(tree.unexpected("a number of at most 60 bits")) }
                };
                let (least, most) = (bound(&min)?, bound(&max)?);
                if most < least {
                    return Err(max.unexpected(&format!("`max` to be at least `min`, which is {least}")));
                }
                Domain::Range { min: least, max: most }
            }
            _ => return Err(tree.unexpected("either `min` and `max`, or `values`")),
        };
        let initial = self.initial(&domain, tree.get("initial").as_ref())?;
        Ok(Variable { name, domain, initial })
    }

    fn values(&mut self, tree: &Tree<'_>, expected: &str) -> Result<Domain, TableFileError> {
        let mut values = Vec::new();
        for item in tree.items(expected)? {
            let value = self.intern(&item.word("a word or a whole number")?);
            if values.contains(&value) {
                return Err(item.unexpected("each value once"));
            }
            values.push(value);
        }
        if values.is_empty() { Err(tree.unexpected(expected)) } else { Ok(Domain::Values(values)) }
    }

    fn initial(&mut self, domain: &Domain, tree: Option<&Tree<'_>>) -> Result<Code, TableFileError> {
        let Some(tree) = tree else {
            return Ok(match domain {
                Domain::Values(values) => values[0],
                Domain::Range { min, .. } => Code::number(*min).expect("bounds are small enough"),
            });
        };
        let value = self.intern(&tree.word("a word or a whole number")?);
        if domain.contains(value) { Ok(value) } else { Err(tree.unexpected(&self.listed(domain))) }
    }

    /// The value that is written so; a new word if it is none yet.
    pub(super) fn intern(&mut self, text: &str) -> Code {
        if let Some(number) = number(text) {
            return number;
        }
        let known = self.words.iter().position(|word| word.as_ref() == text);
        let index = known.unwrap_or_else(|| {
            self.words.push(text.into());
            self.words.len() - 1
        });
        Code::word(u32::try_from(index).expect("a file of 2^32 words does not fit memory"))
    }

    /// The index of a variable.
    pub(super) fn variable_named(&self, name: &str) -> Option<u8> {
        let index = self.variables.iter().position(|variable| variable.name == name)?;
        u8::try_from(index).ok()
    }

    /// What a variable can hold, as an error says it.
    pub(super) fn listed(&self, domain: &Domain) -> String {
        match domain {
            Domain::Range { min, max } => format!("a number from {min} to {max}"),
            Domain::Values(values) => {
                let shown: Vec<String> = values.iter().map(|value| self.shown(*value)).collect();
                format!("one of {}", listed(&shown.iter().map(String::as_str).collect::<Vec<_>>()))
            }
        }
    }

    fn shown(&self, value: Code) -> String {
        match (value.as_number(), value.as_word()) {
            (Some(number), _) => number.to_string(),
            (None, index) => index.map_or_else(String::new, |index| self.words[index].as_ref().to_owned()),
        }
    }

    /// A name must mean one thing: no variable is called as a value is.
    fn check_words(&self, root: &Tree<'_>) -> Result<(), TableFileError> {
        let clash = self
            .variables
            .iter()
            .find(|variable| self.words.iter().any(|word| word.as_ref() == variable.name));
        let Some(Variable { name, .. }) = clash else { return Ok(()) };
        let variables = root.get("variables").map_or_else(Vec::new, |variables| variables.entries());
        let place = variables.iter().find(|(known, ..)| known == name).map(|(_, place, _)| *place);
        let place = place.or_else(|| root.get("states").map(|states| states.place()));
        Err(TableFileError::Unexpected {
            place: place.unwrap_or_else(|| root.place()),
            found: format!("`{name}` as a variable and as a value"),
            expected: "two names".to_owned(),
        })
    }
}

/// Whether expressions can have it as a name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|mark| mark.is_alphanumeric() || matches!(mark, '-' | '_'))
}
