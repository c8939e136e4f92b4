//! What `check` found about a file: the object that `check --json` prints, and what its page draws.

use std::collections::BTreeMap;

use checker::verdict::{Undecided, Violation};
use serde::Serialize;

use crate::drawn::DrawnOperation;
use crate::run_folder::Outcome;

/// A judged file, or one object family of a file that has several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedFile {
    /// The file as it was given.
    pub file: String,
    /// Its object family, where it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Its format.
    pub format: String,
    /// The sequential specification.
    pub model: String,
    /// What was asked.
    pub level: String,
    /// The answer.
    pub verdict: Outcome,
    /// How many operations it has.
    pub operations: u64,
    /// How many clients.
    pub clients: u64,
    /// How many operations of unknown outcome.
    pub unknown: u64,
    /// The algorithm that decided.
    pub algorithm: String,
    /// From bytes to a validated history. Unit: ns.
    pub parse_ns: u64,
    /// All after that. Unit: ns.
    pub check_ns: u64,
    /// The strongest level that holds, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strongest: Option<String>,
    /// Why it is violated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Violation>,
    /// The counter-examples against the levels next to the strongest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub explanations: BTreeMap<String, Violation>,
    /// What was still open when the budget ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Undecided>,
    /// The operations, for drawings; those that the explanations name are enough.
    #[serde(skip)]
    pub drawn: Vec<DrawnOperation>,
}

impl CheckedFile {
    /// The file, and the family in it.
    #[must_use]
    pub fn place(&self) -> String {
        self.family.as_ref().map_or_else(|| self.file.clone(), |family| format!("{}, {family}", self.file))
    }

    /// The explanations with the level that each speaks against.
    pub fn findings(&self) -> impl Iterator<Item = (&str, &Violation)> {
        let own = self.explanation.iter().map(|violation| (self.level.as_str(), violation));
        own.chain(self.explanations.iter().map(|(level, violation)| (level.as_str(), violation)))
    }

    /// The object that `check --json` prints, on one line without its end.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a judged file has text keys only")
    }
}
