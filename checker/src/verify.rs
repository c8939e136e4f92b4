//! Checks evidence with code of its own: it shares histories and specifications with what made the
//! evidence, and nothing else.
//!
//! A certificate is accepted only if it proves the verdict that it comes with, of the level or promise
//! that is named. What each kind proves and assumes is told in `docs/evidence.md`.

mod chain;
mod converged;
mod orders;
mod reads;
mod records;
mod search;
mod visibility;

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::drawing::Drawable;
use crate::format::evidence::{Certificate, Checked, Claim, Evidence, Others, digest};
use crate::history::{ClientId, OperationIndex, OperationOf};
use crate::judge::{Family, FamilyKind, OperationsVisitor};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;

pub(crate) use chain::{Facts, contradiction};

/// Nodes that a search visits, whatever the evidence says.
const WORK_MAX: u64 = 1_000_000;

/// Why evidence is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is about another history.
    #[error(
        "the evidence is about another history, or about this one read in another way: digest {found}, here {here}"
    )]
    OtherHistory {
        /// What the evidence says.
        found: String,
        /// What the history has.
        here: String,
    },
    /// It claims nothing.
    #[error("the evidence holds no verdict")]
    Empty,
    /// The history has no such family, or the family no such check.
    #[error("no check {check} of a family {family:?} is known here")]
    Unknown {
        /// The family.
        family: String,
        /// The check.
        check: String,
    },
    /// There is no certificate.
    #[error("there is no certificate: {0}")]
    NoCertificate(String),
    /// The certificate is of a kind that cannot prove the verdict.
    #[error("a certificate of this kind does not prove this verdict")]
    WrongKind,
    /// An operation that the history does not have.
    #[error("operation {0} is not one of this family, or cannot have had an effect")]
    NoOperation(OperationIndex),
    /// An operation where it cannot be.
    #[error("operation {0} {1}")]
    Misplaced(OperationIndex, &'static str),
    /// An operation that has to be there.
    #[error("operation {0} was answered and is missing")]
    Missing(OperationIndex),
    /// The core has an explanation.
    #[error("what is called impossible has an explanation")]
    Explained,
    /// The search is larger than the evidence says.
    #[error("the search takes more than {0} steps")]
    TooMuchWork(u64),
    /// A step of a chain that does not follow.
    #[error("step {0} of the chain does not follow from those before it")]
    NoStep(usize),
    /// The last step is no contradiction.
    #[error("the chain does not end in a contradiction")]
    NoContradiction,
    /// Other records break the promise, or none.
    #[error("the promise about these records is {0}")]
    OtherRecords(String),
}

/// What came of one verdict of the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The family.
    pub family: String,
    /// The check.
    pub check: String,
    /// What was claimed.
    pub verdict: Claim,
    /// Whether it is proved.
    pub result: Result<(), Refusal>,
}

/// Checks every verdict of the evidence against the families of the history.
///
/// # Errors
/// If the evidence is about another history, or about nothing.
pub fn verify(families: &[Family], evidence: &Evidence) -> Result<Vec<Verified>, Refusal> {
    let (found, here) = (evidence.history.digest, digest(families));
    if found != here {
        return Err(Refusal::OtherHistory { found: found.to_string(), here: here.to_string() });
    }
    if evidence.checks.is_empty() {
        return Err(Refusal::Empty);
    }
    let one = |checked: &Checked| Verified {
        family: checked.family.clone(),
        check: checked.check.clone(),
        verdict: checked.verdict,
        result: accept(families, checked),
    };
    Ok(evidence.checks.iter().map(one).collect())
}

/// Whether the certificate proves the verdict.
///
/// # Errors
/// Why not.
pub fn accept(families: &[Family], checked: &Checked) -> Result<(), Refusal> {
    let unknown = || Refusal::Unknown { family: checked.family.clone(), check: checked.check.clone() };
    let family = families.iter().find(|family| family.name == checked.family).ok_or_else(unknown)?;
    match &checked.certificate {
        Certificate::None { reason } => Err(Refusal::NoCertificate(reason.clone())),
        Certificate::Records { records } => {
            records::accept(&family.kind, &checked.check, checked.verdict, records)
        }
        // Tallies have promises of their own by names of levels.
        _ if matches!(family.kind, FamilyKind::Tally { .. }) && checked.check == "convergence" => {
            Err(Refusal::WrongKind)
        }
        _ => family.kind.visit(Visit(checked)).ok_or_else(unknown)?,
    }
}

/// Whether the certificate proves the verdict on these objects.
///
/// # Errors
/// Why not.
pub fn accept_on<S: Spec>(spec: &S, history: &KeyedHistory<S>, checked: &Checked) -> Result<(), Refusal> {
    Visit(checked).accept(spec, history)
}

struct Visit<'a>(&'a Checked);

impl OperationsVisitor for Visit<'_> {
    type Output = Result<(), Refusal>;

    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) -> Self::Output {
        self.accept(spec, history)
    }
}

