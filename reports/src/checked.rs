//! What `check` found about a file: the object that `check --json` prints, and what its page draws.

use std::collections::{BTreeMap, BTreeSet};

use checker::drawing::Drawable;
use checker::format::{Contents, LeftOut};
use checker::history::OperationIndex;
use checker::judge::{Check, FamilyKind, OperationsVisitor};
use checker::keyed::KeyedHistory;
use checker::lattice::Strongest;
use checker::verdict::{Undecided, Verdict, Violation};
use serde::Serialize;

use crate::drawn::DrawnOperation;
use crate::nemesis_bands::{self, NemesisBand};
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
    /// What is in the file and was not judged, by reason.
    #[serde(skip_serializing_if = "LeftOut::is_empty")]
    pub left_out: LeftOut,
    /// What was still open when the budget ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<Undecided>,
    /// ASCII lanes of the operations that each explanation names, by its level.
    #[serde(skip)]
    pub pictures: BTreeMap<String, String>,
    /// The operations, for drawings; those that the explanations name are enough.
    #[serde(skip)]
    pub drawn: Vec<DrawnOperation>,
    /// What the nemesis did.
    #[serde(skip)]
    pub faults: Vec<NemesisBand>,
}

/// Which levels the operations of a family have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked<'a> {
    /// Its name.
    pub family: &'a str,
    /// What was found.
    pub strongest: Strongest,
}

impl Ranked<'_> {
    /// The same where the history says nothing of real time.
    #[must_use]
    pub fn without_real_time(self) -> Self {
        Self { strongest: self.strongest.without_real_time(), ..self }
    }
}

/// How long a file took. Unit: ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From bytes to a validated history.
    pub parse_ns: u64,
    /// All after that.
    pub check_ns: u64,
}

impl CheckedFile {
    /// What `check` found in one of the families of a file.
    ///
    /// # Panics
    /// If the check is of none of the families.
    pub fn new(file: &str, contents: &Contents, check: Check, times: Times) -> Self {
        let Contents { format, families, left_out, .. } = contents;
        let family = families.iter().find(|family| family.name == check.family);
        let kind = &family.expect("a check is of one of the families that were judged").kind;
        let (model, operations, clients, unknown) = described(kind);
        let (verdict, explanation, open) = match check.verdict {
            Verdict::Holds | Verdict::Undecided(_) if kind.is_vacuous() => (Outcome::Vacuous, None, None),
            Verdict::Holds => (Outcome::Holds, None, None),
            Verdict::Violated(violation) => (Outcome::Violated, Some(violation), None),
            Verdict::Undecided(undecided) => (Outcome::Undecided, None, Some(undecided)),
        };
        let drawn = explanation.as_ref().map_or_else(Vec::new, |violation| named(kind, violation));
        let pictures = explanation
            .iter()
            .filter_map(|violation| Some((check.name.to_owned(), picture(kind, violation)?)))
            .collect();
        Self {
            file: file.to_owned(),
            family: (families.len() > 1).then_some(check.family),
            format: format.name().to_owned(),
            model: model.to_owned(),
            level: check.name.to_owned(),
            verdict,
            operations,
            clients,
            unknown,
            algorithm: check.algorithm.to_owned(),
            parse_ns: times.parse_ns,
            check_ns: times.check_ns,
            strongest: None,
            explanation,
            explanations: BTreeMap::new(),
            left_out: left_out.clone(),
            open,
            pictures,
            drawn,
            faults: nemesis_bands::bands(&contents.nemesis),
        }
    }

    /// Which levels the operations of one of the families of a file have.
    ///
    /// # Panics
    /// If there is no such family.
    pub fn strongest(file: &str, contents: &Contents, found: Ranked, times: Times) -> Self {
        let Ranked { family, strongest } = found;
        let undecided = strongest.undecided.into_iter().next();
        let (verdict, algorithm) = match &undecided {
            Some((_, judgement)) => (judgement.verdict.clone(), judgement.algorithm),
            None => (Verdict::Holds, "lattice"),
        };
        let check =
            Check { name: "strongest", family: family.to_owned(), verdict, algorithm, detail: String::new() };
        let mut checked = Self::new(file, contents, check, times);
        let held: Vec<&str> = strongest.held.iter().map(|level| level.name()).collect();
        checked.strongest = Some(if held.is_empty() { "none".to_owned() } else { held.join(", ") });
        let family = contents.families.iter().find(|other| other.name == family);
        let kind = &family.expect("the family was judged").kind;
        for (level, judgement) in strongest.next {
            if let Verdict::Violated(violation) = judgement.verdict {
                checked.drawn.extend(named(kind, &violation));
                let picture = picture(kind, &violation).map(|picture| (level.name().to_owned(), picture));
                checked.pictures.extend(picture);
                checked.explanations.insert(level.name().to_owned(), violation);
            }
        }
        checked
    }

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

/// Model, operations, clients, and operations of unknown outcome; of records that are no operations, their number.
fn described(kind: &FamilyKind) -> (&str, u64, u64, u64) {
    let (operations, clients, unknown) = match kind {
        FamilyKind::Switch { history, .. } => {
            let nodes: BTreeSet<_> = history.tasks.iter().map(|task| task.node).collect();
            (history.tasks.len(), nodes.len(), 0)
        }
        FamilyKind::Log(history) => {
            let unknown = history.appends.iter().filter(|append| append.acknowledged_ns.is_none()).count();
            (history.appends.len(), history.readers.len(), unknown)
        }
        FamilyKind::Reads(reads) => {
            let clients: BTreeSet<_> = reads.iter().map(|read| read.client).collect();
            (reads.len(), clients.len(), 0)
        }
        FamilyKind::Records(records) => (records.len(), records.parties(), records.unknown()),
        operations => operations.visit(Count).unwrap_or_default(),
    };
    (kind.model_name(), operations as u64, clients as u64, unknown as u64)
}

/// Counts operations, clients and operations of unknown outcome.
struct Count;

impl OperationsVisitor for Count {
    type Output = (usize, usize, usize);

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> Self::Output {
        let parts = || history.parts().values();
        let clients: BTreeSet<_> =
            parts().flat_map(|part| part.operations()).map(|operation| operation.client).collect();
        let unknown = parts().map(checker::history::History::unknown_count).sum();
        (history.len(), clients.len(), unknown)
    }
}

/// Lanes of the operations that a violation names; none if there are none.
fn picture(kind: &FamilyKind, violation: &Violation) -> Option<String> {
    kind.visit(Lanes { violation }).filter(|picture| !picture.is_empty())
}

struct Lanes<'a> {
    violation: &'a Violation,
}

impl OperationsVisitor for Lanes<'_> {
    type Output = String;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> String {
        history.picture(&shown(self.violation))
    }
}

/// The numbers of a violation's operations and of what stands beside them.
fn shown(violation: &Violation) -> Vec<OperationIndex> {
    let mut shown = violation.operations.clone();
    shown.extend(violation.context.iter().map(|one| one.operation));
    shown.sort_unstable();
    shown.dedup();
    shown
}

/// The operations that a violation names.
fn named(kind: &FamilyKind, violation: &Violation) -> Vec<DrawnOperation> {
    let all = DrawnOperation::of_family(kind).unwrap_or_default();
    let shown = shown(violation);
    let is_shown = |one: &DrawnOperation| shown.iter().any(|index| u64::from(index.0) == one.number);
    all.into_iter().filter(is_shown).collect()
}
