//! An operation as a picture needs it: who, what, when and how it ended, whatever its model.

use checker::drawing::Drawable;
use checker::history::{ClientId, Dropped, OperationOf, Outcome};
use checker::judge::{Family, FamilyKind, OperationsVisitor};
use checker::keyed::KeyedHistory;
use checker::spec::Spec;
use serde::Serialize;

/// How an operation ended, as far as its client knows. The order is that of the latency table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Done.
    Ok,
    /// A definite answer that it was not done, itself an observation.
    Refused,
    /// It certainly did not happen.
    DidNotHappen,
    /// It may take effect later, once, or never.
    Unknown,
}

impl Ending {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::DidNotHappen => "did not happen",
            Self::Unknown => "unknown",
        }
    }
}

/// An operation to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnOperation {
    /// Its number in its history.
    pub number: u64,
    /// Who asked.
    pub client: u64,
    /// What kind of question it was, such as `write`.
    pub kind: String,
    /// The question and its answer in a few characters, such as `write 3` or `read: 3`.
    pub label: String,
    /// How it ended.
    pub ending: Ending,
    /// The position of the question among all events.
    pub invoked: u64,
    /// The position of the answer; none if unknown.
    pub returned: Option<u64>,
    /// When it was asked. Unit: ns of true time; 0 where the source has no time.
    pub invoked_at_ns: u64,
    /// When it was answered. Unit: ns of true time; none if unknown.
    pub returned_at_ns: Option<u64>,
}

impl DrawnOperation {
    /// Whether a client asked: not so of what was only recorded, to hold others' answers against it.
    pub fn is_asked(&self) -> bool {
        self.client != ClientId::RECORDER.0
    }

    /// Every operation of a history, by question; where it has several objects, each label names its own.
    pub fn all<S: Spec>(history: &KeyedHistory<S>) -> Vec<Self> {
        let is_keyed = history.parts().len() > 1;
        let mut drawn = Vec::with_capacity(history.len());
        for (key, part) in history.parts() {
            let key = is_keyed.then_some(key.as_str());
            drawn.extend(part.operations().iter().map(|operation| Self::of::<S>(key, operation)));
            drawn.extend(part.dropped().iter().map(|dropped| Self::of_dropped::<S>(key, dropped)));
        }
        drawn.sort_by_key(|operation| operation.number);
        drawn
    }

    /// Every operation of a family; none if its records are no operations.
    #[must_use]
    pub fn of_family(kind: &FamilyKind) -> Option<Vec<Self>> {
        kind.visit(DrawAll)
    }

    fn of<S: Spec>(key: Option<&str>, operation: &OperationOf<S>) -> Self {
        let answer = match &operation.outcome {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Unknown => None,
        };
        let words = S::describe(&operation.call, answer);
        let ending = match answer {
            None => Ending::Unknown,
            Some(answer) if S::is_refusal(answer) => Ending::Refused,
            Some(_) => Ending::Ok,
        };
        Self {
            number: u64::from(operation.number.0),
            client: operation.client.0,
            kind: kind(&words),
            label: keyed(key, &words),
            ending,
            invoked: operation.invoked,
            returned: operation.returned,
            invoked_at_ns: operation.invoked_at,
            returned_at_ns: operation.returned_at,
        }
    }

    fn of_dropped<S: Spec>(key: Option<&str>, dropped: &Dropped<S::Call>) -> Self {
        let words = S::describe(&dropped.call, None);
        let asked = words.split(" (").next().unwrap_or(&words);
        Self {
            number: u64::from(dropped.number.0),
            client: dropped.client.0,
            kind: kind(&words),
            label: keyed(key, asked),
            ending: Ending::DidNotHappen,
            invoked: dropped.positions.0,
            returned: Some(dropped.positions.1),
            invoked_at_ns: dropped.instants.0,
            returned_at_ns: Some(dropped.instants.1),
        }
    }

    /// How long the client waited; none if it was never answered.
    #[must_use]
    pub fn latency_ns(&self) -> Option<u64> {
        self.returned_at_ns.map(|returned_at_ns| returned_at_ns.saturating_sub(self.invoked_at_ns))
    }
}

struct DrawAll;

impl OperationsVisitor for DrawAll {
    type Output = Vec<DrawnOperation>;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> Vec<DrawnOperation> {
        DrawnOperation::all(history)
    }
}

/// The operations on the objects of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnFamily {
    /// The family's name.
    pub name: String,
    /// Its operations, by question.
    pub operations: Vec<DrawnOperation>,
}

impl DrawnFamily {
    /// The families whose records are operations; the others have pictures of their own, or none.
    pub fn all(families: &[Family]) -> Vec<Self> {
        let drawn = families.iter().filter_map(|family| {
            let operations = DrawnOperation::of_family(&family.kind)?;
            Some(Self { name: family.name.clone(), operations })
        });
        drawn.collect()
    }
}

/// The kind of an operation: the first word of what it is called.
fn kind(words: &str) -> String {
    words.split(' ').next().unwrap_or_default().to_owned()
}

fn keyed(key: Option<&str>, words: &str) -> String {
    key.map_or_else(|| words.to_owned(), |key| format!("{key}: {words}"))
}

#[cfg(test)]
mod tests {
    use checker::history::{Builder, ClientId};
    use checker::spec::register::{Register, RegisterAnswer, RegisterCall};

    use super::*;

    #[test]
    fn operations_keep_their_words_their_ending_and_their_place() {
        let mut builder = Builder::<Register>::default();
        let (a, b) = (ClientId(0), ClientId(1));
        builder.invoke(a, RegisterCall::Write(Some(3)), 10).unwrap();
        builder.invoke(b, RegisterCall::CompareAndSet { expected: Some(1), new: Some(2) }, 20).unwrap();
        builder.answer(b, RegisterAnswer::Mismatch, 30).unwrap();
        builder.did_not_happen(a, 40).unwrap();
        builder.invoke(a, RegisterCall::Read, 50).unwrap();
        builder.unknown(a).unwrap();
        let drawn = DrawnOperation::all(&KeyedHistory::single("x", builder.finish()));
        let found: Vec<_> = drawn
            .iter()
            .map(|one| (one.kind.as_str(), one.ending, one.invoked_at_ns, one.returned_at_ns))
            .collect();
        assert_eq!(
            found,
            [
                ("write", Ending::DidNotHappen, 10, Some(40)),
                ("compare-and-set", Ending::Refused, 20, Some(30)),
                ("read", Ending::Unknown, 50, None)
            ]
        );
        assert_eq!(drawn[0].label, "write 3");
        assert_eq!(drawn[1].latency_ns(), Some(10));
    }
}