impl Visit<'_> {
    fn accept<S: Spec>(&self, spec: &S, history: &KeyedHistory<S>) -> Result<(), Refusal> {
        let Checked { check, verdict, certificate, .. } = self.0;
        let level = Level::named(check)
            .ok_or_else(|| Refusal::Unknown { family: self.0.family.clone(), check: check.clone() })?;
        let whole = Whole::of(spec, history);
        match (verdict, certificate) {
            (Claim::Holds, Certificate::Orders { orders }) => orders::in_real_time(&whole, orders),
            (Claim::Holds, Certificate::Order { order })
                if !matches!(level, Level::RealTime | Level::Converged) =>
            {
                orders::in_program_order(&whole, order)
            }
            (Claim::Holds, Certificate::Visibility { arbitration, sees }) => match level {
                Level::Weak(rules) => visibility::accept(&whole, rules, arbitration, sees),
                Level::Converged => converged::accept(&whole, arbitration, sees),
                Level::RealTime | Level::Programs => Err(Refusal::WrongKind),
            },
            (Claim::Violated, Certificate::Core { core, others, work }) => {
                impossible(&whole, level, core, *others, (*work).min(WORK_MAX)).map(drop)
            }
            (Claim::Violated, Certificate::Chain { steps }) => contradiction(&whole, level, steps),
            _ => Err(Refusal::WrongKind),
        }
    }
}

/// That the core has no explanation, whichever of the others are added: how many steps that took.
pub(crate) fn impossible<S: Spec>(
    whole: &Whole<'_, S>,
    level: Level,
    core: &[OperationIndex],
    others: Others,
    work: u64,
) -> Result<u64, Refusal> {
    match level {
        Level::RealTime | Level::Programs => {
            search::refute(whole, core, others, level == Level::RealTime, work)
        }
        Level::Weak(rules) => visibility::refute(whole, rules, core, others, work),
        Level::Converged => converged::refute(whole, core, work),
    }
}

/// What a level asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// One order for all, in real time.
    RealTime,
    /// One order for all, that of each client kept.
    Programs,
    /// A visibility and an arbitration.
    Weak(Rules),
    /// The same at the end.
    Converged,
}

/// What visibility and arbitration have to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// An operation sees the earlier updates of its client.
    pub(crate) own: bool,
    /// What an operation saw, the later ones of its client see.
    pub(crate) again: bool,
    /// Updates of a client are ordered as it asked them; who sees one sees the earlier ones.
    pub(crate) prefix: bool,
    /// What a client saw up to an update comes before it; who sees the update sees that.
    pub(crate) cause: bool,
}

impl Level {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let weak = |own, again, prefix, cause| Some(Self::Weak(Rules { own, again, prefix, cause }));
        match name {
            "linearizable" => Some(Self::RealTime),
            "sequential" => Some(Self::Programs),
            "causal" => weak(true, true, true, true),
            "pram" => weak(true, true, true, false),
            "read-your-writes" => weak(true, false, false, false),
            "monotonic-reads" => weak(false, true, false, false),
            "monotonic-writes" => weak(false, false, true, false),
            "writes-follow-reads" => weak(false, false, false, true),
            "convergence" => Some(Self::Converged),
            _ => None,
        }
    }
}

/// One operation of a family.
pub(crate) struct Act<'a, S: Spec> {
    operation: &'a OperationOf<S>,
    object: usize,
    client: usize,
    /// What it does; none if it has no answer and, without one, no effect.
    step: Option<S::Step>,
}

/// All operations of a family, by number.
pub(crate) struct Whole<'a, S: Spec> {
    spec: &'a S,
    keys: Vec<&'a str>,
    acts: Vec<Act<'a, S>>,
    client_count: usize,
}

impl<'a, S: Spec> Whole<'a, S> {
    pub(crate) fn of(spec: &'a S, history: &'a KeyedHistory<S>) -> Self {
        let mut clients: HashMap<ClientId, usize, FxBuildHasher> = HashMap::default();
        let mut acts = Vec::with_capacity(history.len());
        for (object, part) in history.parts().values().enumerate() {
            acts.extend(part.operations().iter().map(|operation| {
                let next = clients.len();
                let client = *clients.entry(operation.client).or_insert(next);
                let step = spec.step(&operation.call, operation.answer());
                Act { operation, object, client, step }
            }));
        }
        acts.sort_by_key(|act| act.operation.number);
        let keys = history.parts().keys().map(String::as_str).collect();
        Self { spec, keys, acts, client_count: clients.len() }
    }

    /// The place of an operation that can have had an effect, or was answered.
    fn find(&self, number: OperationIndex) -> Result<usize, Refusal> {
        let found = self.acts.binary_search_by_key(&number, |act| act.operation.number);
        found.ok().filter(|place| self.acts[*place].step.is_some()).ok_or(Refusal::NoOperation(number))
    }

    pub(crate) fn find_all(&self, numbers: &[OperationIndex]) -> Result<Vec<usize>, Refusal> {
        numbers.iter().map(|number| self.find(*number)).collect()
    }

    pub(crate) fn number(&self, place: usize) -> OperationIndex {
        self.acts[place].operation.number
    }

    pub(crate) fn is_answered(&self, place: usize) -> bool {
        self.acts[place].is_answered()
    }

    /// Whether the first is an earlier operation of the client of the second.
    fn is_earlier(&self, first: usize, second: usize) -> bool {
        self.acts[first].client == self.acts[second].client && first < second
    }
}

impl<S: Spec> Act<'_, S> {
    fn number(&self) -> OperationIndex {
        self.operation.number
    }

    fn is_answered(&self) -> bool {
        self.operation.returned.is_some()
    }

    fn step(&self) -> &S::Step {
        self.step.as_ref().expect("only operations with a step are found")
    }

    /// Whether it returned before the other was invoked.
    fn is_over_before(&self, other: &Self) -> bool {
        self.operation.returned.is_some_and(|returned| returned < other.operation.invoked)
    }
}
