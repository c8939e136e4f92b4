//! What a row of a table computes: values, sums, comparisons.

/// Most variables of a table.
pub(crate) const VARIABLES_MAX: usize = 8;
/// Most placeholders of a row.
pub(crate) const PLACEHOLDERS_MAX: usize = 8;
/// Largest number that is one, and smallest without its sign; anything beyond is a word.
pub(crate) const NUMBER_MAX: i64 = 1 << 62;

/// A value: a whole number, or a word by its index. Words lie below all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Code(i64);

const _: () = assert!(i64::MIN + (u32::MAX as i64) < -NUMBER_MAX);

impl Code {
    /// The value of a variable that the table does not have.
    pub(crate) const UNUSED: Self = Self(0);

    pub(crate) fn number(number: i64) -> Option<Self> {
        (-NUMBER_MAX..=NUMBER_MAX).contains(&number).then_some(Self(number))
    }

    pub(crate) fn word(index: u32) -> Self {
        Self(i64::MIN + i64::from(index))
    }

    pub(crate) fn as_number(self) -> Option<i64> {
        (self.0 >= -NUMBER_MAX).then_some(self.0)
    }

    pub(crate) fn as_word(self) -> Option<usize> {
        if self.0 >= -NUMBER_MAX {
            return None;
        }
        usize::try_from(self.0 - i64::MIN).ok()
    }
}

/// What an object of a table remembers: the value of each variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableState(pub(crate) [Code; VARIABLES_MAX]);

/// The values of a row's placeholders, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bindings([Option<Code>; PLACEHOLDERS_MAX]);

impl Bindings {
    /// Gives a placeholder its value; false if it has another one.
    pub(crate) fn bind(&mut self, slot: u8, value: Code) -> bool {
        *self.0[usize::from(slot)].get_or_insert(value) == value
    }

    pub(crate) fn has(&self, slot: u8) -> bool {
        self.0[usize::from(slot)].is_some()
    }
}

/// A value, or where one is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Literal(Code),
    /// By its index among the variables.
    Variable(u8),
    /// By its index among the placeholders of the row.
    Placeholder(u8),
}

/// Whether the second number is added or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

/// A value, or the sum or difference of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub(crate) first: Operand,
    pub(crate) second: Option<(Sign, Operand)>,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What must be so for a row to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) left: Expression,
    pub(crate) comparison: Comparison,
    pub(crate) right: Expression,
}

impl Operand {
    fn value(self, state: &TableState, bound: &Bindings) -> Option<Code> {
        match self {
            Self::Literal(value) => Some(value),
            Self::Variable(index) => Some(state.0[usize::from(index)]),
            Self::Placeholder(slot) => bound.0[usize::from(slot)],
        }
    }
}

impl Expression {
    pub(crate) fn of(first: Operand) -> Self {
        Self { first, second: None }
    }

    /// Its value; none for the sum of something that is no number, or one beyond all numbers.
    pub(crate) fn value(&self, state: &TableState, bound: &Bindings) -> Option<Code> {
        let first = self.first.value(state, bound)?;
        let Some((sign, second)) = self.second else { return Some(first) };
        let (first, second) = (first.as_number()?, second.value(state, bound)?.as_number()?);
        // Neither can overflow: each is at most a quarter of the range.
        Code::number(match sign {
            Sign::Plus => first + second,
            Sign::Minus => first - second,
        })
    }

    pub(crate) fn operands(&self) -> impl Iterator<Item = Operand> {
        std::iter::once(self.first).chain(self.second.map(|(_, second)| second))
    }
}

impl Condition {
    pub(crate) fn holds(&self, state: &TableState, bound: &Bindings) -> bool {
        let (Some(left), Some(right)) = (self.left.value(state, bound), self.right.value(state, bound))
        else {
            return false;
        };
        let numbers = || left.as_number().zip(right.as_number());
        match self.comparison {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => numbers().is_some_and(|(left, right)| left < right),
            Comparison::AtMost => numbers().is_some_and(|(left, right)| left <= right),
            Comparison::More => numbers().is_some_and(|(left, right)| left > right),
            Comparison::AtLeast => numbers().is_some_and(|(left, right)| left >= right),
        }
    }
}
