//! What a check answers: it holds, it is violated and here is why, or the budget ran out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::history::{OperationIndex, SourcePlace};

/// The answer of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
#[expect(clippy::large_enum_variant, reason = "verdicts are few: one per check")]
pub enum Verdict {
    /// The promise was kept.
    Holds,
    /// The promise was broken.
    Violated(Violation),
    /// Neither was found within the budget.
    Undecided(Undecided),
}

/// A broken promise, with the few operations that show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The object at fault, where the history has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The smallest failing part found: these have no legal order whichever others are added; without
    /// any one of them there is one. For a domain promise, the numbers of the records (tasks, ...).
    pub operations: Vec<OperationIndex>,
    /// Whether `operations` may be more than are needed: the steps of the explanation were used up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_smallest: bool,
    /// How many operations had returned while everything could still be explained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_prefix_count: Option<usize>,
    /// The operation whose return could not be explained any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<OperationIndex>,
    /// One sentence that names operations, clients, values and times.
    pub explanation: String,
    /// How far an order of the failing part gets: a sentence for each step, the last on what does not fit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
    /// The explanation's claim about `operations`, without their list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<String>,
    /// Why that is so, where the algorithm says more than that no order was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the values come from that `operations` found: the write that was read, the release of a lock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextOperation>,
    /// The operations of the explanation and of its context in words, with their places in the file.
    #[serde(default, rename = "places", skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedOperation>,
    /// The last operations of a legal order of all that had returned before `stuck` did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legal_prefix: Vec<OperationIndex>,
    /// How many stand before `legal_prefix` in that order.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub legal_prefix_omitted: usize,
    /// What the object would have to do after that order for `stuck` to be legal, such as `hold 2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_have_to: Option<String>,
    /// What it does there, such as `it holds 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
}

/// An operation beside a failing part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextOperation {
    /// Its number.
    pub operation: OperationIndex,
    /// What it has to do with an operation of the part, such as `wrote what client 3's read -> 2 found`.
    pub why: String,
}

/// An operation in words, and where the file records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedOperation {
    /// Its number.
    pub operation: OperationIndex,
    /// Client, question, answer, places and instants.
    pub words: String,
    /// The line of its invocation, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The line of its response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_line: Option<u32>,
    /// The number that the file gives the invocation, such as `:index`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The number that the file gives the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_index: Option<u64>,
}

impl NamedOperation {
    pub(crate) fn new(
        operation: OperationIndex,
        words: String,
        place: Option<(SourcePlace, Option<SourcePlace>)>,
    ) -> Self {
        let (from, to) = (place.map(|(from, _)| from), place.and_then(|(_, to)| to));
        Self {
            operation,
            words,
            line: from.map(|place| place.line),
            response_line: to.map(|place| place.line),
            index: from.and_then(|place| place.index),
            response_index: to.and_then(|place| place.index),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Violation {
    /// Lets every sentence be changed.
    pub fn for_each_sentence(&mut self, mut change: impl FnMut(&mut String)) {
        change(&mut self.explanation);
        self.claim.iter_mut().chain(&mut self.reason).for_each(&mut change);
        self.steps.iter_mut().for_each(&mut change);
        self.context.iter_mut().for_each(|one| change(&mut one.why));
        self.named.iter_mut().for_each(|one| change(&mut one.words));
    }

    /// A violation by these operations, which stand in `claim` in the place of `{}`.
    pub(crate) fn claimed(
        operations: Vec<OperationIndex>,
        words: impl Iterator<Item = String>,
        claim: &str,
        reason: Option<String>,
    ) -> Self {
        let count = operations.len();
        let (listed, these) = match count {
            1 => (words.collect(), "this operation".to_owned()),
            count => (crate::explain::listed(words, count), format!("these {count} operations")),
        };
        let because = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let explanation = format!("{}{because}", claim.replacen("{}", &listed, 1));
        let claim = Some(claim.replacen("{}", &these, 1));
        Self { operations, explanation, claim, reason, ..Self::default() }
    }
}

/// A search that ended without an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    /// The operations still open where the search stopped.
    pub open: Vec<OperationIndex>,
    /// Steps spent.
    pub steps: u64,
}

/// A verdict, and how it was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The answer.
    pub verdict: Verdict,
    /// The algorithm that gave it.
    pub algorithm: &'static str,
    /// Steps spent.
    pub steps: u64,
}

impl Verdict {
    /// A violation by these records, for this reason.
    pub fn violated(operations: Vec<OperationIndex>, explanation: String) -> Self {
        Self::Violated(Violation { operations, explanation, ..Violation::default() })
    }

    /// A violation by the records at these places of their list.
    pub(crate) fn by_records(places: &[usize], explanation: String) -> Self {
        // A list of 2^32 records does not fit memory.
        let number = |place: &usize| OperationIndex(u32::try_from(*place).unwrap_or(u32::MAX));
        Self::violated(places.iter().map(number).collect(), explanation)
    }

    /// Whether the promise was kept.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }

    /// Whether the promise was broken.
    pub fn is_violated(&self) -> bool {
        matches!(self, Self::Violated(_))
    }

    /// `holds`, `violated` or `undecided`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated(_) => "violated",
            Self::Undecided(_) => "undecided",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => formatter.write_str("holds"),
            Self::Violated(violation) => write!(formatter, "violated: {}", violation.explanation),
            Self::Undecided(undecided) => write!(
                formatter,
                "undecided after {} steps with {} operations open",
                undecided.steps,
                undecided.open.len()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_survives_json() {
        let violated = Verdict::violated(vec![OperationIndex(3)], "operation 3 read too much".into());
        let undecided = Verdict::Undecided(Undecided { open: vec![OperationIndex(1)], steps: 9 });
        for verdict in [Verdict::Holds, violated, undecided] {
            let text = serde_json::to_string(&verdict).unwrap();
            assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict, "{text}");
        }
    }

    #[test]
    fn a_violation_is_written_as_an_explanation_and_numbers() {
        let verdict = Verdict::violated(vec![OperationIndex(3)], "too much".into());
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!(text, r#"{"verdict":"violated","operations":[3],"explanation":"too much"}"#);
    }
}
