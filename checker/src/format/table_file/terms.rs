//! Conditions, changes, questions and answers: short texts of words, signs and braces.

use super::TableFileError;
use super::tree::{Tree, listed, shortened};
use super::variables::{Names, is_name};
use crate::spec::table::definition::{Pattern, number};
use crate::spec::table::value::{Comparison, Condition, Expression, Operand, PLACEHOLDERS_MAX, Sign};

/// The placeholder that takes anything.
const ANYTHING: &str = "_";

/// A part of a text: what stands between blanks, or in braces.
#[derive(Clone, Copy)]
struct Token<'a> {
    offset: usize,
    text: &'a str,
    is_braced: bool,
}

/// The placeholders of a row.
#[derive(Default)]
pub(super) struct Placeholders<'a> {
    names: Vec<Placeholder<'a>>,
}

struct Placeholder<'a> {
    name: &'a str,
    tree: Tree<'a>,
    offset: usize,
    /// Whether it is an argument; else the answer tells it.
    is_asked: bool,
    is_used: bool,
}

impl<'a> Placeholders<'a> {
    fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.name == name)
    }

    /// The placeholder of this name, which is used now.
    fn used(&mut self, name: &str) -> Option<Operand> {
        let index = self.find(name)?;
        self.names[index].is_used = true;
        u8::try_from(index).ok().map(Operand::Placeholder)
    }

    fn add(&mut self, tree: &Tree<'a>, token: Token<'a>, is_asked: bool) -> Result<Pattern, TableFileError> {
        let Token { offset, text: name, .. } = token;
        let index = match self.find(name) {
            Some(known) => {
                self.names[known].is_used = true;
                known
            }
            None if self.names.len() == PLACEHOLDERS_MAX => {
                let expected = format!("no more than {PLACEHOLDERS_MAX} placeholders in a transition");
                return Err(unexpected(tree, token, &expected));
            }
            None => {
                self.names.push(Placeholder { name, tree: *tree, offset, is_asked, is_used: false });
                self.names.len() - 1
            }
        };
        Ok(Pattern::Placeholder(u8::try_from(index).expect("placeholders are few")))
    }

    /// Refuses one that nothing uses: it may be a misspelt one.
    pub(super) fn check(&self) -> Result<(), TableFileError> {
        let Some(lost) = self.names.iter().find(|known| !known.is_used) else { return Ok(()) };
        let found = format!("`{{{}}}`", shortened(lost.name));
        let expected = if lost.is_asked {
            "a placeholder that `when`, `set` or `answer` uses; `{_}` takes anything".to_owned()
        } else {
            "a variable, a placeholder of `operation`, or one that `when` or `set` uses; `{_}` may be anything"
                .to_owned()
        };
        Err(TableFileError::Unexpected { place: lost.tree.place_within(lost.offset), found, expected })
    }
}

/// Reads the texts of a row.
pub(super) struct Terms<'a, 'n> {
    pub(super) names: &'n mut Names,
    pub(super) placeholders: Placeholders<'a>,
}

impl<'a> Terms<'a, '_> {
    /// The name of an operation, and its arguments.
    pub(super) fn operation(&mut self, tree: &Tree<'a>) -> Result<(&'a str, Vec<Pattern>), TableFileError> {
        const EXPECTED: &str = "the name of an operation and its arguments, as in \"write {v}\"";
        let tokens = tokens(tree, tree.string(EXPECTED)?)?;
        let Some((name, arguments)) = tokens.split_first().filter(|(name, _)| !name.is_braced) else {
            return Err(tree.unexpected(EXPECTED));
        };
        let mut patterns = Vec::new();
        for token in arguments {
            patterns.push(match token.text {
                ANYTHING if token.is_braced => Pattern::Anything,
                _ if !token.is_braced => Pattern::Value(self.literal(tree, *token)?),
                text if self.names.variable_named(text).is_some() => {
                    let expected = format!(
                        "another name, for `{text}` is a variable: {{x}} and `when = \"{text} = {{x}}\"`"
                    );
                    return Err(unexpected(tree, *token, &expected));
                }
                text if is_name(text) => self.placeholders.add(tree, *token, true)?,
                _ => return Err(unexpected(tree, *token, "a name in the braces")),
            });
        }
        Ok((name.text, patterns))
    }

    /// What comes back.
    pub(super) fn answer(&mut self, tree: &Tree<'a>) -> Result<Vec<Pattern>, TableFileError> {
        const EXPECTED: &str = "an answer, as in \"full\" or \"{held}\"";
        let Some(text) = tree.text() else {
            let word = tree.word(EXPECTED)?;
            return Ok(vec![Pattern::Value(Expression::of(Operand::Literal(self.names.intern(&word))))]);
        };
        let tokens = tokens(tree, text)?;
        if tokens.is_empty() {
            return Err(tree.unexpected(EXPECTED));
        }
        let mut patterns = Vec::new();
        for token in tokens {
            patterns.push(match token.text {
                ANYTHING if token.is_braced => Pattern::Anything,
                _ if !token.is_braced => Pattern::Value(self.literal(tree, token)?),
                text if is_name(text) && self.is_unknown(text) => {
                    self.placeholders.add(tree, token, false)?
                }
                text => {
                    let inner = Token { offset: token.offset, text, is_braced: false };
                    Pattern::Value(self.braced(tree, inner)?)
                }
            });
        }
        Ok(patterns)
    }

    /// A word that stands for itself. One that a variable has as its name is likely to mean that.
    fn literal(&mut self, tree: &Tree<'a>, token: Token<'a>) -> Result<Expression, TableFileError> {
        if self.names.variable_named(token.text).is_some() {
            let expected = format!("braces around the name of a variable: {{{}}}", token.text);
            return Err(unexpected(tree, token, &expected));
        }
        Ok(Expression::of(Operand::Literal(self.names.intern(token.text))))
    }

    fn is_unknown(&self, name: &str) -> bool {
        let is_asked =
            self.placeholders.find(name).is_some_and(|known| self.placeholders.names[known].is_asked);
        !is_asked && self.names.variable_named(name).is_none() && number(name).is_none()
    }

    /// The expression in the braces of an answer: names, numbers, one sum.
    fn braced(&mut self, tree: &Tree<'a>, inside: Token<'a>) -> Result<Expression, TableFileError> {
        let mut parts = Vec::new();
        let mut offset = 0;
        for text in inside.text.split(' ') {
            if !text.is_empty() {
                let is_braced = number(text).is_none() && !matches!(text, "+" | "-");
                parts.push(Token { offset: inside.offset + offset, text, is_braced });
            }
            offset += text.len() + 1;
        }
        self.expression(tree, inside.offset, &parts)
    }

    /// What must be so.
    pub(super) fn condition(&mut self, tree: &Tree<'a>) -> Result<Condition, TableFileError> {
        const EXPECTED: &str = "a condition, as in \"held < 3\" or \"value = {v}\"";
        let tokens = tokens(tree, tree.string(EXPECTED)?)?;
        let sign = |token: &Token<'_>| if token.is_braced { None } else { comparison(token.text) };
        let Some((at, comparison)) =
            tokens.iter().enumerate().find_map(|(at, token)| Some((at, sign(token)?)))
        else {
            return Err(tree.unexpected(EXPECTED));
        };
        let (left, right) = (&tokens[..at], &tokens[at + 1..]);
        let end = tree.text().map_or(0, str::len);
        let condition = Condition {
            left: self.expression(tree, 0, left)?,
            comparison,
            right: self.expression(tree, end, right)?,
        };
        self.check_word(tree, (&condition.left, left[0]), &condition.right, comparison)?;
        self.check_word(tree, (&condition.right, right[0]), &condition.left, comparison)?;
        Ok(condition)
    }

    /// What changes: the index of a variable, and its new value.
    pub(super) fn change(&mut self, tree: &Tree<'a>) -> Result<(u8, Expression), TableFileError> {
        const EXPECTED: &str = "a change, as in \"held = held + 1\" or \"value = {v}\"";
        let tokens = tokens(tree, tree.string(EXPECTED)?)?;
        let [name, equals, value @ ..] = tokens.as_slice() else { return Err(tree.unexpected(EXPECTED)) };
        if equals.is_braced || equals.text != "=" {
            return Err(unexpected(tree, *equals, "` = ` after the name of a variable"));
        }
        let Some(index) = self.names.variable_named(name.text).filter(|_| !name.is_braced) else {
            return Err(unexpected(tree, *name, &self.variables()));
        };
        let end = tree.text().map_or(0, str::len);
        let expression = self.expression(tree, end, value)?;
        if let Expression { first: Operand::Literal(literal), second: None } = expression {
            let domain = &self.names.variables[usize::from(index)].domain;
            if !domain.contains(literal) {
                let expected = format!("a variable, a placeholder, or {}", self.names.listed(domain));
                return Err(unexpected(tree, value[0], &expected));
            }
        }
        Ok((index, expression))
    }

    /// A literal that a variable is compared with must be one that it can hold; other words mean nothing.
    fn check_word(
        &self,
        tree: &Tree<'a>,
        (side, token): (&Expression, Token<'a>),
        opposite: &Expression,
        comparison: Comparison,
    ) -> Result<(), TableFileError> {
        let Expression { first: Operand::Literal(literal), second: None } = *side else { return Ok(()) };
        let is_word = literal.as_number().is_none();
        if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            let expected = format!("a number, a placeholder, or {}", self.variables());
            return if is_word { Err(unexpected(tree, token, &expected)) } else { Ok(()) };
        }
        let domain = match *opposite {
            Expression { first: Operand::Variable(index), second: None } => {
                &self.names.variables[usize::from(index)].domain
            }
            Expression { first: Operand::Placeholder(_), .. } => return Ok(()),
            _ if !is_word => return Ok(()),
            _ => return Err(unexpected(tree, token, &self.variables())),
        };
        if domain.contains(literal) {
            return Ok(());
        }
        let expected = format!("a variable, a placeholder, or {}", self.names.listed(domain));
        Err(unexpected(tree, token, &expected))
    }

    /// One value, or two with a sign between them.
    fn expression(
        &mut self,
        tree: &Tree<'a>,
        end: usize,
        tokens: &[Token<'a>],
    ) -> Result<Expression, TableFileError> {
        match tokens {
            [one] => Ok(Expression::of(self.operand(tree, *one)?)),
            [first, sign, second] => {
                let sign = match sign.text {
                    "+" if !sign.is_braced => Sign::Plus,
                    "-" if !sign.is_braced => Sign::Minus,
                    _ => return Err(unexpected(tree, *sign, "+ or - between two values")),
                };
                let (first_value, second_value) = (self.operand(tree, *first)?, self.operand(tree, *second)?);
                for (operand, token) in [(first_value, first), (second_value, second)] {
                    if matches!(operand, Operand::Literal(literal) if literal.as_number().is_none()) {
                        return Err(unexpected(
                            tree,
                            *token,
                            "a number, a variable or a placeholder beside + and -",
                        ));
                    }
                }
                Ok(Expression { first: first_value, second: Some((sign, second_value)) })
            }
            _ => {
                let token =
                    tokens.get(1).copied().unwrap_or(Token { offset: end, text: "", is_braced: false });
                Err(unexpected(
                    tree,
                    token,
                    "one value, or a sum of two, as in `held + 1`, with blanks around the sign",
                ))
            }
        }
    }

    fn operand(&mut self, tree: &Tree<'a>, token: Token<'a>) -> Result<Operand, TableFileError> {
        if token.is_braced {
            let variable = self.names.variable_named(token.text).map(Operand::Variable);
            return self.placeholders.used(token.text).or(variable).ok_or_else(|| {
                let asked: Vec<&str> = self.placeholders.names.iter().map(|known| known.name).collect();
                let known = if asked.is_empty() { "there is none".to_owned() } else { listed(&asked) };
                unexpected(
                    tree,
                    token,
                    &format!("a placeholder of `operation` or `answer` ({known}), or a variable"),
                )
            });
        }
        if let Some(index) = self.names.variable_named(token.text) {
            return Ok(Operand::Variable(index));
        }
        if self.placeholders.find(token.text).is_some() {
            let expected = format!("braces around a placeholder: {{{}}}", token.text);
            return Err(unexpected(tree, token, &expected));
        }
        Ok(Operand::Literal(self.names.intern(token.text)))
    }

    fn variables(&self) -> String {
        let names: Vec<&str> = self.names.variables.iter().map(|variable| variable.name.as_str()).collect();
        if names.is_empty() {
            "a variable, but there is none".to_owned()
        } else {
            format!("a variable: {}", listed(&names))
        }
    }
}

fn comparison(text: &str) -> Option<Comparison> {
    Some(match text {
        "=" | "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::More,
        ">=" => Comparison::AtLeast,
        _ => return None,
    })
}

/// The words of a text, and what stands in braces without them.
fn tokens<'a>(tree: &Tree<'a>, text: &'a str) -> Result<Vec<Token<'a>>, TableFileError> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    while let Some(mark) = text[offset..].chars().next() {
        let rest = &text[offset..];
        if mark.is_whitespace() {
            offset += mark.len_utf8();
            continue;
        }
        if mark == '{' {
            let length = rest.find('}').filter(|length| *length > 1 && !rest[1..*length].contains('{'));
            let Some(length) = length else {
                let token = Token { offset, text: rest, is_braced: false };
                return Err(unexpected(tree, token, "a name in braces, as in {v}"));
            };
            tokens.push(Token { offset: offset + 1, text: &rest[1..length], is_braced: true });
            offset += length + 1;
            continue;
        }
        let length =
            rest.find(|mark: char| mark.is_whitespace() || "{}".contains(mark)).unwrap_or(rest.len());
        if length == 0 {
            let token = Token { offset, text: rest, is_braced: false };
            return Err(unexpected(tree, token, "an opening brace before a closing one"));
        }
        tokens.push(Token { offset, text: &rest[..length], is_braced: false });
        offset += length;
    }
    Ok(tokens)
}

fn unexpected(tree: &Tree<'_>, token: Token<'_>, expected: &str) -> TableFileError {
    let shown = shortened(token.text);
    let found = match token {
        Token { text: "", .. } => "the end of the text".to_owned(),
        Token { is_braced: true, .. } => format!("`{{{shown}}}`"),
        Token { is_braced: false, .. } => format!("`{shown}`"),
    };
    TableFileError::Unexpected {
        place: tree.place_within(token.offset),
        found,
        expected: expected.to_owned(),
    }
}
